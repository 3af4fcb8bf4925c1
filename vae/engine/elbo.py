"""The evidence lower bound: log p(x) >= E_q(z|x)[log p(x|z)] - KL(q(z|x) || p(z)).

Everything is one value per image, nats; the mean over images is taken once, by the caller.
Source: Kingma & Welling 2014, equation 3 and appendix B; beta: Higgins et al. 2017.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Elbo:
    """The terms for each image: ``kl_per_latent`` is (B, d), the others (B,)."""

    log_likelihood: Tensor
    kl: Tensor
    kl_per_latent: Tensor
    loss: Tensor

    def mean(self, name: str) -> float:
        """The mean over images of 'log_likelihood', 'kl' or 'loss', nats per image."""
        return float(getattr(self, name).detach().mean())


def reparameterize(mean: Tensor, logvar: Tensor, generator: torch.Generator | None) -> Tensor:
    """z = mean + exp(logvar / 2) eps with eps ~ N(0, I): a draw that gradients pass through."""
    noise = torch.empty_like(mean).normal_(generator=generator)
    return torch.addcmul(mean, torch.exp(0.5 * logvar), noise)


def kl_diag_gaussian(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp(logvar)) || N(0, 1)) for each latent, in closed form, nats."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar)


def reduce_pixels(log_prob: Tensor, reduction: str) -> Tensor:
    """(B, D) to (B,): 'sum' is log p(x|z) of an image; 'pixel-mean' is that divided by D.

    Only the sum makes an ELBO. Beside a KL summed over latents the mean weighs the likelihood
    1/D, as if a Gaussian's variance were D times as large.
    """
    if reduction == "sum":
        return log_prob.sum(-1)
    if reduction == "pixel-mean":
        return log_prob.mean(-1)
    raise ValueError(f"reduction: {reduction!r} given; allowed is one of sum, pixel-mean")


def build_elbo(
    log_prob: Tensor, mean: Tensor, logvar: Tensor, *, beta: float = 1.0, reduction: str = "sum"
) -> Elbo:
    """The terms and the loss from per-pixel log p(x|z) (B, D) and q(z|x) (B, d)."""
    log_likelihood = reduce_pixels(log_prob, reduction)
    kl_per_latent = kl_diag_gaussian(mean, logvar)
    kl = kl_per_latent.sum(-1)
    loss = -(log_likelihood - beta * kl)
    return Elbo(log_likelihood, kl, kl_per_latent, loss)
