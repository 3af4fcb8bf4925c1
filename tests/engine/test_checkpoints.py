"""Checkpoints: bit-equal continuation, and clear refusal of every file that is not one."""

import errno
import os
import pathlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from samples import small_images

from vae.config import TrainConfig
from vae.engine import checkpoints
from vae.engine.checkpoints import CheckpointError, export_weights, load, save
from vae.engine.training import Trainer

DATA = small_images()
CONFIG = TrainConfig(epochs=3, batch_size=64, latent_dim=3, hidden_dim=16, device="cpu")


def trained(steps: int, config: TrainConfig = CONFIG) -> Trainer:
    trainer = Trainer(config, DATA)
    for _ in range(steps):
        trainer.step()
    return trainer


def assert_same(one: Trainer, other: Trainer) -> None:
    states = one.model.state_dict(), other.model.state_dict()
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name
    timeless = {"seconds": 0.0, "images_per_second": 0.0}
    for mine, theirs in zip(one.history, other.history, strict=True):
        assert replace(mine, **timeless) == replace(theirs, **timeless)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "run.pt"
    save(path, trained(7))
    return path


@pytest.mark.parametrize("steps", [0, 1, 5, 7, 14, 15])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"likelihood": "gaussian-optimal", "binarise": "resampled"},
        {"likelihood": "gaussian-learned", "optimizer": "momentum"},
        {"likelihood": "continuous-bernoulli", "architecture": "linear"},
        {"optimizer": "sgd", "binarise": "static"},
    ],
)
def test_a_resumed_run_goes_on_bit_equal(
    steps: int, changes: dict[str, Any], tmp_path: Path
) -> None:
    trainer = trained(steps, replace(CONFIG, **changes))
    trainer.learning_rate = 5e-4
    save(tmp_path / "run.pt", trainer)
    resumed = load(tmp_path / "run.pt").build_trainer(DATA)
    assert resumed.learning_rate == 5e-4
    assert resumed.step_count == steps
    while not trainer.finished:
        trainer.step(observe=False)
        resumed.step(observe=False)
    assert resumed.finished
    assert len(resumed.history) == 3
    assert_same(trainer, resumed)


def test_saving_does_not_change_the_run(tmp_path: Path) -> None:
    watched, alone = Trainer(CONFIG, DATA), Trainer(CONFIG, DATA)
    while not alone.finished:
        watched.step()
        alone.step()
        save(tmp_path / "run.pt", watched)
    assert_same(watched, alone)


def test_a_run_may_be_continued_for_more_epochs(tmp_path: Path) -> None:
    save(tmp_path / "run.pt", trained(15))
    longer = load(tmp_path / "run.pt").build_trainer(DATA, epochs=4)
    straight = trained(20, replace(CONFIG, epochs=4))
    while not longer.finished:
        longer.step()
    assert_same(longer, straight)


def test_a_checkpoint_tells_what_it_holds(kept: Path) -> None:
    checkpoint = load(kept)
    assert checkpoint.config == CONFIG
    assert checkpoint.step == 7
    assert (checkpoint.data.name, checkpoint.data.train_images) == ("small", 300)
    assert checkpoint.data.image_shape == (6, 5)
    assert [event.epoch for event in checkpoint.history] == [1]
    assert not checkpoint.build_model().training


def test_evaluation_repeats_the_run_s_own_figures(tmp_path: Path) -> None:
    trainer = trained(15)
    save(tmp_path / "run.pt", trainer)
    figures = checkpoints.evaluate(load(tmp_path / "run.pt"), DATA, torch.device("cpu"))
    last = trainer.history[-1]
    assert figures["test_loss"] == last.test_loss
    assert figures["test_kl"] == last.test_kl
    with pytest.raises(CheckpointError, match=r"data: images of \(4, 4\) given"):
        checkpoints.evaluate(
            load(tmp_path / "run.pt"), small_images(shape=(4, 4)), torch.device("cpu")
        )


def test_other_images_do_not_continue_a_run(kept: Path) -> None:
    with pytest.raises(CheckpointError, match=r"data: small .* given; the checkpoint continues on"):
        load(kept).build_trainer(small_images(seed=1))


@pytest.mark.parametrize("half", [True, False])
def test_exported_weights_evaluate_and_start_but_do_not_resume(half: bool, tmp_path: Path) -> None:
    trainer = trained(15, replace(CONFIG, likelihood="gaussian-learned"))
    save(tmp_path / "whole.pt", trainer)
    export_weights(tmp_path / "weights.pt", trainer, half=half)
    assert (tmp_path / "weights.pt").stat().st_size < (tmp_path / "whole.pt").stat().st_size
    checkpoint = load(tmp_path / "weights.pt")
    precision = 1e-3 if half else 0.0
    for name, value in checkpoint.build_model().state_dict().items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(
            value, trainer.model.state_dict()[name], rtol=precision, atol=precision / 10
        )
    with pytest.raises(CheckpointError, match="exported weights"):
        checkpoint.build_trainer(DATA)
    started = checkpoint.start_trainer(replace(checkpoint.config, seed=9), DATA)
    assert started.step_count == 0
    loss = trainer.evaluate().mean("loss")
    assert started.evaluate().mean("loss") == pytest.approx(loss, rel=0.05)
    with pytest.raises(CheckpointError, match="the weights do not fit the settings"):
        checkpoint.start_trainer(replace(CONFIG, hidden_dim=17), DATA)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share: float, kept: Path) -> None:
    content = kept.read_bytes()
    kept.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CheckpointError, match=r"run\.pt: not a checkpoint \(truncated or foreign"):
        load(kept)


def test_files_of_other_programs_are_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "text.pt", tmp_path / "other.pt"
    text.write_text("not a checkpoint")
    torch.save({"weights": torch.zeros(3)}, other)
    with pytest.raises(CheckpointError, match="truncated or foreign"):
        load(text)
    with pytest.raises(CheckpointError, match="not a checkpoint of this program"):
        load(other)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load(tmp_path / "absent.pt")


class Hostile:
    """Creates a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return pathlib.Path.touch, (self.target,)


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    path, target = tmp_path / "hostile.pt", tmp_path / "created"
    torch.save({"format": checkpoints.FORMAT, "version": 1, "weights": Hostile(target)}, path)
    torch.load(path, weights_only=False)
    assert target.exists()
    target.unlink()
    with pytest.raises(CheckpointError, match="more than tensors and plain values"):
        load(path)
    assert not target.exists()


def altered(path: Path, **changes: Any) -> None:
    stored = torch.load(path, weights_only=True)
    torch.save({**stored, **changes}, path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"step": -1}, "damaged .step: -1 given; allowed is 0 to"),
        ({"version": 99}, "checkpoint version 99; this program reads version 1"),
        ({"config": {"latent_dim": 0}}, r"damaged \(latent_dim: 0 given"),
        ({"config": {"unknown": 1}}, r"damaged \(unknown: not a setting"),
        ({"history": "]"}, "damaged"),
        ({"weights": None}, "damaged"),
        ({"data": {}}, "damaged"),
        ({"data": {"image_shape": [10**6, 10**6]}}, "damaged"),
    ],
)
def test_damaged_content_is_named(changes: dict[str, Any], words: str, kept: Path) -> None:
    altered(kept, **changes)
    with pytest.raises(CheckpointError, match=words):
        load(kept)


def test_weights_of_another_shape_are_refused(kept: Path) -> None:
    altered(kept, config={**CONFIG.to_dict(), "hidden_dim": 17})
    with pytest.raises(CheckpointError, match="needed is float32"):
        load(kept)


def test_a_full_disk_leaves_the_old_file(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept.read_bytes()

    def full(handle: int) -> None:
        del handle
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match=r"No space left .* is unchanged"):
        save(kept, trained(9))
    assert kept.read_bytes() == before
    assert list(kept.parent.iterdir()) == [kept]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"absent/run\.pt: cannot be written"):
        save(tmp_path / "absent" / "run.pt", trained(1))


def test_a_saved_file_replaces_the_old_one_alone(kept: Path) -> None:
    save(kept, trained(9))
    assert load(kept).step == 9
    assert list(kept.parent.iterdir()) == [kept]
