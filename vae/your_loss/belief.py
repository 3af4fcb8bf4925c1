"""The density that the cost of a pixel stands for: exp(-cost) in nats, normalised."""

import math

import numpy as np

from vae.your_loss.distributions import log_normaliser
from vae.your_loss.losses import cross_entropy
from vae.your_loss.reading import Belief, Curve, Reading
from vae.your_loss.search import Found
from vae.your_loss.verdict import NAMES, number

POINTS = 161


def build(reading: Reading, found: Found) -> Belief | None:
    """Curves of the cost and of the density; None where there is no belief about pixels."""
    kl = reading.kl_weight
    if reading.kl_form not in ("kl", "wrong", "free-bits") or not kl or kl <= 0:
        return None
    if reading.family == "gaussian" and reading.sigma2:
        sigma = math.sqrt(reading.sigma2)
        return _of_error(
            reading, sigma, lambda e: e**2 / (2 * sigma**2), f"Gaussian, sigma = {number(sigma)}"
        )
    if reading.family == "laplace" and reading.laplace_scale:
        scale = reading.laplace_scale
        return _of_error(
            reading,
            scale * math.sqrt(2),
            lambda e: np.abs(e) / scale,
            f"Laplace, scale {number(scale)}",
        )
    if reading.near_sigma2 is not None:
        return _between(reading, found)
    if reading.family in ("bernoulli", "continuous-bernoulli"):
        return _of_output(reading)
    return None


def _of_error(reading: Reading, spread: float, cost: object, label: str) -> Belief:
    errors = np.linspace(-4 * spread, 4 * spread, POINTS)
    assert callable(cost)
    costs = np.asarray(cost(errors), dtype=float)
    density = np.exp(-costs)
    density = density / (density.sum() * (errors[1] - errors[0]))
    unit = None
    if reading.data_range is not None:
        unit = spread / (reading.data_range[1] - reading.data_range[0])
    return Belief(
        label,
        "error",
        (Curve("cost", tuple(errors.tolist()), tuple(costs.tolist())),),
        (Curve("density", tuple(errors.tolist()), tuple(density.tolist())),),
        unit,
        None if unit is None else 255.0 * unit,
    )


def _between(reading: Reading, found: Found) -> Belief:
    """Huber and its kin, from their measured factors."""
    pixels, kl = found.examined.pixels, reading.kl_weight or 1.0
    near, tail, width = pixels.near or 1.0, pixels.tail or 0.0, pixels.width or 1.0
    curves = {
        "huber": lambda e: np.where(
            np.abs(e) <= width, near * e**2, tail * (np.abs(e) - width / 2)
        ),
        "log-cosh": lambda e: tail * width * (np.logaddexp(e / width, -e / width) - math.log(2)),
        "charbonnier": lambda e: tail * (np.sqrt(e**2 + width**2) - width),
        "student-t": lambda e: near * width**2 * np.log1p((e / width) ** 2),
    }
    curve = curves[pixels.family]
    spread = math.sqrt(kl / (2 * near)) if not tail else max(math.sqrt(kl / (2 * near)), kl / tail)
    return _of_error(
        reading, spread, lambda e: curve(e) / kl, NAMES.get(pixels.family, pixels.family)
    )


def _of_output(reading: Reading) -> Belief:
    """Cost over the output for three targets; density over the target for three outputs."""
    outputs = np.linspace(0.005, 0.995, POINTS)
    continuous = reading.family == "continuous-bernoulli"

    def cost(p: np.ndarray, t: np.ndarray) -> np.ndarray:
        plain = np.asarray(cross_entropy(p, t), dtype=float)
        if continuous:
            plain = plain - log_normaliser(np.log(p) - np.log1p(-p))
        return plain

    costs = tuple(
        Curve(
            f"target {t:g}",
            tuple(outputs.tolist()),
            tuple(cost(outputs, np.full(POINTS, t)).tolist()),
        )
        for t in (0.0, 0.5, 1.0)
    )
    densities = []
    for p in (0.2, 0.5, 0.8):
        if continuous:
            targets = np.linspace(0.0, 1.0, POINTS)
            values = np.exp(-cost(np.full(POINTS, p), targets))
        else:
            targets = np.array([0.0, 1.0])
            values = np.array([1.0 - p, p])
        densities.append(Curve(f"output {p:g}", tuple(targets.tolist()), tuple(values.tolist())))
    label = f"{NAMES[reading.family]}, beta = {number(reading.beta or 1.0)}"
    return Belief(label, "output", costs, tuple(densities), None, None)
