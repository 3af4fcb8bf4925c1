"""Checks of B5 and B9: figures of the shipped checkpoints' cards and of the data they saw."""

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.shipped import cards


def output_at(name: str, target: float) -> float:
    """Mean output of a trained run on test pixels of this target grey."""
    bins = [row for row in cards.load_cards()[name].response if row.count]
    return float(np.interp(target, [row.target for row in bins], [row.output for row in bins]))


def shrinkage() -> Evidence:
    # Two runs that differ in the loss and not in how much the latents tell: their KLs are close.
    bce, mse = (output_at(f"fashion-{name}", 0.8) for name in ("bernoulli", "gaussian-matched"))
    share = (0.8 - mse) / (0.8 - bce)
    figure = (
        f"pixels of grey 0.8 come out {bce:.3f} (BCE) and {mse:.3f} (MSE): "
        f"{100 * share:.0f}% of the shrinkage is there without BCE"
    )
    source = "cards of fashion-bernoulli and fashion-gaussian-matched"
    return Evidence(figure, bce < 0.8 and share > 0.5, source)


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
