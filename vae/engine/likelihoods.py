"""log p(x | decoder output), per pixel: what a reconstruction term assumes about pixels.

Shapes: ``output`` and ``x`` are (..., D); ``log_prob`` returns (..., D) in nats. Pixels are in
[0, 1]. ``output`` is the decoder's last linear layer without an activation; each likelihood says
what it means: a mean, or logits.

Sources: Kingma & Welling 2014 (Gaussian, Bernoulli); Rybkin et al. 2021 (learned and optimal
scale); Loaiza-Ganem & Cunningham 2019 (continuous Bernoulli).
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vae.beliefs import BELIEFS, Belief
from vae.engine.grey_masses import (
    LEVELS,
    continuous_bernoulli_log_mass,
    gaussian_log_mass,
    level_family_log_mass,
    level_family_natural,
    to_level,
)

LOG_2PI = math.log(2 * math.pi)
# exp(-6) is .0025, about one grey level of 255; below it a learned scale only chases rounding.
MIN_LOG_SCALE = -6.0


def gaussian_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor | float) -> Tensor:
    """log N(x; mean, exp(log_scale)^2), per pixel (Kingma & Welling 2014, appendix C.2)."""
    if isinstance(log_scale, Tensor):
        inverse_variance: Tensor | float = torch.exp(-2 * log_scale)
    else:
        inverse_variance = math.exp(-2 * log_scale)
    return (x - mean).square() * (-0.5 * inverse_variance) - (log_scale + 0.5 * LOG_2PI)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """x log p + (1 - x) log(1 - p) with p = sigmoid(logits): minus the binary cross-entropy.

    Written with softplus, so that no logit is too large for float32; ``x`` may be grey.
    """
    return x * logits - F.softplus(logits)


def continuous_bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """Log density of the continuous Bernoulli on [0, 1] (Loaiza-Ganem & Cunningham 2019, eq. 6).

    With natural parameter a = ``logits``: log p(x) = a x - a/2 - log(sinh(a/2) / (a/2)), which is
    the Bernoulli's x a - softplus(a) plus the normaliser log C = log(a / tanh(a/2)). Far from 0 it
    is -|a| d + log |a| - log(1 - exp(-|a|)), d the distance of x from the end that a favours: no
    large terms cancel, so likelihood and gradient are right at every logit that float32 holds.
    """
    near, small, large = _split_at_one(logits)
    square = small.square() / 4
    series = 1 / 2835 - square * (1 / 37800 - square / 467775)
    series = square * (1 / 6 - square * (1 / 180 - square * series))
    distance = torch.where(logits < 0, x, 1 - x)
    far = torch.log(large) - torch.log1p(-torch.exp(-large)) - large * distance
    return torch.where(near, small * (x - 0.5) - series, far)


def continuous_bernoulli_mean(logits: Tensor) -> Tensor:
    """E[x] of the continuous Bernoulli: 1/|a| - 1/(exp|a| - 1) from the end that a favours.

    Near a = 0, where the two terms cancel, by the series of 1/2 + coth(a/2)/2 - 1/a.
    """
    near, small, large = _split_at_one(logits)
    square = small.square()
    series = 1 / 30240 - square * (1 / 1209600 - square / 47900160)
    series = small * (1 / 12 - square * (1 / 720 - square * series))
    # exp(-|a|) over 1 - exp(-|a|): exp(|a|) itself would overflow, and its gradient be NaN.
    decay = torch.exp(-large)
    distance = 1 / large - decay / (1 - decay)
    return torch.where(near, 0.5 + series, torch.where(logits < 0, distance, 1 - distance))


def _split_at_one(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where |a| < 1, a there and |a| elsewhere.

    Closed forms are 0/0 at 0 and series fail far from it; each sees only values that are safe
    for it, so that neither gradient is NaN.
    """
    near = logits.abs() < 1
    return near, torch.where(near, logits, 0.0), torch.where(near, 1.0, logits.abs())


def counter_biased_loss(x: Tensor, p: Tensor) -> Tensor:
    """L_1(x, p), the integral from x to p of (u - x) 4u(1-u) du, per pixel.

    A Bregman divergence whose asymmetry is opposite to the cross-entropy's: an error toward 0.5
    costs more than one away from it. Its minimiser is p = x all the same.
    """
    h = p - x
    return h.square() * (2 * x * (1 - x) + h * ((4 / 3) * (1 - 2 * x) - h))


class Likelihood(nn.Module):
    """p(x | output); ``name`` is its entry's in ``vae.beliefs``, which says the rest about it."""

    name: ClassVar[str]

    def __init__(self, scale: float = 1.0, squash: bool = False) -> None:
        super().__init__()
        del scale, squash

    @property
    def belief(self) -> Belief:
        """Its names, and what follows from it."""
        return BELIEFS[self.name]

    @property
    def normalised(self) -> bool:
        """False for a loss that is no likelihood."""
        return self.belief.normalised

    @property
    def dequantised(self) -> bool:
        """Whether the density needs data without exact 0 and 1: bytes k become (k + u) / 256."""
        return self.belief.dequantised

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        """log p(x | output) per pixel, nats."""
        raise NotImplementedError

    def mean(self, output: Tensor) -> Tensor:
        """E[x | output] per pixel."""
        raise NotImplementedError

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """One draw from p(x | output)."""
        raise NotImplementedError

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        """log P(k | output) per pixel of the grey levels that the bytes ``grey`` (..., D) name.

        The masses of all ``levels`` (256, or 2 for black and white) sum to 1; nats.
        """
        raise NotImplementedError

    @property
    def scale(self) -> Tensor | None:
        """The standard deviation of a pixel, a scalar; None where there is none."""
        return None


class Gaussian(Likelihood):
    """N(mean, scale^2) with a fixed scale: squared error with a known weight.

    ``squash`` passes the output through a sigmoid, so that means stay in [0, 1].
    """

    name = "gaussian"

    def __init__(self, scale: float = 1.0, squash: bool = False) -> None:
        super().__init__()
        if not scale > 0:
            raise ValueError(f"scale: {scale!r} given; allowed is any number above 0")
        self.squash = squash
        self._log_scale = math.log(scale)

    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output) if self.squash else output

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return gaussian_log_prob(x, self.mean(output), self.log_scale)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.empty_like(output).normal_(generator=generator)
        return self.mean(output) + self.scale * noise

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        return gaussian_log_mass(grey, self.mean(output), self.log_scale, levels)

    @property
    def log_scale(self) -> Tensor | float:
        """log of the standard deviation as ``log_prob`` takes it."""
        return self._log_scale

    @property
    def scale(self) -> Tensor:
        return torch.tensor(math.exp(self._log_scale))


class GaussianLearned(Gaussian):
    """N(mean, scale^2) with one learned scale (sigma-VAE; Rybkin et al. 2021, section 3.1).

    log scale = -6 + softplus(free + 6): a soft lower bound, since -log sigma has none itself.
    """

    name = "gaussian-learned"

    def __init__(self, scale: float, squash: bool = False) -> None:
        super().__init__(scale, squash)
        above = self._log_scale - MIN_LOG_SCALE
        if above <= 0:
            raise ValueError(f"scale: {scale!r} given; allowed is above exp(-6) = .0025")
        free = math.log(math.expm1(above)) + MIN_LOG_SCALE
        self.free_log_scale = nn.Parameter(torch.tensor(free))

    @property
    def log_scale(self) -> Tensor:
        return MIN_LOG_SCALE + F.softplus(self.free_log_scale - MIN_LOG_SCALE)

    @property
    def scale(self) -> Tensor:
        return self.log_scale.detach().exp()


class GaussianOptimal(Gaussian):
    """N(mean, scale^2) at the scale that fits the batch best, its RMSE (Rybkin et al. 2021).

    While training, log_prob uses the batch's own RMSE, without a gradient: at the optimum the
    scale's gradient is 0, so d log_prob equals that of -D/2 log MSE. As in batch normalisation
    it also updates an exponential average of the batch variance (weight .01 a step); in ``eval``
    mode that average is the scale, so that test figures use nothing of the test images.
    """

    name = "gaussian-optimal"

    variance: Tensor
    updates: Tensor
    momentum = 0.01

    def __init__(self, scale: float, squash: bool = False) -> None:
        super().__init__(scale, squash)
        self.register_buffer("variance", torch.tensor(scale**2))
        self.register_buffer("updates", torch.tensor(0.0))

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        mean = self.mean(output)
        if not self.training:
            return gaussian_log_prob(x, mean, self.log_scale)
        with torch.no_grad():
            # By rows first: then the sum does not depend on the number of threads.
            batch = (mean - x).square().mean(-1).mean().clamp_min(math.exp(2 * MIN_LOG_SCALE))
            self.updates += 1
            # A plain average of the first hundred batches, an exponential one afterwards.
            self.variance.lerp_(batch, torch.clamp_min(1 / self.updates, self.momentum))
        return gaussian_log_prob(x, mean, 0.5 * batch.log())

    @property
    def log_scale(self) -> Tensor:
        return 0.5 * self.variance.log()

    @property
    def scale(self) -> Tensor:
        return self.variance.sqrt()


class Bernoulli(Likelihood):
    """Binary pixels with probability sigmoid(output); grey targets give the cross-entropy."""

    name = "bernoulli"

    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return bernoulli_log_prob(x, output)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return torch.bernoulli(torch.sigmoid(output), generator=generator)

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        """Of greys: the family P(k) ~ exp(a k / 255) whose mean is p, since p is what BCE fits."""
        if levels == 2:
            return bernoulli_log_prob(to_level(grey, 2, output.dtype), output)
        return level_family_log_mass(grey, level_family_natural(output, levels), levels)

    def natural_log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        """The other reading: the same family with the output itself as its parameter a."""
        return level_family_log_mass(grey, output, levels)


class ContinuousBernoulli(Likelihood):
    """A density on [0, 1] with the Bernoulli's form and its missing normaliser.

    The output is the logit itself, without a bound: black that is dequantised, of mean 1/512,
    wants the logit -512, and a bound below that would keep every mean away from 0 and 1.
    """

    name = "continuous-bernoulli"

    def mean(self, output: Tensor) -> Tensor:
        return continuous_bernoulli_mean(output)

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return continuous_bernoulli_log_prob(x, output)

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        return continuous_bernoulli_log_mass(grey, output, levels)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """By the inverse distribution function, -log(1 - u (1 - exp -|a|)) / |a| from the end
        that a favours."""
        u = torch.empty_like(output).uniform_(generator=generator)
        near = output.abs() < 1e-3
        size = torch.where(near, 1.0, output.abs())
        distance = -torch.log1p(u * torch.expm1(-size)) / size
        far = torch.where(output < 0, distance, 1 - distance)
        return torch.where(near, u + 0.5 * output * u * (1 - u), far)


class CounterBiased(Likelihood):
    """The loss L_1 in a likelihood's place: ``log_prob`` is minus the loss, and no density.

    There is nothing to draw from: ``sample`` returns the mean.
    """

    name = "counter-biased"

    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output)

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return -counter_biased_loss(x, torch.sigmoid(output))

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        del generator
        return self.mean(output)


_KINDS = (
    Gaussian,
    GaussianLearned,
    GaussianOptimal,
    Bernoulli,
    ContinuousBernoulli,
    CounterBiased,
)


def build_likelihood(name: str, *, scale: float = 1.0, squash: bool = False) -> Likelihood:
    """The likelihood called ``name`` in ``TrainConfig``. Raises ``ValueError`` on other names."""
    kinds = {kind.name: kind for kind in _KINDS}
    if name not in kinds:
        raise ValueError(f"likelihood: {name!r} given; allowed is one of {list(kinds)}")
    return kinds[name](scale, squash)
