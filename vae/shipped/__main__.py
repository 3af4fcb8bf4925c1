"""``python -m vae.shipped --data-dir DIR``: make all of ``checkpoints/`` anew.

Every run of a data set has the same seed, so the same initial weights and the same order of the
images: two cards differ in what their settings say alone. A card tells the figures of the
weights as they are shipped, rounded to 16 bits.
"""

import argparse
import json
import math
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vae.beliefs import BELIEFS
from vae.config import PUBLIC_DATASETS, TrainConfig
from vae.cores import prepare_threads
from vae.files import write_atomically
from vae.images.sets import ImageData, fingerprint, load_images
from vae.shipped.cards import (
    CHECKPOINTS,
    MATCHED,
    MATCHED_SEEDS,
    SUMMARIES,
    Card,
    DataSummary,
    EpochRow,
    load_cards,
)
from vae.theory.prediction import active_latents, summarise

if TYPE_CHECKING:
    from vae.engine.training import Trainer

LONG_BETA = 7.5


@dataclass(frozen=True)
class Recipe:
    """A run to ship: its settings, its words, and whether its weights are kept."""

    name: str
    title: str
    config: TrainConfig
    note: str = ""
    weights: bool = True


def build_recipes() -> list[Recipe]:
    """Everything that is shipped: six models for each data set, then runs told by figures alone."""
    models = [recipe for dataset in PUBLIC_DATASETS for recipe in _models(dataset)]
    sweeps = [recipe for dataset in PUBLIC_DATASETS for recipe in _scale_sweep(dataset)]
    matched = [recipe for dataset in PUBLIC_DATASETS for recipe in _matched(dataset)]
    return [*models, *sweeps, _plain_autoencoder(), *matched, *_long()]


def _common(dataset: str) -> dict[str, Any]:
    """What the models of one data set share."""
    # The built-in set has a fifth of the images: as many steps need more epochs.
    epochs = 40 if dataset == "digits" else 10
    return {"dataset": dataset, "hidden_dim": 200, "epochs": epochs, "device": "cpu"}


def _models(dataset: str) -> Iterable[Recipe]:
    common = _common(dataset)
    for belief in BELIEFS.values():
        if belief.shipped_title:
            title = f"{belief.shipped_title}, {PUBLIC_DATASETS[dataset]}"
            config = TrainConfig(**common, likelihood=belief.name)
            yield Recipe(f"{dataset}-{belief.name}", title, config)
    yield Recipe(
        f"{dataset}-collapsed",
        f"Mean squared error over pixels beside a summed KL, {PUBLIC_DATASETS[dataset]}",
        TrainConfig(**common, likelihood="gaussian", scale=math.sqrt(0.5), reduction="pixel-mean"),
        "The loss is square(x - mu).mean() + KL, up to a constant: σ² is D/2 = 392. "
        "Its log likelihood is a mean over pixels.",
    )
    yield Recipe(
        f"{dataset}-map",
        f"A map: Bernoulli with two latents, {PUBLIC_DATASETS[dataset]}",
        TrainConfig(**common, likelihood="bernoulli", latent_dim=2),
    )


def _scale_sweep(dataset: str) -> Iterable[Recipe]:
    for variance in (392, 1, 0.5, 0.1, 0.02):
        config = TrainConfig(
            dataset=dataset,
            likelihood="gaussian",
            scale=math.sqrt(variance),
            epochs=20 if dataset == "digits" else 5,
            device="cpu",
        )
        title = f"Gaussian, σ² = {variance:g}, {PUBLIC_DATASETS[dataset]}"
        yield Recipe(f"{dataset}-variance-{variance:g}", title, config, weights=False)


def _plain_autoencoder() -> Recipe:
    config = TrainConfig(
        dataset="mnist", likelihood="bernoulli", hidden_dim=200, sampling=False, device="cpu"
    )
    note = (
        "z is the encoder's mean and the KL has no weight; the KL given is what it would cost. "
        "Compare with mnist-bernoulli: same seed, same order."
    )
    return Recipe("mnist-plain-autoencoder", "A plain autoencoder, MNIST", config, note, False)


def _matched(dataset: str) -> Iterable[Recipe]:
    """Three losses at one KL, from each seed: the Bernoulli's, and two that are set to it.

    The Bernoulli's own weight has no dial. Sigma of the Gaussian, and beta of the continuous
    Bernoulli, are chosen so that their KL comes out within a few per cent of its KL.
    """
    scale, beta = MATCHED[dataset]
    common = _common(dataset)
    note = "One of three losses at nearly one KL: what differs between them is the loss's own."
    chosen: dict[str, tuple[str, dict[str, Any]]] = {
        "bernoulli": ("Bernoulli (BCE)", {}),
        "gaussian-matched": (
            f"Gaussian, σ = {scale:g}",
            {"likelihood": "gaussian", "scale": scale},
        ),
        "continuous-bernoulli-matched": (
            f"continuous Bernoulli, β = {beta:g}",
            {"likelihood": "continuous-bernoulli", "beta": beta},
        ),
    }
    for name, (title, settings) in chosen.items():
        for seed in MATCHED_SEEDS[dataset]:
            if name == "bernoulli" and seed == 1:
                continue  # It is one of the six models.
            config = TrainConfig(**{**common, "seed": seed, **settings})
            suffix = "" if seed == 1 else f"-seed-{seed}"
            words = f"{title}, {PUBLIC_DATASETS[dataset]}, seed {seed}"
            yield Recipe(f"{dataset}-{name}{suffix}", words, config, note, False)


def _long() -> Iterable[Recipe]:
    """The two losses that learn at the most different pace, at one KL, with five times the epochs.

    The KL of a fixed beta grows while a run lasts: a long one needs a larger beta.
    """
    note = "What is left of the difference at one KL when both have had time."
    for name, title, settings in (
        ("bernoulli", "Bernoulli (BCE)", {}),
        (
            "continuous-bernoulli",
            f"continuous Bernoulli, β = {LONG_BETA:g}",
            {"likelihood": "continuous-bernoulli", "beta": LONG_BETA},
        ),
    ):
        common = _common("digits")
        config = TrainConfig(**{**common, "epochs": 5 * common["epochs"], **settings})
        words = f"{title}, {PUBLIC_DATASETS['digits']}, {config.epochs} epochs"
        yield Recipe(f"digits-{name}-long", words, config, note, False)


def main(arguments: list[str] | None = None) -> int:
    """Train what is named, or everything, and write cards, weights and summaries."""
    parser = argparse.ArgumentParser(prog="python -m vae.shipped", description=__doc__)
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder with MNIST/raw")
    parser.add_argument("--output", type=Path, metavar="DIR", default=CHECKPOINTS)
    parser.add_argument(
        "--measure", action="store_true", help="train nothing: measure the weights' bits again"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these cards, or 'summaries'")
    options = parser.parse_args(arguments)
    recipes = {recipe.name: recipe for recipe in build_recipes()}
    names = options.only or ["summaries", *recipes]
    unknown = sorted(set(names) - set(recipes) - {"summaries"})
    if unknown:
        parser.error(f"--only: {unknown[0]!r} given; allowed is summaries, {', '.join(recipes)}")
    if options.measure:
        for card in load_cards().values():
            if card.weights and card.name in names:
                measure_again(card, options.output, options.data_dir)
        return 0
    for name in names:
        if name == "summaries":
            _write_json(options.output / SUMMARIES, build_summaries(options.data_dir))
        else:
            make(recipes[name], options.output, options.data_dir)
    return 0


def build_summaries(data_dir: Path | None) -> dict[str, dict[str, Any]]:
    """The content of ``data-summaries.json``: a ``DataSummary`` for each set, as plain values."""
    summaries = {}
    for name in PUBLIC_DATASETS:
        values = vars(summarise_data(load_images(name, data_dir))).copy()
        # Six digits are more than any figure shows.
        for key in ("eigenvalues", "mean_image", "pixel_variances"):
            values[key] = [_round(value) for value in values[key]]
        summaries[name] = values
    return summaries


def summarise_data(data: ImageData) -> DataSummary:
    """The summary of one set, see ``vae.shipped.cards.DataSummary``."""
    images = summarise(data.train, data.test)
    counts = np.bincount(data.train.reshape(-1), minlength=256)
    shares = counts / counts.sum()
    flat = data.train.reshape(len(data.train), -1)
    mean = flat.mean(0) / 255
    square = sum(np.square(part / 255).sum(0) for part in np.array_split(flat, 20)) / len(flat)
    # Levels 26 to 229 are those with level / 255 in [0.1, 0.9].
    return DataSummary(
        name=data.name,
        fingerprint=fingerprint(data),
        pixels=images.pixels,
        train_count=len(data.train),
        test_count=len(data.test),
        eigenvalues=images.eigenvalues,
        bernoulli_floor=images.entropy,
        grey_share=float(shares[1:255].sum()),
        mid_grey_share=float(shares[26:230].sum()),
        grey_counts=tuple(int(count) for count in counts),
        mean_image=tuple(mean.tolist()),
        pixel_variances=tuple((square - mean**2).tolist()),
    )


def make(recipe: Recipe, folder: Path, data_dir: Path | None) -> Card:
    """Train one recipe, write its weights and its card into ``folder``."""
    from vae.engine.checkpoints import export_weights, load
    from vae.engine.training import Trainer
    from vae.wire.events import EpochEvent

    data = load_images(recipe.config, data_dir)
    trainer = Trainer(recipe.config, data)
    for event in trainer.events(every_steps=10**9, picture_seconds=math.inf):
        if isinstance(event, EpochEvent):
            line = (
                f"{recipe.name} epoch {event.epoch}: {event.test_loss:.2f} kl {event.test_kl:.2f}"
            )
            print(f"{line} ({event.seconds:.1f} s)", flush=True)
    if trainer.diverged is not None:
        raise RuntimeError(f"{recipe.name}: {trainer.diverged}")
    if recipe.weights:
        path = folder / f"{recipe.name}.pt"
        export_weights(path, trainer)
        # What is told is what is shipped.
        trainer.model.load_state_dict(dict(load(path).weights))
    card = _build_card(recipe, trainer)
    _write_json(folder / f"{recipe.name}.json", card.to_dict())
    return card


def measure_again(card: Card, folder: Path, data_dir: Path | None) -> Card:
    """Bits per pixel of the weights of ``card`` as they lie in ``folder``, written into it."""
    import torch

    from vae.engine.checkpoints import evaluate, load

    checkpoint = load(folder / f"{card.name}.pt")
    figures = evaluate(checkpoint, load_images(card.config, data_dir), torch.device("cpu"))
    names = ("bits_per_pixel", "bits_per_pixel_natural")
    measured = replace(card, **{name: figures[name] for name in names})  # type: ignore[arg-type]
    _write_json(folder / f"{card.name}.json", measured.to_dict())
    print(f"{card.name}: {measured.bits_per_pixel} bits per pixel", flush=True)
    return measured


def _build_card(recipe: Recipe, trainer: "Trainer") -> Card:
    import torch

    from vae.engine.checkpoints import DataCard

    figures = trainer.evaluate()
    kl_per_latent = tuple((figures.kl_per_latent / figures.images).tolist())
    rows = [
        EpochRow(**{spec.name: getattr(event, spec.name) for spec in fields(EpochRow)})
        for event in trainer.history
    ]
    return Card(
        name=recipe.name,
        title=recipe.title,
        note=recipe.note,
        config=recipe.config,
        data=vars(DataCard.of(trainer.data, trainer.fingerprint)),
        weights=f"{recipe.name}.pt" if recipe.weights else None,
        test_loss=figures.mean("loss"),
        test_log_likelihood=figures.mean("log_likelihood"),
        test_kl=figures.mean("kl"),
        test_kl_per_latent=kl_per_latent,
        active_latents=active_latents(kl_per_latent),
        test_mse=figures.mean("mse"),
        scale=trainer.scale,
        response=figures.response(),
        calibration=figures.calibration(),
        history=tuple(rows),
        bits_per_pixel=figures.bits_per_pixel(),
        bits_per_pixel_natural=figures.bits_per_pixel("natural"),
        half_precision_change=figures.mean("loss") - trainer.history[-1].test_loss,
        seconds=trainer.seconds,
        device=f"{trainer.device.type}, {torch.get_num_threads()} thread(s)",
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        command=f"python -m vae.shipped --data-dir DIR --only {recipe.name}",
    )


def _write_json(path: Path, values: Any) -> None:
    """Write ``values`` whole or not at all, one entry a line: short diffs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in values.items()]
    write_atomically(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _round(value: float) -> float:
    return float(f"{value:.6g}")


if __name__ == "__main__":
    # Before anything imports torch. One thread: its figures repeat on machines with any number.
    os.environ["OMP_NUM_THREADS"] = "1"
    prepare_threads()
    sys.exit(main())
