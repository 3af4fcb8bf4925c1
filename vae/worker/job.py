"""One job in the worker: members trained step by step side by side, obeying between steps.

The loop owns the pace: it looks for commands before every step, and says what happened at a
bounded rate, whatever the speed of the steps.
"""

import collections
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from vae.config import TrainConfig
from vae.engine import checkpoints
from vae.engine.devices import describe_device
from vae.engine.importance import DRAWS, Bounds
from vae.engine.thread_tuning import ThreadGovernor, agreeing_counts, candidate_counts
from vae.engine.training import Trainer
from vae.errors import CheckpointError, DataUnavailable
from vae.images.sets import ImageData, is_available, load_images
from vae.wire import protocol
from vae.wire.events import DivergedEvent, EpochEvent, GalleryEvent, ReconstructionEvent, TrainEvent
from vae.wire.protocol import RunState

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

# What may differ between a checkpoint and the run that goes on from it.
_MAY_CHANGE = {"epochs", "device", "learning_rate"}
# What makes the weights fit; the rest of the settings may change over shipped weights.
_SHAPE = ("architecture", "latent_dim", "hidden_dim", "likelihood")


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
            self._build_trainers()
        except Stopped:
            self._report_end(RunState.STOPPED)
            return
        except (DataUnavailable, CheckpointError, ValueError) as error:
            self._report_end(RunState.FAILED, str(error))
            return
        self._report_start()
        self._governor = ThreadGovernor(agreeing_counts(self.trainers, candidate_counts()))
        while self._may_go_on():
            self._handle_commands(0)
            if self.stopping:
                break
            if self.paused:
                self._pause_loop()
            else:
                self._step_all()
        if self.start.bound_images and not self.stopping:
            self._measure_bounds()
        self._save_and_report_end()

    def _measure_bounds(self) -> None:
        """Every member's bound, chunk by chunk; a stop ends it between two chunks."""
        for member, trainer in enumerate(self.trainers):
            bounds = Bounds(
                trainer.model,
                trainer.pixels,
                images=self.start.bound_images,
                samples=DRAWS[-1],
            )
            due = 0.0
            for event in bounds.measure(trainer.step_count):
                self._handle_commands(0)
                if time.monotonic() >= due or event.amortisation_gap is not None:
                    self._emit(member, event)
                    self._report_progress()
                    due = time.monotonic() + PICTURE_SECONDS
                if self.stopping:
                    return

    def _build_trainers(self) -> None:
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
        self._handle_commands(PROGRESS_SECONDS)
        if self.stopping:
            raise Stopped

    def _report_start(self) -> None:
        self._report_progress()
        for member, trainer in enumerate(self.trainers):
            for event in trainer.history:
                self._emit(member, event)
        self._emit_pictures_when_due()
        if self.start.checkpoints:
            self._emit_galleries()

    @property
    def step_count(self) -> int:
        return max(trainer.step_count for trainer in self.trainers)

    @property
    def images_seen(self) -> int:
        return sum(trainer.images_seen for trainer in self.trainers)

    def _may_go_on(self) -> bool:
        most = self.start.max_steps
        unfinished = any(not trainer.finished for trainer in self.trainers)
        if unfinished and most and self.step_count >= most:
            self.stopping = True
            self.message = f"This host trains a run for {most} steps at most."
        return unfinished and not self.stopping

    def _step_all(self) -> None:
        """One step of every member whose turn it is, and what is due after it."""
        began = time.monotonic()
        observe = began >= self._event_due or self.steps_wanted == 1
        if observe:
            self._event_due = began + EVENT_SECONDS
        epoch_over = self._step_members(observe)
        self._governor.watch(self.images_seen, sum(trainer.seconds for trainer in self.trainers))
        self._emit_pictures_when_due()
        self._save_when_due(epoch_over)
        if self.steps_wanted:
            self.steps_wanted -= 1
            self.paused = self.steps_wanted == 0
        self._wait_for_speed(began)
        self.seconds += time.monotonic() - began
        if time.monotonic() >= self._progress_due:
            self._report_progress()

    def _step_members(self, observe: bool) -> bool:
        """Whether an epoch ended with it."""
        epoch_over = False
        # Checkpoints written just before a crash may be of different steps: the later ones wait.
        turn = min(trainer.step_count for trainer in self.trainers if not trainer.finished)
        for member, trainer in enumerate(self.trainers):
            if trainer.finished or trainer.step_count > turn:
                continue
            for event in trainer.step(observe=observe):
                self._emit(member, event)
                epoch_over |= isinstance(event, EpochEvent)
                if isinstance(event, DivergedEvent):
                    self._emit(member, trainer.reconstruct())
        return epoch_over

    def _save_when_due(self, epoch_over: bool) -> None:
        since = time.monotonic() - self._saved_at
        first = epoch_over and self._saved_step < 0
        if first or since > (SAVE_EPOCH_SECONDS if epoch_over else SAVE_SECONDS):
            self._save_checkpoints()

    def _wait_for_speed(self, began: float) -> None:
        """In slow motion, wait for the next step's turn, handling commands meanwhile."""
        while self.speed and not (self.stopping or self.paused):
            left = began + 1 / self.speed - time.monotonic()
            if left <= 0:
                return
            self._emit_pictures_when_due()
            self._handle_commands(min(left, PICTURE_SECONDS))
            if time.monotonic() >= self._progress_due:
                self._report_progress()

    def _pause_loop(self) -> None:
        """Paused: show where it stands, then wait for a word."""
        self._rates.clear()
        self._report_progress()
        self._emit_pictures()
        self._handle_commands(GALLERY_AFTER_SECONDS)
        if self.step_count > 0:
            self._emit_galleries(while_paused=True)
        while self.paused and not self.stopping:
            self._report_progress()
            self._handle_commands(HEARTBEAT_SECONDS)
        self._report_progress()

    def _handle_commands(self, seconds: float) -> None:
        """Take what commands there are, waiting at most ``seconds`` for the first."""
        while (command := self.inbox.get(seconds)) is not None:
            seconds = 0
            if isinstance(command, protocol.Shutdown):
                self.inbox.put_back(command)
                self.stopping = True
                return
            if command.job == self.start.job:
                self._apply(command)

    def _apply(self, command: protocol.Command) -> None:
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

    def _emit(self, member: int, event: TrainEvent) -> None:
        if isinstance(event, ReconstructionEvent):
            self._pictured[member] = event.step
        elif isinstance(event, GalleryEvent):
            self._galleried[member] = event.step
        self.send(protocol.Trained(self.start.job, member, event))

    def _emit_pictures_when_due(self) -> None:
        if time.monotonic() >= self._picture_due or self.step_count in PICTURE_STEPS:
            self._emit_pictures()
            self._picture_due = time.monotonic() + PICTURE_SECONDS

    def _emit_pictures(self) -> None:
        """The fixed batch of each member, unless that step's was sent already."""
        for member, trainer in enumerate(self.trainers):
            if self._pictured.get(member) != trainer.step_count:
                self._emit(member, trainer.reconstruct())

    def _emit_galleries(self, *, while_paused: bool = False) -> None:
        """Every member's gallery, unless it was sent already. Who goes on while they are drawn
        does not wait for all of them."""
        for member, trainer in enumerate(self.trainers):
            if self._galleried.get(member) == trainer.step_count:
                continue
            if while_paused:
                self._handle_commands(0)
                if self.stopping or not self.paused:
                    return
            self._emit(member, trainer.build_gallery())

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

    def _save_checkpoints(self) -> None:
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

    def _save_and_report_end(self) -> None:
        """Save, show the end, and only then say that it is over."""
        if self._saved_step != self.step_count:
            self._save_checkpoints()
        if self.step_count > 0:
            self._emit_pictures()
            self._emit_galleries()
        self._report_progress()
        if self.stopping:
            state = RunState.STOPPED
        elif any(trainer.diverged for trainer in self.trainers):
            state = RunState.DIVERGED
        else:
            state = RunState.FINISHED
        self._report_end(state, self.message)

    def _report_end(self, state: RunState, message: str = "") -> None:
        self.send(protocol.Ended(self.start.job, str(state), message))


def fetch_missing(config: TrainConfig, wait: Callable[[float], None]) -> None:
    """Download the images of ``config`` unless they are there.

    ``wait(fraction done)`` is called again and again meanwhile and paces the loop. What it raises
    ends the waiting, not the download: what that fetches is kept whole or not at all, and serves
    the next run. Raises ``DataUnavailable``.
    """
    if is_available(config.dataset, images=config.images):
        return
    from vae.images.downloads import download

    fraction = 0.0
    outcome: list[Exception | None] = []

    def note(done: float) -> None:
        nonlocal fraction
        fraction = done

    def fetch() -> None:
        try:
            download(config.dataset, progress=note)
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    try:
        # Not an executor's thread: those hold up the end of the process.
        threading.Thread(target=fetch, name="vae-download", daemon=True).start()
    except RuntimeError as error:
        raise DataUnavailable(f"The download cannot begin ({error}). Try again later.") from error
    while not outcome:
        wait(fraction)
    if outcome[0] is not None:
        raise outcome[0]


def open_checkpoint(config: TrainConfig, path: str, data: ImageData) -> Trainer:
    """A trainer that goes on from ``path``: bit-equal from a run's own checkpoint, afresh (step
    0, a new optimiser) from exported weights.

    Raises ``CheckpointError`` on a file that cannot be read or does not fit ``config``.
    """
    checkpoint = checkpoints.load(path)
    ours, theirs = config.to_dict(), checkpoint.config.to_dict()
    resumes = checkpoint.training is not None
    for name in set(ours) - _MAY_CHANGE if resumes else _SHAPE:
        if ours[name] != theirs[name]:
            raise CheckpointError(
                f"{name}: {ours[name]!r} given; the checkpoint has {theirs[name]!r}"
            )
    if resumes:
        trainer = checkpoint.build_trainer(data, epochs=config.epochs, device=config.device)
        if config.learning_rate != checkpoint.config.learning_rate:
            trainer.learning_rate = config.learning_rate
        return trainer
    return checkpoint.start_trainer(config, data)
