"""Pasted loss code, executed, has the gradients of the Gaussian VAE that the calculator names."""

import itertools

import pytest
import torch

from vae.theory import implied

BATCH, PIXELS, LATENTS = 6, 12, 3
CASES = [
    *((p.pixel_reduction, p.kl_reduction, p.weight) for p in implied.PRESETS.values()),
    *itertools.product(implied.PIXEL_REDUCTIONS, implied.KL_REDUCTIONS, (1.0, 0.3)),
]


@pytest.fixture
def tensors():
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return {
        "x": torch.rand(BATCH, PIXELS, generator=generator, dtype=torch.float64),
        "x_hat": draw(BATCH, PIXELS).requires_grad_(),
        "mu": draw(BATCH, LATENTS).requires_grad_(),
        "logvar": draw(BATCH, LATENTS).requires_grad_(),
    }


def _gradients(loss, tensors):
    return torch.autograd.grad(loss, [tensors[name] for name in ("x_hat", "mu", "logvar")])


def _negative_elbo(tensors, variance):
    """Mean over the batch, from torch's own distributions."""
    pixels = torch.distributions.Normal(tensors["x_hat"], variance**0.5)
    posterior = torch.distributions.Normal(tensors["mu"], (0.5 * tensors["logvar"]).exp())
    prior = torch.distributions.Normal(torch.zeros(1, dtype=torch.float64), 1.0)
    kl = torch.distributions.kl_divergence(posterior, prior).sum(dim=1)
    return (kl - pixels.log_prob(tensors["x"]).sum(dim=1)).mean()


@pytest.mark.parametrize(("pixel_reduction", "kl_reduction", "weight"), CASES)
def test_the_snippet_is_the_implied_gaussian_times_the_rate(
    tensors, pixel_reduction, kl_reduction, weight
):
    code = implied.torch_snippet(pixel_reduction, kl_reduction, weight)
    names = {**tensors, "F": torch.nn.functional, "torch": torch}
    exec(code, names)
    sizes = {
        "pixels": PIXELS,
        "latents": LATENTS,
        "batch_size": BATCH,
        "pixel_reduction": pixel_reduction,
        "kl_reduction": kl_reduction,
        "weight": weight,
    }
    variance = implied.implied_variance(**sizes)
    _, rate = implied.loss_factors(**sizes)
    got = _gradients(names["loss"], tensors)
    want = _gradients(_negative_elbo(tensors, variance), tensors)
    for ours, theirs in zip(got, want, strict=True):
        torch.testing.assert_close(ours, rate * theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("preset", "variance"),
    [
        ("sum", 0.5),
        ("half-sum", 1.0),
        ("pixel-mean", 392.0),
        ("all-mean", 784 / 40),
        ("batch-kl", 128 * 392.0),
        ("weighted", 0.00025 * 392),
    ],
)
def test_the_presets_on_mnist(preset, variance):
    about = implied.PRESETS[preset]
    got = implied.implied_variance(
        pixels=784,
        latents=20,
        batch_size=128,
        pixel_reduction=about.pixel_reduction,
        kl_reduction=about.kl_reduction,
        weight=about.weight,
    )
    assert got == pytest.approx(variance, rel=1e-12)


def test_beta_and_variance_are_one_number(tensors):
    beta = implied.equivalent_beta(variance=2.0, nominal_variance=0.5)
    pixels = torch.distributions.Normal(tensors["x_hat"], 0.5**0.5)
    posterior = torch.distributions.Normal(tensors["mu"], (0.5 * tensors["logvar"]).exp())
    prior = torch.distributions.Normal(torch.zeros(1, dtype=torch.float64), 1.0)
    kl = torch.distributions.kl_divergence(posterior, prior).sum(dim=1)
    loss = (beta * kl - pixels.log_prob(tensors["x"]).sum(dim=1)).mean()
    got = _gradients(loss, tensors)
    want = _gradients(_negative_elbo(tensors, 2.0), tensors)
    for ours, theirs in zip(got, want, strict=True):
        torch.testing.assert_close(ours, beta * theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("bad", "name"),
    [
        ({"pixels": 0}, "pixels"),
        ({"latents": 1.5}, "latents"),
        ({"batch_size": -1}, "batch_size"),
        ({"weight": 0.0}, "weight"),
        ({"pixel_reduction": "median"}, "pixel_reduction"),
        ({"kl_reduction": "median"}, "kl_reduction"),
    ],
)
def test_bad_values_are_named(bad, name):
    with pytest.raises(ValueError, match=name):
        implied.implied_variance(**{"pixels": 784, "latents": 20, **bad})


def test_a_snippet_of_an_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="pixel_reduction"):
        implied.torch_snippet("median", "sum")
    with pytest.raises(ValueError, match="kl_reduction"):
        implied.torch_snippet("sum", "median")
