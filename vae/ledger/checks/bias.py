"""Checks of B1 to B4, B6, B8 and B11 to B13: what binary cross-entropy does to grey targets.

Minima are found by search and integrals by quadrature, and held against ``vae.theory``.
"""

import math

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.ledger.checks.numeric import integral, lowest
from vae.theory import bernoulli, continuous_bernoulli, counter_biased, pull


def mse_symmetric() -> Evidence:
    t = np.linspace(0.1, 0.9, 9)
    gap = bernoulli.squared_error(t, t + 0.1) - bernoulli.squared_error(t, t - 0.1)
    figure = f"cost above less cost below is {np.abs(gap).max():.4f} at nine targets, h = 0.1"
    return Evidence(figure, bool(np.abs(gap).max() < 1e-12))


def asymmetry() -> Evidence:
    def excess(t: float, p: float) -> float:
        return t * math.log(t / p) + (1 - t) * math.log((1 - t) / (1 - p))

    ratios = (
        excess(0.8, 0.9) / excess(0.8, 0.7),
        excess(0.3, 0.2) / excess(0.3, 0.4),
        excess(0.7, 0.8) / excess(0.7, 0.6),
    )
    stated = bernoulli.excess_ratio(np.array([0.8, 0.3, 0.7]), 0.1)
    figure = "away / toward 0.5: " + ", ".join(
        f"{ratio:.3f} at {t}" for ratio, t in zip(ratios, (0.8, 0.3, 0.7), strict=True)
    )
    return Evidence(figure, bool(np.allclose(ratios, stated) and min(ratios) > 1))


def minimisers() -> Evidence:
    fixed = lowest(lambda p: bernoulli.bce(0.8, p), 1e-6, 1 - 1e-6)
    targets = np.random.default_rng(1).beta(4, 1, size=500)
    drawn = lowest(lambda p: bernoulli.bce(targets, p).mean(), 1e-6, 1 - 1e-6)
    # Noise on the output: uniform, of standard deviation 0.1, in 2000 equal steps.
    noise = math.sqrt(3) * 0.1 * (np.arange(2000) + 0.5 - 1000) / 1000
    noisy = lowest(lambda p: bernoulli.bce(0.8, p + noise).mean(), 0.2, 0.8)
    figure = (
        f"t = 0.8: least at p = {fixed:.3f}; random t of mean {targets.mean():.3f}: {drawn:.3f}; "
        f"with noise of 0.1 on p: {noisy:.3f}"
    )
    unbiased = abs(fixed - 0.8) < 1e-6 and abs(drawn - targets.mean()) < 1e-6
    return Evidence(figure, unbiased and abs(noisy - float(pull.bce_optimum(0.8, 0.1))) < 1e-4)


def two_mse() -> Evidence:
    h = np.array([0.01, 0.1, 0.3, 0.49])
    excess = bernoulli.bce(0.5, 0.5 + h) - math.log(2)
    beyond = excess / (2 * h**2) - 1
    figure = "exceeds 2 MSE by " + ", ".join(
        f"{100 * share:.2g}% at h = {gap}" for share, gap in zip(beyond, h, strict=True)
    )
    exact = bool(np.allclose(beyond, bernoulli.double_mse_error(h), rtol=1e-9, atol=1e-12))
    return Evidence(figure, exact and beyond[0] < 1e-3 and beyond[2] > 0.2)


def binary_likelihood() -> Evidence:
    p = np.linspace(0.05, 0.95, 19)
    total = np.exp(-bernoulli.bce(1.0, p)) + np.exp(-bernoulli.bce(0.0, p))
    floor = float(bernoulli.bce(1.0, 1.0) + bernoulli.bce(0.0, 0.0))
    figure = f"Σ over x in {{0, 1}} of exp(−BCE) = {total.mean():.6f}; floor {abs(floor):.3f} nats"
    return Evidence(figure, bool(np.allclose(total, 1)) and abs(floor) < 1e-12)


def counter_biased_loss(t: float, p: float) -> float:
    """∫ from t to p of (u − t) 4u(1 − u) du, by trapezoids."""
    u = np.linspace(t, p, 2001)
    return integral((u - t) * 4 * u * (1 - u), u)


def counter_biased_minimum() -> Evidence:
    least = lowest(lambda p: counter_biased_loss(0.8, p), 0.01, 0.99)
    toward, away = counter_biased_loss(0.8, 0.7), counter_biased_loss(0.8, 0.9)
    stated = 8 / 3 * (2 * 0.8 - 1) * 0.1**3
    figure = (
        f"t = 0.8: least at p = {least:.3f}; {1000 * away:.2f} at 0.9 and {1000 * toward:.2f} at "
        f"0.7 (10⁻³), apart by {1000 * stated:.2f}"
    )
    closed = counter_biased.loss(0.8, np.array([0.7, 0.9]), 1.0)
    agrees = np.allclose(closed, [toward, away], atol=1e-8) and abs(toward - away - stated) < 1e-8
    return Evidence(figure, bool(agrees) and abs(least - 0.8) < 1e-3)


def floor() -> Evidence:
    t = 0.3
    least = lowest(lambda p: bernoulli.bce(t, p), 1e-6, 1 - 1e-6)
    left = float(bernoulli.bce(t, least))
    entropy = -t * math.log(t) - (1 - t) * math.log(1 - t)
    figure = f"t = 0.3: least at p = {least:.3f}, where {left:.4f} nats are left, not 0"
    return Evidence(figure, abs(least - t) < 1e-6 and abs(left - entropy) < 1e-9 and left > 0.5)


def missing_normaliser() -> Evidence:
    x = np.linspace(0, 1, 4001)
    logit = math.log(0.8 / 0.2)
    area = integral(np.exp(-bernoulli.bce_with_logits(x, logit)), x)
    proper = integral(np.exp(continuous_bernoulli.log_prob(x, logit)), x)
    best = float(continuous_bernoulli.best_logits(0.8))
    density = np.exp(continuous_bernoulli.log_prob(x, best))
    mean, lam = integral(x * density, x), 1 / (1 + math.exp(-best))
    figure = (
        f"∫ exp(−BCE) dx = {area:.3f}, not 1 (λ = 0.8); for t = 0.8 the best λ is {lam:.4f}, "
        f"with mean {mean:.3f}"
    )
    return Evidence(figure, abs(proper - 1) < 1e-6 and area < 0.9 and abs(mean - 0.8) < 1e-5)


def r_squared(targets: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """R² of each row of ``outputs`` (k, n): 1 − MSE / variance of the targets (n,)."""
    return 1 - np.square(outputs - targets).mean(axis=1) / targets.var()


def names_and_ranges() -> Evidence:
    limits = np.iinfo(np.uint8)
    targets = np.random.default_rng(1).random(1000)
    outputs = targets + np.array([[0.0], [0.1], [0.2]]) * np.sin(np.arange(1000))
    mse = np.square(outputs - targets).mean(axis=1)
    scores = r_squared(targets, outputs)
    figure = (
        f"8 bits reach from {limits.min} to {limits.max}; R² falls from {scores[0]:.2f} to "
        f"{scores[-1]:.2f} as the MSE grows to {mse[-1]:.3f}"
    )
    return Evidence(figure, limits.max == 255 and bool(np.all(np.diff(scores) < 0)))
