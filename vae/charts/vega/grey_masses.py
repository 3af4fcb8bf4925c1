"""Vega expressions of the probability of a grey level under each belief.

``k`` is the level, 0 to 255; the outer bins are open, so that masses sum to 1. The tests evaluate
the text in the Vega runtime and hold it against ``vae.theory.grey_masses``. In the middle of a bell
the difference of its distribution function is exact to the last digits; in the far tails, where
the mass is below 1e-12, it is 0.

A Gaussian with one sigma a pixel has the Gaussian's masses, at that pixel's sigma. The categorical
has none here: its 256 masses are the network's own outputs, which no dial could move.
"""

from collections.abc import Callable, Mapping

STEP = "255"


def _bins(cdf: Callable[[str], str], k: str) -> str:
    """F at the bin's upper end less F at its lower end, which are open at black and white."""
    upper = f"(({k}) >= {STEP} ? 1 : {cdf(f'((({k}) + 0.5) / {STEP})')})"
    lower = f"(({k}) <= 0 ? 0 : {cdf(f'((({k}) - 0.5) / {STEP})')})"
    return f"({upper} - {lower})"


def gaussian_mass(k: str, mean: str, scale: str) -> str:
    """Bin k of N(mean, scale^2)."""
    return _bins(lambda x: f"cumulativeNormal({x}, {mean}, {scale})", k)


def laplace_mass(k: str, mean: str, scale: str) -> str:
    """Bin k of the Laplace of this mean and scale b."""

    def cdf(x: str) -> str:
        u = f"(({x} - ({mean})) / ({scale}))"
        return f"({u} < 0 ? 0.5 * exp({u}) : 1 - 0.5 * exp(-{u}))"

    return _bins(cdf, k)


def student_t_mass(k: str, mean: str, scale: str) -> str:
    """Bin k of Student's t with three degrees of freedom."""

    def cdf(x: str) -> str:
        v = f"(({x} - ({mean})) / (({scale}) * sqrt(3)))"
        return f"(0.5 + (atan({v}) + {v} / (1 + {v} * {v})) / PI)"

    return _bins(cdf, k)


def logistic_mass(k: str, location: str, scale: str) -> str:
    """Bin k of the logistic: the discretised logistic."""
    return _bins(lambda x: f"(1 / (1 + exp(-(({x}) - ({location})) / ({scale}))))", k)


def level_family_mass(k: str, natural: str) -> str:
    """P(k) proportional to exp(a k / 255), from the end that a favours.

    The 256 weights sum to the product of 1 + q^(2^i) over i = 0 to 7, in which nothing cancels.
    """
    slope = f"(-abs({natural}) / {STEP})"
    place = f"(({natural}) > 0 ? {STEP} - ({k}) : ({k}))"
    total = " * ".join(f"(1 + exp({2**i} * {slope}))" for i in range(8))
    return f"(exp({slope} * {place}) / ({total}))"


def continuous_bernoulli_mass(k: str, logit: str) -> str:
    """The continuous Bernoulli's mass from k / 256 to (k + 1) / 256."""
    return level_family_mass(k, f"(({logit}) * {STEP} / 256)")


BELL_MASSES: Mapping[str, Callable[[str, str, str], str]] = {
    "gaussian": gaussian_mass,
    "laplace": laplace_mass,
    "student-t": student_t_mass,
    "discretised-logistic": logistic_mass,
}
"""By the likelihood's name: the mass of level k from a location and a scale."""
