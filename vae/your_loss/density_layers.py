"""Layers of TensorFlow Probability whose outputs are densities, and the KL that such a layer adds.

``KLDivergenceRegularizer`` sums its KL over the batch and Keras divides an activity's penalty by
the batch: the KL of an image, averaged, stands beside the loss of ``compile``.
"""

from typing import Any

from vae.your_loss import arrays, distributions, graph
from vae.your_loss.graph import Node
from vae.your_loss.operations import NotKnown
from vae.your_loss.state import NoRole
from vae.your_loss.values import Closure, DensityLayer, Distribution, KLRegulariser, Library, Opaque

_GAUSSIAN = frozenset({"IndependentNormal", "MultivariateNormalTriL"})
_KINDS = _GAUSSIAN | {"IndependentBernoulli", "DistributionLambda", "KLDivergenceAddLoss"}
# What puts parts of its own beside each other: they are no plain parameters.
_JOINING = ("concat", "stack", "lambda")
_OF_LATENTS = frozenset({"z", "mean", "logvar", "log_sigma", "sigma", "var"})
# Settings of an estimate of the KL: how often it counts then hangs on them.
_ESTIMATES = frozenset({"test_points_fn", "test_points_reduce_axis"})


def build(state: Any, path: str, args: list[Any], named: dict[str, Any]) -> Any:
    """The layer, the regulariser or the model that a call of a library makes; None for others."""
    last = path.rsplit(".", 1)[-1]
    if path.startswith("tensorflow_probability") and ".layers." in path:
        if last == "KLDivergenceRegularizer":
            return _regulariser(state, args, named)
        if last == "KLDivergenceAddLoss":
            return DensityLayer(last, regulariser=_regulariser(state, args, named))
        if last in _KINDS:
            function = named.get("make_distribution_fn", args[0] if args else None)
            regulariser = named.get("activity_regularizer")
            return DensityLayer(last, regulariser=regulariser, function=function)
    if last == "Sequential":
        layers = named.get("layers", args[0] if args else None)
        if isinstance(layers, list) and layers and isinstance(layers[-1], DensityLayer):
            return DensityLayer(last, layers=layers)
    if last == "Model":
        outputs = named.get("outputs", args[1] if len(args) > 1 else None)
        if isinstance(outputs, Distribution):
            return DensityLayer(last, made=outputs)
    return None


def _regulariser(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    """``KLDivergenceRegularizer(prior, weight=w)``, where its KL counts once for each image."""
    prior = named.get("distribution_b", args[0] if args else None)
    if isinstance(prior, Closure):
        prior = state.call(prior, [], {})
    weight = named.get("weight", args[4] if len(args) > 4 else None)
    plain = not _ESTIMATES & named.keys() and len(args) < 3
    same = _one_number(prior) if isinstance(prior, Distribution) else None
    if not plain or same is None:
        return None
    return KLRegulariser(same, 1.0 if weight is None else weight)


def _one_number(prior: Distribution) -> Distribution | None:
    """A Gaussian that is the same for each latent, as one of a single latent."""
    found = {}
    for name, node in prior.parameters.items():
        full = node.base.full().reshape(-1) if node.is_constant else None
        if full is None or not full.size or (full != full[0]).any():
            return None
        found[name] = graph.value_node(float(full[0]))
    return Distribution("Normal", found, 0, prior.line, "tf") if prior.kind == "Normal" else None


def call(state: Any, layer: DensityLayer, args: list[Any]) -> Any:
    """What a layer, or a model that ends in one, makes of its input."""
    value = args[0] if args else Opaque("inputs", "argument", state.line)
    if layer.made is not None:
        return layer.made
    for before, inner in zip([None, *layer.layers], layer.layers, strict=False):
        if isinstance(inner, DensityLayer):
            inner.after = before
            value = call(state, inner, [value])
        else:
            value = state.opaque_call(inner, [value], {})
    if layer.layers:
        layer.made = value if isinstance(value, Distribution) else None
        return value
    found = value if layer.kind == "KLDivergenceAddLoss" else _density(state, layer, value)
    if isinstance(found, Distribution):
        _add_kl(state, layer.regulariser, found)
        layer.made = found
    return found


def _density(state: Any, layer: DensityLayer, value: Any) -> Any:
    """The density that ``value``, the parameters side by side, stands for."""
    unknown = state.opaque_call(Library(f"tensorflow_probability.layers.{layer.kind}"), [value], {})
    inputs = unknown.inputs
    drawn = bool(inputs & _OF_LATENTS) or any(name.startswith("noise") for name in inputs)
    latent = layer.regulariser is not None or ("target" in inputs and not drawn)
    if not latent and not drawn:
        return unknown
    source = layer.after if layer.after is not None else value
    callee = str(getattr(source, "callee", "") or getattr(source, "path", "")).lower()
    if any(word in callee for word in _JOINING) or isinstance(value, Node | list | tuple):
        return unknown
    parent = Opaque(f"{layer.kind}(...)", "call", state.line, callee=layer.kind, inputs=inputs)
    if latent:
        parent.inputs = frozenset({"target"})
    if layer.kind == "DistributionLambda":
        # Whatever the function calls its parameters, they are to be taken apart.
        parent.failed = latent
        made = state.call(layer.function, [parent], {})
        return made if isinstance(made, Distribution) else unknown
    if layer.kind in _GAUSSIAN:
        loc = _leaf(state, parent, "mean", "mean" if latent else "output")
        scale = _leaf(state, parent, "stddev", "sigma" if latent else "out_scale")
        return Distribution("Normal", {"loc": loc, "scale": scale}, loc.ndim - 1, state.line, "tf")
    if latent:
        return unknown
    logits = _leaf(state, parent, "logits", "output")
    return Distribution("Bernoulli", {"logits": logits}, logits.ndim - 1, state.line, "tf")


def _leaf(state: Any, parent: Opaque, name: str, role: str) -> Node:
    part = Opaque(f"{parent.callee}.{name}", "item", state.line, parent=parent)
    part.node = state.make_leaf(part, role)
    return part.node


def _add_kl(state: Any, regulariser: Any, density: Distribution) -> None:
    if not isinstance(regulariser, KLRegulariser):
        return
    table = distributions.TABLE
    kl = state.operate(table["kl"], "kl", [density, regulariser.prior], {}, "tf")
    weighed = state.times(kl, regulariser.weight)
    if isinstance(weighed, Node):
        mean = graph.apply(
            lambda a: arrays.reduce("mean", a, tuple(range(a.ndim))), weighed, line=state.line
        )
        state.added.append(mean)
        state.regularised = True


def attribute(state: Any, layer: DensityLayer, name: str) -> Any:
    """``encoder.outputs[0]``, ``encoder.inputs``; None for what is a method."""
    if name in ("output", "outputs"):
        value = call(state, layer, [Opaque("inputs", "argument", state.line)])
        return [value] if name == "outputs" else value
    if name in ("input", "inputs"):
        return Opaque("inputs", "argument", state.line)
    if name == "losses" and state.added:
        return state.take_added()
    return None


def predicted(state: Any, layer: DensityLayer) -> Any:
    """The density that a model of such layers gives for its pictures."""
    try:
        return call(state, layer, [Opaque("inputs", "argument", state.line)])
    except (NoRole, NotKnown):
        return None


__all__ = ["attribute", "build", "call", "predicted"]
