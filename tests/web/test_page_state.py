"""The Train page's state without Streamlit: its address, its questions, what it starts."""

import subprocess
import sys
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae.config import TrainConfig, option
from vae.lessons import questions
from vae.lessons.questions import LESSONS, VARIANTS
from vae.runs.limits import Limits
from vae.web.train.page_state import OWN, SETTINGS, PageState, from_query

SPECS = {spec.name: spec for spec in fields(TrainConfig)}


def _values(name: str) -> st.SearchStrategy:
    about, kind = option(name), type(SPECS[name].default)
    if about.choices is not None:
        return st.sampled_from([choice for choice in about.choices if choice != "images"])
    if kind is int:
        return st.integers(int(about.minimum), int(about.maximum))
    return st.floats(about.minimum, about.maximum)


CONFIGS = st.builds(TrainConfig, **{name: _values(name) for name in SETTINGS})
STATES = st.builds(
    PageState,
    config=CONFIGS,
    lesson=st.sampled_from(list(LESSONS)),
    against=st.lists(st.sampled_from(list(VARIANTS)), unique=True, max_size=3).map(tuple),
    run=st.text(max_size=30),
    hide=st.frozensets(st.sampled_from([*SETTINGS, "against", "presets", "drawing"])),
)


@given(STATES)
def test_an_address_carries_the_whole_state(state):
    assert from_query(state.to_query()) == (state, ())


@given(STATES)
def test_an_address_holds_only_the_pages_own_names(state):
    assert set(state.to_query()) <= OWN


@given(st.dictionaries(st.sampled_from(sorted(OWN)), st.text(max_size=12)))
def test_any_address_gives_a_state_that_its_own_address_carries(query):
    state, _ = from_query(query)
    assert from_query(state.to_query()) == (state, ())


@pytest.mark.parametrize("name", LESSONS)
def test_a_lessons_name_alone_brings_its_settings_and_its_comparison(name):
    state, notes = from_query({"lesson": name})
    lesson = LESSONS[name]
    assert not notes
    assert (state.lesson, state.against) == (name, lesson.against)
    assert {key: getattr(state.config, key) for key in lesson.settings} == lesson.settings
    assert state == PageState().with_lesson(name)


def test_what_the_address_says_beside_a_lesson_wins():
    state, _ = from_query({"lesson": "pixel-mean", "likelihood": "bernoulli", "against": "none"})
    assert (state.config.likelihood, state.config.epochs) == ("bernoulli", 5)
    assert state.against == ()
    assert from_query({"lesson": "race", "against": "linear"})[0].against == ("linear",)


def test_a_bad_value_beside_a_lesson_leaves_the_lessons_own():
    state, [note] = from_query({"lesson": "pixel-mean", "epochs": "many"})
    assert state.config.epochs == 5
    assert (note.name, note.text) == ("epochs", "many")
    assert "5" in note.instead


def test_a_wrong_lesson_and_a_wrong_hide_are_noted_and_the_rest_stands():
    state, notes = from_query({"lesson": "x", "hide": "seed,nothing", "latent_dim": "2"})
    assert [note.name for note in notes] == ["lesson", "hide"]
    assert (state.lesson, state.config.latent_dim, state.hide) == ("free", 2, frozenset({"seed"}))


@given(STATES, st.sampled_from(list(LESSONS)))
def test_a_question_keeps_the_seed_and_what_is_hidden_and_shown(state, name):
    asked = state.with_lesson(name)
    assert asked.config.seed == state.config.seed
    assert (asked.run, asked.hide) == (state.run, state.hide)
    assert asked == asked.with_lesson(name)


@given(STATES)
def test_controls_are_at_hand_or_in_the_fold_never_both_and_never_hidden(state):
    at_hand, folded = state.visible(), state.advanced()
    assert not set(at_hand) & set(folded)
    assert not (set(at_hand) | set(folded)) & state.hide
    assert len(set(at_hand)) == len(at_hand)


def test_a_setting_that_changes_nothing_is_not_shown():
    shown = {*PageState().visible(), *PageState().advanced()}
    assert not {"scale", "scale_learning_rate", "images"} & shown
    assert {"grey", "hidden_dim", "beta"} <= shown
    linear = PageState(TrainConfig(architecture="linear", sampling=False, dataset="mnist"))
    assert not {"grey", "hidden_dim", "beta"} & {*linear.visible(), *linear.advanced()}
    assert "reduction" in PageState().with_lesson("pixel-mean").visible()


@pytest.mark.parametrize("name", LESSONS)
def test_the_runs_of_a_question_give_the_question_back(name):
    """Whoever watches a run has its members alone."""
    state = PageState(TrainConfig(seed=7)).with_lesson(name).with_settings(epochs=3)
    found = PageState(run="somebody-elses").with_members(state.members)
    assert found == state
    assert found.members == state.members


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian", "laplace-learned"])
@pytest.mark.parametrize("kind", questions.SWEEPS)
def test_a_sweep_belongs_to_the_settings_that_start_it(kind, likelihood):
    state = PageState(TrainConfig(seed=3, likelihood=likelihood))
    members = questions.sweep(state.config, kind)
    assert questions.sweep_of(members) == kind
    assert state.makes(members)
    assert not state.with_settings(seed=4).makes(members)
    found = PageState().with_members(members)
    assert (found.lesson, found.against) == ("free", ())
    assert found.makes(members)


def test_members_of_no_question_are_a_comparison_without_one():
    members = (TrainConfig(latent_dim=2), TrainConfig(latent_dim=2, beta=4.0))
    found = PageState().with_members(members)
    assert (found.lesson, found.against, found.members) == ("free", ("beta-4",), members)


def test_what_the_host_does_not_allow_is_brought_to_its_bound_and_said():
    state = PageState(TrainConfig(epochs=100, latent_dim=30))
    allowed, said = state.within(Limits(max_epochs=7))
    assert allowed == state.with_settings(epochs=7)
    assert said == ("epochs: 100 given; this host allows 1 to 7; 7 is used",)
    assert state.within(Limits()) == (state, ())


def test_the_state_knows_no_streamlit():
    """Its tests, and whoever reads an address elsewhere, need no app."""
    code = "import sys, vae.web.train.page_state; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
