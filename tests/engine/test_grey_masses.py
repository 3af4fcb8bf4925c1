"""Masses of grey levels, held against scipy, quadrature and the numpy formulas."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.engine.evaluation import test_figures as measure
from vae.engine.grey_masses import (
    continuous_bernoulli_log_mass,
    gaussian_log_mass,
    laplace_log_mass,
    logistic_log_mass,
    student_t_log_mass,
)
from vae.engine.likelihoods import Bernoulli, build_likelihood
from vae.engine.softmax_levels import SoftmaxLogMass
from vae.engine.training import Trainer
from vae.images.sets import ImageData
from vae.theory import grey_masses as theory

EDGES = np.concatenate([[-np.inf], (np.arange(1, 256) - 0.5) / 255, [np.inf]])
GREYS = torch.arange(256, dtype=torch.uint8)


def masses(log_mass, *parameters, **options):
    """All 256 masses for each set of parameters, float64 (n, 256)."""
    columns = [torch.as_tensor(p, dtype=torch.float64)[:, None] for p in parameters]
    shaped = torch.broadcast_tensors(*columns, torch.zeros(1, 256, dtype=torch.float64))[:-1]
    return log_mass(GREYS.expand(len(parameters[0]), 256), *shaped, **options).exp().numpy()


@pytest.mark.parametrize("scale", [0.0025, 0.03, 0.3, 1.0, 19.8])
def test_gaussian_bins_are_differences_of_the_distribution_function(scale):
    means = [-0.4, 0.0, 0.123, 0.5, 0.9, 1.0, 1.7]
    want = np.diff(stats.norm.cdf(EDGES, np.array(means)[:, None], scale), axis=-1)
    ours = masses(lambda k, m: gaussian_log_mass(k, m, math.log(scale)), means)
    np.testing.assert_allclose(ours, want, atol=2e-14)
    np.testing.assert_allclose(ours.sum(-1), 1, atol=1e-12)
    np.testing.assert_allclose(theory.gaussian_masses(means, scale), ours, atol=1e-13)


LOCATED = {
    "laplace": (stats.laplace, laplace_log_mass, theory.laplace_masses),
    "student-t": (stats.t(3), student_t_log_mass, theory.student_t_masses),
    "logistic": (stats.logistic, logistic_log_mass, theory.logistic_masses),
}


@pytest.mark.parametrize("name", LOCATED)
@pytest.mark.parametrize("scale", [0.0025, 0.05, 0.7, 10.0])
def test_bins_of_other_bells_are_differences_of_their_distribution_functions(name, scale):
    reference, log_mass, formula = LOCATED[name]
    means = np.array([-0.3, 0.0, 0.2, 0.5, 0.96, 1.0, 1.4])
    want = np.diff(reference.cdf((EDGES - means[:, None]) / scale), axis=-1)
    ours = masses(lambda k, m: log_mass(k, m, math.log(scale)), means)
    np.testing.assert_allclose(ours, want, atol=1e-13)
    np.testing.assert_allclose(ours.sum(-1), 1, atol=1e-12)
    np.testing.assert_allclose(formula(means, scale), want, atol=1e-13)


@pytest.mark.parametrize("name", LOCATED)
def test_bins_of_other_bells_stay_finite_in_single_precision(name):
    _, log_mass, _ = LOCATED[name]
    grey, centre = torch.tensor([[0, 3, 255, 254]]), torch.tensor([[1.0, 0.0, 0.0, 1.0]])
    centre.requires_grad_()
    value = log_mass(grey, centre, math.log(0.0025))
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert torch.isfinite(centre.grad).all()


def test_a_softmax_has_the_gradient_that_torch_finds(monkeypatch):
    monkeypatch.setattr(SoftmaxLogMass, "ROWS", 16)
    draw = torch.Generator().manual_seed(0)
    shapes = ((50, 8), (8, 256), (256,), (50,))
    features, table, bias, upstream = (
        torch.randn(shape, dtype=torch.float64, generator=draw).requires_grad_() for shape in shapes
    )
    levels = torch.randint(0, 256, (50,), generator=draw)
    ours = SoftmaxLogMass.apply(features, table, bias, levels)
    want = torch.log_softmax(features @ table + bias, -1).gather(1, levels[:, None])[:, 0]
    torch.testing.assert_close(ours, want)
    found = torch.autograd.grad(ours @ upstream.detach(), (features, table, bias))
    expected = torch.autograd.grad(want @ upstream.detach(), (features, table, bias))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)
    logits = (features @ table + bias)[:3].detach().numpy()
    np.testing.assert_allclose(
        theory.categorical_masses(logits), special.softmax(logits, -1), atol=1e-15
    )


def test_gaussian_bins_far_out_in_the_tail_keep_their_digits():
    output, grey = torch.tensor([[0.0]], dtype=torch.float64), torch.tensor([[200]])
    ours = gaussian_log_mass(grey, output, math.log(0.01)).item()
    # The tail falls so steeply that the bin's nearer edge has all of it.
    near = stats.norm.logsf(199.5 / 255, scale=0.01)
    assert ours == pytest.approx(near, abs=1e-6)
    single = gaussian_log_mass(grey, output.float(), math.log(0.01)).item()
    assert single == pytest.approx(ours, rel=1e-5)


def _density_of(a):
    """The continuous Bernoulli's density, written another way."""
    if a == 0:
        return np.ones_like
    return lambda x: math.exp(a * (x - (a > 0))) * abs(a) / -math.expm1(-abs(a))


def test_continuous_bernoulli_bins_are_integrals_of_its_density():
    for a in (-200.0, -3.0, 1e-7, 0.0, 0.4, 9.0, 700.0):
        ours = masses(continuous_bernoulli_log_mass, [a])[0]
        assert ours.sum() == pytest.approx(1, abs=1e-12)
        np.testing.assert_allclose(theory.continuous_bernoulli_masses(a), ours, atol=1e-14)
        for k in (0, 7, 128, 255):
            want = integrate.quad(_density_of(a), k / 256, (k + 1) / 256, epsabs=1e-15)[0]
            assert ours[k] == pytest.approx(want, abs=1e-13)


def test_a_density_of_dequantised_pixels_never_promises_more_than_the_mass():
    for a in (-100.0, -5.0, 0.3, 40.0):
        for level in (0, 100, 255):
            gap = float(theory.dequantisation_gap(a, level))
            u = (np.arange(20_000) + 0.5) / 20_000
            x = (level + u) / 256
            log_density = a * (x - 0.5) - math.log(math.sinh(a / 2) / (a / 2))
            mass = theory.continuous_bernoulli_masses(a)[level]
            assert gap == pytest.approx(math.log(mass) - log_density.mean() + math.log(256))
            assert gap >= 0


def test_the_bernoulli_has_two_readings_on_greys():
    logits = [-25.0, -6.0, -0.01, 0.0, 1.5, 9.0, 30.0]
    grey = np.arange(256) / 255
    likelihood = Bernoulli()
    mean = masses(lambda k, a: likelihood.log_mass(a, k), logits)
    natural = masses(lambda k, a: likelihood.natural_log_mass(a, k), logits)
    for read in (mean, natural):
        np.testing.assert_allclose(read.sum(-1), 1, atol=1e-12)
        # One family: equal ratios from level to level.
        ratios = np.log(read[2:5, 1:]) - np.log(read[2:5, :-1])
        np.testing.assert_allclose(ratios, ratios[:, :1].repeat(255, 1), atol=1e-9)
    np.testing.assert_allclose(mean @ grey, 1 / (1 + np.exp(-np.array(logits))), atol=1e-8)
    want = np.exp(np.array(logits)[:, None] * grey)
    np.testing.assert_allclose(natural, want / want.sum(-1, keepdims=True), atol=1e-13)
    np.testing.assert_allclose(theory.bernoulli_masses(logits[:-1]), mean[:-1], atol=1e-7)
    np.testing.assert_allclose(
        theory.bernoulli_masses(logits, reading="natural"), natural, atol=1e-13
    )


def test_on_black_and_white_both_readings_are_the_bernoulli_itself():
    logits = torch.tensor([[-3.0, 0.2, 5.0]], dtype=torch.float64)
    grey = torch.tensor([[0, 255, 255]], dtype=torch.uint8)
    want = torch.distributions.Bernoulli(logits=logits).log_prob((grey > 0).double())
    likelihood = Bernoulli()
    for read in (likelihood.log_mass, likelihood.natural_log_mass):
        torch.testing.assert_close(read(logits, grey, 2), want)


@pytest.mark.parametrize("name", [name for name in BELIEFS if BELIEFS[name].normalised])
@pytest.mark.parametrize("levels", [256, 2])
def test_masses_of_every_likelihood_sum_to_one(name, levels):
    likelihood = build_likelihood(name, scale=0.2, squash=True).double().eval()
    draw = torch.Generator().manual_seed(3)
    pixels = 5 * likelihood.belief.outputs
    output = 4 * torch.randn(3, pixels, dtype=torch.float64, generator=draw)
    greys = torch.linspace(0, 255, levels).round().to(torch.uint8)
    total = sum(likelihood.log_mass(output, grey.expand(3, 5), levels).exp() for grey in greys)
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-12)


def toy(levels=256, seed=0):
    draw = np.random.default_rng(seed)
    train = (draw.integers(0, levels, (64, 4, 4)) * (255 // (levels - 1))).astype(np.uint8)
    labels = np.zeros(64, dtype=np.int64)
    return ImageData("toy", train, labels, train[:32], labels[:32], ("all",))


@pytest.mark.parametrize("name", [name for name in BELIEFS if BELIEFS[name].normalised])
def test_bits_per_pixel_are_the_elbo_of_the_levels(name):
    config = TrainConfig(likelihood=name, latent_dim=2, hidden_dim=8, epochs=1, scale=0.5)
    trainer = Trainer(config, toy())
    trainer.model.eval()
    figures = measure(trainer.model, trainer.pixels, config)
    generator = trainer.pixels.test_generator()
    with torch.inference_mode():
        x = trainer.pixels.test_batch(trainer.pixels.test, generator)
        mean, logvar = trainer.model.encode(x)
        noise = torch.empty_like(mean).normal_(generator=generator)
        output = trainer.model.decode(mean + torch.exp(logvar / 2) * noise)
        log_mass = trainer.model.likelihood.log_mass(output, trainer.pixels.test).sum(-1)
        q = torch.distributions.Normal(mean, torch.exp(logvar / 2))
        prior = torch.distributions.Normal(torch.zeros_like(mean), 1.0)
        kl = torch.distributions.kl_divergence(q, prior).sum(-1)
    want = float((kl - log_mass).mean()) / (16 * math.log(2))
    assert figures.bits_per_pixel() == pytest.approx(want, rel=1e-5)
    assert (figures.bits_per_pixel("natural") is not None) == (name == "bernoulli")
    # An epoch of training has no use for the second reading.
    first = measure(trainer.model, trainer.pixels, config, every_reading=False)
    assert first.bits == {"": figures.bits[""]}


def test_what_is_no_likelihood_has_no_bits_per_pixel():
    config = TrainConfig(likelihood="counter-biased", latent_dim=2, hidden_dim=8, epochs=1)
    for changed in (config, replace(config, likelihood="gaussian", sampling=False)):
        trainer = Trainer(changed, toy())
        assert trainer.evaluate().bits_per_pixel() is None


def test_binary_pixels_are_read_as_two_levels():
    config = TrainConfig(likelihood="bernoulli", latent_dim=2, hidden_dim=8, epochs=1)
    trainer = Trainer(config, toy(levels=2))
    figures = trainer.evaluate()
    want = figures.mean("loss") / (16 * math.log(2))
    assert figures.bits_per_pixel() == pytest.approx(want, rel=1e-5)
    assert figures.bits_per_pixel("natural") is None


def test_level_family_bounds_are_named():
    with pytest.raises(ValueError, match="between 0 and 1"):
        theory.level_family_natural(1.0)
    with pytest.raises(ValueError, match="reading: 'mode' given"):
        theory.bernoulli_masses(0.0, reading="mode")
    with pytest.raises(ValueError, match="scale: 0 given"):
        theory.gaussian_masses(0.5, 0)


@pytest.mark.parametrize("name", [name for name, belief in BELIEFS.items() if belief.normalised])
def test_outputs_of_diverged_weights_have_no_mass_and_raise_nothing(name):
    """A run that diverged is measured like any other: its figures may be NaN, never a crash."""
    likelihood = build_likelihood(name)
    outputs = BELIEFS[name].outputs
    for bad in (math.nan, math.inf, -math.inf):
        output = torch.full((2, 5 * outputs), bad)
        mass = likelihood.log_mass(output, GREYS[:10].reshape(2, 5), 256)
        assert mass.shape == (2, 5)
        if math.isnan(bad):
            assert not torch.isfinite(mass).any()
