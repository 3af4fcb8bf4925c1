"""Nothing moves under the reader's eyes: while a page opens, and while figures are drawn on the way
down. At 1280 by 720 the opening is looked at beside the audits (test_accessibility.py)."""

import pytest
from browsing import dial, sections_before_figure, shifted, wait_fits, wait_ready
from playwright.sync_api import Route, expect

from vae.web import navigation

pytestmark = pytest.mark.browser

PAGES = tuple("" if name == "overview" else name for name in navigation.PAGES)
# With as many figures as it can have.
OPENED = {"derivation": "derivation?step=all"}
# Down the page without a hand: what a hand moves is not counted.
_DOWN = """
async () => {
  const main = document.querySelector("[data-testid=stMain]");
  while (main.scrollTop + main.clientHeight < main.scrollHeight - 1) {
    const before = main.scrollTop;
    main.scrollTop += 0.7 * main.clientHeight;
    if (main.scrollTop === before) break;
    await new Promise((done) => setTimeout(done, 120));
  }
}
"""


@pytest.mark.parametrize("name", PAGES, ids=lambda name: name or "overview")
def test_nothing_moves_on_a_phone_or_is_wider_than_it(open_page, name):
    page = open_page(OPENED.get(name, name), width=390, height=844, fresh=True)
    score, worst = shifted(page)
    assert score < 0.1, worst
    if name in ("", "derivation", "bias"):
        # The first figure waits for no more than what stands above it.
        assert sections_before_figure(page) == 1
        assert page.locator("[data-testid=stMain] h2").count() > 3
    if name == "derivation":
        assert dial(page, "sigma").bounding_box()["width"] > 100
    held: list[Route] = []
    page.route("**/drawing/**/*.css", lambda route: held.append(route))
    page.evaluate(_DOWN)
    wait_ready(page)
    score, worst = shifted(page)
    assert score < 0.1, worst
    if name == "":
        _let_the_drawing_come(page, held)
        score, worst = shifted(page)
        assert score < 0.02, worst
        _frames_stand_clear_of_their_heading(page)
    wait_fits(page)


def _frames_stand_clear_of_their_heading(page):
    heading = page.locator("h2#lessons").bounding_box()
    card = page.locator(".st-key-cards-lessons > *").first.bounding_box()
    assert card["y"] >= heading["y"] + heading["height"]


def _let_the_drawing_come(page, held):
    """On a slow line its files come when what lies beside it is being read."""
    drawing = page.locator("[class*=st-key-drawing]")
    drawing.evaluate("part => part.scrollIntoView({ block: 'center' })")
    for _ in range(200):
        if held:
            break
        page.wait_for_timeout(50)
    assert held
    for route in held:
        route.continue_()
    expect(drawing.and_(page.locator("[data-came]"))).to_be_attached()


def test_who_asks_for_a_place_further_down_is_not_kept_waiting(open_page):
    page = open_page("derivation#sigma")
    assert sections_before_figure(page) > 1
    expect(page.locator("h2#sigma")).to_be_in_viewport()


def test_a_shift_is_seen(open_page):
    page = open_page("teach")
    shifted(page)
    page.evaluate(
        """() => {
            const blank = document.createElement("div");
            blank.style.height = "20rem";
            document.querySelector("[data-testid=stMainBlockContainer]").prepend(blank);
        }"""
    )
    page.wait_for_timeout(200)
    assert shifted(page)[0] > 0.1
