"""A script run is what every press of every visitor costs: it shows, and works nothing out anew."""

import sys
import threading
from collections import Counter
from types import FrameType
from typing import Any

import pytest
from appserver import ROOT
from page_runs import open_app

PAGES = ["overview", "derivation", "bias", "your_loss", "train", "teach"]
PROJECT = str(ROOT / "vae")
# Most of these read addresses and controls; Train, which has the most of both, makes 3,000.
MOST_CALLS = 6_000
# The small ones that a sentence formats: a ratio, a best q.
MOST_THEORY = 100


def calls_of_a_second_run(page: str) -> Counter[str]:
    """How often each of the project's modules was entered while a page that was open ran again."""
    app = open_app(page)
    app.run()
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ARG001
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(PROJECT):
            calls[file.removeprefix(PROJECT)] += 1

    # For the threads begun from now on: a script runs in one of its own.
    threading.setprofile(count)
    try:
        app.run()
    finally:
        threading.setprofile(None)
        sys.setprofile(None)
    assert not app.exception
    return calls


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_runs_again_works_nothing_out_again(page: str) -> None:
    calls = calls_of_a_second_run(page)
    assert calls, "nothing was counted"
    theory = {file: count for file, count in calls.items() if file.startswith("/theory/")}
    assert sum(theory.values()) <= MOST_THEORY, theory
    assert calls.total() <= MOST_CALLS, calls.most_common(8)
