"""The arithmetic, the reductions and the reshapes of the four libraries, over the graph.

Every entry takes a ``Call``; names differ between libraries, what they do hardly does.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vae.your_loss import arrays, graph
from vae.your_loss.arrays import Array, Misfit
from vae.your_loss.graph import Node
from vae.your_loss.values import Opaque


class NotKnown(Exception):
    """An operation or a form of it that the vocabulary does not hold."""


class Context(Protocol):
    """What operations need of the interpreter."""

    line: int
    over_classes: bool
    apart: set[str]
    setup: Any

    def node(self, value: Any, hint: str = "") -> Node: ...

    def noise(self, shape: Sequence[int], kind: str) -> Node: ...

    def output(self) -> Node: ...

    def moment_of(self, value: Any) -> str: ...

    def role_of(self, value: Any) -> str: ...

    def chosen_text(self, value: Any, texts: Sequence[str]) -> Any: ...

    def note(self, kind: str, text: str) -> None: ...

    def flat_rows(self, sizes: Sequence[Any], node: Node) -> tuple[int, ...] | None: ...

    def call(self, function: Any, args: list[Any], named: dict[str, Any]) -> Any: ...


MISSING = object()


@dataclass(eq=False)
class Call:
    """Arguments of one call."""

    context: Context
    args: list[Any]
    named: dict[str, Any]
    framework: str = ""

    def get(self, position: int, *names: str, default: Any = MISSING) -> Any:
        for name in names:
            if name in self.named:
                return self.named[name]
        if 0 <= position < len(self.args):
            return self.args[position]
        if default is MISSING:
            raise NotKnown(f"without {names[0] if names else 'its argument'}")
        return default

    def node(self, position: int, *names: str, hint: str = "") -> Node:
        return self.context.node(self.get(position, *names), hint)

    def number(self, position: int, *names: str, default: float) -> float:
        value = self.get(position, *names, default=None)
        return default if value is None else number_of(value)

    def run(self, function: Callable[..., Array], *nodes: Node, name: str = "") -> Node:
        return graph.apply(function, *nodes, line=self.context.line, name=name)

    def each(self, function: Callable[..., Any], *nodes: Node, name: str = "") -> Node:
        if len(nodes) == 2 and nodes[0].shape != nodes[1].shape:
            nodes = paired(*self.redrawn(*nodes))
            _check_growth(*nodes)
        return graph.elementwise(function, *nodes, line=self.context.line, name=name)

    def redrawn(self, one: Node, two: Node) -> tuple[Node, Node]:
        """A draw of the code's own sizes beside latents of those that were said, in their shape.

        Such code runs, so that the draw has the shape of what it is multiplied with.
        """
        for noise, other in ((one, two), (two, one)):
            if not _is_standard(noise) or other.is_constant or not other.ndim:
                continue
            try:
                np.broadcast_shapes(noise.shape, other.shape)
            except ValueError:
                drawn = self.context.noise(other.shape, "normal")
                return (drawn, two) if noise is one else (one, drawn)
        return one, two


Operation = Callable[[Call], Any]

# Operations after which values lie in another order or in other rows.
_MOVED = frozenset({"reshape", "index", "expand", "concat", "tile", "vmap", "transpose"})


def _is_standard(node: Node) -> bool:
    """Whether a value is a draw of N(0, 1) and nothing else; at its base that is 1."""
    drawn = bool(node.deps) and all(dep.startswith("noise") for dep in node.deps)
    return drawn and bool((node.base.data == 1.0).all())


def paired(one: Node, two: Node) -> tuple[Node, Node]:
    """A picture and an output of as many values, of which one was told its shape and one not.

    The shape of what the code never reshapes is a guess: such code runs, so that it has the
    shape of what it is compared with.
    """
    if math.prod(one.shape) != math.prod(two.shape) or one.shape[:1] != two.shape[:1]:
        return one, two
    try:
        np.broadcast_shapes(one.shape, two.shape)
    except ValueError:
        pass
    else:
        return one, two
    kinds = [{dep.split("#")[0] for dep in node.deps} & {"target", "output"} for node in (one, two)]
    if kinds not in ([{"target"}, {"output"}], [{"output"}, {"target"}]):
        return one, two
    guessed = [_guessed_shape(node) for node in (one, two)]
    if guessed == [True, False]:
        return _as_shape(one, two.shape), two
    return (one, _as_shape(two, one.shape)) if guessed == [False, True] else (one, two)


def _check_growth(one: Node, two: Node) -> None:
    """Weights of another length than pictures of a guessed shape show that it is another one.

    They would be repeated along an axis of 1, and every pixel would count several times.
    """
    for fixed, picture in ((one, two), (two, one)):
        kinds = {dep.split("#")[0] for dep in picture.deps}
        if not fixed.is_constant or not fixed.ndim or not kinds & {"target", "output"}:
            continue
        try:
            shape = np.broadcast_shapes(fixed.shape, picture.shape)
        except ValueError:
            continue
        if math.prod(shape) > math.prod(picture.shape) and _guessed_shape(picture):
            raise Misfit(f"shapes {picture.shape} and {fixed.shape} do not go together")


def _as_shape(node: Node, shape: tuple[int, ...]) -> Node:
    return graph.apply(lambda a: arrays.reshape(a, shape), node, line=node.line, name="reshape")


def _guessed_shape(node: Node) -> bool:
    """Whether no reshape lies between ``node`` and the pictures that it is made of."""
    return not any(inner.name in _MOVED for inner in graph.operations(node))


def number_of(value: Any) -> float:
    """A number that does not depend on an input."""
    if isinstance(value, Node):
        if value.is_constant and math.prod(value.shape) == 1:
            return value.number()
    elif isinstance(value, int | float | np.number):
        return float(value)
    raise NotKnown("with a setting that is no plain number")


def whole(value: Any) -> int:
    found = number_of(value)
    if not math.isfinite(found) or found != int(found):
        raise Misfit(f"{found!r} where a whole number is needed")
    return int(found)


def wholes(value: Any) -> list[int]:
    if isinstance(value, list | tuple):
        return [whole(item) for item in value]
    if isinstance(value, Node) and value.is_constant and value.ndim == 1:
        return [int(item) for item in value.base.full()]
    return [whole(value)]


# -- one value at a time ----------------------------------------------------------------------
def sigmoid(a: Any) -> Any:
    return 0.5 * (1.0 + np.tanh(0.5 * np.asarray(a, dtype=float)))


def softplus(a: Any) -> Any:
    return np.logaddexp(0.0, a)


_gamma = np.frompyfunc(lambda v: math.lgamma(v) if v > 0 else math.nan, 1, 1)
_erf = np.frompyfunc(math.erf, 1, 1)

UNARY: Mapping[str, Callable[..., Any]] = {
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "rsqrt": lambda a: 1.0 / np.sqrt(a),
    "abs": np.abs,
    "absolute": np.abs,
    "fabs": np.abs,
    "square": np.square,
    "sqr": np.square,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "arctan": np.arctan,
    "atan": np.arctan,
    "arctanh": np.arctanh,
    "atanh": np.arctanh,
    "sigmoid": sigmoid,
    "expit": sigmoid,
    "softplus": softplus,
    "logsigmoid": lambda a: -softplus(-a),
    "log_sigmoid": lambda a: -softplus(-a),
    "relu": lambda a: np.maximum(a, 0.0),
    "relu6": lambda a: np.clip(a, 0.0, 6.0),
    "silu": lambda a: a * sigmoid(a),
    "swish": lambda a: a * sigmoid(a),
    "sign": np.sign,
    "neg": np.negative,
    "negative": np.negative,
    "reciprocal": np.reciprocal,
    "inv": np.reciprocal,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "trunc": np.trunc,
    "isnan": np.isnan,
    "isfinite": np.isfinite,
    "isinf": np.isinf,
    "is_nan": np.isnan,
    "is_finite": np.isfinite,
    "is_inf": np.isinf,
    "logical_not": np.logical_not,
    "nan_to_num": np.nan_to_num,
    "logit": lambda a: np.log(a) - np.log1p(-a),
    "lgamma": lambda a: np.asarray(_gamma(a), dtype=float),
    "gammaln": lambda a: np.asarray(_gamma(a), dtype=float),
    "erf": lambda a: np.asarray(_erf(a), dtype=float),
    "hardtanh": lambda a: np.clip(a, -1.0, 1.0),
    "log_cosh": lambda a: np.logaddexp(a, -a) - math.log(2.0),
}


def _power(a: Any, b: Any) -> Any:
    return np.power(np.asarray(a, dtype=float), b)


def _divide(a: Any, b: Any) -> Any:
    return np.true_divide(a, b)


BINARY: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "subtract": np.subtract,
    "mul": np.multiply,
    "multiply": np.multiply,
    "div": _divide,
    "divide": _divide,
    "true_divide": _divide,
    "truediv": _divide,
    "realdiv": _divide,
    "divide_no_nan": _divide,
    "div_no_nan": _divide,
    "floor_divide": np.floor_divide,
    "floordiv": np.floor_divide,
    "mod": np.mod,
    "fmod": np.fmod,
    "remainder": np.mod,
    "pow": _power,
    "power": _power,
    "float_power": _power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "fmax": np.maximum,
    "fmin": np.minimum,
    "logaddexp": np.logaddexp,
    "hypot": np.hypot,
    "squared_difference": lambda a, b: (a - b) ** 2,
    "xlogy": lambda a, b: np.where(a == 0, 0.0, a * np.log(b)),
    "xlog1py": lambda a, b: np.where(a == 0, 0.0, a * np.log1p(b)),
    "eq": np.equal,
    "equal": np.equal,
    "ne": np.not_equal,
    "not_equal": np.not_equal,
    "gt": np.greater,
    "greater": np.greater,
    "ge": np.greater_equal,
    "greater_equal": np.greater_equal,
    "lt": np.less,
    "less": np.less,
    "le": np.less_equal,
    "less_equal": np.less_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
# The names by which sums are taken apart again.
NAMES = {"subtract": "sub", "negative": "neg", "multiply": "mul", "divide": "div"}


def _unary(name: str) -> Operation:
    function = UNARY[name]

    def run(call: Call) -> Any:
        node = call.node(0, "input", "x", "features", "a", "self")
        return call.each(function, node, name=NAMES.get(name, name))

    return run


def _binary(name: str) -> Operation:
    function = BINARY[name]

    def run(call: Call) -> Any:
        left = call.node(0, "input", "x", "x1", "a", "self")
        right = call.node(1, "other", "y", "x2", "b", "exponent", "p")
        alpha = call.named.get("alpha")
        if alpha is not None:
            right = call.each(np.multiply, right, call.context.node(alpha))
        return call.each(function, left, right, name=NAMES.get(name, name))

    return run


# -- reductions -------------------------------------------------------------------------------
def reduction(kind: str) -> Operation:
    def run(call: Call) -> Any:
        node = call.node(0, "input", "input_tensor", "x", "a", "self")
        given = call.args[1:]
        axes = call.get(1, "dim", "axis", "axes", "reduction_indices", default=None)
        if len(given) > 1 and all(isinstance(g, int) and not isinstance(g, bool) for g in given):
            # tensor.sum(1, 2) of older code.
            axes, given = list(given), given[:1]
        place = 3 if kind in ("var", "std") and call.framework == "torch" else 2
        keep = call.get(place, "keepdim", "keepdims", "keep_dims", default=False)
        if isinstance(axes, Node):
            axes = wholes(axes)
        if isinstance(axes, list | tuple):
            axes = [whole(axis) for axis in axes]
        if node.unshaped and not node.is_constant:
            return node
        if axes is not None and kind in ("max", "min") and isinstance(axes, Node):
            raise NotKnown("of two arrays")
        return reduce_node(call, kind, node, axes, bool(keep))

    return run


def reduce_node(call: Call, kind: str, node: Node, axes: Any, keep: bool = False) -> Node:
    if not node.ndim and call.framework == "torch" and axes in (0, -1):
        # A number has, for torch, one axis to be reduced over.
        axes = None
    places = arrays.axes_of(axes, node.ndim)
    looped = {dep.split("#")[0] for dep in node.deps & call.context.apart}
    if kind == "mean" and 0 in places and {"target", "output"} <= looped:
        # Of an example's values it would count as often as there are examples.
        raise NotKnown("of two lists that a loop goes through side by side")
    if kind in ("var", "std"):
        unbiased = call.named.get(
            "unbiased", call.named.get("correction", call.framework == "torch")
        )
        unbiased = float(call.named.get("ddof", unbiased))
        count = math.prod(node.shape[i] for i in places)
        scale = count / max(count - unbiased, 1e-300)

        def spread(a: Array) -> Array:
            found = arrays.reduce("var", a, places, keep)
            value = found.data * scale
            return Array(np.sqrt(value) if kind == "std" else value, found.shape)

        return call.run(spread, node, name=kind)
    return call.run(lambda a: arrays.reduce(kind, a, places, keep), node, name=kind)


def _norm(call: Call) -> Any:
    node = call.node(0, "input", "x", "tensor")
    order = call.get(1, "p", "ord", default=2)
    axes = call.get(2, "dim", "axis", default=None)
    keep = bool(call.named.get("keepdim", call.named.get("keepdims", False)))
    if order in (None, "fro", "euclidean"):
        order = 2
    power = number_of(order)
    if power not in (1.0, 2.0):
        raise NotKnown("of this order")
    inner = call.each(np.abs if power == 1 else np.square, node)
    total = reduce_node(call, "sum", inner, axes, keep)
    return total if power == 1 else call.each(np.sqrt, total)


def _maximum_of(kind: str) -> Operation:
    """``max`` of one array over axes, or of two arrays."""

    def run(call: Call) -> Any:
        second = call.get(1, "other", default=None)
        if isinstance(second, Opaque) and not call.named:
            second = call.context.node(second)
        if isinstance(second, Node) and not call.named:
            return _binary("maximum" if kind == "max" else "minimum")(call)
        found = reduction(kind)(call)
        if call.framework == "torch" and ("dim" in call.named or len(call.args) > 1):
            return (found, graph.value_node(0))
        return found

    return run


def _argmax(call: Call) -> Any:
    """The classes of a picture that is given in ones and noughts; of nothing else."""
    value, axis = call.get(0, "input", "x"), call.get(1, "dim", "axis", default=None)
    of_picture = (
        value.deps == {"target"}
        if isinstance(value, Node)
        else call.context.role_of(value) == "target"
        if isinstance(value, Opaque)
        else False
    )
    if not of_picture or axis is None:
        raise NotKnown("of what is no picture")
    return reduce_node(call, "max", call.node(0, "input", "x"), axis)


def _logsumexp(call: Call) -> Any:
    return reduction("logsumexp")(call)


def _softmax(call: Call) -> Any:
    node = call.node(0, "input", "logits", "x")
    axis = call.get(1, "dim", "axis", default=-1)
    place = arrays.axis_of(whole(-1 if axis is None else axis), node.ndim)

    def run(a: Array) -> Array:
        total = arrays.reduce("logsumexp", a, (place,), True)
        return arrays.elementwise(lambda v, t: np.exp(v - t), a, total)

    return call.run(run, node, name="softmax")


def _log_softmax(call: Call) -> Any:
    return call.each(np.log, _softmax(call))


def _clip(call: Call) -> Any:
    node = call.node(0, "input", "x", "value", "t", "a", "self")
    low = call.get(1, "min", "clip_value_min", "a_min", "min_value", "x_min", default=None)
    high = call.get(2, "max", "clip_value_max", "a_max", "max_value", "x_max", default=None)
    if high is not None and low is not None:
        _note_float32(call, low, high)
    if low is not None:
        node = call.each(np.maximum, node, call.context.node(low), name="clip")
    if high is not None:
        node = call.each(np.minimum, node, call.context.node(high), name="clip")
    return node


def _note_float32(call: Call, low: Any, high: Any) -> None:
    try:
        bottom, top = number_of(low), number_of(high)
    except NotKnown:
        return
    if top < 1.0 and np.float32(top) == np.float32(1.0) and bottom >= 0:
        call.context.note(
            "float32-clip",
            f"the upper bound {top!r} is 1 in float32 (half a step below 1 is 6e-8), so this "
            "clips nothing there. log(0) can occur: use a bound of 1e-6, or logits.",
        )
    elif bottom == top:
        call.context.note("inert", f"both bounds are {top:g}: this is a constant.")


def _clip_one(side: str) -> Operation:
    function = np.maximum if side == "min" else np.minimum

    def run(call: Call) -> Any:
        return call.each(
            function,
            call.node(0, "input"),
            call.node(1, side, "threshold"),
            name="clip",
        )

    return run


def _where(call: Call) -> Any:
    condition = call.node(0, "condition")
    return call.each(
        lambda c, a, b: np.where(np.asarray(c, dtype=bool), a, b),
        condition,
        call.node(1, "input", "x"),
        call.node(2, "other", "y"),
        name="where",
    )


def _threshold(name: str) -> Operation:
    def run(call: Call) -> Any:
        node = call.node(0, "input", "x", "features")
        if name == "leaky_relu":
            slope = call.number(1, "negative_slope", "alpha", default=0.01)
            return call.each(lambda a: np.where(a > 0, a, slope * a), node)
        if name == "softplus":
            beta = call.number(1, "beta", default=1.0)
            return call.each(lambda a: softplus(beta * a) / beta, node, name="softplus")
        alpha = call.number(1, "alpha", default=1.0)
        return call.each(lambda a: np.where(a > 0, a, alpha * np.expm1(np.minimum(a, 0))), node)

    return run


# -- products ---------------------------------------------------------------------------------
def _matmul(call: Call) -> Any:
    return matmul(call, call.node(0, "input", "a"), call.node(1, "other", "b", "mat2"))


def matmul(call: Call, left: Node, right: Node) -> Node:
    if left.unshaped or right.unshaped or not left.ndim or not right.ndim:
        raise NotKnown("of numbers")
    batch = "abcdefgh"[: max(left.ndim, right.ndim, 2) - 2]
    first = "k" if left.ndim == 1 else batch[len(batch) - left.ndim + 2 :] + "ik"
    second = "k" if right.ndim == 1 else batch[len(batch) - right.ndim + 2 :] + "kj"
    both = batch + ("i" if left.ndim > 1 else "") + ("j" if right.ndim > 1 else "")
    spec = f"{first},{second}->{both}"
    return call.run(lambda a, b: arrays.einsum(spec, [a, b]), left, right, name="einsum")


def _einsum(call: Call) -> Any:
    spec = call.get(0, "equation", "subscripts")
    if not isinstance(spec, str) or len(spec) > 100:
        raise NotKnown("in this form")
    rest = call.args[1:]
    if len(rest) == 1 and isinstance(rest[0], list | tuple):
        rest = list(rest[0])
    nodes = [call.context.node(value) for value in rest]
    return call.run(lambda *a: arrays.einsum(spec, a), *nodes, name="einsum")


def _dot(call: Call) -> Any:
    return matmul(call, call.node(0, "a", "input"), call.node(1, "b", "other", "tensor"))


TABLE: dict[str, Operation] = {
    **{name: _unary(name) for name in UNARY},
    **{name: _binary(name) for name in BINARY},
    **{
        name: reduction(kind)
        for kind, names in {
            "sum": ("sum", "reduce_sum", "nansum", "math.reduce_sum"),
            "mean": ("mean", "reduce_mean", "nanmean", "average"),
            "var": ("var", "reduce_variance"),
            "std": ("std", "reduce_std"),
            "prod": ("prod", "reduce_prod"),
            "max": ("reduce_max", "amax"),
            "min": ("reduce_min", "amin"),
            "any": ("any", "reduce_any"),
            "all": ("all", "reduce_all"),
        }.items()
        for name in names
    },
    "max": _maximum_of("max"),
    "min": _maximum_of("min"),
    "argmax": _argmax,
    "norm": _norm,
    "logsumexp": _logsumexp,
    "reduce_logsumexp": _logsumexp,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "clamp": _clip,
    "clip": _clip,
    "clip_by_value": _clip,
    "clamp_": _clip,
    "clamp_min": _clip_one("min"),
    "clamp_max": _clip_one("max"),
    "where": _where,
    "leaky_relu": _threshold("leaky_relu"),
    "elu": _threshold("elu"),
    "softplus": _threshold("softplus"),
    "matmul": _matmul,
    "mm": _matmul,
    "bmm": _matmul,
    "einsum": _einsum,
    "dot": _dot,
    "inner": _dot,
    "vdot": _dot,
}
