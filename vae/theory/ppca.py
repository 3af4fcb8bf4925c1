"""Posterior collapse where it can be solved: the linear VAE, which is probabilistic PCA.

With a linear decoder of fixed variance v and the best linear encoder, the ELBO is the log
likelihood of probabilistic PCA (Tipping & Bishop 1999; Lucas et al. 2019). Latent j
serves the j-th principal direction of the data and is active iff its covariance eigenvalue
lambda_j exceeds v (beta v under a KL weight beta). Pixels in [0, 1], nats per image.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrainedPoint:
    """What a trained VAE did at a fixed variance: KL (nats) and squared error, per image."""

    variance: float
    kl: float
    squared_error: float


def covariance_spectrum(images: NDArray[np.uint8]) -> Floats:
    """Eigenvalues of the pixels' covariance, in descending order, shape (pixels,).

    ``images`` are (n, ...) uint8; pixels are divided by 255, the covariance by n. Raises
    ``ValueError`` on fewer than two images or another type.
    """
    if images.dtype != np.uint8:
        raise ValueError(f"images: type {images.dtype} given; uint8 is needed")
    if images.ndim < 2 or len(images) < 2:
        raise ValueError(f"images: shape {images.shape} given; at least two images are needed")
    flat = images.reshape(len(images), -1)
    size = flat.shape[1]
    moments = np.zeros((size, size))
    total = np.zeros(size)
    for start in range(0, len(flat), 4096):
        # In blocks: all of MNIST as float64 at once would take 376 MB of the server.
        block = flat[start : start + 4096] / 255.0
        moments += block.T @ block
        total += block.sum(axis=0)
    mean = total / len(flat)
    values = np.linalg.eigvalsh(moments / len(flat) - np.outer(mean, mean))[::-1]
    return np.maximum(values, 0.0)


def active_latents(
    eigenvalues: ArrayLike, variance: float, beta: float = 1.0, latents: int | None = None
) -> int:
    """How many latents survive: eigenvalues above beta * variance, at most ``latents``."""
    spectrum = _spectrum(eigenvalues, latents)
    return int(np.count_nonzero(spectrum > _threshold(variance, beta)))


def kl_per_latent(
    eigenvalues: ArrayLike, variance: float, beta: float = 1.0, latents: int | None = None
) -> Floats:
    """KL of each latent at the optimum: 1/2 log(lambda_j / (beta variance)) if active, else 0."""
    threshold = _threshold(variance, beta)
    return 0.5 * np.log(np.maximum(_spectrum(eigenvalues, latents), threshold) / threshold)


def squared_error(
    eigenvalues: ArrayLike, variance: float, beta: float = 1.0, latents: int | None = None
) -> float:
    """Expected squared error of an image, summed over pixels, z drawn from q(z|x).

    beta * variance for every active direction, lambda_j for every other.
    """
    threshold = _threshold(variance, beta)
    spectrum = np.asarray(eigenvalues, dtype=np.float64)
    used = _spectrum(eigenvalues, latents)
    return float(np.minimum(used, threshold).sum() + spectrum[len(used) :].sum())


def elbo(eigenvalues: ArrayLike, variance: float, latents: int | None = None) -> float:
    """The largest ELBO of a linear VAE at this variance: the mean log p(x), nats per image.

    -1/2 [D log 2 pi + sum_active log lambda + (D - k) log v + k + sum_inactive lambda / v]
    (Tipping & Bishop 1999; Lucas et al. 2019): the bound is tight.
    """
    v = _threshold(variance, 1.0)
    spectrum = np.asarray(eigenvalues, dtype=np.float64)
    used = _spectrum(eigenvalues, latents)
    active = used[used > v]
    size, count = len(spectrum), len(active)
    inactive = np.concatenate([used[used <= v], spectrum[len(used) :]])
    terms = size * math.log(2.0 * math.pi) + np.log(active).sum() + (size - count) * math.log(v)
    return float(-0.5 * (terms + count + inactive.sum() / v))


def learned_variance(eigenvalues: ArrayLike, latents: int) -> float:
    """The variance that a linear VAE learns: the mean of the eigenvalues it has no latent for.

    Tipping & Bishop (1999), eq. 8. Raises ``ValueError`` unless ``latents`` is below the number
    of eigenvalues.
    """
    spectrum = np.asarray(eigenvalues, dtype=np.float64)
    if not 0 <= latents < len(spectrum):
        raise ValueError(f"latents: {latents!r} given; allowed is 0 to {len(spectrum) - 1}")
    return float(spectrum[latents:].mean())


def _spectrum(eigenvalues: ArrayLike, latents: int | None) -> Floats:
    spectrum = np.asarray(eigenvalues, dtype=np.float64)
    if spectrum.ndim != 1 or np.any(np.diff(spectrum) > 0):
        raise ValueError("eigenvalues: one list in descending order is needed")
    if latents is None:
        return spectrum
    if latents < 0:
        raise ValueError(f"latents: {latents!r} given; 0 or more is needed")
    return spectrum[:latents]


def _threshold(variance: float, beta: float) -> float:
    for name, value in (("variance", variance), ("beta", beta)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name}: {value!r} given; a positive number is needed")
    return variance * beta
