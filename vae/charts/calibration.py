"""Calibration of trained networks: the mean output for each grey of the target, and its parts."""

import altair as alt
import pandas as pd

from vae.charts.derivation_parts import FIT_WIDTH
from vae.charts.layers import layered
from vae.charts.theme import TARGET, Style, colour_scale, dash_scale, shape_scale
from vae.events import CalibrationBin

Curves = tuple[tuple[Style, tuple[CalibrationBin, ...]], ...]
HEIGHT = 320


def build_calibration_chart(*, curves: Curves) -> alt.LayerChart:
    """Mean output against target grey, a line and points for each run; area grows with pixels.

    ``curves``: a style and the run's bins (targets and outputs in [0, 1]).
    """
    rows = pd.DataFrame(
        [
            {"run": style.label, "target": b.target, "output": b.output, "count": b.count}
            for style, bins in curves
            for b in bins
            if b.count
        ],
        columns=["run", "target", "output", "count"],
    )
    styles = [style for style, _ in curves]
    names = [style.label for style in styles]
    unit = alt.Scale(domain=[0, 1], nice=False)
    base = alt.Chart(rows).encode(
        x=alt.X("target:Q", title="grey of the target", scale=unit),
        y=alt.Y("output:Q", title="mean output", scale=unit),
        color=alt.Color(
            "run:N",
            title=None,
            sort=names,
            scale=colour_scale(*styles),
            legend=alt.Legend(orient="bottom", columns=1, labelLimit=260),
        ),
    )
    line = base.mark_line(strokeWidth=2).encode(
        strokeDash=alt.StrokeDash(
            "run:N",
            title=None,
            sort=names,
            scale=dash_scale(*styles),
        )
    )
    points = base.mark_point(filled=True, opacity=1).encode(
        shape=alt.Shape(
            "run:N",
            title=None,
            sort=names,
            scale=shape_scale(*styles),
        ),
        size=alt.Size("count:Q", legend=None, scale=alt.Scale(type="log", range=[20, 130])),
        tooltip=[
            alt.Tooltip("run:N"),
            alt.Tooltip("target:Q", format=".3f"),
            alt.Tooltip("output:Q", format=".3f"),
            alt.Tooltip("count:Q", title="pixels", format=",.0f"),
        ],
    )
    return layered(
        _diagonal(),
        line,
        points,
        height=HEIGHT,
        autosize=FIT_WIDTH,
        description="Mean output against the target's grey in bins of the test pixels, for each "
        "run; the dotted diagonal is an output equal to its target.",
    )


def build_parts_chart(*, curves: Curves) -> alt.LayerChart:
    """How far each run lies from the target, per bin: what is shared, and what is a loss's own."""
    rows = pd.DataFrame(
        [
            {"run": style.label, "target": b.target, "gap": b.output - b.target, "count": b.count}
            for style, bins in curves
            for b in bins
            if b.count
        ],
        columns=["run", "target", "gap", "count"],
    )
    styles = [style for style, _ in curves]
    names = [style.label for style in styles]
    lines = (
        alt.Chart(rows)
        .mark_line(strokeWidth=3, point=alt.OverlayMarkDef(filled=True, size=50, opacity=1))
        .encode(
            x=alt.X(
                "target:Q",
                title="grey of the target",
                scale=alt.Scale(domain=[0, 1], nice=False),
            ),
            y=alt.Y("gap:Q", title="mean output less target", axis=alt.Axis(format="+.2f")),
            color=alt.Color(
                "run:N",
                title=None,
                sort=names,
                scale=colour_scale(*styles),
                legend=alt.Legend(orient="bottom", columns=1, labelLimit=260),
            ),
            strokeDash=alt.StrokeDash(
                "run:N",
                title=None,
                sort=names,
                scale=dash_scale(*styles),
            ),
            tooltip=[
                alt.Tooltip("run:N"),
                alt.Tooltip("target:Q", format=".3f"),
                alt.Tooltip("gap:Q", format="+.3f"),
                alt.Tooltip("count:Q", title="pixels", format=",.0f"),
            ],
        )
    )
    zero = (
        alt.Chart(alt.Data(values=[{"gap": 0}]))
        .mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2)
        .encode(y=alt.Y("gap:Q"))
    )
    return layered(
        zero,
        lines,
        height=HEIGHT,
        autosize=FIT_WIDTH,
        description="Mean output less target against the target's grey, for each run: above zero "
        "for dark targets and below it for bright ones in all runs alike.",
    )


def _diagonal() -> alt.Chart:
    ends = alt.Data(values=[{"target": 0, "output": 0}, {"target": 1, "output": 1}])
    return (
        alt.Chart(ends)
        .mark_line(color=TARGET.colour, strokeDash=[2, 3], strokeWidth=2)
        .encode(x=alt.X("target:Q"), y=alt.Y("output:Q"))
    )
