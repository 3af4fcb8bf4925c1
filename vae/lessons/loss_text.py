"""The loss of a configuration in words for people: as an equation and as lines of PyTorch.

Both say what is minimised, mean over the images of a batch, with the numbers of the configuration
in place. Equations: Kingma & Welling (2014), eq. 10, with the likelihoods' densities written out.
"""

from vae.beliefs import BELIEFS
from vae.beliefs.types import MEAN_LINE
from vae.config import TrainConfig


def loss_latex(config: TrainConfig, pixels: int = 784) -> str:
    """The loss of one image as LaTeX, in nats (divided by ``pixels`` under 'pixel-mean')."""
    term = BELIEFS[config.likelihood].latex(config.scale, pixels)
    if config.reduction == "pixel-mean":
        term = rf"\frac{{1}}{{{pixels}}}\Big[{term}\Big]"
    return r"\mathcal{L}(x) = " + term + _latex_kl(config)


def _latex_kl(config: TrainConfig) -> str:
    if not config.sampling:
        return r",\qquad z = \mu_q(x)\ \text{(no draw, no KL)}"
    weight = "" if config.beta == 1 else rf"{config.beta:g}\,"
    return rf" \;+\; {weight}\mathrm{{KL}}\big(q(z|x)\,\|\,\mathcal{{N}}(0, I)\big)"


def _target_lines(config: TrainConfig) -> list[str]:
    """How bytes become targets: in [0, 1], or in (0, 1) where 0 and 1 have no bounded density."""
    lines = []
    if config.binarise != "none":
        when = "anew at every step" if config.binarise == "resampled" else "once, before training"
        lines.append(f"images = 255 * torch.bernoulli(images / 255)  # drawn {when}")
    if BELIEFS[config.likelihood].dequantised:
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
    pixel_lines = BELIEFS[config.likelihood].code
    if config.architecture == "linear":
        pixel_lines = tuple(line.replace(MEAN_LINE, "mean = out") for line in pixel_lines)
    lines += [line.format(scale=f"{config.scale:g}") for line in pixel_lines]
    reduce = "sum" if config.reduction == "sum" else "mean"
    if not config.sampling:
        return "\n".join([*lines, f"loss = nll.{reduce}(-1).mean()"])
    lines.append("kl = 0.5 * (mean_z**2 + logvar.exp() - 1 - logvar).sum(-1)")
    weight = "" if config.beta == 1 else f"{config.beta:g} * "
    return "\n".join([*lines, f"loss = (nll.{reduce}(-1) + {weight}kl).mean()"])
