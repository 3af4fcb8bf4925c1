"""A small interpreter of Python over graphs: no names, calls or attributes beyond its vocabulary.

It runs the statements of pasted code for one purpose: to find which numbers the loss is made of.
Nothing is imported, opened, compiled or evaluated by Python itself.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from vae.your_loss import graph
from vae.your_loss.arrays import BUDGET, TooMuch
from vae.your_loss.expressions import Expressions
from vae.your_loss.graph import Node
from vae.your_loss.library import ALIASES, HANDED_ON, NO_GRADIENT, framework_of
from vae.your_loss.once import once
from vae.your_loss.relevance import LONG
from vae.your_loss.roles import words_of
from vae.your_loss.state import DATA
from vae.your_loss.text import last_name
from vae.your_loss.values import (
    ClassValue,
    Closure,
    Instance,
    Library,
    Method,
    Opaque,
    Scaled,
    Scope,
)

MAX_LOOP = 512
MAX_CLOSURES = 64
_UPDATES = frozenset({"train", "trainer", "update", "optimizer", "optimise", "optimize"})
TRAINING_CALLS = frozenset(
    [
        "backward",
        "apply_gradients",
        "minimize",
        "train_step",
        "train_on_batch",
        "value_and_grad",
        "gradient",
        "training_step",
        "zero_grad",
        "fit",
        "update",
        "step",
        "train",
        "train_epoch",
        "train_one_epoch",
        "train_model",
        # A session's, of TensorFlow 1.
        "run",
    ]
)


class ReturnSignal(Exception):
    """A return statement was reached."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class BreakSignal(Exception):
    """A break was reached."""


class ContinueSignal(Exception):
    """A continue was reached."""


class RaiseSignal(Exception):
    """A raise was reached: this path gives no loss."""


@dataclass
class Outcome:
    """What running one entry gave."""

    returned: Any = None
    optimised: list[tuple[Node, int, str]] = field(default_factory=list)
    added: list[Node] = field(default_factory=list)
    names: Mapping[str, Any] = field(default_factory=dict)


class Interpreter(Expressions):
    """Statements; expressions and calls are the base classes' part."""

    def run_module(self, tree: ast.Module, *, definitions_only: bool = False) -> Outcome:
        """Run the module's statements; with ``definitions_only`` no loop, call or branch."""
        self.tree = tree
        for statement in tree.body:
            plain = isinstance(
                statement,
                ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import
                | ast.ImportFrom | ast.Assign | ast.AnnAssign,
            )  # fmt: skip
            if definitions_only and isinstance(statement, ast.Assign | ast.AnnAssign):
                self.defer(statement)
            elif definitions_only and (name := _updated(statement)):
                self.module.later.setdefault(name, []).append(statement)
            elif plain or not definitions_only:
                try:
                    self.bounded(statement, definition=definitions_only)
                except ReturnSignal as signal:
                    return self.outcome(signal.value, self.module)
                except (BreakSignal, ContinueSignal, RaiseSignal):
                    break
        return self.outcome(None, self.module)

    def defer(self, statement: ast.Assign | ast.AnnAssign) -> None:
        """Run an assignment of the module when one of the names that it sets is asked for."""
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        names = {
            node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
        }
        for name in names:
            self.module.later.setdefault(name, []).append(statement)

    def settle_later(self, name: str) -> None:
        """The assignments that set ``name``, in their order."""
        kept = self.line, self.no_gradient, self.in_block
        self.no_gradient = self.in_block = 0
        for statement in self.module.later.pop(name, []):
            if statement not in self.deferred:
                self.deferred.add(statement)
                with suppress(ReturnSignal, BreakSignal, ContinueSignal, RaiseSignal):
                    self.bounded(statement, definition=True)
        self.line, self.no_gradient, self.in_block = kept

    def bounded(self, statement: ast.stmt, *, definition: bool) -> None:
        """One statement of the module; one that takes too much leaves what it sets not known.

        Data are prepared before a loss is taken of them, at a length that is not needed here.
        """
        budget, depth, calls = BUDGET.get(), self.depth, self.calls
        known = len(self.optimised), len(self.added)
        try:
            if statement.lineno in budget.skipped:
                raise TooMuch
            with budget.portion(0.12 if definition else 0.5):
                self.execute(statement, self.module)
        except TooMuch:
            if budget.spent or known != (len(self.optimised), len(self.added)):
                raise
            budget.skipped.add(statement.lineno)
            self.depth, self.calls, self.no_gradient, self.in_block = depth, calls, 0, 0
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    self.module.names[node.id] = Opaque(node.id, "attribute", self.line)

    def outcome(self, returned: Any, scope: Scope) -> Outcome:
        return Outcome(returned, list(self.optimised), list(self.added), dict(scope.names))

    # -- statements ---------------------------------------------------------------------------
    def run_block(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            self.execute(statement, scope)

    def execute(self, statement: ast.stmt, scope: Scope) -> None:
        BUDGET.get().step()
        self.line = getattr(statement, "lineno", self.line)
        handler = getattr(self, f"do_{type(statement).__name__}", None)
        if handler is not None:
            handler(statement, scope)

    def do_FunctionDef(self, node: ast.FunctionDef, scope: Scope) -> None:
        closure = self.make_closure(node, scope)
        if len(self.closures) < MAX_CLOSURES and (scope.outer is not None or self.in_block):
            self.closures.append(closure)
        scope.names[node.name] = self.decorated(node, closure, scope)

    def do_AsyncFunctionDef(self, node: ast.AsyncFunctionDef, scope: Scope) -> None:
        scope.names[node.name] = self.make_closure(node, scope)

    def do_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        bases = [self.value(base, scope) for base in node.bases[:8]]
        found = ClassValue(node, scope, bases)
        inner = Scope(found.members, scope)
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                closure = self.make_closure(statement, scope)
                closure.owner = found
                found.members[statement.name] = closure
            elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.ClassDef):
                self.execute(statement, inner)
        if len(self.inner) < MAX_CLOSURES and (scope.outer is not None or self.in_block):
            self.inner.append(found)
        scope.names[node.name] = found

    def do_Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            if alias.asname:
                scope.names[alias.asname] = Library(canonical(alias.name))
            else:
                first = alias.name.split(".", 1)[0]
                scope.names[first] = Library(canonical(first))

    def do_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = node.module or ""
        for alias in node.names:
            if alias.name == "*":
                continue
            name = alias.asname or alias.name
            if name in scope.names and isinstance(scope.names[name], Closure | ClassValue):
                continue
            path = f"{module}.{alias.name}" if module else alias.name
            given = self.setup.constants.get(name)
            if given is not None and not framework_of(path):
                # A number of a module that was not pasted, which the reader has said.
                scope.names[name] = self.settle(name, given)
                continue
            if alias.name in HANDED_ON and not framework_of(path):
                # A library that another file of one's own has imported.
                path = ALIASES[alias.name]
            scope.names[name] = Library(canonical(path))

    def do_Assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.value(node.value, scope)
        if self.no_gradient and isinstance(value, Node):
            value = graph.stop_gradient(value)
        for target in node.targets:
            self.bind(target, value, scope)

    def do_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value, scope), scope)

    def do_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:
        target = node.target
        counted = last_name(target)
        if counted in self.setup.counters:
            # A counter of steps: what counts is the loss late in the training.
            path = f"self.{counted}" if isinstance(target, ast.Attribute) else counted
            self.bind(target, Opaque(path, "attribute", self.line), scope)
            return
        old = self.value(_loaded(target), scope)
        added = self.value(node.value, scope)
        new = self.binary(node.op, old, added, node)
        begun = isinstance(old, Opaque) and not old.inputs & DATA
        if begun and isinstance(added, Node) and isinstance(node.op, ast.Add):
            # A running total of epochs that began outside of what was pasted.
            new = added
        self.bind(target, new, scope)

    def do_Return(self, node: ast.Return, scope: Scope) -> None:
        raise ReturnSignal(None if node.value is None else self.value(node.value, scope))

    def do_Expr(self, node: ast.Expr, scope: Scope) -> None:
        if isinstance(node.value, ast.Call) and self.only_looks(node.value.func, scope):
            return
        value = self.value(node.value, scope)
        called = node.value.func if isinstance(node.value, ast.Call) else None
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            inplace = called.attr.endswith("_") and not called.attr.endswith("__")
            if inplace and isinstance(value, Node):
                # x.clamp_(0, 1) changes x itself.
                self.bind(called.value, value, scope)

    def only_looks(self, called: ast.expr, scope: Scope) -> bool:
        """Whether a call of which nothing is kept draws or saves what the model gives so far.

        Its pictures and moments are not those of the loss, though they have the same names.
        """
        whole = called
        while isinstance(whole, ast.Attribute):
            whole = whole.value
        if self.setup.evaluated or not isinstance(whole, ast.Name):
            return False
        function = self.value(called, scope)
        return isinstance(function, Closure) and _takes_no_gradient(function.node)

    def do_If(self, node: ast.If, scope: Scope) -> None:
        known = len(self.undecided)
        branch = node.body if self.decide(node.test, scope) else node.orelse
        unsure = len(self.undecided) > known or _asks_for_shape(node.test)
        raised = [statement for statement in branch if isinstance(statement, ast.Raise)]
        if raised and (unsure or any(_is_of_machine(statement) for statement in raised)):
            # What no other branch was seen to take is not a mistake of the code; nor is a
            # check of shapes, which are guessed here, or of files.
            return
        if unsure and _only_leaves(branch):
            # Nothing is left to train: the model was on disk already.
            return
        self.run_inner(branch, scope)

    def do_Match(self, node: ast.Match, scope: Scope) -> None:
        self.run_block(_as_questions(node), scope)

    def run_inner(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        """Statements of a block: what they define nobody outside can be sure of."""
        self.in_block += 1
        try:
            self.run_block(statements, scope)
        finally:
            self.in_block -= 1

    def do_With(self, node: ast.With, scope: Scope) -> None:
        silent, known = False, len(self.scales)
        for item in node.items:
            value = self.value(item.context_expr, scope)
            silent = silent or _is_silent(item.context_expr)
            if isinstance(value, Scaled):
                self.scales.append(value.factor)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value, scope)
        try:
            with self.without_gradient(silent):
                self.run_inner(node.body, scope)
        finally:
            del self.scales[known:]

    do_AsyncWith = do_With

    @contextmanager
    def without_gradient(self, active: bool) -> Iterator[None]:
        active = active and not self.setup.evaluated
        self.no_gradient += active
        try:
            yield
        finally:
            self.no_gradient -= active

    def do_Try(self, node: ast.Try, scope: Scope) -> None:
        try:
            self.run_inner(node.body, scope)
            self.run_inner(node.orelse, scope)
        except RaiseSignal:
            if node.handlers:
                self.run_inner(node.handlers[0].body, scope)
        self.run_block(node.finalbody, scope)

    def do_Raise(self, node: ast.Raise, scope: Scope) -> None:
        del node, scope
        raise RaiseSignal

    def do_Break(self, node: ast.Break, scope: Scope) -> None:
        del node, scope
        raise BreakSignal

    def do_Continue(self, node: ast.Continue, scope: Scope) -> None:
        del node, scope
        raise ContinueSignal

    def do_Delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                scope.names.pop(target.id, None)

    def do_For(self, node: ast.For, scope: Scope) -> None:
        trains = _trains(node)
        values = self.iterate(node.iter, scope, training=trains)
        for value in () if trains else values:
            if isinstance(value, Opaque) and value.source == "loop":
                value.inner = True
        if len(values) > LONG and node.lineno in self.setup.idle:
            values = values[-1:]
        swept = self.swept(values, node.target)
        known = len(self.optimised), len(self.added)
        for value in values:
            if not self.round(node, value, scope):
                return
            if swept is not None and known != (len(self.optimised), len(self.added)):
                # A loss for each of several numbers: which one is meant is asked for.
                del self.optimised[known[0] :], self.added[known[1] :]
                self.round(node, swept, scope)
                break
        self.run_block(node.orelse, scope)

    do_AsyncFor = do_For

    def round(self, node: ast.For, value: Any, scope: Scope) -> bool:
        """One round of a loop; False where it ends the loop."""
        BUDGET.get().step()
        self.bind(node.target, value, scope)
        try:
            self.run_inner(node.body, scope)
        except BreakSignal:
            return False
        except ContinueSignal:
            pass
        return True

    def swept(self, values: Sequence[Any], target: ast.expr) -> Any:
        """A value that stands for all ``values``, where numbers differ from round to round."""
        if len(values) < 2:
            return None
        if isinstance(target, ast.Tuple) and all(isinstance(v, tuple | list) for v in values):
            columns = list(zip(*values, strict=False))
            if len(columns) != len(target.elts):
                return None
            found = [self.swept(c, t) for c, t in zip(columns, target.elts, strict=True)]
            whole = [c[0] if f is None else f for c, f in zip(columns, found, strict=True)]
            return tuple(whole) if any(f is not None for f in found) else None
        numbers = [_plain_number(value) for value in values]
        if not isinstance(target, ast.Name) or None in numbers or len(set(numbers)) == 1:
            return None
        return Opaque(target.id, "argument", self.line, swept=True)

    def do_While(self, node: ast.While, scope: Scope) -> None:
        # Until data are at an end: one round is followed.
        endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        once = endless or _trains(node) or node.lineno in self.setup.idle
        rounds = 1 if once else MAX_LOOP
        for _ in range(rounds):
            BUDGET.get().step()
            test = self.value(node.test, scope)
            known = not isinstance(test, Opaque)
            if known and not self.truth(test, node.test):
                return
            try:
                self.run_block(node.body, scope)
            except BreakSignal:
                return
            except ContinueSignal:
                continue
            if not known:
                return

    def iterate(self, node: ast.expr, scope: Scope, *, training: bool = False) -> list[Any]:
        """The values of a loop; a loop over what is not known, or a training loop, runs once."""
        found = self.value(node, scope)
        if training and isinstance(found, range):
            return [Opaque("epoch", "loop", self.line)]
        return self.sequence(found, node)


def canonical(path: str) -> str:
    """The name under which the vocabulary knows a module."""
    parts = path.split(".")
    if parts[:2] == ["tensorflow", "keras"] or parts[:2] == ["tf_keras", "keras"]:
        return ".".join(["keras", *parts[2:]])
    if parts[:2] == ["tensorflow", "compat"] or parts[:2] == ["keras", "src"]:
        return ".".join([parts[0], *parts[2:]])
    if parts[0] == "tf_keras":
        return ".".join(["keras", *parts[1:]])
    return path


def _updated(statement: ast.stmt) -> str:
    """The name of settings of which a statement of the module sets some: ``cfg.update(...)``."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    function = call.func if isinstance(call, ast.Call) else None
    if not isinstance(function, ast.Attribute) or function.attr != "update":
        return ""
    return getattr(function.value, "id", "")


def _plain_number(value: Any) -> float | None:
    """A number as one, None for anything else."""
    if isinstance(value, Node) and value.is_constant and not value.shape:
        return value.number()
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if plain and abs(value) < 1e300 else None


def _loaded(target: ast.expr) -> ast.expr:
    """The target of ``a += b`` as an expression to be read."""
    return target


def _is_of_machine(statement: ast.Raise) -> bool:
    """Whether an error is one of files or of what is installed, not of a setting."""
    raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
    return last_name(raised) in _OF_MACHINE


_OF_MACHINE = frozenset(
    {"FileNotFoundError", "FileExistsError", "NotADirectoryError", "ImportError", "OSError"}
    | {"IOError", "EnvironmentError", "ModuleNotFoundError", "PermissionError"}
)


def _only_leaves(branch: Sequence[ast.stmt]) -> bool:
    """Whether a branch ends its function with nothing in hand and takes no gradient."""
    last = branch[-1] if branch else None
    if not isinstance(last, ast.Return) or not (
        last.value is None or (isinstance(last.value, ast.Constant) and last.value.value is None)
    ):
        return False
    return not any(map(_sends_back, branch))


def _sends_back(node: ast.AST) -> bool:
    """Whether something in ``node`` takes a gradient or a step."""
    calls = (inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call))
    return any(last_name(called) in _STEPS for called in calls)


_STEPS = frozenset({"backward", "manual_backward", "minimize", "step", "apply_gradients"})


def _asks_for_shape(test: ast.expr) -> bool:
    """Whether a condition asks how many axes, or which sizes, a value has."""
    asked = {
        node.attr if isinstance(node, ast.Attribute) else ""
        for node in ast.walk(test)
        if isinstance(node, ast.Attribute)
    }
    return bool(asked & {"shape", "ndim", "dim", "size", "ndims", "rank"})


def _is_silent(node: ast.expr) -> bool:
    name = node.func if isinstance(node, ast.Call) else node
    return last_name(name) in NO_GRADIENT


@once
def _takes_no_gradient(function: ast.AST) -> bool:
    """Whether a function runs without gradients, in a block or as a whole, and trains nothing."""
    if not isinstance(function, ast.FunctionDef):
        return False
    blocks = (inner for inner in ast.walk(function) if isinstance(inner, ast.With))
    silent = any(_is_silent(item.context_expr) for block in blocks for item in block.items)
    silent = silent or any(map(_is_silent, function.decorator_list[:4]))
    return silent and not _sends_back(function)


@once
def _trains(loop: ast.For | ast.While | ast.AsyncFor) -> bool:
    for node in ast.walk(loop):
        if isinstance(node, ast.Call):
            name = last_name(node.func)
            if name in TRAINING_CALLS or "loader" in name or _UPDATES & set(words_of(name)):
                return True
    return False


__all__ = ["Instance", "Interpreter", "Method", "Outcome", "RaiseSignal", "ReturnSignal"]


@once
def _as_questions(node: ast.Match) -> list[ast.stmt]:
    """``match kind: case "mse": ...`` as if and else, without cases that take values apart."""
    chain: list[ast.stmt] = []
    for case in reversed(node.cases):
        pattern = case.pattern
        single = pattern.patterns if isinstance(pattern, ast.MatchOr) else [pattern]
        values = [part.value for part in single if isinstance(part, ast.MatchValue)]
        if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and not case.guard:
            chain = case.body
        elif values and len(values) == len(single) and not case.guard:
            tests = [ast.Compare(node.subject, [ast.Eq()], [value]) for value in values]
            test = tests[0] if len(tests) == 1 else ast.BoolOp(ast.Or(), [*tests])
            asked = ast.If(test, case.body, chain)
            chain = [ast.fix_missing_locations(ast.copy_location(asked, node))]
    return chain
