"""What happens to runs over time: the queue, the worker, the watch over both.

The only threads of the server's side are here and in ``vae.workers``: one that starts the worker
and looks at the clock, and the worker's two listeners. Everything they change is behind one lock;
snapshots are read without it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

from vae.limits import Limits
from vae.protocol import (
    Command,
    Downloading,
    Ended,
    Progress,
    Ready,
    Report,
    Saved,
    Start,
    Stop,
    Trained,
)
from vae.run_folders import RunFolders
from vae.run_records import RunRecord
from vae.snapshots import RunSnapshot, RunState
from vae.workers import WorkerProcess

_TICK_SECONDS = 0.5
# Longer pauses of the watch itself mean that the machine slept: they count for nothing.
_SLEPT_SECONDS = 5.0
_LONGEST_BACKOFF = 60.0
_log = logging.getLogger(__name__)


class Supervisor:
    """Runs in order, one at a time. ``build_worker(on_report, on_exit)`` starts a process."""

    def __init__(
        self,
        limits: Limits,
        folders: RunFolders,
        build_worker: Callable[..., WorkerProcess],
        clock: Callable[[], float],
    ) -> None:
        self.limits = limits
        self.folders = folders
        self.lock = threading.RLock()
        # Told at every new snapshot.
        self.changed = threading.Condition(self.lock)
        self.records: dict[str, RunRecord] = {}
        self.snapshots: dict[str, RunSnapshot] = {}
        self.queue: deque[RunRecord] = deque()
        self.active: RunRecord | None = None
        self.worker: WorkerProcess | None = None
        self.device = ""
        self._build_worker = build_worker
        self._clock = clock
        self._slept = 0.0
        self._last_tick = clock()
        self._over: deque[str] = deque()
        self._backoff = 1.0
        self._restart_at = 0.0
        self._prune_due = False
        self.closing = False
        self._ended = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="vae-runs", daemon=True)
        self._thread.start()

    def now(self) -> float:
        """Seconds on a clock that no setting of the time and no sleep of the machine moves."""
        return self._clock() - self._slept

    def publish(self, record: RunRecord) -> None:
        """Share the record's new state; call it with the lock held."""
        self.snapshots[record.run_id] = record.build_snapshot(self.now())
        self.changed.notify_all()

    def enqueue(self, record: RunRecord) -> None:
        with self.lock:
            self.records[record.run_id] = record
            self.queue.append(record)
            record.position = len(self.queue) - 1 + (self.active is not None)
            if self.active is None and self.worker is not None:
                self._start_next()
            else:
                self.publish(record)
        self._wake.set()

    def send(self, record: RunRecord, command: Command) -> None:
        """Pass a command on; one for a run that is not training does nothing."""
        with self.lock:
            if record is self.active and self.worker is not None:
                self.worker.send(command)

    def stop(self, record: RunRecord, reason: str = "") -> None:
        """End a run: a waiting one at once, the active one when it has saved itself."""
        with self.lock:
            if record.state.is_finished() or record.ending:
                return
            record.say(reason)
            if record is not self.active:
                self.queue.remove(record)
                self._finish(record, RunState.STOPPED)
                self._number_queue()
                return
            record.ending = "stopped"
            record.deadline = self.now() + self.limits.stop_seconds
            if self.worker is None or not self.worker.send(Stop(record.run_id)):
                self._finish(record, RunState.STOPPED)
            else:
                self.publish(record)

    def close(self) -> None:
        """End worker and threads; what trains leaves its checkpoint. Blocks until all is over."""
        with self.lock:
            if self.closing:
                return
            self.closing = True
            for record in list(self.queue):
                self.stop(record, "The server ended before this run's turn.")
            if self.active is not None:
                self.active.say("The server ended; the run can go on from its last checkpoint.")
            worker = self.worker
        if worker is not None:
            # Not under the lock: the worker's last reports need it.
            worker.close(self.limits.stop_seconds)
        self._ended = True
        self._wake.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(5)

    # The watch: one thread, awake when something happens and twice a second.

    def _watch(self) -> None:
        while not self._ended:
            self._wake.wait(_TICK_SECONDS)
            self._wake.clear()
            try:
                self.tick()
            except Exception:
                # This thread must live: the kernel ends the worker with it.
                _log.exception("the watch over the runs goes on after an error")

    def tick(self) -> None:
        with self.lock:
            passed = self._clock() - self._last_tick
            self._last_tick += passed
            if passed > _SLEPT_SECONDS:
                self._slept += passed
            if self.closing:
                return
            for record in [*self.queue, *([self.active] if self.active else [])]:
                self._check_viewers(record)
            if self.active is not None:
                self._check_active(self.active)
            self._ensure_worker()
            if self.worker is not None:
                self._start_next()
            prune, self._prune_due = self._prune_due, False
            in_use = set(self.records)
        if prune:
            self.folders.prune(
                keep=self.limits.keep_folders,
                megabytes=self.limits.keep_folders_mb,
                in_use=in_use,
            )

    def _check_viewers(self, record: RunRecord) -> None:
        now = self.now()
        record.forget_viewers(now)
        if now - record.last_seen > self.limits.owner_grace_seconds:
            self.stop(record, "Nobody looked at this run any more, so it was stopped.")

    def _check_active(self, record: RunRecord) -> None:
        limits, now = self.limits, self.now()
        if now > record.deadline:
            if not record.ending:
                record.ending = "hung"
                record.say(
                    f"The trainer said nothing for {limits.worker_silence_seconds:g} s and was "
                    "ended."
                )
            record.deadline = float("inf")
            if self.worker is not None:
                self.worker.kill()
        elif now - record.started > limits.max_run_seconds:
            self.stop(record, f"This host trains a run for {limits.max_run_seconds:g} s at most.")
        elif (
            self.queue
            and record.paused_since is not None
            and now - record.paused_since > limits.paused_seconds
        ):
            self.stop(
                record,
                f"It was paused for {limits.paused_seconds:g} s while others waited, so it made "
                "room; it can go on from its checkpoint.",
            )

    def _ensure_worker(self) -> None:
        if self.worker is not None or (not self.queue and self.now() < self._restart_at):
            return
        try:
            self.worker = self._build_worker(self.on_report, self.on_exit)
        except OSError as error:
            self._back_off()
            if self.queue:
                record = self.queue.popleft()
                record.say(f"The trainer cannot be started ({error.strerror}).")
                self._finish(record, RunState.FAILED)
                self._number_queue()

    def _back_off(self) -> None:
        self._restart_at = self.now() + self._backoff
        self._backoff = min(2 * self._backoff, _LONGEST_BACKOFF)

    def _start_next(self) -> None:
        if self.active is not None or not self.queue or self.worker is None or self.closing:
            return
        record = self.active = self.queue.popleft()
        now = self.now()
        record.state, record.position, record.started = RunState.STARTING, 0, now
        record.deadline = now + self.limits.worker_silence_seconds
        try:
            self.folders.create(record.run_id)
            self._write_manifest(record)
        except OSError as error:
            record.say(_cannot_save(error.strerror or str(error)))
        self.worker.send(
            Start(
                job=record.run_id,
                configs=tuple(config.to_dict() for config in record.configs),
                folder=str(self.folders.path(record.run_id)),
                checkpoints=record.checkpoints_from,
                download=record.download,
                paused=record.start_paused,
                speed=record.speed,
                max_steps=self.limits.max_steps,
            )
        )
        self._prune_due = True
        self.publish(record)
        self._number_queue()

    def _number_queue(self) -> None:
        for index, record in enumerate(self.queue):
            position = index + (self.active is not None)
            if record.position != position:
                record.position = position
                self.publish(record)

    # What the worker says, from its listening thread.

    def on_report(self, worker: WorkerProcess, report: Report) -> None:
        with self.lock:
            if worker is not self.worker:
                return
            if isinstance(report, Ready):
                self.device, self._backoff = report.device, 1.0
                return
            record = self.active
            if record is None or report.job != record.run_id:
                return
            if not record.ending:
                record.deadline = self.now() + self.limits.worker_silence_seconds
            if isinstance(report, Ended):
                record.say(report.message)
                self._finish(record, RunState(report.state))
                self._wake.set()
                return
            self._take(record, report)
            self.publish(record)

    def _take(self, record: RunRecord, report: Report) -> None:
        if isinstance(report, Trained):
            record.members[report.member].take(report.event)
        elif isinstance(report, Progress):
            record.progress = report
            record.state = RunState.PAUSED if report.paused else RunState.RUNNING
            if not report.paused:
                record.paused_since = None
            elif record.paused_since is None:
                record.paused_since = self.now()
        elif isinstance(report, Downloading):
            record.state, record.download_fraction = RunState.DOWNLOADING, report.fraction
        elif isinstance(report, Saved):
            if report.problem:
                record.say(_cannot_save(report.problem))
                return
            record.checkpoints, record.saved_step = report.checkpoints, report.step
            try:
                self._write_manifest(record)
            except OSError as error:
                record.say(_cannot_save(error.strerror or str(error)))

    def on_exit(self, worker: WorkerProcess) -> None:
        with self.lock:
            if worker is not self.worker:
                return
            self.worker = None
            self._back_off()
            record = self.active
            if record is not None and record.ending == "stopped":
                record.say("The trainer did not end by itself and was ended.")
                self._finish(record, RunState.STOPPED)
            elif record is not None:
                if record.ending != "hung":
                    record.say(_describe_exit(worker))
                self._finish(record, RunState.FAILED)
        self._wake.set()

    def _finish(self, record: RunRecord, state: RunState) -> None:
        record.state, record.deadline, record.paused_since = state, float("inf"), None
        if record is self.active:
            self.active = None
            try:
                # On disk before any page says so.
                self._write_manifest(record)
            except OSError as error:
                record.say(_cannot_save(error.strerror or str(error)))
        self.publish(record)
        self._over.append(record.run_id)
        self._forget_old()

    def _forget_old(self) -> None:
        """Drop the oldest runs that are over, beyond a number and a size; keep the newest."""
        room = self.limits.keep_history_mb * 1e6
        for index, run_id in enumerate(reversed(list(self._over))):
            room -= self.records[run_id].bytes()
            if index > 0 and (index >= self.limits.keep_runs or room < 0):
                self._over.remove(run_id)
                del self.records[run_id]
                self.snapshots.pop(run_id, None)

    def _write_manifest(self, record: RunRecord) -> None:
        self.folders.write(
            record.run_id,
            state=record.state,
            configs=record.configs,
            step=record.saved_step,
            checkpoints=record.checkpoints,
        )


def _cannot_save(reason: str) -> str:
    return f"Checkpoints cannot be kept ({reason}); the run goes on without them."


def _describe_exit(worker: WorkerProcess) -> str:
    code = worker.exit_code
    words = worker.last_words()
    if code is not None and code < 0:
        how = f"signal {-code}" + (", often for want of memory" if code == -9 else "")
    else:
        how = f"exit code {code}"
    return f"The trainer ended unexpectedly ({how})." + (
        f" Its last words: {words}" if words else ""
    )
