"""Targets from a distribution that one shapes, and the expected losses over them."""

import altair as alt

from vae.charts.bias.parts import CENTRE, LEGEND, SKEW, SPREAD
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import FIGURE_HEIGHT, figure, keys, readout, x_axis, y_axis
from vae.charts.kit.theme import BERNOULLI, GAUSSIAN, TARGET
from vae.charts.vega import bernoulli as ex

COUNT = 200
BINS = 25


def _targets() -> alt.Chart:
    """200 targets: normal quantiles, moved, skewed, spread and squeezed into (0, 1)."""
    return (
        alt.Chart(alt.sequence(0, COUNT, 1, as_="i"))
        .transform_calculate(
            share=f"(datum.i + 0.5) / {COUNT}", z="quantileNormal(datum.share, 0, 1)"
        )
        .transform_calculate(
            target=ex.sigmoid("centre + spread * (datum.z + skew * (datum.z * datum.z - 1))")
        )
        .transform_calculate(square="datum.target * datum.target", floor=ex.entropy("datum.target"))
        .transform_joinaggregate(mean="mean(target)", second="mean(square)", least="mean(floor)")
    )


def _params(centre: float, spread: float, skew: float) -> list[alt.Parameter]:
    return [*CENTRE.params(centre), *SPREAD.params(spread), *SKEW.params(skew)]


def build_targets_chart(*, centre: float, spread: float, skew: float) -> alt.LayerChart:
    """Histogram of the targets, with their mean."""
    rows = _targets()
    x = alt.X("x:Q", title="target t", scale=alt.Scale(domain=[0, 1], nice=False))
    bars = (
        rows.transform_calculate(bin=f"min(floor(datum.target * {BINS}), {BINS - 1})")
        .transform_aggregate(count="count()", groupby=["bin"])
        .transform_calculate(x=f"datum.bin / {BINS}", x2=f"(datum.bin + 1) / {BINS}")
        .mark_bar(color=TARGET.colour, opacity=0.6)
        .encode(
            x=x,
            x2=alt.X2("x2:Q"),
            y2=alt.Y2Datum(0),
            y=alt.Y(
                "count:Q",
                title=f"how many of {COUNT} targets",
                scale=alt.Scale(domain=[0, COUNT], nice=False, type="sqrt"),
                axis=alt.Axis(values=[10, 50, 100, 200]),
            ),
        )
    )
    one = rows.transform_filter("datum.i == 0").transform_calculate(x="datum.mean")
    mean = one.mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=3).encode(
        x=alt.X("x:Q")
    )
    label = (
        one.transform_calculate(text="'mean ' + format(datum.mean, '.3f')")
        .mark_text(fontWeight=600, align="center")
        .encode(x=alt.X("x:Q"), y=alt.YValue(-8), text=alt.Text("text:N"))
    )
    return layered(
        bars,
        mean,
        label,
        params=_params(centre, spread, skew),
        height=FIGURE_HEIGHT,
        description="Histogram of two hundred targets between 0 and 1, with a rule at their mean.",
    )


def build_expected_chart(*, centre: float, spread: float, skew: float) -> alt.LayerChart:
    """Mean excess BCE and mean 2 x squared error over the targets, against the output."""
    bce = "-datum.mean * log({p}) - (1 - datum.mean) * log(1 - {p}) - datum.least"
    mse = "2 * ({p} * {p} - 2 * {p} * datum.mean + datum.second)"
    rows = _targets()
    layers: list[alt.Chart] = []
    for formula, style in ((mse, GAUSSIAN), (bce, BERNOULLI)):
        line = rows.transform_calculate(
            x="datum.share", y=formula.format(p="datum.share")
        ).transform_filter("datum.y <= 1.05")
        layers.append(
            line.mark_line(
                color=style.colour,
                strokeDash=list(style.dash) or [1, 0],
                strokeWidth=3,
                clip=True,
            ).encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), order=alt.Order("i:Q"))
        )
    one = rows.transform_filter("datum.i == 0").transform_calculate(x="datum.mean")
    layers.append(
        one.mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2).encode(
            x=alt.X("x:Q"), y=alt.YValue(LEGEND), y2=alt.Y2Value(alt.ExprRef("height"))
        )
    )
    for formula, style in ((mse, GAUSSIAN), (bce, BERNOULLI)):
        layers.append(
            one.transform_calculate(y=formula.format(p="datum.mean"))
            .mark_point(
                filled=True, size=160, opacity=1, color=style.colour, shape=style.shape, clip=True
            )
            .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
        )
    return figure(
        *layers,
        *keys(
            (BERNOULLI, "'mean of BCE − H(t)'"), (GAUSSIAN, "'mean of 2 × squared error, σ = ½'")
        ),
        readout("'both least at the mean of the targets'", x=42, y=44),
        x=x_axis("one output p for all of them"),
        y=y_axis("nats per pixel", 0, 1.5, values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        params=_params(centre, spread, skew),
        description="Mean excess binary cross-entropy and mean doubled squared error, a sigma of "
        "one half, over the two hundred targets, against one output for all. Both curves are "
        "lowest at the targets' mean.",
        height=FIGURE_HEIGHT,
    )
