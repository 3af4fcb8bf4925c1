"""What this host allows, in one place: read from environment variables, checked with clear words.

``VAE_PROFILE`` picks the defaults (``standard`` or ``small``, for hosts with about 1 GB of memory);
``VAE_MAX_EPOCHS`` and its like, one for each field of ``Limits``, override single ones.
"""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from vae.config import TrainConfig, option
from vae.errors import DataUnavailable, shown
from vae.files import expand


class LimitError(ValueError):
    """More than this host allows. The message names the argument, the value and the range."""


def _limit(default: Any, most: float) -> Any:
    return field(default=default, metadata={"most": most})


def _setting(name: str, default: int) -> Any:
    # A host cannot allow more than the program: the page's controls end there.
    return _limit(default, option(name).maximum or 0)


_DAY = 24 * 3600.0
_BEFOREHAND = "VAE_DRAW_BEFOREHAND"


@dataclass(frozen=True)
class Limits:
    """The bounds of this host. Times in seconds, sizes in megabytes; each with its own upper bound,
    which the environment may not exceed."""

    max_epochs: int = _setting("epochs", 200)
    max_steps: int = _limit(200_000, 100_000_000)
    # Training time: neither the wait, nor a download, nor a pause counts.
    max_run_seconds: float = _limit(3600.0, 30 * _DAY)
    max_hidden_dim: int = _setting("hidden_dim", 2048)
    max_latent_dim: int = _setting("latent_dim", 128)
    max_batch_size: int = _setting("batch_size", 4096)
    max_members: int = _limit(9, 9)
    max_queue: int = _limit(30, 1000)
    # A closed tab ends its run after this long without a sign of its owner or a watcher.
    owner_grace_seconds: float = _limit(120.0, 30 * _DAY)
    # A paused run gives way to the ones that wait after this long.
    paused_seconds: float = _limit(300.0, 30 * _DAY)
    # A paused run rests this long in all, also when nobody waits.
    max_paused_seconds: float = _limit(3600.0, 30 * _DAY)
    # A worker that says nothing for this long while it has work is taken for hung.
    worker_silence_seconds: float = _limit(120.0, _DAY)
    # A worker that does not come to an end by itself within this long after a stop is ended.
    stop_seconds: float = _limit(15.0, 3600.0)
    keep_runs: int = _limit(20, 10_000)
    keep_history_mb: float = _limit(24.0, 100_000.0)
    keep_folders: int = _limit(40, 100_000)
    keep_folders_mb: float = _limit(2000.0, 10_000_000.0)


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
    """The limits of this host. Raises ``LimitError`` on a variable outside its range."""
    variables = os.environ if environment is None else environment
    profile = variables.get("VAE_PROFILE", "standard")
    if profile not in PROFILES:
        raise LimitError(
            f"VAE_PROFILE: {shown(profile)} given; allowed is one of {', '.join(PROFILES)}"
        )
    base = PROFILES[profile]
    values = {
        spec.name: _number(spec, variables[variable(spec.name)])
        if variable(spec.name) in variables
        else getattr(base, spec.name)
        for spec in fields(Limits)
    }
    return Limits(**values)


def variable(name: str) -> str:
    """The environment variable that sets the limit ``name``."""
    return f"VAE_{name.upper()}"


def _number(spec: Field[Any], text: str) -> Any:
    kind: type = type(spec.default)
    most = spec.metadata["most"]
    least = 1 if kind is int else 0.1
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most or (kind is int and number != int(number)):
        wanted = f"a {'whole ' if kind is int else ''}number from {least:g} to {most:.10g}"
        raise LimitError(f"{variable(spec.name)}: {shown(text)} given; allowed is {wanted}")
    return kind(number)


def check_environment(environment: Mapping[str, str] | None = None) -> None:
    """Raise ``LimitError`` where any variable that the server reads is outside its range."""
    variables = os.environ if environment is None else environment
    load_limits(variables)
    draws_beforehand(variables)
    for name, must_write in (("VAE_DATA_DIR", False), ("VAE_RUNS_DIR", True)):
        if name in variables and not _may_hold_files(variables[name], must_write):
            what = "a folder, or a place for one"
            what += ", that this program may write to" if must_write else ""
            raise LimitError(f"{name}: {shown(variables[name])} given; allowed is {what}")


def draws_beforehand(environment: Mapping[str, str] | None = None) -> bool:
    """Whether a new server draws every page once before it is asked: ``VAE_DRAW_BEFOREHAND``, 1 or
    0. Raises ``LimitError`` on anything else."""
    variables = os.environ if environment is None else environment
    text = variables.get(_BEFOREHAND, "1")
    if text not in ("0", "1"):
        raise LimitError(f"{_BEFOREHAND}: {shown(text)} given; allowed is 0 or 1")
    return text == "1"


def _may_hold_files(text: str, must_write: bool) -> bool:
    """Whether ``text`` names a folder, or could once it is made."""
    if not text.strip():
        return False
    try:
        path = expand(text, "").absolute()
        there = next(place for place in (path, *path.parents) if place.exists())
    except (DataUnavailable, OSError, ValueError):
        # Nobody's home, a name too long, a place that may not be looked at.
        return False
    return there.is_dir() and (not must_write or os.access(there, os.W_OK | os.X_OK))


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
    for name in ("dataset", "images", "grey", "batch_size"):
        values = {getattr(config, name) for config in configs}
        if len(values) > 1:
            listed = ", ".join(sorted(map(str, values)))
            raise LimitError(
                f"{name}: {listed} given; runs side by side share one value, so that they see "
                "the same images in the same order"
            )
    # One seed for all, or each loss from the same ones: else a seed would be taken for a loss.
    seeds: dict[TrainConfig, list[int]] = {}
    for config in configs:
        seeds.setdefault(replace(config, seed=0), []).append(config.seed)
    if len({tuple(sorted(of_one)) for of_one in seeds.values()}) > 1:
        listed = ", ".join(str(seed) for seed in sorted({config.seed for config in configs}))
        raise LimitError(
            f"seed: {listed} given; runs side by side share one value, or each loss has the same"
        )
