"""Arrays that know their whole shape but hold one number along axes on which they are constant.

A batch of 64 pictures of 3 x 64 x 64 equal values is one float here. Losses are probed with such
arrays at the sizes of the code itself, so that a hard-coded 784 meets 784 pixels.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import thread_time
from typing import Any

import numpy as np

MAX_ELEMENTS = 1_500_000
MAX_DIMS = 12
MAX_SIZE = 10**12
# What a reading may take, in units of about a microsecond of one processor, as measured on some
# three hundred whole files: the interpreter's step, an operation evaluated, a value of an array,
# and a node of the syntax tree, over which several passes go.
MAX_WORK = 1_500_000.0
OF_A_STEP = 7.0
OF_A_NODE = 4.0
OF_AN_ELEMENT = 0.01
OF_A_SYNTAX_NODE = 15.0
# Far above what the longest reading takes.
MAX_SECONDS = 8.0
BETWEEN_LOOKS = 20_000.0


class TooMuch(Exception):
    """The code asks for more memory, steps or time than a reading may take."""


class TooLarge(TooMuch):
    """One array alone is too large."""


class Misfit(Exception):
    """Shapes, axes or values that do not go together. The message is a clause."""


@dataclass
class Budget:
    """What one reading may use in all.

    It is counted, not timed: the same text gets the same answer on a busy machine as on an idle
    one. ``work`` is in units of about a microsecond of a processor; ``seconds`` are the last
    protection, where the units are wrong.
    """

    work: float = MAX_WORK
    seconds: float = MAX_SECONDS
    started: float = field(default_factory=lambda: thread_time())
    # Lines of statements that took too much and that no other run tries again.
    skipped: set[int] = field(default_factory=set)
    # What was computed of a syntax node, with the node, which keeps its identity.
    kept: dict[Any, Any] = field(default_factory=dict)
    _unwatched: float = 0.0

    def step(self, count: float = 1.0) -> None:
        """Take ``count`` steps of the interpreter."""
        self.spend(OF_A_STEP * count)

    def evaluate(self, nodes: int) -> None:
        """Take the evaluation of so many operations of a graph."""
        self.spend(OF_A_NODE * nodes)

    def read(self, nodes: int) -> None:
        """Take a pass over so many nodes of a syntax tree."""
        self.spend(OF_A_SYNTAX_NODE * nodes)

    def take(self, elements: int) -> None:
        """Take an array of so many values."""
        if elements > MAX_ELEMENTS:
            raise TooLarge(f"an array of {elements:,} values is more than a reading may hold")
        self.spend(OF_AN_ELEMENT * elements)

    def spend(self, work: float) -> None:
        """Take ``work``. Raises ``TooMuch`` where it is not left."""
        self.work -= work
        if self.work < 0:
            raise TooMuch("the code takes too many steps to be read")
        self._unwatched += work
        if self._unwatched > BETWEEN_LOOKS:
            self._unwatched = 0.0
            if self.late():
                self.work = -1.0
                raise TooMuch("the code takes too long to be read")

    def late(self) -> bool:
        """Whether the last protection has come."""
        return thread_time() - self.started > self.seconds

    @property
    def spent(self) -> bool:
        """Whether nothing is left of the whole."""
        return self.work < 0

    @contextmanager
    def portion(self, share: float) -> Iterator[None]:
        """At most ``share`` of what is left, for one of several things to try."""
        whole = self.work
        given = self.work = share * max(whole, 0.0)
        try:
            yield
        finally:
            self.work = -1.0 if self.late() else whole - (given - self.work)


BUDGET: ContextVar[Budget] = ContextVar("budget")


@dataclass(frozen=True, eq=False)
class Array:
    """``data`` has an axis for each of ``shape``, of full length or of 1 where it is constant."""

    data: np.ndarray
    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def full(self, axes: Sequence[int] | None = None) -> np.ndarray:
        """The data with ``axes`` (default: all) at their full length."""
        chosen = range(self.ndim) if axes is None else axes
        shape = list(self.data.shape)
        for axis in chosen:
            shape[axis] = self.shape[axis]
        BUDGET.get().take(math.prod(shape))
        return np.broadcast_to(self.data, shape)


def constant(value: Any, shape: Sequence[int] = ()) -> Array:
    """``value`` everywhere."""
    check_shape(shape)
    return Array(np.asarray(value).reshape((1,) * len(shape)), tuple(shape))


def from_numpy(data: Any) -> Array:
    found = np.asarray(data)
    BUDGET.get().take(found.size)
    return Array(found, found.shape)


def check_shape(shape: Sequence[int]) -> None:
    if len(shape) > MAX_DIMS:
        raise TooMuch(f"an array of {len(shape)} axes is more than a reading may hold")
    if any(size < 0 for size in shape):
        raise Misfit(f"a shape of {tuple(shape)}")
    if math.prod(shape) > MAX_SIZE:
        raise TooMuch("an array of that shape is more than a reading may hold")


_KEPT = 4096
_together: dict[tuple[tuple[int, ...], ...], tuple[int, ...]] = {}
_left: dict[tuple[Any, ...], tuple[tuple[int, ...], int]] = {}


def _broadcast(shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The shape of them all. Kept: a reading asks a few of them some ten thousand times."""
    found = _together.get(shapes)
    if found is None:
        found = _broadcast_now(shapes)
        if len(_together) >= _KEPT:
            _together.clear()
        _together[shapes] = found
    return found


def _broadcast_now(shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    try:
        shape = tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        listed = " and ".join(str(shape) for shape in shapes)
        raise Misfit(f"shapes {listed} do not go together") from None
    check_shape(shape)
    return shape


def elementwise(function: Callable[..., Any], *arrays: Array) -> Array:
    """``function`` of numpy on all values, by numpy's rules of broadcasting."""
    shape = _broadcast(tuple([a.shape for a in arrays]))
    values = [a.data for a in arrays]
    if max([value.size for value in values]) > 1:
        BUDGET.get().take(math.prod(_broadcast(tuple([value.shape for value in values]))))
    data = np.asarray(function(*values))
    if data.ndim != len(shape):
        data = data.reshape((1,) * (len(shape) - data.ndim) + data.shape)
    return Array(data, shape)


def axis_of(axis: Any, ndim: int) -> int:
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer):
        raise Misfit(f"an axis of {axis!r}")
    if not -ndim <= axis < ndim:
        raise Misfit(f"there is no axis {axis} in {ndim} axes")
    return int(axis) % ndim


def axes_of(axes: Any, ndim: int) -> tuple[int, ...]:
    """``axes`` (None for all, one or several) as numbers from 0."""
    if axes is None or (isinstance(axes, list | tuple) and not axes):
        return tuple(range(ndim))
    many = axes if isinstance(axes, list | tuple) else [axes]
    found = tuple(axis_of(axis, ndim) for axis in many)
    if len(set(found)) != len(found):
        raise Misfit(f"axes {axes} name one axis twice")
    return found


def _of_equals(kind: str, value: Any, count: int) -> Any:
    """What ``count`` equal values give; None where that needs more than their number."""
    if kind == "sum":
        return value * float(count)
    return value * 1.0 if kind in ("mean", "max", "min") else None


def _shape_without(
    shape: tuple[int, ...], axes: tuple[int, ...], keep: bool
) -> tuple[tuple[int, ...], int]:
    """The shape that is left when ``axes`` are reduced, and how many values go into one."""
    key = (shape, axes, keep)
    found = _left.get(key)
    if found is None:
        found = _shape_without_now(shape, axes, keep)
        if len(_left) >= _KEPT:
            _left.clear()
        _left[key] = found
    return found


def _shape_without_now(
    shape: tuple[int, ...], axes: tuple[int, ...], keep: bool
) -> tuple[tuple[int, ...], int]:
    count = math.prod([shape[i] for i in axes])
    if keep:
        return tuple([1 if i in axes else size for i, size in enumerate(shape)]), count
    return tuple([size for i, size in enumerate(shape) if i not in axes]), count


def reduce(kind: str, a: Array, axes: tuple[int, ...], keepdims: bool = False) -> Array:
    """sum, mean, max, min, prod, var, logsumexp, any or all over ``axes``."""
    if a.data.size == 1:
        shape, count = _shape_without(a.shape, axes, keepdims)
        value = _of_equals(kind, a.data.reshape(()), count) if count else None
        if value is not None:
            return Array(np.asarray(value).reshape((1,) * len(shape)), shape)
    hidden = math.prod(a.shape[i] for i in axes if a.data.shape[i] == 1)
    data = a.data.astype(np.float64) if a.data.dtype == np.bool_ and kind == "sum" else a.data
    if math.prod(a.shape[i] for i in axes) == 0 and kind != "sum":
        raise Misfit("a mean or maximum of nothing")
    if kind == "sum":
        found = data.sum(axes, keepdims=True) * hidden
    elif kind == "mean":
        found = data.mean(axes, keepdims=True)
    elif kind == "prod":
        found = data.prod(axes, keepdims=True) ** hidden
    elif kind == "var":
        middle = data.mean(axes, keepdims=True)
        found = ((data - middle) ** 2).mean(axes, keepdims=True)
    elif kind == "logsumexp":
        top = data.max(axes, keepdims=True)
        found = top + np.log(np.exp(data - top).sum(axes, keepdims=True) * hidden)
    else:
        found = getattr(np, kind)(data, axis=axes, keepdims=True)
    if keepdims:
        return Array(found, _shape_without(a.shape, axes, True)[0])
    kept = [i for i in range(a.ndim) if i not in axes]
    return Array(found.reshape([found.shape[i] for i in kept]), tuple(a.shape[i] for i in kept))


def cumulate(a: Array, axis: int) -> Array:
    return Array(np.cumsum(a.full([axis]), axis=axis), a.shape)


def resolve_shape(old: tuple[int, ...], wanted: Sequence[int]) -> tuple[int, ...]:
    """``wanted`` with its -1 filled in; a 0 is the old size (MXNet's way, no other has one).

    Raises ``Misfit`` where the counts differ.
    """
    total = math.prod(old)
    if total and 0 in wanted:
        wanted = [old[i] if not w and i < len(old) else w for i, w in enumerate(wanted)]
    known = math.prod(size for size in wanted if size != -1)
    gaps = [i for i, size in enumerate(wanted) if size == -1]
    shape = list(wanted)
    if len(gaps) == 1 and known > 0 and total % known == 0:
        shape[gaps[0]] = total // known
    if len(gaps) > 1 or math.prod(shape) != total or any(size < 0 for size in shape):
        raise Misfit(f"{old} does not fit into {tuple(wanted)}")
    check_shape(shape)
    return tuple(shape)


def reshape(a: Array, shape: tuple[int, ...]) -> Array:
    """``a`` in another shape of as many values; constant axes stay one number."""
    if math.prod(shape) == 0:
        return constant(0.0, shape)
    pieces: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < a.ndim or j < len(shape):
        ours, theirs = [], []
        left = right = 1
        while True:
            if (left <= right and i < a.ndim) or j >= len(shape):
                left *= a.shape[i]
                ours.append(i)
                i += 1
            else:
                right *= shape[j]
                theirs.append(j)
                j += 1
            if left == right:
                break
        pieces.append((ours, theirs))
    real = [
        axis for ours, theirs in pieces if any(a.data.shape[k] > 1 for k in ours) for axis in ours
    ]
    data = a.full(real) if real else a.data
    target = [1] * len(shape)
    for ours, theirs in pieces:
        if any(data.shape[k] > 1 for k in ours):
            for axis in theirs:
                target[axis] = shape[axis]
    return Array(np.ascontiguousarray(data).reshape(target), tuple(shape))


def transpose(a: Array, order: Sequence[int]) -> Array:
    if sorted(order) != list(range(a.ndim)):
        raise Misfit(f"axes {tuple(order)} are no order of {a.ndim} axes")
    return Array(a.data.transpose(order), tuple(a.shape[i] for i in order))


def expand(a: Array, shape: tuple[int, ...]) -> Array:
    """Broadcast to ``shape``."""
    check_shape(shape)
    try:
        np.broadcast_shapes(a.shape, shape)
    except ValueError:
        raise Misfit(f"{a.shape} does not broadcast to {shape}") from None
    if np.broadcast_shapes(a.shape, shape) != shape:
        raise Misfit(f"{a.shape} does not broadcast to {shape}")
    return Array(a.data.reshape((1,) * (len(shape) - a.ndim) + a.data.shape), shape)


def insert_axis(a: Array, axis: int) -> Array:
    place = axis_of(axis, a.ndim + 1)
    shape = (*a.shape[:place], 1, *a.shape[place:])
    return Array(np.expand_dims(a.data, place), shape)


def tile(a: Array, counts: Sequence[int]) -> Array:
    counts = [1] * (a.ndim - len(counts)) + list(counts)
    while a.ndim < len(counts):
        a = insert_axis(a, 0)
    shape = tuple(size * count for size, count in zip(a.shape, counts, strict=True))
    check_shape(shape)
    real = [count if a.data.shape[i] > 1 else 1 for i, count in enumerate(counts)]
    BUDGET.get().take(a.data.size * math.prod(real))
    return Array(np.tile(a.data, real), shape)


def concatenate(arrays: Sequence[Array], axis: int) -> Array:
    if not arrays:
        raise Misfit("nothing to concatenate")
    axis = axis_of(axis, arrays[0].ndim)
    first = arrays[0]
    for other in arrays:
        same = [s for i, s in enumerate(other.shape) if i != axis]
        if other.ndim != first.ndim or same != [s for i, s in enumerate(first.shape) if i != axis]:
            raise Misfit(f"shapes {first.shape} and {other.shape} do not go side by side")
    sizes = [max(a.data.shape[i] for a in arrays) for i in range(first.ndim)]
    parts = []
    for part in arrays:
        shape = [part.shape[axis] if i == axis else sizes[i] for i in range(first.ndim)]
        BUDGET.get().take(math.prod(shape))
        parts.append(np.broadcast_to(part.data, shape))
    length = sum(part.shape[axis] for part in arrays)
    whole = tuple(length if i == axis else size for i, size in enumerate(first.shape))
    return Array(np.concatenate(parts, axis), whole)


def index(a: Array, key: tuple[Any, ...]) -> Array:
    """``a[key]`` for whole numbers, slices, None, ... and arrays of indices or truths."""
    if any(isinstance(item, Array) for item in key):
        return _pick(a, key)
    wanted = sum(item is not None and item is not Ellipsis for item in key)
    if wanted > a.ndim:
        raise Misfit(f"{wanted} indices for {a.ndim} axes")
    if Ellipsis not in key:
        key = (*key, Ellipsis)
    data_key: list[Any] = []
    shape: list[int] = []
    axis = 0
    for item in key:
        if item is Ellipsis:
            for _ in range(a.ndim - wanted):
                data_key.append(slice(None))
                shape.append(a.shape[axis])
                axis += 1
        elif item is None:
            data_key.append(None)
            shape.append(1)
        elif isinstance(item, slice):
            try:
                length = len(range(*item.indices(a.shape[axis])))
            except (TypeError, ValueError):
                raise Misfit("a slice that is none") from None
            constant_axis = a.data.shape[axis] == 1 and length > 0
            data_key.append(slice(None) if constant_axis else item)
            shape.append(length)
            axis += 1
        else:
            place = int(item)
            if not -a.shape[axis] <= place < a.shape[axis]:
                raise Misfit(f"there is no index {place} in {a.shape[axis]}")
            data_key.append(0 if a.data.shape[axis] == 1 else place)
            axis += 1
    return Array(np.asarray(a.data[tuple(data_key)]), tuple(shape))


def _pick(a: Array, key: tuple[Any, ...]) -> Array:
    plain = tuple(item.full() if isinstance(item, Array) else item for item in key)
    try:
        return from_numpy(a.full()[plain])
    except (IndexError, ValueError, TypeError):
        raise Misfit("an index that does not fit") from None


def einsum(spec: str, arrays: Sequence[Array]) -> Array:
    """Sums of products; an axis on which every factor is constant counts by its length."""
    spec = spec.replace(" ", "")
    sides, arrow, result = spec.partition("->")
    labels = sides.split(",")
    letters = "".join(labels)
    if not arrow:
        result = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(labels) != len(arrays) or not letters.isalpha() or len(set(result)) != len(result):
        raise Misfit(f"einsum {spec!r}")
    size: dict[str, int] = {}
    real: set[str] = set()
    for names, array in zip(labels, arrays, strict=True):
        if len(names) != array.ndim or len(set(names)) != len(names):
            raise Misfit(f"einsum {spec!r} with {array.ndim} axes")
        for name, length, held in zip(names, array.shape, array.data.shape, strict=True):
            if size.setdefault(name, length) != length:
                raise Misfit(f"einsum {spec!r}: {name} has two lengths")
            if held > 1:
                real.add(name)
    if not set(result) <= set(size):
        raise Misfit(f"einsum {spec!r}")
    BUDGET.get().take(math.prod(size[c] for c in real))
    full = [
        a.full([i for i, name in enumerate(names) if name in real])
        for names, a in zip(labels, arrays, strict=True)
    ]
    factor = math.prod(size[c] for c in size if c not in real and c not in result)
    data = np.einsum(f"{sides}->{result}", *full) * factor
    return Array(np.asarray(data), tuple(size[c] for c in result))
