"""The losses of the libraries, each with its own order of arguments and its own default mean."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vae.your_loss import arrays
from vae.your_loss.graph import Node
from vae.your_loss.operations import (
    Call,
    NotKnown,
    Operation,
    number_of,
    paired,
    reduce_node,
    softplus,
    wholes,
)
from vae.your_loss.values import LossObject, Opaque

# torch clamps log(p) at -100; no probe comes near it.
LEAST_LOG = -100.0


def squared(y: Any, x: Any) -> Any:
    return (y - x) ** 2


def absolute(y: Any, x: Any) -> Any:
    return np.abs(y - x)


def cross_entropy(y: Any, x: Any) -> Any:
    """Of probabilities ``y``."""
    return -(x * np.maximum(np.log(y), LEAST_LOG) + (1 - x) * np.maximum(np.log1p(-y), LEAST_LOG))


def cross_entropy_of_logits(y: Any, x: Any) -> Any:
    return softplus(y) - x * y


def huber(delta: float) -> Callable[..., Any]:
    def run(y: Any, x: Any) -> Any:
        size = np.abs(y - x)
        return np.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta))

    return run


def log_cosh(y: Any, x: Any) -> Any:
    return np.logaddexp(y - x, x - y) - math.log(2.0)


def _warn_shapes(call: Call, output: Node, target: Node) -> None:
    output, target = paired(output, target)
    if output.ndim and target.ndim and output.shape != target.shape:
        call.context.note(
            "broadcast",
            f"the two arguments have shapes {output.shape} and {target.shape}, which are "
            "broadcast: the loss compares every value with several others.",
        )


# -- torch ------------------------------------------------------------------------------------
def _torch_reduction(call: Call, place: int) -> str:
    if call.named.get("size_average") is False or (
        len(call.args) > place and call.args[place] is False
    ):
        return "sum"
    if call.named.get("reduce") is False:
        return "none"
    given = call.named.get("reduction")
    if given is None and len(call.args) > place and isinstance(call.args[place], str):
        given = call.args[place]
    if given is None:
        return "mean"
    given = call.context.chosen_text(given, ("mean", "sum"))
    if given in ("mean", "elementwise_mean"):
        return "mean"
    if given in ("sum", "none", "batchmean"):
        return str(given)
    raise NotKnown("with a reduction that is not known")


def _reduced(call: Call, node: Node, reduction: str) -> Node:
    if reduction == "none":
        return node
    if reduction == "batchmean":
        total = reduce_node(call, "sum", node, None)
        return call.each(lambda a: a / node.shape[0], total, name="scale")
    return reduce_node(call, reduction, node, None)


def _torch(function: Callable[..., Any], name: str, place: int = 2) -> Operation:
    def run(call: Call) -> Any:
        output = call.node(0, "input", "y_pred", "pred", hint="output")
        target = call.node(1, "target", "y_true", hint="target")
        _warn_shapes(call, output, target)
        node = call.each(function, output, target, name=name)
        weight = call.named.get("weight")
        if weight is not None:
            node = call.each(np.multiply, node, call.context.node(weight), name="mul")
        if call.named.get("pos_weight") is not None:
            raise NotKnown("with pos_weight")
        return _reduced(call, node, _torch_reduction(call, place))

    return run


def _torch_huber(call: Call) -> Any:
    delta = call.named.get("delta", call.named.get("beta", 1.0))
    return _torch(huber(number_of(delta)), "huber")(call)


def _torch_smooth(call: Call) -> Any:
    beta = number_of(call.named.get("beta", 1.0))
    if beta == 0:
        return _torch(absolute, "absolute")(call)
    inner = huber(beta)
    return _torch(lambda y, x: inner(y, x) / beta, "huber")(call)


def _gaussian_nll(call: Call) -> Any:
    output = call.node(0, "input", hint="output")
    target = call.node(1, "target", hint="target")
    var = call.node(2, "var", hint="out_scale")
    full = bool(call.named.get("full", False))
    constant = 0.5 * math.log(2 * math.pi) if full else 0.0
    node = call.each(
        lambda y, x, v: 0.5 * ((y - x) ** 2 / v + np.log(v)) + constant,
        output,
        target,
        var,
        name="gaussian_nll",
    )
    return _reduced(call, node, _torch_reduction(call, 99))


def _torch_categorical(call: Call) -> Any:
    # Also where its argument cannot be made: an axis of classes may be what is lacking.
    call.context.over_classes = True
    logits = call.node(0, "input", hint="output")
    target = call.get(1, "target")
    logits = _in_rows(call, logits, target)
    target = _flat(call, logits, target)
    found = categorical(call, logits, target, axis=1 if logits.ndim > 1 else 0)
    return _reduced(call, found, _torch_reduction(call, 99))


def _in_rows(call: Call, logits: Node, target: Any) -> Node:
    """The output of which only ``view(-1, classes)`` was seen, a row for each class of the target.

    What the view was taken of may be the list of a network's steps, of which nothing is known.
    """
    value = call.get(0, "input")
    viewed = isinstance(value, Opaque) and re.search(r"\.(view|reshape)\(", value.path) is not None
    if not viewed or not logits.leaf or logits.ndim < 3 or call.context.setup.classes != "last":
        return logits
    node = call.context.node(target, "target")
    count, classes = math.prod(logits.shape[:-1]), logits.shape[-1]
    if node.ndim != 1 or node.shape[0] > count:
        return logits

    def rows(a: arrays.Array) -> arrays.Array:
        return arrays.index(arrays.reshape(a, (count, classes)), (slice(0, node.shape[0]),))

    return call.run(rows, logits, name="reshape")


def _flat(call: Call, logits: Node, target: Any) -> Any:
    """Classes that come as they are beside logits in rows: PyTorch takes them in one row alone."""
    if not isinstance(target, Opaque) or logits.leaf or logits.ndim != 2:
        return target
    node = call.context.node(target, "target")
    count = logits.shape[0]
    if not node.leaf or node.ndim < 2 or math.prod(node.shape) != count:
        return target
    return call.run(lambda a: arrays.reshape(a, (count,)), node, name="reshape")


def _torch_nll(call: Call) -> Any:
    """``nll_loss``: the log probabilities are there already, and one of them is picked."""
    call.context.over_classes = True
    logs = call.node(0, "input", hint="output")
    target = call.get(1, "target")
    logs = _in_rows(call, logs, target)
    found = categorical(call, logs, target, axis=1 if logs.ndim > 1 else 0, logs=True)
    return _reduced(call, found, _torch_reduction(call, 99))


# The first of a picture's three numbers is seldom more of its channels: it is a volume's side.
_MOST_CHANNELS = 32


def categorical(
    call: Call, logits: Node, target: Any, axis: int = -1, *, logs: bool = False
) -> Node:
    """Cross-entropy of class logits; the classes of the target are averaged over evenly.

    The target's shape tells whether it holds classes (one axis less) or probabilities. With
    ``logs`` the logits are log probabilities, of which nothing is taken off.
    """
    call.context.over_classes = True
    node = call.context.node(target, "target")
    place = arrays.axis_of(axis, logits.ndim)
    # Log probabilities are picked by a class, they are not weighed by other probabilities.
    further = logits.leaf.startswith("output#") and node.leaf.startswith("target#")
    if further and node.shape == logits.shape and logits.ndim < 3:
        # A picture and its output are met already: these are labels, a term of its own.
        raise NotKnown("of labels beside the picture")
    count = logits.shape[place]
    # Nor is the one channel of a grey picture an axis of classes, or a side of it or of a volume.
    volume = logits.ndim == 4 and count > _MOST_CHANNELS
    square = logits.ndim == 3 and logits.shape[1] == logits.shape[2]
    side = count == 1 or (bool(logits.leaf) and (volume or square))
    if node.shape == logits.shape and (logits.ndim < 3 or logs or side):
        raise arrays.Misfit("classes need an axis of their own")
    if node.shape == logits.shape:

        def soft(a: Any, t: Any) -> Any:
            total = arrays.reduce("logsumexp", a, (place,), True)
            each = arrays.elementwise(lambda v, s, p: p * (s - v), a, total, t)
            return arrays.reduce("sum", each, (place,))

        return call.run(soft, logits, node, name="categorical")
    if node.shape != tuple(s for i, s in enumerate(logits.shape) if i != place):
        raise arrays.Misfit(f"logits {logits.shape} and classes {node.shape} do not fit")

    def hard(a: Any, t: Any) -> Any:
        total = arrays.reduce("logsumexp", a, (place,))
        classes = arrays.from_numpy(
            np.arange(count).reshape((count,) + (1,) * (a.ndim - place - 1))
        )
        spread = arrays.insert_axis(t, place)
        chosen = arrays.elementwise(
            lambda v, c, k: v * (np.floor(np.mod(np.abs(c), count)) == k), a, spread, classes
        )
        picked = arrays.reduce("sum", chosen, (place,))
        return arrays.elementwise(lambda s, c: -c if logs else s - c, total, picked)

    return call.run(hard, logits, node, name="categorical")


def _kl_div(call: Call) -> Any:
    del call
    raise NotKnown(
        "as a KL of two tables of probabilities; a KL of q(z|x) is read from mu and logvar"
    )


# -- Keras ------------------------------------------------------------------------------------
def _last_mean(call: Call, node: Node) -> Node:
    return reduce_node(call, "mean", node, -1) if node.ndim else node


def _from_logits(call: Call, settings: Mapping[str, Any]) -> bool:
    return bool(call.named.get("from_logits", settings.get("from_logits", False)))


KERAS_COSTS: Mapping[str, Callable[..., Any]] = {
    "mean_squared_error": squared,
    "mean_absolute_error": absolute,
    "log_cosh": log_cosh,
}
KERAS_NAMES = {
    "mse": "mean_squared_error",
    "MSE": "mean_squared_error",
    "mean_squared_error": "mean_squared_error",
    "MeanSquaredError": "mean_squared_error",
    "mae": "mean_absolute_error",
    "MAE": "mean_absolute_error",
    "mean_absolute_error": "mean_absolute_error",
    "MeanAbsoluteError": "mean_absolute_error",
    "logcosh": "log_cosh",
    "log_cosh": "log_cosh",
    "LogCosh": "log_cosh",
    "Huber": "huber",
    "huber": "huber",
    "huber_loss": "huber",
    "binary_crossentropy": "binary_crossentropy",
    "BinaryCrossentropy": "binary_crossentropy",
    "categorical_crossentropy": "categorical_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "sparse_categorical_crossentropy": "sparse_categorical_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
}


def keras_each(call: Call, kind: str, settings: Mapping[str, Any]) -> Node:
    """The loss of Keras per sample: its mean is over the last axis alone."""
    if kind.endswith("categorical_crossentropy"):
        return _keras_categorical(call, settings)
    target = call.node(0, "y_true", "target", "labels", hint="target")
    output = call.node(1, "y_pred", "output", "predictions", hint="output")
    _warn_shapes(call, output, target)
    if kind == "binary_crossentropy":
        logits = _from_logits(call, settings)
        function = cross_entropy_of_logits if logits else cross_entropy
        name = "cross_entropy_of_logits" if logits else "cross_entropy"
    elif kind == "huber":
        delta = call.named.get("delta", settings.get("delta", 1.0))
        function, name = huber(number_of(delta)), "huber"
    else:
        function, name = KERAS_COSTS[kind], kind
    node = call.each(function, output, target, name=name)
    axis = call.named.get("axis", settings.get("axis"))
    if axis is None or not node.ndim:
        return _last_mean(call, node)
    return reduce_node(call, "mean", node, wholes(axis))


def _keras_categorical(call: Call, settings: Mapping[str, Any]) -> Node:
    logits = call.node(1, "y_pred", "output", hint="output")
    if not _from_logits(call, settings):

        def normalised(a: Any) -> Any:
            total = arrays.reduce("sum", a, (a.ndim - 1,), True)
            return arrays.elementwise(lambda v, s: np.log(v / s), a, total)

        logits = call.run(normalised, logits, name="log")
    return categorical(call, logits, call.get(0, "y_true", "target"))


def keras_function(name: str) -> Operation:
    kind = KERAS_NAMES[name]

    def run(call: Call) -> Any:
        return keras_each(call, kind, {})

    return run


def keras_object(name: str) -> Operation:
    """``keras.losses.MeanSquaredError(reduction=...)``: an object to be called."""
    kind = KERAS_NAMES[name]

    def build(call: Call) -> Any:
        settings = dict(call.named)
        if call.args:
            settings.setdefault("delta" if kind == "huber" else "from_logits", call.args[0])

        def use(inner: Call) -> Any:
            node = keras_each(inner, kind, settings)
            given = settings.get("reduction", "sum_over_batch_size")
            reduction = str(getattr(given, "path", given)).lower().rsplit(".", 1)[-1]
            if inner.named.get("sample_weight") is not None:
                raise NotKnown("with sample weights")
            if reduction == "none":
                return node
            if reduction == "sum":
                return reduce_node(inner, "sum", node, None)
            if reduction in ("sum_over_batch_size", "auto", "mean", "mean_with_sample_weight"):
                return reduce_node(inner, "mean", node, None)
            raise NotKnown(f"with reduction {reduction!r}")

        return LossObject(use, name, settings)

    return build


def _backend_bce(call: Call) -> Any:
    """``K.binary_crossentropy(target, output)``: per value, no mean. Keras 1 took the output first.

    Its files are as often in the later order; roles that are known say which one is meant.
    """
    places = (0, 1)
    if call.context.setup.first_keras and _output_first(call):
        places = (1, 0)
        text = "K.binary_crossentropy is read as Keras 1 has it, which takes the output first."
        call.context.note("assumed", text)
    target = call.node(places[0], "target", hint="target")
    output = call.node(places[1], "output", hint="output")
    logits = bool(call.get(2, "from_logits", default=False))
    name = "cross_entropy_of_logits" if logits else "cross_entropy"
    function = cross_entropy_of_logits if logits else cross_entropy
    return call.each(function, output, target, name=name)


# -- TensorFlow and optax ---------------------------------------------------------------------
def _pair(
    function: Callable[..., Any], name: str, outputs: tuple[str, ...], targets: tuple[str, ...],
    first: str,
) -> Operation:  # fmt: skip
    """A cost per value, of an output and a target in the library's order."""

    def run(call: Call) -> Any:
        places = (0, 1) if first == "output" else (1, 0)
        output = call.node(places[0], *outputs, hint="output")
        if name == "half_square" and len(call.args) < 2 and not set(targets) & set(call.named):
            return call.each(lambda y: 0.5 * y**2, output, name=name)
        target = call.node(places[1], *targets, hint="target")
        _warn_shapes(call, output, target)
        return call.each(function, output, target, name=name)

    return run


def _sequence_loss(call: Call) -> Any:
    """``seq2seq.sequence_loss(logits, targets, weights)``: a cross-entropy of each token.

    By default it is averaged, as the weights say, over the tokens of all sequences.
    """
    logits = call.node(0, "logits", hint="output")
    each = categorical(call, logits, call.get(1, "targets"))
    weights = call.context.node(call.get(2, "weights", default=1.0))
    if weights.deps:
        raise NotKnown("with weights that are not known")
    each = call.each(np.multiply, each, weights, name="mul")
    steps = call.get(3, "average_across_timesteps", default=True)
    batch = call.get(4, "average_across_batch", default=True)
    axes = tuple(axis for axis, taken in ((0, batch), (1, steps)) if taken)
    if not axes:
        return each
    whole = call.each(lambda a, w: w + 0.0 * a, each, weights, name="mul")
    total, count = (reduce_node(call, "sum", node, axes) for node in (each, whole))
    return call.each(np.divide, total, count, name="div")


def _optax_huber(call: Call) -> Any:
    output = call.node(0, "predictions", hint="output")
    target = call.node(1, "targets", hint="target")
    delta = number_of(call.get(2, "delta", default=1.0))
    return call.each(huber(delta), output, target, name="huber")


def _half_sum(call: Call) -> Any:
    """``tf.nn.l2_loss(t)``: half the sum of squares."""
    node = call.node(0, "t")
    total = reduce_node(call, "sum", call.each(np.square, node), None)
    return call.each(lambda a: 0.5 * a, total, name="scale")


def _old_tf(function: Callable[..., Any], name: str) -> Operation:
    """``tf.losses`` of version 1: labels, predictions, mean over everything."""

    def run(call: Call) -> Any:
        target = call.node(0, "labels", "multi_class_labels", hint="target")
        output = call.node(1, "predictions", "logits", hint="output")
        node = call.each(function, output, target, name=name)
        weight = call.named.get("weights")
        if weight is not None:
            node = call.each(np.multiply, node, call.context.node(weight), name="mul")
        given = call.named.get("reduction", "sum_by_nonzero_weights")
        reduction = str(getattr(given, "path", given)).lower()
        if reduction.endswith("none"):
            return node
        return reduce_node(call, "sum" if reduction.endswith(".sum") else "mean", node, None)

    return run


def _softmax_pair(call: Call) -> Any:
    if "labels" in call.named or "logits" in call.named or call.framework == "jax":
        logits = call.node(0, "logits", hint="output")
        target = call.get(1, "labels")
        return categorical(call, logits, target)
    if len(call.args) < 2:
        raise NotKnown("without named arguments")
    first = _logits_first(call)
    logits = call.node(0 if first else 1, hint="output")
    return categorical(call, logits, call.get(1 if first else 0))


def _sigmoid_pair(call: Call) -> Any:
    """tf's ``sigmoid_cross_entropy_with_logits``: labels come first where they are not named.

    Before TensorFlow 1.0 logits came first; from then on its first version took names alone.
    """
    if not {"labels", "targets", "logits"} & call.named.keys() and _logits_first(call):
        output, target = call.node(0, hint="output"), call.node(1, hint="target")
    else:
        target = call.node(0, "labels", "targets", hint="target")
        output = call.node(1, "logits", hint="output")
    return call.each(cross_entropy_of_logits, output, target, name="cross_entropy_of_logits")


def _logits_first(call: Call) -> bool:
    """Whether code of the first TensorFlow has the old order; roles that are known say more."""
    if not call.context.setup.first_tensorflow or len(call.args) < 2:
        return False
    return _known_roles(call) != [{"target"}, {"output"}]


def _output_first(call: Call) -> bool:
    """Whether the output is known to stand before the picture."""
    return len(call.args) > 1 and _known_roles(call) == [{"output"}, {"target"}]


def _known_roles(call: Call) -> list[set[str]]:
    """Of what the first two arguments are made, as far as their names say."""
    return [
        {dep.split("#")[0] for dep in value.deps}
        if isinstance(value, Node)
        else {call.context.role_of(value)}
        for value in call.args[:2]
        if isinstance(value, Node | Opaque)
    ]


def torch_object(name: str, operation: Operation) -> Operation:
    """``nn.MSELoss(reduction='sum')``: its settings are those of the function."""

    def build(call: Call) -> Any:
        settings = dict(call.named)
        for place, value in enumerate(call.args[:2]):
            if name == "SmoothL1Loss" and isinstance(value, float):
                settings.setdefault("beta", value)
            elif name == "HuberLoss":
                settings.setdefault("reduction" if isinstance(value, str) else "delta", value)
            elif isinstance(value, bool):
                settings.setdefault(("size_average", "reduce")[place], value)

        def use(inner: Call) -> Any:
            merged = Call(inner.context, inner.args, {**settings, **inner.named}, "torch")
            return operation(merged)

        return LossObject(use, name, settings)

    return build


TORCH: Mapping[str, Operation] = {
    "mse_loss": _torch(squared, "squared"),
    "l1_loss": _torch(absolute, "absolute"),
    "smooth_l1_loss": _torch_smooth,
    "huber_loss": _torch_huber,
    "binary_cross_entropy": _torch(cross_entropy, "cross_entropy", 3),
    "binary_cross_entropy_with_logits": _torch(
        cross_entropy_of_logits, "cross_entropy_of_logits", 3
    ),
    "cross_entropy": _torch_categorical,
    "nll_loss": _torch_nll,
    "gaussian_nll_loss": _gaussian_nll,
    "kl_div": _kl_div,
}
TORCH_OBJECTS: Mapping[str, Operation] = {
    name: torch_object(name, TORCH[function])
    for name, function in {
        "MSELoss": "mse_loss",
        "L1Loss": "l1_loss",
        "SmoothL1Loss": "smooth_l1_loss",
        "HuberLoss": "huber_loss",
        "BCELoss": "binary_cross_entropy",
        "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
        "CrossEntropyLoss": "cross_entropy",
        "NLLLoss": "nll_loss",
        "GaussianNLLLoss": "gaussian_nll_loss",
        "KLDivLoss": "kl_div",
    }.items()
}
KERAS: Mapping[str, Operation] = {
    name: (
        keras_object(name)
        if name[0].isupper() and name not in ("MSE", "MAE")
        else keras_function(name)
    )
    for name in KERAS_NAMES
}
_OPTAX = {"outputs": ("predictions", "logits"), "targets": ("targets", "labels"), "first": "output"}
OTHERS: Mapping[str, Operation] = {
    "K.binary_crossentropy": _backend_bce,
    "sigmoid_cross_entropy_with_logits": _sigmoid_pair,
    "l2_loss": _half_sum,
    "softmax_cross_entropy_with_logits": _softmax_pair,
    "softmax_cross_entropy_with_logits_v2": _softmax_pair,
    "sparse_softmax_cross_entropy_with_logits": _softmax_pair,
    "sequence_loss": _sequence_loss,
    "old.mean_squared_error": _old_tf(squared, "squared"),
    "old.absolute_difference": _old_tf(absolute, "absolute"),
    "old.sigmoid_cross_entropy": _old_tf(cross_entropy_of_logits, "cross_entropy_of_logits"),
    "old.log_loss": _old_tf(cross_entropy, "cross_entropy"),
    "optax.l2_loss": _pair(lambda y, x: 0.5 * (y - x) ** 2, "half_square", **_OPTAX),  # type: ignore[arg-type]
    "optax.squared_error": _pair(squared, "squared", **_OPTAX),  # type: ignore[arg-type]
    "optax.absolute_error": _pair(absolute, "absolute", **_OPTAX),  # type: ignore[arg-type]
    "optax.log_cosh": _pair(log_cosh, "log_cosh", **_OPTAX),  # type: ignore[arg-type]
    "optax.sigmoid_binary_cross_entropy": _pair(
        cross_entropy_of_logits,
        "cross_entropy_of_logits",
        **_OPTAX,  # type: ignore[arg-type]
    ),
    "optax.huber_loss": _optax_huber,
    "optax.softmax_cross_entropy": _softmax_pair,
    "optax.softmax_cross_entropy_with_integer_labels": _softmax_pair,
    "sklearn.mean_squared_error": _torch(squared, "squared"),
}
