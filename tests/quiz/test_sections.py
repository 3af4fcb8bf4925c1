"""Questions of the sections: one each, one right choice, and wrong ones that the page refutes."""

import math
import re

import pytest
from page_runs import run_page

from vae.charts import beliefs
from vae.charts.bias import parts as bias
from vae.charts.derivation import evidence, parts
from vae.quiz import SECTIONS, Choice, Question, Show, totals
from vae.theory import bernoulli, implied
from vae.theory import continuous_bernoulli as cb

DIALS = {
    "derivation": {
        dial.name: dial
        for dial in (
            *parts.PIXEL_DIALS,
            *evidence.Q_DIALS,
            *beliefs.DIALS,
            parts.VARIANCE,
            parts.FIT_MEAN,
            parts.FIT_SIGMA,
        )
    },
    "bias": {
        dial.name: dial
        for dial in (
            bias.T, bias.H, bias.SIGMA, bias.CENTRE, bias.SPREAD, bias.SKEW, bias.S, bias.TAU,
            bias.DECAY, bias.STOP, bias.START, bias.G,
        )
    },
}  # fmt: skip
SHOWN = [
    (question.page, choice.show)
    for question in SECTIONS.values()
    for choice in question.choices
    if choice.show is not None
]


@pytest.mark.parametrize("page", ["derivation", "bias"])
def test_every_section_has_one_question_in_the_pages_order(page):
    app = run_page(page)
    anchors = [header.proto.anchor for header in app.header]
    asked = [question.anchor for question in SECTIONS.values() if question.page == page]
    assert asked == anchors
    assert totals()[page] == len(anchors)
    drawn = [part.proto for part in app.get("bidi_component")]
    assert sum(proto.component_name == "vae.classroom" for proto in drawn) == len(anchors)


@pytest.mark.parametrize("page", ["derivation", "bias"])
def test_a_link_without_questions_has_none_and_notes_bring_them_back(page):
    def asked(**query: str) -> int:
        drawn = [part.proto for part in run_page(page, **query).get("bidi_component")]
        return sum(proto.component_name == "vae.classroom" for proto in drawn)

    assert asked(quiz="0") == 0
    assert asked(quiz="0", notes="1") == totals()[page]


def test_what_one_press_sets_is_on_the_page_and_in_range():
    for page, show in SHOWN:
        assert show.dials or show.choices
        for name, value in show.dials.items():
            assert DIALS[page][name].contains(value), (page, name, value)
        if show.anchor:
            assert f"{page}-{show.anchor}" in SECTIONS


@pytest.mark.parametrize("page", ["derivation", "bias"])
def test_a_control_that_is_pressed_is_there_with_that_label(page):
    app = run_page(page)
    offered = {group.key: set(group.options) for group in (*app.button_group, *app.selectbox)}
    for shown_on, show in SHOWN:
        for key, label in show.choices.items() if shown_on == page else ():
            assert any(label == getattr(each, "content", each) for each in offered[key]), (
                key,
                label,
                offered[key],
            )


def test_texts_are_short_and_end():
    for question in SECTIONS.values():
        assert question.ask.endswith("?")
        for choice in question.choices:
            assert len(choice.text) < 50, choice.text
            assert re.search(r"[.]$", choice.reply), choice.reply


def test_a_question_needs_two_to_four_choices_and_one_right():
    right, wrong = Choice("a", "b."), Choice("c", "d.", Show({"x": 0.5}))
    assert Question("derivation", "sigma", "Why?", (wrong, right)).answer == 1
    for choices in ((right,), (wrong, wrong), (right, right), (right, *[wrong] * 4)):
        with pytest.raises(ValueError, match="allowed are two to four"):
            Question("derivation", "sigma", "Why?", choices)


def test_the_right_answers_are_what_the_formulas_say():
    def right(name: str) -> str:
        return SECTIONS[name].choices[SECTIONS[name].answer].text

    assert right("derivation-bernoulli") == "log 2"
    assert float(bernoulli.bernoulli_entropy(0.5)) == pytest.approx(math.log(2))
    assert "784" in right("derivation-implied-sigma")
    sums = implied.implied_variance(pixels=784, latents=20, pixel_reduction="sum")
    means = implied.implied_variance(pixels=784, latents=20, pixel_reduction="pixel-mean")
    assert means / sums == pytest.approx(784)
    assert right("bias-asymmetry").startswith("0.9")
    assert float(bernoulli.excess_ratio(0.8, 0.1)) > 1
    assert right("bias-continuous-bernoulli").startswith("Beyond")
    assert float(bernoulli.sigmoid(cb.best_logits(0.8))) > 0.8
    assert right("bias-gradients") == "BCE's"
    p = 1 / (1 + math.exp(7))
    assert abs(p - 1) > abs((p - 1) * p * (1 - p) / 0.1**2)
