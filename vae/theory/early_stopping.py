"""Gradients at the logit, and what they do: steps towards a target, stops before it, decay.

One pixel with output p = sigmoid(a), target ``t``; the loss is BCE, or the squared error of a
Gaussian of standard deviation ``scale``, (p - t)^2 / (2 scale^2). Code that adds plain squared
error has the scale ``CODE_SCALE``: sqrt(1/2). Gradient flow is gradient descent in the limit of
small steps; its time is learning rate times steps. Weight decay adds decay / 2 a^2 to the loss.
Arrays broadcast.
"""

import math

import numpy as np

from vae.theory.bernoulli import Real, logit, sigmoid
from vae.theory.numpy_optimisers import trajectory
from vae.theory.roots import bisect

CODE_SCALE = math.sqrt(0.5)
"""The scale at which (p - t)^2 itself is the loss."""
LARGEST_MSE_GRADIENT = 8 / 27
"""max of 2 p (1 - p)^2, at p = 1/3: all that (p - t)^2 through a sigmoid can push towards 1."""


def bce_gradient(t: Real, logits: Real) -> np.ndarray:
    """d BCE / da = p - t."""
    return sigmoid(logits) - np.asarray(t, float)


def mse_gradient(t: Real, logits: Real, scale: Real = CODE_SCALE) -> np.ndarray:
    """d [(p - t)^2 / (2 scale^2)] / da = (p - t) p (1 - p) / scale^2.

    Small where p is sure, right or wrong, whatever the scale.
    """
    p = sigmoid(logits)
    return (p - np.asarray(t, float)) * p * (1 - p) / np.asarray(scale, float) ** 2


def bce_time(t: float, p: Real) -> np.ndarray:
    """Gradient-flow time from p = 1/2 until ``p`` under BCE, 1/2 <= p < t; t in (1/2, 1)."""
    p = np.asarray(p, float)
    return _integral_bce(t, p) - _integral_bce(t, np.asarray(0.5))


def mse_time(t: float, p: Real, scale: Real = CODE_SCALE) -> np.ndarray:
    """The same under squared error: in proportion to scale^2."""
    p = np.asarray(p, float)
    plain = _integral_mse(t, p) - _integral_mse(t, np.asarray(0.5))
    return plain * 2 * np.asarray(scale, float) ** 2


def bce_escape_time(start: Real, logits: Real) -> np.ndarray:
    """Time under BCE from logit ``start`` to ``logits`` for the target 1: da/dT = 1 / (1 + e^a)."""

    def passed(a: Real) -> np.ndarray:
        return np.asarray(a, float) + np.exp(a)

    return passed(logits) - passed(start)


def mse_escape_time(start: Real, logits: Real, scale: Real = CODE_SCALE) -> np.ndarray:
    """Time under squared error: da/dT = e^a / (1 + e^a)^3 / scale^2, so e^-a goes into escaping."""

    def passed(a: Real) -> np.ndarray:
        a = np.asarray(a, float)
        return (-np.exp(-a) + 3 * a + 3 * np.exp(a) + np.exp(2 * a) / 2) / 2

    return (passed(logits) - passed(start)) * 2 * np.asarray(scale, float) ** 2


def adam_steps(loss: str, start: float, confident: float, rate: float = 0.1) -> int:
    """Steps of Adam from the logit ``start`` until p reaches ``confident``, for the target 1.

    ``loss``: 'bce' or 'mse'. Adam divides a gradient by its own size, so the scale of a squared
    error does not count (Kingma & Ba 2015, section 2.1). Raises ``ValueError`` on another loss, or
    where 10,000 steps do not suffice.
    """
    gradients = {"bce": bce_gradient, "mse": mse_gradient}
    if loss not in gradients:
        raise ValueError(f"loss: {loss!r} given; allowed is one of {list(gradients)}")
    path = trajectory(
        lambda at: gradients[loss](1.0, at),
        np.array([start]),
        optimiser="adam",
        learning_rate=rate,
        steps=10_000,
    )
    there = np.flatnonzero(sigmoid(path[:, 0]) >= confident)
    if not len(there):
        raise ValueError(f"confident: {confident!r} given; it is not reached in 10,000 steps")
    return int(there[0])


def bce_decayed(t: Real, decay: Real) -> np.ndarray:
    """The output of least BCE + decay / 2 a^2: where t - p = decay logit(p)."""
    t = np.asarray(t, float)
    return bisect(lambda p: p - t + decay * logit(p), np.minimum(t, 0.5), np.maximum(t, 0.5))


def mse_decayed(t: Real, decay: Real, scale: Real = CODE_SCALE) -> np.ndarray:
    """The same for squared error: (t - p) p (1 - p) = scale^2 decay logit(p), from 1/2 to t."""
    t = np.asarray(t, float)
    weight = np.asarray(scale, float) ** 2 * decay

    def slope(p: np.ndarray) -> np.ndarray:
        return (p - t) * p * (1 - p) + weight * logit(p)

    return bisect(slope, np.minimum(t, 0.5), np.maximum(t, 0.5))


def stopped(t: float, stop: float, loss: str, scale: float = CODE_SCALE) -> float:
    """The output at time ``stop`` of gradient flow from 1/2; ``loss`` is 'bce' or 'mse'."""
    high = max(t, 1 - t)
    if high == 0.5:
        return 0.5

    def late(p: np.ndarray) -> np.ndarray:
        passed = bce_time(high, p) if loss == "bce" else mse_time(high, p, scale)
        return passed - stop

    p = float(bisect(late, 0.5, high))
    return p if t > 0.5 else 1 - p


def _integral_bce(t: float, p: np.ndarray) -> np.ndarray:
    """Antiderivative of 1 / (p (1 - p) (t - p)), by partial fractions."""
    return np.log(p) / t + np.log(1 - p) / (1 - t) - np.log(t - p) / (t * (1 - t))


def _integral_mse(t: float, p: np.ndarray) -> np.ndarray:
    """Antiderivative of 1 / (2 p^2 (1 - p)^2 (t - p)), by partial fractions."""
    q = 1 - t
    rational = -1 / (t * p) - 1 / (q * (1 - p))
    logs = (2 / t + 1 / t**2) * np.log(p) + (2 / q + 1 / q**2) * np.log(1 - p)
    return (rational + logs - np.log(t - p) / (t * q) ** 2) / 2
