"""Fixtures that drive the running app in Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from browsing import Record, wait_ready, watch
from playwright.sync_api import Browser, Page, sync_playwright


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window. Where there is none: a skip, on CI a failure."""
    executable = os.environ.get("VAE_TEST_CHROMIUM") or shutil.which("chromium")
    if executable is None:
        message = "no chromium on the PATH (or name one in VAE_TEST_CHROMIUM)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, app_url: str) -> Iterator[Callable[..., Page]]:
    """Open a page of the app and wait until it is ready.

    ``open_page("derivation?sigma=0.3", width=390, height=844, dark=True)``. At the end of the
    test every opened page must be without an uncaught error, an exception of the app, or a
    request that left this machine; ``url`` opens another server's page.
    """
    opened: list[tuple[Page, Record]] = []

    def open_one(
        path: str = "",
        width: int = 1280,
        height: int = 720,
        dark: bool = False,
        url: str = app_url,
        reduced_motion: bool = False,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        page = context.new_page()
        opened.append((page, watch(page)))
        page.goto(f"{url}/{path.lstrip('/')}")
        wait_ready(page)
        _assert_sound(page, opened[-1][1])
        return page

    yield open_one
    try:
        for page, record in opened:
            if not page.is_closed():
                _assert_sound(page, record)
    finally:
        for page, _ in opened:
            page.context.close()


def _assert_sound(page: Page, record: Record) -> None:
    shown = page.locator("[data-testid=stException]").all_inner_texts()
    assert not shown, f"{page.url} shows an exception: {shown}"
    assert not record.errors, f"{page.url}: uncaught errors {record.errors}"
    assert not record.outside, f"{page.url}: requests left this machine: {record.outside}"
