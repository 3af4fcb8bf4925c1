"""What happens to runs over time, as a machine without hands: events go in, actions come out.

``handle(event, now)`` is all there is: no thread, no lock, no clock, no disk, no process. What has
to be done outside comes back as actions, in order; what came of them is told by further events.
``vae.runs.registry`` does as it is told.

One worker trains one run at a time; where several servers share the machine's cores, one of them
does, and the others wait for their turn in its line (``vae.runs.line``). A run that is over is
shown so only when it is on disk: its ``outcome`` is known before, and its device is free for the
next.
"""

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vae.config import TrainConfig
from vae.runs import stop_rules
from vae.runs.fair_queue import FairQueue
from vae.runs.limits import Limits
from vae.runs.records import RunRecord
from vae.runs.snapshots import RunSnapshot
from vae.wire.protocol import Command, Ended, Ready, Report, RunState, Saved, SetSpeed, Start
from vae.wire.protocol import Stop as StopCommand

# Longer silence means that the machine slept, or its clock was set: that time counts for nothing.
_SLEPT_SECONDS = 5.0
_LONGEST_BACKOFF = 60.0
# Importing torch and drawing the built-in digits are silent, and slow on a small host.
_START_PATIENCE = 4


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


# Events: what pages ask, what the worker says, what came of actions, and the time.


@dataclass(frozen=True)
class Submit:
    """A new run. ``address`` is where its owner's browser is; empty where nobody knows."""

    run_id: str
    owner: str
    configs: tuple[TrainConfig, ...]
    address: str = ""
    checkpoints: tuple[str, ...] = ()
    download: bool = False
    paused: bool = False
    speed: float | None = None
    bound_images: int = 0


@dataclass(frozen=True)
class Steer:
    """A command of somebody who says to be the owner."""

    run_id: str
    owner: str
    command: Command


@dataclass(frozen=True)
class StopRun:
    run_id: str
    owner: str


@dataclass(frozen=True)
class Look:
    """The session ``viewer`` looks at a run."""

    run_id: str
    viewer: str


@dataclass(frozen=True)
class WorkerStarted:
    worker: int


@dataclass(frozen=True)
class WorkerNotStarted:
    worker: int
    reason: str


@dataclass(frozen=True)
class Reported:
    worker: int
    report: Report


@dataclass(frozen=True)
class WorkerEnded:
    """The process is over, after its last report."""

    worker: int
    exit_code: int | None
    log_number: str


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class Close:
    """The server is about to end."""


# Actions.


@dataclass(frozen=True)
class Refuse:
    """The event is refused: ``error`` is for who asked."""

    error: RunError


@dataclass(frozen=True)
class Show:
    """The run's newest state, for all who look."""

    owner: str
    snapshot: RunSnapshot


@dataclass(frozen=True)
class Forget:
    """Nobody can see the run any more."""

    run_id: str


@dataclass(frozen=True)
class StartWorker:
    """Answered by ``WorkerStarted`` or ``WorkerNotStarted``."""

    worker: int


@dataclass(frozen=True)
class Tell:
    """A command for the worker. One that does not arrive needs no answer: its silence, or its
    end, is noticed."""

    worker: int
    command: Command


@dataclass(frozen=True)
class Kill:
    worker: int


@dataclass(frozen=True)
class EndWorker:
    """Have it save what it trains, and end."""

    worker: int


@dataclass(frozen=True)
class Keep:
    """Say on disk where a run stands. Answered by ``Kept``; one at a time for each run."""

    run_id: str
    state: RunState
    configs: tuple[TrainConfig, ...]
    step: int
    checkpoints: tuple[str, ...]


@dataclass(frozen=True)
class Kept:
    """An event: ``keep`` is on disk, or ``problem`` says why not."""

    keep: Keep
    problem: str = ""


@dataclass(frozen=True)
class Stand:
    """Stand in the machine's line for the runs ``waiting``, in this order. ``wants``: the first
    could begin; ``trains``: one has begun, and is not over. Answered by ``Stood``."""

    waiting: tuple[str, ...]
    wants: bool
    trains: bool


@dataclass(frozen=True)
class Stood:
    """An event: what ``vae.runs.line.Place`` says."""

    ahead: tuple[int, ...]
    others: int
    turn: bool


@dataclass(frozen=True)
class Hold:
    """Lock the folders of these runs, and those that ``checkpoints`` lie in; no others."""

    run_ids: frozenset[str]
    checkpoints: frozenset[str]


@dataclass(frozen=True)
class Prune:
    """Delete old folders beyond the host's limits, but none that is held."""


Event = (
    Submit | Steer | StopRun | Look | WorkerStarted | WorkerNotStarted | Reported | WorkerEnded
    | Kept | Stood | Tick | Close
)  # fmt: skip
Action = (
    Refuse | Show | Forget | StartWorker | Tell | Kill | EndWorker | Keep | Stand | Hold | Prune
)  # fmt: skip


class Scheduler:
    """All runs of a server, in bounded room.

    ``folder_of`` names a run's folder for the worker; ``shared``: other servers train on the same
    cores. An event that makes no sense (a report of a member that is not there) raises what it
    raises; the machine stands as before it.
    """

    def __init__(
        self, limits: Limits, folder_of: Callable[[str], Path], *, shared: bool = False
    ) -> None:
        self.limits = limits
        self.device = ""
        self._folder_of = folder_of
        self._runs: dict[str, RunRecord] = {}
        self._queue = FairQueue()
        self._active: RunRecord | None = None
        self._over: deque[str] = deque()
        # What was last asked of the machine's line, and what it said.
        self._shared = shared
        self._asked: Stand | None = None
        self._stood = Stood((), 0, False)
        # The worker that is there or on its way, and whether it is there.
        self._worker: int | None = None
        self._worker_there = False
        self._workers_asked = 0
        self._backoff = 1.0
        self._restart_at = float("-inf")
        self._start_failed = False
        self._closing = False
        self._heard_at: float | None = None
        self._slept = 0.0
        self._now = 0.0
        self._actions: list[Action] = []

    def handle(self, event: Event, now: float) -> tuple[Action, ...]:
        """What is to be done about ``event``, which came at ``now``, in seconds of any clock."""
        self._actions = []
        self._pass_time(now)
        self._react(event)
        return tuple(self._actions)

    def _pass_time(self, now: float) -> None:
        passed = 0.0 if self._heard_at is None else now - self._heard_at
        self._heard_at = now
        if not 0 <= passed <= _SLEPT_SECONDS:
            self._slept += passed
        self._now = now - self._slept

    def _react(self, event: Event) -> None:
        match event:
            case Submit():
                self._submit(event)
            case Steer(run_id, owner, command):
                self._steer(run_id, owner, command)
            case StopRun(run_id, owner):
                if (record := self._owned(run_id, owner)) is not None:
                    self._stop(record)
            case Look(run_id, viewer):
                if (record := self._runs.get(run_id)) is not None and not record.over:
                    record.viewers[viewer] = self._now
            case Reported(worker, report) if worker == self._worker:
                self._hear(report)
            case WorkerStarted(worker) if worker == self._worker:
                self._greet_worker(worker)
            case WorkerNotStarted(worker, reason) if worker == self._worker:
                self._miss_worker(reason)
            case WorkerEnded(worker) if worker == self._worker:
                self._bury_worker(event)
            case Kept():
                self._note_kept(event)
            case Stood():
                self._take_place(event)
            case Tick():
                self._tick()
            case Close():
                self._close()

    # What pages ask.

    def _submit(self, event: Submit) -> None:
        refusal = self._reason_to_refuse(event)
        if refusal is not None:
            self._actions.append(Refuse(refusal))
            return
        record = RunRecord.build(event.run_id, event.owner, event.configs, self._now)
        record.checkpoints_from, record.download = event.checkpoints, event.download
        record.start_paused, record.speed = event.paused, event.speed
        record.bound_images = event.bound_images
        # Shown below, at the latest when the queue is numbered.
        record.position = -1
        self._runs[record.run_id] = record
        self._queue.add(record.run_id, event.address)
        self._hold()
        self._go_on()

    def _reason_to_refuse(self, event: Submit) -> RunError | None:
        for record in self._runs.values():
            if record.owner == event.owner and not record.over:
                return AlreadyRunning(record.run_id)
        if self._closing:
            return RunError("The server is about to end; no run can start.")
        others = self._stood.others
        if not self._queue.has_room(event.address, self.limits.max_queue, others):
            return QueueFull(
                f"{len(self._queue) + others} runs wait already, as many as this host allows. Try "
                "again in a while; the other pages need no queue."
            )
        return None

    def _owned(self, run_id: str, owner: str) -> RunRecord | None:
        """The run, if it is there and the owner's own; somebody else's is refused."""
        record = self._runs.get(run_id)
        if record is None or secrets.compare_digest(record.owner, owner):
            return record
        sentence = "This run is somebody else's: you can watch it, not steer it."
        self._actions.append(Refuse(NotOwner(sentence)))
        return None

    def _steer(self, run_id: str, owner: str, command: Command) -> None:
        record = self._owned(run_id, owner)
        if record is None or record.over:
            return
        if isinstance(command, SetSpeed):
            record.speed = command.speed
            self._show(record)
        if record is self._active:
            self._tell(command)

    def _stop(self, record: RunRecord, reason: str = "") -> None:
        """End a run: a waiting one at once, the active one when it has saved itself."""
        if record.over or record.ending:
            return
        record.say(reason)
        if record is not self._active:
            self._queue.remove(record.run_id)
            self._finish(record, RunState.STOPPED)
            self._number_queue()
            return
        record.ending = "stopped"
        record.deadline = self._now + self.limits.stop_seconds
        self._tell(StopCommand(record.run_id))
        self._show(record)

    def _close(self) -> None:
        if self._closing:
            return
        self._closing = True
        for run_id in self._queue.order():
            self._stop(self._runs[run_id], "The server ended before this run's turn.")
        if self._active is not None:
            self._active.say("The server ended; the run can go on from its last checkpoint.")
        if self._worker is not None and self._worker_there:
            self._actions.append(EndWorker(self._worker))

    # What time brings.

    def _tick(self) -> None:
        if self._closing:
            return
        if self._active is not None and self._now > self._active.deadline:
            self._give_up_on(self._active)
        waiting = [self._runs[run_id] for run_id in self._queue.order()]
        for record in [*waiting, *([self._active] if self._active else [])]:
            record.forget_viewers(self._now)
            others_wait = record is self._active and len(self._queue) + self._stood.others > 0
            reason = stop_rules.reason_to_stop(record, self.limits, self._now, others_wait)
            if reason:
                self._stop(record, reason)
        # Others come and go: what the line said is old.
        self._asked = None
        self._go_on()

    def _give_up_on(self, record: RunRecord) -> None:
        """The worker is hung, or deaf to a stop: its end is that of the run."""
        if not record.ending:
            record.ending = "hung"
            record.say(stop_rules.describe_silence(self.limits))
            self._show(record)
        record.deadline = float("inf")
        assert self._worker is not None
        self._actions.append(Kill(self._worker))

    def _go_on(self) -> None:
        """Have a worker where one is due, start the next run on it, say who waits where."""
        if self._worker is None and not self._closing and self._may_start_worker():
            self._workers_asked += 1
            self._worker, self._worker_there = self._workers_asked, False
            self._actions.append(StartWorker(self._worker))
        if not self._shared and self._may_train():
            self._start(self._runs[self._queue.take()])
        self._number_queue()

    def _may_train(self) -> bool:
        free = self._active is None and self._worker_there and not self._closing
        return free and len(self._queue) > 0

    def _take_place(self, stood: Stood) -> None:
        self._stood = stood
        if stood.turn and self._may_train():
            self._start(self._runs[self._queue.take()])
            self._stood = replace(stood, ahead=stood.ahead[1:])
        self._number_queue()

    def _may_start_worker(self) -> bool:
        # A click waits for no pause, unless starting itself failed: that would fail again.
        held = self._start_failed or not self._queue
        return not held or self._now >= self._restart_at

    def _start(self, record: RunRecord) -> None:
        self._active = record
        record.state, record.position = RunState.STARTING, 0
        record.deadline = self._now + _START_PATIENCE * self.limits.worker_silence_seconds
        # On disk first: the worker writes into the run's folder.
        self._keep(record)
        self._tell(
            Start(
                job=record.run_id,
                configs=tuple(config.to_dict() for config in record.configs),
                folder=str(self._folder_of(record.run_id)),
                checkpoints=record.checkpoints_from,
                download=record.download,
                paused=record.start_paused,
                speed=record.speed,
                max_steps=self.limits.max_steps,
                bound_images=record.bound_images,
            )
        )
        self._actions.append(Prune())
        self._show(record)

    def _number_queue(self) -> None:
        order = self._queue.order()
        trains = self._active is not None
        ahead = self._stand(order, trains) if self._shared else ()
        for index, run_id in enumerate(order):
            record = self._runs[run_id]
            position = ahead[index] if index < len(ahead) else index + int(trains)
            if record.position != position:
                record.position = position
                self._show(record)

    def _stand(self, order: Sequence[str], trains: bool) -> tuple[int, ...]:
        """Say to the line who waits, where that has changed; how many are known to be ahead."""
        ask = Stand(tuple(order), self._may_train(), trains)
        if ask != self._asked and (order or trains or self._asked or self._stood.others):
            self._asked = ask
            self._actions.append(ask)
        ahead = self._stood.ahead
        # Of whoever has come since it spoke, it will say more in a moment.
        last = ahead[-1] + 1 if ahead else int(trains) + self._stood.others
        return ahead + tuple(range(last, last + len(order) - len(ahead)))

    # What the worker says.

    def _greet_worker(self, worker: int) -> None:
        self._worker_there, self._start_failed = True, False
        if self._closing:
            self._actions.append(EndWorker(worker))
        self._go_on()

    def _miss_worker(self, reason: str) -> None:
        self._worker, self._start_failed = None, True
        self._back_off()
        if self._queue:
            # That was no turn: its address still has one to come.
            record = self._runs[self._queue.order()[0]]
            self._queue.remove(record.run_id)
            record.say(f"The trainer cannot be started ({reason}).")
            self._finish(record, RunState.FAILED)
        self._number_queue()

    def _bury_worker(self, event: WorkerEnded) -> None:
        self._worker, self._worker_there = None, False
        self._back_off()
        record = self._active
        if record is not None:
            state, sentence = stop_rules.judge_exit(
                record.ending, event.exit_code, event.log_number
            )
            record.say(sentence)
            self._conclude(record, state)
        self._go_on()

    def _back_off(self) -> None:
        self._restart_at = self._now + self._backoff
        self._backoff = min(2 * self._backoff, _LONGEST_BACKOFF)

    def _hear(self, report: Report) -> None:
        record = self._active
        if isinstance(report, Ready):
            self.device, self._backoff = report.device, 1.0
        elif record is None or report.job != record.run_id:
            return
        elif isinstance(report, Ended):
            state = RunState(report.state)
            if not state.is_finished():
                raise ValueError(f"state: {report.state!r} given; a run ends in a final one")
            record.say(report.message)
            self._conclude(record, state)
            self._go_on()
        elif isinstance(report, Saved):
            # A run that ends has heard of it when it saves, and then shows where it stands.
            patience = self.limits.stop_seconds if record.ending else self._silence
            record.deadline = self._now + patience
            self._note_saved(record, report)
        else:
            record.take(report, self._now)
            if not record.ending:
                record.deadline = self._now + self._silence
            self._show(record)

    @property
    def _silence(self) -> float:
        return self.limits.worker_silence_seconds

    def _note_saved(self, record: RunRecord, report: Saved) -> None:
        if report.problem:
            record.say(stop_rules.describe_unsaved(report.problem))
            self._show(record)
            return
        record.saved_step, record.saved = report.step, report.checkpoints
        self._keep(record)

    # From the last report to the last word.

    def _conclude(self, record: RunRecord, outcome: RunState) -> None:
        """The worker is done with the run; it is over once that is on disk."""
        record.outcome, record.deadline = outcome, float("inf")
        self._active = None
        self._keep(record)

    def _keep(self, record: RunRecord) -> None:
        if record.keeping:
            record.keep_again = True
            return
        record.keeping = True
        self._actions.append(
            Keep(
                record.run_id,
                record.outcome or record.state,
                record.configs,
                record.saved_step,
                record.saved,
            )
        )

    def _note_kept(self, event: Kept) -> None:
        record = self._runs.get(event.keep.run_id)
        if record is None or not record.keeping:
            return
        record.keeping = False
        if event.problem:
            record.say(stop_rules.describe_unsaved(event.problem))
        record.checkpoints = event.keep.checkpoints
        if record.keep_again:
            record.keep_again = False
            self._keep(record)
        elif record.outcome is not None:
            self._finish(record, record.outcome)
            return
        self._show(record)

    def _finish(self, record: RunRecord, state: RunState) -> None:
        record.outcome = record.state = state
        self._show(record)
        self._over.append(record.run_id)
        self._forget_old()
        self._hold()

    def _hold(self) -> None:
        """What must stay on disk: runs that can be seen, and what others will start from."""
        sources = {
            path
            for record in self._runs.values()
            if not record.over
            for path in record.checkpoints_from
        }
        self._actions.append(Hold(frozenset(self._runs), frozenset(sources)))

    def _forget_old(self) -> None:
        """Drop the oldest runs that are over, beyond a number and a size; keep the newest."""
        room = self.limits.keep_history_mb * 1e6
        for index, run_id in enumerate(reversed(list(self._over))):
            room -= self._runs[run_id].bytes()
            if index > 0 and (index >= self.limits.keep_runs or room < 0):
                self._over.remove(run_id)
                del self._runs[run_id]
                self._actions.append(Forget(run_id))

    def _show(self, record: RunRecord) -> None:
        self._actions.append(Show(record.owner, record.build_snapshot(self._now)))

    def _tell(self, command: Command) -> None:
        if self._worker is not None:
            self._actions.append(Tell(self._worker, command))
