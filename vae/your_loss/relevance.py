"""Which loops of pasted code can reach its loss: a long one that reaches none is run once."""

import ast
from collections.abc import Collection, Iterator

from vae.your_loss import roles
from vae.your_loss.arrays import BUDGET
from vae.your_loss.library import NO_GRADIENT
from vae.your_loss.once import once
from vae.your_loss.text import last_name

LONG = 4
_ASKED = frozenset({"backward", "manual_backward", "minimize", "gradient", "add_loss", "compile"})
_GROWS = frozenset({"append", "extend", "update", "add", "insert"})
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_LOOP = (ast.For, ast.AsyncFor, ast.While)


@once
def idle_loops(tree: ast.Module) -> frozenset[int]:
    """The first lines of loops that change nothing that is read after them.

    A loop inside another reaches what the outer one reads. Attributes count as read anywhere.
    """
    read = sorted(
        (node.lineno, node.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )
    attributes = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    found: set[int] = set()
    waiting: list[tuple[ast.AST, tuple[int, int], tuple[int, int] | None, bool]] = [
        (tree, (0, 10**9), None, False)
    ]
    while waiting:
        node, whole, outer, silent = waiting.pop()
        if isinstance(node, _FUNCTION):
            whole, outer = (node.lineno, node.end_lineno or node.lineno), None
            silent = False
        elif isinstance(node, ast.With):
            silent = silent or _without_gradient(node)
        elif isinstance(node, _LOOP):
            mine = (node.lineno, node.end_lineno or node.lineno)
            first = outer[0] if outer else mine[1] + 1
            # A module's names are read by its functions too, wherever they stand.
            first = 0 if whole[0] == 0 and outer else first
            later = {name for line, name in read if first <= line <= whole[1]}
            alone = outer is None and not _reaches(node, later, attributes)
            if silent or alone or (outer is None and _is_silent(node)):
                found.add(node.lineno)
            outer = outer or mine
        waiting.extend((child, whole, outer, silent) for child in ast.iter_child_nodes(node))
    return frozenset(found)


def _is_silent(loop: ast.AST) -> bool:
    """Whether all that a loop does is done without gradients: it scores, and trains nothing."""
    body = getattr(loop, "body", [])
    block = body[0] if len(body) == 1 and isinstance(body[0], ast.With) else None
    return block is not None and _without_gradient(block)


def _without_gradient(block: ast.With) -> bool:
    asked = (item.context_expr for item in block.items)
    names = (node.func if isinstance(node, ast.Call) else node for node in asked)
    return any(last_name(n) in NO_GRADIENT for n in names)


def _reaches(loop: ast.AST, later: set[str], attributes: set[str]) -> bool:
    """Whether a loop sets, or lets grow, what is read later, or is asked for a gradient."""
    for node in ast.walk(loop):
        if isinstance(node, ast.Return | ast.Yield):
            return True
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            changed: Iterator[str] = (n for t in targets for n in _bases(t))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _ASKED:
                return True
            changed = _bases(node.func.value) if node.func.attr in _GROWS else iter(())
        else:
            continue
        if any(_counts(name, later, attributes) for name in changed):
            return True
    return False


def _counts(name: str, later: set[str], attributes: set[str]) -> bool:
    if name.startswith("."):
        return name[1:] in attributes
    return name in later or (roles.is_term(name) and "elbo" in name)


def _bases(target: ast.AST) -> Iterator[str]:
    """What an assignment to ``target`` changes: names, and attributes with a dot before them."""
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Attribute):
        yield f".{target.attr}"
    elif isinstance(target, ast.Subscript | ast.Starred):
        yield from _bases(target.value)
    elif isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            yield from _bases(item)


def idle_conditions(tree: ast.Module, lines: Collection[int]) -> dict[int, str]:
    """Conditions on ``lines`` under which only calls are made that keep nothing, by their line.

    They start a network's weights, print or log: whether one holds does not change a loss.
    """
    if not lines:
        return {}
    found: dict[int, str] = {}
    nodes = list(ast.walk(tree))
    pasted = {node.name for node in nodes if isinstance(node, _NAMED)}
    count = len(nodes)
    for node in nodes:
        if not isinstance(node, ast.If) or node.test.lineno not in lines:
            continue
        inside = [inner for part in (*node.body, *node.orelse) for inner in ast.walk(part)]
        count += len(inside)
        if not any(_keeps(inner, pasted) for inner in inside):
            found[node.test.lineno] = " ".join(ast.unparse(node.test).split())
    # A node that is looked at once takes about a microsecond.
    BUDGET.get().spend(count)
    return found


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_KEEPING = (
    *(ast.Assign, ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.Return, ast.Raise, ast.Delete),
    *(ast.Break, ast.Continue, ast.Yield, ast.YieldFrom, ast.With, ast.Global, *_FUNCTION),
    *(ast.Import, ast.ImportFrom, ast.ClassDef),
)


def _keeps(node: ast.AST, pasted: set[str]) -> bool:
    """Whether a statement leaves something behind that a loss may be made of."""
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        owner = getattr(getattr(node.func, "value", None), "id", "init")
        changes = name.endswith("_") and owner != "init"
        return changes or name in _ASKED | _GROWS | pasted or not name
    return isinstance(node, _KEEPING)


__all__ = ["LONG", "idle_conditions", "idle_loops"]
