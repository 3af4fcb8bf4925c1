"""A likelihood is a cross-entropy: the data's histogram against the model's -log density."""

import altair as alt

from vae.charts.derivation.parts import FIT_MEAN, FIT_SIGMA
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import UNDESCRIBED
from vae.charts.kit.theme import GAUSSIAN, TARGET
from vae.charts.vega import gaussian

Counts = tuple[int, ...]


def build_cross_entropy_chart(
    *, counts: Counts, fit_mean: float, fit_sigma: float
) -> alt.LayerChart:
    """Greys of one pixel over a data set, and the -log density of a Gaussian one drags.

    ``counts`` (256,) says how often each grey 0 to 255 occurs.
    """
    total = sum(counts)
    curve = (
        alt.Chart(alt.sequence(-0.05, 1.0501, 0.01, as_="value"))
        .transform_calculate(cost=f"-{gaussian.log_prob('datum.value', 'fit_mean', 'fit_sigma')}")
        .mark_line(strokeWidth=3, color=GAUSSIAN.colour, clip=True)
        .encode(
            x=alt.X("value:Q"),
            y=alt.Y(
                "cost:Q",
                title="−log N(x; μ, σ²), nats (line)",
                scale=alt.Scale(domain=[-3, 12], nice=False),
            ),
        )
    )
    return layered(
        _bars(total),
        curve,
        _numbers(total),
        params=[
            alt.param(name="counts", value=counts),
            *FIT_MEAN.params(fit_mean),
            *FIT_SIGMA.params(fit_sigma),
        ],
        resolve={"scale": {"y": "independent"}},
        height=290,
        description="Histogram of one pixel's greys over the data, and minus the log density "
        "of a Gaussian. The mean of the second under the first is the cross-entropy: the mean "
        "negative log likelihood, and the mean squared error over twice sigma squared up to a "
        "constant.",
        config=UNDESCRIBED,
    )


def _bars(total: int) -> alt.Chart:
    """The histogram, 16 greys a bar."""
    return (
        alt.Chart(alt.sequence(0, 256, 1, as_="grey"))
        .transform_calculate(
            value="datum.grey / 255",
            share=f"counts[datum.grey] / {total}",
            bin="(floor(datum.grey / 16) + 0.5) * 16 / 256",
        )
        .transform_aggregate(share="sum(share)", groupby=["bin"])
        .transform_calculate(left="datum.bin - 0.028", right="datum.bin + 0.028", zero="0")
        .mark_rect(color=TARGET.colour, opacity=0.55)
        .encode(
            x=alt.X("left:Q", title="pixel value x", scale=alt.Scale(domain=[-0.05, 1.05])),
            x2=alt.X2("right:Q"),
            y=alt.Y(
                "share:Q",
                title="share of images (bars)",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%"),
            ),
            y2=alt.Y2("zero:Q"),
        )
    )


def _numbers(total: int) -> alt.Chart:
    """The cross-entropy, and the mean squared error it is made of."""
    return (
        alt.Chart(alt.sequence(0, 256, 1, as_="grey"))
        .transform_calculate(
            part=f"counts[datum.grey] / {total} * "
            f"-{gaussian.log_prob('datum.grey / 255', 'fit_mean', 'fit_sigma')}",
            error=f"counts[datum.grey] / {total} * "
            + gaussian.squared_error("datum.grey / 255", "fit_mean"),
        )
        .transform_aggregate(entropy="sum(part)", mse="sum(error)")
        .transform_calculate(
            text="'H(data, N) = mean NLL = ' + format(datum.entropy, '.4f') + ' nats'"
            " + '\\nMSE/(2σ²) + log σ + ½ log 2π = ' + "
            f"format({gaussian.nll('datum.mse', 'fit_sigma')}, '.4f')"
            " + '\\nMSE = ' + format(datum.mse, '.4f')"
        )
        .mark_text(
            align="center",
            baseline="top",
            lineBreak="\n",
            lineHeight=20,
            fontWeight=600,
        )
        .encode(text=alt.Text("text:N"), x=alt.XValue(alt.ExprRef("width / 2")), y=alt.YValue(6))
    )
