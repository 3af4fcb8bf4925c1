"""Curves of a training run. Their data come from ``vae.runs.tables`` at every update;
the specification stays the same while a run lasts, so that the figures move without a flicker.
"""

import altair as alt

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import stroke_legend
from vae.charts.kit.theme import KL, TARGET, Style
from vae.charts.train.styles import HEIGHT, LEARNED, colour, dash, shape, step_axis, title
from vae.numerals import written
from vae.runs.tables import BATCH, MEASURED, PREDICTED, RMSE, SCALE, TEST

_TITLES = {
    "log_likelihood": "log p(x|z), nats per image, by step",
    "kl": "KL, nats per image, by step",
    "loss": "loss, nats per image, by step",
    "mse": "squared error per pixel, by step",
}


RateChanges = tuple[tuple[int, float], ...]


def build_curve_chart(
    *,
    field: str,
    styles: tuple[Style, ...],
    total_steps: int,
    rate_changes: RateChanges = (),
    named: bool = False,
) -> alt.TopLevelMixin:
    """``field`` of ``curve_frame`` by step: a line for the batches, points for the test set.

    ``rate_changes``: steps at which the learning rate was changed, and the new rates. ``named``:
    with a legend of the runs.

    The first steps lie far off everything that follows; values more than eight times the middle
    half's height away from the median are not drawn, except for the MSE, whose axis is
    logarithmic. Raises ``ValueError`` on a ``field`` that is not a column of figures.
    """
    if field not in _TITLES:
        raise ValueError(f"field: {field!r} given; allowed is one of {list(_TITLES)}")
    if field == "mse":
        chart, scale = alt.Chart(), alt.Scale(type="log", nice=False)
    else:
        chart, scale = _settled(field), alt.Scale(zero=field == "kl", nice=True)
    base = chart.encode(
        x=step_axis(total_steps),
        y=alt.Y(f"{field}:Q", title=None, scale=scale),
        color=colour(styles, named),
    )
    line = (
        base.transform_filter(f"datum.on == '{BATCH}'")
        .mark_line(clip=True, strokeWidth=2)
        .encode(strokeDash=dash(styles, named), opacity=alt.OpacityValue(0.75))
    )
    points = _test_points(base, styles, alt.Tooltip(f"{field}:Q", format=".4g"))
    return layered(
        line,
        points,
        *_rate_marks(rate_changes),
        height=HEIGHT,
        title=title(_TITLES[field]),
        description=f"{_TITLES[field]} against the training step: lines are training batches, "
        "points the test set after each epoch." + _rates_in_words(rate_changes),
    )


def _rate_marks(changes: RateChanges) -> list[alt.Chart]:
    """A dotted rule with the new rate where the learning rate was changed by hand."""
    if not changes:
        return []
    rows = [{"step": step, "rate": _rate(rate)} for step, rate in changes]
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("step:Q", title=None))
    rule = base.mark_rule(color=TARGET.colour, strokeDash=[2, 3], strokeWidth=2)
    words = base.mark_text(align="left", baseline="top", dx=4)
    return [rule, words.encode(y=alt.YValue(2), text=alt.Text("rate:N"))]


def _rate(rate: float) -> str:
    return written(f"rate {rate:g}")


def _rates_in_words(changes: RateChanges) -> str:
    steps = "; ".join(
        f"{_rate(rate).removeprefix('rate ')} from step {step}" for step, rate in changes
    )
    return f" The learning rate was changed: {steps}." if changes else ""


def _settled(field: str) -> alt.Chart:
    """A chart without the values of ``field`` that lie far off its middle half."""
    return (
        alt.Chart()
        .transform_joinaggregate(
            _middle=f"median({field})", _low=f"q1({field})", _high=f"q3({field})"
        )
        .transform_filter(
            f"abs(datum.{field} - datum._middle) <= 8 * (datum._high - datum._low) + 1e-9"
        )
    )


def _test_points(base: alt.Chart, styles: tuple[Style, ...], *figures: alt.Tooltip) -> alt.Chart:
    """A point for each epoch's figures on the test set."""
    return (
        base.transform_filter(f"datum.on == '{TEST}'")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(
            shape=shape(styles),
            tooltip=[alt.Tooltip("member:N", title="run"), alt.Tooltip("step:Q"), *figures],
        )
    )


def build_trade_chart(
    *,
    styles: tuple[Style, ...],
    total_steps: int,
    rate_changes: RateChanges = (),
    named: bool = False,
) -> alt.TopLevelMixin:
    """Each run's path through the plane of KL and MSE: what it pays in nats, what it gets.

    The first twentieth of the steps, far off the rest, is left out. ``rate_changes``: as in
    ``build_curve_chart``; each is a cross on every path. ``named``: each path's name at its end.
    """
    base = (
        alt.Chart()
        .transform_filter(f"datum.step >= {total_steps / 20:g}")
        .encode(
            x=alt.X("kl:Q", title="KL, nats per image", scale=alt.Scale(zero=True)),
            y=alt.Y("mse:Q", title=None, scale=alt.Scale(type="log", nice=False)),
            color=colour(styles),
        )
    )
    path = (
        base.transform_filter(f"datum.on == '{BATCH}'")
        .mark_line(strokeWidth=1.5, opacity=0.6)
        .encode(order=alt.Order("step:Q"), strokeDash=dash(styles))
    )
    points = _test_points(
        base, styles, alt.Tooltip("kl:Q", format=".2f"), alt.Tooltip("mse:Q", format=".5f")
    )
    return layered(
        path,
        points,
        *([_end_names(base)] if named else []),
        *_rate_crosses(base, styles, rate_changes),
        height=HEIGHT,
        title=title("mean squared error against KL"),
        description="Each run's path without its first steps: KL in nats on the x axis, "
        "mean squared error per pixel on the y axis." + _rates_in_words(rate_changes),
    )


def _end_names(base: alt.Chart) -> alt.Chart:
    """The name of each run to the right of its newest figures on the test set, or to the left
    where a phone has no room for it: the plot would shrink to make some."""
    fits = (
        f"(datum.kl / datum.farthest + {_LETTER_SHARE} * length(datum.member) <= 1"
        " || datum.kl < datum.farthest / 2)"
    )
    return (
        base.transform_joinaggregate(farthest="max(kl)")
        .transform_filter(f"datum.on == '{TEST}'")
        .transform_joinaggregate(newest="max(step)", groupby=["member"])
        .transform_filter("datum.step == datum.newest")
        .mark_text(
            align=alt.ExprRef(f"{fits} ? 'left' : 'right'"),
            baseline="middle",
            dx=alt.ExprRef(f"{fits} ? 9 : -9"),
            fontWeight=600,
        )
        .encode(text=alt.Text("member:N"), color=alt.value(TARGET.colour))
    )


_LETTER_SHARE = 0.025
"""A letter's width, of a phone's plot."""


def _rate_crosses(
    base: alt.Chart, styles: tuple[Style, ...], changes: RateChanges
) -> list[alt.Chart]:
    """A cross on each path where the learning rate was changed; one of them says the new rate."""
    if not changes:
        return []
    words = ", ".join(f"'{step}': '{_rate(rate)}'" for step, rate in changes)
    changed = base.transform_filter(f"datum.on == '{BATCH}'")
    changed = changed.transform_calculate(rate=f"{{{words}}}[datum.step]")
    changed = changed.transform_filter("isValid(datum.rate)")
    cross = changed.mark_point(shape="cross", filled=True, size=110, opacity=1)
    first = changed.transform_filter(alt.FieldEqualPredicate(field="member", equal=styles[0].label))
    text = first.mark_text(align="left", baseline="bottom", dx=8, dy=-4)
    return [cross, text.encode(text=alt.Text("rate:N"), color=alt.ColorValue(TARGET.colour))]


def build_kl_chart(
    *, styles: tuple[Style, ...], latents: int, predicted: bool = True, named: bool = False
) -> alt.TopLevelMixin:
    """KL of each latent, most informative first: bars of one run, a line for each of several.

    ``predicted``: the title speaks of the dashes where the linear theory expects them. ``named``:
    with a legend of the runs.
    """
    single = len(styles) == 1
    base = alt.Chart().encode(
        x=alt.X(
            "rank:O",
            title=None,
            axis=alt.Axis(labelAngle=0, labelOverlap=True),
            scale=alt.Scale(domain=list(range(1, latents + 1))),
        ),
        y=alt.Y("kl:Q", title=None, stack=None),
        color=colour(styles, named),
        tooltip=[
            alt.Tooltip("member:N", title="run"),
            alt.Tooltip("kind:N"),
            alt.Tooltip("rank:O"),
            alt.Tooltip("kl:Q", title="nats", format=".3f"),
        ],
    )
    measured = base.transform_filter(f"datum.kind == '{MEASURED}'")
    marks = base.transform_filter(f"datum.kind == '{PREDICTED}'").mark_tick(thickness=3, opacity=1)
    if single:
        drawn = measured.mark_bar(opacity=0.85)
        marks = marks.encode(color=alt.ColorValue(KL.colour))
    else:
        line = measured.mark_line(point=alt.OverlayMarkDef(size=25), strokeWidth=1.5)
        drawn = line.encode(strokeDash=dash(styles, named))
    words = "KL of each latent, nats"
    return layered(
        drawn,
        marks,
        height=HEIGHT,
        title=title(f"{words} (dashes: theory)" if predicted else words),
        description="KL of each latent in nats, largest first, short "
        "dashes are what the linear VAE's theory predicts.",
    )


def build_scale_chart(*, total_steps: int, rate_changes: RateChanges = ()) -> alt.LayerChart:
    """Sigma beside the root mean squared error, which is the best value it can have."""
    domain = [SCALE, RMSE]
    lines = (
        alt.Chart()
        .mark_line(clip=True, strokeWidth=2.5)
        .encode(
            x=step_axis(total_steps),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(type="log", nice=False)),
            color=alt.Color(
                "quantity:N",
                scale=alt.Scale(domain=domain, range=[LEARNED.colour, TARGET.colour]),
                legend=stroke_legend(title=None),
            ),
            strokeDash=alt.StrokeDash(
                "quantity:N",
                scale=alt.Scale(domain=domain, range=[[1, 0], [3, 3]]),
                legend=stroke_legend(title=None),
            ),
        )
    )
    return layered(
        lines,
        *_rate_marks(rate_changes),
        height=HEIGHT,
        title=title("σ and RMSE, by step"),
        description="Sigma and the root mean squared error of the training batch against the "
        "step; a learned sigma settles on the error." + _rates_in_words(rate_changes),
    )
