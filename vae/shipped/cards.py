"""What is known of the shipped checkpoints and of the data sets, without torch and without data.

``checkpoints/`` holds a card (``NAME.json``) for each run that this engine made, next to its
weights (``NAME.pt``) where they are shipped, and ``data-summaries.json``. ``vae.shipped`` makes
them all anew with one command.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vae.config import TrainConfig
from vae.memo import shared
from vae.wire.events import CalibrationBin

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"
SUMMARIES = "data-summaries.json"
MATCHED = {"digits": (0.396, 6.75), "mnist": (0.4, 6.35), "fashion": (0.41, 7.4)}
"""Sigma of the Gaussian and beta of the continuous Bernoulli whose KL is the Bernoulli's."""
MATCHED_SEEDS = {"digits": (1, 2, 3), "mnist": (1, 2, 3), "fashion": (1, 2, 3)}


@dataclass(frozen=True)
class EpochRow:
    """One line of a card's history: losses in nats per image, ``test_mse`` per pixel."""

    epoch: int
    train_loss: float
    test_loss: float
    test_log_likelihood: float
    test_kl: float
    test_mse: float
    scale: float | None


@dataclass(frozen=True)
class Card:
    """One trained run, told by the figures of the weights as they are shipped.

    ``test_`` figures are means over the test set with z drawn from q(z|x) (z the mean for a plain
    autoencoder): nats per image, with the reduction of ``config``; ``test_mse`` per pixel in
    common units. ``response`` and ``calibration`` as in ``vae.wire.events.EpochEvent``.
    ``active_latents`` counts the latents above ``vae.theory.prediction.ACTIVE_NATS``.
    ``half_precision_change`` is how much rounding the weights to 16 bits changed the test loss,
    nats. ``bits_per_pixel`` counts each pixel as one of 256 grey levels, KL included, in the
    reading of ``vae.engine.checkpoints.evaluate``, ``bits_per_pixel_natural`` in the Bernoulli's
    other one; None for what is no likelihood or draws no z. ``data`` says which images: name,
    counts, shape, fingerprint. ``weights`` is the file's name, or None where only the figures are
    shipped.
    """

    name: str
    title: str
    note: str
    config: TrainConfig
    data: Mapping[str, Any]
    weights: str | None
    test_loss: float
    test_log_likelihood: float
    test_kl: float
    test_kl_per_latent: tuple[float, ...]
    active_latents: int
    test_mse: float
    scale: float | None
    response: tuple[CalibrationBin, ...]
    calibration: tuple[CalibrationBin, ...]
    history: tuple[EpochRow, ...]
    half_precision_change: float
    seconds: float
    device: str
    versions: Mapping[str, str]
    command: str
    bits_per_pixel: float | None = None
    bits_per_pixel_natural: float | None = None

    @property
    def mean_target(self) -> float:
        """The mean grey of all test pixels."""
        return _mean(self.response, "target")

    @property
    def mean_output(self) -> float:
        """The mean output over all test pixels."""
        return _mean(self.response, "output")

    @property
    def weights_path(self) -> Path | None:
        """The weights' file, for ``vae.engine.checkpoints.load``; None where none are shipped."""
        return CHECKPOINTS / self.weights if self.weights else None

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "config": self.config.to_dict(), "data": dict(self.data)}


def _mean(bins: Sequence[CalibrationBin], name: str) -> float:
    return sum(getattr(row, name) * row.count for row in bins) / sum(row.count for row in bins)


@dataclass(frozen=True)
class DataSummary:
    """What figures need to know of a data set; the built-in digits at greyness 0.5.

    ``eigenvalues`` of the covariance of the training pixels (divided by N, pixels in [0, 1]),
    descending, one a pixel. ``bernoulli_floor``: the entropy H(t) summed over pixels, mean over
    test images, nats: the least cross-entropy that any output can reach. ``grey_share`` and
    ``mid_grey_share``: the shares of training pixels strictly between 0 and 1, and in [0.1, 0.9].
    ``grey_counts``: how many training pixels have each of the 256 levels. ``mean_image`` and
    ``pixel_variances``: mean and variance of each pixel over the training images, row by row.
    """

    name: str
    fingerprint: str
    pixels: int
    train_count: int
    test_count: int
    eigenvalues: tuple[float, ...]
    bernoulli_floor: float
    grey_share: float
    mid_grey_share: float
    grey_counts: tuple[int, ...]
    mean_image: tuple[float, ...]
    pixel_variances: tuple[float, ...]


@shared(maxsize=1)
def load_cards() -> Mapping[str, Card]:
    """All cards by name, in the order of their names; read once per process."""
    cards = [
        read_card(path) for path in sorted(CHECKPOINTS.glob("*.json")) if path.name != SUMMARIES
    ]
    return MappingProxyType({card.name: card for card in cards})


def read_card(path: Path) -> Card:
    """The card in ``path``. Raises ``ValueError`` when it is not one."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Card(
            **{
                **values,
                "config": TrainConfig.from_dict(values["config"]),
                "test_kl_per_latent": tuple(values["test_kl_per_latent"]),
                "response": tuple(CalibrationBin(**row) for row in values["response"]),
                "calibration": tuple(CalibrationBin(**row) for row in values["calibration"]),
                "history": tuple(EpochRow(**row) for row in values["history"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a card ({error})") from error


def matched(dataset: str) -> Mapping[str, tuple[Card, ...]]:
    """Runs of 'digits', 'mnist' or 'fashion' at nearly one KL: by loss, a card for each seed.

    Equal networks, epochs and data; sigma or beta is chosen so that the KL is the Bernoulli's.
    Raises ``KeyError`` on another name.
    """
    cards = load_cards()
    names = {
        "bernoulli": "bernoulli",
        "gaussian": "gaussian-matched",
        "continuous-bernoulli": "continuous-bernoulli-matched",
    }
    seeds = ["" if seed == 1 else f"-seed-{seed}" for seed in MATCHED_SEEDS[dataset]]
    return {
        loss: tuple(cards[f"{dataset}-{name}{seed}"] for seed in seeds)
        for loss, name in names.items()
    }


def late_fall(cards: Sequence[Card]) -> float:
    """The share of its squared error that a loss lost in the second half of its epochs: of the mean
    over ``cards``, a seed each."""
    half, end = (
        sum(card.history[epoch - 1].test_mse for card in cards)
        for epoch in (cards[0].config.epochs // 2, cards[0].config.epochs)
    )
    return 1 - end / half


def data_summary(name: str) -> DataSummary:
    """The summary of 'digits', 'mnist' or 'fashion'. Raises ``KeyError`` on another name."""
    return _summaries()[name]


@shared(maxsize=1)
def _summaries() -> Mapping[str, DataSummary]:
    stored = json.loads((CHECKPOINTS / SUMMARIES).read_text(encoding="utf-8"))
    lists = ("eigenvalues", "grey_counts", "mean_image", "pixel_variances")
    return MappingProxyType(
        {
            name: DataSummary(**{**values, **{key: tuple(values[key]) for key in lists}})
            for name, values in stored.items()
        }
    )
