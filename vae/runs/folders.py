"""Runs on disk: a folder each, with the members' checkpoints and a small manifest.

The manifest is what lets a page offer to go on from a run that this server process never knew.

Whatever folder is named for runs may hold other things, and other servers' runs: everything here
happens in a subfolder that this program made and marked, nothing is deleted but the files that it
wrote there, and a run that any server has in use is locked.
"""

import contextlib
import errno
import json
import math
import os
import re
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from vae.config import ConfigError, TrainConfig
from vae.files import (
    expand,
    holds,
    is_locked,
    is_part,
    is_regular,
    lock,
    open_regular,
    user_cache_dir,
    write_atomically,
)
from vae.wire.protocol import RunState

FORMAT = "vae-loss run"
HOME = "vae-loss-runs"
_MARK = ".made-by-vae-loss"
_ABOUT_MARK = (
    "The runs in this folder are pruned by the VAE dashboard. Without this file it deletes nothing."
)
_MANIFEST = "run.json"
_LOCK = "run.lock"
# A manifest of four members is 3 kB.
_LONGEST_MANIFEST = 100_000
_MOST_STEPS = 10**9
# Ids come from addresses too: nothing else may become part of a path.
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,32}")
_CHECKPOINT = re.compile(r"member-\d{1,3}\.pt")


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
    return expand(chosen, "VAE_RUNS_DIR") if chosen else user_cache_dir()


class RunFolders:
    """The folder of folders. Reading forgives whatever it finds; writing raises ``OSError``.

    ``root`` may be anybody's folder: the runs are in its subfolder ``HOME``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / HOME
        self._guard = threading.Lock()
        self._in_use: set[str] = set()
        # Claimed, and not yet said to be in use.
        self._claims: set[str] = set()
        self._locks: dict[str, IO[bytes]] = {}

    def path(self, run_id: str) -> Path:
        """The folder of a run. Raises ``ValueError`` on an id that is none."""
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError(
                f"run id: {run_id[:40]!r} given; allowed are 8 to 32 of A-Z a-z 0-9 _ -"
            )
        return self.home / run_id

    def create(self, run_id: str) -> Path:
        """The folder of a run, made where it is absent, also when somebody has removed it."""
        folder = self.path(run_id)
        self.make()
        folder.mkdir(exist_ok=True)
        if folder.is_symlink():
            raise OSError(errno.EEXIST, "the run's folder is a link", str(folder))
        with self._guard:
            if run_id in self._in_use:
                self._lock(run_id)
        return folder

    def hold(self, run_ids: Collection[str]) -> None:
        """Say that these runs, and no others, are in use here: no server deletes them."""
        with self._guard:
            self._claims -= set(run_ids)
            self._in_use = set(run_ids) | self._claims
            for run_id in self._locks.keys() - self._in_use:
                self._locks.pop(run_id).close()
            for run_id in self._in_use - self._locks.keys():
                self._lock(run_id)

    def claim(self, run_id: str) -> bool:
        """Have the run's folder for this server alone, until ``hold`` has named it and then no
        longer does, or ``disclaim``. False where another server has it.

        One that this server holds already is its own. A disk without locks refuses nobody.
        """
        with self._guard:
            if run_id in self._locks:
                return True
            try:
                held = lock(self.path(run_id) / _LOCK, shared=False)
            except OSError:
                return True
            if held is None:
                return False
            self._locks[run_id] = held
            self._claims.add(run_id)
            self._in_use.add(run_id)
            return True

    def disclaim(self, run_id: str) -> None:
        """Let a claimed folder go."""
        with self._guard:
            if run_id in self._claims:
                self._claims.remove(run_id)
                self._in_use.discard(run_id)
                self._locks.pop(run_id).close()

    def is_held_elsewhere(self, run_id: str) -> bool:
        """Whether another server has the run's folder in use."""
        if not _RUN_ID.fullmatch(run_id):
            return False
        with self._guard:
            if run_id in self._locks:
                return False
        try:
            return is_locked(self.path(run_id) / _LOCK, shared=False)
        except OSError:
            return False

    def ids_of(self, checkpoints: Iterable[str]) -> set[str]:
        """The runs whose folders the files ``checkpoints`` lie in."""
        folders = {Path(path).parent for path in checkpoints}
        return {folder.name for folder in folders if folder.parent == self.home}

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
            "format": FORMAT,
            "state": str(state),
            "configs": [config.to_dict() for config in configs],
            "step": step,
            "checkpoints": [Path(path).name for path in checkpoints],
            "saved_at": time.time(),
        }
        write_atomically(self.create(run_id) / _MANIFEST, json.dumps(manifest).encode())

    def read(self, run_id: str) -> RecoverableRun | None:
        """The run of this id, or None when nothing can go on from what is there."""
        try:
            folder = self.path(run_id)
            return _parse(folder, _read_manifest(folder))
        except (
            *(OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError),
            # Numbers beyond all bounds, and lists within lists within lists.
            *(OverflowError, RecursionError),
        ):
            return None

    def all(self) -> Iterator[RecoverableRun]:
        """Every run that can be gone on from, newest first."""
        for folder, _ in self._by_age():
            if (run := self.read(folder.name)) is not None:
                yield run

    def prune(self, *, keep: int, megabytes: float, in_use: Collection[str]) -> None:
        """Delete the oldest runs beyond ``keep`` or ``megabytes``, but none that anybody uses."""
        room = megabytes * 1e6
        for count, (folder, size) in enumerate(self._by_age()):
            room -= size
            if (count >= keep or room < 0) and folder.name not in in_use:
                with contextlib.suppress(OSError):
                    _delete(folder)

    def make(self) -> Path:
        """The folder of this program's runs, made and marked where it is absent.

        Raises ``OSError`` where that cannot be, or what is there is not this program's.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(exist_ok=True)
        if self._is_marked():
            return self.home
        strange = {entry.name for entry in self.home.iterdir()} - self._in_use - {_MARK}
        if self.home.is_symlink() or strange:
            raise OSError(errno.EEXIST, f"the folder {HOME} there is not this program's")
        handle = os.open(self.home / _MARK, os.O_WRONLY | os.O_CREAT, 0o666)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_ABOUT_MARK)
        return self.home

    def _is_marked(self) -> bool:
        return not self.home.is_symlink() and is_regular(self.home / _MARK)

    def _lock(self, run_id: str) -> None:
        """Lock the run's folder, if it has one: a run that waits has none yet."""
        folder = self.path(run_id)
        held = self._locks.get(run_id)
        if held is not None and not holds(held, folder / _LOCK):
            # Removed, and perhaps made again.
            self._locks.pop(run_id).close()
            held = None
        # A disk without locks must not keep a run from training: such a folder is never pruned.
        with contextlib.suppress(OSError):
            if held is None and _is_folder(folder):
                held = lock(folder / _LOCK, shared=True)
                if held is not None:
                    self._locks[run_id] = held

    def _by_age(self) -> list[tuple[Path, int]]:
        """Folders of this program's runs and their sizes in bytes, newest first."""
        found = []
        with contextlib.suppress(OSError):
            for folder in self.home.iterdir() if self._is_marked() else ():
                with contextlib.suppress(OSError, ValueError, RecursionError):
                    if _RUN_ID.fullmatch(folder.name) and _is_folder(folder):
                        _read_manifest(folder)
                        size = sum(entry.lstat().st_size for entry in folder.iterdir())
                        found.append((folder.lstat().st_mtime, folder, size))
        return [(folder, size) for _, folder, size in sorted(found, reverse=True)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _read_manifest(folder: Path) -> dict[str, Any]:
    """What stands in a run's manifest. Raises ``OSError``, ``ValueError`` or ``RecursionError``
    where there is none of this program's."""
    if not _is_folder(folder):
        raise ValueError("not a folder")
    with open_regular(folder / _MANIFEST, follow=False) as file:
        content = file.read(_LONGEST_MANIFEST + 1)
    manifest = json.loads(content) if len(content) <= _LONGEST_MANIFEST else None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError("not a manifest of this program")
    return manifest


def _delete(folder: Path) -> None:
    """Remove what this program wrote into ``folder``, and then ``folder`` if it is empty.

    The manifest goes last: an end in between leaves a folder that is deleted the next time.
    """
    claimed = lock(folder / _LOCK, shared=False)
    if claimed is None:
        return
    with claimed:
        for entry in folder.iterdir():
            if _CHECKPOINT.fullmatch(entry.name) or is_part(entry.name):
                entry.unlink()
        (folder / _MANIFEST).unlink()
    # Closed first: Windows removes no open file.
    (folder / _LOCK).unlink()
    folder.rmdir()


def _parse(folder: Path, manifest: dict[str, Any]) -> RecoverableRun | None:
    configs = tuple(TrainConfig.from_dict(values) for values in manifest["configs"])
    # Names alone: a manifest may not point outside its own folder.
    paths = [folder / Path(name).name for name in manifest["checkpoints"]]
    if not configs or len(paths) != len(configs) or not all(map(is_regular, paths)):
        return None
    step, saved_at = manifest["step"], float(manifest["saved_at"])
    if type(step) is not int or not 0 <= step <= _MOST_STEPS or not math.isfinite(saved_at):
        return None
    return RecoverableRun(
        run_id=folder.name,
        state=RunState(manifest["state"]),
        configs=configs,
        step=step,
        checkpoints=tuple(map(str, paths)),
        saved_at=saved_at,
    )
