"""The loss of a configuration in words for people: as an equation and as lines of PyTorch.

Both say what is minimised, mean over the images of a batch, with the numbers of the configuration
in place. Equations: Kingma & Welling (2014), eq. 10, with the likelihoods' densities written out.
"""

import math

from vae.config import TrainConfig


def loss_latex(config: TrainConfig, pixels: int = 784) -> str:
    """The loss of one image as LaTeX, in nats (divided by ``pixels`` under 'pixel-mean')."""
    term = _latex_term(config, pixels)
    if config.reduction == "pixel-mean":
        term = rf"\frac{{1}}{{{pixels}}}\Big[{term}\Big]"
    return r"\mathcal{L}(x) = " + term + _latex_kl(config)


def _latex_kl(config: TrainConfig) -> str:
    if not config.sampling:
        return r",\qquad z = \mu_q(x)\ \text{(no draw, no KL)}"
    weight = "" if config.beta == 1 else rf"{config.beta:g}\,"
    return rf" \;+\; {weight}\mathrm{{KL}}\big(q(z|x)\,\|\,\mathcal{{N}}(0, I)\big)"


def _latex_term(config: TrainConfig, pixels: int) -> str:
    squared = r"\lVert x - \mu(z)\rVert^2"
    half = f"{pixels / 2:g}"
    if config.likelihood == "gaussian":
        constant = pixels / 2 * math.log(2 * math.pi * config.scale**2)
        factor = 1 / (2 * config.scale**2)
        return rf"{factor:.4g}\,{squared} {constant:+.1f}"
    if config.likelihood == "gaussian-learned":
        return rf"\frac{{1}}{{2\sigma^2}}{squared} + {half}\,\log(2\pi\sigma^2)"
    if config.likelihood == "gaussian-optimal":
        return rf"{half}\,\big[\log(2\pi\,\mathrm{{MSE}}) + 1\big]"
    if config.likelihood == "bernoulli":
        return r"-\sum_i \big[x_i \log p_i(z) + (1 - x_i)\log(1 - p_i(z))\big]"
    if config.likelihood == "continuous-bernoulli":
        return (
            r"-\sum_i \big[x_i \log \lambda_i(z) + (1 - x_i)\log(1 - \lambda_i(z))"
            r" + \log C(\lambda_i(z))\big]\;\; (x_i = (k_i + u_i)/256)"
        )
    return (
        r"\sum_i \big[2x_i(1-x_i)h_i^2 + \tfrac43(1-2x_i)h_i^3 - h_i^4\big]"
        r"\;\; (h_i = p_i(z) - x_i)"
    )


# Per pixel, minus log p(x|z); ``out`` is what the decoder returns; the sigmoid keeps means in
# [0, 1].
_MEAN = "mean = torch.sigmoid(out)"
_PIXEL_LINES = {
    "gaussian": (
        _MEAN,
        "nll = (x - mean)**2 / (2 * {scale}**2) + math.log({scale}) + 0.5 * math.log(2 * math.pi)",
    ),
    "gaussian-learned": (
        _MEAN,
        "nll = (x - mean)**2 / (2 * scale**2) + scale.log() + 0.5 * math.log(2 * math.pi)",
    ),
    "gaussian-optimal": (
        _MEAN,
        "mse = (x - mean).square().mean().detach()  # sigma**2 of this batch",
        "nll = (x - mean)**2 / (2 * mse) + 0.5 * (2 * math.pi * mse).log()",
    ),
    "bernoulli": ('nll = F.binary_cross_entropy_with_logits(out, x, reduction="none")',),
    "continuous-bernoulli": (
        'nll = F.binary_cross_entropy_with_logits(out, x, reduction="none")',
        "nll = nll - torch.log(out / torch.tanh(out / 2))  # log C; its series where out is near 0",
    ),
    "counter-biased": (
        "h = torch.sigmoid(out) - x",
        "nll = 2 * x * (1 - x) * h**2 + 4 / 3 * (1 - 2 * x) * h**3 - h**4",
    ),
}


def _target_lines(config: TrainConfig) -> list[str]:
    """How bytes become targets: in [0, 1], or in (0, 1) where 0 and 1 have no bounded density."""
    lines = []
    if config.binarise != "none":
        when = "anew at every step" if config.binarise == "resampled" else "once, before training"
        lines.append(f"images = 255 * torch.bernoulli(images / 255)  # drawn {when}")
    if config.likelihood == "continuous-bernoulli":
        return [*lines, "x = (images + torch.rand(images.shape)) / 256  # dequantised"]
    return [*lines, "x = images / 255"]


def loss_code(config: TrainConfig) -> str:
    """The loss as the lines of PyTorch it stands for, from ``images`` to ``loss``.

    ``images`` are bytes (B, D) from 0 to 255; ``encoder``, ``decoder`` and, for a learned one,
    ``scale`` are the reader's own.
    """
    lines = [*_target_lines(config), "mean_z, logvar = encoder(x)"]
    if config.sampling:
        lines.append("z = mean_z + torch.exp(logvar / 2) * torch.randn_like(mean_z)")
    else:
        lines.append("z = mean_z  # no draw: a plain autoencoder")
    lines.append("out = decoder(z)")
    pixel_lines = _PIXEL_LINES[config.likelihood]
    if config.architecture == "linear":
        pixel_lines = tuple(line.replace(_MEAN, "mean = out") for line in pixel_lines)
    lines += [line.format(scale=f"{config.scale:g}") for line in pixel_lines]
    reduce = "sum" if config.reduction == "sum" else "mean"
    if not config.sampling:
        return "\n".join([*lines, f"loss = nll.{reduce}(-1).mean()"])
    lines.append("kl = 0.5 * (mean_z**2 + logvar.exp() - 1 - logvar).sum(-1)")
    weight = "" if config.beta == 1 else f"{config.beta:g} * "
    return "\n".join([*lines, f"loss = (nll.{reduce}(-1) + {weight}kl).mean()"])
