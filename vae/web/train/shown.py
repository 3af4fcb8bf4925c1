"""Runs that were trained before: one for each question, to be shown without training.

``python -m vae.web.train.shown`` makes them anew: it trains each question with the settings that
Train opens it with, and keeps what the page shows of it.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from vae.files import write_atomically
from vae.lessons.questions import LESSONS
from vae.memo import shared
from vae.runs import kept
from vae.runs.registry import close_registry, get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import CHECKPOINTS
from vae.web.train.page_state import PageState
from vae.wire.protocol import RunState

_BEGINNING = "shown-"
_LOOK_SECONDS = 0.5


def run_of(lesson: str) -> str:
    """The id of the run that shows the question ``lesson``; empty where none is shipped."""
    return f"{_BEGINNING}{lesson}" if lesson in LESSONS and _path(lesson).exists() else ""


def is_shown(run: str) -> bool:
    """Whether ``run`` is one of the shipped ones."""
    return run.startswith(_BEGINNING) and run == run_of(run.removeprefix(_BEGINNING))


def look(run: str) -> RunSnapshot | None:
    """The run of this id: a shipped one, or one of this server's."""
    if is_shown(run):
        return _read(run.removeprefix(_BEGINNING))
    return get_registry().snapshot(run) if run else None


@shared(maxsize=16)
def _read(lesson: str) -> RunSnapshot:
    return kept.unpack(_path(lesson).read_bytes(), f"{_BEGINNING}{lesson}")


def _path(lesson: str) -> Path:
    return CHECKPOINTS / f"question-{lesson}.run"


def make(lesson: str) -> int:
    """Train the question ``lesson`` and write its file; returns the file's size in bytes.

    Raises ``RuntimeError`` on a run that does not finish.
    """
    registry = get_registry()
    run = registry.submit(PageState().with_lesson(lesson).members, owner="shipped")
    while not (snapshot := registry.snapshot(run)) or not snapshot.state.is_finished():
        time.sleep(_LOOK_SECONDS)
        registry.touch(run, viewer="shipped")
    if snapshot.state is not RunState.FINISHED:
        raise RuntimeError(f"{lesson}: {snapshot.state}: {snapshot.message}")
    data = kept.pack(snapshot)
    write_atomically(_path(lesson), data)
    return len(data)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VAE_RUNS_DIR"] = folder
        try:
            for name in sys.argv[1:] or LESSONS:
                print(f"{name}: {make(name):,} bytes", flush=True)
        finally:
            close_registry()
