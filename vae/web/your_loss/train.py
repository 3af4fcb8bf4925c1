"""A pasted loss on the Train page: its settings, and beside them those of its ELBO."""

from dataclasses import replace
from typing import Any

from vae.beliefs import BELIEFS
from vae.config import ConfigError, TrainConfig
from vae.lessons.questions import VARIANTS
from vae.web.train import commands, state
from vae.web.train.page_state import PageState
from vae.your_loss import Reading
from vae.your_loss.survival import key_number

_MEANT = ("beta-1", "sigma-learned-beta-1", "laplace-learned-beta-1")


def pair_of(reading: Reading) -> PageState | None:
    """What Train would start; None where it has no such likelihood or scale.

    The loss as pasted stands first, its ELBO beside it where the two differ.
    """
    pasted, meant = reading.train_pasted, reading.train_elbo
    if pasted is None or meant is None:
        return None
    try:
        config = TrainConfig(**{name: _short(value) for name, value in pasted.items()})
    except ConfigError:
        return None
    against = tuple(
        name
        for name in _MEANT
        if VARIANTS[name].settings.get("likelihood", config.likelihood) == meant["likelihood"]
        and replace(config, **VARIANTS[name].settings) != config
    )
    return PageState(config=config, against=against[-1:])


def _short(value: Any) -> Any:
    """A number as a control and an address show it."""
    return float(f"{value:.8g}") if isinstance(value, float) else value


def why_not(reading: Reading) -> str:
    """Why there is no pair, as a sentence."""
    if reading.logistic_scale is not None:
        return (
            "Train learns the scale of its discretised logistic, so this fixed one cannot be "
            "trained here beside its ELBO."
        )
    if reading.family in BELIEFS and key_number(reading) is not None and not reading.near_sigma2:
        return (
            "Its weights are beyond what Train's controls reach, so it cannot be trained here "
            "beside its ELBO."
        )
    return "Train has no such likelihood, so it cannot be trained here beside its ELBO."


def start(pair: PageState) -> None:
    """Make ``pair`` the Train page's state and start it."""
    state.put(pair)
    commands.train()
