"""The Bias page's script: its sections, claims, address and choices."""

import re

import numpy as np
import pytest
from page_runs import run_page, text_of
from streamlit.testing.v1 import AppTest

from vae.config import PUBLIC_DATASETS
from vae.ledger import CLAIMS
from vae.shipped.cards import MATCHED_SEEDS, late_fall, matched

SECTIONS = [
    "asymmetry",
    "two-mse",
    "minimum",
    "noise",
    "pictures",
    "continuous-bernoulli",
    "gradients",
    "opposite",
    "measured",
    "question",
]


@pytest.fixture(scope="module")
def page() -> AppTest:
    return run_page("bias")


def _pictures(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def test_ten_sections_in_order(page):
    assert [header.proto.anchor for header in page.header if header.proto.anchor] == SECTIONS
    assert [note.value for note in page.info] == []


def test_every_bias_claim_is_on_the_page_once(page):
    text = text_of(page)
    for claim_id, claim in CLAIMS.items():
        if claim_id.startswith("B"):
            assert text.count(f"**{claim_id}** ·") == 1
            assert claim.link.anchor in SECTIONS


def test_every_figure_has_a_text_alternative(page):
    charts = page.get("vega_lite_chart")
    assert len(charts) >= 22
    assert all(chart.proto.alt for chart in charts)


def test_every_picture_has_a_caption_and_a_text_alternative(page):
    pictures = _pictures(page)
    figures = re.findall(
        r"<figcaption><strong>[^<]+</strong>[^<]*</figcaption><img [^>]+>", pictures
    )
    assert len(figures) == pictures.count("<img ") == 11
    assert all(len(alt) > 15 for alt in re.findall(r'alt="([^"]*)"', pictures))


BAD = {
    "t": "purple",
    "h": "0.9",
    "s": "nan",
    "tau": "-1",
    "g": "2",
    "start": "inf",
    "decay": "0",
    "stop": "",
    "centre": "9",
    "spread": "-1",
    "skew": "1e9",
    "targets": "blue",
    "noise_on": "nothing",
    "steps": "7",
    "trained": "imagenet",
    "sigma": "0",
    "descent": "lion",
    "descent_sigma": "2",
}


def test_every_bad_parameter_gets_a_note_and_the_default():
    app = run_page("bias", **BAD)
    notes = [note.value for note in app.info]
    for name, value in BAD.items():
        [note] = [note for note in notes if note.startswith(f"{name} in the address")]
        assert repr(value) in note
        assert len(note) < 260


@pytest.mark.parametrize("query", [{"t": "0"}, {"t": "1", "h": "0.495"}, {"s": "0.28"}])
def test_the_ends_of_the_dials_are_drawn(query):
    assert [note.value for note in run_page("bias", **query).info] == []


def test_noise_on_the_output_moves_bce_and_not_mse():
    app = run_page("bias", noise_on="the output", targets="mid-grey")
    found = re.findall(r"<strong>([^<]+)</strong> · contrast × ([\d.]+),", _pictures(app))
    contrast = {name: float(number) for name, number in found}
    assert len(contrast) == 4
    assert contrast["Bernoulli / BCE"] < contrast["Gaussian / MSE, any σ"]
    assert contrast["Gaussian / MSE, any σ"] < contrast["counter-biased L₁"] + 1e-3


def test_sigma_and_the_optimiser_decide_who_waits():
    """From the negative, squared error waits at sigma = .707 under plain descent alone."""

    def reached(**query: str) -> dict[str, float]:
        pictures = _pictures(run_page("bias", **query))
        found = re.findall(
            r"<strong>([^<]+)</strong> · where the target is 1 the output is ([\d.]+)", pictures
        )
        return {name.split(",")[0]: float(number) for name, number in found}

    plain, narrow = reached(), reached(descent_sigma="0.1")
    assert plain["Bernoulli / BCE"] > 0.9 > 0.1 > plain["Gaussian / MSE"]
    assert narrow["Gaussian / MSE"] > narrow["Bernoulli / BCE"]
    adam = reached(descent="Adam", steps="100")
    assert adam["Gaussian / MSE"] > adam["Bernoulli / BCE"]


@pytest.mark.parametrize(("dataset", "label"), list(PUBLIC_DATASETS.items()))
def test_the_matched_runs_are_told_with_their_spread(dataset, label):
    text = text_of(run_page("bias", trained=label))
    [gaussian, *_] = matched(dataset)["gaussian"]
    assert f"(σ = {gaussian.config.scale:g})" in text
    assert (" ± " in text) == (len(MATCHED_SEEDS[dataset]) > 1)
    assert len(MATCHED_SEEDS[dataset]) >= 3
    cards = matched(dataset)["continuous-bernoulli"]
    assert f"{np.mean([card.bits_per_pixel for card in cards]):.2f}" in text
    assert f"by {late_fall(cards):.0%} with the continuous Bernoulli" in text
