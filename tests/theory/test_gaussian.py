"""The Gaussian's closed forms against torch.distributions, autograd and quadrature."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from vae.theory import gaussian

pixels = st.floats(0, 1)
scales = st.floats(0.01, 20)


@given(x=pixels, mean=pixels, scale=scales)
def test_log_prob_is_that_of_torch(x, mean, scale):
    normal = torch.distributions.Normal(
        torch.tensor(mean, dtype=torch.float64), torch.tensor(scale, dtype=torch.float64)
    )
    want = normal.log_prob(torch.tensor(x, dtype=torch.float64)).item()
    assert gaussian.gaussian_log_prob(x, mean, scale) == pytest.approx(want, rel=1e-12, abs=1e-12)


def test_the_density_integrates_to_one():
    area, _ = integrate.quad(lambda x: math.exp(gaussian.gaussian_log_prob(x, 0.4, 0.3)), -5, 5)
    assert area == pytest.approx(1, abs=1e-9)


def test_nll_of_an_image_is_the_sum_over_its_pixels():
    draw = np.random.default_rng(0)
    x, mean = draw.random((2, 784))
    want = -stats.norm(mean, 0.3).logpdf(x).sum()
    got = gaussian.nll_from_mse(np.mean((x - mean) ** 2), 0.3, 784)
    assert got == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize("mse", [1e-4, 0.01, 0.0586, 0.25])
def test_best_nll_is_the_minimum_over_the_scale(mse):
    found = optimize.minimize_scalar(
        lambda log_scale: float(gaussian.nll_from_mse(mse, math.exp(log_scale), 784)),
        bounds=(-7, 2),
        method="bounded",
        options={"xatol": 1e-10},
    )
    assert math.exp(found.x) == pytest.approx(math.sqrt(mse), rel=1e-5)
    assert gaussian.best_nll(mse, 784) == pytest.approx(found.fun, rel=1e-9, abs=1e-6)


def test_best_nll_changes_sign_where_it_says():
    root = optimize.brentq(lambda mse: float(gaussian.best_nll(mse)), 0.01, 0.2, xtol=1e-14)
    assert root == pytest.approx(gaussian.ZERO_NLL_MSE, rel=1e-10)
    assert root == pytest.approx(0.05855, abs=5e-6)


@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 19.8])
def test_gradients_and_their_ratio_are_autograds(scale):
    x = torch.rand(784, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    mean = torch.full((784,), 0.4, dtype=torch.float64, requires_grad=True)
    log_prob = torch.distributions.Normal(mean, scale).log_prob(x).sum()
    (got,) = torch.autograd.grad(log_prob, mean)
    want = gaussian.log_prob_gradient(x.numpy(), 0.4, scale)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)
    (of_mse,) = torch.autograd.grad(torch.nn.functional.mse_loss(mean, x), mean)
    ratio = (-got / of_mse).numpy()
    np.testing.assert_allclose(ratio, gaussian.gradient_ratio(scale, 784), rtol=1e-9)


def test_the_ratio_for_an_mnist_image_at_sigma_03():
    assert gaussian.gradient_ratio(0.3, 784) == pytest.approx(4355.56, abs=0.005)


@given(mean=pixels, scale=scales)
def test_mass_outside_is_that_of_the_normal_distribution(mean, scale):
    normal = stats.norm(mean, scale)
    want = normal.cdf(0) + normal.sf(1)
    assert gaussian.mass_outside_unit(mean, scale) == pytest.approx(want, rel=1e-9, abs=1e-300)


def test_rounding_to_eight_bits_has_the_scale_it_says():
    values = np.random.default_rng(2).random(400_000)
    error = np.rint(values * 255) / 255 - values
    assert error.std() == pytest.approx(gaussian.QUANTISATION_SCALE, rel=0.01)


def test_pearsons_chi_squared_is_its_integral():
    x = np.linspace(-8, 9, 20001)
    for gap in (0.0, 0.3, 0.8):
        true, model = (stats.norm.pdf(x, mean, 0.5) for mean in (0.4, 0.4 + gap))
        integral = np.trapezoid((true - model) ** 2 / model, x)
        assert gaussian.chi_squared(gap, 0.5) == pytest.approx(integral, rel=1e-6, abs=1e-9)


def test_cross_entropy_is_the_mean_nll_of_the_data():
    data = np.random.default_rng(3).integers(0, 256, 5000)
    counts = np.bincount(data, minlength=256)
    want = -stats.norm(0.4, 0.2).logpdf(data / 255).mean()
    got = gaussian.cross_entropy(np.arange(256) / 255, counts, 0.4, 0.2)
    assert got == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: gaussian.gaussian_log_prob(0.5, 0.5, 0.0), "scale"),
        (lambda: gaussian.nll_from_mse(0.1, -1.0), "scale"),
        (lambda: gaussian.nll_from_mse(0.1, 1.0, 0), "pixels"),
        (lambda: gaussian.best_nll(0.0), "mse"),
        (lambda: gaussian.mass_outside_unit(0.5, math.nan), "scale"),
        (lambda: gaussian.cross_entropy([0.0], [-1.0], 0.0, 1.0), "weights"),
    ],
)
def test_bad_values_are_named(call, name):
    with pytest.raises(ValueError, match=name):
        call()
