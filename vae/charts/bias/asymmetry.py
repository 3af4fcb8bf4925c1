"""What BCE and squared error cost around one target; and "2 MSE", the comparison at 1/2."""

import altair as alt

from vae.charts.bias.parts import H, T, upright
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import (
    FIGURE_HEIGHT,
    curve,
    figure,
    keys,
    level,
    marker,
    one_row,
    readout,
    x_axis,
    y_axis,
)
from vae.charts.kit.theme import BERNOULLI, GAUSSIAN, TARGET
from vae.charts.vega import bernoulli as ex
from vae.theory.bernoulli import half_gap_at_error

AWAY = "(t < 0.5 ? t - h : t + h)"
TOWARD = "(t < 0.5 ? t + h : t - h)"
OUTSIDE = "(t + h > 1 || t - h < 0)"
HALF = "(-0.5 * log(1 - 4 * {h} * {h}))"


# As high as the dearer of the two outputs asks, so that they are seen apart at any distance.
TOP = alt.param(name="top", expr=f"{OUTSIDE} ? 0.3 : 2.2 * {ex.excess('t', AWAY)}")
BELOW_KEYS = "0.7 * top"


def build_cost_chart(*, t: float, h: float) -> alt.LayerChart:
    """Excess BCE and twice the squared error against the output, mirrored outputs marked."""
    square = "2 * pow({p} - t, 2)"
    # An output outside [0, 1] has no cost: what is not finite is not drawn.
    points = [
        marker(f"{OUTSIDE} ? NaN : {p}", cost, style)
        for p in (AWAY, TOWARD)
        for cost, style in (
            (square.format(p=p), GAUSSIAN),
            (ex.excess("t", p), BERNOULLI),
        )
    ]
    ratio = f"format({ex.excess('t', AWAY)} / {ex.excess('t', TOWARD)}, '.3f')"
    said = (
        f"{OUTSIDE} ? 'one mirrored output is outside [0, 1]' : "
        f"'away from ½: ' + {ratio} + ' times'"
    )
    nats = alt.Y(
        "y:Q",
        title="nats above least",
        scale=alt.Scale(domain=[alt.ExprRef("-0.03 * top"), alt.ExprRef("top")], nice=False),
        axis=alt.Axis(tickCount=4),
    )
    return figure(
        curve(0.001, 0.999, 0.002, square.format(p="datum.v"), GAUSSIAN, cap=BELOW_KEYS),
        curve(0.001, 0.999, 0.002, ex.excess("t", "datum.v"), BERNOULLI, cap=BELOW_KEYS),
        upright("t"),
        *_drops(),
        *points,
        *keys((BERNOULLI, "'BCE − H(t)'"), (GAUSSIAN, "'2 × squared error, σ = ½: ratio 1'")),
        readout(said, x=42, y=44),
        x=x_axis("output p"),
        y=nats,
        params=[*T.params(t), *H.params(h), TOP],
        description="Cost above its least against the output: binary cross-entropy is a lopsided "
        "bowl and twice the squared error, a sigma of one half, an even one. Both have their "
        "lowest point at the target t. Points mark the outputs t minus h and t plus h.",
    )


def _drops() -> list[alt.Chart]:
    """From each mirrored output's BCE down to nothing: two lengths to compare by eye."""
    return [
        one_row(x=p, y=ex.excess("t", p), zero="0")
        .transform_filter(f"!({OUTSIDE})")
        .mark_rule(color=BERNOULLI.colour, strokeWidth=3)
        .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"), y2=alt.Y2("zero:Q"))
        for p in (AWAY, TOWARD)
    ]


def build_floor_chart(*, t: float, h: float) -> alt.LayerChart:
    """Plain BCE at the two mirrored outputs, alike for their floor; and what is above it."""
    whole = "datum.row < 2"
    excess = "(datum.cost - datum.floor)"
    dearest = f"({ex.excess('t', AWAY)})"
    rows = alt.Chart(alt.sequence(0, 4, 1, as_="row")).transform_calculate(
        p=f"datum.row % 2 == 0 ? {AWAY} : {TOWARD}",
        name="['away: BCE', 'toward: BCE', 'away: above H(t)', 'toward: above H(t)'][datum.row]",
        floor=ex.entropy("t"),
        cost=f"{OUTSIDE} ? NaN : {ex.bce('t', 'datum.p')}",
        # The excess alone on a ruler of its own: the longer takes what a whole bar takes.
        start=f"{whole} ? datum.floor : 0",
        end=f"{whole} ? datum.cost : datum.floor * {excess} / {dearest}",
        grey=f"{whole} ? datum.floor : 0",
        text=f"!isFinite(datum.cost) ? 'outside [0, 1]' : "
        f"format({whole} ? datum.cost : {excess}, '.4f')",
    )
    x = alt.X("grey:Q", axis=None, scale=alt.Scale(domain=[0, alt.ExprRef("reach")], nice=False))
    y = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(ticks=False, domain=False))
    return layered(
        rows.mark_bar(color=TARGET.colour, opacity=0.55, height=26).encode(
            x=x, x2=alt.X2Datum(0), y=y
        ),
        rows.mark_bar(color=BERNOULLI.colour, clip=True, height=26).encode(
            x=alt.X("start:Q"), x2=alt.X2("end:Q"), y=y
        ),
        rows.mark_text(align="left", dx=6, fontWeight=600)
        .encode(x=alt.X("shown:Q"), y=y, text=alt.Text("text:N"))
        .transform_calculate(shown="isFinite(datum.end) ? max(datum.end, datum.grey) : 0"),
        _ratio("whole bars:", ex.bce("t", AWAY), ex.bce("t", TOWARD), place=0.25),
        _ratio("above H(t):", ex.excess("t", AWAY), ex.excess("t", TOWARD), place=0.75),
        params=[
            *T.params(t),
            *H.params(h),
            # Room to the right of the longest bar for its number and the ratios.
            alt.param(
                name="reach",
                expr=f"2.1 * max(0.02, {ex.entropy('t')}, {OUTSIDE} ? 0 : {ex.bce('t', AWAY)})",
            ),
        ],
        height=FIGURE_HEIGHT,
        description="Four bars. Plain binary cross-entropy of the output away from one half, and "
        "of its mirror image toward it: nearly alike, for both stand on a grey floor H(t). Below "
        "them what is above that floor, on a ruler of its own: the first is much the longer.",
    )


def _ratio(name: str, away: str, toward: str, *, place: float) -> alt.Chart:
    """What the two costs come to, one over the other, at this share of the figure's height."""
    return readout(
        f"{OUTSIDE} ? '' : '{name} ratio ' + format({away} / {toward}, '.3f')",
        x="width - 4",
        y=f"height * {place} - 8",
        align="right",
    )


def build_double_mse_chart(*, h: float) -> alt.LayerChart:
    """At t = 1/2: the exact excess BCE, and 2 MSE, against the gap."""
    exact, double = HALF.format(h="datum.v"), "2 * datum.v * datum.v"
    return figure(
        curve(0.0005, 0.4995, 0.001, double, GAUSSIAN, cap=1.2),
        curve(0.0005, 0.4995, 0.001, exact, BERNOULLI, cap=1.2),
        upright("h"),
        marker("h", "2 * h * h", GAUSSIAN),
        marker("h", HALF.format(h="h"), BERNOULLI),
        *keys(
            (BERNOULLI, f"'−½ log(1 − 4h²) = ' + format({HALF.format(h='h')}, '.4f')"),
            (GAUSSIAN, "'2 MSE, σ = ½: 2h² = ' + format(2 * h * h, '.4f')"),
        ),
        x=x_axis("h, the gap between output and ½", 0, 0.5),
        y=y_axis("nats per pixel above H(½)", -0.03, 1.6, values=[0, 0.4, 0.8, 1.2]),
        params=H.params(h),
        description="At a target of one half, the excess of binary cross-entropy and twice the "
        "squared error, a sigma of one half, against the gap h. They are together near 0 and apart "
        "towards 0.5, where the first grows without bound.",
    )


def build_double_mse_error_chart(*, h: float) -> alt.LayerChart:
    """How much more than 2 MSE it is, in percent, and the gaps at which that is 1% and 10%."""
    excess = f"100 * ({HALF} / (2 * {{h}} * {{h}}) - 1)"
    gaps = {share: half_gap_at_error(share) for share in (0.01, 0.1)}
    marks: list[alt.Chart] = []
    # One below the other, for a phone has no room for both in a row.
    for row, (share, gap) in enumerate(gaps.items()):
        marks.append(upright(repr(gap)))
        marks.append(
            one_row(x=repr(gap), label=f"'{share:.0%} at h = {gap:.3f}'")
            .mark_text(align="left", dx=6)
            .encode(x=alt.X("x:Q"), y=alt.YValue(50 + 20 * row), text=alt.Text("label:N"))
        )
    return figure(
        curve(0.002, 0.498, 0.002, excess.format(h="datum.v"), BERNOULLI, cap=100),
        level("0"),
        *marks,
        marker("h", excess.format(h="h"), BERNOULLI),
        readout(
            "'at h = ' + format(h, '.3f') + ': ' + format("
            + excess.format(h="h")
            + ", '.2f') + '% more'"
        ),
        x=x_axis("h, the gap between output and ½", 0, 0.5),
        y=y_axis("more than 2 MSE (σ = ½), %", -2, 130, values=[0, 25, 50, 75, 100]),
        params=H.params(h),
        description="By how many percent the exact excess of binary cross-entropy at one half "
        "is above twice the squared error, a sigma of one half, against the gap h. Rules mark "
        "where it passes 1% and 10%.",
    )
