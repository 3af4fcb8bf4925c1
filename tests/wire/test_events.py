"""Events come back from the wire exactly, whatever they carry."""

import json
import math

import numpy as np
import pytest

from vae.wire.events import (
    CalibrationBin,
    DivergedEvent,
    EpochEvent,
    FinishedEvent,
    GalleryEvent,
    ReconstructionEvent,
    StepEvent,
    TrainEvent,
    from_message,
    to_message,
)

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
EVENTS = [
    StepEvent(3, 10, 1, -105.25, 20.1, 125.35, 0.0237, (20.0, 0.1), None, 1e-3, 2e4),
    StepEvent(3, 10, 1, math.nan, math.inf, -math.inf, 1 / 3, (math.nan,), 0.1, 1e-3, 2e4),
    ReconstructionEvent(0, IMAGES, IMAGES + 1, IMAGES[:, ::-1]),
    EpochEvent(
        1, 469, 163.9, 126.4, -105.5, 20.9, 0.02, (1.0, 2.0), 0.3, 2.5, 24000.0,
        (CalibrationBin(0.01, 0.02, 5), CalibrationBin(0.97, 0.9, 7)),
        (CalibrationBin(0.1, 0.2, 12),),
    ),
    GalleryEvent(
        9, IMAGES, IMAGES[None], (4, 1), np.array([[0.5, -1.25]], np.float32),
        np.array([7], np.int64), IMAGES[None, :, None][:, :, 0],
    ),
    DivergedEvent(7, "KL", math.inf, "Try less."),
    FinishedEvent(938, 2, 5.25),
]  # fmt: skip


def assert_equal(one: object, other: object) -> None:
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    elif isinstance(one, float) and math.isnan(one):
        assert isinstance(other, float)
        assert math.isnan(other)
    elif isinstance(one, tuple):
        assert isinstance(other, tuple)
        for mine, theirs in zip(one, other, strict=True):
            assert_equal(mine, theirs)
    else:
        assert type(one) is type(other)
        assert one == other


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_from_the_wire(event: TrainEvent) -> None:
    line = json.dumps(to_message(event), allow_nan=False)
    again = from_message(json.loads(line))
    assert type(again) is type(event)
    for name, value in vars(event).items():
        assert_equal(value, getattr(again, name))


def test_a_message_of_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind: 'Other' given; allowed is one of"):
        from_message({"kind": "Other"})
    with pytest.raises(ValueError, match="kind: None given"):
        from_message({})


def test_events_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        EVENTS[-1].step = 3  # type: ignore[misc]


def test_an_epoch_kept_before_outputs_were_binned_is_read() -> None:
    message = to_message(next(event for event in EVENTS if isinstance(event, EpochEvent)))
    by_target = message.pop("response")
    again = from_message({**message, "calibration": by_target})
    assert isinstance(again, EpochEvent)
    assert [bin.target for bin in again.response] == [0.01, 0.97]
    assert again.calibration == ()
