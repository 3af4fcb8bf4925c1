"""The Gaussian that a loss implies: code that adds a squared error and a KL has chosen a scale.

A loss ``a * SSE + b * KL`` (SSE the squared error of an image, KL that of its latents, both
summed, averaged over the batch) is ``b * (SSE / (2 variance) + KL)`` with variance ``b / (2 a)``:
``b`` times the negative ELBO of a Gaussian decoder of that variance, up to a constant (Kingma &
Welling 2014, eq. 10; Rybkin et al. 2021).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

PIXEL_REDUCTIONS: Mapping[str, str] = {
    "sum": "sum over pixels, mean over the batch",
    "half-sum": "half the sum over pixels, mean over the batch",
    "pixel-mean": "mean over pixels and batch",
    "batch-sum": "sum over pixels and batch",
}
KL_REDUCTIONS: Mapping[str, str] = {
    "sum": "sum over latents, mean over the batch",
    "latent-mean": "mean over latents and batch",
    "batch-sum": "sum over latents and batch",
}


@dataclass(frozen=True)
class Preset:
    """Loss code that people paste, by its reductions."""

    label: str
    pixel_reduction: str
    kl_reduction: str
    weight: float = 1.0


PRESETS: Mapping[str, Preset] = {
    "sum": Preset("sum + KL", "sum", "sum"),
    "half-sum": Preset("half sum + KL", "half-sum", "sum"),
    "pixel-mean": Preset("pixel mean + KL", "pixel-mean", "sum"),
    "all-mean": Preset("mean of both", "pixel-mean", "latent-mean"),
    "batch-kl": Preset("mean + KL of the batch", "pixel-mean", "batch-sum"),
    "weighted": Preset("mean + M/N KL", "pixel-mean", "sum", 0.00025),
}


def implied_variance(
    *,
    pixels: int,
    latents: int,
    batch_size: int = 1,
    pixel_reduction: str = "sum",
    kl_reduction: str = "sum",
    weight: float = 1.0,
) -> float:
    """The variance of the Gaussian decoder whose ELBO has this loss's gradients up to a factor.

    ``pixels`` are the values of an image (height x width x channels), ``weight`` multiplies the
    KL. Only as many of the sizes count as the reductions divide by. Raises ``ValueError`` for a
    reduction not listed, a size below 1 or a weight that is not positive.
    """
    error, kl = loss_factors(
        pixels=pixels,
        latents=latents,
        batch_size=batch_size,
        pixel_reduction=pixel_reduction,
        kl_reduction=kl_reduction,
        weight=weight,
    )
    return kl / (2.0 * error)


def preset_variances(pixels: int, latents: int, batch_size: int) -> dict[str, float]:
    """The ``implied_variance`` of each of ``PRESETS``, by its name."""
    return {
        name: implied_variance(
            pixels=pixels,
            latents=latents,
            batch_size=batch_size,
            pixel_reduction=preset.pixel_reduction,
            kl_reduction=preset.kl_reduction,
            weight=preset.weight,
        )
        for name, preset in PRESETS.items()
    }


def loss_factors(
    *,
    pixels: int,
    latents: int,
    batch_size: int = 1,
    pixel_reduction: str = "sum",
    kl_reduction: str = "sum",
    weight: float = 1.0,
) -> tuple[float, float]:
    """``(a, b)`` of the loss ``a * SSE + b * KL``, both of them summed and averaged over the batch.

    ``b`` is also the learning-rate factor: SGD with rate r on this loss takes the steps of rate
    ``b * r`` on the negative ELBO of the implied Gaussian.
    """
    for name, size in (("pixels", pixels), ("latents", latents), ("batch_size", batch_size)):
        if size != int(size) or size < 1:
            raise ValueError(f"{name}: {size!r} given; a whole number of at least 1 is needed")
    if not (math.isfinite(weight) and weight > 0):
        raise ValueError(f"weight: {weight!r} given; a positive number is needed")
    errors = {"sum": 1.0, "half-sum": 0.5, "pixel-mean": 1.0 / pixels, "batch-sum": batch_size}
    kls = {"sum": 1.0, "latent-mean": 1.0 / latents, "batch-sum": batch_size}
    if pixel_reduction not in errors:
        raise ValueError(
            f"pixel_reduction: {pixel_reduction!r} given; allowed is one of {list(errors)}"
        )
    if kl_reduction not in kls:
        raise ValueError(f"kl_reduction: {kl_reduction!r} given; allowed is one of {list(kls)}")
    return float(errors[pixel_reduction]), float(weight * kls[kl_reduction])


def equivalent_beta(*, variance: float, nominal_variance: float) -> float:
    """The beta that a decoder of ``nominal_variance`` would need for the gradients of ``variance``.

    With a fixed scale, SSE / (2 v) + beta KL is beta (SSE / (2 beta v) + KL): beta times a
    variance acts as one number (Lucas et al. 2019). Not so with a learned scale,
    whose D log scale is not rescaled.
    """
    for name, value in (("variance", variance), ("nominal_variance", nominal_variance)):
        if not value > 0:
            raise ValueError(f"{name}: {value!r} given; a positive number is needed")
    return variance / nominal_variance


def torch_snippet(pixel_reduction: str, kl_reduction: str, weight: float = 1.0) -> str:
    """The loss as lines of PyTorch, on ``x``, ``x_hat`` (batch, pixels), ``mu``, ``logvar``."""
    if pixel_reduction not in PIXEL_REDUCTIONS:
        raise ValueError(
            f"pixel_reduction: {pixel_reduction!r} given; "
            f"allowed is one of {list(PIXEL_REDUCTIONS)}"
        )
    if kl_reduction not in KL_REDUCTIONS:
        raise ValueError(
            f"kl_reduction: {kl_reduction!r} given; allowed is one of {list(KL_REDUCTIONS)}"
        )
    error = {
        "sum": "error = (x - x_hat).square().sum(dim=1).mean()",
        "half-sum": "error = 0.5 * (x - x_hat).square().sum(dim=1).mean()",
        "pixel-mean": "error = F.mse_loss(x_hat, x)",
        "batch-sum": 'error = F.mse_loss(x_hat, x, reduction="sum")',
    }[pixel_reduction]
    terms = "1 + logvar - mu.square() - logvar.exp()"
    kl = {
        "sum": f"kl = -0.5 * ({terms}).sum(dim=1).mean()",
        "latent-mean": f"kl = -0.5 * ({terms}).mean()",
        "batch-sum": f"kl = -0.5 * ({terms}).sum()",
    }[kl_reduction]
    total = "error + kl" if weight == 1 else f"error + {weight:g} * kl"
    return f"{error}\n{kl}\nloss = {total}"
