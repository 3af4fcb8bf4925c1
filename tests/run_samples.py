"""Runs without training: snapshots whose figures and pictures are known to the last digit."""

from dataclasses import replace

import numpy as np

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.runs.snapshots import Frame, MemberSnapshot, RunSnapshot
from vae.wire.events import (
    BoundEvent,
    CalibrationBin,
    EpochEvent,
    GalleryEvent,
    ReconstructionEvent,
    StepEvent,
)
from vae.wire.protocol import RunState

TOTAL_STEPS = 100


def step_event(step: int, config: TrainConfig, offset: float = 0.0) -> StepEvent:
    kl = tuple(float(rank) for rank in range(config.latent_dim))
    scale = 0.5 if config.likelihood.startswith("gaussian") else None
    log_likelihood = -200.0 + step + offset
    return StepEvent(
        step=step,
        total_steps=TOTAL_STEPS,
        epoch=1,
        log_likelihood=log_likelihood,
        kl=sum(kl),
        loss=sum(kl) - log_likelihood,
        mse=0.25 / (1 + step),
        kl_per_latent=kl,
        scale=scale,
        learning_rate=config.learning_rate,
        images_per_second=10_000.0,
    )


def epoch_event(step: int, config: TrainConfig) -> EpochEvent:
    event = step_event(step, config)
    return EpochEvent(
        epoch=1,
        step=step,
        train_loss=event.loss,
        test_loss=event.loss + 1,
        test_log_likelihood=event.log_likelihood - 1,
        test_kl=event.kl,
        test_mse=event.mse,
        test_kl_per_latent=event.kl_per_latent,
        scale=event.scale,
        seconds=1.0,
        images_per_second=10_000.0,
        response=(CalibrationBin(0.1, 0.2, 300), CalibrationBin(0.9, 0.8, 100)),
        calibration=(CalibrationBin(0.12, 0.1, 200), CalibrationBin(0.7, 0.8, 200)),
        bits_per_pixel=2.125 if BELIEFS[config.likelihood].normalised else None,
    )


def bound_event(samples: int = 1000) -> BoundEvent:
    done = samples == 1000
    return BoundEvent(
        step=TOTAL_STEPS,
        images=100,
        pixels=784,
        samples=samples,
        total_samples=1000,
        density=False,
        draws=(1, 10, 100, 1000) if done else (1, 10),
        nats=(-1100.0, -1090.0, -1080.0, -1075.0) if done else (-1100.0, -1090.0),
        errors=(20.0,) * (4 if done else 2),
        gap=25.0 if done else 10.0,
        gap_error=1.5,
        amortisation_gap=15.0 if done else None,
        amortisation_error=1.0 if done else None,
        seconds=4.0,
    )


def frame(step: int, images: int = 10) -> Frame:
    targets = np.full((images, 28, 28), 200, np.uint8)
    means = np.full((images, 28, 28), step % 256, np.uint8)
    samples = np.full((images, 28, 28), 255 - step % 256, np.uint8)
    return Frame(step, ReconstructionEvent(step, targets, means, samples))


def gallery(config: TrainConfig, step: int = TOTAL_STEPS) -> GalleryEvent:
    codes = np.stack([np.linspace(-2, 2, 20), np.linspace(2, -2, 20)], axis=1)
    return GalleryEvent(
        step=step,
        prior=np.zeros((30, 28, 28), np.uint8),
        traversals=np.zeros((min(6, config.latent_dim), 9, 28, 28), np.uint8),
        latents=tuple(range(min(2, config.latent_dim))),
        codes=codes.astype(np.float32),
        labels=(np.arange(20) % 10).astype(np.uint8),
        grid=np.zeros((12, 12, 28, 28), np.uint8),
    )


def member(config: TrainConfig, steps: tuple[int, ...] = (1, 10, 100)) -> MemberSnapshot:
    return MemberSnapshot(
        config=config,
        steps=tuple(step_event(step, config) for step in steps),
        epochs=(epoch_event(steps[-1], config),),
        frames=tuple(frame(step) for step in (0, *steps)),
        gallery=gallery(config),
    )


def run(
    *configs: TrainConfig, state: RunState = RunState.FINISHED, **changes: object
) -> RunSnapshot:
    snapshot = RunSnapshot(
        run_id="sample-run-1",
        version=1,
        state=state,
        members=tuple(member(config) for config in configs or (TrainConfig(),)),
        step=TOTAL_STEPS,
        total_steps=TOTAL_STEPS,
        device="CPU",
    )
    return replace(snapshot, **changes)  # type: ignore[arg-type]
