"""One pixel's evidence and bound as Vega expressions: what ``vae.theory.evidence`` states.

They read the dials ``x`` (the pixel), ``sigma`` (the decoder's scale), ``q_mean`` and ``q_scale``
(q(z) = N(q_mean, q_scale^2)). Nats of one pixel.
"""

from vae.charts.vega import gaussian
from vae.theory.evidence import CENTRE, SLOPE

MISS = f"(x - {CENTRE!r})"
PRECISION = f"(1 + pow({SLOPE!r} / sigma, 2))"
POSTERIOR_MEAN = f"({SLOPE!r} * {MISS} / pow(sigma, 2) / {PRECISION})"
POSTERIOR_SCALE = f"(1 / sqrt({PRECISION}))"
LOG_EVIDENCE = gaussian.log_prob("x", repr(CENTRE), f"sqrt({SLOPE**2!r} + pow(sigma, 2))")
EXPECTED = (
    f"({gaussian.log_prob('0', '0', 'sigma')} - 0.5 * (pow({MISS} - {SLOPE!r} * q_mean, 2)"
    f" + pow({SLOPE!r} * q_scale, 2)) / pow(sigma, 2))"
)


def likelihood_to_peak(z: str) -> str:
    """p(x|z) over its highest value."""
    return gaussian.density_to_peak("x", f"{CENTRE!r} + {SLOPE!r} * ({z})", "sigma")


def kl(mean: str = "0", scale: str = "1") -> str:
    """KL(q || N(mean, scale^2)): to the prior without arguments."""
    ratio = f"(q_scale / ({scale}))"
    distance = f"((q_mean - ({mean})) / ({scale}))"
    return f"(0.5 * (pow({ratio}, 2) + pow({distance}, 2) - 1) - log({ratio}))"


KL = kl()
GAP = kl(POSTERIOR_MEAN, POSTERIOR_SCALE)
ELBO = f"({EXPECTED} - {KL})"
