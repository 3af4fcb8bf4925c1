"""Images on the device: one uint8 tensor, shuffled by index, made into targets batch by batch.

A per-sample loader spends more time on Python and copies than such a small network on learning.
"""

import warnings

import numpy as np
import torch
from torch import Tensor

from vae.config import TrainConfig
from vae.images.sets import ImageData, binarise

# Each use of randomness has its own stream; the seed's low 32 bits are the user's.
STREAMS = {"weights": 0, "order": 1, "noise": 2, "pixels": 3, "test": 4}


def build_generator(seed: int, stream: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for one of ``STREAMS``, independent of the others under the same seed."""
    return torch.Generator(device).manual_seed(seed + (STREAMS[stream] << 32))


def check_images(images: np.ndarray, argument: str) -> np.ndarray:
    """``images`` when they are uint8 (N, h, w) with N > 0; otherwise ``ValueError``."""
    if images.dtype != np.uint8 or images.ndim != 3 or 0 in images.shape:
        raise ValueError(
            f"{argument}: {images.dtype} of shape {images.shape} given; "
            "allowed is uint8 (images, height, width), at least one image"
        )
    return images


def resample(images: Tensor, generator: torch.Generator) -> Tensor:
    """Bytes 0 or 255, a one with probability byte/255, on the images' device."""
    # Integers 0..254 against 0..255: exact at both ends, where floats may round.
    thresholds = torch.empty_like(images).random_(0, 255, generator=generator)
    return (thresholds < images).to(torch.uint8).mul_(255)


class Pixels:
    """Training and test images on ``device`` and how a batch of bytes becomes targets x."""

    def __init__(
        self, config: TrainConfig, data: ImageData, device: torch.device, dequantised: bool
    ) -> None:
        train = check_images(data.train, "data.train")
        test = check_images(data.test, "data.test")
        if train.shape[1:] != test.shape[1:]:
            raise ValueError(
                f"data.test: images of {test.shape[1:]} given; data.train has {train.shape[1:]}"
            )
        self.image_shape: tuple[int, int] = (train.shape[1], train.shape[2])
        self.dequantised = dequantised
        self.resampled = config.binarise == "resampled"
        self.generator = build_generator(config.seed, "pixels", device)
        self.seed = config.seed
        self.device = device
        if config.binarise != "none":
            # Drawn once even where training draws anew: test figures of epochs must compare.
            test = binarise(test, config.seed + 1)
        if config.binarise == "static":
            train = binarise(train, config.seed)
        self.train = _flatten(train).to(device)
        self.test = _flatten(test).to(device)
        # Black and white alone: a pixel is then one of two levels, not of 256.
        self.levels = 2 if not np.any((test > 0) & (test < 255)) else 256

    def train_batch(self, rows: Tensor) -> Tensor:
        """Targets (B, D) in [0, 1] of the training images ``rows``."""
        images = self.train.index_select(0, rows)
        if self.resampled:
            images = resample(images, self.generator)
        return self._to_targets(images, self.generator)

    def test_generator(self) -> torch.Generator:
        """The same noise at every evaluation, apart from training's."""
        return build_generator(self.seed, "test", self.device)

    def test_batch(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Targets of test bytes (B, D)."""
        return self._to_targets(images, generator)

    def _to_targets(self, images: Tensor, generator: torch.Generator) -> Tensor:
        x = images.to(torch.float32)
        if self.dequantised:
            noise = torch.empty_like(x).uniform_(generator=generator)
            return x.add_(noise).div_(256)
        return x.div_(255)


class Order:
    """Which images each step takes: a fresh permutation an epoch, the last batch perhaps short."""

    def __init__(self, config: TrainConfig, images: int, device: torch.device) -> None:
        self.images = images
        self.batch_size = min(config.batch_size, images)
        self.steps_per_epoch = -(-images // self.batch_size)
        self.device = device
        self.generator = build_generator(config.seed, "order")
        self._batches: tuple[Tensor, ...] = ()
        self._epoch_state = self.generator.get_state()

    def take(self, index: int) -> Tensor:
        """The rows of batch ``index`` of this epoch; index 0 shuffles first."""
        if index == 0:
            self._shuffle()
        return self._batches[index]

    def state(self) -> Tensor:
        """The generator before this epoch's shuffle, from which its batches follow again."""
        return self._epoch_state

    def restore(self, state: Tensor, index: int) -> None:
        """Continue where ``take`` was about to be called with ``index``."""
        self.generator.set_state(state)
        self._epoch_state = state
        if index > 0:
            self._shuffle()

    def next_epoch(self) -> None:
        """Called when an epoch is over, so that ``state`` speaks of the one to come."""
        self._epoch_state = self.generator.get_state()

    def _shuffle(self) -> None:
        permutation = torch.randperm(self.images, generator=self.generator).to(self.device)
        self._batches = permutation.split(self.batch_size)


def _flatten(images: np.ndarray) -> Tensor:
    """(N, D) in the array's own memory: four runs on the same images hold them once."""
    with warnings.catch_warnings():
        # Data sets are read-only; nothing writes to this tensor either, batches are copies.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(images).reshape(len(images), -1))
