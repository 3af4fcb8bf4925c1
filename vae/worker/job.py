"""One job in the worker: members trained step by step side by side, obeying between steps.

The loop owns the pace: it looks for commands before every step, and says what happened at a
bounded rate, whatever the speed of the steps.
"""

import collections
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from vae.config import TrainConfig
from vae.engine import checkpoints
from vae.engine.devices import describe_device
from vae.engine.evaluation import build_gallery
from vae.engine.thread_tuning import ThreadGovernor, agreeing_counts, candidate_counts
from vae.engine.training import Trainer
from vae.errors import CheckpointError, DataUnavailable
from vae.images.sets import load_images
from vae.wire import protocol
from vae.wire.events import DivergedEvent, EpochEvent, GalleryEvent, ReconstructionEvent, TrainEvent
from vae.wire.protocol import RunState
from vae.worker.job_sources import fetch_missing, open_checkpoint

EVENT_SECONDS = 0.1
PICTURE_SECONDS = 0.25
PROGRESS_SECONDS = 0.25
# The first steps change most: their pictures come whatever the clock says.
PICTURE_STEPS = (1, 3, 10)
SAVE_SECONDS = 30.0
SAVE_EPOCH_SECONDS = 10.0
HEARTBEAT_SECONDS = 1.0
# Clicks on Step in quick order do not wait for a gallery each.
GALLERY_AFTER_SECONDS = 0.6


class Inbox(Protocol):
    """Commands in order; ``get`` waits at most ``seconds``."""

    def get(self, seconds: float) -> protocol.Command | None: ...

    def put_back(self, command: protocol.Command) -> None: ...


class Stopped(Exception):
    """Before training began."""


class Job:
    """Runs one ``Start`` to its ``Ended``, which is always the last report."""

    def __init__(
        self, start: protocol.Start, inbox: Inbox, send: Callable[[protocol.Report], None]
    ) -> None:
        self.start = start
        self.inbox = inbox
        self.send = send
        self.trainers: list[Trainer] = []
        self.paused = start.paused
        self.speed = start.speed
        self.steps_wanted = 0
        self.stopping = False
        self.message = ""
        self.seconds = 0.0
        self._governor = ThreadGovernor(candidate_counts()[:1])
        self._rates: collections.deque[tuple[float, int, int]] = collections.deque(maxlen=9)
        self._event_due = 0.0
        self._picture_due = 0.0
        self._progress_due = 0.0
        self._saved_at = time.monotonic()
        self._saved_step = -1
        self._pictured: dict[int, int] = {}
        self._galleried: dict[int, int] = {}

    def run(self) -> None:
        try:
            self._open()
        except Stopped:
            self._end(RunState.STOPPED)
            return
        except (DataUnavailable, CheckpointError, ValueError) as error:
            self._end(RunState.FAILED, str(error))
            return
        self._greet()
        self._governor = ThreadGovernor(agreeing_counts(self.trainers, candidate_counts()))
        while self._going():
            self._obey(0)
            if self.stopping:
                break
            if self.paused:
                self._rest()
            else:
                self._step()
        self._conclude()

    def _open(self) -> None:
        configs = [TrainConfig.from_dict(values) for values in self.start.configs]
        if self.start.download:
            fetch_missing(configs[0], self._wait_for_download)
        data = load_images(configs[0])
        if not self.start.checkpoints:
            self.trainers = [Trainer(config, data) for config in configs]
            return
        for config, path in zip(configs, self.start.checkpoints, strict=True):
            self.trainers.append(open_checkpoint(config, path, data))

    def _wait_for_download(self, fraction: float) -> None:
        self.send(protocol.Downloading(self.start.job, fraction))
        self._obey(PROGRESS_SECONDS)
        if self.stopping:
            raise Stopped

    def _greet(self) -> None:
        self._report_progress()
        for member, trainer in enumerate(self.trainers):
            for event in trainer.history:
                self._tell(member, event)
        self._picture_when_due()
        if self.start.checkpoints:
            self._gallery()

    @property
    def step_count(self) -> int:
        return max(trainer.step_count for trainer in self.trainers)

    @property
    def images_seen(self) -> int:
        return sum(trainer.images_seen for trainer in self.trainers)

    def _going(self) -> bool:
        most = self.start.max_steps
        unfinished = any(not trainer.finished for trainer in self.trainers)
        if unfinished and most and self.step_count >= most:
            self.stopping = True
            self.message = f"This host trains a run for {most} steps at most."
        return unfinished and not self.stopping

    def _step(self) -> None:
        began = time.monotonic()
        observe = began >= self._event_due or self.steps_wanted == 1
        if observe:
            self._event_due = began + EVENT_SECONDS
        epoch_over = False
        # Checkpoints written just before a crash may be of different steps: the later ones wait.
        turn = min(trainer.step_count for trainer in self.trainers if not trainer.finished)
        for member, trainer in enumerate(self.trainers):
            if trainer.finished or trainer.step_count > turn:
                continue
            for event in trainer.step(observe=observe):
                self._tell(member, event)
                epoch_over |= isinstance(event, EpochEvent)
                if isinstance(event, DivergedEvent):
                    self._tell(member, trainer.reconstruct())
        self._governor.watch(self.images_seen, sum(trainer.seconds for trainer in self.trainers))
        self._picture_when_due()
        since_save = time.monotonic() - self._saved_at
        first = epoch_over and self._saved_step < 0
        if first or since_save > (SAVE_EPOCH_SECONDS if epoch_over else SAVE_SECONDS):
            self._save()
        if self.steps_wanted:
            self.steps_wanted -= 1
            self.paused = self.steps_wanted == 0
        self._wait_for_speed(began)
        self.seconds += time.monotonic() - began
        if time.monotonic() >= self._progress_due:
            self._report_progress()

    def _wait_for_speed(self, began: float) -> None:
        """In slow motion, wait for the next step's turn, obeying meanwhile."""
        while self.speed and not (self.stopping or self.paused):
            left = began + 1 / self.speed - time.monotonic()
            if left <= 0:
                return
            self._picture_when_due()
            self._obey(min(left, PICTURE_SECONDS))
            if time.monotonic() >= self._progress_due:
                self._report_progress()

    def _rest(self) -> None:
        """Paused: show where it stands, then wait for a word."""
        self._rates.clear()
        self._report_progress()
        self._picture()
        self._obey(GALLERY_AFTER_SECONDS)
        if self.paused and not self.stopping and self.step_count > 0:
            self._gallery()
        while self.paused and not self.stopping:
            self._report_progress()
            self._obey(HEARTBEAT_SECONDS)
        self._report_progress()

    def _obey(self, seconds: float) -> None:
        """Take what commands there are, waiting at most ``seconds`` for the first."""
        while (command := self.inbox.get(seconds)) is not None:
            seconds = 0
            if isinstance(command, protocol.Shutdown):
                self.inbox.put_back(command)
                self.stopping = True
                return
            if command.job == self.start.job:
                self._take(command)

    def _take(self, command: protocol.Command) -> None:
        if isinstance(command, protocol.Stop):
            self.stopping = True
        elif isinstance(command, protocol.Pause):
            self.paused, self.steps_wanted = True, 0
        elif isinstance(command, protocol.Resume):
            self.paused, self.steps_wanted = False, 0
        elif isinstance(command, protocol.Step):
            self.paused = False
            self.steps_wanted += command.count
        elif isinstance(command, protocol.SetSpeed):
            self.speed = command.speed
        elif isinstance(command, protocol.SetLearningRate):
            for trainer in self.trainers:
                trainer.learning_rate = command.learning_rate

    def _tell(self, member: int, event: TrainEvent) -> None:
        if isinstance(event, ReconstructionEvent):
            self._pictured[member] = event.step
        elif isinstance(event, GalleryEvent):
            self._galleried[member] = event.step
        self.send(protocol.Trained(self.start.job, member, event))

    def _picture_when_due(self) -> None:
        if time.monotonic() >= self._picture_due or self.step_count in PICTURE_STEPS:
            self._picture()
            self._picture_due = time.monotonic() + PICTURE_SECONDS

    def _picture(self) -> None:
        """The fixed batch of each member, unless that step's was sent already."""
        for member, trainer in enumerate(self.trainers):
            if self._pictured.get(member) != trainer.step_count:
                self._tell(member, trainer.reconstruct())

    def _gallery(self) -> None:
        for member, trainer in enumerate(self.trainers):
            if self._galleried.get(member) == trainer.step_count:
                continue
            figures = trainer.evaluate()
            kl_per_latent = tuple((figures.kl_per_latent / figures.images).tolist())
            gallery = build_gallery(
                trainer.model, trainer.pixels, trainer.data, trainer.step_count, kl_per_latent
            )
            self._tell(member, gallery)

    def _report_progress(self) -> None:
        self._progress_due = time.monotonic() + PROGRESS_SECONDS
        self._rates.append((self.seconds, self.step_count, self.images_seen))
        (began, first, seen), (ended, last, now_seen) = self._rates[0], self._rates[-1]
        passed = ended - began
        self.send(
            protocol.Progress(
                job=self.start.job,
                paused=self.paused,
                step=self.step_count,
                total_steps=max(trainer.total_steps for trainer in self.trainers),
                seconds=self.seconds,
                steps_per_second=(last - first) / passed if passed > 0 else 0.0,
                images_per_second=(now_seen - seen) / passed if passed > 0 else 0.0,
                device=describe_device(self.trainers[0].device),
            )
        )

    def _save(self) -> None:
        """Write every member's checkpoint; a full disk is reported, and training goes on."""
        self._saved_at = time.monotonic()
        folder = Path(self.start.folder)
        paths = [folder / f"member-{member + 1}.pt" for member in range(len(self.trainers))]
        problem = ""
        try:
            # Somebody may have tidied up while it trained.
            folder.mkdir(parents=True, exist_ok=True)
            for path, trainer in zip(paths, self.trainers, strict=True):
                checkpoints.save(path, trainer)
            self._saved_step = self.step_count
        except (CheckpointError, OSError) as error:
            problem = str(error)
        self.send(protocol.Saved(self.start.job, self.step_count, tuple(map(str, paths)), problem))

    def _conclude(self) -> None:
        """Save, show the end, and only then say that it is over."""
        if self._saved_step != self.step_count:
            self._save()
        if self.step_count > 0:
            self._picture()
            self._gallery()
        self._report_progress()
        if self.stopping:
            state = RunState.STOPPED
        elif any(trainer.diverged for trainer in self.trainers):
            state = RunState.DIVERGED
        else:
            state = RunState.FINISHED
        self._end(state, self.message)

    def _end(self, state: RunState, message: str = "") -> None:
        self.send(protocol.Ended(self.start.job, str(state), message))
