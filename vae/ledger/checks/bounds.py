"""Checks of D24 to D27, D32, D33 and B27: the bound, and what a pixel's error sees."""

import math

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.ledger.checks.numeric import integral, lowest
from vae.theory import bernoulli, corruptions, gaussian
from vae.theory import evidence as one_pixel


def plain_code_is_a_bound() -> Evidence:
    """Squared error plus KL, as code has it, against log p(x) of the Gaussian it stands for."""
    scale = math.sqrt(0.5)
    pixel = one_pixel.OnePixel(0.9, scale)
    mean, spread = 0.3, 0.8
    miss = pixel.x - pixel.centre - pixel.slope * mean
    error = miss**2 + (pixel.slope * spread) ** 2
    loss = error + one_pixel.kl(mean, spread)
    bound = -loss - 0.5 * math.log(2 * math.pi * scale**2)
    gap = pixel.log_evidence - bound
    to_posterior = one_pixel.kl(mean, spread, *pixel.posterior)
    figure = (
        f"−(error + KL) + constant = {bound:.4f}, below log p(x) = {pixel.log_evidence:.4f} by "
        f"{gap:.4f}, which is KL(q ‖ posterior) {to_posterior:.4f}"
    )
    return Evidence(figure, gap > 0 and abs(gap - to_posterior) < 1e-9)


def where_it_is_infinite() -> Evidence:
    small = float(bernoulli.bce(1.0, 1e-3))
    excluded = float(bernoulli.bce(1.0, 0.0))
    largest = float(bernoulli.squared_error(1.0, 0.0))
    figure = (
        f"a white pixel believed white with 0.001 costs {small:.2f} nats, with 0 it costs "
        f"{excluded}; squared error is at most {largest:.0f}"
    )
    return Evidence(figure, math.isinf(excluded) and small > 6 and largest == 1)


def cycle_loss() -> Evidence:
    greys = np.array([0.0, 0.0, 0.1, 0.2, 1.0])
    absolute = lowest(lambda p: np.abs(greys - p).sum(), 0.0, 1.0)
    squared = lowest(lambda p: bernoulli.squared_error(greys, p).sum(), 0.0, 1.0)
    figure = (
        f"for five greys |x − y| is least at {absolute:.3f}, their median; (x − y)² at "
        f"{squared:.3f}, their mean"
    )
    agrees = abs(absolute - np.median(greys)) < 1e-6 and abs(squared - greys.mean()) < 1e-6
    return Evidence(figure, agrees)


def content() -> Evidence:
    stripes = np.zeros((28, 28))
    stripes[:, 4:24:4] = 1.0
    stripes[:, 5:24:4] = 1.0
    moved = corruptions.shift(stripes, 1 / 3)
    flat = np.full_like(stripes, stripes.mean())
    shifted, smeared = (float(np.mean((stripes - other) ** 2)) for other in (moved, flat))
    figure = (
        f"stripes moved by two pixels cost {shifted:.3f} a pixel; a flat grey, without any "
        f"content, {smeared:.3f}"
    )
    return Evidence(figure, shifted > 1.5 * smeared)


def lucas_uses_mse() -> Evidence:
    images = np.random.default_rng(1).random((3, 784))
    means, scale = np.random.default_rng(2).random((3, 784)), 1.0
    nll = -gaussian.gaussian_log_prob(images, means, scale).sum(axis=1)
    errors = np.square(images - means).sum(axis=1)
    rest = nll - errors / (2 * scale**2)
    stated = gaussian.nll_from_mse(errors / 784, scale, 784)
    figure = (
        f"−log N less half the squared error is {rest.mean():.2f} nats for each of three images "
        f"(spread {np.ptp(rest):.3f})"
    )
    return Evidence(figure, bool(np.allclose(nll, stated)) and float(np.ptp(rest)) < 1e-6)


def sampling() -> Evidence:
    pixel = one_pixel.OnePixel(0.8, 0.3)
    mean, spread = 0.5, 0.7
    exact = pixel.expected_log_likelihood(mean, spread)
    draws = mean + spread * np.random.default_rng(1).standard_normal(200_000)
    values = pixel.log_likelihood(draws)
    figure = (
        f"E[log p(x|z)] = {exact:.4f} exactly; {values.mean():.4f} over 200,000 draws; one draw "
        f"strays by {values.std():.3f} nats"
    )
    return Evidence(figure, bool(abs(values.mean() - exact) < 4 * values.std() / math.sqrt(2e5)))


def looser_bound() -> Evidence:
    """Three pixels of one grey, read as probabilities: a q that sees the grey, or each draw."""
    grey, pixels = 0.7, 3
    z = np.linspace(-8, 8, 4001)
    log_prior = gaussian.gaussian_log_prob(z, 0.0, 1.0)
    draws, expected, sees_draw = np.arange(pixels + 1), np.zeros_like(z), 0.0
    for ones in draws:
        share = math.comb(pixels, ones) * grey**ones * (1 - grey) ** (pixels - ones)
        likelihood = -pixels * bernoulli.bce_with_logits(ones / pixels, 2 * z)
        # The best q for a draw is its posterior, and leaves no gap.
        sees_draw += share * math.log(integral(np.exp(log_prior + likelihood), z))
        expected = expected + share * likelihood
    # The best q for the grey is the prior times exp of the mean log likelihood.
    sees_grey = math.log(integral(np.exp(log_prior + expected), z))
    figure = (
        f"mean log likelihood of the draws {sees_draw:.4f}; the best bound of a q that sees the "
        f"grey alone {sees_grey:.4f}: looser by {sees_draw - sees_grey:.4f} nats"
    )
    # BCE on the greys themselves is this very bound: it is linear in the target.
    on_greys = -pixels * bernoulli.bce_with_logits(grey, 2 * z)
    agrees = bool(np.allclose(on_greys, expected)) and sees_draw - sees_grey > 0
    return Evidence(figure, agrees)
