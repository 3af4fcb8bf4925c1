"""Where in the pasted code the loss is: every place that may give one is traced and weighed."""

import ast
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vae.your_loss import arrays, graph, passed, roles
from vae.your_loss.graph import Node
from vae.your_loss.interpreter import Interpreter, Outcome, RaiseSignal, ReturnSignal
from vae.your_loss.library import NO_GRADIENT
from vae.your_loss.once import once
from vae.your_loss.roles import LATENT_SCALES
from vae.your_loss.state import Setup
from vae.your_loss.text import last_name
from vae.your_loss.values import ClassValue, Closure, Instance, Method, Opaque

MAX_ENTRIES = 24
_MARKS = frozenset(
    [
        "loss",
        "kl",
        "kld",
        "elbo",
        "mse",
        "bce",
        "nll",
        "recon",
        "reconstruction",
        "logvar",
        "log_var",
        "criterion",
        "backward",
        "gradient",
        "log_prob",
        "logsigma",
        "log_sigma",
        "sigma",
        "objective",
    ]
)
_AWAY = frozenset(
    [
        "test",
        "eval",
        "evaluate",
        "evaluation",
        "validate",
        "validation",
        "validater",
        "validator",
        "evaluator",
        "tester",
        "val",
        "sample",
        "generate",
        "plot",
        "visualize",
        "encode",
        "decode",
        "predict",
        "inference",
        "reconstruct",
        "save",
        "load",
        "interpolate",
        "draw",
        "main",
        "get",
        "reparameterize",
        "reparametrize",
        "reparam",
        "sampling",
    ]
)


@dataclass(frozen=True)
class Entry:
    """A function, a method ('Class.method') or the module itself ('')."""

    name: str
    line: int
    weight: int
    away: bool = False


@dataclass(eq=False)
class Traced:
    """One entry's run: the loss that it gave, if it gave one."""

    entry: Entry
    state: Interpreter
    root: Node | None
    line: int = 0
    how: str = ""
    score: int = 0
    note: str = ""

    @property
    def conclusive(self) -> bool:
        """Whether the code itself shows that this is what is minimised."""
        words = set(roles.words_of(short(self.entry.name)))
        trains = bool(words & _TRAINS)
        return trains or self.how in OPTIMISED or not self.entry.name


_TRAINS = frozenset({"train", "training", "fit", "update", "optimize"})
# How a loss is met that something minimises.
OPTIMISED = frozenset(
    [
        "backward",
        "manual_backward",
        "gradient",
        "minimize",
        "compute_gradients",
        "grad",
        "value_and_grad",
        "compile",
        "add_loss",
    ]
)


@once
def find_entries(tree: ast.Module) -> list[Entry]:
    """Everything that may compute a loss, likeliest first."""
    found: list[Entry] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += _entry(node, node.name)
        elif isinstance(node, ast.ClassDef):
            for member in node.body:
                if not isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    continue
                if member.name != "__init__" or _gives_loss(member):
                    found += _entry(member, f"{node.name}.{member.name}")
    bare = [
        n
        for n in tree.body
        if not isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom)
    ]
    if bare:
        found.append(Entry("", bare[0].lineno, 3 if len(found) == 0 else 2))
    found.sort(key=lambda e: -e.weight)
    return found[:MAX_ENTRIES]


def _gives_loss(start: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether an object is given its loss where it is made, as models of Keras are."""
    text = ast.unparse(start)
    asked = "add_loss" in text or ".minimize(" in text
    return asked or bool(re.search(r"\.compile\([^\n]*\bloss=", text))


def _entry(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> list[Entry]:
    words = {
        word
        for child in ast.walk(node)
        for text in (getattr(child, field, "") for field in ("id", "attr", "name", "arg"))
        if isinstance(text, str) and text
        for word in (*roles.words_of(text), text)
    }
    own = set(roles.words_of(node.name))
    if node.name == "model" and "sample" in words and words & {"pyro", "numpyro"}:
        return [Entry(name, node.lineno, 4)]
    if not words & _MARKS and not own & {"train", "training", "fit", "loss", "elbo"}:
        return []
    away = bool(own & _AWAY and not own & {"loss", "train", "training"})
    weight = 2 + 2 * bool(own & {"loss", "elbo", "objective", "criterion", "train", "training"})
    if away:
        weight -= 3
    if any("no_grad" in ast.unparse(d) for d in node.decorator_list[:4]):
        weight -= 3
        away = True
    return [Entry(name, node.lineno, weight, away)]


def arguments_of(tree: ast.Module, entry: Entry) -> tuple[tuple[str, int], ...]:
    """The arguments of ``entry`` and their line, but for the object and the class itself."""
    node = _node_of(tree, entry)
    if node is None:
        return ()
    spec = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return tuple((a.arg, node.lineno) for a in spec if a.arg not in ("self", "cls"))


def _node_of(tree: ast.Module, entry: Entry) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    name = short(entry.name)
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    return next((n for n in functions if n.lineno == entry.line and n.name == name), None)


def trained_instead(tree: ast.Module, entry: Entry) -> Entry | None:
    """Another loss of means and variances that the file trains, where nothing calls ``entry``."""
    calls = calls_of(tree)
    mine = short(entry.name)
    if any(mine in names for whole, names in calls.items() if short(whole) != mine):
        return None
    callers = [n for w, n in calls.items() if not w or set(roles.words_of(short(w))) & _TRAINS]
    for other in find_entries(tree):
        named = short(other.name)
        loss = set(roles.words_of(named)) & {"loss", "elbo", "objective", "criterion"}
        if not loss or named == mine or other.away or not any(named in names for names in callers):
            continue
        told = {g.role for name, _ in arguments_of(tree, other) for g in roles.guess(name)}
        if "mean" in told and told & set(LATENT_SCALES):
            return other
    return None


def trains_elsewhere(tree: ast.Module, entry: Entry) -> tuple[int, str] | None:
    """Where the file itself takes a gradient, if ``entry``, an evaluation, is what is read.

    A loss that is trained may weigh its terms otherwise than the one that is looked at.
    """
    inside = _node_of(tree, entry)
    within = set() if inside is None else {id(node) for node in ast.walk(inside)}
    for node in ast.walk(tree):
        if id(node) in within:
            continue
        if isinstance(node, ast.Call) and last_name(node.func) in ("backward", "manual_backward"):
            return node.lineno, ast.unparse(node)[:60]
        if isinstance(node, ast.FunctionDef) and node.name in ("training_step", "train_step"):
            return node.lineno, node.name
    return None


@once
def network_of(tree: ast.Module) -> str:
    """The one class of ``tree`` with a pass forward that no other class is made of, or ''."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    passes = {
        owner.name: {member.name for member in owner.body if isinstance(member, ast.FunctionDef)}
        for owner in classes
    }
    found = [
        owner.name
        for owner in classes
        if passes[owner.name] & {"forward", "call", "__call__"}
        and not set(roles.words_of(owner.name)) & {"loss", "criterion", "sampling", "dataset"}
    ]
    used = {
        node.id
        for owner in classes
        for node in ast.walk(owner)
        if isinstance(node, ast.Name) and node.id != owner.name
    }
    whole = [name for name in found if name not in used]
    return whole[0] if len(whole) == 1 else ""


def short(name: str) -> str:
    """'Class.method' without its class."""
    return name.rpartition(".")[2]


@once
def calls_of(tree: ast.Module) -> dict[str, set[str]]:
    """For each function, method and the module ('') the names that it calls."""
    found: dict[str, set[str]] = {"": set()}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    found[f"{node.name}.{member.name}"] = _called(member)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = _called(node)
        else:
            found[""] |= _called(node)
    again = _other_names(tree, {short(name) for name in found})
    for whole, names in found.items():
        # What is handed to a function is called in it.
        known = {short(whole), *names}
        names |= {mine for called in known for mine in again.get(called, ())} - {short(whole)}
    for _ in range(3):
        for names in found.values():
            for whole, inner in found.items():
                if short(whole) in names:
                    names |= inner
    return found


def _other_names(tree: ast.Module, pasted: set[str]) -> dict[str, set[str]]:
    """Functions of the file by the other names under which they are called.

    ``self.loss_fn = vae_loss`` gives one, and so does ``fit(model, vae_loss)``, which may call it.
    """
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.Attribute):
            for target in node.targets:
                if (mine := last_name(node.value)) in pasted and (name := last_name(target)):
                    found.setdefault(name, set()).add(mine)
        elif isinstance(node, ast.Call):
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            handed = {last_name(one) for one in given if isinstance(one, ast.Name)} & pasted
            if handed and (called := last_name(node.func)) in pasted:
                found.setdefault(called, set()).update(handed)
    return found


def _called(node: ast.AST) -> set[str]:
    """What ``node`` calls, and the names that it hands over to be called: ``compile(loss=f)``."""
    found: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            given = (*inner.args, *(keyword.value for keyword in inner.keywords))
            found.add(last_name(inner.func))
            found.update(one.id for one in given if isinstance(one, ast.Name))
    return found


def trace(tree: ast.Module, entry: Entry, setup: Setup) -> Traced:
    """Run ``entry`` and take the loss that it gives."""
    state = Interpreter(setup)
    try:
        if not entry.name:
            outcome = state.run_module(tree)
        else:
            state.run_module(tree, definitions_only=True)
            outcome = _run(state, entry, elbo=not _other_bound(tree))
    except RaiseSignal:
        outcome = state.outcome(None, state.module)
    except ReturnSignal as signal:
        outcome = state.outcome(signal.value, state.module)
    found = _choose(entry, state, outcome)
    if found.root is None or coverage(found.root) < 8:
        return _inside(entry, state) or found
    return found


def _inside(entry: Entry, state: Interpreter) -> Traced | None:
    """The loss of a function that was defined inside of what was run, and that nothing called."""
    for function in _never_called(state):
        before, leaves = (len(state.optimised), len(state.added)), state.leaves
        if function.bound is not None:
            # A class makes its own values: those of a network that was built are not its.
            state.leaves = {}
        try:
            returned = state.call(function, [], _handed(state, function))
        except (RaiseSignal, ReturnSignal):
            state.leaves = leaves
            continue
        outcome = Outcome(returned, state.optimised[before[0] :], state.added[before[1] :])
        found = _choose(entry, state, outcome)
        if found.root is not None and coverage(found.root) >= 8:
            return found
        state.leaves = leaves
    return None


def _never_called(state: Interpreter) -> Iterator[Closure]:
    """Functions, and methods of classes, that a function or a block defines, likeliest first."""
    for closure in list(state.closures):
        marks = _entry(closure.node, closure.name) if closure.name != "lambda" else []
        if closure.node.lineno not in state.called and marks and not marks[0].away:
            yield closure
    for owner in list(state.inner):
        marked = [
            (marks[0].weight, method.name)
            for method in owner.node.body
            if isinstance(method, ast.FunctionDef) and method.lineno not in state.called
            if method.name != "__init__" or _gives_loss(method)
            for marks in [_entry(method, method.name)]
            if marks and not marks[0].away
        ]
        for _, name in sorted(marked, key=lambda pair: -pair[0]):
            bound = state.attribute(state.as_made(owner), name)
            if isinstance(bound, Closure):
                yield bound


@once
def without_gradient(tree: ast.Module) -> frozenset[str]:
    """The entries in which something runs without gradients, or in what they call."""
    silent: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _is_silent(node):
            silent.add(node.name)
    bare = any(map(_is_silent, tree.body))
    calls = calls_of(tree)
    return frozenset(
        entry.name
        for entry in find_entries(tree)
        if short(entry.name) in silent
        or calls.get(entry.name, set()) & silent
        or (not entry.name and bare)
    )


def _is_silent(node: ast.AST) -> bool:
    return any(last_name(inner) in NO_GRADIENT for inner in ast.walk(node))


@once
def _other_bound(tree: ast.Module) -> bool:
    """Whether a library is asked for another bound than the ELBO of a model and its guide."""
    named = (last_name(node) for node in ast.walk(tree))
    return any(name in ("RenyiELBO", "ReweightedWakeSleep", "EnergyDistance") for name in named)


def _run(state: Interpreter, entry: Entry, *, elbo: bool = True) -> Outcome:
    first, _, method = entry.name.partition(".")
    owner = state.module.names.get(first)
    if elbo and (method or first) == "model" and (pair := _with_guide(state, owner)):
        state.elbo_of(*pair)
        return state.outcome(None, state.module)
    if method and isinstance(owner, ClassValue):
        instance = state.as_made(owner)
        returned: Any = state.attribute(instance, method)
        if method == "__call__" and isinstance(member := owner.find(method), Closure):
            # No pasted code may ask for such a name; here it is the reader who does.
            returned = Closure(member.node, member.scope, instance, owner, member.defaults)
    elif isinstance(owner, Method) and isinstance(owner.owner, tuple):
        # Its gradient is asked for above it: what it gives itself is the loss.
        returned = owner.owner[0]
    else:
        returned = owner
    for _ in range(3):
        if isinstance(returned, Closure | Method):
            known = _callable(returned)
            returned = state.call(returned, [], _handed(state, returned)) if known else None
    outcome = state.outcome(returned, state.module)
    if method and isinstance(owner, ClassValue):
        outcome.names = dict(instance.attributes)
    return outcome


def _handed(state: Interpreter, function: Closure | Method) -> dict[str, Any]:
    """What the file hands over where it calls ``function``."""
    node = function.node if isinstance(function, Closure) else None
    if state.tree is None or not isinstance(node, ast.FunctionDef):
        return {}
    return state.handed(passed.to_function(state.tree, node))


def _with_guide(state: Interpreter, owner: Any) -> tuple[Closure, Closure] | None:
    """A model of Pyro and its guide, of one class or of the module."""
    if isinstance(owner, ClassValue):
        instance = state.as_made(owner)
        model, guide = (state.attribute(instance, name) for name in ("model", "guide"))
    else:
        model, guide = owner, state.module.names.get("guide")
    if isinstance(model, Closure) and isinstance(guide, Closure):
        return model, guide
    return None


def _callable(value: Closure | Method) -> bool:
    return isinstance(value, Closure)


def coverage(node: Node) -> int:
    """2 for each of pictures and latents on which the loss depends, 1 for what is unknown."""
    named = [dep.split("#")[0] for dep in node.deps if dep.startswith(("target", "output"))]
    pictures = len(named) >= 2
    # A scale alone may be that of the pixels.
    latents = 1.0 if {"mean", "z"} & node.deps else 0.5 * bool(set(LATENT_SCALES) & node.deps)
    some = not pictures and bool({"target", "output"} & node.deps)
    return int(4 * (pictures + latents)) + some


def _choose(entry: Entry, state: Interpreter, outcome: Outcome) -> Traced:
    """The value that is the loss among all that a run gave."""
    offers: list[tuple[int, Node, int, str, str]] = []
    added = outcome.added
    if _differ(outcome):
        return Traced(entry, state, None)
    for node, line, how in outcome.optimised:
        whole = _total([node, *added]) if how == "compile" and added else node
        offers.append((coverage(whole) * 10 + 3, whole, line, how, ""))
    if added and not any(how == "compile" for _, _, how in outcome.optimised):
        offers.append(
            (coverage(_total(added)) * 10 + 3, _total(added), added[-1].line, "add_loss", "")
        )
    offers += _returned(outcome.returned, entry, state)
    given = outcome.returned
    trains = set(roles.words_of(short(entry.name))) & {"train", "training"}
    if trains and isinstance(given, Opaque) and given.node is None and given.inputs & _MADE_OF:
        state.line = given.line or state.line
        state.lose(given)
    names: Mapping[str, Any] = outcome.names if not entry.name or "." in entry.name else {}
    for place, (name, value) in enumerate(names.items()):
        if (
            isinstance(value, Node)
            and value.deps
            and (roles.is_term(name) or name in ("obj", "objective", "L"))
        ):
            last = "loss" in name.lower() or "elbo" in name.lower()
            offers.append((coverage(value) * 10 + last, value, value.line or place, name, ""))
    if all(offer[0] < 80 for offer in offers) and (both := _sent_back(outcome)) is not None:
        note = "its terms are sent back one by one; they are read as their plain sum."
        offers.append((coverage(both) * 10 + 3, both, both.line, "backward", note))
    if not offers:
        return Traced(entry, state, None)
    best = max(offers, key=lambda offer: (offer[0], offer[2] if not entry.name else 0))
    return Traced(entry, state, best[1], best[2], best[3], best[0] + entry.weight, best[4])


# A whole loss is made of these, a picture or a label that is handed on is not.
_MADE_OF = frozenset({"output", "mean"})


def _differ(outcome: Outcome) -> bool:
    """Whether one line trains two whole losses that differ: called with 6.0, and then with 2.0.

    The function that holds the line is read alone then, and the number is asked for.
    """
    met: dict[tuple[Any, ...], list[float]] = {}
    for node, line, how in outcome.optimised[:64]:
        # A network that is built again may have its roles told otherwise: then nothing is compared.
        inputs = (dep.split("#")[0] for dep in node.deps)
        held = frozenset(dep for dep in inputs if not dep.startswith(("noise", "uniform")))
        if {"target", "output"} <= held and {"mean", "z"} & held and not node.ndim:
            met.setdefault((line, how, held), []).append(node.number())
    return any(not math.isclose(v, values[0]) for values in met.values() for v in values)


def _sent_back(outcome: Outcome) -> Node | None:
    """The sum of an error and of a KL of which the gradients are taken one after the other."""
    nodes = [node for node, _, how in outcome.optimised if how == "backward"]
    if len(nodes) != 2:
        return None
    whole = _total(nodes)
    pictures = [n for n in nodes if {"target", "output"} <= n.deps]
    latents = [n for n in nodes if {"mean", "z", *LATENT_SCALES} & n.deps]
    apart = len(pictures) == 1 and len(latents) == 1 and pictures[0] is not latents[0]
    return whole if apart and coverage(whole) >= 8 else None


def _returned(
    value: Any, entry: Entry, state: Interpreter
) -> list[tuple[int, Node, int, str, str]]:
    if isinstance(value, Opaque) and value.node is not None:
        value = value.node
    value = _with_gradient(value)
    if isinstance(value, Node):
        return (
            [(coverage(value) * 10 + 2, value, value.line, f"return of {entry.name}", "")]
            if value.deps
            else []
        )
    parts: list[tuple[str, Node]] = []
    if isinstance(value, Instance):
        value = value.attributes
    elif isinstance(value, Opaque):
        value = value.items
    if isinstance(value, dict):
        value = {k: _with_gradient(v) for k, v in value.items()}
        parts = [(str(k), v) for k, v in value.items() if isinstance(v, Node) and v.deps]
    elif isinstance(value, tuple | list):
        parts = [("", v) for v in map(_with_gradient, value) if isinstance(v, Node) and v.deps]
    found = []
    for place, (name, node) in enumerate(parts):
        bonus = 2 if name in ("loss", "total_loss") or place == 0 else 1
        found.append((coverage(node) * 10 + bonus, node, node.line, f"return of {entry.name}", ""))
    if parts and all(coverage(node) < 8 for _, node in parts):
        pictures = [n for _, n in parts if {"target", "output"} <= n.deps]
        latents = [n for _, n in parts if {"mean", "z", *LATENT_SCALES} & n.deps]
        if len(pictures) == len(latents) == 1 and max(pictures[0].ndim, latents[0].ndim) < 2:
            whole = _total([pictures[0], latents[0], *_beside(value, parts, state)])
            note = "its terms are returned one by one; they are read as their plain sum."
            found.append((coverage(whole) * 10, whole, whole.line, f"return of {entry.name}", note))
    return found


def _beside(value: Any, parts: list[tuple[str, Node]], state: Interpreter) -> list[Node]:
    """Terms among what is returned of which it is not known what they are, and other numbers.

    Without them the sum would be another loss than the one that the code has.
    """
    given = value.items() if isinstance(value, dict) else [("", one) for one in value]
    lost = [
        state.make_leaf(one, "unknown")
        for name, one in given
        if isinstance(one, Opaque) and one.node is None
        if any(roles.is_term(each) for each in (str(name), *one.names) if each)
    ]
    others = [
        node
        for name, node in parts
        if not ({"target", "output"} <= node.deps or {"mean", "z", *LATENT_SCALES} & node.deps)
        if roles.is_term(name) or (not name and not node.ndim and _asks(node))
    ]
    return [*lost, *others]


def _asks(node: Node) -> bool:
    """Whether a number is made of the output or of what is not known, not of settings alone."""
    return any(dep.startswith(("output", "unknown")) for dep in node.deps)


def _with_gradient(value: Any) -> Any:
    """``loss.item()`` is the loss all the same where it is what a function returns."""
    while isinstance(value, Node) and value.origin is not None:
        value = value.origin
    return value


def _total(nodes: list[Node]) -> Node:
    def scalar(a: arrays.Array) -> arrays.Array:
        return arrays.reduce("mean", a, tuple(range(a.ndim)))

    total = (
        graph.apply(scalar, nodes[0], line=nodes[0].line, name="mean")
        if nodes[0].ndim
        else nodes[0]
    )
    for node in nodes[1:]:
        part = graph.apply(scalar, node, line=node.line, name="mean") if node.ndim else node
        total = graph.elementwise(lambda a, b: a + b, total, part, line=node.line, name="add")
    return total
