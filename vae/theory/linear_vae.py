"""One direction of a linear VAE: three parameters, a loss and gradients in closed form.

The data vary by ``eigenvalue`` along one principal direction. The encoder gives
q(z|x) = N(v x, s^2), the decoder the mean w z with a Gaussian of ``variance``; expectations over
the data and over z are exact (Lucas et al. 2019). Parameters are (w, v, log s); nats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vae.theory.numpy_optimisers import path_difference, trajectory

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearVAE:
    """The objective: expected squared error / (2 variance), plus the KL unless ``kl`` is False.

    ``factor`` multiplies the whole loss.
    """

    eigenvalue: float
    variance: float
    kl: bool = True
    factor: float = 1.0

    def __post_init__(self) -> None:
        for name in ("eigenvalue", "variance", "factor"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name}: {value!r} given; a positive number is needed")

    def loss(self, parameters: Floats) -> float:
        """The loss at (w, v, log s), nats up to the constant of the Gaussian."""
        w, v, log_s = parameters
        s2 = np.exp(2 * log_s)
        error = self.eigenvalue * (1 - w * v) ** 2 + w**2 * s2
        kl = 0.5 * (v**2 * self.eigenvalue + s2 - 1) - log_s
        return float(self.factor * (error / (2 * self.variance) + self.kl * kl))

    def gradient(self, parameters: Floats) -> Floats:
        """Derivatives of the loss by (w, v, log s), shape (3,)."""
        return self.factor * (
            self.error_gradient(parameters) + self.kl * self.kl_gradient(parameters)
        )

    def error_gradient(self, parameters: Floats) -> Floats:
        """The part of the gradient that comes from the squared error; v and s are the encoder's."""
        w, v, log_s = parameters
        s2 = np.exp(2 * log_s)
        miss = self.eigenvalue * (1 - w * v)
        return np.array([w * s2 - miss * v, -miss * w, w**2 * s2]) / self.variance

    def kl_gradient(self, parameters: Floats) -> Floats:
        """The part of the gradient that comes from the KL: none of it reaches the decoder's w."""
        _, v, log_s = parameters
        return np.array([0.0, v * self.eigenvalue, np.exp(2 * log_s) - 1])


@dataclass(frozen=True)
class Race:
    """Two runs from one start: variance 1, and another variance with an adjusted rate.

    ``reference`` and ``adjusted`` are paths (steps + 1, 3); ``difference`` is the largest distance
    between them as a share of the reference's way.
    """

    reference: Floats
    adjusted: Floats
    difference: float


START = (0.6, 0.1, -0.2)
EIGENVALUE = 5.117
"""MNIST's largest covariance eigenvalue, pixels in [0, 1]."""
LEARNING_RATES = {"sgd": 0.01, "momentum": 0.002, "adam": 0.02}
STEPS = 400


def race(*, optimiser: str, scale: float, kl: bool, eigenvalue: float = EIGENVALUE) -> Race:
    """Train at scale 1 and at ``scale`` with the learning rate adjusted for it.

    For SGD and momentum the rate is multiplied by scale^2, which undoes the 1 / scale^2 of the
    likelihood's gradient. Adam divides by the gradient's size itself and keeps its rate.
    """
    start = np.array(START)
    rate = LEARNING_RATES[optimiser]
    adjusted_rate = rate if optimiser == "adam" else rate * scale**2
    reference = trajectory(
        LinearVAE(eigenvalue, 1.0, kl).gradient,
        start,
        optimiser=optimiser,
        learning_rate=rate,
        steps=STEPS,
    )
    adjusted = trajectory(
        LinearVAE(eigenvalue, scale**2, kl).gradient,
        start,
        optimiser=optimiser,
        learning_rate=adjusted_rate,
        steps=STEPS,
    )
    return Race(reference, adjusted, path_difference(reference, adjusted))


def adam_drift(factor: float, *, epsilon: float = 1e-8, eigenvalue: float = EIGENVALUE) -> float:
    """How far Adam's path moves when the whole loss is multiplied by ``factor``.

    Zero only as epsilon -> 0: the share of the way, as ``path_difference`` has it.
    """
    paths = [
        trajectory(
            LinearVAE(eigenvalue, 1.0, True, size).gradient,
            np.array(START),
            optimiser="adam",
            learning_rate=LEARNING_RATES["adam"],
            steps=STEPS,
            epsilon=epsilon,
        )
        for size in (1.0, factor)
    ]
    return path_difference(paths[0], paths[1])
