"""The one entry of each likelihood, held against what computes with it."""

import pytest

from vae.beliefs import BELIEFS
from vae.config import LIKELIHOODS, TrainConfig
from vae.engine.likelihoods import build_likelihood
from vae.export.standalone import build_script
from vae.lessons.loss_text import loss_code, loss_latex
from vae.lessons.questions import VARIANTS, labels
from vae.theory.likelihoods import PICTURE_FITS


@pytest.mark.parametrize("name", BELIEFS)
def test_an_entry_is_all_that_names_a_likelihood(name):
    belief = BELIEFS[name]
    config = TrainConfig(likelihood=name)
    assert LIKELIHOODS[name] == belief.label
    assert VARIANTS[name].label == belief.short
    assert build_likelihood(name).belief is belief
    assert belief.latex(1.0, 784) in loss_latex(config)
    assert belief.code[-1].format(scale="1") in loss_code(config)
    assert belief.script.strip() in build_script(config)
    assert labels([config]) == (belief.short_fixed.format(scale=1.0) or belief.short,)


def test_looks_and_names_tell_the_likelihoods_apart():
    for field in ("label", "short"):
        assert len({getattr(belief, field) for belief in BELIEFS.values()}) == len(BELIEFS)
    looks = {(belief.style.colour, belief.style.dash) for belief in BELIEFS.values()}
    assert len(looks) == len(BELIEFS)
    assert len({belief.style.shape for belief in BELIEFS.values()}) == len(BELIEFS)


@pytest.mark.parametrize("name", BELIEFS)
def test_the_entry_says_what_the_engine_does(
    name,
):
    belief = BELIEFS[name]
    likelihood = build_likelihood(name, scale=0.7)
    assert (likelihood.scale is not None) == (belief.scale is not None)
    learns = any(parameter.ndim == 0 for parameter in likelihood.parameters())
    assert learns == (belief.scale == "learned")
    if belief.scale == "fixed":
        assert float(likelihood.scale) == pytest.approx(0.7)


def test_pictures_are_fitted_with_likelihoods_that_exist():
    assert set(PICTURE_FITS) <= set(BELIEFS)
