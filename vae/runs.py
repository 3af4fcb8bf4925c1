"""The server's side of training: a queue, one warm worker, and a snapshot of each run.

Pages call ``get_registry()`` and nothing else here needs a thread of theirs: every method returns
at once. Reading is open to anybody who has a run's id (``?run=ID`` only shows); commands need the
owner's key (``vae.owners.owner_key``). No torch: training happens in ``python -m vae.worker``.

A page's life with a run::

    registry = get_registry()
    run_id = registry.submit([config], owner=key)          # QUEUED or STARTING
    snapshot = registry.snapshot(run_id)                   # poll this in a fragment
    registry.touch(run_id, viewer=session_id)              # in the same fragment
    registry.pause(run_id, owner=key)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vae.config import TrainConfig
from vae.snapshots import RunSnapshot, RunState


class RunError(RuntimeError):
    """A request that cannot be met; the message is a sentence for the page."""


class AlreadyRunning(RunError):
    """The owner has a run that is not over; ``run_id`` is its id."""

    def __init__(self, run_id: str) -> None:
        super().__init__("You have a run already: stop it, or wait for its end.")
        self.run_id = run_id


class QueueFull(RunError):
    """Too many runs wait."""


class NotOwner(RunError):
    """A command by someone who only watches."""


class UnknownRun(RunError):
    """No run of this id is in memory."""


@dataclass(frozen=True)
class RecoverableRun:
    """A run on disk with checkpoints to go on from; ``state`` is where it stood when last seen.

    ``state`` RUNNING means that the server ended in mid-run.
    """

    run_id: str
    state: RunState
    configs: tuple[TrainConfig, ...]
    step: int
    checkpoints: tuple[str, ...]
    saved_at: float


class Registry:
    """All runs of this server. Thread-safe; one run trains, the others wait in order."""

    def submit(
        self,
        configs: Sequence[TrainConfig],
        *,
        owner: str,
        checkpoints: Sequence[str] = (),
        download: bool = False,
        paused: bool = False,
        speed: float | None = None,
    ) -> str:
        """Queue one run of one to four members; returns its id.

        ``checkpoints``: files to start from, one a member (shipped weights, a run's own); with
        ``paused`` the run stops before its first step, to look at the weights, and ``resume``
        goes on training. ``download``: the learner agreed to fetch a missing data set; without
        it a missing one fails the run with a sentence. ``speed``: steps a second at most (slow
        motion).

        Raises ``AlreadyRunning``, ``QueueFull``, ``vae.limits.LimitError`` (a setting beyond
        what this host allows).
        """
        raise NotImplementedError

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        """The run as it stands, or None when no such run is in memory. Costs a lookup."""
        raise NotImplementedError

    def touch(self, run_id: str, *, viewer: str) -> None:
        """Say that the session ``viewer`` still looks; a run nobody looks at ends after a while."""
        raise NotImplementedError

    def is_owner(self, run_id: str, owner: str) -> bool:
        raise NotImplementedError

    def run_of(self, owner: str) -> str | None:
        """The id of the owner's newest run in memory: what a reload without ``?run=`` finds."""
        raise NotImplementedError

    def pause(self, run_id: str, *, owner: str) -> None:
        raise NotImplementedError

    def resume(self, run_id: str, *, owner: str) -> None:
        raise NotImplementedError

    def step(self, run_id: str, count: int = 1, *, owner: str) -> None:
        """Take ``count`` steps, then pause."""
        raise NotImplementedError

    def set_learning_rate(self, run_id: str, learning_rate: float, *, owner: str) -> None:
        """From the next step on, for all members. Raises ``ConfigError`` outside the range."""
        raise NotImplementedError

    def set_speed(self, run_id: str, speed: float | None, *, owner: str) -> None:
        """Steps a second at most (0.1 to 1000); None takes the limit away."""
        raise NotImplementedError

    def stop(self, run_id: str, *, owner: str) -> None:
        """End the run; its state is STOPPED once the last checkpoint is on disk."""
        raise NotImplementedError

    def recoverable(self, run_id: str | None = None) -> tuple[RecoverableRun, ...]:
        """Runs on disk that are not in memory, newest first: all, or the one of this id."""
        raise NotImplementedError

    def recover(self, run_id: str, *, owner: str, paused: bool = False) -> str:
        """Go on from the checkpoints of a recoverable run, as a new run; returns its id.

        Raises ``UnknownRun`` and what ``submit`` raises.
        """
        raise NotImplementedError

    def close(self) -> None:
        """End the worker and the threads; running work leaves its checkpoint."""
        raise NotImplementedError


get_registry: Callable[[], Registry]
