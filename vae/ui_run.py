"""The running part of the Train page: buttons, progress, pictures and figures, polled.

One fragment draws it and runs again by itself only while the run is not over.
"""

import streamlit as st

from vae import lessons, ui_figures, ui_pictures, ui_results, ui_settings, ui_start
from vae.charts.training import member_styles
from vae.config import TrainConfig
from vae.runs import Registry, get_registry
from vae.snapshots import RunSnapshot, RunState
from vae.ui_buttons import owner, said, session_id, show_buttons, start_again_when_over

POLL_SECONDS = 0.4
# One core answers about this many watchers at the full rate; more of them are polled slower.
_WATCHERS_AT_FULL_RATE = 12


def find_run(registry: Registry) -> RunSnapshot | None:
    """The run of the address, or the one this browser left behind; None when there is none."""
    run = ui_settings.run_id()
    if not run:
        own = registry.run_of(owner())
        kept = registry.snapshot(own) if own else None
        if own and kept and not kept.state.is_finished():
            ui_settings.set_run(own)
            return kept
        return None
    return registry.snapshot(run)


def interval(snapshot: RunSnapshot | None) -> float | None:
    """Seconds between polls; None while nothing can change."""
    if snapshot is None or snapshot.state.is_finished():
        return None
    return POLL_SECONDS * max(1.0, snapshot.watchers / _WATCHERS_AT_FULL_RATE)


def show_run(configs: tuple[TrainConfig, ...], *, missing: bool) -> None:
    """Buttons, and the run of the address as it stands, followed while it lasts.

    ``configs`` are what Train would start; ``missing``: their data set has to be fetched first.
    """
    snapshot = find_run(get_registry())
    every = interval(snapshot)
    panel = st.fragment(_panel, run_every=every)
    panel(configs, missing, ui_settings.run_id(), every is not None)


def _panel(configs: tuple[TrainConfig, ...], missing: bool, run: str, polled: bool) -> None:
    registry = get_registry()
    snapshot = registry.snapshot(run) if run else None
    if snapshot is not None:
        registry.touch(run, viewer=session_id())
    start_again_when_over(snapshot)
    if ui_settings.run_id() != run or (interval(snapshot) is not None) != polled:
        # A run began or ended: the rest of the page has something else to show.
        st.rerun()
    steers = snapshot is None or registry.is_owner(run, owner())
    show_buttons(registry, snapshot, configs, missing, steers)
    if sentence := said():
        st.warning(sentence, icon=":material/info:")
    if snapshot is None:
        return
    show_state(snapshot, steers)
    show_snapshot(snapshot)


def show_snapshot(snapshot: RunSnapshot) -> None:
    """Pictures, figures now, and curves of a run with anything to show."""
    configs = [member.config for member in snapshot.members]
    labels = lessons.labels(configs)
    styles = member_styles(configs, labels)
    if all(member.frames for member in snapshot.members):
        ui_pictures.show_live(snapshot.run_id, snapshot.members, styles, key=f"live-{len(styles)}")
    if all(member.steps for member in snapshot.members):
        ui_figures.show_figures(snapshot, styles)


def show_state(snapshot: RunSnapshot, steers: bool) -> None:
    """One line, and a bar: where the run stands, and what to do when something went wrong."""
    state = snapshot.state
    if state in (RunState.RUNNING, RunState.PAUSED, RunState.FINISHED, RunState.STOPPED):
        done = min(1.0, snapshot.step / max(snapshot.total_steps, 1))
        st.progress(done, text=_progress_line(snapshot))
    elif state is RunState.DOWNLOADING:
        fraction = snapshot.download_fraction or 0.0
        st.progress(min(1.0, fraction), text=f"Downloading the images: {fraction:.0%}")
    elif state is RunState.QUEUED:
        ahead = snapshot.position
        runs = "1 run is" if ahead == 1 else f"{ahead} runs are"
        st.info(
            f"Waiting: {runs} ahead of {'yours' if steers else 'this one'}. It starts by itself; "
            "Stop leaves the queue. The other pages need no queue.",
            icon=":material/hourglass_top:",
        )
    elif state is RunState.STARTING:
        st.info("The trainer is starting.", icon=":material/hourglass_top:")
    elif state is RunState.DIVERGED:
        _show_divergence(snapshot)
    elif state is RunState.FAILED:
        st.error(
            f"{snapshot.message or 'The trainer ended without a word.'} The pages go on; Train "
            "starts a new run.",
            icon=":material/error:",
        )
    if snapshot.message and state is not RunState.FAILED:
        st.caption(snapshot.message)


def _show_divergence(snapshot: RunSnapshot) -> None:
    labels = lessons.labels([member.config for member in snapshot.members])
    for member, label in zip(snapshot.members, labels, strict=True):
        event = member.diverged
        if event is not None:
            st.error(
                f"{label} diverged: at step {event.step} the {event.term} became {event.value}. "
                f"{event.advice} The pictures are from the last good weights.",
                icon=":material/trending_up:",
            )


def _progress_line(snapshot: RunSnapshot) -> str:
    words = {
        RunState.RUNNING: "Training",
        RunState.PAUSED: "Paused",
        RunState.FINISHED: "Finished",
        RunState.STOPPED: "Stopped",
    }[snapshot.state]
    parts = [f"{words}: step {snapshot.step:,} of {snapshot.total_steps:,}"]
    if snapshot.state is RunState.RUNNING:
        if snapshot.seconds_left is not None:
            parts.append(f"{_duration(snapshot.seconds_left)} left")
        if snapshot.images_per_second > 0:
            parts.append(f"{snapshot.images_per_second:,.0f} images/s")
    if snapshot.device:
        parts.append(f"on {snapshot.device}")
    if snapshot.watchers > 1:
        parts.append(f"{snapshot.watchers} watch")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"


def show_after(config: TrainConfig) -> None:
    """Below the polled part: the targets before a first run, the results after one."""
    run = ui_settings.run_id()
    snapshot = get_registry().snapshot(run) if run else None
    if snapshot is None:
        ui_start.show_targets(config)
    elif snapshot.state.is_finished() and any(member.frames for member in snapshot.members):
        ui_results.show_results(snapshot)
