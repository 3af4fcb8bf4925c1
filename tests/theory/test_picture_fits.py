"""The small optimisation on pictures against the exact optima under the same noise."""

import numpy as np
import pytest
import torch

from vae.theory import continuous_bernoulli as cb
from vae.theory import picture_fits as fits
from vae.theory import pull

GREYS = np.array([0.25, 0.5, 0.8])


@pytest.mark.parametrize(
    ("loss", "optimum"),
    [
        ("bernoulli", pull.bce_optimum),
        ("gaussian", pull.mse_optimum),
        ("counter-biased", pull.loss_one_optimum),
    ],
)
def test_output_noise_ends_at_the_exact_optimum(loss, optimum):
    found = fits.fit_greys(GREYS, loss, "output", 0.1)
    np.testing.assert_allclose(found, optimum(GREYS, 0.1), atol=6e-3)


def test_logit_noise_ends_at_the_exact_means():
    for loss, name in (("bernoulli", "bce"), ("gaussian", "mse")):
        found = fits.fit_greys(GREYS, loss, "logit", 1.0)
        want = [pull.logit_noise_optimum(t, 1.0)[name][1] for t in GREYS]
        np.testing.assert_allclose(found, want, atol=8e-3)


@pytest.mark.parametrize("loss", list(fits.LOGIT_GRADIENTS))
def test_without_noise_every_loss_gives_the_target_back(loss):
    images = np.array([[[40, 128], [200, 90]]], np.uint8)
    result = fits.fit(images, loss, "output", 0.0)
    np.testing.assert_allclose(result.images, images / 255, atol=5e-3)
    assert result.contrast == pytest.approx(1, abs=0.02)


def test_the_gradients_are_those_of_the_losses():
    a = torch.tensor([-2.0, -0.3, 0.7, 3.0], dtype=torch.float64, requires_grad=True)
    t = 0.3
    p = torch.sigmoid(a)
    losses = {
        "bernoulli": -(t * torch.log(p) + (1 - t) * torch.log(1 - p)),
        "gaussian": (p - t) ** 2,
        "continuous-bernoulli": -(t * a - torch.log(torch.expm1(a) / a)),
        "counter-biased": 2 * t * (1 - t) * (p - t) ** 2
        + 4 / 3 * (1 - 2 * t) * (p - t) ** 3
        - (p - t) ** 4,
    }
    for name, loss in losses.items():
        [want] = torch.autograd.grad(loss.sum(), a, retain_graph=True)
        ours = fits.LOGIT_GRADIENTS[name](np.array(t), a.detach().numpy())
        np.testing.assert_allclose(ours, want.numpy(), atol=1e-12)


def test_from_the_negative_bce_returns_and_mse_waits():
    images = np.array([[[0, 255]]], np.uint8)
    bce = fits.descend_from_negative(images, "bernoulli", start=5.0, steps=20)
    mse = fits.descend_from_negative(images, "gaussian", start=5.0, steps=20)
    assert bce[0, 0, 1] > 0.9 > 0.1 > mse[0, 0, 1]
    a = torch.tensor([5.0, -5.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([a], lr=1.0)
    for _ in range(20):
        optimizer.zero_grad()
        (torch.sigmoid(a) - torch.tensor([0.0, 1.0])).square().sum().backward()
        optimizer.step()
    np.testing.assert_allclose(mse[0, 0], torch.sigmoid(a).detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize(("optimiser", "scale"), [("sgd", 0.3), ("adam", 0.1)])
def test_the_way_back_follows_sigma_and_the_optimiser(optimiser, scale):
    images = np.array([[[0, 255]]], np.uint8)
    ours = fits.descend_from_negative(
        images, "gaussian", start=5.0, steps=30, scale=scale, optimiser=optimiser, rate=0.1
    )
    a = torch.tensor([5.0, -5.0], dtype=torch.float64, requires_grad=True)
    optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[optimiser]([a], lr=0.1)
    for _ in range(30):
        optimizer.zero_grad()
        normal = torch.distributions.Normal(torch.sigmoid(a), scale)
        (-normal.log_prob(torch.tensor([0.0, 1.0], dtype=torch.float64))).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(ours[0, 0], torch.sigmoid(a).detach().numpy(), rtol=1e-8)


def test_the_continuous_bernoulli_reaches_the_ends_of_a_picture():
    images = np.array([[[0, 255], [128, 30]]], np.uint8)
    result = fits.fit(images, "continuous-bernoulli", "logit", 1.0)
    assert result.error < 1e-4
    assert float(cb.mean(0.0)) == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("huber", "logit", 1.0), "loss: 'huber' given"),
        (("gaussian", "weights", 0.1), "noise_on: 'weights' given"),
        (("gaussian", "output", 0.5), "amount: 0.5 given; allowed is 0 to 0.25"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        fits.fit(np.zeros((1, 2, 2), np.uint8), *arguments)
