"""The server's side of training, as pages know it: every method returns at once.

Reading is open to anybody who has a run's id (``?run=ID`` only shows); commands need the owner's
key (``vae.web.steering_key.owner_key``). No torch: training happens in ``python -m vae.worker``.

A page's life with a run::

    registry = get_registry()
    run_id = registry.submit([config], owner=key)          # QUEUED or STARTING
    snapshot = registry.view(run_id)                       # poll this in a fragment
    registry.touch(run_id, viewer=session_id)              # in the same fragment
    registry.pause(run_id, owner=key)

One device trains one run at a time; this server has one worker, on the device that 'auto' finds.
Where it is one of several, which its name says, all share one line for the machine's cores.
What happens when is the scheduler's business (``vae.runs.scheduler``). Here is its shell: one
lock, under which nothing is done but thinking; and one thread, which does what was thought out, so
that neither a page nor the worker's listener ever waits for a disk or a process.
"""

import atexit
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from vae.config import ConfigError, TrainConfig
from vae.errors import file_away, for_page
from vae.runs import limits as limits_module
from vae.runs import scheduler
from vae.runs.folders import RecoverableRun, RunFolders, default_folder
from vae.runs.limits import Limits, load_limits
from vae.runs.line import Line
from vae.runs.scheduler import (
    Action,
    AlreadyRunning,
    Event,
    NotOwner,
    QueueFull,
    RunError,
    Scheduler,
    UnknownRun,
)
from vae.runs.snapshots import RunSnapshot
from vae.runs.worker_process import WorkerProcess
from vae.servers import server_name, with_name
from vae.wire.protocol import (
    Command,
    Ended,
    Pause,
    Report,
    Resume,
    Saved,
    SetLearningRate,
    SetSpeed,
    Step,
)

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

# Several viewers see the same snapshot for this long.
VIEW_SECONDS = 0.25
_TICK_SECONDS = 0.5
_MIN_SPEED, _MAX_SPEED = 0.1, 1000.0
_building = threading.Lock()
_built: list["Registry"] = []
_log = logging.getLogger(__name__)


class Registry:
    """All runs of this server. Thread-safe; one run trains, the others wait in order.

    Without ``threaded`` it has no thread of its own: what is due is done before a method returns,
    and time passes at ``tick``.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        folder: Path | None = None,
        *,
        name: str = "",
        build_worker: Callable[..., WorkerProcess] = WorkerProcess,
        clock: Callable[[], float] = time.monotonic,
        threaded: bool = True,
    ) -> None:
        """Starts the worker at once, in the background. ``LimitError`` on a bad environment.

        ``name``: this server's, where it is one of several (``vae.servers``).
        """
        self._name = name
        self._folders = RunFolders(folder or default_folder())
        self._line = Line(self._folders.make)
        self._scheduler = Scheduler(limits or load_limits(), self._folders.path, shared=bool(name))
        self._build_worker = build_worker
        self._clock = clock
        # Told at every new snapshot; its lock is the one that the scheduler is used under.
        self._changed = threading.Condition()
        self._shown: dict[str, scheduler.Show] = {}
        self._held: dict[str, tuple[RunSnapshot, float]] = {}
        self._due: deque[Action] = deque()
        self._worker: tuple[int, WorkerProcess] | None = None
        # Workers that were told to end: how they do is no news.
        self._dismissed: set[int] = set()
        self._in_use: set[str] = set()
        self._closing = False
        self._wake = threading.Event()
        # The kernel ends a worker with the thread that started it: this one lives to the end.
        self._thread = threading.Thread(target=self._watch, name="vae-runs", daemon=True)
        self._threaded = threaded
        if threaded:
            self._thread.start()

    @property
    def limits(self) -> Limits:
        """What this host allows; may be set while runs are there."""
        return self._scheduler.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._scheduler.limits = limits

    @property
    def device(self) -> str:
        """The device that 'auto' takes, in words; empty until the worker has said."""
        return self._scheduler.device

    def submit(
        self,
        configs: Sequence[TrainConfig],
        *,
        owner: str,
        address: str = "",
        checkpoints: Sequence[str] = (),
        download: bool = False,
        paused: bool = False,
        speed: float | None = None,
        bound_images: int = 0,
    ) -> str:
        """Queue one run of one to nine members; returns its id.

        ``address``: where the owner's browser is, if known; turns go round among addresses.
        ``checkpoints``: files to start from, one a member (shipped weights, a run's own); with
        ``paused`` the run stops before its first step, to look at the weights, and ``resume``
        goes on training. ``download``: the learner agreed to fetch a missing data set; without
        it a missing one fails the run with a sentence. ``speed``: steps a second at most (slow
        motion). ``bound_images``: test images on which the importance-weighted bound is measured
        when training is over, 0 for none.

        Raises ``AlreadyRunning``, ``QueueFull``, ``vae.runs.limits.LimitError`` (a setting beyond
        what this host allows), ``ConfigError`` (``speed`` outside its range).
        """
        limits_module.check(configs, self.limits)
        if checkpoints and len(checkpoints) != len(configs):
            raise ConfigError(
                f"checkpoints: {len(checkpoints)} given; allowed is none or one for each of the "
                f"{len(configs)} members"
            )
        # Unguessable: who has the id may watch.
        run_id = with_name(self._name, secrets.token_urlsafe(9))
        self._handle(
            scheduler.Submit(
                run_id,
                owner,
                tuple(configs),
                address=address,
                checkpoints=tuple(checkpoints),
                download=download,
                paused=paused,
                speed=_check_speed(speed),
                bound_images=bound_images,
            )
        )
        return run_id

    def snapshot(self, run_id: str) -> RunSnapshot | None:
        """The run as it stands, or None when no such run is in memory. Costs a lookup."""
        shown = self._shown.get(run_id)
        return shown.snapshot if shown else None

    def view(self, run_id: str) -> RunSnapshot | None:
        """``snapshot``, held a moment for several viewers: what they see is then drawn once."""
        newest, now = self.snapshot(run_id), self._clock()
        if newest is None:
            return None
        held, until = self._held.get(run_id, (newest, now))
        same = (held.state, held.stopping) == (newest.state, newest.stopping)
        if newest.watchers > 1 and same and 0 < until - now <= VIEW_SECONDS:
            return held
        self._held[run_id] = newest, now + VIEW_SECONDS
        if run_id not in self._shown:
            # Forgotten meanwhile.
            self._held.pop(run_id, None)
        return newest

    def wait(
        self, run_id: str, until: Callable[[RunSnapshot], bool], seconds: float
    ) -> RunSnapshot:
        """The first snapshot that ``until`` accepts; a page waits for a moment at most.

        Raises ``UnknownRun``, or ``TimeoutError`` with the last snapshot's state.
        """
        found: RunSnapshot | None = None

        def arrived() -> bool:
            nonlocal found
            found = self.snapshot(run_id)
            return found is None or until(found)

        with self._changed:
            in_time = self._changed.wait_for(arrived, seconds)
        if found is None:
            raise UnknownRun("No run of this id is in memory.")
        if not in_time:
            raise TimeoutError(
                f"run {run_id} is {found.state} after {seconds:g} s: {found.message}"
            )
        return found

    def touch(self, run_id: str, *, viewer: str) -> None:
        """Say that the session ``viewer`` still looks; a run nobody looks at ends after a while."""
        self._handle(scheduler.Look(run_id, viewer))

    def is_owner(self, run_id: str, owner: str) -> bool:
        shown = self._shown.get(run_id)
        return shown is not None and secrets.compare_digest(shown.owner, owner)

    def run_of(self, owner: str) -> str | None:
        """The id of the owner's newest run in memory: what a reload without ``?run=`` finds."""
        with self._changed:
            own = [run_id for run_id, shown in self._shown.items() if shown.owner == owner]
        return own[-1] if own else None

    def pause(self, run_id: str, *, owner: str) -> None:
        """Commands for a run that is over, or no longer in memory, do nothing.

        All of them raise ``NotOwner`` for somebody else's run.
        """
        self._steer(run_id, owner, Pause(run_id))

    def resume(self, run_id: str, *, owner: str) -> None:
        self._steer(run_id, owner, Resume(run_id))

    def step(self, run_id: str, count: int = 1, *, owner: str) -> None:
        """Take ``count`` steps, then pause."""
        most = self.limits.max_steps
        if not 1 <= count <= most:
            raise ConfigError(f"count: {count!r} given; allowed is 1 to {most}")
        self._steer(run_id, owner, Step(run_id, count))

    def set_learning_rate(self, run_id: str, learning_rate: float, *, owner: str) -> None:
        """From the next step on, for all members. Raises ``ConfigError`` outside the range."""
        checked = TrainConfig(learning_rate=learning_rate).learning_rate
        self._steer(run_id, owner, SetLearningRate(run_id, checked))

    def set_speed(self, run_id: str, speed: float | None, *, owner: str) -> None:
        """Steps a second at most (0.1 to 1000); None takes the limit away."""
        self._steer(run_id, owner, SetSpeed(run_id, _check_speed(speed)))

    def stop(self, run_id: str, *, owner: str) -> None:
        """End the run; its state is STOPPED once the last checkpoint is on disk."""
        self._handle(scheduler.StopRun(run_id, owner))

    def recoverable(self, run_id: str | None = None) -> tuple[RecoverableRun, ...]:
        """Runs on disk that are in no server's memory, newest first: all, or the one of this id."""
        if run_id is None:
            found = list(self._folders.all())
        else:
            one = self._folders.read(run_id)
            found = [one] if one is not None else []
        return tuple(
            run
            for run in found
            if run.run_id not in self._shown and not self._folders.is_held_elsewhere(run.run_id)
        )

    def is_elsewhere(self, run_id: str) -> bool:
        """Whether another server has this run, or goes on from what it left."""
        return run_id not in self._shown and self._folders.is_held_elsewhere(run_id)

    def recover(
        self,
        run_id: str,
        *,
        owner: str,
        address: str = "",
        paused: bool = False,
        epochs: int | None = None,
        bound_images: int = 0,
    ) -> str:
        """Go on from the checkpoints on disk of a run, as a new run; returns its id.

        ``epochs`` lets a finished run go on. Raises ``UnknownRun``, ``RunError`` where another
        server goes on from them, and what ``submit`` raises.
        """
        saved = self._folders.read(run_id)
        if saved is None:
            raise UnknownRun("Nothing of this run is left to go on from.")
        if not self._folders.claim(run_id):
            raise RunError("Somebody goes on with this run already, on another server.")
        try:
            return self._submit_again(saved, owner, address, paused, epochs, bound_images)
        except Exception:
            self._folders.disclaim(run_id)
            raise

    def _submit_again(
        self,
        saved: RecoverableRun,
        owner: str,
        address: str,
        paused: bool,
        epochs: int | None,
        bound_images: int,
    ) -> str:
        configs = saved.configs
        if epochs is not None:
            configs = tuple(replace(config, epochs=epochs) for config in configs)
        return self.submit(
            configs,
            owner=owner,
            address=address,
            checkpoints=saved.checkpoints,
            paused=paused,
            bound_images=bound_images,
        )

    def close(self) -> None:
        """End the worker and the thread; running work leaves its checkpoint. Blocks until then."""
        self._handle(scheduler.Close())
        self._closing = True
        self._wake.set()
        if self._threaded:
            # The worker's end, its listener's, and what is to be written then.
            self._thread.join(self.limits.stop_seconds + 10)
        self._folders.hold(())
        self._line.leave()

    def tick(self) -> None:
        """Look at the clock, and do what is due."""
        self._handle(scheduler.Tick())

    def _steer(self, run_id: str, owner: str, command: Command) -> None:
        self._handle(scheduler.Steer(run_id, owner, command))

    # Thinking, under the lock.

    def _handle(self, event: Event) -> None:
        """Tell the scheduler. Raises ``RunError`` where it refuses."""
        with self._changed:
            actions = self._scheduler.handle(event, self._clock())
            refusals = self._publish(actions)
        if not self._threaded:
            self._do_what_is_due()
        elif self._due:
            self._wake.set()
        for refusal in refusals:
            raise refusal

    def _publish(self, actions: Iterable[Action]) -> list[RunError]:
        """Change what is seen, put off what takes time, hand back what was refused."""
        refusals = []
        for action in actions:
            match action:
                case scheduler.Show(_, snapshot):
                    self._shown[snapshot.run_id] = action
                    self._changed.notify_all()
                case scheduler.Forget(run_id):
                    self._shown.pop(run_id, None)
                    self._held.pop(run_id, None)
                    self._changed.notify_all()
                case scheduler.Refuse(error):
                    refusals.append(error)
                case _:
                    self._due.append(action)
        return refusals

    # Doing, outside it and in order.

    def _watch(self) -> None:
        while not (self._closing and not self._due):
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()
            try:
                self.tick()
                self._do_what_is_due()
            except Exception:
                # This thread must live: the kernel ends the worker with it.
                _log.exception("the watch over the runs goes on after an error")

    def _do_what_is_due(self) -> None:
        while self._due:
            self._do(self._due.popleft())

    def _do(self, action: Action) -> None:
        match action:
            case scheduler.StartWorker(number):
                self._start_worker(number)
            case scheduler.Tell(number, command):
                if (worker := self._worker_of(number)) is not None:
                    worker.send(command)
            case scheduler.Kill(number):
                if (worker := self._worker_of(number)) is not None:
                    self._dismissed.add(number)
                    _log.warning("The trainer gave no answer: ended.\n%s", worker.last_words())
                    worker.kill()
            case scheduler.EndWorker(number):
                if (worker := self._worker_of(number)) is not None:
                    self._dismissed.add(number)
                    worker.close(self.limits.stop_seconds)
            case scheduler.Keep():
                self._handle(scheduler.Kept(action, self._write(action)))
            case scheduler.Stand(waiting, wants, trains):
                place = self._line.stand(waiting, wants=wants, trains=trains)
                self._handle(scheduler.Stood(place.ahead, place.others, place.turn))
            case scheduler.Hold(run_ids, checkpoints):
                self._in_use = {*run_ids, *self._folders.ids_of(checkpoints)}
                self._folders.hold(self._in_use)
            case scheduler.Prune():
                self._folders.prune(
                    keep=self.limits.keep_folders,
                    megabytes=self.limits.keep_folders_mb,
                    in_use=self._in_use,
                )

    def _start_worker(self, number: int) -> None:
        def hear(_: WorkerProcess, report: Report) -> None:
            self._handle(scheduler.Reported(number, _for_page(report)))

        def bury(worker: WorkerProcess) -> None:
            code, where = worker.exit_code, ""
            if code != 0 and number not in self._dismissed:
                where = file_away(f"The trainer ended, exit code {code}", worker.last_words())
            self._handle(scheduler.WorkerEnded(number, code, where))

        try:
            self._worker = number, self._build_worker(hear, bury)
        except Exception as error:
            self._handle(scheduler.WorkerNotStarted(number, _reason(error)))
        else:
            self._handle(scheduler.WorkerStarted(number))

    def _worker_of(self, number: int) -> WorkerProcess | None:
        return self._worker[1] if self._worker and self._worker[0] == number else None

    def _write(self, keep: scheduler.Keep) -> str:
        """What kept the manifest from being written; empty when it was."""
        try:
            self._folders.write(
                keep.run_id,
                state=keep.state,
                configs=keep.configs,
                step=keep.step,
                checkpoints=keep.checkpoints,
            )
        except Exception as error:
            # Whatever it is: the run must come to its end.
            return _reason(error)
        return ""


def _for_page(report: Report) -> Report:
    """``report`` with what its sentence may say to whoever has a run's link."""
    match report:
        case Ended(message=sentence):
            return replace(report, message=for_page(sentence))
        case Saved(problem=sentence):
            return replace(report, problem=for_page(sentence))
    return report


def _reason(error: Exception) -> str:
    return for_page(getattr(error, "strerror", None) or str(error) or type(error).__name__)


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
    # Two sessions may ask at once.
    with _building:
        if not _built:
            _built.append(Registry(name=server_name()))
            atexit.register(_built[0].close)
        return _built[0]


def close_registry() -> None:
    """Close the server's registry where there is one."""
    with _building:
        for registry in _built:
            registry.close()
