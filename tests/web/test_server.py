"""Pages take turns, one script at a time; what they import is there before the first visitor."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from appserver import ROOT

from vae.web import server

_IMPORT = """
import sys
from vae.web import server
server.import_what_pages_need()
before = {name for name in sys.modules if name.startswith("vae.")}
import vae.web.bias, vae.web.derivation.lines, vae.web.ledger, vae.web.train.run
print(*({name for name in sys.modules if name.startswith("vae.")} - before))
"""


def test_what_pages_import_is_there_before_the_first_visitor():
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


_HEAP = """
import sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from vae.web import server

def is_in_heap(array):
    heap = next(line for line in open("/proc/self/maps") if line.rstrip().endswith("[heap]"))
    low, high = (int(end, 16) for end in heap.split()[0].split("-"))
    return low <= array.ctypes.data < high

if sys.argv[1] == "set":
    assert server.keep_memory_together()
large = np.ones(20 * 2**20, np.uint8)
del large
with ThreadPoolExecutor(1) as thread:
    small = thread.submit(np.ones, 2**16, np.uint8).result()
print(is_in_heap(np.ones(8 * 2**20, np.uint8)), is_in_heap(small))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has the options")
def test_large_arrays_leave_no_holes_in_the_one_heap_of_all_threads():
    def in_heap(mode: str) -> str:
        command = [sys.executable, "-c", _HEAP, mode]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()

    # By itself glibc puts what follows a large block that was freed into the heap, and what a
    # thread asks for elsewhere.
    assert in_heap("as it is") == "True False"
    assert in_heap("set") == "False True"


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
