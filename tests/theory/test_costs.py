"""Costs, their beliefs and their best outputs, held against scipy and the statistics they are."""

import numpy as np
import pytest
from scipy import integrate, optimize, special, stats

from vae.theory import costs

GREYS = np.linspace(0, 1, 2001)
WEIGHTS = costs.target_weights(GREYS, 0.3, 0.85)
OUTPUTS = np.linspace(0.001, 0.999, 1997)
MEAN = float(GREYS @ WEIGHTS / WEIGHTS.sum())
MEDIAN = float(GREYS[np.searchsorted(WEIGHTS.cumsum(), WEIGHTS.sum() / 2)])
MODE = float(GREYS[WEIGHTS.argmax()])


def best(family, width):
    return float(OUTPUTS[costs.expected_cost(family, OUTPUTS, GREYS, WEIGHTS, width).argmin()])


@pytest.mark.parametrize(
    ("family", "density"),
    [
        ("gaussian", stats.norm.pdf),
        ("laplace", stats.laplace.pdf),
        ("student-t", stats.t(3).pdf),
        ("discretised-logistic", stats.logistic.pdf),
    ],
)
def test_a_cost_is_minus_the_logarithm_of_its_belief(family, density):
    x, width = np.linspace(-3, 3, 301), 0.4
    cost = costs.COSTS[family](x, np.array(0.1), width)
    peak = density(0.0)
    np.testing.assert_allclose(cost, -np.log(density((x - 0.1) / width) / peak), atol=1e-10)


def test_hubers_cost_is_scipys():
    x = np.linspace(-2, 2, 101)
    np.testing.assert_allclose(
        costs.COSTS["huber"](x, np.array(0.0), 0.3), special.huber(1, x / 0.3), atol=1e-12
    )


def test_the_belief_of_a_cross_entropy_is_no_density():
    def area(y):
        return integrate.quad(
            lambda x: float(np.exp(-costs.COSTS["bernoulli"](np.array(x), np.array(y), 1.0))), 0, 1
        )[0]

    assert area(0.5) == pytest.approx(0.5)
    assert abs(area(0.9) - area(0.5)) > 0.05


@pytest.mark.parametrize("family", ["gaussian", "bernoulli"])
def test_bregman_losses_want_the_mean(family):
    assert best(family, 0.1) == pytest.approx(MEAN, abs=1e-3)


def test_the_absolute_error_wants_the_median():
    assert best("laplace", 0.1) == pytest.approx(MEDIAN, abs=1e-3)
    assert abs(MEDIAN - MEAN) > 0.1


def test_robust_losses_want_the_mode_or_the_mean_as_they_are_narrow_or_wide():
    assert best("student-t", 0.02) == pytest.approx(MODE, abs=0.01)
    assert best("student-t", 20.0) == pytest.approx(MEAN, abs=0.01)
    for family in ("huber", "discretised-logistic"):
        assert MEDIAN - 0.01 < best(family, 0.1) < MEAN


def test_scipy_finds_the_same_outputs():
    for family in costs.COSTS:
        found = optimize.minimize_scalar(
            lambda y, name=family: float(costs.expected_cost(name, [y], GREYS, WEIGHTS, 0.1)[0]),
            bounds=(0.01, 0.6),
            method="bounded",
        )
        assert best(family, 0.1) == pytest.approx(found.x, abs=2e-3)


def test_an_unknown_family_is_named():
    with pytest.raises(ValueError, match="family: 'hinge' given; allowed is one of"):
        costs.expected_cost("hinge", [0.5], [0.5], [1.0], 0.1)
