"""Verdicts: they follow the numbers of the run, and say when these contradict what was foretold."""

import re
from dataclasses import replace

import pytest

from vae.config import TrainConfig
from vae.lessons import questions
from vae.lessons.questions import LESSONS
from vae.lessons.verdicts import Outcome, judge
from vae.theory.prediction import Prediction

BRIGHT = ((0.1, 0.15), (0.5, 0.5), (0.9, 0.85))
WEAK = ((0.1, 0.3), (0.5, 0.5), (0.9, 0.7))


def outcomes(lesson: str, *changes: dict) -> list[Outcome]:
    """One outcome for each member of the lesson, with these figures."""
    chosen = LESSONS[lesson]
    configs = questions.members(TrainConfig(**chosen.settings), chosen.against)
    given = changes or ({},) * len(configs)
    return [
        replace(Outcome(label, config, mse=0.02, kl=20.0, loss=100.0, active=10), **change)
        for config, label, change in zip(configs, questions.labels(configs), given, strict=True)
    ]


def linear(active: int, kl: float = 20.0, scale: float = 1.0) -> Prediction:
    return Prediction(scale, scale**2, active, (kl,), 0.02, None)


CASES = [
    ("race", [{"mse": 0.02, "kl": 22}, {"mse": 0.04, "kl": 9}, {"mse": 0.01, "kl": 40},
              {"mse": 0.015, "kl": 30}], True),
    ("race", [{"mse": 0.02, "kl": 22}, {"mse": 0.01, "kl": 9}, {"mse": 0.03, "kl": 40},
              {"mse": 0.04, "kl": 45}], False),
    ("pixel-mean", [{"active": 14, "expected": linear(19)},
                    {"active": 0, "kl": 0.0, "expected": linear(0)}], True),
    ("pixel-mean", [{"active": 14, "expected": linear(19)},
                    {"active": 6, "expected": linear(0)}], False),
    ("grey", [{"response": BRIGHT}, {"response": BRIGHT}], True),
    ("grey", [{"response": WEAK, "kl": 12}, {"response": BRIGHT, "kl": 30}], False),
    ("grey", [{"response": WEAK, "kl": 30}, {"response": BRIGHT, "kl": 30}], False),
    ("sigma", [{"scale": 0.1405, "expected": linear(19, scale=0.13)}], True),
    ("sigma", [{"scale": 0.6}], False),
    ("sampling", [{"mse": 0.02, "spread": 1.0}, {"mse": 0.01, "spread": 5.0}], True),
    ("sampling", [{"mse": 0.01, "spread": 1.0}, {"mse": 0.02, "spread": 5.0}], False),
    ("sampling", [{"mse": 0.02, "spread": 1.0}, {"mse": 0.01, "spread": 1.1}], False),
    ("binary", [{"mse": 0.01}, {"mse": 0.02}], True),
    ("binary", [{"mse": 0.02}, {"mse": 0.01, "kl": 30}], False),
    ("free", [{"loss": 100.0, "expected": Prediction(None, None, None, (), None, 80.0)}], True),
    ("free", [{}], None),
]  # fmt: skip


@pytest.mark.parametrize(("lesson", "figures", "agrees"), CASES)
def test_a_verdict_follows_the_figures(lesson, figures, agrees):
    verdict = judge(lesson, outcomes(lesson, *figures))
    assert verdict.agrees is agrees
    assert verdict.predicted.endswith(".")
    assert verdict.got.endswith(".")
    assert verdict.why
    if agrees and lesson != "free":
        assert verdict.why == LESSONS[lesson].takeaway
    if agrees is False:
        assert re.search(r"can be|this run|on its way|equal KL", verdict.why), verdict.why


@pytest.mark.parametrize("lesson", [name for name in LESSONS if LESSONS[name].against])
def test_a_comparison_names_every_member_and_what_it_paid(lesson):
    given = outcomes(lesson)
    expected = [replace(each, expected=linear(10), response=BRIGHT) for each in given]
    verdict = judge(lesson, expected)
    for each in expected:
        named = each.label in verdict.got or lesson in ("pixel-mean", "grey")
        assert named, verdict.got
    assert "20.0 nats" in verdict.got


def test_by_how_much_is_computed():
    given = outcomes("binary", {"mse": 0.0300, "kl": 20.0}, {"mse": 0.0240, "kl": 26.5})
    verdict = judge("binary", given)
    assert "20% less" in verdict.got
    assert "6.5 nats more" in verdict.why


def test_a_difference_that_seeds_make_is_a_tie():
    verdict = judge("binary", outcomes("binary", {"mse": 0.0200}, {"mse": 0.0199}))
    assert verdict.agrees
    assert "a tie" in verdict.got


def test_a_changed_rate_is_said():
    verdict = judge("sigma", outcomes("sigma", {"scale": 0.14}), changed_rate_at=(1200,))
    assert "changed by hand at step 1,200" in verdict.why
    assert "changed by hand" not in judge("sigma", outcomes("sigma", {"scale": 0.14})).why


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_question_whose_members_are_gone_is_judged_as_any_other_run(lesson):
    """Settings may be changed until nothing of the question is left."""
    one = Outcome("BCE", TrainConfig(), mse=0.02, kl=20.0, loss=100.0, active=3)
    assert judge(lesson, [one]).agrees is None
    twice = [one, replace(one, label="the same", config=TrainConfig(seed=2))]
    assert judge(lesson, twice).got


def test_the_lean_is_that_of_the_figure():
    one = outcomes("grey", {"response": WEAK}, {})[0]
    assert one.lean == pytest.approx(0.15)


def test_no_outcome_is_refused_by_name():
    with pytest.raises(ValueError, match="outcomes: none given; allowed is one or more"):
        judge("free", [])
