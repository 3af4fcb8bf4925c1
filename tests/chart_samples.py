"""One set of arguments for every builder of a figure, for tests of all figures."""

import importlib
import pkgutil

import vae.charts
from vae.charts.derivation.steps import STEPS
from vae.charts.kit.theme import BERNOULLI, GAUSSIAN
from vae.theory.ppca import TrainedPoint
from vae.wire.events import CalibrationBin
from vae.your_loss import census

PIXEL = {"sigma": 0.3, "x": 0.8, "mean": 0.6}
BELIEF = {"t": 0.8, "p": 0.6, "sigma": 0.3}
SHAPE = {"centre": 1.0, "spread": 1.5, "skew": 0.1}
GREYS = tuple(range(256)) * 3 + tuple(range(16))
IMAGE = {"target": GREYS, "mean": GREYS[::-1]}
SPECTRUM = {"spectrum": tuple(5 / 2**rank for rank in range(784)), "variance": 0.5}
CURVES = {"curves": ((BERNOULLI, (CalibrationBin(0.2, 0.3, 10), CalibrationBin(0.8, 0.7, 20))),)}
STYLES = {"styles": (BERNOULLI, GAUSSIAN)}
FAMILY = {"family": "laplace", "output": 0.4, "spread": 0.1, "bright": 0.3, "place": 0.85}
STEPPED = {**STYLES, "total_steps": 100}
RUNS = ((GAUSSIAN, "σ = 1", 6.4, 0.034), (BERNOULLI, "BCE", 24.8, 0.015))
BOUND = {"x": 0.8, "sigma": 0.3, "q_mean": 0.0, "q_scale": 1.0}
PASTED = {"axis": "error", "names": ("cost",), "family": "gaussian"}
ARGUMENTS = {
    "bias.asymmetry.build_cost_chart": {"t": 0.8, "h": 0.1},
    "bias.asymmetry.build_double_mse_chart": {"h": 0.1},
    "bias.asymmetry.build_double_mse_error_chart": {"h": 0.1},
    "bias.asymmetry.build_floor_chart": {"t": 0.8, "h": 0.1},
    "bias.pictures.build_greys_chart": {"shares": ((BERNOULLI, (0.5,) * 2 + (0.0,) * 23),)},
    "kit.calibration.build_calibration_chart": CURVES,
    "kit.calibration.build_response_chart": CURVES,
    "derivation.entropy.build_cross_entropy_chart": {
        "counts": (1,) * 256,
        "fit_mean": 0.3,
        "fit_sigma": 0.2,
    },
    "derivation.expansion.build_numbers_chart": {"lines": STEPS[0].numbers, **PIXEL},
    "derivation.image.build_error_map_chart": IMAGE,
    "derivation.evidence.build_area_chart": {"x": 0.8, "sigma": 0.3},
    "derivation.evidence.build_bound_chart": BOUND,
    "derivation.evidence.build_posterior_chart": BOUND,
    "derivation.image.build_identity_chart": {**IMAGE, "sigma": 0.3},
    "derivation.image.build_nll_map_chart": {**IMAGE, "sigma": 0.3},
    "derivation.image.build_picture_chart": {"greys": GREYS, "name": "target"},
    "derivation.image.build_sample_chart": {"mean": GREYS, "sigma": 0.3},
    "derivation.learned.build_floor_chart": {"errors": (0.0, 0.01, 0.2)},
    "derivation.learned.build_learned_loss_chart": {},
    "derivation.nll.build_nll_chart": PIXEL,
    "derivation.paths.build_race_chart": {"optimiser": "sgd", "scale": 2.0, "kl": True},
    "derivation.sigma.build_density_chart": PIXEL,
    "derivation.sigma.build_gradient_chart": PIXEL,
    "derivation.sigma.build_log_prob_chart": PIXEL,
    "derivation.spectrum.build_prediction_chart": {
        **SPECTRUM,
        "trained": (TrainedPoint(1.0, 6.1, 23.0),),
    },
    "derivation.spectrum.build_spectrum_chart": SPECTRUM,
    "bias.descent.build_decay_chart": {"t": 0.8, "decay": 0.01, "sigma": 0.7071},
    "bias.descent.build_escape_chart": {"start": -5.0, "sigma": 0.7071},
    "bias.descent.build_gradient_chart": {"t": 0.8, "start": -5.0, "sigma": 0.7071},
    "bias.descent.build_stopping_chart": {"t": 0.8, "stop": 5.0, "sigma": 0.7071},
    "bias.expected.build_expected_chart": SHAPE,
    "bias.expected.build_targets_chart": SHAPE,
    "bias.normaliser.build_beyond_chart": {"t": 0.8},
    "bias.normaliser.build_density_chart": {"t": 0.8},
    "bias.normaliser.build_lambda_chart": {"t": 0.8},
    "bias.normaliser.build_unbounded_chart": {},
    "beliefs.build_best_output_chart": FAMILY,
    "beliefs.build_cost_chart": FAMILY,
    "beliefs.build_density_chart": FAMILY,
    "bias.opposite.build_edge_chart": {"g": 1.0},
    "bias.opposite.build_family_chart": {"t": 0.8, "h": 0.1, "g": 1.0},
    "overview.build_belief_chart": BELIEF,
    "overview.build_cost_chart": BELIEF,
    "overview.build_loss_chart": BELIEF,
    "bias.question.build_exchange_chart": {"runs": RUNS},
    "bias.question.build_minimum_chart": {},
    "bias.pull_curves.build_logit_noise_chart": {"t": 0.8, "tau": 1.0},
    "bias.pull_curves.build_noisy_cost_chart": {"t": 0.8, "s": 0.1},
    "bias.pull_curves.build_optimum_chart": {"t": 0.8, "s": 0.1},
    "train.bound.build_bound_chart": STYLES,
    "your_loss.belief.build_cost_chart": PASTED,
    "your_loss.belief.build_density_chart": PASTED,
    "your_loss.census.build_census_chart": {"own": 392.0, "chosen": census()[3].id},
    "train.curves.build_curve_chart": {"field": "kl", **STEPPED},
    "train.curves.build_kl_chart": {**STYLES, "latents": 4},
    "train.curves.build_scale_chart": {"total_steps": 100},
    "train.curves.build_trade_chart": STEPPED,
    "train.rate.build_rate_chart": {"families": (BERNOULLI, GAUSSIAN)},
    "train.maps.build_map_chart": {"names": ("0", "1"), "latents": (3, 1)},
}


def _builders():
    """Every function ``build_..._chart``, by its module's and its own name."""
    found = {}
    for info in pkgutil.walk_packages(vae.charts.__path__, "vae.charts."):
        module = importlib.import_module(info.name)
        for name, part in vars(module).items():
            if name.startswith("build_") and part.__module__ == module.__name__:
                found[f"{info.name.removeprefix('vae.charts.')}.{name}"] = part
    return found


BUILDERS = _builders()
