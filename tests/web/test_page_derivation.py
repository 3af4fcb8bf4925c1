"""The Derivation page's script: what it shows, remembers in its address, and refuses politely."""

import json

import pytest
from page_runs import run_page, text_of
from streamlit.testing.v1 import AppTest

from vae.charts.derivation.steps import STEPS
from vae.ledger import CLAIMS

SECTIONS = (
    "evidence",
    "expansion",
    "bernoulli",
    "sigma",
    "image",
    "implied-sigma",
    "learning-rate",
    "collapse",
    "learned-sigma",
    "cross-entropy",
    "beliefs",
)


@pytest.fixture(scope="module")
def page() -> AppTest:
    return run_page("derivation")


def test_eleven_sections_in_order_under_the_anchors_that_links_name(page):
    assert [header.proto.anchor for header in page.header] == list(SECTIONS)


def test_every_derivation_claim_is_on_the_page_once(page):
    text = text_of(page)
    for claim_id, claim in CLAIMS.items():
        if claim_id.startswith("D"):
            assert text.count(f"**{claim_id}** ·") == 1
            assert claim.link.anchor in SECTIONS


def test_a_plain_address_needs_no_note(page):
    assert [note.value for note in page.info] == []


BAD = {
    "sigma": "purple",
    "q_mean": "9",
    "q_scale": "0",
    "x": "-3",
    "mean": "nan",
    "variance": "0",
    "fit_mean": "1e9",
    "fit_sigma": "",
    "step": "99",
    "digit": "eleven",
    "flaw": "sepia",
    "amount": "2",
    "code": "mystery",
    "size": "1x1",
    "latents": "-4",
    "batch": "many",
    "optimiser": "lion",
    "race_sigma": "0",
    "data": "imagenet",
    "pixel": "none",
}


def test_every_bad_parameter_gets_a_note_and_the_default():
    app = run_page("derivation", **BAD)
    notes = [note.value for note in app.info]
    for name, value in BAD.items():
        [note] = [note for note in notes if note.startswith(f"{name} in the address")]
        assert repr(value) in note
        assert "default" in note
        assert len(note) < 260
    assert "σ = 19.8" in text_of(app)


def test_bad_reductions_of_your_own_get_a_note():
    app = run_page("derivation", code="your own", error_by="median", kl_by="median", weight="0")
    notes = " ".join(note.value for note in app.info)
    for name in ("error_by", "kl_by", "weight"):
        assert f"{name} in the address" in notes


def test_good_parameters_are_used():
    app = run_page(
        "derivation",
        step="all",
        code="half sum + KL",
        latents="5",
        flaw="shift",
        data="MNIST",
        optimiser="Adam",
    )
    assert [note.value for note in app.info] == []
    assert "### σ = 1\n" in text_of(app)
    assert "of 5 latents" in text_of(app)
    assert app.caption[0].value == f"Line {len(STEPS)} of {len(STEPS)}"


def test_next_and_back_walk_through_the_lines():
    app = run_page("derivation")
    buttons = {button.label: button for button in app.button}
    assert buttons["Back"].disabled
    buttons["Next"].click().run()
    assert app.caption[0].value == f"Line 2 of {len(STEPS)}"
    assert app.query_params["step"] in ("2", ["2"])
    {button.label: button for button in app.button}["All"].click().run()
    assert STEPS[-1].title in text_of(app)
    {button.label: button for button in app.button}["Back"].click().run()
    assert app.caption[0].value == f"Line {len(STEPS) - 1} of {len(STEPS)}"


@pytest.mark.parametrize(
    ("code", "sigma"),
    [("sum + KL", "0.7071"), ("mean of both", "4.427"), ("mean + KL of the batch", "224")],
)
def test_the_calculator_follows_the_code(code, sigma):
    assert f"### σ = {sigma}\n" in text_of(run_page("derivation", code=code))


def test_other_images_have_another_sigma_and_no_spectrum():
    text = text_of(run_page("derivation", size="64x64x3", code="mean + M/N KL"))
    assert f"### σ = {(0.00025 * 12288 / 2) ** 0.5:.4g}\n" in text
    assert "known for 28x28" in text


def test_the_race_says_what_it_measured():
    text = text_of(run_page("derivation", optimiser="SGD", race_sigma="3"))
    assert "**Without the KL:** paths differ by **0 %, to rounding**" in text
    assert "**With the KL:** paths differ by **141 %**" in text


@pytest.mark.parametrize(("latents", "meant"), [("5", "5"), ("many", "20")])
def test_a_hidden_number_keeps_the_value_of_the_address_or_its_default(latents, meant):
    app = run_page("derivation", hide="latents", latents=latents)
    assert [box.label for box in app.number_input] == ["Batch"]
    assert f"| of {meant} latents survive" in text_of(app)
    assert any("latents in the address" in note.value for note in app.info) == (latents == "many")


def test_a_hidden_choice_holds_what_the_address_says(page):
    def keys(app: AppTest) -> str:
        return " ".join(each.key or "" for each in app.button_group)

    app = run_page("derivation", hide="race_sigma", optimiser="SGD", race_sigma="3")
    assert "race_sigma" in keys(page)
    assert "race_sigma" not in keys(app)
    assert "**With the KL:** paths differ by **141 %**" in text_of(app)
    assert app.query_params["race_sigma"] == "3"


def test_figures_are_sent_again_as_they_were_and_anew_where_they_change():
    def figures() -> list[tuple[str, str]]:
        protos = [chart.proto for chart in app.get("vega_lite_chart")]
        return [(proto.alt, proto.spec) for proto in protos]

    app = run_page("derivation", sigma="0.31")
    first = figures()
    app.run()
    assert figures() == first
    app.selectbox(key="digit").set_value("3").run()
    changed = [new != old for new, old in zip(figures(), first, strict=True)]
    assert 0 < sum(changed) <= 6
    app.selectbox(key="digit").set_value("7").run()
    assert figures() == first


def test_section_5_shows_public_losses_and_leads_to_the_page_that_reads_ones_own(page):
    specs = [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
    assert any("σ² that the code implies" in str(spec) for spec in specs)
    links = [element.proto.body for element in page.get("html")]
    assert any('href="your_loss"' in body for body in links)
