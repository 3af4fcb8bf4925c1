"""Training speed: the app's engine beside peers that are built and run in the same minute.

Each measurement is a process of its own, so that thread settings and caches do not mix:
``python -m tests.benchmarks.speed recipe --data DIR`` prints one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.appserver import ROOT

if TYPE_CHECKING:
    import torch

BATCH, HIDDEN, LATENT, PIXELS = 128, 400, 20, 784
# Multiply-adds of one image forward; backward costs twice that, less the gradient of the images.
_FORWARD = 2 * (PIXELS * HIDDEN + HIDDEN * LATENT) + HIDDEN * LATENT
FLOP_PER_IMAGE = 2 * (3 * _FORWARD - PIXELS * HIDDEN)


def load(folder: Path | None) -> Any:
    """MNIST from ``folder``, or the built-in digits where there is none."""
    from vae.images.sets import load_images

    return load_images("digits") if folder is None else load_images("mnist", folder)


def build_peer() -> Any:
    """The network of the common recipe: 784-400-20-400-784 with ReLU."""
    import torch
    from torch import nn

    class Peer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(PIXELS, HIDDEN)
            self.mean = nn.Linear(HIDDEN, LATENT)
            self.logvar = nn.Linear(HIDDEN, LATENT)
            self.back = nn.Linear(LATENT, HIDDEN)
            self.output = nn.Linear(HIDDEN, PIXELS)

        def loss(self, x: torch.Tensor) -> torch.Tensor:
            hidden = torch.relu(self.hidden(x))
            mean, logvar = self.mean(hidden), self.logvar(hidden)
            z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
            p = torch.sigmoid(self.output(torch.relu(self.back(z))))
            bce = nn.functional.binary_cross_entropy(p, x, reduction="sum")
            return bce - 0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())

    return Peer()


def recipe(folder: Path | None, seconds: float) -> float:
    """The recipe of pytorch/examples: a DataLoader that turns each picture into a tensor, Adam.

    Written anew from its description. Images a second.
    """
    import torch
    from PIL import Image
    from torchvision.transforms import ToTensor

    pictures, to_tensor = [Image.fromarray(image) for image in load(folder).train], ToTensor()

    class Pictures(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(pictures)

        def __getitem__(self, index: int) -> torch.Tensor:
            return to_tensor(pictures[index])

    loader = torch.utils.data.DataLoader(Pictures(), batch_size=BATCH, shuffle=True)

    def batches() -> Iterator[torch.Tensor]:
        while True:
            yield from loader

    return _train_peer(batches(), seconds, fused=False)


def bare(folder: Path | None, seconds: float) -> float:
    """A loop over one tensor and nothing else, on one thread. Images a second."""
    import torch

    torch.set_num_threads(1)
    images = torch.from_numpy(load(folder).train.reshape(-1, PIXELS).copy())

    def batches() -> Iterator[torch.Tensor]:
        while True:
            for rows in torch.randperm(len(images)).split(BATCH):
                yield images[rows].float().div_(255)

    return _train_peer(batches(), seconds, fused=True)


def _train_peer(batches: Iterator[Any], seconds: float, *, fused: bool) -> float:
    import torch

    model = build_peer()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)

    def step() -> int:
        x = next(batches).view(-1, PIXELS)
        optimizer.zero_grad()
        loss = model.loss(x)
        loss.backward()
        loss.item()
        optimizer.step()
        return len(x)

    return _rate(step, seconds)


def _rate(step: Callable[[], int], seconds: float) -> float:
    for _ in range(20):
        step()
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        done += step()
    return done / passed


def engine(folder: Path | None, seconds: float) -> float:
    """The app's engine as the command line runs it, threads included. Images a second.

    The best of the epochs that fit into about ``seconds``: each has its own clock.
    """
    rows = [json.loads(line) for _, line in _epochs(folder, seconds)]
    return max(row["images_per_second"] for row in rows)


def command_line(folder: Path | None, seconds: float) -> float:
    """The same by the clock on the wall, tests and pictures included: between the first epoch's
    line and the last one's. Images a second."""
    lines = list(_epochs(folder, seconds))
    images = len(load(folder).train)
    return (len(lines) - 1) * images / (lines[-1][0] - lines[0][0])


def _epochs(folder: Path | None, seconds: float) -> Iterator[tuple[float, str]]:
    """When each epoch of a run of about ``seconds`` ended, and its line of JSON."""
    place = ["--dataset", "digits"] if folder is None else ["--dataset", "mnist"]
    place += [] if folder is None else ["--data-dir", str(folder)]
    epochs = max(3, round(seconds / (0.6 if folder is None else 3)))
    command = [sys.executable, "-m", "vae", "train", *place, "--epochs", str(epochs), "--json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            yield time.perf_counter(), line
    if run.returncode:
        raise RuntimeError(f"python -m vae train: exit status {run.returncode}")


def sgemm(folder: Path | None, seconds: float) -> float:
    """Single-precision matrix product on one thread. Floating-point operations a second."""
    import torch

    del folder
    torch.set_num_threads(1)
    size = 1024
    left, right = torch.randn(size, size), torch.randn(size, size)
    best, began = 0.0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        start = time.perf_counter()
        torch.mm(left, right)
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def products(folder: Path | None, seconds: float) -> float:
    """The matrix products of one training step, in their own shapes, and nothing else, on one
    thread, by the library that trains. Floating-point operations a second: what is left of its
    rate for skinny products."""
    from vae.engine.products import fast_products

    with fast_products():
        return mkl_products(folder, seconds)


def mkl_products(folder: Path | None, seconds: float) -> float:
    """The same by the library that torch takes of itself."""
    import torch

    del folder
    torch.set_num_threads(1)
    pairs = [
        pair
        for index, (inputs, outputs) in enumerate(_LAYERS)
        for pair in _products_of(inputs, outputs, gradient_of_inputs=index > 0)
    ]
    best, began = [float("inf")] * len(pairs), time.perf_counter()
    while time.perf_counter() - began < seconds:
        for index, (left, right) in enumerate(pairs):
            start = time.perf_counter()
            torch.mm(left, right)
            best[index] = min(best[index], time.perf_counter() - start)
    operations = sum(2 * len(left) * left.shape[1] * right.shape[1] for left, right in pairs)
    return operations / sum(best)


_LAYERS = ((PIXELS, HIDDEN), (HIDDEN, 2 * LATENT), (LATENT, HIDDEN), (HIDDEN, PIXELS))


def _products_of(
    inputs: int, outputs: int, *, gradient_of_inputs: bool
) -> Iterator["tuple[torch.Tensor, torch.Tensor]"]:
    """The factors of a linear layer's output, of its weights' gradient and of its inputs'."""
    import torch

    x, y = torch.randn(BATCH, inputs), torch.randn(BATCH, outputs)
    weight = torch.randn(outputs, inputs)
    yield x, weight.t()
    yield y.t(), x
    if gradient_of_inputs:
        yield y, weight


def legible(folder: Path | None, seconds: float) -> float:
    """The steps of the default run until the mean squared error of the test images, rebuilt from
    the mean of q(z|x), is below 0.03 a pixel: from there on digits can be read."""
    import torch

    from vae.config import TrainConfig
    from vae.engine.training import Trainer
    from vae.images.sets import load_images

    del folder, seconds
    trainer = Trainer(TrainConfig(), load_images("digits"))
    x = trainer.pixels.test.to(torch.float32).div(255)
    while not trainer.finished:
        trainer.step(observe=False)
        with torch.no_grad():
            z, _ = trainer.model.encode(x)
            mean = trainer.model.likelihood.mean(trainer.model.decode(z))
            if float((mean - x).square().mean()) < 0.03:
                break
    return trainer.step_count


def importance(folder: Path | None, seconds: float) -> float:
    """Bounds of a thousand draws for a hundred test images, a second, by one run's weights on one
    thread; the fit of each image's own q is counted with it."""
    import torch

    from vae.config import TrainConfig
    from vae.engine.importance import Bounds
    from vae.engine.products import fast_products
    from vae.engine.training import Trainer
    from vae.images.sets import load_images

    del seconds
    torch.set_num_threads(1)
    dataset = "digits" if folder is None else "mnist"
    trainer = Trainer(TrainConfig(dataset=dataset), load_images(dataset, folder))
    with fast_products():
        for _ in range(100):
            trainer.step()
        began = time.perf_counter()
        *_, last = Bounds(trainer.model, trainer.pixels, images=100, samples=1000).measure()
        assert last.samples == 1000
        return 1 / (time.perf_counter() - began)


MEASUREMENTS = {
    "recipe": recipe,
    "bare": bare,
    "engine": engine,
    "command-line": command_line,
    "sgemm": sgemm,
    "products": products,
    "mkl-products": mkl_products,
    "legible": legible,
    "importance": importance,
}


def measure(
    name: str, folder: Path | None, seconds: float = 8.0, threads: int | None = None
) -> float:
    """Run one measurement in a process of its own. ``threads`` fixes OpenMP's number."""
    command = [sys.executable, "-m", "tests.benchmarks.speed", name, "--seconds", str(seconds)]
    command += [] if folder is None else ["--data", str(folder)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OMP_")}
    environment |= {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return float(json.loads(done.stdout)["rate"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MEASUREMENTS)
    parser.add_argument("--data", type=Path, help="folder with MNIST; default: built-in digits")
    parser.add_argument("--seconds", type=float, default=8.0)
    options = parser.parse_args()
    print(json.dumps({"rate": MEASUREMENTS[options.name](options.data, options.seconds)}))


if __name__ == "__main__":
    main()
