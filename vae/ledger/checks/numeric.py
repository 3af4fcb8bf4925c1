"""The plain numerical tools of the checks: trapezoids, central differences, a search."""

from collections.abc import Callable
from typing import Any

import numpy as np

_GOLDEN = (np.sqrt(5) - 1) / 2


def integral(values: np.ndarray, grid: np.ndarray) -> float:
    """Integral of ``values`` (n,) over the ascending ``grid`` (n,), by trapezoids."""
    return float(np.trapezoid(values, grid))


def slope(function: Callable[[float], Any], at: float, step: float = 1e-5) -> float:
    """Derivative of ``function`` at ``at`` by a central difference."""
    return float((function(at + step) - function(at - step)) / (2 * step))


def gradient(
    function: Callable[[np.ndarray], float], at: np.ndarray, step: float = 1e-5
) -> np.ndarray:
    """Gradient of ``function`` at ``at`` (n,), by central differences."""
    moves = step * np.eye(len(at))
    return np.array([(function(at + move) - function(at - move)) / (2 * step) for move in moves])


def lowest(function: Callable[[float], Any], low: float, high: float) -> float:
    """Where a function with one minimum in [low, high] has it, by golden section.

    Rounding flattens a minimum: the place is good to about 1e-8 of the width.
    """
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > 1e-9:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return float((low + high) / 2)
