"""What a pixel costs, and the density that this cost stands for: exp(-cost), normalised."""

import altair as alt
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import AS_IN_PRINT, FIGURE_HEIGHT, stroke_legend
from vae.charts.kit.theme import GAUSSIAN, STYLES, Style
from vae.your_loss import Belief, Curve

_AXES = {
    "error": "error: output minus picture, in the code's units",
    "value": "a value of the picture, beside the middle",
    "output": "output, a probability",
    "class": "probability of the class that is there",
}
_DENSITY_AXES = {
    **_AXES,
    "output": "the pixel's grey",
    "class": "class",
}
_DASHES = ([1, 0], [8, 4], [2, 3])


CURVES = "curves"
"""The name of the data that `rows_of` fills in."""


def build_cost_chart(*, axis: str, names: tuple[str, ...], family: str) -> alt.LayerChart:
    """The cost of one pixel in nats beside one nat of KL, over ``axis`` of a belief."""
    return _lines(
        names,
        style_of(family),
        x=_AXES[axis],
        y="cost, nats a pixel",
        description="What one pixel costs.",
    )


def build_density_chart(
    *, axis: str, names: tuple[str, ...], family: str, two: bool = False
) -> alt.LayerChart:
    """The belief about a pixel; with ``two`` bars, where it allows two values."""
    description = "The belief that this cost stands for."
    if two:
        return _bars(style_of(family), description)
    if axis == "class":
        return _classes(style_of(family), description)
    x = _DENSITY_AXES[axis]
    return _lines(names, style_of(family), x=x, y="density", description=description)


def rows_of(curves: tuple[Curve, ...]) -> pd.DataFrame:
    """The data of either figure."""
    return pd.DataFrame(
        {
            "x": [at for curve in curves for at in curve.x],
            "y": [value for curve in curves for value in curve.y],
            "which": [curve.name for curve in curves for _ in curve.x],
        }
    )


def describe_cost(belief: Belief) -> str:
    """The text alternative of the cost."""
    return f"What one pixel costs under {belief.label}: " + (
        {
            "error": "lowest at no error.",
            "value": "low at each of its parts.",
            "class": "none where the class is certain.",
        }.get(belief.axis, "one curve a target.")
    )


def describe_density(belief: Belief) -> str:
    """The text alternative of the density."""
    return f"The belief that this cost stands for: {belief.label}."


def style_of(family: str) -> Style:
    """The colour and dash of the family on all pages."""
    return STYLES.get(family, GAUSSIAN)


def _lines(
    names: tuple[str, ...], style: Style, *, x: str, y: str, description: str
) -> alt.LayerChart:
    line = (
        alt.Chart(alt.NamedData(CURVES))
        .mark_line(strokeWidth=3, color=style.colour)
        .encode(
            x=alt.X(
                "x:Q", title=x, scale=alt.Scale(nice=False), axis=alt.Axis(labelExpr=AS_IN_PRINT)
            ),
            y=alt.Y("y:Q", title=y, axis=alt.Axis(labelExpr=AS_IN_PRINT)),
            strokeDash=alt.StrokeDash(
                "which:N",
                title=None,
                scale=alt.Scale(domain=list(names), range=list(_DASHES[: len(names)])),
                legend=stroke_legend() if len(names) > 1 else None,
            ),
        )
    )
    return layered(line, height=FIGURE_HEIGHT, description=description)


def _classes(style: Style, description: str) -> alt.LayerChart:
    bars = (
        alt.Chart(alt.NamedData(CURVES))
        .mark_bar(color=style.colour)
        .encode(
            x=alt.X("x:O", title=_DENSITY_AXES["class"], axis=alt.Axis(labelAngle=0)),
            y=alt.Y("y:Q", title="probability"),
        )
    )
    return layered(bars, height=FIGURE_HEIGHT, description=description)


def _bars(style: Style, description: str) -> alt.LayerChart:
    bars = (
        alt.Chart(alt.NamedData(CURVES))
        .mark_bar(color=style.colour)
        .encode(
            x=alt.X("which:N", title=None, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("x:N"),
            y=alt.Y("y:Q", title="probability", scale=alt.Scale(domain=[0, 1])),
            opacity=alt.Opacity(
                "x:O",
                title="the pixel is",
                scale=alt.Scale(domain=[0, 1], range=[0.45, 1.0]),
                legend=alt.Legend(orient="bottom"),
            ),
        )
    )
    return layered(bars, height=FIGURE_HEIGHT, description=description)
