"""Trained networks' greys both ways: mean output by target, and mean target by output."""

import altair as alt
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import FIT_WIDTH
from vae.charts.kit.theme import TARGET, Style, colour_scale, dash_scale, shape_scale
from vae.wire.events import CalibrationBin

Curves = tuple[tuple[Style, tuple[CalibrationBin, ...]], ...]
HEIGHT = 320


def build_response_chart(*, curves: Curves) -> alt.LayerChart:
    """Mean output against target grey, E[output | target], for each run.

    ``curves``: a style and the run's bins by target (targets and outputs in [0, 1]).
    """
    return _both_ways(
        curves,
        x=("target", "grey of the target"),
        y=("output", "mean output"),
        description="Mean output against the target's grey in bins of the test pixels, for each "
        "run; the dotted diagonal is an output equal to its target.",
    )


def build_calibration_chart(*, curves: Curves) -> alt.LayerChart:
    """Mean target against output, E[target | output], for each run.

    ``curves``: a style and the run's bins by output.
    """
    return _both_ways(
        curves,
        x=("output", "output"),
        y=("target", "mean target"),
        description="Calibration: mean target against the output in bins of the test pixels, for "
        "each run; on the dotted diagonal an output of a grey is that grey on average.",
    )


def _both_ways(
    curves: Curves, *, x: tuple[str, str], y: tuple[str, str], description: str
) -> alt.LayerChart:
    """A line and points for each run over the diagonal; a point's area grows with its pixels."""
    columns = ["run", "target", "output", "count"]
    rows = pd.DataFrame(
        [
            (style.label, b.target, b.output, b.count)
            for style, bins in curves
            for b in bins
            if b.count
        ],
        columns=columns,
    )
    styles = [style for style, _ in curves]
    names = [style.label for style in styles]
    unit = alt.Scale(domain=[0, 1], nice=False)
    base = alt.Chart(rows).encode(
        x=alt.X(f"{x[0]}:Q", title=x[1], scale=unit),
        y=alt.Y(f"{y[0]}:Q", title=y[1], scale=unit),
        color=alt.Color(
            "run:N",
            title=None,
            sort=names,
            scale=colour_scale(*styles),
            legend=alt.Legend(orient="bottom", columns=1, labelLimit=260),
        ),
    )
    line = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.StrokeDash("run:N", title=None, sort=names, scale=dash_scale(*styles))
    )
    points = base.mark_point(filled=True, opacity=1).encode(
        shape=alt.Shape("run:N", title=None, sort=names, scale=shape_scale(*styles)),
        size=alt.Size("count:Q", legend=None, scale=alt.Scale(type="log", range=[20, 130])),
        tooltip=[
            alt.Tooltip("run:N"),
            alt.Tooltip("target:Q", format=".3f"),
            alt.Tooltip("output:Q", format=".3f"),
            alt.Tooltip("count:Q", title="pixels", format=",.0f"),
        ],
    )
    return layered(
        _diagonal(x[0], y[0]),
        line,
        points,
        height=HEIGHT,
        autosize=FIT_WIDTH,
        description=description,
    )


def _diagonal(x: str, y: str) -> alt.Chart:
    return (
        alt.Chart(alt.Data(values=[{x: 0, y: 0}, {x: 1, y: 1}]))
        .mark_line(color=TARGET.colour, strokeDash=[2, 3], strokeWidth=2)
        .encode(x=alt.X(f"{x}:Q"), y=alt.Y(f"{y}:Q"))
    )
