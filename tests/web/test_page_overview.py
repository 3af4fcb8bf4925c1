"""The Overview: its answer, the ledger's filters from the address, and its speed."""

import json

import pytest
from page_runs import open_app, sent_to
from streamlit.testing.v1 import AppTest

import vae
from vae.ledger import CLAIMS
from vae.shipped.cards import load_cards
from vae.web.kit import claims


def ledger(app: AppTest) -> str:
    return next(h.proto.body for h in app.get("html") if 'class="ledger"' in h.proto.body)


def test_the_page_has_its_parts_in_order() -> None:
    app = open_app()
    assert [header.value for header in app.header][:3] == [
        "The answer, for one pixel",
        "Every loss is a belief",
        "Three lessons, and your own loss",
    ]
    assert len(app.get("vega_lite_chart")) == 6
    assert ledger(app).count("<article") == len(CLAIMS)


def test_the_dials_open_at_the_addresss_values() -> None:
    app = open_app(t="0.3", p="0.2", sigma="1")
    specs = [chart.proto.spec for chart in app.get("vega_lite_chart")][:3]
    assert all('"value": 0.3' in spec or '"value":0.3' in spec for spec in specs)


def dials_and_presets(app: AppTest) -> tuple[set[str], set[str]]:
    rows = sent_to(app, "vae.dials")
    dials = {dial["name"] for row in rows for dial in row["dials"]}
    return dials, {preset["label"] for row in rows for preset in row["presets"]}


def test_a_lessons_link_hides_the_controls_that_it_names() -> None:
    all_dials, all_presets = dials_and_presets(open_app())
    app = open_app(hide="sigma,presets", sigma="1")
    dials, presets = dials_and_presets(app)
    assert dials == all_dials - {"sigma"} >= {"t", "p"}
    assert "Too bright by 0.1" in all_presets - presets
    # The figures are where the link puts them: log10 of 1.
    params = [
        param
        for chart in app.get("vega_lite_chart")
        for param in json.loads(chart.proto.spec).get("params", ())
        if param["name"] == "log10_sigma"
    ]
    assert params
    assert {param["value"] for param in params} == {0}


def test_the_losses_have_one_number_each_in_one_unit() -> None:
    text = " ".join(item.value for item in open_app().markdown)
    card = load_cards()["mnist-bernoulli"]
    assert f"BCE **{card.bits_per_pixel:.2f}**" in text


def test_a_family_is_chosen_from_the_address() -> None:
    text = " ".join(item.value for item in open_app(family="squared error").markdown)
    assert "every Bregman loss has it" in text
    assert "The **median**" in " ".join(item.value for item in open_app().markdown)


@pytest.mark.parametrize(
    "query", [{"t": "7"}, {"p": "x"}, {"sigma": "nan"}, {"sigma": "-1"}, {"t": ""}]
)
def test_a_wrong_value_gives_the_default_and_a_note(query: dict[str, str]) -> None:
    app = open_app(**query)
    assert len(app.info) == 1
    assert next(iter(query)) in app.info[0].value


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({"verdict": "wrong"}, lambda claim: claim.verdict == "wrong"),
        ({"thread": "B"}, lambda claim: claim.thread == "B"),
        (
            {"verdict": "true", "thread": "C"},
            lambda claim: claim.verdict == "true" and claim.thread == "C",
        ),
    ],
)
def test_the_ledger_is_filtered_from_the_address(query, kept) -> None:
    shown = ledger(open_app(**query))
    for claim in CLAIMS.values():
        assert (f'id="{claim.id}"' in shown) == kept(claim), claim.id


def test_each_row_tells_verdict_figure_link_and_code() -> None:
    shown = claims.rows_html(("D10",))
    assert "true" in shown
    assert "9.56%" in shown
    assert 'href="derivation?sigma=0.3&amp;mean=0.5#sigma"' in shown
    assert "def mass_outside" in shown
    assert "<script" not in shown


def test_a_presenters_links_keep_the_mode() -> None:
    assert "present=1#sigma" in claims.rows_html(("D10",), present=True)
    app = open_app(present="1")
    assert "present=1" in ledger(app)
    assert app.toggle(key="presenter").value is True
    app.toggle(key="presenter").set_value(False).run()
    assert "present" not in app.query_params


@pytest.mark.parametrize("query", [{"verdict": "perhaps"}, {"thread": "<b>Z</b>"}])
def test_a_wrong_filter_is_left_out_with_a_note(query: dict[str, str]) -> None:
    app = open_app(**query)
    assert ledger(app).count("<article") == len(CLAIMS)
    assert next(iter(query)) in app.info[0].value


def test_the_version_stands_at_the_foot_of_the_page() -> None:
    app = open_app()
    assert app.main.markdown[-1].value.endswith(f"Version {vae.__version__}]")
