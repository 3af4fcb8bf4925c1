"""Train's questions as predictions: what theory says is what theory computes, and runs are read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae.config import TrainConfig
from vae.lessons import questions
from vae.lessons.questions import LESSONS
from vae.lessons.verdicts import Outcome
from vae.quiz.guesses import Guess, guess_for, outcome, sentence
from vae.web.train.loss import prediction

BRIGHT = ((0.1, 0.15), (0.5, 0.5), (0.9, 0.85))
WEAK = ((0.1, 0.3), (0.5, 0.5), (0.9, 0.7))


def members(lesson: str) -> tuple[TrainConfig, ...]:
    asked = LESSONS[lesson]
    return questions.members(TrainConfig(**asked.settings), asked.against)


def ask(lesson: str) -> Guess:
    configs = members(lesson)
    guess = guess_for(lesson, configs, [prediction(config) for config in configs])
    assert guess is not None
    return guess


def ended(lesson: str, *changes: dict) -> list[Outcome]:
    configs = members(lesson)
    return [
        replace(Outcome("", config, mse=0.02, kl=20.0, loss=100.0, active=10), **change)
        for config, change in zip(configs, changes or ({},) * len(configs), strict=True)
    ]


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_question_asks_for_a_prediction_with_two_to_four_choices(lesson):
    guess = ask(lesson)
    assert 2 <= len(guess.options) <= 4
    assert guess.ask.endswith("?")
    assert all(option.overlooks.startswith("It overlooks") for option in guess.options)
    # Every choice is the one nearest to the number that it stands for.
    assert [guess.nearest(option.at) for option in guess.options] == [*range(len(guess.options))]


def test_choice_theory_and_outcome_stand_in_one_sentence():
    guess = ask("pixel-mean")
    told = outcome(guess, ended("pixel-mean", {"active": 14}, {"active": 0}))
    assert sentence(guess, 0, told) == "You said 20; theory 0; the run kept 0."
    assert sentence(guess, 0) == "You said 20; theory 0."
    assert told.right == guess.nearest(guess.theory) == len(guess.options) - 1
    with pytest.raises(ValueError, match="allowed is 0 to 2"):
        sentence(guess, 3)


CASES = [
    ("free", [{"active": 19}], "20"),
    ("race", [{"mse": 0.02}, {"mse": 0.04}, {"mse": 0.01}, {"mse": 0.015}], "MSE, σ learned"),
    ("race", [{"mse": 0.001}, {"mse": 0.04}, {"mse": 0.01}, {"mse": 0.015}], "BCE"),
    ("pixel-mean", [{"active": 0}, {"active": 11}], "10"),
    ("grey", [{"response": WEAK}, {"response": BRIGHT}], "by 0.1 and more"),
    ("grey", [{"response": BRIGHT}, {"response": BRIGHT}], "hardly at all"),
    ("sigma", [{"scale": 0.09}], "near 0.1"),
    ("sigma", [{"scale": 0.9}], "at 1"),
    ("sampling", [{"mse": 0.02}, {"mse": 0.01}], "the autoencoder"),
    ("sampling", [{"mse": 0.02}, {"mse": 0.0195}], "both alike"),
    ("binary", [{"mse": 0.02}, {"mse": 0.03}], "BCE"),
    ("binary", [{"mse": 0.03}, {"mse": 0.02}], "squared error"),
]


@pytest.mark.parametrize(("lesson", "figures", "right"), CASES)
def test_the_outcome_follows_the_figures(lesson, figures, right):
    guess = ask(lesson)
    told = outcome(guess, ended(lesson, *figures))
    assert guess.options[told.right].text == right


@given(first=st.floats(1e-4, 1), second=st.floats(1e-4, 1))
def test_the_words_for_two_errors_are_those_of_the_choice_that_was_right(first, second):
    guess = ask("binary")
    told = outcome(guess, ended("binary", {"mse": first}, {"mse": second}))
    border = min(abs(second / first - 1.1), abs(second / first - 0.9))
    assert border < 1e-9 or guess.options[told.right].text == told.text


def test_what_was_not_measured_is_said_so():
    told = outcome(ask("grey"), ended("grey"))
    assert told.right is None
    assert told.text == "not measured"


def test_settings_that_no_longer_ask_the_question_have_no_guess():
    other = TrainConfig(likelihood="laplace")
    for lesson in ("race", "pixel-mean", "grey", "sigma", "sampling", "binary"):
        assert guess_for(lesson, (other,), [None]) is None
    assert guess_for("free", (replace(other, sampling=False),), [None]) is None


def test_where_no_closed_form_foretells_it_the_sentence_says_so():
    guess = guess_for("free", (TrainConfig(likelihood="laplace"),), [None])
    assert guess.theory is None
    assert sentence(guess, 0) == "You said 20; theory has no closed form here."
