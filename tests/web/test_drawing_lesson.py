"""What the drawing's text says of the shipped networks, measured on test images."""

import numpy as np
import pytest
import torch
from networks import FOUR, images

from vae.engine.checkpoints import load
from vae.engine.elbo import kl_diag_gaussian
from vae.shipped.cards import load_cards


def shown(dataset: str, pictures: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """For each loss: output's mean grey over the pictures', squared error a pixel, KL in nats."""
    x = torch.from_numpy(pictures.reshape(len(pictures), -1).astype(np.float32))
    found = {}
    for loss in FOUR:
        model = load(load_cards()[f"{dataset}-{loss}"].weights_path).build_model()
        with torch.no_grad():
            target = (255 * x + 0.5) / 256 if model.likelihood.dequantised else x
            mean, logvar = model.encode(target)
            output = model.likelihood.mean(model.decode(mean))
        kl = kl_diag_gaussian(mean, logvar).sum(-1).mean()
        error = (output - x).square().mean()
        found[loss] = (float(output.mean() / x.mean()), float(error), float(kl))
    return found


def pictures_of(dataset: str, request: pytest.FixtureRequest) -> np.ndarray:
    return images(dataset, request).test[:300] / 255


# Clothes are grey themselves: of them the text says nothing here.
@pytest.mark.parametrize("dataset", ["digits", "mnist"])
def test_greys_are_brightened_kept_and_darkened(dataset, request) -> None:
    half = shown(dataset, pictures_of(dataset, request) / 2)
    grey = {loss: values[0] for loss, values in half.items()}
    assert grey["gaussian"] > 1.25
    assert 0.9 < grey["gaussian-optimal"] < 1.1
    assert 0.9 < grey["bernoulli"] < 1.1
    assert grey["continuous-bernoulli"] < 0.93


@pytest.mark.parametrize("dataset", ["digits", "mnist", "fashion"])
def test_what_nobody_drew_for_them_costs_more(dataset, request) -> None:
    pictures = pictures_of(dataset, request)
    usual = shown(dataset, pictures)
    turned = shown(dataset, pictures[:, ::-1, ::-1].copy())
    inverted = shown(dataset, 1 - pictures)
    for loss in FOUR:
        assert turned[loss][1] > 1.5 * usual[loss][1]
        assert inverted[loss][2] > 2 * usual[loss][2]
    assert 8 < usual["gaussian-optimal"][2] / usual["gaussian"][2] < 13
