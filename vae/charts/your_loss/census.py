"""Public losses with a fixed Gaussian on one axis of sigma squared, and the reader's own."""

import math
from collections import Counter
from typing import Literal

import altair as alt
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import labels_as_powers
from vae.charts.kit.theme import GAUSSIAN, KL, TARGET
from vae.numerals import written
from vae.your_loss import LANDMARKS, census

LOW, HIGH = 1e-8, 1e7
_TICKS = [10.0**exponent for exponent in range(-8, 7, 2)]
_DECADE_SHARE = 0.34
# Pixels of the drawing, and of the axis below it.
_HEIGHT = 210
_AXIS = 50
_ROW = 15.0


OWN = "own"
"""The name of the data of the reader's own mark, which `own_rows` fills in."""


def build_census_chart(
    *, own: float | None = None, name: str = "your loss", chosen: str = "", marked: bool = False
) -> alt.LayerChart:
    """One point a public loss at its sigma^2 in [0, 1] pixels.

    ``own`` is one sigma^2 more, the reader's, which ``name`` tells; with ``marked`` it is left to
    the data ``OWN``. ``chosen`` is the id of a point to ring. An ``own`` beyond the axis stands at
    its end.
    """
    axis = alt.X(
        "sigma2:Q",
        title="σ² that the code implies, for pixels in [0, 1]",
        scale=alt.Scale(type="log", domain=[LOW, HIGH], nice=False),
        axis=alt.Axis(values=_TICKS, labelExpr=labels_as_powers(-8, 7)),
    )
    rows = _rows()
    points = (
        alt.Chart(rows)
        .mark_point(filled=True, size=95, opacity=0.9, color=GAUSSIAN.colour)
        .encode(
            x=alt.X("sigma2:Q"),
            y=alt.Y("place:Q"),
            shape=alt.Shape(
                "fate:N",
                title=None,
                scale=alt.Scale(domain=list(_FATES), range=["circle", "triangle-down"]),
                legend=None,
            ),
            tooltip=[
                alt.Tooltip("source:N", title="source"),
                alt.Tooltip("sigma2:Q", title="σ²", format=".4~r"),
                alt.Tooltip("formula:N", title="as"),
                alt.Tooltip("reconstruction:N", title="error"),
                alt.Tooltip("kl:N", title="KL"),
                alt.Tooltip("fate:N", title="latents"),
            ],
        )
    )
    layers = [_axes(axis), _region(), _landmarks(), *_landmark_names(), points]
    if chosen:
        layers.append(_ring(rows[rows["id"] == chosen]))
    if own is not None:
        layers += _own(own_rows(own, name))
    elif marked:
        layers += _own(alt.NamedData(OWN))
    return layered(*layers, height=_HEIGHT + _AXIS, description=describe_census(own, name))


def describe_census(own: float | None = None, name: str = "your loss") -> str:
    """The text alternative."""
    known = _sigmas()
    return written(
        f"{len(known)} public losses on a logarithmic axis of the variance that each implies, "
        f"from {min(known):.2g} to {max(known):.2g}"
        + (f", and {name} at {own:.4g}." if own is not None else ".")
    )


def own_rows(own: float, name: str = "your loss") -> pd.DataFrame:
    """The reader's own mark; its name stands on the side that has room."""
    side = "left" if own > 1e4 else "right"
    return pd.DataFrame(
        {
            "sigma2": [min(max(own, LOW), HIGH)],
            "place": [_HEIGHT * 0.6],
            "name": [name],
            "side": [side],
        }
    )


def _sigmas() -> list[float]:
    return [entry.sigma2_unit for entry in census() if entry.sigma2_unit is not None]


_FATES = ("some may live", "all die, whatever the pictures")


def _axes(x: alt.X) -> alt.Chart:
    """Nothing but the axes, first: the layers above them share these."""
    return (
        alt.Chart(pd.DataFrame([{"sigma2": 1.0, "place": 0.0}]))
        .mark_point(size=0, opacity=0, aria=False)
        .encode(
            x=x,
            y=alt.Y("place:Q", scale=alt.Scale(domain=[0, _HEIGHT], nice=False), axis=None),
        )
    )


def _rows() -> pd.DataFrame:
    known = [entry for entry in census() if entry.sigma2_unit is not None]
    taken: Counter[int] = Counter()
    rows = []
    for entry in known:
        assert entry.sigma2_unit is not None
        column = math.floor(math.log10(entry.sigma2_unit) / _DECADE_SHARE)
        rows.append(
            {
                "id": entry.id,
                "source": entry.source,
                "sigma2": entry.sigma2_unit,
                "place": 18 + _ROW * taken[column],
                "formula": entry.formula,
                "reconstruction": entry.reconstruction,
                "kl": entry.kl,
                "fate": _FATES[int(entry.collapses)],
            }
        )
        taken[column] += 1
    return pd.DataFrame(rows)


def _region() -> alt.Chart:
    """Where no direction of 28x28 pictures can vary as much: D/4 and beyond."""
    edges = pd.DataFrame([{"low": LANDMARKS["D/4 of 28 x 28"], "high": HIGH}])
    return (
        alt.Chart(edges)
        .mark_rect(color=KL.colour, opacity=0.14, aria=False)
        .encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    )


# Name, place, side of its line and row: the names stand clear of one another on a phone too.
_LINES = (
    ("8-bit floor", LANDMARKS["8-bit floor"], "left", 0),
    ("D/4, 28×28", LANDMARKS["D/4 of 28 x 28"], "right", 0),
    ("sum of squares: ½", LANDMARKS["sum of squares + KL: 1/2"], "right", 1),
    ("half: 1", LANDMARKS["half the sum + KL: 1"], "left", 2),
)
_LINE_HEIGHT = 24


def _landmark_rows(side: str = "") -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"name": name, "sigma2": value, "height": _HEIGHT - 4 - _LINE_HEIGHT * row}
            for name, value, where, row in _LINES
            if side in ("", where)
        ]
    )


def _landmarks() -> alt.Chart:
    """Lines as high as their names, of which none is crossed."""
    return (
        alt.Chart(_landmark_rows())
        .mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2, aria=False)
        .encode(x=alt.X("sigma2:Q"), y=alt.Y("height:Q"), y2=alt.Y2Datum(0))
    )


def _landmark_names() -> list[alt.Chart]:
    return [
        alt.Chart(_landmark_rows(side))
        .mark_text(align=align, dx=dx, baseline="top", fontWeight=600)
        .encode(x=alt.X("sigma2:Q"), y=alt.Y("height:Q"), text=alt.Text("name:N"))
        for side, align, dx in _SIDES
    ]


_SIDES: tuple[tuple[str, Literal["left", "right"], int], ...] = (
    ("left", "left", 4),
    ("right", "right", -4),
)


def _ring(rows: pd.DataFrame) -> alt.Chart:
    return (
        alt.Chart(rows)
        .mark_point(size=330, strokeWidth=3, color=KL.colour, filled=False)
        .encode(x=alt.X("sigma2:Q"), y=alt.Y("place:Q"))
    )


def _own(rows: pd.DataFrame | alt.NamedData) -> list[alt.Chart]:
    x, y = alt.X("sigma2:Q"), alt.Y("place:Q")
    mark = alt.Chart(rows).mark_point(
        filled=True, size=260, shape="diamond", color=KL.colour, opacity=1
    )
    rule = alt.Chart(rows).mark_rule(color=KL.colour, strokeWidth=3, aria=False)
    return [rule.encode(x=x), mark.encode(x=x, y=y), *_own_names(rows)]


def _own_names(rows: pd.DataFrame | alt.NamedData) -> list[alt.Chart]:
    sides: tuple[tuple[str, Literal["left", "right"], int], ...] = (
        ("right", "left", 14),
        ("left", "right", -14),
    )
    return [
        alt.Chart(rows)
        .transform_filter(f"datum.side == '{side}'")
        .mark_text(align=align, dx=dx, fontWeight=700)
        .encode(x=alt.X("sigma2:Q"), y=alt.Y("place:Q"), text=alt.Text("name:N"))
        for side, align, dx in sides
    ]
