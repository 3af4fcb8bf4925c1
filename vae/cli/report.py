"""How the command line shows a run: JSON lines, or a table with a bar under it."""

import json
import shutil
import sys
from typing import TextIO

from vae.config import TrainConfig
from vae.wire.events import EpochEvent, StepEvent

JSON_FIELDS = (
    "epoch",
    "train_loss",
    "test_loss",
    "test_log_likelihood",
    "test_kl",
    "test_mse",
    "scale",
    "bits_per_pixel",
    "seconds",
    "images_per_second",
)
BAR = 20
COLUMNS = (
    "epoch",
    "train loss",
    "test loss",
    "log p(x|z)",
    "KL",
    "MSE",
    "sigma",
    "bits/px",
    "images/s",
)


class JsonLines:
    """One JSON object a line for each epoch, and nothing else."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def start(self, config: TrainConfig, device: str) -> None:
        """Nothing: what a program reads starts with the first epoch."""

    def step(self, event: StepEvent) -> None:
        """Nothing."""

    def epoch(self, event: EpochEvent) -> None:
        values = {name: getattr(event, name) for name in JSON_FIELDS}
        # Flushed, so that a reader at the other end of a pipe sees each epoch when it ends.
        print(json.dumps(values), file=self._out, flush=True)

    def close(self) -> None:
        """Nothing."""


class Progress:
    """A table of epochs on ``out``; on ``terminal``, when it is one, a bar that moves."""

    def __init__(self, terminal: TextIO, out: TextIO = sys.stdout) -> None:
        self._terminal = terminal
        self._out = out
        self._moving = terminal.isatty()
        self._width = 0

    def start(self, config: TrainConfig, device: str) -> None:
        print(
            f"{config.dataset}, {config.likelihood}, {config.latent_dim} latents, seed "
            f"{config.seed}, on {device}; nats per image, MSE and bits per pixel",
            file=self._out,
        )
        print(" ".join(f"{name:>10}" for name in COLUMNS), file=self._out, flush=True)

    def step(self, event: StepEvent) -> None:
        fraction = event.step / event.total_steps
        words = f"loss {event.loss:.1f}, KL {event.kl:.1f}, {event.images_per_second:,.0f} images/s"
        self._draw(fraction, f"step {event.step:,} of {event.total_steps:,}, {words}")

    def epoch(self, event: EpochEvent) -> None:
        self._clear()
        scale = "-" if event.scale is None else f"{event.scale:.4f}"
        cells = (
            str(event.epoch),
            f"{event.train_loss:.2f}",
            f"{event.test_loss:.2f}",
            f"{event.test_log_likelihood:.2f}",
            f"{event.test_kl:.2f}",
            f"{event.test_mse:.5f}",
            scale,
            "-" if event.bits_per_pixel is None else f"{event.bits_per_pixel:.4f}",
            f"{event.images_per_second:,.0f}",
        )
        print(" ".join(f"{cell:>10}" for cell in cells), file=self._out, flush=True)

    def fraction(self, name: str, fraction: float) -> None:
        """A download's bar."""
        self._draw(fraction, name)

    def close(self) -> None:
        self._clear()

    def _draw(self, fraction: float, words: str) -> None:
        if not self._moving:
            return
        done = round(BAR * fraction)
        line = f"[{'#' * done}{'.' * (BAR - done)}] {fraction:4.0%} {words}"
        # A line that wraps could not be taken back.
        line = line[: shutil.get_terminal_size().columns - 1]
        self._clear()
        self._terminal.write(line)
        self._terminal.flush()
        self._width = len(line)

    def _clear(self) -> None:
        if self._width:
            self._terminal.write("\r" + " " * self._width + "\r")
            self._width = 0
