"""Binary cross-entropy against squared error, for targets that need not be binary.

``t`` is a target and ``p`` an output, both in [0, 1]; results are nats per pixel; arrays
broadcast. BCE(t, p) = -t log p - (1 - t) log(1 - p) is the negative log-likelihood of a Bernoulli
pixel when t is 0 or 1 (Kingma & Welling 2014, appendix C.1). For any other t it is
H(t) + KL(Bern t || Bern p): least at p = t, where it is H(t) and not 0.
"""

import numpy as np

from vae.theory.roots import bisect

Real = np.ndarray | float


def bernoulli_entropy(t: Real) -> np.ndarray:
    """H(t) = BCE(t, t), the floor under BCE; 0 at t = 0 and t = 1."""
    t = _probability("t", t)
    return -_x_log_y(t, t) - _x_log_y(1 - t, 1 - t)


def bce(t: Real, p: Real) -> np.ndarray:
    """-t log p - (1 - t) log(1 - p); infinite where p excludes a t that occurs."""
    t, p = _probability("t", t), _probability("p", p)
    return -_x_log_y(t, p) - _x_log_y(1 - t, 1 - p)


def bce_with_logits(t: Real, logits: Real) -> np.ndarray:
    """BCE(t, sigmoid(logits)) without forming the sigmoid: exact at any finite logit."""
    t, logits = _probability("t", t), np.asarray(logits, float)
    # What remains of log(1 + exp) is added last, or it would vanish beside a large logit.
    return np.maximum(logits, 0) - t * logits + np.log1p(np.exp(-np.abs(logits)))


def kl_bernoulli(t: Real, p: Real) -> np.ndarray:
    """KL(Bern t || Bern p) = BCE(t, p) - H(t), BCE's excess over its floor."""
    return bce(t, p) - bernoulli_entropy(t)


def squared_error(t: Real, p: Real) -> np.ndarray:
    """(p - t)^2."""
    return (np.asarray(p, float) - np.asarray(t, float)) ** 2


def kl_series(t: Real, h: Real) -> np.ndarray:
    """KL(Bern t || Bern t + h) to fourth order: a Gaussian of variance t(1 - t), and a tilt."""
    t, h = np.asarray(t, float), np.asarray(h, float)
    v = t * (1 - t)
    second = h**2 / (2 * v)
    third = (2 * t - 1) * h**3 / (3 * v**2)
    fourth = (3 * t**2 - 3 * t + 1) * h**4 / (4 * v**3)
    return second + third + fourth


def away_toward(t: Real, h: Real) -> tuple[np.ndarray, np.ndarray]:
    """The outputs t + h and t - h, ordered: the one further from 1/2 first.

    Raises ``ValueError`` where either output lies outside [0, 1].
    """
    t, h = _probability("t", t), np.asarray(h, float)
    sign = np.where(t < 0.5, -1.0, 1.0)
    return _probability("t ± h", t + sign * h), _probability("t ± h", t - sign * h)


def excess_ratio(t: Real, h: Real) -> np.ndarray:
    """BCE's excess over H(t) at the output further from 1/2, over that at its mirror image."""
    away, toward = away_toward(t, h)
    return kl_bernoulli(t, away) / kl_bernoulli(t, toward)


def raw_ratio(t: Real, h: Real) -> np.ndarray:
    """The same ratio of plain BCE values, in which the floor H(t) hides the asymmetry."""
    away, toward = away_toward(t, h)
    return bce(t, away) / bce(t, toward)


def kl_from_half(h: Real) -> np.ndarray:
    """KL(Bern 1/2 || Bern 1/2 + h) = -1/2 log(1 - 4 h^2), exactly."""
    h = np.asarray(h, float)
    return -0.5 * np.log1p(-4 * h**2)


def double_mse_error(h: Real) -> np.ndarray:
    """How far 2 h^2 falls short of the excess BCE at t = 1/2: their ratio less 1."""
    h = np.asarray(h, float)
    return kl_from_half(h) / (2 * h**2) - 1


def half_gap_at_error(error: float) -> float:
    """The gap h at which "2 MSE" is wrong by ``error`` (0.01 for 1%)."""
    if not 0 < error < 10:
        raise ValueError(f"error: {error!r} given; allowed is above 0 and below 10")
    return float(bisect(lambda h: double_mse_error(h) - error, 1e-9, 0.5 - 1e-16))


def softplus(x: Real) -> np.ndarray:
    """log(1 + exp x), exact where exp x overflows or vanishes beside 1."""
    x = np.asarray(x, float)
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: Real) -> np.ndarray:
    """1 / (1 + exp -x), without overflow."""
    x = np.asarray(x, float)
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, 1.0) / (1 + small)


def logit(p: Real) -> np.ndarray:
    """log(p / (1 - p)), the inverse of ``sigmoid``; infinite at 0 and 1."""
    p = _probability("p", p)
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log1p(-p)


def _x_log_y(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x log y with 0 log 0 = 0, its limit."""
    x, y = np.broadcast_arrays(x, y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x == 0, 0.0, x * np.log(y))


def _probability(name: str, value: Real) -> np.ndarray:
    array = np.asarray(value, float)
    if not np.all((array >= 0) & (array <= 1)):
        bad = array[~((array >= 0) & (array <= 1))].flat[0]
        raise ValueError(f"{name}: {float(bad)!r} given; allowed is 0 to 1")
    return array
