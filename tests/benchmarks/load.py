"""A classroom: many sessions over all pages, with time to think.

First everybody opens a page of a new server within a few seconds; when the last page is there,
everybody moves controls and turns pages. ``python -m tests.benchmarks.load --sessions 100`` starts
the app itself; with ``--replicas 2`` as many servers behind the proxy, of which memory and
processor are told together.
"""

import argparse
import asyncio
import contextlib
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.appserver import Server, serve, serve_replicas, wait_until_at_rest
from tests.benchmarks.client import Session

READING = ("derivation", "bias")
EVERYWHERE = ("", "derivation", "bias", "your_loss", "train")


@dataclass
class Report:
    """What a class met: seconds of each script run, and what the server needed."""

    sessions: int
    seconds: float = 0.0
    opening: list[float] = field(default_factory=list)
    runs: list[float] = field(default_factory=list)
    fragment_runs: list[float] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    megabytes: float = 0.0
    processor_seconds: float = 0.0
    received_megabytes: float = 0.0

    def line(self) -> str:
        return (
            f"{self.sessions} sessions: opening p50 {ms(self.opening, 0.5)} p95 "
            f"{ms(self.opening, 0.95)}; rerun p50 {ms(self.runs, 0.5)} p95 {ms(self.runs, 0.95)} "
            f"({len(self.runs)} in {self.seconds:.0f} s); fragments p95 "
            f"{ms(self.fragment_runs, 0.95)} ({len(self.fragment_runs)}); server "
            f"{self.megabytes:.0f} MB, {self.processor_seconds / self.seconds:.0%} of a core; "
            f"{self.received_megabytes:.1f} MB received; {len(self.exceptions)} exceptions"
        )


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` of ``values`` lie; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def ms(values: Sequence[float], share: float) -> str:
    return f"{1000 * quantile(values, share):.0f} ms"


class Room:
    """Where the students meet: nobody begins before all have opened their page."""

    def __init__(self, places: int) -> None:
        self._empty = places
        self._full = asyncio.Event()

    async def enter(self) -> None:
        self._empty -= 1
        if self._empty == 0:
            self._full.set()
        await self._full.wait()


async def visit(
    url: str,
    pages: Sequence[str],
    seconds: float,
    think: float,
    room: Room,
    report: Report,
    draw: random.Random,
) -> None:
    """One student: opens a page, thinks, moves a control or turns to another page, and again."""
    await asyncio.sleep(draw.random() * think)
    session = Session(url, draw.choice(pages))
    await session.open()
    report.opening += session.counts.runs
    await room.enter()
    deadline = time.perf_counter() + seconds
    await asyncio.sleep(think * draw.random())
    while time.perf_counter() < deadline:
        if draw.random() < 0.2:
            took = await session.go(draw.choice(pages))
        else:
            took = await session.move_something(draw)
        report.runs.append(took)
        await asyncio.sleep(think * (0.5 + draw.random()))
    report.fragment_runs += session.counts.fragment_runs
    report.exceptions += session.counts.exceptions
    report.received_megabytes += session.counts.bytes / 2**20
    await session.close()


async def run_class(
    server: Server,
    sessions: int,
    *,
    seconds: float = 20.0,
    think: float = 4.0,
    pages: Sequence[str] = EVERYWHERE,
    seed: int = 0,
) -> Report:
    """``sessions`` students on ``pages``; ``seconds`` from when all are there. Errors end it."""
    if not 1 <= sessions <= 1000:
        raise ValueError(f"sessions: {sessions} given; allowed is 1 to 1000")
    report = Report(sessions)
    before = sum(map(cpu_seconds, server.servers()))
    began = time.perf_counter()
    room = Room(sessions)
    students = [
        visit(server.url, pages, seconds, think, room, report, random.Random(f"{seed}/{number}"))
        for number in range(sessions)
    ]
    await asyncio.gather(*students)
    report.seconds = time.perf_counter() - began
    servers = server.servers()
    report.processor_seconds = sum(map(cpu_seconds, servers)) - before
    report.megabytes = sum(each.memory_info().rss for each in servers) / 2**20
    return report


@contextlib.contextmanager
def serve_drawn(
    folder: Path, *, extra: Mapping[str, str] | None = None, replicas: int = 0
) -> Iterator[Server]:
    """The app as it is started, after it has drawn its pages once; ``replicas``: behind the
    proxy."""
    settings = {**(extra or {}), "VAE_DRAW_BEFOREHAND": "1"}
    starting = (
        serve_replicas(folder, replicas, extra=settings)
        if replicas
        else serve(folder, extra=settings)
    )
    with starting as server:
        wait_until_at_rest(server)
        yield server


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[30, 100, 300])
    parser.add_argument("--replicas", type=int, default=0, help="servers behind the proxy")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--think", type=float, default=4.0, help="mean pause between two actions")
    parser.add_argument("--pages", nargs="+", default=list(EVERYWHERE))
    options = parser.parse_args()
    for count in options.sessions:
        with (
            tempfile.TemporaryDirectory() as folder,
            serve_drawn(Path(folder), replicas=options.replicas) as server,
        ):
            report = asyncio.run(
                run_class(
                    server,
                    count,
                    seconds=options.seconds,
                    think=options.think,
                    pages=options.pages,
                )
            )
        print(report.line(), *sorted(set(report.exceptions))[:5], sep="\n  ")


if __name__ == "__main__":
    main()
