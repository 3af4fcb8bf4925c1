"""The continuous Bernoulli against quadrature, torch.distributions and a bounded optimiser."""

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, optimize

from vae.theory import continuous_bernoulli as cb
from vae.theory.bernoulli import sigmoid

LOGITS = (-30.0, -3.0, -0.06, -0.04, -1e-6, 0.0, 1e-9, 0.049, 0.051, 1.0, 12.0)


@pytest.mark.parametrize("a", LOGITS)
def test_density_integrates_to_one_and_has_the_mean(a):
    def density(x):
        return np.exp(cb.log_prob(x, a))

    assert integrate.quad(density, 0, 1, epsabs=1e-12)[0] == pytest.approx(1, abs=1e-10)
    moment = integrate.quad(lambda x: x * density(x), 0, 1, epsabs=1e-12)[0]
    assert cb.mean(a) == pytest.approx(moment, abs=1e-10)
    second = integrate.quad(lambda x: (x - moment) ** 2 * density(x), 0, 1, epsabs=1e-13)[0]
    assert cb.standard_deviation(a) == pytest.approx(np.sqrt(second), abs=1e-8)


@pytest.mark.parametrize("a", [-1e6, -5120.0, -512.0, -60.0, 60.0, 512.0, 5120.0, 1e6])
@pytest.mark.parametrize("x", [0.5 / 256, 0.5, 255.5 / 256])
def test_the_density_is_right_at_logits_that_dequantised_pixels_want(a, x):
    with mpmath.workdps(50):
        exact = mpmath.mpf(a)
        density = exact * mpmath.mpf(x) - mpmath.log((mpmath.exp(exact) - 1) / exact)
        moment = 1 / (1 - mpmath.exp(-exact)) - 1 / exact
    assert cb.log_prob(x, a) == pytest.approx(float(density), rel=1e-12, abs=1e-9)
    assert cb.mean(a) == pytest.approx(float(moment), rel=1e-12)


def test_normaliser_is_torchs_away_from_its_own_approximation():
    a = np.array([-5.0, -2.0, -0.3, 0.3, 2.0, 5.0])
    torch_cb = torch.distributions.ContinuousBernoulli(logits=torch.from_numpy(a))
    x = np.full_like(a, 0.3)
    np.testing.assert_allclose(
        cb.log_prob(x, a), torch_cb.log_prob(torch.from_numpy(x)).numpy(), rtol=1e-9
    )
    np.testing.assert_allclose(cb.mean(a), torch_cb.mean.numpy(), rtol=1e-9)


@pytest.mark.parametrize(
    ("t", "lam"), [(0.6, 0.7738), (0.7, 0.9354), (0.8, 0.99185), (0.9, 0.99995)]
)
def test_the_best_lambda_lies_beyond_the_target(t, lam):
    found = optimize.minimize_scalar(
        lambda a: -cb.log_prob(t, a), bounds=(-40, 40), options={"xatol": 1e-9}
    )
    ours = float(cb.best_logits(t))
    assert ours == pytest.approx(found.x, abs=1e-5)
    assert float(sigmoid(ours)) == pytest.approx(lam, abs=6e-5)
    assert float(cb.mean(ours)) == pytest.approx(t, abs=1e-12)


def test_no_lambda_is_best_for_exact_ends():
    for end in (0.0, 1.0):
        with pytest.raises(ValueError, match="ends excluded"):
            cb.best_logits(end)
    likelihoods = cb.log_prob(1.0, np.array([1.0, 1e2, 1e4, 1e6]))
    assert np.all(np.diff(likelihoods) > 4)


def test_dequantised_greys_have_a_best_lambda():
    images = np.array([[0, 128, 255]], np.uint8)
    greys = cb.dequantise(images, np.full(images.shape, 0.5))
    np.testing.assert_allclose(cb.mean(cb.best_logits(greys)), greys, atol=1e-12)
    with pytest.raises(ValueError, match="dtype float64"):
        cb.dequantise(greys, greys)
