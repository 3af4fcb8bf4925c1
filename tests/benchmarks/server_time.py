"""Where the server's processor time goes while a class is on its pages, by groups of functions.

``python -m tests.benchmarks.server_time --sessions 30`` starts the app with a profiler in its
process, lets the class of ``tests.benchmarks.load`` in, and prints each group's share; then the
cost of one script run of every page, an app of one line beside them: the least that any can cost.
"""

import argparse
import asyncio
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.appserver import ROOT, serve
from tests.benchmarks import app, load
from tests.benchmarks.server_watch import VARIABLE


def _ask(file: Path, pid: int) -> dict[str, float]:
    file.unlink(missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    while not file.exists():
        time.sleep(0.05)
    found: dict[str, float] = json.loads(file.read_bytes())
    return found


def class_shares(
    sessions: int, seconds: float, think: float
) -> tuple[dict[str, float], load.Report]:
    """The server's processor seconds by group beside ``sessions`` on all pages; what they met."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Python runs it at its start, before the server.
        (folder / "sitecustomize.py").write_text(
            "import os, sys\n"
            f"if os.environ.get({VARIABLE!r}) and 'streamlit' in ' '.join(sys.orig_argv):\n"
            "    from tests.benchmarks.server_watch import watch_this_process\n"
            "    watch_this_process()\n",
            encoding="utf-8",
        )
        paths = os.pathsep.join([name, str(ROOT), os.environ.get("PYTHONPATH", "")])
        extra = {VARIABLE: str(folder / "seen.json"), "PYTHONPATH": paths}
        with serve(folder, extra=extra) as server:
            # A new server builds its figures once.
            asyncio.run(app.memory_after_every_page(server))
            _ask(folder / "seen.json", server.pid)
            report = asyncio.run(load.run_class(server, sessions, seconds=seconds, think=think))
            shares = _ask(folder / "seen.json", server.pid)
    return shares, report


_EMPTY = "import streamlit as st\nst.write('An empty app')\n"


def run_costs(runs: int = 20) -> dict[str, float]:
    """Milliseconds of the server's processor for one script run of each page, warm; under "empty
    app" of an app of one line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "empty.py"
        script.write_text(_EMPTY, encoding="utf-8")
        with serve(folder / "empty", script=script) as server:
            costs = asyncio.run(app.page_latencies(server, runs, pages=("",)))
            found = {"empty app": costs["overview"][1]}
        with serve(folder / "app") as server:
            costs = asyncio.run(app.page_latencies(server, runs))
            found |= {page: used for page, (_, used) in costs.items()}
    return {page: 1000 * used for page, used in found.items()}


def report_lines(sessions: int, seconds: float, think: float) -> Iterator[str]:
    """The profile as lines: what the class met, each group, each page's script run."""
    shares, report = class_shares(sessions, seconds, think)
    total = sum(shares.values())
    yield f"under the profiler: {report.line()}"
    for group, used in sorted(shares.items(), key=lambda each: -each[1]):
        if used > total / 500:
            yield f"{used / total:6.1%}  {group}"
    yield "one script run, the server's processor:"
    for page, milliseconds in run_costs().items():
        yield f"{milliseconds:6.1f} ms  {page}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--think", type=float, default=4.0)
    options = parser.parse_args()
    for line in report_lines(options.sessions, options.seconds, options.think):
        print(line, flush=True)


if __name__ == "__main__":
    main()
