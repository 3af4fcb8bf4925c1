"""log p(x | decoder output), per pixel: what a reconstruction term assumes about pixels.

Shapes: ``output`` and ``x`` are (..., D); ``log_prob`` returns (..., D) in nats. Pixels are in
[0, 1]. ``output`` is the decoder's last linear layer without an activation; each likelihood says
what it means: a mean, or logits.

A likelihood that needs k numbers a pixel reads an output of (..., k D).

Sources: Kingma & Welling 2014 (Gaussian, with its scale a pixel; Bernoulli); Rybkin et al. 2021
(learned and optimal scale); Loaiza-Ganem & Cunningham 2019 (continuous Bernoulli); Salimans et al.
2017 (discretised logistic).
"""

import math
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vae.beliefs import BELIEFS, Belief
from vae.engine.grey_masses import (
    LEVELS,
    continuous_bernoulli_log_mass,
    gaussian_log_mass,
    laplace_log_mass,
    level_family_log_mass,
    level_family_natural,
    logistic_log_mass,
    student_t_log_mass,
    to_level,
)
from vae.engine.softmax_levels import SoftmaxLogMass, cosine_table

LOG_2PI = math.log(2 * math.pi)
# exp(-6) is .0025, about one grey level of 255; below it a learned scale only chases rounding.
MIN_LOG_SCALE = -6.0
# exp(-4) is .018, under five grey levels: one pixel that misses by 1 costs 1,500 nats, not more.
PIXEL_LOG_FLOOR = -4.0


def gaussian_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor | float) -> Tensor:
    """log N(x; mean, exp(log_scale)^2), per pixel (Kingma & Welling 2014, appendix C.2)."""
    if isinstance(log_scale, Tensor):
        inverse_variance: Tensor | float = torch.exp(-2 * log_scale)
    else:
        inverse_variance = math.exp(-2 * log_scale)
    return (x - mean).square() * (-0.5 * inverse_variance) - (log_scale + 0.5 * LOG_2PI)


def laplace_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor | float) -> Tensor:
    """-|x - mean| / exp(log_scale) - log(2 exp(log_scale)), per pixel."""
    inverse = torch.exp(-log_scale) if isinstance(log_scale, Tensor) else math.exp(-log_scale)
    return (x - mean).abs() * -inverse - (log_scale + math.log(2))


def student_t_log_prob(x: Tensor, mean: Tensor, log_scale: Tensor | float) -> Tensor:
    """Student's t with 3 degrees of freedom: log(2 / (pi sqrt 3 scale)) - 2 log(1 + u^2 / 3)."""
    inverse = torch.exp(-log_scale) if isinstance(log_scale, Tensor) else math.exp(-log_scale)
    square = ((x - mean) * inverse).square()
    return -2 * torch.log1p(square / 3) - (log_scale - math.log(2 / (math.pi * math.sqrt(3))))


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
        """The one scale of all pixels in its density's own unit: sigma of a Gaussian, b of a
        Laplace; a scalar, None where there is none."""
        return None


class LocationScale(Likelihood):
    """A density about the output, of one scale for all pixels, fixed or learned.

    ``squash`` passes the output through a sigmoid, so that means stay in [0, 1]. A learned
    log scale = -6 + softplus(free + 6) has a soft lower bound, since -log scale has none itself.
    """

    def __init__(self, scale: float = 1.0, squash: bool = False) -> None:
        super().__init__()
        if not scale > 0:
            raise ValueError(f"scale: {scale!r} given; allowed is any number above 0")
        self.squash = squash
        self._log_scale = math.log(scale)
        if self.belief.scale == "learned":
            above = self._log_scale - MIN_LOG_SCALE
            if above <= 0:
                raise ValueError(f"scale: {scale!r} given; allowed is above exp(-6) = .0025")
            free = math.log(math.expm1(above)) + MIN_LOG_SCALE
            self.free_log_scale = nn.Parameter(torch.tensor(free))

    def mean(self, output: Tensor) -> Tensor:
        return torch.sigmoid(output) if self.squash else output

    @property
    def log_scale(self) -> Tensor | float:
        """log of the scale as ``log_prob`` takes it."""
        if self.belief.scale == "learned":
            return MIN_LOG_SCALE + F.softplus(self.free_log_scale - MIN_LOG_SCALE)
        return self._log_scale

    @property
    def scale(self) -> Tensor:
        log_scale = self.log_scale
        if isinstance(log_scale, Tensor):
            return log_scale.detach().exp()
        return torch.tensor(math.exp(log_scale))


class Gaussian(LocationScale):
    """N(mean, scale^2) with a fixed scale: squared error with a known weight."""

    name = "gaussian"

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return gaussian_log_prob(x, self.mean(output), self.log_scale)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        noise = torch.empty_like(output).normal_(generator=generator)
        return self.mean(output) + self.scale * noise

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        return gaussian_log_mass(grey, self.mean(output), self.log_scale, levels)


class GaussianLearned(Gaussian):
    """N(mean, scale^2) with one learned scale (sigma-VAE; Rybkin et al. 2021, section 3.1)."""

    name = "gaussian-learned"


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


class GaussianPerPixel(Likelihood):
    """N(mean, scale^2) with a scale for each pixel of each image, from the decoder.

    Kingma & Welling 2014, equation 12. The output is (..., 2 D): D means, then D free log scales;
    log scale = floor + softplus(free - floor). Without a floor, a pixel that never changes would
    send its scale to 0 and the density to infinity.
    """

    name = "gaussian-per-pixel"

    def __init__(self, scale: float = 1.0, squash: bool = False) -> None:
        super().__init__()
        del scale
        self.squash = squash

    def parameters_of(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log scale, each (..., D)."""
        mean, free = output.chunk(2, dim=-1)
        log_scale = PIXEL_LOG_FLOOR + F.softplus(free - PIXEL_LOG_FLOOR)
        return torch.sigmoid(mean) if self.squash else mean, log_scale

    def mean(self, output: Tensor) -> Tensor:
        return self.parameters_of(output)[0]

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return gaussian_log_prob(x, *self.parameters_of(output))

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        mean, log_scale = self.parameters_of(output)
        return mean + torch.exp(log_scale) * torch.empty_like(mean).normal_(generator=generator)

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        return gaussian_log_mass(grey, *self.parameters_of(output), levels)


class Laplace(LocationScale):
    """exp(-|x - mean| / scale) / (2 scale): absolute error, L1, with a known weight.

    The scale is b, not the standard deviation, which is sqrt(2) b; the best b is the mean
    absolute error. The output that costs least is the median of what it stands for.
    """

    name = "laplace"

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return laplace_log_prob(x, self.mean(output), self.log_scale)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        u = _open_uniform(output, generator) - 0.5
        return self.mean(output) - self.scale * torch.sign(u) * torch.log1p(-2 * u.abs())

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        return laplace_log_mass(grey, self.mean(output), self.log_scale, levels)


class LaplaceLearned(Laplace):
    """The same with one learned scale: the loss is D log(mean absolute error) at its best."""

    name = "laplace-learned"


class StudentT(LocationScale):
    """Student's t with 3 degrees of freedom and a learned scale: far misses cost a logarithm.

    With three, mean and variance (3 scale^2) exist and the distribution function is closed.
    """

    name = "student-t"

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return student_t_log_prob(x, self.mean(output), self.log_scale)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        noise = output.new_empty(4, *output.shape).normal_(generator=generator)
        return self.mean(output) + self.scale * noise[0] / noise[1:].square().mean(0).sqrt()

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        return student_t_log_mass(grey, self.mean(output), self.log_scale, levels)


class DiscretisedLogistic(LocationScale):
    """The logistic's bins as probabilities of 256 grey levels, with one learned scale.

    Salimans et al. 2017, equation 2: no density, so it is bounded on 8-bit pixels. ``x`` must be
    grey levels k / 255. ``location`` is the middle of the logistic before its ends are folded in;
    the mean of the levels lies nearer to the middle of [0, 1].
    """

    name = "discretised-logistic"

    def location(self, output: Tensor) -> Tensor:
        """The middle of the logistic, per pixel."""
        return torch.sigmoid(output) if self.squash else output

    def mean(self, output: Tensor) -> Tensor:
        """(1/255) sum over edges e of sigmoid((location - e) / scale), as the integral over e.

        With the integral's first correction at its ends it is right within 2e-5.
        """
        location, scale = self.location(output), self.scale
        low, high = location / scale, (location - 1) / scale
        inside = scale * (F.softplus(low) - F.softplus(high))
        slopes = torch.sigmoid(high) * torch.sigmoid(-high) - torch.sigmoid(low) * torch.sigmoid(
            -low
        )
        return inside + slopes / (24 * 255**2 * scale)

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return logistic_log_mass(x * 255, self.location(output), self.log_scale)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        u = _open_uniform(output, generator)
        drawn = self.location(output) + self.scale * torch.logit(u)
        return drawn.clamp(0, 1).mul(255).round().div(255)

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        return logistic_log_mass(grey, self.location(output), self.log_scale, levels)


class Categorical(Likelihood):
    """A probability for each of 256 grey levels: softmax, no order of greys assumed.

    f(z) would be 256 logits a pixel, 200,704 for 28x28: a last layer of 80 million weights. Here
    it is 8 numbers a pixel, (..., 8 D), which one learned table (8, 256), shared by all pixels,
    makes into 256 logits. ``x`` must be grey levels k / 255.
    """

    name = "categorical"

    def __init__(self, scale: float = 1.0, squash: bool = False) -> None:
        super().__init__()
        del scale, squash
        self.table = nn.Parameter(cosine_table(self.belief.outputs))
        self.bias = nn.Parameter(torch.zeros(LEVELS))

    def features(self, output: Tensor) -> Tensor:
        """The decoder's numbers for each pixel, (..., D, 8)."""
        return output.unflatten(-1, (-1, self.belief.outputs))

    def log_prob(self, output: Tensor, x: Tensor) -> Tensor:
        return self.log_mass(output, (x * 255).round().long())

    def mean(self, output: Tensor) -> Tensor:
        greys = torch.arange(LEVELS, device=output.device, dtype=output.dtype) / 255
        return self._over_levels(output, lambda p: p @ greys)

    def sample(self, output: Tensor, generator: torch.Generator | None = None) -> Tensor:
        features = self.features(output)
        p = torch.softmax(features @ self.table + self.bias, -1)
        u = torch.empty_like(p[..., :1]).uniform_(generator=generator)
        return torch.searchsorted(p.cumsum(-1), u).clamp_max(255)[..., 0].to(p.dtype) / 255

    def log_mass(self, output: Tensor, grey: Tensor, levels: int = LEVELS) -> Tensor:
        if levels == 2:
            white = self._over_levels(output, lambda p: p[..., LEVELS // 2 :].sum(-1))
            return torch.where(grey > 127, white.log(), torch.log1p(-white))
        features = self.features(output).flatten(0, -2)
        levels_of = grey.long().flatten()
        result: Tensor = SoftmaxLogMass.apply(features, self.table, self.bias, levels_of)
        return result.reshape(grey.shape)

    def _over_levels(self, output: Tensor, read: Callable[[Tensor], Tensor]) -> Tensor:
        """``read`` of the probabilities (n, 256), some pixels at a time: all need gigabytes."""
        features = self.features(output)
        parts = [
            read(torch.softmax(part @ self.table + self.bias, -1))
            for part in features.flatten(0, -2).split(SoftmaxLogMass.ROWS)
        ]
        return torch.cat(parts).reshape(features.shape[:-1])


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


def _open_uniform(like: Tensor, generator: torch.Generator | None) -> Tensor:
    """Uniform draws in (0, 1), ends excluded."""
    smallest = torch.finfo(like.dtype).eps
    u = torch.empty_like(like).uniform_(generator=generator)
    return u.clamp_(smallest, 1 - smallest)


_KINDS = (
    Gaussian,
    GaussianLearned,
    GaussianOptimal,
    GaussianPerPixel,
    Laplace,
    LaplaceLearned,
    StudentT,
    DiscretisedLogistic,
    Categorical,
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
