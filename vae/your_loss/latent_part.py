"""What the loss asks of mu and the log variance: a KL, how much of it, and from which nats on."""

import math
from dataclasses import dataclass

import numpy as np

from vae.your_loss import arrays, graph, roles
from vae.your_loss.arrays import Array, TooLarge
from vae.your_loss.graph import Node
from vae.your_loss.probe import Probe, gaussian_kl, per_image, variance_of

FIT = 1e-6
# Scales that the code computes from the one that is named: as sigma and as its square.
INNER = "inner:"
MAX_INNER = 4
_SCALES = frozenset({"exp", "softplus", "add", "mul", "sigmoid", "clip", "clamp", "square", "sqrt"})


@dataclass(frozen=True)
class LatentPart:
    """``weight`` times the KL of an image in nats, averaged over the batch.

    ``form`` is 'kl' (to N(0, 1)), 'wrong' (other factors on its parts), 'free-bits', 'capacity',
    'inert', 'none' or 'unknown'. ``parts`` are the factors of mean^2, sigma^2 and log sigma^2.
    """

    form: str
    weight: float | None = None
    kind: str = "logvar"
    parts: tuple[float, float, float] | None = None
    prior_mean: float = 0.0
    prior_variance: float = 1.0
    threshold: float | None = None
    extra: bool = False


def read_latents(probe: Probe) -> LatentPart:
    """The latent part of ``probe``, measured at pictures that are equal to their outputs."""
    named = probe.scale_kind
    if not ({"mean", "z", *roles.LATENT_SCALES} & probe.deps):
        return LatentPart("none")
    others = () if _said(probe, named) else roles.LATENT_SCALES
    kinds = [named, *(k for k in others if k != named)] if named else ["logvar"]
    if named and others:
        kinds += [f"{INNER}{place}" for place in range(2 * len(_inner_scales(probe, named)))]
    count = probe.sizes.latent_count
    # Far enough for a capacity to be passed; nearer where means are clamped.
    found = LatentPart("unknown")
    for reach in dict.fromkeys((max(4.0, math.sqrt(1000.0 / count)), 4.0, 2.5)):
        found = _read_at(probe, named, kinds, reach)
        if found.form == "inert" or (found.form == "kl" and (found.weight or 0.0) < 0):
            return _far_out(probe, named, kinds) or found
        if found.form not in ("unknown", "wrong") or found.extra:
            return found
    return found


def _far_out(probe: Probe, named: str, kinds: list[str]) -> LatentPart | None:
    """A capacity that is passed far out only: below it the KL seems to have the wrong sign.

    Where the loss takes the mean over latents, each of them must be far for it to be passed. Free
    bits that were not passed seem to be no KL at all.
    """
    for reach in (16.0, 60.0):
        found = _read_at(probe, named, kinds, reach)
        if found.form in ("capacity", "free-bits"):
            return found
    return None


def _inner_scales(probe: Probe, named: str) -> list[Node]:
    """What the code makes of the scale alone before it stands in a KL: ``softplus(rho)``.

    Whatever the scale is called, sigma may be one of these, or its square.
    """
    leaf = probe.leaves[named]
    return [
        node
        for node in graph.operations(probe.root)
        if node.deps == leaf.deps and node.shape == leaf.shape and node.name in _SCALES
    ][:MAX_INNER]


def _variance(probe: Probe, named: str, kind: str, scale: float | np.ndarray) -> np.ndarray:
    """sigma^2 for values of the named scale, where the KL is one in ``kind``."""
    if not kind.startswith(INNER):
        return np.asarray(variance_of(kind, scale))
    place = int(kind.removeprefix(INNER))
    node = _inner_scales(probe, named)[place // 2]
    values = arrays.from_numpy(np.atleast_1d(np.asarray(scale, dtype=float)))
    try:
        inner = graph.evaluate(node, {probe.leaves[named].leaf: values}).full()
    except (arrays.Misfit, ValueError):
        return np.full(np.shape(scale), math.nan)
    if inner.size != np.size(scale):
        return np.full(np.shape(scale), math.nan)
    inner = inner.reshape(np.shape(scale))
    return inner**2 if place % 2 == 0 else inner


def _said(probe: Probe, named: str) -> bool:
    """Whether the reader, not a name, says which kind of scale it is."""
    value = probe.state.leaves[named][0] if named in probe.state.leaves else None
    return value is not None and bool(probe.state.given_role(value))


def _read_at(probe: Probe, named: str, kinds: list[str], reach: float) -> LatentPart:
    large = [(reach * f, v) for f in (1.0, 1.25, 1.6) for v in (-0.7, 0.0, 0.5)]
    small = [(m, v) for m in (0.0, 0.03, 0.06) for v in (-0.05, 0.0, 0.04)]
    far = _measure(probe, named, large)
    near = _measure(probe, named, small)
    if not (np.isfinite(far).all() and np.isfinite(near).all()):
        return LatentPart("unknown")
    if _flat(far) and _flat(near):
        return (
            LatentPart("inert", 0.0) if _flat_when_varied(probe, named) else LatentPart("unknown")
        )
    for kind in kinds:
        found = _fit(probe, kind, named, large, far, small, near)
        if found is not None:
            return found
    return LatentPart("unknown")


def _measure(probe: Probe, named: str, points: list[tuple[float, float]]) -> np.ndarray:
    """The loss at latents whose scale is drawn so that it suits the role's own kind."""
    kind = named or "logvar"
    return np.array([probe.at_level(**probe.latents(m, v, kind)) for m, v in points])


def _flat(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= 1e-13 * max(np.abs(values).max(), 1e-300))


def _flat_when_varied(probe: Probe, named: str) -> bool:
    """Whether latents have no effect either where they differ between images and axes."""
    leaf = "mean" if "mean" in probe.leaves else (named or "z")
    level = probe.at_level(**probe.latents(4.0, 0.0, named or "logvar"))
    logvars = probe.varied(leaf, 12, -0.6, 0.6)
    for (_, mean), (_, logvar) in zip(probe.varied(leaf, 11, -2.0, 3.0), logvars, strict=True):
        try:
            got = probe.at_level(**probe.latents(mean, logvar, named or "logvar"))
        except TooLarge:
            return False
        if not abs(got - level) <= 1e-12 * max(abs(level), 1e-300):
            return False
    return True


def _as_kind(probe: Probe, named: str, kind: str, logvar: float) -> float:
    """The log variance that a scale of the named kind has when it is read as ``kind``."""
    from vae.your_loss.probe import scale_from

    scale = float(scale_from(named or "logvar", logvar))
    variance = float(_variance(probe, named, kind, scale))
    return math.log(variance) if variance > 0 else math.nan


def _fit(
    probe: Probe, kind: str, named: str, large: list[tuple[float, float]], far: np.ndarray,
    small: list[tuple[float, float]], near: np.ndarray,
) -> LatentPart | None:  # fmt: skip
    count = probe.sizes.latent_count
    far_points = np.array([(m, _as_kind(probe, named, kind, v)) for m, v in large])
    near_points = np.array([(m, _as_kind(probe, named, kind, v)) for m, v in small])
    if not (np.isfinite(far_points).all() and np.isfinite(near_points).all()):
        return None
    far_kl = count * np.asarray(gaussian_kl(far_points[:, 0], far_points[:, 1]))
    near_kl = count * np.asarray(gaussian_kl(near_points[:, 0], near_points[:, 1]))
    weight, offset, exact = _line(far_kl, far)
    if not exact:
        return _fit_parts(probe, kind, far_points, far, near_points, near)
    low_weight, low_offset, low_exact = _line(near_kl, near)
    size = max(abs(weight), 1e-300)
    if _flat(near) or (low_exact and abs(low_weight) <= 1e-6 * size):
        threshold = (float(near.mean()) - offset) / weight
        return LatentPart("free-bits", weight, kind, threshold=threshold)
    if low_exact and abs(low_weight + weight) <= 1e-5 * size:
        return LatentPart("capacity", weight, kind, threshold=(low_offset - offset) / (2 * weight))
    agrees = low_exact and abs(low_weight - weight) <= 1e-5 * size
    # Small differences drown beside a large constant: then only the size decides.
    away = float(np.abs(near - (weight * near_kl + offset)).max())
    if not agrees and away > 1e-9 * max(float(np.abs(near).max()), 1e-300):
        return LatentPart("unknown", kind=kind)
    if not _holds_when_varied(probe, kind, named, weight):
        return LatentPart("unknown", weight, kind, extra=True)
    return LatentPart("kl", weight, kind)


def _line(kl: np.ndarray, values: np.ndarray) -> tuple[float, float, bool]:
    """Slope and offset of ``values`` over ``kl``, and whether they are exact."""
    design = np.stack([kl, np.ones_like(kl)], axis=1)
    (slope, offset), *_ = np.linalg.lstsq(design, values, rcond=None)
    left = np.abs(design @ np.array([slope, offset]) - values).max()
    noise = 1e-13 * np.abs(values).max()
    return float(slope), float(offset), bool(left <= FIT * max(np.ptp(values), 0.0) + noise)


def _fit_parts(
    probe: Probe, kind: str, far: np.ndarray, values: np.ndarray, near: np.ndarray, low: np.ndarray
) -> LatentPart | None:
    """Free factors on the parts of a KL: m^2, m, sigma^2, log sigma^2."""
    points = np.concatenate([far, near])
    both = np.concatenate([values, low])
    mean, logvar = points[:, 0], points[:, 1]
    design = np.stack([mean**2, np.exp(logvar), logvar, mean, np.ones_like(mean)], axis=1)
    coefficients, *_ = np.linalg.lstsq(design, both, rcond=None)
    left = np.abs(design @ coefficients - both).max()
    if left > FIT * np.ptp(both) + 1e-13 * np.abs(both).max():
        return None
    count = probe.sizes.latent_count
    square, variance, log, linear = (float(c) / count for c in coefficients[:4])
    size = max(abs(square), abs(variance), abs(log))
    if size * count <= 1e-10 * np.abs(both).max():
        return None
    square, variance, log, linear = (
        0.0 if abs(c) < 1e-7 * size else c for c in (square, variance, log, linear)
    )
    if log == 0.0 and "mean" not in probe.deps and not probe.scale_kind:
        # A drawn z alone: the log density of a prior, whose KL stands elsewhere.
        return None
    parts = (square, variance, log)
    weight = -2.0 * log
    prior = log / -variance if variance else math.nan
    middle = -linear / (2.0 * square) if square else 0.0
    return LatentPart("wrong", weight, kind, parts, middle, prior)


def _holds_when_varied(probe: Probe, kind: str, named: str, weight: float) -> bool:
    """Whether the same weight holds for latents that differ between images and axes."""
    leaf = "mean" if "mean" in probe.state.leaves else (named or "z")
    means = probe.varied(leaf, 11, 3.0, 5.0)
    for place, (_, mean) in enumerate(means):
        logvars = probe.varied(leaf, 12, -0.6, 0.6)
        logvar = logvars[place][1]
        base = probe.at_level(**probe.latents(4.0, 0.0, named or "logvar"))
        try:
            got = probe.at_level(**probe.latents(mean, logvar, named or "logvar"))
        except TooLarge:
            continue
        kl = arrays.elementwise(
            lambda m, v: np.asarray(gaussian_kl(m, _log_variance(probe, named, kind, v))),
            mean,
            logvar,
        )
        reference = probe.sizes.latent_count * float(
            gaussian_kl(4.0, _as_kind(probe, named, kind, 0.0))
        )
        wanted = weight * (per_image(kl) - reference)
        noise = 1e-12 * max(abs(base), abs(got))
        if abs(got - base - wanted) > 1e-6 * max(abs(wanted), abs(got - base)) + noise:
            return False
    return True


def _log_variance(probe: Probe, named: str, kind: str, logvar: np.ndarray) -> np.ndarray:
    from vae.your_loss.probe import scale_from

    scale = np.asarray(scale_from(named or "logvar", logvar))
    return np.log(_variance(probe, named, kind, scale))


__all__ = ["Array", "LatentPart", "read_latents"]
