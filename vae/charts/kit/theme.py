"""One palette for every page: equal things have equal colours, dashes and shapes.

Colours, but for the target's grey, are Okabe and Ito's (2008, https://jfly.uni-koeln.de/color/),
told apart under the common colour-vision deficiencies; dashes and shapes repeat what they say.
"""

from dataclasses import dataclass

import altair as alt


@dataclass(frozen=True)
class Style:
    """How one thing looks wherever it appears."""

    label: str
    colour: str
    dash: tuple[int, ...]
    shape: str


GAUSSIAN = Style("Gaussian / MSE", "#0072B2", (), "circle")
BERNOULLI = Style("Bernoulli / BCE", "#D55E00", (8, 4), "square")
CONTINUOUS_BERNOULLI = Style("continuous Bernoulli", "#009E73", (8, 3, 2, 3), "diamond")
COUNTER_BIASED = Style("counter-biased L₁", "#CC79A7", (2, 3), "triangle-up")
TARGET = Style("target", "#8A8F98", (1, 3), "cross")
KL = Style("KL", "#E69F00", (12, 3), "triangle-down")

STYLES = {
    "gaussian": GAUSSIAN,
    "bernoulli": BERNOULLI,
    "continuous-bernoulli": CONTINUOUS_BERNOULLI,
    "counter-biased": COUNTER_BIASED,
    "target": TARGET,
    "kl": KL,
}


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
