"""The continuous Bernoulli: density, lambda beside the mean, and what exact ones do to it."""

import altair as alt

from vae.charts.bias.parts import INNER, T, upright
from vae.charts.kit.parts import curve, figure, keys, marker, readout, x_axis, y_axis
from vae.charts.kit.theme import BERNOULLI, CONTINUOUS_BERNOULLI, TARGET
from vae.charts.vega import bernoulli as ex

LIMIT = "2 / min(inner, 1 - inner)"
DEQUANTISED_ONE = 255.5 / 256


def normaliser_params(*, t: float) -> list[alt.Parameter]:
    """t and ``best``, the continuous Bernoulli's logit of greatest likelihood for it."""
    return [
        *T.params(t),
        INNER,
        *ex.bisection("best", f"-{LIMIT}", LIMIT, lambda a: f"{ex.cb_mean(a)} - inner", 44),
    ]


def build_density_chart(*, t: float) -> alt.LayerChart:
    """exp(-BCE) with p = t, which is no density, and the continuous Bernoulli of mean t."""
    bare = f"exp(-{ex.bce('datum.v', 'inner')})"
    # The integral over x of inner^x (1 - inner)^(1 - x) is 1 / C.
    mass = f"exp(-{ex.cb_log_normaliser(ex.logit('inner'))})"
    return figure(
        curve(0, 1, 0.005, bare, BERNOULLI),
        curve(
            0,
            1,
            0.005,
            f"exp({ex.cb_log_prob('datum.v', 'best')})",
            CONTINUOUS_BERNOULLI,
            cap=6.2,
        ),
        upright("inner"),
        *keys(
            (BERNOULLI, f"'exp(−BCE), p = t: area ' + format({mass}, '.3f')"),
            (
                CONTINUOUS_BERNOULLI,
                f"'its like of area 1, λ = ' + format({ex.sigmoid('best')}, '.5f')",
            ),
        ),
        x=x_axis("grey x"),
        y=y_axis("density", 0, 8, values=[0, 2, 4, 6]),
        params=normaliser_params(t=t),
        description="Two curves over the greys: the exponential of minus binary cross-entropy, "
        "whose area is below 1, and the continuous Bernoulli density whose mean is the target.",
    )


def build_lambda_chart(*, t: float) -> alt.LayerChart:
    """Where -log density is least in the output lambda: beyond t; BCE's place is t."""
    a = ex.logit("datum.v")
    bce = f"{ex.bce('inner', 'datum.v')} - {ex.entropy('inner')}"
    cb = f"{ex.cb_log_prob('inner', 'best')} - {ex.cb_log_prob('inner', a)}"
    return figure(
        curve(0.0015, 0.9985, 0.001, bce, BERNOULLI, cap=0.5),
        curve(0.0015, 0.9985, 0.001, cb, CONTINUOUS_BERNOULLI, cap=0.5),
        upright("inner"),
        marker("inner", "0", BERNOULLI),
        marker(ex.sigmoid("best"), "0", CONTINUOUS_BERNOULLI),
        *keys(
            (BERNOULLI, "'BCE: least at p = ' + format(inner, '.4f')"),
            (
                CONTINUOUS_BERNOULLI,
                f"'with log C: least at λ = ' + format({ex.sigmoid('best')}, '.5f')",
            ),
        ),
        x=x_axis("output: p, or λ"),
        y=y_axis("nats above the least", -0.02, 0.66, values=[0, 0.2, 0.4]),
        params=normaliser_params(t=t),
        description="Cost above its least against the output: binary cross-entropy is least at "
        "the target, the continuous Bernoulli's negative log density further from one half.",
    )


def build_beyond_chart(*, t: float) -> alt.LayerChart:
    """lambda(t) and its mean mu(lambda(t)) = t against the target."""
    mean = ex.cb_mean("datum.v")
    return figure(
        curve(-49, 49, 0.25, mean, CONTINUOUS_BERNOULLI, x=mean, dash=(1, 3)),
        curve(-49, 49, 0.25, ex.sigmoid("datum.v"), CONTINUOUS_BERNOULLI, x=mean),
        upright("inner"),
        marker("inner", "inner", TARGET),
        marker("inner", ex.sigmoid("best"), CONTINUOUS_BERNOULLI),
        *keys((CONTINUOUS_BERNOULLI, "'λ(t), the parameter'")),
        readout("'dotted: its mean, t itself'", x=42, y=25),
        x=x_axis("target t"),
        y=y_axis("λ and mean", 0, 1.25, values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        params=normaliser_params(t=t),
        description="The best parameter lambda against the target, an S that hugs 0 and 1, and "
        "the mean that it stands for, which is the diagonal.",
    )


def build_unbounded_chart() -> alt.LayerChart:
    """Log density at a target of exactly 1 against the logit, and at a dequantised one."""
    x = "exp(datum.v)"
    exact = ex.cb_log_prob("1", x)
    spread = ex.cb_log_prob(repr(DEQUANTISED_ONE), x)
    bernoulli = f"-{ex.bce_with_logits('1', x)}"
    return figure(
        curve(-1, 9.2, 0.05, bernoulli, BERNOULLI, x=x),
        curve(-1, 9.2, 0.05, exact, CONTINUOUS_BERNOULLI, x=x),
        curve(-1, 9.2, 0.05, spread, CONTINUOUS_BERNOULLI, x=x, dash=(1, 3)),
        *keys(
            (CONTINUOUS_BERNOULLI, "'continuous Bernoulli, x = 1: no end'"),
            (BERNOULLI, "'−BCE, x = 1: never above 0'"),
        ),
        readout("'dotted: x = 255.5/256, dequantised'", x=42, y=44),
        x=alt.X(
            "x:Q",
            title="logit",
            scale=alt.Scale(type="log", domain=[0.5, 9000], nice=False),
            axis=alt.Axis(values=[1, 10, 100, 1000], format="~g"),
        ),
        y=y_axis("log density, nats", -4, 15),
        params=[],
        description="Log density against the logit: at a grey of exactly 1 it grows without end, "
        "at the dequantised grey it peaks and falls, and minus binary cross-entropy stays below 0.",
    )
