"""Training as a generator of events: no printing, no threads, no disk.

Whoever pulls the events owns the pace: not pulling is a pause, one pull of an unthrottled run is
a single step, and ``trainer.learning_rate`` may change in between.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from vae.config import ConfigError, TrainConfig, option
from vae.engine.batches import Order, Pixels, build_generator
from vae.engine.devices import choose_device
from vae.engine.elbo import Elbo
from vae.engine.evaluation import (
    TestFigures,
    build_gallery,
    choose_strip,
    forward,
    reconstruct,
    test_figures,
    test_kl_per_latent,
)
from vae.engine.models import build_vae
from vae.engine.optimizers import advise, build_optimizer
from vae.engine.running_sums import Tally
from vae.engine.state_checks import (
    check_count,
    check_figure,
    check_generator_state,
    check_weights,
    fit_optimizer,
)
from vae.images.sets import ImageData, fingerprint
from vae.wire.events import (
    DivergedEvent,
    EpochEvent,
    FinishedEvent,
    GalleryEvent,
    ReconstructionEvent,
    StepEvent,
    TrainEvent,
)

# How often weights are kept to fall back on, and losses fetched from a device that runs behind.
SYNC_STEPS = 64
MOST_EPOCHS = int(option("epochs").maximum or 0)


class Trainer:
    """One run: the model, its optimiser, its generators and its history.

    Runs with equal seeds and data see the same initial weights and the same batches in the same
    order, whatever else differs: weights, data order, sampling noise, pixel noise and test noise
    each have a generator. Raises ``DeviceUnavailable``, or ``ValueError`` on images that are not
    uint8 (N, h, w).
    """

    def __init__(self, config: TrainConfig, data: ImageData) -> None:
        self.config = config
        self.data = data
        self.device = choose_device(config.device)
        image_shape = (data.train.shape[1], data.train.shape[2])
        self.model = build_vae(config, image_shape).to(self.device)
        self.pixels = Pixels(config, data, self.device, self.model.likelihood.dequantised)
        self.order = Order(config, len(data.train), self.device)
        self.noise = build_generator(config.seed, "noise", self.device)
        self.optimizer = build_optimizer(config, self.model)
        self.total_steps = config.epochs * self.order.steps_per_epoch
        self.step_count = 0
        self.tally = Tally()
        self.history: list[EpochEvent] = []
        self.diverged: DivergedEvent | None = None
        self._strip = choose_strip(data.test_labels, len(data.test))
        self._sync_steps = 1 if self.device.type == "cpu" else SYNC_STEPS
        self._good = self._copy_weights()

    @cached_property
    def fingerprint(self) -> str:
        """What identifies the images, taken over every pixel once."""
        return fingerprint(self.data)

    @property
    def finished(self) -> bool:
        """No step is left: all are done, or a loss was not finite."""
        return self.diverged is not None or self.step_count >= self.total_steps

    @property
    def seconds(self) -> float:
        """Time spent in steps since the start, tests and pictures apart."""
        return self.tally.seconds

    @property
    def epoch(self) -> int:
        """The epoch, from 1, that the last step belongs to."""
        return max(0, self.step_count - 1) // self.order.steps_per_epoch + 1

    @property
    def images_seen(self) -> int:
        """Training images so far, each counted once an epoch."""
        epochs, steps = divmod(self.step_count, self.order.steps_per_epoch)
        return epochs * self.order.images + steps * self.order.batch_size

    @property
    def learning_rate(self) -> float:
        """Step size of the network (not of a learned scale); may be set between steps."""
        return float(self.optimizer.param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        about = option("learning_rate")
        assert about.minimum is not None
        assert about.maximum is not None
        if not about.minimum <= value <= about.maximum:
            raise ConfigError(f"learning_rate: {value!r} given; allowed is {about.allowed}")
        self.optimizer.param_groups[0]["lr"] = float(value)

    @property
    def scale(self) -> float | None:
        """The likelihood's standard deviation now, None where it has none."""
        scale = self.model.likelihood.scale
        return None if scale is None else float(scale)

    def step(self, *, observe: bool = True) -> list[TrainEvent]:
        """One optimiser step and what it brings about; nothing when ``finished``.

        With ``observe`` a ``StepEvent`` of this batch, before its update; at an epoch's end an
        ``EpochEvent``; after the last step the reconstructions, the gallery and
        ``FinishedEvent``. A loss that is not finite gives a ``DivergedEvent`` instead.
        """
        if self.finished:
            return []
        began = time.perf_counter()
        index = self.step_count % self.order.steps_per_epoch
        last = index == self.order.steps_per_epoch - 1
        x = self.pixels.train_batch(self.order.take(index))
        elbo, output = forward(self.model, x, self.noise, self.config)
        loss = elbo.loss.mean()
        if not self._accept(loss.detach(), len(x), observe or last):
            return [self._diverge(elbo)]
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.step_count += 1
        self.tally.count_time(time.perf_counter() - began, len(x))
        events: list[TrainEvent] = []
        if observe:
            events.append(self._observe(elbo, output.detach(), x, loss))
        if last:
            events += self._end_epoch()
        return events

    def reconstruct(self) -> ReconstructionEvent:
        """The fixed test batch as the model renders it now."""
        return reconstruct(self.model, self.pixels, self._strip, self.step_count)

    def evaluate(self) -> TestFigures:
        """Figures on the whole test set with the weights as they are."""
        return test_figures(self.model, self.pixels, self.config)

    def build_gallery(self) -> GalleryEvent:
        """What the decoder knows, with the weights as they are."""
        kl_per_latent = test_kl_per_latent(self.model, self.pixels)
        return build_gallery(self.model, self.pixels, self.data, self.step_count, kl_per_latent)

    def events(
        self, *, every_steps: int = 1, every_seconds: float = 0.0, picture_seconds: float = 0.25
    ) -> Iterator[TrainEvent]:
        """Train to the end. A ``StepEvent`` comes every ``every_steps`` steps, but not within
        ``every_seconds`` of the last; reconstructions at the start, at the end, and at most every
        ``picture_seconds`` in between. Epoch events always come.
        """
        if self.finished:
            return
        yield self.reconstruct()
        event_due = 0.0
        picture_due = time.monotonic() + picture_seconds
        while not self.finished:
            observe = self.step_count % every_steps == 0 and time.monotonic() >= event_due
            yield from self.step(observe=observe)
            now = time.monotonic()
            if observe:
                event_due = now + every_seconds
            if now >= picture_due and not self.finished:
                yield self.reconstruct()
                picture_due = time.monotonic() + picture_seconds

    def state(self) -> dict[str, Any]:
        """Everything that a bit-equal continuation needs, as tensors and plain values."""
        return {
            "step": self.step_count,
            "seconds": self.tally.seconds,
            "epoch_loss": self.tally.epoch_loss,
            "epoch_seconds": self.tally.epoch_seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "order": self.order.state(),
            "noise": self.noise.get_state(),
            "pixels": self.pixels.generator.get_state(),
            "device": self.device.type,
        }

    def restore(self, state: Mapping[str, Any], history: Sequence[EpochEvent]) -> None:
        """Inverse of ``state``; bit-equal on a CPU. On another kind of device than the one that
        wrote it, the noise starts a stream of its own.

        Raises ``ValueError``, ``TypeError`` or ``KeyError`` before anything is changed, where the
        state is not one that this run could have had.
        """
        most = MOST_EPOCHS * self.order.steps_per_epoch
        step_count = check_count("step", state["step"], most)
        names = ("seconds", "epoch_loss", "epoch_seconds")
        tally = Tally(*(check_figure(name, state[name]) for name in names))
        check_weights(state["model"], self.model.state_dict())
        optimizer = fit_optimizer(state["optimizer"], self.optimizer)
        order = check_generator_state("order", state["order"], self.order.generator)
        generators = {"noise": self.noise, "pixels": self.pixels.generator}
        goes_on = state["device"] == self.device.type
        drawn = {
            name: check_generator_state(name, state[name], generator)
            for name, generator in generators.items()
            if goes_on
        }
        self.step_count, self.tally, self.history = step_count, tally, list(history)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(optimizer)
        self.order.restore(order, self.step_count % self.order.steps_per_epoch)
        for name, generator in generators.items():
            if goes_on:
                generator.set_state(drawn[name])
            else:
                generator.manual_seed(self.config.seed + self.step_count)
        self._good = self._copy_weights()

    def start_from(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with ``weights``. Raises ``ValueError`` or ``TypeError`` where they do not fit."""
        check_weights(weights, self.model.state_dict())
        self.model.load_state_dict(dict(weights))
        self._good = self._copy_weights()

    def _copy_weights(self) -> dict[str, Tensor]:
        return {name: value.clone() for name, value in self.model.state_dict().items()}

    def _accept(self, loss: Tensor, images: int, now: bool) -> bool:
        """Take note of a loss; False when it, or one before it, is known not to be finite.

        The device is asked ``now``, when weights are to be kept, and when many are unasked.
        """
        self.tally.add(loss, images)
        keep = self.step_count % SYNC_STEPS == 0
        if (now or keep or self.tally.waiting >= self._sync_steps) and not self.tally.collect():
            return False
        if keep:
            # The loss of these very weights is known to be finite.
            self._good = self._copy_weights()
        return True

    def _observe(self, elbo: Elbo, output: Tensor, x: Tensor, loss: Tensor) -> StepEvent:
        with torch.no_grad():
            mean = self.model.likelihood.mean(output)
            mse = (mean - x).square().mean()
            figures = torch.stack([elbo.log_likelihood.mean(), elbo.kl.mean(), loss, mse])
            log_likelihood, kl, loss_value, mse_value = figures.tolist()
            kl_per_latent = tuple(elbo.kl_per_latent.mean(0).tolist())
        return StepEvent(
            step=self.step_count,
            total_steps=self.total_steps,
            epoch=self.epoch,
            log_likelihood=log_likelihood,
            kl=kl,
            loss=loss_value,
            mse=mse_value,
            kl_per_latent=kl_per_latent,
            scale=self.scale,
            learning_rate=self.learning_rate,
            images_per_second=self.tally.take_rate(),
        )

    def _end_epoch(self) -> list[TrainEvent]:
        figures = test_figures(self.model, self.pixels, self.config, every_reading=False)
        if not math.isfinite(figures.mean("loss")):
            return [self._diverge(figures)]
        event = EpochEvent(
            epoch=self.epoch,
            step=self.step_count,
            train_loss=self.tally.epoch_loss / self.order.images,
            test_loss=figures.mean("loss"),
            test_log_likelihood=figures.mean("log_likelihood"),
            test_kl=figures.mean("kl"),
            test_mse=figures.mean("mse"),
            test_kl_per_latent=tuple((figures.kl_per_latent / figures.images).tolist()),
            scale=self.scale,
            seconds=self.tally.epoch_seconds,
            images_per_second=self.order.images / self.tally.epoch_seconds,
            response=figures.response(),
            calibration=figures.calibration(),
            bits_per_pixel=figures.bits_per_pixel(),
        )
        self.history.append(event)
        self.tally.next_epoch()
        self.order.next_epoch()
        if not self.finished:
            return [event]
        kl_per_latent = event.test_kl_per_latent
        gallery = build_gallery(self.model, self.pixels, self.data, self.step_count, kl_per_latent)
        finished = FinishedEvent(self.step_count, self.epoch, self.seconds)
        return [event, self.reconstruct(), gallery, finished]

    def _diverge(self, terms: Elbo | TestFigures) -> DivergedEvent:
        """Put the last good weights back and say what happened."""
        names = {"KL": "kl", "log likelihood": "log_likelihood", "loss": "loss"}
        values = {term: terms.mean(name) for term, name in names.items()}
        broken = [term for term, value in values.items() if not math.isfinite(value)]
        term = broken[0] if broken else "loss"
        self.model.load_state_dict(self._good)
        advice = advise(self.config, self.learning_rate, term)
        self.diverged = DivergedEvent(self.step_count, term, values[term], advice)
        return self.diverged


def train(config: TrainConfig, data: ImageData, **pace: Any) -> Iterator[TrainEvent]:
    """The events of a whole run; ``pace`` as in ``Trainer.events``, whose trainer this hides."""
    return Trainer(config, data).events(**pace)
