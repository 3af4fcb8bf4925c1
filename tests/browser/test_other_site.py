"""In a frame of another site, a learning platform's, a learner steers her own run too."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browsing import READY
from playwright.sync_api import Browser, FrameLocator, Page, expect

pytestmark = pytest.mark.browser

Platform = Callable[[str], str]


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """Serves a page of another site, ``localhost``, with a frame around an address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def around(address: str) -> str:
            frame = f'<iframe src="{address}" width="1200" height="1400"></iframe>'
            (tmp_path / "course.html").write_text(f"<!doctype html><title>C</title>{frame}")
            return f"http://localhost:{server.server_port}/course.html"

        yield around
        server.shutdown()


def ready(frame: FrameLocator) -> FrameLocator:
    frame.locator(READY).wait_for(state="attached", timeout=60_000)
    return frame


def test_a_reload_in_a_frame_of_another_site_keeps_the_buttons(
    browser: Browser, open_page: Callable[[str], Page], app_url: str, platform: Platform
):
    """Both ways of losing what a browser keeps: the frame loads anew, and the course's page."""
    context = browser.new_context(viewport={"width": 1280, "height": 1500})
    page = context.new_page()
    page.goto(platform(f"{app_url}/train?epochs=200&hidden_dim=16&embed=true"))
    frame = ready(page.frame_locator("iframe"))
    frame.get_by_role("button", name="Train", exact=True).click()
    expect(frame.get_by_role("button", name="Stop")).to_be_visible(timeout=60_000)
    inside = page.frames[1]
    # The address follows the buttons.
    inside.wait_for_function("() => location.href.includes('run=')")
    run = inside.evaluate("() => location.href")
    inside.evaluate("() => location.reload()")
    page.wait_for_timeout(500)
    frame = ready(page.frame_locator("iframe"))
    expect(frame.get_by_role("button", name="Stop")).to_be_visible(timeout=60_000)
    # The course is opened anew: its frame has the first address, without the run, and finds it.
    page.reload()
    frame = ready(page.frame_locator("iframe"))
    expect(frame.get_by_role("button", name="Stop")).to_be_visible(timeout=60_000)

    # Who opens the run's address elsewhere watches, and steers nothing.
    watching = open_page(f"train?{urlsplit(run).query}")
    expect(watching.get_by_text("Watching: only its owner")).to_be_visible(timeout=60_000)
    expect(watching.get_by_role("button", name="Stop")).to_have_count(0)
    assert_the_key_is_out_of_every_scripts_reach(watching)

    frame.get_by_role("button", name="Stop").click()
    # Before the page goes: a press that is lost with it leaves a run that others wait for.
    stopped = frame.get_by_test_id("stProgress").first
    expect(stopped).to_contain_text("Stopped", timeout=60_000)
    context.close()


def assert_the_key_is_out_of_every_scripts_reach(page: Page) -> None:
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert kept["vae_key"]["value"] == kept["vae_key_in_frame"]["value"]
    assert kept["vae_key"]["value"] not in page.evaluate("() => document.cookie")
    assert all(kept[name]["httpOnly"] for name in ("vae_key", "vae_key_in_frame"))
