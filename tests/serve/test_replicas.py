"""Two servers, one folder of runs and the real proxy: who is led where, what outlives a server."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from appserver import ROOT, Server, environment, serve_replicas
from benchmarks.client import Session
from websockets.exceptions import WebSocketException

from vae.runs.folders import HOME
from vae.serve.shell import ServeError, find_proxy
from vae.servers import server_of_run
from vae.web.weights import shipped_file

# An upper bound, met on a machine that has much else to do; nobody waits for it otherwise.
PATIENCE = 180.0


@dataclass
class Service:
    """What was started, and with which environment."""

    server: Server
    variables: dict[str, str]

    @property
    def url(self) -> str:
        return self.server.url

    def get(self, path: str, server: str = "", **headers: str) -> tuple[int, str, bytes]:
        """Status, the server whose name was given (empty for none), and body."""
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        if server:
            sent["Cookie"] = f"vae_server={server}"
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("POST" if "x_room" in headers else "GET", path, headers=sent)
            answer = connection.getresponse()
            jar: SimpleCookie = SimpleCookie()
            for text in answer.headers.get_all("Set-Cookie") or ():
                jar.load(text)
            body = answer.read()
        return answer.status, jar["vae_server"].value if "vae_server" in jar else "", body

    def page(self, path: str, server: str = "") -> str:
        """The server that answers a page's request: the one it names, else the visitor's own."""
        status, named, _ = self.get(path, server, accept="text/html")
        assert status == 200
        return named or server

    def is_up(self, server: str) -> bool:
        """Whether the proxy leads a visitor of this server to it."""
        return self.page("/", server) == server

    def manifest(self, run: str) -> dict[str, Any]:
        """What the folder of runs says of ``run``; empty where it says nothing."""
        path = Path(self.variables["VAE_RUNS_DIR"], HOME, run, "run.json")
        return json.loads(path.read_bytes()) if path.exists() else {}

    @contextlib.contextmanager
    def nobody_started_again(self) -> Iterator[None]:
        """Meanwhile who starts the servers is held."""
        self.server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.server.process.send_signal(signal.SIGCONT)

    def process(self, server: str) -> psutil.Process | None:
        """The process of this server, while there is one."""
        for process in self.server.servers():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("VAE_SERVER_NAME") == server:
                    return process
        return None


@contextlib.contextmanager
def served(folder: Path) -> Iterator[Service]:
    try:
        find_proxy()
    except ServeError as error:
        pytest.skip(str(error))
    # The digits that the other tests have drawn.
    cache = {"XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}
    with serve_replicas(folder, extra=cache) as server:
        yield Service(server, environment(folder, cache))


async def wait(met: Callable[[], bool]) -> None:
    """Wait until ``met``, which may ask servers; the sessions answer theirs meanwhile, which
    would be closed after some 20 s of silence."""
    end = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(met):
        assert time.monotonic() < end
        # Each question is several requests, on the processors that are waited for.
        await asyncio.sleep(0.3)


def run_of(session: Session) -> str:
    found = re.search(r"run=([\w-]+)", session.query)
    return found[1] if found else ""


async def arrive(service: Service, path: str, server: str, cookie: str | None = None) -> Session:
    """A visitor whose browser tries again, as it does, where a server ends under its hands."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return await Session(service.url, path, server=server, cookie=cookie).open()
        except (OSError, WebSocketException):
            assert time.monotonic() < end
            await asyncio.sleep(0.5)


async def begin(session: Session) -> str:
    """Press Train; returns the run that the address names then."""
    await session.press("Train")
    await until(lambda: run_of(session), session)
    return run_of(session)


async def sees(session: Session, words: str) -> None:
    """Wait until the page of ``session`` says ``words``."""
    await until(lambda: words in session.texts(), session)


async def until(met: Callable[[], object], session: Session) -> None:
    end = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < end, (session.query, session.texts()[-1500:])
        await asyncio.sleep(0.1)


def lead(service: Service) -> None:
    """Pages, rooms and networks are found, whatever the visitor's cookie says."""
    assert service.page("/") in ("r1", "r2")
    drawing = shipped_file("digits")
    assert drawing is not None
    weights = {service.get(f"/drawing/weights/{drawing.name}", name) for name in ("r1", "r2")}
    [(status, _, content)] = weights
    assert status == 200
    assert content
    status, _, body = service.get("/room/open", "r2", x_room="1")
    code = json.loads(body)["code"]
    assert (status, code[:3]) == (200, "r2-")
    for server in ("r1", "r2"):
        assert service.get(f"/room/{code}", server)[0] == 200
        for other in ("r1", "r2"):
            assert service.page("/train", other) == other
            assert service.page(f"/train?run={server}-aaaaaaaaaaaa", other) == server
            assert service.page(f"/?present=1&room={server.upper()}-BCDFG", other) == server


async def train_in_one_line(service: Service) -> list[Session]:
    """Three learners on two servers press Train; returns them in the order of their turns."""
    learners = []
    for server in ("r1", "r2", "r1"):
        learners.append(await Session(service.url, "train?epochs=200", server=server).open())
        assert server_of_run(await begin(learners[-1])) == server
    first, second, third = learners
    await sees(first, "images/s")
    await sees(second, "Waiting: 1 run is ahead")
    await sees(third, "Waiting: 2 runs are ahead")
    return learners


async def lose_a_server(service: Service, learners: list[Session]) -> None:
    """The first server is killed: its visitors and its run come to the second, once."""
    first, second, third = learners
    run = run_of(first)
    await wait(lambda: bool(service.manifest(run).get("checkpoints")))
    with service.nobody_started_again():
        victim = service.process("r1")
        assert victim is not None
        victim.kill()
        await first.closed(PATIENCE)
        await third.closed(PATIENCE)
        again = await arrive(service, f"train?run={run}", "r1", first.cookie)
        assert again.took_name() == "r2"
        assert "The server that you were on has ended" in again.texts()
        assert "Its last checkpoint is still here" in again.texts()
        # Nobody is held up by the dead: whoever was next trains, and behind it waits what goes on.
        await sees(second, "images/s")
        [label] = [each for each in again.buttons() if each.startswith("Open it at step")]
        await again.press(label)
        assert server_of_run(run_of(again)) == "r2"
        await sees(again, "Waiting: 1 run is ahead")
    await wait(lambda: service.get("/_stcore/health", "r1")[0] == 200 and service.is_up("r1"))
    late = await arrive(service, f"train?run={run}", "r1")
    assert "somebody goes on with it there" in late.texts()
    assert not [each for each in late.buttons() if each.startswith("Open it at step")]
    await late.close()
    await again.close()


async def take_home(service: Service, learner: Session) -> None:
    """A file that one server made is found by who asks the other, or has no cookie."""
    await learner.press("Stop")
    await until(lambda: "History (CSV)" in learner.files(), learner)
    path = await learner.file_url("History (CSV)")
    found = {service.get(path, server)[::2] for server in ("", "r1", "r2") for _ in range(4)}
    [(status, content)] = found
    assert status == 200
    assert content.startswith(b"step,")


async def renew(service: Service) -> None:
    """All servers are started anew, one after another, and no visitor is turned away meanwhile."""
    reader = await Session(service.url, "train", server="r1").open()
    before = {name: service.process(name) for name in ("r1", "r2")}
    port = str(urlsplit(service.url).port)
    command = [sys.executable, "-m", "vae", "serve", "--update", "--port", port]
    await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=service.variables, check=True)
    # Who reads stays, and comes back after a lost connection; who opens a page goes elsewhere.
    await wait(lambda: service.page("/", "r1") == "r2")
    again = await Session(service.url, "train", server="r1").open()
    assert again.took_name() == ""
    await reader.rerun()
    await reader.close()
    await again.close()

    def done() -> bool:
        for _ in range(5):
            assert service.get("/", accept="text/html")[0] == 200
        return all(service.is_up(name) and service.process(name) != before[name] for name in before)

    await wait(done)


async def live(service: Service) -> None:
    learners = await train_in_one_line(service)
    await lose_a_server(service, learners)
    await take_home(service, learners[1])
    await learners[1].close()
    await renew(service)


@pytest.mark.slow
def test_two_servers_are_one_place(tmp_path: Path) -> None:
    with served(tmp_path) as service, ThreadPoolExecutor(1) as aside:
        lead(service)
        # In a thread: the browser tests' driver has a running event loop in this one.
        aside.submit(lambda: asyncio.run(live(service))).result()
    log = service.server.log.read_text("utf-8", "replace")
    assert "exit code" not in log, "servers that were told to end, or were killed, lost no trainer"
