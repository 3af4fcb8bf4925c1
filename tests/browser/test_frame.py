"""The frame around the lessons: pages are reached by keyboard, and are drawn as they are needed."""

from urllib.parse import urlsplit

import pytest
from browsing import record_of, wait_ready
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_pages_are_reached_by_the_navigation_and_by_the_keyboard(open_page):
    page = open_page()
    for name in ("Derivation", "Train", "Overview"):
        before = page.locator("h1").first.inner_text()
        link = page.get_by_role("link", name=name, exact=True).first
        link.focus()
        page.keyboard.press("Enter")
        path = "" if name == "Overview" else name.lower()
        page.wait_for_url(lambda url, path=path: urlsplit(url).path.strip("/") == path)
        expect(page.locator("h1").first).not_to_have_text(before)
        # A page that writes its own settings into the address leaves it when it is left.
        assert not urlsplit(page.url).query


def test_who_opens_a_page_finds_nothing_of_who_left(open_page):
    """Tests give one page from visitor to visitor."""
    page = open_page("teach", width=390, dark=True)
    stored = """() => [
        document.cookie.replace(/_streamlit_xsrf=[^;]*;?/, "").trim(), history.length,
        localStorage.length, sessionStorage.length, innerWidth,
        matchMedia("(prefers-color-scheme: dark)").matches]"""
    found = page.evaluate(stored)
    page.evaluate(
        """() => {
            document.cookie = "left=1";
            localStorage.left = sessionStorage.left = "1";
            history.pushState(null, "", "?left=1");
        }"""
    )
    assert page.evaluate(stored) != found
    open_page.give_back()
    again = open_page("teach", width=390, dark=True)
    assert again is page
    assert again.evaluate(stored) == found
    assert "left" not in again.url
    assert (record_of(again).errors, record_of(again).outside) == ([], [])


def test_figures_are_drawn_when_they_come_near_and_all_of_them_for_a_printer(open_page):
    page = open_page("teach", fresh=True)
    # Without what draws the rest while nothing else happens: it waits for that as long as it takes.
    page.add_init_script(
        "const idle = requestIdleCallback;"
        "window.requestIdleCallback = (next, limit) => limit ? idle(next, limit) : 0"
    )
    page.goto(page.url.replace("teach", "derivation"))
    wait_ready(page)
    figures = page.locator("[data-testid=stVegaLiteChart]")
    drawn = page.locator("[data-testid=stVegaLiteChart]:has(.marks)")
    expect(drawn).not_to_have_count(0)
    assert drawn.count() < figures.count() / 2
    last = page.locator("[data-testid=stVegaLiteChart]").last
    last.evaluate("figure => figure.scrollIntoView()")
    expect(last.locator(".marks")).to_be_visible()
    page.evaluate(
        """() => {
            const waiting = (figure) => figure.checkVisibility() && !figure.querySelector(".marks");
            const figures = [...document.querySelectorAll("[data-testid=stVegaLiteChart]")];
            window.print = () => (window.blank = figures.filter(waiting).length);
        }"""
    )
    page.keyboard.press("Control+p")
    page.wait_for_function("() => window.blank !== undefined")
    assert page.evaluate("window.blank") == 0
