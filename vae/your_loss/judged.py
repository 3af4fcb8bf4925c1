"""Losses of Keras that are taken of what a discriminator says of a picture, not of the picture."""

import ast
from dataclasses import dataclass

from vae.your_loss import roles
from vae.your_loss.once import once
from vae.your_loss.text import last_name

_JUDGES = roles.PERCEPTUAL | {"discr", "dis"}


@dataclass(frozen=True)
class Judged:
    """Where such models are compiled, and the functions that are their losses, by line."""

    lines: frozenset[int]
    losses: dict[str, int]


@once
def judged(tree: ast.Module) -> Judged:
    """``Model(x, discriminator(decoder(z)))`` and the losses that it is compiled with."""
    given: dict[str, ast.expr] = {}
    models: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1:
            continue
        name = last_name(node.targets[0])
        value = node.value
        if isinstance(value, ast.Call) and last_name(value.func) == "Model" and value.args:
            outputs = [k.value for k in value.keywords if k.arg in ("outputs", "output")]
            shown = (outputs or value.args[1:2])[:1]
            if shown and _is_judged(shown[0], given):
                models.add(name)
        elif name:
            given[name] = value
    lines: set[int] = set()
    losses: dict[str, int] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or last_name(node.func) != "compile":
            continue
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if owner is None or last_name(owner) not in models:
            continue
        lines.add(node.lineno)
        for keyword in node.keywords:
            if keyword.arg == "loss":
                names = (n.id for n in ast.walk(keyword.value) if isinstance(n, ast.Name))
                losses.update(dict.fromkeys(names, node.lineno))
    return Judged(frozenset(lines), losses)


def _is_judged(node: ast.expr, given: dict[str, ast.expr]) -> bool:
    """Whether the outermost of the calls that make a value is one of a judge."""
    if isinstance(node, ast.List | ast.Tuple):
        return any(_is_judged(item, given) for item in node.elts)
    if isinstance(node, ast.Name) and node.id in given:
        node = given[node.id]
    while isinstance(node, ast.Subscript):
        node = node.value
    called = last_name(node.func) if isinstance(node, ast.Call) else ""
    return bool(set(roles.words_of(called)) & _JUDGES)


__all__ = ["Judged", "judged"]
