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
    return figure(
        curve(0.001, 0.999, 0.002, square.format(p="datum.v"), GAUSSIAN, cap=0.3),
        curve(0.001, 0.999, 0.002, ex.excess("t", "datum.v"), BERNOULLI, cap=0.3),
        upright("t"),
        *points,
        *keys((BERNOULLI, "'BCE − H(t)'"), (GAUSSIAN, "'2 × squared error, σ = ½: ratio 1'")),
        readout(said, x=42, y=44),
        x=x_axis("output p"),
        y=y_axis("nats per pixel above the least", -0.01, 0.4, values=[0, 0.1, 0.2, 0.3]),
        params=[*T.params(t), *H.params(h)],
        description="Cost above its least against the output: binary cross-entropy is a lopsided "
        "bowl and squared error an even one, both with their lowest point at the target t. Points "
        "mark the outputs t minus h and t plus h.",
    )


def build_floor_chart(*, t: float, h: float) -> alt.LayerChart:
    """Plain BCE at the two mirrored outputs: a large common floor H(t) and a small excess."""
    rows = alt.Chart(alt.sequence(0, 2, 1, as_="row")).transform_calculate(
        p=f"datum.row == 0 ? {AWAY} : {TOWARD}",
        name="datum.row == 0 ? 'away from ½' : 'toward ½'",
        floor=ex.entropy("t"),
        cost=f"{OUTSIDE} ? NaN : {ex.bce('t', 'datum.p')}",
        text="isFinite(datum.cost) ? 'p = ' + format(datum.p, '.3f') + ': ' + "
        "format(datum.cost, '.4f') + ' = ' + format(datum.floor, '.4f') + ' + ' + "
        "format(datum.cost - datum.floor, '.4f') : 'outside [0, 1]'",
    )
    x = alt.X("floor:Q", title="BCE, nats per pixel", scale=alt.Scale(domain=[0, 1.4], nice=False))
    y = alt.Y("name:N", title=None, sort=None)
    floor = rows.mark_bar(color=TARGET.colour, height=34, opacity=0.55).encode(
        x=x, x2=alt.X2Datum(0), y=y
    )
    extra = rows.mark_bar(color=BERNOULLI.colour, height=34, clip=True).encode(
        x=alt.X("floor:Q"), x2=alt.X2("cost:Q"), y=y
    )
    text = rows.mark_text(align="left", dy=-28, fontWeight=600).encode(
        x=alt.XDatum(0), y=y, text=alt.Text("text:N")
    )
    ratio = f"{ex.bce('t', AWAY)} / {ex.bce('t', TOWARD)}"
    raw = readout(
        f"{OUTSIDE} ? '' : 'ratio of the whole bars: ' + format({ratio}, '.3f')",
        f"{OUTSIDE} ? '' : 'ratio of the orange ends: ' + "
        f"format({ex.excess('t', AWAY)} / {ex.excess('t', TOWARD)}, '.3f')",
        x="width - 6",
        y="height / 2 - 18",
        align="right",
    )
    return layered(
        floor,
        extra,
        text,
        raw,
        params=[*T.params(t), *H.params(h)],
        height=FIGURE_HEIGHT,
        description="Two bars of plain binary cross-entropy, for the output away from one half "
        "and its mirror image toward it. Each is a grey floor H(t), the same in both, and an "
        "orange end, the excess.",
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
            (GAUSSIAN, "'2h² = ' + format(2 * h * h, '.4f')"),
        ),
        x=x_axis("h, the gap between output and ½", 0, 0.5),
        y=y_axis("nats per pixel above H(½)", -0.03, 1.6, values=[0, 0.4, 0.8, 1.2]),
        params=H.params(h),
        description="At a target of one half, the excess of binary cross-entropy and twice the "
        "squared error against the gap h. They are together near 0 and apart towards 0.5, where "
        "the first grows without bound.",
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
            .encode(x=alt.X("x:Q"), y=alt.YValue(90 + 20 * row), text=alt.Text("label:N"))
        )
    return figure(
        curve(0.002, 0.498, 0.002, excess.format(h="datum.v"), BERNOULLI, cap=100),
        level("0"),
        *marks,
        marker("h", excess.format(h="h"), BERNOULLI),
        readout(
            "'at h = ' + format(h, '.3f') + ' it is ' + format("
            + excess.format(h="h")
            + ", '.2f') + '% more than 2 MSE'"
        ),
        x=x_axis("h, the gap between output and ½", 0, 0.5),
        y=y_axis("more than 2 MSE, %", -2, 130, values=[0, 25, 50, 75, 100]),
        params=H.params(h),
        description="By how many percent the exact excess of binary cross-entropy at one half "
        "is above twice the squared error, against the gap h. Rules mark where it passes 1% and "
        "10%.",
    )
