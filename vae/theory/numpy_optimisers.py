"""SGD, momentum and Adam in numpy, for trajectories that figures compare.

The update rules are those of torch.optim, default settings, without weight decay.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Gradient = Callable[[Floats], Floats]
Update = Callable[[Floats], Floats]

MOMENTUM = 0.9
ADAM_BETAS = (0.9, 0.999)


def trajectory(
    gradient: Gradient,
    start: Floats,
    *,
    optimiser: str,
    learning_rate: float,
    steps: int,
    epsilon: float = 1e-8,
) -> Floats:
    """Parameters before and after each step, shape (steps + 1, parameters).

    ``epsilon`` is Adam's, in the place torch has it: outside the root. Raises ``ValueError`` for
    an unknown optimiser, a learning rate that is not positive or a negative number of steps.
    """
    if optimiser not in RULES:
        raise ValueError(f"optimiser: {optimiser!r} given; allowed is one of {list(RULES)}")
    if not learning_rate > 0:
        raise ValueError(f"learning_rate: {learning_rate!r} given; a positive number is needed")
    if steps < 0:
        raise ValueError(f"steps: {steps!r} given; 0 or more is needed")
    size = len(start)
    update = _adam(size, epsilon) if optimiser == "adam" else RULES[optimiser](size)
    path = np.empty((steps + 1, len(start)))
    path[0] = start
    for step in range(steps):
        path[step + 1] = path[step] - learning_rate * update(gradient(path[step]))
    return path


def _sgd(_size: int) -> Update:
    return lambda gradient: gradient


def _momentum(size: int) -> Update:
    velocity = np.zeros(size)

    def update(gradient: Floats) -> Floats:
        velocity[:] = MOMENTUM * velocity + gradient
        return velocity.copy()

    return update


def _adam(size: int, epsilon: float = 1e-8) -> Update:
    first, second = np.zeros(size), np.zeros(size)
    count = 0

    def update(gradient: Floats) -> Floats:
        nonlocal count
        count += 1
        slow, slower = ADAM_BETAS
        first[:] = slow * first + (1 - slow) * gradient
        second[:] = slower * second + (1 - slower) * gradient**2
        root = np.sqrt(second / (1 - slower**count))
        return first / (1 - slow**count) / (root + epsilon)

    return update


RULES: Mapping[str, Callable[[int], Update]] = {"sgd": _sgd, "momentum": _momentum, "adam": _adam}


def path_difference(path: Floats, other: Floats) -> float:
    """How far two trajectories part: the largest distance at equal steps, as a share of the way.

    The way is the largest distance of ``path`` from its start. 0 where they coincide.
    """
    apart = np.linalg.norm(path - other, axis=1).max()
    way = np.linalg.norm(path - path[0], axis=1).max()
    return float(apart / way)
