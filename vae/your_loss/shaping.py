"""Reshapes, joins, creations and casts of the four libraries, over the graph."""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from vae.your_loss import arrays, graph
from vae.your_loss.arrays import Array, Misfit
from vae.your_loss.graph import Node
from vae.your_loss.operations import Call, NotKnown, Operation, number_of, whole, wholes
from vae.your_loss.values import Library, Opaque


def _rest(call: Call, first: int, *names: str) -> list[int]:
    """A shape given as a list or as several numbers."""
    for name in names:
        if name in call.named:
            return wholes(call.named[name])
    rest = call.args[first:]
    if len(rest) == 1:
        return wholes(rest[0])
    return [whole(item) for item in rest]


def _reshape(call: Call) -> Any:
    node = call.node(0, "input", "tensor", "x", "a")
    if node.unshaped:
        return node
    told = next((call.named[k] for k in ("shape", "newshape") if k in call.named), None)
    sizes = call.args[1:] if told is None else [told]
    if (flat := call.context.flat_rows(sizes, node)) is not None:
        return call.run(lambda a: arrays.reshape(a, flat), node, name="reshape")
    wanted = _rest(call, 1, "shape", "newshape", "size")
    if node.leaf and call.context.setup.classes == "last" and "output" in node.deps:
        # The code's own number of classes, beside the one that is read for: view(-1, 5000).
        rows = len(wanted) == 2 and wanted[0] == -1 and wanted[1] > 1
        wanted = [-1, node.shape[-1]] if rows else wanted
    shape = arrays.resolve_shape(node.shape, wanted)
    return call.run(lambda a: arrays.reshape(a, shape), node, name="reshape")


def _reshape_as(call: Call) -> Any:
    node, other = call.node(0), call.node(1, "other")
    if node.unshaped or other.unshaped:
        return node
    shape = arrays.resolve_shape(node.shape, other.shape)
    return call.run(lambda a: arrays.reshape(a, shape), node, name="reshape")


def _flatten(call: Call) -> Any:
    node = call.node(0, "input", "x", "a")
    if node.unshaped:
        return node
    rest = [v for v in call.args[1:] if not isinstance(v, str)]
    start = whole(call.named.get("start_dim", rest[0] if rest else 0))
    end = whole(call.named.get("end_dim", rest[1] if len(rest) > 1 else -1))
    if not node.ndim:
        return call.run(lambda a: arrays.reshape(a, (1,)), node, name="reshape")
    first, last = arrays.axis_of(start, node.ndim), arrays.axis_of(end, node.ndim)
    shape = (*node.shape[:first], math.prod(node.shape[first : last + 1]), *node.shape[last + 1 :])
    return call.run(lambda a: arrays.reshape(a, shape), node, name="reshape")


def _batch_flatten(call: Call) -> Any:
    node = call.node(0, "x")
    if node.unshaped:
        return node
    shape = (node.shape[0], math.prod(node.shape[1:]))
    return call.run(lambda a: arrays.reshape(a, shape), node, name="reshape")


def _squeeze(call: Call) -> Any:
    node = call.node(0, "input", "x", "a")
    given = call.get(1, "dim", "axis", default=None)
    if node.unshaped:
        return node
    if given is None:
        places = [i for i, size in enumerate(node.shape) if size == 1]
    else:
        places = [arrays.axis_of(axis, node.ndim) for axis in wholes(given)]
        places = [i for i in places if node.shape[i] == 1]
    shape = tuple(size for i, size in enumerate(node.shape) if i not in places)
    return call.run(lambda a: arrays.reshape(a, shape), node, name="reshape")


def _unsqueeze(call: Call) -> Any:
    node = call.node(0, "input", "x", "a")
    if node.unshaped:
        return node
    axis = whole(call.get(1, "dim", "axis"))
    return call.run(lambda a: arrays.insert_axis(a, axis), node, name="reshape")


def _permute(call: Call) -> Any:
    node = call.node(0, "input", "x", "a")
    if node.unshaped:
        return node
    order = _rest(call, 1, "dims", "perm", "axes") if len(call.args) > 1 or call.named else []
    places = [arrays.axis_of(axis, node.ndim) for axis in order] or list(range(node.ndim))[::-1]
    return call.run(lambda a: arrays.transpose(a, places), node, name="reshape")


def _transpose(call: Call) -> Any:
    """Two axes exchanged (torch), or an order of all (tf, numpy)."""
    rest = call.args[1:]
    plain = len(rest) == 2 and all(isinstance(item, int) for item in rest)
    if not plain and not {"dim0", "dim1", "axis1", "axis2"} & set(call.named):
        return _permute(call)
    node = call.node(0, "input", "x", "a")
    if node.unshaped:
        return node
    first = arrays.axis_of(call.get(1, "dim0", "axis1"), node.ndim)
    second = arrays.axis_of(call.get(2, "dim1", "axis2"), node.ndim)
    order = list(range(node.ndim))
    order[first], order[second] = order[second], order[first]
    return call.run(lambda a: arrays.transpose(a, order), node, name="reshape")


def _expand(call: Call) -> Any:
    node = call.node(0, "input", "x", "array")
    wanted = _rest(call, 1, "size", "shape")
    ours = (1,) * (len(wanted) - node.ndim) + node.shape
    shape = tuple(mine if size == -1 else size for size, mine in zip(wanted, ours, strict=False))
    if len(shape) != len(wanted):
        raise Misfit(f"{node.shape} does not expand to {tuple(wanted)}")
    return call.run(lambda a: arrays.expand(a, shape), node, name="expand")


def _expand_as(call: Call) -> Any:
    node, other = call.node(0), call.node(1, "other")
    return call.run(lambda a: arrays.expand(a, other.shape), node, name="expand")


def _tile(call: Call) -> Any:
    node = call.node(0, "input", "x", "a")
    if node.unshaped:
        return node
    counts = _rest(call, 1, "repeats", "multiples", "reps", "dims", "n")
    return call.run(lambda a: arrays.tile(a, counts), node, name="tile")


def _keras_repeat(call: Call) -> Any:
    """``repeat`` of numpy and tf, ``repeat_interleave`` of torch: each value so often in place."""
    node = call.node(0, "a", "x", "input")
    count = whole(call.get(1, "repeats"))
    axis = arrays.axis_of(whole(call.get(2, "axis", "dim")), node.ndim)
    if not 1 <= count <= 4096:
        raise NotKnown("so often")
    counts = [count if i == axis + 1 else 1 for i in range(node.ndim + 1)]
    shape = tuple(size * count if i == axis else size for i, size in enumerate(node.shape))

    def run(a: Array) -> Array:
        return arrays.reshape(arrays.tile(arrays.insert_axis(a, axis + 1), counts), shape)

    return call.run(run, node, name="tile")


def _repeat(call: Call) -> Any:
    return _tile(call) if call.framework == "torch" else _keras_repeat(call)


def _many(call: Call) -> list[Node]:
    values = call.get(0, "tensors", "values", "arrays", "inputs")
    if not isinstance(values, list | tuple):
        raise NotKnown("of a list that is not known")
    return [call.context.node(value) for value in values]


def _concat(call: Call) -> Any:
    nodes = _many(call)
    axis = whole(call.get(1, "dim", "axis", default=0))
    return call.run(lambda *a: arrays.concatenate(a, axis), *nodes, name="concat")


def _stack(call: Call) -> Any:
    nodes = _many(call)
    axis = whole(call.get(1, "dim", "axis", default=0))
    if not nodes:
        raise Misfit("nothing to stack")

    def run(*values: Array) -> Array:
        return arrays.concatenate([arrays.insert_axis(a, axis) for a in values], axis)

    return call.run(run, *nodes, name="concat")


def _add_n(call: Call) -> Any:
    nodes = _many(call)
    total = nodes[0] if nodes else graph.value_node(0.0)
    for node in nodes[1:]:
        total = call.each(np.add, total, node, name="add")
    return total


def slice_axis(call: Call, node: Node, axis: int, start: int, stop: int) -> Node:
    key = (*(slice(None) for _ in range(axis)), slice(start, stop))
    return call.run(lambda a: arrays.index(a, key), node, name="index")


def _split(call: Call) -> Any:
    """Parts along an axis: torch gives their length, tf and numpy their number."""
    node = call.node(0, "input", "tensor", "value", "ary", "x")
    given = call.get(1, "split_size_or_sections", "num_or_size_splits", "indices_or_sections",
                     "split_size", "chunks", default=None)  # fmt: skip
    axis = arrays.axis_of(whole(call.get(2, "dim", "axis", default=0)), node.ndim)
    length = node.shape[axis]
    if isinstance(given, list | tuple) and call.framework in ("torch", "tf"):
        sizes = wholes(given)
    else:
        number = whole(given)
        if number < 1:
            raise Misfit("parts without a size")
        step = number if call.framework == "torch" else -(-length // number)
        sizes = [min(step, length - i) for i in range(0, length, max(step, 1))]
    if len(sizes) > 64:
        raise NotKnown("into so many parts")
    found, start = [], 0
    for size in sizes:
        found.append(slice_axis(call, node, axis, start, start + size))
        start += size
    return tuple(found)


def _chunk(call: Call) -> Any:
    node = call.node(0, "input")
    count = whole(call.get(1, "chunks"))
    axis = arrays.axis_of(whole(call.get(2, "dim", default=0)), node.ndim)
    if not 1 <= count <= 64:
        raise NotKnown("into so many parts")
    step = -(-node.shape[axis] // count)
    edges = range(0, node.shape[axis], max(step, 1))
    return tuple(slice_axis(call, node, axis, i, i + step) for i in edges)


def _tensor_split(call: Call) -> Any:
    """Parts along an axis by their number, as even as can be, or by where they begin."""
    node = call.node(0, "input")
    given = call.get(1, "tensor_indices_or_sections", "indices_or_sections", "indices", "sections")
    axis = arrays.axis_of(whole(call.get(2, "dim", default=0)), node.ndim)
    length = node.shape[axis]
    if isinstance(given, list | tuple):
        edges = [0, *(min(place, length) for place in wholes(given)), length]
    else:
        count = whole(given)
        if not 1 <= count <= 64:
            raise NotKnown("into so many parts")
        size, more = divmod(length, count)
        edges = [i * size + min(i, more) for i in range(count + 1)]
    return tuple(
        slice_axis(call, node, axis, start, max(start, end)) for start, end in pairwise(edges)
    )


def _unbind(call: Call) -> Any:
    node = call.node(0, "input", "value")
    axis = arrays.axis_of(whole(call.get(1, "dim", "axis", default=0)), node.ndim)
    if node.shape[axis] > 64:
        raise NotKnown("into so many parts")
    head = tuple(slice(None) for _ in range(axis))
    return tuple(
        call.run(lambda a, i=i: arrays.index(a, (*head, i)), node, name="index")
        for i in range(node.shape[axis])
    )


def _one_hot(call: Call) -> Any:
    node = call.node(0, "input", "indices", "x", "tensor")
    count = whole(call.get(1, "num_classes", "depth"))

    def run(a: Array) -> Array:
        classes = np.arange(count)
        return arrays.elementwise(
            lambda v, k: (v == k).astype(float),
            arrays.insert_axis(a, -1),
            arrays.from_numpy(classes),
        )

    return call.run(run, node, name="one_hot")


def _cumsum(call: Call) -> Any:
    node = call.node(0, "input", "x")
    axis = arrays.axis_of(whole(call.get(1, "dim", "axis", default=-1)), node.ndim)
    return call.run(lambda a: arrays.cumulate(a, axis), node, name="cumsum")


# -- creations --------------------------------------------------------------------------------
def _like(value: float) -> Operation:
    def run(call: Call) -> Any:
        node = call.node(0, "input", "tensor", "x", "a")
        return graph.value_node(arrays.constant(value, node.shape))

    return run


def _no_kinds(args: list[Any]) -> list[Any]:
    return [a for place, a in enumerate(args) if not place or not isinstance(a, Library | str)]


def _filled(value: float) -> Operation:
    def run(call: Call) -> Any:
        # np.zeros(n, np.float32): the kind of its numbers is no size.
        call = Call(call.context, _no_kinds(call.args), call.named, call.framework)
        sizes = [*call.args, *(v for k, v in call.named.items() if k in ("shape", "size", "dims"))]
        if len(sizes) == 1 and isinstance(sizes[0], Opaque) and sizes[0].source != "call":
            # As many as there are of what they stand beside.
            return graph.value_node(value)
        return graph.value_node(arrays.constant(value, _rest(call, 0, "shape", "size", "dims")))

    return run


def _full(call: Call) -> Any:
    shape = wholes(call.get(0, "size", "shape", "dims"))
    node = call.node(1, "fill_value", "value")
    return call.run(lambda a: arrays.expand(a, tuple(shape)), node, name="expand")


def _full_like(call: Call) -> Any:
    node, value = call.node(0, "input", "a"), call.node(1, "fill_value")
    return call.run(lambda a: arrays.expand(a, node.shape), value, name="expand")


def _tensor(call: Call) -> Any:
    value = call.get(0, "data", "value", "object", "x", "initial_value", "tensor", "a")
    if isinstance(value, list | tuple):
        return _listed(call, value)
    return call.context.node(value)


def _typed_tensor(call: Call) -> Any:
    """``FloatTensor(n, m)`` makes an array of a shape; of a list or an array it makes it one."""
    sizes = call.args
    plain = bool(sizes) and all(isinstance(v, int) and not isinstance(v, bool) for v in sizes)
    return _filled(0.0)(call) if plain else _tensor(call)


def _listed(call: Call, values: Sequence[Any]) -> Node:
    nodes = [
        _listed(call, v) if isinstance(v, list | tuple) else call.context.node(v) for v in values
    ]
    if not nodes:
        return graph.value_node(arrays.constant(0.0, (0,)))
    return call.run(
        lambda *a: arrays.concatenate([arrays.insert_axis(v, 0) for v in a], 0),
        *nodes,
        name="concat",
    )


def _arange(call: Call) -> Any:
    numbers = [number_of(value) for value in call.args[:3]]
    if not numbers or not all(math.isfinite(n) for n in numbers):
        raise NotKnown("in this form")
    start, stop, step = ([0.0, *numbers, 1.0] if len(numbers) == 1 else [*numbers, 1.0])[:3]
    if step == 0 or abs((stop - start) / step) > arrays.MAX_ELEMENTS:
        raise arrays.TooMuch("a range too long to be read")
    return graph.value_node(arrays.from_numpy(np.arange(start, stop, step)))


def _eye(call: Call) -> Any:
    count = whole(call.get(0, "n", "N", "num_rows"))
    if count > 1000:
        raise arrays.TooMuch("a matrix too large to be read")
    return graph.value_node(arrays.from_numpy(np.eye(count)))


def _random(kind: str, like: bool) -> Operation:
    def run(call: Call) -> Any:
        if like:
            return call.context.noise(call.node(0, "input").shape, kind)
        shape = next((call.named[k] for k in ("size", "shape") if k in call.named), None)
        if shape is None:
            shape = _shape_argument(call)
        found = call.context.noise(wholes(shape), kind)
        return _scaled(call, found, kind)

    return run


def _shape_argument(call: Call) -> Any:
    """The shape among positional arguments: after a key (jax) or as several numbers (torch)."""
    for value in call.args:
        if isinstance(value, list | tuple) and all(not isinstance(v, list | tuple) for v in value):
            return value
        if isinstance(value, Node) and value.is_constant and value.ndim == 1:
            return value
    numbers = [v for v in call.args if isinstance(v, int) and not isinstance(v, bool)]
    if numbers and len(numbers) == len(call.args):
        return numbers
    if len(call.args) <= 1 and not call.named:
        return []
    raise NotKnown("of a shape that is not known")


def _scaled(call: Call, found: Node, kind: str) -> Node:
    if kind != "normal":
        return found
    scale = call.named.get("stddev", call.named.get("scale", call.named.get("std")))
    mean = call.named.get("mean", call.named.get("loc"))
    if scale is not None:
        found = call.each(np.multiply, found, call.context.node(scale))
    if mean is not None:
        found = call.each(np.add, found, call.context.node(mean))
    return found


def _normal(call: Call) -> Any:
    """``torch.normal(mean, std)`` draws around nodes; elsewhere ``normal(shape)``."""
    if len(call.args) >= 2 and all(isinstance(v, Node) for v in call.args[:2]):
        mean, std = call.args[0], call.args[1]
        shape = np.broadcast_shapes(mean.shape, std.shape)
        drawn = call.each(np.multiply, call.context.noise(shape, "normal"), std)
        return call.each(np.add, drawn, mean, name="add")
    return _random("normal", like=False)(call)


def identity(call: Call) -> Any:
    """Casts, copies, moves to a device: the same values."""
    value = call.get(0, "input", "x", "value", "tensor", "a", "data")
    return value if isinstance(value, int | float | list | tuple) else call.context.node(value)


def _to_float(call: Call) -> Any:
    node = call.node(0, "input", "x", "value", "tensor", "a")
    return call.each(lambda a: np.asarray(a, dtype=float), node, name="cast")


def _stop(call: Call) -> Any:
    return graph.stop_gradient(call.node(0, "input", "x", "tensor", "value"))


def _size(call: Call) -> Any:
    node = call.node(0, "input", "x", "a")
    place = call.get(1, "dim", "axis", default=None)
    if node.unshaped:
        raise NotKnown("of an array whose shape is not known")
    return tuple(node.shape) if place is None else node.shape[arrays.axis_of(place, node.ndim)]


def _count(call: Call) -> Any:
    node = call.node(0, "input", "x", "a")
    if node.unshaped:
        raise NotKnown("of an array whose shape is not known")
    return math.prod(node.shape)


def _rank(call: Call) -> Any:
    return call.node(0, "input", "x", "a").ndim


_AXIS = re.compile(r"[()]|[A-Za-z_]\w*|1|\S")


def _einops(call: Call) -> Any:
    """``rearrange`` and ``reduce``: axes by their names, as in 'b c h w -> b (c h w)'.

    Axes that lie together before the arrow are not taken apart, for that needs their sizes.
    """
    node, pattern = call.node(0, "tensor"), call.get(1, "pattern")
    left, arrow, right = str(pattern).partition("->")
    names, wanted = _AXIS.findall(left), _AXIS.findall(right)
    kept = [name for name in wanted if name.isidentifier()]
    known = arrow and all(n.isidentifier() for n in names) and set(kept) <= set(names)
    if not known or len(set(kept)) != len(kept) or node.unshaped:
        raise NotKnown("with a pattern of this form")
    if len(names) != node.ndim:
        raise Misfit(f"there are {node.ndim} axes for '{left.strip()}'")
    order = [i for i, name in enumerate(names) if name not in kept]
    lost = len(order)
    order += [names.index(name) for name in kept]
    kind = call.get(2, "reduction", default=None)
    if lost and kind not in ("sum", "mean", "max", "min"):
        raise NotKnown("that leaves out axes")
    shape, together = [], False
    for part in wanted:
        if part in "()":
            together = part == "("
            shape += [1] * together
        else:
            size = 1 if part == "1" else node.shape[names.index(part)]
            shape = [*shape[:-1], shape[-1] * size] if together else [*shape, size]

    def run(a: arrays.Array) -> arrays.Array:
        moved = arrays.transpose(a, order)
        left_over = arrays.reduce(kind, moved, tuple(range(lost))) if lost else moved
        return arrays.reshape(left_over, tuple(shape))

    return call.run(run, node, name=kind if lost else "reshape")


EINOPS: Mapping[str, Operation] = dict.fromkeys(("rearrange", "reduce"), _einops)
TABLE: Mapping[str, Operation] = {
    **dict.fromkeys(("reshape", "view", "Reshape"), _reshape),
    **dict.fromkeys(("view_as", "reshape_as"), _reshape_as),
    **dict.fromkeys(("flatten", "ravel"), _flatten),
    "batch_flatten": _batch_flatten,
    "squeeze": _squeeze,
    **dict.fromkeys(("unsqueeze", "expand_dims"), _unsqueeze),
    **dict.fromkeys(("permute", "permute_dimensions"), _permute),
    **dict.fromkeys(("transpose", "swapaxes", "t"), _transpose),
    **dict.fromkeys(("expand", "broadcast_to"), _expand),
    "expand_as": _expand_as,
    "tile": _tile,
    "repeat": _repeat,
    "repeat_interleave": _keras_repeat,
    **dict.fromkeys(("cat", "concat", "concatenate", "hstack"), _concat),
    "stack": _stack,
    "add_n": _add_n,
    "split": _split,
    "chunk": _chunk,
    "tensor_split": _tensor_split,
    **dict.fromkeys(("unbind", "unstack"), _unbind),
    "one_hot": _one_hot,
    "cumsum": _cumsum,
    # What is not filled yet is filled in the next call: empty_like(mu).normal_().
    **dict.fromkeys(("zeros_like", "empty_like", "zero_"), _like(0.0)),
    "ones_like": _like(1.0),
    **dict.fromkeys(("zeros", "empty"), _filled(0.0)),
    "ones": _filled(1.0),
    "full": _full,
    "fill": _full,
    **dict.fromkeys(("full_like", "fill_"), _full_like),
    **dict.fromkeys(
        ("tensor", "as_tensor", "array", "asarray", "constant", "convert_to_tensor", "from_numpy"),
        _tensor),
    **dict.fromkeys(("FloatTensor", "Tensor", "DoubleTensor"), _typed_tensor),
    "arange": _arange,
    "range": _arange,
    "eye": _eye,
    "randn": _random("normal", like=False),
    "randn_like": _random("normal", like=True),
    "random_normal": _random("normal", like=False),
    "standard_normal": _random("normal", like=False),
    "normal": _normal,
    "truncated_normal": _random("normal", like=False),
    "rand": _random("uniform", like=False),
    "rand_like": _random("uniform", like=True),
    "uniform": _random("uniform", like=False),
    "random_uniform": _random("uniform", like=False),
    **dict.fromkeys(
        ("identity", "to", "cuda", "cpu", "contiguous", "clone", "type", "astype", "type_as",
         "half", "requires_grad_", "copy", "block_until_ready", "to_device", "ensure_shape",
         "stop_recording", "cast", "Variable", "asType", "bfloat16", "long", "int", "squeeze_",
         "numpy", "device_put", "array_copy", "Flatten_", "xpu", "mps", "dropout",
         "with_sharding_constraint", "debug_print", "copy_to_host", "check_numerics",
         "maybe_detach", "set_shape", "to_dense", "as_subclass", "refine_names"), identity),
    **dict.fromkeys(("float", "double", "float32", "float64", "to_float"), _to_float),
    **dict.fromkeys(
        ("detach", "stop_gradient", "item", "detach_", "tolist", "lax.stop_gradient"), _stop),
    **dict.fromkeys(("size", "shape", "int_shape", "get_shape", "as_list"), _size),
    **dict.fromkeys(("numel", "nelement", "element_size"), _count),
    **dict.fromkeys(("dim", "ndimension", "ndim", "rank"), _rank),
}  # fmt: skip
