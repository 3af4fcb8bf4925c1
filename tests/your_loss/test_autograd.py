"""The readings of the PyTorch losses have autograd's gradients on random tensors.

For each public loss the gradients of its own code are compared with those of
``error_weight * cost + kl_weight * KL``, both summed over an image and averaged over the batch.
"""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from vae import your_loss
from vae.memo import shared

LOSSES = [
    json.loads(line)
    for line in (Path(__file__).parent / "losses.jsonl").read_text(encoding="utf-8").splitlines()
]
COSTS = {
    "gaussian": lambda y, x: (y - x) ** 2,
    "laplace": lambda y, x: (y - x).abs(),
    "bernoulli": lambda y, x: F.binary_cross_entropy(y, x, reduction="none"),
}
# Their KL or their error has another form, which other tests hold.
OTHER_FORMS = {"avandekleut", "pythae-disent-beta"}


def comparable(row: dict[str, Any]) -> bool:
    torch_code = "PyTorch" in row["framework"]
    return torch_code and row["x_shape"] is not None and row["id"] not in OTHER_FORMS


CASES = [row for row in LOSSES if comparable(row)]


def readable(row: dict[str, Any]) -> your_loss.Reading | None:
    return _readable(row["id"])


@shared(maxsize=len(LOSSES))
def _readable(name: str) -> your_loss.Reading | None:
    """Each is read once, for several tests."""
    row = next(row for row in LOSSES if row["id"] == name)
    shape, latents = row["x_shape"], row["z_shape"]
    found = your_loss.read(
        row["code"], image=tuple(shape[1:]), latents=tuple(latents[1:]), batch=shape[0]
    )
    usable = found.family in COSTS and found.error_weight and found.kl_form == "kl"
    return found if usable else None


@pytest.mark.parametrize("row", CASES, ids=[row["id"] for row in CASES])
def test_a_reading_has_the_gradients_of_the_code(row: dict[str, Any]) -> None:
    found = readable(row)
    if found is None:
        assert row["family"] not in ("gauss-fixed", "laplace", "bernoulli")
        return
    assert found.error_weight is not None
    assert found.kl_weight is not None
    generator = torch.Generator().manual_seed(0)

    def draw(shape: list[int]) -> torch.Tensor:
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    x, y = draw(row["x_shape"]), (0.05 + 0.9 * draw(row["x_shape"])).requires_grad_()
    mu = (draw(row["z_shape"]) - 0.5).requires_grad_()
    logvar = (draw(row["z_shape"]) - 0.5).requires_grad_()
    names: dict[str, Any] = {"torch": torch, "F": F, "math": math}
    exec(row["code"], names)
    scale = (0.5 * logvar).exp()
    second = scale if "mu, sigma" in row["code"] else logvar
    loss = names["loss"](x, y, mu, second)
    batch = row["x_shape"][0]
    cost = COSTS[found.family](y, x).sum() / batch
    kl = kl_divergence(Normal(mu, scale), Normal(0.0, 1.0)).sum() / batch
    wanted = found.error_weight * cost + found.kl_weight * kl
    ours = torch.autograd.grad(wanted, [y, mu, logvar], retain_graph=True)
    theirs = torch.autograd.grad(loss, [y, mu, logvar])
    for one, two in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-6, atol=1e-12 * float(two.abs().max()))


def test_most_of_them_are_compared() -> None:
    assert sum(readable(row) is not None for row in CASES) >= 25
