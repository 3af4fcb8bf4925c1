"""A loss as a graph of operations on inputs, to be evaluated again at other values of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from vae.your_loss import arrays
from vae.your_loss.arrays import BUDGET, Array, TooMuch

MAX_GRAPH = 4_000
# Inputs to which no gradient is sent anyway.
PASSIVE = ("target", "uniform", "noise", "late", "constant", "example")
_COUNTER = count()


@dataclass(eq=False)
class Node:
    """One value: ``base`` at the values with which the code was traced, ``deps`` its inputs."""

    base: Array
    function: Callable[..., Array] | None = None
    args: tuple["Node", ...] = ()
    deps: frozenset[str] = frozenset()
    leaf: str = ""
    line: int = 0
    name: str = ""
    unshaped: bool = False
    origin: "Node | None" = field(default=None, repr=False)
    order: list["Node"] = field(default_factory=list, repr=False)
    plans: dict[frozenset[str], list["Node"]] = field(default_factory=dict, repr=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.base.shape

    @property
    def ndim(self) -> int:
        return len(self.base.shape)

    @property
    def is_constant(self) -> bool:
        return not self.deps

    def number(self) -> float:
        """The value of a node that is one number (its first value where it has several)."""
        if self.base.data.size == 0:
            raise arrays.Misfit("a number of nothing")
        return float(self.base.data.reshape(-1)[0])


def value_node(value: Any) -> Node:
    """A constant."""
    return Node(value if isinstance(value, Array) else arrays.constant(value))


def leaf(name: str, base: Array, *, unshaped: bool = False) -> Node:
    return Node(base, deps=frozenset([name]), leaf=name, name=name, unshaped=unshaped)


def apply(function: Callable[..., Array], *args: Node, line: int = 0, name: str = "") -> Node:
    """The node of ``function(*args)``; constants are folded."""
    BUDGET.get().evaluate(1)
    base = function(*(a.base for a in args))
    deps = frozenset().union(*(a.deps for a in args))
    unshaped = bool(deps) and all(a.unshaped or a.is_constant for a in args) and not base.shape
    if not deps:
        return Node(base, line=line, name=name)
    return Node(base, function, args, deps, line=line, name=name, unshaped=unshaped)


def stop_gradient(node: Node) -> Node:
    """The same value as an input of its own: it may count, but sends no gradient.

    A picture needs none: what depends on pictures alone is the same with and without.
    """
    free = {dep.split("#")[0] for dep in node.deps}
    if not {dep for dep in free if not dep.startswith(PASSIVE)}:
        return node
    found = leaf(f"stopped:{next(_COUNTER)}", node.base)
    found.line = node.line
    found.origin = node
    return found


def elementwise(function: Callable[..., Any], *args: Node, line: int = 0, name: str = "") -> Node:
    def run(*values: Array) -> Array:
        return arrays.elementwise(function, *values)

    return apply(run, *args, line=line, name=name)


def sort(root: Node) -> list[Node]:
    """All nodes that depend on an input, each after its arguments."""
    if root.order:
        return root.order
    seen: set[int] = set()
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
            continue
        if id(node) in seen or node.is_constant:
            continue
        seen.add(id(node))
        if len(seen) > MAX_GRAPH:
            raise TooMuch("the loss has too many operations to be read")
        stack.append((node, True))
        stack.extend((child, False) for child in node.args)
    root.order = order
    return order


def evaluate(root: Node, values: Mapping[str, Array]) -> Array:
    """The value of ``root`` with the inputs in ``values`` changed, all others as traced."""
    if root.is_constant:
        return root.base
    changed = frozenset(values)
    plan = root.plans.get(changed)
    if plan is None:
        plan = [node for node in sort(root) if not changed.isdisjoint(node.deps)]
        root.plans[changed] = plan
    BUDGET.get().evaluate(len(plan))
    found: dict[int, Array] = {}
    for node in plan:
        if node.leaf:
            found[id(node)] = values[node.leaf]
        else:
            assert node.function is not None
            args = [found.get(id(a), a.base) for a in node.args]
            found[id(node)] = node.function(*args)
    return found.get(id(root), root.base)


def evaluate_with(root: Node, inner: Node, value: Array) -> Array:
    """The value of ``root`` if the node ``inner`` in it had another value."""
    found: dict[int, Array] = {id(inner): value}
    for node in sort(root):
        BUDGET.get().evaluate(1)
        if node is inner or node.leaf or not any(id(a) in found for a in node.args):
            continue
        assert node.function is not None
        found[id(node)] = node.function(*[found.get(id(a), a.base) for a in node.args])
    return found.get(id(root), root.base)


def operations(root: Node) -> Iterable[Node]:
    """Every node of the graph of ``root`` that depends on an input."""
    return sort(root)
