"""Expressions: names, arithmetic, attributes, items, comprehensions, conditions."""

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from vae.your_loss import (
    arrays,
    density_layers,
    distributions,
    graph,
    library,
    operations,
    passed,
    records,
)
from vae.your_loss.arrays import BUDGET, Misfit, TooMuch
from vae.your_loss.builtins_table import BUILTINS, MAX_ITEMS
from vae.your_loss.calls import NEW, RECORDING, SAME, Calls, names_inputs
from vae.your_loss.graph import Node
from vae.your_loss.once import once
from vae.your_loss.operations import Call, NotKnown
from vae.your_loss.roles import guess, words_of
from vae.your_loss.state import BASES, SETTINGS, NoRole, Used, is_weighing
from vae.your_loss.text import last_name
from vae.your_loss.values import (
    Above,
    ClassValue,
    Closure,
    DensityLayer,
    Distribution,
    Instance,
    Library,
    LossObject,
    Method,
    Opaque,
    Scope,
    Spread,
    Transformed,
)

# What conditions ask of the machine or of the module, no setting of a loss.
NO_SETTINGS = frozenset({"__main__", "cuda", "cpu", "mps", "gpu", "tpu", "xla"})
MAX_DEPTH = 300
MAX_BITS = 2048
MAX_KEY = 200
# Methods of what is not known that mean something.
METHODS = frozenset(RECORDING | {"kl", "compile", "items", "keys", "unwrap_model", "kl_divergence"})
# What is read of a distribution as if it were called, and what a dictionary does.
_MOMENTS = frozenset(
    ["mean", "stddev", "scale", "loc", "variance", "probs", "logits", "mu", "sigma"]
)
_OF_DICTIONARIES = frozenset(["items", "keys", "values", "get", "pop", "update"])
_PLAIN: Mapping[type, Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_NODES: Mapping[type, tuple[str, Callable[..., Any]]] = {
    ast.Add: ("add", np.add),
    ast.Sub: ("sub", np.subtract),
    ast.Mult: ("mul", np.multiply),
    ast.Div: ("div", np.true_divide),
    ast.FloorDiv: ("floordiv", np.floor_divide),
    ast.Mod: ("mod", np.mod),
    ast.Pow: ("pow", lambda a, b: np.power(np.asarray(a, dtype=float), b)),
    ast.BitAnd: ("and", lambda a, b: np.logical_and(a, b)),
    ast.BitOr: ("or", lambda a, b: np.logical_or(a, b)),
}
_COMPARE: Mapping[type, Callable[..., Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
Plain = bool | int | float


class Expressions(Calls):
    """Every kind of expression; what has no handler is not known."""

    def value(self, node: ast.expr, scope: Scope) -> Any:
        BUDGET.get().step()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooMuch("the code is nested too deeply to be read")
        line = getattr(node, "lineno", self.line)
        if self.calls == 0 or line:
            self.line = line
        try:
            handler = getattr(self, f"of_{type(node).__name__}", None)
            if handler is None:
                return Opaque(type(node).__name__, "operation", self.line)
            return handler(node, scope)
        finally:
            self.depth -= 1

    # -- literals and names -------------------------------------------------------------------
    def of_Constant(self, node: ast.Constant, scope: Scope) -> Any:
        del scope
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > MAX_BITS:
            raise TooMuch("a number with too many digits")
        return (
            value
            if not isinstance(value, bytes | complex)
            else Opaque("bytes", "operation", self.line)
        )

    def of_Name(self, node: ast.Name, scope: Scope) -> Any:
        try:
            return scope.find(node.id)
        except KeyError:
            pass
        if node.id in BUILTINS:
            return BUILTINS[node.id]
        if node.id == "__name__":
            # What a script does when it is run.
            return "__main__"
        if node.id in library.ALIASES:
            return Library(library.ALIASES[node.id])
        if (model := self.only_model(node.id)) is not None:
            return model
        unset = bool(self.frames) and node.id in _set_in(self.frames[-1].node)
        key = f"{self.frames[-1].node.lineno}:{node.id}" if unset else node.id
        if key not in self.globals:
            self.globals[key] = Opaque(node.id, "argument", self.line, unset=unset)
        return self.globals[key]

    def of_JoinedStr(self, node: ast.JoinedStr, scope: Scope) -> Any:
        """A text of known parts, such as a key; '' where a part is not known."""
        text = ""
        for part in node.values:
            if isinstance(part, ast.FormattedValue) and part.format_spec is None:
                inner = self.value(part.value, scope)
            else:
                inner = part.value if isinstance(part, ast.Constant) else None
            if not isinstance(inner, str | int) or len(text) > MAX_KEY:
                return ""
            text += str(inner)[: MAX_KEY + 1]
        return text if len(text) <= MAX_KEY else ""

    def of_Tuple(self, node: ast.Tuple, scope: Scope) -> Any:
        return tuple(self.elements(node.elts, scope))

    def of_List(self, node: ast.List, scope: Scope) -> Any:
        return self.elements(node.elts, scope)

    of_Set = of_List

    def elements(self, nodes: list[ast.expr], scope: Scope) -> list[Any]:
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                inner = self.value(node.value, scope)
                if isinstance(inner, list | tuple):
                    found += list(inner)[:MAX_ITEMS]
                else:
                    found.append(Spread(inner))
            else:
                found.append(self.value(node, scope))
        return found

    def of_Dict(self, node: ast.Dict, scope: Scope) -> Any:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.value(value, scope)
            if key is None:
                found.update(inner if isinstance(inner, dict) else {})
                continue
            name = self.value(key, scope)
            if isinstance(name, str | int | float | bool):
                found[name] = inner
        return found

    def of_Lambda(self, node: ast.Lambda, scope: Scope) -> Any:
        return self.make_closure(node, scope)

    def of_NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> Any:
        value = self.value(node.value, scope)
        self.bind(node.target, value, scope)
        return value

    def of_Await(self, node: ast.Await, scope: Scope) -> Any:
        return self.value(node.value, scope)

    def of_IfExp(self, node: ast.IfExp, scope: Scope) -> Any:
        return self.value(node.body if self.decide(node.test, scope) else node.orelse, scope)

    # -- functions ----------------------------------------------------------------------------
    def make_closure(self, node: Any, scope: Scope) -> Closure:
        spec = node.args
        positional = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        found: dict[str, Any] = {}
        if spec.defaults:
            for name, default in zip(positional[-len(spec.defaults) :], spec.defaults, strict=True):
                found[name] = self.value(default, scope)
        for argument, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            if default is not None:
                found[argument.arg] = self.value(default, scope)
        return Closure(node, scope, defaults=found)

    def decorated(self, node: ast.FunctionDef, closure: Closure, scope: Scope) -> Any:
        found: Any = closure
        for decorator in reversed(node.decorator_list):
            called = decorator
            if isinstance(decorator, ast.Call):
                partial = last_name(decorator.func) == "partial" and decorator.args
                called = decorator.args[0] if partial else decorator.func
            if last_name(called) in _TRANSFORMS:
                found = self.call(self.value(decorator, scope), [found], {})
        return found

    def run_body(self, closure: Closure, scope: Scope) -> Any:
        from vae.your_loss.interpreter import ReturnSignal

        if isinstance(closure.node, ast.Lambda):
            return self.value(closure.node.body, scope)
        try:
            self.run_block(closure.node.body, scope)
        except ReturnSignal as signal:
            return signal.value
        return None

    def of_Call(self, node: ast.Call, scope: Scope) -> Any:
        function = self.value(node.func, scope)
        args = self.elements(node.args, scope)
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            value = self.value(keyword.value, scope)
            if keyword.arg is None:
                if isinstance(value, dict):
                    named.update({str(k): v for k, v in value.items()})
                continue
            named[keyword.arg] = value
        self.line = node.lineno
        result = self.call(function, args, named)
        if isinstance(result, Opaque) and result.path.endswith("(...)"):
            result.path = _source(node)
            result.line = node.lineno
        if self.no_gradient and isinstance(result, Node):
            return graph.stop_gradient(result)
        return result

    # -- attributes and items -----------------------------------------------------------------
    def of_Attribute(self, node: ast.Attribute, scope: Scope) -> Any:
        owner = self.value(node.value, scope)
        if node.attr in distributions.TABLE and node.attr[:1].isupper() and self.is_module(owner):
            # `import torch.distributions as D`, without its import.
            return Library(f"torch.distributions.{node.attr}")
        return self.attribute(owner, node.attr)

    def is_module(self, owner: Any) -> bool:
        """Whether a value is a name that the code uses and nowhere binds."""
        return isinstance(owner, Opaque) and self.globals.get(owner.path) is owner

    def attribute(self, owner: Any, name: str) -> Any:
        if isinstance(owner, Above):
            return owner.find(name) or self.attribute(Opaque("super()", "call", self.line), name)
        if isinstance(owner, ClassValue) and name == "__init__" and owner.find(name) is not None:
            return owner.find(name)
        if isinstance(owner, Instance) and name == "__call__":
            return owner
        if name.startswith("__") and name.endswith("__"):
            return Opaque(name, "attribute", self.line)
        if name == "value" and _plain_size(owner):
            # A size in TensorFlow 1 is an object: x.shape[1].value.
            return owner
        if isinstance(owner, Library):
            path = f"{owner.path}.{name}"
            if owner.path.rsplit(".", 1)[-1].lower() in SETTINGS:
                # Of a module of one's own: `FLAGS.beta` is a number, whoever holds it.
                return self.globals.setdefault(path, Opaque(path, "attribute", self.line))
            if name in library.CONSTANTS and library.framework_of(path):
                return library.CONSTANTS[name]
            return Library(_canonical(path))
        if isinstance(owner, Instance):
            return self.member(owner, name)
        if isinstance(owner, ClassValue):
            return self.of_pasted_class(owner, name)
        if isinstance(owner, Node):
            return self.node_attribute(owner, name)
        if isinstance(owner, Transformed):
            return Method(owner, name) if name == "apply" else Opaque(name, "attribute", self.line)
        if isinstance(owner, Distribution):
            if name == "distribution":
                return owner
            if name in _MOMENTS:
                return self.call_method(Method(owner, name), [], {})
            return Method(owner, name)
        if isinstance(owner, DensityLayer):
            found = density_layers.attribute(self, owner, name)
            return Method(owner, name) if found is None else found
        if isinstance(owner, Opaque):
            return self.opaque_attribute(owner, name)
        if isinstance(owner, Method) and isinstance(owner.owner, Opaque):
            # out.mean.square(): what has the name of a method is a part of an output.
            with suppress(NoRole, NotKnown):
                return self.node_attribute(self.node(owner), name)
        if isinstance(owner, dict) and name not in _OF_DICTIONARIES:
            return owner.get(name, Opaque(name, "attribute", self.line))
        return Method(owner, name)

    def of_pasted_class(self, owner: ClassValue, name: str) -> Any:
        found = owner.find(name)
        path = f"{owner.name}.{name}"
        if isinstance(found, int | float):
            return self.named(found, path)
        return Opaque(path, "attribute", self.line) if found is None else found

    def member(self, owner: Instance, name: str) -> Any:
        if name in owner.attributes:
            value = owner.attributes[name]
            later = value is None and name in passed.filled_later(owner.owner.node)
            return self.still_to_come(owner, name) if later else value
        found = owner.owner.find(name)
        if isinstance(found, Closure):
            marks = {ast.unparse(d) for d in getattr(found.node, "decorator_list", [])[:4]}
            if "staticmethod" in marks:
                return found
            bound = Closure(found.node, found.scope, owner, found.owner, found.defaults)
            return self.call(bound, [], {}) if "property" in marks else bound
        if isinstance(found, Method) and found.name == "vmap":
            return found
        if found is not None:
            # What the class sets for all its objects, unless other code sets it again.
            return self.named(found, f"self.{name}") if isinstance(found, int | float) else found
        if name == "losses" and self.added:
            return self.take_added()
        if name in ("compile", "register_buffer", "register_parameter") or name in SAME:
            return Method(owner, name)
        if name in RECORDING:
            return Method(Opaque("self", "argument", self.line), name)
        if (model := self.only_model(name)) is not None and model is not owner:
            return model
        if name not in owner.cache:
            owner.cache[name] = Opaque(f"self.{name}", "attribute", self.line)
        return owner.cache[name]

    def still_to_come(self, owner: Instance, name: str) -> Opaque:
        """What a method that was not run puts in place of the None that an object was made with."""
        if name not in owner.cache:
            found = Opaque(f"self.{name}", "attribute", self.line, may_be_none=True)
            owner.cache[name] = found
        return owner.cache[name]

    def take_added(self) -> list[Node]:
        """``model.losses``: what ``add_loss`` was given, to be added by the code itself."""
        taken, self.added = self.added, []
        return taken

    def node_attribute(self, owner: Node, name: str) -> Any:
        if name == "shape" and not owner.unshaped:
            return owner.shape
        if name in ("ndim",):
            return owner.ndim
        if name in ("T", "mT"):
            return (
                self.call_method(Method(owner, "transpose"), [], {}) if owner.ndim != 1 else owner
            )
        if name in ("data", "array"):
            return graph.stop_gradient(owner)
        if name in ("dtype", "device", "grad", "is_cuda", "requires_grad", "grad_fn", "itemsize"):
            return Opaque(name, "attribute", self.line)
        return Method(owner, name)

    def opaque_attribute(self, owner: Opaque, name: str) -> Any:
        if owner.node is not None:
            return self.node_attribute(owner.node, name)
        if name == "losses" and self.added:
            return self.take_added()
        if name == "shape" and self.role_of(owner) == "target" and _is_data_set(owner):
            return self.unflattened()
        if name in ("shape", "ndim", "T", "mT") and self.role_of(owner) not in (
            "",
            "constant",
            "posterior",
        ):
            seen = self.peek(owner) if name in ("shape", "ndim") else owner
            return self.node_attribute(self.node(seen), name)
        if name in ("data", "real", "value", "tensor", "array") and self.role_of(owner) not in (
            "",
            "posterior",
        ):
            return owner
        if name in owner.items:
            return owner.items[name]
        callable_name = (
            name in SAME or name in METHODS or name in NEW or library.method(name) is not None
        )
        # A scaler of gradients in half precision is no distribution: its scale is a method.
        callable_name |= name == "scale" and any("scaler" in n.lower() for n in owner.names)
        moment = name in ("mean", "std", "var", "scale") and self.is_posterior(owner)
        if callable_name and not moment:
            return Method(owner, name)
        found = Opaque(f"{owner.path}.{name}", "attribute", self.line, parent=owner)
        found.inputs = owner.inputs
        if owner.source == "call":
            found.source, found.callee = "item", owner.callee
        owner.items[name] = found
        return found

    def unflattened(self) -> tuple[int, ...]:
        """The shape of pictures as a data set has them: their sides, whatever they become later."""
        image = self.sizes.image
        side = math.isqrt(self.sizes.pixels)
        if len(image) == 1 and side > 1 and side * side == self.sizes.pixels:
            image = (side, side)
        return (self.sizes.batch, *image)

    def item(self, owner: Any, key: Any) -> Any:
        """``owner[key]`` of a value that is not known."""
        if isinstance(owner, Opaque):
            if not isinstance(key, str | int):
                # One of a list of weights is known by the list's name: beta[epoch].
                number = owner.node is None and self.role_of(owner) == "constant"
                return Opaque(
                    f"{owner.path}[...]",
                    "item",
                    self.line,
                    hints=[owner.name] if number else [],
                    parent=owner,
                    inputs=owner.inputs,
                    callee=owner.callee,
                    apart=owner.apart,
                    rows=owner.rows,
                )
            if key not in owner.items:
                owner.items[key] = Opaque(
                    f"{owner.path}[{key!r}]", "item", self.line, parent=owner, callee=owner.callee,
                    position=key if isinstance(key, int) else None, inputs=owner.inputs,
                    apart=owner.apart, rows=owner.rows,
                )  # fmt: skip
            return owner.items[key]
        return Opaque("item", "operation", self.line)

    def of_Subscript(self, node: ast.Subscript, scope: Scope) -> Any:
        owner = self.value(node.value, scope)
        key = self.key(node.slice, scope)
        found = self.subscript(owner, key, node)
        counted = isinstance(key, int) and isinstance(node.slice, ast.Name)
        if counted and isinstance(found, Opaque) and isinstance(owner, Opaque):
            # y[i] in a loop over i: an image of a batch, or a whole output of a list.
            found.apart |= owner.node is None and self.role_of(owner) in ("target", "output")
        return found

    def key(self, node: ast.expr, scope: Scope) -> Any:
        if isinstance(node, ast.Slice):
            parts = (node.lower, node.upper, node.step)
            ends = [None if part is None else self.value(part, scope) for part in parts]
            return slice(*(_index_number(end) for end in ends))
        if isinstance(node, ast.Tuple):
            return tuple(self.key(item, scope) for item in node.elts)
        value = self.value(node, scope)
        return _place(value) if isinstance(value, Node) else value

    def subscript(self, owner: Any, key: Any, node: ast.AST) -> Any:
        owner = records.unpacked(owner)
        if isinstance(owner, list | tuple | str | range):
            try:
                return (
                    owner[key]
                    if isinstance(key, int | slice)
                    else Opaque("item", "item", self.line)
                )
            except (IndexError, TypeError, ValueError):
                return Opaque("item", "item", self.line)
        if isinstance(owner, dict) and isinstance(key, Opaque):
            return self.chosen(owner, key)
        if isinstance(owner, dict):
            try:
                return owner.get(key, Opaque(f"[{key!r}]", "item", self.line))
            except TypeError:
                return Opaque("item", "item", self.line)
        sides = self.sides(owner) if type(key) is int else None
        if sides is not None and -len(sides) <= key < len(sides):
            return sides[key]
        if isinstance(owner, Opaque) and owner.node is None and not _is_slicing(key):
            return self.item(owner, key)
        if isinstance(owner, Opaque | Node):
            return self.node_index(owner, key, node)
        if isinstance(owner, Library):
            return Opaque(_source(node), "attribute", self.line)
        return Opaque(_source(node), "item", self.line)

    def node_index(self, owner: Any, key: Any, node: ast.AST) -> Any:
        if isinstance(owner, Opaque) and owner.node is None:
            role = self.role_of(owner)
            # z[:, :d] of a network: its moments side by side, and no draw of d latents.
            beside = role == "z" and _is_unmet(owner) and _halves(key, self.sizes.latent_count)
            if beside or role in ("", "constant"):
                return self.item(owner, key)

        def run(call: Call) -> Any:
            array = call.node(0)
            if array.unshaped:
                return array
            parts = key if isinstance(key, tuple) else (key,)
            if self.setup.classes and _shifts(parts):
                # Tokens one place on: what they are compared with has as many of them.
                return array
            picked = [p for p in parts if isinstance(p, Node)]
            pictures = array.shape == (self.sizes.batch, *self.sizes.image)
            drawn = len(parts) == 1 and _draws_images(parts[0])
            if drawn and pictures and array.deps == {"target"}:
                # Which pictures make a batch changes nothing of their loss.
                return array
            if any(isinstance(p, Opaque | list | str) for p in parts):
                raise NotKnown("with an index that is not known")

            if len(parts) == 1 and picked and _is_mask(picked[0], array):
                # Which values are left out the data say: read as if none were.
                self.note("assumed", f"{_source(node)} is read as if nothing were left out.")
                kept = picked[0].ndim
                shape = (math.prod(array.shape[:kept]), *array.shape[kept:])
                return call.run(lambda a: arrays.reshape(a, shape), array, name="reshape")
            if any(p.base.data.dtype == np.bool_ and p.ndim for p in picked):
                raise NotKnown("with a mask of other axes")

            def take(a: arrays.Array, *rest: arrays.Array) -> arrays.Array:
                left = list(rest)
                return arrays.index(
                    a, tuple(left.pop(0) if isinstance(p, Node) else p for p in parts)
                )

            return call.run(take, array, *picked, name="index")

        return self.operate(run, "index", [owner], {}, "")

    # -- arithmetic ---------------------------------------------------------------------------
    def of_UnaryOp(self, node: ast.UnaryOp, scope: Scope) -> Any:
        value = self.value(node.operand, scope)
        if isinstance(node.op, ast.Not):
            if isinstance(value, Opaque):
                return not self.truth(value, node.operand)
            return not self.truth(value, node.operand)
        if isinstance(node.op, ast.UAdd):
            return value
        if isinstance(node.op, ast.USub):
            if isinstance(value, Plain):
                return -value
            return self.operate(
                lambda call: call.each(np.negative, call.node(0), name="neg"), "-", [value], {}, ""
            )
        if isinstance(value, Node):
            return self.operate(
                lambda call: call.each(np.logical_not, call.node(0)), "~", [value], {}, ""
            )
        return Opaque("~", "operation", self.line)

    def of_BinOp(self, node: ast.BinOp, scope: Scope) -> Any:
        left = self.value(node.left, scope)
        right = self.value(node.right, scope)
        self.line = node.lineno
        return self.binary(node.op, left, right, node)

    def binary(self, op: ast.operator, left: Any, right: Any, node: ast.AST) -> Any:
        if isinstance(left, Plain) and isinstance(right, Plain):
            return self.plain(op, left, right)
        if (isinstance(left, str) or isinstance(right, str)) and isinstance(op, ast.Div):
            # A path: whether there is a file behind it nobody can say.
            return Opaque(_source(node), "operation", self.line)
        if isinstance(left, str) or isinstance(right, str):
            both = isinstance(left, str) and isinstance(right, str) and isinstance(op, ast.Add)
            return left + right if both and len(left) + len(right) <= MAX_KEY else ""
        sequences = (list, tuple)
        if isinstance(left, sequences) and isinstance(right, sequences) and isinstance(op, ast.Add):
            joined = [*left, *right][:MAX_ITEMS]
            return tuple(joined) if isinstance(left, tuple) else joined
        if isinstance(left, sequences) and isinstance(right, int) and isinstance(op, ast.Mult):
            return (
                left * right if 0 <= right * len(left) <= MAX_ITEMS else Opaque("list", "operation")
            )
        if isinstance(op, ast.MatMult):
            return self.operate(operations.TABLE["matmul"], "@", [left, right], {}, "")
        if isinstance(op, ast.Sub):
            self.meet_prior(left, right)
        if isinstance(op, ast.Mult):
            left, right = self.weighing(left, right), self.weighing(right, left)
        name, function = _NODES.get(type(op), ("", np.add))
        if not name:
            return Opaque("operation", "operation", self.line)
        found = self.operate(
            lambda call: call.each(function, call.node(0), call.node(1), name=name),
            name, [left, right], {}, "",
        )  # fmt: skip
        if isinstance(found, Opaque):
            found.path = _source(node)
        return found

    def weighing(self, value: Any, term: Any) -> Any:
        """``value``; as a number that is asked for where it is a setting that weighs a term."""
        if not is_weighing(value, term):
            return value
        found = Opaque(value.path, "attribute", self.line) if isinstance(value, Library) else value
        known = self.role_of(found) or self.default_of(found) is not None
        return value if known else self.constant(found)

    def meet_prior(self, left: Any, right: Any) -> None:
        """``z_mean - Dense(d)(label)``: what a layer makes of a label is the mean of its prior."""
        if not isinstance(right, Opaque) or right.node is not None or right.source != "call":
            return
        layer = re.match(r"[\w.]*\b(Dense|Linear)\(", right.callee) is not None
        latent = isinstance(left, Node) and left.leaf == "mean"
        latent |= isinstance(left, Opaque) and self.role_of(left) == "mean"
        if latent and layer and not right.inputs & {"mean", "z"} and not self.role_of(right):
            right.node = self.role_leaf(right, "prior_mean")

    def add(self, left: Any, right: Any) -> Any:
        return self.binary(ast.Add(), left, right, ast.Name("sum"))

    def power(self, left: Any, right: Any) -> Any:
        return self.binary(ast.Pow(), left, right, ast.Name("pow"))

    def plain(self, op: ast.operator, left: Any, right: Any) -> Any:
        try:
            if isinstance(op, ast.Pow):
                whole = isinstance(left, int) and isinstance(right, int) and right > 0
                if whole and int(left).bit_length() * right > MAX_BITS:
                    raise TooMuch("a power too large to be read")
                found = left**right
                return found if isinstance(found, int | float) else float("nan")
            function = _PLAIN.get(type(op))
            if function is None:
                return Opaque("operation", "operation", self.line)
            found = function(left, right)
        except (ZeroDivisionError, OverflowError, ValueError):
            return float("nan")
        if isinstance(found, int) and found.bit_length() > MAX_BITS:
            raise TooMuch("a number with too many digits")
        return found

    # -- conditions ---------------------------------------------------------------------------
    def of_BoolOp(self, node: ast.BoolOp, scope: Scope) -> Any:
        conjunction = isinstance(node.op, ast.And)
        value: Any = conjunction
        for part in node.values:
            value = self.value(part, scope)
            if self.truth(value, part) != conjunction:
                return value
        return value

    def of_Compare(self, node: ast.Compare, scope: Scope) -> Any:
        left = self.value(node.left, scope)
        result: Any = True
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part, scope)
            result = self.compare(op, left, right, node)
            if isinstance(result, bool) and not result:
                return False
            left = right
        return result

    def compare(self, op: ast.cmpop, left: Any, right: Any, node: ast.AST) -> Any:
        if isinstance(left, LossObject) and isinstance(right, LossObject):
            # Objects that were made apart are not equal, whatever their settings.
            return (left is right) == isinstance(op, ast.Eq | ast.Is)
        none = right is None and isinstance(left, Opaque) and left.may_be_none
        if isinstance(op, ast.Is | ast.IsNot) or (none and isinstance(op, ast.Eq | ast.NotEq)):
            return self.same(left, right) == isinstance(op, ast.Is | ast.Eq)
        if isinstance(op, ast.In | ast.NotIn):
            return self.contains(op, left, right, node)
        function = _COMPARE[type(op)]
        simple = (bool, int, float, str, type(None), tuple, list)
        if isinstance(left, simple) and isinstance(right, simple):
            try:
                return bool(function(left, right))
            except TypeError:
                return Opaque(_source(node), "operation", self.line)
        if isinstance(left, Opaque) and isinstance(right, str | None):
            given = self.given_constant(left)
            default = given if given is not None else self.default_of(left)
            if isinstance(right, str) and right not in NO_SETTINGS:
                self.options.setdefault(left.name, (self.line, []))[1].append(right)
                self.option_of[_source(node)] = left.name
            if isinstance(default, str):
                if given is not None:
                    self.answered.setdefault(left.name, (self.line, default))
                return bool(function(default, right))
        if isinstance(left, Node | Plain | Opaque) and isinstance(right, Node | Plain | Opaque):
            if isinstance(op, ast.Eq | ast.NotEq) and _asks_for_padding(node):
                left, right = self.unpadded(left), self.unpadded(right)
            known = self.computed(left) and self.computed(right)
            if known:
                return self.operate(
                    lambda call: call.each(function, call.node(0), call.node(1)),
                    "compare", [left, right], {}, "",
                )  # fmt: skip
        asked = left if isinstance(left, Opaque) else None
        return Opaque(_source(node), "operation", self.line, parent=asked)

    def unpadded(self, value: Any) -> Any:
        """Tokens of which none is padding, where they are asked for padding alone.

        An encoder's tokens are not always those that are compared.
        """
        unmet = isinstance(value, Opaque) and value.node is None
        if not unmet or self.role_of(value) != "target" or "target" in self.leaves:
            return value
        self.note("assumed", "padding is read as if there were none.")
        shape = (self.sizes.batch, *self.sizes.image)
        return graph.value_node(arrays.constant(BASES["target"], shape))

    def computed(self, value: Any) -> bool:
        """Whether ``value`` is a number or can be resolved to one."""
        if not isinstance(value, Opaque):
            return True
        if value.node is not None:
            return True
        role = self.role_of(value)
        late = any(_late(name) for name in (value.path, *value.hints))
        return role not in ("", "posterior", "constant") or late or self.has_value(value)

    def has_value(self, value: Opaque) -> bool:
        return isinstance(self.given_constant(value), int | float) or isinstance(
            self.default_of(value), int | float
        )

    def same(self, left: Any, right: Any) -> bool:
        if right is None:
            return left is None or (
                isinstance(left, Opaque) and left.may_be_none and left.node is None
            )
        return left is right

    def contains(self, op: ast.cmpop, left: Any, right: Any, node: ast.AST) -> Any:
        if isinstance(right, list | tuple | dict | str) and isinstance(left, str | int | float):
            try:
                return (left in right) == isinstance(op, ast.In)
            except TypeError:
                pass
        texts = right if isinstance(right, list | tuple) else ()
        if isinstance(left, Opaque) and texts and all(isinstance(t, str) for t in texts):
            given = self.given_constant(left)
            default = given if given is not None else self.default_of(left)
            self.options.setdefault(left.name, (self.line, []))[1].extend(texts)
            self.option_of[_source(node)] = left.name
            if isinstance(default, str):
                if given is not None:
                    self.answered.setdefault(left.name, (self.line, default))
                return (default in texts) == isinstance(op, ast.In)
        if isinstance(left, str) and isinstance(right, Opaque) and right.source == "argument":
            # Whether an output that is handed over is there: what reads it says that it is.
            return isinstance(op, ast.In)
        return Opaque(_source(node), "operation", self.line)

    def decide(self, node: ast.expr, scope: Scope) -> bool:
        return self.truth(self.value(node, scope), node)

    def truth(self, value: Any, node: ast.expr) -> bool:
        """Which way a condition goes; one that is not known is remembered."""
        if isinstance(value, Node):
            if value.base.data.size == 0:
                return False
            return bool(value.number())
        if isinstance(value, Opaque):
            if value.may_be_none and value.node is None:
                return False
            if value.node is not None:
                return bool(value.node.number())
            return self.undecided_truth(value, node)
        if isinstance(value, Plain | str | list | tuple | dict | None):
            return bool(value)
        return True

    def undecided_truth(self, value: Opaque, node: ast.expr) -> bool:
        text = _source(node)
        given = self.given_constant(value)
        if text in self.setup.constants:
            given = self.setup.constants[text]
        if given is not None:
            self.answered.setdefault(text, (self.line, str(bool(given)).lower()))
            return bool(given)
        default = self.default_of(value)
        if default is not None:
            return bool(default)
        if text in self.setup.decisions:
            return self.setup.decisions[text]
        self.undecided.setdefault(text, getattr(node, "lineno", self.line))
        if value.of_round:
            self.by_round.add(text)
        return trains(text)

    # -- comprehensions -----------------------------------------------------------------------
    def of_ListComp(self, node: ast.ListComp, scope: Scope) -> Any:
        found: list[Any] = []
        self.comprehend(
            node.generators, 0, Scope({}, scope), lambda s: found.append(self.value(node.elt, s))
        )
        return found

    of_GeneratorExp = of_ListComp
    of_SetComp = of_ListComp

    def of_DictComp(self, node: ast.DictComp, scope: Scope) -> Any:
        found: dict[Any, Any] = {}

        def keep(inner: Scope) -> None:
            key = self.value(node.key, inner)
            if isinstance(key, str | int | float):
                found[key] = self.value(node.value, inner)

        self.comprehend(node.generators, 0, Scope({}, scope), keep)
        return found

    def comprehend(
        self,
        generators: list[ast.comprehension],
        place: int,
        scope: Scope,
        keep: Callable[[Scope], Any],
    ) -> None:
        if place == len(generators):
            keep(scope)
            return
        each = generators[place]
        for value in self.sequence(self.value(each.iter, scope), each.iter):
            BUDGET.get().step()
            if self.says_nothing(each.target, value):
                scope.names[each.target.id] = value  # type: ignore[attr-defined]
            else:
                self.bind(each.target, value, scope)
            if all(self.decide(test, scope) for test in each.ifs):
                self.comprehend(generators, place + 1, scope, keep)

    def says_nothing(self, target: ast.expr, value: Any) -> bool:
        """Whether a loop's name is a mere letter for what a call has made: ``v``, no variance."""
        made = isinstance(value, Opaque) and value.source in ("call", "operation")
        return made and isinstance(target, ast.Name) and len(target.id) <= 2

    def sequence(self, found: Any, node: ast.AST) -> list[Any]:
        """The values of something that is looped over; what is not known counts as one."""
        if isinstance(found, dict):
            return list(found)
        if isinstance(found, list | tuple | range):
            if len(found) > 512:
                # No loss is built in so many rounds: one is followed.
                return [Opaque(f"{_source(node)}[...]", "loop", self.line)]
            return list(found)
        if isinstance(found, Node) and found.ndim and found.shape[0] <= 64:

            def run(i: int) -> Any:
                return graph.apply(
                    lambda a: arrays.index(a, (i,)), found, line=self.line, name="index"
                )

            return [run(i) for i in range(found.shape[0])]
        if isinstance(found, Opaque):
            found.listed = True
            apart = found.apart or self.is_outputs(found)
            path = f"{found.path}[...]"
            rounds = self.setup.rounds if found.callee != "zip" else 1
            return [Opaque(path, "loop", self.line, parent=found, apart=apart)] * rounds
        return [Opaque(_source(node), "loop", self.line)]

    # -- binding ------------------------------------------------------------------------------
    def bind(self, target: ast.expr, value: Any, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            forget_layer(value, scope.names.get(target.id), target.id)
            scope.names[target.id] = self.named(value, target.id)
        elif isinstance(target, ast.Tuple | ast.List):
            self.unpack(target.elts, value, scope)
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value, scope)
            if isinstance(owner, Instance):
                name = f"self.{target.attr}"
                there = self.runs_alone(target.attr)
                owner.attributes[target.attr] = self.named(value, name, settled=there)
            elif isinstance(owner, Opaque):
                owner.items[target.attr] = value
            elif isinstance(owner, LossObject):
                # An old criterion is told to sum after it was made.
                owner.settings[target.attr] = value
        elif isinstance(target, ast.Subscript):
            owner = self.value(target.value, scope)
            key = self.key(target.slice, scope)
            if isinstance(owner, dict) and isinstance(key, str | int):  # noqa: SIM114
                owner[key] = value
            elif isinstance(owner, list) and isinstance(key, int) and abs(key) < len(owner):
                owner[key] = value
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, scope)

    def runs_alone(self, name: str) -> bool:
        """Whether what runs is all that sets an object's weight once the object is made."""
        if self.tree is None:
            return False
        setters = passed.set_in_one(self.tree)
        running = self.frames[-1].node if self.frames else None
        return name in setters and setters[name] is running

    def named(self, value: Any, name: str, *, settled: bool = False) -> Any:
        """``value`` under its name; a weight that is ``settled`` is not set again elsewhere."""
        if isinstance(value, Opaque):
            if value.source in ("argument", "loop") and value.hints and value.node is not None:
                return value
            return self.hinted(value, name)
        if isinstance(value, bool | str) or value is None:
            return self.setup.constants.get(name, value)
        if isinstance(value, int | float):
            short = name.rsplit(".", 1)[-1]
            if short in self.setup.counters:
                # It counts steps: what is asked is the loss late in the training.
                return Opaque(name, "attribute", self.line)
            moved = self.setup.shared if name == short else self.setup.moved
            if short in moved and not settled:
                return Opaque(name, "attribute", self.line)
            given = self.setup.constants.get(name, self.setup.constants.get(short))
            if isinstance(given, int | float):
                return self.settle(name, given)
            if name != short and short in self.setup.set_later:
                value = self.setup.set_later[short]
                self.use(Used(name, self.line, value, "default", (name, short)))
        return value

    def unpack(self, targets: list[ast.expr], value: Any, scope: Scope) -> None:
        value = records.unpacked(value)
        sides = self.sides(value)
        if sides is not None and len(sides) == len(targets):
            value = sides
        if isinstance(value, Opaque) and value.node is None:
            for place, target in enumerate(targets):
                self.bind(target, self.item(value, place), scope)
            return
        if isinstance(value, Opaque):
            value = value.node
        if isinstance(value, Node) and value.ndim and value.shape[0] == len(targets) <= 16:
            values: list[Any] = self.sequence(value, targets[0])
        elif isinstance(value, list | tuple | range):
            values = list(value)
        else:
            values = []
        star = next((i for i, t in enumerate(targets) if isinstance(t, ast.Starred)), None)
        if star is not None and len(values) >= len(targets) - 1:
            tail = len(targets) - star - 1
            middle = values[star : len(values) - tail]
            values = [*values[:star], middle, *values[len(values) - tail :]]
        for place, target in enumerate(targets):
            found = values[place] if place < len(values) else Opaque("item", "item", self.line)
            self.bind(target, found, scope)


# What changes what a function gives, where it is written above it.
_TRANSFORMS = frozenset({"vmap", "grad", "value_and_grad", "filter_grad", "filter_value_and_grad"})


def forget_layer(value: Any, before: Any, name: str) -> None:
    """``logits = dense(logits)``: what the name held before was a layer, and no output."""
    if not (_is_unmet(value) and _is_unmet(before)) or "output" in before.inputs:
        return
    if any(found.role == "output" for found in guess(name)[:1]):
        value.inputs -= {"output"}


def _is_unmet(value: Any) -> bool:
    made = isinstance(value, Opaque) and value.source in ("call", "operation")
    return made and value.node is None


def _halves(key: Any, latents: int) -> bool:
    """``[:, :d]`` or ``[:, d:]``: a part of what holds more than d latents."""
    last = key[-1] if isinstance(key, tuple) and len(key) == 2 else None
    if not isinstance(last, slice) or last.step is not None:
        return False
    ends = (last.start, last.stop)
    return ends in ((None, latents), (0, latents), (latents, None), (latents, 2 * latents))


def trains(condition: str) -> bool:
    """Whether a condition asks whether this is training: it is, where a loss is read."""
    return bool({"train", "training"} & set(words_of(condition)))


@once
def _set_in(function: ast.AST) -> frozenset[str]:
    """The names that a function itself sets, but for those of its arguments and the module's."""
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    shared = {
        name
        for node in ast.walk(function)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
    return frozenset({node.id for node in names if isinstance(node.ctx, ast.Store)} - shared)


def _index_number(value: Any) -> Any:
    value = _place(value) if isinstance(value, Node) else value
    return value if isinstance(value, int | None) else None


def _place(value: Node) -> Any:
    """A constant as a whole number; anything else, and what is infinite, as it is."""
    if value.is_constant and not value.shape and math.isfinite(value.number()):
        return int(value.number())
    return value


def _is_slicing(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(p, slice | Node) or p is None or p is Ellipsis for p in parts) or (
        isinstance(key, tuple)
    )


_PICKS = frozenset({"randint", "permutation", "choice", "randperm", "shuffle"})


def _draws_images(key: Any) -> bool:
    """Whether an index holds places of a batch's pictures, drawn at random."""
    called = key.path.partition("(")[0] if isinstance(key, Opaque) else ""
    return called.rpartition(".")[2] in _PICKS


def _asks_for_padding(node: ast.AST) -> bool:
    """Whether a comparison is one with the token that stands for none: ``x == self.pad_id``."""
    return bool({"pad", "padding"} & set(re.findall("[a-z]+", _source(node).lower())))


def _plain_size(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Node) and value.is_constant)


def _late(name: str) -> bool:
    from vae.your_loss.roles import is_late

    return is_late(name)


def _canonical(path: str) -> str:
    from vae.your_loss.interpreter import canonical

    return canonical(path)


def _is_mask(key: Node, array: Node) -> bool:
    """Whether ``key`` says of each value of ``array`` whether it is kept."""
    truths = key.base.data.dtype == np.bool_ and not key.is_constant
    return truths and key.ndim > 0 and key.shape == array.shape[: key.ndim]


def _shifts(parts: tuple[Any, ...]) -> bool:
    """``[:, 1:]`` and ``[:, :-1]``: a sequence without its first or without its last place."""
    return len(parts) >= 2 and parts[0] == slice(None) and parts[1] in _SHIFTED


_SHIFTED = (slice(1, None), slice(None, -1))


def _is_data_set(value: Opaque) -> bool:
    """Whether a value was taken out of what a library's data set gave."""
    origin: Opaque | None = value
    while origin is not None:
        if origin.callee.rsplit(".", 1)[-1] == "load_data":
            return True
        origin = origin.parent
    return False


@once
def _source(node: ast.AST) -> str:
    """The text of an expression, short."""
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError, AttributeError):
        return "expression"
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."


__all__ = ["Expressions", "LossObject", "Misfit", "NoRole", "distributions", "names_inputs"]
