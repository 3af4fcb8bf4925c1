"""Every belief about a pixel as a probability of 8-bit grey levels: one ruler for all of them.

Level k of ``levels`` stands for the grey k / (levels - 1). A density on the line gives it the mass
of the bin about that grey, whose outer neighbours reach to infinity (Salimans et al. 2017, eq. 2);
a density on [0, 1] the mass from k / levels to (k + 1) / levels, the range of a dequantised pixel.
Masses are float64 arrays (..., levels) that sum to 1. Bits per pixel are -log2 of the mass, plus
KL / (D log 2).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vae.theory import continuous_bernoulli as cb
from vae.theory.bernoulli import sigmoid
from vae.theory.roots import bisect

LEVELS = 256
Floats = NDArray[np.float64]
Tail = Callable[[Floats], Floats]


def bin_masses(tail: Tail, centre: ArrayLike, scale: ArrayLike, levels: int = LEVELS) -> Floats:
    """Masses under a symmetric density of this ``centre`` and ``scale``; parameters (...).

    ``tail(u)`` is the share above u >= 0 of the standard density. Bins on one side of the centre
    are differences of that tail, so that small masses keep their digits.
    """
    place, spread = np.asarray(centre, float)[..., None], np.asarray(scale, float)[..., None]
    if not np.all(spread > 0):
        raise ValueError(f"scale: {scale!r} given; a positive number is needed")
    edges = (np.arange(1, levels) - 0.5) / (levels - 1)
    u = (edges - place) / spread
    ends = np.full((*u.shape[:-1], 1), np.inf)
    u = np.concatenate([-ends, u, ends], axis=-1)
    above = tail(np.abs(u))
    above = np.where(np.isinf(u), 0.0, above)
    lower, upper = u[..., :-1], u[..., 1:]
    same = (lower >= 0) | (upper <= 0)
    apart = np.abs(np.diff(above, axis=-1))
    return np.where(same, apart, 1 - above[..., :-1] - above[..., 1:])


def gaussian_masses(mean: ArrayLike, scale: ArrayLike, levels: int = LEVELS) -> Floats:
    """Bins of N(mean, scale^2)."""
    erfc = np.vectorize(math.erfc, otypes=[np.float64])
    return bin_masses(lambda u: 0.5 * erfc(u / math.sqrt(2)), mean, scale, levels)


def laplace_masses(mean: ArrayLike, scale: ArrayLike, levels: int = LEVELS) -> Floats:
    """Bins of exp(-|x - mean| / scale) / (2 scale)."""
    return bin_masses(lambda u: 0.5 * np.exp(-u), mean, scale, levels)


def student_t_masses(mean: ArrayLike, scale: ArrayLike, levels: int = LEVELS) -> Floats:
    """Bins of Student's t with three degrees of freedom."""

    def tail(u: Floats) -> Floats:
        v = u / math.sqrt(3)
        with np.errstate(invalid="ignore"):
            ratio = np.where(np.isinf(v), 0.0, v / (1 + v**2))
        return 0.5 - (np.arctan(v) + ratio) / math.pi

    return bin_masses(tail, mean, scale, levels)


def logistic_masses(location: ArrayLike, scale: ArrayLike, levels: int = LEVELS) -> Floats:
    """Bins of the logistic: the discretised logistic (Salimans et al. 2017, eq. 2)."""
    return bin_masses(lambda u: sigmoid(-u), location, scale, levels)


def categorical_masses(logits: ArrayLike) -> Floats:
    """softmax over the last axis: one logit a level, no order of greys assumed."""
    weights = np.exp(np.asarray(logits, float) - np.max(logits, axis=-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def continuous_bernoulli_masses(logits: ArrayLike, levels: int = LEVELS) -> Floats:
    """Bins of the continuous Bernoulli on dequantised data: a geometric sequence."""
    return level_family_masses(np.asarray(logits, float) * (levels - 1) / levels, levels)


def level_family_masses(natural: ArrayLike, levels: int = LEVELS) -> Floats:
    """P(k) proportional to exp(a k / (levels - 1)): the Bernoulli's form on grey levels.

    ``natural`` is a. With a = logit, the Bernoulli's output is read as a natural parameter; with
    ``level_family_natural(p)``, as the mean.
    """
    exponent = np.asarray(natural, float)[..., None] * np.arange(levels) / (levels - 1)
    weights = np.exp(exponent - exponent.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def level_family_natural(mean: ArrayLike, levels: int = LEVELS) -> Floats:
    """The parameter a for which the mean of k / (levels - 1) is ``mean``, in (0, 1)."""
    p = np.asarray(mean, float)
    if not np.all((p > 0) & (p < 1)):
        raise ValueError(f"mean: {mean!r} given; allowed is between 0 and 1, ends excluded")
    grey = np.arange(levels) / (levels - 1)
    # Beyond this the mean is nearer to an end than p: it falls as exp(-a / (levels - 1)).
    bound = (levels - 1) * (np.log(levels) + np.abs(np.log(p) - np.log1p(-p)) + 1)
    return bisect(lambda a: level_family_masses(a, levels) @ grey - p, -bound, bound, halvings=90)


def bernoulli_masses(logits: ArrayLike, levels: int = LEVELS, reading: str = "mean") -> Floats:
    """A Bernoulli's output on grey levels, ``reading`` its sigmoid as the 'mean' or its logit as
    the 'natural' parameter. With two levels both are the Bernoulli itself."""
    if reading == "natural":
        return level_family_masses(logits, levels)
    if reading == "mean":
        return level_family_masses(
            level_family_natural(sigmoid(np.asarray(logits)), levels), levels
        )
    raise ValueError(f"reading: {reading!r} given; allowed is 'mean' or 'natural'")


def dequantisation_gap(logits: ArrayLike, level: int, levels: int = LEVELS) -> Floats:
    """log P(bin) - E_u[log(p(x + u) / levels)] >= 0, nats: what training on dequantised pixels
    cannot see (Theis et al. 2016, section 3.1), for a continuous Bernoulli."""
    a = np.asarray(logits, float)
    # The log density is linear in x, so its mean over the bin is its value in the middle.
    inside = cb.log_prob((level + 0.5) / levels, a) - math.log(levels)
    with np.errstate(divide="ignore"):
        return np.log(continuous_bernoulli_masses(a, levels)[..., level]) - inside


def bits_per_pixel(log_mass: ArrayLike, kl: ArrayLike, pixels: int) -> Floats:
    """Bits per pixel of images whose log mass is ``log_mass`` and KL ``kl``, nats per image."""
    return (np.asarray(kl, float) - np.asarray(log_mass, float)) / (pixels * math.log(2))
