"""Values that the code gives to names: defaults, options, settings, counters, texts asked for."""

import ast
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

from vae.your_loss import passed, roles
from vae.your_loss.once import once
from vae.your_loss.state import SETTINGS
from vae.your_loss.text import last_name


@once
def collect_counters(tree: ast.Module) -> frozenset[str]:
    """Names of steps or epochs that go on: counted up, or begun at 0 and set elsewhere."""
    counted: set[str] = set()
    begun: set[str] = set()
    moved: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            name = last_name(node.target)
            if roles.is_late(name) or isinstance(literal(node.value), int | float):
                counted.add(name)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            at_start = literal(node.value) in (0, 1)
            (begun if at_start else moved).add(last_name(node.targets[0]))
    return frozenset(counted | {name for name in begun & moved if roles.is_late(name)}) - {""}


@once
def collect_moved(tree: ast.Module) -> frozenset[str]:
    """Weights of an object that are begun in one method and set again in another, as it trains."""
    begun: set[str] = set()
    moved: set[str] = set()
    for owner in ast.walk(tree):
        for method in owner.body if isinstance(owner, ast.ClassDef) else ():
            if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            start = method.name in ("__init__", "setup", "build")
            if not start and set(roles.words_of(method.name)) & {"set", "reset", "load", "init"}:
                continue
            for node in ast.walk(method):
                targets = node.targets if isinstance(node, ast.Assign) else ()
                for target in targets if not isinstance(node, ast.AugAssign) else ():
                    if isinstance(target, ast.Attribute) and _is_number(node):
                        (begun if start else moved).add(target.attr)
    found = {name for name in begun & moved if passed.is_weight(name)}
    outside = passed.set_outside(tree)
    return frozenset(found | {n for n, v in outside.items() if v is passed.UNSURE})


def set_later(tree: ast.Module) -> dict[str, float]:
    """Weights that other code sets to one number, once the object is made."""
    found = passed.set_outside(tree)
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def _is_number(node: ast.AST) -> bool:
    """Whether what is assigned is no text, list, call of a network or None."""
    value = getattr(node, "value", None)
    return not isinstance(value, ast.List | ast.Dict | ast.Tuple) and not (
        isinstance(value, ast.Constant) and not isinstance(value.value, int | float)
    )


def collect_options(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """The texts with which the code compares a setting, by the setting's own name."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name | ast.Attribute):
            texts = [part.value for part in node.comparators if isinstance(part, ast.Constant)]
            found.setdefault(ast.unparse(node.left), []).extend(
                text for text in texts if isinstance(text, str) and len(text) <= 40
            )
    return {name: tuple(dict.fromkeys(texts))[:12] for name, texts in found.items() if texts}


@once
def collect_defaults(tree: ast.Module) -> dict[str, Any]:
    """Values that the code gives to names elsewhere: arguments' defaults, options, settings.

    A name with two different values has none, nor has a counter.
    """
    seen: dict[str, set[Any]] = {}
    unsure: set[str] = set()
    given_else: set[int] = set()
    counters = collect_counters(tree) | collect_moved(tree)

    def keep(name: str, node: ast.expr | None) -> None:
        value = literal(node)
        if name and name not in counters and isinstance(value, bool | int | float | str):
            seen.setdefault(name, set()).add(value)

    def keep_handed(handed: Mapping[str, Any]) -> None:
        for name, value in handed.items():
            if isinstance(value, bool | int | float | str):
                keep(name, ast.Constant(value))
            elif value is passed.UNSURE and passed.is_weight(name):
                unsure.add(name)

    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            handed = passed.to_function(tree, node)
            for name, default in passed.defaults_of(node).items():
                if name not in handed:
                    keep(name, default)
            keep_handed(handed)
        elif isinstance(node, ast.ClassDef):
            handed = passed.to_class(tree, node.name)
            for member in node.body:
                # A field of settings that the file gives otherwise where it makes them.
                if isinstance(member, ast.AnnAssign) and last_name(member.target) in handed:
                    given_else.add(id(member))
            keep_handed(handed)
        elif id(node) not in given_else:
            _keep_settings(node, keep)
    for name, value in _fed(tree).items():
        # An argument of the same name may be another number than what is fed.
        keep(f"placeholder:{name}", value)
    return {
        name: next(iter(values))
        for name, values in seen.items()
        if len(values) == 1 and name not in unsure
    }


@once
def only_of_functions(tree: ast.Module) -> frozenset[str]:
    """Names whose one value is the default of a function's argument, and of nothing else.

    A setting of the same name that is handed over, ``loss(x, y, opt.beta)``, is another number.
    """
    arguments: set[str] = set()
    elsewhere: set[str] = set()

    def keep(name: str, node: ast.expr | None) -> None:
        if literal(node) is not None:
            elsewhere.add(name)

    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            made = node.name in ("__init__", "__new__", "setup", "main")
            (elsewhere if made else arguments).update(passed.defaults_of(node))
            continue
        _keep_settings(node, keep)
        if isinstance(node, ast.Call):
            for keyword in node.keywords:
                keep(keyword.arg or "", keyword.value)
    return frozenset(arguments - elsewhere)


def _keep_settings(node: ast.AST, keep: Any) -> None:
    """What options, assignments and dictionaries give to names, arguments' defaults apart."""
    if isinstance(node, ast.Call):
        _keep_option(node, keep)
        _keep_again(node, keep)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        _keep_target(node.targets[0], node.value, keep)
    elif isinstance(node, ast.AnnAssign):
        _keep_target(node.target, node.value, keep)
    elif isinstance(node, ast.Dict):
        _keep_entries(node, keep)


def _fed(tree: ast.Module) -> dict[str, ast.expr]:
    """Numbers that sessions of TensorFlow 1 always feed to a placeholder: ``{net.beta: 4.0}``."""
    entered: set[str] = set()
    fed: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if last_name(node.value.func).startswith("placeholder"):
                entered |= {last_name(target) for target in node.targets}
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Name | ast.Attribute):
                    fed.setdefault(last_name(key), []).append(value)
    numbers = {name: [literal(value) for value in values] for name, values in fed.items()}
    return {
        name: fed[name][0]
        for name, values in numbers.items()
        if name in entered and isinstance(values[0], int | float) and len(set(values)) == 1
    }


def _keep_entries(node: ast.Dict, keep: Any) -> None:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            keep(key.value, value)


def _keep_option(node: ast.Call, keep: Any) -> None:
    """``parser.add_argument('--beta', default=4.0)`` and click's options."""
    name = last_name(node.func)
    if name not in ("add_argument", "option", "DEFINE_float", "DEFINE_integer", "DEFINE_string"):
        return
    texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    options = {k.arg: k.value for k in node.keywords}
    if name.startswith("DEFINE") and len(node.args) > 1 and texts:
        keep(texts[0], node.args[1])
        return
    target = options.get("dest")
    chosen = [target.value] if isinstance(target, ast.Constant) else texts
    unset = _UNSET.get(str(getattr(options.get("action"), "value", "")))
    for text in chosen:
        if not isinstance(text, str):
            continue
        bare = text.lstrip("-").replace("-", "_")
        keep(bare, options.get("default"))
        if unset is not None and "default" not in options:
            # A flag's name alone may be that of a term: mse. It is one of the settings.
            for place in (*SETTINGS, "parse_args()"):
                keep(f"{place}.{bare}", unset)


def _keep_again(node: ast.Call, keep: Any) -> None:
    """``parser.set_defaults(beta=4)``, ``cfg.update(beta=4)``, ``parse_args(["--beta", "4"])``."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if name in ("set_defaults", "update"):
        for keyword in node.keywords:
            keep(keyword.arg or "", keyword.value)
    if name in ("parse_args", "parse_known_args") and node.args:
        texts = [literal(e) for e in getattr(node.args[0], "elts", ())]
        for option, value in pairwise(texts):
            if isinstance(option, str) and option[:1] == "-" and isinstance(value, str):
                with suppress(ValueError):
                    number = ast.Constant(float(value))
                    keep(option.lstrip("-").replace("-", "_"), number)


# What a flag is where it is not given.
_UNSET = {"store_true": ast.Constant(False), "store_false": ast.Constant(True)}


def _keep_target(target: ast.expr, value: ast.expr | None, keep: Any) -> None:
    if isinstance(target, ast.Name):
        keep(target.id, value)
    elif isinstance(target, ast.Attribute):
        keep(target.attr, value)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, two in zip(target.elts, value.elts, strict=False):
            _keep_target(one, two, keep)


def literal(node: ast.expr | None) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = literal(node.operand)
        return -inner if isinstance(inner, int | float) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        left, right = literal(node.left), literal(node.right)
        if isinstance(left, int | float) and isinstance(right, int | float) and right:
            return left * right if isinstance(node.op, ast.Mult) else left / right
    return None
