"""Likelihoods against torch.distributions, quadrature and autograd, in the traps of float32 too."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from torch import distributions
from torch.nn import functional as F

from vae.beliefs import BELIEFS
from vae.config import LIKELIHOODS
from vae.engine.likelihoods import (
    Bernoulli,
    ContinuousBernoulli,
    CounterBiased,
    Gaussian,
    GaussianLearned,
    GaussianOptimal,
    GaussianPerPixel,
    Likelihood,
    build_likelihood,
    continuous_bernoulli_log_prob,
    continuous_bernoulli_mean,
    counter_biased_loss,
)

LOGITS = [-9.2, -4.0, -1.2, -0.9, -0.3, -0.006, -1e-6, 0.0, 1e-6, 0.01, 0.5, 0.99, 1.01, 3.0, 9.2]


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 19.8])
@pytest.mark.parametrize("squash", [False, True])
def test_gaussian_log_prob_is_that_of_torch(scale: float, squash: bool) -> None:
    output, x = draws(7, 9), draws(7, 9, seed=1).sigmoid()
    mean = torch.from_numpy(special.expit(output.numpy())) if squash else output
    expected = distributions.Normal(mean, scale).log_prob(x)
    torch.testing.assert_close(Gaussian(scale, squash).log_prob(output, x), expected)


def test_bernoulli_log_prob_is_that_of_torch_on_binary_targets() -> None:
    logits, x = 5 * draws(7, 9), (draws(7, 9, seed=1) > 0).double()
    expected = distributions.Bernoulli(logits=logits).log_prob(x)
    torch.testing.assert_close(Bernoulli().log_prob(logits, x), expected)


def test_bernoulli_log_prob_is_minus_the_cross_entropy_on_grey_targets() -> None:
    logits, x = 3 * draws(7, 9), draws(7, 9, seed=1).sigmoid()
    expected = -F.binary_cross_entropy(torch.sigmoid(logits), x, reduction="none")
    torch.testing.assert_close(Bernoulli().log_prob(logits, x), expected)


def test_cross_entropy_from_logits_keeps_its_gradient_where_the_sigmoid_saturates() -> None:
    logit = torch.tensor([20.0], requires_grad=True)
    loss = -Bernoulli().log_prob(logit, torch.zeros(1))
    loss.backward()
    assert loss.item() == pytest.approx(20)
    assert logit.grad.item() == pytest.approx(1)
    # What the logits form avoids: from probabilities, float32 has neither loss nor gradient.
    rounded = torch.tensor([20.0], requires_grad=True)
    naive = F.binary_cross_entropy(torch.sigmoid(rounded), torch.zeros(1))
    naive.backward()
    assert naive.item() == pytest.approx(100)
    assert rounded.grad.item() == 0


@pytest.mark.parametrize("logit", [-1e4, -200.0, 200.0, 1e4])
def test_bernoulli_stays_finite_at_any_logit(logit: float) -> None:
    output = torch.tensor([logit], requires_grad=True)
    Bernoulli().log_prob(output, torch.tensor([0.3])).sum().backward()
    assert torch.isfinite(output.grad).all()
    assert output.grad.item() == pytest.approx(0.3 - (logit > 0))


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_integrates_to_one(logit: float) -> None:
    a = torch.tensor(logit, dtype=torch.float64)

    def density(x: float) -> float:
        return math.exp(continuous_bernoulli_log_prob(torch.tensor(x, dtype=torch.float64), a))

    total, _ = integrate.quad(density, 0, 1, epsabs=1e-12)
    mean, _ = integrate.quad(lambda x: x * density(x), 0, 1, epsabs=1e-12)
    assert total == pytest.approx(1, abs=2e-9)
    assert continuous_bernoulli_mean(a).item() == pytest.approx(mean, abs=2e-9)


@pytest.mark.parametrize("logit", [value for value in LOGITS if abs(value) > 0.2])
def test_continuous_bernoulli_is_that_of_torch_away_from_its_cut(logit: float) -> None:
    a, x = torch.tensor(logit, dtype=torch.float64), torch.linspace(0, 1, 11, dtype=torch.float64)
    reference = distributions.ContinuousBernoulli(logits=a)
    torch.testing.assert_close(
        continuous_bernoulli_log_prob(x, a), reference.log_prob(x), rtol=0, atol=1e-8
    )
    torch.testing.assert_close(continuous_bernoulli_mean(a), reference.mean, rtol=0, atol=1e-8)


@pytest.mark.parametrize("logit", [*LOGITS, -0.006000018, 0.006, 0.05])
def test_continuous_bernoulli_gradient_is_right_in_float32(logit: float) -> None:
    """x - E[x], the mean by quadrature; at lambda = .4985 torch's own has the wrong sign."""
    a = torch.tensor(logit, requires_grad=True)
    continuous_bernoulli_log_prob(torch.tensor(0.5), a).backward()
    weight, _ = integrate.quad(lambda x: math.exp(logit * x), 0, 1)
    first, _ = integrate.quad(lambda x: x * math.exp(logit * x), 0, 1)
    assert a.grad.item() == pytest.approx(0.5 - first / weight, abs=5e-7)
    if abs(logit) > 0.001:
        assert np.sign(a.grad.item()) == -np.sign(logit)


# What dequantised pixels want: black, of mean 1/512, the logit -512; and far beyond.
FAR_LOGITS = [-1e6, -5120.0, -512.0, -90.0, -17.0, -1.001, 1.001, 17.0, 90.0, 512.0, 5120.0, 1e6]
FAR_TARGETS = [0.5 / 256, 1.5 / 256, 0.5, 254.5 / 256, 255.5 / 256]


def exact(logit: float, x: float) -> tuple[float, float, float]:
    """Log density, its slope in the logit and the mean, with fifty digits."""
    with mpmath.workdps(50):
        a, grey = mpmath.mpf(logit), mpmath.mpf(x)
        mean = 1 / (1 - mpmath.exp(-a)) - 1 / a
        log_prob = a * grey - mpmath.log((mpmath.exp(a) - 1) / a)
        return float(log_prob), float(grey - mean), float(mean)


@pytest.mark.parametrize("logit", FAR_LOGITS)
@pytest.mark.parametrize("x", FAR_TARGETS)
def test_continuous_bernoulli_is_right_in_float32_as_far_as_its_logit_goes(
    logit: float, x: float
) -> None:
    output = torch.tensor(logit, requires_grad=True)
    target = torch.tensor(x)
    log_prob = continuous_bernoulli_log_prob(target, output)
    log_prob.backward()
    # Against what float32 holds of the logit and the target, the truth with fifty digits.
    want, slope, mean = exact(output.item(), target.item())
    assert log_prob.item() == pytest.approx(want, rel=3e-7, abs=1e-6)
    assert output.grad.item() == pytest.approx(slope, rel=1e-6, abs=2e-7)
    far = continuous_bernoulli_mean(output.detach())
    assert min(far.item(), 1 - far.item()) == pytest.approx(min(mean, 1 - mean), rel=1e-5, abs=6e-8)


def test_continuous_bernoulli_says_black_and_white_where_the_data_say_it() -> None:
    """Its best output for dequantised bytes has their mean, from the darkest to the brightest."""
    x = (torch.tensor([0.0, 1.0, 128.0, 254.0, 255.0]) + 0.5) / 256
    likelihood = ContinuousBernoulli()
    output = torch.zeros(5, requires_grad=True)
    # The logit runs over three orders of size: Newton's steps, each with the variance there.
    for _ in range(60):
        mean = likelihood.mean(output)
        (variance,) = torch.autograd.grad(mean.sum(), output)
        (slope,) = torch.autograd.grad(likelihood.log_prob(output, x).sum(), output)
        step = slope / variance
        limit = 1 + 0.5 * output.detach().abs()
        output = (output.detach() + step.clamp(-limit, limit)).requires_grad_()
    torch.testing.assert_close(likelihood.mean(output).detach(), x, rtol=1e-4, atol=1e-6)
    assert output[0].item() == pytest.approx(-512, rel=1e-3)
    assert output[4].item() == pytest.approx(512, rel=1e-3)
    assert likelihood.dequantised


@pytest.mark.parametrize("logit", [-512.0, -20.0, 20.0, 512.0])
def test_continuous_bernoulli_draws_stay_in_range_far_out(logit: float) -> None:
    rows = torch.full((50_000,), logit)
    sample = ContinuousBernoulli().sample(rows, torch.Generator().manual_seed(1)).double()
    assert sample.min() >= 0
    assert sample.max() <= 1
    edge = sample if logit < 0 else 1 - sample
    assert edge.mean().item() == pytest.approx(1 / abs(logit), rel=0.03)
    assert edge.std().item() == pytest.approx(1 / abs(logit), rel=0.03)


@pytest.mark.parametrize("x", [0.0, 0.1, 0.3, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("p", [0.02, 0.3, 0.5, 0.77, 0.99])
def test_counter_biased_loss_is_its_integral(x: float, p: float) -> None:
    expected, _ = integrate.quad(lambda u: (u - x) * 4 * u * (1 - u), x, p)
    loss = counter_biased_loss(*torch.tensor([x, p], dtype=torch.float64))
    assert loss.item() == pytest.approx(expected, abs=1e-12)


def test_counter_biased_loss_is_no_likelihood_and_says_so() -> None:
    logits, x = draws(5, 4), draws(5, 4, seed=1).sigmoid()
    likelihood = CounterBiased()
    assert not likelihood.normalised
    assert likelihood.scale is None
    assert (likelihood.log_prob(logits, x) <= 0).all()
    torch.testing.assert_close(likelihood.sample(logits), likelihood.mean(logits))


def test_learned_scale_starts_where_asked_and_has_its_optimum_at_the_rmse() -> None:
    mean, x = draws(50, 20), draws(50, 20, seed=1)
    rmse = math.sqrt(((mean - x) ** 2).mean())
    for scale, sign in ((rmse, 0), (0.5 * rmse, 1), (2 * rmse, -1)):
        likelihood = GaussianLearned(scale).double()
        assert likelihood.scale.item() == pytest.approx(scale, rel=1e-6)
        likelihood.log_prob(mean, x).mean().backward()
        slope = likelihood.free_log_scale.grad.item()
        assert slope == pytest.approx(0, abs=1e-6) if sign == 0 else np.sign(slope) == sign


def test_learned_scale_has_a_soft_lower_bound() -> None:
    likelihood = GaussianLearned(1.0)
    with torch.no_grad():
        likelihood.free_log_scale.fill_(-45)
    # Unbounded, exp(-2 log sigma) overflows float32 here.
    assert math.isinf(torch.exp(torch.tensor(90.0)).item())
    log_prob = likelihood.log_prob(torch.zeros(3, 4), torch.full((3, 4), 0.5))
    log_prob.sum().backward()
    assert torch.isfinite(log_prob).all()
    assert math.isfinite(likelihood.free_log_scale.grad.item())
    assert likelihood.scale.item() == pytest.approx(math.exp(-6), rel=1e-5)


def test_optimal_scale_gives_the_closed_form_and_its_gradient() -> None:
    output, x = draws(16, 30).requires_grad_(), draws(16, 30, seed=1)
    likelihood = GaussianOptimal(1.0).double()
    log_prob = likelihood.log_prob(output, x).sum(-1).mean()
    (slope,) = torch.autograd.grad(log_prob, output)
    mse = (output - x).square().mean()
    expected = -15 * (torch.log(2 * math.pi * mse) + 1)
    assert log_prob.item() == pytest.approx(expected.item())
    (expected_slope,) = torch.autograd.grad(expected, output)
    torch.testing.assert_close(slope, expected_slope)


def test_optimal_scale_of_a_test_comes_from_training() -> None:
    likelihood = GaussianOptimal(1.0)
    zeros = torch.zeros(8, 10)
    for error in (0.2, 0.2, 0.4, 0.4):
        likelihood.log_prob(zeros, zeros + error)
    variance = (0.04 + 0.04 + 0.16 + 0.16) / 4
    assert likelihood.scale.item() == pytest.approx(math.sqrt(variance))
    likelihood.eval()
    log_prob = likelihood.log_prob(zeros, zeros + 0.9)
    expected = stats.norm.logpdf(0.9, 0, math.sqrt(variance))
    assert log_prob[0, 0].item() == pytest.approx(expected, rel=1e-5)
    assert likelihood.scale.item() == pytest.approx(math.sqrt(variance))


def test_optimal_scale_stays_finite_at_a_perfect_fit() -> None:
    zeros = torch.zeros(4, 4, requires_grad=True)
    log_prob = GaussianOptimal(1.0).log_prob(zeros, torch.zeros(4, 4))
    log_prob.sum().backward()
    assert torch.isfinite(log_prob).all()
    assert torch.isfinite(zeros.grad).all()


def moments(name: str, output: float) -> tuple[float, float]:
    """Mean and variance of a pixel by scipy."""
    p = 1 / (1 + math.exp(-output))
    if name == "bernoulli":
        return p, p * (1 - p)
    if name == "continuous-bernoulli":
        weight, first, second = (
            integrate.quad(lambda x, k=k: x**k * math.exp(output * x), 0, 1)[0] for k in range(3)
        )
        return first / weight, second / weight - (first / weight) ** 2
    if name in ("laplace", "laplace-learned"):
        return stats.laplace.stats(output, 0.3)
    return output, 0.3**2


@pytest.mark.parametrize(
    "name",
    [
        "gaussian",
        "gaussian-learned",
        "gaussian-optimal",
        "laplace",
        "laplace-learned",
        "bernoulli",
        "continuous-bernoulli",
    ],
)
@pytest.mark.parametrize("output", [-2.5, 0.0, 1e-5, 1.3])
def test_samples_have_the_moments_of_the_distribution(name: str, output: float) -> None:
    likelihood = build_likelihood(name, scale=0.3)
    count = 200_000
    rows = torch.full((count,), output)
    sample = likelihood.sample(rows, torch.Generator().manual_seed(3)).double()
    mean, variance = moments(name, output)
    assert likelihood.mean(rows)[0].item() == pytest.approx(mean, abs=1e-6)
    assert sample.mean().item() == pytest.approx(mean, abs=5 * math.sqrt(variance / count))
    assert sample.var().item() == pytest.approx(variance, rel=0.02)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_every_likelihood_is_built_and_draws_from_its_generator_alone(name: str) -> None:
    likelihood = build_likelihood(name, scale=0.5)
    assert isinstance(likelihood, Likelihood)
    output = torch.zeros(3, 4 * BELIEFS[name].outputs)
    first, second = (likelihood.sample(output, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, second)
    assert likelihood.log_prob(output, torch.full((3, 4), 0.2)).shape == (3, 4)
    assert first.shape == likelihood.mean(output).shape == (3, 4)


@pytest.mark.parametrize("scale", [0.01, 0.3, 5.0])
@pytest.mark.parametrize("squash", [False, True])
def test_laplace_and_student_t_log_probs_are_those_of_torch(scale: float, squash: bool) -> None:
    output, x = draws(7, 9), draws(7, 9, seed=1).sigmoid()
    mean = torch.from_numpy(special.expit(output.numpy())) if squash else output
    expected = distributions.Laplace(mean, scale).log_prob(x)
    for name in ("laplace", "laplace-learned"):
        likelihood = build_likelihood(name, scale=scale, squash=squash).double()
        torch.testing.assert_close(likelihood.log_prob(output, x), expected, rtol=1e-6, atol=1e-6)
    student = build_likelihood("student-t", scale=scale, squash=squash).double()
    expected = distributions.StudentT(3.0, mean, scale).log_prob(x)
    torch.testing.assert_close(student.log_prob(output, x), expected, rtol=1e-6, atol=1e-6)


def test_student_t_draws_follow_its_distribution_function() -> None:
    likelihood = build_likelihood("student-t", scale=0.2)
    rows = torch.full((20_000,), 0.4)
    sample = likelihood.sample(rows, torch.Generator().manual_seed(3)).numpy()
    assert stats.kstest((sample - 0.4) / 0.2, stats.t(3).cdf).pvalue > 0.01
    assert likelihood.mean(rows)[0].item() == pytest.approx(0.4)


def test_a_sigma_for_each_pixel_is_a_normal_with_a_floor() -> None:
    likelihood = GaussianPerPixel(squash=True)
    output, x = 4 * draws(5, 18), draws(5, 9, seed=1).sigmoid()
    mean, free = output[:, :9].numpy(), output[:, 9:].numpy()
    scale = np.exp(np.logaddexp(0, free + 4) - 4)
    want = stats.norm.logpdf(x.numpy(), special.expit(mean), scale)
    np.testing.assert_allclose(likelihood.log_prob(output, x).numpy(), want, rtol=1e-10)
    np.testing.assert_allclose(likelihood.mean(output).numpy(), special.expit(mean))
    lowest = torch.tensor([[0.0, -500.0]])
    assert likelihood.log_prob(lowest, torch.tensor([[0.5]])).item() == pytest.approx(
        stats.norm.logpdf(0, 0, math.exp(-4)), abs=1e-5
    )
    rows = output[:1].expand(50_000, 18)
    sample = likelihood.sample(rows, torch.Generator().manual_seed(3)).numpy()
    np.testing.assert_allclose(sample.std(0), scale[0], rtol=0.02)


@pytest.mark.parametrize("scale", [0.01, 0.1, 1.0])
def test_discretised_logistic_is_differences_of_scipys(scale: float) -> None:
    likelihood = build_likelihood("discretised-logistic", scale=scale).double()
    location = np.linspace(-0.2, 1.2, 29)
    edges = np.concatenate([[-np.inf], (np.arange(1, 256) - 0.5) / 255, [np.inf]])
    mass = np.diff(stats.logistic.cdf(edges, location[:, None], scale), axis=-1)
    output = torch.from_numpy(location)[:, None].expand(29, 256)
    x = torch.arange(256, dtype=torch.float64).expand(29, 256) / 255
    found = likelihood.log_prob(output, x).exp().detach()
    np.testing.assert_allclose(found.numpy(), mass, atol=1e-6)
    np.testing.assert_allclose(
        likelihood.mean(output[:, 0]).numpy(), mass @ (np.arange(256) / 255), atol=2e-5
    )
    sample = likelihood.sample(output[10].repeat(100), torch.Generator().manual_seed(3))
    counts = np.histogram(sample.numpy() * 255, bins=np.arange(257) - 0.5)[0]
    assert counts.sum() == len(sample)
    far = np.cumsum(counts) / len(sample) - np.cumsum(mass[10])
    # The Kolmogorov bound at which one sample in ten thousand would fail.
    assert np.abs(far).max() < 2.3 / math.sqrt(len(sample))
    grey = torch.randint(0, 256, (29, 256), generator=torch.Generator().manual_seed(1))
    same = likelihood.log_mass(output, grey)
    torch.testing.assert_close(same, likelihood.log_prob(output, grey.double() / 255))


def test_the_categorical_is_a_softmax_of_its_table() -> None:
    likelihood = build_likelihood("categorical").double()
    with torch.no_grad():
        likelihood.bias += draws(256)
    output = draws(6, 3 * 8)
    logits = output.reshape(6, 3, 8) @ likelihood.table + likelihood.bias
    grey = torch.randint(0, 256, (6, 3), generator=torch.Generator().manual_seed(1))
    reference = distributions.Categorical(logits=logits)
    found = likelihood.log_prob(output, grey.double() / 255)
    torch.testing.assert_close(found, reference.log_prob(grey))
    expected = (reference.probs * torch.arange(256) / 255).sum(-1)
    torch.testing.assert_close(likelihood.mean(output), expected)
    rows = output[:1].expand(40_000, 24)
    sample = likelihood.sample(rows, torch.Generator().manual_seed(3)) * 255
    counts = torch.bincount(sample[:, 0].round().long(), minlength=256).numpy()
    probabilities = reference.probs[0, 0].detach().numpy()
    # Levels that are expected fewer than five times together.
    rare = probabilities * 40_000 < 5
    observed = [*counts[~rare], counts[rare].sum()]
    wanted = [*(probabilities[~rare] * 40_000), probabilities[rare].sum() * 40_000]
    kept = np.array(wanted) > 0
    assert stats.chisquare(np.array(observed)[kept], np.array(wanted)[kept]).pvalue > 0.001


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"likelihood: 'poisson' given; allowed is one of"):
        build_likelihood("poisson")
    with pytest.raises(ValueError, match=r"scale: 0 given"):
        Gaussian(0)
    with pytest.raises(ValueError, match=r"scale: 0.001 given"):
        GaussianLearned(0.001)
