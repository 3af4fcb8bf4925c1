"""Models: shapes, initial weights, and the linear VAE against probabilistic PCA in numpy."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from samples import small_images

from vae.beliefs import BELIEFS
from vae.config import LIKELIHOODS, TrainConfig
from vae.engine.models import build_vae
from vae.engine.training import Trainer
from vae.images.sets import ImageData, load_images


@pytest.mark.parametrize("architecture", ["mlp", "linear"])
@pytest.mark.parametrize("shape", [(28, 28), (5, 9)])
def test_shapes_follow_the_images(architecture: str, shape: tuple[int, int]) -> None:
    config = TrainConfig(architecture=architecture, latent_dim=3, hidden_dim=7)
    model = build_vae(config, shape)
    pixels = shape[0] * shape[1]
    mean, logvar = model.encode(torch.rand(4, pixels))
    assert mean.shape == logvar.shape == (4, 3)
    assert model.decode(mean).shape == (4, pixels)


@pytest.mark.parametrize("architecture", ["mlp", "linear"])
def test_initial_weights_depend_on_the_seed_alone(architecture: str) -> None:
    def weights(seed: int, likelihood: str) -> torch.Tensor:
        torch.manual_seed(len(likelihood))
        config = TrainConfig(architecture=architecture, seed=seed, likelihood=likelihood)
        model = build_vae(config, (6, 6))
        parts = [*model.encoder.parameters(), *model.decoder.parameters()]
        return torch.cat([part.detach().flatten() for part in parts])

    first = weights(5, "bernoulli")
    for likelihood in LIKELIHOODS:
        if BELIEFS[likelihood].outputs == 1:
            assert torch.equal(weights(5, likelihood), first)
    assert not torch.equal(weights(6, "bernoulli"), first)


def test_initial_weights_have_the_spread_of_torch() -> None:
    config = TrainConfig(hidden_dim=300)
    ours = build_vae(config, (28, 28)).encoder.hidden
    theirs = torch.nn.Linear(784, 300)
    for one, other in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        assert one.std().item() == pytest.approx(other.std().item(), rel=0.15)
        assert one.abs().max().item() <= 1 / 28


def train_linear(data: ImageData, config: TrainConfig, epochs_at: dict[float, int]) -> Trainer:
    """Train with a falling learning rate."""
    trainer = Trainer(config, data)
    for learning_rate, epochs in epochs_at.items():
        trainer.learning_rate = learning_rate
        for _ in range(epochs * trainer.order.steps_per_epoch):
            trainer.step(observe=False)
    return trainer


def spectrum(images: np.ndarray) -> np.ndarray:
    """Eigenvalues of the covariance of pixels in [0, 1], largest first."""
    x = images.reshape(len(images), -1) / 255
    return np.linalg.eigvalsh(np.cov(x, rowvar=False, bias=True))[::-1]


def best_elbo(eigenvalues: np.ndarray, latents: int, variance: float | None) -> tuple[float, float]:
    """log p(x) of probabilistic PCA at its maximum, nats per image, and its noise variance.

    Through the model's covariance W W' + s I, whose eigenvalues are max(lambda, s) for the first
    ``latents`` and s elsewhere (Tipping & Bishop 1999, equation 7).
    """
    if variance is None:
        variance = eigenvalues[latents:].mean()
    model = np.full_like(eigenvalues, variance)
    model[:latents] = np.maximum(eigenvalues[:latents], variance)
    log_p = -0.5 * np.sum(np.log(2 * math.pi * model) + eigenvalues / model)
    return float(log_p), float(variance)


def same_images_twice(data: ImageData) -> ImageData:
    """``data`` with its training images as test images too: the optimum is that of these."""
    train, labels = data.train, data.train_labels
    return ImageData(data.name, train, labels, train, labels, data.class_names)


SMALL = same_images_twice(small_images(train=2000, test=10, shape=(8, 8)))


SCHEDULE = {3e-2: 200, 3e-3: 50}


def linear(scale: float, beta: float = 1.0) -> TrainConfig:
    return TrainConfig(
        architecture="linear", likelihood="gaussian", scale=scale, beta=beta, latent_dim=5,
        batch_size=400, epochs=1000,
    )  # fmt: skip


@pytest.mark.parametrize(("scale", "active"), [(0.3, 3), (0.4, 2), (0.8, 1)])
def test_linear_vae_reaches_ppca_at_a_fixed_scale(scale: float, active: int) -> None:
    figures = train_linear(SMALL, linear(scale), SCHEDULE).evaluate()
    eigenvalues = spectrum(SMALL.train)
    assert (eigenvalues > scale**2).sum() == active
    kl = 0.5 * np.log(np.maximum(eigenvalues[:5] / scale**2, 1))
    per_latent = np.sort(figures.kl_per_latent / figures.images)[::-1]
    assert per_latent == pytest.approx(kl, abs=0.05)
    best, _ = best_elbo(eigenvalues, 5, scale**2)
    assert -figures.mean("loss") == pytest.approx(best, abs=0.05)


def test_beta_at_a_fixed_scale_is_a_larger_scale() -> None:
    """Weights agree step by step: Adam divides the loss's overall factor out again."""
    one, other = Trainer(linear(0.4), SMALL), Trainer(linear(0.2, beta=4.0), SMALL)
    for _ in range(50):
        one.step(observe=False)
        other.step(observe=False)
    for mine, theirs in zip(one.model.parameters(), other.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-4)


def test_linear_vae_reaches_ppca_at_a_learned_scale() -> None:
    config = TrainConfig(
        architecture="linear", likelihood="gaussian-learned", latent_dim=3, batch_size=400,
        epochs=1000,
    )  # fmt: skip
    trainer = train_linear(SMALL, config, {3e-2: 300, 3e-3: 100})
    best, variance = best_elbo(spectrum(SMALL.train), 3, None)
    assert trainer.scale == pytest.approx(math.sqrt(variance), rel=0.01)
    assert -trainer.evaluate().mean("loss") == pytest.approx(best, abs=0.3)


def test_linear_vae_on_mnist_reaches_ppca(data_dir: Path) -> None:
    full = load_images("mnist", data_dir)
    part = same_images_twice(
        ImageData(full.name, full.train[:5000], full.train_labels[:5000], full.test,
                  full.test_labels, full.class_names)
    )  # fmt: skip
    config = TrainConfig(
        architecture="linear", likelihood="gaussian", scale=1.0, latent_dim=20, batch_size=100,
        epochs=1000,
    )  # fmt: skip
    trainer = train_linear(part, config, {1e-2: 10, 3e-3: 10, 1e-3: 8, 1e-4: 4})
    eigenvalues = spectrum(part.train)
    figures = trainer.evaluate()
    best, _ = best_elbo(eigenvalues, 20, 1.0)
    assert -figures.mean("loss") == pytest.approx(best, abs=0.3)
    kl = 0.5 * np.log(np.maximum(eigenvalues[:20], 1))
    assert figures.mean("kl") == pytest.approx(kl.sum(), abs=0.3)
