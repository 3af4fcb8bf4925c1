"""The binary that a browser reads: what goes in comes out, and what rounding costs is told."""

import dataclasses

import numpy as np
import pytest
import torch
from networks import ALL_LIKELIHOODS, FOUR, SMALL, images, looks, rounded, shipped, train

from vae.engine import checkpoints, likelihoods
from vae.engine.checkpoints import export_weights, load, save
from vae.errors import CheckpointError
from vae.export import weights
from vae.shipped.cards import load_cards

# The promise of a section that is opened on a phone.
MOST_BYTES = 1_500_000
MOST_NATS = 0.1


@pytest.mark.parametrize("likelihood", ALL_LIKELIHOODS)
@pytest.mark.parametrize("architecture", ["mlp", "linear"])
def test_a_run_is_read_without_torch_as_torch_reads_it(tmp_path, likelihood, architecture):
    config = dataclasses.replace(SMALL, likelihood=likelihood, architecture=architecture)
    trainer = train(config)
    for write in (save, export_weights):
        write(tmp_path / "run.pt", trainer)
        network = weights.read_network(tmp_path / "run.pt")
        stored = load(tmp_path / "run.pt")
        assert (network.config, network.step) == (stored.config, stored.step)
        assert network.image_shape == (6, 5)
        assert set(network.tensors) == set(stored.weights)
        for name, values in network.tensors.items():
            np.testing.assert_array_equal(values.astype(np.float32), stored.weights[name].numpy())
        model = stored.build_model()
        scale = model.likelihood.scale
        assert network.scale == (None if scale is None else pytest.approx(float(scale), rel=1e-6))
        x = torch.rand(4, 30, generator=torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = model.encode(x)
        for ours, theirs in zip(network.encode(x.numpy()), expected, strict=True):
            np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_what_is_no_checkpoint_is_refused_in_one_sentence(tmp_path):
    trainer = train(SMALL)
    save(tmp_path / "good.pt", trainer)
    content = (tmp_path / "good.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.pt").write_text("no archive")
    torch.save({"weights": {}}, tmp_path / "foreign.pt")
    for name in ("cut.pt", "text.pt", "foreign.pt", "absent.pt"):
        with pytest.raises(CheckpointError, match=name):
            weights.read_network(tmp_path / name)


@pytest.mark.parametrize("spoil", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, spoil):
    trainer = train(SMALL)
    with torch.no_grad():
        trainer.model.decoder.head.bias[0] = spoil
    save(tmp_path / "run.pt", trainer)
    with pytest.raises(CheckpointError, match=r"decoder\.head\.bias"):
        weights.read_network(tmp_path / "run.pt")


@pytest.mark.parametrize("bits", [8, 9, 10])
def test_rounding_moves_no_weight_by_more_than_half_a_step(bits):
    matrix = np.random.default_rng(2).normal(size=(7, 50)).astype(np.float32)
    matrix[3] = 0
    scales, integers = weights.quantise(matrix, bits)
    assert integers.shape == matrix.shape
    assert np.abs(integers).max() < 2 ** (bits - 1)
    error = np.abs(weights.dequantise(matrix, bits) - matrix)
    assert (error <= 0.5001 * scales[:, None].astype(np.float32)).all()
    assert (weights.dequantise(matrix, bits)[3] == 0).all()


def test_the_engines_bound_is_the_readers():
    assert weights.MIN_LOG_SCALE == likelihoods.MIN_LOG_SCALE


@pytest.mark.parametrize("dataset", ["digits", "mnist", "fashion"])
def test_four_shipped_networks_are_small(dataset):
    assert len(weights.pack(shipped(dataset), looks(4))) < MOST_BYTES


@pytest.mark.parametrize("dataset", ["digits", "mnist", "fashion"])
@pytest.mark.parametrize("loss", [*FOUR, "map"])
def test_rounding_costs_less_than_a_tenth_of_a_nat(dataset, loss, request):
    path = load_cards()[f"{dataset}-{loss}"].weights_path
    data = images(dataset, request)
    stored = load(path)
    device = torch.device("cpu")
    exact = checkpoints.evaluate(stored, data, device)["test_loss"]
    changed = dataclasses.replace(stored, weights=rounded(weights.read_network(path)))
    cost = checkpoints.evaluate(changed, data, device)["test_loss"] - exact
    print(f"{dataset}-{loss}: rounding costs {cost:.4f} nats an image")
    assert abs(cost) < MOST_NATS


def test_networks_for_other_sizes_do_not_go_into_one_file():
    one = shipped("digits")[0]
    other = dataclasses.replace(one, image_shape=(14, 56))
    with pytest.raises(ValueError, match="one size"):
        weights.pack([one, other], looks(2))
    with pytest.raises(ValueError, match="networks: 0"):
        weights.pack([], [])
