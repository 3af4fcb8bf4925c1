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


@pytest.mark.parametrize(
    "path",
    [
        "",
        "train",
        # Built as the first is.
        pytest.param("derivation", marks=pytest.mark.wide),
        pytest.param("bias", marks=pytest.mark.wide),
    ],
)
def test_a_frame_begins_with_the_page_and_its_button_covers_nothing(open_page, path):
    page = open_page(f"{path}?embed=true", width=1200, height=700)
    # Styles come with the page's first message: a slow machine draws once without them.
    page.wait_for_function("() => document.querySelector('h1').getBoundingClientRect().y < 32")
    page.set_viewport_size({"width": 700, "height": 700})
    page.locator("[data-testid=stExpandSidebarButton]").wait_for()
    button = page.locator("[data-testid=stExpandSidebarButton]").bounding_box()
    title = page.locator("h1").first.bounding_box()
    assert button is not None
    assert title is not None
    assert title["y"] >= button["y"] + button["height"] - 8


def test_a_name_never_stands_on_its_number(open_page):
    page = open_page("", height=900)
    page.locator("svg.marks text", has_text="continuous Bernoulli").first.wait_for()
    for width in (1280, 1000, 900, 760, 700, 641):
        page.set_viewport_size({"width": width, "height": 900})
        # The figure takes the width of its column a moment after the window has its own.
        page.wait_for_timeout(500)
        touching = met(text_boxes(page, 2))
        for _ in range(40):
            if not touching:
                break
            page.wait_for_timeout(250)
            touching = met(text_boxes(page, 2))
        assert any(text == "continuous Bernoulli" for text, _ in text_boxes(page, 2)), width
        assert not touching, width


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
