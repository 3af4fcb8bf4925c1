"""The frame around the lessons: every page opens, fits its window, and is reached by keyboard."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PAGES = ["", "derivation", "bias", "your_loss", "train"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("width", "dark"), [(1280, False), (390, True)], ids=["projector", "dark phone"]
)
def test_every_page_opens_without_errors(open_page, path, width, dark):
    page = open_page(path, width=width, height=800, dark=dark)
    assert page.locator("h1").first.inner_text()
    # Nothing is wider than the window: a phone never scrolls sideways.
    overflow = page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0


def test_pages_are_reached_by_the_navigation_and_by_the_keyboard(open_page):
    page = open_page()
    for name in ("Derivation", "Bias", "Train", "Overview"):
        before = page.locator("h1").first.inner_text()
        link = page.get_by_role("link", name=name, exact=True).first
        link.focus()
        page.keyboard.press("Enter")
        path = "" if name == "Overview" else name.lower()
        page.wait_for_url(lambda url, path=path: urlsplit(url).path.strip("/") == path)
        expect(page.locator("h1").first).not_to_have_text(before)
        # A page that writes its own settings into the address leaves it when it is left.
        assert not urlsplit(page.url).query
