"""Results that sessions share: computed once, however many ask at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vae.memo import Memo, shared


def test_callers_at_the_same_time_share_one_computation():
    calls, all_here = [], threading.Barrier(8)
    go_on = threading.Event()

    @shared(maxsize=4)
    def slow(x: int) -> list[int]:
        calls.append(x)
        assert go_on.wait(10)
        return [x]

    def ask() -> list[int]:
        all_here.wait(10)
        return slow(3)

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask) for _ in range(8)]
        go_on.set()
        results = [answer.result(10) for answer in answers]
    assert calls == [3]
    assert all(result is results[0] for result in results)


def test_a_result_that_is_there_does_not_wait_for_another_that_is_not():
    go_on = threading.Event()

    @shared(maxsize=4)
    def sometimes_slow(x: int) -> int:
        return x if x == 0 else (x if go_on.wait(10) else -1)

    assert sometimes_slow(0) == 0
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(sometimes_slow, 1)
        assert sometimes_slow(0) == 0
        go_on.set()
        assert other.result(10) == 1


def test_the_results_used_last_are_kept():
    calls = []

    @shared(maxsize=2)
    def echo(x: int, *, twice: bool = False) -> int:
        calls.append((x, twice))
        return x

    for x in (1, 2, 1, 3, 1, 2):
        echo(x)
    assert calls == [(1, False), (2, False), (3, False), (2, False)]
    echo(2, twice=True)
    assert calls[-1] == (2, True)
    echo.cache_clear()
    echo(2)
    assert calls[-1] == (2, False)


def test_errors_reach_the_caller_and_are_not_kept():
    calls = []

    @shared(maxsize=2)
    def fails_first(x: int) -> int:
        calls.append(x)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return x

    with pytest.raises(KeyboardInterrupt):
        fails_first(1)
    assert fails_first(1) == 1
    with pytest.raises(TypeError, match="unhashable"):
        fails_first([1])


def test_a_result_pushed_out_in_the_making_reaches_who_waits_and_harms_no_newer_one():
    memo, begun, go_on = Memo(1), threading.Event(), threading.Event()

    def fail_late() -> str:
        begun.set()
        assert go_on.wait(10)
        raise OSError("no luck")

    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(memo.get, "key", fail_late)
        assert begun.wait(10)
        memo.get("another", lambda: "pushes it out")
        assert memo.get("key", lambda: "new") == "new"
        go_on.set()
        with pytest.raises(OSError, match="no luck"):
            old.result(10)
    assert memo.get("key", lambda: "built again") == "new"
