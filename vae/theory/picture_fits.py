"""Pictures fitted pixel by pixel: a small optimisation that shows what a loss does to greys.

Every pixel has a free output that is trained to its own grey while noise is added, to the output
or to its logit. Pixels of one grey share their noise and so their path: each of the at most 256
greys is trained once. Greys are in [0, 1].
"""

from dataclasses import dataclass

import numpy as np

from vae.theory.bernoulli import logit, sigmoid
from vae.theory.early_stopping import CODE_SCALE
from vae.theory.likelihoods import PICTURE_FITS
from vae.theory.numpy_optimisers import trajectory

STEPS = 240
DRAWS = 48
RATE = 0.1
LOGIT_GRADIENTS = {name: fit.gradient for name, fit in PICTURE_FITS.items()}


@dataclass(frozen=True)
class Fit:
    """``images`` in [0, 1]: the mean picture, noise averaged out. ``contrast``: the standard
    deviation of its greys over that of the targets', and ``error`` its mean squared error."""

    images: np.ndarray
    contrast: float
    error: float


def fit(images: np.ndarray, loss: str, noise_on: str, amount: float, seed: int = 1) -> Fit:
    """Train one output a pixel of ``images`` (n, h, w) uint8 with Adam on fresh noise.

    ``loss``: a key of ``LOGIT_GRADIENTS``; ``noise_on``: 'output' (uniform, standard deviation
    ``amount``, 0 to 0.25; outputs keep the noise inside [0, 1]) or 'logit' (normal, 0 to 2).
    """
    largest = {"output": 0.25, "logit": 2.0}.get(noise_on)
    if largest is None:
        raise ValueError(f"noise_on: {noise_on!r} given; allowed is 'output' or 'logit'")
    if loss not in LOGIT_GRADIENTS:
        raise ValueError(f"loss: {loss!r} given; allowed is one of {', '.join(LOGIT_GRADIENTS)}")
    if not 0 <= amount <= largest:
        raise ValueError(f"amount: {amount!r} given; allowed is 0 to {largest:g}")
    levels, place = np.unique(images, return_inverse=True)
    greys = fit_greys(levels / 255.0, loss, noise_on, amount, seed)
    fitted = greys[place].reshape(images.shape)
    target = images / 255.0
    return Fit(fitted, float(fitted.std() / target.std()), float(np.mean((fitted - target) ** 2)))


def fit_greys(t: np.ndarray, loss: str, noise_on: str, amount: float, seed: int = 1) -> np.ndarray:
    """The mean output for each target grey ``t`` (k,) after training; see ``fit``."""
    # Without noise both kinds are one, and the logit has no ends to keep away from.
    noise_on = noise_on if amount else "logit"
    random = np.random.default_rng(seed)
    half = np.sqrt(3.0) * amount if noise_on == "output" else 0.0
    free = np.zeros_like(t)
    first, second, kept = np.zeros_like(t), np.zeros_like(t), np.zeros_like(t)
    averaged = STEPS // 4
    for step in range(1, STEPS + 1):
        slope, logits = _slope_and_logits(t, free, loss, noise_on, amount, half, random)
        first = 0.9 * first + 0.1 * slope
        second = 0.95 * second + 0.05 * slope**2
        scaled = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.95**step)) + 1e-9)
        rate = 3 * RATE if step <= STEPS // 2 else 3 * RATE * 2 * (1 - step / STEPS)
        free = free - rate * scaled
        if step > STEPS - averaged:
            kept += PICTURE_FITS[loss].mean(logits).mean(axis=1) / averaged
    return kept


def _slope_and_logits(
    t: np.ndarray,
    free: np.ndarray,
    loss: str,
    noise_on: str,
    amount: float,
    half: float,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The loss's mean slope in the free numbers over fresh noise, and the noisy logits."""
    strata = (np.arange(DRAWS) + random.random(DRAWS)) / DRAWS
    gradient = LOGIT_GRADIENTS[loss]
    if noise_on == "output":
        p = half + (1 - 2 * half) * sigmoid(free)
        noisy = np.clip(p[:, None] + half * (2 * strata - 1), 1e-9, 1 - 1e-9)
        a = logit(noisy)
        tangent = (1 - 2 * half) * sigmoid(free) * (1 - sigmoid(free))
        slope = np.mean(gradient(t[:, None], a) / (noisy * (1 - noisy)), axis=1) * tangent
    else:
        # Normal noise by Box and Muller's rule, stratified in the angle.
        radius = np.sqrt(-2 * np.log1p(-random.random(DRAWS)))
        far = PICTURE_FITS[loss].far
        centre, tangent = (np.sinh(free), np.cosh(free)) if far else (free, 1.0)
        a = centre[:, None] + amount * radius * np.cos(2 * np.pi * strata)
        slope = np.mean(gradient(t[:, None], a), axis=1) * tangent
    return slope, a


def descend_from_negative(
    images: np.ndarray,
    loss: str,
    *,
    start: float,
    steps: int,
    scale: float = CODE_SCALE,
    optimiser: str = "sgd",
    rate: float = 1.0,
) -> np.ndarray:
    """Outputs after ``steps`` to binary ``images`` (0 or 255), from their negative.

    Pixels begin at the logit ``start`` on the wrong side: at -start where the target is 1.
    ``scale`` is that of the Gaussian, ``optimiser`` a key of ``numpy_optimisers.RULES``. Returns
    images in [0, 1] of the same shape.
    """
    if loss not in LOGIT_GRADIENTS:
        raise ValueError(f"loss: {loss!r} given; allowed is one of {', '.join(LOGIT_GRADIENTS)}")
    t = np.array([0.0, 1.0])
    weight = (CODE_SCALE / scale) ** 2 if loss == "gaussian" else 1.0
    path = trajectory(
        lambda at: weight * LOGIT_GRADIENTS[loss](t, at),
        np.array([start, -start]),
        optimiser=optimiser,
        learning_rate=rate,
        steps=steps,
    )
    a = path[-1]
    return np.where(images > 127, sigmoid(a)[1], sigmoid(a)[0])
