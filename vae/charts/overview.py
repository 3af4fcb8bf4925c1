"""The Overview's living picture: a decoder's belief about one pixel, and the loss it becomes."""

from typing import Literal

import altair as alt

from vae.charts.kit.dials import Dial
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import one_row
from vae.charts.kit.theme import (
    BERNOULLI,
    CONTINUOUS_BERNOULLI,
    GAUSSIAN,
    TARGET,
    colour_scale,
    dash_scale,
    shape_scale,
)
from vae.charts.vega import bernoulli, gaussian
from vae.charts.vega import overview as expressions

T = Dial("t", "t, the pixel's grey", 0.0, 1.0, 0.8, 0.005)
P = Dial("p", "p, the decoder's output", 0.02, 0.98, 0.6, 0.005)
SIGMA = Dial("sigma", "σ of the Gaussian", 0.05, 2.0, 0.3, 0.005, log=True)
DIALS = (T, P, SIGMA)
LOSSES = (GAUSSIAN, BERNOULLI, CONTINUOUS_BERNOULLI)
COSTLIEST = 1.5
HIGHEST = 9.0
# The continuous Bernoulli has no bounded density at exact 0 and 1: it is given the middle of
# the byte's step.
DEQUANTISED = expressions.dequantised("t")
HEIGHT = 230

_QUIET = alt.Color("loss:N", scale=colour_scale(*LOSSES), legend=None)


def build_belief_chart(*, t: float, p: float, sigma: float) -> alt.TopLevelMixin:
    """p(x | z) against x for the three decoders at output p: densities, and bars' probabilities."""
    # The square root leaves room for a bell of sigma .05 and still shows one of sigma 2.
    height = alt.Y(
        "height:Q", title="p(x | z): density, or bar", axis=alt.Axis(values=[0, 0.5, 1, 2, 4, 8])
    ).scale(type="sqrt", domain=[0, HIGHEST], nice=False)
    grey = alt.X(
        "x:Q",
        title="x, a pixel's grey",
        axis=alt.Axis(values=[-0.5, 0, 0.5, 1, 1.5], labelFlush=False),
    ).scale(domain=[-0.5, 1.5], nice=False)
    outside = alt.Chart(alt.sequence(0, 2, 1, as_="i")).transform_calculate(
        x="datum.i == 0 ? -0.5 : 1", end="datum.i == 0 ? 0 : 1.5"
    )
    return layered(
        outside.mark_rect(opacity=0.12, color=TARGET.colour).encode(x=grey, x2=alt.X2("end:Q")),
        _target_rule(),
        *_belief_layers(grey, height),
        _words("the pixel: t", at=alt.Y(datum=0.97 * HIGHEST), baseline="top"),
        # A line below the pixel's name, which on a narrow screen reaches that far.
        _sigma("t > 0.5", right=1.48, left=-0.48, height=0.97 * HIGHEST, baseline="top"),
        params=_opening(t, p, sigma),
        height=HEIGHT,
        description="What each decoder believes of one pixel when its output is p. The Gaussian's "
        "is a bell of width sigma, which reaches beyond 0 and 1. The continuous Bernoulli's is a "
        "density on [0, 1]. The Bernoulli's two bars at 0 and 1 are probabilities. A line "
        "marks the pixel's true grey t.",
    )


def _belief_layers(grey: alt.X, height: alt.Y) -> list[alt.Chart]:
    """The bell, the ramp and the bars, and where the first two stand at the pixel's grey."""
    target = one_row(x="t")
    spread = one_row(x=DEQUANTISED)
    bell = _bell(alt.Chart(alt.sequence(-0.5, 1.5001, 0.01, as_="x")))
    ramp = _ramp(alt.Chart(alt.sequence(0, 1.0001, 0.02, as_="x")))
    ends = alt.Chart(alt.sequence(0, 2, 1, as_="x"))
    bars = _named(ends, BERNOULLI.label).transform_calculate(height="datum.x == 1 ? p : 1 - p")
    points = [
        chart.mark_point(size=100, filled=True, opacity=1).encode(
            x=grey, y=height, color=_QUIET, shape=_shape()
        )
        for chart in (bars, _bell(target), _ramp(spread))
    ]
    return [
        bell.mark_area(opacity=0.14, line=False).encode(x=grey, y=height, color=_QUIET),
        bell.mark_line(strokeWidth=2.5).encode(x=grey, y=height, color=_QUIET),
        ramp.mark_line(strokeWidth=2.5).encode(
            x=grey, y=height, color=_QUIET, strokeDash=_hidden()
        ),
        bars.mark_bar(size=7, opacity=0.55).encode(x=grey, y=height, color=_QUIET),
        *points,
    ]


def _bell(chart: alt.Chart) -> alt.Chart:
    return _named(chart, GAUSSIAN.label).transform_calculate(
        height=expressions.gaussian_density("datum.x", "p", "sigma")
    )


def _ramp(chart: alt.Chart) -> alt.Chart:
    return _named(chart, CONTINUOUS_BERNOULLI.label).transform_calculate(
        height=expressions.cb_density("datum.x", "a_p")
    )


def build_loss_chart(*, t: float, p: float, sigma: float) -> alt.TopLevelMixin:
    """-log p(t | output), less its least value, against the output, with the current output."""
    outputs = alt.Chart(alt.sequence(0.01, 0.9901, 0.01, as_="u"))
    solved = expressions.calculate(outputs, expressions.cb_logit_steps("datum.u", "a"))
    curves = _costs(solved, "datum.u", "datum.a")
    here = _costs(one_row(u="p"), "p", "a_p")
    output = alt.X(
        "u:Q",
        title="output p",
        axis=alt.Axis(values=[0, 0.2, 0.4, 0.6, 0.8, 1], labelFlush=False),
    ).scale(domain=[0, 1], nice=False)
    cost = alt.Y(
        "cost:Q", title="nats above the least", axis=alt.Axis(values=[0, 0.5, 1, 1.5])
    ).scale(domain=[-0.2, COSTLIEST], nice=False)
    return layered(
        _target_rule(),
        curves.mark_line(clip=True, strokeWidth=2.5).encode(
            x=output, y=cost, color=_QUIET, strokeDash=_hidden()
        ),
        here.mark_point(clip=True, size=130, filled=True, opacity=1).encode(
            x=output, y=cost, color=_QUIET, shape=_shape()
        ),
        _words("least at t", at=alt.Y(datum=-0.19), baseline="bottom"),
        # A line above the other words, on the side where the curves are high.
        _sigma(
            "t < 0.5",
            right=0.99,
            left=0.01,
            height=-0.19,
            baseline="bottom",
        ),
        params=_opening(t, p, sigma),
        height=HEIGHT,
        description="Three losses of one pixel against the decoder's output: the Gaussian's "
        "parabola of width sigma, the Bernoulli's and the continuous Bernoulli's tilted "
        "valleys. All are least where the output equals the target t. Points mark the "
        "current output.",
    )


def build_cost_chart(*, t: float, p: float, sigma: float) -> alt.TopLevelMixin:
    """The three losses at the current output as bars with their numbers."""
    here = _costs(one_row(), "p", "a_p").transform_calculate(
        shown=f"min(datum.cost, {COSTLIEST})", text="format(datum.cost, '.3f')", least=_LEAST
    )
    here = here.transform_calculate(
        detail="'loss ' + format(datum.least + datum.cost, '.2f') + ', least ' + "
        "format(datum.least, '.2f')",
        name=f"datum.loss == '{GAUSSIAN.label}' ? 'MSE, σ = ' + format(sigma, '.2~f') : datum.loss",
    )
    row = alt.Y("loss:N", sort=[style.label for style in LOSSES], axis=None)
    # Room for the numbers to the right of the bars.
    length = alt.X(
        "shown:Q", title="nats above the least", axis=alt.Axis(values=[0, 0.5, 1])
    ).scale(domain=[0, 1.6 * COSTLIEST], nice=False)
    bars = here.mark_bar(height=16, cornerRadiusEnd=4).encode(x=length, y=row, color=_QUIET)
    names = here.mark_text(align="left", baseline="bottom", dx=18, dy=-11).encode(
        x=alt.XDatum(0), y=row, text=alt.Text("name:N")
    )
    numbers = here.mark_text(align="right", baseline="middle", fontSize=15, fontWeight=600)
    details = here.mark_text(align="left", baseline="top", dy=11).encode(
        x=alt.XDatum(0), y=row, text=alt.Text("detail:N")
    )
    signs = here.mark_point(size=90, filled=True, opacity=1, xOffset=8, yOffset=-18).encode(
        x=alt.XDatum(0), y=row, color=_QUIET, shape=_shape()
    )
    return layered(
        bars,
        signs,
        names,
        details,
        numbers.encode(x=alt.XDatum(1.6 * COSTLIEST), y=row, text=alt.Text("text:N")),
        params=_opening(t, p, sigma),
        height=HEIGHT,
        description="Three bars: what the current output costs under each loss, in nats above "
        "the loss's least value for this target; the Gaussian's name says its sigma. Below each: "
        "minus the logarithm of the belief and its least.",
    )


# The least -log p(t | output) over outputs: the Gaussian's at p = t, BCE's floor H(t), and the
# continuous Bernoulli's at the logit of mean t.
_LEAST = (
    f"datum.loss == '{GAUSSIAN.label}' ? log(sigma) + {gaussian.HALF_LOG_2PI} : "
    f"datum.loss == '{BERNOULLI.label}' ? {bernoulli.entropy('t')} : "
    f"{expressions.cb_cumulant('a_t')} - a_t * {DEQUANTISED}"
)


def _costs(chart: alt.Chart, output: str, logit: str) -> alt.Chart:
    """Rows (u, loss, cost) of the three losses at ``output``, which is the mean of the continuous
    Bernoulli of this ``logit``; the target is the signal t."""
    steps = [
        (GAUSSIAN.label, expressions.gaussian_excess("t", output, "sigma")),
        (BERNOULLI.label, expressions.bernoulli_excess("t", output)),
        (CONTINUOUS_BERNOULLI.label, expressions.cb_excess(DEQUANTISED, "a_t", logit)),
    ]
    return expressions.calculate(chart, steps).transform_fold(
        [style.label for style in LOSSES], as_=["loss", "cost"]
    )


def _named(chart: alt.Chart, label: str) -> alt.Chart:
    return chart.transform_calculate(loss=f"'{label}'")


def _hidden() -> alt.StrokeDash:
    return alt.StrokeDash("loss:N", scale=dash_scale(*LOSSES), legend=None)


def _shape() -> alt.Shape:
    return alt.Shape("loss:N", scale=shape_scale(*LOSSES), legend=None)


def _target_rule() -> alt.Chart:
    place = one_row(x="t")
    return place.mark_rule(color=TARGET.colour, strokeDash=list(TARGET.dash), strokeWidth=3).encode(
        x=alt.X("x:Q")
    )


def _words(text: str, *, at: alt.Y, baseline: Literal["top", "bottom"]) -> alt.Chart:
    place = one_row(x="t", text=f"'{text} = ' + format(t, '.2f')")
    return place.mark_text(
        align=alt.ExprRef("t > 0.5 ? 'right' : 'left'"),
        dx=alt.ExprRef("t > 0.5 ? -7 : 7"),
        baseline=baseline,
    ).encode(x=alt.X("x:Q"), y=at, text=alt.Text("text:N"))


def _sigma(
    on_the_right: str,
    *,
    right: float,
    left: float,
    height: float,
    baseline: Literal["top", "bottom"],
) -> alt.Chart:
    """The Gaussian's scale in words, at one of two edges."""
    place = one_row(
        x=f"{on_the_right} ? {right} : {left}", text="'MSE: σ = ' + format(sigma, '.2~f')"
    )
    return place.mark_text(
        align=alt.ExprRef(f"{on_the_right} ? 'right' : 'left'"),
        baseline=baseline,
        dy=20 if baseline == "top" else -20,
    ).encode(x=alt.X("x:Q"), y=alt.Y(datum=height), text=alt.Text("text:N"))


def _opening(t: float, p: float, sigma: float) -> list[alt.Parameter]:
    # The continuous Bernoulli's logits of target and output: of all rows of a figure the same.
    logits = [
        *expressions.cb_logit_params(DEQUANTISED, "a_t"),
        *expressions.cb_logit_params("p", "a_p"),
    ]
    return [*T.params(t), *P.params(p), *SIGMA.params(sigma), *logits]
