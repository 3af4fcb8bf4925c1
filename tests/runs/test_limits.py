"""Limits come from the environment, and what breaks them is told with name, value and range."""

import dataclasses

import pytest

from vae.config import TrainConfig
from vae.runs.limits import PROFILES, LimitError, Limits, check, load_limits, variable


def test_standard_is_the_default_and_small_is_nowhere_wider() -> None:
    assert load_limits({}) == Limits()
    small = load_limits({"VAE_PROFILE": "small"})
    assert small == PROFILES["small"]
    for spec in dataclasses.fields(Limits):
        assert getattr(small, spec.name) <= getattr(Limits(), spec.name), spec.name
    assert small.max_steps < Limits().max_steps


def test_defaults_of_the_settings_are_allowed_everywhere() -> None:
    for limits in PROFILES.values():
        check([TrainConfig()], limits)
        check([TrainConfig(likelihood="gaussian"), TrainConfig()], limits)


@pytest.mark.parametrize("spec", dataclasses.fields(Limits), ids=lambda spec: spec.name)
def test_every_limit_has_its_variable(spec: "dataclasses.Field[object]") -> None:
    name = variable(spec.name)
    most = spec.metadata["most"]
    for good in (3, most):
        assert getattr(load_limits({name: f"{good:.10g}"}), spec.name) == good
        small = load_limits({"VAE_PROFILE": "small", name: f"{good:.10g}"})
        assert getattr(small, spec.name) == good
    for bad in ("0", "-1", "many", "nan", "inf", "", "1e300", f"{most * 1.01 + 1:.10g}", "9" * 500):
        with pytest.raises(
            LimitError, match=f"{name}: .* given; allowed is a .*number from"
        ) as why:
            load_limits({name: bad})
        assert f"to {most:.10g}" in str(why.value)
        assert bad[:30] in str(why.value)
    if spec.type is int or spec.type == "int":
        with pytest.raises(LimitError, match="a whole number"):
            load_limits({name: "1.5"})


def test_unknown_profile() -> None:
    with pytest.raises(LimitError, match="VAE_PROFILE: 'huge' given; allowed is one of standard"):
        load_limits({"VAE_PROFILE": "huge"})


@pytest.mark.parametrize("name", ["epochs", "hidden_dim", "latent_dim", "batch_size"])
def test_a_setting_beyond_the_host(name: str) -> None:
    limits = dataclasses.replace(Limits(), **{f"max_{name}": 3})
    usual = {"epochs": 1, "hidden_dim": 1, "latent_dim": 1, "batch_size": 1}
    check([TrainConfig(**{**usual, name: 3})], dataclasses.replace(limits))
    with pytest.raises(LimitError, match=f"{name}: 4 given; this host allows 1 to 3"):
        check([TrainConfig(**{**usual, name: 4})], limits)


@pytest.mark.parametrize("count", [0, 10])
def test_number_of_members(count: int) -> None:
    with pytest.raises(LimitError, match=f"members: {count} given; allowed is 1 to 9"):
        check([TrainConfig()] * count, Limits())


@pytest.mark.parametrize(
    ("name", "values"),
    [("batch_size", (64, 128)), ("dataset", ("digits", "mnist"))],
)
def test_members_share_what_they_see(name: str, values: tuple[object, object]) -> None:
    configs = [TrainConfig(**{name: value}) for value in values]
    with pytest.raises(LimitError, match=rf"{name}: .*share one value"):
        check(configs, Limits())


def test_each_loss_has_the_same_seeds() -> None:
    seeds = [
        TrainConfig(seed=seed, likelihood=name)
        for name in ("gaussian", "bernoulli")
        for seed in (1, 2)
    ]
    check(seeds, Limits())
    for unequal in (seeds[:3], [seeds[0], seeds[3]]):
        with pytest.raises(LimitError, match="seed: 1, 2 given; runs side by side share one value"):
            check(unequal, Limits())
