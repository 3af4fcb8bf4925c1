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
        f"t = 1 at logit −5: gradient {abs(bce):.4f} (BCE), {abs(mse):.4f} (sigmoid + MSE); "
        f"a free output on a grey target: {abs(free):.1f}"
    )
    stated = abs(mse - float(early_stopping.mse_gradient(1.0, wrong))) < 1e-8
    return Evidence(figure, stated and abs(mse) < 0.05 * abs(bce) and abs(free) > 1)


def steps_until(confident: float, gradient_of: str) -> int:
    """Steps of gradient descent at rate 1 from logit −5 until p exceeds ``confident``; t = 1."""
    logit, steps = -5.0, 0
    while (p := 1 / (1 + np.exp(-logit))) < confident:
        logit -= (p - 1) if gradient_of == "bce" else 2 * (p - 1) * p * (1 - p)
        steps += 1
    return steps


def descent_steps() -> Evidence:
    bce, mse = steps_until(0.9, "bce"), steps_until(0.9, "mse")
    p = np.linspace(0, 1, 30_001)
    largest = (2 * (1 - p) * p * (1 - p)).max()
    figure = (
        f"from logit −5 to p = 0.9 at rate 1: {bce} steps with BCE, {mse} with sigmoid + MSE, "
        f"whose gradient is at most {largest:.4f}"
    )
    return Evidence(figure, mse > 5 * bce and abs(largest - 8 / 27) < 1e-6)


def trainable_loss() -> Evidence:
    random = np.random.default_rng(1)
    sharp = (random.random((200, 32)) < 0.5).astype(float)
    blurred = (np.roll(sharp, 1, axis=1) + sharp + np.roll(sharp, -1, axis=1)) / 3

    # The discriminator sees one feature, how far neighbouring pixels differ, and is logistic.
    def feature(images: np.ndarray) -> np.ndarray:
        return np.square(np.diff(images, axis=1)).mean(axis=1)

    edges = np.concatenate([feature(sharp), feature(blurred)])
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
