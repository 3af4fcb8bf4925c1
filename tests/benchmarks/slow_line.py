"""A visitor with a slow line: 1.5 Mbit/s, and for a first visit a processor four times as slow.

``python -m tests.benchmarks.slow_line`` opens the app in a new browser and says when its text and
its first figure are there; then it watches the race of four losses on that line, pauses it and goes
on, and says how long the page took to answer.
"""

import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.benchmarks.app import FIRST_FIGURE, chromium
from tests.benchmarks.load import serve_drawn
from tests.browsing import wait_ready

_BYTES_A_SECOND = 1.5e6 / 8
_LATENCY_MILLISECONDS = 40
_SLOWER = 4
_SECONDS = 120.0
_RACING_SECONDS = 4.0
_TEXT = """
new MutationObserver(() => {
  if (!window.firstText && document.querySelector("[data-testid=stMarkdownContainer] p"))
    window.firstText = performance.now() / 1000;
}).observe(document, { childList: true, subtree: true });
"""


def slow_down(page: Page, *, slower: float = 1.0) -> None:
    """Give ``page`` the slow line, and a processor so many times as slow."""
    browser = page.context.new_cdp_session(page)
    browser.send("Network.enable")
    browser.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": _LATENCY_MILLISECONDS,
            "downloadThroughput": _BYTES_A_SECOND,
            "uploadThroughput": _BYTES_A_SECOND,
        },
    )
    browser.send("Emulation.setCPUThrottlingRate", {"rate": slower})


def first_visit(url: str) -> tuple[float, float]:
    """Seconds from the address to the page's first text, and to its first figure."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.add_init_script(_TEXT + FIRST_FIGURE)
        slow_down(page, slower=_SLOWER)
        page.goto(url, wait_until="commit", timeout=1000 * _SECONDS)
        page.wait_for_function(
            "() => window.firstText && window.firstFigure", timeout=1000 * _SECONDS
        )
        return float(page.evaluate("firstText")), float(page.evaluate("firstFigure"))


def race(url: str) -> tuple[float, float]:
    """Seconds until a pause and a going on of a race are answered.

    Raises ``AssertionError`` where the connection was lost meanwhile.
    """
    lost: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{url}/train?lesson=race")
        wait_ready(page, seconds=_SECONDS)
        # Another connection than the first would be one that was lost.
        page.on("websocket", lambda socket: lost.append(socket.url))
        slow_down(page)
        page.get_by_role("button", name="Train 4 side by side").first.click()
        page.get_by_text("Training: step").first.wait_for(timeout=1000 * _SECONDS)
        page.wait_for_timeout(1000 * _RACING_SECONDS)
        answers = []
        for button, word in (("Pause", "Paused: step"), ("Resume", "Training: step")):
            began = time.perf_counter()
            page.get_by_role("button", name=button, exact=True).first.click()
            page.get_by_text(word).first.wait_for(timeout=1000 * _SECONDS)
            answers.append(time.perf_counter() - began)
            page.wait_for_timeout(1500)
        page.get_by_role("button", name="Stop", exact=True).first.click()
        page.get_by_text("Stopped: step").first.wait_for(timeout=1000 * _SECONDS)
    assert not lost, lost
    return answers[0], answers[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serve_drawn(Path(folder)) as server:
        # Once for nothing: the server is warm then.
        first_visit(server.url)
        text, figure = first_visit(server.url)
        print(
            f"first visit: text after {text:.1f} s, first figure after {figure:.1f} s", flush=True
        )
        pause, resume = race(server.url)
        print(f"a race: a pause is answered after {pause:.1f} s, a going on after {resume:.1f} s")


if __name__ == "__main__":
    main()
