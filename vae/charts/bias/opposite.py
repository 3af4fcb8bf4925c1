"""The family L_g: which way its cost leans, and what it does to a soft edge under noise."""

import math
from typing import Any

import altair as alt

from vae.charts.bias.asymmetry import AWAY, OUTSIDE, TOWARD
from vae.charts.bias.parts import G, H, T, upright
from vae.charts.kit.parts import curve, figure, keys, marker, readout, x_axis, y_axis
from vae.charts.kit.theme import BERNOULLI, COUNTER_BIASED, GAUSSIAN, TARGET
from vae.charts.vega import bernoulli as ex

INNER = alt.param(name="inner", expr="clamp(t, 0.01, 0.99)")
EDGE_SCALE = 0.08
EDGE_PIXELS = 21
EDGE_LOW, EDGE_HIGH = 0.2, 0.8
HALVINGS = 20


def build_family_chart(*, t: float, h: float, g: float) -> alt.LayerChart:
    """L_g for the dragged g, scaled to the curvature of 2 MSE, with g = -1 and 0 behind it."""
    weight = "pow(4 * inner * (1 - inner), {g})"

    def scaled(p: str, power: str) -> str:
        cost = ex.counter_biased("inner", p, power)
        return f"4 * {cost} / {weight.format(g=power)}"

    away, toward = scaled(AWAY, "g"), scaled(TOWARD, "g")
    said = (
        f"{OUTSIDE} ? 'one mirrored output is outside [0, 1]' : "
        f"'away from ½: ' + format(({away}) / ({toward}), '.3f') + ' times'"
    )
    thin: dict[str, Any] = {"width": 1.5, "opacity": 0.8}
    bce = f"4 * {ex.excess('inner', 'datum.v')} / 4 / {weight.format(g='-1')}"
    return figure(
        curve(0.01, 0.99, 0.01, bce, BERNOULLI, cap=0.3, **thin),
        curve(0.01, 0.99, 0.01, "2 * pow(datum.v - inner, 2)", GAUSSIAN, cap=0.3, **thin),
        curve(
            0.01, 0.99, 0.02, scaled("datum.v", "g"), COUNTER_BIASED, dash=(1, 0), width=4, cap=0.3
        ),
        upright("inner"),
        marker(f"{OUTSIDE} ? NaN : {AWAY}", away, COUNTER_BIASED),
        marker(f"{OUTSIDE} ? NaN : {TOWARD}", toward, COUNTER_BIASED),
        marker("inner", "0", TARGET),
        *keys((BERNOULLI, "'g = −1: BCE'")),
        readout("'thin: g = 0; thick: g = ' + format(g, '.2f')", said, x=42, y=25),
        x=x_axis("output p"),
        y=y_axis("cost, equal curvature at t", -0.01, 0.44, values=[0, 0.1, 0.2, 0.3]),
        params=[*T.params(t), *H.params(h), *G.params(g), INNER],
        description="The loss against the output, between binary cross-entropy and its "
        "opposite. The lowest point is at the target for every g; points mark the outputs t "
        "minus h and t plus h.",
    )


def build_edge_chart(*, g: float) -> alt.LayerChart:
    """A soft edge of 21 pixels, fitted under output noise with L_g: its best greys."""
    half_width = EDGE_SCALE * math.sqrt(3.0)
    rise = (EDGE_HIGH - EDGE_LOW) / 12
    rows = alt.Chart(alt.sequence(0, EDGE_PIXELS, 1, as_="x")).transform_calculate(
        target=f"clamp({EDGE_LOW} + {rise!r} * (datum.x - 4), {EDGE_LOW}, {EDGE_HIGH})",
        p_0="0.5",
    )
    width = (1 - 2 * half_width) / 4
    for step in range(HALVINGS):
        slope = ex.noisy_counter_slope("datum.target", f"datum.p_{step}", "g", half_width, 8)
        move = f"({slope} < 0 ? 1 : -1) * {width * 0.5**step!r}"
        rows = rows.transform_calculate(**{f"p_{step + 1}": f"datum.p_{step} + {move}"})
    rows = rows.transform_calculate(y=f"datum.p_{HALVINGS}")
    line = rows.mark_line(
        color=COUNTER_BIASED.colour, strokeWidth=4, interpolate="step", clip=True
    ).encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), order=alt.Order("x:Q"))
    target = rows.mark_line(
        color=TARGET.colour, strokeWidth=3, strokeDash=[3, 3], interpolate="step"
    ).encode(x=alt.X("x:Q"), y=alt.Y("target:Q"), order=alt.Order("x:Q"))
    steepest = (
        rows.transform_aggregate(high="max(y)", low="min(y)")
        .transform_calculate(
            text="'black to white: ' + format(datum.low, '.3f') + ' to ' + "
            "format(datum.high, '.3f') + ', × ' + "
            f"format((datum.high - datum.low) / {EDGE_HIGH - EDGE_LOW!r}, '.3f')"
        )
        .mark_text(align="left", baseline="top", fontWeight=600)
        .encode(x=alt.XValue(8), y=alt.YValue(6), text=alt.Text("text:N"))
    )
    return figure(
        target,
        line,
        steepest,
        x=x_axis("pixel across the edge", 0, EDGE_PIXELS - 1),
        y=y_axis("grey", 0, 1),
        params=G.params(g),
        description="A soft edge across 21 pixels, dotted, and the greys of least expected loss "
        "under output noise. They are flatter for g below 0, the edge itself at g of 0, steeper "
        "above.",
    )
