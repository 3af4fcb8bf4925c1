"""Runs on disk: a folder each, with the members' checkpoints and a small manifest.

The manifest is what lets a page offer to go on from a run that this server process never knew.
"""

import contextlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vae.config import ConfigError, TrainConfig
from vae.data import user_cache_dir
from vae.protocol import RunState

_MANIFEST = "run.json"
# Ids come from addresses too: nothing else may become part of a path.
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,32}")


@dataclass(frozen=True)
class RecoverableRun:
    """A run on disk with checkpoints to go on from; ``state`` is where it stood when last seen.

    ``state`` RUNNING means that the server ended in mid-run. ``saved_at`` is seconds since 1970.
    """

    run_id: str
    state: RunState
    configs: tuple[TrainConfig, ...]
    step: int
    checkpoints: tuple[str, ...]
    saved_at: float


def default_folder() -> Path:
    """Where runs are kept: the environment's ``VAE_RUNS_DIR``, else the user's cache."""
    chosen = os.environ.get("VAE_RUNS_DIR")
    return Path(chosen).expanduser() if chosen else user_cache_dir() / "runs"


class RunFolders:
    """The folder of folders. Reading forgives whatever it finds; writing raises ``OSError``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, run_id: str) -> Path:
        """The folder of a run. Raises ``ValueError`` on an id that is none."""
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError(
                f"run id: {run_id[:40]!r} given; allowed are 8 to 32 of A-Z a-z 0-9 _ -"
            )
        return self.root / run_id

    def create(self, run_id: str) -> Path:
        folder = self.path(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write(
        self,
        run_id: str,
        *,
        state: RunState,
        configs: Sequence[TrainConfig],
        step: int,
        checkpoints: Sequence[str],
    ) -> None:
        """Say on disk where the run stands, whole or not at all; makes its folder."""
        manifest = {
            "state": str(state),
            "configs": [config.to_dict() for config in configs],
            "step": step,
            "checkpoints": [Path(path).name for path in checkpoints],
            "saved_at": time.time(),
        }
        folder = self.create(run_id)
        temporary = folder / f".{uuid.uuid4().hex}.part"
        try:
            temporary.write_text(json.dumps(manifest), encoding="utf-8")
            temporary.replace(folder / _MANIFEST)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def read(self, run_id: str) -> RecoverableRun | None:
        """The run of this id, or None when nothing can go on from what is there."""
        try:
            folder = self.path(run_id)
            manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
            return _parse(folder, manifest)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError):
            return None

    def all(self) -> Iterator[RecoverableRun]:
        """Every run that can be gone on from, newest first."""
        for folder, _ in self._by_age():
            if (run := self.read(folder.name)) is not None:
                yield run

    def prune(self, *, keep: int, megabytes: float, in_use: Collection[str]) -> None:
        """Delete the oldest folders beyond ``keep`` runs or ``megabytes``, but none in use."""
        room = megabytes * 1e6
        for count, (folder, size) in enumerate(self._by_age()):
            room -= size
            if (count >= keep or room < 0) and folder.name not in in_use:
                shutil.rmtree(folder, ignore_errors=True)

    def _by_age(self) -> list[tuple[Path, int]]:
        """Run folders and their sizes in bytes, newest first."""
        found = []
        with contextlib.suppress(OSError):
            for folder in self.root.iterdir():
                if not _RUN_ID.fullmatch(folder.name):
                    continue
                with contextlib.suppress(OSError):
                    size = sum(file.stat().st_size for file in folder.iterdir())
                    found.append((folder.stat().st_mtime, folder, size))
        return [(folder, size) for _, folder, size in sorted(found, reverse=True)]


def _parse(folder: Path, manifest: dict[str, Any]) -> RecoverableRun | None:
    configs = tuple(TrainConfig.from_dict(values) for values in manifest["configs"])
    # Names alone: a manifest may not point outside its own folder.
    paths = [folder / Path(name).name for name in manifest["checkpoints"]]
    if not configs or len(paths) != len(configs) or not all(path.is_file() for path in paths):
        return None
    return RecoverableRun(
        run_id=folder.name,
        state=RunState(manifest["state"]),
        configs=configs,
        step=int(manifest["step"]),
        checkpoints=tuple(map(str, paths)),
        saved_at=float(manifest["saved_at"]),
    )
