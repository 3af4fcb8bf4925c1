"""Chainer: the losses and the densities whose names or arguments no other library has."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vae.your_loss.distributions import HALF_LOG_2PI
from vae.your_loss.distributions import TABLE as DENSITIES
from vae.your_loss.graph import Node
from vae.your_loss.losses import absolute, cross_entropy_of_logits, squared
from vae.your_loss.operations import Call, NotKnown, Operation, reduce_node
from vae.your_loss.values import Distribution


def _reduced(call: Call, node: Node, place: int, kind: str) -> Node:
    """``reduce='sum'``, ``'mean'`` or ``'no'``, whichever the call says."""
    said = call.get(place, "reduce", default=kind)
    if said == "no":
        return node
    if said not in ("sum", "mean"):
        raise NotKnown(f"with reduce {said!r}")
    return reduce_node(call, said, node, None)


def _bernoulli_nll(call: Call) -> Any:
    """``F.bernoulli_nll(x, y)``: y are logits; summed over all, the batch too."""
    target, output = call.node(0, "x", hint="target"), call.node(1, "y", hint="output")
    name = "cross_entropy_of_logits"
    node = call.each(cross_entropy_of_logits, output, target, name=name)
    return _reduced(call, node, 2, "sum")


def _sigmoid_cross_entropy(call: Call) -> Any:
    """``F.sigmoid_cross_entropy(x, t)``: divided by how many values there are, or by images."""
    output, target = call.node(0, "x", hint="output"), call.node(1, "t", hint="target")
    name = "cross_entropy_of_logits"
    node = call.each(cross_entropy_of_logits, output, target, name=name)
    normalised = call.get(2, "normalize", default=True)
    if normalised is True or call.get(3, "reduce", default="mean") == "no":
        return _reduced(call, node, 3, "mean")
    total = reduce_node(call, "sum", node, None)
    return call.each(lambda a: a / node.shape[0], total, name="scale")


def _gaussian_nll(call: Call) -> Any:
    """``F.gaussian_nll(x, mean, ln_var)``, with its constant; summed over all."""
    x, mean = call.node(0, "x"), call.node(1, "mean")
    logvar = call.node(2, "ln_var")

    def nll(a: Any, m: Any, v: Any) -> Any:
        return 0.5 * (v + (a - m) ** 2 * np.exp(-v)) + HALF_LOG_2PI

    return _reduced(call, call.each(nll, x, mean, logvar, name="gaussian_nll"), 3, "sum")


def _gaussian_kl(call: Call) -> Any:
    """``F.gaussian_kl_divergence(mean, ln_var)``: to N(0, 1); summed over all."""
    mean, logvar = call.node(0, "mean", hint="mean"), call.node(1, "ln_var", hint="logvar")
    node = call.each(lambda m, v: 0.5 * (m**2 + np.exp(v) - v - 1.0), mean, logvar, name="kl")
    return _reduced(call, node, 2, "sum")


def _gaussian(call: Call) -> Any:
    """``F.gaussian(mean, ln_var)``: a draw."""
    mean, logvar = call.node(0, "mean", hint="mean"), call.node(1, "ln_var", hint="logvar")
    scale = call.each(lambda v: np.exp(0.5 * v), logvar, name="exp")
    drawn = call.each(np.multiply, call.context.noise(scale.shape, "normal"), scale)
    return call.each(np.add, mean, drawn, name="add")


def _error(function: Callable[..., Any], name: str, mean: bool) -> Operation:
    def run(call: Call) -> Any:
        one, two = call.node(0, "x0"), call.node(1, "x1")
        node = call.each(function, one, two, name=name)
        return reduce_node(call, "mean", node, None) if mean else node

    return run


def _normal(call: Call) -> Any:
    """``D.Normal(loc, scale, log_scale=...)``."""
    if (log_scale := call.get(2, "log_scale", default=None)) is not None:
        scale = call.each(np.exp, call.context.node(log_scale), name="exp")
        call = Call(call.context, call.args[:1], {**call.named, "scale": scale}, call.framework)
    return DENSITIES["Normal"](call)


def _bernoulli(call: Call) -> Any:
    """``D.Bernoulli(p, logit)``."""
    logits = "logit" in call.named or len(call.args) > 1
    value = call.node(int(logits), "logit" if logits else "p", hint="output")
    name = "logits" if logits else "probs"
    return Distribution("Bernoulli", {name: value}, 0, call.context.line, call.framework)


TABLE: Mapping[str, Operation] = {
    "bernoulli_nll": _bernoulli_nll,
    "sigmoid_cross_entropy": _sigmoid_cross_entropy,
    "gaussian_nll": _gaussian_nll,
    "gaussian_kl_divergence": _gaussian_kl,
    "gaussian": _gaussian,
    "mean_squared_error": _error(squared, "squared", mean=True),
    "mean_absolute_error": _error(absolute, "absolute", mean=True),
    "squared_error": _error(squared, "squared", mean=False),
    "absolute_error": _error(absolute, "absolute", mean=False),
    "Normal": _normal,
    "Bernoulli": _bernoulli,
    "Laplace": DENSITIES["Laplace"],
    "Independent": DENSITIES["Independent"],
    "kl_divergence": DENSITIES["kl_divergence"],
}
