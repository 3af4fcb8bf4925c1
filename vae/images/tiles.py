"""Images as pictures that a browser shows: tiled, encoded as PNG, written as a data URL.

The gaps between tiles are transparent, so that a picture stands on a light and on a dark page.
"""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

_GREYS = 14


def tile(images: np.ndarray, columns: int, gap: int = 1) -> Image.Image:
    """``images`` (n, h, w) uint8 in rows of ``columns``, ``gap`` transparent pixels apart.

    Raises ``ValueError`` when ``images`` is not a stack of uint8 images or ``columns`` < 1.
    """
    if images.ndim != 3 or images.dtype != np.uint8 or len(images) == 0:
        raise ValueError(
            f"images: shape {images.shape} of {images.dtype} given; allowed is (n, h, w) of uint8"
        )
    if columns < 1:
        raise ValueError(f"columns: {columns} given; allowed is 1 or more")
    count, height, width = images.shape
    rows = -(-count // columns)
    across = min(columns, count)
    canvas = np.zeros((rows * (height + gap) - gap, across * (width + gap) - gap, 2), np.uint8)
    for at, image in enumerate(images):
        top, left = at // columns * (height + gap), at % columns * (width + gap)
        canvas[top : top + height, left : left + width, 0] = image
        canvas[top : top + height, left : left + width, 1] = 255
    return Image.fromarray(canvas, "LA")


def png(picture: Image.Image, zoom: int = 1) -> bytes:
    """``picture`` as PNG, each pixel a square of ``zoom`` by ``zoom``."""
    if zoom != 1:
        size = (picture.width * zoom, picture.height * zoom)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    # Level 1 is four times as fast as the default and a tenth larger: these are sent as they come.
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def data_url(data: bytes) -> str:
    """PNG bytes as an address that carries them."""
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def strip(images: np.ndarray, zoom: int = 2) -> str:
    """``images`` (n, h, w) side by side in one row, as a data URL."""
    return data_url(png(tile(images, len(images)), zoom))


def light_url(picture: Image.Image, zoom: int = 1) -> str:
    """A picture of ``tile`` in fifteen greys, as a data URL: a third of the bytes, or less.

    For what is sent to many, or many times. Rounding takes at most 9 of 255 grey levels.
    """
    grey, there = (np.asarray(band) for band in picture.split())
    # Number 0 is the gap's; the fifteen others are greys.
    numbers = np.where(there > 0, 1 + np.rint(grey / 255 * _GREYS), 0).astype(np.uint8)
    light = Image.fromarray(numbers.repeat(zoom, axis=0).repeat(zoom, axis=1), "P")
    greys = [round(255 * number / _GREYS) for number in range(_GREYS + 1)]
    light.putpalette([0, 0, 0, *(value for value in greys for _ in range(3))])
    buffer = io.BytesIO()
    light.save(buffer, "PNG", bits=4, transparency=b"\0", compress_level=9)
    return data_url(buffer.getvalue())


def light_strip(images: np.ndarray) -> str:
    """``images`` (n, h, w) side by side in one row, light; a browser enlarges it."""
    return light_url(tile(images, len(images)))


def sheet(rows: Sequence[np.ndarray], zoom: int = 2) -> str:
    """Stacks of equally many images (n, h, w), one under the other, as a data URL."""
    return data_url(png(tile(np.concatenate(list(rows)), len(rows[0])), zoom))


def grid(images: np.ndarray, zoom: int = 1, gap: int = 0) -> str:
    """``images`` (rows, columns, h, w) as one picture in fifteen greys, as a data URL."""
    rows, columns, height, width = images.shape
    flat = np.ascontiguousarray(images).reshape(rows * columns, height, width)
    return light_url(tile(flat, columns, gap), zoom)
