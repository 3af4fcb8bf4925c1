"""What the Derivation page's figures draw, taken from the Vega runtime, against theory."""

import math

import numpy as np
import pytest
from scipy import stats
from vega import parameters_of, rows_of

from vae.charts.derivation import entropy, expansion, image, nll, paths
from vae.charts.derivation import learned as derivation_learned
from vae.charts.derivation import sigma as derivation_sigma
from vae.charts.derivation import spectrum as derivation_spectrum
from vae.charts.derivation.parts import FIT_MEAN, FIT_SIGMA, PIXEL_DIALS, SIGMA, VARIANCE
from vae.charts.derivation.steps import STEPS
from vae.lessons import pictures
from vae.shipped.cards import data_summary
from vae.theory import gaussian, linear_vae, ppca

PIXEL = {"sigma": 0.3, "x": 0.8, "mean": 0.6}
SPECTRUM = tuple(np.linspace(5, 0.001, 784))
PANELS = [
    derivation_sigma.build_log_prob_chart,
    derivation_sigma.build_gradient_chart,
    nll.build_nll_chart,
    derivation_sigma.build_density_chart,
]
TARGET = tuple(range(256)) * 3 + tuple(range(16))
MEAN = tuple(reversed(TARGET))


def _all_charts():
    for build in PANELS:
        yield build(**PIXEL)
    for step in STEPS:
        yield expansion.build_numbers_chart(lines=step.numbers, **PIXEL)
        yield expansion.build_numbers_chart(lines=step.misprint_numbers, **PIXEL)
    yield image.build_picture_chart(greys=TARGET, name="target")
    yield image.build_error_map_chart(target=TARGET, mean=MEAN)
    yield image.build_nll_map_chart(target=TARGET, mean=MEAN, sigma=0.3)
    yield image.build_sample_chart(mean=MEAN, sigma=0.3)
    yield image.build_identity_chart(target=TARGET, mean=MEAN, sigma=0.3)
    yield paths.build_race_chart(optimiser="sgd", scale=2.0, kl=True)
    yield derivation_spectrum.build_spectrum_chart(spectrum=SPECTRUM, variance=0.5)
    yield derivation_spectrum.build_prediction_chart(spectrum=SPECTRUM, variance=0.5)
    yield derivation_learned.build_learned_loss_chart()
    yield derivation_learned.build_floor_chart(errors=(0.0, 0.01, 0.2))
    yield entropy.build_cross_entropy_chart(counts=(1,) * 256, fit_mean=0.3, fit_sigma=0.2)


def test_every_figure_has_a_text_alternative_and_no_black_or_white_marks():
    for chart in _all_charts():
        spec = chart.to_dict()
        assert len(spec["description"]) > 20
        if "pictures" not in spec["description"] and "greys" not in str(spec.get("params")):
            assert '"black"' not in str(spec)


@pytest.mark.parametrize("build", PANELS)
def test_panels_open_at_the_values_in_the_address(build):
    parameters = parameters_of(build(sigma=0.05, x=0.2, mean=0.9))
    assert parameters["log10_sigma"] == pytest.approx(math.log10(0.05))
    assert parameters["x"] == 0.2
    assert parameters["mean"] == 0.9


@pytest.mark.parametrize("sigma", [0.01, 0.3, 20.0])
def test_the_rescaled_squared_error_is_drawn_on_the_log_likelihood(sigma):
    chart = derivation_sigma.build_log_prob_chart(**PIXEL)
    rows = rows_of(chart, ["residual", "curve", "value"], {"log10_sigma": math.log10(sigma)})
    curves = {}
    for row in rows:
        curves.setdefault(row["curve"], []).append((row["residual"], row["value"]))
    log_prob, rescaled, plain = (curves[name] for name in derivation_sigma._CURVES)
    residual = np.array([point[0] for point in log_prob])
    want = stats.norm(0, sigma).logpdf(residual)
    np.testing.assert_allclose([point[1] for point in log_prob], want, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose([point[1] for point in rescaled], want, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose([point[1] for point in plain], -(residual**2), atol=1e-12)


@pytest.mark.parametrize("sigma", [0.01, 0.3, 20.0])
def test_the_point_stays_on_the_panel_at_any_sigma(sigma):
    moved = {"log10_sigma": math.log10(sigma)}
    low, high = derivation_sigma.LOG_PROB_DOMAIN
    [point] = rows_of(
        derivation_sigma.build_log_prob_chart(**PIXEL), ["residual", "shown", "inside"], moved
    )
    assert low <= point["shown"] <= high
    assert point["residual"] == pytest.approx(0.2)
    low, high = nll.NLL_DOMAIN
    [now] = rows_of(nll.build_nll_chart(**PIXEL), ["scale", "nll", "inside"], moved)
    assert low <= now["nll"] <= high
    assert now["scale"] == pytest.approx(sigma)


def test_the_panel_is_high_enough_for_the_best_log_p_of_every_sigma():
    best = float(gaussian.gaussian_log_prob(0.5, 0.5, SIGMA.minimum))
    assert best < derivation_sigma.LOG_PROB_DOMAIN[1]


def test_the_gradients_keep_their_ratio_at_every_residual():
    chart = derivation_sigma.build_gradient_chart(**PIXEL)
    rows = rows_of(chart, ["residual", "gradient", "size"])
    sizes = {}
    for row in rows:
        sizes.setdefault(row["residual"], []).append(row["size"])
    ratios = [pair[0] / pair[1] for pair in sizes.values()]
    np.testing.assert_allclose(ratios, gaussian.gradient_ratio(0.3), rtol=1e-9)


def test_the_nll_curve_is_least_at_the_marked_point():
    chart = nll.build_nll_chart(**PIXEL)
    rows = rows_of(chart, ["scale", "nll", "exponent"])
    curve = rows[: len(rows) // 2] if rows[0]["nll"] > 0 else rows[len(rows) // 2 :]
    least = min(curve, key=lambda row: row["nll"])
    assert least["scale"] == pytest.approx(0.2, rel=0.07)
    assert least["nll"] == pytest.approx(float(gaussian.best_nll(0.04, 784)), abs=5)
    scales = np.array([row["scale"] for row in curve])
    want = gaussian.nll_from_mse(0.04, scales, 784)
    np.testing.assert_allclose([row["nll"] for row in curve], want, rtol=1e-9)


def test_the_readout_says_the_mass_outside():
    chart = derivation_sigma.build_density_chart(sigma=0.3, x=0.8, mean=0.5)
    texts = [row["readout"] for row in rows_of(chart, ["readout"])]
    share = stats.norm(0.5, 0.3).cdf(0)
    assert f"below 0: {share:.1%}" in texts
    assert f"above 1: {share:.1%}" in texts


def test_the_expansions_numbers_are_right():
    want = stats.norm(0.6, 0.3).logpdf(0.8)
    texts = {}
    for step in STEPS:
        chart = expansion.build_numbers_chart(lines=step.numbers, **PIXEL)
        texts[step.title] = rows_of(chart, ["readout"])[0]["readout"]
    assert f"{want:.3f} nats" in texts["What is maximised"]
    assert f"= {want:.3f} nats" in texts["Its logarithm"]
    assert f"{784 * want:.1f} nats" in texts["All D pixels"]
    assert f"{784 * want:.1f} nats" in texts["The mean squared error"]
    assert "D/(2σ²) = 4356" in texts["The gradient"]
    assert "buys 0.18" in texts["The whole bound"]


def test_the_misprint_without_parentheses_is_another_number():
    chart = expansion.build_numbers_chart(lines=STEPS[3].misprint_numbers, **PIXEL)
    [row] = rows_of(chart, ["readout"])
    printed = -math.log(0.3) - 0.5 * math.log(2 * math.pi) - 0.5 * 0.2 / 0.09
    assert row["readout"] == f"as printed: {printed:.3f}".replace("-", "−")


@pytest.mark.parametrize("sigma", [0.01, 0.3, 20.0])
def test_both_sums_over_the_image_agree(sigma):
    target, mean = pictures.target_greys("7"), pictures.flawed_greys("7", "blur", 0.4)
    chart = image.build_identity_chart(target=target, mean=mean, sigma=0.3)
    [row] = rows_of(chart, ["total", "identity", "mse"], {"log10_sigma": math.log10(sigma)})
    want = stats.norm(np.array(mean) / 255, sigma).logpdf(np.array(target) / 255).sum()
    assert row["total"] == pytest.approx(want, rel=1e-9)
    assert row["identity"] == pytest.approx(row["total"], rel=1e-9)
    assert row["mse"] == pytest.approx(pictures.mse_of(target, mean), rel=1e-9)
    assert pictures.identity_gap(target, mean, sigma) < 1e-12


def test_the_maps_show_each_pixel_where_it_is():
    chart = image.build_nll_map_chart(target=TARGET, mean=MEAN, sigma=0.3)
    rows = rows_of(chart, ["left", "top", "shown"])
    assert len(rows) == 784
    x, mean = np.array(TARGET) / 255, np.array(MEAN) / 255
    want = -stats.norm(mean, 0.3).logpdf(x)
    np.testing.assert_allclose([row["shown"] for row in rows], want, rtol=1e-9, atol=1e-9)
    assert (rows[30]["left"], rows[30]["top"]) == (2, 1)


def test_a_sample_adds_sigma_of_noise():
    grey = (128,) * 784
    chart = image.build_sample_chart(mean=grey, sigma=0.1)
    rows = rows_of(chart, ["left", "shown"])
    shown = np.array([row["shown"] for row in rows])
    assert shown.std() == pytest.approx(0.1, rel=0.1)
    assert shown.mean() == pytest.approx(128 / 255, abs=0.02)


def test_the_race_draws_the_paths_that_it_measures():
    run = linear_vae.race(optimiser="adam", scale=0.5, kl=True)
    chart = paths.build_race_chart(optimiser="adam", scale=0.5, kl=True)
    rows = rows_of(chart, ["run", "step", "v", "w"])
    ends = [row for row in rows if row["step"] == linear_vae.STEPS]
    np.testing.assert_allclose(
        [[row["w"], row["v"]] for row in ends[:2]],
        [run.reference[-1][:2], run.adjusted[-1][:2]],
        rtol=1e-9,
    )


@pytest.mark.parametrize("variance", [0.01, 0.5, 392.0])
def test_the_spectrum_counts_survivors_while_it_is_dragged(variance):
    chart = derivation_spectrum.build_spectrum_chart(spectrum=SPECTRUM, variance=0.5)
    [row] = rows_of(chart, ["alive", "kl", "error"], {"log10_variance": math.log10(variance)})
    assert row["alive"] == ppca.active_latents(SPECTRUM, variance)
    assert row["kl"] == pytest.approx(ppca.kl_per_latent(SPECTRUM, variance).sum(), rel=1e-9)
    assert row["error"] == pytest.approx(ppca.squared_error(SPECTRUM, variance), rel=1e-9)


def test_trained_points_lie_beside_the_prediction():
    point = ppca.TrainedPoint(1.0, 6.1, 23.0)
    chart = derivation_spectrum.build_prediction_chart(
        spectrum=SPECTRUM, variance=0.5, trained=(point,)
    )
    rows = rows_of(chart, ["variance", "value", "what"])
    assert {"variance": 1.0, "value": 6.1, "what": "KL, nats"} in rows
    assert {"variance": 1.0, "value": 23.0, "what": "squared error"} in rows


@pytest.mark.parametrize("dataset", ["digits", "mnist", "fashion"])
def test_deep_vaes_at_five_sigmas_did_what_the_page_says(dataset):
    points = pictures.trained_points(dataset)
    assert {0.02, 0.1, 0.5, 1.0, 392.0} <= {point.variance for point in points}
    spectrum = data_summary(dataset).eigenvalues
    for point in points:
        linear = ppca.squared_error(spectrum, point.variance, latents=20)
        if point.variance < 392:
            assert point.squared_error < 0.9 * linear
            assert point.kl > 1
        else:
            assert point.kl < 1e-3
            assert point.squared_error == pytest.approx(linear, rel=0.05)


def test_the_learned_loss_is_below_every_fixed_one_and_touches_it():
    rows = rows_of(derivation_learned.build_learned_loss_chart(), ["mse", "nll", "loss"])
    losses = {}
    for row in rows:
        losses.setdefault(row["loss"], {})[row["mse"]] = row["nll"]
    learned = losses.pop("σ learned")
    for name, fixed in losses.items():
        gaps = {mse: fixed[mse] - learned[mse] for mse in learned}
        assert min(gaps.values()) > -1e-9
        square = float(name.removeprefix("σ = ")) ** 2
        if square < 0.12:
            closest = min(gaps, key=gaps.get)
            assert closest == pytest.approx(square, abs=0.002)


@pytest.mark.parametrize(("mean", "sigma"), [(0.3, 0.2), (0.6, 0.05), (0.0, 2.0)])
def test_the_cross_entropy_is_the_mean_nll_of_the_data(mean, sigma):
    counts = pictures.grey_counts("centre")
    chart = entropy.build_cross_entropy_chart(counts=counts, fit_mean=mean, fit_sigma=sigma)
    [row] = rows_of(chart, ["entropy", "mse"])
    data = np.repeat(np.arange(256) / 255, counts)
    assert row["entropy"] == pytest.approx(-stats.norm(mean, sigma).logpdf(data).mean(), rel=1e-9)
    assert row["mse"] == pytest.approx(np.mean((data - mean) ** 2), rel=1e-9)


def test_the_histogram_holds_every_image_once():
    counts = pictures.grey_counts("centre")
    chart = entropy.build_cross_entropy_chart(counts=counts, fit_mean=0.3, fit_sigma=0.2)
    bars = rows_of(chart, ["bin", "share"])
    assert sum(bar["share"] for bar in bars) == pytest.approx(1)
    assert len(bars) == 16


def test_dials_have_names_of_their_own():
    dials = [*PIXEL_DIALS, VARIANCE, FIT_MEAN, FIT_SIGMA]
    names = [dial.name for dial in dials] + [dial.signal for dial in dials if dial.log]
    assert len(set(names)) == len(names)
    assert SIGMA.contains(392**0.5)


def test_examples_name_what_is_wrong():
    with pytest.raises(ValueError, match="digit"):
        pictures.target_greys("12")
    with pytest.raises(ValueError, match="flaw"):
        pictures.flawed_greys("1", "sepia", 0.1)
