"""Calls: of the code's own functions, of the libraries, of methods, and of what is not known."""

import ast
import math
from contextlib import suppress
from typing import Any

import numpy as np

from vae.your_loss import (
    arrays,
    collected,
    density_layers,
    distributions,
    graph,
    library,
    passed,
    records,
    shaping,
)
from vae.your_loss.arrays import BUDGET, Array, Misfit
from vae.your_loss.builtins_table import BUILTINS, text_method
from vae.your_loss.graph import Node
from vae.your_loss.once import once
from vae.your_loss.operations import Call, NotKnown
from vae.your_loss.roles import PERCEPTUAL, guess, is_mask, is_term, words_of
from vae.your_loss.state import DATA, NoRole, State, Used, is_of_network
from vae.your_loss.values import (
    ClassValue,
    Closure,
    DensityLayer,
    Diagonal,
    Distribution,
    Instance,
    Library,
    LossObject,
    Method,
    Opaque,
    Scaled,
    Scope,
    Spread,
    Transformed,
)

MAX_CALLS = 24
# A call that is none of those which are asked for.
_ANOTHER = object()
# What a file calls its one network.
MODELS = frozenset({"model", "vae", "net", "network", "autoencoder", "cvae", "beta_vae"})
# Arguments of networks that are no data.
NO_DATA = frozenset(
    [
        "params",
        "param",
        "state",
        "variables",
        "weights",
        "model",
        "net",
        "key",
        "rng",
        "seed",
        "opt",
        "size",
        "filters",
        "kernel",
        "strides",
        "units",
        "activation",
        "padding",
        "config",
    ]
)
# Words of a layer between z and the output, whatever else its name says.
HIDDEN = frozenset({"h", "hid", "hidden", "layer"})
CALLED = ("forward", "call", "__call__", "construct", "hybrid_forward")
# Methods whose argument is a loss.
RECORDING = frozenset(
    {"backward", "manual_backward", "gradient", "minimize", "add_loss", "compute_gradients"}
)
# What an operation may raise when it is given what it was not made for.
BROKEN = (
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    AssertionError,
    MemoryError,
)
# Methods after which a value is still the same values.
SAME = frozenset(
    [
        "to",
        "cuda",
        "cpu",
        "float",
        "double",
        "half",
        "contiguous",
        "clone",
        "type",
        "astype",
        "type_as",
        "requires_grad_",
        "numpy",
        "long",
        "int",
        "copy",
        "detach",
        "data",
        "block_until_ready",
        "train",
        "eval",
        "parameters_",
        "squeeze_",
        "bfloat16",
        "to_device",
        "pin_memory",
        "compute",
        "share_memory_",
        "build",
        "xpu",
        "asnumpy",
        "get",
    ]
)
NEW = frozenset({"new_zeros", "new_ones", "new_full", "new_tensor", "new_empty"})
PRODUCTS = frozenset({"matmul", "mm", "dot", "@", "linear", "conv2d", "conv2d_transpose"})
# Functions whose arguments are a shape.
# Methods after which a mask says the same of the same values.
_SPREADS = frozenset(
    {"unsqueeze", "float", "expand_as", "expand", "view", "reshape", "bool", "type_as", "squeeze"}
)
SHAPED = frozenset({"zeros", "ones", "randn", "full", "repeat", "normal", "random_normal", "eye"})
SHAPED |= {"broadcast_to", "tile"}
# What cuts an array into parts.
PARTED = frozenset({"chunk", "split", "tensor_split", "unbind", "unstack"})
# What makes a list one array.
JOINED = frozenset({"cat", "concat", "concatenate", "stack"})
# What asks an array for its shape alone.
SIZED = frozenset(
    {"size", "shape", "int_shape", "get_shape", "numel", "nelement", "dim", "ndimension", "rank"}
)
# Functions that hand on what they are given, or a wrapper of it.
WRAPPERS = frozenset(
    [
        "jit",
        "tqdm",
        "trange",
        "DataParallel",
        "DistributedDataParallel",
        "compile",
        "prepare",
        "function",
        "no_grad",
        "partial",
        "checkpoint",
        "remat",
        "list",
        "tuple",
        "enumerate",
        "shard",
        "unreplicate",
        "replicate",
        "shard_map",
        "wraps",
        "torch_compile",
        "tf_function",
        "script",
        "inference_mode",
        "custom_gradient",
        "recompute_grad",
    ]
)


def names_inputs(values: list[Any]) -> frozenset[str]:
    """The inputs on which arguments depend, as far as that is known."""
    found: set[str] = set()
    for value in values[:40]:
        if isinstance(value, Node):
            found |= {dep.split("#")[0] for dep in value.deps}
        elif isinstance(value, Opaque) and not is_of_network(value) and not value.learned:
            found |= value.inputs
            if value.node is not None:
                found |= {dep.split("#")[0] for dep in value.node.deps}
            else:
                names = [name for name in value.names if not set(words_of(name)) & NO_DATA]
                guesses = {g.role for name in names for g in guess(name)[:1]}
                words = {word for name in names for word in words_of(name)}
                numbered = value.source == "call" and any(word.isdigit() for word in words)
                if numbered or (value.source in ("call", "operation") and words & HIDDEN):
                    # out_1 and h_dec are layers on the way to an output.
                    guesses -= {"output"}
                found |= guesses
                if value.source in ("argument", "loop", "item"):
                    found.add("argument")
        elif isinstance(value, list | tuple):
            found |= names_inputs(list(value))
        elif isinstance(value, Distribution):
            # A draw of it, where it is used as an array.
            found |= names_inputs(list(value.parameters.values()))
        elif isinstance(value, dict):
            found |= names_inputs(list(value.values()))
    return frozenset(found)


class Calls(State):
    """How each kind of callable is called."""

    def value(self, node: ast.expr, scope: Scope) -> Any:
        raise NotImplementedError

    def run_block(self, statements: Any, scope: Scope) -> None:
        raise NotImplementedError

    def bind(self, target: ast.expr, value: Any, scope: Scope) -> None:
        raise NotImplementedError

    def run_body(self, closure: Closure, scope: Scope) -> Any:
        raise NotImplementedError

    # -- entry --------------------------------------------------------------------------------
    def call(self, function: Any, args: list[Any], named: dict[str, Any]) -> Any:
        """Call ``function``; what is not known gives an ``Opaque``."""
        BUDGET.get().step(2)
        if isinstance(function, Closure):
            return self.call_closure(function, args, named)
        if isinstance(function, ClassValue):
            return self.make_instance(function, args, named)
        if isinstance(function, Instance):
            return self.call_instance(function, args, named)
        if isinstance(function, Library):
            return self.call_library(function.path, args, named)
        if isinstance(function, Method):
            return self.call_method(function, args, named)
        if isinstance(function, DensityLayer):
            return density_layers.call(self, function, args)
        if isinstance(function, LossObject):
            return self.operate(function.call, function.name, args, named, "torch")
        if callable(function) and function in BUILTINS.values():
            return function(self, args, named)
        pasted = self.of_model(function) or self.of_class(function)
        if pasted is not None:
            return self.call(pasted, args, named)
        return self.opaque_call(function, args, named)

    def of_model(self, function: Any) -> Any:
        """``self.model.loss_function``: the pasted method of that name, where one class has it."""
        if not isinstance(function, Opaque) or function.source != "attribute":
            return None
        parent, name = function.parent, function.path.rpartition(".")[2]
        if parent is None or parent.source not in ("argument", "attribute"):
            return None
        said = {word for path in parent.names for word in words_of(path.rpartition(".")[2])}
        return self.only_method(name) if said & (MODELS | {"vae", "module", "criterion"}) else None

    def of_class(self, function: Any) -> Any:
        """``self.prior``, handed over: an object of the pasted class ``Prior``."""
        if not self.setup.objects or self.calls > 8 or not isinstance(function, Opaque):
            return None
        if function.source not in ("argument", "attribute") or function.node is not None:
            return None
        name = function.path.rpartition(".")[2].replace("_", "").lower()
        owners = [
            owner
            for key, owner in self.module.names.items()
            if isinstance(owner, ClassValue) and key.lower() == name
        ]
        return self.as_made(owners[0]) if len(owners) == 1 else None

    def opaque_call(self, function: Any, args: list[Any], named: dict[str, Any]) -> Opaque:
        path = "call"
        if isinstance(function, Library):
            path = function.path
        elif isinstance(function, Opaque):
            path = function.name
        everything = [*args, *named.values()]
        if isinstance(function, Opaque) and function.inputs and not _is_whole_model(function):
            everything.append(function)
        found = Opaque(
            f"{path}(...)", "call", self.line, callee=path, inputs=names_inputs(everything)
        )
        found.rows = max((self.folded(value) for value in everything), default=0)
        # An output object with its parts: `Output(loss=loss, recon=x_hat)`.
        found.items.update({k: v for k, v in named.items() if isinstance(v, Node) and v.deps})
        # What came of shapes that do not go together is no term of its own.
        found.broken = any(isinstance(v, Opaque) and v.broken for v in [function, *everything])
        return found

    def folded(self, value: Any) -> int:
        """The rows of draws of z of which several of an image follow each other in the batch."""
        if isinstance(value, Opaque):
            return value.rows
        sizes = self.sizes
        latent = isinstance(value, Node) and value.shape[1:] == sizes.latents
        if not latent or value.shape[0] <= sizes.batch or value.shape[0] % sizes.batch:
            return 0
        drawn = any(dep == "z" or dep.startswith("noise") for dep in value.deps)
        return value.shape[0] if drawn else 0

    # -- the code's own functions -------------------------------------------------------------
    def call_closure(self, closure: Closure, args: list[Any], named: dict[str, Any]) -> Any:
        if set(words_of(closure.name)) & PERCEPTUAL:
            return self.opaque_call(Opaque(closure.name, "argument", self.line), args, named)
        if _yields(closure.node):
            # A generator runs when it is looped over, and then it gives data.
            return self.opaque_call(Opaque(closure.name, "argument", self.line), args, named)
        if self.calls >= MAX_CALLS:
            # A function that calls itself, to print what lies inside of what: no loss is so deep.
            return self.opaque_call(Opaque(closure.name, "argument", self.line), args, named)
        if closure.bound is not None:
            args = [closure.bound, *args]
        scope = Scope({}, closure.scope)
        self.bind_arguments(closure, args, dict(named), scope)
        line = self.line
        self.calls += 1
        self.called.add(getattr(closure.node, "lineno", 0))
        self.frames.append(closure)
        try:
            return self.run_body(closure, scope)
        finally:
            self.frames.pop()
            self.calls -= 1
            self.line = line

    def bind_arguments(
        self, closure: Closure, args: list[Any], named: dict[str, Any], scope: Scope
    ) -> None:
        """Arguments to parameters; what is missing is a default, or not known."""
        spec = closure.node.args
        positional = [a.arg for a in (*spec.posonlyargs, *spec.args)]
        defaults = closure.defaults
        star = next((a for a in args if isinstance(a, Spread)), None)
        given = args[: args.index(star)] if star is not None else args
        for name, value in zip(positional, given, strict=False):
            scope.names[name] = self.hinted(value, name)
        rest = positional[len(given) :]
        if star is not None:
            for place, name in enumerate(rest):
                if name not in named:
                    scope.names[name] = self.hinted(self.item(star.value, place), name)
        if spec.vararg:
            extra = tuple(given[len(positional) :])
            scope.names[spec.vararg.arg] = (
                (star.value if star is not None and not extra else extra)
                if args
                else Opaque(spec.vararg.arg, "argument", self.line)
            )
        annotations = {
            a.arg: a.annotation for a in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)
        }
        for name in (*rest, *(a.arg for a in spec.kwonlyargs)):
            if name in scope.names:
                continue
            if name in named:
                scope.names[name] = self.hinted(named.pop(name), name)
            elif name in defaults:
                scope.names[name] = self.default_argument(name, defaults[name])
            else:
                scope.names[name] = self.missing_argument(name, annotations.get(name), closure)
        if spec.kwarg:
            left = {k: v for k, v in named.items() if k not in positional and k != "**"}
            whole = Opaque(spec.kwarg.arg, "argument", self.line)
            whole.items.update({k: v for k, v in left.items() if isinstance(v, Opaque)})
            scope.names[spec.kwarg.arg] = left if left else whole

    def hinted(self, value: Any, name: str) -> Any:
        """Remember another name of a value that is not resolved yet."""
        says = name not in ("self", "_", "args", "kwargs")
        if says and isinstance(value, Opaque) and value.node is None and name not in value.hints:
            value.hints.append(name)
        return value

    def default_argument(self, name: str, value: Any) -> Any:
        probe = Opaque(name, "argument", self.line)
        given = self.given_constant(probe)
        role = self.given_role(probe)
        if role and role != "constant":
            return probe
        if given is not None:
            return self.settle(name, given)
        if value is None:
            probe.may_be_none = True
            return probe
        if type(value) is int and (size := self.said_size(name)) is not None:
            return size
        if value is False and set(words_of(name)) & {"training", "train"}:
            return True
        if isinstance(value, int | float) and not isinstance(value, bool):
            self.use(Used(name, self.line, value, "default", (name,)))
        return value

    def settle(self, name: str, value: Any) -> Any:
        """A constant that the reader has set."""
        self.use(Used(name, self.line, value, "given", (name,)))
        return value

    def missing_argument(self, name: str, annotation: ast.expr | None, closure: Closure) -> Any:
        if annotation is not None:
            owner = self.annotated_class(annotation, closure.scope)
            if owner is not None:
                return self.as_made(owner)
        if name == "F" and closure.name == "hybrid_forward":
            # Gluon hands the module of its operations over.
            return Library("mxnet.nd")
        if (model := self.only_model(name)) is not None:
            return model
        return Opaque(name, "argument", getattr(closure.node, "lineno", self.line))

    def only_model(self, name: str) -> Instance | None:
        """The object of the file's own model, where ``name`` is that of one and none was made."""
        if not self.setup.model or name not in MODELS or self.calls > 8:
            return None
        if "model" not in self.made:
            owner = self.module.names.get(self.setup.model)
            if not isinstance(owner, ClassValue):
                return None
            self.made["model"] = self.as_made(owner)
        return self.made["model"]

    def annotated_class(self, annotation: ast.expr, scope: Scope) -> ClassValue | None:
        """A class of plain settings that was pasted and that annotates an argument."""
        if isinstance(annotation, ast.Name):
            try:
                found = scope.find(annotation.id)
            except KeyError:
                return None
            if isinstance(found, ClassValue) and found.find("forward") is None:
                return found
        return None

    # -- classes and objects ------------------------------------------------------------------
    def as_made(self, owner: ClassValue) -> Any:
        """An object of a class, made with what the file hands over where it makes one."""
        if self.tree is None:
            return self.make_instance(owner, [], {})
        below = self.module.names.get(passed.made_below(self.tree, owner.name))
        if isinstance(below, ClassValue):
            owner = below
        return self.make_instance(owner, [], self.handed(passed.to_class(self.tree, owner.name)))

    def handed(self, found: dict[str, Any]) -> dict[str, Any]:
        """Arguments that the file hands over, as values; what the reader has said is left out."""
        given: dict[str, Any] = {}
        for name, value in found.items():
            probe = Opaque(name, "argument", self.line)
            if self.given_constant(probe) is not None or self.given_role(probe):
                continue
            if value is False and set(words_of(name)) & {"training", "train"}:
                # Made to be run alone; what is read is how it is trained.
                continue
            if isinstance(value, ast.expr):
                given[name] = self.value(value, self.module)
            elif isinstance(value, passed.Said):
                given[name] = self.hinted(Opaque(value.text, "argument", self.line), name)
            elif isinstance(value, passed.Unsure):
                probe.swept = True
                given[name] = probe
            else:
                if isinstance(value, int | float) and not isinstance(value, bool):
                    self.use(Used(name, self.line, value, "default", (name,)))
                given[name] = value
        return given

    def make_instance(self, owner: ClassValue, args: list[Any], named: dict[str, Any]) -> Any:
        if args and _is_variable(owner):
            # A value that a module of flax holds under a class of its own.
            self.held.setdefault(owner.name, []).append(args[0])
            return args[0]
        found = Instance(owner)
        fields = records.fields_of(owner) or [n for n in owner.members if not n.startswith("__")]
        start = owner.find("__init__") or owner.find("setup")
        if isinstance(start, Closure) and self.calls < 6:
            from vae.your_loss.interpreter import RaiseSignal

            bound = Closure(start.node, start.scope, found, owner, start.defaults)
            # Its checks of settings are not met by guesses.
            with suppress(RaiseSignal):
                self.call_closure(bound, args, named)
        else:
            for name, value in zip(fields, args, strict=False):
                found.attributes[name] = value
            found.attributes.update({name: v for name, v in named.items() if name != "**"})
        return found

    def call_instance(self, owner: Instance, args: list[Any], named: dict[str, Any]) -> Any:
        perceptual = set(words_of(owner.owner.name)) & PERCEPTUAL
        for name in () if perceptual else CALLED:
            member = owner.owner.find(name)
            if isinstance(member, Closure):
                bound = Closure(member.node, member.scope, owner, owner.owner, member.defaults)
                return self.call_closure(bound, args, named)
        return Opaque(
            f"{owner.owner.name}(...)", "call", self.line, callee=owner.owner.name,
            inputs=names_inputs([*args, *named.values()]),
        )  # fmt: skip

    # -- libraries ----------------------------------------------------------------------------
    def call_library(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:
        last = path.rsplit(".", 1)[-1]
        if _takes_gradient(path, last):
            self.record("gradient", None, args, named)
            return self.opaque_call(Library(path), [], {})
        if (kept := collected.call(self, path, args, named)) is not None:
            return kept
        for read in (self.of_functions, self.as_given, self.newly_made):
            if (found := read(path, last, args, named)) is not _ANOTHER:
                return found
        operation = library.find(path, named, first_tensorflow=self.setup.first_tensorflow)
        if operation is None:
            return self.opaque_call(Library(path), args, named)
        found = self.operate(operation, path, args, named, library.framework_of(path))
        collected.keep_loss(self, path, found)
        return found

    def of_functions(self, path: str, last: str, args: list[Any], named: dict[str, Any]) -> Any:
        """What takes functions or models, and what these sample and hold."""
        if last == "make_template" and len(args) > 1 and isinstance(args[1], Closure):
            # The function whose variables are shared, and what it is always given.
            return Method((args[1], (), dict(named)), "partial")
        if last in ("vmap", "grad", "value_and_grad", "filter_value_and_grad", "filter_grad"):
            return self.transform(last.removeprefix("filter_"), args, named)
        if last in ("fori_loop", "scan", "cond", "while_loop") and path.startswith("jax"):
            return self.once(last, args)
        if path in ("pyro.sample", "numpyro.sample", "numpyro.primitives.sample"):
            return self.site(args, named)
        if last == "scale" and path.split(".")[0] in ("pyro", "numpyro"):
            given = [v for v in args if isinstance(v, int | float | Opaque | Node)]
            return Scaled(named.get("scale", given[0] if given else 1.0))
        if last.endswith("SVI"):
            self.inferred(args, named)
            return Opaque("svi", "call", self.line, callee="SVI")
        if path.startswith("haiku.") and (changed := self.transformed(last, args)) is not None:
            return changed
        if last == "StochasticTensor" and args and isinstance(args[0], Distribution):
            # The first TensorFlow's draw, which holds the density that it is one of.
            return args[0]
        if last == "pop" and path.startswith("flax") and len(args) == 2:
            kind = args[1].name if isinstance(args[1], ClassValue) else ""
            return self.held.pop(kind, [])
        return _ANOTHER

    def as_given(self, path: str, last: str, args: list[Any], named: dict[str, Any]) -> Any:
        """What gives back what it is given, in another form or as plain numbers."""
        if last in ("tree_leaves", "leaves") and args and isinstance(args[0], list):
            return args[0]
        if last == "namedtuple" and (record := records.named_tuple(args)) is not None:
            return record
        if last == "is_grad_enabled":
            # What is read is a step of training.
            return not self.no_gradient
        if last in ("Size", "TensorShape") and len(args) == 1:
            return args[0]
        if last in ("prod", "reduce_prod") and args and (sides := self.sides(args[0])) is not None:
            return math.prod(sides)
        if path in ("itertools.repeat", "itertools.cycle") and len(args) == 1:
            return list(args[0]) if isinstance(args[0], list | tuple) else [args[0]]
        if last == "pack_padded_sequence" and args:
            return self.packed(args[0])
        if last == "diag_embed" and len(args) == 1 and not named:
            return Diagonal(args[0])
        return _ANOTHER

    def newly_made(self, path: str, last: str, args: list[Any], named: dict[str, Any]) -> Any:
        """Wrappers, layers of densities and parameters."""
        if last in WRAPPERS:
            return self.wrap(last, path, args, named)
        if last == "Parameter" and args and named.get("requires_grad") is False:
            return args[0]
        if (layer := density_layers.build(self, path, args, named)) is not None:
            return layer
        made = last in ("Variable", "get_variable") and path.startswith("tensorflow")
        if last == "Parameter" or made:
            weights = any(_is_drawn(value) for value in (*args, *named.values()))
            if last != "get_variable" or weights:
                return Opaque(
                    "parameter", "call", self.line, learned=True, callee=last, weights=weights
                )
        return _ANOTHER

    def transformed(self, last: str, args: list[Any]) -> Transformed | None:
        """``hk.transform(f)``, with a state and without a key of random numbers."""
        inner = args[0] if args else None
        if last in ("transform", "transform_with_state") and isinstance(inner, Closure):
            stateful = last != "transform"
            return Transformed(inner, 3 if stateful else 2, stateful)
        if last == "without_apply_rng" and isinstance(inner, Transformed):
            return Transformed(inner.function, inner.before - 1, inner.stateful)
        return None

    def packed(self, value: Any) -> dict[Any, Any]:
        """Sequences one after the other, without their padding: read as if there were none."""
        found = value
        if isinstance(value, Opaque) and self.role_of(value) in ("target", "output"):
            with suppress(NoRole, NotKnown, Misfit):
                found = self.node(value)
        if isinstance(found, Node) and found.ndim > 1:
            self.note("assumed", "padding is read as if there were none.")
            shape = (found.shape[0] * found.shape[1], *found.shape[2:])
            found = graph.apply(
                lambda a: arrays.reshape(a, shape), found, line=self.line, name="reshape"
            )
        return {"data": found, 0: found}

    def with_sizes(self, last: str, values: list[Any]) -> list[Any]:
        """The arguments of ``last``, with sizes that are known as numbers where it takes sizes."""
        if last in SIZED:
            values = [self.peek(value) for value in values]
        if last in SHAPED:
            values = [self.sized(value) for value in values]
        if self.setup.classes and last in ("view", "reshape"):
            values[1:] = [self.sized(value) for value in values[1:]]
        return values

    def operate(
        self, operation: Any, name: str, args: list[Any], named: dict[str, Any], framework: str
    ) -> Any:
        """An operation of the vocabulary; where it cannot be done its result is not known."""
        spread: list[Any] = []
        for value in self.moments(name, args):
            if isinstance(value, Spread):
                if not isinstance(value.value, list | tuple):
                    again = self.pictures_again(name, args)
                    return self.opaque_call(Library(name), args, named) if again is None else again
                spread += value.value
            else:
                spread.append(value)
        last = name.rsplit(".", 1)[-1]
        if last in PRODUCTS and any(self.is_weight(v) for v in spread):
            return self.opaque_call(Library(name), spread, named)
        if last in JOINED and spread and self.is_unmade(spread[0]):
            return self.opaque_call(Library(name), spread, named)
        if last in ("view", "reshape") and self.is_layer(spread):
            return self.opaque_call(Library(name), spread, named)
        if last in PARTED and spread and self.is_network(spread[0]):
            # What a network gives is as long as its parts need: they are told by their names.
            return spread[0]
        spread = self.with_sizes(last, spread)
        call = Call(self, spread, named, framework)
        for _ in range(6):
            try:
                return operation(call)
            except NoRole as missing:
                beside = [] if last in ("view", "reshape") else [*spread, *named.values()]
                # A mask of pictures, and not of what is not known either.
                masks = any(map(is_mask, missing.value.names)) and any(
                    isinstance(v, Opaque) and self.role_of(v) in ("target", "output")
                    for v in beside
                )
                if not masks and not _has_node(beside, missing.value):
                    return self.unresolved_result(name, spread, named, missing.value)
                self.unknown_leaf(missing.value)
            except NotKnown as error:
                reason = f"{name.rsplit('.', 1)[-1]} {error} is not known here"
                return self.failed(name, spread, named, reason)
            except Misfit as error:
                reason = f"{name.rsplit('.', 1)[-1]}: {error}"
                found = self.failed(name, spread, named, reason)
                found.broken = True
                return found
            except BROKEN:
                return self.failed(name, spread, named, f"this form of {name} is not known here")
        return self.failed(name, spread, named, "too much in it is not known")

    def is_network(self, value: Any) -> bool:
        """Whether ``value`` is the result of a network that nothing has computed with yet."""
        return isinstance(value, Opaque) and value.node is None and value.source == "call"

    def is_weight(self, value: Any) -> bool:
        """Whether ``value`` may be the weights of a layer: what it multiplies is a network then."""
        if not isinstance(value, Opaque):
            return isinstance(value, dict)
        return self.role_of(value) in ("", "constant")

    def moments(self, name: str, args: list[Any]) -> list[Any]:
        """``Normal(*encode(x))``: a mean and a scale, of a network that is not known."""
        whole = args[0].value if len(args) == 1 and isinstance(args[0], Spread) else None
        unmade = isinstance(whole, Opaque) and whole.node is None
        if not unmade or name.rsplit(".", 1)[-1] not in ("Normal", "MultivariateNormalDiag"):
            return args
        return [self.item(whole, 0), self.item(whole, 1)]

    def is_unmade(self, value: Any) -> bool:
        """Whether a list that is joined is not known: what it is joined to is one value."""
        return isinstance(value, Opaque) and value.node is None and not value.failed

    def is_layer(self, values: list[Any]) -> bool:
        """Whether what a draw of z was made into is brought to other sizes than a picture's.

        It is a layer on the way to the output then, though it may have the output's letter.
        """
        value, *shape = values or [None]
        if len(shape) == 1 and isinstance(shape[0], list | tuple):
            shape = list(shape[0])
        made = isinstance(value, Opaque) and value.node is None
        if not made or value.source not in ("call", "operation") or len(shape) < 4:
            return False
        sides = [side for side in shape[1:] if type(side) is int and side > 0]
        if len(sides) < len(shape) - 1 or math.prod(sides) == self.sizes.pixels:
            return False
        sure = any(found.sure > 1 for name in value.names for found in guess(name)[:1])
        drawn = any(name == "z" or name.startswith("noise") for name in value.inputs)
        return drawn and not sure and not self.given_role(value) and not self.setup.classes

    def sized(self, value: Any) -> Any:
        """The number behind a name of a size, such as ``latent_dim``, where a shape is said."""
        if isinstance(value, list | tuple):
            return [self.sized(item) for item in value]
        if not isinstance(value, Opaque):
            return value
        default = self.default_of(value)
        if self.setup.classes and self.role_of(value) == "classes":
            return self.resolve(value)
        if default is not None:
            said = self.said_size(value.name)
            return default if said is None else said
        return self.resolve(value) if self.role_of(value) in ("batch", "latents") else value

    def pictures_again(self, name: str, args: list[Any]) -> Node | None:
        """``x.view(-1, *self.shape)``: pictures in their own shape, which is not known."""
        if name.rsplit(".", 1)[-1] not in ("view", "reshape") or len(args) != 3:
            return None
        try:
            node = self.node(args[0])
        except (NoRole, NotKnown):
            return None
        shape = (self.sizes.batch, *self.sizes.image)
        pictures = node.deps & {"target", "output"} and math.prod(node.shape) == math.prod(shape)
        if args[1] not in (-1, self.sizes.batch) or not pictures or node.unshaped:
            return None
        return graph.apply(lambda a: arrays.reshape(a, shape), node, line=self.line, name="reshape")

    def unresolved_result(
        self, name: str, args: list[Any], named: dict[str, Any], missing: Opaque
    ) -> Opaque:
        found = self.opaque_call(Library(name), args, named)
        found.source = "operation"
        found.callee = missing.callee or missing.path
        found.path = f"{name.rsplit('.', 1)[-1]}({missing.name})"
        found.may_be_none = False
        found.broken = missing.broken
        found.picked = missing.picked
        found.failed = found.failed or missing.picked
        return found

    def failed(self, name: str, args: list[Any], named: dict[str, Any], reason: str) -> Opaque:
        if len(self.failures) < 20:
            self.failures.append((self.line, reason))
        found = self.opaque_call(Library(name), args, named)
        found.source = "operation"
        found.callee = reason
        found.failed = True
        found.picked = name.rsplit(".", 1)[-1] == "argmax"
        return found

    def site(self, args: list[Any], named: dict[str, Any]) -> Any:
        """``pyro.sample(name, density, obs=...)``: a term of the ELBO; what is drawn or seen."""
        values = [*args, *(named[k] for k in ("name", "fn") if k in named)]
        if len(values) < 2 or not isinstance(values[1], Distribution):
            self.incomplete = True
            return self.opaque_call(Library("pyro.sample"), args, named)
        name, density = str(values[0])[:80], values[1]
        seen = named.get("obs", values[2] if len(values) > 2 else None)
        if isinstance(seen, Opaque) and seen.may_be_none and seen.node is None:
            seen.may_be_none = False
        if seen is None:
            drawn = self.sites.get(name)
            if drawn is None:
                drawn = self.call_method(Method(density, "sample"), [], {})
                self.sites[name] = drawn
            value, sign = drawn, -1.0 if self.guiding else 1.0
        else:
            value, sign = seen, 1.0
        log_prob = self.call_method(Method(density, "log_prob"), [value], {})
        if not isinstance(log_prob, Node):
            self.incomplete = True
            return value

        def total(a: Array) -> Array:
            whole = arrays.reduce("sum", a, tuple(range(a.ndim)))
            return arrays.elementwise(lambda v: sign * v, whole)

        term: Any = graph.apply(total, log_prob, line=self.line, name="sum")
        for factor in self.scales:
            term = self.times(term, factor)
        if isinstance(term, Node):
            self.terms.append(term)
        self.incomplete |= not isinstance(term, Node)
        return value

    def inferred(self, args: list[Any], named: dict[str, Any]) -> None:
        """``SVI(model, guide, optim, loss)``: minus the ELBO of what both of them sample."""
        model = named.get("model", args[0] if args else None)
        guide = named.get("guide", args[1] if len(args) > 1 else None)
        loss = named.get("loss", args[3] if len(args) > 3 else None)
        said = getattr(loss, "callee", "") or getattr(loss, "path", "")
        if isinstance(model, Closure) and isinstance(guide, Closure) and "ELBO" in said:
            if "Renyi" in said:
                # Another bound, with draws that are weighed.
                return
            self.elbo_of(model, guide)

    def elbo_of(self, model: Closure, guide: Closure) -> None:
        """Run ``guide`` and then ``model`` with the same arguments, and take what they sample."""
        given: dict[str, Any] = {}
        for closure in (guide, model):
            spec = closure.node.args
            for argument in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
                if argument.arg not in ("self", "cls"):
                    found = Opaque(argument.arg, "argument", closure.node.lineno)
                    given.setdefault(argument.arg, found)
        self.sites, self.terms, self.incomplete = {}, [], False
        for closure in (guide, model):
            self.guiding = closure is guide
            names = {a.arg for a in (*closure.node.args.args, *closure.node.args.kwonlyargs)}
            self.call(closure, [], {k: v for k, v in given.items() if k in names})
        if self.terms and not self.incomplete:
            total = self.terms[0]
            for term in self.terms[1:]:
                total = graph.elementwise(np.add, total, term, line=self.line, name="add")
            loss = graph.elementwise(np.negative, total, line=total.line, name="neg")
            self.optimised.append((loss, total.line, "minimize"))

    def wrap(self, last: str, path: str, args: list[Any], named: dict[str, Any]) -> Any:
        """``jit(f)`` is ``f``; ``partial(f, a)`` is a function with an argument given."""
        if not args:
            return Library("wrapper.identity")
        if last == "partial":
            return Method((args[0], tuple(args[1:]), dict(named)), "partial")
        if isinstance(args[0], Closure | Method | Instance | LossObject | Opaque | list | tuple):
            return args[0]
        return self.opaque_call(Library(path), args, named)

    def transform(self, kind: str, args: list[Any], named: dict[str, Any]) -> Any:
        if not args:
            return Method((kind, dict(named)), "decorator")
        return Method((args[0], dict(named)), kind)

    def once(self, kind: str, args: list[Any]) -> Any:
        """One round of a loop of ``jax.lax``, or the first branch of its ``cond``."""
        index = Opaque("i", "loop", self.line)
        if kind == "fori_loop" and len(args) >= 4:
            return self.call(args[2], [index, args[3]], {})
        if kind == "scan" and len(args) >= 2:
            item = Opaque("xs[...]", "loop", self.line)
            carry = self.call(args[0], [args[1], item], {})
            return carry if isinstance(carry, tuple) else (carry, item)
        if kind == "while_loop" and len(args) >= 3:
            return self.call(args[1], [args[2]], {})
        return self.opaque_call(Library(f"jax.lax.{kind}"), args, {})

    def vmapped(self, function: Any, args: list[Any], in_axes: Any) -> Any:
        """``jax.vmap(function)``: its graph for one example, run for each or once for all equal."""
        if isinstance(function, Opaque):
            return self.opaque_call(function, args, {})
        axes = list(in_axes) if isinstance(in_axes, list | tuple) else [in_axes] * len(args)
        if isinstance(function, Closure):
            names = [a.arg for a in function.node.args.args]
            args = [self.hinted(v, n) for v, n in zip(args, names, strict=False)]
        nodes: list[Node | None] = []
        inner: list[Any] = []
        for value, axis in zip(args, axes, strict=False):
            if axis not in (0, None):
                raise NotKnown("vmap over this axis")
            if axis is None or not isinstance(value, Node | Opaque):
                inner.append(value)
                nodes.append(None)
                continue
            node = self.node(value)
            if not node.ndim:
                raise Misfit("vmap over a number")
            name = f"example{len(self.leaves)}"
            placeholder = graph.leaf(name, arrays.index(node.base, (0,)))
            self.leaves[name] = (None, placeholder)
            inner.append(placeholder)
            nodes.append(node)
        result = self.call(function, inner, {})
        whole = [n for n in nodes if n is not None]
        names = [p.leaf for p, n in zip(inner, nodes, strict=True) if n is not None]
        if isinstance(result, tuple | list):
            return tuple(self._over_examples(r, whole, names) for r in result)
        return self._over_examples(result, whole, names)

    def _over_examples(self, result: Any, nodes: list[Node], names: list[str]) -> Any:
        found = self.node(result)
        free = {
            d for d in found.deps if d not in names and not d.startswith(("constant:", "late:"))
        }
        if free:
            raise NotKnown("vmap of a function that uses more than its arguments")
        count = nodes[0].shape[0] if nodes else 0

        def run(*values: Array) -> Array:
            same = all(v.data.shape[0] == 1 for v in values)
            rows = []
            for i in range(1 if same else count):
                env = {n: arrays.index(v, (i,)) for n, v in zip(names, values, strict=True)}
                rows.append(arrays.insert_axis(graph.evaluate(found, env), 0))
            if same:
                return Array(rows[0].data, (count, *rows[0].shape[1:]))
            return arrays.concatenate(rows, 0)

        return graph.apply(run, *nodes, line=self.line, name="vmap")

    # -- methods ------------------------------------------------------------------------------
    def call_method(self, method: Method, args: list[Any], named: dict[str, Any]) -> Any:
        owner, name = method.owner, method.name
        if name == "partial":
            function, first, given = owner
            return self.call(function, [*first, *args], {**given, **named})
        if name == "decorator":
            return Method((args[0] if args else None, owner[1]), owner[0])
        if isinstance(owner, Transformed):
            given = self.call(owner.function, args[owner.before :], named)
            state = Opaque("state", "call", self.line, callee="state")
            return (given, state) if owner.stateful else given
        if name == "vmap":
            return self.operate(
                lambda call: self.vmapped(owner[0], call.args, owner[1].get("in_axes", 0)),
                "vmap", args, named, "jax",
            )  # fmt: skip
        if name in ("grad", "value_and_grad"):
            return self.gradient_of(owner[0], args, named, owner[1], name)
        if isinstance(owner, Node):
            return self.node_method(owner, name, args, named)
        if isinstance(owner, Distribution):
            return self.operate(
                lambda call: distributions.member(call, owner, name), f"distribution.{name}",
                args, named, owner.framework,
            )  # fmt: skip
        if isinstance(owner, str):
            return text_method(owner, name, args)
        if isinstance(owner, dict | list | tuple):
            return self.container_method(owner, name, args, named)
        return self.opaque_method(owner, name, args, named)

    def node_method(self, owner: Node, name: str, args: list[Any], named: dict[str, Any]) -> Any:
        if name == "backward":
            self.optimised.append((owner, self.line, "backward"))
            return None
        if name in ("normal_", "uniform_"):
            return self.noise(owner.shape, name[:-1])
        if name == "new" or name.startswith("new_"):
            return self.new_array(name, args)
        # In-place forms: exp_, mul_, add_.
        operation = library.method(name) or library.method(name.rstrip("_"))
        if operation is None:
            return self.opaque_call(Library(f".{name}"), [owner, *args], named)
        return self.operate(operation, name, [owner, *args], named, "torch")

    def new_array(self, name: str, args: list[Any]) -> Any:
        """``x.new_zeros(shape)``: of the array itself only its kind of number is taken."""
        made = name.removeprefix("new_")
        made = made if made in ("ones", "full", "tensor") else "zeros"
        return self.operate(shaping.TABLE[made], made, args, {}, "torch")

    def container_method(
        self, owner: Any, name: str, args: list[Any], named: dict[str, Any]
    ) -> Any:
        if isinstance(owner, dict):
            if name in ("get", "pop", "setdefault") and args:
                if isinstance(args[0], Opaque):
                    return self.chosen(owner, args[0])
                try:
                    if args[0] in owner:
                        return owner[args[0]]
                except TypeError:
                    return None
                return args[1] if len(args) > 1 else None
            if name in ("items", "keys", "values"):
                return list(getattr(owner, name)())
            if name == "update" and not isinstance(args[0] if args else {}, Opaque):
                owner.update(args[0] if args and isinstance(args[0], dict) else {})
                owner.update(named)
                return None
        if isinstance(owner, list):
            if name == "append" and len(args) == 1 and len(owner) < 4096:
                owner.append(args[0])
                return None
            if name == "extend" and args and isinstance(args[0], list | tuple):
                if len(owner) + len(args[0]) <= 4096:
                    owner.extend(args[0])
                return None
        return Opaque(f"{name}(...)", "call", self.line, callee=name)

    def chosen(self, owner: dict[Any, Any], key: Opaque) -> Any:
        """``losses[setting]``: what the setting says, where it is set; else it is asked for."""
        given = self.given_constant(key)
        default = given if given is not None else self.default_of(key)
        names = [name for name in owner if isinstance(name, str)]
        if default in names:
            if given is not None:
                self.answered.setdefault(key.name, (self.line, default))
            return owner[default]
        if names and any(isinstance(v, LossObject | Closure) for v in owner.values()):
            self.options.setdefault(key.name, (self.line, []))[1].extend(names)
        return Opaque(f"[{key.name}]", "item", self.line)

    def lose(self, value: Opaque) -> None:
        """Keep what is minimised and is not known, where it is made of what a call gave."""
        if value.source in ("operation", "call") and is_term(value.name):
            self.lost.append((self.line, value.name))

    def opaque_method(self, owner: Any, name: str, args: list[Any], named: dict[str, Any]) -> Any:
        """A method of what is not known: the same values, a recorded loss, or not known."""
        if name in RECORDING:
            self.record(name, owner, args, named)
            return Opaque(f"{name}(...)", "call", self.line, callee=name)
        if name == "compile" and isinstance(owner, Instance):
            self.compiled_instance(owner, args, named)
            return None
        if isinstance(owner, Instance) and name.startswith("register_"):
            if len(args) > 1 and isinstance(args[0], str):
                owner.attributes[args[0]] = args[1]
            return None
        if isinstance(owner, Instance | LossObject) and name in SAME:
            # A model or a criterion that is moved to a device: nn.MSELoss().cuda().
            return owner
        if isinstance(owner, DensityLayer) and name == "compile":
            self.compiled({**named, "predicted": density_layers.predicted(self, owner)})
        if not isinstance(owner, Opaque):
            return Opaque(f"{name}(...)", "call", self.line, callee=name, inputs=names_inputs(args))
        if name in _SPREADS and owner.node is None and any(map(is_mask, owner.names)):
            # A mask in other axes is the same mask.
            return owner
        if name in SAME:
            if name in ("train", "eval", "get") and args:
                return self.item(owner, args[0]) if name == "get" else owner
            return owner
        if name in ("scale", "unwrap_model", "unscale_") and len(args) == 1:
            return args[0]
        if name in NEW:
            return self.new_array(name, args)
        if name == "compile":
            self.compiled(named)
            return None
        if name in ("kl", "kl_div", "kl_divergence") and not args and self.is_posterior(owner):
            return self.posterior_kl(owner)
        if name in ("items", "values", "keys"):
            return Opaque(f"{owner.path}.{name}()", "item", self.line, parent=owner)
        pasted = self.only_method(name)
        if pasted is not None:
            return self.call(pasted, args, named)
        if self.role_of(owner) not in ("", "posterior"):
            operation = library.method(name)
            if operation is not None:
                return self.operate(operation, name, [owner, *args], named, "torch")
        return self.unknown_method(owner, name, args, named)

    def unknown_method(
        self, owner: Opaque, name: str, args: list[Any], named: dict[str, Any]
    ) -> Opaque:
        """A method of which no more is known than what it is of and what it is given."""
        found = self.opaque_call(Opaque(f"{owner.path}.{name}", "attribute"), args, named)
        if owner.source in ("call", "operation", "item"):
            found.inputs = found.inputs | owner.inputs
        found.broken = found.broken or owner.broken
        if name == "argmax" or owner.picked:
            found.picked = found.failed = True
        if name == "permute":
            order = args[0] if len(args) == 1 and isinstance(args[0], tuple | list) else args
            if sorted(o for o in order if type(o) is int) == list(range(len(order))):
                found.order = tuple(order)
        operation = library.method(name)
        if operation is not None:
            self.unresolved.setdefault(owner.name, owner)
            found.source = "operation"
        return found

    def only_method(self, name: str) -> Any:
        """The method of that name of the one pasted class that has it: ``self.model.loss(...)``."""
        if not set(words_of(name)) & {"loss", "losses", "elbo", "kl", "kld", "nll", "criterion"}:
            return None
        owners = [
            value
            for value in self.module.names.values()
            if isinstance(value, ClassValue) and isinstance(value.members.get(name), Closure)
        ]
        if len(owners) != 1 or self.calls > 8:
            return None
        return self.attribute(self.as_made(owners[0]), name)

    def attribute(self, owner: Any, name: str) -> Any:
        raise NotImplementedError

    def record(self, name: str, owner: Any, args: list[Any], named: dict[str, Any]) -> None:
        """A value of which gradients are taken is a loss."""
        value = args[0] if args else named.get("loss", owner)
        if name == "minimize" and isinstance(value, Closure):
            value = self.call(value, [], {})
        if isinstance(value, tuple | list) and value:
            value = value[0]
        if isinstance(value, Node):
            if name == "add_loss":
                self.added.append(value)
            else:
                self.optimised.append((value, self.line, name))
        elif isinstance(value, Opaque) and value.node is None and DATA & value.inputs:
            self.lose(value)

    def compiled_instance(self, owner: Instance, args: list[Any], named: dict[str, Any]) -> None:
        """A pasted Keras model: what its call adds stands beside the loss of ``compile``."""
        if len(args) > 1 and "loss" not in named:
            named = {**named, "loss": args[1]}
        if named.get("loss") is None:
            return
        predicted = None
        if isinstance(owner.owner.find("call"), Closure) and self.calls < 6:
            predicted = self.call_instance(owner, [Opaque("inputs", "argument", self.line)], {})
        self.compiled({**named, "predicted": predicted})

    def compiled(self, named: dict[str, Any]) -> None:
        """``model.compile(loss=f)``: Keras calls f(y_true, y_pred) and takes the mean."""
        loss = named.get("loss")
        if isinstance(loss, list | tuple | dict):
            self.compiled_outputs(loss, named.get("loss_weights"))
            return
        if isinstance(loss, str):
            loss = Library(f"keras.losses.{loss}")
        if isinstance(loss, Closure | Library | LossObject):
            x: Any = Opaque("y_true", "argument", self.line)
            y: Any = Opaque("y_pred", "argument", self.line)
            if self.added and {"target", "output"} <= self.leaves.keys():
                # The pictures and outputs of what was added already: the same loss may come twice.
                x, y = self.leaves["target"][1], self.leaves["output"][1]
            if named.get("output") and isinstance(loss, Closure):
                # A further output is no picture: its moments, to be told apart by their names.
                y = Opaque("outputs", "call", self.line, callee="outputs")
                y.inputs = frozenset({"output"})
            if isinstance(named.get("predicted"), Distribution):
                y = named["predicted"]
            value = self.call(loss, [x, y], {})
            if isinstance(value, Node):
                mean = graph.apply(
                    lambda a: arrays.reduce("mean", a, tuple(range(a.ndim))), value, name="mean"
                )
                self.optimised.append((mean, self.line, "compile"))

    def times(self, value: Any, factor: Any) -> Any:
        """``value`` so often."""
        return self.operate(
            lambda call: call.each(np.multiply, call.node(0), call.node(1), name="mul"),
            "mul", [value, factor], {}, "",
        )  # fmt: skip

    def compiled_outputs(self, losses: Any, weights: Any) -> None:
        """A loss for each output of a Keras model, summed with their weights."""
        names = list(losses) if isinstance(losses, dict) else list(range(len(losses)))
        parts: list[Node] = []
        for place, name in enumerate(names[:8]):
            known = len(self.optimised)
            self.compiled({"loss": losses[name], "output": place})
            del_from = self.optimised[known:]
            del self.optimised[known:]
            given = weights.get(name, 1.0) if isinstance(weights, dict) else 1.0
            if isinstance(weights, list | tuple) and place < len(weights):
                given = weights[place]
            for node, _, _ in del_from:
                weighed = self.times(node, given)
                parts.append(self.node(weighed) if not isinstance(weighed, Node) else weighed)
        if len(parts) != len(names) or not parts:
            return
        total = parts[0]
        for part in parts[1:]:
            total = graph.elementwise(np.add, total, part, line=self.line, name="add")
        self.optimised.append((total, self.line, "compile"))

    def gradient_of(
        self,
        function: Any,
        args: list[Any],
        named: dict[str, Any],
        settings: dict[str, Any],
        kind: str,
    ) -> Any:
        value = self.call(function, args, named)
        first = value[0] if isinstance(value, tuple | list) and value else value
        if isinstance(first, Node):
            self.optimised.append((first, self.line, kind))
        gradient = Opaque("gradients", "call", self.line, callee="grad")
        if kind == "grad":
            return (
                (gradient, value[1])
                if settings.get("has_aux") and isinstance(value, tuple)
                else gradient
            )
        return (value, gradient)

    # -- posteriors of libraries that are known by their method -------------------------------
    def is_posterior(self, owner: Opaque) -> bool:
        words = f"{owner.path} {' '.join(owner.hints)}".lower()
        return any(word in words for word in ("posterior", "latent_dist", "dist"))

    def posterior_kl(self, owner: Opaque) -> Any:
        """``posterior.kl()`` of a diagonal Gaussian: summed over an image's latents."""
        mean = self.item(owner, "mean")
        logvar = self.item(owner, "logvar")
        m, s = self.node(self.hinted(mean, "mean")), self.node(self.hinted(logvar, "logvar"))
        each = graph.elementwise(
            lambda a, b: 0.5 * (a**2 + np.exp(b) - 1.0 - b), m, s, line=self.line
        )
        self.note(
            "assumed",
            f"{owner.path}.kl() is taken as KL(q || N(0, 1)) summed over an image's latents.",
        )
        return graph.apply(
            lambda a: arrays.reduce("sum", a, tuple(range(1, a.ndim))),
            each,
            line=self.line,
            name="sum",
        )

    def item(self, owner: Any, key: Any) -> Any:
        raise NotImplementedError


@once
def _yields(function: ast.AST) -> bool:
    """Whether a function is a generator; what is defined inside of it does not count."""
    inner = list(ast.iter_child_nodes(function))
    while inner:
        node = inner.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner += ast.iter_child_nodes(node)
    return False


_RANDOM = frozenset(
    {"random", "normal", "uniform", "truncated", "xavier", "glorot", "kaiming", "he", "randn"}
    | {"rand", "orthogonal", "scaling"}
)


def _is_drawn(value: Any) -> bool:
    """Whether weights of a layer begin as ``value``: a table of random numbers, or what makes it.

    Random numbers in a row are as often a bias, or a scale.
    """
    if isinstance(value, Node):
        drawn = any(dep.startswith(("noise", "uniform")) for dep in value.deps)
        return drawn and value.ndim > 1
    callee = value.callee if isinstance(value, Opaque) else getattr(value, "path", "")
    return isinstance(callee, str) and bool(_RANDOM & set(words_of(callee)))


def _takes_gradient(path: str, last: str) -> bool:
    """``T.grad(cost, weights)``, ``tf.gradients(loss, weights)``: of a value, not of a function."""
    if path.startswith("theano"):
        return last == "grad"
    if path.startswith("lasagne.updates."):
        return True
    return last == "gradients" and path.split(".")[0] in ("tensorflow", "keras")


def _is_variable(owner: ClassValue) -> bool:
    """Whether a class is one of values that flax's modules hold: ``class Loss(nnx.Variable)``."""
    paths = [base.path for base in owner.bases if isinstance(base, Library)]
    return any(path.endswith(("nnx.Variable", "nnx.Intermediate")) for path in paths)


def _is_whole_model(function: Opaque) -> bool:
    """Whether ``function`` is a model of Keras: what it was built with is not what it is given."""
    return function.callee.rsplit(".", 1)[-1] in ("Model", "Sequential", "Functional")


def _has_node(values: list[Any], missing: Opaque) -> bool:
    """Whether something that is known stands beside what is missing."""
    for value in values:
        if isinstance(value, Node) and value.deps:
            return True
        known = isinstance(value, Opaque) and value is not missing and value.node is not None
        if known and not value.node.is_constant:
            return True
        if isinstance(value, list | tuple) and _has_node(list(value), missing):
            return True
    return False
