"""The server's side of training: a queue, one warm worker, and a snapshot of each run.

Pages call ``get_registry()`` and need no thread of theirs: every method returns at once. Reading
is open to anybody who has a run's id (``?run=ID`` only shows); commands need the owner's key
(``vae.web.steering_key.owner_key``). No torch: training happens in ``python -m vae.worker``.

A page's life with a run::

    registry = get_registry()
    run_id = registry.submit([config], owner=key)          # QUEUED or STARTING
    snapshot = registry.view(run_id)                       # poll this in a fragment
    registry.touch(run_id, viewer=session_id)              # in the same fragment
    registry.pause(run_id, owner=key)

One device trains one run at a time; this server has one worker, on the device that 'auto' finds.
"""

import atexit
import functools
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vae.config import ConfigError, TrainConfig
from vae.runs import limits as limits_module
from vae.runs.folders import RecoverableRun, RunFolders, default_folder
from vae.runs.limits import Limits, load_limits
from vae.runs.records import RunRecord
from vae.runs.scheduler import Supervisor
from vae.runs.snapshots import RunSnapshot
from vae.runs.worker_process import WorkerProcess
from vae.wire.protocol import Command, Pause, Resume, SetLearningRate, SetSpeed, Step

__all__ = [
    "AlreadyRunning",
    "NotOwner",
    "QueueFull",
    "RecoverableRun",
    "Registry",
    "RunError",
    "UnknownRun",
    "get_registry",
]

_MIN_SPEED, _MAX_SPEED = 0.1, 1000.0
_building = threading.Lock()


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
    """No run of this id is there."""


class Registry:
    """All runs of this server. Thread-safe; one run trains, the others wait in order."""

    def __init__(
        self,
        limits: Limits | None = None,
        folder: Path | None = None,
        *,
        build_worker: Callable[..., WorkerProcess] = WorkerProcess,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts the worker at once, in the background. ``LimitError`` on a bad environment."""
        self.limits = load_limits() if limits is None else limits
        self._folders = RunFolders(default_folder() if folder is None else folder)
        self._supervisor = Supervisor(self.limits, self._folders, build_worker, clock)

    @property
    def device(self) -> str:
        """The device that 'auto' takes, in words; empty until the worker has said."""
        return self._supervisor.device

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

        Raises ``AlreadyRunning``, ``QueueFull``, ``vae.runs.limits.LimitError`` (a setting beyond
        what this host allows), ``ConfigError`` (``speed`` outside its range).
        """
        limits_module.check(configs, self.limits)
        if checkpoints and len(checkpoints) != len(configs):
            raise ConfigError(
                f"checkpoints: {len(checkpoints)} given; allowed is none or one for each of the "
                f"{len(configs)} members"
            )
        supervisor = self._supervisor
        with supervisor.lock:
            for record in supervisor.records.values():
                if record.owner == owner and not record.state.is_finished():
                    raise AlreadyRunning(record.run_id)
            if supervisor.closing:
                raise RunError("The server is about to end; no run can start.")
            waiting = len(supervisor.queue)
            if waiting >= self.limits.max_queue:
                raise QueueFull(
                    f"{waiting} runs wait already, as many as this host allows. Try again in a "
                    "while; the other pages need no queue."
                )
            # Unguessable: who has the id may watch.
            run_id = secrets.token_urlsafe(9)
            record = RunRecord.build(run_id, owner, configs, supervisor.now())
            record.checkpoints_from = tuple(checkpoints)
            record.download, record.start_paused = download, paused
            record.speed = _check_speed(speed)
            supervisor.enqueue(record)
        return run_id

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        """The run as it stands, or None when no such run is in memory. Costs a lookup."""
        return self._supervisor.snapshots.get(run_id)

    def view(self, run_id: str) -> RunSnapshot | None:
        """``snapshot``, held a moment for several viewers: what they see is then drawn once."""
        record, newest = self._supervisor.records.get(run_id), self.snapshot(run_id)
        return record.view(newest, self._supervisor.now()) if record and newest else newest

    def wait(
        self, run_id: str, until: Callable[[RunSnapshot], bool], seconds: float
    ) -> RunSnapshot:
        """The first snapshot that ``until`` accepts; for scripts, since pages must not wait.

        Raises ``UnknownRun``, or ``TimeoutError`` with the last snapshot's state.
        """
        found: RunSnapshot | None = None

        def arrived() -> bool:
            nonlocal found
            found = self.snapshot(run_id)
            return found is None or until(found)

        with self._supervisor.changed:
            in_time = self._supervisor.changed.wait_for(arrived, seconds)
        if found is None:
            raise UnknownRun("No run of this id is in memory.")
        if not in_time:
            raise TimeoutError(
                f"run {run_id} is {found.state} after {seconds:g} s: {found.message}"
            )
        return found

    def touch(self, run_id: str, *, viewer: str) -> None:
        """Say that the session ``viewer`` still looks; a run nobody looks at ends after a while."""
        record = self._supervisor.records.get(run_id)
        if record is not None and not record.state.is_finished():
            record.viewers[viewer] = self._supervisor.now()

    def is_owner(self, run_id: str, owner: str) -> bool:
        record = self._supervisor.records.get(run_id)
        return record is not None and secrets.compare_digest(record.owner, owner)

    def run_of(self, owner: str) -> str | None:
        """The id of the owner's newest run in memory: what a reload without ``?run=`` finds."""
        with self._supervisor.lock:
            own = [run for run in self._supervisor.records.values() if run.owner == owner]
        return own[-1].run_id if own else None

    def pause(self, run_id: str, *, owner: str) -> None:
        """Commands for a run that is over, or no longer in memory, do nothing.

        All of them raise ``NotOwner`` for somebody else's run.
        """
        self._send(run_id, owner, Pause(run_id))

    def resume(self, run_id: str, *, owner: str) -> None:
        self._send(run_id, owner, Resume(run_id))

    def step(self, run_id: str, count: int = 1, *, owner: str) -> None:
        """Take ``count`` steps, then pause."""
        most = self.limits.max_steps
        if not 1 <= count <= most:
            raise ConfigError(f"count: {count!r} given; allowed is 1 to {most}")
        self._send(run_id, owner, Step(run_id, count))

    def set_learning_rate(self, run_id: str, learning_rate: float, *, owner: str) -> None:
        """From the next step on, for all members. Raises ``ConfigError`` outside the range."""
        checked = TrainConfig(learning_rate=learning_rate).learning_rate
        self._send(run_id, owner, SetLearningRate(run_id, checked))

    def set_speed(self, run_id: str, speed: float | None, *, owner: str) -> None:
        """Steps a second at most (0.1 to 1000); None takes the limit away."""
        _check_speed(speed)
        supervisor = self._supervisor
        with supervisor.lock:
            record = self._owned(run_id, owner)
            if record is not None and not record.state.is_finished():
                record.speed = speed
                supervisor.publish(record)
                supervisor.send(record, SetSpeed(run_id, speed))

    def stop(self, run_id: str, *, owner: str) -> None:
        """End the run; its state is STOPPED once the last checkpoint is on disk."""
        record = self._owned(run_id, owner)
        if record is not None:
            self._supervisor.stop(record)

    def recoverable(self, run_id: str | None = None) -> tuple[RecoverableRun, ...]:
        """Runs on disk that are not in memory, newest first: all, or the one of this id."""
        if run_id is None:
            found = list(self._folders.all())
        else:
            one = self._folders.read(run_id)
            found = [one] if one is not None else []
        return tuple(run for run in found if run.run_id not in self._supervisor.records)

    def recover(
        self, run_id: str, *, owner: str, paused: bool = False, epochs: int | None = None
    ) -> str:
        """Go on from the checkpoints on disk of a run, as a new run; returns its id.

        ``epochs`` lets a finished run go on. Raises ``UnknownRun`` and what ``submit`` raises.
        """
        saved = self._folders.read(run_id)
        if saved is None:
            raise UnknownRun("Nothing of this run is left to go on from.")
        configs = saved.configs
        if epochs is not None:
            configs = tuple(replace(config, epochs=epochs) for config in configs)
        return self.submit(configs, owner=owner, checkpoints=saved.checkpoints, paused=paused)

    def close(self) -> None:
        """End the worker and the threads; running work leaves its checkpoint."""
        self._supervisor.close()
        self._folders.hold(())

    def _owned(self, run_id: str, owner: str) -> RunRecord | None:
        record = self._supervisor.records.get(run_id)
        if record is not None and not secrets.compare_digest(record.owner, owner):
            raise NotOwner("This run is somebody else's: you can watch it, not steer it.")
        return record

    def _send(self, run_id: str, owner: str, command: Command) -> None:
        record = self._owned(run_id, owner)
        if record is not None:
            self._supervisor.send(record, command)


def _check_speed(speed: float | None) -> float | None:
    if speed is not None and not _MIN_SPEED <= speed <= _MAX_SPEED:
        raise ConfigError(
            f"speed: {speed!r} given; allowed is {_MIN_SPEED:g} to {_MAX_SPEED:g} steps a second, "
            "or None for no limit"
        )
    return speed


def get_registry() -> Registry:
    """The server's one registry: modules are shared by all its sessions. Closed at exit.

    The first call starts the worker in the background. ``LimitError`` on a bad environment.
    """
    # Two sessions may ask at once, and the cache alone would let both build one.
    with _building:
        return _registry()


def close_registry() -> None:
    """Close the server's registry where there is one."""
    with _building:
        if _registry.cache_info().currsize:
            _registry().close()


@functools.cache
def _registry() -> Registry:
    registry = Registry()
    atexit.register(registry.close)
    return registry
