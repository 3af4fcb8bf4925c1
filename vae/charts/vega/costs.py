"""Vega expressions of ``vae.theory.costs``: what a pixel x costs at output y, in nats."""

from collections.abc import Callable, Mapping

from vae.charts.vega.bernoulli import bce


def squared(x: str, y: str, width: str) -> str:
    """(x - y)^2 / (2 s^2)."""
    return f"(pow(({x}) - ({y}), 2) / (2 * pow({width}, 2)))"


def absolute(x: str, y: str, width: str) -> str:
    """|x - y| / s."""
    return f"(abs(({x}) - ({y})) / ({width}))"


def huber(x: str, y: str, width: str) -> str:
    """A parabola up to one width, then a line."""
    u = absolute(x, y, width)
    return f"({u} < 1 ? pow({u}, 2) / 2 : {u} - 0.5)"


def logistic(x: str, y: str, width: str) -> str:
    """u + 2 log(1 + exp(-u)) less its least value, by |u|, in which it is even."""
    u = absolute(x, y, width)
    return f"({u} + 2 * log((1 + exp(-{u})) / 2))"


def student_t(x: str, y: str, width: str) -> str:
    """2 log(1 + u^2 / 3): three degrees of freedom."""
    return f"(2 * log(1 + pow((({x}) - ({y})) / ({width}), 2) / 3))"


def cross_entropy(x: str, y: str, width: str) -> str:
    """BCE of the grey x; it has no width."""
    del width
    return bce(x, y)


COSTS: Mapping[str, Callable[[str, str, str], str]] = {
    "gaussian": squared,
    "laplace": absolute,
    "huber": huber,
    "discretised-logistic": logistic,
    "student-t": student_t,
    "bernoulli": cross_entropy,
}


def target_weight(x: str, bright: str, place: str) -> str:
    """Unnormalised density of targets: dark ones about 0.15, and bright ones."""
    dark = f"exp(-0.5 * pow((({x}) - 0.15) / 0.07, 2)) / 0.07"
    light = f"exp(-0.5 * pow((({x}) - {place}) / 0.12, 2)) / 0.12"
    return f"((1 - {bright}) * {dark} + {bright} * {light})"
