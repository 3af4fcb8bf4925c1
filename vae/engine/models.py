"""Encoder q(z|x), decoder p(x|z) and the two together.

Shapes: x (B, D) pixels in [0, 1], flattened; z, mean, logvar (B, d); output (B, D), or (B, k D)
for a likelihood that needs k numbers a pixel.
Initial weights come from an explicit generator on the CPU: runs with the same seed start from the
same weights whatever their likelihood or device.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.engine.likelihoods import Likelihood, build_likelihood


class MlpEncoder(nn.Module):
    """D -> hidden, ReLU -> mean and logvar of q(z|x)."""

    def __init__(self, pixels: int, hidden_dim: int, latent_dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(pixels, hidden_dim)
        # One product for both halves is faster than two.
        self.head = nn.Linear(hidden_dim, 2 * latent_dim)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, logvar = self.head(F.relu(self.hidden(x), inplace=True)).chunk(2, dim=-1)
        return mean, logvar


class MlpDecoder(nn.Module):
    """d -> hidden, ReLU -> D outputs without an activation."""

    def __init__(self, pixels: int, hidden_dim: int, latent_dim: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(latent_dim, hidden_dim)
        self.head = nn.Linear(hidden_dim, pixels)

    def forward(self, z: Tensor) -> Tensor:
        return self.head(F.relu(self.hidden(z), inplace=True))


class LinearEncoder(nn.Module):
    """mean = V (x - mu); logvar is the same for every x, as in probabilistic PCA's posterior.

    mu is the decoder's own bias, as in Tipping & Bishop 1999: without it V must first learn to
    ignore the mean image, which is far larger than what differs between images. With this encoder
    the ELBO is tight at the optimum (Lucas et al. 2019).
    """

    def __init__(self, pixels: int, latent_dim: int, centre: nn.Parameter) -> None:
        super().__init__()
        self.mean = nn.Linear(pixels, latent_dim, bias=False)
        self.logvar = nn.Parameter(torch.zeros(latent_dim))
        self.centre = centre

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = self.mean(x - self.centre)
        return mean, self.logvar.expand_as(mean)


class VAE(nn.Module):
    """Encoder, decoder and likelihood for images of ``image_shape`` (height, width)."""

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        image_shape: tuple[int, int],
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.image_shape = image_shape

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logvar of q(z|x), each (B, d)."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """What ``likelihood`` reads: a mean or logits, (B, D)."""
        return self.decoder(z)


def build_vae(config: TrainConfig, image_shape: tuple[int, int]) -> VAE:
    """The model that ``config`` names, its weights drawn with ``config.seed``, on the CPU.

    A linear VAE's Gaussian mean is the output itself (Tipping & Bishop 1999); the network's passes
    through a sigmoid, since pixels are in [0, 1].
    """
    model = _assemble(config, image_shape)
    initialize(model, torch.Generator().manual_seed(config.seed))
    return model


def describe_weights(config: TrainConfig, image_shape: tuple[int, int]) -> dict[str, Tensor]:
    """Names, shapes and dtypes of the weights of ``build_vae``, as tensors without any memory."""
    with torch.device("meta"):
        return _assemble(config, image_shape).state_dict()


def _assemble(config: TrainConfig, image_shape: tuple[int, int]) -> VAE:
    pixels = image_shape[0] * image_shape[1]
    linear = config.architecture == "linear"
    outputs = pixels * BELIEFS[config.likelihood].outputs
    likelihood = build_likelihood(config.likelihood, scale=config.scale, squash=not linear)
    encoder: nn.Module
    decoder: nn.Module
    if linear:
        decoder = nn.Linear(config.latent_dim, outputs)
        # Where the output is more than a mean, the encoder has a centre of its own.
        centre = decoder.bias if outputs == pixels else nn.Parameter(torch.zeros(pixels))
        encoder = LinearEncoder(pixels, config.latent_dim, centre)
    else:
        encoder = MlpEncoder(pixels, config.hidden_dim, config.latent_dim)
        decoder = MlpDecoder(outputs, config.hidden_dim, config.latent_dim)
    return VAE(encoder, decoder, likelihood, image_shape)


def initialize(model: nn.Module, generator: torch.Generator) -> None:
    """Every linear layer uniform within 1/sqrt(inputs), torch's own default, from ``generator``."""
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            bound = 1 / math.sqrt(layer.in_features)
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            if layer.bias is not None:
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
