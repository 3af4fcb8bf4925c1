"""Roots of monotone functions, for arrays at once, with numpy alone."""

from collections.abc import Callable

import numpy as np


def bisect(
    increasing: Callable[[np.ndarray], np.ndarray],
    low: np.ndarray | float,
    high: np.ndarray | float,
    halvings: int = 60,
) -> np.ndarray:
    """Where ``increasing`` crosses zero between ``low`` and ``high``, element by element.

    Where it does not cross, the end nearer to the crossing is returned, which is the constrained
    minimum when ``increasing`` is the slope of a loss. ``low`` and ``high`` broadcast.
    """
    left, right = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
    left, right = left.copy(), right.copy()
    for _ in range(halvings):
        middle = (left + right) / 2
        below = increasing(middle) < 0
        left = np.where(below, middle, left)
        right = np.where(below, right, middle)
    return (left + right) / 2
