"""A script run is what every press of every visitor costs: it shows, and works nothing out anew."""

import re
import sys
import threading
from collections import Counter
from types import FrameType
from typing import Any

import pytest
from appserver import ROOT
from page_runs import open_app
from streamlit.testing.v1 import AppTest

from vae.web import kept

PAGES = ["overview", "derivation", "bias", "your_loss", "train", "teach"]
PROJECT = str(ROOT / "vae")
# Most of these read addresses and controls; Train, which has the most of both, makes 3,000.
MOST_CALLS = 6_000
# The small ones that a sentence formats: a ratio, a best q.
MOST_THEORY = 100
# Elements that Streamlit makes anew: controls, and a page's own words. Charts, components, folds
# and what a section ends with are kept.
MOST_MADE = {
    "overview": 37,
    "derivation": 88,
    "bias": 66,
    "your_loss": 49,
    "train": 43,
    "teach": 31,
}
_MADE = ("delta_generator.py", "_enqueue")


def elements(app: AppTest) -> list[bytes]:
    """Whatever a page shows, in its order."""
    found = []
    nodes = [app.main, app.sidebar]
    # A visitor's own number, of which nothing is kept.
    ticket = re.compile(rb'"ticket": "[\w-]+"')
    while nodes:
        node = nodes.pop()
        nodes += list(getattr(node, "children", {}).values())
        if (proto := getattr(node, "proto", None)) is not None:
            found.append(ticket.sub(b"", proto.SerializeToString(deterministic=True)))
    return found


def calls_of_a_second_run(page: str) -> Counter[str]:
    """How often each of the project's modules was entered while a page that was open ran again;
    under "" how many elements were made."""
    kept.clear()
    app = open_app(page)
    made = elements(app)
    app.run()
    again = open_app(page)
    assert elements(again) == made, "what is kept is what was made"
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, argument: Any) -> None:  # noqa: ARG001
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(PROJECT):
            calls[file.removeprefix(PROJECT)] += 1
        elif event == "call" and frame.f_code.co_name == _MADE[1] and file.endswith(_MADE[0]):
            calls[""] += 1

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
    made = calls.pop("", 0)
    assert calls, "nothing was counted"
    assert MOST_MADE[page] / 2 < made <= MOST_MADE[page]
    theory = {file: count for file, count in calls.items() if file.startswith("/theory/")}
    assert sum(theory.values()) <= MOST_THEORY, theory
    assert calls.total() <= MOST_CALLS, calls.most_common(8)
