"""Checks of B7, B10 and B14: gradients at the logit, and a loss that is trained."""

import numpy as np

from vae.ledger.checks.evidence import Evidence
from vae.ledger.checks.numeric import slope
from vae.theory import bernoulli, early_stopping


def saturation() -> Evidence:
    wrong = -5.0
    bce = slope(lambda a: bernoulli.bce_with_logits(1.0, a), wrong)
    mse = slope(lambda a: bernoulli.squared_error(1.0, bernoulli.sigmoid(a)), wrong)
    # A free output on a grey target: nothing saturates.
    free = slope(lambda p: bernoulli.squared_error(0.8, p), 0.1)
    figure = (
        f"t = 1 at logit −5: gradient {abs(bce):.4f} (BCE), {abs(mse):.4f} (sigmoid + squared "
        f"error, σ = 0.707); "
        f"a free output on a grey target: {abs(free):.1f}"
    )
    stated = abs(mse - float(early_stopping.mse_gradient(1.0, wrong))) < 1e-8
    # Each further unit of wrongness shrinks the gradient e-fold, at any sigma.
    fades = [
        float(
            early_stopping.mse_gradient(1.0, -8.0, scale)
            / early_stopping.mse_gradient(1.0, -7.0, scale)
        )
        for scale in (early_stopping.CODE_SCALE, 0.1)
    ]
    fading = max(fades) < 0.4
    return Evidence(figure, stated and fading and abs(mse) < 0.05 * abs(bce) and abs(free) > 1)


def steps_until(
    confident: float, gradient_of: str, scale: float = early_stopping.CODE_SCALE
) -> int:
    """Steps of gradient descent at rate 1 from logit −5 until p exceeds ``confident``; t = 1."""
    logit, steps = -5.0, 0
    while 1 / (1 + np.exp(-logit)) < confident:
        bce = gradient_of == "bce"
        slope_here = (
            early_stopping.bce_gradient(1.0, logit)
            if bce
            else early_stopping.mse_gradient(1.0, logit, scale)
        )
        logit -= float(slope_here)
        steps += 1
    return steps


def descent_steps() -> Evidence:
    bce, wide = steps_until(0.9, "bce"), steps_until(0.9, "mse")
    narrow = steps_until(0.9, "mse", 0.3)
    adam = [early_stopping.adam_steps(loss, -5.0, 0.9) for loss in ("bce", "mse")]
    figure = (
        f"from logit −5 to p = 0.9 at rate 1: {bce} steps with BCE, {wide} with squared error at "
        f"σ = 0.707, {narrow} at σ = 0.3; under Adam at rate 0.1: {adam[0]} and {adam[1]}"
    )
    return Evidence(figure, wide > narrow > bce and wide > 5 * bce and adam[1] < adam[0])


def roughness(images: np.ndarray) -> np.ndarray:
    """How far neighbouring pixels of each row differ: all that the discriminator sees."""
    return np.square(np.diff(images, axis=1)).mean(axis=1)


def trainable_loss() -> Evidence:
    random = np.random.default_rng(1)
    sharp = (random.random((200, 32)) < 0.5).astype(float)
    blurred = (np.roll(sharp, 1, axis=1) + sharp + np.roll(sharp, -1, axis=1)) / 3

    # The discriminator is logistic, of one feature.
    edges = np.concatenate([roughness(sharp), roughness(blurred)])
    real = np.repeat([1.0, 0.0], 200)
    weight, offset, costs = 0.0, 0.0, []
    for _ in range(300):
        costs.append(np.logaddexp(0, -weight * edges[200:] - offset).mean())
        error = 1 / (1 + np.exp(-weight * edges - offset)) - real
        weight, offset = weight - 5 * (error * edges).mean(), offset - 5 * error.mean()
    figure = (
        f"−log D of the same blurred rows: {costs[0]:.2f} nats untrained, {costs[-1]:.2f} trained"
    )
    return Evidence(figure, costs[-1] > 2 * costs[0])
