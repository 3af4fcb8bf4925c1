"""The sigma figure: four panels that one scale moves, computed in the browser."""

from typing import Any

import altair as alt

from vae.charts.derivation.parts import panel, pixel_params
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import key_line, one_row, readout
from vae.charts.kit.theme import GAUSSIAN, KL, TARGET
from vae.charts.vega import gaussian

LOG_PROB_DOMAIN = (-8.0, 6.5)
_CURVES = ("log p", "−(x−μ)²/(2σ²) + const", "−(x−μ)²")


def build_log_prob_chart(*, sigma: float, x: float, mean: float) -> alt.LayerChart:
    """log p against the residual, the squared error, and the rescaled one that lies on log p."""
    low = LOG_PROB_DOMAIN[0]
    value = gaussian.log_prob("x", "mean", "sigma")
    point = (
        one_row(residual="x - mean", shown=f"max({low}, {value})", inside=f"{value} >= {low}")
        .mark_point(filled=True, size=130, opacity=1, color=GAUSSIAN.colour)
        .encode(
            x=alt.X("residual:Q"),
            y=alt.Y("shown:Q"),
            shape=alt.ShapeValue(
                "triangle-down", condition={"test": "datum.inside", "value": "circle"}
            ),
        )
    )
    plain = gaussian.number("-" + gaussian.squared_error("x", "mean"))
    rescaled = gaussian.number(gaussian.rescaled_squared_error("x", "mean", "sigma"))
    numbers = layered(
        *key_line(
            0,
            f"'log p = ' + {gaussian.number(value)}",
            colour=GAUSSIAN.colour,
            width=7,
            opacity=0.45,
        ),
        *key_line(
            1,
            f"'−(x−μ)²/(2σ²) + const = ' + {rescaled}",
            colour=GAUSSIAN.colour,
            dash=(2, 4),
            width=2.5,
        ),
        *key_line(2, f"'−(x−μ)² = ' + {plain}", colour=TARGET.colour, dash=(7, 4)),
    )
    return panel(
        _log_prob_curves(),
        point,
        numbers,
        params=pixel_params(sigma=sigma, x=x, mean=mean),
        description="Log likelihood of one pixel against its residual, beside minus the squared "
        "error; the squared error divided by 2 sigma squared plus a constant lies exactly on it.",
    )


def build_gradient_chart(*, sigma: float, x: float, mean: float) -> alt.LayerChart:
    """Sizes of the two gradients on logarithmic axes: parallel lines, a constant ratio apart."""
    size = f"abs({gaussian.log_prob_gradient('x', 'mean', 'sigma')})"
    plain = f"abs({gaussian.squared_error_gradient('x', 'mean')})"
    ratio = gaussian.compact(gaussian.gradient_ratio("sigma"))
    numbers = layered(
        *key_line(0, f"'of log p: ' + {gaussian.compact(size)}", colour=GAUSSIAN.colour),
        *key_line(
            1, f"'of −(x−μ)²: ' + {gaussian.compact(plain)}", colour=TARGET.colour, dash=(7, 4)
        ),
        *key_line(2, f"'ratio 1/(2σ²) = ' + {ratio}", colour=KL.colour, width=5),
    )
    return panel(
        _gradient_lines(),
        *_gradient_gap(),
        numbers,
        params=pixel_params(sigma=sigma, x=x, mean=mean),
        description="Sizes of the gradients of log likelihood and of squared error against the "
        "residual, on logarithmic axes: parallel lines whose distance is the constant ratio, one "
        "over twice sigma squared.",
    )


def build_density_chart(*, sigma: float, x: float, mean: float) -> alt.LayerChart:
    """The decoder's Gaussian around its mean, and the share of it outside [0, 1]."""
    below, above = (
        gaussian.mass_below_zero("mean", "sigma"),
        gaussian.mass_above_one("mean", "sigma"),
    )
    value_axis = alt.X("value:Q", title="pixel value", scale=alt.Scale(domain=[-1, 2]))
    height_axis = alt.Y(
        "height:Q", title="density / its peak", scale=alt.Scale(domain=[0, 1.35], nice=False)
    )
    # Points where the Gaussian is: a grid over the whole axis would miss a narrow one.
    grid = alt.Chart(alt.sequence(-1, 1.0001, 0.02, as_="step")).transform_calculate(
        value="mean + datum.step * min(4 * sigma, 3)"
    )
    line = (
        grid.transform_calculate(height=_HEIGHT_AT)
        .mark_line(color=GAUSSIAN.colour, strokeWidth=2.5, clip=True)
        .encode(x=value_axis, y=height_axis)
    )
    edges = (
        alt.Chart(alt.sequence(0, 2, 1, as_="value"))
        .mark_rule(strokeDash=[4, 3], color=TARGET.colour, strokeWidth=2)
        .encode(x=alt.X("value:Q"))
    )
    ground = one_row(height="0").mark_rule(color=GAUSSIAN.colour).encode(y=alt.Y("height:Q"))
    target = (
        one_row(value="x", height=gaussian.density_to_peak("x", "mean", "sigma"))
        .mark_point(size=130, filled=True, color=GAUSSIAN.colour, opacity=1)
        .encode(x=alt.X("value:Q"), y=alt.Y("height:Q"))
    )
    left = readout(f"'below 0: ' + format({below}, '.1%')")
    right = readout(f"'above 1: ' + format({above}, '.1%')", x="width - 8", align="right")
    return panel(
        line,
        *_density_areas(grid),
        ground,
        edges,
        target,
        left,
        right,
        params=pixel_params(sigma=sigma, x=x, mean=mean),
        description="The decoder's Gaussian around the predicted mean; the parts below 0 and above "
        "1, where no pixel can be, are shaded and their shares are written out.",
    )


def _log_prob_curves() -> alt.Chart:
    """The three curves, which share one form below their constants."""
    low, high = LOG_PROB_DOMAIN
    return (
        alt.Chart(alt.sequence(-1, 1.0001, 0.02, as_="residual"))
        .transform_calculate(
            **{
                _CURVES[0]: gaussian.log_prob("datum.residual", "0", "sigma"),
                _CURVES[1]: gaussian.rescaled_squared_error("datum.residual", "0", "sigma"),
                _CURVES[2]: f"-{gaussian.squared_error('datum.residual', '0')}",
            }
        )
        .transform_fold(list(_CURVES), as_=["curve", "value"])
        .mark_line(clip=True)
        .encode(
            x=alt.X("residual:Q", title="residual x − μ", scale=alt.Scale(domain=[-1, 1])),
            y=alt.Y(
                "value:Q", title="nats per pixel", scale=alt.Scale(domain=[low, high], nice=False)
            ),
            color=_by_curve("color", [GAUSSIAN.colour, GAUSSIAN.colour, TARGET.colour]),
            strokeDash=_by_curve("dash", [[1, 0], [2, 4], [7, 4]]),
            strokeWidth=_by_curve("width", [7, 2.5, 2.5]),
            opacity=_by_curve("opacity", [0.45, 1, 1]),
            detail=alt.Detail("curve:N"),
        )
    )


def _gradient_lines() -> alt.Chart:
    """Both gradients against the residual: straight lines of slope 1."""
    names = ("of log p", "of −(x−μ)²")
    return (
        alt.Chart(alt.sequence(-2, 0.0001, 0.5, as_="exponent"))
        .transform_calculate(residual="pow(10, datum.exponent)")
        .transform_calculate(
            **{
                names[0]: gaussian.log_prob_gradient("datum.residual", "0", "sigma"),
                names[1]: gaussian.squared_error_gradient("datum.residual", "0"),
            }
        )
        .transform_fold(list(names), as_=["gradient", "size"])
        .mark_line(strokeWidth=3, clip=True)
        .encode(
            x=alt.X(
                "residual:Q",
                title="|x − μ|",
                scale=alt.Scale(type="log", domain=[0.01, 1], nice=False),
                axis=alt.Axis(values=[0.01, 0.03, 0.1, 0.3, 1], format="~g"),
            ),
            y=alt.Y(
                "size:Q",
                title="|gradient by μ|",
                scale=alt.Scale(type="log", domain=[1e-5, 1e8], nice=False),
                axis=alt.Axis(values=[1e-4, 1e-2, 1, 1e2, 1e4], format="~g"),
            ),
            color=alt.Color(
                "gradient:N",
                sort=list(names),
                title=None,
                scale=alt.Scale(domain=list(names), range=[GAUSSIAN.colour, TARGET.colour]),
                legend=None,
            ),
            strokeDash=alt.StrokeDash(
                "gradient:N",
                title=None,
                scale=alt.Scale(domain=list(names), range=[[1, 0], [7, 4]]),
                legend=None,
            ),
        )
    )


def _gradient_gap() -> list[alt.Chart]:
    """The distance of the lines at the current residual: the ratio."""
    # A residual below the axis is shown at its end: the ratio is the same there.
    at = "max(0.01, abs(x - mean))"
    gap = one_row(
        residual=at,
        of_log_prob=gaussian.log_prob_gradient(at, "0", "sigma"),
        of_error=gaussian.squared_error_gradient(at, "0"),
    )
    rule = gap.mark_rule(strokeWidth=3, color=KL.colour, clip=True).encode(
        x=alt.X("residual:Q"), y=alt.Y("of_error:Q"), y2=alt.Y2("of_log_prob:Q")
    )
    ends = (
        gap.transform_fold(["of_log_prob", "of_error"], as_=["end", "size"])
        .mark_point(filled=True, size=110, opacity=1, color=KL.colour, clip=True)
        .encode(x=alt.X("residual:Q"), y=alt.Y("size:Q"))
    )
    return [rule, ends]


def _density_areas(grid: alt.Chart) -> list[alt.Chart]:
    """The Gaussian filled: inside [0, 1] pale, below 0 and above 1 strong."""
    parts = (
        ("clamp(datum.value, 0, 1)", GAUSSIAN.colour, 0.25),
        ("min(datum.value, 0)", KL.colour, 0.65),
        ("max(datum.value, 1)", KL.colour, 0.65),
    )
    return [
        grid.transform_calculate(value=bounds)
        .transform_calculate(height=_HEIGHT_AT)
        .mark_area(color=colour, opacity=opacity, clip=True)
        .encode(x=alt.X("value:Q"), y=alt.Y("height:Q"))
        for bounds, colour, opacity in parts
    ]


_HEIGHT_AT = gaussian.density_to_peak("datum.value", "mean", "sigma")


def _by_curve(channel: str, values: list[Any]) -> Any:
    makers = {
        "color": alt.Color,
        "dash": alt.StrokeDash,
        "width": alt.StrokeWidth,
        "opacity": alt.Opacity,
    }
    return makers[channel](
        "curve:N",
        title=None,
        sort=list(_CURVES),
        scale=alt.Scale(domain=list(_CURVES), range=values),
        legend=None,
    )
