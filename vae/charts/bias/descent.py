"""Steps at the logit: decay and early stopping, gradients, and the way out of a confident error."""

from typing import Any

import altair as alt

from vae.charts.bias.parts import DECAY, INNER, SIGMA, START, STOP, T, upright
from vae.charts.kit.parts import (
    curve,
    figure,
    keys,
    level,
    log_axis,
    marker,
    readout,
    x_axis,
    y_axis,
)
from vae.charts.kit.theme import BERNOULLI, GAUSSIAN
from vae.charts.vega import bernoulli as ex

SQUARED = "'squared error, σ = ' + format(sigma, '.3~f')"
# A target of exactly 1/2 is where every start already is; the margin keeps the formulas finite.
HIGH = alt.param(name="high", expr="max(inner, 1 - inner, 0.5001)")
MIRRORED = "(inner < 0.5 ? 1 - {p} : {p})"
BETWEEN = "(0.5 + (high - 0.5) * datum.v)"


def _two_ways(
    *curves: alt.Chart, at: str, outputs: tuple[str, str], x: alt.X, **properties: Any
) -> alt.LayerChart:
    """The output under BCE and under squared error, marked where the dial ``at`` stands."""
    one, two = (MIRRORED.format(p=output) for output in outputs)
    return figure(
        *curves,
        level("inner"),
        upright(at),
        marker(at, one, BERNOULLI),
        marker(at, two, GAUSSIAN),
        *keys(
            (BERNOULLI, f"'BCE: p = ' + format({one}, '.4f')"),
            (GAUSSIAN, f"{SQUARED} + ': p = ' + format({two}, '.4f')"),
        ),
        x=x,
        y=y_axis("output p", 0, 1.25, values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        **properties,
    )


def build_decay_chart(*, t: float, decay: float, sigma: float) -> alt.LayerChart:
    """The best output against weight decay on the logit."""
    p = BETWEEN
    bce = f"(high - {{p}}) - decay * {ex.logit('{p}')}"
    mse = f"(high - {{p}}) * {{p}} * (1 - {{p}}) - pow(sigma, 2) * decay * {ex.logit('{p}')}"
    decay_bce = f"(high - {p}) / {ex.logit(p)}"
    decay_mse = f"{p} * (1 - {p}) / pow(sigma, 2) * {decay_bce}"
    y = MIRRORED.format(p=p)
    params = [
        *T.params(t),
        *DECAY.params(decay),
        *SIGMA.params(sigma),
        INNER,
        HIGH,
        *ex.bisection("kept_bce", "0.5", "high", lambda at: f"-({bce.format(p=at)})"),
        *ex.bisection("kept_mse", "0.5", "high", lambda at: f"-({mse.format(p=at)})"),
    ]
    return _two_ways(
        curve(0.002, 0.9998, 0.002, y, GAUSSIAN, x=decay_mse),
        curve(0.002, 0.9998, 0.002, y, BERNOULLI, x=decay_bce),
        at="decay",
        outputs=("kept_bce", "kept_mse"),
        x=log_axis("weight decay on the logit", DECAY.minimum, DECAY.maximum),
        params=params,
        description="The best output against weight decay on the logit, starting at the target "
        "and ending at one half. Squared error through a sigmoid gives way before binary "
        "cross-entropy where its sigma is large, and after it where sigma is small.",
    )


def build_stopping_chart(*, t: float, stop: float, sigma: float) -> alt.LayerChart:
    """The output against training time from 1/2, and where it is when training stops."""
    late = f"{ex.mse_time('high', '{p}', 'sigma')} - stop"
    params = [
        *T.params(t),
        *STOP.params(stop),
        *SIGMA.params(sigma),
        INNER,
        HIGH,
        *ex.bisection("got_bce", "0.5", "high", lambda at: f"{ex.bce_time('high', at)} - stop"),
        *ex.bisection("got_mse", "0.5", "high", lambda at: late.format(p=at)),
    ]
    # Equal steps of -log(1 - v), so that the end of the way is traced as finely as its start.
    way = "(1 - exp(-datum.v))"
    traced = f"(0.5 + (high - 0.5) * {way})"
    y = MIRRORED.format(p=traced)
    return _two_ways(
        curve(0.002, 12, 0.04, y, GAUSSIAN, x=ex.mse_time("high", traced, "sigma")),
        curve(0.002, 12, 0.04, y, BERNOULLI, x=ex.bce_time("high", traced)),
        at="stop",
        outputs=("got_bce", "got_mse"),
        x=log_axis("training time (learning rate × steps)", STOP.minimum, STOP.maximum),
        params=params,
        description="The output of one pixel against training time, from one half to the target: "
        "which loss arrives first depends on the sigma of the squared error.",
    )


def build_gradient_chart(*, t: float, start: float, sigma: float) -> alt.LayerChart:
    """Gradients on the logit: p - t, and (p - t) p (1 - p) / sigma^2."""
    bce, mse = ex.bce_gradient("t", "{a}"), ex.mse_gradient("t", "{a}", "sigma")
    at_bce, at_mse = bce.format(a="start"), mse.format(a="start")
    return figure(
        curve(-9, 9, 0.05, mse.format(a="datum.v"), GAUSSIAN, cap=1.05),
        curve(-9, 9, 0.05, bce.format(a="datum.v"), BERNOULLI),
        level("0"),
        upright("start"),
        marker("start", at_bce, BERNOULLI),
        marker("start", at_mse, GAUSSIAN),
        *keys(
            (BERNOULLI, f"'BCE: ' + format({at_bce}, '.4f')"),
            (GAUSSIAN, f"{SQUARED} + ': ' + format({at_mse}, '.4f')"),
        ),
        x=x_axis("logit", -9, 9),
        y=y_axis("gradient on the logit", -1.05, 1.45, values=[-1, -0.5, 0, 0.5, 1]),
        params=[*T.params(t), *START.params(start), *SIGMA.params(sigma)],
        description="Gradient on the logit against the logit. That of binary cross-entropy is the "
        "output less the target and stays large where the output is wrong. That of squared error "
        "through a sigmoid vanishes at both ends, at any sigma.",
    )


def build_escape_chart(*, start: float, sigma: float) -> alt.LayerChart:
    """Output against training time from a chosen logit, for a target of exactly 1."""
    half_bce = ex.bce_escape_time("start", "0")
    half_mse = ex.mse_escape_time("start", "0", "sigma")
    y = ex.sigmoid("datum.v")
    after = "datum.v > start"
    said = (
        "start >= 0 ? 'not wrong: half way is behind' : 'to p = ½: BCE ' + "
        f"format({half_bce}, '.3~s') + ', squared error ' + format({half_mse}, '.3~s')"
    )
    return figure(
        curve(
            -8,
            7,
            0.05,
            y,
            GAUSSIAN,
            x=ex.mse_escape_time("start", "datum.v", "sigma"),
            keep=after,
        ),
        curve(-8, 7, 0.05, y, BERNOULLI, x=ex.bce_escape_time("start", "datum.v"), keep=after),
        level("0.5"),
        *keys((BERNOULLI, "'BCE'"), (GAUSSIAN, SQUARED)),
        readout(said, x=42, y=44),
        x=log_axis("training time (learning rate × steps)", 0.1, 10000),
        y=y_axis("output p, target 1", 0, 1.5, values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        params=[*START.params(start), *SIGMA.params(sigma)],
        description="Output against time under plain gradient descent for a target of 1, from the "
        "chosen logit. Each further unit of wrongness makes squared error through a sigmoid wait "
        "2.7 times longer, at any sigma. Binary cross-entropy waits one unit of time more.",
    )
