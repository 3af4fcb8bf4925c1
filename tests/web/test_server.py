"""Pages take turns: one script at a time, unless one is stuck."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vae.web import server


def test_whole_pages_are_drawn_one_after_another():
    inside, most = 0, 0
    start = threading.Barrier(8)

    def draw() -> None:
        nonlocal inside, most
        start.wait()
        with server.one_at_a_time():
            inside += 1
            most = max(most, inside)
            # Long enough for the others to come by.
            threading.Event().wait(0.01)
            inside -= 1

    with ThreadPoolExecutor(8) as class_:
        for drawn in [class_.submit(draw) for _ in range(8)]:
            drawn.result(timeout=10)
    assert most == 1


def test_a_page_that_fails_gives_its_turn_back(monkeypatch):
    monkeypatch.setattr(server, "_LONGEST_WAIT_SECONDS", 5.0)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no such figure"), server.one_at_a_time():
            raise RuntimeError("no such figure")
    assert not server._turn.locked()


def test_a_page_that_is_stuck_does_not_keep_the_others(monkeypatch):
    monkeypatch.setattr(server, "_LONGEST_WAIT_SECONDS", 0.05)
    with server.one_at_a_time():
        with server.one_at_a_time():
            pass
        # Who did not wait for its turn to the end gives back nobody else's.
        assert server._turn.locked()
    assert not server._turn.locked()
