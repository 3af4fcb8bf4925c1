"""Every figure: valid Vega-Lite, described, and built without what makes building slow."""

import importlib
import pkgutil
import re

import altair as alt
import pytest

import vae.charts
from vae.charts.derivation.steps import STEPS
from vae.charts.kit.theme import BERNOULLI, GAUSSIAN, TEXT, dressed
from vae.charts.train.styles import without_data
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


def test_every_builder_is_held_against_the_schema():
    assert sorted(BUILDERS) == sorted(ARGUMENTS)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_figure_is_valid_and_described(name):
    """Pages take specifications as they are, without Altair's validation."""
    chart = BUILDERS[name](**ARGUMENTS[name])
    spec = chart.to_dict(validate=True)
    assert spec == chart.to_dict(validate=False)
    assert without_data(spec)["description"]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_building_looks_no_channel_up(name, monkeypatch):
    """``encode(x="v:Q")`` has Altair search all its classes, some 10 ms each; ``alt.X`` is one."""

    def searched(given, **_):
        raise AssertionError(f"{name}: {given} is no channel object")

    monkeypatch.setattr(alt.SchemaBase, "from_dict", searched)
    BUILDERS[name](**ARGUMENTS[name])


def _parts(part):
    """Every object in a specification."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            yield from _parts(inner)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_the_text_of_a_figure_belongs_to_the_type_scale(name):
    """14 px and more, nothing cut short, and the style sheet's colour, which fits the theme."""
    spec = dressed(BUILDERS[name](**ARGUMENTS[name]).to_dict(validate=False))
    parts = list(_parts(spec))
    sizes = [part[key] for part in parts for key in part if key.lower().endswith("fontsize")]
    assert min(sizes) >= TEXT
    config = spec["config"]
    assert {"axis", "legend", "header", "title", "text"} <= config.keys()
    assert [part["labelLimit"] for part in parts if "labelLimit" in part] == [0, 0, 0]
    texts = [part for part in parts if part.get("type") == "text"]
    assert not [mark for mark in texts if "color" in mark]


# Where squared error is an amount that is measured, not a loss: it needs no sigma.
AMOUNTS = {
    "derivation.image.build_error_map_chart": "the error of each pixel as it is",
    "train.bound.build_bound_chart": "runs, whose names say their sigma",
    "train.curves.build_curve_chart": "runs, whose names say their sigma",
    "train.curves.build_kl_chart": "runs, whose names say their sigma",
    "train.curves.build_trade_chart": "runs, whose names say their sigma; the error is an axis",
    "train.rate.build_rate_chart": "runs, whose names say their sigma; the error is an axis",
}
_SQUARED = re.compile(r"\bMSE\b|[Ss]quared error")


def _words(spec):
    """What a figure shows in words: names, titles, texts and the text parts of expressions."""
    for part in _parts(spec):
        for key, value in part.items():
            if key == "calculate":
                yield from re.findall(r"'([^']*)'", value)
            elif key in ("title", "text", "name") and isinstance(value, str):
                yield value
            elif key == "domain" and isinstance(value, list):
                yield from (name for name in value if isinstance(name, str))


def _unnamed(spec):
    """Whether squared error is drawn, or told in the alternative, without its sigma there."""
    shown, told = "\n".join(_words(spec)), without_data(spec)["description"]
    return bool(
        (_SQUARED.search(shown) and "σ" not in shown)
        or (_SQUARED.search(told) and "sigma" not in told.lower())
    )


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_figure_that_draws_squared_error_names_its_sigma(name):
    """In its own words and in its text alternative: at which, or that it holds at any."""
    given = ARGUMENTS[name]
    others = [{"family": "gaussian"}] if "family" in given and name.startswith("beliefs.") else []
    for changed in ({}, *others):
        spec = BUILDERS[name](**{**given, **changed}).to_dict(validate=False)
        assert _unnamed(spec) == (name in AMOUNTS), name


def test_a_squared_error_without_its_sigma_is_found():
    bare = alt.Chart(description="MSE against p.").mark_line().to_dict()
    assert _unnamed(bare)
    assert not _unnamed({**bare, "description": "MSE, at any sigma, against p."})
    assert _unnamed({**bare, "description": "Two losses.", "title": "squared error"})
    assert not _unnamed({**bare, "description": "", "title": "squared error, any σ"})
    assert _unnamed({"description": "", "calculate": "'MSE: ' + format(v, '.2f')"})


def test_a_wrong_specification_is_found():
    chart = alt.Chart().mark_bar(size="wide").encode(x=alt.X("v:Q"))
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        chart.to_dict()
