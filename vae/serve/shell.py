"""The processes behind ``python -m vae serve``: the servers, HAProxy before them, and a clock.

What is to be done is thought out in ``vae.serve.supervisor``; here it is done. SIGTERM and Ctrl-C
end everything in order, SIGHUP starts every server anew, one after another.
"""

import contextlib
import csv
import ctypes
import http.client
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from vae.files import is_locked, lock, user_cache_dir, write_atomically
from vae.serve.proxy import BACKEND, Front, Replica, configuration
from vae.serve.supervisor import (
    Action,
    Close,
    Ended,
    Event,
    Healthy,
    Kill,
    Lead,
    Say,
    Standing,
    Start,
    Stop,
    Supervisor,
    Tick,
    Update,
    Visitors,
)
from vae.servers import VARIABLE

_APP = Path(__file__).parents[2] / "streamlit_app.py"
_SECRET = "STREAMLIT_SERVER_COOKIE_SECRET"
_LOOK_SECONDS = 0.25
_ASK_SECONDS = 1.0
# A server under load answers late; one that says nothing for long is started anew (supervisor).
_ANSWER_SECONDS = 5.0
_PROXY_SECONDS = 10.0
# Where Debian puts it; a user's own path may not lead there.
_PLACES = ("/usr/sbin", "/usr/local/sbin")
_END_WITH_PARENT = 1


class ServeError(RuntimeError):
    """What keeps the servers from being started. The message says what to do."""


@dataclass(frozen=True)
class Plan:
    """What to serve: how many servers on which ports, where visitors come, and the
    patience for them at an update."""

    replicas: tuple[Replica, ...]
    front: Front
    drain_seconds: float


def find_proxy() -> str:
    """HAProxy's program. Raises ``ServeError`` where there is none."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_PLACES])
    found = shutil.which("haproxy", path=path)
    if found is None:
        raise ServeError(
            "HAProxy is not installed (Debian and Ubuntu: apt-get install haproxy). Another "
            "proxy can do the same: --print-config says what."
        )
    return found


def serve(plan: Plan, name: str) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code. Raises ``ServeError``.

    ``name`` tells this service from others of the user on this machine.
    """
    program = find_proxy()
    with _alone(name), tempfile.TemporaryDirectory(prefix="vae-serve-") as folder:
        plan = replace(plan, front=replace(plan.front, admin=str(Path(folder) / "admin.sock")))
        return _Shell(plan, _Proxy(program, plan, Path(folder))).run()


def update(name: str) -> None:
    """Have the service ``name`` start its servers anew. Raises ``ServeError`` where none runs."""
    path = _pid_file(name)
    if not is_locked(path, shared=False):
        raise ServeError("No servers were started here with python -m vae serve on this port.")
    os.kill(int(path.with_suffix(".pid").read_text("ascii")), signal.SIGHUP)


class _Shell:
    """The loop: what happened goes to the supervisor, and what it says is done."""

    def __init__(self, plan: Plan, proxy: "_Proxy") -> None:
        self._plan = plan
        self._proxy = proxy
        self._supervisor = Supervisor([each.name for each in plan.replicas], plan.drain_seconds)
        self._addresses = {each.name: each.address for each in plan.replicas}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._asked: list[Event] = []
        # Whoever is led on to another server must be known there.
        self._secret = os.environ.get(_SECRET) or secrets.token_hex(32)

    def run(self) -> int:
        with self._signals(), ThreadPoolExecutor(len(self._addresses)) as aside:
            self._proxy.start()
            try:
                self._tell(Tick())
                asked_at = 0.0
                while not self._supervisor.over:
                    time.sleep(_LOOK_SECONDS)
                    events: list[Event] = [*self._asked, *self._ends(), Tick()]
                    del self._asked[: len(self._asked)]
                    if time.monotonic() >= asked_at + _ASK_SECONDS:
                        asked_at = time.monotonic()
                        events += [*self._health(aside), *self._proxy.visitors()]
                    for event in events:
                        if isinstance(event, Close):
                            self._proxy.stop_listening()
                        self._tell(event)
                    if not isinstance(events[0], Close):
                        self._proxy.watch(self._supervisor.standings)
            finally:
                self._end_all()
        return 0

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        events: dict[int, Event] = {
            signal.SIGTERM: Close(),
            signal.SIGINT: Close(),
            signal.SIGHUP: Update(),
        }
        before = {
            number: signal.signal(number, lambda got, _: self._asked.append(events[got]))
            for number in events
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _ends(self) -> list[Event]:
        gone = [name for name, each in self._processes.items() if each.poll() is not None]
        for name in gone:
            del self._processes[name]
        return [Ended(name) for name in gone]

    def _health(self, aside: ThreadPoolExecutor) -> list[Event]:
        names = list(self._processes)
        base = self._plan.front.base.strip("/")
        path = f"/{base}/_stcore/health" if base else "/_stcore/health"
        answers = aside.map(lambda name: _answers(self._addresses[name], path), names)
        return [Healthy(name) for name, well in zip(names, answers, strict=True) if well]

    def _tell(self, event: Event) -> None:
        for action in self._supervisor.handle(event, time.monotonic()):
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Start(name):
                self._processes[name] = self._start(name)
            case Stop(name):
                self._send(name, signal.SIGTERM)
            case Kill(name):
                self._send(name, signal.SIGKILL)
            case Lead(name, there):
                self._proxy.lead(name, there)
            case Say(text):
                print(f"python -m vae serve: {text}", file=sys.stderr, flush=True)

    def _start(self, name: str) -> "subprocess.Popen[bytes]":
        host, _, port = self._addresses[name].rpartition(":")
        command = [sys.executable, "-m", "streamlit", "run", str(_APP)]
        command += ["--server.port", port, "--server.address", host, "--server.headless", "true"]
        if self._plan.front.base:
            command += ["--server.baseUrlPath", self._plan.front.base]
        environment = {**os.environ, VARIABLE: name, _SECRET: self._secret}
        # One address for all: a room's link needs none of its own.
        environment.pop("VAE_SERVER_URL", None)
        return subprocess.Popen(
            command,
            env=environment,
            # What it says of its own address is nobody's business; what goes wrong is said aloud.
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # Ctrl-C is for this process, which ends them in order.
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def _send(self, name: str, number: int) -> None:
        if (process := self._processes.get(name)) is not None:
            with contextlib.suppress(OSError):
                process.send_signal(number)

    def _end_all(self) -> None:
        self._proxy.stop()
        for process in self._processes.values():
            process.kill()
            process.wait()


class _Proxy:
    """HAProxy, and its socket for whoever looks after it."""

    def __init__(self, program: str, plan: Plan, folder: Path) -> None:
        self._admin = plan.front.admin
        self._file = folder / "haproxy.cfg"
        self._names = [each.name for each in plan.replicas]
        self._command = [program, "-db", "-f", str(self._file)]
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False
        self._again_at = 0.0
        self._file.write_text(configuration(plan.replicas, plan.front), encoding="utf-8")

    def start(self) -> None:
        """Start it. Raises ``ServeError`` with its own words where it cannot."""
        checked = subprocess.run(
            [*self._command, "-c"], capture_output=True, text=True, check=False
        )
        if checked.returncode:
            raise ServeError(f"HAProxy does not take its configuration:\n{checked.stderr}")
        self._launch()
        until = time.monotonic() + _PROXY_SECONDS
        while not self._ask("show version"):
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise ServeError("HAProxy could not be started: what it said stands above.")
            time.sleep(0.05)

    def _launch(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def watch(self, standings: dict[str, Standing]) -> None:
        """Start it again where it has ended; who is drained stays so."""
        process = self._process
        if process is None or process.poll() is None or self._ending:
            return
        if time.monotonic() < self._again_at:
            return
        self._again_at = time.monotonic() + 1.0
        self._launch()
        until = time.monotonic() + 1.0
        while not self._ask("show version") and time.monotonic() < until:
            time.sleep(0.05)
        for name, standing in standings.items():
            if standing is Standing.DRAINING:
                self.lead(name, False)

    def lead(self, name: str, there: bool) -> None:
        """Lead visitors to the server at once, or no new ones."""
        if there:
            # It answered already: its next check would come in a moment.
            self._ask(f"set server {BACKEND}/{name} health up")
        # A weight of none drains, and unlike the state of that name a rule can ask for it.
        self._ask(f"set server {BACKEND}/{name} weight {'100%' if there else '0%'}")

    def visitors(self) -> list[Event]:
        """How many connections lead to each server."""
        rows = csv.DictReader(self._ask("show stat").removeprefix("# ").splitlines())
        return [
            Visitors(row["svname"], int(row["scur"] or 0))
            for row in rows
            if row.get("pxname") == BACKEND and row.get("svname") in self._names
        ]

    def stop_listening(self) -> None:
        """Take no new visitors; who is there stays."""
        self._ending = True
        self._signal(signal.SIGUSR1)

    def stop(self) -> None:
        self._ending = True
        self._signal(signal.SIGTERM)
        if self._process is not None:
            self._process.wait()

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.send_signal(number)

    def _ask(self, command: str) -> str:
        """What it answers; empty where it does not."""
        answer = b""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            connection.connect(self._admin)
            connection.sendall(f"{command}\n".encode("ascii"))
            while part := connection.recv(65_536):
                answer += part
        return answer.decode("utf-8", "replace")


def _answers(address: str, path: str) -> bool:
    connection = http.client.HTTPConnection(address, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end_with_parent() -> None:
    """In the child: the kernel ends it with this process, however this one ends (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGTERM)


def _pid_file(name: str) -> Path:
    return user_cache_dir() / f"serve-{name}.lock"


@contextlib.contextmanager
def _alone(name: str) -> Iterator[None]:
    """Hold the lock of the service ``name``, beside which its process's number stands."""
    path = _pid_file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    held: IO[bytes] | None = lock(path, shared=False)
    if held is None:
        raise ServeError("Servers were started here on this port already.")
    number = path.with_suffix(".pid")
    with held:
        write_atomically(number, str(os.getpid()).encode("ascii"))
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                number.unlink()
