"""The mass of a grey level under a logistic: the log of a difference of two of its distribution
function, which is a sigmoid (Salimans et al. 2017, section 2.1)."""

import math
from dataclasses import dataclass

from vae.your_loss import graph
from vae.your_loss.graph import Node
from vae.your_loss.probe import Probe

# What stands between the logarithm and the difference, to keep it away from log 0.
_GUARDS = ("add", "clamp", "clip", "maximum", "clamp_min")
_SIGMOIDS = ("sigmoid", "expit")
_LEVELS = 255


@dataclass(frozen=True)
class LevelMasses:
    """``node`` is the log mass of each value times ``sign``. ``scale`` of the logistic, None where
    it is learned, and ``width`` of a bin, both in units of the code's pixels; ``open_ends``:
    whether black and white have masses of their own, so that all masses sum to 1."""

    node: Node
    sign: int
    scale: float | None
    width: float
    open_ends: bool

    def is_a_level(self, low: float, high: float) -> bool:
        """Whether a bin is as wide as a grey level of pixels from ``low`` to ``high``."""
        return math.isclose(self.width, (high - low) / _LEVELS, rel_tol=0.01)


def find(probe: Probe) -> LevelMasses | None:
    """The masses in the loss of ``probe``; None where there are none."""
    nodes = list(graph.operations(probe.root))
    for node in nodes:
        pair = _sigmoids(node)
        measured = None if pair is None else _measured(probe, *pair)
        if measured is None:
            continue
        outer, sign = _chosen(node, nodes)
        scale, width = measured
        learned = "out_scale" in node.deps
        return LevelMasses(outer, sign, None if learned else scale, width, outer is not node)
    return None


def _chosen(node: Node, nodes: list[Node]) -> tuple[Node, int]:
    """The last choice by pixel that ``node`` is a branch of, and its sign there."""
    outer, sign = node, 1
    inside, turned = node, 1
    for other in nodes:
        if inside not in other.args:
            continue
        if other.name == "neg":
            inside, turned = other, -turned
        elif other.name == "where":
            outer, inside, sign = other, other, turned
    return outer, sign


def _sigmoids(node: Node) -> tuple[Node, Node] | None:
    """The two sigmoids whose difference ``node`` takes the logarithm of."""
    if node.name != "log" or not node.args:
        return None
    inner = node.args[0]
    while inner.name in _GUARDS:
        inner = max(inner.args, key=lambda arg: len(arg.deps))
    if inner.name != "sub" or len(inner.args) != 2:
        return None
    above, below = inner.args
    if any(n.name not in _SIGMOIDS or not {"target", "output"} <= n.deps for n in (above, below)):
        return None
    return above, below


def _measured(probe: Probe, above: Node, below: Node) -> tuple[float, float] | None:
    """(scale, width) where both arguments are straight in x - mean; None where they are not."""

    def at(node: Node, target: float, output: float) -> float:
        values = {"target": probe.array("target", target), "output": probe.array("output", output)}
        return float(graph.evaluate(node.args[0], values).data.mean())

    slopes = []
    for node in (above, below):
        here = at(node, 0.3, 0.5)
        up, moved = at(node, 0.7, 0.5) - here, at(node, 0.7, 0.9) - here
        if not math.isfinite(up) or abs(moved) > 1e-9 * abs(up) or up <= 0:
            return None
        slopes.append(up / 0.4)
    gap = at(above, 0.3, 0.5) - at(below, 0.3, 0.5)
    if not math.isclose(*slopes, rel_tol=1e-9) or gap <= 0:
        return None
    return 1.0 / slopes[0], gap / slopes[0]
