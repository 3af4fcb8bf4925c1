"""The ELBO's terms against torch.distributions."""

import pytest
import torch
from torch import distributions

from vae.engine.elbo import build_elbo, kl_diag_gaussian, reduce_pixels, reparameterize
from vae.engine.likelihoods import gaussian_log_prob


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def posterior(mean: torch.Tensor, logvar: torch.Tensor) -> distributions.Normal:
    return distributions.Normal(mean, logvar.exp().sqrt())


def test_kl_and_its_gradient_are_those_of_torch() -> None:
    mean, logvar = draws(6, 4).requires_grad_(), draws(6, 4, seed=1).requires_grad_()
    kl = kl_diag_gaussian(mean, logvar)
    prior = distributions.Normal(torch.zeros(4).double(), torch.ones(4).double())
    expected = distributions.kl_divergence(posterior(mean, logvar), prior)
    torch.testing.assert_close(kl, expected)
    ours = torch.autograd.grad(kl.sum(), (mean, logvar))
    theirs = torch.autograd.grad(expected.sum(), (mean, logvar))
    torch.testing.assert_close(ours, theirs)


def test_kl_is_zero_at_the_prior_alone() -> None:
    zero = torch.zeros(1, 1)
    assert kl_diag_gaussian(zero, zero).item() == 0
    assert kl_diag_gaussian(zero + 0.1, zero).item() > 0
    assert kl_diag_gaussian(zero, zero - 0.1).item() > 0


def test_reparameterised_draws_have_the_posterior_and_carry_its_gradient() -> None:
    mean = torch.full((100_000, 1), 0.7, dtype=torch.float64, requires_grad=True)
    logvar = torch.full((100_000, 1), -1.0, dtype=torch.float64, requires_grad=True)
    z = reparameterize(mean, logvar, torch.Generator().manual_seed(0))
    expected = posterior(mean[0], logvar[0])
    assert z.mean().item() == pytest.approx(0.7, abs=0.01)
    assert z.std().item() == pytest.approx(expected.stddev.item(), rel=0.01)
    # E[z^2] = mean^2 + variance: its derivatives are 2 mean and the variance.
    z.square().mean().backward()
    assert mean.grad.sum().item() == pytest.approx(1.4, abs=0.02)
    assert logvar.grad.sum().item() == pytest.approx(expected.variance.item(), abs=0.02)


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("reduction", ["sum", "pixel-mean"])
def test_loss_is_minus_the_elbo_for_each_image(beta: float, reduction: str) -> None:
    x, output = draws(5, 12), draws(5, 12, seed=1)
    mean, logvar = draws(5, 3, seed=2), draws(5, 3, seed=3)
    log_prob = gaussian_log_prob(x, output, -0.5)
    elbo = build_elbo(log_prob, mean, logvar, beta=beta, reduction=reduction)
    pixels = distributions.Normal(output, torch.tensor(-0.5).double().exp()).log_prob(x)
    prior = distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    kl = distributions.kl_divergence(posterior(mean, logvar), prior).sum(1)
    expected = pixels.sum(1) / (12 if reduction == "pixel-mean" else 1) - beta * kl
    torch.testing.assert_close(elbo.loss, -expected)
    torch.testing.assert_close(elbo.kl, kl)
    assert elbo.kl_per_latent.shape == (5, 3)
    assert elbo.loss.shape == (5,)


def test_the_elbo_is_below_the_log_likelihood_of_a_model_with_a_closed_form() -> None:
    """x = w z + noise: log p(x) is Gaussian; the bound is tight at the exact posterior alone."""
    w, scale = 0.8, 0.5
    x = torch.tensor([[0.9]], dtype=torch.float64)
    log_evidence = distributions.Normal(0.0, (w**2 + scale**2) ** 0.5).log_prob(x).item()
    variance = 1 / (1 + w**2 / scale**2)
    exact = variance * w * 0.9 / scale**2
    generator = torch.Generator().manual_seed(0)

    def bound(mean: float, logvar: float) -> float:
        rows = torch.full((200_000, 1), mean, dtype=torch.float64)
        logvars = torch.full_like(rows, logvar)
        z = reparameterize(rows, logvars, generator)
        log_prob = gaussian_log_prob(x, w * z, torch.tensor(scale).double().log())
        return -build_elbo(log_prob, rows, logvars).loss.mean().item()

    tight = bound(exact, torch.tensor(variance).log().item())
    assert tight == pytest.approx(log_evidence, abs=0.01)
    assert bound(exact + 0.5, torch.tensor(variance).log().item()) < log_evidence - 0.1
    assert bound(exact, 0.0) < log_evidence - 0.1


def test_unknown_reduction_is_named() -> None:
    with pytest.raises(ValueError, match="reduction: 'mean' given; allowed is one of sum"):
        reduce_pixels(torch.zeros(2, 3), "mean")
