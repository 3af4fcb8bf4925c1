"""The linear VAE's closed forms against optimisation, multivariate normals and real data."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from vae.images.sets import load_images
from vae.theory import ppca

EIGENVALUES = np.array([3.0, 1.2, 0.4, 0.1])


def _trained_linear_vae(variance: float, beta: float, latents: int):
    """Minimise the linear VAE's exact negative ELBO with LBFGS: (squared error, KL per latent)."""
    covariance = torch.diag(torch.tensor(EIGENVALUES, dtype=torch.float64))
    generator = torch.Generator().manual_seed(0)
    shape = {"dtype": torch.float64, "generator": generator}
    decoder = (0.5 * torch.randn(4, latents, **shape)).requires_grad_()
    encoder = (0.5 * torch.randn(latents, 4, **shape)).requires_grad_()
    log_s = torch.zeros(latents, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [decoder, encoder, log_s],
        max_iter=3000,
        tolerance_grad=1e-11,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def parts():
        miss = torch.eye(4, dtype=torch.float64) - decoder @ encoder
        error = (miss @ covariance @ miss.T).trace()
        error = error + (decoder.square().sum(0) * (2 * log_s).exp()).sum()
        second_moment = (encoder @ covariance @ encoder.T).diagonal()
        kl = 0.5 * (second_moment + (2 * log_s).exp() - 1 - 2 * log_s)
        return error, kl

    def closure():
        optimiser.zero_grad()
        error, kl = parts()
        loss = error / (2 * variance) + beta * kl.sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    error, kl = parts()
    return error.item(), kl.detach().numpy()


@pytest.mark.parametrize(("variance", "beta"), [(0.2, 1.0), (1.0, 1.0), (0.2, 4.0), (5.0, 1.0)])
def test_an_optimised_linear_vae_finds_the_closed_form(variance, beta):
    error, kl = _trained_linear_vae(variance, beta, latents=4)
    assert error == pytest.approx(ppca.squared_error(EIGENVALUES, variance, beta), rel=1e-4)
    want = ppca.kl_per_latent(EIGENVALUES, variance, beta).sum()
    assert kl.sum() == pytest.approx(want, rel=1e-4, abs=1e-6)
    active = ppca.active_latents(EIGENVALUES, variance, beta)
    assert np.linalg.matrix_rank(np.diag(kl > 1e-6)) >= active
    assert (active == 0) == (kl.sum() < 1e-6)


@pytest.mark.parametrize(("variance", "latents"), [(0.2, 4), (0.2, 1), (2.0, 3), (5.0, 2)])
def test_the_elbo_is_the_mean_log_likelihood_of_probabilistic_pca(variance, latents):
    active = [value for value in EIGENVALUES[:latents] if value > variance]
    model = np.diag(active + [variance] * (4 - len(active)))
    # The mean of log N(x; 0, model) over data of covariance diag(EIGENVALUES), by a data set of
    # eight points with exactly that covariance.
    points = np.concatenate([s * np.diag(np.sqrt(4 * EIGENVALUES)) for s in (1, -1)])
    want = stats.multivariate_normal(np.zeros(4), model).logpdf(points).mean()
    assert ppca.elbo(EIGENVALUES, variance, latents) == pytest.approx(want, rel=1e-12)


def test_the_learned_variance_is_the_best_one():
    best = ppca.learned_variance(EIGENVALUES, 2)
    assert best == pytest.approx(0.25)
    grid = np.linspace(0.05, 1.0, 400)
    found = grid[np.argmax([ppca.elbo(EIGENVALUES, value, 2) for value in grid])]
    assert found == pytest.approx(best, abs=0.003)


def test_the_spectrum_is_that_of_numpys_covariance():
    images = load_images("digits").train[:500]
    flat = images.reshape(500, -1) / 255
    want = np.linalg.svd(flat - flat.mean(0), compute_uv=False) ** 2 / 500
    got = ppca.covariance_spectrum(images)
    np.testing.assert_allclose(got[:499], want[:499], atol=1e-10)
    assert got.shape == (784,)
    assert np.all(np.diff(got) <= 0)


def test_blocks_make_no_difference():
    images = np.random.default_rng(0).integers(0, 256, (5000, 3, 3), dtype=np.uint8)
    flat = images.reshape(5000, 9) / 255
    want = np.sort(np.linalg.eigvalsh(np.cov(flat.T, bias=True)))[::-1]
    np.testing.assert_allclose(ppca.covariance_spectrum(images), want, rtol=1e-10)


def test_mnist_has_the_figures_that_the_lesson_names(data_dir):
    spectrum = ppca.covariance_spectrum(load_images("mnist", data_dir).train)
    np.testing.assert_allclose(spectrum[:3], [5.117, 3.741, 3.253], atol=5e-4)
    assert spectrum.sum() == pytest.approx(52.73, abs=0.005)
    counts = [ppca.active_latents(spectrum, value) for value in (392, 1, 0.5, 0.1)]
    assert counts == [0, 12, 23, 69]


def test_latents_are_no_more_than_there_are():
    assert ppca.active_latents(EIGENVALUES, 0.2, latents=2) == 2
    assert ppca.kl_per_latent(EIGENVALUES, 0.2, latents=2).shape == (2,)
    assert ppca.squared_error(EIGENVALUES, 0.2, latents=2) == pytest.approx(0.4 + 0.5)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: ppca.active_latents(EIGENVALUES, 0.0), "variance"),
        (lambda: ppca.active_latents(EIGENVALUES, 1.0, math.inf), "beta"),
        (lambda: ppca.active_latents(EIGENVALUES[::-1], 1.0), "eigenvalues"),
        (lambda: ppca.elbo(EIGENVALUES, 1.0, -1), "latents"),
        (lambda: ppca.learned_variance(EIGENVALUES, 4), "latents"),
        (lambda: ppca.covariance_spectrum(np.zeros((5, 2, 2))), "uint8"),
        (lambda: ppca.covariance_spectrum(np.zeros((1, 2, 2), dtype=np.uint8)), "images"),
    ],
)
def test_bad_values_are_named(call, name):
    with pytest.raises(ValueError, match=name):
        call()
