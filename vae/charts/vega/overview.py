"""Vega expressions of the Overview's figure: three losses of one pixel, computed in the browser.

The continuous Bernoulli (Loaiza-Ganem & Cunningham 2019) is written by its logit a: its density on
[0, 1] is exp(a x - A(a)) with A(a) = log((exp(a) - 1) / a), its mean A'(a).
"""

import altair as alt

# From a0 = 1/(1 - p) - 1/p, steps after which the logit is exact to rounding for 0.01 <= p <= 0.99.
NEWTON_STEPS = 7


def cb_cumulant(a: str) -> str:
    """A(a) = log((exp(a) - 1) / a), by its series near 0 where the quotient cancels."""
    series = f"({a}) / 2 + pow({a}, 2) / 24 - pow({a}, 4) / 2880"
    quotient = f"log((1 - exp(-abs({a}))) / abs({a}))"
    return f"(abs({a}) < 0.02 ? {series} : max({a}, 0) + {quotient})"


def cb_mean(a: str) -> str:
    """A'(a) = 1/(1 - exp(-a)) - 1/a, in (0, 1)."""
    series = f"0.5 + ({a}) / 12 - pow({a}, 3) / 720 + pow({a}, 5) / 30240"
    return f"(abs({a}) < 0.05 ? {series} : 1 / (1 - exp(-({a}))) - 1 / ({a}))"


def cb_mean_slope(a: str) -> str:
    """A''(a), the variance: 1/a^2 - exp(-|a|)/(1 - exp(-|a|))^2."""
    series = f"1 / 12 - pow({a}, 2) / 240 + pow({a}, 4) / 6048"
    exact = f"1 / pow({a}, 2) - exp(-abs({a})) / pow(1 - exp(-abs({a})), 2)"
    return f"(abs({a}) < 0.05 ? {series} : {exact})"


def cb_logit_params(mean: str, name: str) -> list[alt.Parameter]:
    """``cb_logit_steps`` as parameters: worked out once, where ``mean`` is the same in all rows."""
    steps = cb_logit_steps(mean, name, of="")
    return [alt.param(name=step, expr=expression) for step, expression in steps]


def cb_logit_steps(mean: str, name: str, of: str = "datum.") -> list[tuple[str, str]]:
    """Calculations, in order, whose last gives ``name``: the logit of the given mean, by Newton.

    ``of`` stands before each one's name where the next reads it.
    """
    steps = [(f"{name}_0", f"1 / (1 - ({mean})) - 1 / ({mean})")]
    for count in range(1, NEWTON_STEPS + 1):
        last = f"{of}{name}_{count - 1}"
        move = f"({cb_mean(last)} - ({mean})) / {cb_mean_slope(last)}"
        steps.append((f"{name}_{count}" if count < NEWTON_STEPS else name, f"{last} - {move}"))
    return steps


def gaussian_excess(t: str, p: str, scale: str) -> str:
    """-log N(t; p, scale^2) less its least value over p: (t - p)^2 / (2 scale^2), nats."""
    return f"pow(({t}) - ({p}), 2) / (2 * pow({scale}, 2))"


def bernoulli_excess(t: str, p: str) -> str:
    """BCE(t, p) less its floor H(t): KL(Bern t || Bern p), nats; t in [0, 1], p in (0, 1)."""
    white = f"(({t}) <= 0 ? 0 : ({t}) * log(({t}) / ({p})))"
    black = f"(({t}) >= 1 ? 0 : (1 - ({t})) * log((1 - ({t})) / (1 - ({p}))))"
    return f"({white} + {black})"


def dequantised(t: str) -> str:
    """The middle of a byte's step, (255 t + 1/2) / 256: never exactly 0 or 1."""
    return f"((255 * ({t}) + 0.5) / 256)"


def gaussian_density(x: str, mean: str, scale: str) -> str:
    """N(x; mean, scale^2)."""
    return f"(exp(-{gaussian_excess(x, mean, scale)}) / (({scale}) * sqrt(2 * PI)))"


def cb_density(x: str, a: str) -> str:
    """exp(a x - A(a))."""
    return f"exp(({a}) * ({x}) - {cb_cumulant(a)})"


def cb_excess(t: str, a_t: str, a_p: str) -> str:
    """-log density of t at logit a_p, less its least value, which is at logit a_t; nats."""
    return f"({cb_cumulant(a_p)} - {cb_cumulant(a_t)} - ({t}) * (({a_p}) - ({a_t})))"


def calculate(chart: alt.Chart, steps: list[tuple[str, str]]) -> alt.Chart:
    """``chart`` with the calculations ``steps`` appended, in order."""
    for name, expression in steps:
        chart = chart.transform_calculate(**{name: expression})
    return chart
