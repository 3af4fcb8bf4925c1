"""What a training run says while it runs: small frozen events, and their form on the wire.

Losses are nats per image (mean over the images of a batch or a set); pixels are in [0, 1], so
``mse`` is the mean squared error per pixel whatever the loss: runs with different losses compare.
Images are ``uint8`` arrays (n, height, width).
"""

import base64
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

from vae.errors import shown


@dataclass(frozen=True)
class StepEvent:
    """One optimiser step. ``scale`` is None where the likelihood has none."""

    step: int
    total_steps: int
    epoch: int
    log_likelihood: float
    kl: float
    loss: float
    mse: float
    kl_per_latent: tuple[float, ...]
    scale: float | None
    learning_rate: float
    images_per_second: float


@dataclass(frozen=True)
class ReconstructionEvent:
    """The fixed test batch: targets, the decoder's mean for each, and one draw from p(x|z)."""

    step: int
    targets: np.ndarray
    means: np.ndarray
    samples: np.ndarray


@dataclass(frozen=True)
class CalibrationBin:
    """Pixels that fall into one bin of greys: their mean target, mean output, and how many."""

    target: float
    output: float
    count: int


@dataclass(frozen=True)
class EpochEvent:
    """Figures of one epoch; ``test_`` ones on the whole test set, z drawn from q(z|x).

    ``response`` takes pixels of like target together: E[output | target], which leans to the
    middle for any predictor that does not know all. ``calibration`` takes pixels of like output
    together: E[target | output], which is the output where the model means what it says.

    ``bits_per_pixel``, on the test set too, counts each pixel as one of 256 grey levels (or of 2)
    and includes the KL, so that it compares across likelihoods; None for what is none.
    """

    epoch: int
    step: int
    train_loss: float
    test_loss: float
    test_log_likelihood: float
    test_kl: float
    test_mse: float
    test_kl_per_latent: tuple[float, ...]
    scale: float | None
    seconds: float
    images_per_second: float
    response: tuple[CalibrationBin, ...]
    calibration: tuple[CalibrationBin, ...]
    bits_per_pixel: float | None = None


@dataclass(frozen=True)
class GalleryEvent:
    """What the decoder knows: draws from the prior, traversals, and the map of two latents.

    ``prior`` (n, h, w): decoder means at z ~ N(0, I). ``traversals`` (k, m, h, w): each of the k
    most informative latents swept from -3 to 3. ``codes`` (n, 2) are posterior means of test
    images in the two most informative latents (``latents``), ``labels`` (n,) their classes,
    ``grid`` (m, m, h, w) the decoder over those two latents, other latents 0, first axis from
    +3 down to -3 in the second latent, second axis from -3 to 3 in the first.
    """

    step: int
    prior: np.ndarray
    traversals: np.ndarray
    latents: tuple[int, ...]
    codes: np.ndarray
    labels: np.ndarray
    grid: np.ndarray


@dataclass(frozen=True)
class BoundEvent:
    """How far above the ELBO the importance-weighted bound lies, on some test images.

    ``draws`` are numbers K of z for each image, ``nats`` the bounds L_K (mean over images),
    ``errors`` their standard errors over images. They bound the log probability of the 8-bit
    image, or with ``density`` its log density. ``gap`` is what the largest K gains over K = 1, an
    estimate of KL(q || posterior); ``amortisation_gap`` the part of it that goes when q is fitted
    to each image, None until it is. ``samples`` of ``total_samples`` are drawn.
    """

    step: int
    images: int
    pixels: int
    samples: int
    total_samples: int
    density: bool
    draws: tuple[int, ...]
    nats: tuple[float, ...]
    errors: tuple[float, ...]
    gap: float
    gap_error: float
    amortisation_gap: float | None
    amortisation_error: float | None
    seconds: float


@dataclass(frozen=True)
class DivergedEvent:
    """A loss that is not finite ended the run at ``step``; the weights are those before it."""

    step: int
    term: str
    value: float
    advice: str


@dataclass(frozen=True)
class FinishedEvent:
    """The last event of a run that was not stopped from outside and did not diverge."""

    step: int
    epoch: int
    seconds: float


TrainEvent = (
    StepEvent
    | ReconstructionEvent
    | EpochEvent
    | GalleryEvent
    | BoundEvent
    | DivergedEvent
    | FinishedEvent
)
_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        StepEvent,
        ReconstructionEvent,
        EpochEvent,
        GalleryEvent,
        BoundEvent,
        DivergedEvent,
        FinishedEvent,
    )
}


def to_message(event: TrainEvent) -> dict[str, Any]:
    """``event`` as values that JSON carries exactly."""
    message = {spec.name: _pack(getattr(event, spec.name)) for spec in fields(event)}
    return {"kind": type(event).__name__, **message}


def from_message(message: Mapping[str, Any]) -> TrainEvent:
    """Inverse of ``to_message``. Raises ``ValueError`` on a message of no known kind."""
    kind = _KINDS.get(message.get("kind", ""))
    if kind is None:
        raise ValueError(
            f"kind: {shown(message.get('kind'))} given; allowed is one of {list(_KINDS)}"
        )
    if kind is EpochEvent and "response" not in message:
        # Runs that were kept before outputs were binned have the bins by target alone.
        message = {**message, "response": message["calibration"], "calibration": []}
    # A figure that older runs did not keep is left at its default.
    values = {
        spec.name: _unpack(message[spec.name])
        for spec in fields(kind)
        if spec.default is MISSING or spec.name in message
    }
    if kind is EpochEvent:
        for name in ("response", "calibration"):
            values[name] = tuple(CalibrationBin(*row) for row in values[name])
    return kind(**values)


def _pack(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode("ascii")
        return {"dtype": str(value.dtype), "shape": list(value.shape), "data": data}
    if isinstance(value, CalibrationBin):
        return [value.target, value.output, value.count]
    if isinstance(value, tuple):
        return [_pack(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        # JSON has no word for these.
        return {"float": repr(value)}
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_unpack(item) for item in value)
    if isinstance(value, Mapping) and "float" in value:
        return float(value["float"])
    if isinstance(value, Mapping):
        flat = np.frombuffer(base64.b64decode(value["data"]), dtype=value["dtype"])
        return flat.reshape(value["shape"])
    return value
