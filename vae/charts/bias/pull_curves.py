"""Where the optimum goes under noise: on the output, and on the logit."""

import math

import altair as alt

from vae.charts.bias.parts import INNER, TAU, S, T, upright
from vae.charts.kit.parts import curve, figure, keys, level, marker, readout, x_axis, y_axis
from vae.charts.kit.theme import BERNOULLI, COUNTER_BIASED, GAUSSIAN, TARGET
from vae.charts.vega import bernoulli as ex
from vae.theory.pull import LARGEST_SCALE

ROOT3 = repr(math.sqrt(3.0))
HIGH = "max(inner, 1 - inner)"
NEWTON_STEPS = 7


def noise_params(*, t: float, s: float) -> list[alt.Parameter]:
    """t, s, and what follows: the half-width a and the three optima, to 1e-10."""
    return [
        *T.params(t),
        *S.params(s),
        INNER,
        alt.param(name="a", expr=f"s * {ROOT3}"),
        *ex.bisection("best_bce", "a", "1 - a", lambda p: ex.noisy_bce_slope("inner", p, "a")),
        alt.param(name="best_mse", expr="clamp(inner, a, 1 - a)"),
        # Solved for the target above 1/2 and mirrored.
        *ex.bisection(
            "best_high",
            f"min({HIGH}, 1 - a)",
            "1 - a",
            lambda p: ex.noisy_loss_one_slope(HIGH, p, "s"),
        ),
        alt.param(name="best_one", expr="inner < 0.5 ? 1 - best_high : best_high"),
    ]


def build_noisy_cost_chart(*, t: float, s: float) -> alt.LayerChart:
    """Expected costs above their least, scaled to equal curvature at t, with their minima."""
    v = "(inner * (1 - inner))"

    def above(cost: str, best: str, factor: str) -> str:
        return f"{factor} * ({cost.format(p='datum.v')} - {cost.format(p=best)})"

    bce = ex.noisy_bce("inner", "{p}", "a")
    mse = "pow({p} - inner, 2)"
    one = ex.noisy_loss_one("inner", "{p}", "s")
    inside = "datum.v >= a && datum.v <= 1 - a"
    square = above(mse, "best_mse", f"1 / (2 * {v})")
    step = 0.0025
    return figure(
        curve(step, 1 - step, step, square, GAUSSIAN, keep=inside, cap=0.2),
        curve(
            step,
            1 - step,
            step,
            above(one, "best_one", f"1 / (4 * {v} * {v})"),
            COUNTER_BIASED,
            keep=inside,
            cap=0.2,
        ),
        curve(step, 1 - step, step, above(bce, "best_bce", "1"), BERNOULLI, keep=inside, cap=0.2),
        upright("inner"),
        marker("best_mse", "0", GAUSSIAN),
        marker("best_one", "0", COUNTER_BIASED),
        marker("best_bce", "0", BERNOULLI),
        *keys(
            (BERNOULLI, "'BCE: best p = ' + format(best_bce, '.4f')"),
            (GAUSSIAN, "'squared error, any σ: best p = ' + format(best_mse, '.4f')"),
            (COUNTER_BIASED, "'L₁: best p = ' + format(best_one, '.4f')"),
        ),
        x=x_axis("output p, before the noise"),
        y=y_axis("mean cost, scaled", -0.008, 0.3, values=[0, 0.1, 0.2]),
        params=noise_params(t=t, s=s),
        description="Expected cost under output noise against the output, for binary "
        "cross-entropy, squared error at any sigma and the counter-biased loss, each above its "
        "least. A mark stands at each minimum and a rule at the target.",
    )


def build_optimum_chart(*, t: float, s: float) -> alt.LayerChart:
    """The best output against the noise's scale: exact curves, the linear rule, the domain."""
    linear = "inner + datum.v * datum.v * (1 - 2 * inner) / (inner * (1 - inner))"
    return figure(
        curve(0, LARGEST_SCALE, 0.002, f"1 - datum.v * {ROOT3}", TARGET, width=1.5),
        curve(0, LARGEST_SCALE, 0.002, f"datum.v * {ROOT3}", TARGET, width=1.5),
        curve(0, 0.12, 0.001, linear, BERNOULLI, width=1.5, dash=(2, 3)),
        curve(
            0,
            LARGEST_SCALE,
            0.001,
            f"clamp(inner, datum.v * {ROOT3}, 1 - datum.v * {ROOT3})",
            GAUSSIAN,
        ),
        _best_counter_biased(),
        _best_bernoulli(),
        upright("s"),
        marker("s", "best_mse", GAUSSIAN),
        marker("s", "best_one", COUNTER_BIASED),
        marker("s", "best_bce", BERNOULLI),
        readout(
            "'BCE moves ' + format(best_bce - inner, '+.4f') + ', linear rule ' + "
            "format(s * s * (1 - 2 * inner) / (inner * (1 - inner)), '+.4f')",
            f"s > min(inner, 1 - inner) / {ROOT3} ? 'past the edge: the domain decides' : "
            f"'the domain decides past s = ' + format(min(inner, 1 - inner) / {ROOT3}, '.3f')",
            x="width - 6",
            y=6,
            align="right",
        ),
        x=x_axis("s, standard deviation of the noise", 0, LARGEST_SCALE, values=[0, 0.1, 0.2]),
        y=y_axis("best output p", 0, 1.25, values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        params=noise_params(t=t, s=s),
        description="The best output against the noise's scale. Under binary cross-entropy it "
        "moves toward one half, under the counter-biased loss away from it. Under squared error, "
        "at any sigma, it stays until the noise reaches the end of the domain. Thin dotted lines "
        "bound the outputs whose noise stays between 0 and 1.",
    )


def _best_counter_biased() -> alt.Chart:
    """The noise's scale at which each output is the best under the counter-biased loss."""
    f = f"(datum.v - {HIGH}) * datum.v * (1 - datum.v)"
    scale = f"sqrt({f} / (3 * datum.v - 1 - {HIGH}))"
    return curve(
        0.5,
        1,
        0.0005,
        "inner < 0.5 ? 1 - datum.v : datum.v",
        COUNTER_BIASED,
        x=f"datum.v > {HIGH} ? {scale} : NaN",
        keep=f"datum.v <= 1 - datum.x * {ROOT3} && datum.v > {HIGH}",
    )


def _best_bernoulli() -> alt.Chart:
    """Scale and best output under cross-entropy, both by the smaller argument of tanh."""

    def tanh(x: str) -> str:
        return f"((1 - exp(-2 * {x})) / (1 + exp(-2 * {x})))"

    # Small steps of the smaller argument trace the whole curve.
    scaled = "(datum.v * max(1, (1 - inner) / inner))"
    first = tanh(scaled)
    second = tanh(f"(inner * {scaled} / (1 - inner))")
    best = f"{second} / ({first} + {second})"
    return curve(0.01, 6, 0.02, best, BERNOULLI, x=f"({best}) * {first} / {ROOT3}")


def build_logit_noise_chart(*, t: float, tau: float) -> alt.LayerChart:
    """Mean output less target at the optimum under logit noise, for every target."""
    curves = logit_noise_curves()
    mse = curves.mark_line(color=GAUSSIAN.colour, strokeWidth=3, clip=True).encode(
        x=alt.X("x:Q"), y=alt.Y("y:Q"), order=alt.Order("alpha:Q")
    )
    quiet = curves.mark_line(
        color=BERNOULLI.colour, strokeWidth=1.5, strokeDash=[2, 3], clip=True
    ).encode(x=alt.X("mean:Q"), y=alt.Y("flat:Q"), order=alt.Order("alpha:Q"))
    solved = logit_noise_solution()
    point = (
        solved.transform_calculate(x="inner", y="datum.mean - inner")
        .mark_point(filled=True, size=150, opacity=1, color=GAUSSIAN.colour)
        .encode(x=alt.X("x:Q"), y=alt.Y("y:Q"))
    )
    text = (
        solved.transform_calculate(
            text="'squared error, any σ: E[p] = ' + format(datum.mean, '.4f')"
        )
        .mark_text(align="left", baseline="top", fontWeight=600)
        .encode(x=alt.XValue(42), y=alt.YValue(25), text=alt.Text("text:N"))
    )
    return figure(
        level("0").mark_rule(
            color=BERNOULLI.colour, strokeDash=list(BERNOULLI.dash), strokeWidth=3
        ),
        quiet,
        mse,
        upright("inner"),
        point,
        marker("inner", "0", BERNOULLI),
        *keys(
            (BERNOULLI, "'BCE: E[p] = t'"),
            (GAUSSIAN, "''"),
        ),
        text,
        x=x_axis("target t", values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        y=y_axis("output less target", -0.15, 0.22, values=[-0.1, 0, 0.1]),
        params=[*T.params(t), *TAU.params(tau), INNER],
        description="Mean output less target against the target, with noise on the logit. It is "
        "zero for binary cross-entropy. For a sigmoid with squared error, at any sigma, it is "
        "below zero under one half and above zero over it, that is away from one half.",
    )


def logit_noise_curves() -> alt.Chart:
    """For 65 logits ``alpha``: E[p] as ``mean``; the target that sigmoid + MSE has it for as
    ``x`` and how far E[p] is from that as ``y``; sigmoid(alpha) less E[p] as ``flat``."""
    return (
        alt.Chart(alt.sequence(0, 65 * 33, 1, as_="i"))
        .transform_calculate(
            alpha="-8 + 0.25 * floor(datum.i / 33)",
            e="-6.4 + 0.4 * (datum.i % 33)",
        )
        .transform_calculate(
            w="0.4 * densityNormal(datum.e, 0, 1)",
            p=ex.sigmoid("datum.alpha + tau * datum.e"),
        )
        .transform_calculate(
            wp="datum.w * datum.p",
            wq="datum.wp * (1 - datum.p)",
            wpq="datum.wq * datum.p",
        )
        .transform_aggregate(
            mean="sum(wp)", tangent="sum(wq)", weighted="sum(wpq)", groupby=["alpha"]
        )
        .transform_calculate(
            x="datum.weighted / datum.tangent",
            y="datum.mean - datum.x",
            flat=f"{ex.sigmoid('datum.alpha')} - datum.mean",
        )
    )


def logit_noise_solution() -> alt.Chart:
    """One row whose ``mean`` is E[p] at the best logit of sigmoid + MSE for the target ``inner``.

    Newton steps on the logit of E[p p'] / E[p'], which is nearly a straight line; every step sums
    over the 33 nodes of the rule.
    """
    chart = alt.Chart(alt.sequence(0, 33, 1, as_="i")).transform_calculate(
        e="-6.4 + 0.4 * datum.i",
        w="0.4 * densityNormal(datum.e, 0, 1)",
        alpha=f"{ex.logit('inner')} * sqrt(1 + {math.pi / 8!r} * tau * tau)",
    )
    for step in range(NEWTON_STEPS + 1):
        chart = (
            chart.transform_calculate(p=ex.sigmoid("datum.alpha + tau * datum.e"))
            .transform_calculate(wp="datum.w * datum.p", wq="datum.wp * (1 - datum.p)")
            .transform_calculate(
                wpq="datum.wq * datum.p",
                wdq="datum.wq * (1 - 2 * datum.p)",
                wdpq="datum.wpq * (2 - 3 * datum.p)",
            )
            .transform_joinaggregate(
                mean="sum(wp)", q="sum(wq)", pq="sum(wpq)", dq="sum(wdq)", dpq="sum(wdpq)"
            )
        )
        if step == NEWTON_STEPS:
            break
        chart = chart.transform_calculate(
            reached="datum.pq / datum.q",
            rate="(datum.dpq - datum.reached * datum.dq) / datum.q",
        ).transform_calculate(
            alpha=f"datum.alpha - ({ex.logit('datum.reached')} - {ex.logit('inner')})"
            " * datum.reached * (1 - datum.reached) / datum.rate"
        )
    return chart.transform_filter("datum.i == 0")
