"""The curve of reverse water-filling, held against an optimiser that knows nothing of water."""

import numpy as np
import pytest
from scipy import optimize

from vae.theory.rate_distortion import water_filling

SPECTRUM = np.array([2.0, 1.1, 0.6, 0.25, 0.1, 0.03])


@pytest.mark.parametrize("point", [5, 20, 35, 50])
def test_no_other_way_to_share_the_error_has_a_lower_rate(point):
    rates, errors = water_filling(SPECTRUM)
    allowed = errors[point] * len(SPECTRUM)
    found = optimize.minimize(
        lambda error: 0.5 * np.log(SPECTRUM / error).sum(),
        SPECTRUM * allowed / SPECTRUM.sum(),
        jac=lambda error: -0.5 / error,
        bounds=[(1e-6, value) for value in SPECTRUM],
        constraints={"type": "ineq", "fun": lambda error: allowed - error.sum()},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert rates[point] == pytest.approx(found.fun, abs=1e-5)


def test_it_starts_without_a_rate_and_falls():
    rates, errors = water_filling(SPECTRUM)
    assert rates[0] == 0
    assert errors[0] == pytest.approx(SPECTRUM.mean())
    assert (np.diff(rates) > 0).all()
    assert (np.diff(errors) < 0).all()


def test_few_latents_cannot_buy_what_lies_beyond_them():
    _, all_errors = water_filling(SPECTRUM)
    _, errors = water_filling(SPECTRUM, latents=2)
    assert errors[-1] > all_errors[-1]
    assert errors[-1] >= SPECTRUM[2:].sum() / len(SPECTRUM)


def test_pictures_that_never_change_have_no_curve():
    with pytest.raises(ValueError, match="at least one above 0"):
        water_filling(np.zeros(4))
