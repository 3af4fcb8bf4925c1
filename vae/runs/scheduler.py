"""What happens to runs over time: the queue, the worker, the watch over both.

The only threads of the server's side are here and in ``vae.runs.worker_process``: one that starts
the worker and looks at the clock, and the worker's two listeners. Everything they change is
behind one lock; snapshots are read without it.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

from vae.runs import stop_rules
from vae.runs.folders import RunFolders
from vae.runs.limits import Limits
from vae.runs.records import RunRecord
from vae.runs.snapshots import RunSnapshot
from vae.runs.worker_process import WorkerProcess
from vae.wire.protocol import Command, Ended, Ready, Report, RunState, Saved, Start, Stop

_TICK_SECONDS = 0.5
# Longer pauses of the watch itself mean that the machine slept: they count for nothing.
_SLEPT_SECONDS = 5.0
_LONGEST_BACKOFF = 60.0
# Importing torch and drawing the built-in digits are silent, and slow on a small host.
_START_PATIENCE = 4
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
            stop_rules.hold_runs_in_use(self.records, self.folders)
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
        self._thread.join(5)

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
            if self.active is not None:
                self._check_deadline(self.active)
            for record in [*self.queue, *([self.active] if self.active else [])]:
                record.forget_viewers(self.now())
                others = bool(self.queue) and record is self.active
                reason = stop_rules.reason_to_stop(record, self.limits, self.now(), others)
                if reason:
                    self.stop(record, reason)
            self._ensure_worker()
            if self.worker is not None:
                self._start_next()
            prune, self._prune_due = self._prune_due, False
            in_use = stop_rules.hold_runs_in_use(self.records, self.folders)
        if prune:
            keep, megabytes = self.limits.keep_folders, self.limits.keep_folders_mb
            self.folders.prune(keep=keep, megabytes=megabytes, in_use=in_use)

    def _check_deadline(self, record: RunRecord) -> None:
        if self.now() <= record.deadline:
            return
        if not record.ending:
            record.ending = "hung"
            record.say(stop_rules.describe_silence(self.limits))
        record.deadline = float("inf")
        if self.worker is not None:
            self.worker.kill()

    def _ensure_worker(self) -> None:
        if self.worker is not None or (not self.queue and self.now() < self._restart_at):
            return
        try:
            self.worker = self._build_worker(self.on_report, self.on_exit)
        except OSError as error:
            self._back_off()
            for record in list(self.queue)[:1]:
                self.queue.remove(record)
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
        record.deadline = now + _START_PATIENCE * self.limits.worker_silence_seconds
        self._write_manifest(record)
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
            elif isinstance(report, Saved):
                # It has heard the stop, and shows where it ended.
                record.deadline = self.now() + self.limits.stop_seconds
            if isinstance(report, Ended):
                record.say(report.message)
                self._finish(record, RunState(report.state))
                self._wake.set()
                return
            if isinstance(report, Saved):
                self._note_saved(record, report)
            else:
                record.take(report, self.now())
            self.publish(record)

    def _note_saved(self, record: RunRecord, report: Saved) -> None:
        if report.problem:
            record.say(stop_rules.describe_unsaved(report.problem))
            return
        record.checkpoints, record.saved_step = report.checkpoints, report.step
        self._write_manifest(record)

    def on_exit(self, worker: WorkerProcess) -> None:
        with self.lock:
            if worker is not self.worker:
                return
            self.worker = None
            self._back_off()
            record = self.active
            if record is not None:
                code, words = worker.exit_code, worker.last_words()
                state, sentence = stop_rules.judge_exit(record.ending, code, words)
                record.say(sentence)
                self._finish(record, state)
        self._wake.set()

    def _finish(self, record: RunRecord, state: RunState) -> None:
        record.state, record.deadline, record.paused_since = state, float("inf"), None
        if record is self.active:
            self.active = None
            # On disk before any page says so.
            self._write_manifest(record)
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
        try:
            self.folders.write(
                record.run_id,
                state=record.state,
                configs=record.configs,
                step=record.saved_step,
                checkpoints=record.checkpoints,
            )
        except OSError as error:
            record.say(stop_rules.describe_unsaved(error.strerror or str(error)))
