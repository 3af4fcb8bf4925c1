"""What the server and the worker say to each other: one JSON object a line, both ways.

Commands go to the worker's standard input, reports come from its standard output. Each is a small
frozen dataclass here; ``write`` and ``read`` are the only code that knows the bytes.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import IO, Any

from vae.wire.events import TrainEvent, from_message, to_message

# A report carries at most one gallery: about a megabyte. Anything far beyond is not ours.
LONGEST_LINE = 32 * 2**20


class ProtocolError(ValueError):
    """A line that is no message."""


class RunState(StrEnum):
    """Where a run stands. Only the last four are final."""

    QUEUED = "queued"
    STARTING = "starting"
    DOWNLOADING = "downloading"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    FAILED = "failed"

    def is_finished(self) -> bool:
        return self in {RunState.FINISHED, RunState.STOPPED, RunState.DIVERGED, RunState.FAILED}


@dataclass(frozen=True)
class Start:
    """Train members side by side; ``configs`` as ``TrainConfig.to_dict`` gives them.

    With ``bound_images`` the members' importance-weighted bound is then measured on so many test
    images.
    """

    job: str
    configs: tuple[Mapping[str, Any], ...]
    folder: str
    checkpoints: tuple[str, ...] = ()
    download: bool = False
    paused: bool = False
    speed: float | None = None
    max_steps: int = 0
    bound_images: int = 0


@dataclass(frozen=True)
class Pause:
    job: str


@dataclass(frozen=True)
class Resume:
    job: str


@dataclass(frozen=True)
class Step:
    """Take ``count`` steps, then pause."""

    job: str
    count: int


@dataclass(frozen=True)
class SetLearningRate:
    job: str
    learning_rate: float


@dataclass(frozen=True)
class SetSpeed:
    """Steps a second at most; None for no limit."""

    job: str
    speed: float | None


@dataclass(frozen=True)
class Stop:
    job: str


@dataclass(frozen=True)
class Shutdown:
    """Stop what runs, keep its checkpoint, end the process."""


Command = Start | Pause | Resume | Step | SetLearningRate | SetSpeed | Stop | Shutdown


@dataclass(frozen=True)
class Ready:
    """The worker has imported what it needs. ``device`` is the one that 'auto' takes."""

    device: str
    threads: int
    seconds: float


@dataclass(frozen=True)
class Downloading:
    job: str
    fraction: float


@dataclass(frozen=True)
class Progress:
    """Where a job stands; also the worker's sign of life. ``seconds`` leaves pauses out."""

    job: str
    paused: bool
    step: int
    total_steps: int
    seconds: float
    steps_per_second: float
    images_per_second: float
    device: str


@dataclass(frozen=True)
class Trained:
    """One event of one member."""

    job: str
    member: int
    event: TrainEvent


@dataclass(frozen=True)
class Saved:
    """Checkpoints on disk, one a member; ``problem`` says why not, when writing failed."""

    job: str
    step: int
    checkpoints: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True)
class Ended:
    """The job is over, its last checkpoint written. ``state`` is a final ``RunState``."""

    job: str
    state: str
    message: str = ""


Report = Ready | Downloading | Progress | Trained | Saved | Ended
_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(Start, Pause, Resume, Step, SetLearningRate, SetSpeed, Stop, Shutdown),
        *(Ready, Downloading, Progress, Trained, Saved, Ended),
    )
}


class Writer:
    """Writes whole messages, from any thread."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, message: Command | Report) -> None:
        """Raises ``OSError`` when the other side is gone."""
        values = {spec.name: getattr(message, spec.name) for spec in fields(message)}
        if isinstance(message, Trained):
            values["event"] = to_message(message.event)
        line = json.dumps({"type": type(message).__name__, **values}, separators=(",", ":"))
        with self._lock:
            self._stream.write(line.encode("ascii") + b"\n")
            self._stream.flush()


def read(stream: IO[bytes]) -> Iterator[Command | Report]:
    """Messages until the other side closes. Raises ``ProtocolError`` on anything else."""
    while line := stream.readline(LONGEST_LINE + 1):
        yield parse(line)


def parse(line: bytes) -> Command | Report:
    """One line as a message. Raises ``ProtocolError``."""
    if len(line) > LONGEST_LINE:
        raise ProtocolError(f"a line of more than {LONGEST_LINE} bytes")
    try:
        values = json.loads(line)
        kind = _KINDS[values.pop("type")]
        if kind is Trained:
            values["event"] = from_message(values["event"])
        for name in ("configs", "checkpoints"):
            if name in values:
                values[name] = tuple(values[name])
        message: Command | Report = kind(**values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"not a message: {line[:80]!r} ({error})") from error
    return message
