"""What this host allows, in one place: read from environment variables, checked with clear words.

``VAE_PROFILE`` picks the defaults (``standard`` or ``small``, for hosts with about 1 GB of memory);
``VAE_MAX_EPOCHS`` and its like, one for each field of ``Limits``, override single ones.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from vae.config import TrainConfig


class LimitError(ValueError):
    """More than this host allows. The message names the argument, the value and the range."""


@dataclass(frozen=True)
class Limits:
    """The bounds of this host. Times in seconds, sizes in megabytes."""

    max_epochs: int = 200
    max_steps: int = 200_000
    # Training time: neither the wait, nor a download, nor a pause counts.
    max_run_seconds: float = 3600.0
    max_hidden_dim: int = 2048
    max_latent_dim: int = 128
    max_batch_size: int = 4096
    max_members: int = 9
    max_queue: int = 30
    # A closed tab ends its run after this long without a sign of its owner or a watcher.
    owner_grace_seconds: float = 120.0
    # A paused run gives way to the ones that wait after this long.
    paused_seconds: float = 300.0
    # A paused run rests this long in all, also when nobody waits.
    max_paused_seconds: float = 3600.0
    # A worker that says nothing for this long while it has work is taken for hung.
    worker_silence_seconds: float = 120.0
    # A worker that does not come to an end by itself within this long after a stop is ended.
    stop_seconds: float = 15.0
    keep_runs: int = 20
    keep_history_mb: float = 24.0
    keep_folders: int = 40
    keep_folders_mb: float = 2000.0


SMALL = Limits(
    max_epochs=20,
    max_steps=20_000,
    max_run_seconds=600.0,
    max_paused_seconds=1800.0,
    max_hidden_dim=512,
    max_latent_dim=64,
    max_batch_size=1024,
    max_members=9,
    max_queue=10,
    keep_runs=6,
    keep_history_mb=8.0,
    keep_folders=10,
    keep_folders_mb=200.0,
)
PROFILES = {"standard": Limits(), "small": SMALL}


def load_limits(environment: Mapping[str, str] | None = None) -> Limits:
    """The limits of this host. Raises ``LimitError`` when a variable is not a positive number."""
    variables = os.environ if environment is None else environment
    profile = variables.get("VAE_PROFILE", "standard")
    if profile not in PROFILES:
        raise LimitError(f"VAE_PROFILE: {profile!r} given; allowed is one of {', '.join(PROFILES)}")
    base = PROFILES[profile]
    values: dict[str, Any] = {}
    for spec in fields(Limits):
        name = variable(spec.name)
        default = getattr(base, spec.name)
        values[spec.name] = (
            _number(name, variables[name], type(default)) if (name in variables) else default
        )
    return Limits(**values)


def variable(name: str) -> str:
    """The environment variable that sets the limit ``name``."""
    return f"VAE_{name.upper()}"


def _number(name: str, text: str, kind: type) -> Any:
    wanted = "a whole number" if kind is int else "a number"
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number <= 0 or (kind is int and number != int(number)):
        raise LimitError(f"{name}: {text!r} given; allowed is {wanted} above 0")
    return kind(number)


def check(configs: Sequence[TrainConfig], limits: Limits) -> None:
    """Raise ``LimitError`` unless this host trains ``configs`` together."""
    if not 1 <= len(configs) <= limits.max_members:
        raise LimitError(
            f"members: {len(configs)} given; allowed is 1 to {limits.max_members} runs side by side"
        )
    for config in configs:
        for name in ("epochs", "hidden_dim", "latent_dim", "batch_size"):
            value, most = getattr(config, name), getattr(limits, f"max_{name}")
            if value > most:
                raise LimitError(f"{name}: {value} given; this host allows 1 to {most}")
    for name in ("dataset", "images", "grey", "batch_size", "seed"):
        values = {getattr(config, name) for config in configs}
        if len(values) > 1:
            listed = ", ".join(sorted(map(str, values)))
            raise LimitError(
                f"{name}: {listed} given; runs side by side share one value, so that they see "
                "the same images in the same order"
            )
