"""Checks of D1, D2, D4, D6, D7, D9 to D11, D13, D14, D17: the Gaussian and what its logarithm is.

Each holds a closed form of ``vae.theory`` against a quadrature, a finite difference, a minimum
found by search or a simulation.
"""

import math
from functools import partial

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.ledger.checks.numeric import integral, lowest, slope
from vae.theory import bernoulli, gaussian, implied

PIXELS = 28 * 28


def expansion() -> Evidence:
    mean, scale = 0.5, 0.3
    x = np.linspace(mean - 8 * scale, mean + 8 * scale, 4001)
    area = integral(np.exp(gaussian.gaussian_log_prob(x, mean, scale)), x)
    as_printed = -np.log(scale) - 0.5 * np.log(2 * np.pi) - 0.5 * (x - mean) / scale**2
    printed = integral(np.exp(as_printed), x)
    figure = f"∫ p dx = {area:.6f} with the parentheses, {printed:.0f} as printed (μ ± 8σ)"
    return Evidence(figure, abs(area - 1) < 1e-6 and abs(printed - 1) > 1)


def gradient_ratio() -> Evidence:
    image, means, scale = np.random.default_rng(1).random((3, PIXELS))
    scale = 0.3

    def nll(shift: float) -> float:
        return -gaussian.gaussian_log_prob(image, means + shift, scale).sum()

    def mse(shift: float) -> float:
        return np.square(image - means - shift).mean()

    ratio = slope(nll, 0.05) / slope(mse, 0.05)
    stated = float(gaussian.gradient_ratio(scale, PIXELS))
    figure = f"{ratio:.2f} times the gradient of MSE (D = 784, σ = 0.3)"
    return Evidence(figure, math.isclose(ratio, stated, rel_tol=1e-5))


def error_sign() -> Evidence:
    gaps = np.array([0.0, 0.1, 0.3, 0.5])
    log_prob = gaussian.gaussian_log_prob(gaps, 0.0, 0.3)
    falls, grows = np.all(np.diff(log_prob) < 0), np.all(np.diff(gaps**2) > 0)
    figure = f"log p falls from {log_prob[0]:.3f} to {log_prob[-1]:.3f} nats as |x−μ| grows to 0.5"
    return Evidence(figure, bool(falls and grows))


def pixel_mean() -> Evidence:
    gaps = np.random.default_rng(1).normal(size=PIXELS)
    # sigma^2 makes SSE / (2 sigma^2) the code's own term, so that the KL beside it weighs the same.
    summed = slope(lambda s: np.square(gaps + s).sum(), 0.1, 0.01)
    averaged = slope(lambda s: np.square(gaps + s).mean(), 0.1, 0.01)
    variance = summed / (2 * averaged)
    stated = implied.implied_variance(pixels=PIXELS, latents=20, pixel_reduction="pixel-mean")
    figure = f"σ² = {variance:.1f}, σ = {math.sqrt(variance):.1f} (28×28 pixels, KL summed)"
    return Evidence(figure, math.isclose(variance, stated, rel_tol=1e-6) and stated > 391)


def missing_half() -> Evidence:
    unit = slope(lambda f: -gaussian.gaussian_log_prob(0.8, f, 1.0), 0.3)
    code = slope(lambda f: (0.8 - f) ** 2, 0.3)
    # The gradient of -log N is 1 / sigma^2 that of the unit Gaussian: which sigma^2 gives the code?
    variance = unit / code
    stated = implied.implied_variance(pixels=1, latents=1, pixel_reduction="sum")
    figure = f"gradients differ by a factor {code / unit:.3f}: σ² = {variance:.3f} is implied"
    return Evidence(figure, math.isclose(variance, stated, rel_tol=1e-6) and variance < 0.6)


def mean_is_mode() -> Evidence:
    mean, scale = 0.5, 0.3
    mode = lowest(lambda x: -gaussian.gaussian_log_prob(x, mean, scale), -1.0, 2.0)
    draws = np.random.default_rng(1).normal(mean, scale, size=200_000)
    noise = math.sqrt(np.square(draws - mean).mean())
    figure = f"mode at {mode:.3f} for μ = 0.5; a draw strays from it by {noise:.3f} RMS (σ = 0.3)"
    return Evidence(figure, abs(mode - mean) < 1e-6 and abs(noise - scale) < 2e-3)


def mass_outside() -> Evidence:
    mean, scale = 0.5, 0.3
    x = np.linspace(0, 1, 4001)
    inside = integral(np.exp(gaussian.gaussian_log_prob(x, mean, scale)), x)
    stated = float(gaussian.mass_outside_unit(mean, scale))
    figure = f"{100 * (1 - inside):.2f}% of N(0.5, 0.3²) lies outside [0, 1]"
    return Evidence(figure, abs(1 - inside - stated) < 1e-6 and stated > 0.09)


def learned_scale() -> Evidence:
    errors = np.array([0.002, 0.01, 0.05])
    lowest_nll = []
    for mse in errors:
        scale = lowest(partial(gaussian.nll_from_mse, mse, pixels=PIXELS), 0.01, 1.0)
        lowest_nll.append(float(gaussian.nll_from_mse(mse, scale, PIXELS)))
    per_log = np.diff(lowest_nll) / np.diff(np.log(errors)) / PIXELS
    # Two pixels with residual variances 0.01 and 0.09 about 0.2 and 0.8, each at its best scale.
    centres, spreads = np.array([0.2, 0.8]), np.array([0.01, 0.09])

    def best(pixel: int, m: float) -> float:
        error = spreads[pixel] + (m - centres[pixel]) ** 2
        return float(gaussian.best_nll(error))

    free = [lowest(partial(best, pixel), 0.0, 1.0) for pixel in (0, 1)]
    shared = lowest(lambda m: best(0, m) + best(1, m), 0.0, 1.0)
    figure = (
        f"shared σ: NLL grows by {per_log.mean():.3f} D per unit of log MSE; a σ per pixel leaves "
        f"free outputs at {free[0]:.3f} and {free[1]:.3f} and moves a shared one from 0.500 to "
        f"{shared:.3f}"
    )
    stay = bool(np.allclose(free, centres, atol=1e-5)) and abs(shared - 0.5) > 0.1
    return Evidence(figure, bool(np.allclose(per_log, 0.5, atol=1e-6)) and stay)


def pearson() -> Evidence:
    scale = 0.5
    grid = np.linspace(-8, 9, 8001)
    true, model = (np.exp(gaussian.gaussian_log_prob(grid, mean, scale)) for mean in (0.0, 0.75))
    integrated = integral((true - model) ** 2 / model, grid)
    # One fit is exact on the first image and off by 1 on the second; another by .75 on both.
    fits = np.array([[0.0, 1.0], [0.75, 0.75]])
    errors, chi = np.square(fits).mean(axis=1), gaussian.chi_squared(fits, scale).mean(axis=1)
    figure = (
        f"errors of 0 and 1: MSE {errors[0]:.3f}, mean χ² {chi[0]:.1f}; of 0.75 twice: MSE "
        f"{errors[1]:.3f}, χ² {chi[1]:.1f} (σ = 0.5)"
    )
    exact = abs(integrated - float(gaussian.chi_squared(0.75, scale))) < 1e-3
    return Evidence(figure, exact and bool(errors[0] < errors[1] and chi[0] > chi[1]))


def cross_entropy() -> Evidence:
    scale, mean = 0.3, 0.4
    greys = np.random.default_rng(1).integers(0, 256, size=1000) / 255
    values, counts = np.unique(greys, return_counts=True)
    entropy = float(gaussian.cross_entropy(values, counts, mean, scale))
    mse = np.square(greys - mean).mean()
    from_mse = mse / (2 * scale**2) + 0.5 * math.log(2 * math.pi * scale**2)
    figure = f"H(empirical, N) = {entropy:.4f} = MSE/(2σ²) + constant = {from_mse:.4f} nats a pixel"
    return Evidence(figure, abs(entropy - from_mse) < 1e-9)


def multinoulli() -> Evidence:
    target, logits = np.array([1.0, 0.0, 1.0, 0.0]), np.array([1.5, -0.5, 0.3, -2.0])
    bernoullis = float(bernoulli.bce_with_logits(target, logits).sum())
    # Each pixel as a multinoulli over {0, 1}: a softmax over the logits (0, a).
    pairs = np.stack([np.zeros(4), logits])
    two_way = (np.log(np.exp(pairs).sum(axis=0)) - target * logits).sum()
    # One multinoulli over all the pixels: a softmax in which they compete.
    over_pixels = -(target * (logits - np.log(np.exp(logits).sum()))).sum()
    figure = (
        f"BCE {bernoullis:.4f} = K = 2 in each pixel {two_way:.4f}; "
        f"one softmax over the pixels: {over_pixels:.4f} nats"
    )
    return Evidence(figure, abs(bernoullis - two_way) < 1e-9 and abs(over_pixels - two_way) > 0.1)
