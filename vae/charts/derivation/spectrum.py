"""The spectrum of a data set, a variance that one drags, and the latents that survive it."""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from vae.charts.derivation.parts import VARIANCE
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import UNDESCRIBED, stroke_legend
from vae.charts.kit.theme import GAUSSIAN, KL, TARGET
from vae.charts.vega import gaussian
from vae.theory.ppca import TrainedPoint, kl_per_latent, squared_error

SHOWN = 100
LATENTS = 20
HEIGHT = 310
Spectrum = tuple[float, ...]


def build_spectrum_chart(*, spectrum: Spectrum, variance: float) -> alt.LayerChart:
    """The largest eigenvalues; those above the dragged variance have a latent that survives."""
    rows = pd.DataFrame(
        {"latent": np.arange(1, len(spectrum) + 1), "eigenvalue": np.maximum(spectrum, 1e-12)}
    )
    return layered(
        *_eigenvalues(low=0.004),
        _variance_line(3, y=alt.Y("level:Q")),
        _totals(alt.Chart(rows)),
        data=rows,
        params=VARIANCE.params(variance),
        height=HEIGHT,
        description="The hundred largest eigenvalues of the data's covariance on a logarithmic "
        "axis and the line of the decoder's variance, sigma squared. Latents above it survive; "
        "their number, the KL and the squared error are written out.",
        config=UNDESCRIBED,
    )


def _eigenvalues(low: float) -> list[alt.Chart]:
    """The figure's rows as sticks from ``low`` and their tops, told apart by what survives."""
    # A chart without data of its own reads the figure's.
    shown = alt.Chart().transform_filter(f"datum.latent <= {SHOWN}")
    shown = shown.transform_calculate(
        survives=f"datum.eigenvalue > variance ? '{_ALIVE}' : '{_DEAD}'", base=f"{low}"
    )
    sticks = shown.mark_rule(strokeWidth=4, clip=True).encode(
        x=alt.X(
            "latent:Q",
            title="principal direction j",
            scale=alt.Scale(domain=[0, SHOWN + 1], nice=False),
            axis=alt.Axis(grid=False),
        ),
        y=alt.Y(
            "eigenvalue:Q",
            title="eigenvalue vⱼ",
            scale=alt.Scale(type="log", domain=[low, 1000], nice=False),
            axis=alt.Axis(values=[0.01, 0.1, 1, 10, 100, 1000], format="~g"),
        ),
        y2=alt.Y2("base:Q"),
        color=_alive("color", [GAUSSIAN.colour, TARGET.colour]),
        opacity=_alive("opacity", [1.0, 0.45]),
    )
    tops = shown.mark_point(filled=True, size=34, clip=True, opacity=1).encode(
        x=alt.X("latent:Q"),
        y=alt.Y("eigenvalue:Q"),
        color=alt.Color("survives:N", legend=None),
        shape=alt.Shape(
            "survives:N",
            legend=None,
            scale=alt.Scale(domain=[_ALIVE, _DEAD], range=["circle", "cross"]),
        ),
    )
    return [sticks, tops]


def _variance_line(width: float, **place: alt.X | alt.Y) -> alt.Chart:
    """The dragged variance as a line across the figure."""
    return (
        alt.Chart(alt.sequence(0, 1, 1, as_="only"))
        .transform_calculate(level="variance")
        .mark_rule(strokeWidth=width, strokeDash=[12, 3], color=KL.colour)
        .encode(**place)
    )


def build_prediction_chart(
    *, spectrum: Spectrum, variance: float, trained: tuple[TrainedPoint, ...] = ()
) -> alt.LayerChart:
    """KL and squared error of a linear VAE with 20 latents, and what deep VAEs did."""
    layers = [_predicted(spectrum), _variance_line(2, x=alt.X("level:Q"))]
    if trained:
        layers.append(_trained_points(trained))
    return layered(
        *layers,
        params=VARIANCE.params(variance),
        resolve={"scale": {"shape": "independent"}},
        height=HEIGHT,
        description="KL and expected squared error of the best linear VAE against the "
        "decoder's variance, sigma squared, and trained deep VAEs as points beside them.",
        config=UNDESCRIBED,
    )


def _predicted(spectrum: Spectrum) -> alt.Chart:
    """The two curves of the linear VAE against the decoder's variance."""
    grid = np.logspace(-2, 3, 101)
    kls = [float(kl_per_latent(spectrum, value, latents=LATENTS).sum()) for value in grid]
    errors = [squared_error(spectrum, value, latents=LATENTS) for value in grid]
    rows = pd.DataFrame(
        {
            "variance": np.tile(grid, 2),
            "value": kls + errors,
            "what": [_WHAT[0]] * len(grid) + [_WHAT[1]] * len(grid),
        }
    )
    names = list(_WHAT)
    return (
        alt.Chart(rows)
        .mark_line(strokeWidth=3)
        .encode(
            x=alt.X(
                "variance:Q",
                title="σ²",
                scale=alt.Scale(type="log", domain=[0.01, 1000], nice=False),
                axis=alt.Axis(values=[0.01, 0.1, 1, 10, 100, 1000], format="~g"),
            ),
            y=alt.Y("value:Q", title="per image"),
            color=alt.Color(
                "what:N",
                title=None,
                scale=alt.Scale(domain=names, range=[KL.colour, GAUSSIAN.colour]),
                legend=stroke_legend(),
            ),
            strokeDash=alt.StrokeDash(
                "what:N",
                title=None,
                scale=alt.Scale(domain=names, range=[list(KL.dash), [1, 0]]),
            ),
        )
    )


_ALIVE, _DEAD = "survives (vⱼ > σ²)", "collapses"
_WHAT = ("KL, nats", "squared error")


def _alive(channel: str, values: list[Any]) -> Any:
    maker = {"color": alt.Color, "opacity": alt.Opacity}[channel]
    return maker(
        "survives:N",
        title=None,
        scale=alt.Scale(domain=[_ALIVE, _DEAD], range=values),
        legend=alt.Legend(orient="bottom", symbolType="square", symbolSize=120),
    )


def _trained_points(trained: tuple[TrainedPoint, ...]) -> alt.Chart:
    rows = pd.DataFrame(
        [
            {"variance": point.variance, "value": value, "what": what}
            for point in trained
            for what, value in zip(_WHAT, (point.kl, point.squared_error), strict=True)
        ]
    )
    return (
        alt.Chart(rows)
        .mark_point(filled=True, size=120, opacity=1)
        .encode(
            x=alt.X("variance:Q"),
            y=alt.Y("value:Q"),
            color=alt.Color("what:N"),
            shape=alt.Shape(
                "what:N",
                legend=None,
                scale=alt.Scale(domain=list(_WHAT), range=[KL.shape, GAUSSIAN.shape]),
            ),
            tooltip=[
                alt.Tooltip("what"),
                alt.Tooltip("variance"),
                alt.Tooltip("value:Q", format=".1f"),
            ],
        )
    )


def _totals(eigenvalues: alt.Chart) -> alt.Chart:
    """Survivors, KL and squared error over all directions, in words."""
    return (
        eigenvalues.transform_calculate(
            alive="datum.eigenvalue > variance ? 1 : 0",
            kl=gaussian.latent_kl("datum.eigenvalue", "variance"),
            error=gaussian.latent_error("datum.eigenvalue", "variance"),
        )
        .transform_aggregate(alive="sum(alive)", kl="sum(kl)", error="sum(error)")
        .transform_calculate(
            text="'σ² = ' + format(variance, '.3~r') + ',  σ = ' + format(sqrt(variance), '.3~r')"
            " + '\\n' + datum.alive + ' latents survive'"
            " + '\\nKL = ' + format(datum.kl, '.1f') + ' nats'"
            " + '\\nsquared error = ' + format(datum.error, '.1f') + ' per image'"
        )
        .mark_text(
            align="right",
            baseline="top",
            lineBreak="\n",
            lineHeight=20,
            fontWeight=600,
        )
        .encode(text=alt.Text("text:N"), x=alt.XValue(alt.ExprRef("width - 6")), y=alt.YValue(6))
    )
