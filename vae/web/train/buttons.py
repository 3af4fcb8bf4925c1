"""The buttons that start, steer and end a run. Each says at once what it could not do."""

from collections.abc import Callable

import streamlit as st

from vae.config import DATASETS, option
from vae.images.sets import is_available
from vae.lessons import questions
from vae.runs.registry import get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import load_cards
from vae.web.kit.address import plain
from vae.web.train import commands, shown
from vae.web.train.page_state import PageState
from vae.wire.protocol import RunState

# Steps a second; 0 is no limit.
_SPEEDS = {0.0: "full speed", 20.0: "20 steps/s", 5.0: "5 steps/s", 1.0: "1 step/s"}
_SWEEPS = {
    "sigma": ("sweep", commands.sweep),
    "beta": ("sweep-beta", commands.sweep_beta),
    "seeds": ("sweep-seeds", commands.sweep_seeds),
}
_STEPS = {1: commands.step_1, 10: commands.step_10, 100: commands.step_100}


def show_buttons(page: PageState, snapshot: RunSnapshot | None, steers: bool) -> None:
    """Every action at a place of its own, which it keeps: what cannot be done now is greyed there.

    A second press in the same place must not meet another action. The first row starts runs, the
    second steers the one that the page shows; who only watches has neither.
    """
    if snapshot is not None and shown.is_shown(snapshot.run_id):
        st.badge("Finished: as it came with the app", icon=":material/inventory_2:")
        return
    if not steers:
        st.badge("Watching: only its owner steers this run", icon=":material/visibility:")
        return
    live = snapshot is not None and not snapshot.state.is_finished()
    with st.container(horizontal=True, vertical_alignment="bottom", key="train-buttons"):
        _starting_buttons(page, live)
    if snapshot is not None:
        with st.container(horizontal=True, vertical_alignment="bottom", key="train-steering"):
            _steering_buttons(snapshot, live)
    if sentence := commands.said():
        st.warning(plain(sentence), icon=":material/info:")


def _starting_buttons(page: PageState, live: bool) -> None:
    count = len(page.members)
    label = "Train" if count == 1 else f"Train {count} side by side"
    if commands.is_missing(page.config):
        label = "Download and train"
    _button(label, "train", commands.train, "play_arrow", slot="train", primary=True, disabled=live)
    _button(
        "Step by step",
        "train-paused",
        commands.train_paused,
        "skip_next",
        slot="train-paused",
        disabled=live,
        help=f"start paused, then take {', '.join(map(str, _STEPS))} steps at a time",
    )
    _button(
        "New seed",
        "new-seed",
        commands.new_seed,
        "casino",
        slot="new-seed",
        help="from the first step: other initial weights, data order and noise",
    )
    _sweep_popover(page, live)
    _weights_popover(disabled=live)
    if shown.run_of(page.lesson):
        _button(
            "Finished run",
            "show-finished",
            commands.show_finished,
            "visibility",
            disabled=live,
            help="of this question, trained before with its own settings: pictures, table, verdict",
        )


def _sweep_popover(page: PageState, live: bool) -> None:
    # Another key while it can start nothing: one that is open would stay open, over the run.
    key = "sweep-shut" if live else "sweep-popover"
    with st.popover("Sweep", icon=":material/scatter_plot:", key=key, disabled=live):
        for kind, (name, press) in _SWEEPS.items():
            one = questions.SWEEPS[kind]
            members = len(questions.sweep(page.config, kind))
            _button(f"{one.label}: {members} runs", name, press, disabled=live, help=one.help)


def _steering_buttons(snapshot: RunSnapshot, live: bool) -> None:
    ending = snapshot.stopping
    still = ending or snapshot.state not in (RunState.RUNNING, RunState.PAUSED)
    if live and commands.rests(snapshot):
        _button("Resume", "resume", commands.resume, "play_arrow", slot="pause", disabled=ending)
    else:
        _button("Pause", "pause", commands.pause, "pause", slot="pause", disabled=still)
    for count, step in _STEPS.items():
        _button(f"Step {count}", f"step-{count}", step, disabled=still)
    if ending:
        _button("Stopping", "stopping", commands.stop, "hourglass_top", slot="stop", disabled=True)
    else:
        _button("Stop", "stop", commands.stop, "stop", slot="stop", disabled=not live)
    _button(
        "Restart",
        "again",
        commands.restart,
        "restart_alt",
        slot="again",
        disabled=not live,
        help="from the first step, with the settings above: the same seed gives the same run",
    )
    finished = snapshot.state is RunState.FINISHED
    _button(
        f"{commands.MORE_EPOCHS} more epochs" if finished else "Go on",
        "go-on",
        commands.go_on,
        "fast_forward",
        slot="go-on",
        disabled=not _can_go_on(snapshot),
        help="a run that ended goes on from its last checkpoint: to its end, or beyond it",
    )
    _button(
        "Tighten the bound",
        "bound",
        commands.tighten,
        "vertical_align_top",
        slot="bound",
        disabled=not (finished and snapshot.checkpoints),
        help=f"1,000 draws of z for each of {commands.BOUND_IMAGES} test images of a finished run: "
        "seconds",
    )
    with st.popover("Rate", icon=":material/speed:", key="rate-popover", disabled=not live):
        _rate_controls(snapshot)


def _can_go_on(snapshot: RunSnapshot) -> bool:
    most = min(get_registry().limits.max_epochs, option("epochs").maximum or 0)
    ended = snapshot.state in (RunState.FINISHED, RunState.STOPPED)
    return ended and bool(snapshot.checkpoints) and commands.epochs_to_go_on(snapshot) <= most


def _button(
    label: str,
    key: str,
    press: Callable[[], None],
    icon: str = "",
    *,
    slot: str = "",
    primary: bool = False,
    disabled: bool = False,
    help: str | None = None,
) -> None:
    """A button. ``slot`` names its place, where a press that follows at once on another button's
    place there is taken for one that was meant for that. One that could not be pressed before was
    waited for: its first press counts."""
    if slot:
        commands.note_meaning(slot, key)
    st.button(
        label,
        key=key,
        type="primary" if primary else "secondary",
        icon=f":material/{icon}:" if icon else None,
        on_click=press,
        disabled=disabled,
        help=help,
    )


def _weights_popover(*, disabled: bool) -> None:
    """Shipped weights: to look at, or to train on."""
    there = {name for name in DATASETS if is_available(name)}
    cards = {
        name: card
        for name, card in load_cards().items()
        if card.weights and card.config.dataset in there
    }
    if not cards:
        return
    # Another one while a run goes on: what was opened in it would stay open over the results.
    key = "weights-shut" if disabled else "weights-popover"
    with st.popover("Trained weights", icon=":material/inventory_2:", key=key, disabled=disabled):
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
