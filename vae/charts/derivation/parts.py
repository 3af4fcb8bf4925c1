"""What the Derivation page's figures share: its dials, and the panels of the sigma figure."""

from collections.abc import Sequence

import altair as alt

from vae.charts.kit.dials import Dial
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import UNDESCRIBED

PIXELS = 784
PANEL_HEIGHT = 205
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


def panel(
    *layers: alt.Chart | alt.LayerChart, params: Sequence[alt.Parameter], description: str
) -> alt.LayerChart:
    """``layers`` as one panel of the sigma figure: its dials, its height, its text alternative."""
    return layered(
        *layers,
        params=params,
        description=description,
        height=PANEL_HEIGHT,
        config=UNDESCRIBED,
    )
