"""Flawed reconstructions of an image, made on purpose: blur, noise, shift, fade.

Images are (height, width) float64 in [0, 1]; so are the results.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def blur(image: Floats, amount: float) -> Floats:
    """A Gaussian blur of width 3 ``amount`` pixels, dark beyond the border."""
    width = 3.0 * _share(amount)
    if width == 0:
        return image.copy()
    reach = int(np.ceil(4 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= kernel.sum()
    blurred = image
    for axis in (0, 1):
        blurred = np.apply_along_axis(
            lambda line: np.convolve(line, kernel)[reach : reach + len(line)], axis, blurred
        )
    return blurred


def noise(image: Floats, amount: float) -> Floats:
    """Gaussian noise of standard deviation ``amount`` / 2, always the same, clipped to [0, 1]."""
    grain = np.random.default_rng(0).standard_normal(image.shape)
    return np.clip(image + 0.5 * _share(amount) * grain, 0.0, 1.0)


def shift(image: Floats, amount: float) -> Floats:
    """The image moved right by 6 ``amount`` pixels, between pixels by linear interpolation."""
    distance = 6.0 * _share(amount)
    whole = int(distance)
    part = distance - whole
    return (1 - part) * _move(image, whole) + part * _move(image, whole + 1)


def fade(image: Floats, amount: float) -> Floats:
    """The image times 1 - ``amount``: paler strokes on the same ground."""
    return (1.0 - _share(amount)) * image


CORRUPTIONS: Mapping[str, Callable[[Floats, float], Floats]] = {
    "blur": blur,
    "noise": noise,
    "shift": shift,
    "fade": fade,
}


def _move(image: Floats, pixels: int) -> Floats:
    moved = np.zeros_like(image)
    moved[:, pixels:] = image[:, : image.shape[1] - pixels]
    return moved


def _share(amount: float) -> float:
    if not 0.0 <= amount <= 1.0:
        raise ValueError(f"amount: {amount!r} given; allowed is 0 to 1")
    return float(amount)
