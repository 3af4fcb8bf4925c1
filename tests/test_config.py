"""Settings: ranges, messages, and the same settings back from every form."""

import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae.config import ConfigError, TrainConfig, default, option


def values_of(name: str) -> st.SearchStrategy[Any]:
    about, kind = option(name), type(default(name))
    if about.choices is not None:
        return st.sampled_from(list(about.choices))
    if kind is str:
        return st.just(default(name))
    assert about.minimum is not None
    assert about.maximum is not None
    if kind is int:
        return st.integers(int(about.minimum), int(about.maximum))
    return st.floats(about.minimum, about.maximum)


CONFIGS = st.fixed_dictionaries({spec.name: values_of(spec.name) for spec in fields(TrainConfig)})


def make(values: dict[str, Any]) -> TrainConfig:
    own = {"images": "pictures"} if values["dataset"] == "images" else {}
    return TrainConfig(**{**values, **own})


@given(CONFIGS)
def test_settings_come_back_from_json(values: dict[str, Any]) -> None:
    config = make(values)
    assert TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@given(CONFIGS)
def test_settings_come_back_from_an_address(values: dict[str, Any]) -> None:
    config = make({**values, "dataset": "mnist"})
    assert TrainConfig.from_query(config.to_query()) == (config, [])


def test_an_address_names_only_what_differs() -> None:
    assert TrainConfig().to_query() == {}
    config = TrainConfig(latent_dim=2, sampling=False, scale=2.0, learning_rate=1e-5)
    assert config.to_query() == {
        "latent_dim": "2",
        "sampling": "0",
        "scale": "2",
        "learning_rate": "1e-05",
    }


def test_an_address_cannot_break_a_page_or_name_a_path() -> None:
    config, notes = TrainConfig.from_query(
        {"latent_dim": "-1", "scale": "nan", "dataset": "images", "images": "/etc", "other": "1"}
    )
    assert config == TrainConfig()
    assert len(notes) == 3
    assert [(note.name, note.text) for note in notes] == [
        ("scale", "nan"),
        ("latent_dim", "-1"),
        ("dataset", "images"),
    ]
    assert notes[1].needed == "a whole number from 1 to 256"
    assert notes[1].instead == "The default, 20, is used."


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("latent_dim", 0, "1 to 256"),
        ("latent_dim", 2.5, "1 to 256"),
        ("latent_dim", True, "1 to 256"),
        ("scale", 0, "0.01 to 20"),
        ("scale", float("nan"), "0.01 to 20"),
        ("beta", float("inf"), "0 to 1000"),
        ("learning_rate", -1e-3, "1e-07 to 10"),
        ("likelihood", "poisson", "one of gaussian, gaussian-learned"),
        ("dataset", 3, "one of digits, mnist"),
        ("sampling", "perhaps", "one of True, False"),
        ("images", 3, "text"),
    ],
)
def test_a_bad_value_is_named_with_its_range(name: str, value: Any, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(**{name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}: {value!r} given; allowed is {allowed}")


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        TrainConfig().seed = 2  # type: ignore[misc]


def test_own_images_need_a_path() -> None:
    with pytest.raises(ConfigError, match=r"images: '' given"):
        TrainConfig(dataset="images")
    assert TrainConfig(dataset="images", images="folder").images == "folder"


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="speed: not a setting"):
        TrainConfig.from_dict({"speed": 3})


def test_every_setting_has_words_and_a_range_that_holds_its_default() -> None:
    for spec in fields(TrainConfig):
        about = option(spec.name)
        assert about.label
        assert about.help
        if about.choices is not None:
            assert default(spec.name) in about.choices
        elif about.minimum is not None:
            assert about.maximum is not None
            assert about.minimum <= default(spec.name) <= about.maximum


@pytest.mark.parametrize("values", [None, 3, "epochs", ["epochs"], {3: 4}, {3: 4, "x": 5}])
def test_settings_that_are_none(values: Any) -> None:
    with pytest.raises(ConfigError, match=r"settings: .* given|not a setting"):
        TrainConfig.from_dict(values)
