"""A projector's window and a course's frame are short: figures, their axes and dials fit them."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

DOCKED = ["derivation", "bias"]
# For each docked row of dials: how far down the window is free, and the figures it belongs to.
_FIGURES = """
() => {
  const dock = document.querySelector("[class*=st-key-dock-]");
  const section = dock.parentElement.closest(".stVerticalBlock");
  return {
    room: dock.getBoundingClientRect().top,
    figures: [...section.querySelectorAll("svg.marks")].map((figure) => {
      const box = figure.getBoundingClientRect();
      return { top: box.top, bottom: box.bottom, height: box.height };
    }),
  };
}
"""


def text_boxes(page: Page, number: int) -> list[tuple[str, dict[str, float]]]:
    """The texts of a figure's marks, each with its box."""
    script = """
      (marks) => [...marks].map((text) => [text.textContent, text.getBoundingClientRect().toJSON()])
    """
    figure = page.locator("[data-testid=stVegaLiteChart]").nth(number)
    return figure.locator(".mark-text text").evaluate_all(script)


def settled(page: Page) -> dict:
    """Where docked dials and their figures stand once nothing moves any more."""
    page.locator("[class*=st-key-dock-]").first.wait_for()
    before, now = None, page.evaluate(_FIGURES)
    while before != now or not now["figures"]:
        page.wait_for_timeout(300)
        before, now = now, page.evaluate(_FIGURES)
    return now


@pytest.mark.parametrize("query", ["", "?embed=true"], ids=["a page", "a frame"])
@pytest.mark.parametrize("path", DOCKED)
def test_docked_dials_leave_the_axes_of_a_figure_in_a_projectors_window(open_page, path, query):
    page = open_page(path + query, width=1280, height=720)
    seen = settled(page)
    assert seen["figures"]
    # The first is there with its axes as the page opens.
    assert seen["figures"][0]["bottom"] <= seen["room"]
    # And each can be brought between the window's upper edge and the dials, with its caption.
    tall = [box["height"] for box in seen["figures"] if box["height"] > seen["room"] - 80]
    assert not tall


@pytest.mark.parametrize("path", ["", "derivation", "bias", "train"])
def test_a_frame_begins_with_the_page_and_not_with_a_blank(open_page, path):
    page = open_page(f"{path}?embed=true", width=1200, height=700)
    # Styles come with the page's first message: a slow machine draws once without them.
    page.wait_for_function("() => document.querySelector('h1').getBoundingClientRect().y < 32")


@pytest.mark.parametrize("path", ["", "bias"])
def test_the_sidebars_button_covers_nothing_in_a_narrow_frame(open_page, path):
    page = open_page(f"{path}?embed=true", width=700, height=700)
    button = page.locator("[data-testid=stExpandSidebarButton]").bounding_box()
    title = page.locator("h1").first.bounding_box()
    assert button is not None
    assert title is not None
    assert title["y"] >= button["y"] + button["height"] - 8


@pytest.mark.parametrize("width", [641, 700, 760, 900, 1000, 1280])
def test_a_name_never_stands_on_its_number(open_page, width):
    page = open_page("", width=width, height=900)
    page.locator("svg.marks text", has_text="continuous Bernoulli").first.wait_for()
    touching = met(text_boxes(page, 2))
    for _ in range(40):
        if not touching:
            break
        # The figure takes the width of its column a moment after it is drawn.
        page.wait_for_timeout(250)
        touching = met(text_boxes(page, 2))
    assert any(text == "continuous Bernoulli" for text, _ in text_boxes(page, 2))
    assert not touching


def met(texts):
    """Pairs of texts whose boxes lie over one another."""
    return [
        (text, other)
        for at, (text, box) in enumerate(texts)
        for other, beside in texts[at + 1 :]
        if not (
            box["right"] <= beside["left"]
            or beside["right"] <= box["left"]
            or box["bottom"] <= beside["top"] + 2
            or beside["bottom"] <= box["top"] + 2
        )
    ]
