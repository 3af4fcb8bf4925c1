"""Where a loss's optimum leaves the target: noise on the output, and noise on the logit.

``t`` is a fixed target in (0, 1). With noise on the output the network emits p + e, e uniform on
[-a, a] and of standard deviation ``scale`` = a / sqrt 3; p must keep p ± a inside [0, 1]. With
noise on the logit it emits sigmoid(a + e), e normal of standard deviation ``tau``. Arrays
broadcast.
"""

import numpy as np

from vae.memo import shared
from vae.theory.bernoulli import Real, logit, sigmoid
from vae.theory.roots import bisect

# Past this scale no output keeps the noise inside [0, 1].
LARGEST_SCALE = 1 / (2 * np.sqrt(3.0))


def half_width(scale: Real) -> np.ndarray:
    """Half-width a of the uniform noise of standard deviation ``scale``."""
    return np.sqrt(3.0) * np.asarray(scale, float)


def edge_scale(t: Real) -> np.ndarray:
    """The scale past which the noise around p = t would leave [0, 1]: min(t, 1 - t) / sqrt 3."""
    t = np.asarray(t, float)
    return np.minimum(t, 1 - t) / np.sqrt(3.0)


def noisy_bce(t: Real, p: Real, scale: Real) -> np.ndarray:
    """E[BCE(t, p + e)] in nats, in closed form: the mean of log over an interval."""
    t, p = np.asarray(t, float), np.asarray(p, float)
    return -t * _mean_log(p, scale) - (1 - t) * _mean_log(1 - p, scale)


def noisy_squared_error(t: Real, p: Real, scale: Real) -> np.ndarray:
    """E[(p + e - t)^2] = (p - t)^2 + scale^2: noise adds a constant and moves nothing."""
    return (np.asarray(p, float) - np.asarray(t, float)) ** 2 + np.asarray(scale, float) ** 2


def noisy_loss_one(t: Real, p: Real, scale: Real) -> np.ndarray:
    """E[L_1(t, p + e)], from the moments of uniform noise (E e^4 = 9/5 scale^4)."""
    t = np.asarray(t, float)
    h, v = np.asarray(p, float) - t, np.asarray(scale, float) ** 2
    second, third = h**2 + v, h**3 + 3 * h * v
    fourth = h**4 + 6 * h**2 * v + 9 / 5 * v**2
    return 2 * t * (1 - t) * second + 4 / 3 * (1 - 2 * t) * third - fourth


def bce_optimum(t: Real, scale: Real) -> np.ndarray:
    """The p of least E[BCE(t, p + e)]: t atanh(a / p) = (1 - t) atanh(a / (1 - p))."""
    t, a = np.broadcast_arrays(np.asarray(t, float), _allowed(scale))

    def slope(p: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return (1 - t) * np.arctanh(a / (1 - p)) - t * np.arctanh(a / p)

    found = bisect(slope, a, 1 - a)
    return np.where(a < 1e-9, t, found)


def mse_optimum(t: Real, scale: Real) -> np.ndarray:
    """The p of least E[(p + e - t)^2]: t itself, until the noise would leave [0, 1]."""
    a = _allowed(scale)
    return np.clip(np.asarray(t, float), a, 1 - a)


def loss_one_optimum(t: Real, scale: Real) -> np.ndarray:
    """The p of least E[L_1(t, p + e)] nearest to t, or the end of the domain it runs into.

    The slope is f(p) + scale^2 (1 + t - 3 p) with f(p) = (p - t) p (1 - p). It is solved for
    max(t, 1 - t), between that and the end, and mirrored.
    """
    t, a = np.broadcast_arrays(np.asarray(t, float), _allowed(scale))
    high = np.maximum(t, 1 - t)

    def slope(p: np.ndarray) -> np.ndarray:
        return (p - high) * p * (1 - p) + a**2 / 3 * (1 + high - 3 * p)

    end = 1 - a
    found = bisect(slope, np.minimum(high, end), end)
    return np.where(t < 0.5, 1 - found, found)


def linear_shift(t: Real, scale: Real, g: Real = -1.0) -> np.ndarray:
    """First-order move of L_g's optimum: -g scale^2 (1 - 2t) / (t (1 - t)); BCE is g = -1."""
    t = np.asarray(t, float)
    return -np.asarray(g, float) * np.asarray(scale, float) ** 2 * (1 - 2 * t) / (t * (1 - t))


def bce_curve(t: float, u: Real) -> tuple[np.ndarray, np.ndarray]:
    """(scale, optimum) for u > 0: the exact curve of ``bce_optimum`` without root finding.

    With v = t u / (1 - t), a = p tanh u = (1 - p) tanh v meets the condition, so
    p = tanh v / (tanh u + tanh v).
    """
    u = np.asarray(u, float)
    first, second = np.tanh(u), np.tanh(t * u / (1 - t))
    p = second / (first + second)
    return p * first / np.sqrt(3.0), p


@shared(maxsize=256)
def clipped_mse_optimum(t: float, scale: float) -> float:
    """The p of least E[(clip(p + e, 0, 1) - t)^2] for normal noise: clipping moves MSE too.

    The slope is 2 E[(p + e - t) 1{0 < p + e < 1}], integrated by the trapezoidal rule.
    """
    e = np.linspace(-8, 8, 4001) * scale
    weight = np.exp(-0.5 * (e / scale) ** 2)

    def slope(p: np.ndarray) -> np.ndarray:
        out = p + e
        return np.sum(weight * np.where((out > 0) & (out < 1), out - t, 0.0), keepdims=True)

    return float(bisect(slope, np.array([0.0]), np.array([1.0]))[0])


def logit_noise_means(logits: Real, tau: Real) -> tuple[np.ndarray, np.ndarray]:
    """The targets for which ``logits`` is best under (BCE, sigmoid + squared error).

    Under BCE the slope is E[sigmoid(a + e)] - t, under squared error 2 E[(sigmoid - t) sigmoid'],
    so the targets are E[sigmoid] and E[sigmoid sigmoid'] / E[sigmoid'].
    """
    e, weight = normal_nodes()
    p = sigmoid(np.asarray(logits, float)[..., None] + np.asarray(tau, float)[..., None] * e)
    tangent = p * (1 - p)
    return (weight * p).sum(-1), (weight * p * tangent).sum(-1) / (weight * tangent).sum(-1)


def logit_noise_optimum(t: float, tau: float) -> dict[str, tuple[float, float]]:
    """{"bce": (logit, E[p]), "mse": (logit, E[p])} of least expected loss under logit noise."""
    wide = abs(logit(t)) * (1 + tau**2) + 8 * (1 + tau)
    best = {
        "bce": bisect(lambda a: logit_noise_means(a, tau)[0] - t, -wide, wide),
        "mse": bisect(lambda a: logit_noise_means(a, tau)[1] - t, -wide, wide),
    }
    return {name: (float(a), float(logit_noise_means(a, tau)[0])) for name, a in best.items()}


def normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes (33,) and weights of the trapezoidal rule over a standard normal.

    For the sigmoid at tau <= 2 the rule converges geometrically: its error is below 1e-9.
    """
    nodes = np.linspace(-6.4, 6.4, 33)
    weights = 0.4 * np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi)
    return nodes, weights


def _mean_log(p: np.ndarray, scale: Real) -> np.ndarray:
    """E[log(p + e)] for p >= a, from the antiderivative x log x - x."""
    p, a = np.broadcast_arrays(p, half_width(scale))
    upper, lower = p + a, np.maximum(p - a, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        below = np.where(lower > 0, lower * np.log(lower), 0.0)
        wide = (upper * np.log(upper) - below) / (2 * a) - 1
        # The difference of antiderivatives loses its digits as the interval shrinks.
        narrow = np.log(p) - a**2 / (6 * p**2) - a**4 / (20 * p**4)
    return np.where(a < 1e-3 * p, narrow, wide)


def _allowed(scale: Real) -> np.ndarray:
    array = np.asarray(scale, float)
    if not np.all((array >= 0) & (array <= LARGEST_SCALE + 1e-12)):
        raise ValueError(f"scale: {scale!r:.40} given; allowed is 0 to {LARGEST_SCALE:.4f}")
    return half_width(array)
