"""The Vega expressions themselves, run in Vega, against numpy theory and torch, to 1e-9."""

import numpy as np
import pytest
import torch
from vega import evaluate, grid

from vae.charts.vega import gaussian as expressions
from vae.theory import gaussian, ppca

SCALES = [0.01, 0.0173, 0.1, 0.3, 0.7071, 1.0, 5.5, 19.8, 20.0]
GREYS = [0.0, 0.003, 0.25, 0.5, 0.8, 1.0]
ROWS = grid(x=GREYS, mean=GREYS, scale=SCALES)
X, MEAN, SCALE = (np.array([row[name] for row in ROWS]) for name in ("x", "mean", "scale"))
ARGUMENTS = ("datum.x", "datum.mean", "datum.scale")


def _close(expression, want, rows=ROWS):
    np.testing.assert_allclose(evaluate(expression, rows), want, rtol=1e-9, atol=1e-9)


def _torch_log_prob():
    mean = torch.tensor(MEAN, requires_grad=True)
    log_prob = torch.distributions.Normal(mean, torch.tensor(SCALE)).log_prob(torch.tensor(X))
    (gradient,) = torch.autograd.grad(log_prob.sum(), mean)
    return log_prob.detach().numpy(), gradient.numpy()


def test_log_prob_in_the_browser_in_numpy_and_in_torch():
    expression = expressions.log_prob(*ARGUMENTS)
    _close(expression, gaussian.gaussian_log_prob(X, MEAN, SCALE))
    _close(expression, _torch_log_prob()[0])


def test_the_rescaled_squared_error_lies_on_the_log_prob():
    _close(expressions.rescaled_squared_error(*ARGUMENTS), _torch_log_prob()[0])


def test_gradients_and_their_ratio():
    expression = expressions.log_prob_gradient(*ARGUMENTS)
    _close(expression, gaussian.log_prob_gradient(X, MEAN, SCALE))
    _close(expression, _torch_log_prob()[1])
    mean = torch.tensor(MEAN, requires_grad=True)
    (plain,) = torch.autograd.grad(-((torch.tensor(X) - mean) ** 2).sum(), mean)
    _close(expressions.squared_error_gradient("datum.x", "datum.mean"), plain.numpy())
    _close(expressions.gradient_ratio("datum.scale"), gaussian.gradient_ratio(SCALE))


def test_squared_error():
    _close(expressions.squared_error("datum.x", "datum.mean"), (X - MEAN) ** 2)


def test_nll_of_an_image_and_its_best():
    rows = grid(mse=[1e-4, 0.01, 0.0585, 0.3, 1.0], scale=SCALES)
    mse, scale = (np.array([row[name] for row in rows]) for name in ("mse", "scale"))
    expression = expressions.nll("datum.mse", "datum.scale", 784)
    np.testing.assert_allclose(
        evaluate(expression, rows), gaussian.nll_from_mse(mse, scale, 784), rtol=1e-9
    )
    normal = torch.distributions.Normal(0.0, torch.tensor(scale))
    want = -784 * normal.log_prob(torch.tensor(mse).sqrt()).numpy()
    np.testing.assert_allclose(evaluate(expression, rows), want, rtol=1e-9, atol=1e-9)
    best = evaluate(expressions.best_nll("datum.mse", 784), rows)
    np.testing.assert_allclose(best, gaussian.best_nll(mse, 784), rtol=1e-9)


def test_density_relative_to_its_peak():
    want = np.exp(gaussian.gaussian_log_prob(X, MEAN, SCALE))
    want /= np.exp(gaussian.gaussian_log_prob(MEAN, MEAN, SCALE))
    _close(expressions.density_to_peak(*ARGUMENTS), want)


def test_the_mass_outside_zero_and_one():
    below = evaluate(expressions.mass_below_zero("datum.mean", "datum.scale"), ROWS)
    above = evaluate(expressions.mass_above_one("datum.mean", "datum.scale"), ROWS)
    normal = torch.distributions.Normal(torch.tensor(MEAN), torch.tensor(SCALE))
    np.testing.assert_allclose(below, normal.cdf(torch.zeros(len(X))).numpy(), atol=1e-9)
    np.testing.assert_allclose(above, 1 - normal.cdf(torch.ones(len(X))).numpy(), atol=1e-9)
    both = np.add(below, above)
    np.testing.assert_allclose(both, gaussian.mass_outside_unit(MEAN, SCALE), atol=1e-9)


@pytest.mark.parametrize("variance", [0.01, 0.4, 3.0, 392.0])
def test_latents_of_the_linear_vae(variance):
    spectrum = np.array([5.117, 3.0, 0.4, 0.0123, 0.0])
    rows = [{"value": value} for value in spectrum]
    kl = evaluate(expressions.latent_kl("datum.value", "variance"), rows, {"variance": variance})
    np.testing.assert_allclose(kl, ppca.kl_per_latent(spectrum, variance), rtol=1e-9, atol=1e-9)
    error = evaluate(
        expressions.latent_error("datum.value", "variance"), rows, {"variance": variance}
    )
    assert sum(error) == pytest.approx(ppca.squared_error(spectrum, variance), rel=1e-9)
