"""The tool that evaluates Vega expressions, held against Python's own arithmetic."""

import math
import random
import struct

import altair as alt
import pytest
from vega import VegaError, calculate, evaluate, grid, parameters_of, rows_of, transforms_of

from vae.charts.kit.dials import Dial


def test_every_digit_survives_the_way_there_and_back():
    draw = random.Random(0)
    values = [struct.unpack("d", draw.randbytes(8))[0] for _ in range(3000)]
    values += [5e-324, -0.0, 1.7976931348623157e308, 0.1, 1 / 3]
    values = [value for value in values if math.isfinite(value)]
    assert evaluate("datum.x", [{"x": value} for value in values]) == values


def test_non_finite_values_go_in_and_come_out():
    rows = [{"x": math.nan}, {"x": math.inf}, {"x": -math.inf}, {"x": 2.0}]
    nan, *rest = evaluate("datum.x", rows)
    assert math.isnan(nan)
    assert rest == [math.inf, -math.inf, 2.0]
    assert evaluate("log(datum.x)", [{"x": 0.0}]) == [-math.inf]


def test_expressions_follow_python_over_a_grid():
    rows = grid(x=[0.01, 0.3, 0.7, 2.0], y=[-1.5, 0.0, 3.0])
    got = evaluate("log(datum.x) * exp(datum.y) + pow(datum.x, 3)", rows)
    want = [math.log(row["x"]) * math.exp(row["y"]) + row["x"] ** 3 for row in rows]
    assert got == pytest.approx(want, rel=1e-14)


def test_derived_parameters_follow_those_they_are_made_of():
    dial = Dial("sigma", "sigma", 0.01, 20, 1.0, 0.01, log=True)
    chart = (
        alt.Chart(alt.sequence(0, 1, 0.5, as_="x"))
        .mark_line()
        .transform_calculate(y="datum.x / sigma", z="datum.y * 2")
        .encode(x="x:Q", y="z:Q")
        .add_params(*dial.params(0.1))
    )
    params = parameters_of(chart)
    assert params == {"log10_sigma": -1.0, "sigma": {"expr": "pow(10, log10_sigma)"}}
    assert transforms_of(chart) == [("y", "datum.x / sigma"), ("z", "datum.y * 2")]
    assert evaluate("sigma", [{}], params) == pytest.approx([0.1])
    moved = {**params, "log10_sigma": 1.0}
    got = calculate(transforms_of(chart), [{"x": 5.0}], moved, field="z")
    assert got == pytest.approx([1.0])
    drawn = rows_of(chart, ["x", "z"], {"log10_sigma": 1.0})
    assert [row["x"] for row in drawn] == [0.0, 0.5]
    assert [row["z"] for row in drawn] == pytest.approx([0.0, 0.1])


def test_layers_and_panels_are_searched_too():
    base = alt.Chart(alt.sequence(0, 2, 1, as_="x"))
    layers = base.mark_line().transform_calculate(a="1") + base.mark_rule().transform_calculate(
        b="2"
    )
    panels = layers | base.mark_point().transform_calculate(c="3")
    assert transforms_of(panels) == [("a", "1"), ("b", "2"), ("c", "3")]


@pytest.mark.parametrize("expression", ["datum.x +", "nothing_of_that_name(1)", "'text'", "null"])
def test_what_is_no_number_is_an_error(expression):
    with pytest.raises(VegaError):
        evaluate(expression, [{"x": 1.0}])


def test_fields_that_are_not_drawn_are_an_error():
    chart = alt.Chart(alt.sequence(0, 2, 1, as_="x")).mark_line().encode(x="x:Q")
    with pytest.raises(VegaError, match="nothing"):
        rows_of(chart, ["nothing"])
