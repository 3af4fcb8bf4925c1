"""Products by the faster library: as exact as float32, and nobody's setting is changed for long."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from samples import small_images
from torch import Tensor

from vae.cli import main
from vae.config import TrainConfig
from vae.engine.checkpoints import load
from vae.engine.elbo import Elbo, build_elbo
from vae.engine.models import VAE
from vae.engine.products import fast_products, keeps_factors
from vae.engine.training import Trainer
from vae.images.sets import load_images

MATMUL = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
# What a processor says of itself, so that the way is gone on any: one without oneDNN's kernels
# multiplies as ever.
ZEN_5 = {"avx512_bf16": True, "avx512_vp2intersect": True}
SAPPHIRE_RAPIDS = {"avx512_bf16": True, "amx_bf16": True}
TIGER_LAKE = {"avx512_vp2intersect": True}


def gradients(model: VAE, x: Tensor, noise: Tensor) -> tuple[Elbo, list[Tensor]]:
    mean, logvar = model.encode(x)
    z = mean + torch.exp(0.5 * logvar) * noise
    elbo = build_elbo(model.likelihood.log_prob(model.decode(z), x), mean, logvar)
    return elbo, list(torch.autograd.grad(elbo.loss.mean(), list(model.parameters())))


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-learned", "laplace"])
@pytest.mark.parametrize("architecture", ["mlp", "linear"])
def test_gradients_are_those_of_double_precision_to_float32s_rounding(
    likelihood: str, architecture: str
) -> None:
    data = small_images(train=128, shape=(28, 28))
    config = TrainConfig(likelihood=likelihood, architecture=architecture, scale=0.1)
    trainer = Trainer(config, data)
    x = trainer.pixels.train_batch(torch.arange(128))
    noise = torch.randn(128, config.latent_dim, generator=torch.Generator().manual_seed(1))
    exact, expected = gradients(copy.deepcopy(trainer.model).double(), x.double(), noise.double())
    with fast_products(ZEN_5):
        elbo, got = gradients(trainer.model, x, noise)
    assert elbo.loss.dtype == torch.float32
    assert elbo.mean("loss") == pytest.approx(exact.mean("loss"), rel=1e-5)
    for one, other in zip(got, expected, strict=True):
        # Factors of bfloat16 have eight bits: they would be off by some thousandths.
        assert float((one - other).abs().max()) < 2e-5 * float(other.abs().max())


def rounded(factor: Tensor) -> Tensor:
    return factor.bfloat16().float()


@pytest.mark.parametrize(
    "product",
    [
        lambda left, right: rounded(left) @ rounded(right),
        lambda left, right: rounded(left) @ right,
        lambda left, right: left @ rounded(right),
        lambda left, right: (rounded(left) + rounded(left - rounded(left))) @ right,
        lambda left, right: (left.double() @ right.double()).bfloat16().float(),
    ],
)
def test_a_product_that_loses_bits_is_noticed(
    product: Callable[[Tensor, Tensor], Tensor],
) -> None:
    assert keeps_factors(torch.mm)
    assert not keeps_factors(product)


@pytest.mark.parametrize("before", ["none", "ieee", "bf16"])
def test_the_setting_is_put_back_however_it_ends(before: str) -> None:
    found = MATMUL.fp32_precision
    try:
        MATMUL.fp32_precision = before
        with fast_products(ZEN_5) as changed, fast_products(ZEN_5):
            assert MATMUL.fp32_precision == ("bf16" if changed else before)
        assert MATMUL.fp32_precision == before
        with pytest.raises(ZeroDivisionError), fast_products(ZEN_5):
            raise ZeroDivisionError
        assert MATMUL.fp32_precision == before
    finally:
        MATMUL.fp32_precision = found


@pytest.mark.parametrize("capabilities", [{}, SAPPHIRE_RAPIDS, TIGER_LAKE])
def test_other_processors_are_left_as_they_are(capabilities: dict[str, bool]) -> None:
    before = MATMUL.fp32_precision
    with fast_products(capabilities) as changed:
        assert not changed
        assert MATMUL.fp32_precision == before


def test_a_processor_that_rounds_stays_with_the_exact_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vae.engine.products.keeps_factors", lambda _product: False)
    before = MATMUL.fp32_precision
    with fast_products(ZEN_5) as changed:
        assert not changed
        assert MATMUL.fp32_precision == before


def test_a_run_of_the_command_line_is_the_librarys_to_the_last_digit(tmp_path: Path) -> None:
    before = MATMUL.fp32_precision
    data = small_images(train=150, shape=(28, 28))
    images, kept = tmp_path / "images.npz", tmp_path / "run.pt"
    np.savez(images, train=data.train, test=data.test)
    given = ["--dataset", "images", "--images", str(images), "--epochs", "1"]
    assert main(["train", *given, "--json", "--output", str(kept)]) == 0
    assert MATMUL.fp32_precision == before
    checkpoint = load(kept)
    trainer = Trainer(checkpoint.config, load_images(checkpoint.config))
    with fast_products():
        while not trainer.finished:
            trainer.step()
    for name, value in trainer.model.state_dict().items():
        assert torch.equal(value.cpu(), checkpoint.weights[name])
