"""One palette for every page: equal things have equal colours, dashes and shapes.

Colours, but for the target's grey, are Okabe and Ito's (2008, https://jfly.uni-koeln.de/color/),
told apart under the common colour-vision deficiencies; dashes and shapes repeat what they say.
"""

import altair as alt

from vae.beliefs import BELIEFS, Style

GAUSSIAN = BELIEFS["gaussian"].style
BERNOULLI = BELIEFS["bernoulli"].style
CONTINUOUS_BERNOULLI = BELIEFS["continuous-bernoulli"].style
COUNTER_BIASED = BELIEFS["counter-biased"].style
TARGET = Style("target", "#8A8F98", (1, 3), "cross")
KL = Style("KL", "#E69F00", (12, 3), "triangle-down")

STYLES = {name: belief.style for name, belief in BELIEFS.items()} | {"target": TARGET, "kl": KL}


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
