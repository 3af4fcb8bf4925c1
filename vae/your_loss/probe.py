"""Evaluate a traced loss at chosen pictures and latents: the measurements all readings rest on."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from vae.your_loss import arrays, graph, roles
from vae.your_loss.arrays import Array
from vae.your_loss.graph import Node
from vae.your_loss.state import Sizes, State

MAX_NOISES = 3
MAX_VARIED = 60_000
MAX_VARIED_AXIS = 200_000

Value = float | Array


def variance_of(kind: str, scale: float | np.ndarray) -> float | np.ndarray:
    """sigma^2 of q(z|x) from ``scale`` of the kind 'logvar', 'log_sigma', 'sigma' or 'var'."""
    if kind == "logvar":
        return np.exp(scale)
    if kind == "log_sigma":
        return np.exp(2.0 * np.asarray(scale))
    return np.square(scale) if kind == "sigma" else scale


def scale_from(kind: str, logvar: float | np.ndarray) -> float | np.ndarray:
    """The inverse: the value of that kind whose log variance is ``logvar``."""
    if kind == "logvar":
        return logvar
    if kind == "log_sigma":
        return 0.5 * np.asarray(logvar)
    return np.exp(0.5 * np.asarray(logvar)) if kind == "sigma" else np.exp(logvar)


def gaussian_kl(mean: float | np.ndarray, logvar: float | np.ndarray) -> float | np.ndarray:
    """KL(N(mean, exp(logvar)) || N(0, 1)) in nats (Kingma & Welling 2014, appendix B)."""
    return 0.5 * (np.square(mean) + np.exp(logvar) - 1.0 - logvar)


@dataclass
class Probe:
    """The loss as a function of pictures (x, y) and latents (mean, scale)."""

    root: Node
    state: State
    sign: float = 1.0
    fixed: dict[str, Array] = field(default_factory=dict)
    verify: bool = True
    level: tuple[float, float] = (0.4, 0.4)
    leaves: dict[str, Node] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)
    deps: frozenset[str] = frozenset()
    _noises: list[str] = field(default_factory=list)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    _constants: dict[tuple[str, float], Array] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = {node.leaf: node for node in graph.sort(self.root) if node.leaf}
        # A role that several values of the code have goes to the one that the loss depends on.
        for name in sorted(found):
            role = name.split("#")[0]
            self.own[role if role not in self.own else name] = name
        self.leaves = {role: found[name] for role, name in self.own.items()}
        self.deps = frozenset(self.own)
        self._noises = [n for n in self.deps if n.startswith("noise") or n == "z"]
        # Where the log of an error is taken, no error at all is no number.
        if not math.isfinite(self(target=self.level[0], output=self.level[1])):
            self.level = (0.4, 0.55)

    def bring(self, spans: Mapping[str, tuple[float, float]]) -> None:
        """Have pictures lie in (low, high) where [0, 1] is said."""
        self.spans = dict(spans)
        self._known.clear()

    def at_level(self, **values: Value) -> float:
        """The loss at pictures that are as their outputs, or nearly so."""
        return self(target=self.level[0], output=self.level[1], **values)

    @property
    def sizes(self) -> Sizes:
        return self.state.sizes

    @property
    def scale_kind(self) -> str:
        """The kind of the latents' scale by its role, '' where none is used."""
        return next((kind for kind in roles.LATENT_SCALES if kind in self.deps), "")

    def shape(self, leaf: str) -> tuple[int, ...]:
        if leaf in self.leaves:
            return self.leaves[leaf].shape
        return self.state.leaves[leaf][1].shape

    def array(self, leaf: str, value: Value) -> Array:
        if isinstance(value, Array):
            return value
        key = (leaf, float(value))
        if key not in self._constants:
            self._constants[key] = arrays.constant(key[1], self.shape(leaf))
        return self._constants[key]

    def __call__(self, **values: Value) -> float:
        """The loss (its mean, where it is one number per image), averaged over its noise."""
        plain = not self.fixed and not any(isinstance(v, Array) for v in values.values())
        key = tuple(values.items()) if plain else ()
        if key and key in self._known:
            return self._known[key]
        found = self._average(values)
        if key:
            self._known[key] = found
        return found

    def _average(self, values: Mapping[str, Value]) -> float:
        if len(self._noises) > MAX_NOISES:
            return math.nan
        env = dict(self.fixed)
        for name, value in values.items():
            if name in self.deps:
                env[name] = self.array(name, value)
        for name in self.spans.keys() & env.keys():
            low, high = self.spans[name]
            env[name] = arrays.elementwise(_stretch(low, high), env[name])
        total = 0.0
        for signs in product((1.0, -1.0), repeat=len(self._noises)):
            for name, sign in zip(self._noises, signs, strict=True):
                env[name] = self._draw(sign, values) if name == "z" else self.array(name, sign)
            data = graph.evaluate(self.root, {self.own[n]: v for n, v in env.items()}).data
            total += (
                float(data.reshape(-1)[0])
                if data.size == 1
                else (_mean(data) if data.size else math.nan)
            )
        return self.sign * total / 2 ** len(self._noises)

    def _draw(self, sign: float, values: Mapping[str, Value]) -> Array:
        """z = mean + sigma noise: the draw of the mean and the scale that are probed."""
        mean = self.array("z", values.get("mean", self._base("mean")))
        kind = next((k for k in roles.LATENT_SCALES if k in values or k in self.state.leaves), "")
        if not kind:
            return arrays.elementwise(lambda m: m + sign, mean)
        scale = self.array("z", values.get(kind, self._base(kind)))
        return arrays.elementwise(
            lambda m, s: m + sign * np.sqrt(variance_of(kind, s)), mean, scale
        )

    def _base(self, name: str) -> Value:
        if name in self.leaves:
            return self.leaves[name].base
        return self.state.leaves[name][1].base if name in self.state.leaves else 0.0

    def latents(self, mean: Value, logvar: Value, kind: str) -> dict[str, Value]:
        """The latents of a mean and a log variance, in the terms of the code's scale."""
        own = self.scale_kind or next(
            (k for k in roles.LATENT_SCALES if k in self.state.leaves), ""
        )
        values: dict[str, Value] = {"mean": mean}
        if own:
            if isinstance(logvar, Array):
                values[own] = arrays.elementwise(lambda v: np.asarray(scale_from(kind, v)), logvar)
            else:
                values[own] = float(scale_from(kind, logvar))
        return values

    # -- which inputs matter ----------------------------------------------------------------
    def others(self) -> list[dict[str, Value]]:
        """A few states of pictures and latents, to see whether something is separate from them."""
        kind = self.scale_kind or "logvar"
        return [
            {"target": t, "output": p, **self.latents(m, v, kind)}
            for t, p, m, v in ((0.3, 0.6, 0.5, 0.2), (0.7, 0.4, 2.5, -0.6), (0.2, 0.8, 5.0, 0.9))
        ]

    def effect(self, leaf: str, low: Value = 1.0, high: Value = 2.0) -> str:
        """'none', 'additive' or 'needed': what changing ``leaf`` does to the loss."""
        changes = []
        for other in self.others():
            first, second = self(**{leaf: low}, **other), self(**{leaf: high}, **other)
            if not (math.isfinite(first) and math.isfinite(second)):
                return "needed"
            changes.append((second - first, max(abs(first), abs(second), 1e-300)))
        if all(abs(change) <= 1e-12 * size for change, size in changes):
            return "none"
        spread = max(c for c, _ in changes) - min(c for c, _ in changes)
        return "additive" if spread <= 1e-9 * max(s for _, s in changes) else "needed"

    def matters(self, leaf: str) -> bool:
        """Whether the loss changes with a constant, at latents far from N(0, 1) too.

        The weight of a KL that counts above a threshold alone is seen only there.
        """
        if self.effect(leaf) != "none":
            return True
        far = {"target": 0.3, "output": 0.6, **self.latents(60.0, 0.3, self.scale_kind or "logvar")}
        first, second = self(**{leaf: 1.0}, **far), self(**{leaf: 2.0}, **far)
        return not abs(second - first) <= 1e-12 * max(abs(first), abs(second), 1e-300)

    def is_factor(self, leaf: str) -> bool:
        """Whether the loss, of pictures and latents both, is multiplied by one number as a whole.

        Looked at where its two parts have other shares, so that a weight of one of them is none.
        """
        latent = {"mean", "z", *roles.LATENT_SCALES} & self.deps
        if not latent or not {"target", "output"} <= self.deps:
            return False
        kind = self.scale_kind or "logvar"
        far = {"target": 0.3, "output": 0.6, **self.latents(60.0, 0.3, kind)}
        states = [*self.others(), far]
        if not self.sees_pictures():
            # A cross-entropy of classes that are all alike says nothing of their weight.
            unlike = self.varied("output", 41, 0.05, 0.95)
            if not unlike:
                return False
            states.append({"target": 0.3, "output": unlike[-1][1], **self.latents(0.5, 0.2, kind)})
        ratios = []
        for other in states:
            first, second = self(**{leaf: 1.0}, **other), self(**{leaf: 2.0}, **other)
            if not (math.isfinite(first) and math.isfinite(second) and first):
                return False
            ratios.append(second / first)
        return ratios[0] > 0 and max(ratios) - min(ratios) <= 1e-9 * ratios[0]

    def sees_pictures(self) -> bool:
        """Whether the loss changes with pictures and outputs of one number each."""
        latents = self.latents(0.5, 0.2, self.scale_kind or "logvar")
        first = self(target=0.3, output=0.6, **latents)
        second = self(target=0.7, output=0.45, **latents)
        return not abs(second - first) <= 1e-9 * max(abs(first), abs(second), 1e-300)

    def moves(self, leaf: str) -> bool:
        """Whether the loss changes at all with ``leaf``."""
        other = self.others()[0]
        first, second = self(**{leaf: 1.0}, **other), self(**{leaf: 2.5}, **other)
        return not abs(second - first) <= 1e-12 * max(abs(first), abs(second), 1e-300)

    def joint_effect(self, leaves: Sequence[str]) -> str:
        """'additive' where changing ``leaves`` all at once, each by itself, adds a constant."""
        low = dict.fromkeys(leaves, 1.0)
        high = {leaf: 2.0 + 0.37 * place for place, leaf in enumerate(leaves)}
        changes, sizes = [], []
        for other in self.others():
            first, second = self(**low, **other), self(**high, **other)
            if not (math.isfinite(first) and math.isfinite(second)):
                return "needed"
            changes.append(second - first)
            sizes.append(max(abs(first), abs(second), 1e-300))
        return "additive" if np.ptp(changes) <= 1e-9 * max(sizes) else "needed"

    def late_matters(self, leaf: str) -> bool:
        """Whether a counter of steps still matters when it is large."""
        base = float(self.leaves[leaf].base.data.reshape(-1)[0])
        for other in self.others():
            first, second = self(**{leaf: base}, **other), self(**{leaf: 3.1 * base + 7.0}, **other)
            if not (math.isfinite(first) and abs(first - second) <= 1e-9 * max(abs(first), 1e-12)):
                return True
        return False

    def separable(self) -> bool:
        """Whether the loss is a function of the pictures plus one of the latents."""
        kind = self.scale_kind or "logvar"
        pictures = [(0.3, 0.6), (0.7, 0.45), (0.2, 0.75)]
        latents = [(0.5, 0.2), (3.0, -0.5), (6.0, 0.4)]
        table = np.array(
            [
                [self(target=t, output=p, **self.latents(m, v, kind)) for m, v in latents]
                for t, p in pictures
            ]
        )
        if not np.isfinite(table).all():
            return False
        mixed = table - table[:1] - table[:, :1] + table[0, 0]
        size = max(np.ptp(table), 1e-12 * np.abs(table).max(), 1e-300)
        return bool(np.abs(mixed).max() <= 1e-8 * size)

    # -- pictures and latents that vary along an axis ----------------------------------------
    def varied(
        self, leaf: str, seed: int, low: float, high: float
    ) -> Sequence[tuple[tuple[int, ...], Array]]:
        """Arrays of the shape of ``leaf``, random along one axis each, and along all if small."""
        if not self.verify:
            return []
        shape = self.shape(leaf)
        random = np.random.default_rng(seed)
        folded = {self.shape(name)[:1] for name in ("target", "output") if name in self.leaves}
        # Draws that are folded into the batch: which is whose image is not looked at.
        every = [i for i in range(len(shape)) if i or len(folded) < 2]
        axes: list[tuple[int, ...]] = [(i,) for i in every if 1 < shape[i] <= MAX_VARIED_AXIS]
        if math.prod(shape) <= MAX_VARIED and len(axes) > 1:
            axes.append(tuple(every))
        found = []
        for chosen in axes:
            data = random.uniform(low, high, [s if i in chosen else 1 for i, s in enumerate(shape)])
            found.append((chosen, Array(data, shape)))
        return found


def as_many(target: Array, output: Array) -> Array:
    """Pictures that are all alike along the batch, as many as there are outputs."""
    if target.ndim != output.ndim or target.shape[:1] == output.shape[:1]:
        return target
    alike = target.data.ndim and target.data.shape[0] == 1
    return Array(target.data, (output.shape[0], *target.shape[1:])) if alike else target


def _stretch(low: float, high: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: low + (high - low) * values


def _mean(data: np.ndarray) -> float:
    return float(data.mean())


def per_image(array: Array) -> float:
    """The sum over everything but the first axis, averaged over the first."""
    total = arrays.reduce("sum", array, tuple(range(array.ndim)))
    return float(total.data) / max(array.shape[0], 1)
