"""Where a trained model's codes lie."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.theme import TARGET, TEXT
from vae.memo import shared

_HEIGHT = 300
# A phone's map in a low window, without its axes: elsewhere names have more room than they need.
_WIDTH_PIXELS, _HEIGHT_PIXELS = 250, 130
_LETTER = 0.62
"""Width of a bold letter, of its size."""
_GAP_PIXELS = 2
_RINGS = 40
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class's name at (x, y), no other name on it, and the middle of its codes; in z."""

    text: str
    x: float
    y: float
    middle: Point


def middles_of(codes: pd.DataFrame) -> tuple[tuple[str, float, float], ...]:
    """Each class of ``code_frame`` with the median of its codes in either latent."""
    medians = codes.groupby("name", sort=True)[["first", "second"]].median()
    return tuple((str(name), float(x), float(y)) for name, x, y in medians.itertuples())


@shared(maxsize=64)
def place_names(
    middles: tuple[tuple[str, float, float], ...], reach: float
) -> tuple[ClassName, ...]:
    """A place for each name of ``middles_of``, as near to its median as the others let it be.

    ``reach``: how far from 0 both axes go; names stay within it.
    """
    texts = [text for text, _, _ in middles]
    halves = [_half(text, texts, reach) for text in texts]
    places = _part([(x, y) for _, x, y in middles], halves, reach)
    return tuple(
        ClassName(text, round(x, 3), round(y, 3), (middle_x, middle_y))
        for (text, middle_x, middle_y), (x, y) in zip(middles, places, strict=True)
    )


def build_map_chart(
    *,
    names: tuple[str, ...],
    latents: tuple[int, ...],
    reach: float = 3.6,
    placed: tuple[ClassName, ...] = (),
) -> alt.TopLevelMixin:
    """Codes of test images in two latents, a colour for each class, its name by its median.

    ``reach``: how far from 0 both axes go. ``placed``: where each name stands, by `place_names`;
    a line leads from one that had to move to the class's median.
    """
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    titles = [f"latent {latent + 1}" for latent in latents] + ["(no second latent)"]
    points = (
        alt.Chart()
        .mark_circle(size=14, opacity=0.35, clip=True)
        .encode(
            x=alt.X("first:Q", title=titles[0], scale=scale),
            y=alt.Y("second:Q", title=titles[1], scale=scale),
            color=alt.Color(
                "name:N", scale=alt.Scale(domain=list(names), scheme="tableau10"), legend=None
            ),
            tooltip=[alt.Tooltip("name:N", title="class")],
        )
    )
    return layered(
        points,
        *_named(placed, reach),
        height=_HEIGHT,
        description="Posterior means of test images in the two most informative latents, coloured "
        "by class, each class's name by its median.",
    )


def _named(placed: Sequence[ClassName], reach: float) -> list[alt.Chart]:
    if not placed:
        return []
    texts = [each.text for each in placed]
    rows = [
        {"text": each.text, "x": each.x, "y": each.y, "x2": end[0], "y2": end[1]}
        for each in placed
        for end in [_edge(each, _half(each.text, texts, reach))]
    ]
    leads = [
        row | {"x": each.middle[0], "y": each.middle[1]}
        for row, each in zip(rows, placed, strict=True)
        if (row["x2"], row["y2"]) != each.middle
    ]
    lines = (
        alt.Chart(alt.Data(values=leads))
        .mark_rule(strokeWidth=1.5, color=TARGET.colour)
        .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), x2="x2:Q", y2="y2:Q")
    )
    words = (
        alt.Chart(alt.Data(values=rows))
        .mark_text(fontSize=_size(texts), fontWeight="bold")
        .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), text=alt.Text("text:N"))
    )
    return [lines, words] if leads else [words]


def _size(texts: Sequence[str]) -> int:
    """Digits are larger than words."""
    return 18 if max(map(len, texts)) <= 2 else TEXT


def _half(text: str, texts: Sequence[str], reach: float) -> Point:
    """Half of what a name takes of the map, across and down, in z."""
    size = _size(texts)
    return (
        reach * (_LETTER * size * len(text) + _GAP_PIXELS) / _WIDTH_PIXELS,
        reach * (size + _GAP_PIXELS) / _HEIGHT_PIXELS,
    )


def _part(middles: Sequence[Point], halves: Sequence[Point], reach: float) -> list[Point]:
    """A place for each, the first free one on rings around its middle; the innermost choose first,
    so that the others move outwards."""
    centre = [sum(middle[axis] for middle in middles) / len(middles) for axis in (0, 1)]
    order = sorted(range(len(middles)), key=lambda each: math.dist(middles[each], centre))
    placed: dict[int, Point] = {}
    for each in order:
        taken = [(place, halves[other]) for other, place in placed.items()]
        around = _around(middles[each], halves[each], reach)
        free = (place for place in around if not _meets(place, halves[each], taken))
        placed[each] = next(free, middles[each])
    return [placed[each] for each in range(len(middles))]


def _around(middle: Point, half: Point, reach: float) -> Iterator[Point]:
    for ring in range(_RINGS):
        turns = 1 if ring == 0 else 6 * ring
        for turn in range(turns):
            angle = 2 * math.pi * turn / turns
            way = (ring * half[0] * math.cos(angle), ring * half[1] * math.sin(angle))
            most = [max(0.0, reach - room) for room in half]
            yield tuple(  # type: ignore[misc]
                min(most[axis], max(-most[axis], middle[axis] + way[axis])) for axis in (0, 1)
            )


def _meets(place: Point, half: Point, taken: Sequence[tuple[Point, Point]]) -> bool:
    return any(
        all(abs(place[axis] - other[axis]) < half[axis] + room[axis] for axis in (0, 1))
        for other, room in taken
    )


def _edge(name: ClassName, half: Point) -> Point:
    """Where the line from the middle of the codes ends: at the name, or where it begins."""
    to = (name.x - name.middle[0], name.y - name.middle[1])
    inside = max(abs(way) / room for way, room in zip(to, half, strict=True))
    if inside <= 1:
        return name.middle
    share = 1 - 1 / inside
    return name.middle[0] + share * to[0], name.middle[1] + share * to[1]
