"""Fixtures that drive the running app in Chromium."""

import os
import shutil
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import pytest
from browsing import Record, wait_ready, watch
from playwright.sync_api import Browser, Error, Page, sync_playwright

# Scripts are compiled and collected in the thread that runs them, and a page's memory grows before
# it is collected: for the same work a seventh less of two processors that have no time to spare.
_SCRIPTS = [
    "--single-threaded",
    "--initial-old-space-size=512",
    "--initial-heap-size=600",
    "--min-semi-space-size=32",
    "--max-semi-space-size=64",
]
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    # Letters as wide as on a desktop: the shell would round each to whole pixels.
    "--font-render-hinting=none",
    f"--js-flags={' '.join(_SCRIPTS)}",
]

# As many as one test has visitors.
MOST_IDLE = 3


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window. Where there is none: a skip, on CI a failure.

    The shell without a desktop draws the same pages for two thirds of the processor time.
    """
    found = map(shutil.which, ("chromium-headless-shell", "chromium"))
    executable = os.environ.get("VAE_TEST_CHROMIUM") or next(filter(None, found), None)
    if executable is None:
        message = "no chromium on the PATH (or name one in VAE_TEST_CHROMIUM)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable,
            args=_FLAGS,
        )
        yield chromium
        chromium.close()


class Desk:
    """Blank pages, each in a browser profile of its own, for one visitor after another.

    Who comes finds no cookie, nothing stored, no history, no permission and no route of who left.
    What the browser has fetched and compiled it keeps, which halves the cost of an opening.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._idle: list[tuple[Page, Record]] = []
        self._fresh: list[Page] = []

    def take(self, fresh: bool) -> tuple[Page, Record]:
        """A blank page; ``fresh``: in a browser that was never here, and is not kept."""
        if self._idle and not fresh:
            return self._idle.pop()
        page = self._browser.new_context().new_page()
        if fresh:
            self._fresh.append(page)
        return page, watch(page)

    def give_back(self, page: Page, record: Record) -> None:
        """Clear the page of its visitor and keep it for the next one."""
        context = page.context
        if page.is_closed() or page in self._fresh or len(self._idle) == MOST_IDLE:
            context.close()
            return
        for other in context.pages:
            if other != page:
                other.close()
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
        page.goto("about:blank")
        page.unroute_all()
        context.unroute_all()
        context.clear_permissions()
        context.clear_cookies()
        try:
            # What a tab stores is reached from a document of its origin alone.
            page.goto(f"{origin}/_stcore/health")
        except Error:
            context.close()
            return
        page.evaluate("() => sessionStorage.clear()")
        session = context.new_cdp_session(page)
        kinds = "local_storage,indexeddb,cache_storage,service_workers"
        session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": kinds})
        page.goto("about:blank")
        session.send("Page.resetNavigationHistory")
        session.detach()
        record.clear()
        self._idle.append((page, record))


@pytest.fixture(scope="session")
def desk(browser: Browser) -> Desk:
    """The pages that are opened by ``open_page``."""
    return Desk(browser)


class Opener:
    """Opens pages of the app, each for a visitor who was never here, and looks after them."""

    def __init__(self, desk: Desk, app_url: str) -> None:
        self._desk = desk
        self._app_url = app_url
        self._opened: list[tuple[Page, Record]] = []

    def __call__(
        self,
        path: str = "",
        width: int = 1280,
        height: int = 720,
        dark: bool = False,
        url: str | None = None,
        fresh: bool = False,
    ) -> Page:
        """Open a page and wait until it is ready; ``url`` names another server.

        ``fresh`` is for what depends on a browser that has fetched nothing yet, or is to have
        something in it that stays (a script, a listener).
        """
        page, record = self._desk.take(fresh)
        self._opened.append((page, record))
        page.set_viewport_size({"width": width, "height": height})
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        page.emulate_media(color_scheme=scheme, media="null")
        page.goto(f"{url or self._app_url}/{path.lstrip('/')}")
        # The shell's pointer begins in a corner, which is the sidebar's.
        page.mouse.move(width - 2, height - 2)
        wait_ready(page)
        self.assert_sound()
        return page

    def assert_sound(self) -> None:
        """No page has an uncaught error, an exception of the app, or asked another machine."""
        for page, record in self._opened:
            if not page.is_closed():
                _assert_sound(page, record)

    def give_back(self) -> None:
        """Let the next visitors have the pages, as if this one had left."""
        for page, record in self._opened:
            self._desk.give_back(page, record)
        self._opened.clear()

    def close(self) -> None:
        """Close all pages, whatever they show."""
        for page, _ in self._opened:
            page.context.close()


def _opener(desk: Desk, app_url: str, request: pytest.FixtureRequest) -> Iterator[Opener]:
    opener, failed = Opener(desk, app_url), request.session.testsfailed
    yield opener
    try:
        opener.assert_sound()
    except BaseException:
        opener.close()
        raise
    if request.session.testsfailed == failed:
        opener.give_back()
    else:
        # Nobody knows in what state a failed test leaves its pages.
        opener.close()


@pytest.fixture
def open_page(desk: Desk, app_url: str, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Open a page of the app and wait until it is ready.

    ``open_page("derivation?sigma=0.3", width=390, height=844, dark=True)``. At the end of the
    test every opened page must be sound; ``url`` opens another server's page.
    """
    yield from _opener(desk, app_url, request)


@pytest.fixture(scope="module")
def open_for_all(desk: Desk, app_url: str, request: pytest.FixtureRequest) -> Iterator[Opener]:
    """As ``open_page``, for a page that all tests of a module share: each sets what it needs."""
    yield from _opener(desk, app_url, request)


def _assert_sound(page: Page, record: Record) -> None:
    shown = page.locator("[data-testid=stException]").all_inner_texts()
    assert not shown, f"{page.url} shows an exception: {shown}"
    assert not record.errors, f"{page.url}: uncaught errors {record.errors}"
    assert not record.outside, f"{page.url}: requests left this machine: {record.outside}"
