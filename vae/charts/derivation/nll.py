"""The sigma figure's panel of a whole image: its NLL against the scale."""

import altair as alt

from vae.charts.derivation.parts import PIXELS, panel, pixel_params
from vae.charts.kit.parts import one_row, readout
from vae.charts.kit.theme import GAUSSIAN, KL, TARGET
from vae.charts.vega import gaussian
from vae.theory.gaussian import ZERO_NLL_MSE

NLL_DOMAIN = (-3300.0, 9500.0)
# The axis ends at 0.01: a residual of zero has no finite best NLL.
_RMSE = "max(0.01, abs(x - mean))"


def build_nll_chart(*, sigma: float, x: float, mean: float) -> alt.LayerChart:
    """The NLL of an image against the scale, for the squared error of the chosen pixel."""
    mse = gaussian.squared_error("x", "mean")
    now = gaussian.nll(mse, "sigma", PIXELS)
    best = gaussian.best_nll(f"max(1e-4, {mse})", PIXELS)
    numbers = readout(
        f"'● now ' + format({now}, ',.0f')",
        f"'◆ least ' + format({best}, ',.0f') + ' at σ = RMSE = ' + {gaussian.number(_RMSE)}",
        f"'✚ least is 0 at RMSE = {ZERO_NLL_MSE**0.5:.3f}'",
        x="width - 8",
        align="right",
    )
    return panel(
        *_curves(mse),
        *_marks(mse),
        numbers,
        params=pixel_params(sigma=sigma, x=x, mean=mean),
        description="Negative log likelihood of an image against sigma for the current squared "
        "error, with its minimum at sigma equal to the root mean squared error. The line of all "
        f"such minima crosses zero at a mean squared error of {ZERO_NLL_MSE:.4f}.",
    )


def _curves(mse: str) -> list[alt.Chart]:
    """The NLL at every scale, and the line on which the minima of all errors lie."""
    scale_axis = alt.X(
        "scale:Q",
        title="σ",
        scale=alt.Scale(type="log", domain=[0.01, 20], nice=False),
        axis=alt.Axis(values=[0.01, 0.03, 0.1, 0.3, 1, 3, 10, 20], format="~g"),
    )
    nll_axis = alt.Y(
        "nll:Q",
        title="−log p, nats per image",
        scale=alt.Scale(domain=list(NLL_DOMAIN), nice=False),
        axis=alt.Axis(values=[-2000, 0, 2000, 4000, 6000, 8000]),
    )
    grid = alt.Chart(alt.sequence(-2, 1.3011, 0.0275, as_="exponent")).transform_calculate(
        scale="pow(10, datum.exponent)"
    )
    curve = (
        grid.transform_calculate(nll=gaussian.nll(mse, "datum.scale", PIXELS))
        .mark_line(strokeWidth=3, color=GAUSSIAN.colour, clip=True)
        .encode(x=scale_axis, y=nll_axis)
    )
    minima = (
        grid.transform_calculate(nll=gaussian.best_nll("pow(datum.scale, 2)", PIXELS))
        .mark_line(strokeWidth=2, strokeDash=[2, 4], color=TARGET.colour, clip=True)
        .encode(x=alt.X("scale:Q"), y=alt.Y("nll:Q"))
    )
    return [minima, curve]


def _marks(mse: str) -> list[alt.Chart]:
    """Zero, where the least NLL crosses it, the least NLL, and the current one."""
    high = NLL_DOMAIN[1]
    now = gaussian.nll(mse, "sigma", PIXELS)
    zero = one_row(nll="0").mark_rule(color=TARGET.colour).encode(y=alt.Y("nll:Q"))
    sign_change = (
        one_row(scale=repr(ZERO_NLL_MSE**0.5), nll="0")
        .mark_point(shape="cross", size=110, filled=True, color=TARGET.colour, opacity=1)
        .encode(x=alt.X("scale:Q"), y=alt.Y("nll:Q"))
    )
    least = (
        one_row(scale=_RMSE, nll=gaussian.best_nll(f"pow({_RMSE}, 2)", PIXELS))
        .mark_point(shape="diamond", size=150, filled=True, color=KL.colour, opacity=1)
        .encode(x=alt.X("scale:Q"), y=alt.Y("nll:Q"))
    )
    current = (
        one_row(scale="sigma", nll=f"min({high}, {now})", inside=f"{now} <= {high}")
        .mark_point(size=130, filled=True, color=GAUSSIAN.colour, opacity=1)
        .encode(
            x=alt.X("scale:Q"),
            y=alt.Y("nll:Q"),
            shape=alt.ShapeValue(
                "triangle-up", condition={"test": "datum.inside", "value": "circle"}
            ),
        )
    )
    return [zero, sign_change, least, current]
