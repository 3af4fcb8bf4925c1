"""Workers and servers that die, disks that are full: nothing is left over, nothing is lost."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from appserver import free_port, serve
from benchmarks.client import Session

from vae.config import TrainConfig
from vae.engine import checkpoints
from vae.runs.folders import RunFolders
from vae.runs.limits import Limits
from vae.runs.registry import Registry
from vae.runs.snapshots import RunSnapshot
from vae.runs.worker_process import WorkerProcess
from vae.wire.protocol import RunState

ROOT = Path(__file__).parents[2]
TINY = TrainConfig(epochs=1, batch_size=1000, hidden_dim=16, latent_dim=3)
LONG = dataclasses.replace(TINY, epochs=200)
PATIENCE = 60.0

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


class Hospital:
    """A registry whose workers a test can reach."""

    def __init__(self, folder: Path, command: str = "") -> None:
        self.workers: list[WorkerProcess] = []
        self.came = threading.Condition()
        self.command = command
        self.registry = Registry(Limits(), folder, build_worker=self._build)

    def _build(self, on_report: Any, on_exit: Any) -> WorkerProcess:
        command = ("bash", "-c", self.command) if self.command else ()
        worker = WorkerProcess(on_report, on_exit, command=command)
        with self.came:
            self.workers.append(worker)
            self.came.notify_all()
        return worker

    def worker(self, number: int) -> WorkerProcess:
        """The ``number``-th worker, from 1, as soon as it is there."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.workers) >= number, PATIENCE)
            return self.workers[number - 1]

    def submit(self, config: TrainConfig, **details: Any) -> str:
        return self.registry.submit([config], owner="a", **details)

    def until(self, run_id: str, condition: Callable[[RunSnapshot], bool]) -> RunSnapshot:
        return self.registry.wait(run_id, condition, PATIENCE)

    def end_of(self, run_id: str) -> RunSnapshot:
        return self.until(run_id, lambda now: now.state.is_finished())


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    made = Hospital(tmp_path)
    yield made
    made.registry.close()
    assert not [worker.pid for worker in made.workers if psutil.pid_exists(worker.pid)]


def test_killed_at_start_fifty_times_in_a_row(hospital: Hospital) -> None:
    for number in range(1, 51):
        run_id = hospital.submit(TINY)
        hospital.worker(number).kill()
        snapshot = hospital.end_of(run_id)
        assert snapshot.state is RunState.FAILED
        assert "signal 9" in snapshot.message
    threads = [thread.name for thread in threading.enumerate()]
    assert threads.count("vae-runs") <= 2
    assert threads.count("vae-worker-reports") <= 4
    assert hospital.end_of(hospital.submit(TINY)).state is RunState.FINISHED


def test_killed_in_mid_epoch_and_while_saving(hospital: Hospital, tmp_path: Path) -> None:
    # Wide enough that writing takes a while.
    wide = dataclasses.replace(LONG, hidden_dim=500)
    run_id = hospital.submit(wide)
    saved = hospital.until(run_id, lambda now: bool(now.checkpoints) and now.step % 12 > 0)
    hospital.worker(1).kill()
    snapshot = hospital.end_of(run_id)
    assert snapshot.state is RunState.FAILED
    assert snapshot.members[0].frames, "the pictures stay"
    before = checkpoints.load(saved.checkpoints[0])
    assert before.step > 0

    again = hospital.registry.submit([wide], owner="a", checkpoints=saved.checkpoints)
    hospital.until(again, lambda now: now.step > before.step + 2)
    folder = RunFolders(tmp_path).path(again)
    hospital.registry.stop(again, owner="a")
    # The last save is under way as soon as its temporary file is there.
    worker = hospital.worker(2)
    watching = _watch_for(folder, ".*.part")
    worker.kill()
    snapshot = hospital.end_of(again)
    assert snapshot.state is RunState.STOPPED
    assert watching
    for path in folder.glob("*.pt"):
        assert checkpoints.load(path).step > before.step, "whole, if it is there at all"
    assert hospital.end_of(hospital.submit(TINY)).state is RunState.FINISHED


def _watch_for(folder: Path, pattern: str) -> bool:
    """Wait, without rest, for a file that is there for milliseconds."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if next(folder.glob(pattern), None):
            return True
    return False


def test_a_worker_that_hangs(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    try:
        first = hospital.worker(1)
        run_id = hospital.submit(LONG)
        seen = hospital.until(run_id, lambda now: now.step > 3)
        # Only now: importing torch takes longer than this.
        limits = dataclasses.replace(Limits(), worker_silence_seconds=2.0)
        hospital.registry.limits = limits
        hospital.until(run_id, lambda now: now.version > seen.version + 3)
        os.kill(first.pid, signal.SIGSTOP)
        snapshot = hospital.end_of(run_id)
        assert snapshot.state is RunState.FAILED
        assert "said nothing for 2 s" in snapshot.message
        assert not psutil.pid_exists(first.pid)
    finally:
        hospital.registry.close()


@pytest.mark.parametrize("refused", ["vae-worker-errors", "vae-worker-reports"])
def test_without_threads_no_worker_is_left_over_and_the_pause_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """The process starts and its listeners do not: as where a host's threads are all taken."""
    start, began = threading.Thread.start, []

    def refuse(thread: threading.Thread) -> None:
        if thread.name == refused:
            began.append(len(psutil.Process().children()))
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    clock = [0.0]
    registry = Registry(Limits(), tmp_path, clock=lambda: clock[0], threaded=False)
    children = len(psutil.Process().children())
    runs = [registry.submit([TINY], owner=str(number)) for number in range(20)]
    for _ in range(100):
        clock[0] += 1.0
        registry.tick()
        assert len(psutil.Process().children()) == children, "a worker is left over"
    assert len(began) < 10, "tried again and again"
    failed = registry.snapshot(runs[0])
    assert failed is not None
    assert failed.state is RunState.FAILED
    assert "cannot be started (can't start new thread)" in failed.message
    monkeypatch.undo()
    registry.close()


def test_a_worker_that_cannot_import_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hospital = Hospital(tmp_path, command="echo 'ImportError: no torch here' >&2; exit 3")
    try:
        run_id = hospital.submit(TINY)
        snapshot = hospital.end_of(run_id)
        assert snapshot.state is RunState.FAILED
        assert "exit code 3" in snapshot.message
        # Whoever has the run's link is told that, and whoever has the log is told why.
        assert "ImportError" not in snapshot.message
        assert "ImportError: no torch here" in caplog.text
    finally:
        hospital.registry.close()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Downloading: 50%", "ProtocolError: not a message"),
        ('{"type":"Shutdown"}', "AttributeError"),
    ],
)
def test_a_worker_that_talks_nonsense_is_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: str, reason: str
) -> None:
    hospital = Hospital(tmp_path, command=f"read start; echo '{line}'; exec sleep 600")
    try:
        snapshot = hospital.end_of(hospital.submit(TINY))
        assert snapshot.state is RunState.FAILED
        assert reason in caplog.text
        assert not psutil.pid_exists(hospital.worker(1).pid)
    finally:
        hospital.registry.close()


def test_a_full_disk_is_said_and_training_goes_on(tmp_path: Path) -> None:
    # Files may not grow beyond 8 kB: writing fails part way, as on a full disk.
    command = f"ulimit -f 8; exec {sys.executable} -m vae.worker"
    hospital = Hospital(tmp_path, command=command)
    try:
        run_id = hospital.submit(dataclasses.replace(TINY, epochs=2))
        snapshot = hospital.end_of(run_id)
        assert snapshot.state is RunState.FINISHED, snapshot.message
        assert "Checkpoints cannot be kept" in snapshot.message
        assert snapshot.checkpoints == ()
        assert not list(RunFolders(tmp_path).path(run_id).glob("*.p*t")), "nothing half-written"
    finally:
        hospital.registry.close()


def offline(patch: pytest.MonkeyPatch, port: int, data: Path) -> None:
    """Lead every request of the workers to a port of this machine."""
    for name in ("no_proxy", "NO_PROXY"):
        patch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        patch.setenv(name, f"http://127.0.0.1:{port}")
    patch.setenv("VAE_DATA_DIR", str(data))


def test_without_a_network_a_download_is_a_sentence_and_one_that_hangs_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    offline(monkeypatch, port, tmp_path / "data")
    hospital = Hospital(tmp_path / "runs")
    try:
        run_id = hospital.submit(dataclasses.replace(TINY, dataset="mnist"), download=True)
        snapshot = hospital.end_of(run_id)
        assert snapshot.state is RunState.FAILED
        assert snapshot.message.startswith("MNIST could not be downloaded")
        assert "built-in digits need no download" in snapshot.message
        assert not [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
        assert hospital.end_of(hospital.submit(TINY)).state is RunState.FINISHED
        # Now somebody takes the call, and says nothing.
        with socket.create_server(("127.0.0.1", port)):
            run_id = hospital.submit(dataclasses.replace(TINY, dataset="fashion"), download=True)
            hospital.until(run_id, lambda now: now.state is RunState.DOWNLOADING)
            hospital.registry.stop(run_id, owner="a")
            assert hospital.end_of(run_id).state is RunState.STOPPED
        assert hospital.end_of(hospital.submit(TINY)).state is RunState.FINISHED
        assert len(hospital.workers) == 1, "none had to be ended"
    finally:
        hospital.registry.close()


SERVER = """
import sys, threading
from pathlib import Path
import psutil
from vae.config import TrainConfig
from vae.runs.limits import Limits
from vae.runs.folders import RunFolders
from vae.runs.registry import Registry
registry = Registry(Limits(), Path(sys.argv[1]))
run = registry.submit([TrainConfig(epochs=200, batch_size=1000, hidden_dim=16)], owner="a")
registry.wait(run, lambda now: bool(now.checkpoints) and now.step > 13, 60)
print(*(child.pid for child in psutil.Process().children()), run, flush=True)
{then}
"""


@contextlib.contextmanager
def server(folder: Path, then: str) -> Iterator[tuple["subprocess.Popen[str]", int, str]]:
    code = SERVER.format(then=then)
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        try:
            pid, run_id = process.stdout.readline().split()
            yield process, int(pid), run_id
        finally:
            process.kill()


def wait_for_end(pid: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(PATIENCE)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_server(tmp_path: Path, number: signal.Signals) -> None:
    with server(tmp_path, "threading.Event().wait()") as (process, pid, run_id):
        process.send_signal(number)
        process.wait(PATIENCE)
        wait_for_end(pid)
    after = Registry(Limits(), tmp_path)
    try:
        (saved,) = after.recoverable(run_id)
        assert saved.state is RunState.RUNNING, "the server ended in mid-run"
        assert checkpoints.load(saved.checkpoints[0]).step == saved.step
    finally:
        after.close()


def test_the_worker_goes_even_if_it_is_stopped_when_the_server_dies(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("the kernel's word is Linux's")
    with server(tmp_path, "threading.Event().wait()") as (process, pid, _):
        os.kill(pid, signal.SIGSTOP)
        process.kill()
        process.wait(PATIENCE)
        wait_for_end(pid)


def test_a_server_that_ends_in_order_saves_first(tmp_path: Path) -> None:
    then = (
        "step = registry.snapshot(run).step\n"
        "import atexit; atexit.register(registry.close)\n"
        "registry.wait(run, lambda now: now.step > step + 20, 60)\n"
    )
    with server(tmp_path, then) as (process, pid, run_id):
        assert process.wait(PATIENCE) == 0
        wait_for_end(pid)
    after = Registry(Limits(), tmp_path)
    try:
        (saved,) = after.recoverable(run_id)
        assert saved.state is RunState.STOPPED
        assert saved.step > 20
    finally:
        after.close()


APP = """
import streamlit as st
from vae.config import TrainConfig
from vae.runs.registry import get_registry
registry = get_registry()
if registry.run_of("a") is None:
    run = registry.submit([TrainConfig(epochs=200, batch_size=1000, hidden_dim=16)], owner="a")
    registry.wait(run, lambda now: bool(now.checkpoints), 60)
st.write(registry.run_of("a"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_streamlit_s_own_end_leaves_a_run_to_go_on_from(
    tmp_path: Path, number: signal.Signals
) -> None:
    script = tmp_path / "app.py"
    script.write_text(APP, encoding="utf-8")

    async def visit(url: str) -> None:
        session = await Session(url).open()
        await session.close()
        assert not session.counts.exceptions

    with serve(tmp_path, script=script) as running:
        asyncio.run(visit(running.url))
        mine = running.processes()
        assert len(mine) == 2, "the server and its worker"
        running.process.send_signal(number)
        _, alive = psutil.wait_procs(mine, PATIENCE)
        assert not alive
    after = Registry(Limits(), tmp_path / "runs")
    try:
        (saved,) = after.recoverable()
        assert saved.state is RunState.STOPPED
        assert checkpoints.load(saved.checkpoints[0]).step == saved.step
    finally:
        after.close()


def test_descriptors_and_threads_do_not_grow(hospital: Hospital) -> None:
    me = psutil.Process()

    def round_of(first: int) -> tuple[int, int]:
        for number in range(first, first + 5):
            run_id = hospital.submit(TINY)
            hospital.worker(number).kill()
            hospital.end_of(run_id)
        return me.num_fds(), threading.active_count()

    # The folder of each run in memory is locked, which takes a descriptor.
    hospital.registry.limits = dataclasses.replace(Limits(), keep_runs=2)
    before, after = round_of(1), round_of(6)
    # One worker may be starting at either moment: three pipes, two threads.
    assert after[0] - before[0] <= 3
    assert after[1] - before[1] <= 2
