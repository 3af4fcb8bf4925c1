"""The density that the cost of a pixel stands for: exp(-cost) in nats, normalised."""

import math

import numpy as np

from vae.your_loss.distributions import log_normaliser
from vae.your_loss.level_masses import LevelMasses
from vae.your_loss.losses import cross_entropy
from vae.your_loss.reading import Belief, Curve, Reading
from vae.your_loss.search import Found
from vae.your_loss.verdict import NAMES, number

POINTS = 161


def build(reading: Reading, found: Found) -> Belief | None:
    """Curves of the cost and of the density; None where there is no belief about pixels."""
    if reading.family.endswith("-learned"):
        return _of_learned(reading)
    levels = found.examined.pixels.levels
    if levels is not None and reading.beta:
        return _of_levels(levels)
    if reading.family == "categorical" and reading.beta:
        return _of_classes()
    if reading.family == "mixture":
        return _of_mixture()
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


def _of_learned(reading: Reading) -> Belief:
    """Three scales of many: a narrow belief costs less near its output and more away from it."""
    scales = (0.05, 0.1, 0.3)
    errors = np.linspace(-0.6, 0.6, POINTS)
    gaussian = reading.family == "gaussian-learned"
    name, letter = ("Gaussian", "sigma") if gaussian else ("Laplace", "b")

    def cost(scale: float) -> np.ndarray:
        if gaussian:
            return errors**2 / (2 * scale**2) + 0.5 * np.log(2 * np.pi * scale**2)
        return np.abs(errors) / scale + np.log(2 * scale)

    names = [f"{letter} = {scale:g}" for scale in scales]
    return Belief(
        f"{name} whose scale is learned, here three of its scales",
        "error",
        tuple(_curve(n, errors, cost(s)) for n, s in zip(names, scales, strict=True)),
        tuple(_curve(n, errors, np.exp(-cost(s))) for n, s in zip(names, scales, strict=True)),
        None,
        None,
    )


def _of_levels(levels: LevelMasses) -> Belief:
    """The mass of a level over its width, against how far it is from the output."""
    bins = levels.width * (np.arange(POINTS) - POINTS // 2)
    scales = (levels.scale,) if levels.scale else tuple(k * levels.width for k in (2, 6, 16))
    # The difference of two sigmoids, in a form that is exact far from the output.
    masses = [
        np.sinh(levels.width / 2 / s) / (np.cosh(levels.width / 2 / s) + np.cosh(bins / s))
        for s in scales
    ]
    names = [f"s = {scale:.3g}" for scale in scales]
    learned = "" if levels.scale else " whose scale is learned, here three of its scales"
    return Belief(
        f"discretised logistic{learned}",
        "error",
        tuple(_curve(n, bins, -np.log(m)) for n, m in zip(names, masses, strict=True)),
        tuple(_curve(n, bins, m / levels.width) for n, m in zip(names, masses, strict=True)),
        None,
        None,
    )


def _of_classes() -> Belief:
    """The cost of the class that was there, and probabilities of eight classes as an example."""
    chances = np.linspace(0.005, 1.0, POINTS)
    example = np.exp([0.0, 0.4, 1.1, 2.2, 1.8, 0.7, 0.1, -0.6])
    classes = np.arange(len(example), dtype=float)
    return Belief(
        "categorical, one probability a class",
        "class",
        (_curve("cost", chances, -np.log(chances)),),
        (_curve("an example", classes, example / example.sum()),),
        None,
        None,
    )


def _of_mixture() -> Belief:
    """Two parts of different places and scales: the cost has a valley for each."""
    errors = np.linspace(-0.6, 0.6, POINTS)

    def part(place: float, scale: float) -> np.ndarray:
        return np.exp(-0.5 * ((errors - place) / scale) ** 2) / (scale * np.sqrt(2 * np.pi))

    density = 0.65 * part(-0.12, 0.06) + 0.35 * part(0.2, 0.12)
    return Belief(
        "mixture of densities, here of two Gaussians",
        "value",
        (_curve("cost", errors, -np.log(density)),),
        (_curve("density", errors, density),),
        None,
        None,
    )


def _curve(name: str, x: np.ndarray, y: np.ndarray) -> Curve:
    return Curve(name, tuple(x.tolist()), tuple(y.tolist()))


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
