"""The running app: its start, its memory, its answers, the first picture, the dragged figure."""

import asyncio
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.appserver import Server, serve
from tests.benchmarks.client import Session
from tests.benchmarks.load import EVERYWHERE, READING, cpu_seconds, quantile
from tests.benchmarks.speed import BATCH
from tests.browsing import (
    Drag,
    dial,
    drag_stroke,
    draw_all,
    sweep_dial,
    wait_ready,
    watch,
)


async def page_latencies(
    server: Server, runs: int = 20, pages: Sequence[str] = EVERYWHERE
) -> dict[str, tuple[float, float]]:
    """For each page: median seconds of a script run as a visitor sees it, processor seconds."""
    figures = {}
    for page in pages:
        session = await Session(server.url, page).open()
        for _ in range(3):
            await session.rerun()
        before = cpu_seconds(server.process)
        waits = [await session.rerun() for _ in range(runs)]
        used = (cpu_seconds(server.process) - before) / runs
        await session.close()
        figures[page or "overview"] = quantile(waits, 0.5), used
    return figures


async def memory_after_every_page(server: Server) -> float:
    """Megabytes of the server after one visitor has opened every page."""
    session = Session(server.url)
    await session.open()
    for page in EVERYWHERE:
        await session.go(page)
    await session.close()
    return float(server.process.memory_info().rss) / 2**20


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium with a new profile."""
    executable = os.environ.get("VAE_TEST_CHROMIUM") or shutil.which("chromium")
    if executable is None:
        raise RuntimeError("no chromium on the PATH (or name one in VAE_TEST_CHROMIUM)")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        yield browser
        browser.close()


@contextmanager
def chromium_page(url: str, height: int = 900) -> Iterator[Page]:
    """A ready page in Chromium, its messages and frames counted."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": height})
        watch(page)
        page.goto(url)
        wait_ready(page, seconds=60)
        yield page


_PEER = """
import altair as alt
import streamlit as st

st.title("An empty app")
curve = alt.Chart(alt.sequence(-3, 3, 0.02, as_="x")).transform_calculate(y="datum.x * datum.x")
st.altair_chart(curve.mark_line().encode(x="x:Q", y="y:Q"))
"""
FIRST_FIGURE = """
new MutationObserver(() => {
  if (!window.firstFigure && document.querySelector(".stVegaLiteChart .marks"))
    window.firstFigure = performance.now() / 1000;
}).observe(document, { childList: true, subtree: true });
"""


def first_figures(url: str, runs: int = 5) -> dict[str, float]:
    """Median seconds from the address to the first figure in a new browser, server warm: of each
    reading page, and under "" of the overview; under "peer" of an empty app with one figure."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "peer.py"
        script.write_text(_PEER, encoding="utf-8")
        with serve(Path(folder), script=script) as peer:
            places = {"peer": peer.url, **{page: f"{url}/{page}" for page in ("", *READING)}}
            seen: dict[str, list[float]] = {name: [] for name in places}
            # In turn, the first round for nothing: both servers are warm then.
            for _ in range(runs + 1):
                for name, place in places.items():
                    seen[name].append(_first_figure(place))
    return {name: quantile(times[1:], 0.5) for name, times in seen.items()}


def _first_figure(url: str) -> float:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.add_init_script(FIRST_FIGURE)
        page.goto(url)
        page.wait_for_function("() => window.firstFigure", timeout=60_000)
        return float(page.evaluate("window.firstFigure"))


def every_dial(url: str, page: str) -> dict[str, Drag]:
    """Move each dial that is seen on the page at every frame, all figures drawn."""
    with chromium_page(f"{url}/{page}") as browser_page:
        draw_all(browser_page)
        ids = browser_page.locator("[id^=dial-]").evaluate_all(
            "dials => dials.filter((dial) => dial.checkVisibility()).map((dial) => dial.id)"
        )
        names = dict.fromkeys(id.removeprefix("dial-") for id in ids)
        seen = [name for name in names if dial(browser_page, name).is_visible()]
        return {name: sweep_dial(browser_page, name) for name in seen}


def stroke(url: str) -> tuple[float, Drag]:
    """Seconds from the drawing's coming into view to its first pictures, and a stroke of three
    seconds, in a new browser on a server that has shown it once."""
    for _ in range(2):
        with chromium_page(f"{url}/train", height=400) as page:
            began = time.perf_counter()
            page.locator(".drawing").scroll_into_view_if_needed()
            page.locator(".drawing .board").wait_for(timeout=60_000)
            first = time.perf_counter() - began
            page.set_viewport_size({"width": 1280, "height": 900})
            drag = drag_stroke(page, seconds=3.0)
    return first, drag


def click_to_picture(url: str, query: str = "", later: float = 0.0) -> tuple[float, int]:
    """Press Train; seconds to the first reconstruction, and the step shown ``later`` s after."""
    with chromium_page(f"{url}/train?{query}") as page:
        began = time.perf_counter()
        page.get_by_role("button", name="Train", exact=True).first.click()
        means = page.locator("img[alt^='decoder means']").first
        means.wait_for(state="visible", timeout=60_000)
        first = time.perf_counter() - began
        page.wait_for_timeout(max(0.0, 1000 * (later - first)))
        step = int((means.get_attribute("alt") or "0").rsplit(" ", 1)[1].replace(",", ""))
        page.get_by_role("button", name="Stop", exact=True).first.click()
        return first, step


def click_to_step(url: str, step: int, runs: int = 3) -> float:
    """Press Train; median seconds until the page shows reconstructions of ``step`` or later."""
    seen = []
    for _ in range(runs):
        with chromium_page(f"{url}/train") as page:
            # Until the worker and the page rest.
            page.wait_for_timeout(1500)
            began = time.perf_counter()
            page.get_by_role("button", name="Train", exact=True).first.click()
            means = page.locator("img[alt^='decoder means']").first
            while _step_of(means.get_attribute("alt", timeout=60_000) or "") < step:
                page.wait_for_timeout(10)
            seen.append(time.perf_counter() - began)
            page.get_by_role("button", name="Stop", exact=True).first.click()
            page.get_by_text("Stopped").first.wait_for(timeout=60_000)
    return quantile(seen, 0.5)


async def press_to_step(server: Server, step: int, runs: int = 3) -> float:
    """The same without a browser on this machine: median seconds until a client is sent them."""
    seen = []
    for _ in range(runs):
        session = await Session(server.url, "train", compressed=True).open()
        await asyncio.sleep(1.5)
        began = time.perf_counter()
        await session.press("Train")
        while _step_sent(session) < step:
            await asyncio.sleep(0.01)
        seen.append(time.perf_counter() - began)
        await session.press("Stop")
        while "Stopped: step" not in session.texts():
            await asyncio.sleep(0.1)
        await session.close()
    return quantile(seen, 0.5)


def _step_sent(session: Session) -> int:
    """The step of the newest reconstructions; -1 before the first."""
    parts = [each.bidi_component for each in session.shown.values()]
    told = [each.mixed.json or each.json for each in parts]
    found = [re.search(r"decoder means at step (\d+)", each) for each in told]
    return max((int(each[1]) for each in found if each), default=-1)


def _step_of(alt: str) -> int:
    last = alt.rsplit(" ", 1)[-1].replace(",", "")
    return int(last) if last.isdecimal() else -1


async def watched_rate(server: Server, query: str, seconds: float) -> float:
    """Images a second of a run while a page watches it."""
    session = await Session(server.url, f"train?{query}").open()
    await session.press("Train")
    images_per_second = await rate(session, seconds)
    await session.press("Stop")
    await session.close()
    return images_per_second


async def watched_share(server: Server, query: str, watchers: int, seconds: float) -> float:
    """The speed of a run that ``watchers`` watch beside its owner, over that before and after."""
    session = await Session(server.url, f"train?{query}").open()
    await session.press("Train")
    # Until the worker has settled on its threads.
    await asyncio.sleep(6.0)
    before = await rate(session, seconds)
    link = session.query
    class_ = [await Session(server.url, f"train?{link}").open() for _ in range(watchers)]
    await asyncio.sleep(3.0)
    watched = await rate(session, seconds)
    for each in class_:
        await each.close()
    await asyncio.sleep(2.0)
    after = await rate(session, seconds)
    await session.press("Stop")
    await session.close()
    return 2 * watched / (before + after)


async def sweep_seconds(server: Server, kind: str = "Over σ: 7 runs", most: float = 300.0) -> float:
    """From the press to the end of a sweep of the built-in digits, as a page sees it."""
    session = await Session(server.url, "train").open()
    began = time.perf_counter()
    await session.press(kind)
    while "Finished: step" not in session.texts():
        if time.perf_counter() - began > most:
            raise AssertionError(f"{kind}: not finished after {most:g} s")
        await asyncio.sleep(0.2)
    took = time.perf_counter() - began
    await session.close()
    return took


async def rate(session: Session, seconds: float) -> float:
    """Images a second, in batches of 128, by the steps the page shows over about ``seconds``."""
    marks: list[tuple[float, int]] = []
    deadline = time.perf_counter() + seconds + 30
    while time.perf_counter() < deadline:
        await asyncio.sleep(0.2)
        step = step_shown(session.texts())
        if step and (not marks or step != marks[-1][1]):
            marks.append((time.perf_counter(), step))
        if marks and marks[-1][0] - marks[0][0] > seconds:
            break
    if len(marks) < 2:
        raise AssertionError(f"no step was seen to follow another in {seconds} s")
    (start, first), (end, last) = marks[0], marks[-1]
    return (last - first) * BATCH / (end - start)


def step_shown(text: str) -> int:
    """The step that the page shows: "Training: step 1,234 of 5,000"."""
    _, found, rest = text.partition("Training: step ")
    return int(rest.split(" ")[0].replace(",", "")) if found else 0
