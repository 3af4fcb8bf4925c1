"""The buttons that start, steer and end a run. Each says at once what it could not do."""

from collections.abc import Callable

import streamlit as st

from vae.config import option
from vae.images.sets import is_available
from vae.lessons import questions
from vae.runs.registry import get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import load_cards
from vae.web.kit.address import plain
from vae.web.train import commands
from vae.web.train.page_state import PageState
from vae.wire.protocol import RunState

# Steps a second; 0 is no limit.
_SPEEDS = {0.0: "full speed", 20.0: "20 steps/s", 5.0: "5 steps/s", 1.0: "1 step/s"}
_STEPS = {1: commands.step_1, 10: commands.step_10, 100: commands.step_100}


def show_buttons(page: PageState, snapshot: RunSnapshot | None, steers: bool) -> None:
    """What can be done now: start a run, steer one, or go on with one that ended."""
    live = snapshot is not None and not snapshot.state.is_finished()
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-buttons"):
        if live and not steers:
            st.badge("Watching: only its owner steers this run", icon=":material/visibility:")
        elif live and snapshot is not None:
            _live_buttons(snapshot)
        else:
            _idle_buttons(page)
            if snapshot is not None and steers:
                _go_on_button(snapshot)
                _bound_button(snapshot)
            _weights_popover()
    if sentence := commands.said():
        st.warning(plain(sentence), icon=":material/info:")


def _go_on_button(snapshot: RunSnapshot) -> None:
    """A run that ended goes on from its last checkpoint: to its end, or beyond it."""
    finished = snapshot.state is RunState.FINISHED
    allowed = commands.epochs_to_go_on(snapshot) <= min(
        get_registry().limits.max_epochs, option("epochs").maximum or 0
    )
    ended = snapshot.state in (RunState.FINISHED, RunState.STOPPED)
    if ended and snapshot.checkpoints and allowed:
        st.button(
            f"{commands.MORE_EPOCHS} more epochs" if finished else "Go on",
            key="go-on",
            icon=":material/fast_forward:",
            on_click=commands.go_on,
        )


def _bound_button(snapshot: RunSnapshot) -> None:
    """Measure how far the ELBO lies below log p(x), from the last checkpoint."""
    if snapshot.state is RunState.FINISHED and snapshot.checkpoints:
        st.button(
            "Tighten the bound",
            key="bound",
            icon=":material/vertical_align_top:",
            help=f"1,000 draws of z for each of {commands.BOUND_IMAGES} test images: seconds",
            on_click=commands.tighten,
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
        name = st.selectbox(
            "Trained earlier, with this engine",
            list(cards),
            format_func=lambda name: cards[name].title,
            key=commands.CARD_KEY,
        )
        card = cards[name]
        st.caption(f"{card.note} Test loss {card.test_loss:.1f}, MSE {card.test_mse:.4f}.")
        st.button(
            "Look at it",
            key="weights-open",
            on_click=commands.open_weights,
            help="what it draws, and its latents; Resume goes on training it",
        )


def _idle_buttons(page: PageState) -> None:
    count = len(page.members)
    label = "Train" if count == 1 else f"Train {count} side by side"
    if commands.is_missing(page.config):
        label = "Download and train"
    st.button(
        label,
        key="train",
        type="primary",
        icon=":material/play_arrow:",
        on_click=commands.train,
    )
    st.button(
        "Step by step",
        key="train-paused",
        icon=":material/skip_next:",
        on_click=commands.train_paused,
        help="start paused, then take 1, 10 or 100 steps at a time",
    )
    _new_seed_button()
    st.button(
        "Race of four losses",
        key="race",
        icon=":material/flag:",
        on_click=commands.race,
        help="BCE, MSE, a learned sigma and the continuous Bernoulli: same seed, side by side",
    )
    _sweep_button()


def _sweep_button() -> None:
    count = len(questions.SWEEP_SCALES) + len(questions.SWEEP_BESIDE)
    st.button(
        f"Sweep of {count}",
        key="sweep",
        icon=":material/scatter_plot:",
        on_click=commands.sweep,
        help="five sigmas, BCE and the continuous Bernoulli, a few epochs each: what a nat buys",
    )


def _live_buttons(snapshot: RunSnapshot) -> None:
    ending = snapshot.stopping
    still = ending or snapshot.state not in (RunState.RUNNING, RunState.PAUSED)
    if commands.rests(snapshot):
        _command("Resume", commands.resume, icon="play_arrow", primary=True, disabled=ending)
    else:
        _command("Pause", commands.pause, icon="pause", primary=True, disabled=still)
    for count, step in _STEPS.items():
        _command(f"Step {count}", step, disabled=still)
    if ending:
        st.button("Stopping", key="stopping", icon=":material/hourglass_top:", disabled=True)
    else:
        _command("Stop", commands.stop, icon="stop")
    st.button(
        "Restart",
        key="again",
        icon=":material/restart_alt:",
        on_click=commands.restart,
        help="from the first step, with the settings above: the same seed gives the same run",
    )
    _new_seed_button()
    with st.popover("Rate", icon=":material/speed:", key="rate-popover"):
        _rate_controls(snapshot)


def _new_seed_button() -> None:
    st.button(
        "New seed",
        key="new-seed",
        icon=":material/casino:",
        on_click=commands.new_seed,
        help="from the first step: other initial weights, data order and noise",
    )


def _command(
    label: str,
    send: Callable[[], None],
    *,
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
        on_click=send,
        disabled=disabled,
    )


def _rate_controls(snapshot: RunSnapshot) -> None:
    """What may change while a run goes on: the learning rate, and how fast it goes."""
    about = option("learning_rate")
    start = snapshot.members[0].config.learning_rate
    st.number_input(
        "Learning rate now",
        float(about.minimum or 0),
        float(about.maximum or 1),
        start,
        step=start / 2,
        format="%g",
        key=commands.rate_key(snapshot.run_id),
        on_change=commands.set_learning_rate,
    )
    st.selectbox(
        "Speed",
        list(_SPEEDS),
        format_func=_SPEEDS.__getitem__,
        key=commands.speed_key(snapshot.run_id),
        on_change=commands.set_speed,
    )
