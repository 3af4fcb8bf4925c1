"""The Train page's script: controls from options, the address, and every sentence of a failure."""

# The fake registry answers the real one's whole signature; its fixture works by being asked for.
# ruff: noqa: ARG001, ARG002

import itertools
import json
from dataclasses import replace

import pytest
import run_samples
import streamlit as st
from appserver import ROOT
from page_runs import control, said
from streamlit.testing.v1 import AppTest

from vae.config import TrainConfig
from vae.lessons.questions import LESSONS
from vae.runs.limits import LimitError, Limits
from vae.runs.registry import AlreadyRunning, NotOwner, QueueFull
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import CHECKPOINTS
from vae.web.kit import address as page_address
from vae.web.train import buttons
from vae.web.train import commands as train_commands
from vae.web.train import run as train_run
from vae.web.train import shown as train_shown
from vae.web.train.page_state import PageState, from_query
from vae.wire.events import CalibrationBin, DivergedEvent
from vae.wire.protocol import RunState


class FakeRegistry:
    """Answers as the registry does, and keeps what it was asked."""

    def __init__(self) -> None:
        self.runs: dict[str, RunSnapshot] = {}
        self.asked: list[tuple] = []
        self.limits = Limits()
        self.refuse: Exception | None = None
        self.owned = True
        self.saved: tuple = ()
        self.elsewhere: set = set()

    def submit(self, configs, *, owner, address="", **details):
        if self.refuse is not None:
            raise self.refuse
        self.asked.append(("submit", tuple(configs), details))
        run = f"run-number-{len(self.asked)}"
        members = tuple(run_samples.member(config) for config in configs)
        self.runs[run] = replace(
            run_samples.run(*configs), run_id=run, state=RunState.RUNNING, members=members, step=50
        )
        return run

    def wait(self, run, until, seconds):
        assert seconds < 0.5, "a page waits for a moment at most"
        if until(self.snapshot(run)):
            return self.snapshot(run)
        raise TimeoutError

    def snapshot(self, run):
        return self.runs.get(run)

    def view(self, run):
        return self.runs.get(run)

    def touch(self, run, *, viewer):
        self.asked.append(("touch", run))

    def is_owner(self, run, owner):
        return self.owned and run in self.runs

    def run_of(self, owner):
        return None

    def is_elsewhere(self, run):
        return run in self.elsewhere

    def recoverable(self, run=None):
        return self.saved

    def recover(self, run, *, owner, address="", paused=False, epochs=None, bound_images=0):
        self.asked.append(("recover", run, paused, epochs, bound_images))
        return self.submit([TrainConfig()], owner=owner)

    def _ask(self, name, run, *values):
        if self.refuse is not None:
            raise self.refuse
        self.asked.append((name, run, *values))

    def pause(self, run, *, owner):
        self._ask("pause", run)

    def resume(self, run, *, owner):
        self._ask("resume", run)

    def step(self, run, count=1, *, owner):
        self._ask("step", run, count)

    def stop(self, run, *, owner):
        self._ask("stop", run)
        self.runs[run] = replace(self.runs[run], stopping=True)

    def set_learning_rate(self, run, rate, *, owner):
        self._ask("rate", run, rate)

    def set_speed(self, run, speed, *, owner):
        self._ask("speed", run, speed)


@pytest.fixture
def registry(monkeypatch):
    fake = FakeRegistry()
    for module in (train_run, train_commands, buttons, train_shown):
        monkeypatch.setattr(module, "get_registry", lambda: fake)
    # A hand that takes its time; the tests of double presses stop the clock.
    seconds = itertools.count()
    monkeypatch.setattr(train_commands, "clock", lambda: float(next(seconds)))
    return fake


def open_page(query: dict[str, str] | None = None) -> AppTest:
    page = AppTest.from_file(str(ROOT / "pages" / "train.py"), default_timeout=30)
    for name, text in (query or {}).items():
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    parts = (page.markdown, page.info, page.warning, page.error, page.caption, page.latex)
    return "\n".join(str(item.value) for part in parts for item in part)


def styles(page: AppTest) -> str:
    return "".join(element.proto.body for element in page.get("html"))


def address(page: AppTest) -> dict[str, str]:
    """The query; AppTest gives what a test set as lists, what the page set as text."""
    query = page.query_params
    return {name: text if isinstance(text, str) else text[-1] for name, text in query.items()}


def settings(page: AppTest) -> dict:
    """The page's settings, as its address carries them."""
    state, notes = from_query(address(page))
    assert not notes
    return state.config.to_dict()


def path_of(page: AppTest, key: str) -> tuple[int, ...]:
    """Where on the page the button stands: its place in each block around it."""

    def search(block, path):
        for at, child in block.children.items():
            if getattr(child, "key", None) == key:
                return (*path, at)
            if hasattr(child, "children") and (found := search(child, (*path, at))):
                return found
        return ()

    path = search(page.main, ())
    assert path
    return path


def asked(registry: FakeRegistry, name: str) -> list[tuple]:
    return [entry for entry in registry.asked if entry[0] == name]


def test_it_opens_on_built_in_digits_and_bernoulli_with_few_controls(registry):
    page = open_page()
    assert page.title[0].value
    assert control(page.selectbox, "setting_dataset").value == "digits"
    assert control(page.selectbox, "setting_likelihood").value == "bernoulli"
    assert page.button(key="train").label == "Train"
    assert "Prediction" in words(page)
    assert address(page) == {}
    with pytest.raises(KeyError):
        control(page.number_input, "setting_scale")


def test_sigma_appears_with_the_likelihood_that_has_one_and_reaches_the_address(registry):
    page = open_page()
    control(page.selectbox, "setting_likelihood").set_value("gaussian").run()
    control(page.number_input, "setting_scale").set_value(0.3).run()
    assert address(page) == {"likelihood": "gaussian", "scale": "0.3"}
    assert "5.556" in words(page), "1 / (2 sigma^2) is not in the equation"
    page.button(key="train").click().run()
    assert asked(registry, "submit")[0][1] == (TrainConfig(likelihood="gaussian", scale=0.3),)


def test_an_address_sets_every_control(registry):
    config = TrainConfig(
        likelihood="gaussian-learned", grey=0.25, latent_dim=2, seed=9, beta=2.0, batch_size=64
    )
    page = open_page(config.to_query())
    assert settings(page) == config.to_dict()
    assert control(page.number_input, "setting_latent_dim").value == 2
    assert control(page.slider, "setting_grey").value == 0.25


def test_bad_values_fall_back_with_a_note_each(registry):
    page = open_page({"latent_dim": "-3", "likelihood": "purple", "lesson": "x", "against": "y"})
    notes = [item.value for item in page.info]
    assert len(notes) == 4
    assert "'purple'" in notes[1] + notes[0]
    assert settings(page)["latent_dim"] == 20


def test_what_a_host_does_not_allow_is_brought_to_its_bound(registry, monkeypatch):
    monkeypatch.setenv("VAE_MAX_EPOCHS", "7")
    page = open_page({"epochs": "100"})
    assert settings(page)["epochs"] == 7
    assert "this host allows 1 to 7" in words(page)


def test_a_lesson_hides_controls_and_shows_its_own(registry):
    page = open_page({"lesson": "pixel-mean", "hide": "seed,against,batch_size"})
    keys = {item.key for item in [*page.number_input, *page.selectbox]}
    assert "setting_reduction" in keys
    assert not {"setting_seed", "setting_batch_size"} & keys
    assert not page.multiselect
    assert address(page)["hide"] == "against,batch_size,seed"


def test_a_question_sets_its_settings_and_its_comparison(registry):
    page = open_page({"seed": "5"})
    control(page.button_group, "train_question").set_value("race").run()
    assert not page.exception
    assert address(page) == {"lesson": "race", "seed": "5"}
    assert settings(page)["seed"] == 5
    assert page.button(key="train").label == "Train 4 side by side"
    assert words(page).count("latents should survive") == 2


def test_a_choice_counts_while_an_address_is_on_its_way_and_back_goes_back(registry):
    page = open_page({"lesson": "pixel-mean"})
    control(page.button_group, "train_question").set_value("race").run()
    assert address(page)["lesson"] == "race"
    # With a press comes the address that the browser still has.
    page.query_params["lesson"] = "pixel-mean"
    control(page.button_group, "train_question").set_value("sampling").run()
    assert address(page)["lesson"] == "sampling"
    assert control(page.button_group, "train_question").value == "sampling"
    # The browser's Back brings an address and nothing else.
    page.query_params["lesson"] = "pixel-mean"
    page.run()
    assert address(page)["lesson"] == "pixel-mean"
    assert control(page.button_group, "train_question").value == "pixel-mean"
    assert not registry.asked


def test_a_choice_counts_that_ends_a_run_in_the_middle_of_an_address(registry, monkeypatch):
    page = open_page({"lesson": "pixel-mean", "seed": "5"})

    def put_half(query, names):
        del names, query
        del st.query_params["lesson"]
        raise InterruptedError

    with monkeypatch.context() as interrupted:
        interrupted.setattr(page_address, "put", put_half)
        control(page.button_group, "train_question").set_value("free").run()
    assert page.exception
    assert "lesson" not in address(page)
    control(page.button_group, "train_question").set_value("sampling").run()
    assert not page.exception
    assert address(page) == {"lesson": "sampling", "seed": "5"}
    assert not registry.asked


def test_the_race_runs_its_four_losses(registry):
    page = open_page({"lesson": "race"})
    page.button(key="train").click().run()
    [(_, configs, _)] = asked(registry, "submit")
    assert [config.likelihood for config in configs] == [
        "bernoulli",
        "gaussian",
        "gaussian-learned",
        "continuous-bernoulli",
    ]
    assert len({config.seed for config in configs}) == 1
    assert "units that all four share" in words(page)
    assert "bits per pixel" in words(page)
    assert words(page).count("2.125") == 4


def test_one_click_sweeps_from_a_high_rate_to_a_low_one(registry):
    page = open_page()
    page.button(key="sweep").click().run()
    assert not page.exception
    [(_, configs, _)] = asked(registry, "submit")
    assert len(configs) == 7
    assert len({config.seed for config in configs}) == 1
    scales = [config.scale for config in configs if config.likelihood == "gaussian"]
    assert scales == sorted(set(scales))
    assert "what counts: compare points above one another" in words(page)
    assert "bits per pixel" in words(page)


def test_a_sweep_over_beta_is_of_the_chosen_likelihood(registry):
    page = open_page({"likelihood": "laplace"})
    page.button(key="sweep-beta").click().run()
    [(_, configs, _)] = asked(registry, "submit")
    assert len(configs) == 7
    betas = [config.beta for config in configs if config.likelihood == "laplace"]
    assert betas == sorted(set(betas))
    assert len(betas) == 5
    assert {config.beta for config in configs if config.likelihood != "laplace"} == {1.0}
    assert "The controls say something else" not in words(page)


def test_a_sweep_over_seeds_tells_the_spread_of_three_losses_at_one_kl(registry):
    page = open_page({"seed": "5"})
    page.button(key="sweep-seeds").click().run()
    [(_, configs, _)] = asked(registry, "submit")
    assert [config.seed for config in configs] == [5, 6, 7] * 3
    assert len({config.likelihood for config in configs}) == 3
    [run] = registry.runs
    members = [
        replace(one, epochs=(replace(one.epochs[0], test_kl=20.0 + one.config.seed),))
        for one in registry.runs[run].members
    ]
    registry.runs[run] = replace(registry.runs[run], members=tuple(members), version=2)
    page.run()
    assert "mean ± half the range" in words(page)
    assert words(page).count("| 26.0 ± 1.0 |") == 3


@pytest.mark.parametrize("key", ["sweep", "sweep-beta", "sweep-seeds"])
def test_a_sweep_is_stopped_watched_replayed_and_shared_as_any_run(registry, key):
    page = open_page()
    page.button(key=key).click().run()
    [run] = registry.runs
    [(_, configs, _)] = asked(registry, "submit")
    page.button(key="stop").click().run()
    assert asked(registry, "stop") == [("stop", run)]
    shared = "".join(item.value for item in page.code)
    assert f"run={run}" in shared
    # Somebody else, with the link: no buttons, the figure, and the same to train.
    registry.owned = False
    watching = open_page({"run": run})
    assert "what counts: compare points above one another" in words(watching)
    assert not [item for item in watching.button if item.key == "stop"]
    watching.button(key="adopt").click().run()
    registry.owned = True
    watching.button(key=key).click().run()
    assert asked(registry, "submit")[-1][1] == configs
    # Over: its film, and the figure beside it.
    registry.runs[run] = replace(registry.runs[run], state=RunState.STOPPED, stopping=False)
    over = open_page({"run": run})
    assert not over.exception
    assert "Stopped: step" in over.get("progress")[0].proto.text
    assert "what counts: compare points above one another" in words(over)
    # A member's film is among what can be taken home, and the link is shared as before.
    assert "download-animation" in {item.key for item in over.get("download_button")}
    assert f"run={run}" in "".join(item.value for item in over.code)


def test_a_bound_is_measured_from_a_run_that_ended(registry):
    page = start(registry, RunState.FINISHED, checkpoints=("model.pt",))
    page.button(key="bound").click().run()
    assert asked(registry, "recover")[0][4] == 100
    [*_, run] = registry.runs
    members = registry.runs[run].members
    for samples, sentence in ((50, "50 of 1,000 draws"), (1000, "**15.0 ± 1.0** of it")):
        event = run_samples.bound_event(samples)
        measured = tuple(replace(member, bound=event) for member in members)
        registry.runs[run] = replace(registry.runs[run], members=measured, version=samples)
        page.run()
        assert not page.exception
        assert "A tighter bound" in [item.value for item in page.header]
        assert sentence in words(page)


def start(registry: FakeRegistry, state: RunState = RunState.RUNNING, **changes) -> AppTest:
    page = open_page()
    page.button(key="train").click().run()
    [run] = registry.runs
    registry.runs[run] = replace(registry.runs[run], state=state, **changes)
    page.run()
    assert not page.exception
    return page


def test_a_screen_reader_is_told_each_state_and_who_was_right_once_it_may_be(registry):
    page = open_page()
    assert said(page) == ""
    page.button(key="train").click().run()
    [run] = registry.runs
    for state, sentence in (
        (RunState.QUEUED, "Waiting: 2 ahead in the queue."),
        (RunState.STARTING, "The trainer is starting."),
        (RunState.RUNNING, "Training."),
        (RunState.PAUSED, "Paused at step 50 of 100."),
        (RunState.STOPPED, "Stopped at step 50 of 100."),
        (RunState.FAILED, "The run ended: failed."),
        # Who is asked for a guess is not told before it.
        (RunState.FINISHED, "Finished at step 50 of 100."),
    ):
        registry.runs[run] = replace(registry.runs[run], state=state, position=2)
        page.run()
        assert said(page) == sentence
    page = open_page({"run": run, "quiz": "0"})
    assert said(page).startswith("Finished at step 50 of 100. ")
    assert "predicted. Got: " in said(page)
    assert "**" not in said(page)
    registry.runs[run] = replace(registry.runs[run], state=RunState.RUNNING, stopping=True)
    assert said(open_page({"run": run})) == "Stopping."


def test_train_puts_the_run_into_the_address_and_shows_its_figures(registry):
    page = start(registry, images_per_second=12345.0, seconds_left=75.0)
    [run] = registry.runs
    assert address(page)["run"] == run
    # The one that answers the question; the others are drawn when their fold is opened.
    assert len(page.get("vega_lite_chart")) == 1
    text = words(page)
    assert "loss **290.0** = −log p(x|z) **100.0** + KL **190.0** nats" in text
    assert "**19 of 20**" in text
    progress = page.get("progress")[0].proto
    assert progress.value == 50
    assert "1 min 15 s left" in progress.text
    assert "12,345 images/s" in progress.text


def test_the_buttons_ask_for_what_they_say(registry):
    page = start(registry)
    [run] = registry.runs
    page.button(key="pause").click().run()
    page.button(key="step-10").click().run()
    registry.runs[run] = replace(registry.runs[run], state=RunState.PAUSED)
    page.run()
    page.button(key="resume").click().run()
    page.number_input(key=f"rate-{run}").set_value(0.005).run()
    page.selectbox(key=f"speed-{run}").set_value(5.0).run()
    page.selectbox(key=f"speed-{run}").set_value(0.0).run()
    page.button(key="stop").click().run()
    commands = [entry for entry in registry.asked if entry[0] not in ("touch", "submit")]
    assert commands == [
        ("pause", run),
        ("step", run, 10),
        ("resume", run),
        ("rate", run, 0.005),
        ("speed", run, 5.0),
        ("speed", run, None),
        ("stop", run),
    ]


def test_the_page_that_a_press_draws_shows_what_the_trainer_answered(registry, monkeypatch):
    """It waits so long as the trainer takes; without it a poll would have to bring it."""
    page = start(registry)
    for key, state, word in (
        ("pause", RunState.PAUSED, "Paused: step"),
        ("resume", RunState.RUNNING, "Training: step"),
    ):

        def answer(run, until, seconds, state=state):
            registry.runs[run] = replace(registry.runs[run], state=state)
            return FakeRegistry.wait(registry, run, until, seconds)

        monkeypatch.setattr(registry, "wait", answer)
        page.button(key=key).click().run()
        assert page.get("progress")[0].proto.text.startswith(word)


def test_a_stop_is_answered_before_the_run_has_saved_itself(registry):
    page = start(registry)
    [run] = registry.runs
    page.button(key="stop").click().run()
    assert page.button(key="stopping").disabled
    assert page.button(key="pause").disabled
    # Every tab says so, not the one alone in which it was pressed.
    other = open_page({"run": run})
    assert other.button(key="stopping").disabled
    registry.owned = False
    watching = open_page({"run": run})
    line = watching.get("progress")[0].proto.text
    assert line.startswith("Stopping: step")
    assert "left" not in line, "nothing is left to do but to save"
    registry.owned = True
    registry.runs[run] = replace(registry.runs[run], state=RunState.STOPPED, stopping=False)
    page.run()
    assert page.button(key="train").label == "Train"


def test_a_question_leaves_the_buttons_where_they_are(registry):
    """Else a press in the moment of the redraw meets another element, and is lost."""
    page = start(registry)
    places = {path_of(page, "stop")}
    for name in LESSONS:
        control(page.pills, "train_question").set_value(name).run()
        places.add(path_of(page, "stop"))
    assert len(places) == 1


def test_restart_waits_for_the_end_and_keeps_the_seed(registry):
    page = start(registry)
    [run] = registry.runs
    page.button(key="again").click().run()
    assert len(asked(registry, "submit")) == 1
    registry.runs[run] = replace(registry.runs[run], state=RunState.STOPPED)
    page.run()
    first, second = asked(registry, "submit")
    assert first[1] == second[1]
    assert address(page)["run"] != run


def test_a_new_seed_is_another_run_of_the_same_settings(registry):
    page = open_page({"seed": "3", "latent_dim": "2"})
    page.button(key="new-seed").click().run()
    [(_, (config,), _)] = asked(registry, "submit")
    assert config == TrainConfig(seed=4, latent_dim=2)
    assert address(page)["seed"] == "4"


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.FINISHED])
def test_a_watcher_sees_question_and_verdict_and_may_train_the_same(registry, state):
    registry.owned = False
    race = PageState(TrainConfig(seed=4)).with_lesson("race")
    snapshot = run_samples.run(*race.members, state=state)
    registry.runs[snapshot.run_id] = snapshot
    page = open_page({"run": snapshot.run_id})
    assert {item.key for item in page.button} == {"adopt"}
    assert "You watch a run" in words(page)
    assert LESSONS["race"].question in words(page)
    shown = words(page) + "".join(item.value for item in (*page.success, *page.warning))
    assert ("Predicted:" in shown) == (state is RunState.FINISHED)
    assert ("touch", snapshot.run_id) in registry.asked
    page.button(key="adopt").click().run()
    assert address(page) == {"lesson": "race", "seed": "4"}
    page.button(key="train").click().run()
    assert asked(registry, "submit")[0][1] == race.members


def test_a_verdict_is_folded_behind_the_prediction_and_stands_open_without_questions(registry):
    race = PageState(TrainConfig(seed=4)).with_lesson("race")
    snapshot = run_samples.run(*race.members, state=RunState.FINISHED)
    registry.runs[snapshot.run_id] = snapshot
    address_of = {"run": snapshot.run_id, "lesson": "race", "seed": "4"}
    page = open_page(address_of)
    [fold] = [item.value for item in page.markdown if "Predicted:" in item.value]
    assert fold.startswith('<details class="fold verdict">')
    asks = [part.proto for part in page.get("bidi_component") if "quiz-guess" in str(part.proto)]
    assert len(asks) == 1
    page = open_page({**address_of, "quiz": "0"})
    told = [item.value for item in (*page.success, *page.warning)]
    assert any("Predicted:" in text for text in told)
    assert not [part for part in page.get("bidi_component") if "quiz-guess" in str(part.proto)]


FAILURES = [
    (QueueFull("30 runs wait already. Try again in a while."), "30 runs wait already"),
    (LimitError("epochs: 900 given; this host allows 1 to 200"), "this host allows 1 to 200"),
]


@pytest.mark.parametrize(("error", "sentence"), FAILURES)
def test_a_refused_start_is_a_sentence(registry, error, sentence):
    registry.refuse = error
    page = open_page()
    page.button(key="train").click().run()
    assert not page.exception
    assert sentence in page.warning[0].value
    registry.refuse = None
    page.button(key="train").click().run()
    assert not page.warning


def test_a_run_that_is_already_there_is_shown(registry):
    snapshot = run_samples.run(state=RunState.RUNNING)
    registry.runs[snapshot.run_id] = snapshot
    registry.refuse = AlreadyRunning(snapshot.run_id)
    page = open_page()
    page.button(key="train").click().run()
    assert address(page)["run"] == snapshot.run_id
    assert "You have a run already" in words(page)


def test_a_command_for_somebody_elses_run_is_a_sentence(registry):
    page = start(registry)
    registry.refuse = NotOwner("This run is somebody else's: you can watch it, not steer it.")
    page.button(key="pause").click().run()
    assert not page.exception
    assert "somebody else's" in page.warning[0].value


def test_divergence_names_the_term_the_step_and_what_to_try(registry):
    page = start(registry)
    [run] = registry.runs
    member = registry.runs[run].members[0]
    event = DivergedEvent(37, "log likelihood", float("-inf"), "Try a learning rate below 10.")
    registry.runs[run] = replace(
        registry.runs[run],
        state=RunState.DIVERGED,
        members=(replace(member, diverged=event, gallery=None),),
    )
    page.run()
    assert not page.exception
    text = page.error[0].value
    assert "step 37" in text
    assert "log likelihood became -inf" in text
    assert "Try a learning rate below 10." in text
    assert "last good weights" in text
    assert page.button(key="train")


@pytest.mark.parametrize(
    ("state", "changes", "sentence"),
    [
        (RunState.QUEUED, {"position": 2}, "2 runs are ahead of yours"),
        (RunState.QUEUED, {"position": 1}, "1 run is ahead of yours"),
        (RunState.STARTING, {}, "The trainer is starting"),
        (RunState.FAILED, {"message": "The trainer was killed."}, "The trainer was killed."),
        (RunState.STOPPED, {}, ""),
    ],
)
def test_every_state_has_its_words(registry, state, changes, sentence):
    page = start(registry, state, **changes)
    assert sentence in words(page)


def test_a_download_shows_how_far_it_is(registry):
    page = start(registry, RunState.DOWNLOADING, download_fraction=0.25)
    progress = page.get("progress")[0].proto
    assert (progress.value, "25%" in progress.text) == (25, True)


def test_a_missing_data_set_is_fetched_only_when_asked(registry):
    page = open_page({"dataset": "fashion"})
    assert page.button(key="train").label == "Download and train"
    assert "not on this machine yet" in words(page)
    page.button(key="train").click().run()
    [(_, (config,), details)] = asked(registry, "submit")
    assert (config.dataset, details["download"]) == ("fashion", True)


def test_a_forgotten_run_offers_what_is_left_of_it(registry):
    page = open_page({"run": "forgotten-run"})
    assert "no longer in memory" in words(page)
    page.button(key="leave").click().run()
    assert "run" not in address(page)
    saved = type("Saved", (), {"step": 120, "configs": (TrainConfig(latent_dim=3),)})()
    registry.saved = (saved,)
    page = open_page({"run": "forgotten-run"})
    page.button(key="recover").click().run()
    assert ("recover", "forgotten-run", True, None, 0) in registry.asked
    assert settings(page)["latent_dim"] == 3


def test_a_run_of_another_server_is_said_to_be_there_and_offered_by_none_else(registry):
    registry.elsewhere = {"r2-abcdefghijkl"}
    registry.saved = (type("Saved", (), {"step": 120, "configs": (TrainConfig(),)})(),)
    page = open_page({"run": "r2-abcdefghijkl"})
    assert "is on another server" in words(page)
    assert not [button for button in page.button if button.key == "recover"]
    page.button(key="leave").click().run()
    assert "run" not in address(page)


def test_a_finished_run_can_be_replayed_explored_and_taken_home(registry):
    page = start(registry, RunState.FINISHED, checkpoints=("model.pt",))
    downloads = {item.key for item in page.get("download_button")}
    assert downloads == {
        "download-table",
        "download-animation",
        "download-code",
        "download-book",
        "download-edit_note",
        "download-save",
        "download-image",
    }
    assert "What the latents mean" in [item.value for item in page.header]
    page.button(key="go-on").click().run()
    assert asked(registry, "recover")[0][3] == TrainConfig().epochs + 5


def test_compared_maps_share_a_range_that_holds_every_code(registry):
    """Codes of a plain autoencoder lie where they like."""
    configs = (TrainConfig(), TrainConfig(sampling=False))
    snapshot = run_samples.run(*configs)
    far = replace(snapshot.members[1].gallery, codes=snapshot.members[1].gallery.codes * 20)
    members = (snapshot.members[0], replace(snapshot.members[1], gallery=far))
    registry.runs[snapshot.run_id] = replace(snapshot, members=members)
    page = open_page({"run": snapshot.run_id, "quiz": "0"})

    def maps():
        charts = [chart.proto for chart in page.get("vega_lite_chart")]
        return [each for each in charts if each.alt.startswith("Posterior means of test images")]

    assert not maps(), "they are sent when they are asked for"
    page.session_state["more-latents"] = True
    page.run()
    specs = [json.loads(each.spec) for each in maps()]
    assert len(specs) == 2
    ranges = {
        tuple(layer["encoding"][way]["scale"]["domain"])
        for spec in specs
        for layer in spec["layer"][:1]
        for way in ("x", "y")
    }
    assert len(ranges) == 1
    [(low, high)] = ranges
    assert low == -high
    assert high >= abs(far.codes).max()


def test_draws_of_compared_runs_stand_side_by_side(registry):
    race = PageState().with_lesson("race")
    snapshot = run_samples.run(*race.members)
    registry.runs[snapshot.run_id] = snapshot
    page = open_page({"run": snapshot.run_id, "quiz": "0"})

    def places(block, path=()):
        for at, child in block.children.items():
            if child.type == "image" and "drawn from the prior" in str(child.proto):
                yield path
            if hasattr(child, "children"):
                yield from places(child, (*path, at))

    # Each in a container of its own, all of them in one row.
    rows = [path[:-1] for path in places(page.main)]
    assert len(rows) == len(race.members)
    assert len(set(rows)) == 1


def test_one_latent_has_no_map_and_no_error(registry):
    snapshot = run_samples.run(TrainConfig(latent_dim=1))
    registry.runs[snapshot.run_id] = snapshot
    page = open_page({"run": snapshot.run_id})
    assert "no map of two" in words(page)


def test_a_control_changed_in_the_same_moment_as_the_press_counts(registry):
    """A browser sends both at once when a field is left by a click on the button."""
    page = open_page()
    control(page.number_input, "setting_latent_dim").set_value(7)
    page.button(key="train").click().run()
    assert asked(registry, "submit")[0][1] == (TrainConfig(latent_dim=7),)


def test_a_question_chosen_in_the_same_moment_as_the_press_counts(registry):
    page = open_page()
    control(page.button_group, "train_question").set_value("pixel-mean")
    page.button(key="train-paused").click().run()
    [(_, configs, details)] = asked(registry, "submit")
    assert [config.reduction for config in configs] == ["sum", "pixel-mean"]
    assert details["paused"]


def test_restart_and_new_seed_take_what_the_controls_say_at_the_press(registry):
    for key, seed in (("again", 1), ("new-seed", 2)):
        page = start(registry)
        control(page.number_input, "setting_latent_dim").set_value(3)
        page.button(key=key).click().run()
        run = address(page)["run"]
        registry.runs[run] = replace(registry.runs[run], state=RunState.STOPPED)
        page.run()
        assert asked(registry, "submit")[-1][1] == (TrainConfig(latent_dim=3, seed=seed),)
        registry.runs.clear()


@pytest.mark.parametrize("query", [{}, {"present": "1"}, {"present": "1", "lesson": "grey"}])
def test_the_page_leaves_to_others_what_is_not_its_own_in_the_address(registry, query):
    page = open_page({**query, "from": "a-teachers-page"})
    control(page.button_group, "train_question").set_value("race").run()
    # The parameter is still there, and the page must not take that for a new address.
    page.run()
    wanted = {**query, "from": "a-teachers-page", "lesson": "race"}
    assert address(page) == wanted
    assert page.button(key="train").label == "Train 4 side by side"


def test_going_on_keeps_the_speed_that_was_chosen(registry):
    page = start(registry, RunState.STOPPED, checkpoints=("model.pt",), speed=5.0)
    page.button(key="go-on").click().run()
    assert asked(registry, "speed") == [("speed", address(page)["run"], 5.0)]


def test_a_second_press_in_the_same_place_is_no_other_action(registry, monkeypatch):
    """A hand that presses twice means what it saw; 600 ms later it means what stands there now."""
    now = [0.0]
    monkeypatch.setattr(train_commands, "clock", lambda: now[0])
    page = open_page()
    page.button(key="train").click().run()
    [run] = registry.runs
    assert page.button(key="train").disabled
    assert not page.button(key="pause").disabled
    page.button(key="pause").click().run()
    registry.runs[run] = replace(registry.runs[run], state=RunState.PAUSED)
    page.run()
    now[0] += train_commands.DEAF_SECONDS / 2
    page.button(key="resume").click().run()
    assert not asked(registry, "resume")
    now[0] += train_commands.DEAF_SECONDS
    page.button(key="resume").click().run()
    assert len(asked(registry, "resume")) == 1


@pytest.mark.parametrize("key", ["train", "train-paused", "new-seed"])
def test_a_double_press_starts_one_run(registry, monkeypatch, key):
    monkeypatch.setattr(train_commands, "clock", lambda: 0.0)
    # The second press comes from a browser that has not drawn the first one's answer yet, and says
    # of the seed what it shows.
    opened = open_page()
    seed = control(opened.number_input, "setting_seed")
    seed.set_value(seed.value)
    button = opened.button(key=key)
    button.click().run()
    page = button.click().run()
    assert len(asked(registry, "submit")) == 1
    assert not asked(registry, "stop")
    assert not page.warning


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("bound", RunState.RUNNING, RunState.FINISHED),
        ("go-on", RunState.RUNNING, RunState.FINISHED),
        ("go-on", RunState.RUNNING, RunState.STOPPED),
        ("train", RunState.RUNNING, RunState.FINISHED),
        ("sweep", RunState.RUNNING, RunState.FINISHED),
        ("new-seed", RunState.RUNNING, RunState.FINISHED),
        ("pause", RunState.QUEUED, RunState.RUNNING),
        ("stop", RunState.FINISHED, RunState.RUNNING),
        ("again", RunState.FINISHED, RunState.RUNNING),
    ],
)
def test_a_press_counts_from_the_moment_that_its_button_can_be_pressed(
    registry, monkeypatch, key, before, after
):
    now = [0.0]
    monkeypatch.setattr(train_commands, "clock", lambda: now[0])
    page = start(registry, before, checkpoints=("model.pt",))
    [run] = registry.runs
    now[0] += 60
    registry.runs[run] = replace(registry.runs[run], state=after)
    page.run()
    registry.asked.clear()
    page.button(key=key).click().run()
    assert {name for name, *_ in registry.asked} - {"touch"}


def test_every_action_keeps_its_place_whatever_the_run_does(registry):
    page = start(registry)
    [run] = registry.runs
    places: dict[str, set] = {}
    for state in (RunState.RUNNING, RunState.PAUSED, RunState.FINISHED, RunState.STOPPED):
        registry.runs[run] = replace(registry.runs[run], state=state, checkpoints=("model.pt",))
        page.run()
        for item in page.button:
            places.setdefault({"resume": "pause"}.get(item.key, item.key), set()).add(
                path_of(page, item.key)
            )
    assert {"train", "pause", "stop", "step-1", "again", "go-on", "new-seed"} <= set(places)
    for key, found in places.items():
        assert len(found) == 1, f"{key} moved"
    assert len(set.union(*places.values())) == len(places), "two actions share a place"


def test_results_name_their_settings_and_are_greyed_under_other_controls(registry):
    page = start(registry, RunState.FINISHED)
    assert "These are results of **BCE**" in words(page)
    assert "20 latents, seed 1" in words(page)
    assert "grayscale" not in styles(page)
    control(page.number_input, "setting_latent_dim").set_value(7).run()
    assert "The controls say something else now" in words(page)
    assert "20 latents, seed 1" in words(page)
    assert "grayscale" in styles(page)
    control(page.number_input, "setting_latent_dim").set_value(20).run()
    assert "grayscale" not in styles(page)


def test_what_a_run_ended_with_is_the_test_sets_with_its_count(registry):
    page = start(registry)
    assert "On the training batch of step 100" in words(page)
    [run] = registry.runs
    member = registry.runs[run].members[0]
    pixels = member.frames[0].reconstruction.targets[0].size
    bins = (CalibrationBin(0.1, 0.2, 1500 * pixels), CalibrationBin(0.9, 0.8, 500 * pixels))
    epoch = replace(member.epochs[0], test_mse=0.0123, test_kl=45.6, response=bins)
    registry.runs[run] = replace(
        registry.runs[run], state=RunState.FINISHED, members=(replace(member, epochs=(epoch,)),)
    )
    page.run()
    assert "the test set's 2,000 images, after epoch 1" in words(page)
    assert "MSE **0.0123**" in words(page)
    assert "KL **45.6**" in words(page)


def test_opened_weights_come_with_their_own_question(registry):
    page = open_page({"lesson": "race"})
    page.button(key="weights-open").click().run()
    [(_, configs, details)] = asked(registry, "submit")
    assert details["paused"]
    assert len(configs) == 1
    assert "lesson" not in address(page)
    assert "grayscale" not in styles(page)


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_question_can_be_shown_without_training(registry, lesson):
    """Pictures, table and verdict of a run that came with the app, under a link of its own."""
    page = open_page({"lesson": lesson, "quiz": "0"})
    page.button(key="show-finished").click().run()
    assert not page.exception
    run = address(page)["run"]
    shown = open_page({"run": run, "quiz": "0"})
    assert not asked(registry, "submit")
    assert not asked(registry, "touch")
    assert "This run was trained before." in words(shown)
    assert LESSONS[lesson].question in words(shown)
    verdicts = [*shown.success, *shown.warning, *shown.info]
    assert sum("**Predicted:**" in item.value for item in verdicts) == 1
    assert "the test set's 2,000 images" in words(shown)
    assert shown.get("vega_lite_chart")
    assert {item.value for item in shown.header} == {"What the latents mean", "Take it home"}
    # Its settings are the question's own.
    shown.button(key="adopt").click().run()
    assert not shown.exception
    expected = PageState().with_lesson(lesson)
    assert settings(shown) == expected.config.to_dict()
    assert "run" not in address(shown)
    assert shown.button(key="train").label.endswith(
        "side by side" if len(expected.members) > 1 else "Train"
    )


def test_a_shipped_run_is_small():
    for lesson in LESSONS:
        path = CHECKPOINTS / f"question-{lesson}.run"
        assert path.stat().st_size < 160_000, path.name


def test_a_run_that_was_left_behind_brings_its_question(registry, monkeypatch):
    race = PageState().with_lesson("race")
    snapshot = run_samples.run(*race.members, state=RunState.RUNNING)
    registry.runs[snapshot.run_id] = snapshot
    monkeypatch.setattr(registry, "run_of", lambda _owner: snapshot.run_id)
    assert address(open_page())["lesson"] == "race"
    page = open_page({"lesson": "grey"})
    assert address(page)["lesson"] == "grey"
    assert "The controls say something else now" in words(page)
