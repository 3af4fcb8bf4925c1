"""Networks for tests of what a browser draws on: shipped ones, and small ones of every kind."""

import numpy as np
import pytest
import torch

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.engine.training import Trainer
from vae.export import weights
from vae.images.sets import ImageData, load_images
from vae.shipped.cards import load_cards

FOUR = ("gaussian", "gaussian-optimal", "bernoulli", "continuous-bernoulli")


def images(dataset: str, request: pytest.FixtureRequest) -> ImageData:
    if dataset == "digits":
        return load_images("digits")
    return load_images(dataset, request.getfixturevalue("data_dir"))


def shipped(dataset: str) -> list[weights.Network]:
    cards = load_cards()
    return [weights.read_network(cards[f"{dataset}-{loss}"].weights_path) for loss in FOUR]


def looks(count: int) -> list[weights.Look]:
    return [weights.Look(f"network {index}", "#0072B2") for index in range(count)]


def train(config: TrainConfig, steps: int = 3) -> Trainer:
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (40, 6, 5), dtype=np.uint8)
    labels = np.zeros(40, np.uint8)
    data = ImageData("own", pictures, labels, pictures[:10], labels[:10], ("0",))
    trainer = Trainer(config, data)
    for _ in range(steps):
        trainer.step(observe=False)
    return trainer


SMALL = TrainConfig(hidden_dim=8, latent_dim=3, batch_size=16, device="cpu")
ALL_LIKELIHOODS = tuple(name for name, belief in BELIEFS.items() if belief.in_browser)


def rounded(network: weights.Network) -> dict[str, torch.Tensor]:
    """The tensors as a reader of the binary has them."""
    return {
        name: torch.from_numpy(weights.as_read(network, name).astype(np.float32))
        for name in network.tensors
    }
