"""Outputs that share parameters: one logistic line through many targets, under each loss.

With an output of its own for every target each proper loss ends at the mean, and all agree. A
network shares: here p_i = sigmoid(w u_i + b) for all ``u``. Binary cross-entropy's slope in b is
the sum of p_i - t_i, so it keeps the mean of the targets whatever w can do; squared error weights
that sum with p_i (1 - p_i) and does not.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vae.theory.bernoulli import sigmoid

Floats = NDArray[np.float64]
STEPS = 200
PLACES = np.linspace(-1, 1, 9)
TARGETS = np.array([0.02, 0.05, 0.03, 0.1, 0.2, 0.15, 0.7, 0.3, 0.9])
"""An example: nine greys along a line, dark at one end and bright at the other."""


def fit_line(u: ArrayLike, t: ArrayLike, loss: str) -> Floats:
    """Outputs p (n,) of the best line for targets ``t`` (n,) at ``u`` (n,).

    ``loss``: 'bce' or 'squared error'. Gauss and Newton's steps with damping, to a gradient below
    1e-10. Raises ``ValueError`` on another loss, or on arrays of other shapes.
    """
    if loss not in ("bce", "squared error"):
        raise ValueError(f"loss: {loss!r} given; allowed is 'bce' or 'squared error'")
    places, targets = np.asarray(u, float), np.asarray(t, float)
    if places.ndim != 1 or places.shape != targets.shape:
        raise ValueError(f"t: shape {targets.shape} given; that of u, {places.shape}, is needed")
    design = np.stack([places, np.ones_like(places)], axis=1)
    weights, damping = np.zeros(2), 1e-3
    value = _mean_loss(sigmoid(design @ weights), targets, loss)
    for _ in range(STEPS):
        p = sigmoid(design @ weights)
        tangent = p * (1 - p)
        residual = p - targets
        if loss == "bce":
            gradient, curvature = design.T @ residual, design.T * tangent @ design
        else:
            gradient = design.T @ (2 * residual * tangent)
            curvature = design.T * (2 * tangent**2) @ design
        if np.abs(gradient).max() < 1e-10:
            break
        step = np.linalg.solve(curvature + damping * np.eye(2), gradient)
        moved = _mean_loss(sigmoid(design @ (weights - step)), targets, loss)
        if moved <= value:
            weights, value, damping = weights - step, moved, damping / 4
        else:
            damping *= 8
    return sigmoid(design @ weights)


def _mean_loss(p: Floats, t: Floats, loss: str) -> float:
    if loss == "squared error":
        return float(np.mean((p - t) ** 2))
    return float(-np.mean(t * np.log(p) + (1 - t) * np.log1p(-p)))
