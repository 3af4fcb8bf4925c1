"""What the Derivation page's figures share: its dials, its read-outs, its drawing surface."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt

from vae.charts.kit.dials import Dial
from vae.charts.kit.layers import layered

PIXELS = 784
PANEL_HEIGHT = 150
SIGMA = Dial("sigma", "σ, the scale", 0.01, 20.0, 0.3, 0.005, log=True)
TARGET_PIXEL = Dial("x", "x, the target", 0.0, 1.0, 0.8, 0.005)
PREDICTION = Dial("mean", "μ, the prediction", 0.0, 1.0, 0.6, 0.005)
VARIANCE = Dial("variance", "σ², the variance", 0.01, 1000.0, 0.5, 0.01, log=True)
FIT_MEAN = Dial("fit_mean", "μ of the model", 0.0, 1.0, 0.3, 0.005)
FIT_SIGMA = Dial("fit_sigma", "σ of the model", 0.05, 2.0, 0.2, 0.005, log=True)
PIXEL_DIALS = (SIGMA, TARGET_PIXEL, PREDICTION)


def pixel_params(*, sigma: float, x: float, mean: float) -> list[alt.Parameter]:
    """The parameters of the three dials of one pixel, opening at these values."""
    return [
        *SIGMA.params(sigma),
        *TARGET_PIXEL.params(x),
        *PREDICTION.params(mean),
    ]


UNDESCRIBED: Mapping[str, Any] = {"mark": {"aria": False}}
"""For marks that move: their own descriptions, one text a point, would be written anew at every
frame. The figure's description, its text alternative, stays."""
BARE: Mapping[str, Any] = {**UNDESCRIBED, "view": {"stroke": None}}
"""The same without a frame around the drawing."""
ON_CANVAS: Mapping[str, Any] = {"embedOptions": {"renderer": "canvas"}}
"""Hundreds of cells repaint faster on one canvas than as many SVG nodes."""
FIT_WIDTH = alt.AutoSizeParams(type="fit-x", contains="padding")
"""The column sets the width; the height is that of the drawing, without axes."""


def one_row(**fields: str) -> alt.Chart:
    """A chart of a single datum with ``fields`` calculated by Vega expressions."""
    return alt.Chart(alt.sequence(0, 1, 1, as_="only")).transform_calculate(**fields)


def readout(
    *lines: str,
    x: float | str = 8,
    y: float | str = 6,
    align: Literal["left", "right"] = "left",
    size: int = 13,
) -> alt.Chart:
    """Text that follows the dials: each line a Vega expression that gives text.

    ``x`` and ``y`` are pixels from the top left, or an expression of ``width`` and ``height``.
    """
    joined = " + '\\n' + ".join(f"({line})" for line in lines)
    return (
        one_row(readout=joined)
        .mark_text(
            align=align,
            baseline="top",
            lineBreak="\n",
            lineHeight=size + 5,
            fontSize=size,
            fontWeight=600,
        )
        .encode(text=alt.Text("readout:N"), x=alt.XValue(_place(x)), y=alt.YValue(_place(y)))
    )


def key_line(
    line: int,
    text: str,
    *,
    colour: str,
    dash: Sequence[float] = (1, 0),
    width: float = 3,
    opacity: float = 1.0,
) -> list[alt.Chart]:
    """A line of a read-out, drawn with a stroke of the curve that it speaks of."""
    y = 6 + 19 * line
    stroke = (
        one_row()
        .mark_rule(
            # A key's stroke says nothing that the words beside it do not.
            aria=False,
            color=colour,
            strokeDash=list(dash),
            strokeWidth=width,
            opacity=opacity,
        )
        .encode(x=alt.XValue(8), x2=alt.X2Value(34), y=alt.YValue(y + 7))
    )
    return [stroke, readout(text, x=42, y=y)]


def _place(where: float | str) -> Any:
    return alt.ExprRef(where) if isinstance(where, str) else where


def panel(
    *layers: alt.Chart | alt.LayerChart, params: Sequence[alt.Parameter], description: str
) -> alt.LayerChart:
    """``layers`` as one panel of the sigma figure: its dials, its height, its text alternative."""
    return layered(
        *layers,
        params=params,
        description=description,
        height=PANEL_HEIGHT,
        autosize=FIT_WIDTH,
        config=UNDESCRIBED,
    )
