"""The running part of the Train page: buttons, progress, pictures and figures.

Two fragments draw it. The buttons run when one is pressed; what moves is polled, and runs again by
itself only while the run is not over. Either has the whole page drawn again when the run has come
to another state.
"""

from collections.abc import Sequence

import streamlit as st

from vae.charts.train.styles import member_styles
from vae.config import TrainConfig
from vae.export.files import common_moments, moment_captions
from vae.lessons import questions
from vae.runs.registry import get_registry
from vae.runs.snapshots import RunSnapshot
from vae.web import drawing, hands
from vae.web.kit.address import plain
from vae.web.train import (
    before,
    buttons,
    commands,
    figures,
    pictures,
    results,
    shown,
    spoken,
    verdict,
)
from vae.web.train import state as page_state
from vae.web.train.commands import owner, session_id, start_again_when_over, started_here
from vae.web.train.page_state import PageState
from vae.web.train.spoken import OPENED
from vae.wire.protocol import RunState

POLL_SECONDS = 0.4
# Until the first picture, which everybody waits for.
_OPENING_SECONDS = 0.15
# So many at the full rate take a twelfth of a core, which training hardly feels. With more, those
# who only watch are polled less often, in steps: at each all of their pages are drawn again.
_SLOWER_BEYOND = ((4, 2.0), (8, 4.0))
_MEMBERS_AT_LEAST_RATE = 4
# Grey and pale, but legible: words keep their own contrast.
_STALE = """
:is(.st-key-train-run, .st-key-train-results) :is(img, canvas, svg, [data-testid=stAlert],
  [data-testid=stMarkdownContainer] table) { filter: grayscale(1); }
:is(.st-key-train-run, .st-key-train-results) :is(img, canvas, .stVegaLiteChart) { opacity: 0.45; }
.st-key-train-run { --pictures-opacity: 0.45; }
"""
# The longer a run trains, the less happens in a moment: the polls of its first half minute come at
# the full rate, up to a minute at two thirds of it, and so on.
_SLOWER_AFTER = ((30.0, 1.5), (60.0, 2.0), (120.0, 4.0))
Scene = tuple[str, str, bool, int, float]


def find(page: PageState) -> tuple[PageState, RunSnapshot | None]:
    """The page with the run to show, and its snapshot when it is somebody else's.

    Without a run in the address it is the one that this browser left behind and that still goes;
    its question and settings come with it where the address asks for no others.
    """
    registry = get_registry()
    if not page.run:
        own = registry.run_of(owner())
        kept = registry.snapshot(own) if own else None
        if own is None or kept is None or kept.state.is_finished():
            return page, None
        if page == PageState(hide=page.hide):
            page = page.with_members(trained(kept))
        page_state.put(page.with_run(own))
        return page.with_run(own), None
    snapshot = shown.look(page.run)
    if snapshot is None or registry.is_owner(page.run, owner()):
        return page, None
    return page, snapshot


def trained(snapshot: RunSnapshot) -> tuple[TrainConfig, ...]:
    """What a run trains, member by member."""
    return tuple(member.config for member in snapshot.members)


def interval(snapshot: RunSnapshot | None, steers: bool = True) -> float | None:
    """Seconds between polls, of the one who steers or one who watches; None while nothing can
    change."""
    if snapshot is None or snapshot.state.is_finished():
        return None
    if _opening(snapshot):
        return _OPENING_SECONDS
    # A race has as much more to be sent as it has members.
    members = min(len(snapshot.members), _MEMBERS_AT_LEAST_RATE) / 2
    watchers = 1.0 if steers else _factor(_SLOWER_BEYOND, snapshot.watchers - 1)
    slower = max(1.0, members, watchers)
    return POLL_SECONDS * slower * _factor(_SLOWER_AFTER, snapshot.seconds)


def _factor(steps: Sequence[tuple[float, float]], value: float) -> float:
    """How many times as long as at first the pause between two polls is at ``value``."""
    return max((factor for least, factor in steps if value >= least), default=1.0)


def scene(snapshot: RunSnapshot | None, steers: bool = True) -> Scene:
    """What the page outside its polled part depends on: the run, its state, its gallery, its
    pace, which a browser's timer takes from the whole page alone."""
    if snapshot is None:
        return "", "", False, -1, 0.0
    state = "stopping" if snapshot.stopping else snapshot.state
    pace = interval(snapshot, steers) or 0.0
    return snapshot.run_id, state, _opening(snapshot), _gallery_step(snapshot), pace


def _opening(snapshot: RunSnapshot) -> bool:
    """Whether a run has begun and its first picture is still to come."""
    begun = snapshot.state is not RunState.QUEUED and not snapshot.state.is_finished()
    return begun and not all(member.frames for member in snapshot.members)


def _gallery_step(snapshot: RunSnapshot | None) -> int:
    """The step of the galleries while a run rests; -1 while it moves or has none."""
    if snapshot is None:
        return -1
    resting = snapshot.state.is_finished() or snapshot.state is RunState.PAUSED
    galleries = [member.gallery for member in snapshot.members if member.gallery is not None]
    return galleries[0].step if resting and len(galleries) == len(snapshot.members) else -1


def show_run(page: PageState) -> None:
    """Buttons, and the run that the page shows as it stands, followed while it lasts."""
    snapshot = current(page)
    steers = _steers(snapshot)
    drawn = scene(snapshot, steers)
    lesson = "" if snapshot is None else page.question_of(trained(snapshot))
    hands.announce(spoken.sentence(snapshot, lesson), spoken.FOLLOW, spoken.ROWS)
    with st.container():
        _steering(page, drawn)
    with st.container(key="train-run"):
        st.fragment(_panel, run_every=interval(snapshot, steers))(page, drawn)


def current(page: PageState) -> RunSnapshot | None:
    """The run that the page shows, as it stands."""
    if shown.is_shown(page.run):
        return shown.look(page.run)
    return get_registry().view(page.run) if page.run else None


@st.fragment
def _steering(drawn_page: PageState, drawn: Scene) -> None:
    page = page_state.current()
    snapshot = current(page)
    steers = _steers(snapshot)
    if page != drawn_page or scene(snapshot, steers) != drawn:
        # A press changed the settings or began a run, or it came to another state meanwhile.
        st.rerun()
    buttons.show_buttons(page, snapshot, steers)


def _steers(snapshot: RunSnapshot | None) -> bool:
    return snapshot is None or get_registry().is_owner(snapshot.run_id, owner())


def _panel(drawn_page: PageState, drawn: Scene) -> None:
    snapshot = current(page_state.current())
    if snapshot is not None and not shown.is_shown(snapshot.run_id):
        get_registry().touch(snapshot.run_id, viewer=session_id())
    start_again_when_over(snapshot)
    page, steers = page_state.current(), _steers(snapshot)
    if page != drawn_page or scene(current(page), steers) != drawn:
        # A run began, rests or ended, or the pace is another: the whole page is to be drawn.
        st.rerun()
    if snapshot is None:
        before.show_targets(page.config)
        return
    show_state(snapshot, steers)
    show_settings(page, snapshot, steers)
    show_snapshot(snapshot, page.question_of(trained(snapshot)))


def show_settings(page: PageState, snapshot: RunSnapshot, steers: bool) -> None:
    """The settings that made what is shown; greyed, and said, where the controls say others."""
    made = f"These are results of {questions.describe(trained(snapshot))}."
    if not steers or page.makes(trained(snapshot)):
        st.caption(made)
        return
    start = "Restart" if not snapshot.state.is_finished() else "Train"
    st.info(
        f"{made} The controls say something else now: {start} begins a run of that.",
        icon=":material/history:",
    )
    st.html(f"<style>{_STALE}</style>")


def show_snapshot(snapshot: RunSnapshot, lesson: str) -> None:
    """Pictures, the verdict, figures; of a run that is over the pictures are its film."""
    members, configs = snapshot.members, trained(snapshot)
    styles = member_styles(configs, questions.labels(configs))
    if not all(member.frames for member in members):
        before.show_targets(configs[0])
    elif snapshot.state.is_finished() and len(common_moments(members)[0]) > 1:
        captions = moment_captions(members)
        pictures.show_film(snapshot.run_id, members, styles, captions, key="live")
    else:
        bring = started_here(snapshot.run_id)
        pictures.show_live(snapshot.run_id, members, styles, bring=bring, key="live")
    verdict.show_verdict(snapshot, lesson)
    if all(member.steps for member in members):
        figures.show_figures(snapshot, styles, questions.LESSONS[lesson].figure)
    figures.show_bounds(snapshot, styles)


def show_lost(page: PageState) -> None:
    """A run that this server does not remember: say so, and offer what is left of it."""
    registry = get_registry()
    if not page.run or shown.look(page.run) is not None:
        return
    if registry.is_elsewhere(page.run):
        _show_elsewhere(page)
        return
    saved = registry.recoverable(page.run)
    st.info(
        "The run of this address is no longer in memory: the server was restarted, or newer runs "
        + ("took its place. Its last checkpoint is still here." if saved else "took its place."),
        icon=":material/history:",
    )
    with st.container(horizontal=True):
        if saved:
            st.button(
                f"Open it at step {saved[0].step:,}",
                key="recover",
                icon=":material/restore:",
                on_click=commands.recover,
            )
        st.button("Leave it", key="leave", on_click=commands.leave)


def _show_elsewhere(page: PageState) -> None:
    """A run that another server of this address has: the whole link leads there."""
    st.info(
        "The run of this address is on another server, or somebody goes on with it there. "
        "Opening its link anew leads to that server.",
        icon=":material/alt_route:",
    )
    with st.container(horizontal=True):
        st.link_button("Open its link", page_state.watch_link(page)[0], icon=":material/route:")
        st.button("Leave it", key="leave", on_click=commands.leave)


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
        why = plain(snapshot.message or "The trainer ended without a word.")
        st.error(
            f"{why} The pages go on; Train starts a new run.",
            icon=":material/error:",
        )
    if snapshot.message and state is not RunState.FAILED:
        st.caption(plain(snapshot.message))


def _show_divergence(snapshot: RunSnapshot) -> None:
    labels = questions.labels([member.config for member in snapshot.members])
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
    if snapshot.opened and snapshot.state is not RunState.RUNNING:
        return f"{OPENED} Resume trains them on."
    words = "Stopping" if snapshot.stopping else words
    parts = [f"{words}: step {snapshot.step:,} of {snapshot.total_steps:,}"]
    if snapshot.state is RunState.RUNNING and not snapshot.stopping:
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


def show_after(page: PageState) -> None:
    """Below the polled part: before a run the drawing; once one rests, its latents and files."""
    snapshot = shown.look(page.run)
    if snapshot is None:
        drawing.show_shipped(page.config.dataset, grey=page.config.grey, key="drawing")
        return
    if _gallery_step(snapshot) >= 0 or (
        snapshot.state.is_finished() and all(member.steps for member in snapshot.members)
    ):
        with st.container(key="train-results"):
            results.show_results(snapshot)
