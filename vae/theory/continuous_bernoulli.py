"""The continuous Bernoulli (Loaiza-Ganem & Cunningham 2019): BCE with its missing constant.

As a likelihood of greys in [0, 1], exp(-BCE) does not integrate to 1; the density is
C(lam) lam^x (1 - lam)^(1 - x). With the logit a = log(lam / (1 - lam)) it is the exponential family
exp(a x - A(a)), A(a) = log((exp(a) - 1) / a). Results are nats per pixel; arrays broadcast.
"""

import numpy as np

from vae.theory.bernoulli import Real, bce_with_logits
from vae.theory.roots import bisect

# Below this |logit| the closed forms lose digits to cancellation and their series, of relative
# error |logit|^8 / 10^6, does not.
SERIES_BELOW = 0.05


def log_normaliser(logits: Real) -> np.ndarray:
    """log C = log(a / tanh(a / 2)), what BCE leaves out; log 2 at a = 0 and nowhere less."""
    a = np.abs(np.asarray(logits, float))
    safe = np.where(a < SERIES_BELOW, 1.0, a)
    square = a * a
    series = np.log(2.0) + square * (1 / 12 + square * (-7 / 1440 + square * 31 / 90720))
    return np.where(a < SERIES_BELOW, series, np.log(safe / np.tanh(safe / 2)))


def log_prob(x: Real, logits: Real) -> np.ndarray:
    """log density at the grey ``x``: -BCE(x, sigmoid(a)) + log C."""
    a = np.asarray(logits, float)
    return log_normaliser(a) - bce_with_logits(x, a)


def mean(logits: Real) -> np.ndarray:
    """E[x] = lam / (2 lam - 1) + 1 / (2 atanh(1 - 2 lam)) = 1 / (1 - exp(-a)) - 1 / a."""
    a = np.asarray(logits, float)
    safe = np.where(np.abs(a) < SERIES_BELOW, 1.0, a)
    square = a * a
    series = 0.5 + a * (1 / 12 + square * (-1 / 720 + square / 30240))
    small = np.exp(-np.abs(safe))
    rising = np.where(safe > 0, 1.0, small) / np.where(safe > 0, 1 - small, small - 1)
    return np.where(np.abs(a) < SERIES_BELOW, series, rising - 1 / safe)


def standard_deviation(logits: Real) -> np.ndarray:
    """Root of the variance 1 / a^2 - 1 / (4 sinh(a / 2)^2): about the mean itself near 0."""
    a = np.abs(np.asarray(logits, float))
    safe = np.where(a < SERIES_BELOW, 1.0, a)
    square = a * a
    series = 1 / 12 - square / 240 + square * square / 6048
    small = np.exp(-safe)
    return np.sqrt(np.where(a < SERIES_BELOW, series, 1 / safe**2 - small / (1 - small) ** 2))


def best_logits(t: Real) -> np.ndarray:
    """The logit of greatest likelihood for the grey ``t``: where the mean is t.

    Raises ``ValueError`` at t <= 0 or t >= 1: there the likelihood grows without bound, and no
    logit is best.
    """
    t = np.asarray(t, float)
    if not np.all((t > 0) & (t < 1)):
        bad = t[~((t > 0) & (t < 1))].flat[0]
        raise ValueError(
            f"t: {float(bad)!r} given; allowed is between 0 and 1, ends excluded, where the "
            "likelihood is unbounded"
        )
    # 1 - mean(a) tends to 1 / a, so the root lies within 1 / min(t, 1 - t), and 2 / that is safe.
    bound = 2 / np.minimum(t, 1 - t)
    return bisect(lambda a: mean(a) - t, -bound, bound, halvings=80)


def dequantise(images: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """8-bit greys spread over their steps: (x + u) / 256 with u in [0, 1), so never 0 or 1 exactly
    but for u = 0.

    ``images`` uint8 (...), ``uniform`` of the same shape; returns float64 in [0, 1).
    """
    if images.dtype != np.uint8:
        raise ValueError(f"images: dtype {images.dtype} given; allowed is uint8")
    return (images + uniform) / 256
