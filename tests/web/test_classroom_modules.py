"""The browser's own side of questions, rooms and presenting, run under node."""

import json
from typing import Any

import pytest
from browser_modules import run_modules

from vae.quiz import guesses


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """``node(task, **input)``: what the modules make of the input."""
    return run_modules("classroom", tmp_path_factory.mktemp("classroom"))


def test_answers_are_read_back_and_what_is_none_is_left_out(node):
    good = {"derivation-sigma": {"choice": 1, "right": True}}
    bad = {**good, "a": {"choice": -1, "right": True}, "b": 7, "c": {"choice": 0}}
    told = node("kept", texts=[json.dumps(good), json.dumps(bad), "no json", "null", None])
    assert told["kept"] == [good, good, {}, {}, {}]
    # A browser that refuses its storage is asked all the same.
    assert told["refused"] == {}
    assert told["saved"] == [False, True]


def test_progress_counts_right_answers_by_page(node):
    answers = {
        "derivation-sigma": {"choice": 1, "right": True},
        "derivation-image": {"choice": 0, "right": False},
        "ledger-D1": {"choice": 0, "right": True},
    }
    told = node("progress", answers=answers, totals={"derivation": 11, "bias": 10})
    assert [each["right"] for each in told["progress"]] == [1, 0]
    assert "1/11" in told["ticks"]
    assert "bias" not in told["ticks"]


def test_the_browsers_sentence_is_that_of_the_package(node):
    option = guesses.Option
    guess = guesses.Guess(
        "How many?",
        (option("20", 20.0, "It overlooks a."), option("0", 0.0, "It overlooks b.")),
        "the run kept",
        0.0,
        "0",
        lambda _: 0.0,
        lambda value: f"{value:.0f}",
    )
    told = guesses.outcome(guess, [])
    data = {
        "options": [{"text": each.text, "overlooks": each.overlooks} for each in guess.options],
        "theory": guess.theory_text,
        "foretold": 1,
        "kept": guess.kept,
        "outcome": told.text,
        "came": told.right,
    }
    wanted = [guesses.sentence(guess, index, told) for index in range(2)]
    assert node("guess", data=data) == [[wanted[0], "It overlooks a."], [wanted[1], ""]]
    before = {**data, "outcome": "", "came": None}
    wanted = [guesses.sentence(guess, index) for index in range(2)]
    assert [each[0] for each in node("guess", data=before)] == wanted


def room(**changes: Any) -> dict[str, Any]:
    question = {"ask": "Why?", "choices": ["a", "b"]}
    base = {"phase": "open", "round": 1, "votes": 1, "counts": [], "voted": False}
    return {**base, "question": question, **changes}


def test_a_room_offers_what_has_a_meaning_and_shows_both_rounds(node):
    revealed = room(phase="revealed", round=2, votes=4, counts=[[3, 1], [1, 3]])
    revealed["question"]["answer"] = 1
    told = node(
        "room",
        rooms=[
            room(phase="idle", question=None),
            room(),
            room(voted=True),
            room(phase="closed", counts=[[3, 1]]),
            room(phase="closed", round=2, counts=[[3, 1], [1, 3]]),
            revealed,
        ],
    )
    names = [[name for name, _ in each["moves"]] for each in told]
    assert names == [[], ["close"], ["close"], ["reveal", "again"], ["reveal"], []]
    assert told[1]["told"] == "The vote is open. 1 vote."
    assert told[2]["toStudent"] == "Your vote is counted."
    first, second = told[5]["bars"]
    assert [each["text"] for each in second["rounds"]] == ["1 (25%)", "3 (75%)"]
    assert (first["right"], second["right"]) == (False, True)


def test_after_the_reveal_everybody_reads_what_the_own_choice_overlooked(node):
    section = {"choices": ["a", "b"], "answer": 1, "replies": ["It is not a.", "It is b."]}
    lesson = {
        "choices": ["20", "0"],
        "answer": 1,
        "replies": ["It overlooks a.", "It overlooks b."],
        "theory": "0",
        "kept": "the run kept",
        "outcome": "1",
    }
    cases = [
        (section, None, "It is b."),
        (section, 1, "It is b."),
        (section, 0, "You said “a”. It is not a. It is b."),
        # What somebody else wrote into the browser's storage is no choice.
        (section, "length", "It is b."),
        ({**section, "answer": None}, 0, ""),
        (lesson, None, "Theory 0; the run kept 1."),
        (lesson, 1, "You said 0; theory 0; the run kept 1."),
        (lesson, 0, "You said 20; theory 0; the run kept 1. It overlooks a."),
        ({**lesson, "outcome": ""}, 0, "You said 20; theory 0. It overlooks a."),
    ]
    asked = [{"room": {"question": question}, "mine": mine} for question, mine, _ in cases]
    assert node("answered", cases=asked) == [said for *_, said in cases]


def test_a_class_does_not_ask_in_step_and_a_hidden_page_hardly_asks(node):
    cases = [
        {"teacher": False, "hidden": False, "at": 0},
        {"teacher": False, "hidden": False, "at": 1},
        {"teacher": True, "hidden": False, "at": 0.5},
        {"teacher": False, "hidden": True, "at": 0.5},
    ]
    assert node("pause", cases=cases) == [1.5, 2.5, 1, 10]


def test_a_clicker_goes_from_section_to_section(node):
    tops = [-900, 10, 1200]
    cases = [
        {"tops": tops, "step": 1},
        {"tops": tops, "step": -1},
        # From within a section, back is its beginning.
        {"tops": [-1900, -700, 1200], "step": -1},
        {"tops": [-3000, -2000, -100], "step": 1},
        {"tops": [10, 900], "step": -1},
        {"tops": [600, 900], "step": 1},
    ]
    assert node("steps", cases=cases) == [2, 0, 1, -1, -1, 0]


def test_the_embed_code_is_of_the_sections_figure_at_its_dials(node):
    links = [
        "http://a.b/derivation?sigma=0.5&present=1&room=BCDFG#sigma",
        "http://a.b/derivation?step=3#expansion",
    ]
    one, section = node("embed", links=links)
    assert 'src="http://a.b/derivation?sigma=0.5&amp;figure=sigma&amp;embed=true"' in one
    assert 'width="760" height="430"' in one
    assert 'src="http://a.b/derivation?step=3&amp;embed=true#expansion"' in section
