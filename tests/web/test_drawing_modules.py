"""The browser's own encoder, decoder and likelihoods, run under node and compared with torch."""

import dataclasses
import gzip
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import torch
from browser_modules import run_modules
from networks import ALL_LIKELIHOODS, FOUR, SMALL, images, looks, rounded, train
from PIL import Image, ImageDraw

from vae.engine.checkpoints import Checkpoint, export_weights, load
from vae.engine.elbo import build_elbo
from vae.export import weights
from vae.shipped.cards import load_cards


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """``node(task, **input)``: what the modules make of the input."""
    return run_modules("drawing", tmp_path_factory.mktemp("node"))


def drawings(count: int, height: int = 28, width: int = 28) -> np.ndarray:
    """Strokes as a hand makes them: of all greys and widths, some at the edge, one empty."""
    generator = np.random.default_rng(5)
    made = [np.zeros((height, width), np.uint8)]
    while len(made) < count:
        image = Image.new("L", (4 * width, 4 * height))
        points = [tuple(point) for point in generator.integers(0, 4 * height, (6, 2)).tolist()]
        grey, thick = int(generator.integers(40, 256)), int(generator.integers(3, 14))
        ImageDraw.Draw(image).line(points, fill=grey, width=thick, joint="curve")
        made.append(np.asarray(image.resize((width, height), Image.Resampling.BOX)))
    return np.stack(made)


def by_torch(
    stored: Checkpoint, pixels: np.ndarray, z: list[float] | None = None
) -> dict[str, np.ndarray]:
    """What the engine makes of ``pixels`` (n, D), in float64, z the mean of q or as given."""
    model = stored.build_model().double()
    x = torch.from_numpy(pixels.astype(np.float64))
    if model.likelihood.dequantised:
        # The mean over u of a density whose logarithm is linear in x.
        x = (255 * x + 0.5) / 256
    with torch.no_grad():
        mean, logvar = model.encode(x)
        at = mean if z is None else torch.tensor([z], dtype=torch.float64).expand_as(mean)
        output = model.decode(at)
        log_prob = model.likelihood.log_prob(output, x)
        config = stored.config
        beta = config.beta if config.sampling else 0.0
        elbo = build_elbo(log_prob, mean, logvar, beta=beta, reduction=config.reduction)
        picture = model.likelihood.mean(output)
    return {
        "mean": mean.numpy(),
        "logvar": logvar.detach().numpy(),
        "picture": picture.numpy(),
        "costs": -log_prob.numpy(),
        "logLikelihood": elbo.log_likelihood.numpy(),
        "kl": elbo.kl.numpy(),
        "loss": elbo.loss.numpy(),
        "mse": np.square(picture.numpy() - pixels).mean(-1),
    }


def assert_agree(
    shown: list[dict[str, Any]],
    expected: dict[str, np.ndarray],
    tolerance: float,
    network: str = "",
) -> None:
    """Numbers within ``tolerance`` of their size; sums relative to the sum of their parts."""
    for name, values in expected.items():
        ours = np.array([one[name] for one in shown])
        size = np.abs(values)
        if name in ("logLikelihood", "loss"):
            size = np.abs(expected["costs"]).sum(-1)
        elif values.ndim > 1:
            size = size.max(axis=-1, keepdims=True)
        worst = (np.abs(ours - values) / (size + 1e-3)).max()
        assert worst < tolerance, f"{network} {name}: {worst:.2e} of its size away from torch"


def noise(count: int) -> dict[str, list[float]]:
    generator = np.random.default_rng(7)
    return {
        "normal": generator.normal(size=count).tolist(),
        "uniform": generator.random(count).tolist(),
    }


@pytest.mark.parametrize("dataset", ["digits", "mnist", "fashion"])
@pytest.mark.parametrize("exact", [True, False], ids=["16 bits", "few bits"])
def test_shipped_networks_agree_with_torch(node, dataset, exact, request):
    data = images(dataset, request)
    pixels = np.concatenate([data.test[:30], drawings(20)]).reshape(50, -1) / np.float32(255)
    paths = [load_cards()[f"{dataset}-{loss}"].weights_path for loss in (*FOUR, "map")]
    networks = [weights.read_network(path) for path in paths]
    pack = weights.pack(networks, looks(len(paths)), exact=exact)
    shown = node("evaluate", pack=pack, pictures=pixels.tolist(), **noise(784))
    for path, network, one in zip(paths, networks, shown, strict=True):
        stored = load(path)
        if not exact:
            stored = dataclasses.replace(stored, weights=rounded(network))
        assert_agree(one, by_torch(stored, pixels), 1e-4)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"architecture": "linear"},
        {"reduction": "pixel-mean", "beta": 4.0},
        {"sampling": False, "scale": 0.3},
    ],
    ids=["plain", "linear", "mean over pixels", "autoencoder"],
)
def test_every_kind_of_run_agrees_with_torch(node, tmp_path, changes):
    """A network of each likelihood in one file."""
    paths = [tmp_path / f"{likelihood}.pt" for likelihood in ALL_LIKELIHOODS]
    for path in paths:
        config = dataclasses.replace(SMALL, likelihood=path.stem, **changes)
        export_weights(path, train(config))
    pixels = drawings(6, 6, 5).reshape(6, -1) / np.float32(255)
    networks = [weights.read_network(path) for path in paths]
    pack = weights.pack(networks, looks(len(paths)), exact=True)
    for z in (None, [0.5, -1.0, 2.0]):
        shown = node("evaluate", pack=pack, pictures=pixels.tolist(), z=z, **noise(30))
        for path, one in zip(paths, shown, strict=True):
            assert_agree(one, by_torch(load(path), pixels, z), 1e-4, path.stem)


def test_draws_have_the_mean_of_their_distribution(node, tmp_path):
    """At quantiles spread evenly over (0, 1): their mean is the distribution's."""
    networks = []
    for likelihood in ALL_LIKELIHOODS:
        config = dataclasses.replace(SMALL, likelihood=likelihood, scale=0.2)
        export_weights(tmp_path / f"{likelihood}.pt", train(config, steps=30))
        networks.append(weights.read_network(tmp_path / f"{likelihood}.pt"))
    pack = weights.pack(networks, looks(len(networks)), exact=True)
    picture = drawings(3, 6, 5)[2].reshape(1, -1) / 255
    total = np.zeros((len(networks), 30))
    for quantile in (np.arange(10) + 0.5) / 10:
        given = {
            "uniform": [float(quantile)] * 30,
            "normal": [NormalDist().inv_cdf(float(quantile))] * 30,
        }
        shown = node("evaluate", pack=pack, pictures=picture.tolist(), **given)
        total += np.array([of_one["draw"] for (of_one,) in shown])
    means = np.array([of_one["picture"] for (of_one,) in shown])
    for likelihood, drawn, mean in zip(ALL_LIKELIHOODS, total / 10, means, strict=True):
        # The mean of ten quantiles is within a tenth of what values span.
        assert np.abs(drawn - mean).max() < 0.1, likelihood


def test_a_continuous_bernoulli_is_drawn_by_its_inverse_distribution_function(node):
    """On the shipped network, whose logits are large: F(draw) = u, with F by its closed form."""
    path = load_cards()["digits-continuous-bernoulli"].weights_path
    pack = weights.pack([weights.read_network(path)], looks(1), exact=True)
    stored = load(path)
    picture = drawings(4)[3].reshape(1, -1) / np.float32(255)
    given = noise(784)
    draw = np.array(node("evaluate", pack=pack, pictures=picture.tolist(), **given)[0][0]["draw"])
    model = stored.build_model().double()
    with torch.no_grad():
        x = (255 * torch.from_numpy(picture.astype(np.float64)) + 0.5) / 256
        logits = model.decode(model.encode(x)[0]).numpy()[0]
    assert np.abs(logits).max() > 50
    # F(x) = (exp(a x) - 1) / (exp(a) - 1), from the end that a favours.
    distance = np.where(logits < 0, draw, 1 - draw)
    size = np.abs(logits)
    reached = np.expm1(-size * distance) / np.expm1(-size)
    u = np.array(given["uniform"])
    np.testing.assert_allclose(np.where(logits < 0, reached, 1 - reached), u, atol=1e-4)


def test_the_header_says_which_latents_are_told_most_and_where_codes_lie(node, request):
    data = images("digits", request)
    sample = weights.Sample(data.test[:500], data.test_labels[:500], data.class_names)
    path = load_cards()["digits-bernoulli"].weights_path
    header = node("header", pack=weights.pack([weights.read_network(path)], looks(1), sample))
    assert header["labels"] == data.test_labels[:500].tolist()
    assert header["names"] == list(data.class_names)
    (network,) = header["networks"]
    kl = np.array(network["klPerLatent"])
    assert network["ranked"] == np.argsort(-kl, kind="stable").tolist()
    model = load(path).build_model()
    with torch.no_grad():
        mean, logvar = model.encode(
            torch.from_numpy(data.test[:500].reshape(500, -1) / np.float32(255))
        )
    expected = (0.5 * (mean**2 + logvar.exp() - 1 - logvar)).mean(0).numpy()
    np.testing.assert_allclose(kl, expected, rtol=1e-3, atol=1e-3)
    measured = dataclasses.replace(weights.read_network(path), kl_per_latent=tuple(range(20)))
    (told,) = node("header", pack=weights.pack([measured], looks(1), sample))["networks"]
    assert told["klPerLatent"] == list(range(20))
    assert told["ranked"] == list(range(19, -1, -1))
    codes = np.array(network["codes"]).reshape(-1, 2)
    np.testing.assert_allclose(codes, mean.numpy()[:, network["ranked"][:2]], rtol=2e-3, atol=2e-3)


def test_a_damaged_file_is_told_in_a_sentence(node):
    pack = weights.pack([weights.read_network(load_cards()["digits-map"].weights_path)], looks(1))
    for broken in (b"", b"<html>", gzip.compress(pack), pack[: len(pack) // 2], pack[:40]):
        assert "Reload the page." in node("read", pack=broken)["error"]
    assert node("read", pack=pack)["error"] == ""


def test_a_stroke_covers_each_pixel_once_and_stays_inside(node):
    brush = {"grey": 0.5, "radius": 1.0}
    line = [[3.5, 3.5], [20.5, 3.5]]
    size = {"width": 28, "height": 28}
    once = np.array(node("stroke", **size, strokes=[{"brush": brush, "points": line}]))
    again = node("stroke", **size, strokes=[{"brush": brush, "points": line * 5}])
    np.testing.assert_allclose(again, once)
    image = once.reshape(28, 28)
    np.testing.assert_allclose(image[3, 3:21], 0.5)
    # Half a pixel of the next row is within the radius, nothing of the one after it.
    np.testing.assert_allclose(image[2, 4:20], 0.25)
    assert image[1].max() == 0
    assert image.max() <= 0.5
    outside = [[-9, -9], [40, 40]]
    assert len(node("stroke", **size, strokes=[{"brush": brush, "points": outside}])) == 784


def test_the_eraser_leaves_the_ground_black(node):
    strokes = [{"brush": {"grey": 0, "radius": 40}, "points": [[14, 14]]}]
    assert max(node("stroke", width=28, height=28, ground=0.7, strokes=strokes)) == 0


def test_a_picture_is_shrunk_to_the_means_of_what_it_covers(node):
    generator = np.random.default_rng(3)
    rgba = generator.integers(0, 256, (84, 112, 4), dtype=np.uint8)
    rgba[..., 3] = 255
    given = {"data": rgba.reshape(-1).tolist(), "size": {"width": 112, "height": 84}}
    shown = node("shrink", **given, width=28, height=28, settings={})
    luma = rgba[:, 14:98, :3] @ np.array([0.299, 0.587, 0.114])
    expected = luma.reshape(28, 3, 28, 3).mean((1, 3)) / 255
    np.testing.assert_allclose(np.array(shown).reshape(28, 28), expected, atol=1e-6)
    inverted = node("shrink", **given, width=28, height=28, settings={"invert": True})
    np.testing.assert_allclose(np.array(inverted), 1 - np.array(shown), atol=1e-6)


def test_the_transparent_part_of_a_picture_is_paper(node):
    given = {"data": [0] * (4 * 56 * 56), "size": {"width": 56, "height": 56}}
    assert min(node("shrink", **given, width=28, height=28, settings={})) == 1


def test_noise_repeats_under_its_seed_and_is_standard(node):
    first, again = (node("noise", count=20_000, seed=4) for _ in range(2))
    assert first == again
    assert first != node("noise", count=20_000, seed=5)
    normal, uniform = np.array(first["normal"]), np.array(first["uniform"])
    # Five standard errors of 20,000 draws.
    assert abs(normal.mean()) < 0.036
    assert abs(normal.std() - 1) < 0.025
    assert abs(uniform.mean() - 0.5) < 0.011
    assert uniform.min() > 0
    assert uniform.max() < 1
