"""Gradients at the logit, and what they do: steps towards a target, stops before it, decay.

One pixel with output p = sigmoid(a), target ``t``, loss BCE or squared error (p - t)^2. Gradient
flow is gradient descent in the limit of small steps; its time is learning rate times steps.
Weight decay adds decay / 2 a^2 to the loss. Arrays broadcast.
"""

import numpy as np

from vae.theory.bernoulli import Real, logit, sigmoid
from vae.theory.roots import bisect

# max of 2 p (1 - p)^2, at p = 1/3: all that squared error through a sigmoid can push towards 1.
LARGEST_MSE_GRADIENT = 8 / 27


def bce_gradient(t: Real, logits: Real) -> np.ndarray:
    """d BCE / da = p - t."""
    return sigmoid(logits) - np.asarray(t, float)


def mse_gradient(t: Real, logits: Real) -> np.ndarray:
    """d (p - t)^2 / da = 2 (p - t) p (1 - p): small where p is sure, right or wrong."""
    p = sigmoid(logits)
    return 2 * (p - np.asarray(t, float)) * p * (1 - p)


def bce_time(t: float, p: Real) -> np.ndarray:
    """Gradient-flow time from p = 1/2 until ``p`` under BCE, 1/2 <= p < t; t in (1/2, 1)."""
    p = np.asarray(p, float)
    return _integral_bce(t, p) - _integral_bce(t, np.asarray(0.5))


def mse_time(t: float, p: Real) -> np.ndarray:
    """The same under squared error."""
    p = np.asarray(p, float)
    return _integral_mse(t, p) - _integral_mse(t, np.asarray(0.5))


def bce_escape_time(start: Real, logits: Real) -> np.ndarray:
    """Time under BCE from logit ``start`` to ``logits`` for the target 1: da/dT = 1 / (1 + e^a)."""

    def passed(a: Real) -> np.ndarray:
        return np.asarray(a, float) + np.exp(a)

    return passed(logits) - passed(start)


def mse_escape_time(start: Real, logits: Real) -> np.ndarray:
    """Time under squared error: da/dT = 2 e^a / (1 + e^a)^3, so e^-a of it goes into escaping."""

    def passed(a: Real) -> np.ndarray:
        a = np.asarray(a, float)
        return (-np.exp(-a) + 3 * a + 3 * np.exp(a) + np.exp(2 * a) / 2) / 2

    return passed(logits) - passed(start)


def bce_decayed(t: Real, decay: Real) -> np.ndarray:
    """The output of least BCE + decay / 2 a^2: where t - p = decay logit(p)."""
    t = np.asarray(t, float)
    return bisect(lambda p: p - t + decay * logit(p), np.minimum(t, 0.5), np.maximum(t, 0.5))


def mse_decayed(t: Real, decay: Real) -> np.ndarray:
    """The same for squared error: 2 (t - p) p (1 - p) = decay logit(p), between 1/2 and t."""
    t = np.asarray(t, float)

    def slope(p: np.ndarray) -> np.ndarray:
        return 2 * (p - t) * p * (1 - p) + decay * logit(p)

    return bisect(slope, np.minimum(t, 0.5), np.maximum(t, 0.5))


def _integral_bce(t: float, p: np.ndarray) -> np.ndarray:
    """Antiderivative of 1 / (p (1 - p) (t - p)), by partial fractions."""
    return np.log(p) / t + np.log(1 - p) / (1 - t) - np.log(t - p) / (t * (1 - t))


def _integral_mse(t: float, p: np.ndarray) -> np.ndarray:
    """Antiderivative of 1 / (2 p^2 (1 - p)^2 (t - p)), by partial fractions."""
    q = 1 - t
    rational = -1 / (t * p) - 1 / (q * (1 - p))
    logs = (2 / t + 1 / t**2) * np.log(p) + (2 / q + 1 / q**2) * np.log(1 - p)
    return (rational + logs - np.log(t - p) / (t * q) ** 2) / 2
