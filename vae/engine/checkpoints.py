"""A run on disk: written whole or not at all, read without running what is in the file."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vae.config import TrainConfig
from vae.engine import tensor_files
from vae.engine.batches import Pixels
from vae.engine.evaluation import test_figures
from vae.engine.models import VAE, build_vae, describe_weights
from vae.engine.state_checks import check_count, check_weights, is_figure
from vae.engine.training import Trainer
from vae.errors import CheckpointError, shown, shown_path
from vae.files import write_atomically
from vae.images.sets import ImageData, fingerprint
from vae.wire.events import EpochEvent, TrainEvent, from_message, to_message

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "DataCard",
    "evaluate",
    "export_weights",
    "load",
    "save",
]

FORMAT = "vae-loss checkpoint"
VERSION = 1
LARGEST_SIDE = 1024
_MOST_STEPS = 10**9
_MOST_IMAGES = 10**9
_LONGEST_NAME = 100
_LONGEST_REASON = 300


@dataclass(frozen=True)
class DataCard:
    """Which images a run saw: a checkpoint continues on these alone."""

    name: str
    train_images: int
    test_images: int
    image_shape: tuple[int, int]
    sha256: str

    @classmethod
    def of(cls, data: ImageData, sha256: str) -> "DataCard":
        """The card of ``data``, whose ``vae.images.sets.fingerprint`` is ``sha256``."""
        height, width = data.train.shape[1:]
        return cls(data.name, len(data.train), len(data.test), (height, width), sha256)


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds. ``training`` is None in exported weights: they do not resume."""

    config: TrainConfig
    step: int
    data: DataCard
    history: tuple[EpochEvent, ...]
    weights: Mapping[str, torch.Tensor]
    training: Mapping[str, Any] | None

    def build_model(self) -> VAE:
        """The model with its weights, in ``eval`` mode, on the CPU, in float32."""
        model = build_vae(self.config, self.data.image_shape)
        model.load_state_dict(dict(self.weights))
        return model.eval()

    def start_trainer(self, config: TrainConfig, data: ImageData) -> Trainer:
        """A new run of ``config`` on ``data`` that begins with these weights, at step 0.

        Raises:
            CheckpointError: the weights are of another shape than ``config`` and ``data`` ask.
        """
        shape = (data.train.shape[1], data.train.shape[2])
        try:
            # Before a model of whatever size is built.
            check_weights(self.weights, describe_weights(config, shape))
            trainer = Trainer(config, data)
            trainer.start_from(self.weights)
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"the weights do not fit the settings: {error}") from error
        return trainer

    def build_trainer(self, data: ImageData, **changes: Any) -> Trainer:
        """A trainer that continues the run, bit-equal on a CPU.

        ``changes`` replace settings that may differ in a continuation: ``epochs``, ``device``.

        Raises:
            CheckpointError: other images than the run's, or a file of exported weights.
        """
        if self.training is None:
            raise CheckpointError("these are exported weights: they evaluate but do not resume")
        here = DataCard.of(data, fingerprint(data))
        if here != self.data:
            raise CheckpointError(
                f"data: {_describe(here)} given; the checkpoint continues on {_describe(self.data)}"
            )
        trainer = Trainer(replace(self.config, **changes), data)
        try:
            state = {**self.training, "step": self.step, "model": dict(self.weights)}
            trainer.restore(state, self.history)
        except KeyError as error:
            raise CheckpointError(f"its training state has no {error}") from error
        except Exception as error:
            # Values of any kind may stand where others are looked for.
            reason = str(error)[:_LONGEST_REASON]
            raise CheckpointError(f"its training state does not fit: {reason}") from error
        return trainer


def save(path: str | Path, trainer: Trainer) -> None:
    """Write ``trainer`` to ``path``, from which it resumes bit-equal on a CPU.

    The file appears whole or not at all: an older one stays until the new one is on disk.

    Raises:
        CheckpointError: the folder is missing, not writable, or the disk is full.
    """
    state = trainer.state()
    weights, step = state.pop("model"), state.pop("step")
    _write(Path(path), {**_describe_run(trainer, step), "weights": weights, "training": state})


def export_weights(path: str | Path, trainer: Trainer, half: bool = True) -> None:
    """Write the weights alone, in float16 with ``half``; ``load`` reads them, they do not resume.

    Raises:
        CheckpointError: as ``save``.
    """
    weights = {
        name: value.half() if half and value.ndim > 0 else value
        for name, value in trainer.model.state_dict().items()
    }
    run = _describe_run(trainer, trainer.step_count)
    _write(Path(path), {**run, "weights": weights, "training": None})


def evaluate(
    checkpoint: Checkpoint, data: ImageData, device: torch.device
) -> dict[str, float | int | None]:
    """Test figures of the checkpoint's weights on ``data``: nats per image, MSE per pixel.

    ``bits_per_pixel`` counts each pixel as one of 256 grey levels, KL included: it compares
    across likelihoods. ``bits_per_pixel_natural`` is the Bernoulli's with its logit as the
    parameter of those levels; None for others.

    Raises:
        CheckpointError: images of another size than the run's.
    """
    if data.test.shape[1:] != checkpoint.data.image_shape:
        raise CheckpointError(
            f"data: images of {data.test.shape[1:]} given; "
            f"the checkpoint reads {checkpoint.data.image_shape}"
        )
    config = checkpoint.config
    model = checkpoint.build_model().to(device)
    pixels = Pixels(config, data, device, model.likelihood.dequantised)
    figures = test_figures(model, pixels, config)
    scale = model.likelihood.scale
    return {
        "step": checkpoint.step,
        "test_images": figures.images,
        "test_loss": figures.mean("loss"),
        "test_log_likelihood": figures.mean("log_likelihood"),
        "test_kl": figures.mean("kl"),
        "test_mse": figures.mean("mse"),
        "scale": None if scale is None else float(scale),
        "bits_per_pixel": figures.bits_per_pixel(),
        "bits_per_pixel_natural": figures.bits_per_pixel("natural"),
    }


def load(path: str | Path) -> Checkpoint:
    """The checkpoint in ``path``, its tensors on the CPU.

    Only tensors and plain values are read, by ``vae.engine.tensor_files``: a file cannot run code
    here, nor take more room than its own size. The weights fit the settings.

    Raises:
        CheckpointError: missing, truncated, foreign, or written by a newer version.
    """
    name = shown_path(path)
    try:
        stored = tensor_files.read(Path(path))
    except OSError as error:
        raise CheckpointError(f"{name}: cannot be read ({error.strerror or error})") from error
    except zipfile.BadZipFile as error:
        raise CheckpointError(f"{name}: not a checkpoint (truncated or foreign)") from error
    except MemoryError as error:
        raise CheckpointError(f"{name}: there is not enough memory to read it") from error
    except Exception as error:
        # What a hostile or damaged archive raises is anybody's guess.
        reason = "damaged, or it holds more than tensors and plain values"
        raise CheckpointError(f"{name}: not a checkpoint ({reason})") from error
    if not isinstance(stored, dict) or not _is(stored.get("format"), FORMAT):
        raise CheckpointError(f"{name}: not a checkpoint of this program")
    version = stored.get("version")
    if not _is(version, VERSION):
        raise CheckpointError(
            f"{name}: checkpoint version {shown(version)}; this program reads version {VERSION}"
        )
    try:
        return _parse(stored)
    except KeyError as error:
        raise CheckpointError(
            f"{name}: its content is damaged ({shown(error.args[0])} is missing)"
        ) from error
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckpointError(
            f"{name}: its content is damaged ({str(error)[:_LONGEST_REASON]})"
        ) from error


def _is(value: Any, wanted: str | int) -> bool:
    # A tensor is neither equal nor unequal.
    return type(value) is type(wanted) and value == wanted


def _parse(stored: Mapping[str, Any]) -> Checkpoint:
    config = TrainConfig.from_dict(stored["config"])
    data = _parse_card(**stored["data"])
    check_weights(
        stored["weights"],
        describe_weights(config, data.image_shape),
        (torch.float32, torch.float16),
    )
    history = [from_message(message) for message in json.loads(stored["history"])]
    if not (stored["training"] is None or isinstance(stored["training"], Mapping)):
        raise TypeError("the training state is not a dictionary")
    return Checkpoint(
        config=config,
        step=check_count("step", stored["step"], _MOST_STEPS),
        data=data,
        history=tuple(_check_epoch(event, config.latent_dim) for event in history),
        weights={name: value.float() for name, value in stored["weights"].items()},
        training=stored["training"],
    )


def _parse_card(
    name: Any, train_images: Any, test_images: Any, image_shape: Any, sha256: Any
) -> DataCard:
    if not all(isinstance(text, str) and len(text) <= _LONGEST_NAME for text in (name, sha256)):
        raise ValueError("data: a name that is none")
    height, width = (check_count("image_shape", side, LARGEST_SIDE) for side in image_shape)
    train = check_count("train_images", train_images, _MOST_IMAGES)
    test = check_count("test_images", test_images, _MOST_IMAGES)
    if not height or not width:
        raise ValueError(f"image_shape: {shown(image_shape)} given; allowed is 1 to {LARGEST_SIDE}")
    return DataCard(name, train, test, (height, width), sha256)


def _check_epoch(event: TrainEvent, latent_dim: int) -> EpochEvent:
    """``event`` if it is an epoch's whose figures are numbers: pages draw what stands there."""
    if not isinstance(event, EpochEvent):
        raise ValueError("history: it holds other events than those of epochs")
    values = dict(vars(event))
    for name in ("scale", "bits_per_pixel"):
        if values[name] is None:
            del values[name]
    kl = values.pop("test_kl_per_latent")
    bins = [*values.pop("response"), *values.pop("calibration")]
    numbers = [*values.values(), *kl, *(value for bin in bins for value in vars(bin).values())]
    if len(kl) != latent_dim or not all(map(is_figure, numbers)):
        raise ValueError("history: a figure of an epoch is not a number")
    return event


def _describe_run(trainer: Trainer, step: int) -> dict[str, Any]:
    card = DataCard.of(trainer.data, trainer.fingerprint)
    return {
        "format": FORMAT,
        "version": VERSION,
        "config": trainer.config.to_dict(),
        "step": step,
        "data": {**card.__dict__, "image_shape": list(card.image_shape)},
        "history": json.dumps([to_message(event) for event in trainer.history]),
    }


def _write(path: Path, content: Mapping[str, Any]) -> None:
    # Serialised in memory first: whatever fails on the disk is then an OSError.
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    try:
        write_atomically(path, buffer.getbuffer())
    except OSError as error:
        kept = "; the file there before is unchanged" if path.exists() else ""
        raise CheckpointError(f"{path}: cannot be written ({error.strerror}){kept}") from error


def _describe(card: DataCard) -> str:
    height, width = card.image_shape
    return (
        f"{card.name} ({card.train_images} training and {card.test_images} test images of "
        f"{height}x{width}, sha256 {card.sha256})"
    )
