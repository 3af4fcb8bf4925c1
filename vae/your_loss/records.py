"""Classes that hold named values: ``NamedTuple``, data classes, ``collections.namedtuple``."""

import ast
from typing import Any

from vae.your_loss.values import ClassValue, Instance, Library, Scope

MAX_FIELDS = 40


def fields_of(owner: ClassValue, depth: int = 0) -> list[str]:
    """The names that a class says it holds, in the order in which they are handed over."""
    found: list[str] = []
    for base in owner.bases if depth < 8 else ():
        found += fields_of(base, depth + 1) if isinstance(base, ClassValue) else []
    found += [
        node.target.id
        for node in owner.node.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    return list(dict.fromkeys(found))


def is_tuple(owner: ClassValue) -> bool:
    """Whether objects of a class are tuples, to be unpacked."""
    return any(
        is_tuple(base)
        if isinstance(base, ClassValue)
        else isinstance(base, Library) and base.path.rpartition(".")[2] == "NamedTuple"
        for base in owner.bases[:8]
    )


def unpacked(value: Any) -> Any:
    """A named tuple as a plain one; anything else as it is."""
    if not isinstance(value, Instance) or not is_tuple(value.owner):
        return value
    names = fields_of(value.owner)
    held = value.attributes
    return tuple(held[name] for name in names) if all(n in held for n in names) else value


def named_tuple(args: list[Any]) -> ClassValue | None:
    """``namedtuple("Output", ["mean", "logvar"])`` as a class, None where its names are none."""
    if len(args) < 2 or not isinstance(args[0], str):
        return None
    given = args[1].replace(",", " ").split() if isinstance(args[1], str) else args[1]
    if not isinstance(given, list | tuple) or not 0 < len(given) <= MAX_FIELDS:
        return None
    names = [name for name in (args[0], *given) if isinstance(name, str) and name.isidentifier()]
    if len(names) != 1 + len(given):
        return None
    marks = [
        ast.AnnAssign(ast.Name(name, ast.Store()), ast.Name("object", ast.Load()), None, 1)
        for name in names[1:]
    ]
    node = ast.ClassDef(names[0], [], [], [*marks], [])
    return ClassValue(node, Scope(), [Library("typing.NamedTuple")])
