"""The family L_g against adaptive quadrature, autograd and its known members."""

import numpy as np
import pytest
import torch
from scipy import integrate, optimize

from vae.theory import bernoulli as b
from vae.theory import counter_biased as c

PAIRS = [(0.01, 0.99), (0.2, 0.6), (0.8, 0.9), (0.8, 0.05), (0.5, 0.5)]


@pytest.mark.parametrize(("t", "p"), PAIRS)
@pytest.mark.parametrize("g", [-1.0, -0.37, 0.0, 0.5, 1.0])
def test_the_loss_is_its_integral(t, p, g):
    want = integrate.quad(lambda u: (u - t) * (4 * u * (1 - u)) ** g, t, p, epsabs=1e-13)[0]
    assert c.loss(t, p, g) == pytest.approx(want, abs=1e-10)


@pytest.mark.parametrize(("t", "p"), PAIRS)
def test_known_members(t, p):
    assert c.loss(t, p, -1.0) == pytest.approx(b.kl_bernoulli(t, p) / 4, abs=1e-10)
    assert c.loss(t, p, 0.0) == pytest.approx((p - t) ** 2 / 2, abs=1e-10)
    assert c.loss(t, p, 1.0) == pytest.approx(float(c.loss_one(t, p)), abs=1e-10)


def test_least_at_the_target_and_at_the_mean_of_many():
    targets = np.random.default_rng(2).beta(2.0, 1.0, 50)
    for g in (-1.0, -0.5, 0.5, 1.0):
        found = optimize.minimize_scalar(
            lambda p, g=g: c.loss(targets, p, g).mean(),
            bounds=(0.02, 0.98),
            options={"xatol": 1e-9},
        )
        assert found.x == pytest.approx(targets.mean(), abs=1e-5)


@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_the_mirrored_difference_is_exact(t):
    h = np.array([0.05, 0.1, 0.19])
    difference = c.loss(t, t + h, 1.0) - c.loss(t, t - h, 1.0)
    np.testing.assert_allclose(c.asymmetry_one(t, h), difference, atol=1e-11)


def test_its_logit_gradient_saturates():
    a = torch.linspace(-6, 6, 25, dtype=torch.float64, requires_grad=True)
    h = torch.sigmoid(a) - 0.8
    loss = 2 * 0.16 * h**2 + 4 / 3 * (1 - 1.6) * h**3 - h**4
    [want] = torch.autograd.grad(loss.sum(), a)
    np.testing.assert_allclose(c.logit_gradient_one(0.8, a.detach().numpy()), want, atol=1e-14)


def test_the_exponent_has_a_range():
    with pytest.raises(ValueError, match=r"g: 1\.5 given; allowed is -1 to 1"):
        c.loss(0.5, 0.6, 1.5)
