"""No preset, and no end of a dial, brings a figure to where it has nothing to show."""

import html
import json
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
import vl_convert
from page_runs import open_app

from vae.web import navigation

PAGES = ("overview", "derivation", "bias")
# What a figure says beyond its formulas' range, what Vega writes for no number, and numbers with a
# hyphen or an exponent.
TYPED = r"(?<![\w.])-\d|\d(?:\.\d+)?e[+-]?\d"
UNSOUND = re.compile(rf"NaN|undefined|Infinity|{TYPED}")
BEYOND = re.compile(rf"outside \[|{UNSOUND.pattern}")
Rows = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


def rows_of(block: Any) -> Iterator[Rows]:
    """Each row of dials: its dials, its presets, and the figures of its container."""
    children = list(block.children.values())
    for child in children:
        if child.type == "bidi_component" and child.proto.component_name == "vae.dials":
            [data] = json.loads(child.proto.json)
            yield data["dials"], data["presets"], list(figures_of(block))
        elif hasattr(child, "children"):
            yield from rows_of(child)


def figures_of(block: Any) -> Iterator[dict[str, Any]]:
    for child in block.children.values():
        if child.type == "vega_lite_chart":
            spec = json.loads(child.proto.spec)
            # A canvas of pixels has no words, and takes long.
            if "usermeta" not in spec:
                yield spec
        elif hasattr(child, "children"):
            yield from figures_of(child)


def positions(dials: list[dict[str, Any]], values: dict[str, float]) -> dict[str, float]:
    """Vega's parameters for these values of the dials."""
    return {
        dial["signal"]: math.log10(values[dial["name"]]) if dial["log"] else values[dial["name"]]
        for dial in dials
        if dial["name"] in values
    }


def words_of(spec: dict[str, Any], signals: dict[str, float]) -> str:
    """The words of a figure at these positions of its dials."""
    params = [
        {**param, "value": signals[param["name"]]} if param["name"] in signals else param
        for param in spec.get("params", [])
    ]
    svg = vl_convert.vegalite_to_svg({**spec, "params": params, "width": 400, "height": 250})
    return html.unescape(" | ".join(re.findall(r"<text[^>]*>([^<]*)", svg)))


@pytest.mark.parametrize("page", PAGES)
def test_no_preset_and_no_end_of_a_dial_leads_out_of_a_range(page: str) -> None:
    looked = 0
    for dials, presets, figures in rows_of(open_app(page).main):
        opening = {dial["name"]: dial["value"] for dial in dials}
        ends = [{dial["name"]: dial[end] for dial in dials} for end in ("minimum", "maximum")]
        for preset in presets:
            for dial in dials:
                at = preset["values"].get(dial["name"], dial["value"])
                assert dial["minimum"] <= at <= dial["maximum"], (preset["label"], dial["name"])
        settings = [({**opening, **preset["values"]}, BEYOND) for preset in presets]
        settings += [({**end, **preset["values"]}, UNSOUND) for preset in presets for end in ends]
        settings += [(end, UNSOUND) for end in ends]
        for values, wrong in settings:
            for spec in figures:
                words = words_of(spec, positions(dials, values))
                assert not wrong.search(words), (values, words)
                looked += 1
    assert looked > 20


def test_no_other_page_has_dials() -> None:
    for page in navigation.PAGES:
        assert (page in PAGES) == any(True for _ in rows_of(open_app(page).main)), page


def test_the_search_sees_an_output_beyond_one() -> None:
    dials, _, figures = next(rows_of(open_app("bias").main))
    seen = [words_of(spec, positions(dials, {"t": 1.0, "h": 0.1})) for spec in figures]
    assert any(BEYOND.search(words) for words in seen)
