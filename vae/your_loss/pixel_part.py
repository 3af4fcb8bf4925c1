"""What the loss asks of a pixel: which cost it is, how much of it, and whether it is one at all."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vae.your_loss import arrays, graph, level_masses, roles
from vae.your_loss.arrays import Array, TooLarge
from vae.your_loss.distributions import log_normaliser
from vae.your_loss.graph import Node
from vae.your_loss.level_masses import LevelMasses
from vae.your_loss.losses import cross_entropy, cross_entropy_of_logits
from vae.your_loss.once import text_of
from vae.your_loss.operations import sigmoid
from vae.your_loss.probe import Probe, as_many, per_image

FIT = 1e-7
MAX_CROSSED = 64
Cost = Callable[[np.ndarray, np.ndarray], np.ndarray]

PROBABILITIES = (0.15, 0.35, 0.5, 0.65, 0.9)
LOGITS = (-2.2, -0.7, 0.4, 1.3, 2.6)
TARGETS = (0.1, 0.3, 0.5, 0.8)
_SOFTMAX = re.compile(r"softmax", re.IGNORECASE)
_SIGMOID = re.compile(r"sigmoid|expit", re.IGNORECASE)


@dataclass(frozen=True)
class PixelPart:
    """``weight`` times the summed cost of an image, averaged over the batch.

    ``family`` is a family of the command's JSON; ``inside`` are the inputs of a mixture's parts and
    weights, which need no name; ``near`` is the squared error's factor for small
    errors, ``tail`` the absolute error's for large ones, where the family is in between.
    """

    family: str
    weight: float | None = None
    output: str = "value"
    binary: bool = False
    near: float | None = None
    tail: float | None = None
    width: float | None = None
    constant: float | None = None
    why: str = ""
    inside: frozenset[str] = frozenset()
    levels: LevelMasses | None = None


@dataclass(frozen=True)
class _Hypothesis:
    family: str
    cost: Cost
    output: str
    targets: tuple[float, ...] = TARGETS
    binary: bool = False


def _squared(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return (y - x) ** 2


def _hypotheses() -> list[_Hypothesis]:
    def through(function: Cost) -> Cost:
        return lambda y, x: function(np.asarray(sigmoid(y)), x)

    def binarised(function: Cost) -> Cost:
        return lambda y, x: function(y, (x > 0.5).astype(float))

    def continuous(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return cross_entropy(y, x) - log_normaliser(np.log(y) - np.log1p(-y))

    def continuous_of_logits(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return cross_entropy_of_logits(y, x) - log_normaliser(y)

    def tanh(function: Cost, *, unit: bool) -> Cost:
        if unit:
            return lambda y, x: function(0.5 * (np.tanh(y) + 1.0), x)
        return lambda y, x: function(np.tanh(y), x)

    ends = (0.0, 1.0)
    return [
        _Hypothesis("gaussian", _squared, "value"),
        _Hypothesis("laplace", lambda y, x: np.abs(y - x), "value"),
        _Hypothesis("bernoulli", cross_entropy, "probability"),
        _Hypothesis("bernoulli", cross_entropy_of_logits, "logit"),
        _Hypothesis("continuous-bernoulli", continuous, "probability"),
        _Hypothesis("continuous-bernoulli", continuous_of_logits, "logit"),
        _Hypothesis("gaussian", through(_squared), "logit"),
        _Hypothesis("laplace", through(lambda y, x: np.abs(y - x)), "logit"),
        _Hypothesis("gaussian", tanh(_squared, unit=False), "logit"),
        _Hypothesis("gaussian", tanh(_squared, unit=True), "logit"),
        _Hypothesis("bernoulli", binarised(cross_entropy), "probability", TARGETS, True),
        _Hypothesis("bernoulli", binarised(cross_entropy_of_logits), "logit", TARGETS, True),
        _Hypothesis("bernoulli", cross_entropy, "probability", ends, True),
        _Hypothesis("bernoulli", cross_entropy_of_logits, "logit", ends, True),
        *(_Hypothesis("bernoulli", _guarded(e), "probability") for e in _GUARDS),
        *(_Hypothesis("bernoulli", through(_guarded(e)), "logit") for e in _GUARDS),
    ]


# What is added to a probability before its logarithm is taken, so that there is none of 0.
_GUARDS = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)


def _guarded(small: float) -> Cost:
    """The cross-entropy ``-x log(y + small) - (1 - x) log(1 - y + small)``."""
    return lambda y, x: -(x * np.log(y + small) + (1.0 - x) * np.log(1.0 - y + small))


def read_pixels(probe: Probe) -> PixelPart:
    """The pixel part of ``probe``, measured at a fixed state of the latents."""
    if not ({"target", "output"} & probe.deps):
        return PixelPart("unknown", why="no term compares the output with the picture")
    if not {"target", "output"} <= probe.deps:
        missing = "the picture" if "output" in probe.deps else "the decoder's output"
        return PixelPart("unknown", why=f"{missing} does not occur in the loss")
    for part in (_categorical(probe), _mixture(probe), _level_masses(probe)):
        if part is not None:
            return part
    fitted = False
    for hypothesis in _hypotheses():
        weight, constant = _fit(probe, hypothesis)
        if weight is None:
            continue
        if hypothesis.family == "gaussian" and hypothesis.output == "value":
            wider = _bent(probe, weight)
            if wider is not None:
                return wider
        if not _holds_when_varied(probe, hypothesis, weight):
            # Another may be nearer: a cross-entropy with a guard in its logarithms.
            fitted = True
            continue
        return PixelPart(
            hypothesis.family, weight, hypothesis.output, hypothesis.binary, constant=constant
        )
    counts = _multinomial(probe)
    if counts is not None:
        return counts
    half = _half_entropy(probe)
    if half is not None:
        return half
    if fitted:
        return _not_separate(probe)
    if _fit(probe, _Hypothesis("swapped", _swapped, "probability"))[0] is not None:
        return PixelPart(
            "unknown",
            why="the picture and the output are exchanged in the cross-entropy: it is linear in "
            "the output, and no loss of it",
        )
    return _of_difference(probe)


def _half_entropy(probe: Probe) -> PixelPart | None:
    """``-sum(x * log(y))`` of probabilities: a categorical where they sum to one, else no loss."""
    hypothesis = _Hypothesis("categorical", lambda y, x: -x * np.log(y), "probability")
    weight, _ = _fit(probe, hypothesis)
    if weight is None or not _holds_when_varied(probe, hypothesis, weight):
        return None
    tree = probe.state.tree
    if tree is not None and _SOFTMAX.search(text_of(tree)) and not _SIGMOID.search(text_of(tree)):
        return PixelPart("categorical", weight, output="logit")
    return PixelPart(
        "unknown",
        why="-x log(y) lacks (1 - x) log(1 - y): it is a categorical only if the outputs of an "
        "image sum to one. Paste the softmax that they end in, and it is read",
    )


def _swapped(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return cross_entropy(x, y)


def _state(probe: Probe) -> dict[str, float | Array]:
    return probe.latents(4.0, 0.0, probe.scale_kind or "logvar")


def _fit(probe: Probe, hypothesis: _Hypothesis) -> tuple[float | None, float | None]:
    """The factor of the hypothesis' summed cost, or None where it does not fit."""
    outputs = LOGITS if hypothesis.output == "logit" else PROBABILITIES
    state = _state(probe)
    values, costs = [], []
    for t in hypothesis.targets:
        row = np.array([probe(target=t, output=p, **state) for p in outputs])
        cost = hypothesis.cost(np.array(outputs), np.full(len(outputs), t))
        if not np.isfinite(row).all():
            return None, None
        values.append(row - row[0])
        costs.append(cost - cost[0])
    got, wanted = np.concatenate(values), np.concatenate(costs) * probe.sizes.pixels
    weight = float(got @ wanted / (wanted @ wanted))
    noise = 1e-13 * abs(probe(target=0.3, output=0.6, **state))
    if weight == 0 or np.abs(got - weight * wanted).max() > FIT * np.abs(got).max() + noise:
        return None, None
    level = probe(target=hypothesis.targets[0], output=outputs[0], **state)
    first = hypothesis.cost(np.array(outputs[0]), np.array(hypothesis.targets[0]))
    return weight, level - weight * probe.sizes.pixels * float(first)


def _holds_when_varied(probe: Probe, hypothesis: _Hypothesis, weight: float) -> bool:
    low, high = (-2.0, 2.0) if hypothesis.output == "logit" else (0.1, 0.9)
    state = _state(probe)
    base_t, base_p = hypothesis.targets[1], (low + high) / 2 + 0.13
    base = probe(target=base_t, output=base_p, **state)
    reference = probe.sizes.pixels * float(hypothesis.cost(np.array(base_p), np.array(base_t)))
    outputs = probe.varied("output", 21, low, high)
    targets = probe.varied("target", 22, 0.05, 0.95)
    for (_, output), (_, target) in zip(outputs, targets, strict=True):
        if hypothesis.targets == (0.0, 1.0):
            target = Array((target.data > 0.5).astype(float), target.shape)
        try:
            got = probe(target=target, output=output, **state)
            cost = arrays.elementwise(hypothesis.cost, output, as_many(target, output))
        except TooLarge:
            continue
        wanted = weight * (per_image(cost) - reference)
        noise = 1e-12 * max(abs(base), abs(got))
        if abs(got - base - wanted) > 1e-6 * max(abs(wanted), abs(got - base)) + noise:
            return False
    return True


def _bent(probe: Probe, weight: float) -> PixelPart | None:
    """A cost that is a square for small errors only: Huber's with a corner beyond 1."""
    state = _state(probe)
    level = probe(target=0.2, output=0.2, **state)
    far = [probe(target=0.2, output=0.2 + e, **state) - level for e in (50.0, 100.0)]
    square = weight * probe.sizes.pixels
    if abs(far[0] - square * 50.0**2) <= 1e-6 * abs(square) * 50.0**2:
        return None
    if not np.isfinite(far).all() or abs(far[1] - far[0]) <= 1e-9 * abs(far[0]):
        # The output is clamped to the range of the pictures.
        return None
    found = _of_difference(probe)
    return found if found.family != "unknown" else None


# -- costs of the difference alone ------------------------------------------------------------
def _of_difference(probe: Probe) -> PixelPart:
    """Huber, log-cosh, Charbonnier, Student-t, and the log of a mean squared error."""
    state = _state(probe)

    def cost(error: float, target: float = 0.2) -> float:
        return probe(target=target, output=target + error, **state)

    level = cost(0.0)
    probes = [cost(e, t) for e in (0.11, -0.11, 0.37) for t in (0.2, 0.45)]
    large = [cost(10.0**k) for k in (4, 5, 6)]
    if np.isfinite(large).all():
        optimal = _log_of_mean(probe, large)
        if optimal is not None:
            return optimal
    if not (math.isfinite(level) and np.isfinite(probes).all()):
        return PixelPart("unknown", why="the cost of a pixel is not finite")
    size = max(abs(p - level) for p in probes)
    pairs = [(probes[0], probes[1]), (probes[0], probes[2]), (probes[4], probes[5])]
    if size == 0 or any(abs(a - b) > 1e-6 * size for a, b in pairs):
        return PixelPart("unknown", why="the cost of a pixel is none that is known here")
    return _between(probe, cost, level)


def _between(probe: Probe, cost: Callable[[float], float], level: float) -> PixelPart:
    pixels = probe.sizes.pixels
    # cosh overflows beyond 700: then the nearer tail has to do.
    for most in (1e4, 300.0):
        errors = np.geomspace(1e-4, most, 33)
        values = np.array([cost(float(e)) - level for e in errors]) / pixels
        if np.isfinite(values).all():
            break
    else:
        return PixelPart("unknown", why="the cost of a pixel is not finite")
    far = (values[-1] - values[-5]) / (errors[-1] - errors[-5])
    for family, curve in _CURVES.items():
        found = curve(errors, values, far)
        if found is None:
            continue
        near, tail, width, shape = found
        if not _varied_difference(probe, shape):
            return _not_separate(probe)
        return PixelPart(family, None, near=near, tail=tail, width=width)
    return PixelPart("unknown", why="the cost of a pixel is none that is known here")


_Found = tuple[float | None, float | None, float | None, Callable[[np.ndarray], np.ndarray]]


def _matches(values: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(
        np.all(np.abs(values - wanted) <= 1e-5 * np.abs(wanted) + 1e-12 * np.abs(values).max())
    )


def _huber(errors: np.ndarray, values: np.ndarray, tail: float) -> _Found | None:
    near = values[4] / errors[4] ** 2
    if near <= 0 or tail <= 0:
        return None
    width = tail / (2.0 * near)

    def shape(e: np.ndarray) -> np.ndarray:
        size = np.abs(e)
        return np.where(size <= width, near * size**2, tail * (size - width / 2))

    return (near, tail, width, shape) if _matches(values, shape(errors)) else None


def _log_cosh(errors: np.ndarray, values: np.ndarray, tail: float) -> _Found | None:
    if tail <= 0:
        return None
    offset = tail * errors[-1] - values[-1]
    if offset <= 0:
        return None
    steep = tail * math.log(2.0) / offset
    for factor in (1.0,):
        alpha = steep * factor

        def shape(e: np.ndarray, alpha: float = alpha) -> np.ndarray:
            t = alpha * np.abs(e)
            return tail / alpha * (t + np.log1p(np.exp(-2 * t)) - math.log(2.0))

        middle = slice(8, None)
        if np.allclose(values[middle], shape(errors)[middle], rtol=2e-4, atol=1e-14):
            return tail * alpha / 2.0, tail, 1.0 / alpha, shape
    return None


def _charbonnier(errors: np.ndarray, values: np.ndarray, tail: float) -> _Found | None:
    if tail <= 0:
        return None
    # tail (sqrt(e^2 + w^2) - w): from two points, w = (e^2 - v^2) / (2 v) with v = value / tail.
    v, e = values[16] / tail, errors[16]
    width = (e**2 - v**2) / (2.0 * v) if v > 0 else -1.0
    if width <= 0:
        return None

    def shape(at: np.ndarray) -> np.ndarray:
        return tail * (np.sqrt(at**2 + width**2) - width)

    if np.allclose(values[10:], shape(errors)[10:], rtol=2e-4, atol=1e-14):
        return tail / (2.0 * width), tail, width, shape
    return None


def _student(errors: np.ndarray, values: np.ndarray, tail: float) -> _Found | None:
    del tail
    slope = (values[-1] - values[-2]) / (math.log(errors[-1] ** 2) - math.log(errors[-2] ** 2))
    if slope <= 0:
        return None
    width = errors[-1] / math.sqrt(max(math.expm1(min(values[-1] / slope, 600.0)), 1e-300))

    def shape(at: np.ndarray) -> np.ndarray:
        return slope * np.log1p((at / width) ** 2)

    if np.allclose(values[6:], shape(errors)[6:], rtol=1e-3, atol=1e-14):
        return slope / width**2, None, width, shape
    return None


_CURVES: dict[str, Callable[[np.ndarray, np.ndarray, float], _Found | None]] = {
    "huber": _huber,
    "log-cosh": _log_cosh,
    "charbonnier": _charbonnier,
    "student-t": _student,
}


def _varied_difference(probe: Probe, shape: Callable[[np.ndarray], np.ndarray]) -> bool:
    state = _state(probe)
    base = probe(target=0.3, output=0.3, **state)
    outputs = probe.varied("output", 21, -1.0, 2.0)
    targets = probe.varied("target", 22, 0.05, 0.95)
    for (_, output), (_, target) in zip(outputs, targets, strict=True):
        got = probe(target=target, output=output, **state) - base
        pictures = as_many(target, output)
        wanted = per_image(arrays.elementwise(lambda y, x: shape(y - x), output, pictures))
        if abs(got - wanted) > 1e-3 * abs(wanted):
            return False
    return True


def _log_of_mean(probe: Probe, large: list[float]) -> PixelPart | None:
    """``D/2 log(MSE)``: the best scale of each batch put into the Gaussian."""
    step = math.log(10.0)
    first, second = (large[1] - large[0]) / step, (large[2] - large[1]) / step
    if first <= 0 or abs(first - second) > 1e-4 * first:
        return None
    state = _state(probe)
    outputs = probe.varied("output", 31, 1e5, 3e5)
    for _, output in outputs:
        got = probe(target=0.2, output=output, **state)
        square = arrays.elementwise(lambda y: (y - 0.2) ** 2, output)
        mean = per_image(square) / probe.sizes.pixels
        if abs(got - large[1] - second * (0.5 * math.log(mean) - 5 * step)) > 1e-3 * second:
            return None
    return PixelPart("gaussian-learned", second / probe.sizes.pixels, why="the batch's own MSE")


def _categorical(probe: Probe) -> PixelPart | None:
    """Cross-entropy over classes: its factor against the sum over an image's positions."""
    nodes = [n for n in graph.operations(probe.root) if n.name == "categorical"]
    # A classifier's cross-entropy stands beside the pictures' own error.
    read = probe.own.get("output", "")
    nodes = [node for node in nodes if not read or read in node.deps]
    if not nodes:
        return None
    slopes = [_slope(probe, node) for node in nodes[:MAX_CROSSED]]
    slope = slopes[0]
    if slope is None or None in slopes:
        return PixelPart("unknown", why="the cross-entropy does not enter as a sum")
    if len(nodes) > 1:
        # Parts of a picture, one after the other: together they are all of it.
        whole = (
            sum(math.prod(node.shape) for node in nodes) == probe.sizes.batch * probe.sizes.pixels
        )
        alike = all(s is not None and math.isclose(s, slope) for s in slopes)
        if not whole or not alike or len(nodes) > MAX_CROSSED:
            why = "there are several cross-entropies over classes, and no one number weighs them"
            return PixelPart("unknown", why=why)
    return PixelPart("categorical", slope, output="logit")


def _multinomial(probe: Probe) -> PixelPart | None:
    """``-sum(x * log_softmax(y))``: an image's values as counts of one multinomial.

    One factor has to fit at several draws of counts and logits (Liang et al. 2018, equation 2).
    """
    state, shape = _state(probe), probe.shape("output")
    if not shape or probe.shape("target") != shape or probe.spans:
        # Counts are compared as they are, and brought to no other range.
        return None
    random = np.random.default_rng(51)
    row = (*(1 for _ in shape[:-1]), shape[-1])
    flat = arrays.constant(0.0, shape)
    rates = []
    for _ in range(3):
        output = Array(random.uniform(-1.5, 1.5, row), shape)
        target = Array(random.uniform(0.05, 0.95, row), shape)
        try:
            got = probe(target=target, output=output, **state)
            got -= probe(target=target, output=flat, **state)
        except TooLarge:
            return None
        wanted = _counted(output, target) - _counted(flat, target)
        rates.append(got / wanted if wanted else math.nan)
        if not np.isfinite(rates).all() or not np.ptp(rates) <= 1e-7 * np.abs(rates).max():
            return None
    found = np.array(rates)
    return PixelPart("categorical", float(found[0]), output="logit")


def _counted(output: Array, target: Array) -> float:
    """``-sum(x log_softmax(y))`` over the last axis, summed over an image, a batch's mean."""
    logits = np.broadcast_to(output.data, (*output.data.shape[:-1], output.shape[-1]))
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    cost = arrays.elementwise(lambda x, g: -x * g, target, Array(logs, output.shape))
    return per_image(cost)


def _slope(probe: Probe, node: Node) -> float | None:
    """The factor of each value of ``node``, summed over an image; None if it is no sum of them."""
    count = math.prod(node.shape) / probe.sizes.batch
    values = [
        float(graph.evaluate_with(probe.root, node, arrays.constant(v, node.shape)).data.mean())
        for v in (0.0, 1.0, 2.0)
    ]
    slope = values[1] - values[0]
    if not abs(values[2] - values[1] - slope) <= 1e-9 * max(abs(v) for v in values):
        return None
    return probe.sign * slope / count


def _mixture(probe: Probe) -> PixelPart | None:
    """The log of a sum of densities of the picture: its factor against the sum over an image."""
    nodes = [n for n in graph.operations(probe.root) if _is_mixture(n)]
    if not nodes:
        return None
    slope = _slope(probe, nodes[-1])
    if slope is None:
        return PixelPart("unknown", why="the mixture does not enter as a sum")
    return PixelPart("mixture", -slope, output="mixture", inside=nodes[-1].deps)


def _level_masses(probe: Probe) -> PixelPart | None:
    """A discretised logistic: its factor against the sum over an image of -log the mass."""
    found = level_masses.find(probe)
    if found is None:
        return None
    slope = _slope(probe, found.node)
    if slope is None:
        return PixelPart("unknown", why="the mass of a grey level does not enter as a sum")
    return PixelPart("discretised-logistic", -found.sign * slope, levels=found)


def _is_mixture(node: Node) -> bool:
    kinds = {dep.split("#")[0] for dep in node.deps}
    if not {"target", "output"} <= kinds or kinds & {"mean", "z", *roles.LATENT_SCALES}:
        return False
    if node.name in ("logsumexp", "mixture"):
        return True
    # log(sum(exp(...))) in the code's own words; the log of a mean squared error has no exp.
    inner = node.args[0] if node.name == "log" and node.args else None
    while inner is not None and inner.name in ("add", "mul", "clamp", "clip") and inner.args:
        inner = max(inner.args, key=lambda arg: len(arg.deps))
    if inner is None or inner.name not in ("sum", "mean"):
        return False
    return any(n.name in _DENSITIES for n in graph.sort(inner))


_DENSITIES = frozenset({"exp", "softmax"})


def _not_separate(probe: Probe) -> PixelPart:
    """A quadratic form in the error, or what is no sum over pixels."""
    state = _state(probe)
    base = probe(target=0.3, output=0.3, **state)
    for _, output in probe.varied("output", 41, -0.5, 1.0):
        once = probe(target=0.3, output=output, **state) - base
        twice = arrays.elementwise(lambda y: 0.3 + 2.0 * (y - 0.3), output)
        double = probe(target=0.3, output=twice, **state) - base
        # Where a logarithm is no number, it is no square.
        if not abs(double - 4.0 * once) <= 1e-6 * abs(double):
            return PixelPart("unknown", why="the loss is no sum of a cost over pixels")
    return PixelPart(
        "gaussian",
        None,
        why="the squared error has other weights along some directions than along others",
    )
