"""Checks of B5 and B9: figures of the shipped checkpoints' cards and of the data they saw."""

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.shipped import cards


def read(name: str, which: str, x: str, y: str, at: float) -> float:
    """Mean ``y`` of the test pixels whose ``x`` is ``at``, from the bins ``which`` of a card."""
    bins = [row for row in getattr(cards.load_cards()[name], which) if row.count]
    return float(
        np.interp(at, [getattr(row, x) for row in bins], [getattr(row, y) for row in bins])
    )


def both_ways() -> Evidence:
    names = ("mnist-bernoulli", "mnist-gaussian-optimal", "fashion-bernoulli")
    by_target = [read(name, "response", "target", "output", 0.8) for name in names]
    by_output = [read(name, "calibration", "output", "target", 0.8) for name in names]
    figure = (
        f"pixels of grey 0.8 come out {by_target[0]:.3f} (BCE) and {by_target[1]:.3f} (MSE, best "
        f"σ) on MNIST; pixels that come out 0.8 are {by_output[0]:.3f} and {by_output[1]:.3f}"
    )
    short = max(by_target) < 0.77
    calibrated = max(abs(grey - 0.8) for grey in by_output) < 0.02
    return Evidence(figure, short and calibrated, "cards of the shipped runs")


def grey_pixels() -> Evidence:
    mnist = cards.data_summary("mnist")
    greys = np.array(mnist.grey_counts, dtype=float)
    between = greys[1:255].sum() / greys.sum()
    levels = np.arange(256) / 255
    middle = greys[(levels >= 0.1) & (levels <= 0.9)].sum() / greys.sum()
    figure = (
        f"MNIST: {100 * between:.1f}% of pixels in (0, 1), {100 * middle:.1f}% in [0.1, 0.9]; "
        f"BCE's floor {mnist.bernoulli_floor:.1f} nats an image"
    )
    roughly_binary = 0.1 < between < 0.25 and mnist.bernoulli_floor > 1
    return Evidence(figure, bool(roughly_binary), "counts of the training set, shipped")
