"""What is predicted before a run, against eigenvalues, entropies and optimisers of our own."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from vae.config import TrainConfig
from vae.theory.prediction import (
    ACTIVE_NATS,
    ImageSummary,
    active_latents,
    implied_scale,
    predict,
    sentence,
    summarise,
)

SPECTRUM = tuple(sorted((5.0 * 0.8**index for index in range(49)), reverse=True))
IMAGES = ImageSummary(pixels=49, eigenvalues=SPECTRUM, entropy=12.5)
GAUSSIAN = TrainConfig(likelihood="gaussian", scale=0.5, latent_dim=20)
LEARNED = TrainConfig(likelihood="gaussian-learned", latent_dim=5)


def test_the_summary_agrees_with_numpy_and_torch_on_real_arrays():
    images = np.random.default_rng(0).integers(0, 256, (300, 5, 5), dtype=np.uint8)
    summary = summarise(images, images[:100])
    flat = images.reshape(300, 25) / 255
    expected = np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2 / 300
    assert summary.eigenvalues == pytest.approx(expected, rel=1e-9)
    probs = torch.from_numpy(images[:100] / 255)
    entropy = torch.distributions.Bernoulli(probs=probs).entropy().sum((1, 2)).mean()
    assert summary.entropy == pytest.approx(float(entropy), rel=1e-6)
    assert summary.pixels == 25


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("reduction", ["sum", "pixel-mean"])
def test_the_implied_sigma_has_the_gradients_of_the_loss(beta, reduction):
    config = replace(GAUSSIAN, beta=beta, reduction=reduction)
    scale = implied_scale(config, 49)
    error = torch.tensor(3.7, requires_grad=True)
    kl = torch.tensor(2.1, requires_grad=True)
    divisor = 49 if reduction == "pixel-mean" else 1
    (error / (2 * config.scale**2) / divisor + beta * kl).backward()
    # The same direction as the negative ELBO of a Gaussian of the implied sigma.
    ratio = float(error.grad / kl.grad)
    assert ratio == pytest.approx(1 / (2 * scale**2), rel=1e-6)


def test_latents_are_active_where_the_linear_elbo_gains_by_them():
    # For one direction: lambda's share of error and KL, minimised over the posterior variance.
    def gain(eigenvalue, variance):
        def loss(share):
            error = eigenvalue * share
            return error / (2 * variance) - 0.5 * math.log(share)

        best = minimize_scalar(loss, bounds=(1e-9, 1.0), method="bounded", options={"xatol": 1e-12})
        return loss(1.0) - best.fun

    expected = predict(GAUSSIAN, IMAGES)
    variance = 0.25
    gains = [gain(value, variance) for value in SPECTRUM[:20]]
    assert expected.active == sum(value > 1e-6 for value in gains)
    assert 0 < expected.active < 20
    kls = [max(0.0, -0.5 * math.log(min(1.0, variance / value))) for value in SPECTRUM[:20]]
    assert expected.kl_per_latent == pytest.approx(kls)


def test_the_pixel_mean_collapses_everything():
    expected = predict(replace(GAUSSIAN, scale=1.0, reduction="pixel-mean"), IMAGES)
    assert expected.scale == pytest.approx(7.0)
    assert (expected.active, expected.kl) == (0, 0.0)
    assert expected.mse == pytest.approx(sum(SPECTRUM) / 49)


@pytest.mark.parametrize("beta", [1.0, 4.0, 60.0])
def test_a_learned_sigma_is_where_the_linear_objective_is_least(beta):
    expected = predict(replace(LEARNED, beta=beta), IMAGES)
    spectrum = np.array(SPECTRUM)

    def objective(log_variance):
        variance = math.exp(log_variance)
        used = spectrum[:5]
        on = used > beta * variance
        error = np.where(on, beta * variance, used).sum() + spectrum[5:].sum()
        kl = 0.5 * np.log(used[on] / (beta * variance)).sum()
        return 49 / 2 * log_variance + error / (2 * variance) + beta * kl

    grid = np.linspace(math.log(1e-3), math.log(10), 20001)
    best = grid[np.argmin([objective(value) for value in grid])]
    assert expected.scale == pytest.approx(math.exp(best / 2), rel=1e-3)


def test_at_beta_one_it_is_the_mean_of_the_discarded_eigenvalues():
    assert predict(LEARNED, IMAGES).scale ** 2 == pytest.approx(sum(SPECTRUM[5:]) / 44)


def test_floors():
    assert predict(TrainConfig(), IMAGES).floor == 12.5
    assert predict(TrainConfig(reduction="pixel-mean"), IMAGES).floor == pytest.approx(12.5 / 49)
    assert predict(TrainConfig(binarise="static"), IMAGES).floor == 0
    assert predict(GAUSSIAN, IMAGES).floor is None
    assert predict(TrainConfig(likelihood="counter-biased"), IMAGES).floor == 0


def test_no_count_is_made_up_where_theory_gives_none():
    for config in (
        TrainConfig(),
        TrainConfig(likelihood="continuous-bernoulli"),
        replace(GAUSSIAN, sampling=False),
        replace(GAUSSIAN, beta=0.0),
        replace(GAUSSIAN, binarise="static"),
    ):
        expected = predict(config, IMAGES)
        assert expected.active is None
        assert expected.kl is None
        assert sentence(config, expected).endswith(".")


def test_sentences_carry_the_numbers():
    assert "12.5" in sentence(TrainConfig(), predict(TrainConfig(), IMAGES))
    collapsed = replace(GAUSSIAN, scale=1.0, reduction="pixel-mean")
    text = sentence(collapsed, predict(collapsed, IMAGES))
    assert "σ = 7" in text
    assert "0 of 20" in text


def test_latents_in_use_are_counted_above_the_threshold():
    assert active_latents((0.0, ACTIVE_NATS, ACTIVE_NATS + 0.01, 3.0)) == 2
