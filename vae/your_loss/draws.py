"""How z is drawn in the code around a loss: as what kind of scale, seen in its text alone."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from vae.your_loss import roles
from vae.your_loss.text import last_name

_RANDOM = ("randn", "normal", "gaussian", "sample")
_NOISE = frozenset({"eps", "epsilon", "noise", "e"})
_ADDING = frozenset({"add", "add_"})
_TIMES = frozenset({"mul", "mul_", "multiply"})
MAX_DEPTH = 4
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Draw:
    """``mean + noise * sigma``: ``name`` is what sigma is made of, as the ``kind`` that it is."""

    name: str
    kind: str
    line: int


def find(tree: ast.Module) -> tuple[Draw, ...]:
    """Every draw whose scale is the exponential of a name, or of half of it."""
    found: list[Draw] = []
    for function in _functions(tree):
        nodes = list(ast.walk(function))
        named = _assigned(nodes)
        draws = [
            draw
            for node in nodes
            for mean, term in _sums(node)
            if (draw := _draw(mean, term, named)) is not None
        ]
        names = {n.name for n in nodes if isinstance(n, _FUNCTION)}
        if draws and not _called_with_more(tree, names):
            found += draws
    return tuple(dict.fromkeys(found))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of the module and the methods of its classes, what is inside them included."""
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, _FUNCTION):
                yield member


def _assigned(nodes: list[ast.AST]) -> dict[str, ast.expr | None]:
    """What each name is set to, None where it is set more than once."""
    found: dict[str, ast.expr | None] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                found[target.id] = None if target.id in found else node.value
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = None
    return found


def _sums(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The two sides of a sum, either way round."""
    pair: tuple[ast.expr, ast.expr] | None = None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        pair = (node.left, node.right)
    elif isinstance(node, ast.Call) and last_name(node.func) in _ADDING:
        pair = _sides(node)
    if pair is not None:
        yield pair
        yield pair[::-1]


def _sides(node: ast.Call) -> tuple[ast.expr, ast.expr] | None:
    """``tf.add(a, b)`` and ``a.add(b)``."""
    if len(node.args) == 2:
        return node.args[0], node.args[1]
    if len(node.args) == 1 and isinstance(node.func, ast.Attribute):
        return node.func.value, node.args[0]
    return None


def _draw(mean: ast.expr, term: ast.expr, named: dict[str, ast.expr | None]) -> Draw | None:
    guesses = roles.guess(_name(mean))
    if not guesses or guesses[0].role != "mean":
        return None
    factors = [term]
    if isinstance(term, ast.BinOp) and isinstance(term.op, ast.Mult):
        factors = [term.left, term.right]
    elif isinstance(term, ast.Call) and last_name(term.func) in _TIMES:
        factors = list(_sides(term) or [])
    if len(factors) != 2:
        return None
    for noise, scale in (factors, factors[::-1]):
        kind = _scale(scale, named, MAX_DEPTH) if _is_noise(noise, named) else None
        if kind is not None:
            return Draw(kind[0], kind[1], term.lineno)
    return None


def _is_noise(node: ast.expr, named: dict[str, ast.expr | None]) -> bool:
    if isinstance(node, ast.Name):
        if set(roles.words_of(node.id)) & _NOISE:
            return True
        inner = named.get(node.id)
        return isinstance(inner, ast.Call) and _is_noise(inner, named)
    return isinstance(node, ast.Call) and any(word in last_name(node.func) for word in _RANDOM)


def _scale(
    node: ast.expr | None, named: dict[str, ast.expr | None], depth: int
) -> tuple[str, str] | None:
    """What a sigma is made of, and the kind: ('logvar', 'log_sigma') for ``exp(logvar)``."""
    if depth == 0 or node is None:
        return None
    if isinstance(node, ast.Name):
        return _scale(named.get(node.id), named, depth - 1)
    if not isinstance(node, ast.Call):
        return None
    called = last_name(node.func)
    inner = node.args[0] if node.args else None
    if inner is None and isinstance(node.func, ast.Attribute):
        inner = node.func.value
    if called in ("exp", "exp_") and inner is not None:
        return _exponent(inner, named, depth - 1)
    if called == "sqrt" and isinstance(inner, ast.Call):
        found = _scale(inner, named, depth - 1)
        return (found[0], "logvar") if found and found[1] == "log_sigma" else None
    return None


def _exponent(
    node: ast.expr, named: dict[str, ast.expr | None], depth: int
) -> tuple[str, str] | None:
    """A name alone is the log of sigma, half of one the log of sigma^2."""
    if depth == 0:
        return None
    if isinstance(node, ast.Name) and node.id in named:
        made = named[node.id]
        if isinstance(made, ast.BinOp):
            return _exponent(made, named, depth - 1)
        if not isinstance(made, ast.Call | ast.Subscript | ast.Name | ast.Attribute):
            # Set more than once, or to what says nothing.
            return None
    if isinstance(node, ast.Name | ast.Attribute):
        return (_name(node), "log_sigma") if _name(node) else None
    half = _half_of(node)
    return (_name(half), "logvar") if half is not None and _name(half) else None


def _half_of(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left), _number(node.right)
        if isinstance(node.op, ast.Mult) and 0.5 in (left, right):
            return node.right if left == 0.5 else node.left
        if isinstance(node.op, ast.Div) and right == 2:
            return node.left
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        number, called = _number(node.args[0]), node.func.attr
        if (called in _TIMES and number == 0.5) or (called in ("div", "div_") and number == 2):
            return node.func.value
    return None


def _called_with_more(tree: ast.Module, names: set[str]) -> bool:
    """Whether one of these is somewhere called with more than names: with half a log variance."""
    plain = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and last_name(node.func) in names:
            given = [*node.args, *(k.value for k in node.keywords)]
            for value in given:
                parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
                if not all(isinstance(part, plain) for part in parts):
                    return True
    return False


def _name(node: ast.expr) -> str:
    """``mu`` and ``self.mu``; '' for anything else."""
    return last_name(node)


def _number(node: ast.expr) -> float | None:
    value = node.value if isinstance(node, ast.Constant) else None
    return float(value) if isinstance(value, int | float) else None


__all__ = ["Draw", "find"]
