"""Presets ask questions with settings that exist; alternatives differ in one thing alone."""

from dataclasses import asdict, replace

import pytest
import torch
from samples import small_images

from vae.config import ConfigError, TrainConfig, option
from vae.engine.training import Trainer
from vae.lessons.questions import LESSONS, VARIANTS, describe, labels, members, parse_against
from vae.runs.limits import Limits, check


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_a_run_that_every_host_allows(name):
    lesson = LESSONS[name]
    configs = members(TrainConfig(**lesson.settings), lesson.against)
    assert len(configs) == 1 + len(lesson.against), "an alternative repeats another run"
    check(configs, Limits())
    for setting in lesson.show:
        assert option(setting).label


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_is_a_link(name):
    lesson = LESSONS[name]
    config = TrainConfig(**lesson.settings)
    again, notes = TrainConfig.from_query(config.to_query())
    assert (again, notes) == (config, [])
    assert parse_against(",".join(lesson.against)) == (lesson.against, [])


def test_the_race_is_the_four_losses_of_the_thread():
    lesson = LESSONS["race"]
    configs = members(TrainConfig(**lesson.settings), lesson.against)
    assert [config.likelihood for config in configs] == [
        "bernoulli",
        "gaussian",
        "gaussian-learned",
        "continuous-bernoulli",
    ]
    settings = [{**asdict(config), "likelihood": None} for config in configs]
    assert all(each == settings[0] for each in settings)


def test_the_pixel_mean_lesson_implies_what_the_thread_warns_of():
    lesson = LESSONS["pixel-mean"]
    plain, averaged = members(TrainConfig(**lesson.settings), lesson.against)
    assert (plain.reduction, averaged.reduction) == ("sum", "pixel-mean")
    assert replace(plain, reduction="pixel-mean") == averaged


def test_an_alternative_equal_to_the_run_is_not_trained_twice():
    config = TrainConfig(likelihood="bernoulli")
    assert members(config, ["bernoulli"]) == (config,)
    assert len(members(config, ["gaussian", "gaussian"])) == 2


def test_too_many_or_unknown_alternatives_are_refused_with_the_allowed_ones():
    with pytest.raises(ConfigError, match=r"against: 4 .*allowed is 0 to 3"):
        members(
            TrainConfig(),
            ["gaussian", "gaussian-learned", "continuous-bernoulli", "counter-biased"],
        )
    with pytest.raises(ConfigError, match="against: 'purple' given; allowed is one of bernoulli"):
        members(TrainConfig(), ["purple"])


def test_an_address_with_bad_alternatives_keeps_the_good_ones_and_says_so():
    names, notes = parse_against("gaussian,purple,pixel-mean,,gaussian")
    assert names == ("gaussian", "pixel-mean")
    assert len(notes) == 1
    assert notes[0].text == "purple"
    assert "gaussian" in notes[0].needed
    names, notes = parse_against(",".join(list(VARIANTS)[:5]))
    assert len(names) == 3
    assert "first ones" in notes[0].instead


def test_labels_tell_every_comparison_apart():
    config = TrainConfig(likelihood="gaussian-learned")
    for name, variant in VARIANTS.items():
        other = replace(config, **variant.settings)
        if other != config and name != "linear":
            assert len(set(labels([config, other]))) == 2, name
    for lesson in LESSONS.values():
        configs = members(TrainConfig(**lesson.settings), lesson.against)
        assert len(set(labels(configs))) == len(configs)
    linear = replace(config, architecture="linear")
    assert labels([config, linear]) == ("σ learned, mlp", "σ learned, linear")


def test_a_run_alone_is_named_by_all_that_makes_its_sigma_another():
    """MSE at sigma 1 over the mean of the pixels, or beside another beta, is another sigma."""
    plain = TrainConfig(likelihood="gaussian", scale=0.3)
    assert labels([plain]) == ("MSE, σ 0.3",)
    mean = replace(plain, reduction="pixel-mean")
    assert labels([mean]) == (f"MSE, σ 0.3, {VARIANTS['pixel-mean'].label}",)
    assert labels([replace(plain, beta=4.0)]) == ("MSE, σ 0.3, β 4",)


def test_the_four_of_a_race_start_from_one_network_and_see_the_same_images():
    lesson = LESSONS["race"]
    small = {**lesson.settings, "latent_dim": 3, "hidden_dim": 8, "batch_size": 32, "device": "cpu"}
    trainers = [
        Trainer(config, small_images()) for config in members(TrainConfig(**small), lesson.against)
    ]
    weights = [
        {
            name: value
            for name, value in trainer.model.state_dict().items()
            if not name.startswith("likelihood.")
        }
        for trainer in trainers
    ]
    for other in weights[1:]:
        assert other.keys() == weights[0].keys()
        assert all(torch.equal(other[name], weights[0][name]) for name in other)
    batches = [trainer.order.take(0) for trainer in trainers]
    assert all(torch.equal(batch, batches[0]) for batch in batches)
    noises = [torch.empty(5).normal_(generator=trainer.noise) for trainer in trainers]
    assert all(torch.equal(noise, noises[0]) for noise in noises)


def test_a_run_is_described_by_what_made_it():
    config = TrainConfig(latent_dim=2, seed=9, epochs=3, beta=4.0)
    text = describe(members(config, ("gaussian",)))
    assert text.startswith("**BCE, β 4** · **MSE, σ 1, β 4** on built-in digits")
    for part in ("greyness 0.5", "2 latents", "seed 9", "3 epochs"):
        assert part in text
