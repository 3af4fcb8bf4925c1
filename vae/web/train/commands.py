"""What the Train page asks of the registry: each request says at once what it could not do."""

import math
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from vae.config import TrainConfig
from vae.lessons import questions
from vae.runs.limits import LimitError
from vae.runs.registry import AlreadyRunning, Registry, RunError, get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import load_cards
from vae.web.steering_key import owner_key
from vae.web.train import state
from vae.wire.protocol import RunState

_SESSION = "session"
_SAID = "train_said"
_AGAIN = "train_again"
_STARTED = "train_started"
_ASKED = "train_asked"
# The worker obeys between two steps; after this long its own word counts again.
_ASKED_SECONDS = 1.5
# What a command makes of a run that moves.
_RESTS = {"pause": True, "step": True, "resume": False}


def owner() -> str:
    """The key of this browser, with which it steers its own run."""
    return owner_key(st.context.cookies, session_id())


def address() -> str:
    """Where this browser is; empty where the server cannot tell."""
    return st.context.ip_address or ""


def session_id() -> str:
    """A number of this session, which no other has."""
    return str(st.session_state.setdefault(_SESSION, secrets.token_hex(16)))


def submit(configs: Sequence[TrainConfig], **details: object) -> None:
    """Start a run, and show it; what stands in the way becomes a sentence."""
    st.session_state.pop(_SAID, None)
    st.session_state.pop(_ASKED, None)
    try:
        run = get_registry().submit(configs, owner=owner(), address=address(), **details)  # type: ignore[arg-type]
    except AlreadyRunning as error:
        state.set_run(error.run_id)
        st.session_state[_SAID] = str(error)
    except (RunError, LimitError) as error:
        st.session_state[_SAID] = str(error)
    else:
        st.session_state[_STARTED] = run
        state.set_run(run)


def recover(run: str, epochs: int | None = None) -> None:
    """Open the last checkpoint of a run, resting; with ``epochs`` train on to that many."""
    registry = get_registry()
    st.session_state.pop(_SAID, None)
    try:
        found = registry.recover(
            run, owner=owner(), address=address(), paused=epochs is None, epochs=epochs
        )
    except (RunError, ValueError) as error:
        st.session_state[_SAID] = str(error)
    else:
        st.session_state[_STARTED] = found
        state.set_run(found)


def open_weights(key: str) -> None:
    """Open shipped weights, resting: Resume goes on training them."""
    card = load_cards()[st.session_state[key]]
    if card.weights_path is not None:
        state.copy_settings(card.config)
        submit([card.config], checkpoints=[str(card.weights_path)], paused=True)


def started_here(run: str) -> bool:
    """Whether this very session, not an earlier visit or somebody else, started ``run``."""
    return st.session_state.get(_STARTED) == run


def said() -> str:
    """What the last button could not do, as a sentence; empty when it did it."""
    return st.session_state.get(_SAID, "")


def command(method: Callable[..., None], *arguments: Any) -> None:
    """Send a command; a run that ended meanwhile is a sentence, not a traceback."""
    st.session_state.pop(_SAID, None)
    try:
        method(*arguments, owner=owner())
    except (RunError, ValueError) as error:
        st.session_state[_SAID] = str(error)
    else:
        if method.__name__ in _RESTS:
            st.session_state[_ASKED] = _RESTS[method.__name__], time.monotonic()


def rests(snapshot: RunSnapshot) -> bool:
    """Whether the run is paused, or was just told to be: the button turns before the worker has."""
    rest, since = st.session_state.get(_ASKED, (False, -math.inf))
    if time.monotonic() - since < _ASKED_SECONDS:
        return rest
    return snapshot.state is RunState.PAUSED


def start_again_when_over(snapshot: RunSnapshot | None) -> None:
    configs = st.session_state.get(_AGAIN)
    if configs and (snapshot is None or snapshot.state.is_finished()):
        del st.session_state[_AGAIN]
        submit(configs)


def again(registry: Registry, run: str, configs: tuple[TrainConfig, ...]) -> None:
    st.session_state[_AGAIN] = configs
    command(registry.stop, run)


def new_seed(configs: tuple[TrainConfig, ...], live: bool) -> None:
    seed = (configs[0].seed + 1) % (2**31)
    state.change(seed=seed)
    changed = questions.with_seed(configs, seed)
    if live:
        again(get_registry(), state.run_id(), changed)
    else:
        submit(changed)


def race() -> None:
    state.apply_lesson("race")
    submit(questions.members(state.current(), state.against()))
