"""The importance-weighted bound, held against closed forms and brute force."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import special
from torch import distributions

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.engine.importance import DRAWS, Bounds
from vae.engine.training import Trainer
from vae.images.sets import ImageData


def toy(shape=(4, 4), levels=4, count=24):
    draw = np.random.default_rng(1)
    step = 255 // (levels - 1)
    images = (draw.integers(0, levels, (count, *shape)) * step).astype(np.uint8)
    labels = np.zeros(count, dtype=np.uint8)
    return ImageData("toy", images, labels, images, labels, ("all",))


def linear_trainer(latents=3):
    """A linear VAE with weights of its own, whose encoder is the exact posterior of its decoder."""
    config = TrainConfig(
        likelihood="gaussian", scale=0.4, architecture="linear", latent_dim=latents, epochs=1
    )
    trainer = Trainer(config, toy())
    draw = torch.Generator().manual_seed(3)
    decoder, encoder = trainer.model.decoder, trainer.model.encoder
    # Orthogonal columns: then the posterior's covariance is diagonal, as q's is.
    columns = torch.linalg.qr(torch.randn(16, latents, generator=draw))[0]
    sizes = torch.tensor([1.2, 0.8, 0.3])
    precision = 1 + (sizes / 0.4) ** 2
    with torch.no_grad():
        decoder.weight.copy_(columns * sizes)
        encoder.mean.weight.copy_((decoder.weight / 0.4**2 / precision).T)
        encoder.logvar.copy_(-precision.log())
    return trainer


def log_evidence(trainer):
    """log p(x) of each test image: x ~ N(b, W W^T + scale^2 I)."""
    weight, bias = trainer.model.decoder.weight.double(), trainer.model.decoder.bias.double()
    covariance = weight @ weight.T + 0.4**2 * torch.eye(16, dtype=torch.float64)
    normal = distributions.MultivariateNormal(bias, covariance)
    return normal.log_prob(trainer.pixels.test.double() / 255).detach()


def last_of(bounds):
    events = list(bounds.measure())
    return events, events[-1]


def test_with_the_exact_posterior_every_bound_is_log_p_of_x():
    trainer = linear_trainer()
    bounds = Bounds(trainer.model, trainer.pixels, images=24, samples=20, density=True)
    _, last = last_of(bounds)
    exact = log_evidence(trainer)
    for draws in (1, 2, 10, 20):
        torch.testing.assert_close(bounds.bound(draws), exact, rtol=0, atol=1e-4)
    assert last.gap == pytest.approx(0, abs=1e-4)
    # There is nothing to gain for a q of each image's own.
    assert last.amortisation_gap == pytest.approx(0, abs=0.02)


def test_with_a_worse_posterior_the_bound_rises_to_log_p_of_x():
    trainer = linear_trainer()
    with torch.no_grad():
        trainer.model.encoder.logvar += 1.0
        trainer.model.encoder.mean.weight *= 0.8
    bounds = Bounds(trainer.model, trainer.pixels, images=24, samples=1000, density=True)
    events, last = last_of(bounds)
    exact = log_evidence(trainer)
    assert last.draws == DRAWS
    assert list(last.nats) == sorted(last.nats)
    # Nested groups of the same draws: the order holds for every image.
    each = [bounds.bound(draws) for draws in DRAWS]
    assert all((later >= earlier - 1e-9).all() for earlier, later in itertools.pairwise(each))
    # The ELBO falls short of log p(x) by KL(q || posterior), which is closed form here.
    mean, logvar = (value.detach() for value in trainer.model.encode(trainer.pixels.test / 255))
    true_mean, true_logvar = linear_trainer().model.encode(trainer.pixels.test / 255)
    kl = distributions.kl_divergence(
        distributions.Normal(mean, (logvar / 2).exp()),
        distributions.Normal(true_mean, (true_logvar / 2).exp()),
    ).sum(-1)
    assert last.nats[0] == pytest.approx(float(exact.mean() - kl.mean()), abs=0.05)
    assert last.nats[-1] == pytest.approx(float(exact.mean()), abs=0.02)
    assert last.gap == pytest.approx(float(kl.mean()), abs=0.06)
    # All of this gap is the encoder's: the right q is one of its family.
    assert last.amortisation_gap == pytest.approx(last.gap, abs=0.06)
    assert [event.samples for event in events] == sorted(event.samples for event in events)
    assert len(events) > 10


@pytest.mark.parametrize(
    "likelihood", ["gaussian", "laplace", "student-t", "discretised-logistic", "bernoulli"]
)
def test_probabilities_of_all_pictures_sum_to_one(likelihood):
    # All 2x2 pictures of two levels, with one latent: brute force over pictures, quadrature over z.
    config = TrainConfig(likelihood=likelihood, scale=0.3, latent_dim=1, hidden_dim=6, epochs=1)
    pictures = np.array(list(itertools.product((0, 255), repeat=4)), dtype=np.uint8)
    data = ImageData("all", pictures.reshape(16, 2, 2), *([np.zeros(16, dtype=np.uint8)]), *(
        pictures.reshape(16, 2, 2), np.zeros(16, dtype=np.uint8), ("all",)
    ))  # fmt: skip
    trainer = Trainer(config, data)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    z = torch.tensor(nodes, dtype=torch.float32)[:, None]
    with torch.inference_mode():
        output = trainer.model.decode(z)
        log_mass = [
            trainer.model.likelihood.log_mass(output, picture.expand(80, 4), 2).sum(-1)
            for picture in trainer.pixels.test
        ]
    probabilities = [
        float(weights @ np.exp(one.double().numpy())) / math.sqrt(2 * math.pi) for one in log_mass
    ]
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    bounds = Bounds(trainer.model, trainer.pixels, images=16, samples=1000)
    last_of(bounds)
    np.testing.assert_allclose(bounds.bound(1000), np.log(probabilities), atol=0.15)
    assert not bounds.density


def quadrature(trainer, nodes):
    """Nodes of two latents under the prior, (n * n, 2), and their weights, which sum to 1."""
    at, weights = np.polynomial.hermite_e.hermegauss(nodes)
    z = torch.tensor(list(itertools.product(at, at)), dtype=torch.float32)
    weights = np.outer(weights, weights).ravel() / (2 * math.pi)
    with torch.inference_mode():
        return trainer.model.decode(z), weights


def masses_of(trainer, pictures, levels, nodes):
    """log p of each picture, a probability of ``levels`` levels a pixel: the area over z."""
    output, weights = quadrature(trainer, nodes)
    likelihood = trainer.model.likelihood
    found = []
    for picture in pictures:
        with torch.inference_mode():
            log_mass = likelihood.log_mass(output, picture.expand(len(weights), -1), levels)
        found.append(special.logsumexp(log_mass.double().sum(-1).numpy(), b=weights))
    return np.array(found)


# Four levels a pixel; the categorical has 256 of its own.
FOUR_LEVELS = [name for name, b in BELIEFS.items() if b.normalised and name != "categorical"]


def two_latents(likelihood, data):
    config = TrainConfig(likelihood=likelihood, scale=0.5, latent_dim=2, hidden_dim=6, epochs=1)
    trainer = Trainer(config, data)
    trainer.pixels.levels = 4
    # A decoder that bends, as a trained one does.
    with torch.no_grad():
        for parameter in trainer.model.decoder.parameters():
            parameter.mul_(2)
    return trainer


@pytest.mark.parametrize("likelihood", FOUR_LEVELS)
def test_probabilities_of_all_pictures_of_four_levels_sum_to_one(likelihood):
    pictures = 85 * np.array(list(itertools.product(range(4), repeat=4)), dtype=np.uint8)
    labels = np.zeros(256, dtype=np.uint8)
    squares = pictures.reshape(256, 2, 2)
    trainer = two_latents(likelihood, ImageData("all", squares, labels, squares, labels, ("all",)))
    log_masses = masses_of(trainer, trainer.pixels.test, 4, nodes=24)
    assert np.exp(log_masses).sum() == pytest.approx(1, abs=1e-4)
    assert np.ptp(log_masses) > 0.5


@pytest.mark.parametrize("likelihood", FOUR_LEVELS)
def test_the_bound_on_4x4_pictures_of_four_levels_is_their_area_over_z(likelihood):
    trainer = two_latents(likelihood, toy(levels=4, count=12))
    exact = masses_of(trainer, trainer.pixels.test, 4, nodes=60)
    bounds = Bounds(trainer.model, trainer.pixels, images=12, samples=1000)
    _, last = last_of(bounds)
    found = bounds.bound(1000).numpy()
    np.testing.assert_allclose(found, exact, atol=0.3)
    assert found.mean() == pytest.approx(exact.mean(), abs=0.1)
    # The ELBO, and the bound of few draws, lie below.
    assert bounds.bound(1).mean() <= bounds.bound(10).mean() <= exact.mean() + 0.05
    assert last.gap == pytest.approx(exact.mean() - float(bounds.bound(1).mean()), abs=0.1)


def test_bounds_are_named_when_numbers_are_off():
    trainer = linear_trainer()
    with pytest.raises(ValueError, match="samples: 0 given; allowed is 1 to 1000"):
        Bounds(trainer.model, trainer.pixels, images=5, samples=0)
    with pytest.raises(ValueError, match="images: 2000 given"):
        Bounds(trainer.model, trainer.pixels, images=2000, samples=10)
