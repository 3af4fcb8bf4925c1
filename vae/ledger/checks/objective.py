"""Checks of D3, D5, D8 and D15: what is optimised, and in which direction.

The model is small enough to be solved beside: one latent z ~ N(0, 1), decoder mean w z.
"""

import math

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.ledger.checks.numeric import gradient, integral, lowest
from vae.theory import gaussian

VARIANCE = 5.0  # of the data x, so that the latent is worth its KL at every scale below


def reconstruction(weights: np.ndarray, scale: float) -> float:
    """E[(x − w z)²]/(2σ²) for z ~ N(v x, s²), x of variance VARIANCE; weights are w, v, log s."""
    w, v, log_s = weights
    return (VARIANCE * (1 - w * v) ** 2 + w**2 * math.exp(2 * log_s)) / (2 * scale**2)


def kl(weights: np.ndarray) -> float:
    """E[KL(N(v x, s²) ‖ N(0, 1))]."""
    _, v, log_s = weights
    return 0.5 * (VARIANCE * v**2 + math.exp(2 * log_s) - 1 - 2 * log_s)


def descend(scale: float, rate: float, with_kl: bool) -> np.ndarray:
    """Weights along 200 steps of gradient descent, shape (200, 3)."""

    def loss(at: np.ndarray) -> float:
        return reconstruction(at, scale) + (kl(at) if with_kl else 0.0)

    weights, path = np.array([0.3, 0.2, -0.5]), []
    for _ in range(200):
        weights = weights - rate * gradient(loss, weights)
        path.append(weights)
    return np.array(path)


def learning_rate() -> Evidence:
    apart = []
    for with_kl in (False, True):
        unit = descend(1.0, 0.02, with_kl)
        # A quarter of the variance makes the error term, and its gradient, four times as large.
        compensated = descend(0.5, 0.02 / 4, with_kl)
        apart.append(np.linalg.norm(unit - compensated) / np.linalg.norm(unit))
    without, beside = apart
    figure = (
        f"σ = 1 and σ = 0.5 with the rate a quarter: paths differ by {100 * without:.1f}% "
        f"without the KL, {100 * beside:.0f}% with it"
    )
    return Evidence(figure, bool(without < 1e-6 and beside > 0.05))


def expected_error(x: float, w: float, mean: float, s: float) -> float:
    """E[(x − w z)²] for z ~ N(mean, s²), by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    return float((weights * (x - w * (mean + s * nodes)) ** 2).sum() / weights.sum())


def composed_densities() -> Evidence:
    x, w, mean, s = 0.9, 0.5, 1.6, 0.4
    expected = expected_error(x, w, mean, s)
    undrawn = (x - w * mean) ** 2
    figure = f"E‖x − μ(z)‖² = {expected:.4f} = {undrawn:.4f} at the mean code + {w * w * s * s:.4f}"
    agrees = abs(expected - undrawn - w**2 * s**2) < 1e-9 and expected > 2 * undrawn
    return Evidence(figure, agrees)


def bound(x: float, mean: float, scale: float, sign: float = -1.0) -> float:
    """E_q[log p(x|z)] + sign · KL for q = N(mean, scale²) and p(x|z) = N(z, 1), by quadrature."""
    z = np.linspace(mean - 9 * scale, mean + 9 * scale, 2001)
    log_q = gaussian.gaussian_log_prob(z, mean, scale)
    q = np.exp(log_q)
    likelihood = integral(q * gaussian.gaussian_log_prob(x, z, 1.0), z)
    return likelihood + sign * integral(q * (log_q - gaussian.gaussian_log_prob(z, 0.0, 1.0)), z)


def elbo_sign() -> Evidence:
    x = 1.4
    # z ~ N(0, 1) and x|z ~ N(z, 1) make x ~ N(0, 2).
    evidence = float(gaussian.gaussian_log_prob(x, 0.0, math.sqrt(2)))
    minus, plus = bound(x, 0.9, 0.6), bound(x, 0.9, 0.6, sign=+1.0)
    figure = (
        f"log p(x) = {evidence:.3f}; with −KL {minus:.3f}, below it; with +KL {plus:.3f}, above"
    )
    return Evidence(figure, minus <= evidence < plus)


def elbo_is_maximised() -> Evidence:
    x = 1.4
    evidence = float(gaussian.gaussian_log_prob(x, 0.0, math.sqrt(2)))
    best = lowest(lambda mean: -bound(x, mean, math.sqrt(0.5)), -2.0, 3.0)
    raised = evidence - bound(x, best, math.sqrt(0.5))
    lowered = [evidence - bound(x, mean, math.sqrt(0.5)) for mean in (2.0, 4.0, 8.0)]
    figure = (
        f"log p(x) − ELBO = {abs(raised):.3f} nats at its maximum, "
        f"{lowered[-1]:.1f} after moving q(z|x) away"
    )
    return Evidence(figure, abs(raised) < 1e-6 and bool(np.all(np.diff(lowered) > 0)))
