"""Every choice of a training run, once, with its range, its default and its words.

The command line, the Train page, the page's address and the checkpoint all read the fields of
``TrainConfig``; none of them lists the choices again.
"""

import math
import numbers
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from vae.beliefs import BELIEFS
from vae.errors import shown


class ConfigError(ValueError):
    """A setting outside its range. The message names the argument, the value and the range."""


@dataclass(frozen=True)
class WrongValue:
    """What an address says and a page cannot use: what is needed, and what is done instead.

    ``text`` is a stranger's and may be anything; a page shows it only through
    ``vae.web.kit.address.note``.
    """

    name: str
    text: str
    needed: str
    instead: str


@dataclass(frozen=True)
class Option:
    """What a field of ``TrainConfig`` may be, and how to speak of it."""

    label: str
    help: str
    choices: Mapping[Any, str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    log: bool = False
    advanced: bool = False

    @property
    def allowed(self) -> str:
        """The allowed values in words, for messages."""
        if self.choices is not None:
            return "one of " + ", ".join(str(choice) for choice in self.choices)
        return f"{_written(self.minimum)} to {_written(self.maximum)}"


def _option(default: Any, label: str, help: str, **details: Any) -> Any:
    return field(default=default, metadata={"option": Option(label, help, **details)})


LIKELIHOODS = {name: belief.label for name, belief in BELIEFS.items()}
PUBLIC_DATASETS = {"digits": "built-in digits", "mnist": "MNIST", "fashion": "Fashion-MNIST"}
"""The data sets that are the same for everybody, as a sentence names them."""
DATASETS = {**PUBLIC_DATASETS, "images": "your own images"}


@dataclass(frozen=True)
class TrainConfig:
    """One training run. Immutable; invalid values raise ``ConfigError`` at construction."""

    dataset: str = _option(
        "digits",
        "Data",
        "which images to learn from",
        choices={name: text[0].upper() + text[1:] for name, text in DATASETS.items()},
    )
    images: str = _option(
        "", "Image file", "for dataset 'images': a .npz file or a folder of pictures", advanced=True
    )
    grey: float = _option(
        0.5,
        "Greyness",
        "built-in digits only: 0 gives binary targets, 1 mid-grey ones",
        minimum=0.0,
        maximum=1.0,
    )
    binarise: str = _option(
        "none",
        "Binarise",
        "read greys as they are, or as probabilities of a one, drawn once or at every step",
        choices={"none": "grey targets", "static": "drawn once", "resampled": "drawn every step"},
        advanced=True,
    )
    likelihood: str = _option(
        "bernoulli",
        "Likelihood",
        "log p(x|z), the reconstruction term; a Gaussian's mean passes through a sigmoid unless "
        "the decoder is linear",
        choices=LIKELIHOODS,
    )
    scale: float = _option(
        1.0,
        "Sigma",
        "σ of the Gaussian or b of the Laplace of fixed scale; where a learned one starts",
        minimum=0.01,
        maximum=20.0,
        log=True,
    )
    reduction: str = _option(
        "sum",
        "Reduction of log p(x|z)",
        "'sum' over the pixels of an image is the ELBO; 'pixel-mean' beside a KL summed over "
        "latents divides the likelihood by D, as much public code does by accident",
        choices={"sum": "sum over pixels", "pixel-mean": "mean over pixels"},
        advanced=True,
    )
    beta: float = _option(
        1.0, "Beta", "weight of the KL", minimum=0.0, maximum=1000.0, advanced=True
    )
    sampling: bool = _option(
        True,
        "Sample z",
        "draw z from q(z|x); without it z is the mean and the KL is left out: a plain autoencoder",
        choices={True: "VAE: z is drawn", False: "plain autoencoder: z is the mean"},
        advanced=True,
    )
    architecture: str = _option(
        "mlp",
        "Architecture",
        "a network with one hidden layer on each side, or a linear VAE (probabilistic PCA)",
        choices={"mlp": "one hidden layer", "linear": "linear"},
        advanced=True,
    )
    latent_dim: int = _option(20, "Latents", "dimensions of z", minimum=1, maximum=256)
    hidden_dim: int = _option(
        400, "Hidden units", "width of the hidden layers", minimum=1, maximum=4096, advanced=True
    )
    epochs: int = _option(10, "Epochs", "passes over the training images", minimum=1, maximum=1000)
    batch_size: int = _option(
        128, "Batch size", "images per step", minimum=1, maximum=10000, advanced=True
    )
    optimizer: str = _option(
        "adam",
        "Optimiser",
        "how gradients become steps",
        choices={"adam": "Adam", "sgd": "SGD", "momentum": "SGD with momentum 0.9"},
        advanced=True,
    )
    learning_rate: float = _option(
        1e-3, "Learning rate", "step size", minimum=1e-7, maximum=10.0, log=True
    )
    scale_learning_rate: float = _option(
        1e-2,
        "Learning rate of σ",
        "step size of what a likelihood learns itself, such as log σ, which wants a larger one "
        "than the network",
        minimum=1e-7,
        maximum=10.0,
        log=True,
        advanced=True,
    )
    seed: int = _option(
        1, "Seed", "initial weights, data order and noise", minimum=0, maximum=2**31 - 1
    )
    device: str = _option(
        "auto",
        "Device",
        "'auto' takes CUDA, then MPS, then the CPU",
        choices={"auto": "automatic", "cpu": "CPU", "cuda": "CUDA", "mps": "MPS"},
        advanced=True,
    )

    def __post_init__(self) -> None:
        for spec in fields(self):
            checked = check_value(spec, getattr(self, spec.name))
            object.__setattr__(self, spec.name, checked)
        if self.dataset == "images" and not self.images:
            raise ConfigError("images: '' given; dataset 'images' needs a .npz file or a folder")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainConfig":
        """Inverse of ``to_dict``. Raises ``ConfigError`` on unknown names or bad values."""
        if not isinstance(values, Mapping):
            raise ConfigError(f"settings: {shown(values)} given; allowed is a dictionary")
        known = {spec.name for spec in fields(cls)}
        unknown = sorted(str(name)[:40] for name in values if name not in known)
        if unknown:
            raise ConfigError(f"{unknown[0]}: not a setting; the settings are {sorted(known)}")
        return cls(**values)

    def to_query(self, base: "TrainConfig | None" = None) -> dict[str, str]:
        """The settings that differ from those of ``base``, the defaults, as query parameters."""
        start = base or TrainConfig()
        query = {}
        for spec in fields(self):
            value = getattr(self, spec.name)
            if value != getattr(start, spec.name):
                query[spec.name] = _spell(value)
        return query

    @classmethod
    def from_query(
        cls,
        query: Mapping[str, str],
        base: "TrainConfig | None" = None,
        most: Mapping[str, float] = MappingProxyType({}),
    ) -> tuple["TrainConfig", list[WrongValue]]:
        """``base``, the defaults, with the settings of an address; a note for each bad value.

        Inverse of ``to_query`` with the same ``base``. Of a bad value that of ``base`` stays.
        ``most``: what a host allows of a setting, which its note then names instead of the range's
        end; a value between the two is left to the caller.
        """
        start = base or cls()
        values = start.to_dict()
        notes = []

        def refuse(spec: Field[Any], needed: str) -> None:
            default = f"The default, {_spell(getattr(start, spec.name))}, is used."
            notes.append(WrongValue(spec.name, query[spec.name], needed, default))

        for spec in fields(cls):
            # Addresses come from anywhere: they may not name paths on the server.
            if spec.name not in query or spec.name == "images":
                continue
            try:
                values[spec.name] = check_value(spec, query[spec.name])
            except ConfigError:
                refuse(spec, _needed(spec, most.get(spec.name)))
        if query.get("dataset") == "images":
            values["dataset"] = start.dataset
            refuse(
                _spec("dataset"), "a data set of the server's own, not the command line's images,"
            )
        return cls(**values), notes


def option(name: str) -> Option:
    """The range and the words of the setting ``name``."""
    return _spec(name).metadata["option"]


def default(name: str) -> Any:
    """The default of the setting ``name``."""
    value = _spec(name).default
    assert value is not MISSING
    return value


def _spec(name: str) -> Field[Any]:
    return next(spec for spec in fields(TrainConfig) if spec.name == name)


def _needed(spec: Field[Any], most: float | None = None) -> str:
    about: Option = spec.metadata["option"]
    if most is not None and about.maximum is not None:
        about = replace(about, maximum=min(about.maximum, most))
    if about.choices is not None:
        return about.allowed
    return f"a {'whole ' if type(spec.default) is int else ''}number from {about.allowed}"


def check_value(spec: Field[Any], value: Any) -> Any:
    """``value`` (perhaps text) as the field's type, or ``ConfigError``."""
    about: Option = spec.metadata["option"]
    kind = type(spec.default)
    parsed = _parse(kind, value)
    if parsed is None:
        wanted = about.allowed if about.choices or kind is not str else "text"
        raise ConfigError(f"{spec.name}: {shown(value)} given; allowed is {wanted}")
    if about.choices is not None:
        allowed = parsed in about.choices
    elif about.minimum is not None and about.maximum is not None:
        allowed = about.minimum <= parsed <= about.maximum
    else:
        allowed = True
    if not allowed:
        raise ConfigError(f"{spec.name}: {shown(value)} given; allowed is {about.allowed}")
    return parsed


def _parse(kind: type, value: Any) -> Any:
    """``value`` as ``kind``, or None when it is not one."""
    if kind is bool:
        if isinstance(value, bool):
            return value
        text = (
            value.lower()
            if isinstance(value, str)
            else {0.0: "0", 1.0: "1"}.get(_number(value), "")
        )
        return {"1": True, "true": True, "0": False, "false": False}.get(text)
    if kind is str:
        return value if isinstance(value, str) else None
    number = math.nan if isinstance(value, bool) else _number(value)
    if not math.isfinite(number) or (kind is int and number != int(number)):
        return None
    return int(number) if kind is int else number


def _number(value: Any) -> float:
    """``value``, a number or the text of one, as a float; NaN where it is neither."""
    try:
        return float(value) if isinstance(value, str | numbers.Real) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def _written(bound: float | None) -> str:
    """A bound as one writes it: whole ones with all their digits."""
    return f"{bound:,}" if isinstance(bound, int) and bound >= 10_000 else f"{bound:g}"


def _spell(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)
