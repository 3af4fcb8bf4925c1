"""An image and a flawed reconstruction of it: maps of error and of NLL, a mean and a sample.

Images come as tuples of 784 greys, 0 to 255, and travel as Vega parameters: a figure is a few
kilobytes, and built once for all sessions.
"""

from collections.abc import Sequence

import altair as alt
import numpy as np

from vae.charts.derivation.parts import PIXELS, SIGMA
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import BARE, ON_CANVAS
from vae.charts.kit.theme import GAUSSIAN, KL
from vae.charts.vega import gaussian

SIDE = 28
SIZE = 140
Greys = tuple[int, ...]

_NOISE = tuple(round(float(draw), 4) for draw in np.random.default_rng(7).standard_normal(PIXELS))
_GREYS = alt.Scale(domain=[0, 1], range=["#000000", "#ffffff"], clamp=True)
_ERRORS = alt.Scale(domain=[0, 0.5], scheme="viridis", clamp=True)
_NATS = alt.Scale(
    domain=[-2.5, 0, 2.5],
    range=[GAUSSIAN.colour, "#E6E8EB", KL.colour],
    interpolate="rgb",
    clamp=True,
)


def build_picture_chart(*, greys: Greys, name: str) -> alt.LayerChart:
    """A picture as it is, one cell a pixel."""
    return _map("greys[datum.i] / 255", _GREYS, f"The {name}, 28 by 28 greys.", _lists(greys=greys))


def build_error_map_chart(*, target: Greys, mean: Greys) -> alt.LayerChart:
    """The squared error of each pixel, 0 to 0.5."""
    return _map(
        gaussian.squared_error("datum.x", "datum.mean"),
        _ERRORS,
        "Map of the squared error of each pixel; bright where the reconstruction misses.",
        _lists(targets=target, means=mean),
    )


def build_nll_map_chart(*, target: Greys, mean: Greys, sigma: float) -> alt.LayerChart:
    """-log p of each pixel, from -2.5 to 2.5 nats, following sigma."""
    return _map(
        f"-{gaussian.log_prob('datum.x', 'datum.mean', 'sigma')}",
        _NATS,
        "Map of the negative log likelihood of each pixel at this sigma, in nats: blue below zero, "
        "orange above.",
        [*_lists(targets=target, means=mean), *SIGMA.params(sigma)],
    )


def build_sample_chart(*, mean: Greys, sigma: float) -> alt.LayerChart:
    """A draw from p(x|z): the mean plus sigma times fixed noise, shown between black and white."""
    return _map(
        "clamp(means[datum.i] / 255 + sigma * noise[datum.i], 0, 1)",
        _GREYS,
        "A sample from the decoder's Gaussian at this sigma: the reconstruction plus noise.",
        [*_lists(means=mean, noise=_NOISE), *SIGMA.params(sigma)],
    )


def build_identity_chart(*, target: Greys, mean: Greys, sigma: float) -> alt.LayerChart:
    """log p summed over the pixels, beside -D/(2 sigma^2) MSE - D log sigma - D/2 log 2 pi."""
    written = (
        _cells()
        .transform_calculate(
            log_prob=gaussian.log_prob("datum.x", "datum.mean", "sigma"),
            error=gaussian.squared_error("datum.x", "datum.mean"),
        )
        .transform_aggregate(total="sum(log_prob)", mse="mean(error)")
        .transform_calculate(identity=f"-{gaussian.nll('datum.mse', 'sigma', PIXELS)}")
        .transform_calculate(
            text="'Σ log p, pixel by pixel:  ' + format(datum.total, ',.8f')"
            " + '\\n−D/(2σ²) · MSE + const:  ' + format(datum.identity, ',.8f')"
            " + '\\nMSE = ' + format(datum.mse, '.5f')"
            " + ',  RMSE = ' + format(sqrt(datum.mse), '.3f')"
        )
        .mark_text(
            align="left", baseline="top", lineBreak="\n", lineHeight=21, fontSize=15, fontWeight=600
        )
        .encode(text=alt.Text("text:N"), x=alt.XValue(2), y=alt.YValue(2))
    )
    return layered(
        written,
        params=[*_lists(targets=target, means=mean), *SIGMA.params(sigma)],
        height=72,
        padding=0,
        description="The log likelihood summed over pixels equals the formula with sigma and the "
        "mean squared error, to floating-point precision.",
        config=BARE,
    )


def _lists(**values: Sequence[float]) -> list[alt.Parameter]:
    # As text: Altair would look at each of the numbers, for ten times as long as all the rest.
    return [
        alt.param(name=name, expr=f"[{','.join(map(str, numbers))}]")
        for name, numbers in values.items()
    ]


def _cells() -> alt.Chart:
    """One row a pixel, with its target and mean greys where those parameters exist."""
    return alt.Chart(alt.sequence(0, PIXELS, 1, as_="i")).transform_calculate(
        x="targets[datum.i] / 255", mean="means[datum.i] / 255"
    )


def _map(
    shown: str, scale: alt.Scale, description: str, params: list[alt.Parameter]
) -> alt.LayerChart:
    paired = any(param.name == "targets" for param in params)
    cells = _cells() if paired else alt.Chart(alt.sequence(0, PIXELS, 1, as_="i"))
    square = (
        cells.transform_calculate(
            left=f"datum.i % {SIDE}", top=f"floor(datum.i / {SIDE})", shown=shown
        )
        .transform_calculate(right="datum.left + 1", bottom="datum.top + 1")
        # Cells without gaps: anti-aliased edges would draw a grid.
        .mark_rect(strokeWidth=0)
        .encode(
            x=alt.X("left:Q", axis=None, scale=alt.Scale(domain=[0, SIDE])),
            x2=alt.X2("right:Q"),
            y=alt.Y("top:Q", axis=None, scale=alt.Scale(domain=[0, SIDE], reverse=True)),
            y2=alt.Y2("bottom:Q"),
            color=alt.Color("shown:Q", scale=scale, legend=None),
        )
    )
    return layered(
        square,
        params=params,
        width=SIZE,
        height=SIZE,
        padding=0,
        description=description,
        usermeta=ON_CANVAS,
        config=BARE,
    )
