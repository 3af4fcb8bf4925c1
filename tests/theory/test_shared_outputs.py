"""One logistic line through many targets, against scipy: what sharing does to each loss."""

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit

from vae.theory.shared_outputs import PLACES, TARGETS, fit_line

U, T = PLACES, TARGETS


def by_scipy(u, t, loss):
    def cost(weights):
        p = expit(weights[0] * u + weights[1])
        if loss == "bce":
            return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
        return np.mean((p - t) ** 2)

    found = optimize.minimize(cost, [0.0, 0.0], tol=1e-14)
    return expit(found.x[0] * u + found.x[1])


@pytest.mark.parametrize("loss", ["bce", "squared error"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_line_is_the_best_one(loss, seed):
    random = np.random.default_rng(seed)
    targets = T if seed == 0 else random.beta(0.6, 1.2, size=9)
    np.testing.assert_allclose(fit_line(U, targets, loss), by_scipy(U, targets, loss), atol=1e-5)


def test_cross_entropy_keeps_the_mean_and_squared_error_does_not():
    mean = T.mean()
    bce, squared = fit_line(U, T, "bce"), fit_line(U, T, "squared error")
    assert bce.mean() == pytest.approx(mean, abs=1e-9)
    assert abs(squared.mean() - mean) > 1e-3
    # With an output of its own each target is met by both: sharing alone tells them apart.
    assert np.abs(bce - squared).max() > 5e-3


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="loss: 'mae' given"):
        fit_line(U, T, "mae")
    with pytest.raises(ValueError, match=r"t: shape \(3,\) given"):
        fit_line(U, T[:3], "bce")
