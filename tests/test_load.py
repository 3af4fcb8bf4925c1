"""A short round of the load tool: a class on all pages while a run trains, and what is left."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from appserver import Server, serve
from benchmarks.client import Session
from benchmarks.load import Report, quantile, run_class
from benchmarks.soak import take_sample

# Thirty and more: tests/benchmarks.
CLASS = 15


def test_figures_of_a_report():
    assert quantile([], 0.95) == 0
    assert quantile([3.0], 0.95) == 3
    assert quantile(range(100), 0.95) == 95
    report = Report(2, seconds=4.0, runs=[0.1, 0.2], processor_seconds=1.0, megabytes=150)
    assert "2 sessions" in report.line()
    assert "25% of a core" in report.line()


def test_the_client_talks_to_this_machine_alone():
    with pytest.raises(ValueError, match="loopback"):
        Session("http://example.com")


@pytest.mark.slow
def test_a_class_meets_no_exception_while_a_run_trains(tmp_path):
    async def lesson(server: Server) -> tuple[Report, float]:
        teacher = await Session(server.url, "train?epochs=200").open()
        await teacher.press("Train")
        deadline = time.perf_counter() + 60
        while "Training: step" not in teacher.texts() and time.perf_counter() < deadline:
            await asyncio.sleep(0.2)
        assert "Training: step" in teacher.texts()
        report = await run_class(server, CLASS, seconds=6.0, think=3.0)
        held = sum(item.memory_full_info().pss for item in server.processes()) / 2**20
        report.exceptions += teacher.counts.exceptions
        await teacher.press("Stop")
        await teacher.close()
        return report, held

    with serve(tmp_path, extra={"VAE_PROFILE": "small"}) as server:
        # In a thread: the browser tests' driver has a running event loop in this one.
        with ThreadPoolExecutor(1) as aside:
            report, held = aside.submit(lambda: asyncio.run(lesson(server))).result()
        files = take_sample(server, 0.0, 1).files
    assert report.exceptions == []
    assert len(report.runs) >= CLASS
    # A host of 1 GB holds the server, the worker and the class.
    assert held < 1000
    # The server keeps a closed session for two minutes, with three files, to be resumed; the
    # connections themselves are given back.
    assert files < 40 + 3 * (CLASS + 2)
