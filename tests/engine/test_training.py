"""The trainer: its events, its randomness, its figures, and how it ends."""

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
import torch
from samples import small_images
from torch import distributions

from vae.beliefs import BELIEFS
from vae.config import LIKELIHOODS, ConfigError, TrainConfig
from vae.engine import evaluation
from vae.engine.training import Trainer, train
from vae.images.sets import ImageData
from vae.wire.events import (
    DivergedEvent,
    EpochEvent,
    FinishedEvent,
    GalleryEvent,
    ReconstructionEvent,
    StepEvent,
    TrainEvent,
)

DATA = small_images()
CONFIG = TrainConfig(epochs=2, batch_size=64, latent_dim=3, hidden_dim=16, device="cpu")
STEPS = 5  # 300 images in batches of 64, the last of 44


def of_kind(events: Iterable[TrainEvent], kind: type) -> list:
    return [event for event in events if isinstance(event, kind)]


def weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([value.detach().flatten() for value in trainer.model.parameters()])


def run(trainer: Trainer, steps: int | None = None) -> list[TrainEvent]:
    events: list[TrainEvent] = []
    while not trainer.finished and (steps is None or trainer.step_count < steps):
        events += trainer.step()
    return events


def test_events_of_a_run_come_in_order() -> None:
    events = list(train(CONFIG, DATA, picture_seconds=math.inf))
    steps = [StepEvent] * STEPS
    end = [ReconstructionEvent, GalleryEvent, FinishedEvent]
    expected = [ReconstructionEvent, *steps, EpochEvent, *steps, EpochEvent, *end]
    assert [type(event) for event in events] == expected
    assert [event.step for event in of_kind(events, StepEvent)] == list(range(1, 11))
    assert [event.epoch for event in of_kind(events, StepEvent)] == [1] * 5 + [2] * 5
    assert {event.total_steps for event in of_kind(events, StepEvent)} == {10}
    assert (events[0].step, events[-1].step, events[-1].epoch) == (0, 10, 2)


def test_step_events_may_be_thinned_and_epochs_stay_exact() -> None:
    every = list(train(CONFIG, DATA))
    third = list(train(CONFIG, DATA, every_steps=3))
    slow = list(train(CONFIG, DATA, every_seconds=3600))
    assert [event.step for event in of_kind(third, StepEvent)] == [1, 4, 7, 10]
    assert [event.step for event in of_kind(slow, StepEvent)] == [1]
    for thinned in (third, slow):
        for one, other in zip(
            of_kind(every, EpochEvent), of_kind(thinned, EpochEvent), strict=True
        ):
            timeless = {"seconds": 0.0, "images_per_second": 0.0}
            assert replace(one, **timeless) == replace(other, **timeless)


def test_pictures_come_at_a_bounded_rate() -> None:
    always = of_kind(train(CONFIG, DATA, picture_seconds=0), ReconstructionEvent)
    assert [event.step for event in always] == list(range(11))
    seldom = of_kind(train(CONFIG, DATA, picture_seconds=3600), ReconstructionEvent)
    assert [event.step for event in seldom] == [0, 10]


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("architecture", ["mlp", "linear"])
def test_every_model_learns(likelihood: str, architecture: str) -> None:
    config = replace(
        CONFIG, likelihood=likelihood, architecture=architecture, scale=0.3, epochs=12,
        learning_rate=3e-3,
    )  # fmt: skip
    events = list(train(config, DATA))
    epochs = of_kind(events, EpochEvent)
    assert epochs[-1].test_loss < epochs[0].test_loss
    assert isinstance(events[-1], FinishedEvent)
    has_scale = BELIEFS[likelihood].scale is not None
    assert (epochs[-1].scale is not None) == has_scale


def test_runs_that_differ_in_likelihood_share_weights_and_batches() -> None:
    alike = [name for name in LIKELIHOODS if BELIEFS[name].outputs == 1]
    first = [Trainer(replace(CONFIG, likelihood=name), DATA) for name in alike]
    network = [weights(trainer)[: weights(first[0]).numel()] for trainer in first]
    rows: dict[int, list[list[int]]] = {index: [] for index in range(len(first))}
    for index, trainer in enumerate(first):
        take = trainer.order.take

        def watched(batch: int, *, take=take, seen=rows[index]) -> torch.Tensor:
            chosen = take(batch)
            seen.append(chosen.tolist())
            return chosen

        trainer.order.take = watched  # type: ignore[method-assign]
    for index, trainer in enumerate(first):
        assert torch.equal(network[index], network[0])
        run(trainer)
        assert rows[index] == rows[0]
        assert torch.equal(trainer.noise.get_state(), first[0].noise.get_state())
    epochs = [sorted(chain(*rows[0][start : start + STEPS])) for start in (0, STEPS)]
    assert epochs == [list(range(300))] * 2
    assert rows[0][:STEPS] != rows[0][STEPS:]
    assert [len(batch) for batch in rows[0][:STEPS]] == [64] * 4 + [44]


def test_a_seed_gives_one_run_and_another_seed_another() -> None:
    torch.manual_seed(1)
    first = Trainer(CONFIG, DATA)
    run(first)
    torch.manual_seed(2)
    again, other = Trainer(CONFIG, DATA), Trainer(replace(CONFIG, seed=2), DATA)
    run(again)
    run(other)
    assert torch.equal(weights(first), weights(again))
    assert not torch.equal(weights(first), weights(other))


def test_looking_does_not_change_a_run() -> None:
    watched, alone = Trainer(CONFIG, DATA), Trainer(CONFIG, DATA)
    while not alone.finished:
        watched.step()
        watched.reconstruct()
        watched.evaluate()
        alone.step(observe=False)
    assert torch.equal(weights(watched), weights(alone))


def test_the_caller_sets_the_pace_and_the_learning_rate() -> None:
    trainer = Trainer(CONFIG, DATA)
    events = trainer.events(picture_seconds=math.inf)
    next(events)
    assert trainer.step_count == 0
    next(events)
    assert trainer.step_count == 1
    before = weights(trainer)
    trainer.learning_rate = 1e-7
    event = next(events)
    assert isinstance(event, StepEvent)
    assert event.learning_rate == 1e-7
    assert (weights(trainer) - before).abs().max() < 1e-6
    trainer.learning_rate = 0.1
    next(events)
    assert (weights(trainer) - before).abs().max() > 0.01


@pytest.mark.parametrize("value", [0, -1.0, 11, math.nan, math.inf])
def test_a_learning_rate_out_of_range_is_refused(value: float) -> None:
    trainer = Trainer(CONFIG, DATA)
    with pytest.raises(ConfigError, match=r"learning_rate: .* given; allowed is 1e-07 to 10"):
        trainer.learning_rate = value
    assert trainer.learning_rate == CONFIG.learning_rate


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("reduction", ["sum", "pixel-mean"])
@pytest.mark.parametrize("sampling", [True, False])
def test_figures_add_up(likelihood: str, reduction: str, sampling: bool) -> None:
    config = replace(
        CONFIG, likelihood=likelihood, reduction=reduction, sampling=sampling, beta=2.0
    )
    events = run(Trainer(config, DATA))
    weight = 2.0 if sampling else 0.0
    for event in of_kind(events, StepEvent):
        assert event.loss == pytest.approx(-(event.log_likelihood - weight * event.kl), rel=1e-5)
        assert sum(event.kl_per_latent) == pytest.approx(event.kl, rel=1e-5)
    for event in of_kind(events, EpochEvent):
        elbo = event.test_log_likelihood - weight * event.test_kl
        assert event.test_loss == pytest.approx(-elbo, rel=1e-6)
        assert sum(event.test_kl_per_latent) == pytest.approx(event.test_kl, rel=1e-6)


def test_train_loss_is_the_mean_over_images_in_full_precision() -> None:
    events = run(Trainer(CONFIG, DATA))
    losses = [event.loss for event in of_kind(events, StepEvent)][:STEPS]
    sizes = [64] * 4 + [44]
    expected = math.fsum(loss * size for loss, size in zip(losses, sizes, strict=True)) / 300
    assert of_kind(events, EpochEvent)[0].train_loss == pytest.approx(expected, rel=1e-12)


def test_a_gallery_between_epochs_ranks_latents_by_the_test_sets_kl() -> None:
    """It asks the encoder alone; the figures of a whole test take several times as long."""
    trainer = Trainer(CONFIG, DATA)
    run(trainer, 3)
    figures = trainer.evaluate()
    expected = figures.kl_per_latent / figures.images
    got = evaluation.test_kl_per_latent(trainer.model, trainer.pixels)
    assert got == pytest.approx(expected, rel=1e-6)
    gallery = trainer.build_gallery()
    assert gallery.step == 3
    assert gallery.latents == tuple(np.argsort(-expected)[:2])
    assert trainer.model.training


def test_test_figures_are_those_of_torch_distributions() -> None:
    trainer = Trainer(replace(CONFIG, likelihood="gaussian", scale=0.4), DATA)
    run(trainer, 7)
    figures = trainer.evaluate()
    x = torch.from_numpy(DATA.test.reshape(100, -1) / 255).float()
    generator = trainer.pixels.test_generator()
    with torch.no_grad():
        mean, logvar = trainer.model.encode(x)
        posterior = distributions.Normal(mean, (0.5 * logvar).exp())
        z = mean + posterior.stddev * torch.randn(mean.shape, generator=generator)
        output = torch.sigmoid(trainer.model.decode(z))
        log_prob = distributions.Normal(output, 0.4).log_prob(x).sum(1).mean().item()
        prior = distributions.Normal(torch.zeros(3), torch.ones(3))
        kl = distributions.kl_divergence(posterior, prior).sum(1).mean().item()
    assert figures.mean("log_likelihood") == pytest.approx(log_prob, rel=1e-5)
    assert figures.mean("kl") == pytest.approx(kl, rel=1e-5)
    assert figures.mean("mse") == pytest.approx(((output - x) ** 2).mean().item(), rel=1e-5)
    # Each grouping has a mean in its own bin; the other mean is over the same pixels.
    for bins, by in ((figures.response(), "target"), (figures.calibration(), "output")):
        greys = {"target": x.numpy(), "output": output.numpy()}
        for entry in bins:
            bin_number = min(int(getattr(entry, by) * 20), 19)
            inside = (greys[by] * 20).astype(int).clip(max=19) == bin_number
            assert entry.count == inside.sum()
            for name, values in greys.items():
                assert getattr(entry, name) == pytest.approx(values[inside].mean(), abs=1e-5)
        assert sum(entry.count for entry in bins) == x.numel()


def test_beta_zero_without_sampling_leaves_the_variance_alone() -> None:
    """A plain autoencoder: nothing in the loss depends on logvar."""
    trainer = Trainer(replace(CONFIG, sampling=False), DATA)
    before = trainer.model.encoder.head.weight.detach().clone()
    run(trainer)
    after = trainer.model.encoder.head.weight.detach()
    assert torch.equal(before[3:], after[3:])
    assert not torch.equal(before[:3], after[:3])


def test_divergence_is_named_and_the_last_good_weights_come_back() -> None:
    config = replace(
        CONFIG, likelihood="gaussian", scale=0.01, optimizer="sgd", learning_rate=10.0,
        architecture="linear", epochs=50,
    )  # fmt: skip
    events = list(train(config, DATA))
    assert isinstance(events[-1], DivergedEvent)
    assert not of_kind(events, FinishedEvent)
    assert not math.isfinite(events[-1].value)
    assert events[-1].term in ("KL", "log likelihood", "loss")
    assert "learning rate below 10" in events[-1].advice
    trainer = Trainer(config, DATA)
    start = weights(trainer)
    run(trainer)
    assert trainer.diverged is not None
    assert trainer.finished
    assert trainer.step() == []
    assert torch.equal(weights(trainer), start)
    assert math.isfinite(trainer.evaluate().mean("loss"))


def test_divergence_names_its_term() -> None:
    trainer = Trainer(CONFIG, DATA)
    run(trainer, 3)
    good = trainer._good
    with torch.no_grad():
        # exp(logvar) overflows float32; the reconstruction's draws are infinite with it.
        trainer.model.encoder.head.bias[3:] = 200.0
    (event,) = trainer.step()
    assert isinstance(event, DivergedEvent)
    assert (event.term, event.step) == ("KL", 3)
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(value, good[name])


def test_binarised_targets_are_drawn_once_or_every_step() -> None:
    static = Trainer(replace(CONFIG, binarise="static"), DATA).pixels
    resampled = Trainer(replace(CONFIG, binarise="resampled"), DATA).pixels
    rows = torch.arange(300)
    fixed = [static.train_batch(rows) for _ in range(2)]
    drawn = torch.stack([resampled.train_batch(rows) for _ in range(200)])
    assert torch.equal(*fixed)
    assert not torch.equal(drawn[0], drawn[1])
    grey = torch.from_numpy(DATA.train.reshape(300, -1) / 255).float()
    for x in (fixed[0], drawn):
        assert set(x.unique().tolist()) <= {0.0, 1.0}
    # Two hundred draws of each pixel: standard error at most .035.
    assert (drawn.mean(0) - grey).abs().max() < 0.2
    assert (drawn.mean(0) - grey).mean().abs() < 0.002
    assert (fixed[0] - grey).mean().abs() < 0.02
    for pixels in (static, resampled):
        x = pixels.test_batch(pixels.test, pixels.test_generator())
        assert set(x.unique().tolist()) <= {0.0, 1.0}


def test_grey_levels_at_the_ends_stay_certain_when_drawn() -> None:
    ends = np.zeros((50, 4, 4), np.uint8)
    ends[:, :, 2:] = 255
    labels = np.zeros(50, np.uint8)
    data = ImageData("ends", ends, labels, ends, labels, ("only",))
    pixels = Trainer(replace(CONFIG, binarise="resampled"), data).pixels
    x = pixels.train_batch(torch.arange(50)).reshape(50, 4, 4)
    assert (x[:, :, :2] == 0).all()
    assert (x[:, :, 2:] == 1).all()


def test_continuous_bernoulli_sees_no_exact_zero_or_one() -> None:
    trainer = Trainer(replace(CONFIG, likelihood="continuous-bernoulli"), DATA)
    x = trainer.pixels.train_batch(torch.arange(300))
    grey = torch.from_numpy(DATA.train.reshape(300, -1).astype(np.float32))
    assert x.min() >= 0
    assert x.max() <= 1
    assert torch.equal((x * 256).floor().clamp(max=255), grey)
    assert not torch.equal(x, trainer.pixels.train_batch(torch.arange(300)))


@pytest.mark.parametrize("latent_dim", [1, 2, 9])
def test_gallery_fits_any_number_of_latents(latent_dim: int) -> None:
    events = list(train(replace(CONFIG, latent_dim=latent_dim, epochs=1), DATA))
    (gallery,) = of_kind(events, GalleryEvent)
    assert gallery.prior.shape[1:] == (6, 5)
    assert gallery.traversals.shape == (min(latent_dim, 6), 9, 6, 5)
    assert gallery.grid.shape == (12, 12, 6, 5)
    assert gallery.codes.shape == (100, 2)
    assert gallery.labels.tolist() == DATA.test_labels.tolist()
    assert len(gallery.latents) == min(latent_dim, 2)
    kl = of_kind(events, EpochEvent)[-1].test_kl_per_latent
    assert gallery.latents[0] == int(np.argmax(kl))


def test_gallery_grid_runs_up_the_second_latent_and_right_along_the_first() -> None:
    trainer = Trainer(replace(CONFIG, latent_dim=2, epochs=1), DATA)
    (gallery,) = of_kind(run(trainer), GalleryEvent)
    z = torch.zeros(1, 2)
    z[0, gallery.latents[0]], z[0, gallery.latents[1]] = -3, 3
    with torch.no_grad():
        corner = torch.sigmoid(trainer.model.decode(z)).numpy().reshape(6, 5)
    assert np.abs(gallery.grid[0, 0] / 255 - corner).max() <= 0.5 / 255 + 1e-6


def test_the_fixed_batch_has_one_image_of_each_class() -> None:
    trainer = Trainer(replace(CONFIG, likelihood="gaussian"), DATA)
    first, second = trainer.reconstruct(), trainer.reconstruct()
    assert first.targets.shape == first.means.shape == first.samples.shape == (10, 6, 5)
    assert first.targets.dtype == first.means.dtype == first.samples.dtype == np.uint8
    assert np.array_equal(first.samples, second.samples)
    assert not np.array_equal(first.samples, first.means)
    rows = [np.flatnonzero(DATA.test_labels == label)[0] for label in range(10)]
    assert np.array_equal(first.targets, DATA.test[rows])


def test_a_set_smaller_than_a_batch_trains() -> None:
    data = small_images(train=7, test=3)
    events = list(train(replace(CONFIG, batch_size=500), data))
    assert [event.step for event in of_kind(events, StepEvent)] == [1, 2]
    assert of_kind(events, ReconstructionEvent)[0].targets.shape == (3, 6, 5)


def test_images_of_another_kind_are_refused() -> None:
    for train_images, test_images, words in (
        (DATA.train / 255, DATA.test, r"data.train: float64 of shape \(300, 6, 5\) given"),
        (DATA.train, DATA.test[:0], r"data.test: uint8 of shape \(0, 6, 5\) given"),
        (DATA.train, DATA.test[:, :4], r"data.test: images of \(4, 5\) given"),
    ):
        data = ImageData(
            "bad", train_images, DATA.train_labels, test_images, DATA.test_labels, ("a",)
        )
        with pytest.raises(ValueError, match=words):
            Trainer(CONFIG, data)


def test_members_of_a_comparison_hold_the_images_once() -> None:
    first, second = (Trainer(replace(CONFIG, device="cpu"), DATA) for _ in range(2))
    assert first.pixels.train.data_ptr() == second.pixels.train.data_ptr()
    before = DATA.train.copy()
    run(first)
    run(second)
    assert np.array_equal(DATA.train, before)


def test_a_learned_scale_has_a_learning_rate_of_its_own() -> None:
    config = replace(CONFIG, likelihood="gaussian-learned", scale_learning_rate=0.05)
    trainer = Trainer(config, DATA)
    trainer.learning_rate = 1e-7
    before = trainer.scale
    trainer.step()
    assert before is not None
    assert trainer.scale is not None
    # Adam's first step is the learning rate, here of log sigma's free parameter.
    assert abs(math.log(trainer.scale / before)) == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
@pytest.mark.parametrize("reduction", ["sum", "pixel-mean"])
def test_a_learned_scale_finds_its_place_without_adam_too(optimizer: str, reduction: str) -> None:
    rate = 1e-4 if reduction == "sum" else 1e-2
    config = replace(
        CONFIG, likelihood="gaussian-learned", optimizer=optimizer, reduction=reduction,
        learning_rate=rate, scale_learning_rate=0.1, epochs=60,
    )  # fmt: skip
    trainer = Trainer(config, DATA)
    run(trainer)
    rmse = math.sqrt(trainer.history[-1].test_mse)
    assert trainer.scale == pytest.approx(rmse, rel=0.15)
