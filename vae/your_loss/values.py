"""What the interpreter's names may hold beside numbers, texts, lists and nodes of the graph."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Opaque:
    """A value that the code does not determine: an argument, an attribute, the result of a network.

    ``path`` is how the code first named it, ``hints`` the names it was bound to since. ``source``
    is 'argument', 'attribute', 'item', 'call', 'loop' or 'operation'. A value that the code loops
    over is ``listed``: how long it is nobody says; one of several that make one loss is ``inner``.
    One of the outputs that a loop goes through is ``apart``: nobody says whether it is an example's
    or one of a list of whole batches. One that a loop sets to several numbers is ``swept``: each is
    a loss of its own.
    """

    path: str
    source: str
    line: int = 0
    hints: list[str] = field(default_factory=list)
    parent: "Opaque | None" = None
    callee: str = ""
    position: int | None = None
    may_be_none: bool = False
    learned: bool = False
    # Weights of a layer: begun at random, in a table. They are no number and no moment.
    weights: bool = False
    failed: bool = False
    broken: bool = False
    # Classes of a value that is not known: whatever they are called, they are no picture.
    picked: bool = False
    listed: bool = False
    inner: bool = False
    apart: bool = False
    # The length of the first axis of what it is made of, where draws are folded into the batch.
    rows: int = 0
    # The order of its axes in what it was made of, where that was said.
    order: tuple[int, ...] = ()
    swept: bool = False
    # A name of a function that no branch which was taken has set.
    unset: bool = False
    inputs: frozenset[str] = frozenset()
    items: dict[Any, Any] = field(default_factory=dict)
    node: Any = None

    @property
    def name(self) -> str:
        """The name by which a reader knows it."""
        if self.hints and self.source not in ("argument", "attribute"):
            return self.hints[0]
        return self.path

    @property
    def of_round(self) -> bool:
        """Whether it is, or is a part of, what a loop inside of one loss goes through."""
        value: Opaque | None = self
        while value is not None and not value.inner:
            value = value.parent
        return value is not None

    @property
    def names(self) -> list[str]:
        """All names it has had, the first first: a helper's own are the least telling."""
        computed = self.source in ("call", "operation")
        # A place in a list is no name; a text in brackets is one.
        numbered = self.path.endswith("]") and self.path[-2:-1] not in ("'", '"')
        return [*(() if computed or numbered else (self.path,)), *self.hints]


@dataclass(eq=False)
class Closure:
    """A function or a lambda of the pasted code."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    scope: "Scope"
    bound: Any = None
    owner: "ClassValue | None" = None
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "lambda")


@dataclass(eq=False)
class Diagonal:
    """``diag_embed(scale)``: a matrix for each image that holds ``scale`` on its diagonal."""

    scale: Any


@dataclass(eq=False)
class ClassValue:
    """A class of the pasted code."""

    node: ast.ClassDef
    scope: "Scope"
    bases: list[Any] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.node.name

    def find(self, name: str, depth: int = 0) -> Any:
        """The member ``name`` of the class or of a base that was pasted too, or None."""
        if name in self.members:
            return self.members[name]
        if depth < 8:
            for base in self.bases:
                if isinstance(base, ClassValue):
                    found = base.find(name, depth + 1)
                    if found is not None:
                        return found
        return None


@dataclass(eq=False)
class Instance:
    """An object of a pasted class."""

    owner: ClassValue
    attributes: dict[str, Any] = field(default_factory=dict)
    cache: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Above:
    """``super()``: an object as the classes that its method's class is made of know it."""

    instance: Instance
    owner: ClassValue

    def find(self, name: str) -> Closure | None:
        """The method ``name`` of the nearest pasted class above, bound to the object, or None."""
        for base in self.owner.bases:
            found = base.find(name) if isinstance(base, ClassValue) else None
            if isinstance(found, Closure):
                return Closure(found.node, found.scope, self.instance, found.owner, found.defaults)
        return None


@dataclass(frozen=True)
class Library:
    """A name of a library: 'torch.nn.functional.mse_loss', 'tf.reduce_sum'."""

    path: str


@dataclass(eq=False)
class Method:
    """A method of a known value, not yet called."""

    owner: Any
    name: str


@dataclass(eq=False)
class LossObject:
    """A configured loss of a library, to be called with two arrays."""

    call: Callable[..., Any]
    name: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scaled:
    """``poutine.scale(scale=beta)``: what is sampled inside of its block counts so often."""

    factor: Any


@dataclass(frozen=True, eq=False)
class KLRegulariser:
    """The KL to a Gaussian that a layer adds to the loss, so often for each image."""

    prior: "Distribution"
    weight: Any


@dataclass(eq=False)
class DensityLayer:
    """A layer whose output is a density, or a model that ends in one.

    ``layers`` are those of a chain, ``after`` what stands before it in one, ``function`` makes the
    density of its parameters, ``made`` is the density that it has given.
    """

    kind: str
    layers: list[Any] = field(default_factory=list)
    regulariser: Any = None
    function: Any = None
    after: Any = None
    made: Any = None


@dataclass(eq=False)
class Distribution:
    """A distribution of a library with its parameters as nodes."""

    kind: str
    parameters: dict[str, Any]
    event_dims: int = 0
    line: int = 0
    framework: str = "torch"


@dataclass(frozen=True)
class Transformed:
    """``hk.transform(f)``: ``apply`` takes parameters (and a state, and a key) before f's own.

    ``before`` is how many; one that is ``stateful`` gives the state beside what f gives.
    """

    function: Any
    before: int = 2
    stateful: bool = False


@dataclass(frozen=True, eq=False)
class Spread:
    """``*values`` among the arguments of a call, or in a list."""

    value: Any


@dataclass(eq=False)
class Scope:
    """Names of a function or of the module, and the scope around it."""

    names: dict[str, Any] = field(default_factory=dict)
    outer: "Scope | None" = None
    # What sets names of a module that nothing has asked for yet, and what runs it.
    later: dict[str, list[Any]] = field(default_factory=dict)
    settle: Callable[[str], None] | None = None

    def find(self, name: str) -> Any:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.later and scope.settle is not None:
                scope.settle(name)
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        raise KeyError(name)

    def root(self) -> "Scope":
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return scope
