"""What the pages see of a run: one immutable snapshot at a time.

A run trains one to nine members in step (a comparison shares data, seed and order); a single
training is a run of one member.
"""

from dataclasses import dataclass, field

from vae.config import TrainConfig
from vae.wire.events import (
    BoundEvent,
    DivergedEvent,
    EpochEvent,
    GalleryEvent,
    ReconstructionEvent,
    StepEvent,
)
from vae.wire.protocol import RunState


@dataclass(frozen=True)
class Frame:
    """One kept moment of a member's reconstructions."""

    step: int
    reconstruction: ReconstructionEvent


@dataclass(frozen=True)
class MemberSnapshot:
    """One member's progress. ``steps`` is thinned to a bounded number of points over the run."""

    config: TrainConfig
    steps: tuple[StepEvent, ...] = ()
    epochs: tuple[EpochEvent, ...] = ()
    frames: tuple[Frame, ...] = ()
    gallery: GalleryEvent | None = None
    bound: BoundEvent | None = None
    diverged: DivergedEvent | None = None

    @property
    def last_step(self) -> StepEvent | None:
        return self.steps[-1] if self.steps else None

    @property
    def last_frame(self) -> Frame | None:
        return self.frames[-1] if self.frames else None


@dataclass(frozen=True)
class RunSnapshot:
    """One run at one moment; ``version`` grows with every change.

    ``position`` counts the runs ahead in the queue (0 when none). ``message`` is one sentence for
    the page where something needs saying. ``checkpoints`` are paths on the server, one a member,
    present once written. ``seconds`` is training time without pauses; ``speed`` the limit in
    steps a second that slow motion sets (None: none); ``watchers`` the sessions, the owner's
    included, that looked lately. ``stopping``: it was told to end, and saves itself. ``opened``:
    it shows weights that were trained before, and has not gone on from them.
    """

    run_id: str
    version: int
    state: RunState
    members: tuple[MemberSnapshot, ...]
    position: int = 0
    step: int = 0
    total_steps: int = 0
    images_per_second: float = 0.0
    seconds_left: float | None = None
    download_fraction: float | None = None
    device: str = ""
    message: str = ""
    checkpoints: tuple[str, ...] = field(default=())
    seconds: float = 0.0
    speed: float | None = None
    watchers: int = 0
    stopping: bool = False
    opened: bool = False
