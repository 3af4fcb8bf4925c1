"""What the pasted code itself hands over where it makes an object or calls a function.

A default counts only where no call of the file gives another value. Nothing is run here: an
argument is followed through names, parameters and attributes to the number that stands there.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vae.your_loss import roles
from vae.your_loss.arrays import BUDGET
from vae.your_loss.once import once
from vae.your_loss.text import last_name

MAX_DEPTH = 5
MAX_SITES = 40
Function = ast.FunctionDef | ast.AsyncFunctionDef
_AWAY = frozenset({"test", "eval", "evaluate", "evaluation", "validate", "validation", "val"})
# Widths, counts and names of which a loss is not made; sizes are told by other means.
_BESIDE = frozenset(
    {"dim", "dims", "size", "sizes", "layer", "layers", "channel", "channels", "filter", "filters"}
    | {"hidden", "units", "feature", "features", "height", "width", "kernel", "stride", "padding"}
    | {"depth", "num", "n", "epoch", "epochs", "batch", "seed", "steps", "step", "input", "output"}
    | {"latent", "z", "classes", "device", "name", "path", "dir", "dtype", "shape", "length"}
)
_LOSSES = re.compile(r"(Loss|Crossentropy|SquaredError|AbsoluteError|Huber|LogCosh)$")
_FUNCTIONS = re.compile(r"(_loss|cross_?entropy(_with_logits)?|crossentropy)$")


# What sets names, and what has no call or assignment in it.
_SETS = frozenset(
    {ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.AsyncFor, ast.comprehension}
    | {ast.withitem, ast.NamedExpr}
)
_LEAVES = frozenset({ast.Name, ast.Constant, ast.Load, ast.Store, ast.alias, ast.arg, ast.Pass})


class Unsure:
    """A value that differs from call to call, or that is computed."""


@dataclass(frozen=True)
class Said:
    """A name behind which a setting stands: ``args.beta``."""

    text: str


UNSURE = Unsure()
_DEFAULT = Unsure()


@dataclass(frozen=True, eq=False)
class Site:
    """One call, the arguments that are its callee's, and the functions that it stands in."""

    args: list[ast.expr]
    keywords: list[ast.keyword]
    inside: Function | None
    owner: ast.ClassDef | None


@dataclass(frozen=True, eq=False)
class _Map:
    """The file's definitions, calls and assignments, gathered in one walk."""

    sites: dict[str, list[Site]]
    functions: dict[str, list[tuple[Function, ast.ClassDef | None]]]
    classes: dict[str, ast.ClassDef]
    # By the function that they stand in (None: the module) and by name.
    assigned: dict[tuple[int, str], list[ast.expr | None]]
    # By class and by attribute: what its own methods set, and where.
    attributes: dict[tuple[int, str], list[tuple[ast.expr | None, Function | None]]]
    # Attributes of other objects that are set: ``model.beta = 4``.
    outside: dict[str, list[tuple[ast.expr | None, Site]]]
    # By the class above: what ``super().__init__(...)`` gives it.
    above: dict[str, list[Site]]
    # What classes set where they are defined.
    fields: set[str]
    # Names of the module that a function sets.
    shared: set[str]


@once
def map_of(tree: ast.Module) -> _Map:
    """One walk over ``tree``; each step of it is counted."""
    found = _Map({}, {}, {}, {}, {}, {}, {}, set(), set())
    waiting: list[tuple[ast.AST, Function | None, ast.ClassDef | None]] = [(tree, None, None)]
    count = 0
    while waiting:
        node, inside, owner = waiting.pop()
        kind = type(node)
        count += 1
        if kind is ast.ClassDef:
            assert isinstance(node, ast.ClassDef)
            found.classes.setdefault(node.name, node)
            inside, owner = None, node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            mine = owner if inside is None else None
            found.functions.setdefault(node.name, []).append((node, mine))
            inside = node
        elif kind is ast.Call:
            assert isinstance(node, ast.Call)
            _keep_call(node, inside, owner, found)
        elif isinstance(node, ast.Global):
            found.shared.update(node.names)
        elif kind in _SETS:
            for target, value in _assignments(node):
                _keep_assignment(target, value, inside, owner, found)
        for child in ast.iter_child_nodes(node):
            if type(child) not in _LEAVES:
                waiting.append((child, inside, owner))
    BUDGET.get().step(count)
    _follow_aliases(found)
    return found


def _follow_aliases(found: _Map) -> None:
    """Calls of a class under another name: ``Model = VAE``, ``MODELS = {"vae": VAE}``."""
    for (inside, name), values in list(found.assigned.items()):
        sites = found.sites.get(name)
        if inside != id(None) or not sites or len(values) != 1 or values[0] is None:
            continue
        value = values[0]
        named = value.values if isinstance(value, ast.Dict) else [value]
        for one in named[:MAX_SITES]:
            owner = getattr(one, "id", "")
            if owner in found.classes and owner != name:
                kept = found.sites.setdefault(owner, [])
                kept.extend(sites[: MAX_SITES - len(kept)])


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple | ast.List):
                values = node.value.elts if isinstance(node.value, ast.Tuple | ast.List) else []
                same = len(values) == len(target.elts)
                for place, one in enumerate(target.elts):
                    yield one, values[place] if same else None
            else:
                yield target, node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value
    elif isinstance(node, ast.AugAssign):
        yield node.target, None
    elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
        for inner in ast.walk(node.target):
            if isinstance(inner, ast.Name | ast.Attribute):
                yield inner, None
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield node.optional_vars, None
    elif isinstance(node, ast.NamedExpr):
        yield node.target, node.value


def _keep_assignment(
    target: ast.expr,
    value: ast.expr | None,
    inside: Function | None,
    owner: ast.ClassDef | None,
    found: _Map,
) -> None:
    if isinstance(target, ast.Name) and owner is not None and inside is None:
        found.fields.add(target.id)
    elif isinstance(target, ast.Name):
        found.assigned.setdefault((id(inside), target.id), []).append(value)
    elif isinstance(target, ast.Attribute):
        if isinstance(target.value, ast.Name) and target.value.id == "self" and owner is not None:
            key = (id(owner), target.attr)
            found.attributes.setdefault(key, []).append((value, inside))
        else:
            site = Site([], [], inside, owner)
            found.outside.setdefault(target.attr, []).append((value, site))


def _keep_call(
    node: ast.Call, inside: Function | None, owner: ast.ClassDef | None, found: _Map
) -> None:
    name, args = _called(node), node.args
    if name == "__init__" and owner is not None and isinstance(node.func, ast.Attribute):
        if isinstance(node.func.value, ast.Call) and _called(node.func.value) == "super":
            for base in owner.bases[:4]:
                sites = found.above.setdefault(last_name(base), [])
                if len(sites) < MAX_SITES:
                    sites.append(Site(args, node.keywords, inside, owner))
        return
    if name == "partial" and args:
        name, args = last_name(args[0]), args[1:]
    elif name == "cls" and owner is not None:
        name = owner.name
    elif name == "setattr" and len(args) == 3 and isinstance(args[1], ast.Constant):
        place = Site([], [], inside, owner)
        found.outside.setdefault(str(args[1].value), []).append((args[2], place))
    elif isinstance(node.func, ast.Subscript):
        name = getattr(node.func.value, "id", "")
    kept = found.sites.setdefault(name, [])
    if name and len(kept) < MAX_SITES:
        kept.append(Site(args, node.keywords, inside, owner))


def _called(node: ast.Call) -> str:
    return last_name(node.func)


# -- what is handed over ------------------------------------------------------------------------
def to_class(tree: ast.Module, name: str) -> dict[str, Any]:
    """What the file hands over where it makes an object of the class ``name``.

    By parameter: a number, a text, a bool or None; a ``Said``; ``UNSURE``; or the expression of a
    loss. A parameter that keeps its default everywhere is missing.
    """
    places = map_of(tree)
    owner = places.classes.get(name)
    return {} if owner is None else _class_arguments(tree, owner, 0)


def to_function(tree: ast.Module, node: Function) -> dict[str, Any]:
    """The same for a function or a method that no other of the file shares its name with."""
    return _function_arguments(tree, node, 0)


def _class_arguments(
    tree: ast.Module, owner: ast.ClassDef, depth: int, below: Sequence[Site] = ()
) -> dict[str, Any]:
    places = map_of(tree)
    start = _start_of(places, owner, 0)
    if start is not None:
        spec = start.args
        names = [a.arg for a in (*spec.posonlyargs, *spec.args)][1:]
        every = [*names, *(a.arg for a in spec.kwonlyargs)]
        defaults = defaults_of(start)
    else:
        fields = [n for n in owner.body if isinstance(n, ast.AnnAssign)]
        names = every = [n.target.id for n in fields if isinstance(n.target, ast.Name)]
        defaults = {
            n.target.id: n.value
            for n in fields
            if isinstance(n.target, ast.Name) and n.value is not None
        }
    sites = [*places.sites.get(owner.name, []), *below]
    return _gather(tree, sites, names, every, defaults, depth)


def _start_of(places: _Map, owner: ast.ClassDef, depth: int) -> Function | None:
    for member in owner.body:
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            return member
    for base in owner.bases if depth < 6 else ():
        other = places.classes.get(last_name(base))
        if other is not None and other is not owner:
            found = _start_of(places, other, depth + 1)
            if found is not None:
                return found
    return None


def _function_arguments(tree: ast.Module, node: Function, depth: int) -> dict[str, Any]:
    places = map_of(tree)
    same = places.functions.get(node.name, [])
    if node.name == "__init__":
        owner = next((o for f, o in same if f is node), None)
        below = [] if owner is None else places.above.get(owner.name, [])
        return {} if owner is None else _class_arguments(tree, owner, depth, below)
    if len(same) != 1:
        return {}
    spec = node.args
    names = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    if same[0][1] is not None and not _is_static(node):
        names = names[1:]
    every = [*names, *(a.arg for a in spec.kwonlyargs)]
    sites = [s for s in places.sites.get(node.name, []) if s.inside is not node]
    return _gather(tree, sites, names, every, defaults_of(node), depth)


def _is_static(node: Function) -> bool:
    return any(last_name(d) == "staticmethod" for d in node.decorator_list[:4])


def defaults_of(node: Function) -> dict[str, ast.expr]:
    """The defaults of a function's parameters, by name."""
    spec = node.args
    positional = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    found = dict(zip(reversed(positional), reversed(spec.defaults), strict=False))
    for argument, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
        if default is not None:
            found[argument.arg] = default
    return found


def _gather(
    tree: ast.Module,
    sites: list[Site],
    names: list[str],
    every: list[str],
    defaults: dict[str, ast.expr],
    depth: int,
) -> dict[str, Any]:
    trained = [s for s in sites if s.inside is None or not _AWAY & set(_words(s.inside.name))]
    found: dict[str, Any] = {}
    for name in every:
        if not matters(name, defaults.get(name)):
            continue
        place = names.index(name) if name in names else -1
        values: list[Any] = []
        for site in trained or sites:
            BUDGET.get().step()
            value = _at(tree, site, name, place, depth)
            if value is _DEFAULT and name in defaults:
                value = scalar(defaults[name], unknown=_DEFAULT)
            if value is not _DEFAULT and not any(_same(value, v) for v in values):
                values.append(value)
        if len(values) > 1:
            found[name] = UNSURE
        elif values and not (name in defaults and _same(values[0], scalar(defaults[name]))):
            found[name] = values[0]
    return found


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, ast.Name) and isinstance(two, ast.Name):
        return one.id == two.id
    return one is two or (type(one) is not Unsure and not isinstance(one, ast.AST) and one == two)


def matters(name: str, default: ast.expr | None) -> bool:
    """Whether a parameter may be a setting of a loss."""
    if is_weight(name):
        return True
    if set(_words(name)) & _BESIDE:
        return False
    if default is None:
        return bool({"criterion", "loss"} & set(_words(name)))
    return scalar(default) is not UNSURE


def is_weight(name: str) -> bool:
    """Whether a name alone says that it is the weight of a term."""
    return any(guess.role == "constant" and guess.sure == 2 for guess in roles.guess(name))


def _words(name: str) -> list[str]:
    return list(roles.words_of(name))


def _at(tree: ast.Module, site: Site, name: str, place: int, depth: int) -> Any:
    """What one call gives to a parameter; ``_DEFAULT`` where it gives nothing."""
    for keyword in site.keywords:
        if keyword.arg == name:
            return resolve(tree, keyword.value, site, depth + 1)
    star = next((i for i, a in enumerate(site.args) if isinstance(a, ast.Starred)), None)
    if 0 <= place < (len(site.args) if star is None else star):
        return resolve(tree, site.args[place], site, depth + 1)
    for keyword in site.keywords:
        if keyword.arg is None and site.inside is not None and depth < MAX_DEPTH:
            rest = site.inside.args.kwarg
            if rest is not None and getattr(keyword.value, "id", "") == rest.arg:
                return _handed_on(tree, site, name, depth + 1)
        if keyword.arg is None:
            whole = _dictionary(tree, keyword.value, site)
            if whole is not None and name in whole:
                return resolve(tree, whole[name], site, depth + 1)
    return _DEFAULT


def _handed_on(tree: ast.Module, site: Site, name: str, depth: int) -> Any:
    """What ``**kwargs`` holds under ``name``: what the calls of the function around it say."""
    places, inside = map_of(tree), site.inside
    assert inside is not None
    start = inside.name == "__init__" and site.owner is not None
    around = site.owner.name if start and site.owner is not None else inside.name
    values: list[Any] = []
    for other in places.sites.get(around, []):
        if other.inside is not inside:
            value = _at(tree, other, name, -1, depth)
            if not any(_same(value, v) for v in values):
                values.append(value)
    return UNSURE if len(values) > 1 else values[0] if values else _DEFAULT


def _dictionary(tree: ast.Module, node: ast.expr, site: Site) -> dict[str, ast.expr] | None:
    """A dictionary that stands in the code, by its name or itself."""
    if isinstance(node, ast.Name):
        places = map_of(tree)
        values = places.assigned.get((id(site.inside), node.id), [])
        values = values or places.assigned.get((id(None), node.id), [])
        if len(values) != 1 or values[0] is None:
            return None
        node = values[0]
    if isinstance(node, ast.Subscript):
        whole = _dictionary(tree, node.value, site)
        key = scalar(node.slice)
        return (
            _dictionary(tree, whole[key], site)
            if whole is not None and isinstance(key, str) and key in whole
            and isinstance(whole[key], ast.Dict | ast.Call)
            else None
        )  # fmt: skip
    if isinstance(node, ast.Dict):
        return {
            k.value: v
            for k, v in zip(node.keys, node.values, strict=True)
            if isinstance(k, ast.Constant) and isinstance(k.value, str)
        }
    if isinstance(node, ast.Call) and _called(node) == "dict":
        return {k.arg: k.value for k in node.keywords if k.arg is not None}
    return None


# -- what stands behind an expression -----------------------------------------------------------
def scalar(node: ast.expr | None, unknown: Any = UNSURE) -> Any:
    """A number, text, bool or None that stands there; ``unknown`` for all else."""
    if isinstance(node, ast.Constant):
        plain = isinstance(node.value, bool | int | float | str) or node.value is None
        return node.value if plain else unknown
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = scalar(node.operand)
        return -inner if _is_number(inner) else unknown
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        left, right = scalar(node.left), scalar(node.right)
        if _is_number(left) and _is_number(right) and right:
            return left * right if isinstance(node.op, ast.Mult) else left / right
    return unknown


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e100


def resolve(tree: ast.Module, node: ast.expr, site: Site, depth: int = 0) -> Any:
    """What ``node`` is at ``site``: as ``to_class`` says."""
    BUDGET.get().step(2)
    plain = scalar(node)
    if plain is not UNSURE or depth > MAX_DEPTH:
        return plain
    if isinstance(node, ast.Name):
        return _named(tree, node.id, site, depth)
    if isinstance(node, ast.Attribute):
        if _FUNCTIONS.search(node.attr) and "self" not in ast.unparse(node.value)[:40]:
            return node
        if isinstance(node.value, ast.Name) and node.value.id == "self" and site.owner is not None:
            return _own(tree, node.attr, site.owner, depth)
        return Said(ast.unparse(node)[:80])
    if isinstance(node, ast.Subscript):
        whole, key = _dictionary(tree, node.value, site), scalar(node.slice)
        if whole is not None and isinstance(key, str) and key in whole:
            return resolve(tree, whole[key], site, depth + 1)
        return Said(ast.unparse(node)[:80]) if isinstance(key, str) else UNSURE
    if isinstance(node, ast.Call):
        if _called(node) in ("float", "int") and len(node.args) == 1:
            return resolve(tree, node.args[0], site, depth + 1)
        if _LOSSES.search(_called(node)):
            return node
    return UNSURE


def _named(tree: ast.Module, name: str, site: Site, depth: int) -> Any:
    places = map_of(tree)
    inside = site.inside
    if inside is not None:
        spec = inside.args
        given = {a.arg for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)}
        values = places.assigned.get((id(inside), name), [])
        if name in given and not values:
            handed = _function_arguments(tree, inside, depth + 1)
            if name in handed:
                return handed[name]
            default = defaults_of(inside).get(name)
            return Said(name) if default is None else scalar(default)
        if values or name in given:
            if len(values) != 1 or values[0] is None or name in given:
                return UNSURE
            return resolve(tree, values[0], site, depth + 1)
    values = places.assigned.get((id(None), name), [])
    if len(values) == 1 and values[0] is not None:
        return resolve(tree, values[0], Site([], [], None, None), depth + 1)
    if not values and any(owner is None for _, owner in places.functions.get(name, ())):
        return ast.Name(name, ast.Load(), lineno=1, col_offset=0)
    return UNSURE if values else Said(name)


def _own(tree: ast.Module, attribute: str, owner: ast.ClassDef, depth: int) -> Any:
    """``self.beta`` of an object: what its one assignment holds."""
    values = map_of(tree).attributes.get((id(owner), attribute), [])
    if not values:
        return Said(f"self.{attribute}")
    if len(values) > 1 or values[0][0] is None:
        return UNSURE
    value, inside = values[0]
    assert value is not None
    return resolve(tree, value, Site([], [], inside, owner), depth + 1)


# -- what is set from outside -------------------------------------------------------------------
@once
def set_outside(tree: ast.Module) -> dict[str, Any]:
    """Weights of an object that other code sets: ``model.beta = 4``, ``model.set_beta(4)``.

    By attribute: the number where it is always the same one, else ``UNSURE``.
    """
    places = map_of(tree)
    found: dict[str, list[Any]] = {}
    own = {name for _, name in places.attributes} | places.fields
    for name, values in places.outside.items():
        if name in own and is_weight(name):
            found[name] = [
                UNSURE if value is None else resolve(tree, value, site) for value, site in values
            ]
    for (_, name), settings in places.attributes.items():
        for value, inside in settings if is_weight(name) else ():
            setter = inside is not None and set(_words(inside.name)) & {"set", "update"}
            if setter and isinstance(value, ast.Name) and inside is not None:
                handed = to_function(tree, inside)
                if value.id in handed:
                    found.setdefault(name, []).append(handed[value.id])
    return {
        name: values[0]
        if all(_same(v, values[0]) for v in values) and _is_number(values[0])
        else UNSURE
        for name, values in found.items()
    }


@once
def set_in_one(tree: ast.Module) -> dict[str, Function | None]:
    """Weights of an object that one function of the file sets, and nothing else once it is made.

    By attribute: that function, None for the module's own lines. Where it runs, what it sets is
    what the weight is.
    """
    places = map_of(tree)
    moved = {
        name
        for (_, name), settings in places.attributes.items()
        if any(inside is None or inside.name != "__init__" for _, inside in settings)
    }
    found: dict[str, Function | None] = {}
    for name, values in places.outside.items():
        within = [site.inside for _, site in values]
        if name not in moved and all(one is within[0] for one in within):
            found[name] = within[0]
    return found


@once
def filled_later(owner: ast.ClassDef) -> frozenset[str]:
    """Attributes that a class makes its objects with as None, and that its other methods set."""
    empty: set[str] = set()
    filled: set[str] = set()
    for method in owner.body:
        if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(method):
            for target, value in _assignments(node):
                if not isinstance(target, ast.Attribute) or last_name(target.value) != "self":
                    continue
                if not isinstance(value, ast.Constant) or value.value is not None:
                    filled.add(target.attr)
                elif method.name == "__init__":
                    empty.add(target.attr)
    return frozenset(empty & filled)


def shared_weights(tree: ast.Module) -> frozenset[str]:
    """Weights of the module that a function sets again: ``global beta``."""
    return frozenset(name for name in map_of(tree).shared if is_weight(name))


def made_below(tree: ast.Module, name: str) -> str:
    """The one class made of ``name`` that the file makes objects of, where it makes none of it."""
    places = map_of(tree)
    if places.sites.get(name) or name not in places.classes:
        return ""
    below = {name}
    for _ in range(4):
        below |= {
            other.name
            for other in places.classes.values()
            if any(last_name(base) in below for base in other.bases)
        }
    made = [other for other in below - {name} if places.sites.get(other)]
    return made[0] if len(made) == 1 else ""
