"""Costs of a miss, the beliefs that they stand for, and the one output that costs least.

A cost c(x, y) of a pixel x at output y, in nats, stands for p(x | y) = exp(-c(x, y)) / Z(y). Where
Z does not depend on y, cost and belief are one; where it does (a cross-entropy on greys), code that
leaves Z out trains something that is no density. For random targets the best output is the mean
under every Bregman loss (Banerjee et al. 2005), the median under the absolute error, and near a
mode under a robust one. Greys are in [0, 1]; ``width`` s is the cost's scale.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vae.theory.bernoulli import bce, softplus

Floats = NDArray[np.float64]
Cost = Callable[[Floats, Floats, float], Floats]


def _squared(x: Floats, y: Floats, width: float) -> Floats:
    return (x - y) ** 2 / (2 * width**2)


def _absolute(x: Floats, y: Floats, width: float) -> Floats:
    return np.abs(x - y) / width


def _huber(x: Floats, y: Floats, width: float) -> Floats:
    """A parabola up to one width, then a line (Huber 1964)."""
    u = np.abs(x - y) / width
    return np.where(u < 1, u**2 / 2, u - 0.5)


def _student_t(x: Floats, y: Floats, width: float) -> Floats:
    return 2 * np.log1p(((x - y) / width) ** 2 / 3)


def _logistic(x: Floats, y: Floats, width: float) -> Floats:
    u = (x - y) / width
    return u + 2 * softplus(-u) - 2 * np.log(2)


def _cross_entropy(x: Floats, y: Floats, width: float) -> Floats:
    del width
    return bce(x, y)


COSTS: Mapping[str, Cost] = MappingProxyType(
    {
        "gaussian": _squared,
        "laplace": _absolute,
        "huber": _huber,
        "discretised-logistic": _logistic,
        "student-t": _student_t,
        "bernoulli": _cross_entropy,
    }
)
"""By the name of the likelihood; 'huber' is a Gaussian's core with a Laplace's tails."""


def target_weights(x: ArrayLike, bright: float, place: float) -> Floats:
    """Unnormalised density of targets: dark ones about 0.15, and a share ``bright`` about
    ``place``."""
    grey = np.asarray(x, dtype=np.float64)
    dark = np.exp(-0.5 * ((grey - 0.15) / 0.07) ** 2) / 0.07
    light = np.exp(-0.5 * ((grey - place) / 0.12) ** 2) / 0.12
    return (1 - bright) * dark + bright * light


def expected_cost(
    family: str, outputs: ArrayLike, greys: ArrayLike, weights: ArrayLike, width: float
) -> Floats:
    """Mean cost, nats, of each of ``outputs`` over targets ``greys`` of these ``weights``.

    Raises ``ValueError`` on a family that is not one of ``COSTS``.
    """
    if family not in COSTS:
        raise ValueError(f"family: {family!r} given; allowed is one of {', '.join(COSTS)}")
    x, y = np.asarray(greys, dtype=np.float64), np.asarray(outputs, dtype=np.float64)
    share = np.asarray(weights, dtype=np.float64) / np.sum(weights)
    return COSTS[family](x, y[:, None], width) @ share
