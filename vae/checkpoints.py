"""A run on disk: written whole or not at all, read without running what is in the file."""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from vae.batches import Pixels
from vae.config import ConfigError, TrainConfig
from vae.data import ImageData, fingerprint
from vae.errors import CheckpointError
from vae.evaluation import test_figures
from vae.events import EpochEvent, from_message, to_message
from vae.files import write_atomically
from vae.models import VAE, build_vae
from vae.training import Trainer

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
# A forged size must not make the model that is built from it fill the memory.
LARGEST_SIDE = 1024


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
        """The card of ``data``, whose ``vae.data.fingerprint`` is ``sha256``."""
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
        try:
            model.load_state_dict(dict(self.weights))
        except RuntimeError as error:
            raise CheckpointError(f"the weights do not fit the settings: {error}") from error
        return model.eval()

    def start_trainer(self, config: TrainConfig, data: ImageData) -> Trainer:
        """A new run of ``config`` on ``data`` that begins with these weights, at step 0.

        Raises:
            CheckpointError: the weights are of another shape than ``config`` and ``data`` ask.
        """
        trainer = Trainer(config, data)
        try:
            trainer.start_from(self.weights)
        except RuntimeError as error:
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
            trainer.restore(state, list(self.history))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"its training state is incomplete: {error}") from error
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
    }


def load(path: str | Path) -> Checkpoint:
    """The checkpoint in ``path``, its tensors on the CPU.

    Only tensors and plain values are read (``weights_only``): a file cannot run code here.

    Raises:
        CheckpointError: missing, truncated, foreign, or written by a newer version.
    """
    path = Path(path)
    try:
        if not zipfile.is_zipfile(path):
            # Older pickle formats of torch too end here: this program has never written one.
            path.stat()
            raise CheckpointError(f"{path}: not a checkpoint (truncated or foreign)")
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:
        # What a hostile or damaged pickle raises is anybody's guess.
        reason = "damaged, or it holds more than tensors and plain values"
        raise CheckpointError(f"{path}: not a checkpoint ({reason})") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a checkpoint of this program")
    version = stored.get("version")
    if version != VERSION:
        raise CheckpointError(
            f"{path}: checkpoint version {version!r}; this program reads version {VERSION}"
        )
    try:
        return _parse(stored)
    except (KeyError, TypeError, ValueError, AttributeError, ConfigError) as error:
        raise CheckpointError(f"{path}: its content is damaged ({error})") from error


def _parse(stored: Mapping[str, Any]) -> Checkpoint:
    card = stored["data"]
    weights = {name: value.float() for name, value in stored["weights"].items()}
    history = [from_message(message) for message in json.loads(stored["history"])]
    if not all(1 <= side <= LARGEST_SIDE for side in card["image_shape"]):
        raise ValueError(
            f"image_shape: {card['image_shape']} given; allowed is 1 to {LARGEST_SIDE}"
        )
    return Checkpoint(
        config=TrainConfig.from_dict(stored["config"]),
        step=int(stored["step"]),
        data=DataCard(**{**card, "image_shape": tuple(card["image_shape"])}),
        history=tuple(event for event in history if isinstance(event, EpochEvent)),
        weights=weights,
        training=stored["training"],
    )


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
