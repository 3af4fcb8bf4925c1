"""log P(k | output): what a likelihood says of an 8-bit grey level, so that all of them compare.

A density of pixels in [0, 1] gives level k the mass of its bin, from (k - 1/2) / 255 to
(k + 1/2) / 255; the outer bins are open, so that masses sum to 1. A density of dequantised pixels
gives it the mass from k / 256 to (k + 1) / 256. With ``levels`` 2 the same is done for pixels that
are black or white alone. Shapes: ``grey`` (..., D) bytes 0 to 255; results (..., D), nats.

Sources: Salimans et al. 2017, equation 2 (bins with open ends); Theis et al. 2016 (a density's
mean log over a bin is at most the log of the bin's mass).
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from vae.memo import shared

LEVELS = 256
# The least mass that differences in the tensor's own precision still tell from rounding.
_LEAST = {torch.float32: 1e-30, torch.float64: 1e-280}


def to_level(grey: Tensor, levels: int, dtype: torch.dtype) -> Tensor:
    """Bytes as level numbers 0 to ``levels`` - 1, in ``dtype``."""
    return grey.to(dtype).mul_((levels - 1) / (LEVELS - 1)).round_()


def _bin_edges(
    grey: Tensor, centre: Tensor, log_scale: Tensor | float, levels: int
) -> tuple[Tensor, Tensor]:
    """The bin's ends in units of the scale about ``centre``, mirrored into the upper tail.

    Where the tails agree, differences of survival functions lose nothing to cancellation there.
    """
    if isinstance(log_scale, Tensor):
        # In the output's own precision, or neighbouring bins would not share their edge.
        inverse: Tensor | float = torch.exp(-log_scale.to(centre.dtype))
    else:
        inverse = math.exp(-log_scale)
    level = to_level(grey, levels, centre.dtype)
    middle = (level / (levels - 1) - centre) * inverse
    half = inverse * (0.5 / (levels - 1))
    below = middle < 0
    first, last = level == 0, level == levels - 1
    distance = middle.abs_()
    near = (distance - half).masked_fill_(torch.where(below, last, first), -math.inf)
    far = (distance + half).masked_fill_(torch.where(below, first, last), math.inf)
    return near, far


def gaussian_log_mass(
    grey: Tensor, mean: Tensor, log_scale: Tensor | float, levels: int = LEVELS
) -> Tensor:
    """By differences of erfc; far out in the tails, where those vanish, by log_ndtr."""
    near, far = _bin_edges(grey, mean, log_scale, levels)
    mass = torch.erfc(near * math.sqrt(0.5)).sub_(torch.erfc(far * math.sqrt(0.5))).mul_(0.5)
    result = mass.log()
    rare = mass < _LEAST[mass.dtype]
    if rare.any():
        upper = torch.special.log_ndtr(-near[rare].double())
        lower = torch.special.log_ndtr(-far[rare].double())
        result[rare] = (upper + torch.log(-torch.expm1(lower - upper))).to(result.dtype)
    return result


def laplace_log_mass(
    grey: Tensor, mean: Tensor, log_scale: Tensor | float, levels: int = LEVELS
) -> Tensor:
    """exp(-near) (1 - exp(near - far)) / 2 on one side; 1 - both tails about the mean."""
    near, far = _bin_edges(grey, mean, log_scale, levels)
    outside = -math.log(2) - near + torch.log(-torch.expm1(near - far))
    around = torch.log1p(-0.5 * (torch.exp(near.clamp_max(0)) + torch.exp(-far)))
    return torch.where(near >= 0, outside, around)


def student_t_log_mass(
    grey: Tensor, mean: Tensor, log_scale: Tensor | float, levels: int = LEVELS
) -> Tensor:
    """Three degrees of freedom: F(u) = 1/2 + (arctan v + v / (1 + v^2)) / pi, v = u / sqrt 3.

    In double precision: the tail is a small difference of two such terms.
    """
    near, far = _bin_edges(grey, mean.double(), log_scale, levels)

    def tail(u: Tensor) -> Tensor:
        v = u / math.sqrt(3)
        ratio = torch.where(v.isinf(), 0.0, v / (1 + v.square()))
        return 0.5 - (torch.atan(v) + ratio) / math.pi

    return torch.log(tail(near) - tail(far)).to(mean.dtype)


def logistic_log_mass(
    level: Tensor, location: Tensor, log_scale: Tensor | float, levels: int = LEVELS
) -> Tensor:
    """sigmoid(upper) - sigmoid(lower) = sigmoid(upper) sigmoid(-lower) (1 - exp(lower - upper)).

    ``level`` are bytes, 0 to 255, of any type. Gradients reach ``location`` and ``log_scale``.
    """
    inverse = torch.exp(-torch.as_tensor(log_scale, dtype=location.dtype, device=location.device))
    width = inverse / (levels - 1)
    inside = torch.log(-torch.expm1(-width))
    number = to_level(level, levels, location.dtype)
    middle = (number / (levels - 1) - location) * inverse
    below_upper = -F.softplus(-(middle + 0.5 * width))
    above_lower = -F.softplus(middle - 0.5 * width)
    first, last = number == 0, number == levels - 1
    both = below_upper + above_lower + inside
    return torch.where(first, below_upper, torch.where(last, above_lower, both))


def continuous_bernoulli_log_mass(grey: Tensor, logits: Tensor, levels: int = LEVELS) -> Tensor:
    """F(x) = (exp(a x) - 1) / (exp(a) - 1) at the ends of the bin from k / levels."""
    level = to_level(grey, levels, logits.dtype)
    # By symmetry from the end that the logit points away from: no exponential overflows.
    level = torch.where(logits > 0, levels - 1 - level, level)
    slope = _negative(logits.abs())
    width = 1 / levels
    return slope * width * level + torch.log(torch.expm1(slope * width) / torch.expm1(slope))


def level_family_log_mass(grey: Tensor, natural: Tensor, levels: int = LEVELS) -> Tensor:
    """P(k) proportional to exp(a k / (levels - 1)): a Bernoulli's form on grey levels."""
    level = to_level(grey, levels, natural.dtype)
    level = torch.where(natural > 0, levels - 1 - level, level)
    slope = _negative(natural.abs()).div_(levels - 1)
    return slope * level - torch.log(torch.expm1(levels * slope) / torch.expm1(slope))


def _negative(size: Tensor) -> Tensor:
    """-size, kept off 0, where the formulas are 0 / 0 and their limits are reached long before."""
    return size.clamp_min(1e-20).neg_()


def level_family_natural(logits: Tensor, levels: int = LEVELS) -> Tensor:
    """The natural parameter whose mean over the levels is sigmoid(``logits``).

    Interpolated from exact values by cubics, within 1e-8 of the mean. A NaN stays one.
    """
    table = _natural_table(levels).to(logits.device, logits.dtype)
    place = logits.abs().clamp_max(_FARTHEST - _SPACING).div_(_SPACING)
    # As a row of the table a NaN would be any number: it goes through the share instead.
    knot = place.nan_to_num(nan=0.0).floor_()
    t = place.sub_(knot)
    value, slope, square, cube = table.index_select(0, knot.flatten().long()).unbind(-1)
    t = t.flatten()
    natural = value + t * (slope + t * (square + t * cube))
    return natural.reshape(logits.shape) * torch.sign(logits)


_FARTHEST = 40.0
_SPACING = 1 / 64


@shared(maxsize=4)
def _natural_table(levels: int) -> Tensor:
    """Cubic Hermite coefficients of the natural parameter against the mean's logit, from 0 up."""
    logits = torch.arange(0, _FARTHEST + _SPACING, _SPACING, dtype=torch.float64)
    wanted = torch.sigmoid(-logits)
    low = torch.full_like(logits, -_FARTHEST * levels)
    high = torch.zeros_like(logits)
    for _ in range(80):
        middle = (low + high) / 2
        above = _level_mean(middle, levels) > wanted
        low, high = torch.where(above, low, middle), torch.where(above, middle, high)
    natural = -(low + high) / 2
    natural[0] = 0.0
    # By the implicit function's rule, with the family's own variance.
    slope = wanted * (1 - wanted) / _level_variance(-natural, levels) * _SPACING
    rise = natural[1:] - natural[:-1]
    start, end = slope[:-1], slope[1:]
    return torch.stack(
        [natural[:-1], start, 3 * rise - 2 * start - end, start + end - 2 * rise], dim=-1
    )


def _level_mean(natural: Tensor, levels: int) -> Tensor:
    """Mean of k / (levels - 1), with q = exp(a / (levels - 1)): q/(1 - q) - L q^L/(1 - q^L)."""
    near = natural > -1e-3
    step = torch.where(near, -1.0, natural / (levels - 1))
    exact = (1 / torch.expm1(-step) - levels / torch.expm1(-levels * step)) / (levels - 1)
    flat = 0.5 + natural * (levels + 1) / (12 * (levels - 1))
    return torch.where(near, flat, exact)


def _level_variance(natural: Tensor, levels: int) -> Tensor:
    """Variance of k / (levels - 1): q/(1 - q)^2 - L^2 q^L/(1 - q^L)^2, by sinh."""
    near = natural > -1e-3
    half = torch.where(near, -1.0, natural / (levels - 1) / 2)
    exact = (torch.sinh(half) ** -2 - (levels / torch.sinh(levels * half)) ** 2) / 4
    return torch.where(near, (levels + 1) / (12 * (levels - 1)), exact / (levels - 1) ** 2)
