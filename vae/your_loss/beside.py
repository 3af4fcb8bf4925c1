"""Terms of a loss beside the one that is read: a second picture, a second group of latents.

A loss may rebuild two things, or ask for the KL of several groups of latents. Each is a term of
its own where nothing else of the loss changes with it.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from vae.your_loss import roles, vocabulary
from vae.your_loss.latent_part import LatentPart, read_latents
from vae.your_loss.pixel_part import read_pixels
from vae.your_loss.probe import Probe
from vae.your_loss.roles import LATENT_SCALES

_PICTURES = frozenset({"target", "output"})
_MOMENTS = frozenset({"mean", *LATENT_SCALES})


def is_latent(leaf: str) -> bool:
    """Whether a leaf is a moment of q(z|x)."""
    return leaf.split("#")[0] in _MOMENTS


def set_aside(probe: Probe, twins: Sequence[str]) -> list[str]:
    """The leaves among ``twins`` that make terms of their own; the probe reads the others.

    Pictures that are compared by their features are set aside before those that are not.
    """
    groups: dict[tuple[str, bool], list[str]] = {}
    for leaf in twins:
        role, _, count = leaf.partition("#")
        if not count or role not in _PICTURES | _MOMENTS:
            return []
        groups.setdefault((count, role in _PICTURES), []).append(leaf)
    found: list[str] = []
    for (count, pictures), leaves in groups.items():
        other = f"output#{count}"
        if pictures and _of_features(probe, "output") and not _of_features(probe, other):
            _exchange(probe, leaves)
        if pictures and _is_label(probe, "target"):
            if _is_label(probe, f"target#{count}"):
                return []
            _exchange(probe, leaves)
        elif pictures and _is_rebuilt(probe, other) and not _is_rebuilt(probe, "output"):
            _exchange(probe, leaves)
        both = {leaf.split("#")[0] for leaf in leaves}
        whole = both == _PICTURES if pictures else "mean" in both and len(both) == 2
        if whole and _is_apart(probe, leaves):
            found += leaves
    return found


def _of_features(probe: Probe, role: str) -> bool:
    """Whether what has ``role`` is by its names a feature of a picture, no picture."""
    value, _ = probe.state.leaves.get(probe.own.get(role, ""), (None, None))
    words: set[str] = set()
    while value is not None:
        words |= {word for name in (*value.names, value.path) for word in roles.words_of(name)}
        value = value.parent
    return bool(words & roles.PERCEPTUAL)


def _words(probe: Probe, role: str) -> set[str]:
    """The words of the names of what has ``role``."""
    value, _ = probe.state.leaves.get(probe.own.get(role, ""), (None, None))
    names = [] if value is None else [*value.names, value.path.partition("(")[0]]
    return {word for name in names for word in roles.words_of(name)}


def _is_label(probe: Probe, role: str) -> bool:
    """Whether what has ``role`` is by its names what a classifier is told, no picture."""
    return bool(_LABELS & _words(probe, role))


def _is_rebuilt(probe: Probe, role: str) -> bool:
    """Whether what has ``role`` is by its names a picture that is made again."""
    return bool(vocabulary.REBUILT & _words(probe, role))


_LABELS = frozenset({"y", "label", "labels", "labeled", "class", "classes", "onehot"})


def _exchange(probe: Probe, leaves: Sequence[str]) -> None:
    """Have the probe read ``leaves`` where it read those of the same roles."""
    for leaf in leaves:
        role = leaf.split("#")[0]
        if role in probe.own and leaf in probe.own:
            probe.own[role], probe.own[leaf] = probe.own[leaf], probe.own[role]
            probe.leaves[role], probe.leaves[leaf] = probe.leaves[leaf], probe.leaves[role]


def _is_apart(probe: Probe, leaves: Sequence[str]) -> bool:
    """Whether changing ``leaves`` adds the same to the loss wherever all others are."""
    low = {leaf: 0.35 + 0.07 * place for place, leaf in enumerate(leaves)}
    high = {leaf: 0.62 - 0.05 * place for place, leaf in enumerate(leaves)}
    changes, sizes = [], []
    for other in probe.others():
        first, second = probe(**low, **other), probe(**high, **other)
        if not (math.isfinite(first) and math.isfinite(second)):
            return False
        changes.append(second - first)
        sizes.append(max(abs(first), abs(second), 1e-300))
    return max(changes) - min(changes) <= 1e-9 * max(sizes)


def weights_of(
    probe: Probe, leaves: Sequence[str], latents: LatentPart
) -> tuple[tuple[str, float], ...] | None:
    """The mean's name and the KL's weight of each group of latents, the first included.

    None where what is asked of a group is no KL to N(0, 1). One group alone gives an empty tuple.
    """
    counts = sorted({leaf.partition("#")[2] for leaf in leaves if is_latent(leaf)})
    if not counts:
        return ()
    if latents.form != "kl" or latents.weight is None:
        return None
    rows = [(_name(probe, "mean"), latents.weight)]
    for count in counts:
        other = replace(probe, own={}, leaves={}, _known={})
        group = [leaf for leaf in leaves if is_latent(leaf) and leaf.endswith(f"#{count}")]
        rows.append((_name(probe, f"mean#{count}"), math.nan))
        _exchange(other, group)
        found = read_latents(other)
        if found.form != "kl" or found.weight is None:
            return None
        rows[-1] = (rows[-1][0], found.weight)
    return tuple(rows)


def unlike(probe: Probe, leaves: Sequence[str], family: str) -> str:
    """The name of another picture that is compared by another cost than ``family``, or ''.

    Numbers by their squared error and classes by their cross-entropy are two beliefs: no one
    number says how they stand to the KL. What a classifier is told is no picture.
    """
    counts = sorted({leaf.partition("#")[2] for leaf in leaves if not is_latent(leaf)})
    for count in counts if "out_scale" not in probe.deps else ():
        if _is_label(probe, f"target#{count}") or _of_features(probe, f"output#{count}"):
            continue
        other = replace(probe, own={}, leaves={}, _known={})
        _exchange(other, [leaf for leaf in leaves if leaf.endswith(f"#{count}")])
        if read_pixels(other).family not in (family, "unknown"):
            return _name(probe, f"output#{count}")
    return ""


def are_equal(weights: Sequence[tuple[str, float]]) -> bool:
    """Whether all groups have one weight."""
    return all(math.isclose(weight, weights[0][1], rel_tol=1e-6) for _, weight in weights)


def _name(probe: Probe, leaf: str) -> str:
    value, _ = probe.state.leaves.get(probe.own.get(leaf, leaf), (None, None))
    return leaf if value is None else value.name


__all__ = ["are_equal", "is_latent", "set_aside", "unlike", "weights_of"]
