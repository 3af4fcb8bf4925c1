"""One pixel and one latent: log p(x) as an area over z, and the bound that a q gives.

The model is small enough to see whole: z ~ N(0, 1), x | z ~ N(centre + slope z, scale^2), a linear
VAE of one latent. Its posterior is a Gaussian, so a Gaussian q can close the gap of the bound:
log p(x) = E_q[log p(x|z)] - KL(q || p(z)) + KL(q || p(z|x)) (Kingma & Welling 2014, equations 1 to
3). Nats of one pixel; arrays broadcast.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vae.theory.gaussian import gaussian_log_prob

CENTRE = 0.5
SLOPE = 0.25


@dataclass(frozen=True)
class OnePixel:
    """The model of one pixel ``x`` with a decoder of standard deviation ``scale``.

    Raises ``ValueError`` unless ``scale`` is positive.
    """

    x: float
    scale: float
    slope: float = SLOPE
    centre: float = CENTRE

    def __post_init__(self) -> None:
        if not self.scale > 0:
            raise ValueError(f"scale: {self.scale!r} given; allowed is any number above 0")

    def log_likelihood(self, z: np.ndarray | float) -> np.ndarray:
        """log p(x|z)."""
        mean = self.centre + self.slope * np.asarray(z, float)
        return gaussian_log_prob(self.x, mean, self.scale)

    @property
    def log_evidence(self) -> float:
        """log p(x): latent and noise add their variances, x ~ N(centre, slope^2 + scale^2)."""
        total = math.sqrt(self.slope**2 + self.scale**2)
        return float(gaussian_log_prob(self.x, self.centre, total))

    @property
    def posterior(self) -> tuple[float, float]:
        """Mean and standard deviation of p(z|x), again a Gaussian."""
        precision = 1 + (self.slope / self.scale) ** 2
        mean = self.slope * (self.x - self.centre) / self.scale**2 / precision
        return mean, 1 / math.sqrt(precision)

    def expected_log_likelihood(self, mean: float, scale: float) -> float:
        """E_q[log p(x|z)] for q = N(mean, scale^2)."""
        miss = self.x - self.centre - self.slope * mean
        second = miss**2 + (self.slope * scale) ** 2
        return float(gaussian_log_prob(0.0, 0.0, self.scale) - 0.5 * second / self.scale**2)

    def elbo(self, mean: float, scale: float) -> float:
        """The bound for q = N(mean, scale^2): never above ``log_evidence``."""
        return self.expected_log_likelihood(mean, scale) - kl(mean, scale)

    def gap(self, mean: float, scale: float) -> float:
        """KL(q || p(z|x)): what the bound leaves, 0 where q is the posterior."""
        return kl(mean, scale, *self.posterior)


def kl(mean: float, scale: float, other_mean: float = 0.0, other_scale: float = 1.0) -> float:
    """KL(N(mean, scale^2) || N(other_mean, other_scale^2)) in nats (Kingma & Welling 2014, B)."""
    ratio = scale / other_scale
    distance = (mean - other_mean) / other_scale
    return 0.5 * (ratio**2 + distance**2 - 1) - math.log(ratio)


def bent_gap(x: float, scale: float, mean: Callable[[np.ndarray], np.ndarray]) -> float:
    """The least KL(q || p(z|x)) of any Gaussian q where the decoder's ``mean`` is not linear.

    By quadrature over z in [-8, 8] and a search over q; 0 for a linear ``mean``.
    """
    z = np.linspace(-8, 8, 4001)
    log_joint = gaussian_log_prob(z, 0.0, 1.0) + gaussian_log_prob(x, mean(z), scale)
    log_evidence = np.log(np.trapezoid(np.exp(log_joint), z))
    posterior = np.exp(log_joint - log_evidence)
    centre = np.trapezoid(posterior * z, z)
    spread = np.sqrt(np.trapezoid(posterior * (z - centre) ** 2, z))

    def gap(at: np.ndarray) -> float:
        log_q = gaussian_log_prob(z, at[0], math.exp(at[1]))
        q = np.exp(log_q)
        return float(np.trapezoid(q * (log_q - log_joint), z) + log_evidence)

    # Pattern search: q has two numbers, and the moments of the posterior are near its best.
    at, step = np.array([centre, math.log(spread)]), 0.25
    best = gap(at)
    while step > 1e-6:
        moves = [at + step * move for move in np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])]
        values = [gap(move) for move in moves]
        if min(values) < best:
            best, at = min(values), moves[int(np.argmin(values))]
        else:
            step /= 2
    return best
