"""A softmax over 256 grey levels for each pixel, from a few numbers a pixel and one table.

The logits of a batch fill 100 MB and more: they are made some pixels at a time, in a function
with a gradient of its own that takes the exponentials once.
"""

import math
from typing import Any

import torch
from torch import Tensor

LEVELS = 256


def cosine_table(features: int) -> Tensor:
    """Rows cos(pi j (k + 1/2) / 256), j = 1 to ``features``: greys that are near look alike."""
    k = torch.arange(LEVELS, dtype=torch.float64) + 0.5
    j = torch.arange(1, features + 1, dtype=torch.float64)
    return torch.cos(math.pi / LEVELS * j[:, None] * k).float()


class SoftmaxLogMass(torch.autograd.Function):
    """log softmax(features @ table + bias)_k of pixels (n, f) at their levels k (n,): (n,).

    The gradient in the features is the table's column at k less its mean under the softmax, taken
    while the exponentials are at hand; they are kept for the table's own gradient alone.
    """

    # Two megabytes of logits at a time stay in a processor's cache.
    ROWS = 2048

    @staticmethod
    def forward(ctx: Any, features: Tensor, table: Tensor, bias: Tensor, levels: Tensor) -> Tensor:
        learns = any(ctx.needs_input_grad)
        results, slopes, kept = [], [], []
        parts = zip(
            features.split(SoftmaxLogMass.ROWS), levels.split(SoftmaxLogMass.ROWS), strict=True
        )
        for rows, own in parts:
            logits = torch.addmm(bias, rows, table)
            logits.sub_(logits.amax(-1, keepdim=True))
            chosen = logits.gather(1, own[:, None])
            weights = logits.exp_()
            total = weights.sum(-1, keepdim=True)
            results.append(chosen[:, 0] - total.log()[:, 0])
            if learns:
                # What is chosen less what is expected: the slope in the logits.
                weights.div_(-total).scatter_add_(1, own[:, None], torch.ones_like(chosen))
                slopes.append(weights @ table.T)
                kept.append(weights)
        if learns:
            ctx.save_for_backward(features, torch.cat(slopes), *kept)
        return torch.cat(results)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        (gradient,) = gradients
        features, slopes, *kept = ctx.saved_tensors
        table, bias = slopes.new_zeros(slopes.shape[1], LEVELS), slopes.new_zeros(LEVELS)
        parts = zip(
            (features * gradient[:, None]).split(SoftmaxLogMass.ROWS),
            gradient.split(SoftmaxLogMass.ROWS),
            kept,
            strict=True,
        )
        for rows, weights_of_rows, weights in parts:
            table.addmm_(rows.T, weights)
            bias.addmv_(weights.T, weights_of_rows)
        return slopes * gradient[:, None], table, bias, None
