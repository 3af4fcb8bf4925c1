"""Start the app as a learner does, and prove that nothing of it is left afterwards."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
_MARK = "VAE_TEST_SERVER"


@dataclass(frozen=True)
class Server:
    """A running app: its address, process, log, and how long it took to become healthy."""

    url: str
    pid: int
    log: Path
    mark: str
    seconds_to_healthy: float

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self.pid)

    def servers(self) -> list[psutil.Process]:
        """Those of its processes that answer pages: itself, or what it put behind a proxy."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "streamlit" in process.cmdline():
                    found.append(process)
        return found

    def processes(self) -> list[psutil.Process]:
        """The server and everything it started, whatever its process group."""
        return marked(self.mark)


def wait_until_at_rest(server: Server) -> None:
    """Until its processors do nothing: a new server draws its pages by itself."""
    used = -1.0
    while (now := sum(sum(each.cpu_times()[:2]) for each in server.servers())) - used > 0.05:
        used = now
        time.sleep(0.7)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def marked(mark: str) -> list[psutil.Process]:
    """All live processes that inherited ``mark`` in their environment."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(_MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A learner's environment whose every write goes below ``folder``; in a test session, all
    servers have one cache, in which the built-in digits are drawn once."""
    settings = {
        "VAE_DATA_DIR": str(folder / "data"),
        "VAE_RUNS_DIR": str(folder / "runs"),
        "XDG_CACHE_HOME": os.environ.get("VAE_TEST_CACHE", str(folder / "cache")),
        # A learner's own settings must not change what is tested.
        "HOME": str(folder),
    }
    for path in settings.values():
        Path(path).mkdir(parents=True, exist_ok=True)
    settings["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
    )
    # Two seconds of processor for pages that most tests never open.
    settings["VAE_DRAW_BEFOREHAND"] = "0"
    return {**os.environ, **settings, **(extra or {})}


@contextlib.contextmanager
def serve(
    folder: Path,
    *,
    script: Path = ROOT / "streamlit_app.py",
    port: int | None = None,
    extra: Mapping[str, str] | None = None,
    options: tuple[str, ...] = (),
    seconds: float = 60.0,
) -> Iterator[Server]:
    """Run the app on the loopback address; at the end stop it and fail if a process is left."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    mark = uuid.uuid4().hex
    log = folder / f"server-{port}.log"
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command += ["--server.headless", "true", *options]
    started = time.perf_counter()
    process = _launch(command, log, {**environment(folder, extra), _MARK: mark})
    try:
        _wait_healthy(port, process, log, started + seconds)
        yield Server(
            f"http://127.0.0.1:{port}", process.pid, log, mark, time.perf_counter() - started
        )
    finally:
        left = stop(process, mark)
    assert not left, f"processes left after the server stopped: {left}"


def _launch(command: list[str], log: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start ``command`` in a session of its own; what it says goes to ``log``."""
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


@contextlib.contextmanager
def serve_replicas(
    folder: Path, count: int = 2, *, extra: Mapping[str, str] | None = None, seconds: float = 90.0
) -> Iterator[Server]:
    """Run ``count`` servers behind the proxy; at the end stop all, and fail if anything is left.

    What is yielded has the proxy's address, and the process that started it and the servers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mark, first = uuid.uuid4().hex, free_ports(count + 1)
    ports = ["--port", str(first), "--first-port", str(first + 1), "--address", "127.0.0.1"]
    command = [sys.executable, "-m", "vae", "serve", "--replicas", str(count), *ports]
    log = folder / "serve.log"
    started = time.perf_counter()
    process = _launch(command, log, {**environment(folder, extra), _MARK: mark})
    try:
        while (words := log.read_text("utf-8", "replace")).count(" is up\n") < count:
            late = time.perf_counter() > started + seconds
            if late or process.poll() is not None:
                raise AssertionError(f"the servers did not become healthy:\n{words[-3000:]}")
            time.sleep(0.05)
        url = f"http://127.0.0.1:{first}"
        yield Server(url, process.pid, log, mark, time.perf_counter() - started)
    finally:
        left = stop(process, mark, seconds=40.0)
    assert not left, f"processes left after the servers stopped: {left}"
    assert process.returncode == 0, log.read_text("utf-8", "replace")[-3000:]


def free_ports(count: int) -> int:
    """The first of ``count`` free ports that follow one another."""
    while True:
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, OverflowError):
            probe = stack.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
            for port in range(first + 1, first + count):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


def _wait_healthy(port: int, process: subprocess.Popen, log: Path, deadline: float) -> None:
    while not healthy(port):
        if process.poll() is not None or time.perf_counter() > deadline:
            text = log.read_text(encoding="utf-8", errors="replace")
            raise AssertionError(f"the server did not become healthy:\n{text[-3000:]}")
        time.sleep(0.02)


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_stcore/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def stop(
    process: subprocess.Popen, mark: str, how: int = signal.SIGTERM, seconds: float = 20.0
) -> list[str]:
    """Stop the server; what it started and had not ended within ``seconds`` is told, and ended."""
    if process.poll() is None:
        process.send_signal(how)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    left = wait_gone(mark, seconds)
    names = [f"{item.pid}: {' '.join(_command(item))}" for item in left]
    for item in left:
        with contextlib.suppress(psutil.Error):
            item.kill()
    process.wait(seconds)
    return names


def wait_gone(mark: str, seconds: float) -> list[psutil.Process]:
    """The processes with ``mark`` that still live after at most ``seconds``."""
    deadline = time.perf_counter() + seconds
    while (left := marked(mark)) and time.perf_counter() < deadline:
        time.sleep(0.1)
    return left


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return ["?"]
