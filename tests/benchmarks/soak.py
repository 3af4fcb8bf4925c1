"""A long lesson: ten watchers, runs one after another; nothing may grow, nothing may be left.

``python -m tests.benchmarks.soak --minutes 60`` prints a line a sample and ends with an error if
the second half of the time needs more memory, threads or open files than the first, or if what
is left at the end, when the closed sessions are forgotten, is more than what the server began with.
``--stream --data DIR --minutes 10`` streams one long run to the watchers instead, and compares its
speed with the command line's by the same clock.
``--visitor`` lets one visitor do everything instead: all pages, every control, pastes and runs, an
action a second.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.appserver import Server, serve
from tests.benchmarks.app import step_shown
from tests.benchmarks.client import Session
from tests.benchmarks.load import EVERYWHERE
from tests.benchmarks.speed import BATCH, measure

# Streamlit keeps a closed session for two minutes, to be resumed.
_FORGOTTEN_SECONDS = 150.0
_ACTIONS_A_PAGE = 10
_TRAINS = 0.2


@dataclass(frozen=True)
class Sample:
    """What the server and its children hold at one moment."""

    minutes: float
    runs: int
    server_megabytes: float
    worker_megabytes: float
    threads: int
    files: int
    processes: int


def take_sample(server: Server, began: float, runs: int) -> Sample:
    process = server.process
    children = process.children(recursive=True)
    return Sample(
        (time.perf_counter() - began) / 60,
        runs,
        process.memory_info().rss / 2**20,
        sum(child.memory_info().rss for child in children) / 2**20,
        process.num_threads(),
        process.num_fds(),
        1 + len(children),
    )


async def lesson(server: Server, minutes: float, watchers: int, every: float) -> list[Sample]:
    """Runs of a few seconds one after another, ``watchers`` on each; a sample every so often."""
    began = time.perf_counter()
    samples, runs = [], 0
    while time.perf_counter() - began < 60 * minutes:
        teacher = await Session(server.url, "train?epochs=2&latent_dim=2").open()
        await teacher.press("Train")
        runs += 1
        link = await _run_of(teacher)
        class_ = [await Session(server.url, f"train?run={link}").open() for _ in range(watchers)]
        deadline = time.perf_counter() + 120
        while "Finished: step" not in teacher.texts() and time.perf_counter() < deadline:
            await asyncio.sleep(0.5)
        for session in (*class_, teacher):
            if session.counts.exceptions:
                raise AssertionError(session.counts.exceptions[0])
            await session.close()
        if not samples or time.perf_counter() - began > 60 * samples[-1].minutes + every:
            samples.append(take_sample(server, began, runs))
            print(samples[-1], flush=True)
    return samples


async def left_over(server: Server, first: Sample) -> list[str]:
    """What an empty server still holds beyond ``first``, an empty server's sample too."""
    await asyncio.sleep(_FORGOTTEN_SECONDS)
    # The old ones are let go when the next one is closed.
    visitor = await Session(server.url).open()
    await visitor.close()
    await asyncio.sleep(1.0)
    last = take_sample(server, 0.0, 0)
    print(last, flush=True)
    # The one worker, its pipes and its listeners begin with the first page.
    allowed = {"threads": 6, "files": 12, "processes": 1}
    return [
        f"{name}: {getattr(first, name)} at the start, {getattr(last, name)} at the end"
        for name, more in allowed.items()
        if getattr(last, name) > getattr(first, name) + more
    ]


async def stream(server: Server, query: str, minutes: float, watchers: int) -> list[Sample]:
    """One run shown to its owner and ``watchers`` for ``minutes``; prints its images a second."""
    teacher = await Session(server.url, f"train?{query}").open()
    await teacher.press("Train")
    link = await _run_of(teacher)
    class_ = [await Session(server.url, f"train?run={link}").open() for _ in range(watchers)]
    # The first half minute fills what is bounded: curves, frames, caches.
    await asyncio.sleep(30)
    began, first = time.perf_counter(), step_shown(teacher.texts())
    samples = [take_sample(server, began, 1)]
    while time.perf_counter() - began < 60 * minutes:
        await asyncio.sleep(30)
        samples.append(take_sample(server, began, 1))
        print(samples[-1], flush=True)
    steps = step_shown(teacher.texts()) - first
    print(f"{steps * BATCH / (time.perf_counter() - began):,.0f} images/s, watched by {watchers}")
    await teacher.press("Stop")
    for session in (*class_, teacher):
        if session.counts.exceptions:
            raise AssertionError(session.counts.exceptions[0])
        await session.close()
    return samples


async def visitor(server: Server, minutes: float, every: float) -> list[Sample]:
    """One visitor, who moves ten controls of a page, trains where one can, and turns to the next:
    an action a second; a sample every so often."""
    began = time.perf_counter()
    draw = random.Random(0)
    samples, runs = [take_sample(server, began, 0)], 0
    session = await Session(server.url).open()
    while time.perf_counter() - began < 60 * minutes:
        page = draw.choice(EVERYWHERE)
        await session.go(page, "epochs=1" if page == "train" else "")
        for _ in range(_ACTIONS_A_PAGE):
            await session.move_something(draw)
            if "Train" in session.buttons() and draw.random() < _TRAINS:
                await session.press("Train")
                runs += 1
            await asyncio.sleep(1.0)
        if session.counts.exceptions:
            raise AssertionError(session.counts.exceptions[0])
        if time.perf_counter() - began > 60 * samples[-1].minutes + every:
            samples.append(take_sample(server, began, runs))
            print(samples[-1], flush=True)
    await session.close()
    return samples


async def _run_of(session: Session) -> str:
    """The run's id, which the page writes into its address."""
    for _ in range(100):
        for pair in session.query.split("&"):
            if pair.startswith("run="):
                return pair.removeprefix("run=")
        await asyncio.sleep(0.1)
    raise AssertionError(f"no run in the address {session.query!r} after Train was pressed")


def grown(samples: list[Sample]) -> list[str]:
    """What the second half of ``samples`` needs more of than the first, with some slack."""
    middle = len(samples) // 2
    slack = {"server_megabytes": 1.1, "worker_megabytes": 1.1, "threads": 1.2, "files": 1.2}
    words = []
    for name, factor in slack.items():
        # Medians: a script that runs just then is a thread more.
        first = statistics.median(getattr(sample, name) for sample in samples[:middle])
        second = statistics.median(getattr(sample, name) for sample in samples[middle:])
        if second > factor * first:
            words.append(f"{name}: {first:.0f} in the first half, {second:.0f} in the second")
    return words


def stream_and_compare(data: Path | None, minutes: float, watchers: int) -> None:
    """Print how fast a watched run trains, how fast the command line does, and what grew."""
    query = "dataset=mnist&epochs=200" if data else "epochs=200"
    extra = {"VAE_DATA_DIR": str(data.resolve())} if data else {}
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), extra=extra) as server:
        samples = asyncio.run(stream(server, query, minutes, watchers))
    alone = measure("command-line", data, 12.0)
    print(f"{alone:,.0f} images/s from the command line")
    growth = samples[-1].server_megabytes - samples[0].server_megabytes
    print(f"the server's memory grew by {growth:.1f} MB in {minutes:g} minutes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--watchers", type=int, default=10)
    parser.add_argument("--every", type=float, default=60.0, help="seconds between samples")
    parser.add_argument("--stream", action="store_true", help="one long run instead of many")
    parser.add_argument("--data", type=Path, help="folder with MNIST, for --stream")
    parser.add_argument("--visitor", action="store_true", help="one visitor does everything")
    options = parser.parse_args()
    if options.stream:
        stream_and_compare(options.data, options.minutes, options.watchers)
        return
    if options.visitor:
        with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server:
            samples = asyncio.run(visitor(server, options.minutes, options.every))
        most = max(sample.server_megabytes for sample in samples)
        print(f"the server held {most:.0f} MB at most, {samples[-1].runs} runs")
        return
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server:
        first = take_sample(server, 0.0, 0)
        samples = asyncio.run(lesson(server, options.minutes, options.watchers, options.every))
        left = asyncio.run(left_over(server, first))
    # serve() has failed already if a process was left.
    if len(samples) < 4:
        raise SystemExit("too few samples to compare two halves; take more minutes")
    problems = grown(samples) + left
    print("flat" if not problems else "\n".join(problems))
    raise SystemExit(bool(problems))


if __name__ == "__main__":
    main()
