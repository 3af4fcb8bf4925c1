"""Charts of a training run. Their data come from ``vae.charts.training_frames`` at every update;
the specification stays the same while a run lasts, so that the figures move without a flicker.
"""

from collections.abc import Sequence

import altair as alt

from vae.charts.theme import (
    BERNOULLI,
    CONTINUOUS_BERNOULLI,
    COUNTER_BIASED,
    GAUSSIAN,
    KL,
    TARGET,
    Style,
)
from vae.charts.training_frames import BATCH, MEASURED, PREDICTED, RMSE, SCALE, TEST
from vae.config import TrainConfig

LEARNED = Style("sigma learned", "#56B4E9", (6, 2), "triangle-right")
OPTIMAL = Style("sigma = batch RMSE", "#56B4E9", (2, 2), "triangle-left")
# For a second member with the same likelihood.
_SPARE = (
    Style("", "#CC79A7", (10, 2), "triangle-up"),
    Style("", "#E69F00", (3, 2), "triangle-down"),
    Style("", "#8A8F98", (5, 5), "cross"),
)
_BY_LIKELIHOOD = {
    "gaussian": GAUSSIAN,
    "gaussian-learned": LEARNED,
    "gaussian-optimal": OPTIMAL,
    "bernoulli": BERNOULLI,
    "continuous-bernoulli": CONTINUOUS_BERNOULLI,
    "counter-biased": COUNTER_BIASED,
}
_TITLES = {
    "log_likelihood": "log p(x|z), nats per image, by step",
    "kl": "KL, nats per image, by step",
    "loss": "loss, nats per image, by step",
    "mse": "squared error per pixel, by step",
}
_HEIGHT = 230


def member_styles(configs: Sequence[TrainConfig], labels: Sequence[str]) -> tuple[Style, ...]:
    """A style for each member: its likelihood's, or a spare one for a second of the same."""
    used: set[str] = set()
    spare = iter(_SPARE)
    styles = []
    for config, label in zip(configs, labels, strict=True):
        style = _BY_LIKELIHOOD[config.likelihood]
        if style.colour in used:
            style = next(other for other in spare if other.colour not in used)
        used.add(style.colour)
        styles.append(Style(label, style.colour, style.dash, style.shape))
    return tuple(styles)


def build_curve_chart(
    *, field: str, styles: tuple[Style, ...], total_steps: int
) -> alt.TopLevelMixin:
    """``field`` of ``curve_frame`` by step: a line for the batches, points for the test set.

    The first steps lie far off everything that follows; values more than eight times the middle
    half's height away from the median are not drawn, except for the MSE, whose axis is
    logarithmic. Raises ``ValueError`` on a ``field`` that is not a column of figures.
    """
    if field not in _TITLES:
        raise ValueError(f"field: {field!r} given; allowed is one of {list(_TITLES)}")
    scale = (
        alt.Scale(type="log", nice=False)
        if field == "mse"
        else alt.Scale(zero=field == "kl", nice=True)
    )
    base = (
        alt.Chart()
        .transform_joinaggregate(
            _middle=f"median({field})", _low=f"q1({field})", _high=f"q3({field})"
        )
        .transform_filter(
            "true"
            if field == "mse"
            else f"abs(datum.{field} - datum._middle) <= 8 * (datum._high - datum._low) + 1e-9"
        )
        .encode(
            x=_step_axis(total_steps),
            y=alt.Y(f"{field}:Q", title=None, scale=scale),
            color=_colour(styles),
        )
    )
    line = (
        base.transform_filter(f"datum.on == '{BATCH}'")
        .mark_line(clip=True, strokeWidth=2)
        .encode(strokeDash=_dash(styles), opacity=alt.value(0.75))
    )
    points = (
        base.transform_filter(f"datum.on == '{TEST}'")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            shape=_shape(styles),
            tooltip=[
                alt.Tooltip("member:N", title="run"),
                alt.Tooltip("step:Q"),
                alt.Tooltip(f"{field}:Q", title=_TITLES[field], format=".4g"),
            ],
        )
    )
    return (
        alt.layer(line, points)
        .properties(
            height=_HEIGHT,
            title=_title(_TITLES[field]),
            description=f"{_TITLES[field]} against the training step: lines are training batches, "
            "points the test set after each epoch.",
        )
        .resolve_scale(color="shared")
    )


def build_trade_chart(*, styles: tuple[Style, ...]) -> alt.TopLevelMixin:
    """Each run's path through the plane of KL and MSE: what it pays in nats, what it gets."""
    base = alt.Chart().encode(
        x=alt.X("kl:Q", title="KL, nats per image", scale=alt.Scale(zero=True)),
        y=alt.Y("mse:Q", title=None, scale=alt.Scale(type="log", nice=False)),
        color=_colour(styles),
    )
    path = (
        base.transform_filter(f"datum.on == '{BATCH}'")
        .mark_line(strokeWidth=1.5, opacity=0.6)
        .encode(order="step:Q", strokeDash=_dash(styles))
    )
    points = (
        base.transform_filter(f"datum.on == '{TEST}'")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            shape=_shape(styles),
            tooltip=[
                alt.Tooltip("member:N", title="run"),
                alt.Tooltip("step:Q"),
                alt.Tooltip("kl:Q", format=".2f"),
                alt.Tooltip("mse:Q", format=".5f"),
            ],
        )
    )
    return alt.layer(path, points).properties(
        height=_HEIGHT,
        title=_title("mean squared error against KL"),
        description="Each run's path from its first step to its last: KL in nats on the x axis, "
        "mean squared error per pixel on the y axis.",
    )


def build_kl_chart(
    *, styles: tuple[Style, ...], latents: int, predicted: bool = True
) -> alt.TopLevelMixin:
    """KL of each latent as bars, most informative first.

    ``predicted``: the title speaks of the dashes where the linear theory expects them.
    """
    base = alt.Chart().encode(
        x=alt.X(
            "rank:O",
            title=None,
            axis=alt.Axis(labelAngle=0, labelOverlap=True),
            scale=alt.Scale(domain=list(range(1, latents + 1))),
        ),
        y=alt.Y("kl:Q", title=None, stack=None),
        color=_colour(styles),
    )
    tooltip = [
        alt.Tooltip("member:N", title="run"),
        alt.Tooltip("rank:O"),
        alt.Tooltip("kl:Q", title="nats", format=".3f"),
    ]
    offset = alt.XOffset("member:N", sort=[style.label for style in styles])
    bars = (
        base.transform_filter(f"datum.kind == '{MEASURED}'")
        .mark_bar(opacity=0.85)
        .encode(xOffset=offset, tooltip=tooltip)
    )
    marks = (
        base.transform_filter(f"datum.kind == '{PREDICTED}'")
        .mark_tick(thickness=3, opacity=1)
        .encode(xOffset=offset, tooltip=tooltip, color=alt.value(KL.colour))
    )
    return alt.layer(bars, marks).properties(
        height=_HEIGHT,
        title=_title(
            "KL of each latent, nats, largest first" + (" (dashes: theory)" if predicted else "")
        ),
        description="KL of each latent in nats, largest first: bars are measured on the last "
        "batch, orange dashes are what the linear VAE's theory predicts.",
    )


def build_scale_chart(*, total_steps: int) -> alt.Chart:
    """Sigma beside the root mean squared error, which is the best value it can have."""
    domain = [SCALE, RMSE]
    return (
        alt.Chart()
        .mark_line(clip=True, strokeWidth=2.5)
        .encode(
            x=_step_axis(total_steps),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(type="log", nice=False)),
            color=alt.Color(
                "quantity:N",
                scale=alt.Scale(domain=domain, range=[LEARNED.colour, TARGET.colour]),
                legend=_legend(),
            ),
            strokeDash=alt.StrokeDash(
                "quantity:N",
                scale=alt.Scale(domain=domain, range=[[1, 0], [3, 3]]),
                legend=_legend(),
            ),
        )
        .properties(
            height=_HEIGHT,
            title=_title("sigma and the RMSE of the batch, by step"),
            description="Sigma and the root mean squared error of the training batch against the "
            "step; a learned sigma settles on the error.",
        )
    )


def build_calibration_chart(*, styles: tuple[Style, ...]) -> alt.TopLevelMixin:
    """Mean output for each grey of the target; on the diagonal nothing pulls."""
    ends = alt.Data(values=[{"target": 0, "output": 0}, {"target": 1, "output": 1}])
    axis = alt.Scale(domain=[0, 1], nice=False)
    diagonal = (
        alt.Chart(ends)
        .mark_line(color=TARGET.colour, strokeDash=[2, 3])
        .encode(x="target:Q", y="output:Q")
    )
    base = alt.Chart().encode(
        x=alt.X("target:Q", title=None, scale=axis),
        y=alt.Y("output:Q", title=None, scale=axis),
        color=_colour(styles),
    )
    line = base.mark_line(strokeWidth=1.5).encode(strokeDash=_dash(styles))
    points = base.mark_point(filled=True, size=45, opacity=1).encode(
        shape=_shape(styles),
        tooltip=[
            alt.Tooltip("member:N", title="run"),
            alt.Tooltip("target:Q", format=".3f"),
            alt.Tooltip("output:Q", format=".3f"),
            alt.Tooltip("count:Q", title="pixels", format=",.0f"),
        ],
    )
    return alt.layer(diagonal, line, points).properties(
        height=_HEIGHT,
        title=_title("mean output by grey of the target"),
        description="Mean output against target grey in twenty bins of the test set's pixels; "
        "the dotted diagonal is an output equal to its target.",
    )


def build_map_chart(*, names: tuple[str, ...], latents: tuple[int, ...]) -> alt.TopLevelMixin:
    """Codes of test images in two latents, a colour for each class and its name at its centre."""
    titles = [f"latent {latent + 1}" for latent in latents] + ["(no second latent)"]
    base = alt.Chart()
    colour = alt.Color(
        "name:N", scale=alt.Scale(domain=list(names), scheme="tableau10"), legend=None
    )
    points = base.mark_circle(size=16, opacity=0.5).encode(
        x=alt.X("first:Q", title=titles[0], scale=alt.Scale(domain=[-3.6, 3.6])),
        y=alt.Y("second:Q", title=titles[1], scale=alt.Scale(domain=[-3.6, 3.6])),
        color=colour,
        tooltip=[alt.Tooltip("name:N", title="class")],
    )
    centres = (
        base.transform_aggregate(x="median(first)", y="median(second)", groupby=["name"])
        .mark_text(fontSize=20, fontWeight="bold")
        .encode(x="x:Q", y="y:Q", text="name:N", color=colour)
    )
    return alt.layer(points, centres).properties(
        height=420,
        description="Posterior means of test images in the two most informative latents, coloured "
        "by class, each class's name at its median.",
    )


def _step_axis(total_steps: int) -> alt.X:
    return alt.X(
        "step:Q",
        title=None,
        scale=alt.Scale(domain=[0, max(total_steps, 1)], nice=False),
        axis=alt.Axis(tickCount=4, format="~s"),
    )


def _colour(styles: Sequence[Style]) -> alt.Color:
    return alt.Color(
        "member:N",
        scale=alt.Scale(domain=_labels(styles), range=[style.colour for style in styles]),
        # One legend for all panels, drawn by the page.
        legend=None,
    )


def _dash(styles: Sequence[Style]) -> alt.StrokeDash:
    dashes = [list(style.dash) or [1, 0] for style in styles]
    if len(styles) == 1:
        dashes = [[1, 0]]
    return alt.StrokeDash(
        "member:N", scale=alt.Scale(domain=_labels(styles), range=dashes), legend=None
    )


def _shape(styles: Sequence[Style]) -> alt.Shape:
    return alt.Shape(
        "member:N",
        scale=alt.Scale(domain=_labels(styles), range=[style.shape for style in styles]),
        legend=None,
    )


def _labels(styles: Sequence[Style]) -> list[str]:
    return [style.label for style in styles]


def _legend() -> alt.Legend:
    return alt.Legend(title=None, orient="bottom", labelLimit=300)


def _title(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontSize=13, fontWeight=600)
