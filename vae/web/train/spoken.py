"""What a screen reader says when a run has come to another state, and where the focus goes then."""

from collections.abc import Mapping, Sequence

from vae.runs.snapshots import RunSnapshot
from vae.web import quiz
from vae.web.train import verdict
from vae.wire.protocol import RunState

OPENED = "Weights that were trained earlier, and rest."
_GOES = ("pause", "resume")
FOLLOW: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(
        (
            "train",
            "train-paused",
            "sweep",
            "sweep-beta",
            "sweep-seeds",
            "weights-open",
            "again",
            "go-on",
            "bound",
            "recover",
        ),
        _GOES,
    ),
    "pause": ("resume", "pause", "go-on", "train"),
    "resume": ("pause", "resume", "go-on", "train"),
    # Not to a button that starts something: whoever presses Stop twice means Stop.
    "stop": ("train-steering",),
    "stopping": ("train-steering",),
    "leave": ("train",),
    "adopt": ("train",),
}
"""Of each button that is greyed or replaced by its own press, the keys of those that take over."""
ROWS = {"train-steering": "The buttons that steer the run"}


def sentence(snapshot: RunSnapshot | None, lesson: str) -> str:
    """The run's state in a sentence or two, with who was right when it is over.

    Steps are said where a run rests, and not while they pass: each would be spoken.
    """
    if snapshot is None:
        return ""
    if snapshot.stopping:
        return "Stopping."
    if snapshot.state is RunState.QUEUED:
        return f"Waiting: {snapshot.position} ahead in the queue."
    if snapshot.state is RunState.RUNNING:
        return "Training."
    if snapshot.state in _MOVES:
        return _MOVES[snapshot.state]
    if snapshot.state not in _RESTS:
        return f"The run ended: {snapshot.state}."
    if snapshot.opened:
        return OPENED
    rests = f"{_RESTS[snapshot.state]} at step {snapshot.step:,} of {snapshot.total_steps:,}."
    said = verdict.verdict_on(snapshot, lesson)
    # Who is asked for a guess first is not told before it.
    if said is None or quiz.asks():
        return rests
    return f"{rests} {verdict.in_a_word(said)} Got: {said.got}".replace("**", "")


_MOVES = {
    RunState.STARTING: "The trainer is starting.",
    RunState.DOWNLOADING: "Downloading the images.",
}
_RESTS = {
    RunState.PAUSED: "Paused",
    RunState.FINISHED: "Finished",
    RunState.STOPPED: "Stopped",
}
