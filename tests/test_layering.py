"""The server stays free of torch, and every module says what it is."""

import ast
import subprocess
import sys

from appserver import ROOT, environment

_RUN_EVERY_PAGE = """
import sys
from page_runs import open_app
from vae.web.navigation import PAGES

for page in PAGES:
    open_app(page)
print(*sorted(name for name in sys.modules if name.split(".")[0] in ("torch", "torchvision")))
"""


def test_running_every_page_loads_no_torch(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", _RUN_EVERY_PAGE],
        cwd=ROOT / "tests",
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == []


def test_every_module_says_what_it_is():
    paths = [
        ROOT / "streamlit_app.py",
        *(ROOT / "pages").glob("*.py"),
        *(ROOT / "vae").rglob("*.py"),
    ]
    silent = [
        path.relative_to(ROOT)
        for path in paths
        if (tree := ast.parse(path.read_text(encoding="utf-8"))).body
        and not ast.get_docstring(tree)
    ]
    assert not silent
