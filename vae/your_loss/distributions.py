"""``torch.distributions``, ``tensorflow_probability``, ``distrax``: densities as graphs."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from vae.your_loss import arrays, graph
from vae.your_loss.arrays import Misfit
from vae.your_loss.graph import Node
from vae.your_loss.losses import cross_entropy, cross_entropy_of_logits
from vae.your_loss.operations import Call, NotKnown, Operation, reduce_node, whole, wholes
from vae.your_loss.values import Diagonal, Distribution

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _gaussian(x: Any, loc: Any, scale: Any) -> Any:
    return -0.5 * ((x - loc) / scale) ** 2 - np.log(scale) - HALF_LOG_2PI


def _laplace(x: Any, loc: Any, scale: Any) -> Any:
    return -np.abs(x - loc) / scale - np.log(2 * scale)


def log_normaliser(logit: Any) -> Any:
    """log C of the continuous Bernoulli with this logit (Loaiza-Ganem & Cunningham 2019)."""
    half = 0.5 * np.asarray(logit, dtype=float)
    small = np.abs(half) < 1e-3
    safe = np.where(small, 1.0, half)
    # C = logit / tanh(logit / 2) for the form exp(logit x) / (1 + exp(logit)).
    exact = np.log(2.0 * safe / np.tanh(safe))
    return np.where(small, math.log(2.0) + half**2 / 3.0, exact)


def _build(kind: str, *names: str, event_dims: int = 0) -> Operation:
    def run(call: Call) -> Any:
        parameters: dict[str, Node] = {}
        hints = {"Bernoulli": "output", "ContinuousBernoulli": "output", "Categorical": "output"}
        for place, name in enumerate(names):
            value = call.get(place, *_SPELLINGS.get(name, (name,)), default=None)
            if value is not None:
                hint = hints.get(kind, "")
                if kind in ("Normal", "Laplace") and name == "loc":
                    hint = call.context.moment_of(value)
                if kind in ("Normal", "Laplace") and name in ("scale", "diagonal"):
                    hint = _scale_hint(parameters.get("loc"))
                parameters[name] = call.context.node(value, hint)
        if kind in ("Normal", "Laplace"):
            parameters.setdefault("loc", graph.value_node(0.0))
            parameters.setdefault("scale", graph.value_node(1.0))
            if event_dims and "diagonal" in parameters:
                parameters["scale"] = parameters.pop("diagonal")
        return Distribution(kind, parameters, event_dims, call.context.line, call.framework)

    return run


def _scale_hint(loc: Node | None) -> str:
    """Of what a scale without a telling name is the scale: what stands beside it says so."""
    kinds = {dep.split("#")[0] for dep in loc.deps} if loc is not None else set()
    if kinds == {"mean"}:
        return "sigma"
    return "out_scale" if kinds == {"output"} else ""


_SPELLINGS = {
    "loc": ("loc", "mean", "mu"),
    "scale": ("scale", "stddev", "scale_diag", "std", "sigma"),
    "probs": ("probs", "p", "prob"),
    "logits": ("logits",),
}


def _bernoulli(kind: str) -> Operation:
    """torch takes ``probs`` first, TensorFlow and distrax ``logits``."""

    def run(call: Call) -> Any:
        torch = call.framework in ("torch", "")
        first, second = ("probs", "logits") if torch else ("logits", "probs")
        return _build(kind, first, second)(call)

    return run


def _full_gaussian(call: Call) -> Any:
    """``MultivariateNormal(loc, covariance)`` of torch, with a constant diagonal only."""
    loc = call.node(0, "loc")
    cov = call.get(1, "covariance_matrix", default=None)
    tril = call.get(99, "scale_tril", default=None)
    given = cov if cov is not None else tril
    if isinstance(given, Diagonal):
        scale = call.context.node(given.scale)
        if cov is not None:
            scale = call.each(np.sqrt, scale, name="sqrt")
        return Distribution("Normal", {"loc": loc, "scale": scale}, 1, call.context.line)
    node = call.context.node(given)
    if not node.is_constant or node.ndim != 2 or node.shape[0] > 512:
        raise NotKnown("with a covariance that is computed")
    full = node.base.full()
    if not np.allclose(full, np.diag(np.diag(full))):
        raise NotKnown("with a covariance that is not diagonal")
    diagonal = np.sqrt(np.diag(full)) if cov is not None else np.diag(full)
    from vae.your_loss.arrays import from_numpy

    scale = graph.value_node(from_numpy(np.asarray(diagonal)))
    return Distribution("Normal", {"loc": loc, "scale": scale}, 1, call.context.line)


def _independent(call: Call) -> Any:
    inner = call.get(0, "base_distribution", "distribution")
    if not isinstance(inner, Distribution):
        raise NotKnown("of a distribution that is not known")
    ndim = _batch_ndim(inner)
    count = call.get(1, "reinterpreted_batch_ndims", default=max(ndim - 1, 0))
    return Distribution(
        inner.kind, inner.parameters, inner.event_dims + whole(count), inner.line, inner.framework
    )


def _batch_ndim(found: Distribution) -> int:
    return max((node.ndim for node in found.parameters.values()), default=0)


def _scipy(kind: str, value: str, *names: str) -> Operation:
    """``scipy.stats.norm.logpdf(x, loc, scale)``: a density and its value at once."""

    def run(call: Call) -> Any:
        rest = {name: given for name, given in call.named.items() if name != value}
        args = call.args[0 if value in call.named else 1 :]
        found = _build(kind, *names)(Call(call.context, args, rest, call.framework))
        return log_prob(call, found, call.get(0, value))

    return run


SCIPY: Mapping[str, Operation] = {
    "norm.logpdf": _scipy("Normal", "x", "loc", "scale"),
    "laplace.logpdf": _scipy("Laplace", "x", "loc", "scale"),
    "bernoulli.logpmf": _scipy("Bernoulli", "k", "probs"),
}


_OF_PICTURES = frozenset({"Bernoulli", "ContinuousBernoulli", "Categorical", "Mixture"})


def log_prob(call: Call, found: Distribution, value: Any) -> Node:
    p = found.parameters
    hint = "target" if found.kind in _OF_PICTURES else ""
    x = call.context.node(value, hint)
    if found.kind == "Normal":
        node = call.each(_gaussian, x, p["loc"], p["scale"], name="gaussian_log_prob")
    elif found.kind == "Laplace":
        node = call.each(_laplace, x, p["loc"], p["scale"], name="laplace_log_prob")
    elif found.kind == "Bernoulli":
        if "logits" in p:
            node = call.each(lambda v, a: -cross_entropy_of_logits(a, v), x, p["logits"])
        else:
            node = call.each(lambda v, q: -cross_entropy(q, v), x, p["probs"])
    elif found.kind == "ContinuousBernoulli":
        if "logits" in p:
            node = call.each(
                lambda v, a: -cross_entropy_of_logits(a, v) + log_normaliser(a), x, p["logits"]
            )
        else:
            node = call.each(
                lambda v, q: -cross_entropy(q, v) + log_normaliser(np.log(q) - np.log1p(-q)),
                x,
                p["probs"],
            )
    elif found.kind == "StudentT":
        node = call.each(_student, x, p["df"], p["loc"], p["scale"])
    elif found.kind == "Mixture":
        return _mixture_log_prob(call, found, x)
    elif found.kind == "Categorical" and "logits" in p:
        from vae.your_loss.losses import categorical

        node = call.each(np.negative, categorical(call, p["logits"], x))
    else:
        raise NotKnown(f"the density of {found.kind}")
    return _event_sum(call, node, found.event_dims)


def _mixture(call: Call) -> Any:
    """A mixture: what its parts are does not enter, only how their log density is summed."""
    parts = call.get(1, "component_distribution", "components_distribution", "components")
    if not isinstance(parts, Distribution):
        raise NotKnown("of a distribution that is not known")
    return Distribution("Mixture", {}, parts.event_dims, call.context.line, call.framework)


def _mixture_log_prob(call: Call, found: Distribution, x: Node) -> Node:
    """One value for each of ``x``, or for each event of it, that moves with the output."""
    output = call.context.output()
    events = tuple(range(x.ndim - found.event_dims, x.ndim))

    def run(a: Any, y: Any) -> Any:
        middle = arrays.reduce("mean", y, tuple(range(y.ndim)))
        each = arrays.elementwise(lambda v, m: -((v - m) ** 2), a, middle)
        return arrays.reduce("sum", each, events) if events else each

    return call.run(run, x, output, name="mixture")


def _student(x: Any, df: Any, loc: Any, scale: Any) -> Any:
    df = np.asarray(df, dtype=float)
    flat = df.reshape(-1)
    gammas = [math.lgamma((v + 1) / 2) - math.lgamma(v / 2) for v in flat]
    log_c = np.asarray(gammas).reshape(df.shape) - 0.5 * np.log(df * math.pi) - np.log(scale)
    return log_c - 0.5 * (df + 1) * np.log1p(((x - loc) / scale) ** 2 / df)


def _event_sum(call: Call, node: Node, count: int) -> Node:
    if count <= 0:
        return node
    if count > node.ndim:
        raise Misfit(f"{count} axes of an event in an array of {node.ndim} axes")
    return reduce_node(call, "sum", node, list(range(-count, 0)))


def kl_divergence(call: Call, q: Any, p: Any) -> Node:
    """KL(q || p) in closed form for two Gaussians (Kingma & Welling 2014, appendix B)."""
    if not (isinstance(q, Distribution) and isinstance(p, Distribution)):
        raise NotKnown("of distributions that are not known")
    if q.kind != "Normal" or p.kind != "Normal":
        raise NotKnown(f"of {q.kind} and {p.kind}")
    node = call.each(
        lambda m, s, n, t: np.log(t / s) + 0.5 * (s**2 + (m - n) ** 2) / t**2 - 0.5,
        q.parameters["loc"],
        q.parameters["scale"],
        p.parameters["loc"],
        p.parameters["scale"],
        name="kl",
    )
    return _event_sum(call, node, max(q.event_dims, p.event_dims))


def sample(call: Call, found: Distribution) -> Node:
    """A draw, with its noise as an input of the graph."""
    p = found.parameters
    if found.kind != "Normal":
        raise NotKnown(f"a draw of {found.kind}")
    shape = np.broadcast_shapes(*(node.shape for node in p.values()))
    count = [v for v in call.args if isinstance(v, tuple | list)]
    if call.framework == "numpy" and (drawn := call.get(0, "sample_shape", default=())) != ():
        # Chainer takes a whole number too.
        count = [wholes(drawn)]
    if count and len(count[0]):
        shape = (*(whole(v) for v in count[0]), *shape)
    drawn = call.each(np.multiply, call.context.noise(shape, "normal"), p["scale"])
    return call.each(np.add, p["loc"], drawn, name="add")


def member(call: Call, found: Distribution, name: str) -> Any:
    """A method or a property of a distribution."""
    p = found.parameters
    if name in ("log_prob", "log_likelihood", "log_density"):
        return log_prob(call, found, call.get(0, "value", "x"))
    if name in ("sample", "rsample", "sample_n"):
        return sample(call, found)
    if name in ("mean", "loc", "mode", "mu"):
        if found.kind in ("Normal", "Laplace"):
            return p["loc"]
        if "probs" in p:
            return p["probs"]
    if name in ("stddev", "scale", "std", "sigma") and found.kind == "Normal":
        return p["scale"]
    if name in ("variance", "var") and found.kind == "Normal":
        return call.each(np.square, p["scale"])
    if name in ("probs", "logits") and name in p:
        return p[name]
    if name == "kl_divergence":
        return kl_divergence(call, found, call.get(0, "other"))
    if name == "entropy" and found.kind == "Normal":
        node = call.each(lambda s: np.log(s) + HALF_LOG_2PI + 0.5, p["scale"])
        return _event_sum(call, node, found.event_dims)
    if name in ("to_event", "independent", "expand", "expand_by", "mask"):
        if name in ("to_event", "independent"):
            count = whole(call.get(0, default=_batch_ndim(found)))
            return Distribution(found.kind, p, found.event_dims + count, found.line)
        return found
    raise NotKnown(f".{name} of a distribution")


def _kl_call(call: Call) -> Any:
    return kl_divergence(
        call, call.get(0, "p", "q", "distribution_a"), call.get(1, "q", "p", "distribution_b")
    )


TABLE: Mapping[str, Operation] = {
    "Normal": _build("Normal", "loc", "scale"),
    "MultivariateNormalDiag": _build("Normal", "loc", "scale", event_dims=1),
    "MultivariateNormal": _full_gaussian,
    "Laplace": _build("Laplace", "loc", "scale"),
    "Bernoulli": _bernoulli("Bernoulli"),
    "RelaxedBernoulli": _bernoulli("RelaxedBernoulli"),
    "ContinuousBernoulli": _bernoulli("ContinuousBernoulli"),
    "Categorical": _bernoulli("Categorical"),
    "OneHotCategorical": _bernoulli("OneHotCategorical"),
    "StudentT": _build("StudentT", "df", "loc", "scale"),
    "Independent": _independent,
    "MixtureSameFamily": _mixture,
    "kl_divergence": _kl_call,
    "kl": _kl_call,
}
