"""What one browser is sent while it watches a run to its end: bytes, polls, seconds.

``python -m tests.benchmarks.watched`` starts the app, trains the race of four losses, and counts;
``--lesson grey`` another question of Train's.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.appserver import serve
from tests.benchmarks.client import Session

_LONGEST_SECONDS = 600.0
# For what a run that is over brings: film, latents, files.
_AFTER_SECONDS = 5.0


async def watch(url: str, lesson: str) -> str:
    """Open Train, press its button, and look until the run is over."""
    session = await Session(url, f"train?lesson={lesson}").open()
    opening, polls = session.counts.bytes, len(session.counts.fragment_runs)
    [button] = [each for each in session.buttons() if each.startswith("Train")]
    began = time.perf_counter()
    await session.press(button)
    while "Finished: step" not in session.texts():
        if time.perf_counter() > began + _LONGEST_SECONDS:
            raise TimeoutError(session.texts()[-500:])
        await asyncio.sleep(0.1)
    seconds = time.perf_counter() - began
    running = session.counts.bytes - opening
    polls = len(session.counts.fragment_runs) - polls
    await asyncio.sleep(_AFTER_SECONDS)
    total = session.counts.bytes - opening
    await session.close()
    return (
        f"{lesson}: {total / 1e6:.2f} MB in all: {running / 1e6:.2f} MB in {polls} polls of "
        f"{seconds:.0f} s, {(total - running) / 1e6:.2f} MB at its end; opening "
        f"{opening / 1e6:.2f} MB; {len(session.counts.exceptions)} exceptions"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lesson", nargs="+", default=["race", "grey"])
    for lesson in parser.parse_args().lesson:
        with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as server:
            print(asyncio.run(watch(server.url, lesson)), flush=True)


if __name__ == "__main__":
    main()
