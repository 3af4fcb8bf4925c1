"""The Overview's figure: what Vega computes is what quadrature and torch's distributions say."""

import numpy as np
import pytest
import torch
import vega
from scipy.integrate import quad
from scipy.optimize import brentq

from vae.charts import overview
from vae.charts.kit.theme import BERNOULLI, CONTINUOUS_BERNOULLI, GAUSSIAN
from vae.charts.vega import overview as expressions

MEANS = [
    1 / 512,
    0.01,
    0.02,
    0.1,
    0.3,
    0.45,
    0.4999,
    0.5,
    0.5001,
    0.55,
    0.8,
    0.95,
    0.98,
    0.99,
    511 / 512,
]
LOGITS = [-40.0, -4.0, -0.5, -0.051, -0.049, -1e-3, 0.0, 1e-6, 0.019, 0.021, 0.3, 3.0, 60.0]


def cumulant(a: float) -> float:
    """log of the integral of exp(a x) over [0, 1]."""
    shift = max(a, 0.0)
    area, _ = quad(lambda x: np.exp(a * x - shift), 0, 1, epsabs=1e-14, epsrel=1e-13)
    return float(shift + np.log(area))


def mean(a: float) -> float:
    """Mean of the density exp(a x - A(a)) on [0, 1]."""
    top = max(a, 0.0)
    weight = lambda x: np.exp(a * x - top)  # noqa: E731
    area, _ = quad(weight, 0, 1, epsabs=1e-14, epsrel=1e-13)
    first, _ = quad(lambda x: x * weight(x), 0, 1, epsabs=1e-14, epsrel=1e-13)
    return float(first / area)


def test_the_cumulant_and_the_mean_are_those_of_quadrature() -> None:
    rows = [{"a": a} for a in LOGITS]
    found = vega.evaluate(expressions.cb_cumulant("datum.a"), rows)
    assert np.allclose(found, [cumulant(a) for a in LOGITS], atol=1e-9, rtol=0)
    found = vega.evaluate(expressions.cb_mean("datum.a"), rows)
    assert np.allclose(found, [mean(a) for a in LOGITS], atol=1e-9, rtol=0)


def test_the_slope_of_the_mean_is_its_difference_quotient() -> None:
    logits = [a for a in LOGITS if abs(a) < 10]
    found = vega.evaluate(expressions.cb_mean_slope("datum.a"), [{"a": a} for a in logits])
    step = 1e-3
    wanted = [(mean(a + step) - mean(a - step)) / (2 * step) for a in logits]
    assert np.allclose(found, wanted, atol=1e-6)


def test_newtons_steps_find_the_logit_of_a_mean() -> None:
    found = vega.calculate(
        expressions.cb_logit_steps("datum.p", "a"), [{"p": p} for p in MEANS], field="a"
    )
    wanted = [brentq(lambda a, p=p: mean(a) - p, -600, 600, xtol=1e-12) for p in MEANS]
    assert np.allclose(found, wanted, atol=1e-7, rtol=1e-9)


@pytest.mark.parametrize(("t", "sigma"), [(0.8, 0.3), (0.3, 1.0), (0.5, 0.1)])
def test_the_curves_are_the_losses_of_torch_above_their_least(t: float, sigma: float) -> None:
    rows = vega.rows_of(overview.build_loss_chart(t=t, p=0.6, sigma=sigma), ["u", "loss", "cost"])
    target = torch.tensor(t, dtype=torch.float64)
    for row in rows:
        u = torch.tensor(row["u"], dtype=torch.float64)
        if row["loss"] == GAUSSIAN.label:
            wanted = _nll(torch.distributions.Normal(u, sigma), target) - _nll(
                torch.distributions.Normal(target, sigma), target
            )
        elif row["loss"] == BERNOULLI.label:
            bce = torch.nn.functional.binary_cross_entropy
            wanted = bce(u, target) - bce(target, target)
        else:
            continue
        assert row["cost"] == pytest.approx(float(wanted), abs=1e-9)
    assert {row["loss"] for row in rows} == {style.label for style in overview.LOSSES}


def _nll(distribution: torch.distributions.Normal, target: torch.Tensor) -> torch.Tensor:
    return -distribution.log_prob(target)


def test_the_continuous_bernoulli_curve_is_that_of_quadrature() -> None:
    t = 0.8
    rows = vega.rows_of(overview.build_loss_chart(t=t, p=0.6, sigma=0.3), ["u", "loss", "cost"])
    grey = (255 * t + 0.5) / 256
    at_best = brentq(lambda a: mean(a) - grey, -150, 150, xtol=1e-13)
    for row in rows[::15]:
        if row["loss"] != CONTINUOUS_BERNOULLI.label or not 0.02 < row["u"] < 0.98:
            continue
        a = brentq(lambda a, u=row["u"]: mean(a) - u, -150, 150, xtol=1e-13)
        wanted = (cumulant(a) - grey * a) - (cumulant(at_best) - grey * at_best)
        assert row["cost"] == pytest.approx(wanted, abs=1e-8)


def test_all_three_losses_are_least_at_the_target() -> None:
    rows = vega.rows_of(overview.build_loss_chart(t=0.7, p=0.6, sigma=0.3), ["u", "loss", "cost"])
    for style in overview.LOSSES:
        best = min((row for row in rows if row["loss"] == style.label), key=lambda r: r["cost"])
        assert best["u"] == pytest.approx(0.7, abs=1e-9)
        # The continuous Bernoulli is given the dequantised target, a five-hundredth away.
        assert best["cost"] == pytest.approx(0.0, abs=2e-5)


@pytest.mark.parametrize(
    "build",
    [overview.build_belief_chart, overview.build_loss_chart, overview.build_cost_chart],
)
def test_each_panel_follows_every_dial_and_says_what_it_shows(build) -> None:
    chart = build(t=0.3, p=0.9, sigma=1.0)
    params = vega.parameters_of(chart)
    assert params["t"] == 0.3
    assert params["p"] == 0.9
    assert params["log10_sigma"] == pytest.approx(0.0)
    assert len(chart.to_dict()["description"]) > 60


def heights(**dials: float) -> dict[str, list[tuple[float, float]]]:
    """The belief chart's points: loss to (grey, height)."""
    rows = vega.rows_of(overview.build_belief_chart(**dials), ["x", "height", "loss"])
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        found.setdefault(str(row["loss"]), []).append((row["x"], row["height"]))
    return found


@pytest.mark.parametrize(("t", "p", "sigma"), [(0.8, 0.6, 0.3), (0.3, 0.9, 0.05)])
def test_beliefs_are_densities_and_bars_are_probabilities(t: float, p: float, sigma: float) -> None:
    found = heights(t=t, p=p, sigma=sigma)
    normal = torch.distributions.Normal(torch.tensor(p), torch.tensor(sigma))
    for x, height in found[GAUSSIAN.label]:
        assert height == pytest.approx(float(normal.log_prob(torch.tensor(x)).exp()), abs=1e-4)
    assert sorted(set(found[BERNOULLI.label])) == [
        (0.0, pytest.approx(1 - p)),
        (1.0, pytest.approx(p)),
    ]
    curve = sorted(set(found[CONTINUOUS_BERNOULLI.label]))
    assert np.trapezoid([h for _, h in curve], [x for x, _ in curve]) == pytest.approx(1, abs=5e-3)


def costs(**dials: float) -> dict[str, tuple[float, float, float]]:
    """Loss to (cost, -log p, its least), as the third panel writes them."""
    chart = overview.build_cost_chart(**dials)
    return {
        str(row["loss"]): (row["cost"], row["cost"] + row["least"], row["least"])
        for row in vega.rows_of(chart, ["loss", "cost", "least"])
    }


@pytest.mark.parametrize(("t", "p"), [(0.8, 0.6), (0.3, 0.3), (0.0, 0.2), (1.0, 0.7)])
def test_the_loss_is_minus_the_logarithm_of_the_belief_that_is_drawn(t: float, p: float) -> None:
    """What the page says of the picture: for BCE on a grey, the mean over the two bars."""
    drawn, told = heights(t=t, p=p, sigma=0.3), costs(t=t, p=p, sigma=0.3)
    bell = next(h for x, h in reversed(drawn[GAUSSIAN.label]) if x == pytest.approx(t, abs=1e-9))
    assert told[GAUSSIAN.label][1] == pytest.approx(-np.log(bell), abs=1e-9)
    bars = dict(drawn[BERNOULLI.label])
    mean_cost = -t * np.log(bars[1.0]) - (1 - t) * np.log(bars[0.0])
    assert told[BERNOULLI.label][1] == pytest.approx(mean_cost, abs=1e-9)
    grey = (255 * t + 0.5) / 256
    ramp = next(
        h for x, h in drawn[CONTINUOUS_BERNOULLI.label] if x == pytest.approx(grey, abs=1e-12)
    )
    assert told[CONTINUOUS_BERNOULLI.label][1] == pytest.approx(-np.log(ramp), abs=1e-8)
    for cost, _, _ in told.values():
        assert cost >= -1e-9


def test_at_black_and_white_bce_is_its_own_bar() -> None:
    for t, p, bar in ((1.0, 0.7, 0.7), (0.0, 0.2, 0.8)):
        cost, whole, least = costs(t=t, p=p, sigma=0.3)[BERNOULLI.label]
        assert least == pytest.approx(0, abs=1e-12)
        assert cost == whole == pytest.approx(-np.log(bar))
