"""Fixtures that drive the running app in Chromium."""

import os
import shutil
from collections.abc import Iterator

import pytest
from browsing import Record, wait_ready, watch
from playwright.sync_api import Browser, Page, sync_playwright

# Letters as wide as on a desktop: the shell would round each to whole pixels.
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--font-render-hinting=none",
]


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


class Opener:
    """Opens pages of the app, each in a browser profile of its own, and looks after them."""

    def __init__(self, browser: Browser, app_url: str) -> None:
        self._browser = browser
        self._app_url = app_url
        self._opened: list[tuple[Page, Record]] = []

    def __call__(
        self,
        path: str = "",
        width: int = 1280,
        height: int = 720,
        dark: bool = False,
        url: str | None = None,
        reduced_motion: bool = False,
    ) -> Page:
        """Open a page and wait until it is ready; ``url`` names another server."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        page = context.new_page()
        self._opened.append((page, watch(page)))
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

    def close(self) -> None:
        """Close all pages, whatever they show."""
        for page, _ in self._opened:
            page.context.close()


def _opener(browser: Browser, app_url: str) -> Iterator[Opener]:
    opener = Opener(browser, app_url)
    yield opener
    try:
        opener.assert_sound()
    finally:
        opener.close()


@pytest.fixture
def open_page(browser: Browser, app_url: str) -> Iterator[Opener]:
    """Open a page of the app and wait until it is ready.

    ``open_page("derivation?sigma=0.3", width=390, height=844, dark=True)``. At the end of the
    test every opened page must be sound; ``url`` opens another server's page.
    """
    yield from _opener(browser, app_url)


@pytest.fixture(scope="module")
def open_for_all(browser: Browser, app_url: str) -> Iterator[Opener]:
    """As ``open_page``, for a page that all tests of a module share: each sets what it needs."""
    yield from _opener(browser, app_url)


def _assert_sound(page: Page, record: Record) -> None:
    shown = page.locator("[data-testid=stException]").all_inner_texts()
    assert not shown, f"{page.url} shows an exception: {shown}"
    assert not record.errors, f"{page.url}: uncaught errors {record.errors}"
    assert not record.outside, f"{page.url}: requests left this machine: {record.outside}"
