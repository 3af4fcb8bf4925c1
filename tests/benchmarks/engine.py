"""How fast the engine trains: python tests/benchmarks/engine.py DATA_DIR [THREADS]

Prints images per second of the reference network (784-400-20, batch 128, Bernoulli, MNIST), the
same for the recipe of pytorch/examples (a DataLoader over pictures with ToTensor, unfused Adam),
and the share of the machine's matrix-product rate. Run it on an idle machine.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
THREADS = sys.argv[2] if len(sys.argv) > 2 else "1"
os.environ["OMP_NUM_THREADS"] = THREADS
os.environ["OMP_WAIT_POLICY"] = "passive"

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from vae.config import TrainConfig  # noqa: E402
from vae.data import load_images  # noqa: E402
from vae.training import Trainer  # noqa: E402

BATCH, PIXELS, HIDDEN, LATENTS = 128, 784, 400, 20
STEPS, ROUNDS = 100, 5


def rate(step: Callable[[], object]) -> float:
    """Images per second in the best of several rounds."""
    for _ in range(20):
        step()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        best = min(best, time.perf_counter() - start)
    return STEPS * BATCH / best


def products(size: int = 1024) -> float:
    """Floating-point operations per second of a square float32 product."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def operations() -> float:
    """What one image costs: forward, and twice that backward but for the images' gradient."""
    weights = PIXELS * HIDDEN + HIDDEN * 2 * LATENTS + LATENTS * HIDDEN + HIDDEN * PIXELS
    return 2 * (3 * weights - PIXELS * HIDDEN)


def example_rate(folder: str) -> float:
    """The recipe of pytorch/examples, vae/main.py: images per second over part of an epoch."""
    from torchvision import datasets, transforms

    pictures = datasets.MNIST(folder, train=True, transform=transforms.ToTensor())
    loader = torch.utils.data.DataLoader(pictures, batch_size=BATCH, shuffle=True)
    first, mean_head = nn.Linear(PIXELS, HIDDEN), nn.Linear(HIDDEN, LATENTS)
    logvar_head, second = nn.Linear(HIDDEN, LATENTS), nn.Linear(LATENTS, HIDDEN)
    last = nn.Linear(HIDDEN, PIXELS)
    layers = nn.ModuleList([first, mean_head, logvar_head, second, last])
    optimizer = torch.optim.Adam(layers.parameters(), lr=1e-3)
    start, images = time.perf_counter(), 0
    for batch, _ in loader:
        optimizer.zero_grad()
        x = batch.view(-1, PIXELS)
        hidden = F.relu(first(x))
        mean, logvar = mean_head(hidden), logvar_head(hidden)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        p = torch.sigmoid(last(F.relu(second(z))))
        kl = -0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())
        loss = F.binary_cross_entropy(p, x, reduction="sum") + kl
        loss.backward()
        loss.item()
        optimizer.step()
        images += len(x)
    return images / (time.perf_counter() - start)


def main() -> None:
    folder = sys.argv[1]
    torch.set_num_threads(int(THREADS))
    config = TrainConfig(dataset="mnist", epochs=1000, device="cpu")
    trainer = Trainer(config, load_images(config, folder))
    ours = rate(lambda: trainer.step(observe=False))
    watched = rate(lambda: trainer.step(observe=True))
    peak = products()
    example = example_rate(folder)
    print(f"threads                        {THREADS}")
    print(f"engine, images/s               {ours:,.0f}")
    print(f"engine, an event every step    {watched:,.0f}")
    print(f"pytorch/examples recipe        {example:,.0f} ({ours / example:.2f} times slower)")
    print(f"float32 products, GFLOP/s      {peak / 1e9:.1f}")
    print(f"share of that rate             {ours * operations() / peak:.0%}")


if __name__ == "__main__":
    main()
