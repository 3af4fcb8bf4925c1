"""log p(x) over one latent: the area, the posterior and the bound's gap, by quadrature."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from vae.theory import evidence
from vae.theory.evidence import OnePixel

CASES = [(0.8, 0.3), (0.1, 0.05), (0.5, 2.0)]


def joint(pixel: OnePixel, z: float) -> float:
    mean = pixel.centre + pixel.slope * z
    return stats.norm.pdf(z) * stats.norm.pdf(pixel.x, mean, pixel.scale)


@pytest.mark.parametrize(("x", "scale"), CASES)
def test_the_evidence_is_the_area_under_prior_times_likelihood(x, scale):
    pixel = OnePixel(x, scale)
    area, _ = integrate.quad(lambda z: joint(pixel, z), -9, 9, limit=200, epsabs=1e-13)
    assert pixel.log_evidence == pytest.approx(math.log(area), abs=1e-9)
    mean, spread = pixel.posterior
    for z in (-1.0, mean, mean + spread):
        assert stats.norm.pdf(z, mean, spread) == pytest.approx(joint(pixel, z) / area, rel=1e-8)


@pytest.mark.parametrize(("x", "scale"), CASES)
@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (0.7, 0.4), (-1.5, 0.9)])
def test_bound_and_gap_are_their_integrals_and_add_up(x, scale, mean, spread):
    pixel = OnePixel(x, scale)
    q = stats.norm(mean, spread)

    def expect(value):
        return q.expect(value, lb=mean - 10 * spread, ub=mean + 10 * spread)

    likelihood = expect(lambda z: float(pixel.log_likelihood(z)))
    assert pixel.expected_log_likelihood(mean, spread) == pytest.approx(likelihood, rel=1e-7)
    to_prior = expect(lambda z: q.logpdf(z) - stats.norm.logpdf(z))
    assert evidence.kl(mean, spread) == pytest.approx(to_prior, abs=1e-8)
    posterior = stats.norm(*pixel.posterior)
    gap = expect(lambda z: q.logpdf(z) - posterior.logpdf(z))
    assert pixel.gap(mean, spread) == pytest.approx(gap, rel=1e-7)
    assert pixel.elbo(mean, spread) == pytest.approx(likelihood - to_prior, rel=1e-7)
    assert pixel.elbo(mean, spread) + pixel.gap(mean, spread) == pytest.approx(
        pixel.log_evidence, abs=1e-9
    )
    assert pixel.gap(mean, spread) > 0


@pytest.mark.parametrize(("x", "scale"), CASES)
def test_only_the_posterior_closes_the_gap(x, scale):
    pixel = OnePixel(x, scale)
    assert pixel.gap(*pixel.posterior) == pytest.approx(0, abs=1e-12)
    found = optimize.minimize(lambda at: -pixel.elbo(at[0], math.exp(at[1])), [0.0, 0.0], tol=1e-12)
    mean, spread = pixel.posterior
    assert found.x[0] == pytest.approx(mean, abs=1e-4)
    assert math.exp(found.x[1]) == pytest.approx(spread, rel=1e-4)


def test_where_the_decoder_bends_no_gaussian_closes_the_gap():
    assert evidence.bent_gap(0.8, 0.1, lambda z: 0.5 + 0.25 * z) == pytest.approx(0, abs=1e-9)
    bent = evidence.bent_gap(0.8, 0.1, lambda z: 1 / (1 + np.exp(-2 * z)))
    # The same search by scipy, from the posterior's moments by its own quadrature.
    z = np.linspace(-8, 8, 8001)
    log_joint = stats.norm.logpdf(z) + stats.norm.logpdf(0.8, 1 / (1 + np.exp(-2 * z)), 0.1)
    log_evidence = math.log(np.trapezoid(np.exp(log_joint), z))

    def gap(at):
        log_q = stats.norm.logpdf(z, at[0], math.exp(at[1]))
        return np.trapezoid(np.exp(log_q) * (log_q - log_joint), z) + log_evidence

    found = optimize.minimize(gap, [0.7, -1.5], method="Nelder-Mead", options={"fatol": 1e-10})
    assert bent == pytest.approx(found.fun, abs=1e-6)
    assert bent > 0.01


def test_a_scale_of_zero_is_refused():
    with pytest.raises(ValueError, match="scale: 0 given"):
        OnePixel(0.5, 0)
