"""The Gaussian formulas as Vega expressions, for figures that compute in the browser.

Every function takes expressions (text) and returns one. They state what ``vae.theory.gaussian``
and ``vae.theory.ppca`` state; tests hold the two equal. Nats, natural logarithms, pixels in [0, 1].
"""

import math

HALF_LOG_2PI = repr(0.5 * math.log(2.0 * math.pi))


def squared_error(x: str, mean: str) -> str:
    """(x - mean)^2."""
    return f"pow(({x}) - ({mean}), 2)"


def log_prob(x: str, mean: str, scale: str) -> str:
    """log N(x; mean, scale^2), one pixel."""
    return f"(-log({scale}) - {HALF_LOG_2PI} - 0.5 * pow((({x}) - ({mean})) / ({scale}), 2))"


def rescaled_squared_error(x: str, mean: str, scale: str) -> str:
    """-(x - mean)^2 / (2 scale^2) plus the constant that the Gaussian adds."""
    constant = f"(0.5 * log(1 / (2 * PI * pow({scale}, 2))))"
    return f"({constant} - {gradient_ratio(scale)} * {squared_error(x, mean)})"


def log_prob_gradient(x: str, mean: str, scale: str) -> str:
    """d log N / d mean = (x - mean) / scale^2."""
    return f"((({x}) - ({mean})) / pow({scale}, 2))"


def squared_error_gradient(x: str, mean: str) -> str:
    """d(-(x - mean)^2) / d mean = 2 (x - mean)."""
    return f"(2 * (({x}) - ({mean})))"


def gradient_ratio(scale: str) -> str:
    """1 / (2 scale^2), the factor from the squared error's gradient to the likelihood's."""
    return f"(1 / (2 * pow({scale}, 2)))"


def nll(mse: str, scale: str, pixels: int = 1) -> str:
    """-log p(x|z) of an image of ``pixels`` pixels with this squared error per pixel."""
    return f"({pixels} * (log({scale}) + {HALF_LOG_2PI} + ({mse}) / (2 * pow({scale}, 2))))"


def best_nll(mse: str, pixels: int = 1) -> str:
    """The same at the best scale, the root of the squared error."""
    return f"({pixels} * (0.5 * log({mse}) + {HALF_LOG_2PI} + 0.5))"


def peak(scale: str) -> str:
    """The highest value of N(x; mean, scale^2)."""
    return f"(1 / (sqrt(2 * PI) * ({scale})))"


def density_to_peak(x: str, mean: str, scale: str) -> str:
    """N(x; mean, scale^2) over its highest value, so that any scale fits one axis."""
    return f"exp(-0.5 * pow((({x}) - ({mean})) / ({scale}), 2))"


def mass_below_zero(mean: str, scale: str) -> str:
    """The share of N(mean, scale^2) below 0."""
    return f"cumulativeNormal(0, {mean}, {scale})"


def mass_above_one(mean: str, scale: str) -> str:
    """The share above 1, as a lower tail: 1 minus an upper one would lose its digits."""
    return f"cumulativeNormal(0, 1 - ({mean}), {scale})"


def latent_kl(eigenvalue: str, variance: str) -> str:
    """KL of a linear VAE's latent: 1/2 log(eigenvalue / variance) where active, else 0."""
    return f"(0.5 * log(max({eigenvalue}, {variance}) / ({variance})))"


def latent_error(eigenvalue: str, variance: str) -> str:
    """Squared error left along a direction: the variance where active, else the eigenvalue."""
    return f"min({eigenvalue}, {variance})"


def number(value: str, digits: int = 3) -> str:
    """``value`` as text with a true minus sign and ``digits`` decimals."""
    return f"format({value}, '.{digits}f')"


def compact(value: str) -> str:
    """``value`` as text with four significant digits, whatever its size."""
    return f"format({value}, '.4~r')"
