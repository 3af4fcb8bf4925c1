"""What a run adds up as it goes: losses and time."""

import math

import torch
from torch import Tensor


class Tally:
    """Sums in Python floats: a float32 sum over an epoch loses digits.

    Losses wait on their device until ``collect``, since asking for one stops a device that runs
    ahead. Times are seconds spent in steps.
    """

    def __init__(
        self, seconds: float = 0.0, epoch_loss: float = 0.0, epoch_seconds: float = 0.0
    ) -> None:
        self.seconds = seconds
        self.epoch_loss = epoch_loss
        self.epoch_seconds = epoch_seconds
        self._losses: list[Tensor] = []
        self._sizes: list[int] = []
        self._images_since = 0
        self._seconds_since = 0.0

    @property
    def waiting(self) -> int:
        """Losses not collected yet."""
        return len(self._losses)

    def add(self, loss: Tensor, images: int) -> None:
        """A batch's mean loss, nats per image."""
        self._losses.append(loss)
        self._sizes.append(images)

    def collect(self) -> bool:
        """Add what waits to the epoch's sum; False when that is not finite."""
        for loss, size in zip(torch.stack(self._losses).tolist(), self._sizes, strict=True):
            self.epoch_loss += loss * size
        self._losses.clear()
        self._sizes.clear()
        return math.isfinite(self.epoch_loss)

    def count_time(self, seconds: float, images: int) -> None:
        self.seconds += seconds
        self.epoch_seconds += seconds
        self._seconds_since += seconds
        self._images_since += images

    def take_rate(self) -> float:
        """Images per second since the last call."""
        rate = self._images_since / max(self._seconds_since, 1e-9)
        self._images_since, self._seconds_since = 0, 0.0
        return rate

    def next_epoch(self) -> None:
        self.epoch_loss = 0.0
        self.epoch_seconds = 0.0
