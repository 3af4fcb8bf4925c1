"""A mean and a log variance that are one and the same value: the KL of a quantity with itself."""

import ast
from collections.abc import Iterator

from vae.your_loss.roles import LATENT_SCALES
from vae.your_loss.search import Found
from vae.your_loss.text import last_name
from vae.your_loss.values import Opaque


def one_value(tree: ast.Module, found: Found) -> str:
    """The sentence on a loss whose mean and scale the code makes of one value, or ''."""
    mean, scale = (_value(found, roles) for roles in (("mean",), LATENT_SCALES))
    if mean is None or scale is None or mean is scale:
        return ""
    if _same_layer(mean, scale):
        line, what = scale.line, scale.path
    else:
        line, what = _given_twice(tree, mean, scale)
    if not line:
        return ""
    return (
        f"Line {line}: {what} is handed over both as the mean and as the scale of q(z|x). They are "
        "one value then, and the KL is none: hand the scale over, and the loss is read."
    )


def _value(found: Found, roles: tuple[str, ...]) -> Opaque | None:
    probe = found.examined.probe
    for role in roles:
        if role in probe.own:
            return probe.state.leaves[probe.own[role]][0]
    return None


def _same_layer(mean: Opaque, scale: Opaque) -> bool:
    """Whether one layer of an object was called twice with one value: ``self.fc(h)``."""
    if mean.source != "call" or scale.source != "call" or mean.path != scale.path:
        return False
    try:
        call = ast.parse(mean.path, mode="eval").body
    except (SyntaxError, ValueError):
        return False
    if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords:
        return False
    layer = call.func.value if isinstance(call.func, ast.Attribute) else None
    return layer is not None and last_name(layer) == "self" and isinstance(call.args[0], ast.Name)


def _given_twice(tree: ast.Module, mean: Opaque, scale: Opaque) -> tuple[int, str]:
    """Where the model whose outputs the two are gives one name in both of their places."""
    if mean.parent is None or scale.parent is None or mean.parent.callee != scale.parent.callee:
        return 0, ""
    places = mean.position, scale.position
    if mean.source != "item" or None in places:
        return 0, ""
    name = mean.parent.callee.rpartition(".")[2]
    models = list(_models(tree))
    mine = [outputs for made, outputs in models if made == name]
    for outputs in mine or [outputs for _, outputs in models]:
        if max(p for p in places if p is not None) >= len(outputs):
            continue
        one, two = (outputs[p] for p in places if p is not None)
        if isinstance(one, ast.Name | ast.Attribute) and ast.dump(one) == ast.dump(two):
            return two.lineno, ast.unparse(two)
    return 0, ""


def _models(tree: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    """Models of Keras with several outputs, and the name that each is made under."""
    for node in ast.walk(tree):
        made = ""
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            made, node = last_name(node.targets[0]), node.value
        if not isinstance(node, ast.Call) or last_name(node.func) not in ("Model", "Functional"):
            continue
        given = [k.value for k in node.keywords if k.arg in ("outputs", "output")]
        given += node.args[1:2]
        if given and isinstance(given[0], ast.List | ast.Tuple) and len(given[0].elts) > 1:
            yield made, given[0].elts
