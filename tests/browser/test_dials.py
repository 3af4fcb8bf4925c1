"""One dial drives several figures in the browser, at frame rate, without the server."""

from pathlib import Path

import pytest
from appserver import serve
from browsing import dial, press_preset, record_of, set_dial, step_dial
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

_APP = """
import altair as alt
import streamlit as st

from vae.charts.kit.dials import Dial
from vae.web.kit import figures

SIGMA = Dial("sigma", "Sigma", 0.01, 20.0, 1.0, 0.01, log=True, unit="px")
MEAN = Dial("mean", "Mean", -1.0, 1.0, 0.0, 0.01)


def build_curve_chart(*, sigma: float, mean: float) -> alt.Chart:
    return (
        alt.Chart(alt.sequence(-3, 3, 0.02, as_="x"))
        .transform_calculate(y="densityNormal(datum.x, mean, sigma)")
        .mark_line()
        .encode(x="x:Q", y="y:Q")
        .add_params(*SIGMA.params(sigma), *MEAN.params(mean))
        .properties(description="a curve")
    )


def build_text_chart(*, sigma: float) -> alt.Chart:
    return (
        alt.Chart(alt.sequence(0, 1, as_="x"))
        .transform_calculate(text="'sigma ' + format(sigma, '.4f')")
        .mark_text()
        .encode(text="text:N")
        .add_params(*SIGMA.params(sigma))
        .properties(description="a number")
    )


values = figures.query_values([SIGMA, MEAN])
figures.dials(SIGMA, MEAN, values=values, presets={"Small": {"sigma": 0.1}}, key="dials")
for column, key in zip(st.columns(2), ("a", "b")):
    with column:
        figures.show_chart(build_curve_chart, key=key, **values)
figures.show_chart(build_text_chart, key="c", sigma=values["sigma"])
"""


@pytest.fixture(scope="module")
def dial_url(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("dials")
    script: Path = folder / "app.py"
    script.write_text(_APP, encoding="utf-8")
    with serve(folder, script=script) as server:
        yield server.url


@pytest.fixture(scope="module")
def page(open_for_all, dial_url):
    return open_for_all("", url=dial_url)


def test_every_step_of_a_drag_moves_every_figure_and_sends_nothing(page):
    steps = step_dial(page, "sigma")
    assert (steps.sent, steps.received) == (0, 0)
    assert steps.followed == steps.inputs
    paths = page.locator("[data-testid=stVegaLiteChart] .mark-line path")
    assert paths.count() == 2
    assert paths.nth(0).get_attribute("d") == paths.nth(1).get_attribute("d")


def test_a_bad_address_is_said_and_the_default_used(open_page, dial_url):
    page = open_page("?sigma=purple", url=dial_url)
    expect(page.locator("[data-testid=stAlert]")).to_contain_text("'purple'")
    expect(page.locator("[data-testid=stVegaLiteChart]").last).to_contain_text("sigma 1.0000")


def test_presets_keys_and_positions_drive_the_figures(page):
    text = page.locator("[data-testid=stVegaLiteChart]").last
    press_preset(page, "Small")
    expect(text).to_contain_text("sigma 0.1000")
    set_dial(page, "sigma", 0.3)
    expect(text).to_contain_text(f"sigma {10**0.3:.4f}")
    dial(page, "sigma").focus()
    page.keyboard.press("ArrowRight")
    expect(text).to_contain_text(f"sigma {10**0.31:.4f}")


def test_an_address_sets_dials_and_figures_and_a_reload_finds_where_they_were_left(
    open_page, dial_url
):
    page = open_page("?sigma=0.25", url=dial_url)
    text = page.locator("[data-testid=stVegaLiteChart]").last
    expect(text).to_contain_text("sigma 0.2500")
    assert dial(page, "sigma").get_attribute("aria-valuetext") == "0.250 px"
    sent = record_of(page).sent
    set_dial(page, "sigma", 0.3)
    expect(text).to_contain_text(f"sigma {10**0.3:.4f}")
    page.wait_for_timeout(300)
    assert record_of(page).sent == sent
    page.reload()
    expect(text).to_contain_text(f"sigma {10**0.3:.4f}")
    assert float(dial(page, "sigma").input_value()) == pytest.approx(0.3)
    assert float(dial(page, "mean").input_value()) == 0
    # What an address says counts for who comes by it, in the same tab too.
    page.goto(f"{dial_url}/?sigma=0.5")
    expect(text).to_contain_text("sigma 0.5000")
    page.goto(f"{dial_url}/?sigma=0.25")
    expect(text).to_contain_text("sigma 0.2500")
