"""A server that may open few files, and caches that visitors clear: who fits is served, no more."""

import asyncio
import http.client
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from appserver import Server, serve
from benchmarks.client import Session
from websockets.exceptions import InvalidStatus

resource = pytest.importorskip("resource")

FILES = 128
VISITORS = 40


@pytest.fixture
def poor(tmp_path: Path) -> Iterator[Server]:
    """The app, allowed few files."""
    if sys.platform != "linux":
        pytest.skip("the limit of another process is Linux's to set")
    with serve(tmp_path) as server:
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        yield server


def page(server: Server) -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    try:
        connection.request("GET", "/", headers={"Accept": "text/html,*/*"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


async def visit(url: str) -> Session | int:
    """An open session, or the status with which it was refused."""
    try:
        return await Session(url).open()
    except InvalidStatus as refusal:
        return refusal.response.status_code


def test_who_fits_is_served_and_the_others_are_told(poor: Server) -> None:
    assert page(poor)[0] == 200

    async def class_comes() -> tuple[list[Session], list[int], tuple[int, str]]:
        came = await asyncio.gather(*(visit(poor.url) for _ in range(VISITORS)))
        served = [visitor for visitor in came if isinstance(visitor, Session)]
        told = await asyncio.to_thread(page, poor)
        for visitor in served:
            await visitor.rerun()
            await visitor.close()
        return served, [status for status in came if isinstance(status, int)], told

    served, refused, (status, words) = asyncio.run(class_comes())
    # Four files each, beside those that are not a session's.
    assert len(served) >= FILES // 8
    assert len(served) + len(refused) == VISITORS
    assert set(refused) == {403}
    assert not [error for visitor in served for error in visitor.counts.exceptions]
    assert status == 503
    assert "no room for another visitor now" in words
    log = poor.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert log.count("Visitors are sent away") == 1


def test_clearing_the_cache_again_and_again_takes_no_memory(app: Server) -> None:
    async def clear() -> int:
        visitor = await Session(app.url).open()
        sizes = []
        for _ in range(2):
            for _ in range(40):
                await visitor.clear_cache()
                await visitor.rerun()
            sizes.append(int(app.process.memory_info().rss))
        await visitor.close()
        return sizes[1] - sizes[0]

    # Nine where every clearing repeated what the server does once.
    assert asyncio.run(clear()) < 3 * 2**20
