"""Small images for tests of the engine: structured, so that there is something to learn."""

import numpy as np

from vae.images.sets import ImageData


def small_images(
    train: int = 300, test: int = 100, shape: tuple[int, int] = (6, 5), seed: int = 0
) -> ImageData:
    """Grey images of three smooth factors and noise, with classes 0 to 9."""
    rng = np.random.default_rng(seed)
    count, pixels = train + test, shape[0] * shape[1]
    factors = rng.normal(size=(count, 3)) * np.array([0.25, 0.15, 0.1])
    directions = np.linalg.qr(rng.normal(size=(pixels, 3)))[0].T * np.sqrt(pixels) / 2
    x = 0.5 + factors @ directions + 0.05 * rng.normal(size=(count, pixels))
    images = (x.clip(0, 1) * 255).round().astype(np.uint8).reshape(count, *shape)
    labels = rng.integers(0, 10, count).astype(np.uint8)
    names = tuple("0123456789")
    return ImageData("small", images[:train], labels[:train], images[train:], labels[train:], names)
