"""What theory expects of a run before its first step: a prediction to hold against the curves.

The linear VAE is solved exactly (Lucas et al. 2019): a latent is active where the data's
covariance has an eigenvalue above the variance that the loss implies. A network with hidden layers
follows it as a prediction to test, not as a theorem. Nats per image; pixels in [0, 1].
"""

import math
from dataclasses import dataclass

import numpy as np

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.numerals import written
from vae.theory import implied, ppca
from vae.theory.bernoulli import bernoulli_entropy

# Below this a latent carries nothing that a picture shows; an unused one sits near .0001.
ACTIVE_NATS = 0.05


@dataclass(frozen=True)
class ImageSummary:
    """What a prediction needs to know of a data set.

    ``eigenvalues`` of the training pixels' covariance, descending; ``entropy`` is the mean over
    test images of the sum over pixels of H(x), the greys read as Bernoulli parameters.
    """

    pixels: int
    eigenvalues: tuple[float, ...]
    entropy: float


@dataclass(frozen=True)
class Prediction:
    """``scale``: the sigma that the loss implies, or that a linear VAE would learn; None where the
    reconstruction term is not a Gaussian. ``threshold``: a latent needs an eigenvalue above it.
    ``floor``: the least loss that any outputs can reach, nats, None where there is none.
    """

    scale: float | None
    threshold: float | None
    active: int | None
    kl_per_latent: tuple[float, ...]
    mse: float | None
    floor: float | None

    @property
    def kl(self) -> float | None:
        return sum(self.kl_per_latent) if self.active is not None else None


def summarise(train: np.ndarray, test: np.ndarray) -> ImageSummary:
    """The summary of uint8 images (n, h, w): half a second for 60,000 images of 28x28."""
    counts = np.bincount(test.reshape(-1), minlength=256)
    entropy = float(counts @ bernoulli_entropy(np.arange(256) / 255)) / len(test)
    spectrum = tuple(float(value) for value in ppca.covariance_spectrum(train))
    return ImageSummary(train[0].size, spectrum, entropy)


def predict(config: TrainConfig, images: ImageSummary) -> Prediction:
    """The prediction for ``config`` on data with this summary."""
    floor = _floor(config, images)
    variance = _implied_variance(config, images)
    if variance is None:
        return Prediction(None, None, None, (), None, floor)
    beta = 1.0 if _fixed_gaussian(config) else _weight(config, images.pixels)
    if not config.sampling or variance * beta == 0:
        return Prediction(math.sqrt(variance), None, None, (), None, floor)
    spectrum, latents = images.eigenvalues, config.latent_dim
    return Prediction(
        scale=math.sqrt(variance),
        threshold=variance * beta,
        active=ppca.active_latents(spectrum, variance, beta, latents),
        kl_per_latent=tuple(map(float, ppca.kl_per_latent(spectrum, variance, beta, latents))),
        mse=ppca.squared_error(spectrum, variance, beta, latents) / images.pixels,
        floor=floor,
    )


def sentence(config: TrainConfig, expected: Prediction) -> str:
    """The prediction in words, with its numbers."""
    parts = []
    if _fixed_gaussian(config) and expected.scale is not None:
        same = math.isclose(expected.scale, config.scale)
        parts.append(
            f"σ stays {config.scale:g}" if same else f"it implies σ = {expected.scale:.3g}"
        )
    elif expected.scale is not None:
        parts.append(
            f"a linear VAE would learn σ = {expected.scale:.3f}; a network's σ ends at "
            "its own RMSE, which can be lower"
        )
    if expected.active is not None and expected.threshold is not None:
        parts.append(
            f"**{expected.active} of {config.latent_dim}** latents should survive (eigenvalues "
            f"above {expected.threshold:.3g}), with KL about {expected.kl:.1f} nats"
        )
    if expected.floor is not None and expected.floor > 0:
        parts.append(
            f"greys read as probabilities cost at least their entropy, **{expected.floor:.1f}** "
            "nats, whatever the outputs"
        )
    elif expected.floor == 0 and BELIEFS[config.likelihood].floor == "entropy":
        parts.append("binary targets have no entropy: the floor of BCE is 0")
    if not config.sampling:
        parts.append("without a draw and a KL nothing keeps codes near the prior")
    if not parts:
        parts.append(
            "no closed form counts the latents for this likelihood: hold it against the others"
        )
    text = written("; ".join(parts))
    return text[0].upper() + text[1:] + "."


def active_latents(kl_per_latent: tuple[float, ...]) -> int:
    """How many latents of a trained model carry more than ``ACTIVE_NATS``."""
    return sum(kl > ACTIVE_NATS for kl in kl_per_latent)


def implied_scale(config: TrainConfig, pixels: int) -> float | None:
    """The sigma of the Gaussian whose ELBO has the gradients of this loss, up to a factor.

    None unless the reconstruction term is a Gaussian of fixed scale with a KL beside it.
    """
    if not _fixed_gaussian(config) or not config.sampling or config.beta == 0:
        return None
    # The loss is 1/(2 scale^2) of the squared error, summed or averaged over pixels, + beta KL.
    half_sum = config.reduction == "sum"
    variance = implied.implied_variance(
        pixels=pixels,
        latents=config.latent_dim,
        pixel_reduction="half-sum" if half_sum else "pixel-mean",
        weight=config.beta * config.scale**2 * (1 if half_sum else 2),
    )
    return math.sqrt(variance)


def _fixed_gaussian(config: TrainConfig) -> bool:
    belief = BELIEFS[config.likelihood]
    return belief.gaussian and belief.scale == "fixed"


def _implied_variance(config: TrainConfig, images: ImageSummary) -> float | None:
    if config.binarise != "none":
        # The eigenvalues are those of the greys; drawn pixels vary more.
        return None
    if _fixed_gaussian(config):
        scale = implied_scale(config, images.pixels)
        return None if scale is None else scale**2
    if BELIEFS[config.likelihood].gaussian:
        weight = _weight(config, images.pixels) if config.sampling else 0.0
        return _learned_variance(images, config.latent_dim, weight)
    return None


def _weight(config: TrainConfig, pixels: int) -> float:
    """What multiplies the KL when the log likelihood is summed over pixels."""
    return config.beta * (1 if config.reduction == "sum" else pixels)


def _learned_variance(images: ImageSummary, latents: int, beta: float) -> float:
    """The variance v a linear VAE learns: D v = k beta v + the eigenvalues without a latent.

    At beta = 1 it is the mean of the discarded eigenvalues (Tipping & Bishop 1999, eq. 8); k counts
    the eigenvalues above beta v, so the largest k that agrees with its own v is sought.
    """
    spectrum = np.asarray(images.eigenvalues)
    for count in range(min(latents, len(spectrum) - 1), -1, -1):
        kept = images.pixels - count * beta
        if kept <= 0:
            continue
        variance = float(spectrum[count:].sum()) / kept
        if count == 0 or spectrum[count - 1] > beta * variance:
            return variance
    raise AssertionError("no latent at all always agrees with itself")


def _floor(config: TrainConfig, images: ImageSummary) -> float | None:
    floor = BELIEFS[config.likelihood].floor
    if floor is None:
        return None
    entropy = images.entropy if floor == "entropy" and config.binarise == "none" else 0.0
    return entropy if config.reduction == "sum" else entropy / images.pixels
