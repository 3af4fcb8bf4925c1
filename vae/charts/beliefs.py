"""Every loss is a belief: a cost, the density it stands for, and the output that costs least."""

import altair as alt

from vae.beliefs import BELIEFS, Style
from vae.charts.kit.dials import Dial
from vae.charts.kit.layers import layered
from vae.charts.kit.theme import TARGET
from vae.charts.vega.costs import COSTS, target_weight

SPREAD = Dial("spread", "spread, of the cost", 0.03, 0.5, 0.1, 0.005, log=True)
OUTPUT = Dial("output", "y, the output", 0.05, 0.95, 0.4, 0.005)
BRIGHT = Dial("bright", "bright, share of targets", 0.02, 0.98, 0.3, 0.01)
PLACE = Dial("place", "place, of the bright ones", 0.3, 0.95, 0.85, 0.005)
DIALS = (OUTPUT, SPREAD, BRIGHT, PLACE)
STYLES = {
    name: BELIEFS[name].style if name in BELIEFS else Style("Huber", "#56B4E9", (6, 3), "square")
    for name in COSTS
}
NAMES = {
    "gaussian": "squared error",
    "laplace": "absolute error (L1)",
    "huber": "Huber",
    "discretised-logistic": "logistic (log-cosh)",
    "student-t": "Student-t (robust)",
    "bernoulli": "BCE",
}
_HEIGHT = 200
_GREY = [0, 0.2, 0.4, 0.6, 0.8, 1]
# Squared error's spread is the sigma that it needs to be a cost in nats.
_READ_ALOUD = {**NAMES, "gaussian": "squared error, whose sigma is the spread,"}
# Outputs and targets at which expected costs are taken: their products at every redraw.
OUTPUTS, TARGETS = 101, 61


def build_cost_chart(
    *, family: str, output: float, spread: float, bright: float, place: float
) -> alt.TopLevelMixin:
    """What a pixel x costs at output y, in nats."""
    rows = _over_greys(family)
    line = rows.mark_line(strokeWidth=2.5, color=_style(family).colour, clip=True).encode(
        x=_grey_axis("x", "x, the pixel"),
        y=alt.Y("cost:Q", title="cost, nats", scale=alt.Scale(zero=True)),
    )
    return layered(
        line,
        _output_rule(family),
        params=_params(output, spread, bright, place),
        height=_HEIGHT,
        description=f"The cost of a pixel under {_READ_ALOUD[family]} against its grey, in nats; "
        "a line marks the output.",
    )


def build_density_chart(
    *, family: str, output: float, spread: float, bright: float, place: float
) -> alt.TopLevelMixin:
    """exp(-cost) to its peak: the belief that the cost stands for."""
    rows = (
        _over_greys(family)
        .transform_joinaggregate(least="min(cost)")
        .transform_calculate(height="exp(datum.least - datum.cost)")
    )
    area = rows.mark_area(
        opacity=0.2, color=_style(family).colour, line={"color": _style(family).colour}
    ).encode(
        x=_grey_axis("x", "x, the pixel"),
        y=alt.Y("height:Q", title="exp(−cost), to its peak", scale=alt.Scale(domain=[0, 1.05])),
    )
    return layered(
        area,
        _output_rule(family),
        params=_params(output, spread, bright, place),
        height=_HEIGHT,
        description=f"The belief about a pixel for which {_READ_ALOUD[family]} stands, e to the "
        "minus cost, against its grey; a line marks the output.",
    )


def build_best_output_chart(
    *, family: str, output: float, spread: float, bright: float, place: float
) -> alt.TopLevelMixin:
    """The targets, their mean, median and mode, and where the expected cost is least."""
    targets = _targets(201)
    shape = (
        targets.transform_joinaggregate(top="max(weight)")
        .transform_calculate(height="datum.weight / datum.top")
        .mark_area(opacity=0.3, color=TARGET.colour)
        .encode(
            x=_grey_axis("x", "grey"),
            y=alt.Y(
                "height:Q",
                title="targets; expected cost",
                axis=alt.Axis(labels=False, ticks=False),
                scale=alt.Scale(domain=[0, 1.5]),
            ),
        )
    )
    return layered(
        shape,
        *_centres(),
        _expected_cost(family),
        params=[*_params(output, spread, bright, place), _target_weights()],
        height=_HEIGHT + 60,
        description="The density of the targets as a grey area, with lines at their mean, median "
        f"and mode. The expected cost of each output under {_READ_ALOUD[family]} with a thick "
        "line at the output that costs least.",
    )


def _expected_cost(family: str) -> alt.LayerChart:
    """The expected cost of each output, and a line where it is least: one table for all three."""
    rows, colour = _expected(family), _style(family).colour
    curve = (
        alt.Chart()
        .transform_calculate(height="datum.most > 0 ? datum.excess / datum.most : 0")
        .mark_line(color=colour, strokeWidth=2.5)
        .encode(x=_grey_axis("y", "grey"), y=alt.Y("height:Q"))
    )
    best = (
        alt.Chart()
        .transform_filter("datum.excess == 0")
        .transform_calculate(x="datum.y", words="'best output ' + format(datum.y, '.2f')")
    )
    rule = best.mark_rule(color=colour, strokeWidth=3).encode(x=_grey_axis("x", "grey"))
    words = best.mark_text(align="left", dx=6, fontWeight=600).encode(
        x=_grey_axis("x", "grey"), y=alt.YDatum(0.62), text=alt.Text("words:N")
    )
    return alt.LayerChart(data=rows.data, transform=rows.transform, layer=[curve, rule, words])


def _style(family: str) -> Style:
    return STYLES[family]


def _over_greys(family: str) -> alt.Chart:
    greys = alt.Chart(alt.sequence(0, 1.0001, 0.005, as_="x"))
    return greys.transform_calculate(cost=COSTS[family]("datum.x", OUTPUT.name, SPREAD.name))


def _targets(count: int) -> alt.Chart:
    rows = alt.Chart(alt.sequence(0, count, 1, as_="i"))
    return rows.transform_calculate(x=f"datum.i / {count - 1}").transform_calculate(
        weight=target_weight("datum.x", BRIGHT.name, PLACE.name)
    )


def _expected(family: str) -> alt.Chart:
    """Rows (y, excess, most): the expected cost of each output above the least, and its range."""
    rows = alt.Chart(alt.sequence(0, OUTPUTS * TARGETS, 1, as_="i")).transform_calculate(
        y=f"clamp(floor(datum.i / {TARGETS}) / {OUTPUTS - 1}, 0.005, 0.995)",
        x=f"(datum.i % {TARGETS}) / {TARGETS - 1}",
    )
    # Apart, so that what a dial does not move is not computed again: the costs know nothing of the
    # targets' shape, and the weights nothing of the spread.
    return (
        rows.transform_calculate(cost_here=COSTS[family]("datum.x", "datum.y", SPREAD.name))
        .transform_calculate(weight=f"target_weights[datum.i % {TARGETS}]")
        .transform_calculate(charge="datum.weight * datum.cost_here")
        .transform_aggregate(total="sum(charge)", weights="sum(weight)", groupby=["y"])
        .transform_calculate(cost="datum.total / datum.weights")
        .transform_joinaggregate(least="min(cost)", highest="max(cost)")
        .transform_calculate(excess="datum.cost - datum.least", most="datum.highest - datum.least")
    )


def _target_weights() -> alt.Parameter:
    """The targets' weights, which are the same for each output: worked out once at a move."""
    greys = (repr(i / (TARGETS - 1)) for i in range(TARGETS))
    weights = ", ".join(target_weight(grey, BRIGHT.name, PLACE.name) for grey in greys)
    return alt.param(name="target_weights", expr=f"[{weights}]")


def _centres() -> list[alt.Chart]:
    """Lines at the targets' mean, median and mode, each named at its head."""
    rows = (
        _targets(201)
        .transform_joinaggregate(total="sum(weight)", top="max(weight)")
        .transform_window(below="sum(weight)", frame=[None, 0])
        .transform_calculate(moment="datum.weight * datum.x / datum.total")
        .transform_joinaggregate(mean="sum(moment)")
    )
    median = "datum.below >= datum.total / 2 && datum.below - datum.weight < datum.total / 2"
    places = (
        ("mode", rows.transform_filter("datum.weight == datum.top"), 10),
        ("median", rows.transform_filter(median), 30),
        ("mean", rows.transform_filter("datum.i == 0").transform_calculate(x="datum.mean"), 50),
    )
    marks = []
    for name, place, height in places:
        named = place.transform_calculate(words=f"'{name} ' + format(datum.x, '.2f')")
        marks.append(
            named.mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2).encode(
                x=_grey_axis("x", "grey")
            )
        )
        marks.append(
            named.mark_text(align="left", dx=4).encode(
                x=_grey_axis("x", "grey"), y=alt.YValue(height), text=alt.Text("words:N")
            )
        )
    return marks


def _output_rule(family: str) -> alt.Chart:
    place = alt.Chart(alt.sequence(0, 1, 1, as_="i")).transform_calculate(x=OUTPUT.name)
    return place.mark_rule(
        color=_style(family).colour, strokeDash=list(_style(family).dash) or [1, 0]
    ).encode(x=_grey_axis("x", "x, the pixel"))


def _grey_axis(field: str, words: str) -> alt.X:
    return alt.X(f"{field}:Q", title=words, axis=alt.Axis(values=_GREY, labelFlush=False)).scale(
        domain=[0, 1], nice=False
    )


def _params(output: float, spread: float, bright: float, place: float) -> list[alt.Parameter]:
    return [
        *OUTPUT.params(output),
        *SPREAD.params(spread),
        *BRIGHT.params(bright),
        *PLACE.params(place),
    ]
