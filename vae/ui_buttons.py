"""The buttons that start, steer and end a run. Each says at once what it could not do."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from vae import lessons, ui_settings
from vae.config import TrainConfig, option
from vae.limits import LimitError
from vae.owners import owner_key
from vae.runs import AlreadyRunning, Registry, RunError, get_registry
from vae.snapshots import RunSnapshot, RunState

_SAID = "train_said"
_AGAIN = "train_again"
# Steps a second; 0 is no limit.
_SPEEDS = {0.0: "full speed", 20.0: "20 steps/s", 5.0: "5 steps/s", 1.0: "1 step/s"}


def owner() -> str:
    """The key of this browser, with which it steers its own run."""
    return owner_key(st.context.cookies, session_id())


def session_id() -> str:
    context = get_script_run_ctx()
    return context.session_id if context else ""


def submit(configs: Sequence[TrainConfig], **details: object) -> None:
    """Start a run, and show it; what stands in the way becomes a sentence."""
    st.session_state.pop(_SAID, None)
    try:
        run = get_registry().submit(configs, owner=owner(), **details)  # type: ignore[arg-type]
    except AlreadyRunning as error:
        ui_settings.set_run(error.run_id)
        st.session_state[_SAID] = str(error)
    except (RunError, LimitError) as error:
        st.session_state[_SAID] = str(error)
    else:
        ui_settings.set_run(run)


def said() -> str:
    """What the last button could not do, as a sentence; empty when it did it."""
    return st.session_state.get(_SAID, "")


def _command(method: Callable[..., None], *arguments: Any) -> None:
    """Send a command; a run that ended meanwhile is a sentence, not a traceback."""
    st.session_state.pop(_SAID, None)
    try:
        method(*arguments, owner=owner())
    except (RunError, ValueError) as error:
        st.session_state[_SAID] = str(error)


def start_again_when_over(snapshot: RunSnapshot | None) -> None:
    configs = st.session_state.get(_AGAIN)
    if configs and (snapshot is None or snapshot.state.is_finished()):
        del st.session_state[_AGAIN]
        submit(configs)


def show_buttons(
    registry: Registry,
    snapshot: RunSnapshot | None,
    configs: tuple[TrainConfig, ...],
    missing: bool,
    steers: bool,
) -> None:
    live = snapshot is not None and not snapshot.state.is_finished()
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-buttons"):
        if live and not steers:
            st.badge("Watching: only its owner steers this run", icon=":material/visibility:")
        elif live and snapshot is not None:
            _live_buttons(registry, snapshot, configs)
        else:
            _idle_buttons(configs, missing)


def _idle_buttons(configs: tuple[TrainConfig, ...], missing: bool) -> None:
    label = "Train" if len(configs) == 1 else f"Train {len(configs)} side by side"
    if missing:
        label = "Download and train"
    st.button(
        label,
        key="train",
        type="primary",
        icon=":material/play_arrow:",
        on_click=submit,
        args=(configs,),
        kwargs={"download": missing},
    )
    st.button(
        "Step by step",
        key="train-paused",
        icon=":material/skip_next:",
        on_click=submit,
        args=(configs,),
        kwargs={"download": missing, "paused": True},
        help="start paused, then take 1, 10 or 100 steps at a time",
    )
    st.button(
        "New seed",
        key="new-seed",
        icon=":material/casino:",
        on_click=_new_seed,
        args=(configs, False),
        help="other initial weights, data order and noise; then train",
    )
    st.button(
        "Race of four losses",
        key="race",
        icon=":material/flag:",
        on_click=_race,
        help="BCE, MSE, a learned sigma and the continuous Bernoulli: same seed, side by side",
    )


def _live_buttons(
    registry: Registry, snapshot: RunSnapshot, configs: tuple[TrainConfig, ...]
) -> None:
    run = snapshot.run_id
    paused = snapshot.state is RunState.PAUSED
    moving = snapshot.state in (RunState.RUNNING, RunState.PAUSED)
    if paused:
        st.button(
            "Resume",
            key="resume",
            type="primary",
            icon=":material/play_arrow:",
            on_click=_command,
            args=(registry.resume, run),
        )
    else:
        st.button(
            "Pause",
            key="pause",
            type="primary",
            icon=":material/pause:",
            on_click=_command,
            args=(registry.pause, run),
            disabled=not moving,
        )
    for count in (1, 10, 100):
        st.button(
            f"Step {count}",
            key=f"step-{count}",
            on_click=_command,
            args=(registry.step, run, count),
            disabled=not moving,
        )
    st.button(
        "Stop",
        key="stop",
        icon=":material/stop:",
        on_click=_command,
        args=(registry.stop, run),
    )
    st.button(
        "Restart",
        key="again",
        icon=":material/restart_alt:",
        on_click=_again,
        args=(registry, run, configs),
        help="from the first step, with the settings above: the same seed gives the same run",
    )
    st.button(
        "New seed",
        key="new-seed",
        icon=":material/casino:",
        on_click=_new_seed,
        args=(configs, True),
        help="from the first step with the next seed",
    )
    with st.popover("Rate", icon=":material/speed:", key="rate-popover"):
        _rate_controls(registry, snapshot)


def _rate_controls(registry: Registry, snapshot: RunSnapshot) -> None:
    """What may change while a run goes on: the learning rate, and how fast it goes."""
    about = option("learning_rate")
    key = f"rate-{snapshot.run_id}"
    start = snapshot.members[0].config.learning_rate
    st.number_input(
        "Learning rate now",
        float(about.minimum or 0),
        float(about.maximum or 1),
        start,
        step=start / 2,
        format="%g",
        key=key,
        on_change=lambda: _command(
            registry.set_learning_rate, snapshot.run_id, st.session_state[key]
        ),
    )
    speed_key = f"speed-{snapshot.run_id}"
    st.selectbox(
        "Speed",
        list(_SPEEDS),
        format_func=_SPEEDS.__getitem__,
        key=speed_key,
        on_change=lambda: _command(
            registry.set_speed, snapshot.run_id, st.session_state[speed_key] or None
        ),
    )


def _again(registry: Registry, run: str, configs: tuple[TrainConfig, ...]) -> None:
    st.session_state[_AGAIN] = configs
    _command(registry.stop, run)


def _new_seed(configs: tuple[TrainConfig, ...], live: bool) -> None:
    seed = (configs[0].seed + 1) % (2**31)
    ui_settings.change(seed=seed)
    changed = lessons.with_seed(configs, seed)
    if live:
        _again(get_registry(), ui_settings.run_id(), changed)
    else:
        submit(changed)


def _race() -> None:
    ui_settings.apply_lesson("race")
    submit(lessons.members(ui_settings.current(), ui_settings.against()))
