"""Bits per pixel of every likelihood: one network, one table.

``python -m tests.benchmarks.bits --data DIR [--seeds 1 2 3] [--epochs 10] [--only NAME ...]``
prints a JSON line for each run as it ends, then the table. One thread; about a minute a run on an
idle core, ten for the categorical.
"""

import argparse
import json
import math
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from vae.beliefs import BELIEFS
from vae.config import TrainConfig
from vae.images.sets import ImageData, load_images

_SLOWEST = "categorical"


def names() -> list[str]:
    """All that are likelihoods, the slow one last."""
    known = [name for name, belief in BELIEFS.items() if belief.normalised]
    return sorted(known, key=lambda name: name == _SLOWEST)


def measure(config: TrainConfig, data: ImageData) -> dict[str, Any]:
    """Train one run and measure its last weights on the whole test set."""
    from vae.engine.training import Trainer

    trainer = Trainer(config, data)
    for _ in trainer.events(every_steps=10**9, picture_seconds=math.inf):
        pass
    if trainer.diverged is not None:
        return {"likelihood": config.likelihood, "seed": config.seed, "diverged": True}
    figures = trainer.evaluate()
    return {
        "likelihood": config.likelihood,
        "seed": config.seed,
        "bits_per_pixel": figures.bits_per_pixel(),
        "bits_per_pixel_natural": figures.bits_per_pixel("natural"),
        "test_mse": figures.mean("mse"),
        "test_kl": figures.mean("kl"),
        "test_loss": figures.mean("loss"),
        "scale": trainer.scale,
        "images_per_second": round(trainer.images_seen / trainer.seconds),
    }


def table(rows: Iterable[dict[str, Any]]) -> str:
    """A line for each likelihood: means over the seeds, the spread of bits per pixel."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if not row.get("diverged"):
            by_name.setdefault(row["likelihood"], []).append(row)
    lines = [
        "| likelihood | bits per pixel | spread | MSE per pixel | KL, nats | seeds |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for name, runs in sorted(by_name.items(), key=lambda item: _mean(item[1], "bits_per_pixel")):
        lines.append(_line(BELIEFS[name].label, runs, "bits_per_pixel"))
        if runs[0]["bits_per_pixel_natural"] is not None:
            words = f"{BELIEFS[name].label}, logit read as natural parameter"
            lines.append(_line(words, runs, "bits_per_pixel_natural"))
    return "\n".join(lines)


def _line(label: str, runs: Sequence[dict[str, Any]], figure: str) -> str:
    spread = max(run[figure] for run in runs) - min(run[figure] for run in runs)
    return (
        f"| {label} | {_mean(runs, figure):.3f} | {spread:.3f} | {_mean(runs, 'test_mse'):.4f} "
        f"| {_mean(runs, 'test_kl'):.1f} | {len(runs)} |"
    )


def _mean(runs: Sequence[dict[str, Any]], figure: str) -> float:
    return statistics.fmean(run[figure] for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bits", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=names(), default=names())
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    data = load_images("mnist", options.data)
    rows = []
    # The slow one last for all seeds: what is interrupted has the other lines whole.
    quick = [(seed, name) for seed in options.seeds for name in options.only if name != _SLOWEST]
    slow = [(seed, name) for seed in options.seeds for name in options.only if name == _SLOWEST]
    for seed, name in (*quick, *slow):
        config = TrainConfig(dataset="mnist", likelihood=name, seed=seed, epochs=options.epochs)
        rows.append(measure(config, data))
        print(json.dumps(rows[-1]), flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
