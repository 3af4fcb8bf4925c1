"""What the interpreter knows while it runs: sizes, roles, constants, inputs of the graph, notes."""

import ast
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vae.your_loss import arrays, graph, roles
from vae.your_loss.arrays import Misfit
from vae.your_loss.graph import Node
from vae.your_loss.importance import DRAWS
from vae.your_loss.library import framework_of
from vae.your_loss.operations import NotKnown
from vae.your_loss.values import ClassValue, Closure, Library, Method, Opaque, Scope, Spread

# A counter of steps late in a training, and how many there are in all: fewer than were made.
LATE = 1.0e9
ALL = 1.0e4
# Classes of a value where a softmax is over classes; how many does not enter a reading.
CLASSES = 7
# Values at which the code is traced: near the usual, in the domain of every logarithm.
BASES = {
    "target": 0.3,
    "output": 0.6,
    "mean": 0.5,
    "logvar": 0.4,
    "log_sigma": 0.2,
    "sigma": 0.8,
    "var": 0.7,
    "z": 0.35,
    "out_scale": 0.9,
    "prior_mean": 0.0,
}

# What calls a picture the one that is given.
TRUE = frozenset({"true", "gt", "truth", "orig", "original", "real"})
ENCODERS = frozenset({"encode", "encoder", "enc", "encoding"})
DECODERS = frozenset(
    {"decode", "decoder", "decoding", "dec", "generator", "generate", "reconstruct"}
)
# Words of the number of values of an image, computed somewhere.
FLAT = frozenset({"flat", "flattened", "flatten", "input", "image", "img", "pixels", "x"})
ADVERSARIES = frozenset({"disc", "discriminator", "discrim", "critic"})
# What a network of one's own is made of.
LAYERS = frozenset({"matmul", "mm", "dot", "linear", "conv2d_transpose", "conv_transpose2d"})
LAYER_WORDS = frozenset(
    {"linear", "conv", "fc", "lin", "layer", "layers", "dense", "bn", "pool", "relu", "norm"}
    | {"activation", "activations", "dropout", "lstm", "gru", "embed", "embedding", "batchnorm"}
)
# Words of what counts the values of an array.
COUNTING = frozenset({"prod", "len", "numel", "size", "shape"})
# Whose sizes are those of an image.
SIDES_OF_AN_IMAGE = frozenset({"height", "width", "channels", "channel", "pixels", "h", "w"})
# Words of sizes that are none of a picture.
NO_SIDES = frozenset(
    {"latent", "latents", "z", "hidden", "code", "seq", "vocab", "classes", "time"}
)
OF_AN_IMAGE = frozenset({"image", "img", "images", "input", "in", "x", "data", "picture", "obs"})
# What a loop over a network's weights goes through.
NETWORK = frozenset({"trainable", "parameters", "variables", "weights"})
DATA = frozenset({"target", "output", "mean", "logvar", "log_sigma", "sigma", "var", "z"})
# What a picture goes through and is still one.
PREPARES = frozenset(
    {"next", "iter", "preprocess", "normalize", "normalise", "augment", "load", "input"}
    | {"placeholder", "get", "sample", "batch", "dataset", "transform", "images", "read"}
    | {"decode", "array", "asarray", "tensor", "cast", "binarize", "binarise", "pad"}
    | {"interpolate", "resize", "crop", "cuda", "device", "gpu", "variable", "flatten"}
    | {"reshape", "scale", "rescale", "quantize", "standardize", "whiten", "prepare", "cat"}
    | {"concat", "concatenate", "stack"}
)
# What hands out batches.
LOADED = frozenset({"loader", "dataloader", "dataset", "batches", "iterator", "generator"})
# What has an axis of its own for the draws of an image, where a loss compares several.
DRAWN = DATA - {"target"}


def is_of_network(value: Opaque) -> bool:
    """Whether a loop over a network's weights gave ``value``."""
    if value.source != "loop":
        return False
    return bool(set(re.findall("[a-z]+", value.path.lower())) & NETWORK)


class NoRole(Exception):
    """A value that the code does not determine and whose name says nothing."""

    def __init__(self, value: Opaque) -> None:
        super().__init__(value.name)
        self.value = value


@dataclass(frozen=True)
class Sizes:
    """Shapes of an image and of its latents without the batch, and the batch."""

    image: tuple[int, ...] = (784,)
    latents: tuple[int, ...] = (20,)
    batch: int = 128

    @property
    def pixels(self) -> int:
        return math.prod(self.image)

    @property
    def latent_count(self) -> int:
        return math.prod(self.latents)


@dataclass(frozen=True)
class Request:
    """What the reader has said beside the code; None where nothing was said."""

    image: tuple[int, ...] | None = None
    latents: tuple[int, ...] | None = None
    batch: int | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    function: str = ""


@dataclass
class Setup:
    """What a run of the code takes as given."""

    sizes: Sizes = field(default_factory=Sizes)
    roles: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    # Names that have a default as arguments of functions alone.
    of_functions: frozenset[str] = frozenset()
    decisions: Mapping[str, bool] = field(default_factory=dict)
    pixel_scale: bool = False
    classes: str = ""
    draws: str = ""
    # Sizes that the reader has said: an argument's default does not stand against them.
    said: frozenset[str] = frozenset()
    first_tensorflow: bool = False
    first_keras: bool = False
    counters: frozenset[str] = frozenset()
    # First lines of loops that change nothing that is read later: they run once.
    idle: frozenset[int] = frozenset()
    # Weights of an object that are set again while it trains.
    moved: frozenset[str] = frozenset()
    # Weights of the module that a function sets again.
    shared: frozenset[str] = frozenset()
    # Weights of an object that other code sets to one number, once it is made.
    set_later: Mapping[str, float] = field(default_factory=dict)
    # The pasted class that `model` stands for, where nothing says so but that it is the only one.
    model: str = ""
    # Whether `encoder` and `prior`, handed over, are objects of the pasted Encoder and Prior.
    objects: bool = False
    # How often a loop over outputs goes round whose number the code does not say.
    rounds: int = 1
    # Whether what sends no gradient is a loss all the same: a test's, where nothing is trained.
    evaluated: bool = False


@dataclass
class Used:
    """A constant that was met: its value, and where that came from."""

    name: str
    line: int
    value: Any
    source: str
    aliases: tuple[str, ...] = ()


class State:
    """Inputs of the graph, made when a value is first computed with."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.sizes = setup.sizes
        # The code itself, where more than what runs is asked of it.
        self.tree: ast.Module | None = None
        self.module = Scope(settle=self.settle_later)
        self.deferred: set[Any] = set()
        self.line = 0
        self.depth = 0
        self.calls = 0
        self.no_gradient = 0
        self.in_block = 0
        self.leaves: dict[str, tuple[Opaque | None, Node]] = {}
        self.constants: dict[str, Used] = {}
        self.unknown: dict[str, tuple[int, str, str]] = {}
        self.notes: list[tuple[str, int, str]] = []
        self.optimised: list[tuple[Node, int, str]] = []
        self.added: list[Node] = []
        # What gradients are taken of and that is not known, though it is made of data.
        self.lost: list[tuple[int, str]] = []
        self.undecided: dict[str, int] = {}
        # Those of them that a loop inside of one loss asks again in each round.
        self.by_round: set[str] = set()
        self.unresolved: dict[str, Opaque] = {}
        self.globals: dict[str, Opaque] = {}
        self.options: dict[str, tuple[int, list[str]]] = {}
        self.failures: list[tuple[int, str]] = []
        # Functions that a function defines, and the lines of those that were called.
        self.closures: list[Any] = []
        self.called: set[int] = set()
        # Classes that a function or a block defines.
        self.inner: list[ClassValue] = []
        # The functions that run, the innermost last.
        self.frames: list[Closure] = []
        self.over_classes = False
        # Inputs that are each one of several which a loop goes through.
        self.apart: set[str] = set()
        self.made: dict[str, Any] = {}
        # What a model and its guide sample, and the terms of their ELBO.
        self.sites: dict[str, Any] = {}
        self.terms: list[Node] = []
        self.scales: list[Any] = []
        self.guiding = False
        self.incomplete = False
        # Values that modules hold under classes of their own, by class, until they are taken out.
        self.held: dict[str, list[Any]] = {}
        # Whether a layer has added the KL that its regulariser stands for.
        self.regularised = False
        # Which setting a condition asks for, and what the reader has answered.
        self.option_of: dict[str, str] = {}
        self.answered: dict[str, tuple[int, str]] = {}

    def settle_later(self, name: str) -> None:
        """Run what sets ``name`` in the module."""
        raise NotImplementedError

    # -- what operations ask for ----------------------------------------------------------------
    def node(self, value: Any, hint: str = "") -> Node:
        """``value`` as a node; raises ``NoRole`` or ``NotKnown`` where it is none."""
        if isinstance(value, Node):
            return value
        if isinstance(value, Opaque):
            return self.resolve(value, hint)
        if isinstance(value, Method) and isinstance(value.owner, Opaque):
            # An attribute that has the name of a method: outputs.mean.
            owner = value.owner
            if value.name not in owner.items:
                path = f"{owner.path}.{value.name}"
                owner.items[value.name] = Opaque(path, "attribute", self.line, parent=owner)
            return self.resolve(owner.items[value.name], hint)
        if isinstance(value, Library) and not framework_of(value.path):
            # A number of a module that was not pasted: `const.epsilon`.
            if value.path not in self.globals:
                self.globals[value.path] = Opaque(value.path, "attribute", self.line)
            return self.resolve(self.globals[value.path], hint)
        if isinstance(value, bool | int | float | np.number):
            try:
                return graph.value_node(float(value))
            except OverflowError:
                raise NotKnown("with a number too large") from None
        if isinstance(value, np.ndarray):
            return graph.value_node(arrays.from_numpy(value))
        if isinstance(value, list | tuple) and value and len(value) <= 4096:
            return self.listed(value)
        raise NotKnown("with a value that is no number")

    def listed(self, values: Sequence[Any]) -> Node:
        nodes = [self.node(value) for value in values]

        def join(*found: arrays.Array) -> arrays.Array:
            return arrays.concatenate([arrays.insert_axis(a, 0) for a in found], 0)

        return graph.apply(join, *nodes, line=self.line, name="concat")

    def peek(self, value: Any) -> Any:
        """What an unresolved value would be by its name, without its taking the role.

        Who is asked for a shape alone may be another picture than the one that is compared.
        """
        if not isinstance(value, Opaque) or value.node is not None:
            return value
        role = self.role_of(value)
        if role not in DATA:
            return value
        base = self.sizes.image if role in ("target", "output") else self.sizes.latents
        if self.setup.classes or self.setup.draws:
            return value
        return graph.value_node(arrays.constant(0.0, (self.sizes.batch, *base)))

    def noise(self, shape: Sequence[int], kind: str) -> Node:
        """A random draw: an input of its own, averaged over when the loss is probed."""
        if kind != "normal":
            name = f"uniform{len(self.leaves)}"
            base = arrays.constant(0.5, shape)
        else:
            name = f"noise{len(self.leaves)}"
            base = arrays.constant(1.0, shape)
        found = graph.leaf(name, base)
        self.leaves[name] = (None, found)
        return found

    def flat_rows(self, sizes: Sequence[Any], node: Node) -> tuple[int, ...] | None:
        """The shape of ``x.view(-1, self.flat_size)``, the size being one that the code computes.

        Of pictures in rows, the first axis is the batch: the size can only be that of an image.
        """
        if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
            sizes = sizes[0]
        if len(sizes) < 2 or not node.deps & {"target", "output"} or not node.ndim:
            return None
        first, *rest = sizes
        if isinstance(first, Opaque) and self.role_of(first) == "batch":
            first = -1
        if first not in (-1, None, node.shape[0]):
            return None
        whole = len(rest) == 1 and isinstance(rest[0], Spread) and isinstance(rest[0].value, Opaque)
        if whole and math.prod(node.shape[1:]) == self.sizes.pixels:
            # (-1, *self.image_shape): pictures in their own shape.
            return (node.shape[0], *self.sizes.image)
        if any(isinstance(side, Node) and side.deps for side in rest) or len(rest) > 1:
            return self.sides_of(rest, node)
        size = rest[0]
        if not isinstance(size, Opaque):
            return None
        named = {word for name in size.names for word in roles.words_of(name)}
        pixels = math.prod(node.shape[1:])
        counted = set(re.findall("[a-z]+", size.path.lower())) & COUNTING
        if size.node is not None or not (named & FLAT or counted):
            return None
        if self.default_of(size) not in (None, pixels):
            return None
        return (node.shape[0], pixels) if pixels == self.sizes.pixels else None

    def sides_of(self, rest: Sequence[Any], node: Node) -> tuple[int, ...] | None:
        """The shape that ``reshape(x, [-1, h * w * c])`` and ``[-1, h, w, c]`` give to pictures.

        Of sides that no number of the code says, but whose names say that they are an image's.
        """
        pixels = math.prod(node.shape[1:])
        if pixels != self.sizes.pixels or any(not isinstance(s, int | Opaque | Node) for s in rest):
            return None
        names: list[str] = []
        for side in rest:
            if isinstance(side, Opaque) and side.node is None:
                names += side.names
            elif isinstance(side, Opaque | Node):
                inner = side if isinstance(side, Node) else side.node
                met = [self.leaves[dep][0] for dep in inner.deps if dep.startswith(_NUMBERS)]
                if len(met) < len(inner.deps):
                    return None
                names += [name for value in met if value is not None for name in value.names]
        words = {word for name in names for word in roles.words_of(name)}
        if not words & (OF_AN_IMAGE | SIDES_OF_AN_IMAGE) or words & NO_SIDES:
            return None
        if len(rest) == 1:
            return (node.shape[0], pixels)
        image = self.sizes.image
        fits = len(rest) == len(image) and all(
            not isinstance(mine, int) or mine == side
            for mine, side in zip(rest, image, strict=True)
        )
        return (node.shape[0], *image) if fits else None

    def moment_of(self, value: Any) -> str:
        """Of what a location without a telling name is one: of pictures, or of latents."""
        if not isinstance(value, Opaque) or value.source not in ("call", "item", "operation"):
            return ""
        if value.inputs & (DATA - {"target", "output"}):
            return "output"
        return "mean" if "target" in value.inputs and "output" not in value.inputs else ""

    def output(self) -> Node:
        """The decoder's output as a whole, whatever its parts are called."""
        if "output" in self.leaves:
            return self.leaves["output"][1]
        return self.role_leaf(None, "output")

    def chosen_text(self, value: Any, texts: Sequence[str]) -> Any:
        """What a setting says that takes one of ``texts``; one that the code lacks is asked for."""
        if not isinstance(value, Opaque):
            return value
        given = self.given_constant(value)
        if isinstance(given, str):
            self.answered.setdefault(value.name, (self.line, given))
            return given
        default = self.default_of(value)
        if isinstance(default, str):
            return default
        self.options.setdefault(value.name, (self.line, []))[1].extend(texts)
        return None

    def note(self, kind: str, text: str) -> None:
        if len(self.notes) < 40 and (kind, self.line, text) not in self.notes:
            self.notes.append((kind, self.line, text))

    # -- roles ------------------------------------------------------------------------------------
    def given_role(self, value: Opaque) -> str:
        for name in (*value.names, value.path):
            if name in self.setup.roles:
                return self.setup.roles[name]
        return ""

    def role_of(self, value: Opaque, hint: str = "") -> str:
        """The role that was given, or that names suggest; '' where nothing does."""
        given = self.given_role(value)
        if given:
            return given
        if isinstance(self.given_constant(value), int | float):
            return "constant"
        own = self.candidates(value)
        found = list(own)
        if hint and hint not in found and not value.failed and not _is_judged(value):
            # A letter alone, `b`, is a batch only where its place does not say more.
            letter = all(len(name) == 1 for name in value.names)
            found.insert(0 if letter and not DATA & set(found) else len(found), hint)
        for role in found:
            if not self.taken(role, value) or self.is_named_again(role, value):
                return role
        if "target" in own and (hint == "target" or value.source in ("argument", "loop")):
            # Another label than the one that has the role: what is handed over is no output.
            return "target"
        return found[0] if found else self._by_callee(value)

    def is_named_again(self, role: str, value: Opaque) -> bool:
        """Whether the latents' scale is taken by a value of the very same name, met elsewhere.

        A network is built with it in one place, and in another its loss asks for it once more.
        """
        if role not in roles.LATENT_SCALES or role not in self.leaves:
            return False
        other = self.leaves[role][0]
        decoded = any(name == "z" or name.startswith("noise") for name in value.inputs)
        decoded = decoded and not set(roles.words_of(value.callee)) & ENCODERS
        same = other is not None and bool(set(other.names) & set(value.names))
        return same and not decoded and value.source == "item"

    def candidates(self, value: Opaque) -> list[str]:
        """Roles that the names of ``value`` may mean, likeliest first."""
        scored: list[tuple[int, int, str]] = []
        if is_of_network(value) or value.weights:
            return []
        if value.source == "item" and value.parent is not None and value.path.endswith("]"):
            # One of several weights: `betas[epoch]`.
            given_whole = value.parent.source in ("argument", "attribute")
            named = value.parent.names if given_whole else []
            if any(g.role == "constant" and g.sure == 2 for n in named for g in roles.guess(n)):
                return ["constant"]
        for place, name in enumerate(value.names):
            for found in roles.guess(name):
                role = self._plausible(value, found.role)
                listed = value.source == "loop" and not roles.is_late(name)
                called = value.source == "call" and roles.is_term(name)
                if role == "constant" and (value.inputs & DATA or listed or called):
                    # Made of pictures or latents, a term, or taken from a list: no setting.
                    continue
                if role and found.sure:
                    scored.append((-found.sure, place, role))
        return list(dict.fromkeys(role for _, _, role in sorted(scored, key=lambda s: s[:2])))

    def taken(self, role: str, value: Opaque) -> bool:
        """Whether another value has this role already."""
        group = roles.LATENT_SCALES if role in roles.LATENT_SCALES else (role,)
        holders = [self.leaves[name][0] for name in group if name in self.leaves]
        # The same part of the same call, made again: a step of training after an evaluation.
        return role in roles.UNIQUE and any(
            other is not value and not _is_again(other, value) for other in holders
        )

    def _plausible(self, value: Opaque, role: str) -> str:
        """A target is no result of a network, an output is not made of outputs."""
        origin = value
        while origin.source == "item" and origin.parent is not None:
            origin = origin.parent
        moment = role in ("mean", *roles.LATENT_SCALES)
        role = roles.said_otherwise(role, value.names, value.source)
        if origin.failed and role != "constant" and not (moment and self.of_picture(origin)):
            return ""
        drawn = any(name == "z" or name.startswith("noise") for name in origin.inputs)
        if role == "z" and drawn and origin.source in ("call", "operation"):
            # What a layer of the decoder makes of it, under the same name.
            return ""
        decoded = self.decoded_as(value, role)
        if decoded:
            return decoded
        alone = value.source == "call" and "output" not in self.leaves
        if role == "prior_mean" and drawn and alone:
            # p_mean, made of a draw and without a scale beside it: the mean of p(x|z).
            return "output"
        if role in DATA and is_setting(value):
            # What a command line or a configuration gives is a number: args.x0.
            return "constant"
        if role == "output" and "output" in origin.inputs:
            return ""
        if role == "output" and origin.source == "loop" and all(n == "y" for n in value.hints):
            # What a loader gives beside x: a label, or the picture to come.
            return ""
        if role == "output" and set(roles.words_of(origin.callee)) & ENCODERS:
            # Its moments lie side by side, to be split: `out[:, :d]`.
            return ""
        if role in ("target", "output") and set(roles.words_of(origin.callee)) & roles.PERCEPTUAL:
            # Features of a picture are no picture.
            return ""
        if role == "target" and origin.source in ("call", "operation"):
            return self._of_made_picture(value, origin, drawn)
        return role

    def _of_made_picture(self, value: Opaque, origin: Opaque, drawn: bool) -> str:
        """The role of what a call or an operation makes, under the name of a picture."""
        words = set(roles.words_of(origin.callee))
        passed = words & PREPARES
        said = {word for name in value.names for word in roles.words_of(name)} & TRUE
        if said and origin.inputs and "output" not in origin.inputs and not passed:
            # y_true_fft: what is made of the true picture is no output by its name.
            return ""
        if origin.inputs and not passed - {"decode", "sample"}:
            latents = origin.inputs & (DATA - {"target", "output"})
            if words & LAYERS and not latents and not drawn and origin.source == "operation":
                # Weights times the picture, under the name of a layer's input.
                return ""
            # An encoder's own layers, under the name of the picture.
            return "" if words & LAYER_WORDS and not latents and not drawn else "output"
        if words & {"decode", "decoder", "decoding", "generator", "generate"}:
            return "output"
        return "target"

    def decoded_as(self, value: Opaque, role: str) -> str:
        """What a moment is that is made of a draw: a decoder's own ``mu``, where z has one too.

        One that is numbered or tells of a prior may be of a further layer of latents.
        """
        kinds = {"mean": "output", **dict.fromkeys(roles.LATENT_SCALES, "out_scale")}
        if role not in kinds or not self.taken(role, value) or self.taken(kinds[role], value):
            return ""
        words = {word for name in value.names for word in roles.words_of(name)}
        if words & {"z", "q", "prior", "p", "latent", "enc"} or any(w.isdigit() for w in words):
            return ""
        if set(roles.words_of(value.callee)) & ENCODERS:
            # A model of Keras that gives its draw of z beside its moments.
            return ""
        drawn = {"z", "noise"} & {re.sub("[0-9]+$", "", name) for name in value.inputs}
        return kinds[role] if drawn else ""

    def of_picture(self, value: Opaque) -> bool:
        """Whether a value that could not be followed is a network's, of nothing but a picture."""
        return bool(value.inputs) and not value.inputs & (DATA - {"target"})

    def _by_callee(self, value: Opaque) -> str:
        if value.source != "call":
            return ""
        words = set(roles.words_of(value.callee))
        if words & DECODERS:
            return "output"
        drawn = any(name == "z" or name.startswith("noise") for name in value.inputs)
        # What has a name is whole: nothing is added to it before it is compared.
        layer = bool(value.hints) and value.callee.rsplit(".", 1)[-1] in LAYERS
        if drawn and layer and "output" not in value.inputs and "output" not in self.leaves:
            # Weights times a draw of z: the code's own decoder.
            return "output"
        return ""

    def resolve(self, value: Opaque, hint: str = "") -> Node:
        """The input of the graph that ``value`` stands for."""
        if value.node is not None:
            return value.node
        role = self.role_of(value, hint)
        if not role or role == "posterior":
            if value.weights:
                raise NoRole(value)
            if value.learned:
                role = "out_scale"
            elif {name.rsplit(".", 1)[-1] for name in value.names} & self.setup.counters:
                role = "constant"
            else:
                default = self.default_of(value)
                said = self.given_constant(value)
                if isinstance(said, int | float) or isinstance(default, int | float):
                    role = "constant"
                else:
                    self.unresolved.setdefault(value.name, value)
                    raise NoRole(value)
        value.node = self.make_leaf(value, role)
        return value.node

    def make_leaf(self, value: Opaque, role: str) -> Node:
        if role in ("batch", "latents", "pixels", "classes"):
            return graph.value_node(float(self.size_of(role)))
        if role == "constant":
            side = self.side_of_image(value)
            return self.constant(value) if side is None else graph.value_node(float(side))
        if role == "unknown":
            return self.unknown_leaf(value, "it was set aside")
        return self.role_leaf(value, role)

    def sides(self, value: Any) -> tuple[int, ...] | None:
        """The sizes of an image behind a name that says so: ``input_shape``, ``image_size``.

        Asked for where a value is taken apart. A shape has the axes of an image as they are, a
        size its sides alone.
        """
        if not isinstance(value, Opaque) or value.node is not None:
            return None
        if value.source not in ("argument", "attribute") or self.default_of(value) is not None:
            return None
        if self.given_constant(value) is not None or self.given_role(value):
            return None
        image = self.sizes.image
        for name in value.names:
            words = set(roles.words_of(name))
            if (
                not words <= OF_AN_IMAGE | {"shape", "size", "dim", "dims"}
                or not words & OF_AN_IMAGE
            ):
                continue
            if "shape" in words:
                return image
            if "size" in words and len(image) == 3 and image[0] in (1, 3) and image[2] > 3:
                return image[1:]
            return image if words & {"size", "dim", "dims"} else None
        return None

    def side_of_image(self, value: Opaque) -> int | None:
        """The rows, the columns or the channels of an image of several axes, by a whole name."""
        image = self.sizes.image
        if len(image) not in (2, 3) or value.source not in ("argument", "attribute"):
            return None
        if self.given_constant(value) is not None or self.default_of(value) is not None:
            return None
        last = len(image) == 2 or image[2] <= 4 < image[0]
        rows, columns, channels = (*image, 1)[:3] if last else (image[1], image[2], image[0])
        words = set(roles.words_of(value.path))
        named = {"rows": rows, "row": rows, "height": rows, "cols": columns, "col": columns}
        named |= {"columns": columns, "width": columns, "channels": channels, "chns": channels}
        told = words & named.keys()
        alone = words <= {*named, "img", "image", "input"} and len(told) == 1
        return named[told.pop()] if alone else None

    def said_size(self, name: str) -> int | None:
        """The batch or the latents that the reader has said, where ``name`` is that of one."""
        found = roles.guess(name)[:1]
        if not found or found[0].role not in self.setup.said or "hidden" in name:
            return None
        return self.size_of(found[0].role)

    def size_of(self, role: str) -> int:
        if role == "batch":
            return self.sizes.batch
        if role == "classes":
            return CLASSES
        return self.sizes.latent_count if role == "latents" else self.sizes.pixels

    def role_leaf(self, value: Opaque | None, role: str) -> Node:
        name, count = role, 1
        while name in self.leaves:
            count += 1
            name = f"{role}#{count}"
        batch = self.sizes.batch
        plain = not self.setup.classes and not self.setup.draws
        if role == "output" and value is not None and value.rows and plain:
            batch = value.rows
        if role in ("target", "output"):
            shape: tuple[int, ...] = (batch, *self.sizes.image)
            if role == "output" and self.setup.classes:
                shape = {
                    "first": (batch, CLASSES, *shape[1:]),
                    "channel": (batch, CLASSES, *shape[2:]),
                }.get(self.setup.classes, (*shape, CLASSES))
        elif role == "out_scale":
            each = self.setup.pixel_scale or self.is_given_beside_output(value)
            shape = (batch, *self.sizes.image) if each else ()
        else:
            shape = (batch, *self.sizes.latents)
        if self.setup.draws and role in DRAWN:
            first = self.setup.draws == "first"
            shape = (DRAWS, *shape) if first else (batch, DRAWS, *shape[1:])
        order = value.order if value is not None else ()
        if len(order) not in (0, len(shape)):
            raise Misfit(f"permute: {len(order)} axes are put in order, of {len(shape)}")
        base = BASES.get(role, 0.5)
        if role == "prior_scale":
            base = 0.0 if value is None or "log" in value.name.lower() else 1.0
        found = graph.leaf(name, arrays.constant(base, shape))
        self.leaves[name] = (value, found)
        if value is not None and value.apart and role in ("target", "output"):
            self.apart.add(name)
        if order:
            return graph.apply(lambda a: arrays.transpose(a, order), found, name="reshape")
        return found

    def is_given_beside_output(self, value: Opaque | None) -> bool:
        """Whether one call gives a scale and the output: then the scale is one for each pixel."""
        output, _ = self.leaves.get("output", (None, None))
        if value is None or output is None or value.parent is None:
            return False
        return value.source == "item" and value.parent is output.parent

    def is_outputs(self, value: Any) -> bool:
        """Whether a value is a network's output, of which a loop may take one after the other."""
        if isinstance(value, Node):
            return any(dep.startswith("output") for dep in value.deps)
        if not isinstance(value, Opaque):
            return False
        named = {word for name in value.names for word in roles.words_of(name)}
        of_call = value.source == "item" and value.parent is not None
        given = of_call and value.parent is not None and value.parent.source == "call"
        return not named & LOADED and (given or self.role_of(value) == "output")

    # -- constants --------------------------------------------------------------------------------
    def default_of(self, value: Opaque) -> Any:
        """What the code's own defaults say of this name, or None."""
        if value.source == "call" and value.callee.rpartition(".")[2].startswith("placeholder"):
            fed = (f"placeholder:{name.rpartition('.')[2]}" for name in value.names)
            return next((self.setup.defaults[k] for k in fed if k in self.setup.defaults), None)
        if value.swept or value.unset or value.source in ("call", "operation"):
            # What is computed is not what an argument of the same name is without it.
            return None
        loose = self.setup.of_functions if is_setting(value) else frozenset()
        for name in (*value.names, value.path):
            for key in keys_of(name):
                if key in self.setup.defaults and key not in loose:
                    return self.setup.defaults[key]
        return None

    def given_constant(self, value: Opaque) -> Any:
        if not self.setup.constants:
            return None
        for name in (*value.names, value.path):
            for key in keys_of(name):
                if key in self.setup.constants:
                    return self.setup.constants[key]
        # cfg.beta where the code has cfg = Config(), and Config().beta is meant.
        last = value.path.rpartition(".")[2]
        same = [v for k, v in self.setup.constants.items() if k.rpartition(".")[2] == last]
        return same[0] if len(same) == 1 and "." in value.path else None

    def constant(self, value: Opaque) -> Node:
        """A number: given, a default of the code, a late epoch, or one to be asked for."""
        name = value.name
        aliases = tuple(dict.fromkeys([*value.hints, value.path]))
        given = self.given_constant(value)
        if isinstance(given, int | float):
            self.use(Used(name, value.line, given, "given", aliases))
            return graph.value_node(float(given))
        default = self.default_of(value)
        if isinstance(default, int | float):
            self.use(Used(name, value.line, default, "default", aliases))
            return graph.value_node(float(default))
        counters = self.setup.counters
        late = any(roles.is_late(a) or a.rsplit(".", 1)[-1] in counters for a in aliases)
        key = f"late:{name}" if late else f"constant:{name}"
        if key not in self.leaves:
            self.use(Used(name, value.line, None, "late" if late else "missing", aliases))
            counted = any(a.rsplit(".", 1)[-1] in counters for a in aliases)
            ends = late and not counted and roles.is_total(name)
            base = arrays.constant((ALL if ends else LATE) if late else 1.0)
            self.leaves[key] = (value, graph.leaf(key, base, unshaped=True))
        return self.leaves[key][1]

    def use(self, used: Used) -> None:
        self.constants.setdefault(used.name, used)

    # -- what is not known ------------------------------------------------------------------------
    def unknown_leaf(self, value: Opaque, reason: str = "") -> Node:
        """An input of which nothing is known, to be left out if it is a term of its own."""
        if value.node is not None:
            return value.node
        given = self.given_constant(value)
        default = self.default_of(value)
        if isinstance(given, int | float) or isinstance(default, int | float):
            value.node = self.constant(value)
            return value.node
        key = f"unknown:{len(self.unknown)}"
        name = value.path if value.source in ("call", "operation") else value.name
        self.unknown[key] = (value.line, name, reason or value.callee)
        value.node = graph.leaf(key, arrays.constant(1.0), unshaped=True)
        self.leaves[key] = (value, value.node)
        return value.node


# Inputs that may be numbers, of which the code says none.
_NUMBERS = ("constant:", "unknown:")


def _is_judged(value: Opaque) -> bool:
    """Whether a value is what an adversary says of a picture: compared, but no picture."""
    last = value.callee.rsplit(".", 1)[-1]
    judges = set(roles.words_of(last)) & ADVERSARIES
    given = value.source in ("call", "item")
    return given and (bool(judges) or last in ("D", "netD", "net_D"))


def _is_again(one: Opaque | None, two: Opaque) -> bool:
    """Whether two values are the same part of what one call, made twice, has given."""
    return (
        one is not None
        and one.source == two.source == "item"
        and one.path == two.path
        and one.names[:1] == two.names[:1]
    )


def keys_of(name: str) -> list[str]:
    """``self.cfg.beta``, ``cfg.beta`` and ``beta``: what a setting may be called."""
    parts = name.split(".")[-6:]
    return [name, *(".".join(parts[i:]) for i in range(1, len(parts))), key_of(name)]


SETTINGS = frozenset(
    {"args", "arguments", "opt", "opts", "options", "cfg", "config", "conf", "hparams", "flags"}
)


def is_setting(value: Opaque) -> bool:
    """Whether a value was taken from the command line or from a configuration."""
    first, _, rest = value.path.removeprefix("self.").partition(".")
    return bool(rest) and (first.lower() in SETTINGS or "parse_args(" in value.path)


def is_weighing(value: Any, term: Any) -> bool:
    """Whether what multiplies ``term`` is a setting's: ``args.rate``, ``config.KL_SHARE``."""
    if isinstance(value, Library) and not framework_of(value.path):
        value = Opaque(value.path, "attribute")
    if not isinstance(value, Opaque) or value.node is not None or not isinstance(term, Node):
        return False
    first, _, last = value.path.rpartition(".")
    if value.source not in ("attribute", "item", "argument") or not term.deps:
        return False
    return is_setting(value) or (first.isidentifier() and last.isupper())


def key_of(name: str) -> str:
    """'kwargs["M_N"]' -> 'M_N'."""
    if name.endswith("]") and "[" in name:
        return name[name.rindex("[") + 1 : -1].strip("'\"")
    return name
