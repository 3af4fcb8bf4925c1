"""Optima under noise against quadrature and a bounded optimiser."""

import numpy as np
import pytest
from scipy import integrate, optimize

from vae.theory import bernoulli as b
from vae.theory import counter_biased, pull


def best_under_noise(cost, t, scale):
    a = np.sqrt(3) * scale

    def expected(p):
        return integrate.quad(lambda e: cost(t, p + e), -a, a, epsabs=1e-12)[0]

    found = optimize.minimize_scalar(
        expected, bounds=(a, 1 - a), method="bounded", options={"xatol": 1e-9}
    )
    return found.x


@pytest.mark.parametrize("t", [0.2, 0.55, 0.8])
@pytest.mark.parametrize("scale", [0.03, 0.1])
def test_each_optimum_is_that_of_the_integral(t, scale):
    assert pull.bce_optimum(t, scale) == pytest.approx(best_under_noise(b.bce, t, scale), abs=2e-6)
    one = best_under_noise(counter_biased.loss_one, t, scale)
    assert pull.loss_one_optimum(t, scale) == pytest.approx(one, abs=2e-6)
    mse = best_under_noise(b.squared_error, t, scale)
    assert pull.mse_optimum(t, scale) == pytest.approx(mse, abs=2e-6)


@pytest.mark.parametrize("scale", [1e-5, 0.03, 0.1])
def test_expected_costs_are_the_integrals(scale):
    a = np.sqrt(3) * scale
    for ours, cost in (
        (pull.noisy_bce, b.bce),
        (pull.noisy_squared_error, b.squared_error),
        (pull.noisy_loss_one, counter_biased.loss_one),
    ):
        want = integrate.quad(lambda e, c=cost: c(0.8, 0.7 + e), -a, a, epsabs=1e-14)[0] / (2 * a)
        assert ours(0.8, 0.7, scale) == pytest.approx(want, rel=1e-9)


def test_the_figures_that_the_page_states():
    assert pull.bce_optimum(0.8, 0.05) - 0.8 == pytest.approx(-0.0094, abs=5e-5)
    assert pull.bce_optimum(0.8, 0.1) - 0.8 == pytest.approx(-0.0378, abs=5e-5)
    assert pull.linear_shift(0.8, 0.1) == pytest.approx(-0.0375, abs=1e-12)
    assert pull.linear_shift(0.8, 0.1, g=1.0) == pytest.approx(0.0375, abs=1e-12)
    assert pull.edge_scale(0.8) == pytest.approx(0.1155, abs=5e-5)


@pytest.mark.parametrize("g", [-1.0, -0.4, 0.6, 1.0])
def test_the_linear_rule_is_the_first_order_for_any_g(g):
    scale = 0.01
    a = np.sqrt(3) * scale

    def slope(p):
        return integrate.quad(lambda e: counter_biased.slope(0.7, p + e, g), -a, a, epsabs=1e-14)[0]

    shift = optimize.brentq(slope, 0.6, 0.8, xtol=1e-13) - 0.7
    assert shift == pytest.approx(float(pull.linear_shift(0.7, scale, g)), rel=0.01)


def test_the_exact_curve_passes_through_the_optima():
    for t in (0.3, 0.8):
        scale, p = pull.bce_curve(t, np.linspace(0.05, 0.6, 12))
        np.testing.assert_allclose(pull.bce_optimum(t, scale), p, atol=1e-12)


def test_past_the_edge_the_domain_decides():
    assert pull.mse_optimum(0.8, 0.2) == pytest.approx(1 - 0.2 * np.sqrt(3))
    assert pull.bce_optimum(0.8, pull.LARGEST_SCALE) == pytest.approx(0.5)
    with pytest.raises(ValueError, match=r"scale: 0\.3 given"):
        pull.bce_optimum(0.8, 0.3)


def test_clipping_moves_mse_too():
    def expected(p):
        def weighted(e):
            return (np.clip(p + e, 0, 1) - 0.8) ** 2 * np.exp(-(e**2) / 0.02)

        return integrate.quad(weighted, -0.8, 0.8, epsabs=1e-13, points=[1 - p])[0]

    found = optimize.minimize_scalar(expected, bounds=(0.7, 0.9), options={"xatol": 1e-8})
    assert pull.clipped_mse_optimum(0.8, 0.1) == pytest.approx(found.x, abs=1e-4)
    assert pull.clipped_mse_optimum(0.8, 0.1) == pytest.approx(0.806, abs=5e-4)


@pytest.mark.parametrize("tau", [0.3, 1.0, 2.0])
def test_logit_noise_by_quadrature(tau):
    found = pull.logit_noise_optimum(0.8, tau)

    def mean(f):
        density = lambda e: np.exp(-(e**2) / 2) / np.sqrt(2 * np.pi)  # noqa: E731
        return integrate.quad(lambda e: f(e) * density(e), -10, 10, epsabs=1e-13, limit=200)[0]

    costs = {
        "bce": lambda a: mean(lambda e: b.bce_with_logits(0.8, a + tau * e)),
        "mse": lambda a: mean(lambda e: (b.sigmoid(a + tau * e) - 0.8) ** 2),
    }
    for name, cost in costs.items():
        best = optimize.minimize_scalar(cost, bounds=(0, 9), options={"xatol": 1e-8}).x
        a, output = found[name]
        assert a == pytest.approx(best, abs=3e-5)
        assert output == pytest.approx(mean(lambda e, a=a: b.sigmoid(a + tau * e)), abs=1e-9)
    assert found["bce"][1] == pytest.approx(0.8, abs=1e-9)
    if tau == 1.0:
        assert found["mse"][1] == pytest.approx(0.866, abs=5e-4)
        assert float(b.sigmoid(found["bce"][0])) == pytest.approx(0.839, abs=5e-4)
