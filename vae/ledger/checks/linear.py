"""Checks of D12, D16 and D18 on a linear VAE that is trained here, by plain gradient descent.

Its data have a covariance C of known eigenvalues; the decoder is W (6, 4), the encoder
q(z|x) = N(V x, diag s²). The expected loss over the data needs C alone:
tr(C − 2 W V C + WᵀW (V C Vᵀ + diag s²))/(2σ²) + ½ Σⱼ [(V C Vᵀ)ⱼⱼ + sⱼ² − 1 − log sⱼ²].
"""

from dataclasses import dataclass

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.memo import shared
from vae.theory import ppca

EIGENVALUES = np.array([4.0, 2.0, 1.0, 0.4, 0.2, 0.1])
VARIANCE = 0.6  # of the decoder: three of the eigenvalues exceed it
LATENTS = 4


@dataclass
class Weights:
    """Decoder W (pixels, latents), encoder V (latents, pixels), log s (latents,)."""

    decoder: np.ndarray
    encoder: np.ndarray
    log_scale: np.ndarray


@shared(maxsize=1)
def covariance() -> np.ndarray:
    """C (6, 6), turned so that no pixel is a principal direction."""
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))
    return turn * EIGENVALUES @ turn.T


def error_gradient(at: Weights, sampling: bool = True) -> Weights:
    """Gradient of the expected reconstruction term, −E[log p(x|z)]."""
    c, noise = covariance(), np.exp(2 * at.log_scale) * sampling
    second = at.encoder @ c @ at.encoder.T + np.diag(noise)
    inner = at.decoder.T @ at.decoder
    return Weights(
        (at.decoder @ second - c @ at.encoder.T) / VARIANCE,
        (inner @ at.encoder - at.decoder.T) @ c / VARIANCE,
        np.diag(inner) * noise / VARIANCE,
    )


def kl_gradient(at: Weights) -> Weights:
    """Gradient of the expected KL: the decoder's part is zero."""
    noise = np.exp(2 * at.log_scale)
    return Weights(np.zeros_like(at.decoder), at.encoder @ covariance(), noise - 1)


def start() -> Weights:
    random = np.random.default_rng(2)
    return Weights(random.normal(size=(6, 4)) / 4, random.normal(size=(4, 6)) / 4, np.zeros(4))


@shared(maxsize=8)
def trained(sampling: bool = True, steps: int = 4000, rate: float = 0.03) -> Weights:
    """The weights after gradient descent; without sampling there is neither noise nor KL."""
    at = start()
    for _ in range(steps):
        error, kl = error_gradient(at, sampling), kl_gradient(at)
        at = Weights(
            at.decoder - rate * (error.decoder + sampling * kl.decoder),
            at.encoder - rate * (error.encoder + sampling * kl.encoder),
            at.log_scale - rate * (error.log_scale + sampling * kl.log_scale),
        )
    return at


def kl_per_latent(at: Weights) -> np.ndarray:
    """Expected KL of each latent, nats."""
    used = np.diag(at.encoder @ covariance() @ at.encoder.T)
    return 0.5 * (used + np.exp(2 * at.log_scale) - 1 - 2 * at.log_scale)


def squared_error(at: Weights, sampling: bool = True) -> float:
    """Expected squared error of an image, summed over its pixels."""
    rest = np.eye(6) - at.decoder @ at.encoder
    drawn = (at.decoder**2 @ np.exp(2 * at.log_scale)).sum() if sampling else 0.0
    return float(np.trace(rest @ covariance() @ rest.T) + drawn)


def active_latents() -> Evidence:
    at = trained()
    alive = int((kl_per_latent(at) > 0.01).sum())
    error = squared_error(at) / (2 * VARIANCE) + 3 * np.log(2 * np.pi * VARIANCE)
    gap = ppca.elbo(EIGENVALUES, VARIANCE, LATENTS) + error + kl_per_latent(at).sum()
    expected = ppca.active_latents(EIGENVALUES, VARIANCE, latents=LATENTS)
    figure = (
        f"{alive} of {LATENTS} latents survive training at σ² = {VARIANCE}; "
        f"{expected} eigenvalues exceed it"
    )
    return Evidence(figure, alive == expected and abs(gap) < 1e-3)


def gradient_norms() -> Evidence:
    error, kl = error_gradient(start()), kl_gradient(start())
    norms = [
        np.linalg.norm(part) for part in (error.encoder, error.decoder, kl.encoder, kl.decoder)
    ]
    figure = (
        f"gradient norms: reconstruction {norms[0]:.2f} in the encoder, {norms[1]:.2f} in the "
        f"decoder; KL {norms[2]:.2f} and {norms[3]:.2f}"
    )
    return Evidence(figure, bool(min(norms[:3]) > 0 and norms[3] == 0))


def without_sampling() -> Evidence:
    vae, plain = trained(), trained(sampling=False)
    codes = [np.diag(at.encoder @ covariance() @ at.encoder.T) for at in (vae, plain)]
    aggregate = codes[0] + np.exp(2 * vae.log_scale)
    errors = squared_error(vae), squared_error(plain, sampling=False)
    figure = (
        f"squared error {errors[1]:.2f} without the draw, {errors[0]:.2f} with it; codes vary by "
        f"{codes[1].min():.1f} to {codes[1].max():.1f} against the prior's 1"
    )
    discarded = EIGENVALUES[LATENTS:].sum()
    agrees = abs(errors[1] - discarded) < 1e-3 and errors[0] > errors[1]
    return Evidence(figure, agrees and bool(np.allclose(aggregate, 1, atol=0.02)))
