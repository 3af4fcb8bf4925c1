"""Numbers that the pages' sentences tell and that take long: worked out once for all visitors.

A page's script runs again at every press; what it says does not change with it.
"""

from vae.memo import shared
from vae.theory import bernoulli, early_stopping, evidence, grey_masses, shared_outputs
from vae.theory import continuous_bernoulli as cb


@shared(maxsize=8)
def best_logit(t: float) -> float:
    """The logit of the continuous Bernoulli whose mean is ``t``."""
    return float(cb.best_logits(t))


@shared(maxsize=8)
def best_deviation(t: float) -> float:
    """Standard deviation of the continuous Bernoulli whose mean is ``t``."""
    return float(cb.standard_deviation(cb.best_logits(t)))


@shared(maxsize=8)
def gap_at_error(share: float) -> float:
    """How far from ½ BCE's excess at t = ½ is ``share`` above twice the squared error."""
    return bernoulli.half_gap_at_error(share)


@shared(maxsize=2)
def shared_line(loss: str) -> tuple[float, ...]:
    """The outputs of one sigmoid line through the nine greys of the example, under ``loss``."""
    line = shared_outputs.fit_line(shared_outputs.PLACES, shared_outputs.TARGETS, loss)
    return tuple(float(p) for p in line)


@shared(maxsize=8)
def decayed(t: float, decay: float, scale: float | None = None) -> float:
    """Where weight decay holds the output: BCE, or squared error of sigma ``scale``."""
    if scale is None:
        return float(early_stopping.bce_decayed(t, decay))
    return float(early_stopping.mse_decayed(t, decay, scale))


@shared(maxsize=8)
def escape_time(start: float, scale: float | None = None) -> float:
    """Gradient flow's time from the logit ``start`` to ½ for a target of 1, likewise."""
    if scale is None:
        return float(early_stopping.bce_escape_time(start, 0.0))
    return float(early_stopping.mse_escape_time(start, 0.0, scale))


@shared(maxsize=2)
def adam_steps(loss: str) -> int:
    """Steps of Adam from the logit −5 to p = 0.9 for a target of 1; ``loss``: 'bce' or 'mse'."""
    return early_stopping.adam_steps(loss, -5.0, 0.9)


@shared(maxsize=1)
def black_bound_gap() -> float:
    """Nats that the dequantisation bound of a black pixel gives away at its best logit."""
    return float(grey_masses.dequantisation_gap(cb.best_logits(1 / 512), 0))


@shared(maxsize=1)
def sigmoid_gap() -> float:
    """The gap that a Gaussian q leaves at best where one pixel's decoder is a sigmoid: nats at
    x = 0.8, sigma = 0.1."""
    return evidence.bent_gap(0.8, 0.1, lambda z: bernoulli.sigmoid(2 * z))
