"""Trained networks' greys both ways: mean output by target, and mean target by output.

A figure of its own brings its data and a legend; a panel among a run's other figures is drawn over
a frame that the page sends (``vae.runs.tables.bins_frame``), under the legend of them all.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import columns_on_a_phone
from vae.charts.kit.theme import TARGET, Style, colour_scale, shape_scale
from vae.wire.events import CalibrationBin

Curves = tuple[tuple[Style, tuple[CalibrationBin, ...]], ...]
HEIGHT = 340
PANEL_HEIGHT = 230


def build_response_chart(
    *, curves: Curves = (), styles: tuple[Style, ...] = (), named: bool = False
) -> alt.LayerChart:
    """Mean output against target grey, E[output | target], for each run.

    It leans to the middle where z does not tell all: above 0 for dark targets, below for bright.
    ``curves``: a style and the run's bins by target (targets and outputs in [0, 1]); or only the
    ``styles`` of a panel's runs, ``named`` with a legend of its own.
    """
    return _both_ways(
        curves,
        styles,
        named,
        x=("target", "grey of the target"),
        y=("output", "output less target"),
        title="mean output less target, by grey of the target",
        description="Mean output less the target against the target's grey in bins of the test "
        "pixels, for each run; on the dotted line an output is equal to its target.",
    )


def build_calibration_chart(
    *, curves: Curves = (), styles: tuple[Style, ...] = (), named: bool = False
) -> alt.LayerChart:
    """Mean target against output, E[target | output], for each run.

    At 0 an output means what it says. ``curves``: a style and the run's bins by
    output; or only the ``styles`` of a panel's runs, ``named`` with a legend of its own.
    """
    return _both_ways(
        curves,
        styles,
        named,
        x=("output", "output"),
        y=("target", "target less output"),
        title="calibration: mean target less output, by output",
        description="Calibration: mean target less the output against the output in bins of the "
        "test pixels, for each run. On the dotted line an output of a grey is that grey on "
        "average.",
    )


def _both_ways(
    curves: Curves,
    styles: Sequence[Style],
    named: bool,
    *,
    x: tuple[str, str],
    y: tuple[str, str],
    title: str,
    description: str,
) -> alt.LayerChart:
    """How far each run is off the diagonal; a point's area grows with its pixels."""
    if not curves:
        panel: dict[str, Any] = {"height": PANEL_HEIGHT, "title": _title(title)}
        columns = columns_on_a_phone([style.label for style in styles])
        key = alt.Legend(orient="top", columns=columns) if named else None
        layers = _layers(alt.Chart(), styles, (x[0], None), (y[0], None), legend=key)
        return layered(*layers, description=description, **panel)
    legend = alt.Legend(orient="bottom", columns=1)
    layers = _layers(alt.Chart(_rows(curves)), [style for style, _ in curves], x, y, legend)
    return layered(*layers, description=description, height=HEIGHT)


def _layers(
    data: alt.Chart,
    styles: Sequence[Style],
    x: tuple[str, str | None],
    y: tuple[str, str | None],
    legend: alt.Legend | None,
) -> tuple[alt.Chart, ...]:
    names = [style.label for style in styles]
    unit = alt.Scale(domain=[0, 1], nice=False)
    # A legend that is left out is left out of every channel; else colour's is that of all three.
    absent: dict[str, Any] = {"legend": None} if legend is None else {}
    by_member: dict[str, Any] = {"title": None, "sort": names}
    base = data.transform_calculate(off=f"datum.{y[0]} - datum.{x[0]}").encode(
        x=alt.X(f"{x[0]}:Q", title=x[1], scale=unit),
        # What is hardly off at all must not fill the figure.
        y=alt.Y(
            "off:Q",
            title=y[1],
            scale=alt.Scale(domain=alt.DomainUnionWith(unionWith=[-0.05, 0.05])),
        ),
        color=alt.Color("member:N", scale=colour_scale(*styles), legend=legend, **by_member),
    )
    # Told apart by their points: a dashed line makes ragged symbols in a legend.
    line = base.mark_line(strokeWidth=2)
    points = base.mark_point(filled=True, opacity=1).encode(
        shape=alt.Shape("member:N", scale=shape_scale(*styles), **by_member, **absent),
        size=alt.Size("count:Q", legend=None, scale=alt.Scale(type="log", range=[20, 130])),
        tooltip=[
            alt.Tooltip("member:N", title="run"),
            alt.Tooltip("target:Q", format=".3f"),
            alt.Tooltip("output:Q", format=".3f"),
            alt.Tooltip("count:Q", title="pixels", format=",.0f"),
        ],
    )
    return _nothing_off(), line, points


def _rows(curves: Curves) -> pd.DataFrame:
    rows = [
        (style.label, each.target, each.output, each.count)
        for style, bins in curves
        for each in bins
        if each.count
    ]
    return pd.DataFrame(rows, columns=["member", "target", "output", "count"])


def _title(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontWeight=600)


def _nothing_off() -> alt.Chart:
    return (
        alt.Chart(alt.Data(values=[{"off": 0}]))
        .mark_rule(color=TARGET.colour, strokeDash=[2, 3], strokeWidth=2)
        .encode(y=alt.Y("off:Q"))
    )
