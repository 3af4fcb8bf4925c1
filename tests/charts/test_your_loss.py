"""The belief of a pasted loss, whose numbers have any size: its axes are read as print is."""

import json
import re

import pytest
import vl_convert

from vae.charts.your_loss.belief import (
    CURVES,
    build_cost_chart,
    build_density_chart,
    rows_of,
)
from vae.web.your_loss.asked import EXAMPLE
from vae.your_loss import read


def _words(build, curves, axis, family) -> list[str]:
    spec = build(axis=axis, names=tuple(curve.name for curve in curves), family=family).to_dict()
    rows = json.loads(rows_of(curves).to_json(orient="records", double_precision=15))
    svg = vl_convert.vegalite_to_svg({**spec, "datasets": {CURVES: rows}})
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


@pytest.mark.parametrize(
    ("weight", "cost", "density"),
    [
        ("1e12 * kl", "2\u00a0×\u00a010⁷", "2\u00a0×\u00a010⁻⁸"),
        ("1e-14 * kl", "6\u00a0×\u00a010⁻⁶", "2\u00a0×\u00a010⁵"),
        ("kl", "−60", "0.010"),
    ],
)
def test_no_zeros_are_counted_on_the_axes_of_a_belief(weight, cost, density):
    belief = read(EXAMPLE.replace("+ kl", f"+ {weight}")).belief
    drawn = _words(build_cost_chart, belief.costs, belief.axis, "gaussian")
    drawn_density = _words(build_density_chart, belief.densities, belief.axis, "gaussian")
    assert cost in drawn, drawn
    assert density in drawn_density, drawn_density
    for word in (*drawn, *drawn_density):
        assert not re.search(r"000,000|0\.0000|[0-9]e[-+−]?[0-9]", word), word
