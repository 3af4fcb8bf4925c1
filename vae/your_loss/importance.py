"""Losses that weigh several draws of an image by their own loss: importance-weighted bounds.

Where all draws are alike such a loss looks like an ELBO, so it is known by its operations:
a softmax, or the log of a sum of exponentials, of pictures and latents together
(Burda, Grosse & Salakhutdinov 2016, equation 8).
"""

from vae.your_loss import graph, roles
from vae.your_loss.graph import Node

DRAWS = 5
_PICTURES = frozenset({"target", "output"})
_LATENTS = frozenset({"mean", "z", *roles.LATENT_SCALES})


def _joint(node: Node) -> bool:
    kinds = {dep.split("#")[0] for dep in node.deps}
    return kinds >= _PICTURES and bool(kinds & _LATENTS)


def weighted_draws(root: Node) -> Node | None:
    """The log weights of the draws, or None where no draws are weighed by their loss."""
    for node in graph.operations(root):
        if not _joint(node) or not node.args:
            continue
        if node.name in ("softmax", "logsumexp"):
            return node.args[0]
        if node.name == "log":
            inner = node.args[0]
            while inner.name in ("add", "mul", "div", "clamp", "clip") and inner.args:
                inner = max(inner.args, key=lambda arg: len(arg.deps))
            if inner.name in ("sum", "mean") and inner.args[0].name == "exp":
                return inner.args[0].args[0]
    return None


def exponentiated(root: Node) -> bool:
    """Whether the exponential of pictures and latents together enters in another way."""
    return any(node.name == "exp" and _joint(node) for node in graph.operations(root))


def favours_worst(log_weights: Node, target: Node, output: Node) -> bool:
    """Whether a draw weighs the more, the worse it fits the picture."""
    from vae.your_loss import arrays

    def at(error: float) -> float:
        values = {
            target.leaf: arrays.constant(0.3, target.shape),
            output.leaf: arrays.constant(0.3 + error, output.shape),
        }
        return float(graph.evaluate(log_weights, values).data.mean())

    return at(0.4) > at(0.1)
