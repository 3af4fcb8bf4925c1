"""The browser's modules under node: what tests of them share."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from appserver import ROOT

from vae.web.routes import assets


def run_modules(name: str, folder: Path) -> Callable[..., Any]:
    """``run(task, **input)``: what the modules of assets/NAME/ make of the input, by
    tests/web/NAME.mjs; ``pack`` is a binary file beside it. Skips without node, fails on CI."""
    program = shutil.which("node")
    if program is None:
        message = "no node on the PATH (Debian: apt-get install nodejs)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    modules = folder / "modules"
    modules.mkdir()
    # As they are served: with what all folders share.
    for file, content in assets(name).items():
        (modules / file).write_bytes(content)
    # Without a package.json, node takes .js files for the older kind of module.
    (modules / "package.json").write_text('{"type": "module"}')

    def run(task: str, *, pack: bytes | None = None, **given: Any) -> Any:
        if pack is not None:
            (folder / "pack.bin").write_bytes(pack)
            given["pack"] = str(folder / "pack.bin")
        (folder / "input.json").write_text(json.dumps(given))
        script = ROOT / "tests" / "web" / f"{name}.mjs"
        done = subprocess.run(
            [program, str(script), str(modules), task, str(folder / "input.json")],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
