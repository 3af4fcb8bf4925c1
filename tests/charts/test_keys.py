"""No curve runs through a figure's own legend, at the thread's values and on any screen."""

import html
import itertools
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import altair as alt
import pytest
import vl_convert
from chart_samples import ARGUMENTS, BUILDERS

from vae.charts.kit.theme import dressed

_MOVED = re.compile(r"translate\(([-\d.e]+),\s*([-\d.e]+)\)")
_SVG = "{http://www.w3.org/2000/svg}"
# Pixels of the narrowest and of a wide column.
WIDTHS = (350, 620)
Box = tuple[float, float, float, float]
Point = tuple[float, float]


def _walk(node: ET.Element, at: Point = (0.0, 0.0)) -> Iterator[tuple[ET.Element, Point]]:
    if moved := _MOVED.search(node.get("transform", "")):
        at = (at[0] + float(moved[1]), at[1] + float(moved[2]))
    yield node, at
    for child in node:
        yield from _walk(child, at)


def drawn(spec: dict, width: int) -> tuple[list[tuple[str, Box]], list[list[Point]]]:
    """The lines of text of the marks, with their boxes, and the points of each curve."""
    fitted = {**spec, "width": width, "autosize": {"type": "fit", "contains": "padding"}}
    root = ET.fromstring(vl_convert.vegalite_to_svg(fitted))
    texts, curves = [], []
    for group in root.iter(f"{_SVG}g"):
        kind = group.get("class", "")
        if not kind.startswith(("mark-text role-mark", "mark-line role-mark")):
            continue
        # Where the group itself stands is added below.
        for node, at in _walk(group):
            if node.tag == f"{_SVG}path" and "mark-line" in kind:
                pairs = re.findall(r"[ML]([-\d.e]+),([-\d.e]+)", node.get("d", ""))
                curves.append([(float(x) + at[0], float(y) + at[1]) for x, y in pairs])
            if node.tag == f"{_SVG}text":
                lines = [part.text or "" for part in node.iter(f"{_SVG}tspan")] or [node.text or ""]
                for number, line in enumerate(lines):
                    texts.append(_box(node, html.unescape(line), at, number))
    return [each for each in texts if each[0].strip()], [each for each in curves if each]


def _box(node: ET.Element, line: str, at: Point, number: int) -> tuple[str, Box]:
    size = float(re.sub(r"[^\d.]", "", node.get("font-size", "14")) or 14)
    # The mean letter of the pages' type.
    long = 0.5 * size * len(line)
    left = {"end": at[0] - long, "middle": at[0] - long / 2}.get(
        node.get("text-anchor", "start"), at[0]
    )
    foot = at[1] + number * (size + 5)
    return line, (left, foot - 0.75 * size, left + long, foot + 0.1 * size)


def crossed(spec: dict, width: int) -> list[str]:
    """The texts through which a curve is drawn."""
    texts, curves = drawn(spec, width)
    return [text for text, box in texts if any(_through(curve, box) for curve in curves)]


def _through(curve: list[Point], box: Box) -> bool:
    left, top, right, bottom = box
    for (x, y), (u, v) in itertools.pairwise(curve):
        steps = 1 + int(math.hypot(u - x, v - y) / 2)
        for share in (step / steps for step in range(steps + 1)):
            if left < x + share * (u - x) < right and top < y + share * (v - y) < bottom:
                return True
    return False


# Figures whose legend stands within the frame: what it says moves with the dials.
KEYED = [name for name in ARGUMENTS if name.startswith(("bias.", "overview.", "beliefs."))]


@pytest.mark.parametrize("name", KEYED)
def test_no_curve_runs_through_a_legend(name: str) -> None:
    spec = dressed(BUILDERS[name](**ARGUMENTS[name]).to_dict(validate=False))
    for width in WIDTHS:
        assert crossed(spec, width) == [], width


def test_a_curve_through_a_legend_is_seen() -> None:
    rows = alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    base = alt.Chart(rows).encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    words = alt.Chart(alt.Data(values=[{}])).mark_text(text="a long legend", align="left")

    def at(x: float, y: float) -> list[str]:
        placed = words.encode(x=alt.XValue(x), y=alt.YValue(y))
        return crossed(alt.layer(base.mark_line(), placed).to_dict(), 300)

    assert at(100, 120) == ["a long legend"]
    assert at(10, 20) == []
