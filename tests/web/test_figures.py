"""Shared page parts: verdict cards, values from the address, the frame around every page."""

import re

import pytest
from page_runs import open_app
from streamlit.testing.v1 import AppTest

from vae.ledger import CLAIMS, Evidence, Verdict
from vae.ledger.types import REFERENCES
from vae.web import frame
from vae.web.kit import claims


def test_a_card_tells_verdict_statement_figure_and_sources() -> None:
    text = claims.card_text(CLAIMS["D12"], Evidence("3 of 4", agrees=True))
    assert "true with a condition" in text
    assert ":material/" in text
    assert CLAIMS["D12"].statement in text
    assert "3 of 4" in text
    assert REFERENCES["lucas"].url in text


def test_a_card_says_when_the_check_disagrees() -> None:
    assert "disagrees" in claims.card_text(CLAIMS["D1"], Evidence("0", agrees=False))


def test_a_verdict_is_never_told_by_colour_alone() -> None:
    badges = {claims.badge(verdict) for verdict in Verdict}
    assert len(badges) == 3
    for verdict in Verdict:
        assert str(verdict) in claims.badge(verdict)
        assert ":material/" in claims.badge(verdict)


def test_show_claims_draws_a_card_each_under_its_label_and_refuses_unknown_ids() -> None:
    def page() -> None:
        from vae.web.kit import claims

        claims.show_claims("D1", "B2", label="Two claims")

    app = AppTest.from_function(page).run()
    assert not app.exception
    [fold] = app.markdown
    assert "<summary>" in fold.value
    assert "Two claims" in fold.value
    assert fold.value.count('<div class="card">') == 2
    # The words are those of the ledger, in its order.
    first, second = (fold.value.index(CLAIMS[claim_id].statement) for claim_id in ("D1", "B2"))
    assert first < second

    with pytest.raises(KeyError, match="D99"):
        claims.show_claims("D99", label="")


def test_a_cards_words_hold_no_html_of_their_own() -> None:
    for claim in CLAIMS.values():
        text = claims.card_text(claim, Evidence("0", agrees=True))
        assert not re.search(r"<[a-zA-Z/!]|&[a-z]+;", text), claim.id


def test_strips_have_captions_and_alternatives_and_their_text_is_escaped() -> None:
    def page() -> None:
        from vae.web.kit.layout import Strip, show_strips

        show_strips([Strip("a < b", "data:,", 'the "first"', "x > 1"), Strip("c", "data:,", "d")])

    [strips] = AppTest.from_function(page).run().get("html")
    body = strips.proto.body
    assert body.count("<figure>") == 2
    assert "<strong>a &lt; b</strong> · x &gt; 1</figcaption>" in body
    assert 'alt="the &quot;first&quot;"' in body
    assert "<strong>c</strong></figcaption>" in body


@pytest.mark.parametrize("text", ["inf", "nan", "1e9", "-1", "", "0.3.4", "٣x", "<b>" * 50])
def test_an_address_never_brings_a_dial_out_of_its_range(text: str) -> None:
    def page() -> None:
        import streamlit as st

        from vae.charts.kit.dials import Dial
        from vae.web.kit import figures

        st.write(figures.query_values([Dial("s", "scale", 0.1, 2.0, 0.5, 0.01, log=True)])["s"])

    app = AppTest.from_function(page)
    app.query_params["s"] = text
    app.run()
    assert not app.exception
    assert app.markdown[0].value == "`0.5`"
    assert "0.1 to 2" in app.info[0].value


def test_switches_bring_their_value_at_every_run() -> None:
    """A browser that draws them first from a later run would send a blank, and switch them off."""
    app = open_app("overview", present="1")
    for _ in range(2):
        switches = {each.label: each.proto for each in app.toggle}
        assert {"Presenter mode", "Questions"} <= set(switches)
        for name in ("Presenter mode", "Questions"):
            assert switches[name].set_value
            assert switches[name].value
        app.run()
    app.toggle(key=next(each.key for each in app.toggle if each.label == "Questions")).set_value(
        False
    ).run()
    [questions] = [each for each in app.toggle if each.label == "Questions"]
    assert not questions.value


def test_every_reference_is_listed_with_its_address() -> None:
    listed = frame.references_markdown()
    for source in REFERENCES.values():
        assert source.short in listed
        assert source.url in listed


def test_a_part_of_the_address_is_written_beside_a_control_that_is_bound_to_it() -> None:
    def page() -> None:
        import streamlit as st

        from vae.web.kit import address

        st.segmented_control("Data", ["a", "b"], key="data", bind="query-params")
        address.put({"run": "1"} if st.session_state.get("data") == "b" else {}, {"run", "left"})

    app = AppTest.from_function(page)
    app.query_params.update({"data": "a", "left": "1", "from": "elsewhere"})
    app.run()
    assert not app.exception
    assert "left" not in app.query_params
    app.button_group(key="data").set_value("b").run()
    assert not app.exception
    kept = {name: app.query_params[name] for name in ("run", "from")}
    assert {name: text if isinstance(text, str) else text[-1] for name, text in kept.items()} == {
        "run": "1",
        "from": "elsewhere",
    }
