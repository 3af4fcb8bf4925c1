"""A room of 300: everybody has the page open, and votes within ten seconds.

``python -m tests.benchmarks.voting --browsers 300`` starts the app itself. Every browser holds a
page's connection and asks how the room stands as the page's script does.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from tests.appserver import serve
from tests.benchmarks.client import Session
from tests.benchmarks.load import ms, quantile

QUESTION, CHOICES = "derivation-sigma", 3
POLL_SECONDS = 2.0


class Browser:
    """One browser's requests to a room, over one connection that stays."""

    def __init__(self, url: str, key: str) -> None:
        address = urlsplit(url)
        self._host, self._port = str(address.hostname), int(address.port or 80)
        self._key = key
        self._lock = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, method: str = "POST") -> dict[str, object]:
        """The answer's JSON. Raises ``RuntimeError`` on a refusal."""
        async with self._lock:
            try:
                reader, head = await self._send(path, method)
            except (asyncio.IncompleteReadError, ConnectionError):
                # The server closes what was silent for seconds; a browser asks again.
                self.close()
                self._streams = None
                reader, head = await self._send(path, method)
            length = next(
                int(line.split(":")[1])
                for line in head.lower().splitlines()
                if line.startswith("content-length")
            )
            body = json.loads(await reader.readexactly(length))
        if " 200 " not in head.splitlines()[0]:
            raise RuntimeError(f"{head.splitlines()[0]}: {body}")
        return dict(body)

    async def _send(self, path: str, method: str) -> tuple[asyncio.StreamReader, str]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(
            f"{method} /room/{path} HTTP/1.1\r\nHost: {self._host}\r\nX-Room: 1\r\n"
            f"Cookie: vae_key={self._key}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        return reader, (await reader.readuntil(b"\r\n\r\n")).decode()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def vote(
    url: str, browsers: int, seconds: float, pages: bool
) -> tuple[list[float], list[float], list[str], bool]:
    """Seconds of each vote and each poll, what went wrong, and whether all votes were counted."""
    teacher = Browser(url, "t" * 24)
    room = str((await teacher.ask("open"))["code"])
    sessions = []
    if pages:
        for start in range(0, browsers, 25):
            some = [Session(url, f"?room={room}") for _ in range(start, min(browsers, start + 25))]
            sessions += await asyncio.gather(*(session.open(120) for session in some))
    await teacher.ask(f"{room}/ask/{QUESTION}")
    votes: list[float] = []
    polls: list[float] = []
    wrong: list[str] = []
    chosen: Counter[int] = Counter()

    async def student(number: int) -> None:
        draw = random.Random(number)
        browser = Browser(url, f"{number:024d}")
        choice, at = draw.randrange(CHOICES), time.perf_counter() + seconds * draw.random()
        voted = False
        end = time.perf_counter() + seconds
        await asyncio.sleep(POLL_SECONDS * draw.random())
        try:
            while time.perf_counter() < end or not voted:
                path, method, kept = room, "GET", polls
                if not voted and time.perf_counter() >= at:
                    path, method, kept, voted = f"{room}/vote/1/{choice}", "POST", votes, True
                    chosen[choice] += 1
                began = time.perf_counter()
                await browser.ask(path, method)
                kept.append(time.perf_counter() - began)
                until_vote = max(0.0, at - time.perf_counter()) if not voted else POLL_SECONDS
                await asyncio.sleep(min(until_vote, POLL_SECONDS * (0.75 + 0.5 * draw.random())))
        except (RuntimeError, OSError, EOFError) as error:
            wrong.append(f"{type(error).__name__}: {error}")
        browser.close()

    await asyncio.gather(*map(student, range(browsers)))
    told = await teacher.ask(f"{room}/close")
    teacher.close()
    for session in sessions:
        wrong += session.counts.exceptions
        await session.close()
    return votes, polls, wrong, told["counts"] == [[chosen[index] for index in range(CHOICES)]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--browsers", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--no-pages", action="store_true", help="the requests alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server:
        votes, polls, wrong, counted = asyncio.run(
            vote(server.url, options.browsers, options.seconds, not options.no_pages)
        )
    print(
        f"{len(votes)} votes in {options.seconds:g} s: p50 {ms(votes, 0.5)} p95 {ms(votes, 0.95)} "
        f"longest {1000 * quantile(votes, 1):.0f} ms; {len(polls)} looks p95 {ms(polls, 0.95)}; "
        f"{'all counted' if counted else 'NOT ALL COUNTED'}; {len(wrong)} exceptions",
        *sorted(set(wrong))[:5],
        sep="\n  ",
    )


if __name__ == "__main__":
    main()
