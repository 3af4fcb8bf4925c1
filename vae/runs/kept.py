"""A finished run as a small file, to be shown again: its figures, and pictures in few greys."""

import base64
import json
import lzma
from dataclasses import replace
from typing import Any

import numpy as np

from vae.config import TrainConfig
from vae.runs.snapshots import Frame, MemberSnapshot, RunSnapshot
from vae.wire.events import (
    EpochEvent,
    GalleryEvent,
    ReconstructionEvent,
    StepEvent,
    from_message,
    to_message,
)
from vae.wire.protocol import RunState

_STEPS = 60
_CODES = 600
# Of one run, and of each of several.
_FRAMES, _FRAMES_BESIDE = 6, 4
# Between two greys: sixteen of the film's pictures, eight of the gallery's many.
_FILM, _GALLERY = 17, 255 / 7
_DIGITS = 5
_VERSION = 1


def pack(snapshot: RunSnapshot) -> bytes:
    """``snapshot`` of a finished run. What is kept of it: sixty steps, every epoch, a few
    moments' pictures, the gallery; numbers to five digits."""
    arrays: list[bytes] = []
    frames = _FRAMES if len(snapshot.members) == 1 else _FRAMES_BESIDE
    head = {
        "version": _VERSION,
        "step": snapshot.step,
        "total_steps": snapshot.total_steps,
        "seconds": snapshot.seconds,
        "device": snapshot.device,
        "members": [
            {
                "config": each.config.to_dict(),
                "events": [_small(to_message(event), arrays) for event in _events(each, frames)],
            }
            for each in snapshot.members
        ],
    }
    text = json.dumps(head, separators=(",", ":"))
    content = text.encode() + b"\0" + b"".join(arrays)
    return lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)


def unpack(data: bytes, run_id: str) -> RunSnapshot:
    """Inverse of ``pack``, as the run ``run_id``. Raises ``ValueError`` on another version."""
    text, _, arrays = lzma.decompress(data).partition(b"\0")
    head = json.loads(text)
    if head["version"] != _VERSION:
        raise ValueError(f"version: {head['version']} given; allowed is {_VERSION}")
    return RunSnapshot(
        run_id=run_id,
        version=1,
        state=RunState.FINISHED,
        members=tuple(_member(each, arrays) for each in head["members"]),
        step=head["step"],
        total_steps=head["total_steps"],
        seconds=head["seconds"],
        device=head["device"],
    )


def _member(packed: dict[str, Any], arrays: bytes) -> MemberSnapshot:
    events = [from_message(_whole(message, arrays)) for message in packed["events"]]
    pictures = [event for event in events if isinstance(event, ReconstructionEvent)]
    targets = pictures[-1].targets
    return MemberSnapshot(
        TrainConfig.from_dict(packed["config"]),
        steps=tuple(event for event in events if isinstance(event, StepEvent)),
        epochs=tuple(event for event in events if isinstance(event, EpochEvent)),
        frames=tuple(Frame(each.step, replace(each, targets=targets)) for each in pictures),
        gallery=next((event for event in events if isinstance(event, GalleryEvent)), None),
    )


def _events(member: MemberSnapshot, most_frames: int) -> list[Any]:
    kept = [member.frames[at].reconstruction for at in _spread(len(member.frames), most_frames)]
    frames = [
        replace(each, means=_greys(each.means, _FILM), samples=_greys(each.samples, _FILM))
        for each in kept
    ]
    # One batch of targets, with the last.
    nothing = np.zeros((0,), np.uint8)
    frames[:-1] = [replace(each, targets=nothing) for each in frames[:-1]]
    gallery = member.gallery
    steps = [member.steps[at] for at in _spread(len(member.steps), _STEPS)]
    return [*steps, *member.epochs, *frames, *([] if gallery is None else [_thin(gallery)])]


def _thin(gallery: GalleryEvent) -> GalleryEvent:
    chosen = _spread(len(gallery.codes), _CODES)
    return replace(
        gallery,
        prior=_greys(gallery.prior, _GALLERY),
        traversals=_greys(gallery.traversals, _GALLERY),
        grid=_greys(gallery.grid, _GALLERY),
        codes=gallery.codes[chosen].astype(np.float16),
        labels=gallery.labels[chosen].astype(np.uint8),
    )


def _greys(pictures: np.ndarray, apart: float) -> np.ndarray:
    """The pictures with greys that lie ``apart`` alone, of 255."""
    return np.round(np.round(pictures / apart) * apart).astype(np.uint8)


def _spread(count: int, most: int) -> list[int]:
    """At most ``most`` of ``count`` places, evenly, the first and the last among them."""
    return sorted({round(at) for at in np.linspace(0, count - 1, min(count, most))})


def _small(value: Any, arrays: list[bytes]) -> Any:
    """``value`` of a message with fewer digits, its arrays moved into ``arrays``."""
    if isinstance(value, dict) and "dtype" in value:
        data = base64.b64decode(value["data"])
        at = sum(map(len, arrays))
        arrays.append(data)
        return {"dtype": value["dtype"], "shape": value["shape"], "at": [at, at + len(data)]}
    if isinstance(value, dict):
        return {name: _small(part, arrays) for name, part in value.items()}
    if isinstance(value, list):
        return [_small(part, arrays) for part in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _whole(value: Any, arrays: bytes) -> Any:
    if isinstance(value, dict) and "at" in value:
        first, last = value["at"]
        data = base64.b64encode(arrays[first:last]).decode("ascii")
        return {"dtype": value["dtype"], "shape": value["shape"], "data": data}
    if isinstance(value, dict):
        return {name: _whole(part, arrays) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part, arrays) for part in value]
    return value
