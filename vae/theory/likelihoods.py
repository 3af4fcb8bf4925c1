"""The likelihoods in numpy, one entry each: what a picture fitted with one of them needs.

``t`` are targets and ``a`` logits, arrays that broadcast; a mean is the picture's grey in [0, 1].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from vae.theory import continuous_bernoulli as cb
from vae.theory.bernoulli import sigmoid

Gradient = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class PictureFit:
    """``gradient(t, a)``: the loss's slope in the logit; ``mean(a)``: what the output shows.

    ``far``: the best logits run into the hundreds, so the fit moves them on a sinh scale.
    """

    gradient: Gradient
    mean: Callable[[np.ndarray], np.ndarray] = sigmoid
    far: bool = False


def _bce(t: np.ndarray, a: np.ndarray) -> np.ndarray:
    return sigmoid(a) - t


def _mse(t: np.ndarray, a: np.ndarray) -> np.ndarray:
    p = sigmoid(a)
    return 2 * (p - t) * p * (1 - p)


def _continuous_bernoulli(t: np.ndarray, a: np.ndarray) -> np.ndarray:
    return cb.mean(a) - t


def _counter_biased(t: np.ndarray, a: np.ndarray) -> np.ndarray:
    p = sigmoid(a)
    return 4 * (p - t) * (p * (1 - p)) ** 2


PICTURE_FITS: Mapping[str, PictureFit] = MappingProxyType(
    {
        "bernoulli": PictureFit(_bce),
        "gaussian": PictureFit(_mse),
        "continuous-bernoulli": PictureFit(_continuous_bernoulli, cb.mean, far=True),
        "counter-biased": PictureFit(_counter_biased),
    }
)
