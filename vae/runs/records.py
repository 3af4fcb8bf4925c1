"""What the server remembers of a run, in bounded room, and the snapshot it shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vae.config import TrainConfig
from vae.runs.snapshots import Frame, MemberSnapshot, RunSnapshot
from vae.runs.thinning import ThinnedHistory
from vae.wire.events import (
    BoundEvent,
    DivergedEvent,
    EpochEvent,
    GalleryEvent,
    ReconstructionEvent,
    StepEvent,
    TrainEvent,
)
from vae.wire.protocol import Downloading, Progress, Report, RunState, Trained

MAX_STEPS_KEPT = 600
MAX_FRAMES_KEPT = 60
MAX_EPOCHS_KEPT = 300
# A session that polls less often than this is not counted as watching.
WATCHING_SECONDS = 10.0


class MemberRecord:
    """One member's history. ``snapshot`` is rebuilt only when an event came."""

    def __init__(self, config: TrainConfig) -> None:
        self._steps: ThinnedHistory[StepEvent] = ThinnedHistory(MAX_STEPS_KEPT)
        self._epochs: ThinnedHistory[EpochEvent] = ThinnedHistory(MAX_EPOCHS_KEPT)
        self._frames: ThinnedHistory[Frame] = ThinnedHistory(MAX_FRAMES_KEPT)
        self._targets: np.ndarray | None = None
        self.snapshot = MemberSnapshot(config)

    def take(self, event: TrainEvent) -> None:
        if isinstance(event, StepEvent):
            self._steps.append(event)
            self.snapshot = replace(self.snapshot, steps=self._steps.items())
        elif isinstance(event, ReconstructionEvent):
            self._frames.append(Frame(event.step, self._share_targets(event)))
            self.snapshot = replace(self.snapshot, frames=self._frames.items())
        elif isinstance(event, EpochEvent):
            self._epochs.append(event)
            self.snapshot = replace(self.snapshot, epochs=self._epochs.items())
        elif isinstance(event, GalleryEvent):
            self.snapshot = replace(self.snapshot, gallery=event)
        elif isinstance(event, BoundEvent):
            self.snapshot = replace(self.snapshot, bound=event)
        elif isinstance(event, DivergedEvent):
            self.snapshot = replace(self.snapshot, diverged=event)

    def _share_targets(self, event: ReconstructionEvent) -> ReconstructionEvent:
        """The fixed batch is the same in every frame: one array serves them all."""
        if self._targets is None or not np.array_equal(self._targets, event.targets):
            self._targets = event.targets
        return replace(event, targets=self._targets)

    def bytes(self) -> int:
        """About how much memory the history takes."""
        latents = self.snapshot.config.latent_dim
        total = (len(self._steps) + len(self._epochs)) * (1500 + 32 * latents)
        for frame in self._frames.items():
            total += frame.reconstruction.means.nbytes + frame.reconstruction.samples.nbytes
        if (gallery := self.snapshot.gallery) is not None:
            arrays = (gallery.prior, gallery.traversals, gallery.codes, gallery.grid)
            total += sum(array.nbytes for array in arrays)
        return total


@dataclass
class RunRecord:
    """One run as the scheduler knows it. Times are the scheduler's.

    ``state`` is what is shown, ``since`` when it came to it; ``outcome`` the final state, known a
    little before it is shown. ``position`` is -1 until it is known. ``saved`` are checkpoints that
    the worker wrote, ``checkpoints`` those the manifest names, too; while the manifest is being
    written (``keeping``) a later one waits (``keep_again``). ``deadline`` is when the worker is
    taken for hung, or for deaf to a stop (``ending``).
    """

    run_id: str
    owner: str
    members: list[MemberRecord]
    created: float
    checkpoints_from: tuple[str, ...] = ()
    download: bool = False
    start_paused: bool = False
    speed: float | None = None
    bound_images: int = 0
    state: RunState = RunState.QUEUED
    since: float = 0.0
    outcome: RunState | None = None
    position: int = -1
    message: str = ""
    saved_step: int = 0
    saved: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    keeping: bool = False
    keep_again: bool = False
    progress: Progress | None = None
    download_fraction: float | None = None
    paused_before: float = 0.0
    deadline: float = float("inf")
    ending: str = ""
    version: int = 0
    viewers: dict[str, float] = field(default_factory=dict)

    @classmethod
    def build(
        cls, run_id: str, owner: str, configs: Sequence[TrainConfig], created: float
    ) -> "RunRecord":
        return cls(run_id, owner, [MemberRecord(config) for config in configs], created)

    @property
    def configs(self) -> tuple[TrainConfig, ...]:
        return tuple(member.snapshot.config for member in self.members)

    @property
    def over(self) -> bool:
        """Whether nothing can change its outcome any more, shown or not."""
        return self.outcome is not None

    @property
    def last_seen(self) -> float:
        """When anybody last looked, or when the run began."""
        return max(list(self.viewers.values()), default=self.created)

    def watchers(self, now: float) -> int:
        return sum(now - seen < WATCHING_SECONDS for seen in list(self.viewers.values()))

    def forget_viewers(self, now: float) -> None:
        """Keep the latest viewer, for the grace time, and those who still look."""
        latest = self.last_seen
        self.viewers = {
            viewer: seen
            for viewer, seen in list(self.viewers.items())
            if now - seen < WATCHING_SECONDS or seen == latest
        }

    def say(self, sentence: str) -> None:
        """Add a sentence to the message, once."""
        if sentence and sentence not in self.message:
            self.message = f"{self.message} {sentence}".strip()

    def take(self, report: Report, now: float) -> None:
        """Note what the worker says of this run."""
        if isinstance(report, Trained):
            self.members[report.member].take(report.event)
        elif isinstance(report, Progress):
            self.progress = report
            self.enter(RunState.PAUSED if report.paused else RunState.RUNNING, now)
        elif isinstance(report, Downloading):
            self.download_fraction = report.fraction
            self.enter(RunState.DOWNLOADING, now)

    def enter(self, state: RunState, now: float) -> None:
        if state is not self.state:
            self.paused_before = self.paused_seconds(now)
            self.state, self.since = state, now

    @property
    def trained_seconds(self) -> float:
        """Training time, pauses and what came before the first step left out."""
        return self.progress.seconds if self.progress else 0.0

    def paused_seconds(self, now: float) -> float:
        """How long it was paused in all."""
        here = now - self.since if self.state is RunState.PAUSED else 0.0
        return self.paused_before + here

    def build_snapshot(self, now: float) -> RunSnapshot:
        self.version += 1
        progress = self.progress
        snapshot = RunSnapshot(
            run_id=self.run_id,
            version=self.version,
            state=self.state,
            members=tuple(member.snapshot for member in self.members),
            position=self.position,
            download_fraction=self.download_fraction,
            message=self.message,
            checkpoints=self.checkpoints,
            speed=self.speed,
            watchers=self.watchers(now),
            stopping=self.ending != "" and not self.state.is_finished(),
        )
        if progress is None:
            return snapshot
        left = None
        if self.state is RunState.RUNNING and progress.steps_per_second > 0:
            left = (progress.total_steps - progress.step) / progress.steps_per_second
        return replace(
            snapshot,
            step=progress.step,
            total_steps=progress.total_steps,
            images_per_second=progress.images_per_second,
            seconds_left=left,
            seconds=progress.seconds,
            device=progress.device,
            opened=bool(self.checkpoints_from) and progress.step == 0,
        )

    def bytes(self) -> int:
        return sum(member.bytes() for member in self.members)
