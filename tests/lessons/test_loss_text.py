"""The lines of PyTorch that the page shows compute the very loss that is trained."""

import math

import pytest
import torch
from torch.nn import functional as F

from vae.config import LIKELIHOODS, TrainConfig
from vae.engine.evaluation import forward
from vae.engine.models import build_vae
from vae.lessons.loss_text import loss_code, loss_latex

PIXELS = 36


def _shown_loss(config, model, images, grain, eps):
    """Run the lines on the page with the model's own parts and these draws in their places."""

    class FixedNoise:
        def __getattr__(self, name):
            return getattr(torch, name)

        @staticmethod
        def randn_like(like):
            assert like.shape == eps.shape
            return eps

        @staticmethod
        def rand(shape):
            assert shape == grain.shape
            return grain

    names = {
        "torch": FixedNoise(),
        "F": F,
        "math": math,
        "images": images,
        "encoder": model.encoder,
        "decoder": model.decoder,
        "scale": model.likelihood.scale,
        "table": getattr(model.likelihood, "table", None),
        "bias": getattr(model.likelihood, "bias", None),
    }
    exec(loss_code(config), names)
    return names["loss"]


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize(
    "changes",
    [{}, {"beta": 4.0}, {"reduction": "pixel-mean"}, {"sampling": False}, {"scale": 0.2}],
    ids=str,
)
def test_the_lines_are_the_loss(likelihood, changes):
    config = TrainConfig(likelihood=likelihood, latent_dim=3, hidden_dim=8, **changes)
    model = build_vae(config, (6, 6))
    draws = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (5, PIXELS), generator=draws, dtype=torch.uint8)
    grain = torch.rand(5, PIXELS, generator=draws)
    eps = torch.empty(5, 3).normal_(generator=torch.Generator().manual_seed(1))
    shown = _shown_loss(config, model, images, grain, eps)
    x = (images + grain) / 256 if model.likelihood.dequantised else images / 255
    elbo, _ = forward(model, x, torch.Generator().manual_seed(1), config)
    assert float(shown.detach()) == pytest.approx(float(elbo.loss.mean().detach()), rel=2e-5)


def test_the_targets_are_shown_as_they_are_made():
    assert "dequantised" in loss_code(TrainConfig(likelihood="continuous-bernoulli"))
    assert "(k_i + u_i)/256" in loss_latex(TrainConfig(likelihood="continuous-bernoulli"))
    assert "x = images / 255\n" in loss_code(TrainConfig())
    assert "bernoulli(images / 255)" in loss_code(TrainConfig(binarise="resampled"))


def test_a_linear_decoder_has_no_sigmoid():
    config = TrainConfig(likelihood="gaussian", architecture="linear")
    assert "sigmoid" not in loss_code(config)
    assert "sigmoid" in loss_code(TrainConfig(likelihood="gaussian"))


def test_the_equation_carries_the_numbers():
    config = TrainConfig(likelihood="gaussian", scale=0.5, beta=3.0)
    text = loss_latex(config, pixels=4)
    constant = 2 * math.log(2 * math.pi * 0.25)
    assert text.startswith(r"\mathcal{L}(x) = 2\,")
    assert f"{constant:+.1f}" in text
    assert r"3\,\mathrm{KL}" in text
    assert "KL}\\big" not in loss_latex(TrainConfig(sampling=False))
    assert r"\frac{1}{784}" in loss_latex(TrainConfig(reduction="pixel-mean"))
