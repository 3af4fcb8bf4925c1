"""Python's own functions, as far as a loss needs them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vae.your_loss import graph
from vae.your_loss.graph import Node
from vae.your_loss.values import Above, Instance, Opaque

MAX_ITEMS = 4096


def _opaque(state: Any, name: str, args: list[Any]) -> Opaque:
    inputs = frozenset(d for a in args if isinstance(a, Node) for d in a.deps)
    path = f"{name}({', '.join(a.path for a in args if isinstance(a, Opaque))})"
    return Opaque(path, "call", state.line, callee=name, inputs=inputs)


def _same(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del state, named
    return args[0] if args else 0.0


def _number(kind: type) -> Callable[..., Any]:
    def run(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
        del named
        value = args[0] if args else 0
        if isinstance(value, Node):
            return graph.stop_gradient(value) if value.deps else kind(value.number())
        if isinstance(value, int | float):
            return kind(value)
        if isinstance(value, str):
            text = value.strip()
            if len(text) <= 40:
                try:
                    return kind(text)
                except ValueError:
                    return _opaque(state, kind.__name__, args)
        return value if isinstance(value, Opaque) else _opaque(state, kind.__name__, args)

    return run


def _len(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    value = args[0] if args else ()
    if isinstance(value, Node) and value.ndim:
        return value.shape[0]
    if isinstance(value, list | tuple | dict | str | range):
        return len(value)
    if (sides := state.sides(value)) is not None:
        return len(sides)
    if isinstance(value, Opaque) and value.listed and value.node is None:
        # A list of outputs, or the images of a batch: how many is not said. A loop over outputs
        # is followed once, for all of them alike: so their mean is that of one.
        drawn = state.role_of(value) == "output" and "target" in state.leaves
        return state.setup.rounds if drawn else _opaque(state, "len", args)
    if isinstance(value, Opaque) and state.role_of(value) in (
        "target",
        "output",
        "mean",
        "logvar",
        "z",
    ):
        return state.sizes.batch
    return _opaque(state, "len", args)


def _range(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    numbers = [a.number() if isinstance(a, Node) and a.is_constant else a for a in args]
    if 1 <= len(numbers) <= 3 and all(
        isinstance(n, int | float) and math.isfinite(n) for n in numbers
    ):
        whole = [int(n) for n in numbers]
        if len(whole) < 3 or whole[2]:
            return range(*whole)
    return _opaque(state, "range", args)


def _sum(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    values = args[0] if args else ()
    start = args[1] if len(args) > 1 else named.get("start", 0)
    if isinstance(values, Node):
        return (
            graph.apply(_sum_first, values, line=state.line, name="sum") if values.ndim else values
        )
    if isinstance(values, dict):
        values = list(values.values())
    if not isinstance(values, list | tuple | range) or len(values) > MAX_ITEMS:
        return _opaque(state, "sum", args)
    total = start
    for value in values:
        total = state.add(total, value)
    return total


def _sum_first(a: Any) -> Any:
    from vae.your_loss import arrays

    return arrays.reduce("sum", a, (0,))


def _extreme(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def run(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
        del named
        values = list(args[0]) if len(args) == 1 and isinstance(args[0], list | tuple) else args
        if not values or len(values) > MAX_ITEMS:
            return _opaque(state, name, args)
        if all(isinstance(v, int | float) for v in values):
            return (max if name == "max" else min)(values)
        found = values[0]
        for value in values[1:]:
            found = state.operate(
                lambda call: call.each(function, call.node(0), call.node(1), name="clip"),
                name, [found, value], {}, "numpy",
            )  # fmt: skip
        return found

    return run


def _abs(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    value = args[0] if args else 0.0
    if isinstance(value, int | float):
        return abs(value)
    return state.operate(
        lambda call: call.each(np.abs, call.node(0), name="abs"), "abs", args, {}, "numpy"
    )


def _listed(kind: type) -> Callable[..., Any]:
    def run(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
        del named
        value = args[0] if args else ()
        if isinstance(value, list | tuple | range) and len(value) <= MAX_ITEMS:
            return kind(value)
        if isinstance(value, dict):
            return kind(value)
        return value if isinstance(value, Opaque | Node) else _opaque(state, kind.__name__, args)

    return run


def _dict(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del state
    found = dict(args[0]) if args and isinstance(args[0], dict) else {}
    found.update({k: v for k, v in named.items() if k != "**"})
    return found


def _zip(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    if args and all(isinstance(a, list | tuple | range) and len(a) <= MAX_ITEMS for a in args):
        return list(zip(*args, strict=False))
    found = _opaque(state, "zip", args)
    found.apart = any(state.is_outputs(value) for value in args)
    return found


def _enumerate(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    values = args[0] if args else ()
    if isinstance(values, list | tuple | range) and len(values) <= MAX_ITEMS:
        return list(enumerate(values))
    if isinstance(values, Opaque):
        index = Opaque("index", "loop", state.line)
        apart = values.apart or state.is_outputs(values)
        path = f"{values.path}[...]"
        rounds = state.setup.rounds if values.callee != "zip" else 1
        return [(index, Opaque(path, "loop", state.line, parent=values, apart=apart))] * rounds
    return _opaque(state, "enumerate", args)


def _reversed(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    values = args[0] if args else ()
    if isinstance(values, list | tuple | range) and len(values) <= MAX_ITEMS:
        return list(reversed(values))
    return _opaque(state, "reversed", args)


def _nothing(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del state, args, named


def _text(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del state, named
    return args[0] if args and isinstance(args[0], str) else ""


def _next(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    if args and isinstance(args[0], list | tuple) and args[0]:
        return args[0][0]
    return _opaque(state, "next", args)


def _unsure(name: str) -> Callable[..., Any]:
    def run(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
        del named
        return _opaque(state, name, args)

    return run


def _super(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    closure = state.frames[-1] if state.frames else None
    if closure is not None and closure.owner is not None:
        instance = args[1] if len(args) == 2 else closure.bound
        if isinstance(instance, Instance):
            return Above(instance, closure.owner)
    return Opaque("super()", "call", state.line, callee="super")


def _round(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    value = args[0] if args else 0
    if isinstance(value, int | float) and math.isfinite(value):
        return round(value)
    return _opaque(state, "round", args)


def _pow(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    return state.power(*args[:2]) if len(args) >= 2 else _opaque(state, "pow", args)


def _getattr(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    if len(args) >= 2 and isinstance(args[1], str):
        return state.attribute(args[0], args[1])
    return _opaque(state, "getattr", args)


def _isinstance(state: Any, args: list[Any], named: dict[str, Any]) -> Any:
    del named
    if len(args) > 1 and isinstance(args[0], bool | int | float | str | list | tuple | dict):
        kinds = args[1] if isinstance(args[1], tuple) else (args[1],)
        names = {name for name, function in BUILTINS.items() if function in kinds}
        return type(args[0]).__name__ in names
    return _opaque(state, "isinstance", args)


BUILTINS: Mapping[str, Callable[..., Any]] = {
    "float": _number(float),
    "int": _number(int),
    "bool": _unsure("bool"),
    "len": _len,
    "range": _range,
    "sum": _sum,
    "max": _extreme("max", np.maximum),
    "min": _extreme("min", np.minimum),
    "abs": _abs,
    "list": _listed(list),
    "tuple": _listed(tuple),
    "sorted": _listed(list),
    "set": _listed(tuple),
    "dict": _dict,
    "zip": _zip,
    "enumerate": _enumerate,
    "reversed": _reversed,
    "print": _nothing,
    "super": _super,
    "round": _round,
    "pow": _pow,
    "isinstance": _isinstance,
    "hasattr": _unsure("hasattr"),
    "getattr": _getattr,
    "str": _text,
    "repr": _text,
    "next": _next,
    "iter": _unsure("iter"),
    "property": _same,
    "staticmethod": _same,
    "classmethod": _same,
    "map": _unsure("map"),
    "filter": _unsure("filter"),
    "any": _unsure("any"),
    "all": _unsure("all"),
    "callable": _unsure("callable"),
    "type": _unsure("type"),
    "id": _unsure("id"),
}


def text_method(text: str, name: str, args: list[Any]) -> Any:
    """The few methods of a text that choose a branch."""
    plain = [a for a in args if isinstance(a, str)]
    if name in ("lower", "upper", "strip", "title") and not args:
        return getattr(text, name)()
    if name in ("startswith", "endswith") and len(plain) == 1:
        return getattr(text, name)(plain[0])
    return ""
