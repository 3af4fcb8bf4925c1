"""One palette for every page: equal things have equal colours, dashes and shapes.

Colours, but for the target's grey, are Okabe and Ito's (2008, https://jfly.uni-koeln.de/color/),
told apart under the common colour-vision deficiencies; dashes and shapes repeat what they say.
"""

from collections.abc import Mapping
from typing import Any

import altair as alt

from vae.beliefs import BELIEFS, Style

GAUSSIAN = BELIEFS["gaussian"].style
BERNOULLI = BELIEFS["bernoulli"].style
CONTINUOUS_BERNOULLI = BELIEFS["continuous-bernoulli"].style
COUNTER_BIASED = BELIEFS["counter-biased"].style
TARGET = Style("target", "#8A8F98", (1, 3), "cross")
KL = Style("KL", "#E69F00", (12, 3), "triangle-down")

STYLES = {name: belief.style for name, belief in BELIEFS.items()} | {"target": TARGET, "kl": KL}

_IN_THEMES: Mapping[str, tuple[str, str]] = {
    "#0072B2": ("#0072B2", "#2F8FD0"),
    "#56B4E9": ("#3D9BDB", "#56B4E9"),
    "#E69F00": ("#CC8400", "#E69F00"),
}
"""What is too faint on one of the two grounds, as it is drawn on the light and on the dark one: 3:1
and more. The Gaussian's blue on the dark ground is not its sky blue, which is another loss's."""


def in_themes(colour: str) -> str:
    """``colour`` for a style sheet, as all pages have it on either ground."""
    light, dark = _IN_THEMES.get(colour, (colour, colour))
    return colour if light == dark else f"light-dark({light}, {dark})"


def figures_style() -> str:
    """The rules that draw figures in the colours of the page's theme."""
    return "".join(
        f'.stVegaLiteChart svg [{part}="{colour}"] {{ {part}: {in_themes(colour)}; }}\n'
        for colour in _IN_THEMES
        for part in ("fill", "stroke")
    )


def colour_scale(*styles: Style) -> alt.Scale:
    """Colours for a field whose values are the labels of ``styles``."""
    return alt.Scale(
        domain=[style.label for style in styles], range=[style.colour for style in styles]
    )


def dash_scale(*styles: Style) -> alt.Scale:
    """Dashes for a field whose values are the labels of ``styles``."""
    return alt.Scale(
        domain=[style.label for style in styles],
        range=[list(style.dash) or [1, 0] for style in styles],
    )


def shape_scale(*styles: Style) -> alt.Scale:
    """Point shapes for a field whose values are the labels of ``styles``."""
    return alt.Scale(
        domain=[style.label for style in styles], range=[style.shape for style in styles]
    )


TEXT = 14
"""Pixels: the size of all text in figures; the style sheet gives its colour, and enlarges whole
figures for a projector (``vae/web/assets``)."""
_WORDS: Mapping[str, Any] = {
    "labelFontSize": TEXT,
    # No limit: Streamlit's cuts a word short.
    "labelLimit": 0,
    "titleFontSize": TEXT,
    "titleFontWeight": 400,
}
_CONFIG: Mapping[str, Mapping[str, Any]] = {
    "axis": {**_WORDS, "labelPadding": 5, "titlePadding": 7},
    "legend": {**_WORDS, "padding": 0, "offset": 8},
    "header": _WORDS,
    "title": {"fontSize": TEXT, "fontWeight": 600, "anchor": "start", "offset": 10},
    "text": {"fontSize": TEXT},
}


_PADDING = {"left": 2, "right": 10, "top": 4, "bottom": 2}


def dressed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """``spec`` with what all figures have: its text's size and room, and no word cut short.

    A height is the whole figure's, axes and legend included.
    """
    given = spec.get("config", {})
    config = {part: {**values, **given.get(part, {})} for part, values in _CONFIG.items()}
    # As an object: Streamlit adds room of its own to any other.
    padding = dict.fromkeys(_PADDING, 0) if spec.get("padding") == 0 else _PADDING
    return {**spec, "padding": padding, "config": {**given, **config}}
