"""Vega expressions of BCE and its company: what browsers compute while a dial is dragged.

Every function takes and gives text in Vega's expression language; ``t`` is a target, ``p`` an
output, ``a`` a logit (or, under output noise, the noise's half-width). The tests evaluate the text
in the Vega runtime and hold it against ``vae.theory`` and torch.
"""

from collections.abc import Callable

import altair as alt

from vae.theory.counter_biased import nodes

HALVINGS = 36


def entropy(t: str) -> str:
    """H(t) in nats, 0 at the ends."""
    return f"(-{_x_log_y(t, t)} - {_x_log_y(f'(1 - {t})', f'(1 - {t})')})"


def bce(t: str, p: str) -> str:
    """-t log p - (1 - t) log(1 - p)."""
    return f"(-{_x_log_y(t, p)} - {_x_log_y(f'(1 - {t})', f'(1 - {p})')})"


def bce_with_logits(t: str, a: str) -> str:
    """BCE from the logit, finite at any logit: max(a, 0) - t a + log(1 + exp(-|a|))."""
    return f"(max({a}, 0) - ({t}) * ({a}) + log(1 + exp(-abs({a}))))"


def excess(t: str, p: str) -> str:
    """KL(Bern t || Bern p), what BCE costs above its floor H(t)."""
    q, r = f"(1 - {t})", f"(1 - {p})"
    return f"({_x_log_y(t, f'({t}) / ({p})')} + {_x_log_y(q, f'{q} / {r}')})"


def sigmoid(a: str) -> str:
    return f"(1 / (1 + exp(-({a}))))"


def logit(p: str) -> str:
    return f"log(({p}) / (1 - ({p})))"


def bce_gradient(t: str, a: str) -> str:
    """d BCE / da."""
    return f"({sigmoid(a)} - ({t}))"


def mse_gradient(t: str, a: str, sigma: str) -> str:
    """d (sigmoid(a) - t)^2 / (2 sigma^2) / da."""
    p = sigmoid(a)
    return f"(({p} - ({t})) * {p} * (1 - {p}) / pow({sigma}, 2))"


def noisy_bce_slope(t: str, p: str, a: str) -> str:
    """2a times the slope of E[BCE(t, p + e)] in p, e uniform on [-a, a]."""
    q = f"(1 - ({p}))"
    return (
        f"((1 - {t}) * log(({q} + {a}) / ({q} - {a})) - {t} * log((({p}) + {a}) / (({p}) - {a})))"
    )


def noisy_bce(t: str, p: str, a: str) -> str:
    """E[BCE(t, p + e)] for a <= p <= 1 - a, a > 0."""

    def mean_log(x: str) -> str:
        upper, lower = f"({x} + {a})", f"max({x} - {a}, 0)"
        return f"(({_x_log_y(upper, upper)} - {_x_log_y(lower, lower)}) / (2 * {a}) - 1)"

    return f"(-({t}) * {mean_log(p)} - (1 - {t}) * {mean_log(f'(1 - {p})')})"


def noisy_loss_one(t: str, p: str, s: str) -> str:
    """E[L_1(t, p + e)] for uniform noise of standard deviation ``s``."""
    h, v = f"(({p}) - ({t}))", f"({s} * {s})"
    return (
        f"(2 * {t} * (1 - {t}) * ({h} * {h} + {v})"
        f" + 4 / 3 * (1 - 2 * {t}) * (pow({h}, 3) + 3 * {h} * {v})"
        f" - (pow({h}, 4) + 6 * {h} * {h} * {v} + 1.8 * {v} * {v}))"
    )


def noisy_loss_one_slope(t: str, p: str, s: str) -> str:
    """A quarter of the slope of E[L_1(t, p + e)]."""
    return f"((({p}) - {t}) * ({p}) * (1 - ({p})) + {s} * {s} * (1 + {t} - 3 * ({p})))"


def bce_time(t: str, p: str) -> str:
    """Gradient-flow time under BCE from output 1/2 to ``p``, 1/2 <= p < t."""
    return (
        f"(log(2 * ({p})) / {t} + log(2 * (1 - ({p}))) / (1 - {t})"
        f" - log(({t} - ({p})) / ({t} - 0.5)) / ({t} * (1 - {t})))"
    )


def mse_time(t: str, p: str, sigma: str) -> str:
    """The same under squared error / (2 sigma^2)."""
    q = f"(1 - {t})"
    return (
        f"(pow({sigma}, 2) * (-1 / ({t} * ({p})) + 2 / {t} - 1 / ({q} * (1 - ({p}))) + 2 / {q}"
        f" + (2 / {t} + 1 / ({t} * {t})) * log(2 * ({p}))"
        f" + (2 / {q} + 1 / ({q} * {q})) * log(2 * (1 - ({p})))"
        f" - log(({t} - ({p})) / ({t} - 0.5)) / pow({t} * {q}, 2)))"
    )


def bce_escape_time(start: str, a: str) -> str:
    """Gradient-flow time under BCE from logit ``start`` to ``a`` for the target 1."""
    return f"(({a}) + exp({a}) - ({start}) - exp({start}))"


def mse_escape_time(start: str, a: str, sigma: str) -> str:
    """The same under squared error / (2 sigma^2)."""

    def passed(x: str) -> str:
        return f"(-exp(-({x})) + 3 * ({x}) + 3 * exp({x}) + exp(2 * ({x})) / 2)"

    return f"(pow({sigma}, 2) * ({passed(a)} - {passed(start)}))"


def cb_mean(a: str) -> str:
    """Mean of the continuous Bernoulli of logit ``a``."""
    series = f"(0.5 + {a} / 12 - pow({a}, 3) / 720 + pow({a}, 5) / 30240)"
    return f"(abs({a}) < 0.05 ? {series} : 1 / (1 - exp(-({a}))) - 1 / ({a}))"


def cb_log_normaliser(a: str) -> str:
    """log C = log(a / tanh(a / 2)), written in exp(-|a|), which neither cancels nor overflows."""
    size = f"abs({a})"
    series = f"(log(2) + pow({a}, 2) / 12 - 7 * pow({a}, 4) / 1440 + 31 * pow({a}, 6) / 90720)"
    exact = f"log({size} * (1 + exp(-{size})) / (1 - exp(-{size})))"
    return f"({size} < 0.05 ? {series} : {exact})"


def cb_log_prob(x: str, a: str) -> str:
    """log density of the continuous Bernoulli of logit ``a`` at ``x``."""
    return f"({cb_log_normaliser(a)} - {bce_with_logits(x, a)})"


def counter_biased(t: str, p: str, g: str, count: int = 24) -> str:
    """L_g(t, p) by Gauss-Legendre quadrature over the logit; t and p in (0, 1)."""
    start = logit(t)
    width = f"({logit(p)} - {start})"
    terms = []
    for node, weight in nodes(count):
        u = f"(1 / (1 + exp(-({start}) - {node!r} * {width})))"
        terms.append(f"{weight!r} * ({u} - {t}) * pow(4 * {u} * (1 - {u}), {g}) * {u} * (1 - {u})")
    return f"({width} * ({' + '.join(terms)}))"


def noisy_counter_slope(t: str, p: str, g: str, half_width: float, count: int = 12) -> str:
    """E[dL_g / dp at p + e], e uniform of this half-width, by Gauss-Legendre quadrature."""
    terms = []
    for node, weight in nodes(count):
        u = f"({p} + {(2 * node - 1) * half_width!r})"
        terms.append(f"{weight!r} * ({u} - {t}) * pow(4 * {u} * (1 - {u}), {g})")
    return f"({' + '.join(terms)})"


def bisection(
    name: str,
    low: str,
    high: str,
    increasing: Callable[[str], str],
    halvings: int = HALVINGS,
) -> list[alt.Parameter]:
    """Parameters that end in ``name``: where ``increasing`` crosses zero from ``low`` to ``high``.

    Each halves the interval once more, so the last is off by at most its width / 2^(halvings + 1);
    where there is no crossing it is the end nearer to one.
    """
    params = [
        alt.param(name=f"{name}_low", expr=low),
        alt.param(name=f"{name}_width", expr=f"({high}) - {name}_low"),
        alt.param(name=f"{name}_0", expr=f"{name}_low + {name}_width / 2"),
    ]
    for step in range(halvings):
        at = f"{name}_{step}"
        move = f"{name}_width * {2.0 ** -(step + 2)!r}"
        params.append(
            alt.param(
                name=name if step == halvings - 1 else f"{name}_{step + 1}",
                expr=f"{at} + ({increasing(at)} < 0 ? 1 : -1) * {move}",
            )
        )
    return params


def _x_log_y(x: str, y: str) -> str:
    """x log y with 0 log 0 = 0."""
    return f"({x} == 0 ? 0 : {x} * log({y}))"
