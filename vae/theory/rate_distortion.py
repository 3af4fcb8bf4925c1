"""What a nat of KL buys: the least squared error at each rate, for Gaussian data.

Reverse water-filling (Shannon 1959; Cover & Thomas 2006, theorem 10.3.3): directions whose variance
lies above the water level keep an error of that level, at a rate of half the log of their ratio;
the others keep all of theirs. It is the linear VAE's curve, with sigma^2 (times beta) as the level,
and no other loss is below it where data are Gaussian.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vae.theory import ppca

Floats = NDArray[np.float64]


def water_filling(
    eigenvalues: ArrayLike, latents: int | None = None, count: int = 60
) -> tuple[Floats, Floats]:
    """Rates (nats per image) and squared errors (per pixel), ``count`` points from rate 0 up.

    ``eigenvalues`` of the pixels' covariance, descending, one a pixel; with ``latents`` only so
    many directions may be kept. The last point's level is a hundredth of the mean eigenvalue.
    Raises ``ValueError`` where no pixel varies.
    """
    spectrum = np.asarray(eigenvalues, dtype=np.float64)
    if not len(spectrum) or not spectrum[0] > 0:
        raise ValueError("eigenvalues: at least one above 0 is needed")
    levels = np.geomspace(spectrum[0], spectrum.mean() / 100, count)
    rates = [ppca.kl_per_latent(spectrum, level, 1.0, latents).sum() for level in levels]
    errors = [ppca.squared_error(spectrum, level, 1.0, latents) for level in levels]
    return np.array(rates), np.array(errors) / len(spectrum)
