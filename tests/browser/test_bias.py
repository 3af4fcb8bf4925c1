"""The Bias page in Chromium: drags without the server, keys, ends of the dials, phone, dark."""

import pytest
from browsing import dial, draw_all, press_preset, restyled, set_dial, step_dial, wait_fits
from playwright.sync_api import expect

from vae.ledger import CLAIMS

pytestmark = pytest.mark.browser

DIALS = ("t", "h", "sigma", "centre", "s", "tau", "decay", "start", "g")


@pytest.fixture(scope="module")
def bias(open_for_all):
    page = open_for_all("bias")
    page.locator("[data-testid=stMain] [data-testid=stExpander] summary").evaluate_all(
        "labels => labels.forEach((label) => label.click())"
    )
    draw_all(page)
    return page


def text_of(page, label: str) -> str:
    """The text that the figures under the heading with this text show."""
    return page.locator("[data-testid=stVegaLiteChart]").filter(has_text=label).first.inner_text()


def test_a_redraw_restyles_little_of_the_page(browser, bias):
    """A rule that asks what the page holds (:has) may restyle all of it at whatever changes."""
    assert 0 < restyled(browser, bias, "t") < 1 / 20


@pytest.mark.parametrize("name", DIALS)
def test_every_step_of_a_dial_redraws_a_figure_and_sends_nothing(bias, name):
    steps = step_dial(bias, name, inputs=10)
    assert (steps.sent, steps.received) == (0, 0)
    assert steps.followed == steps.inputs


def test_presets_move_the_figures_and_the_numbers(bias):
    set_dial(bias, "t", 0.8)
    set_dial(bias, "h", 0.1)
    bias.wait_for_timeout(400)
    assert "1.726" in text_of(bias, "whole bars: ratio")
    press_preset(bias, "0.3: 0.4 or 0.2?")
    bias.wait_for_timeout(400)
    assert "1.304" in text_of(bias, "whole bars: ratio")


def test_the_keyboard_moves_a_dial(bias):
    set_dial(bias, "t", 0.8)
    slider = dial(bias, "t")
    slider.focus()
    bias.keyboard.press("ArrowRight")
    bias.wait_for_timeout(400)
    expect(slider).to_have_attribute("aria-valuetext", "0.805")


def test_optima_follow_the_dial(bias):
    set_dial(bias, "t", 0.8)
    set_dial(bias, "s", 0.05)
    dial(bias, "s").scroll_into_view_if_needed()
    bias.wait_for_timeout(600)
    assert "best p = 0.7906" in text_of(bias, "BCE: best p")


def test_targets_at_the_ends_leave_the_figures_sound(bias):
    for at in (0.0, 1.0):
        set_dial(bias, "t", at)
        bias.wait_for_timeout(400)
        assert "NaN" not in bias.locator("[data-testid=stMain]").inner_text()


def test_a_choice_of_noise_refits_the_pictures(bias):
    before = bias.get_by_text("Bernoulli / BCE · contrast").first.inner_text()
    bias.get_by_role("radio", name="the output").click()
    expect(bias.get_by_text("Bernoulli / BCE · contrast").first).not_to_have_text(before)


def places(page, row: str) -> list[tuple[float, float]]:
    """Left and upper edges of the captions and figures of a row, in the order of the page."""
    return page.locator(f".st-key-figures-{row} > *").evaluate_all(
        "(parts) => parts.map((part) => [part.getBoundingClientRect().x,"
        " part.getBoundingClientRect().y])"
    )


@pytest.mark.parametrize("row", ["minimum", "constant"])
def test_figures_stand_side_by_side_each_below_its_caption(bias, row):
    parts = places(bias, row)
    for at in range(0, len(parts), 4):
        caption, figure, next_caption, next_figure = parts[at : at + 4]
        assert caption[1] == next_caption[1] < figure[1] == next_figure[1]
        assert caption[0] == figure[0] < next_caption[0] == next_figure[0]


def test_on_a_phone_nothing_scrolls_sideways_and_captions_and_figures_alternate(bias):
    bias.set_viewport_size({"width": 390, "height": 844})
    wait_fits(bias)
    bias.wait_for_function(
        """() => [...document.querySelectorAll("[data-testid=stVegaLiteChart]")]
            .every((chart) => chart.getBoundingClientRect().right <= 391)"""
    )
    parts = places(bias, "constant")
    assert len(parts) == 4
    assert len({left for left, _ in parts}) == 1
    assert [top for _, top in parts] == sorted({top for _, top in parts})
    bias.set_viewport_size({"width": 1280, "height": 720})


def test_what_the_threads_say_unfolds_by_the_keyboard(bias):
    fold = bias.locator(".fold").first
    expect(fold.get_by_text("MSE is symmetric")).to_be_hidden()
    fold.locator("summary").focus()
    bias.keyboard.press("Enter")
    expect(fold.get_by_text("MSE is symmetric")).to_be_visible()
    told = [
        claim
        for claim in CLAIMS.values()
        if claim.link.address.startswith("bias") and claim.link.anchor == "asymmetry"
    ]
    expect(fold.locator(".card")).to_have_count(len(told))
