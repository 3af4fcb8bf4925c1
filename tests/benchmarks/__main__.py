"""Run every measurement and print one table: figure, value, target.

``python -m tests.benchmarks [--data DIR] [--quick]`` takes about five minutes; close other
programs first. ``--data`` is a folder with MNIST; without it the built-in digits are trained.
"""

import argparse
import asyncio
import contextlib
import datetime
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.appserver import ROOT, serve
from tests.benchmarks import app, load, server_time, slow_line, speed
from tests.benchmarks.load import EVERYWHERE, READING, quantile


@dataclass(frozen=True)
class Row:
    """One line of the table. ``met`` is None where there is no target."""

    figure: str
    value: str
    target: str = ""
    met: bool | None = None

    def __str__(self) -> str:
        word = {True: "met", False: "MISSED", None: ""}[self.met]
        return f"| {self.figure} | {self.value} | {self.target} | {word} |"


def machine() -> str:
    """The processor, its cores, the memory and the Python, in words."""
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{name}, {os.cpu_count()} cores, {gigabytes:.0f} GB, Python {platform.python_version()}"


@contextlib.contextmanager
def busy_process() -> Iterator[None]:
    """Another process that keeps one core busy."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def training_rows(data: Path | None, seconds: float) -> Iterator[Row]:
    recipe = speed.measure("recipe", data, seconds)
    engine = speed.measure("engine", data, seconds)
    one = speed.measure("engine", data, seconds, threads=1)
    bare = speed.measure("bare", data, seconds)
    peak = speed.measure("sgemm", data, min(seconds, 3.0))
    skinny = speed.measure("products", data, min(seconds, 3.0))
    mkl = speed.measure("mkl-products", data, min(seconds, 3.0))
    rate = one * speed.FLOP_PER_IMAGE
    share = rate / skinny
    yield Row("recipe with a DataLoader, images/s", f"{recipe:,.0f}")
    yield Row("bare tensor loop, one thread, images/s", f"{bare:,.0f}")
    yield Row("engine, images/s", f"{engine:,.0f}")
    ratio = engine / recipe
    yield Row("engine against the recipe", f"{ratio:.1f}x", "at least 3x", ratio >= 3)
    yield Row("SGEMM, square, one thread", f"{peak / 1e9:.0f} GFLOP/s")
    value = f"{share:.0%} of {skinny / 1e9:.0f} GFLOP/s"
    figure = "engine's share of the products of its own shapes, one thread"
    yield Row(figure, value, "at least 80%", share >= 0.8)
    figure = "the same of what torch's own choice of library reaches"
    yield Row(figure, f"{rate / mkl:.0%} of {mkl / 1e9:.0f} GFLOP/s")
    with busy_process():
        beside = speed.measure("engine", data, seconds) / engine
    yield Row("engine beside a busy process", f"{beside:.0%}", "at least 60%", beside >= 0.6)
    bound = 1 / speed.measure("importance", data)
    figure = "importance-weighted bound, K = 1,000, 100 test images, one thread"
    yield Row(figure, f"{bound:.1f} s", "10 s", bound <= 10)


def app_rows(data: Path | None, seconds: float) -> Iterator[Row]:
    query = "dataset=mnist&epochs=100" if data else "epochs=200"
    extra = {"VAE_DATA_DIR": str(data)} if data else {}
    with (
        tempfile.TemporaryDirectory() as folder,
        load.serve_drawn(Path(folder), extra=extra) as server,
    ):
        start = server.seconds_to_healthy
        yield Row("start to a healthy server", f"{start:.2f} s", "2 s", start <= 2)
        memory = asyncio.run(app.memory_after_every_page(server))
        yield Row("server memory after every page", f"{memory:.0f} MB", "220 MB", memory <= 220)
        for page, (wait, used) in asyncio.run(app.page_latencies(server)).items():
            value = f"{1000 * wait:.0f} ms, processor {1000 * used:.0f} ms"
            yield Row(f"script run of {page}", value, "60 ms", wait <= 0.06)
        figures = app.first_figures(server.url)
        empty = figures.pop("peer")
        yield Row("first figure of an empty app, new browser", f"{empty:.2f} s")
        for page, first in figures.items():
            value = f"{first:.2f} s, {first - empty:+.2f} s"
            met = first <= min(1.5, empty + 0.4)
            name = page or "overview"
            yield Row(f"first figure of {name}", value, "1.5 s, and 0.4 s more", met)
        # The worker has been warm since the first page asked for it.
        warm, step = app.click_to_picture(server.url, "", later=5.0)
        yield Row("click to first picture, warm worker", f"{warm:.2f} s", "1 s", warm <= 1)
        yield Row("step shown 5 s after the click, built-in digits", f"{step:,}")
        wanted = round(speed.measure("legible", None))
        waited = app.click_to_step(server.url, wanted)
        figure = f"click to legible means (MSE under .03: step {wanted}), warm worker"
        yield Row(figure, f"{waited:.2f} s", "1.5 s", waited <= 1.5)
        sent = asyncio.run(app.press_to_step(server, wanted))
        yield Row("the same, sent to a client that draws nothing", f"{sent:.2f} s")
        rate = asyncio.run(app.watched_rate(server, query, seconds))
        alone = speed.measure("command-line", data, seconds)
        value = f"{rate / alone:.0%} ({rate:,.0f} images/s)"
        yield Row(
            "training while a page watches, against the command line",
            value,
            "90%",
            rate >= 0.9 * alone,
        )
        share = asyncio.run(app.watched_share(server, query, 10, seconds))
        yield Row("training while ten sessions watch", f"{share:.0%}", "85%", share >= 0.85)
        swept = asyncio.run(app.sweep_seconds(server))
        yield Row("sweep of seven runs, built-in digits", f"{swept:.0f} s", "60 s", swept <= 60)
        for page in ("", *READING):
            moved = app.every_dial(server.url, page)
            slowest = min(moved, key=lambda name: moved[name].redraws_per_second)
            least = moved[slowest].redraws_per_second
            most = max(each.redraws_per_second for each in moved.values())
            sent = sum(each.sent for each in moved.values())
            value = f"{least:.0f} ({slowest}) to {most:.0f} a second, {sent} messages"
            met = least >= 40 and sent == 0
            name = page or "overview"
            yield Row(f"drawings while a dial of {name} moves", value, "60, none below 40", met)
        text, first = slow_line.first_visit(server.url)
        value = f"{text:.1f} s, {first:.1f} s"
        figure = "first visit at 1.5 Mbit/s, processor four times as slow: text, first figure"
        yield Row(figure, value, "8 s, 14 s", text <= 8 and first <= 14)
        answers = slow_line.race(server.url)
        value = f"{answers[0]:.1f} s, {answers[1]:.1f} s"
        figure = "a race watched at 1.5 Mbit/s: a pause, a going on answered"
        yield Row(figure, value, "2 s", max(answers) <= 2)
        seen, drawn = app.stroke(server.url)
        yield Row("drawing in view to its first pictures", f"{seen:.2f} s", "1 s", seen <= 1)
        value = f"{drawn.redraws_per_second:.0f} a second, {drawn.sent} messages"
        met = drawn.redraws_per_second >= 57 and drawn.sent == 0
        yield Row("four networks' pictures while a stroke is drawn", value, "60, none", met)
    extra |= {"VAE_DRAW_BEFOREHAND": "1"}
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), extra=extra) as server:
        cold, _ = app.click_to_picture(server.url)
        yield Row("click to first picture, new server", f"{cold:.2f} s", "5 s", cold <= 5)


def load_rows(seconds: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, load.serve_drawn(Path(folder)) as server:
        report, alone, beside = asyncio.run(_class_beside_training(server, seconds))
        figure = "30 sessions on all pages while a run trains, each acting every 4 s"
        yield from _load_rows(figure, report, 0.15)
        share = beside / alone
        value = f"{share:.0%} ({beside:,.0f} of {alone:,.0f} images/s)"
        yield Row("training beside 30 sessions", value, "60% of alone", share >= 0.6)
    for count, pages, words, think, target in (
        (100, EVERYWHERE, "all pages", 4.0, 0.3),
        (300, READING, "two lessons", 10.0, 1.0),
        (300, READING, "two lessons", 4.0, 1.0),
    ):
        with tempfile.TemporaryDirectory() as folder, load.serve_drawn(Path(folder)) as server:
            report = asyncio.run(
                load.run_class(server, count, seconds=seconds, think=think, pages=pages)
            )
            figure = f"{count} sessions on {words}, each acting every {think:g} s"
            yield from _load_rows(figure, report, target, think)
            if count == 100:
                small = report.megabytes <= 500
                yield Row(
                    "server memory, 100 sessions", f"{report.megabytes:.0f} MB", "500 MB", small
                )


def server_rows(seconds: float) -> Iterator[Row]:
    for line in server_time.report_lines(30, seconds, 4.0):
        measured, _, figure = line.strip().partition("  ")
        yield Row(figure or measured, measured if figure else "")


async def _class_beside_training(
    server: load.Server, seconds: float
) -> tuple[load.Report, float, float]:
    """A class beside a run, and the run's images a second before the class came and during it."""
    teacher = await app.Session(server.url, "train?epochs=200").open()
    await teacher.press("Train")
    # Until the worker has settled on its threads.
    await asyncio.sleep(6.0)
    alone = await app.rate(teacher, seconds / 2)
    class_ = asyncio.create_task(load.run_class(server, 30, seconds=seconds))
    await asyncio.sleep(5.0)
    beside = await app.rate(teacher, seconds - 5.0)
    report = await class_
    await teacher.press("Stop")
    await teacher.close()
    return report, alone, beside


def _load_rows(figure: str, report: load.Report, target: float, wave: float = 4.0) -> Iterator[Row]:
    p95 = quantile(report.runs, 0.95)
    value = (
        f"p50 {load.ms(report.runs, 0.5)}, p95 {1000 * p95:.0f} ms, "
        f"{len(report.runs) / report.seconds:.0f} runs/s, {len(report.exceptions)} exceptions"
    )
    met = p95 <= target and not report.exceptions
    yield Row(figure, value, f"p95 {1000 * target:.0f} ms, no exception", met)
    value = f"p50 {load.ms(report.opening, 0.5)}, p95 {load.ms(report.opening, 0.95)}"
    yield Row(f"their opening of a page, all within {wave:g} s, new server", value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw")
    parser.add_argument("--quick", action="store_true", help="a third of the time, rougher")
    parser.add_argument("--only", choices=("training", "app", "load", "server"), help="one part")
    options = parser.parse_args()
    data = options.data.resolve() if options.data else None
    seconds = 4.0 if options.quick else 12.0
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "training": lambda: training_rows(data, seconds),
        "app": lambda: app_rows(data, seconds),
        "load": lambda: load_rows(2 * seconds),
        "server": lambda: server_rows(seconds),
    }
    os.chdir(ROOT)
    print(f"{datetime.date.today()}, {machine()}, {'MNIST' if data else 'built-in digits'}\n")
    failed = False
    print("| figure | measured | target | |\n|---|---|---|---|")
    for name, rows in parts.items():
        if options.only in (None, name):
            try:
                for row in rows():
                    print(row, flush=True)
            # A part that fails leaves the others their lines.
            except Exception as error:
                print(Row(f"the rest of {name}", f"{type(error).__name__}: {error}"[:200]))
                failed = True
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
