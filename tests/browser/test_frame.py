"""The frame around the lessons: every page opens, fits its window, and is reached by keyboard."""

import pytest

pytestmark = pytest.mark.browser

PAGES = ["", "derivation", "bias", "train"]


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
        link = page.get_by_role("link", name=name, exact=True).first
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_function("(name) => document.title.length > 0", arg=name)
        page.locator("h1").first.wait_for()
    assert not page.url.rstrip("/").endswith("train")
