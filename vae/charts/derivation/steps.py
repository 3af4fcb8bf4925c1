"""The steps from E[log p(x|z)] to the mean squared error, each with its misprint and its numbers.

Numbers are Vega expressions of the dials ``sigma``, ``x`` and ``mean``, so that every line of the
derivation follows the pixel that the learner drags.
"""

from dataclasses import dataclass

from vae.charts.derivation.parts import PIXELS
from vae.charts.vega import gaussian
from vae.charts.vega.gaussian import number

LOG_P = gaussian.log_prob("x", "mean", "sigma")
ERROR = gaussian.squared_error("x", "mean")
MISPRINT = f"(-log(sigma) - {gaussian.HALF_LOG_2PI} - 0.5 * (x - mean) / pow(sigma, 2))"
CONSTANT = f"(-{PIXELS} * (log(sigma) + {gaussian.HALF_LOG_2PI}))"
FACTOR = f"({PIXELS} * {gaussian.gradient_ratio('sigma')})"


@dataclass(frozen=True)
class Step:
    """One line of the derivation.

    ``numbers`` put the pixel into the line, ``misprint_numbers`` into the misprint of it; both
    are Vega expressions that give text, one a line.
    """

    title: str
    formula: str
    say: str
    numbers: tuple[str, ...]
    misprint: str
    misprint_say: str
    misprint_numbers: tuple[str, ...]


STEPS = (
    Step(
        "What is maximised",
        r"\mathbb{E}_{q(z|x)}\big[\log p(x|z)\big]",
        "The first term of the bound. The encoder draws a code z for the image x; the decoder "
        "should then find x likely. The larger, the better.",
        (
            f"'log p = ' + {number(LOG_P)} + ' nats'",
            "'its maximum, at μ = x: ' + " + number(gaussian.log_prob("x", "x", "sigma")),
        ),
        r"\text{reconstruction error} = \mathbb{E}_{q(z|x)}\big[\log p(x|z)\big]",
        "The sign. An error is minimised, so the error is **minus** this.",
        (f"'error = −log p = ' + {number('-' + LOG_P)}",),
    ),
    Step(
        "What p(x|z) is",
        r"p(x|z) = \prod_{i=1}^{D} \mathcal{N}\big(x_i;\ \mu_i(z),\ \sigma^2\big)",
        "A modelling choice, not a law: each pixel is Gaussian around the decoder's output μ(z), "
        "all with one scale σ.",
        (f"'N(' + {number('x')} + '; ' + {number('mean')} + ', ' + {number('sigma')} + '²)'",),
        r"\mathbb{E}\big[(x - p(q(x)))^2\big]",
        "p and q are densities; one cannot be fed into the other. Write "
        r"$\mathbb{E}_{z\sim q(z|x)}\,\lVert x - \mu(z)\rVert^2$.",
        (
            f"'p = ' + {gaussian.compact('exp(' + LOG_P + ')')} + ' is a density,'",
            f"'the pixel to compare is μ = ' + {number('mean')}",
        ),
    ),
    Step(
        "One pixel's density",
        r"\frac{1}{\sigma\sqrt{2\pi}}\;"
        r"\exp\!\Big(\!-\tfrac12\Big(\frac{x-\mu}{\sigma}\Big)^{2}\Big)",
        "The Gaussian's definition. The parentheses matter: the whole fraction is squared.",
        (
            f"{gaussian.compact('1 / (sigma * sqrt(2 * PI))')} + ' · exp(−½ (' + "
            f"{number('x - mean')} + ' / ' + {number('sigma')} + ')²)'",
            f"'= ' + {gaussian.compact('exp(' + LOG_P + ')')}",
        ),
        r"\frac{1}{\sigma\sqrt{2\pi}}\; e^{-\frac12 \frac{x-\mu}{\sigma}^2}",
        "As printed, the square sits on σ alone. Then it grows without end as x falls, and does "
        "not integrate to 1.",
        (f"'as printed: ' + {gaussian.compact('exp(' + MISPRINT + ')')}",),
    ),
    Step(
        "Its logarithm",
        r"\log p(x_i|z) = -\log\sigma - \tfrac12\log 2\pi"
        r" - \tfrac12\Big(\frac{x_i-\mu_i}{\sigma}\Big)^{2}",
        "Three terms: how sharp the Gaussian is, a constant, and the squared error in units of σ.",
        (
            f"{number('-log(sigma)')} + ' − 0.919 − ' + "
            f"{number('0.5 * ' + ERROR + ' / pow(sigma, 2)')}",
            f"'= ' + {number(LOG_P)} + ' nats'",
        ),
        r"-\log\sigma - \tfrac12\log 2\pi - \tfrac12\frac{x-\mu}{\sigma}^2",
        "The same lost parentheses: linear in the error, so its sign would matter.",
        (f"'as printed: ' + {number(MISPRINT)}",),
    ),
    Step(
        "All D pixels",
        r"\log p(x|z) = -D\log\sigma - \tfrac{D}{2}\log 2\pi"
        r" - \frac{1}{2\sigma^2}\sum_{i=1}^{D}(x_i-\mu_i)^2",
        f"Independent pixels: logarithms add. (Numbers: all D = {PIXELS} pixels miss as this one.)",
        (
            f"'{PIXELS} · (' + {number(LOG_P)} + ')'",
            f"'= ' + format({PIXELS} * {LOG_P}, ',.1f') + ' nats'",
        ),
        r"\log p(x|z) \sim -(x-f(z))^2 \quad\text{for}\quad \sigma = 1",
        "The ½ is lost. Beside a KL it counts: without it the Gaussian has σ² = ½, not 1.",
        (
            f"'at σ = 1: −½ (x−μ)² = ' + {number('-0.5 * ' + ERROR)}",
            f"'without the ½: ' + {number('-' + ERROR)}",
        ),
    ),
    Step(
        "The mean squared error",
        r"\log p(x|z) = -\frac{D}{2\sigma^2}\,\mathrm{MSE} + \text{const}(\sigma)",
        "With σ **fixed** the constant does not depend on the network: maximising log p is "
        "minimising MSE.",
        (
            f"'−' + {gaussian.compact(FACTOR)} + ' · ' + {number(ERROR)} + ' + (' + "
            f"format({CONSTANT}, ',.1f') + ')'",
            f"'= ' + format(-{FACTOR} * {ERROR} + {CONSTANT}, ',.1f') + ' nats'",
        ),
        r"\text{maximising } \log p(x|z) = \text{minimising MSE}",
        "Only for one fixed σ. If σ is learned, −D log σ is no constant (section 8).",
        (f"'const = ' + format({CONSTANT}, ',.1f') + ' moves with σ'",),
    ),
    Step(
        "The gradient",
        r"\frac{\partial \log p}{\partial \mu_i} = \frac{x_i-\mu_i}{\sigma^2}"
        r" = -\frac{D}{2\sigma^2}\,\frac{\partial\,\mathrm{MSE}}{\partial \mu_i}",
        "What the network feels. The same direction as MSE's; σ sets the size.",
        (
            f"{number('x - mean')} + ' / ' + {number('sigma')} + '² = ' + "
            f"{gaussian.compact(gaussian.log_prob_gradient('x', 'mean', 'sigma'))}",
            f"'D/(2σ²) = ' + {gaussian.compact(FACTOR)}",
        ),
        r"\text{“scaled with } \sigma\text{”}",
        "Scaled with 1/(2σ²) on the squared error, D/(2σ²) on its mean over pixels.",
        (f"'1/(2σ²) = ' + {gaussian.compact(gaussian.gradient_ratio('sigma'))}",),
    ),
    Step(
        "The whole bound",
        r"\mathrm{ELBO} = -\frac{D}{2\sigma^2}\,\mathrm{MSE} + \text{const}"
        r" - \mathrm{KL}\big(q(z|x)\,\|\,p(z)\big)",
        "The evidence lower bound is maximised; the loss is its negative. Here σ decides how many "
        "nats of KL a squared error is worth.",
        (
            f"'at the margin 1 nat of KL buys ' + {gaussian.compact('2 * pow(sigma, 2)')}",
            "'of summed squared error (2σ²)'",
        ),
        r"\mathrm{ELBO} = \mathbb{E}_q[\log p(x|z)] + \mathrm{KL}, \quad\text{“minimise the ELBO”}",
        "Minus KL, and maximise. E stands for evidence, not for empirical.",
        ("'with + KL it is no lower bound on log p(x)'",),
    ),
)


@dataclass(frozen=True)
class TwoLines:
    """One line of both derivations: what is done, with a Gaussian and with a Bernoulli pixel."""

    title: str
    gaussian: str
    bernoulli: str


TWO_LIKELIHOODS = (
    TwoLines(
        "one pixel",
        r"\frac{1}{\sigma\sqrt{2\pi}}\,e^{-\frac12\left(\frac{x-\mu}{\sigma}\right)^2}",
        r"p^{\,x}\,(1-p)^{1-x}",
    ),
    TwoLines(
        "its logarithm",
        r"-\tfrac{(x-\mu)^2}{2\sigma^2} - \log\sigma - \tfrac12\log 2\pi",
        r"x\log p + (1-x)\log(1-p)",
    ),
    TwoLines(
        "the sign turned: a loss",
        r"\tfrac{(x-\mu)^2}{2\sigma^2} + \text{const}(\sigma)",
        r"-x\log p - (1-x)\log(1-p)",
    ),
    TwoLines(
        "summed over pixels: SSE, or BCE",
        r"\tfrac{1}{2\sigma^2}\,\mathrm{SSE} + \text{const}(\sigma)",
        r"-\textstyle\sum_i \big[x_i\log p_i + (1-x_i)\log(1-p_i)\big]",
    ),
    TwoLines(
        "where x is grey",
        r"\text{the same: it has a density}",
        r"\text{the mean over draws of black or white}",
    ),
)

_P = "clamp(mean, 0.001, 0.999)"
_WHITE, _BLACK = f"(-log({_P}))", f"(-log(1 - {_P}))"
GAUSSIAN_LOSS = (f"'Gaussian: −log p(x|z) = ' + {number('-' + LOG_P)} + ' nats'",)
BERNOULLI_LOSS = (
    f"'white costs ' + {number(_WHITE)} + ', black ' + {number(_BLACK)}",
    f"'weighted by x and 1 − x: BCE = ' + "
    f"{number(f'(x * {_WHITE} + (1 - x) * {_BLACK})')} + ' nats'",
)
