"""What all figures are made of: a drawing surface, curves, markers, keys, read-outs, axes."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt

from vae.charts.kit.layers import layered
from vae.charts.kit.theme import TARGET, TEXT, Style
from vae.numerals import power

FIGURE_HEIGHT = 270
"""Pixels, axes and their titles included, as of all heights of figures."""

SYMBOL = 900
"""The size of a legend's stroke: the square of its length in pixels."""
UNDESCRIBED: Mapping[str, Any] = {"mark": {"aria": False}}
"""For marks that move: their own descriptions, one text a point, would be written anew at every
frame. The figure's description, its text alternative, stays."""
BARE: Mapping[str, Any] = {**UNDESCRIBED, "view": {"stroke": None}}
"""The same without a frame around the drawing."""
ON_CANVAS: Mapping[str, Any] = {"embedOptions": {"renderer": "canvas"}}
"""Hundreds of cells repaint faster on one canvas than as many SVG nodes."""


def one_row(**fields: str) -> alt.Chart:
    """A chart of a single datum with ``fields`` calculated by Vega expressions."""
    return alt.Chart(alt.sequence(0, 1, 1, as_="only")).transform_calculate(**fields)


def readout(
    *lines: str,
    x: float | str = 8,
    y: float | str = 6,
    align: Literal["left", "right"] = "left",
    size: int = TEXT,
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
    cap: float | str = float("inf"),
) -> alt.Chart:
    """The line (x, y) as ``datum.v`` runs from ``low`` to ``high``; x and y are expressions.

    Above ``cap``, a number or an expression, it is not drawn: there the figure has its legend.
    """
    if cap != float("inf"):
        keep = f"({keep}) && datum.y <= {cap}"
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


_LETTERS_ACROSS = 36


def columns_on_a_phone(labels: Sequence[str]) -> int:
    """Columns of a legend of ``labels`` and their strokes that fit a phone: two, or one."""
    across = sum(max(map(len, labels[column::2]), default=0) for column in (0, 1))
    return 2 if across <= _LETTERS_ACROSS else 1


def stroke_legend(**details: Any) -> alt.Legend:
    """A legend below the figure whose strokes are long enough to show how a dash recurs."""
    given: dict[str, Any] = {"symbolStrokeWidth": 3, **details}
    return alt.Legend(orient="bottom", symbolType="stroke", symbolSize=SYMBOL, **given)


def figure(
    *layers: alt.Chart,
    x: alt.X,
    y: alt.Y,
    params: Sequence[alt.Parameter],
    description: str,
    height: int = FIGURE_HEIGHT,
) -> alt.LayerChart:
    """``layers`` over one pair of axes that stay as they are while dials move."""
    frame = one_row(x="0", y="0").transform_filter("false").mark_point(aria=False).encode(x=x, y=y)
    return layered(
        frame,
        *layers,
        params=params,
        height=height,
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


_EXPONENT = "floor(log(abs(datum.value)) / LN10 + 1e-9)"
_SUPERSCRIPTS = "['⁰','¹','²','³','⁴','⁵','⁶','⁷','⁸','⁹']"
AS_IN_PRINT = (
    "datum.value == 0 ? '0' : abs(datum.value) >= 1e-4 && abs(datum.value) < 1e5 ? datum.label : "
    f"format(datum.value / pow(10, {_EXPONENT}), '.3~g') + '\u00a0×\u00a010' "
    f"+ ({_EXPONENT} < 0 ? '⁻' : '') "
    f"+ (abs({_EXPONENT}) >= 10 ? {_SUPERSCRIPTS}[floor(abs({_EXPONENT}) / 10)] : '') "
    f"+ {_SUPERSCRIPTS}[abs({_EXPONENT}) % 10]"
)
"""A ``labelExpr`` for numbers of any size: 2 × 10⁻⁸ where zeros would have to be counted."""


def labels_as_powers(low: int, high: int, plain: Sequence[int] = (0,)) -> str:
    """A ``labelExpr`` for a logarithmic axis from 10^``low`` to 10^``high``.

    Exponents in ``plain`` are written out. Vega's own formats write 1e-8, with a hyphen.
    """
    names = ", ".join(
        f"'{each}': '{10.0**each:g}'" if each in plain else f"'{each}': '{power(each)}'"
        for each in range(low, high + 1)
    )
    return f"{{{names}}}[round(log(datum.value) / LN10)]"


def log_axis(title: str, low: float, high: float) -> alt.X:
    return alt.X(
        "x:Q",
        title=title,
        scale=alt.Scale(type="log", domain=[low, high], nice=False),
        axis=alt.Axis(format="~g", tickCount=6),
    )
