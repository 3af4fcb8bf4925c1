"""Figures with text alternatives, and the dials that move them in the browser."""

import itertools
import pickle
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import streamlit as st

from vae.charts.kit.dials import Dial
from vae.charts.kit.parts import FIGURE_HEIGHT
from vae.charts.kit.theme import dressed
from vae.memo import shared
from vae.web import frame, kept
from vae.web.kit import address
from vae.web.kit.address import hidden
from vae.web.kit.links import host_for_others
from vae.web.routes import assets_path, fetching_script
from vae.web.streamlit_private import to_arrow

_ASSETS = Path(__file__).parents[1] / "assets"
# A class that tries every digit with every flaw asks for a thousand, of about 10 KB each.
_FIGURES = 1024
_numbers = itertools.count()
_dials_component = st.components.v2.component(
    "vae.dials",
    html='<div class="dials" role="group"></div>',
    css=(_ASSETS / "dials.css").read_text(encoding="utf-8"),
    js=fetching_script("dials"),
)


def show_chart(
    builder: Callable[..., alt.TopLevelMixin],
    *,
    key: str,
    width: Any = "stretch",
    **arguments: Any,
) -> None:
    """Draw ``builder(**arguments)``; hashable arguments are built once for all sessions.

    The chart's ``description`` is its text alternative and must be there. ``width`` is that of
    the column, or with "content" the chart's own.
    """
    try:
        number, spec = _built_spec(builder, **arguments)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        _draw(_spec(builder, arguments), key, width)
    else:
        kept.show((number, key, width, _enlarged()), lambda: _draw(spec, key, width))


def draw(
    spec: Mapping[str, Any], *, key: str, width: Any = "stretch", height: int | None = None
) -> None:
    """Draw a specification that `vae.charts.kit.theme.dressed` has dressed.

    Its height is the whole figure's, axes included: the page keeps that much room from the first
    moment on, and the style sheet may give it less in a low window. ``height`` in pixels, where it
    is not the specification's own.
    """
    # A copy, because Streamlit takes parts out of the specification it is given; and without the
    # description, because it logs a warning with a stack trace where that stands beside alt.
    drawn = {name: part for name, part in spec.items() if name != "description"}
    total: Any = "content"
    # In a figure in rows it is the height of one row.
    if "row" not in spec.get("encoding", {}):
        own = drawn.pop("height", FIGURE_HEIGHT)
        total = round((height or own) * (_enlarged() if width == "stretch" else 1))
    st.vega_lite_chart(spec=drawn, alt=spec["description"], key=key, width=width, height=total)


def draw_once(what: Hashable, spec: Mapping[str, Any], *, key: str, height: int | None) -> None:
    """``draw`` for what several see at one moment; ``what`` tells it from all else."""
    kept.show(
        (what, key, height, _enlarged()),
        lambda: draw(spec, key=key, height=height),
        passing=True,
    )


def _enlarged() -> float:
    """How much larger a presenter's figures are; the style sheet (presenter.css) zooms by it."""
    return 1.43 if frame.presenting() else 1.0


def fill_chart(
    builder: Callable[..., alt.TopLevelMixin],
    *,
    key: str,
    rows: Mapping[str, Any],
    words: str,
    **arguments: Any,
) -> None:
    """Draw ``builder(**arguments)``, whose data have names, with ``rows`` as those data.

    For figures that differ in their numbers from visitor to visitor: the frame is built once for
    all, and filling it takes a tenth of the time. ``words`` are the text alternative.
    """
    number, empty = _built_spec(builder, **arguments)

    def fill() -> None:
        tables = {name: to_arrow(table) for name, table in rows.items()}
        filled = {**empty, "datasets": {**empty.get("datasets", {}), **tables}}
        _draw({**filled, "description": words}, key, "stretch")

    # Whoever reads the same loss, and who is back at what was seen before, has the same numbers.
    what = (number, key, _enlarged(), words, pickle.dumps(rows))
    kept.show(what, fill, passing=True)


def _draw(spec: dict[str, Any], key: str, width: Any) -> None:
    draw(spec, key=key, width=width)


@shared(maxsize=_FIGURES)
def _built_spec(
    builder: Callable[..., alt.TopLevelMixin], **arguments: Any
) -> tuple[int, dict[str, Any]]:
    """The specification, and a number that no other ever has."""
    return next(_numbers), _spec(builder, arguments)


def _spec(
    builder: Callable[..., alt.TopLevelMixin], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    # Valid: the tests hold every builder against the schema, which takes as long as building.
    spec = dressed(builder(**arguments).to_dict(validate=False))
    if not spec.get("description"):
        raise ValueError(f"{builder.__name__}: the chart has no description, its text alternative")
    # In the form in which they travel: Streamlit would convert them anew at each run.
    packed = {name: to_arrow(rows) for name, rows in spec.get("datasets", {}).items()}
    return {**spec, "datasets": packed} if packed else spec


def dials(
    *dials: Dial,
    values: Mapping[str, float],
    presets: Mapping[str, Mapping[str, float]] | None = None,
    bare: bool = False,
    key: str,
) -> None:
    """One row of sliders for ``dials``, opening at ``values``; figures follow them in the browser.

    ``presets`` are buttons, or a menu where they do not fit: a label and the values they set, in
    the browser too; ``bare`` leaves out the links to share. What the address hides is left out. The
    row stays at the foot of the window while the figures of its container
    (``vae.web.kit.layout.steered``) are seen. A dial may stand in several rows: it is one dial.
    """
    out = hidden()
    data = {
        "bare": bare,
        "assets": assets_path("classroom"),
        "host": host_for_others(),
        "dials": [
            {
                "name": dial.name,
                "signal": dial.signal,
                "label": dial.label,
                "minimum": dial.minimum,
                "maximum": dial.maximum,
                "step": dial.step,
                "log": dial.log,
                "digits": dial.digits,
                "unit": dial.unit,
                "value": values[dial.name],
            }
            for dial in dials
            if dial.name not in out
        ],
        "presets": [
            {"label": label, "values": dict(preset)}
            for label, preset in (presets or {}).items()
            if "presets" not in out
        ],
    }
    kept.mount(_dials_component, f"dock-{key}", data)


def query_values(dials: Sequence[Dial]) -> dict[str, float]:
    """The dials' opening values from the page's address, or their defaults with a short note."""
    return {
        dial.name: address.number(
            dial.name, default=dial.default, minimum=dial.minimum, maximum=dial.maximum
        )
        for dial in dials
    }
