"""One traced loss, measured: its pixel part, its latent part, and what stands in the way."""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from vae.your_loss import arrays, beside, importance
from vae.your_loss.graph import Node
from vae.your_loss.latent_part import LatentPart, read_latents
from vae.your_loss.pixel_part import PixelPart, read_pixels
from vae.your_loss.probe import Probe
from vae.your_loss.roles import LATENT_SCALES, is_mask
from vae.your_loss.state import State
from vae.your_loss.values import Opaque

MAX_UNKNOWN = 6
_LATENT = frozenset({"mean", "z", *LATENT_SCALES})
# Whatever their scale, they are normalised: it needs no logarithm beside it.
_NORMALISED = ("mixture", "categorical", "discretised-logistic")


@dataclass
class Examined:
    """What was found, and the reasons why something was not."""

    probe: Probe
    pixels: PixelPart
    latents: LatentPart
    missing: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    blocking: list[str] = field(default_factory=list)
    maximised: bool = False
    separable: bool = True
    twins: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    # Another picture that is compared by another cost than the one that is read.
    unlike: str = ""
    weights: tuple[tuple[str, float], ...] = ()
    learned_rate: float | None = None
    random: bool = False
    adaptive: list[str] = field(default_factory=list)
    # Numbers without a value that multiply the whole loss: no sigma and no beta depends on them.
    factors: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    weighted: Node | None = None
    brought: bool = False

    @property
    def quality(self) -> int:
        """How much of the loss was understood: 3 all of it, 0 nothing."""
        if self.blocking or self.twins or self.adaptive or not self.separable:
            return 0
        good = self.pixels.family not in ("unknown",)
        known = self.latents.form not in ("unknown",)
        both = good and known and self.latents.form != "none"
        return 3 if both and self.latents.form != "wrong" else 2 if both else int(good or known)


def examine(root: Node, state: State, *, verify: bool = True) -> Examined:
    """Measure ``root``. What is not known is looked at first: it must be a term of its own.

    Without ``verify`` only the factors are measured, at equal pictures and latents.
    """
    probe = Probe(root, state, verify=verify)
    found = Examined(probe, PixelPart("unknown"), LatentPart("none"))
    _look_at_inputs(found)
    found.twins = _twins(found)
    if found.twins and not found.blocking and not found.adaptive:
        found.beside = beside.set_aside(probe, found.twins)
        found.twins = [leaf for leaf in found.twins if leaf not in found.beside]
    if found.blocking or found.twins or found.adaptive:
        return found
    both = {"target", "output"} <= root.deps and bool({"mean", "z", *LATENT_SCALES} & root.deps)
    if both and not probe.separable():
        found.separable = False
        return found
    found.weighted = importance.weighted_draws(root)
    if found.weighted is None and importance.exponentiated(root):
        found.separable = False
        return found
    # Draws that differ are weighed, so that they are measured where they are alike.
    probe.verify = probe.verify and found.weighted is None
    found.latents = read_latents(probe)
    weights = beside.weights_of(probe, found.beside, found.latents)
    if weights is None:
        found.twins = [leaf for leaf in found.beside if beside.is_latent(leaf)]
        return found
    if not beside.are_equal(weights):
        # No one number is the weight of the KL.
        found.weights = weights
        found.latents = replace(found.latents, weight=None)
    found.pixels = _read_pixels(found)
    # A scale that is learned is that of pictures as they are.
    whole = {"target", "output"} <= probe.deps and "out_scale" not in probe.deps
    if found.pixels.family == "unknown" and whole:
        _read_brought(found)
    if found.beside and found.pixels.family != "unknown":
        found.unlike = beside.unlike(probe, found.beside, found.pixels.family)
    _orient(found)
    return found


def _read_brought(found: Examined) -> None:
    """Pictures in [-1, 1] or in bytes that the loss itself brings to [0, 1]."""
    signed, octets = (-1.0, 1.0), (0.0, 255.0)
    crossed = ("bernoulli", "continuous-bernoulli")
    ways = (
        ({"target": signed}, crossed),
        ({"target": signed, "output": signed}, crossed),
        ({"target": octets}, (*crossed, "gaussian", "laplace")),
    )
    for spans, families in ways:
        found.probe.bring(spans)
        pixels = _read_pixels(found)
        if pixels.family in families and pixels.weight is not None:
            found.pixels = pixels
            found.brought = True
            return
    found.probe.bring({})


def _look_at_inputs(found: Examined) -> None:
    probe = found.probe
    unknown = [leaf for leaf in sorted(probe.deps) if leaf.startswith("unknown")]
    broken = [leaf for leaf in unknown if _is_broken(probe.state.leaves[leaf][0])]
    found.blocking += broken
    unknown = [leaf for leaf in unknown if leaf not in broken]
    masks = [leaf for leaf in unknown if _is_mask(probe, leaf)]
    for leaf in masks:
        probe.state.line, name, _ = probe.state.unknown[leaf]
        probe.state.note("assumed", f"{name} is read as if nothing were left out.")
    unknown = [leaf for leaf in unknown if leaf not in masks]
    counted = all(probe.moves(leaf) for leaf in unknown)
    if unknown and counted and probe.joint_effect(unknown) != "needed":
        found.left_out += unknown
    else:
        for leaf in unknown[:MAX_UNKNOWN]:
            effect = probe.effect(leaf)
            # What has no effect as one number may well have one as a mask.
            (found.left_out if effect == "additive" else found.blocking).append(leaf)
        if unknown and not found.blocking:
            found.blocking = unknown
    for leaf in sorted(probe.deps):
        if leaf.startswith("unknown"):
            continue
        if leaf.startswith("stopped:"):
            base = probe.leaves[leaf].base
            moved = arrays.elementwise(lambda v: 1.3 * v + 0.1, base)
            effect = probe.effect(leaf, base, moved)
            (found.adaptive if effect == "needed" else found.silent).append(leaf)
        elif leaf.startswith("constant:"):
            if probe.matters(leaf):
                (found.factors if probe.is_factor(leaf) else found.missing).append(leaf)
        elif leaf.startswith("late:"):
            if probe.late_matters(leaf):
                found.missing.append(leaf)
        elif leaf.startswith("uniform"):
            found.random = True
    # Only what matters needs to be named.
    found.left_out = [leaf for leaf in found.left_out if leaf in probe.deps]


def _is_mask(probe: Probe, leaf: str) -> bool:
    """Whether an input is a mask by its name, and nothing is compared where it is 0."""
    value = probe.state.leaves[leaf][0]
    if value is None or value.broken or not any(map(is_mask, value.names)):
        return False
    latents = probe.latents(0.5, 0.2, probe.scale_kind or "logvar")
    pictures = ({"target": 0.3, "output": 0.6}, {"target": 0.7, "output": 0.55})
    none, one = ([probe(**{leaf: m}, **p, **latents) for p in pictures] for m in (0.0, 1.0))
    return bool(np.isfinite([*none, *one]).all()) and none[0] == none[1] and one[0] != one[1]


def _is_broken(value: Opaque | None) -> bool:
    """Whether a value came of shapes that do not go together, in what may be the loss itself.

    What is made of the output alone, as the residual of an equation, is a term of its own.
    """
    return (
        value is not None
        and value.broken
        and ({"target", "output"} <= value.inputs or bool(value.inputs & _LATENT))
    )


def _twins(found: Examined) -> list[str]:
    """Roles that two values claim, and that both count."""
    deps = found.probe.deps
    twins = [d for d in deps if "#" in d and not d.startswith(("unknown", "constant"))]
    kinds = [k for k in LATENT_SCALES if k in deps]
    return sorted([*twins, *(kinds[1:] if len(kinds) > 1 else [])])


def _read_pixels(found: Examined) -> PixelPart:
    probe = found.probe
    if "out_scale" not in probe.deps:
        return read_pixels(probe)
    values = (0.6, 0.9, 1.3)
    parts: list[PixelPart] = []
    levels: list[float] = []
    for value in values:
        probe.fixed = {"out_scale": probe.array("out_scale", value)}
        parts.append(read_pixels(probe))
        levels.append(probe.at_level())
    probe.fixed = {}
    first = parts[0]
    if first.family in _NORMALISED and all(p.weight == first.weight for p in parts):
        return first
    if first.family not in ("gaussian", "laplace") or any(p.family != first.family for p in parts):
        return replace(
            first, family="unknown", why=first.why or "the learned scale enters in an unknown way"
        )
    weights = np.array([p.weight if p.weight is not None else math.nan for p in parts])
    if not np.isfinite(weights).all():
        return replace(first, family="unknown", why="the learned scale enters in an unknown way")
    return _learned(found, first, weights, np.array(levels))


def _learned(
    found: Examined, first: PixelPart, weights: np.ndarray, levels: np.ndarray
) -> PixelPart:
    """A scale that the loss itself learns: its log must stand beside the error."""
    if np.ptp(weights) <= 1e-9 * np.abs(weights).max():
        if found.probe.effect("out_scale", 0.7, 1.4) == "needed":
            # It is the weight of something else: a sigma that multiplies the KL.
            why = "what was taken for the scale of the pixels is none"
            return replace(first, family="unknown", why=why)
        return first
    power = 0.5 if first.family == "gaussian" else 1.0
    logs = power * np.log(np.abs(weights[0] / weights[1:]))
    rates = (levels[1:] - levels[0]) / (found.probe.sizes.pixels * logs)
    if not np.isfinite(rates).all() or np.ptp(rates) > 1e-4 * np.abs(rates).max():
        return replace(first, family="unknown", why="the learned scale has no normaliser beside it")
    rate = float(rates.mean())
    if rate == 0:
        return replace(
            first, family="unknown",
            why="the learned scale has no logarithm beside it, so it grows without bound",
        )  # fmt: skip
    found.learned_rate = rate
    return PixelPart(f"{first.family}-learned", rate, why="a learned scale")


def _orient(found: Examined) -> None:
    """A loss is minimised: a sum whose error falls when it grows is an ELBO to be maximised."""
    pixels = found.pixels
    size = pixels.weight if pixels.weight is not None else pixels.near
    if size is None and pixels.tail is not None:
        size = pixels.tail
    if size is None or size >= 0:
        return
    found.maximised = True
    found.weights = tuple((name, -weight) for name, weight in found.weights)

    def turn(value: float | None) -> float | None:
        return None if value is None else -value

    found.pixels = replace(
        pixels, weight=turn(pixels.weight), near=turn(pixels.near), tail=turn(pixels.tail),
        constant=turn(pixels.constant),
    )  # fmt: skip
    latents = found.latents
    found.latents = replace(
        latents,
        weight=turn(latents.weight),
        parts=tuple(-p for p in latents.parts) if latents.parts else None,  # type: ignore[arg-type]
    )
    if found.learned_rate is not None:
        found.learned_rate = -found.learned_rate


__all__ = ["Examined", "examine"]
