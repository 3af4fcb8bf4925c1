"""Trajectories against torch.optim, gradients against autograd, and what the races show."""

import numpy as np
import pytest
import torch

from vae.theory import corruptions, learned_scale, linear_vae, numpy_optimisers

TORCH = {
    "sgd": lambda params, rate: torch.optim.SGD(params, lr=rate),
    "momentum": lambda params, rate: torch.optim.SGD(params, lr=rate, momentum=0.9),
    "adam": lambda params, rate: torch.optim.Adam(params, lr=rate),
}


def _torch_loss(parameters, problem):
    """The linear VAE's loss from torch.distributions and an exact second moment."""
    w, v, log_s = parameters
    s = log_s.exp()
    error = problem.eigenvalue * (1 - w * v) ** 2 + (w * s) ** 2
    # KL averaged over x of variance lambda: that of N(v sqrt(lambda), s^2) to N(0, 1).
    posterior = torch.distributions.Normal(v * problem.eigenvalue**0.5, s)
    prior = torch.distributions.Normal(torch.zeros((), dtype=torch.float64), 1.0)
    kl = torch.distributions.kl_divergence(posterior, prior)
    return problem.factor * (error / (2 * problem.variance) + problem.kl * kl)


PROBLEMS = [
    linear_vae.LinearVAE(5.117, 1.0),
    linear_vae.LinearVAE(5.117, 4.0),
    linear_vae.LinearVAE(2.0, 0.3, kl=False, factor=1e-3),
]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_loss_and_gradient_are_those_of_torch(problem):
    for point in ([0.6, 0.1, -0.2], [-1.0, 2.0, 0.5]):
        parameters = torch.tensor(point, dtype=torch.float64, requires_grad=True)
        loss = _torch_loss(parameters, problem)
        (want,) = torch.autograd.grad(loss, parameters)
        assert problem.loss(np.array(point)) == pytest.approx(loss.item(), rel=1e-12)
        np.testing.assert_allclose(problem.gradient(np.array(point)), want.numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", list(TORCH))
@pytest.mark.parametrize("problem", PROBLEMS)
def test_trajectories_are_those_of_torch_optim(name, problem):
    rate = linear_vae.LEARNING_RATES[name]
    path = numpy_optimisers.trajectory(
        problem.gradient,
        np.array(linear_vae.START),
        optimiser=name,
        learning_rate=rate,
        steps=60,
    )
    parameters = torch.tensor(linear_vae.START, dtype=torch.float64, requires_grad=True)
    optimiser = TORCH[name]([parameters], rate)
    for step in range(60):
        np.testing.assert_allclose(path[step], parameters.detach().numpy(), rtol=1e-9, atol=1e-12)
        optimiser.zero_grad()
        _torch_loss(parameters, problem).backward()
        optimiser.step()


@pytest.mark.parametrize("scale", [0.3, 0.5, 2.0, 3.0])
def test_without_the_kl_an_adjusted_rate_undoes_sigma(scale):
    for name, most in (("sgd", 1e-12), ("momentum", 1e-12), ("adam", 1e-5)):
        assert linear_vae.race(optimiser=name, scale=scale, kl=False).difference < most


@pytest.mark.parametrize("scale", [0.3, 0.5, 2.0, 3.0])
@pytest.mark.parametrize("name", list(TORCH))
def test_with_the_kl_no_rate_undoes_sigma(name, scale):
    assert linear_vae.race(optimiser=name, scale=scale, kl=True).difference > 0.2


def test_sigma_above_the_eigenvalue_collapses_and_below_does_not():
    dead = linear_vae.race(optimiser="momentum", scale=3.0, kl=True)
    assert np.abs(dead.adjusted[-1][:2]).max() < 0.05
    assert dead.reference[-1][0] > 1.5


def test_adam_forgets_a_factor_only_while_epsilon_is_small_beside_the_gradient():
    small, large = linear_vae.adam_drift(1e-3), linear_vae.adam_drift(1e-6)
    assert small < 1e-4 < large
    assert linear_vae.adam_drift(1e-6, epsilon=1e-16) < 1e-6


def test_difference_is_a_share_of_the_way():
    path = np.array([[0.0, 0.0], [0.0, 2.0]])
    other = np.array([[0.0, 0.0], [0.0, 1.0]])
    assert numpy_optimisers.path_difference(path, other) == 0.5
    assert numpy_optimisers.path_difference(path, path) == 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"optimiser": "lion"}, "optimiser"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"steps": -1}, "steps"),
    ],
)
def test_bad_values_are_named(change, name):
    good = {"optimiser": "sgd", "learning_rate": 0.1, "steps": 1}
    with pytest.raises(ValueError, match=name):
        numpy_optimisers.trajectory(lambda p: p, np.ones(3), **{**good, **change})
    with pytest.raises(ValueError, match="variance"):
        linear_vae.LinearVAE(1.0, 0.0)


IMAGE = np.random.default_rng(0).random((28, 28))


@pytest.mark.parametrize("name", list(corruptions.CORRUPTIONS))
def test_a_flaw_grows_from_nothing_and_stays_in_range(name):
    flaw = corruptions.CORRUPTIONS[name]
    np.testing.assert_allclose(flaw(IMAGE, 0.0), IMAGE, atol=1e-12)
    errors = [np.mean((flaw(IMAGE, amount) - IMAGE) ** 2) for amount in (0.05, 0.4, 1.0)]
    assert 0 < errors[0] < errors[1]
    assert errors[2] > errors[0]
    for amount in (0.1, 1.0):
        assert flaw(IMAGE, amount).min() >= 0
        assert flaw(IMAGE, amount).max() <= 1
    with pytest.raises(ValueError, match="amount"):
        flaw(IMAGE, 1.5)


def test_blur_is_scipys_gaussian_filter():
    from scipy.ndimage import gaussian_filter

    want = gaussian_filter(IMAGE, 1.2, mode="constant", truncate=4 * np.ceil(4.8) / 4.8 / 1.0)
    np.testing.assert_allclose(corruptions.blur(IMAGE, 0.4), want, atol=1e-5)


def test_shift_moves_by_whole_and_half_pixels():
    np.testing.assert_allclose(corruptions.shift(IMAGE, 0.5)[:, 3:], IMAGE[:, :-3])
    half = corruptions.shift(IMAGE, 1 / 12)
    np.testing.assert_allclose(half[:, 1:], (IMAGE[:, 1:] + IMAGE[:, :-1]) / 2)


def test_learned_scales_against_a_numerical_minimum():
    errors = np.array([0.0, 0.01, 0.04, 0.3])
    x = np.sqrt(errors)
    grid = np.exp(np.linspace(np.log(0.05), 1, 4001))
    normal = torch.distributions.Normal(0.0, torch.tensor(grid)[:, None])
    nll = -normal.log_prob(torch.tensor(x)).numpy()
    assert learned_scale.shared_nll(errors, 0.05) == pytest.approx(nll.sum(1).min(), abs=1e-4)
    assert learned_scale.per_pixel_nll(errors, 0.05) == pytest.approx(nll.min(0).sum(), abs=1e-4)
    assert learned_scale.constant_pixels(errors) == 1


def test_only_a_scale_a_pixel_falls_without_end():
    errors = np.array([0.0, 0.0, 0.04])
    shared = [learned_scale.shared_nll(errors, floor) for floor in (1e-3, 1e-6)]
    own = [learned_scale.per_pixel_nll(errors, floor) for floor in (1e-3, 1e-6)]
    assert shared[0] == shared[1]
    assert own[0] - own[1] == pytest.approx(2 * np.log(1e3))
    with pytest.raises(ValueError, match="floor"):
        learned_scale.shared_nll(errors, 0.0)
    with pytest.raises(ValueError, match="errors"):
        learned_scale.shared_nll([-1.0], 0.1)
