"""What a pixel costs, and the density that this cost stands for: exp(-cost), normalised."""

import altair as alt
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import FIGURE_HEIGHT, FIT_WIDTH
from vae.charts.kit.theme import BERNOULLI, CONTINUOUS_BERNOULLI, GAUSSIAN, Style
from vae.your_loss import Belief, Curve

_AXES = {
    "error": "error: output minus picture, in the code's units",
    "output": "output, a probability",
}
_DASHES = ([1, 0], [8, 4], [2, 3])


def build_cost_chart(*, belief: Belief, family: str) -> alt.LayerChart:
    """The cost of one pixel in nats beside one nat of KL."""
    return _lines(
        belief.costs,
        style_of(family),
        x=_AXES[belief.axis],
        y="cost, nats a pixel",
        description=f"What one pixel costs under {belief.label}: "
        + ("lowest at no error." if belief.axis == "error" else "one curve a target."),
    )


def build_density_chart(*, belief: Belief, family: str) -> alt.LayerChart:
    """The belief about a pixel; two bars where it allows two values."""
    x = _AXES["error"] if belief.axis == "error" else "the pixel's grey"
    description = f"The belief that this cost stands for: {belief.label}."
    if len(belief.densities[0].x) == 2:
        return _bars(belief.densities, style_of(family), description)
    return _lines(belief.densities, style_of(family), x=x, y="density", description=description)


def style_of(family: str) -> Style:
    """The colour and dash of the family on all pages."""
    if family == "bernoulli":
        return BERNOULLI
    return CONTINUOUS_BERNOULLI if family == "continuous-bernoulli" else GAUSSIAN


def _lines(
    curves: tuple[Curve, ...], style: Style, *, x: str, y: str, description: str
) -> alt.LayerChart:
    rows = pd.DataFrame(
        [
            {"x": at, "y": value, "which": curve.name}
            for curve in curves
            for at, value in zip(curve.x, curve.y, strict=True)
        ]
    )
    names = [curve.name for curve in curves]
    line = (
        alt.Chart(rows)
        .mark_line(strokeWidth=3, color=style.colour)
        .encode(
            x=alt.X("x:Q", title=x, scale=alt.Scale(nice=False)),
            y=alt.Y("y:Q", title=y),
            strokeDash=alt.StrokeDash(
                "which:N",
                title=None,
                scale=alt.Scale(domain=names, range=list(_DASHES[: len(names)])),
                legend=alt.Legend(orient="bottom") if len(names) > 1 else None,
            ),
        )
    )
    return layered(line, height=FIGURE_HEIGHT, autosize=FIT_WIDTH, description=description)


def _bars(curves: tuple[Curve, ...], style: Style, description: str) -> alt.LayerChart:
    rows = pd.DataFrame(
        [
            {"grey": f"{at:g}", "belief": value, "which": curve.name}
            for curve in curves
            for at, value in zip(curve.x, curve.y, strict=True)
        ]
    )
    bars = (
        alt.Chart(rows)
        .mark_bar(color=style.colour)
        .encode(
            x=alt.X("which:N", title=None, axis=alt.Axis(labelAngle=0)),
            xOffset=alt.XOffset("grey:N"),
            y=alt.Y("belief:Q", title="probability", scale=alt.Scale(domain=[0, 1])),
            opacity=alt.Opacity(
                "grey:N",
                title="the pixel is",
                scale=alt.Scale(domain=["0", "1"], range=[0.45, 1.0]),
                legend=alt.Legend(orient="bottom"),
            ),
        )
    )
    return layered(bars, height=FIGURE_HEIGHT, autosize=FIT_WIDTH, description=description)
