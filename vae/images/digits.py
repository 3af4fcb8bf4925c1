"""The built-in images: handwriting-like digits, drawn by this module, offline and repeatably.

Each digit has a few skeletons (curves through a handful of points). An image draws one of them
with its points shaken, bent, slanted, turned, stretched and sized anew, traced by an oval pen of
its own width. Only additions, products, divisions and square roots of numbers from a bit
generator with a guaranteed stream are used, so that every platform draws the same images.

What is kept is not grey levels but each pixel's signed distance to the edge of the stroke
(``edge_distances``); ``grey_levels`` turns these into images of any greyness.
"""

import numpy as np

from vae.images.digit_strokes import SKELETONS
from vae.memo import shared

SIDE = 28
TRAIN_COUNT = 12_000
TEST_COUNT = 2_000
# Grows with any change to the images, so that a cache from another version is not read.
VERSION = 1

_POINTS = 72
_CHUNK = 128
# Edge distances are kept as 128 + 100 x (pixels inside the stroke), cut to 0..255.
_LEVELS_PER_PIXEL = 100
_EDGE = 128


def edge_distances(
    train_count: int = TRAIN_COUNT, test_count: int = TEST_COUNT, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the digits: ``(distances, labels)``, training images first.

    Args:
        train_count, test_count: how many images; their classes are balanced to within one.
        seed: another seed draws other images.

    Returns:
        distances (N, 28, 28) uint8: 128 + 100 x signed distance in pixels, positive inside the
        stroke, cut to 0..255; labels (N,) uint8.
    """
    draws = _Draws(seed)
    labels = np.concatenate([_balanced(train_count, draws), _balanced(test_count, draws)])
    count = len(labels)
    points = np.empty((count, _POINTS, 2))
    style = draws.uniform(count)
    for digit, skeletons in enumerate(SKELETONS):
        variant = np.minimum((style * len(skeletons)).astype(int), len(skeletons) - 1)
        for index in range(len(skeletons)):
            rows = np.flatnonzero((labels == digit) & (variant == index))
            points[rows] = _traced(digit, index, len(rows), draws)
    points = _placed(_bent(points, draws), draws)
    radius = 1.35 + 0.32 * draws.normal(count)
    # The pen is up to a quarter wider across than along, or the other way round.
    nib = 1 + 0.12 * draws.normal(count)
    return _rasterised(points, np.maximum(radius, 0.75), nib), labels


def grey_levels(distances: np.ndarray, grey: float) -> np.ndarray:
    """Edge distances as images (uint8) whose greyness is ``grey`` in [0, 1].

    At 0 every pixel is 0 or 255. Up to 0.5 the edge of the stroke becomes a ramp, up to 1.6 pixels
    wide at 0.5: the look of anti-aliased handwriting. From there to 1 the contrast falls to 0.4
    around mid-grey, so that at 1 all pixels lie in [0.3, 0.7]. A pixel is at least 128 at one
    greyness exactly if it is at every other, and the entropy of the pixels read as
    Bernoulli parameters (the floor of BCE) grows with ``grey``.

    Raises:
        ValueError: ``grey`` outside [0, 1].
    """
    if not 0 <= grey <= 1:
        raise ValueError(f"grey: {grey!r} given; allowed is 0 to 1")
    inside = (np.arange(256) + 0.5 - _EDGE) / _LEVELS_PER_PIXEL
    ramp = 1.6 * min(2 * grey, 1.0)
    level = np.clip(inside / ramp + 0.5, 0, 1) if ramp > 0 else (inside > 0).astype(float)
    contrast = 1 - 0.6 * max(2 * grey - 1, 0.0)
    value = 0.5 + contrast * (level - 0.5)
    # Halves are kept on their side of 127.5, so that no pixel changes sides with the greyness.
    table = np.where(inside > 0, np.maximum(np.rint(255 * value), 128), np.rint(255 * value))
    table = np.where(inside < 0, np.minimum(table, 127), table)
    return table.astype(np.uint8)[distances]


class _Draws:
    """Random numbers from the raw stream of PCG64, which numpy guarantees never to change."""

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self, *shape: int) -> np.ndarray:
        """In [0, 1), with 53 bits."""
        count = int(np.prod(shape))
        return ((self._bits.random_raw(count) >> 11) * 2.0**-53).reshape(shape)

    def normal(self, *shape: int) -> np.ndarray:
        """Near normal, unit variance, within +-3: the centred sum of three uniforms, doubled."""
        parts = self.uniform(3, *shape)
        return 2 * (parts[0] + parts[1] + parts[2] - 1.5)


def _balanced(count: int, draws: _Draws) -> np.ndarray:
    """``count`` labels, each digit equally often to within one, in random order."""
    order = np.argsort(draws.uniform(count), kind="stable")
    return (np.arange(count) % 10).astype(np.uint8)[order]


def _traced(digit: int, variant: int, count: int, draws: _Draws) -> np.ndarray:
    """``count`` shaken copies of a skeleton as points (count, _POINTS, 2), box [0, 1] x [0, 1]."""
    knots, basis = _skeleton(digit, variant)
    shaken = knots + 0.032 * draws.normal(count, *knots.shape)
    points = np.zeros((count, _POINTS, 2))
    # A loop over a few knots rather than a matrix product, whose rounding depends on the library.
    for index in range(len(knots)):
        points += basis[:, index, None] * shaken[:, index, None, :]
    return points


@shared(maxsize=64)
def _skeleton(digit: int, variant: int) -> tuple[np.ndarray, np.ndarray]:
    """Knots (K, 2) of a skeleton and the weights (_POINTS, K) that trace its curves."""
    strokes = [np.array(stroke, dtype=float) for stroke in SKELETONS[digit][variant]]
    lengths = [np.sqrt(((stroke[1:] - stroke[:-1]) ** 2).sum(1)).sum() for stroke in strokes]
    ends = np.rint(np.cumsum([0.0, *lengths]) / sum(lengths) * _POINTS).astype(int)
    knots = np.concatenate(strokes)
    basis = np.zeros((_POINTS, len(knots)))
    first = 0
    for stroke, start, end in zip(strokes, ends[:-1], ends[1:], strict=True):
        basis[start:end, first : first + len(stroke)] = _spline(stroke, end - start)
        first += len(stroke)
    return knots, basis


def _spline(knots: np.ndarray, count: int) -> np.ndarray:
    """Weights (count, K) of a Catmull-Rom spline through ``knots``, about evenly spaced.

    A knot given twice is a corner.
    """
    lengths = np.sqrt(((knots[1:] - knots[:-1]) ** 2).sum(1))
    ends = np.concatenate([[0.0], np.cumsum(lengths)])
    weights = np.zeros((count, len(knots)))
    for row, position in enumerate(np.linspace(0, ends[-1], count)):
        piece = min(int(np.searchsorted(ends, position, side="right")) - 1, len(lengths) - 1)
        while lengths[piece] == 0:
            piece -= 1
        u = (position - ends[piece]) / lengths[piece]
        before, after = max(piece - 1, 0), min(piece + 2, len(knots) - 1)
        terms = (
            (before, -0.5 * u + u * u - 0.5 * u**3),
            (piece, 1 - 2.5 * u * u + 1.5 * u**3),
            (piece + 1, 0.5 * u + 2 * u * u - 1.5 * u**3),
            (after, -0.5 * u * u + 0.5 * u**3),
        )
        for knot, weight in terms:
            weights[row, knot] += weight
    return weights


def _bent(points: np.ndarray, draws: _Draws) -> np.ndarray:
    """Bend by a random quadratic, slant, turn and stretch, around the middle."""
    count = len(points)
    x, y = points[..., 0] - 0.5, points[..., 1] - 0.5
    bend = 0.16 * draws.normal(6, count, 1)
    bent_x = x + bend[0] * y * y + bend[1] * x * y + bend[2] * x * x
    bent_y = y + bend[3] * x * x + bend[4] * x * y + bend[5] * y * y
    slant = -0.12 + 0.2 * draws.normal(count, 1)
    stretch = 1 + 0.13 * draws.normal(count, 1)
    x = stretch * bent_x - slant * bent_y
    # A rotation by a rational parametrisation: no sine or cosine, which round differently
    # from one library to the next.
    half = 0.045 * draws.normal(count, 1)
    cos, sin = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    return np.stack([cos * x - sin * bent_y, sin * x + cos * bent_y], axis=-1)


def _placed(points: np.ndarray, draws: _Draws) -> np.ndarray:
    """To pixels, framed as MNIST is: longer side 16 to 18 pixels, middle of the stroke centred."""
    low, high = points.min(axis=1), points.max(axis=1)
    longer = (high - low).max(axis=1)[:, None, None]
    size = (16 + 2.0 * draws.uniform(len(points)))[:, None, None]
    points = points * (size / longer)
    centre = points.sum(axis=1, keepdims=True) / _POINTS
    shift = 0.35 * draws.normal(len(points), 1, 2)
    points = points - centre + (SIDE - 1) / 2 + shift
    # Off-centre digits, such as a 7 with a long roof, still leave a margin for the pen.
    margin = 2.5
    under = np.maximum(margin - points.min(axis=1, keepdims=True), 0)
    over = np.maximum(points.max(axis=1, keepdims=True) - (SIDE - 1 - margin), 0)
    return points + under - over


def _rasterised(points: np.ndarray, radius: np.ndarray, nib: np.ndarray) -> np.ndarray:
    """Signed distances to the stroke's edge (N, 28, 28) uint8, see ``edge_distances``."""
    pixels = np.arange(SIDE, dtype=np.float32)
    distances = np.empty((len(points), SIDE, SIDE), dtype=np.uint8)
    for start in range(0, len(points), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        across = (points[chunk, :, 0, None].astype(np.float32) - pixels) ** 2
        down = (points[chunk, :, 1, None].astype(np.float32) - pixels) ** 2
        across *= nib[chunk, None, None].astype(np.float32)
        down /= nib[chunk, None, None].astype(np.float32)
        nearest = down[:, 0, :, None] + across[:, 0, None, :]
        candidate = np.empty_like(nearest)
        for point in range(1, points.shape[1]):
            np.add(down[:, point, :, None], across[:, point, None, :], out=candidate)
            np.minimum(nearest, candidate, out=nearest)
        inside = radius[chunk, None, None].astype(np.float32) - np.sqrt(nearest)
        scaled = np.floor(inside * _LEVELS_PER_PIXEL) + _EDGE
        distances[chunk] = np.clip(scaled, 0, 255).astype(np.uint8)
    return distances
