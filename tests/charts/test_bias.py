"""The Bias page's figures: what they draw, in Vega, against numpy and scipy."""

import numpy as np
import pytest
from scipy import integrate, optimize
from vega import VegaError, evaluate, parameters_of, rows_of

from vae.charts.bias import (
    asymmetry,
    descent,
    expected,
    normaliser,
    opposite,
    pictures,
    pull_curves,
)
from vae.charts.kit import calibration
from vae.charts.kit.theme import BERNOULLI, CONTINUOUS_BERNOULLI, GAUSSIAN
from vae.shipped.cards import MATCHED_SEEDS, matched
from vae.theory import bernoulli as b
from vae.theory import continuous_bernoulli as cb
from vae.theory import counter_biased, pull
from vae.theory import early_stopping as descent_theory
from vae.web.bias import exchange_runs, interpolate, seeds_table, trained_curves
from vae.wire.events import CalibrationBin

BINS = (CalibrationBin(0.2, 0.3, 10), CalibrationBin(0.5, 0.5, 0), CalibrationBin(0.8, 0.7, 20))
CURVES = (
    (BERNOULLI, BINS),
    (GAUSSIAN, (CalibrationBin(0.2, 0.25, 10), CalibrationBin(0.8, 0.75, 20))),
)
CHARTS = {
    "cost": asymmetry.build_cost_chart(t=0.8, h=0.1),
    "floor": asymmetry.build_floor_chart(t=0.8, h=0.1),
    "double": asymmetry.build_double_mse_chart(h=0.1),
    "double error": asymmetry.build_double_mse_error_chart(h=0.1),
    "targets": expected.build_targets_chart(centre=1.0, spread=1.5, skew=0.1),
    "expected": expected.build_expected_chart(centre=1.0, spread=1.5, skew=0.1),
    "noisy": pull_curves.build_noisy_cost_chart(t=0.8, s=0.1),
    "optimum": pull_curves.build_optimum_chart(t=0.8, s=0.1),
    "logit noise": pull_curves.build_logit_noise_chart(t=0.8, tau=1.0),
    "decay": descent.build_decay_chart(t=0.8, decay=0.01, sigma=0.7071),
    "stopping": descent.build_stopping_chart(t=0.8, stop=5.0, sigma=0.7071),
    "gradient": descent.build_gradient_chart(t=0.8, start=-5.0, sigma=0.7071),
    "escape": descent.build_escape_chart(start=-5.0, sigma=0.7071),
    "density": normaliser.build_density_chart(t=0.8),
    "lambda": normaliser.build_lambda_chart(t=0.8),
    "beyond": normaliser.build_beyond_chart(t=0.8),
    "unbounded": normaliser.build_unbounded_chart(),
    "family": opposite.build_family_chart(t=0.8, h=0.1, g=1.0),
    "edge": opposite.build_edge_chart(g=1.0),
    "greys": pictures.build_greys_chart(shares=((BERNOULLI, (0.5,) * 2 + (0.0,) * 23),)),
    "calibration": calibration.build_calibration_chart(curves=CURVES),
    "response": calibration.build_response_chart(curves=CURVES),
}


def value(chart, name, **changed):
    """The chart's parameter ``name`` when dials stand at ``changed``."""
    [found] = evaluate(name, [{"row": 0}], parameters_of(chart) | changed)
    return found


def points(chart, **changed):
    """(x, y) of everything drawn at two expressions."""
    return {(row["x"], row["y"]) for row in rows_of(chart, ["x", "y"], changed)}


def texts(chart, field="readout", **changed):
    return " ".join(str(row[field]) for row in rows_of(chart, [field], changed))


@pytest.mark.parametrize("name", CHARTS)
def test_every_figure_has_a_text_alternative_that_stays(name):
    description = CHARTS[name].to_dict()["description"]
    assert len(description) > 40
    assert "0.8" not in description


@pytest.mark.parametrize(("t", "ratio"), [(0.8, "1.726"), (0.3, "1.304"), (0.7, "1.304")])
def test_the_threads_examples_are_read_from_the_figures(t, ratio):
    assert f"away from ½: {ratio} times" in texts(CHARTS["cost"], t=t)
    raw = f"{float(b.raw_ratio(t, 0.1)):.3f}"
    assert f"whole bars: ratio {raw}" in texts(CHARTS["floor"], t=t)


@pytest.mark.parametrize("t", [0.0, 0.005, 1.0])
def test_targets_at_the_ends_are_drawn(t):
    assert "outside" in texts(CHARTS["cost"], t=t)
    assert np.isfinite(value(CHARTS["noisy"], "best_bce", t=t))
    assert np.isfinite(value(CHARTS["density"], "best", t=t))


def test_double_mse_says_what_it_is_off_by():
    want = 100 * (b.kl_bernoulli(0.5, 0.8) / 0.18 - 1)
    assert f"{want:.2f}% more" in texts(CHARTS["double error"], h=0.3)


@pytest.mark.parametrize("spread", [0.0, 1.5, 8.0])
def test_shaped_targets_have_both_minima_at_their_mean(spread):
    rows = rows_of(CHARTS["targets"], ["target", "mean"], {"spread": spread})[:200]
    targets = np.array([row["target"] for row in rows])
    mean = rows[0]["mean"]
    assert mean == pytest.approx(targets.mean(), abs=1e-9)
    for cost, factor in ((b.kl_bernoulli, 1), (b.squared_error, 2)):
        found = optimize.minimize_scalar(
            lambda p, c=cost: c(targets, p).mean(), bounds=(1e-3, 1 - 1e-3), options={"xatol": 1e-9}
        )
        assert found.x == pytest.approx(mean, abs=1e-4)
        marked = points(CHARTS["expected"], spread=spread)
        want = factor * cost(targets, mean).mean()
        assert any(abs(x - mean) < 1e-9 and abs(y - want) < 1e-9 for x, y in marked)


@pytest.mark.parametrize("t", [0.2, 0.55, 0.8, 0.9])
@pytest.mark.parametrize("s", [0.02, 0.1, 0.2])
def test_marked_optima_are_exact(t, s):
    chart = CHARTS["noisy"]
    for name, optimum in (
        ("best_bce", pull.bce_optimum),
        ("best_mse", pull.mse_optimum),
        ("best_one", pull.loss_one_optimum),
    ):
        assert value(chart, name, t=t, s=s) == pytest.approx(float(optimum(t, s)), abs=1e-9)


@pytest.mark.parametrize("t", [0.2, 0.8, 0.95])
def test_the_curve_of_optima_passes_through_exact_optima_over_the_whole_range(t):
    drawn = rows_of(CHARTS["optimum"], ["x", "y", "v"], {"t": t})
    bce = [row for row in drawn if abs(row["y"] - pull.bce_optimum(t, min(row["x"], 0.288))) < 1e-7]
    scales = [row["x"] for row in bce if row["x"] < 0.288]
    assert len(scales) > 100
    assert min(scales) < 0.01
    assert max(scales) > 0.27


@pytest.mark.parametrize("tau", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("t", [0.1, 0.8])
def test_logit_noise_is_solved_to_the_shown_digits(t, tau):
    shown = texts(CHARTS["logit noise"], "text", t=t, tau=tau)
    want = pull.logit_noise_optimum(t, tau)["mse"][1]
    assert f"E[p] = {want:.4f}" in shown


@pytest.mark.parametrize("t", [0.3, 0.8])
@pytest.mark.parametrize("sigma", [0.1, 0.7071])
def test_decay_and_stopping_are_solved(t, sigma):
    high = max(t, 1 - t)
    for decay in (1e-4, 0.01, 1.0):
        for name in ("bce", "mse"):
            more = () if name == "bce" else (sigma,)
            want = float(getattr(descent_theory, f"{name}_decayed")(high, decay, *more))
            dials = {"log10_decay": np.log10(decay), "log10_sigma": np.log10(sigma)}
            found = value(CHARTS["decay"], f"kept_{name}", t=t, **dials)
            assert found == pytest.approx(want, abs=1e-9)
    # The rest of the way to the target is below rounding once the time is long.
    for stop in (0.3, 5.0, 40.0) if sigma > 0.5 else (0.01, 0.3, 1.0):
        for name in ("bce", "mse"):
            more = () if name == "bce" else (sigma,)
            dials = {"log10_stop": np.log10(stop), "log10_sigma": np.log10(sigma)}
            found = value(CHARTS["stopping"], f"got_{name}", t=t, **dials)
            time = getattr(descent_theory, f"{name}_time")(high, found, *more)
            assert float(time) == pytest.approx(stop, rel=1e-5)


def test_escape_times_are_said():
    assert "BCE 5.99, squared error 82.9" in texts(CHARTS["escape"])
    narrow = texts(CHARTS["escape"], log10_sigma=-1.0)
    assert "squared error 1.66" in narrow
    assert "σ = 0.1" in narrow
    assert "not wrong" in texts(CHARTS["escape"], start=1.0)


@pytest.mark.parametrize("t", [0.05, 0.5, 0.8, 0.98])
def test_lambda_is_solved(t):
    want = float(cb.best_logits(t))
    assert value(CHARTS["density"], "best", t=t) == pytest.approx(want, abs=1e-7)


def test_the_area_under_bare_bce_is_said():
    area = integrate.quad(lambda x: np.exp(-b.bce(x, 0.8)), 0, 1)[0]
    assert f"area {area:.3f}" in texts(CHARTS["density"])


def test_the_family_keeps_its_minimum_and_turns_its_lean():
    for g in (-1.0, 0.0, 1.0):
        away, toward = counter_biased.loss(0.8, 0.9, g), counter_biased.loss(0.8, 0.7, g)
        assert f"away from ½: {away / toward:.3f} times" in texts(CHARTS["family"], g=g)


@pytest.mark.parametrize("g", [-1.0, -0.5, 0.0, 0.7, 1.0])
def test_the_edges_greys_are_the_optima_under_noise(g):
    a = np.sqrt(3) * opposite.EDGE_SCALE
    for row in rows_of(CHARTS["edge"], ["target", "y"], {"g": g})[3:18:4]:

        def slope(p, t=row["target"]):
            return integrate.quad(lambda e: counter_biased.slope(t, p + e, g), -a, a)[0]

        low, high = a + 1e-9, 1 - a - 1e-9
        want = optimize.brentq(slope, low, high) if slope(high) > 0 > slope(low) else row["y"]
        assert row["y"] == pytest.approx(want, abs=5e-4)


def test_trained_curves_are_matched_and_told():
    curves = trained_curves("fashion", "response")
    colours = [BERNOULLI.colour, GAUSSIAN.colour, CONTINUOUS_BERNOULLI.colour]
    assert [style.colour for style, _ in curves] == colours
    assert "σ = 0.41, KL" in curves[1][0].label
    # BINS hold (target, output): read one way they shrink, read the other way they stretch.
    assert interpolate(BINS, "target", "output", 0.5) == pytest.approx(0.5)
    assert interpolate(BINS, "output", "target", 0.3) == pytest.approx(0.2)


@pytest.mark.parametrize("dataset", MATCHED_SEEDS)
def test_the_table_of_seeds_is_the_cards(dataset):
    table = seeds_table(dataset)
    for cards in matched(dataset).values():
        errors = [card.test_mse for card in cards]
        assert f"{np.mean(errors):.4f}" in table
        if len(errors) > 1:
            assert f"± {np.ptp(errors) / 2:.4f}" in table


def test_the_bernoulli_lies_on_the_gaussians_curve():
    """What the last section says of its figure: BCE is one point of the exchange by sigma."""
    runs = exchange_runs()
    assert [run[2] for run in runs] == sorted(run[2] for run in runs)
    sigma = [(kl, np.log(mse)) for style, _, kl, mse in runs if style.label == GAUSSIAN.label]
    [(kl, mse)] = [(kl, mse) for style, _, kl, mse in runs if style.label == BERNOULLI.label]
    curve = np.interp(kl, [point[0] for point in sigma], [point[1] for point in sigma])
    assert np.log(mse) == pytest.approx(curve, abs=0.05)
    assert len(sigma) == 3


def test_the_two_ways_have_their_axes_exchanged():
    for name, x in (("response", "target"), ("calibration", "output")):
        spec = CHARTS[name].to_dict()
        points = spec["layer"][-1]["encoding"]
        assert points["x"]["field"] == x
        # What is off the diagonal, not the diagonal with it.
        other = {"target": "output", "output": "target"}[x]
        assert points["y"]["field"] == "off"
        assert spec["layer"][-1]["transform"] == [
            {"calculate": f"datum.{other} - datum.{x}", "as": "off"}
        ]
        assert ("alibration" in spec["description"]) == (name == "calibration")


def test_bins_without_pixels_are_not_drawn():
    rows = rows_of(CHARTS["calibration"], ["target", "output", "count"])
    assert all(row["count"] > 0 for row in rows)
    with pytest.raises(VegaError):
        rows_of(CHARTS["calibration"], ["nothing"])
