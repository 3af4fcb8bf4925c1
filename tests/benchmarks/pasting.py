"""A class that pastes: every session another loss, all at once; and one reading alone.

``python -m tests.benchmarks.pasting --sessions 30`` starts the app itself. No text is pasted
twice, so that nothing that was read before helps.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.benchmarks.client import Session
from tests.benchmarks.load import Room, ms, serve_drawn
from vae.web.your_loss.asked import Asked, read_first
from vae.your_loss import clinic


def texts(count: int) -> list[str]:
    """``count`` losses in many forms, each with a comment of its own."""
    codes = [entry.code for entry in clinic()]
    return [f"{codes[number % len(codes)]}\n# student {number}\n" for number in range(count)]


def readings(count: int) -> list[float]:
    """Seconds of each of ``count`` readings, one after another, in this process."""
    took = []
    for code in texts(count):
        began = time.perf_counter()
        read_first(Asked(code=code))
        took.append(time.perf_counter() - began)
    return took


async def paste_at_once(url: str, sessions: int) -> tuple[list[float], list[str]]:
    """Seconds from each session's paste to its answer, and what went wrong."""
    room = Room(sessions)

    async def student(code: str) -> tuple[float, list[str]]:
        session = await Session(url, "your_loss").open()
        label = next(
            item.proto.label for item in session.widgets.values() if item.kind == "text_area"
        )
        await room.enter()
        took = await session.set(label, code)
        await session.close()
        return took, session.counts.exceptions

    results = await asyncio.gather(*map(student, texts(sessions)))
    return [took for took, _ in results], [text for _, wrong in results for text in wrong]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, nargs="+", default=[30])
    options = parser.parse_args()
    alone = readings(100)
    print(f"one reading: p50 {ms(alone, 0.5)}, p95 {ms(alone, 0.95)} ({len(alone)})")
    for count in options.sessions:
        with tempfile.TemporaryDirectory() as folder, serve_drawn(Path(folder)) as server:
            took, wrong = asyncio.run(paste_at_once(server.url, count))
        print(
            f"{count} sessions paste at once: p50 {ms(took, 0.5)}, p95 {ms(took, 0.95)}, "
            f"{len(wrong)} exceptions",
            *sorted(set(wrong))[:5],
            sep="\n  ",
        )


if __name__ == "__main__":
    main()
