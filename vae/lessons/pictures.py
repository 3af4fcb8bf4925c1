"""Pictures and figures from the built-in digits that the lessons show; numpy alone, computed once.

Greys are tuples of whole numbers 0 to 255, row by row, so that figures can be kept by value.
"""

import math

import numpy as np

from vae.images.digits import TEST_COUNT
from vae.images.sets import load_sample
from vae.memo import shared
from vae.shipped.cards import data_summary, load_cards
from vae.theory.corruptions import CORRUPTIONS
from vae.theory.gaussian import gaussian_log_prob, nll_from_mse
from vae.theory.ppca import TrainedPoint

Greys = tuple[int, ...]

LATENTS = 20
DIGITS = tuple("0123456789")
NAMED_PIXELS = {"centre": (14, 14), "upper stroke": (7, 14), "left edge": (14, 8)}


@shared(maxsize=256)
def target_greys(digit: str) -> Greys:
    """The first test image of the built-in digits that shows ``digit``, '0' to '9'."""
    if digit not in DIGITS:
        raise ValueError(f"digit: {digit!r} given; allowed is one of {', '.join(DIGITS)}")
    images, labels = load_sample("digits", TEST_COUNT)
    index = int(np.flatnonzero(labels == int(digit))[0])
    return tuple(images[index].ravel().tolist())


@shared(maxsize=256)
def flawed_greys(digit: str, flaw: str, amount: float) -> Greys:
    """The same image after ``flaw``, a name in ``CORRUPTIONS``, of this ``amount``, 0 to 1."""
    if flaw not in CORRUPTIONS:
        raise ValueError(f"flaw: {flaw!r} given; allowed is one of {', '.join(CORRUPTIONS)}")
    side = math.isqrt(len(target_greys(digit)))
    image = np.array(target_greys(digit)).reshape(side, side) / 255.0
    flawed = CORRUPTIONS[flaw](image, amount)
    return tuple(np.rint(255 * flawed).astype(int).ravel().tolist())


def mse_of(target: Greys, mean: Greys) -> float:
    """Mean squared error per pixel, pixels in [0, 1]."""
    return float(np.mean((np.array(target) - np.array(mean)) ** 2) / 255**2)


def identity_gap(target: Greys, mean: Greys, scale: float) -> float:
    """How far the pixels' summed log p and its formula in MSE are apart, as a share of it."""
    x, mu = np.array(target) / 255, np.array(mean) / 255
    summed = float(gaussian_log_prob(x, mu, scale).sum())
    formula = -float(nll_from_mse(np.mean((x - mu) ** 2), scale, len(x)))
    return abs(summed - formula) / abs(formula)


def pixel_errors() -> tuple[float, ...]:
    """Variance of each pixel over the training digits: its error under the best constant image."""
    # Shipped: computing it here takes 200 MB of the server.
    return data_summary("digits").pixel_variances


@shared(maxsize=256)
def grey_counts(pixel: str) -> Greys:
    """How often each grey 0 to 255 occurs at a named pixel over the test digits, (256,).

    The training digits would be six times as many, and stay in the server's memory.
    """
    row, column = NAMED_PIXELS[pixel]
    values = load_sample("digits", TEST_COUNT)[0][:, row, column]
    return tuple(np.bincount(values, minlength=256).tolist())


def trained_points(dataset: str) -> tuple[TrainedPoint, ...]:
    """What the shipped deep VAEs with a fixed-sigma Gaussian did on ``dataset``, by variance.

    Of several cards at one variance, the one that comes last by name.
    """
    points = {}
    for card in load_cards().values():
        config = card.config
        kind = (config.dataset, config.likelihood, config.architecture, config.sampling)
        if kind != (dataset, "gaussian", "mlp", True) or config.latent_dim != LATENTS:
            continue
        height, width = card.data["image_shape"]
        pixels = height * width
        # A likelihood divided by D is a Gaussian of D times the variance.
        factor = pixels if config.reduction == "pixel-mean" else 1
        variance = round(config.beta * factor * config.scale**2, 9)
        points[variance] = TrainedPoint(variance, card.test_kl, pixels * card.test_mse)
    return tuple(points[variance] for variance in sorted(points))
