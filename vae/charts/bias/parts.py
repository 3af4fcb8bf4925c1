"""What the Bias page's figures share: its dials, curves, markers and read-outs."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from vae.charts.kit.dials import Dial
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import FIT_WIDTH, key_line, one_row
from vae.charts.kit.theme import TARGET, Style

HEIGHT = 220
# Pixels at the top of a figure that its legend takes.
LEGEND = 66
T = Dial("t", "t, the target", 0.0, 1.0, 0.8, 0.005)
H = Dial("h", "h, how far off", 0.005, 0.495, 0.1, 0.005)
CENTRE = Dial("centre", "where the targets lie", -3.0, 3.0, 1.0, 0.01, digits=2)
SPREAD = Dial("spread", "spread: one grey to black and white", 0.0, 8.0, 1.5, 0.02, digits=2)
SKEW = Dial("skew", "skew", -0.3, 0.3, 0.1, 0.005, digits=2)
S = Dial("s", "s, noise on the output", 0.002, 0.28, 0.1, 0.001)
TAU = Dial("tau", "τ, noise on the logit", 0.0, 2.0, 1.0, 0.01, digits=2)
DECAY = Dial("decay", "weight decay", 1e-4, 1.0, 0.01, 0.01, log=True)
STOP = Dial("stop", "stopped at time", 0.1, 1000.0, 5.0, 0.01, log=True)
START = Dial("start", "logit at the start", -8.0, 4.0, -5.0, 0.02, digits=2)
SIGMA = Dial("sigma", "σ of the squared error", 0.05, 1.0, 0.7071, 0.005, log=True)
G = Dial("g", "g, which way the loss leans", -1.0, 1.0, 1.0, 0.01, digits=2)

# Inside a figure whose formulas divide by t(1 - t), the target stays this far from 0 and 1.
MARGIN = 0.02
INNER = alt.param(name="inner", expr=f"clamp(t, {MARGIN}, {1 - MARGIN})")


def curve(
    low: float,
    high: float,
    step: float,
    y: str,
    style: Style,
    *,
    x: str = "datum.v",
    width: float = 3,
    dash: Sequence[float] | None = None,
    opacity: float = 1.0,
    keep: str = "true",
    cap: float = float("inf"),
) -> alt.Chart:
    """The line (x, y) as ``datum.v`` runs from ``low`` to ``high``; x and y are expressions.

    Above ``cap`` it is not drawn: there the figure has its legend.
    """
    if cap < float("inf"):
        keep = f"({keep}) && datum.y <= {cap!r}"
    return (
        alt.Chart(alt.sequence(low, high + step / 2, step, as_="v"))
        .transform_calculate(x=x, y=y)
        .transform_filter(f"isFinite(datum.x) && isFinite(datum.y) && ({keep})")
        .mark_line(
            color=style.colour,
            strokeDash=list(style.dash if dash is None else dash) or [1, 0],
            strokeWidth=width,
            opacity=opacity,
            clip=True,
        )
        .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), order=alt.Order("v:Q"))
    )


def marker(x: str, y: str, style: Style, *, size: int = 150) -> alt.Chart:
    """A point at the expressions (x, y); left out where either is no finite number."""
    return (
        one_row(x=x, y=y)
        .transform_filter("isFinite(datum.x) && isFinite(datum.y)")
        .mark_point(
            filled=True, size=size, opacity=1, color=style.colour, shape=style.shape, clip=True
        )
        .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    )


def upright(x: str) -> alt.Chart:
    """A dotted vertical rule at the expression ``x``, below the legend."""
    return (
        one_row(x=x)
        .mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2)
        .encode(x=alt.X("x:Q"), y=alt.YValue(LEGEND), y2=alt.Y2Value(alt.ExprRef("height")))
    )


def level(y: str) -> alt.Chart:
    """A dotted horizontal rule at the expression ``y``."""
    return (
        one_row(y=y)
        .mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2)
        .encode(y=alt.Y("y:Q"))
    )


def keys(*lines: tuple[Style, str]) -> list[alt.Chart]:
    """A legend inside the figure: a stroke of each style and an expression that gives its text."""
    parts: list[alt.Chart] = []
    for number, (style, text) in enumerate(lines):
        dash = style.dash or (1, 0)
        parts += key_line(number, text, colour=style.colour, dash=dash)
    return parts


def figure(
    *layers: alt.Chart,
    x: alt.X,
    y: alt.Y,
    params: Sequence[alt.Parameter],
    description: str,
    height: int = HEIGHT,
) -> alt.LayerChart:
    """``layers`` over one pair of axes that stay as they are while dials move."""
    frame = one_row(x="0", y="0").transform_filter("false").mark_point(aria=False).encode(x=x, y=y)
    return layered(
        frame,
        *layers,
        params=params,
        height=height,
        autosize=FIT_WIDTH,
        description=description,
    )


def x_axis(title: str, low: float = 0.0, high: float = 1.0, **axis: Any) -> alt.X:
    return alt.X(
        "x:Q", title=title, scale=alt.Scale(domain=[low, high], nice=False), axis=alt.Axis(**axis)
    )


def y_axis(title: str, low: float, high: float, **axis: Any) -> alt.Y:
    return alt.Y(
        "y:Q", title=title, scale=alt.Scale(domain=[low, high], nice=False), axis=alt.Axis(**axis)
    )


def log_axis(title: str, low: float, high: float) -> alt.X:
    return alt.X(
        "x:Q",
        title=title,
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(format="~g", tickCount=6),
    )
