"""Losses of Theano, Lasagne, MXNet and MLX, whose names or arguments no other library has."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vae.your_loss.losses import absolute, cross_entropy, cross_entropy_of_logits, squared
from vae.your_loss.operations import Call, NotKnown, Operation, number_of, reduce_node
from vae.your_loss.values import LossObject


def _each(function: Callable[..., Any], name: str) -> Operation:
    """A cost for each value, of an output and then a target."""

    def run(call: Call) -> Any:
        output = call.node(0, "output", "predictions", "a", hint="output")
        target = call.node(1, "target", "targets", "b", hint="target")
        return call.each(function, output, target, name=name)

    return run


THEANO: Mapping[str, Operation] = {
    "binary_crossentropy": _each(cross_entropy, "cross_entropy"),
    "sigmoid_binary_crossentropy": _each(cross_entropy_of_logits, "cross_entropy_of_logits"),
    "squared_error": _each(squared, "squared"),
}


def _gluon(name: str) -> Operation:
    """``gluon.loss.L2Loss()``: for each image the mean over all its values."""

    def build(call: Call) -> Any:
        weight = call.named.get("weight", 0.5 if name == "L2Loss" else 1.0)
        if name == "L2Loss" and "weight" in call.named:
            weight = 0.5 * number_of(weight)
        if call.args or call.named.get("batch_axis", 0) != 0:
            raise NotKnown("with these settings")
        logits = not call.named.get("from_sigmoid", False)

        def use(inner: Call) -> Any:
            if len(inner.args) > 2 or inner.named.keys() - {"pred", "label"}:
                raise NotKnown("with weights of its own")
            output = inner.node(0, "pred", hint="output")
            target = inner.node(1, "label", hint="target")
            kind, function = {
                "L2Loss": ("squared", squared),
                "L1Loss": ("absolute", absolute),
            }.get(name, ("cross_entropy", cross_entropy))
            if kind == "cross_entropy" and logits:
                kind, function = "cross_entropy_of_logits", cross_entropy_of_logits
            each = inner.each(function, output, target, name=kind)
            mean = reduce_node(inner, "mean", each, list(range(1, each.ndim)))
            return inner.each(np.multiply, mean, inner.context.node(weight), name="mul")

        return LossObject(use, name, {})

    return build


GLUON: Mapping[str, Operation] = {
    name: _gluon(name)
    for name in ("L2Loss", "L1Loss", "SigmoidBinaryCrossEntropyLoss", "SigmoidBCELoss")
}


def _mlx(kind: str, function: Callable[..., Any], default: str = "mean") -> Operation:
    """``nn.losses.mse_loss(predictions, targets, reduction="mean")``: the mean over all values."""

    def run(call: Call) -> Any:
        output = call.node(0, "inputs", "predictions", hint="output")
        target = call.node(1, "targets", hint="target")
        name, each = kind, function
        if kind == "cross_entropy":
            if call.get(2, "weights", default=None) is not None:
                raise NotKnown("with weights of its own")
            if call.get(3, "with_logits", default=True):
                name, each = "cross_entropy_of_logits", cross_entropy_of_logits
        said = call.get(4 if kind == "cross_entropy" else 2, "reduction", default=default)
        if said not in ("mean", "sum", "none"):
            raise NotKnown(f"with reduction {said!r}")
        node = call.each(each, output, target, name=name)
        return node if said == "none" else reduce_node(call, said, node, None)

    return run


MLX: Mapping[str, Operation] = {
    "mse_loss": _mlx("squared", squared),
    "l1_loss": _mlx("absolute", absolute),
    "binary_cross_entropy": _mlx("cross_entropy", cross_entropy),
}
