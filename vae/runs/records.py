"""What the server remembers of a run, in bounded room, and the snapshot it shows of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from vae.config import TrainConfig
from vae.runs.snapshots import Frame, MemberSnapshot, RunSnapshot
from vae.runs.thinning import ThinnedHistory
from vae.wire.events import (
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
# Several viewers see the same snapshot for this long.
VIEW_SECONDS = 0.25


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
    """One run as the registry knows it; changed under the registry's lock alone.

    ``deadline`` is when the worker is taken for hung, or for deaf to a stop (``ending``).
    """

    run_id: str
    owner: str
    members: list[MemberRecord]
    created: float
    checkpoints_from: tuple[str, ...] = ()
    download: bool = False
    start_paused: bool = False
    speed: float | None = None
    state: RunState = RunState.QUEUED
    position: int = 0
    message: str = ""
    checkpoints: tuple[str, ...] = ()
    saved_step: int = 0
    progress: Progress | None = None
    download_fraction: float | None = None
    started: float = float("inf")
    paused_since: float | None = None
    deadline: float = float("inf")
    ending: str = ""
    version: int = 0
    viewers: dict[str, float] = field(default_factory=dict)
    viewed: RunSnapshot | None = None
    view_until: float = float("-inf")

    @classmethod
    def build(
        cls, run_id: str, owner: str, configs: Sequence[TrainConfig], created: float
    ) -> "RunRecord":
        return cls(run_id, owner, [MemberRecord(config) for config in configs], created)

    @property
    def configs(self) -> tuple[TrainConfig, ...]:
        return tuple(member.snapshot.config for member in self.members)

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

    def view(self, newest: RunSnapshot, now: float) -> RunSnapshot:
        """``newest``, or what another viewer was shown just before, if the state is the same."""
        held = self.viewed
        alone = len(self.viewers) < 2
        if alone or held is None or held.state is not newest.state or now >= self.view_until:
            self.viewed, self.view_until = newest, now + VIEW_SECONDS
            return newest
        return held

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
            self.state = RunState.PAUSED if report.paused else RunState.RUNNING
            if not report.paused:
                self.paused_since = None
            elif self.paused_since is None:
                self.paused_since = now
        elif isinstance(report, Downloading):
            self.state, self.download_fraction = RunState.DOWNLOADING, report.fraction

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
        )

    def bytes(self) -> int:
        return sum(member.bytes() for member in self.members)
