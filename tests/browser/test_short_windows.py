"""A projector's window and a course's frame are short: figures, their axes and dials fit them."""

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def text_boxes(page: Page, number: int) -> list[tuple[str, dict[str, float]]]:
    """The texts of a figure's marks, each with its box."""
    script = """
      (marks) => [...marks].map((text) => [text.textContent, text.getBoundingClientRect().toJSON()])
    """
    figure = page.locator("[data-testid=stVegaLiteChart]").nth(number)
    return figure.locator(".mark-text text").evaluate_all(script)


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
