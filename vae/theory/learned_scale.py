"""What the Gaussian loss becomes when the scale is learned, shared or one a pixel.

``errors`` is the mean squared error of each pixel over a set of images, (pixels,), in [0, 1];
scales are at their best value, never below a floor. Nats per image (Rybkin et al. 2021).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vae.theory.gaussian import nll_from_mse

Floats = NDArray[np.float64]


def shared_nll(errors: ArrayLike, floor: float) -> float:
    """NLL of an image with one scale for all pixels: the root of the mean error, or the floor."""
    values = _errors(errors, floor)
    scale = max(float(np.sqrt(values.mean())), floor)
    return float(nll_from_mse(values.mean(), scale, len(values)))


def per_pixel_nll(errors: ArrayLike, floor: float) -> float:
    """NLL of an image with a scale for every pixel: each the root of its own error, or the floor.

    A pixel without error contributes log floor + 1/2 log 2 pi: without a floor, minus infinity.
    """
    values = _errors(errors, floor)
    scales = np.maximum(np.sqrt(values), floor)
    return float(nll_from_mse(values, scales).sum())


def constant_pixels(errors: ArrayLike) -> int:
    """How many pixels have no error at all."""
    return int(np.count_nonzero(np.asarray(errors) == 0))


def _errors(errors: ArrayLike, floor: float) -> Floats:
    values = np.asarray(errors, dtype=np.float64)
    if values.ndim != 1 or np.any(values < 0):
        raise ValueError("errors: one squared error a pixel, 0 or more, is needed")
    if not floor > 0:
        raise ValueError(f"floor: {floor!r} given; a positive number is needed")
    return values
