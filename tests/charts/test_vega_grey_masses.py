"""Masses of grey levels as browsers compute them, held against numpy's."""

import numpy as np
import pytest
from vega import evaluate

from vae.charts.vega import grey_masses as vega
from vae.theory import grey_masses as theory

FORMULAS = {
    "gaussian": theory.gaussian_masses,
    "laplace": theory.laplace_masses,
    "student-t": theory.student_t_masses,
    "discretised-logistic": theory.logistic_masses,
}
LEVELS = [{"k": k} for k in range(256)]


@pytest.mark.parametrize("name", vega.BELL_MASSES)
@pytest.mark.parametrize(("mean", "scale"), [(0.0, 0.05), (0.3, 0.3), (0.95, 0.01), (0.5, 2.0)])
def test_bells(name, mean, scale):
    expression = vega.BELL_MASSES[name]("datum.k", "m", "s")
    got = np.array(evaluate(expression, LEVELS, {"m": mean, "s": scale}))
    np.testing.assert_allclose(got, FORMULAS[name](mean, scale), atol=1e-12)
    assert got.sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("natural", [-300.0, -2.0, 0.0, 1e-6, 5.0, 800.0])
def test_the_bernoullis_form_on_levels(natural):
    for expression, formula in (
        (vega.level_family_mass, theory.level_family_masses),
        (vega.continuous_bernoulli_mass, theory.continuous_bernoulli_masses),
    ):
        got = np.array(evaluate(expression("datum.k", "a"), LEVELS, {"a": natural}))
        np.testing.assert_allclose(got, formula(natural), atol=1e-13)
        assert got.sum() == pytest.approx(1, abs=1e-12)
