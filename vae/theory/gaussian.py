"""The Gaussian likelihood of an image, in closed form.

Every pixel x of D, in [0, 1], is modelled as N(mean, scale^2), pixels independent given z
(Kingma & Welling 2014, appendix C.2). Nats, natural logarithms; ``scale`` is the standard
deviation, its square is called variance.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOG_2PI = math.log(2.0 * math.pi)
ZERO_NLL_MSE = 1.0 / (2.0 * math.pi * math.e)
"""The squared error per pixel at which the NLL at the best scale changes its sign."""
QUANTISATION_SCALE = 1.0 / (255.0 * math.sqrt(12.0))
"""The scale of 8-bit rounding alone: the standard deviation of U(-1/510, 1/510)."""

Floats = NDArray[np.float64]


def _positive(name: str, value: ArrayLike) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if not np.all(array > 0):
        raise ValueError(f"{name}: {value!r} given; a positive number is needed")
    return array


def _whole(name: str, value: int) -> int:
    if value != int(value) or value < 1:
        raise ValueError(f"{name}: {value!r} given; a whole number of at least 1 is needed")
    return int(value)


def gaussian_log_prob(x: ArrayLike, mean: ArrayLike, scale: ArrayLike) -> Floats:
    """log N(x; mean, scale^2) of each pixel; shapes broadcast.

    -log scale - 1/2 log 2 pi - 1/2 ((x - mean) / scale)^2 (Goodfellow et al. 2016, eq. 3.21).
    Raises ``ValueError`` unless ``scale`` is positive.
    """
    spread = _positive("scale", scale)
    score = (np.asarray(x, dtype=np.float64) - np.asarray(mean, dtype=np.float64)) / spread
    return -np.log(spread) - 0.5 * LOG_2PI - 0.5 * score**2


def nll_from_mse(mse: ArrayLike, scale: ArrayLike, pixels: int = 1) -> Floats:
    """-log p(x|z) of an image of ``pixels`` pixels whose squared error per pixel is ``mse``.

    D/2 log(2 pi scale^2) + D mse / (2 scale^2), nats per image.
    """
    count = _whole("pixels", pixels)
    spread = _positive("scale", scale)
    error = np.asarray(mse, dtype=np.float64)
    return count * (np.log(spread) + 0.5 * LOG_2PI + error / (2.0 * spread**2))


def best_nll(mse: ArrayLike, pixels: int = 1) -> Floats:
    """The NLL of an image at the scale that makes it least, sqrt(mse): D/2 (log(2 pi mse) + 1).

    This is the loss of a decoder with one learned or optimal scale (Rybkin et al. 2021):
    D/2 log mse plus a constant; negative below ``ZERO_NLL_MSE``.
    """
    count = _whole("pixels", pixels)
    return 0.5 * count * (LOG_2PI + np.log(_positive("mse", mse)) + 1.0)


def log_prob_gradient(x: ArrayLike, mean: ArrayLike, scale: ArrayLike) -> Floats:
    """Derivative of log N(x; mean, scale^2) by the mean: (x - mean) / scale^2, each pixel."""
    spread = _positive("scale", scale)
    return (np.asarray(x, dtype=np.float64) - np.asarray(mean, dtype=np.float64)) / spread**2


def gradient_ratio(scale: ArrayLike, pixels: int = 1) -> Floats:
    """d NLL / d mean over d MSE / d mean, the same for every image: D / (2 scale^2).

    With ``pixels`` 1 it is the ratio to the summed squared error, 1 / (2 scale^2).
    """
    return _whole("pixels", pixels) / (2.0 * _positive("scale", scale) ** 2)


def mass_outside_unit(mean: ArrayLike, scale: ArrayLike) -> Floats:
    """The share of N(mean, scale^2) below 0 or above 1, where no pixel can be."""
    spread = _positive("scale", scale) * math.sqrt(2.0)
    centre = np.asarray(mean, dtype=np.float64)
    erfc = np.vectorize(math.erfc, otypes=[np.float64])
    return 0.5 * (erfc(centre / spread) + erfc((1.0 - centre) / spread))


def chi_squared(gap: ArrayLike, scale: float) -> Floats:
    """Pearson's chi^2 between N(x, scale^2) and N(x + gap, scale^2): exp(gap^2 / scale^2) - 1.

    Increasing in the squared error of one image; its mean over images is not a function of their
    mean squared error.
    """
    return np.expm1((np.asarray(gap, dtype=np.float64) / _positive("scale", scale)) ** 2)


def cross_entropy(
    values: ArrayLike, weights: ArrayLike, mean: ArrayLike, scale: ArrayLike
) -> np.float64:
    """H(empirical, N(mean, scale^2)) = -sum of weight * log N over the distinct values, in nats.

    ``weights`` are the values' frequencies (n,), and are normalised to sum to 1. A mean NLL is
    this cross-entropy (Goodfellow et al. 2016, section 5.5).
    """
    share = np.asarray(weights, dtype=np.float64)
    if np.any(share < 0) or share.sum() <= 0:
        raise ValueError("weights: frequencies must be 0 or more and not all 0")
    return np.float64(-(share / share.sum() * gaussian_log_prob(values, mean, scale)).sum())
