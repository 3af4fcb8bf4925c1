"""What the Train page asks of the registry: each request says at once what it could not do.

A button's callback takes no arguments: it reads the page's state when it runs, so that a control
that was changed in the same moment counts.
"""

import contextlib
import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from vae.config import TrainConfig, default
from vae.images.sets import is_available
from vae.lessons import questions
from vae.runs.registry import AlreadyRunning, RunError, get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import load_cards
from vae.web.steering_key import owner_key
from vae.web.train import shown, state
from vae.wire.protocol import RunState

_SESSION = "session"
_SAID = "train_said"
_AGAIN = "train_again"
_STARTED = "train_started"
_ASKED = "train_asked"
_TURNED = "train_turned"
# A press this soon after its place has changed its meaning was meant for what stood there before.
DEAF_SECONDS = 0.6
clock = time.monotonic
"""Seconds; tests set another."""
# The worker obeys between two steps; after this long its own word counts again.
_ASKED_SECONDS = 1.5
# A trainer that waits for a run shows its untrained picture some 15 ms after the press; one that
# trains obeys between two steps.
_ANSWER_SECONDS = 0.15
MORE_EPOCHS = 5
BOUND_IMAGES = 100
CARD_KEY = "weights-card"


def owner() -> str:
    """The key of this browser, with which it steers its own run."""
    return owner_key(st.context.cookies, session_id())


def address() -> str:
    """Where this browser is; empty where the server cannot tell."""
    return st.context.ip_address or ""


def session_id() -> str:
    """A number of this session, which no other has."""
    return str(st.session_state.setdefault(_SESSION, secrets.token_hex(16)))


def is_missing(config: TrainConfig) -> bool:
    """Whether the images have to be downloaded before a run can start."""
    return config.dataset != "images" and not is_available(config.dataset)


def said() -> str:
    """What the last button could not do, as a sentence; empty when it did it."""
    return st.session_state.get(_SAID, "")


def started_here(run: str) -> bool:
    """Whether this very session, not an earlier visit or somebody else, started ``run``."""
    return st.session_state.get(_STARTED) == run


def rests(snapshot: RunSnapshot) -> bool:
    """Whether the run is paused, or was just told to be: the button turns before the worker has."""
    rest, since = st.session_state.get(_ASKED, (False, -math.inf))
    if clock() - since < _ASKED_SECONDS:
        return rest
    return snapshot.state is RunState.PAUSED


# --- starting ---------------------------------------------------------------------------------


def note_meaning(slot: str, meaning: str) -> None:
    """Say what the button at the place ``slot`` means as it is drawn now."""
    turned = st.session_state.setdefault(_TURNED, {})
    before, since = turned.get(slot, (meaning, -math.inf))
    turned[slot] = (meaning, since if meaning == before else clock())


def is_heard(slot: str) -> bool:
    """Whether a press at the place ``slot`` counts; the next one must wait for its own meaning."""
    turned = st.session_state.setdefault(_TURNED, {})
    meaning, since = turned.get(slot, ("", -math.inf))
    if clock() - since < DEAF_SECONDS:
        return False
    turned[slot] = (meaning, clock())
    return True


def train() -> None:
    """Start what the controls say now."""
    if is_heard("train"):
        _submit(state.current().members)


def train_paused() -> None:
    if is_heard("train-paused"):
        _submit(state.current().members, paused=True)


def sweep() -> None:
    """Several short runs at once, from a high rate to a low one: over sigma."""
    _sweep("sigma")


def sweep_beta() -> None:
    _sweep("beta")


def sweep_seeds() -> None:
    _sweep("seeds")


def _sweep(kind: str) -> None:
    if is_heard("sweep"):
        _submit(questions.sweep(state.current().config, kind))


def new_seed() -> None:
    """The same from another seed, in place of the run that goes on, or as a new one."""
    if not is_heard("new-seed"):
        return
    page = state.current()
    state.put(page.with_settings(seed=(page.config.seed + 1) % (2**31)))
    if _goes_on(page.run):
        _restart()
    else:
        _submit(state.current().members)


def restart() -> None:
    """Stop the run, and begin again with the settings of this moment when it is over."""
    if is_heard("again"):
        _restart()


def _restart() -> None:
    st.session_state[_AGAIN] = state.current().members
    _stop()


def start_again_when_over(snapshot: RunSnapshot | None) -> None:
    configs = st.session_state.get(_AGAIN)
    if configs and (snapshot is None or snapshot.state.is_finished()):
        del st.session_state[_AGAIN]
        _submit(configs)


def open_weights() -> None:
    """Open the chosen shipped weights, resting: Resume goes on training them."""
    card = load_cards()[st.session_state[CARD_KEY]]
    if card.weights_path is not None:
        # Where they were trained is no choice of this visitor's.
        config = replace(card.config, device=default("device"))
        state.put(state.current().with_members([config]))
        _submit([config], checkpoints=[str(card.weights_path)], paused=True)


def recover() -> None:
    """Open the last checkpoint of the run of the address, resting, with its own settings."""
    page = state.current()
    for saved in get_registry().recoverable(page.run):
        state.put(page.with_members(saved.configs).with_run(page.run))
    _recover(paused=True)


def go_on() -> None:
    """Go on with a run that ended, to its end or beyond it, at the speed that was chosen."""
    page = state.current()
    snapshot = get_registry().snapshot(page.run)
    if snapshot is None or not is_heard("go-on"):
        return
    epochs = epochs_to_go_on(snapshot)
    if page.makes([member.config for member in snapshot.members]):
        state.put(page.with_settings(epochs=epochs))
    _recover(epochs=epochs, speed=snapshot.speed)


def tighten() -> None:
    """Open the last checkpoint of a run that ended, and measure its importance-weighted bound."""
    if is_heard("bound"):
        _recover(bound_images=BOUND_IMAGES)


def epochs_to_go_on(snapshot: RunSnapshot) -> int:
    """The epochs of a run that goes on after its end: its own, or some more when it had them."""
    more = MORE_EPOCHS if snapshot.state is RunState.FINISHED else 0
    return snapshot.members[0].config.epochs + more


def adopt() -> None:
    """Take over what a watched run trains, its question and comparison too, and let go of it."""
    page = state.current()
    snapshot = shown.look(page.run)
    if snapshot is not None:
        state.put(page.with_members([member.config for member in snapshot.members]))


def show_finished() -> None:
    """Show the run that was trained before for the page's question."""
    state.set_run(shown.run_of(state.current().lesson))


def leave() -> None:
    """Let go of the run of the address."""
    state.set_run("")


def _goes_on(run: str) -> bool:
    snapshot = get_registry().snapshot(run) if run else None
    return snapshot is not None and not snapshot.state.is_finished()


def _submit(configs: Sequence[TrainConfig], **details: object) -> None:
    """Start a run, and show it; what stands in the way becomes a sentence."""
    download = is_missing(configs[0])
    _show_what(
        lambda: get_registry().submit(
            configs,
            owner=owner(),
            address=address(),
            download=download,
            **details,  # type: ignore[arg-type]
        )
    )


def _recover(
    *,
    paused: bool = False,
    epochs: int | None = None,
    speed: float | None = None,
    bound_images: int = 0,
) -> None:
    registry, run = get_registry(), state.current().run
    _show_what(
        lambda: registry.recover(
            run,
            owner=owner(),
            address=address(),
            paused=paused,
            epochs=epochs,
            bound_images=bound_images,
        )
    )
    if speed is not None and not said():
        _command(lambda run, owner: registry.set_speed(run, speed, owner=owner))


def _show_what(start: Callable[[], str]) -> None:
    st.session_state.pop(_SAID, None)
    st.session_state.pop(_ASKED, None)
    try:
        run = start()
    except AlreadyRunning as error:
        state.set_run(error.run_id)
        st.session_state[_SAID] = str(error)
    except (RunError, ValueError) as error:
        st.session_state[_SAID] = str(error)
    else:
        st.session_state[_STARTED] = run
        state.set_run(run)
        _wait_for_a_picture(run)


def _wait_for_a_picture(run: str) -> None:
    """A moment, in which a trainer that is ready has drawn the first one."""

    def begun(snapshot: RunSnapshot) -> bool:
        waits = snapshot.state is RunState.QUEUED or snapshot.state.is_finished()
        return waits or all(member.frames for member in snapshot.members)

    _wait(run, begun)


def _wait(run: str, until: Callable[[RunSnapshot], bool]) -> None:
    """A moment, for what the trainer answers at once: the page that the press draws then shows it.
    Without it the page is drawn now, and once more after the next poll."""
    with contextlib.suppress(RunError, TimeoutError):
        get_registry().wait(run, until, _ANSWER_SECONDS)


# --- steering ---------------------------------------------------------------------------------


def pause() -> None:
    if is_heard("pause") and _command(lambda run, owner: get_registry().pause(run, owner=owner)):
        _expect_rest(True)
        _wait_for_rest(True)


def resume() -> None:
    if is_heard("pause") and _command(lambda run, owner: get_registry().resume(run, owner=owner)):
        _expect_rest(False)
        _wait_for_rest(False)


def step_1() -> None:
    _step(1)


def step_10() -> None:
    _step(10)


def step_100() -> None:
    _step(100)


def stop() -> None:
    if is_heard("stop"):
        _stop()


def _stop() -> None:
    _command(lambda run, owner: get_registry().stop(run, owner=owner))


def set_learning_rate() -> None:
    """Give the run the rate that the control of this run says."""
    rate = st.session_state[rate_key(state.current().run)]
    _command(lambda run, owner: get_registry().set_learning_rate(run, rate, owner=owner))


def set_speed() -> None:
    """Give the run the speed that the control of this run says; 0 is no limit."""
    speed = st.session_state[speed_key(state.current().run)] or None
    _command(lambda run, owner: get_registry().set_speed(run, speed, owner=owner))


def rate_key(run: str) -> str:
    return f"rate-{run}"


def speed_key(run: str) -> str:
    return f"speed-{run}"


def _step(count: int) -> None:
    if _command(lambda run, owner: get_registry().step(run, count, owner=owner)):
        _expect_rest(True)


def _expect_rest(rest: bool) -> None:
    st.session_state[_ASKED] = rest, clock()


def _wait_for_rest(rest: bool) -> None:
    def obeyed(snapshot: RunSnapshot) -> bool:
        return snapshot.state.is_finished() or (snapshot.state is RunState.PAUSED) == rest

    _wait(state.current().run, obeyed)


def _command(send: Callable[[str, str], None]) -> bool:
    """Send a command to the page's run; one that ended meanwhile is a sentence, no traceback."""
    st.session_state.pop(_SAID, None)
    try:
        send(state.current().run, owner())
    except (RunError, ValueError) as error:
        st.session_state[_SAID] = str(error)
        return False
    return True
