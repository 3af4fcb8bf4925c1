"""The buttons that start, steer and end a run. Each says at once what it could not do."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from vae.config import TrainConfig, option
from vae.images.sets import is_available
from vae.runs.registry import Registry, get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import load_cards
from vae.web.kit.address import plain
from vae.web.train import commands
from vae.wire.protocol import RunState

_MORE_EPOCHS = 5
# Steps a second; 0 is no limit.
_SPEEDS = {0.0: "full speed", 20.0: "20 steps/s", 5.0: "5 steps/s", 1.0: "1 step/s"}


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
            if snapshot is not None and steers:
                _go_on_button(snapshot)
            _weights_popover()
    if sentence := commands.said():
        st.warning(plain(sentence), icon=":material/info:")


def _go_on_button(snapshot: RunSnapshot) -> None:
    """A run that ended goes on from its last checkpoint: to its end, or beyond it."""
    epochs, label = snapshot.members[0].config.epochs, "Go on"
    if snapshot.state is RunState.FINISHED:
        epochs, label = epochs + _MORE_EPOCHS, f"{_MORE_EPOCHS} more epochs"
    allowed = epochs <= min(get_registry().limits.max_epochs, option("epochs").maximum or 0)
    ended = snapshot.state in (RunState.FINISHED, RunState.STOPPED)
    if ended and snapshot.checkpoints and allowed:
        st.button(
            label,
            key="go-on",
            icon=":material/fast_forward:",
            on_click=commands.recover,
            args=(snapshot.run_id, epochs),
        )


def _weights_popover() -> None:
    """Shipped weights: to look at, or to train on."""
    cards = {
        name: card
        for name, card in load_cards().items()
        if card.weights and is_available(card.config.dataset)
    }
    if not cards:
        return
    with st.popover("Trained weights", icon=":material/inventory_2:", key="weights-popover"):
        key = "weights-card"
        name = st.selectbox(
            "Trained earlier, with this engine",
            list(cards),
            format_func=lambda name: cards[name].title,
            key=key,
        )
        card = cards[name]
        st.caption(f"{card.note} Test loss {card.test_loss:.1f}, MSE {card.test_mse:.4f}.")
        st.button(
            "Look at it",
            key="weights-open",
            on_click=commands.open_weights,
            args=(key,),
            help="what it draws, and its latents; Resume goes on training it",
        )


def _idle_buttons(configs: tuple[TrainConfig, ...], missing: bool) -> None:
    label = "Train" if len(configs) == 1 else f"Train {len(configs)} side by side"
    if missing:
        label = "Download and train"
    st.button(
        label,
        key="train",
        type="primary",
        icon=":material/play_arrow:",
        on_click=commands.submit,
        args=(configs,),
        kwargs={"download": missing},
    )
    st.button(
        "Step by step",
        key="train-paused",
        icon=":material/skip_next:",
        on_click=commands.submit,
        args=(configs,),
        kwargs={"download": missing, "paused": True},
        help="start paused, then take 1, 10 or 100 steps at a time",
    )
    _new_seed_button(configs, live=False)
    st.button(
        "Race of four losses",
        key="race",
        icon=":material/flag:",
        on_click=commands.race,
        help="BCE, MSE, a learned sigma and the continuous Bernoulli: same seed, side by side",
    )


def _live_buttons(
    registry: Registry, snapshot: RunSnapshot, configs: tuple[TrainConfig, ...]
) -> None:
    run = snapshot.run_id
    ending = snapshot.stopping
    still = ending or snapshot.state not in (RunState.RUNNING, RunState.PAUSED)
    if commands.rests(snapshot):
        _command("Resume", registry.resume, run, icon="play_arrow", primary=True, disabled=ending)
    else:
        _command("Pause", registry.pause, run, icon="pause", primary=True, disabled=still)
    for count in (1, 10, 100):
        _command(f"Step {count}", registry.step, run, count, disabled=still)
    if ending:
        st.button("Stopping", key="stopping", icon=":material/hourglass_top:", disabled=True)
    else:
        _command("Stop", registry.stop, run, icon="stop")
    st.button(
        "Restart",
        key="again",
        icon=":material/restart_alt:",
        on_click=commands.again,
        args=(registry, run, configs),
        help="from the first step, with the settings above: the same seed gives the same run",
    )
    _new_seed_button(configs, live=True)
    with st.popover("Rate", icon=":material/speed:", key="rate-popover"):
        _rate_controls(registry, snapshot)


def _new_seed_button(configs: tuple[TrainConfig, ...], *, live: bool) -> None:
    st.button(
        "New seed",
        key="new-seed",
        icon=":material/casino:",
        on_click=commands.new_seed,
        args=(configs, live),
        help="from the first step: other initial weights, data order and noise",
    )


def _command(
    label: str,
    method: Callable[..., None],
    *arguments: Any,
    icon: str = "",
    primary: bool = False,
    disabled: bool = False,
) -> None:
    """A button that sends one command to the run."""
    st.button(
        label,
        key=label.lower().replace(" ", "-"),
        type="primary" if primary else "secondary",
        icon=f":material/{icon}:" if icon else None,
        on_click=commands.command,
        args=(method, *arguments),
        disabled=disabled,
    )


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
        on_change=lambda: commands.command(
            registry.set_learning_rate, snapshot.run_id, st.session_state[key]
        ),
    )
    speed_key = f"speed-{snapshot.run_id}"
    st.selectbox(
        "Speed",
        list(_SPEEDS),
        format_func=_SPEEDS.__getitem__,
        key=speed_key,
        on_change=lambda: commands.command(
            registry.set_speed, snapshot.run_id, st.session_state[speed_key] or None
        ),
    )
