"""The Overview in Chromium: a picture that moves without the server, the ledger, the projector."""

import re

import pytest
from browsing import draw_all, press_preset, record_of, restyled, step_dial, wait_ready
from playwright.sync_api import expect

from vae.ledger import CLAIMS
from vae.ledger.types import Verdict

pytestmark = pytest.mark.browser


def cost(page, loss: str) -> float:
    texts = page.locator("[data-testid=stVegaLiteChart]").nth(2).locator("text").all_text_contents()
    numbers = [float(text) for text in texts if re.fullmatch(r"\d\.\d{3}", text)]
    return numbers[["Gaussian", "Bernoulli", "continuous"].index(loss)]


@pytest.fixture(scope="module")
def overview(open_for_all):
    return open_for_all("", width=1280, height=720)


def test_the_first_view_shows_question_figure_and_dials_on_a_projector(overview) -> None:
    for name in ("t, the pixel's grey", "p, the decoder's output", "σ of the Gaussian"):
        box = overview.get_by_role("slider", name=name).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 720


def test_a_redraw_restyles_little_of_the_page(browser, overview) -> None:
    """A rule that asks what the page holds (:has) may restyle all of it at whatever changes."""
    draw_all(overview)
    assert 0 < restyled(browser, overview, "t") < 1 / 20


def test_the_figure_follows_the_dials_without_the_server(open_page) -> None:
    page = open_page("?t=0.8&p=0.6&sigma=0.3")
    sent = record_of(page).sent
    expect(page.locator("[data-testid=stVegaLiteChart] svg.marks").nth(2)).to_be_visible()
    assert cost(page, "Gaussian") == pytest.approx(0.2**2 / (2 * 0.3**2), abs=6e-4)
    output = page.get_by_role("slider", name="p, the decoder's output")
    output.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(400)
    assert cost(page, "Gaussian") == pytest.approx(0.1**2 / (2 * 0.3**2), abs=6e-4)
    assert record_of(page).sent == sent


@pytest.mark.parametrize("name", ["t", "p", "sigma"])
def test_every_step_of_a_dial_redraws_and_sends_nothing(overview, name: str) -> None:
    steps = step_dial(overview, name, inputs=10)
    assert (steps.sent, steps.received) == (0, 0)
    assert steps.followed == steps.inputs


def test_the_presets_show_the_uneven_cost(overview) -> None:
    costs = []
    for name in ("Too bright by 0.1", "Too dark by 0.1"):
        press_preset(overview, name)
        overview.wait_for_timeout(400)
        costs.append(cost(overview, "Bernoulli"))
    assert costs == [0.044, 0.026]


def test_filters_are_in_the_address_a_check_unfolds_and_a_row_opens_its_lesson(open_page) -> None:
    page = open_page("?verdict=wrong#ledger")
    rows = page.locator(".ledger article")
    wrong = [claim for claim in CLAIMS.values() if claim.verdict is Verdict.WRONG]
    expect(rows).to_have_count(len(wrong))
    page.get_by_role("button", name="C", exact=True).click()
    expect(rows).to_have_count(sum(claim.thread == "C" for claim in wrong))
    assert "thread=C" in page.url
    first = rows.first
    first.locator("summary").press("Enter")
    expect(first.locator("pre")).to_be_visible()
    expect(first.locator("pre")).to_contain_text("-> Evidence")
    # A row opens the lesson at its figure.
    claim = next(claim for claim in wrong if claim.thread == "C" and claim.link.query)
    page.get_by_role("link", name=f"See {claim.id} in the lesson").click()
    page.wait_for_url(f"**/{claim.link.address}")
    wait_ready(page)
    expect(page.locator(f"#{claim.link.anchor}")).to_be_in_viewport()


def test_the_presenters_mode_has_no_sidebar_and_lasts_over_pages(open_page) -> None:
    page = open_page("?present=1")
    expect(page.locator("[data-testid=stSidebar]")).to_be_hidden()
    text = page.get_by_text("A variational autoencoder").element_handle()
    # The style comes as an element of its own, perhaps after the text.
    page.wait_for_function("(p) => parseFloat(getComputedStyle(p).fontSize) >= 20", arg=text)
    page.locator("[data-testid=stTopNavLink]", has_text="Bias").first.click()
    page.wait_for_url("**/bias**")
    wait_ready(page)
    expect(page.locator("[data-testid=stSidebar]")).to_be_hidden()
    page.get_by_text("Presenter mode").click()
    expect(page.locator("[data-testid=stSidebar]")).to_be_visible()
    assert "present" not in page.url
