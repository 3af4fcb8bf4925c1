"""Checks of D19 to D23, D28 to D31 and D34 to D37: what choosing p(x|z) decides."""

import itertools
import math

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.ledger.checks.numeric import lowest, slope
from vae.shipped import cards
from vae.theory import bernoulli, gaussian, implied

# Greys of one pixel over nine images: skewed, so that mean and median lie apart.
GREYS = np.array([0.0, 0.0, 0.05, 0.1, 0.1, 0.2, 0.5, 0.9, 1.0])


def absolute_error(t: np.ndarray, p: float) -> np.ndarray:
    """|t − p|, a Laplace decoder's cost of a pixel up to scale and constant."""
    return np.abs(t - p)


def other_choices() -> Evidence:
    normal = lowest(lambda m: -gaussian.gaussian_log_prob(GREYS, m, 0.3).sum(), 0.0, 1.0)
    laplace = lowest(lambda m: absolute_error(GREYS, m).sum(), 0.0, 1.0)
    figure = f"best single output: {normal:.3f} (Gaussian, the mean), {laplace:.3f} (Laplace)"
    agrees = abs(normal - GREYS.mean()) < 1e-6 and abs(laplace - np.median(GREYS)) < 1e-6
    return Evidence(figure, agrees and abs(normal - laplace) > 0.1)


def parentheses() -> Evidence:
    y, t = np.array([0.6, 0.2, 0.9]), np.array([0.8, 0.1, 0.9])
    code = float(np.mean(np.square(y - t)))
    formula = float(np.mean(bernoulli.squared_error(t, y)))
    misplaced = float(np.mean(t - np.square(y)))
    figure = f"code {code:.4f} = formula {formula:.4f}; with the square on y alone {misplaced:.4f}"
    return Evidence(figure, abs(code - formula) < 1e-12 and abs(misplaced - code) > 0.01)


def constant_scales() -> Evidence:
    variances = list(implied.preset_variances(784, 20, 128).values())
    figure = (
        f"{len(variances)} losses that people paste: a constant σ² each, from "
        f"{min(variances):.2g} to {max(variances):,.0f}"
    )
    return Evidence(figure, min(variances) > 0 and max(variances) > 1e4 * min(variances))


def bernoulli_lines() -> Evidence:
    x, p = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0.9, 0.2, 0.6, 0.7])
    mass = float(np.prod(p**x * (1 - p) ** (1 - x)))
    summed = float(np.sum(bernoulli.bce(x, p)))
    # A grey of 0.3, drawn as black or white: the mean of the two costs.
    drawn = 0.3 * bernoulli.bce(1.0, 0.6) + 0.7 * bernoulli.bce(0.0, 0.6)
    figure = (
        f"−log of the product {-math.log(mass):.4f} = summed BCE {summed:.4f} nats; "
        f"mean over draws of a grey {float(drawn):.4f} = BCE {float(bernoulli.bce(0.3, 0.6)):.4f}"
    )
    agrees = abs(summed + math.log(mass)) < 1e-9
    return Evidence(figure, agrees and abs(drawn - bernoulli.bce(0.3, 0.6)) < 1e-12)


def gaussian_leads_to_mse() -> Evidence:
    likely = lowest(lambda m: -gaussian.gaussian_log_prob(GREYS, m, 0.3).sum(), 0.0, 1.0)
    least = lowest(lambda m: np.square(GREYS - m).mean(), 0.0, 1.0)
    figure = f"largest likelihood at μ = {likely:.4f}, least MSE at {least:.4f}"
    return Evidence(figure, abs(likely - least) < 1e-6)


def equal_up_to_constants() -> Evidence:
    f, scale = np.linspace(-1, 2, 31), 1.0
    error = (0.8 - f) ** 2
    log_prob = gaussian.gaussian_log_prob(0.8, f, scale)
    factor, constant = np.polyfit(error, log_prob, 1)
    rest = np.abs(log_prob - factor * error - constant).max()
    figure = f"log p = {factor:.3f} (x − f)² {constant:+.3f}, and {rest:.3f} is left over"
    stated = abs(factor + 0.5) < 1e-9 and abs(constant + 0.5 * math.log(2 * math.pi)) < 1e-9
    return Evidence(figure, stated and rest < 1e-9)


def appendix_c() -> Evidence:
    x, y = np.array([1.0, 0.0, 1.0]), np.array([0.8, 0.3, 0.6])
    equation_11 = float(np.sum(x * np.log(y) + (1 - x) * np.log(1 - y)))
    cross_entropy = float(np.sum(bernoulli.bce(x, y)))
    # Equation 12's logarithm at two means: their squared errors are all that tells them apart.
    apart = float(
        gaussian.gaussian_log_prob(0.8, 0.5, 0.4) - gaussian.gaussian_log_prob(0.8, 0, 0.4)
    )
    errors = (0.8**2 - 0.3**2) / (2 * 0.4**2)
    figure = (
        f"equation 11 is {equation_11:.4f}, minus BCE {cross_entropy:.4f}; equation 12 differs by "
        f"{apart:.4f} = difference of (x−μ)²/(2σ²), {errors:.4f}"
    )
    return Evidence(figure, abs(equation_11 + cross_entropy) < 1e-9 and abs(apart - errors) < 1e-9)


def both_pictures() -> Evidence:
    by_x = slope(lambda x: gaussian.gaussian_log_prob(x, 0.5, 0.3), 0.8)
    by_mean = slope(lambda m: gaussian.gaussian_log_prob(0.8, m, 0.3), 0.5)
    figure = f"log p(x|z) changes by {by_x:.2f} per unit of x and by {by_mean:+.2f} per unit of x̂"
    return Evidence(figure, abs(by_x + by_mean) < 1e-6 and abs(by_mean) > 1)


def standard_deviation_or_variance() -> Evidence:
    as_scale = float(gaussian.gaussian_log_prob(0.8, 0.5, 0.3))
    as_variance = float(gaussian.gaussian_log_prob(0.8, 0.5, math.sqrt(0.3)))
    figure = f"N(x̂, 0.3) at a miss of 0.3: {as_scale:.3f} nats if 0.3 is σ, {as_variance:.3f} if σ²"
    return Evidence(figure, abs(as_scale - as_variance) > 0.1)


def any_likelihood_is_a_cross_entropy() -> Evidence:
    binary = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    p = 0.3
    mean_nll = float(np.mean(bernoulli.bce(binary, p)))
    share = binary.mean()
    entropy = -(share * math.log(p) + (1 - share) * math.log(1 - p))
    figure = f"mean −log p = {mean_nll:.4f} = H(empirical, Bernoulli) = {entropy:.4f} nats a pixel"
    return Evidence(figure, abs(mean_nll - entropy) < 1e-9)


def softmax(logits: np.ndarray, axis: int) -> np.ndarray:
    """Probabilities along ``axis``."""
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def logits_of_a_multinoulli() -> Evidence:
    logits = np.random.default_rng(1).normal(size=(784, 256))
    within = softmax(logits, axis=1)
    flat = -np.log(softmax(np.zeros((1, 256)), axis=1)[0, 0])
    over = softmax(logits[:, 0], axis=0)
    figure = (
        f"256 logits a pixel: probabilities of a pixel sum to {within.sum(axis=1).mean():.3f}; "
        f"know nothing and pay log 256 = {flat:.3f} nats. One softmax over the pixels: each gets "
        f"{over.mean():.4f} on average"
    )
    agrees = np.allclose(within.sum(axis=1), 1) and abs(flat - math.log(256)) < 1e-9
    return Evidence(figure, agrees and abs(over.sum() - 1) < 1e-9)


def many_ones() -> Evidence:
    p = np.array([0.9, 0.2, 0.6, 0.7])
    pictures = np.array(list(itertools.product([0.0, 1.0], repeat=4)))
    masses = np.exp(-bernoulli.bce(pictures, p).sum(axis=1))
    single = masses[pictures.sum(axis=1) == 1].sum()
    figure = (
        f"four Bernoullis: the 16 pictures have mass {masses.sum():.4f}; those with one white "
        f"pixel, all that one multinoulli over pixels allows, have {single:.3f}"
    )
    return Evidence(figure, abs(masses.sum() - 1) < 1e-9 and single < 0.5)


def pixels_near_the_ends() -> Evidence:
    counts = np.array(cards.data_summary("mnist").grey_counts, dtype=float)
    ends = (counts[0] + counts[255]) / counts.sum()
    figure = f"{100 * ends:.1f}% of MNIST's training pixels are exactly 0 or 1"
    return Evidence(figure, bool(0.7 < ends < 0.9), "counts of the training set, shipped")
