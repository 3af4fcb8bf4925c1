"""The machine's one line of runs, where several servers share its cores and a folder of runs.

Each run that waits has a ticket: a file, named by the moment at which it came and locked by its
server. One more file is locked by the server that trains. The operating system keeps the locks and
takes them back when a process ends, however it ends: a server that was killed holds up nobody.

Whose ticket is the oldest trains next. Which of a server's own runs takes the turn is that server's
business (``vae.runs.fair_queue``); first come, first served is between servers.
"""

import contextlib
import platform
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vae.files import is_locked, lock

_TRAINING = "training.lock"
_TICKET = re.compile(r"\d{20}-[0-9a-f]{8}")
_TRIES = 50
_TRY_AGAIN_SECONDS = 0.002


@dataclass(frozen=True)
class Place:
    """Where a server stands. ``ahead``: how many runs come before each of those that wait, whoever
    trains now included; ``others``: runs of other servers that wait; ``turn``: it may train."""

    ahead: tuple[int, ...]
    others: int
    turn: bool


class Line:
    """One server's tickets and turn. For one thread; another process has a ``Line`` of its own.

    ``folder``: makes the folder for all machines that share the runs, and says where it is. Where
    it cannot be written, the server is alone: a disk must not keep a run from training.
    """

    def __init__(self, folder: Callable[[], Path], clock: Callable[[], int] = time.time_ns) -> None:
        self._make_folder = folder
        self._clock = clock
        self._waiting: list[str] = []
        self._tickets: list[tuple[Path, IO[bytes]]] = []
        self._training: IO[bytes] | None = None

    def stand(self, waiting: Sequence[str], *, wants: bool, trains: bool) -> Place:
        """Have a ticket for each run of ``waiting``, which says their order; look where they are.

        ``wants``: the first could begin, and does at its turn. ``trains``: one was begun. Where
        it is neither, the turn is given back.
        """
        try:
            folder = self._make_folder() / f".line-{_machine()}"
            folder.mkdir(exist_ok=True)
            self._take_tickets(folder, waiting)
            order = self._order(folder)
            return self._look(folder, order, wants=wants, trains=trains)
        except OSError:
            alone = range(int(trains), len(waiting) + int(trains))
            return Place(tuple(alone), 0, wants and not trains)

    def leave(self) -> None:
        """Give back every ticket, and the turn."""
        for index in reversed(range(len(self._tickets))):
            self._give_back(index)
        self._waiting = []
        self._stop_training()

    def _take_tickets(self, folder: Path, waiting: Sequence[str]) -> None:
        # A run that is gone takes the ticket of its place along: those behind it stay where they
        # are, among other servers' too.
        for index in reversed(range(len(self._tickets))):
            if self._waiting[index] not in waiting:
                self._give_back(index)
                del self._waiting[index]
        while len(self._tickets) < len(waiting):
            self._tickets.append(_take(folder, self._clock()))
            self._waiting.append("")
        self._waiting = list(waiting)

    def _give_back(self, index: int) -> None:
        path, file = self._tickets.pop(index)
        with contextlib.suppress(OSError):
            path.unlink()
        file.close()

    def _order(self, folder: Path) -> list[Path]:
        """All tickets that somebody holds, the oldest first; those of the dead are removed."""
        mine = {path for path, _ in self._tickets}
        order = []
        for path in sorted(folder.iterdir()):
            if not _TICKET.fullmatch(path.name):
                continue
            if path in mine or is_locked(path):
                order.append(path)
            else:
                path.unlink(missing_ok=True)
        return order

    def _look(self, folder: Path, order: list[Path], *, wants: bool, trains: bool) -> Place:
        mine = [path for path, _ in self._tickets]
        first = bool(order) and bool(mine) and order[0] == mine[0]
        if not trains and not (wants and first):
            self._stop_training()
        elif self._training is None:
            self._training = lock(folder / _TRAINING, shared=False)
        ours = self._training is not None
        turn = ours and not trains
        busy = int(trains or (not ours and is_locked(folder / _TRAINING)))
        places = {path: place for place, path in enumerate(order)}
        ahead = tuple(places.get(path, len(order)) + busy for path in mine)
        return Place(ahead, len(order) - len(mine), turn)

    def _stop_training(self) -> None:
        if self._training is not None:
            self._training.close()
            self._training = None


def _machine() -> str:
    """What this machine is called: of a folder that several share, each has a line of its own."""
    return re.sub(r"[^A-Za-z0-9]", "-", platform.node())[:40]


def _take(folder: Path, now: int) -> tuple[Path, IO[bytes]]:
    path = folder / f"{now:020d}-{secrets.token_hex(4)}"
    for _ in range(_TRIES):
        if (file := lock(path, shared=False)) is not None:
            return path, file
        # Somebody looks at the very moment between its making and its lock, and removes it.
        time.sleep(_TRY_AGAIN_SECONDS)
    raise OSError("the ticket cannot be locked")
