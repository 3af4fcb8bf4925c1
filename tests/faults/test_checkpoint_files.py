"""Hostile checkpoints: every tensor is held against the model's before any kernel sees it."""

import collections
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from samples import small_images
from torch import Tensor

from vae.config import TrainConfig
from vae.engine.checkpoints import CheckpointError, load, save
from vae.engine.tensor_files import read
from vae.engine.training import Trainer

ROOT = Path(__file__).parents[2]
DATA = small_images()
CONFIG = TrainConfig(epochs=3, batch_size=64, latent_dim=3, hidden_dim=16, device="cpu")
SHIPPED = sorted((ROOT / "checkpoints").glob("*.pt"))

Change = Callable[[dict[str, Any]], object]


def trained(config: TrainConfig = CONFIG, steps: int = 7) -> Trainer:
    trainer = Trainer(config, DATA)
    for _ in range(steps):
        trainer.step()
    return trainer


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "run.pt"
    save(path, trained())
    return path


def alter(path: Path, change: Change) -> None:
    stored = torch.load(path, weights_only=True)
    change(stored)
    torch.save(stored, path)


def assert_equal(one: Any, other: Any) -> None:
    if isinstance(one, Tensor):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            assert_equal(one[name], other[name])
    elif isinstance(one, list | tuple):
        assert type(one) is type(other)
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_equal(mine, theirs)
    else:
        assert (type(one), one) == (type(other), other)


@pytest.mark.parametrize("path", SHIPPED[::5], ids=lambda path: path.stem)
def test_shipped_weights_are_read_as_torch_reads_them(path: Path) -> None:
    assert_equal(read(path), torch.load(path, weights_only=True))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"likelihood": "gaussian-learned", "optimizer": "momentum"},
        {"likelihood": "gaussian-optimal", "optimizer": "sgd", "binarise": "resampled"},
        {"architecture": "linear"},
    ],
)
def test_runs_are_read_as_torch_reads_them(changes: dict[str, Any], tmp_path: Path) -> None:
    save(tmp_path / "run.pt", trained(replace(CONFIG, **changes)))
    assert_equal(read(tmp_path / "run.pt"), torch.load(tmp_path / "run.pt", weights_only=True))


# Tensors of the optimiser, which fused kernels read and write as long as the weights are


def sparse(value: Tensor) -> Tensor:
    return value.to_sparse()


def quantised(value: Tensor) -> Tensor:
    return torch.quantize_per_tensor(value, 0.1, 0, torch.quint8)


@pytest.mark.parametrize("name", ["exp_avg", "exp_avg_sq"])
@pytest.mark.parametrize(
    "change",
    [
        lambda value: value[:1],
        lambda value: value.repeat(1, 1000),
        lambda value: value.flatten(),
        lambda value: value.new_zeros(()),
        lambda value: value.new_zeros(1).expand(value.shape),
        lambda value: value.t().contiguous().t(),
        lambda value: value.double(),
        lambda value: value.half(),
        lambda value: value.fill_(torch.nan),
        lambda value: value.fill_(torch.inf),
        lambda value: value.to("meta"),
        sparse,
        quantised,
        lambda value: value.tolist(),
        lambda _: None,
    ],
)
def test_an_optimiser_s_tensor_that_is_not_the_weight_s_twin(
    name: str, change: Callable[[Tensor], Any], kept: Path
) -> None:
    def forge(stored: dict[str, Any]) -> None:
        entries = stored["training"]["optimizer"]["state"][0]
        entries[name] = change(entries[name])

    alter(kept, forge)
    with pytest.raises(CheckpointError):
        load(kept).build_trainer(DATA)


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("step", torch.zeros(5), "step of weight 0: float32 of shape .5,. given"),
        ("step", torch.tensor(-1.0), "step of weight 0: a number below 0"),
        ("exp_avg_sq", torch.full((16, 30), -1.0), "a number below 0"),
        ("more", torch.zeros(5), "has other parts"),
    ],
)
def test_other_parts_of_the_optimiser_s_state(
    part: str, value: Tensor, words: str, kept: Path
) -> None:
    alter(kept, lambda stored: stored["training"]["optimizer"]["state"][0].update({part: value}))
    with pytest.raises(CheckpointError, match=words):
        load(kept).build_trainer(DATA)


@pytest.mark.parametrize(
    "change",
    [
        lambda group: group.pop("betas"),
        lambda group: group.update(betas=(0.9,)),
        lambda group: group.update(betas=(0.9, torch.zeros(3))),
        lambda group: group.update(lr=float("nan")),
        lambda group: group.update(lr=torch.tensor([1.0, 2.0])),
        lambda group: group.update(eps="x" * 10_000),
        lambda group: group.update(params=[0, 1, 2, 99]),
        lambda group: group.update(params=None),
    ],
)
def test_settings_of_the_optimiser(change: Change, kept: Path) -> None:
    alter(kept, lambda stored: change(stored["training"]["optimizer"]["param_groups"][0]))
    with pytest.raises(CheckpointError) as caught:
        load(kept).build_trainer(DATA)
    assert len(str(caught.value)) < 300


def test_foreign_switches_of_the_optimiser_are_not_followed(kept: Path) -> None:
    switches = {"foreach": True, "capturable": True, "fused": False, "differentiable": True}
    alter(kept, lambda s: s["training"]["optimizer"]["param_groups"][0].update(switches))
    resumed = load(kept).build_trainer(DATA)
    assert resumed.optimizer.param_groups[0]["fused"] is True
    assert not resumed.optimizer.param_groups[0]["capturable"]
    resumed.step()


@pytest.mark.parametrize("name", ["order", "noise", "pixels"])
@pytest.mark.parametrize(
    ("offset", "layout", "value"),
    [
        # 624 words are left where 624 are gone: the next draw would read beyond the last.
        (8, "<iiQ", (624, 1, 624)),
        (8, "<iiQ", (5, 1, 624)),
        (8, "<iiQ", (0, 1, 0)),
        (8, "<iiQ", (1, 0, 0)),
        (8, "<iiQ", (1, 1, 2**63)),
        (5024, "<d", (float("nan"),)),
        (5052, "<B", (2,)),
    ],
)
def test_a_generator_s_state_that_cannot_be(
    name: str, offset: int, layout: str, value: tuple[Any, ...], kept: Path
) -> None:
    def forge(stored: dict[str, Any]) -> None:
        state = bytearray(stored["training"][name].numpy().tobytes())
        struct.pack_into(layout, state, offset, *value)
        stored["training"][name] = torch.frombuffer(state, dtype=torch.uint8)

    alter(kept, forge)
    with pytest.raises(CheckpointError, match=f"{name}: not a state"):
        load(kept).build_trainer(DATA)


@pytest.mark.parametrize("draws", [0, 1, 2, 623, 624, 625, 1247, 1248, 5000])
def test_every_state_that_a_generator_can_be_in_goes_on(draws: int, kept: Path) -> None:
    generator = torch.Generator().manual_seed(5)
    torch.rand(draws, generator=generator)
    torch.randn(draws % 7, generator=generator)
    alter(kept, lambda stored: stored["training"].update(noise=generator.get_state()))
    resumed = load(kept).build_trainer(DATA)
    drawn = torch.rand(700, generator=resumed.noise)
    assert torch.equal(torch.rand(700, generator=generator), drawn)


@pytest.mark.parametrize("name", ["optimizer", "order", "noise", "device", "seconds"])
@pytest.mark.parametrize("value", [torch.tensor(2.0), torch.zeros(3), [], "x", None, {"state": 3}])
def test_parts_of_the_training_state_that_are_something_else(
    name: str, value: Any, kept: Path
) -> None:
    alter(kept, lambda stored: stored["training"].update({name: value}))
    if name == "device":
        # Another device's noise is not taken over.
        assert load(kept).build_trainer(DATA).step()
        return
    with pytest.raises(CheckpointError, match="its training state"):
        load(kept).build_trainer(DATA)


def test_a_refused_state_changes_nothing() -> None:
    trainer, other = trained(steps=3), trained(steps=9)
    before = trainer.state()
    state = other.state()
    state["pixels"] = state["pixels"][:-1]
    with pytest.raises(ValueError, match="pixels"):
        trainer.restore(state, other.history)
    assert trainer.step_count == 3
    assert_equal(trainer.state()["optimizer"], before["optimizer"])
    assert_equal(dict(trainer.state()["model"]), dict(before["model"]))


# Sizes that a file claims


def test_settings_larger_than_the_weights_are_refused_before_a_model_is_built(kept: Path) -> None:
    def forge(stored: dict[str, Any]) -> None:
        stored["config"].update(hidden_dim=4096)
        stored["data"].update(image_shape=[1024, 1024])

    alter(kept, forge)
    with pytest.raises(CheckpointError, match="needed is"):
        load(kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", float("inf")),
        ("step", 10**30),
        ("step", torch.zeros(3)),
        ("history", "[" * 100_000),
        ("history", '[{"kind": "FinishedEvent", "step": 1, "epoch": 1, "seconds": 1}]'),
        ("version", torch.zeros(3)),
        ("format", torch.zeros(3)),
        ("training", [1]),
        ("config", {"latent_dim": 10**400}),
        ("config", {"sampling": 10**5000}),
        ("config", {"seed": torch.zeros(3)}),
        ("config", {3: 4, "x": 5}),
        *((name, torch.tensor(2.0)) for name in ("config", "data", "history", "weights")),
        ("data", {"name": "x" * 10_000}),
    ],
)
def test_values_beyond_all_bounds(name: str, value: Any, kept: Path) -> None:
    alter(kept, lambda stored: stored.update({name: value}))
    with pytest.raises(CheckpointError) as caught:
        load(kept)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("value", ['"text"', "[[1]]", "null", "true"])
def test_figures_of_epochs_are_numbers(value: str, kept: Path) -> None:
    def forge(stored: dict[str, Any]) -> None:
        before, _, after = stored["history"].partition('"test_kl": ')
        stored["history"] = f'{before}"test_kl": {value},{after.split(",", 1)[1]}'

    alter(kept, forge)
    with pytest.raises(CheckpointError, match="history: a figure"):
        load(kept)


class Claim:
    """A tensor as it stands in a pickle, whatever its storage is."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments

    def __reduce__(self) -> Any:
        return torch._utils._rebuild_tensor_v2, self.arguments


class Storage:
    def __init__(self, number: str, count: int) -> None:
        self.number, self.count = number, count


class ArchivePickler(pickle.Pickler):
    def persistent_id(self, item: Any) -> Any:
        if isinstance(item, Storage):
            return ("storage", torch.FloatStorage, item.number, "cpu", item.count)
        return None


def write_archive(path: Path, content: Any, storages: dict[str, bytes], **options: Any) -> None:
    with zipfile.ZipFile(path, "w", **options) as archive:
        with archive.open("archive/data.pkl", "w") as file:
            ArchivePickler(file, protocol=2).dump(content)
        for name, data in storages.items():
            archive.writestr(f"archive/data/{name}", data)


def claim(size: Any, stride: Any, offset: Any = 0, count: int = 4) -> dict[str, Any]:
    hooks: Any = collections.OrderedDict()
    return {"weights": Claim(Storage("0", count), offset, size, stride, False, hooks)}


@pytest.mark.parametrize(
    "content",
    [
        # A gigabyte.
        claim((2**28,), (1,)),
        claim((2, 3), (3, 1)),
        claim((2,), (1,), offset=3),
        claim((2,), (1,), offset=-1),
        claim((2,), (2,)),
        claim((2, 2), (1, 2)),
        claim((4, 4), (0, 1)),
        claim((2**32, 2**32), (2**32, 1)),
        claim((-4,), (1,)),
        claim((0,), (1,)),
        claim((True,), (1,)),
        claim((1.0,), (1,)),
        claim("4", (1,)),
        claim((4,), (1,), count=2**28),
        claim((1,) * 1000, (1,) * 1000),
        claim((2**2000,) * 9000, (1,) * 9000),
        claim((4,), (1, 1)),
    ],
)
def test_a_tensor_larger_than_its_storage_is_never_built(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "forged.pt"
    write_archive(path, {"format": "vae-loss checkpoint", **content}, {"0": bytes(16)})
    with pytest.raises(ValueError, match=r"tensor|storage"):
        read(path)
    with pytest.raises(CheckpointError, match="damaged, or it holds more than"):
        load(path)


@pytest.mark.parametrize("size", [(4,), (2, 2), (1, 4, 1)])
def test_a_tensor_that_fits_is_built(size: tuple[int, ...], tmp_path: Path) -> None:
    stride = tuple(torch.zeros(size).stride())
    write_archive(tmp_path / "a.pt", claim(size, stride), {"0": struct.pack("<4f", 1, 2, 3, 4)})
    expected = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(size)
    assert torch.equal(read(tmp_path / "a.pt")["weights"], expected)


def test_a_compressed_archive_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    bomb = {"0": bytes(2**26)}
    write_archive(path, claim((2**24,), (1,), count=2**24), bomb, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**20
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load(path)


def test_a_size_that_the_archive_s_list_forges(kept: Path) -> None:
    content = bytearray(kept.read_bytes())
    entry = content.index(b"PK\x01\x02")
    struct.pack_into("<II", content, entry + 20, 2**30, 2**30)
    kept.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load(kept)


def test_a_flipped_bit_of_a_weight_is_noticed(kept: Path) -> None:
    weights = torch.load(kept, weights_only=True)["weights"]["encoder.hidden.weight"]
    content = bytearray(kept.read_bytes())
    content[content.index(weights.numpy().tobytes()) + 2] ^= 1
    kept.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a checkpoint"):
        load(kept)


# A tuple of itself twice, sixty times over: to look at each part is to look at 2^60.
LAUGHS = b")q\x00" + b"h\x00\x86q\x00" * 60
FORMAT = b"X\x06\x00\x00\x00formatX\x13\x00\x00\x00vae-loss checkpoints"


def whole_number(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little")
    return b"\x8a" + bytes([len(data)]) + data


# Whole numbers of one hash.
COLLIDING = b"".join(whole_number(n * (2**61 - 1)) + b"N" for n in range(1, 30_000))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "pickled",
    [
        b"",
        b"\x80\x02.",
        b"\x80\x02}",
        b"\x80\x02}q\x00h\x00h\x00s.",
        b"\x80\x02" + LAUGHS + b".",
        b"\x80\x02}" + FORMAT + b"X\x07\x00\x00\x00version" + LAUGHS + b"s.",
        b"\x80\x02}" + LAUGHS + b"K\x01s.",
        b"\x80\x02" + LAUGHS + b"Q.",
        b"\x80\x02(X\x07\x00\x00\x00storage" + LAUGHS + b"X\x01\x00\x00\x000NK\x01tQ.",
        b"\x80\x02}(" + COLLIDING + b"u.",
        b"\x80\x02}" + FORMAT + b"X\x06\x00\x00\x00config]q\x00h\x00as.",
        b"\x80\x02}r\xff\xff\xff\x7f.",
        b"\x80\x02]" + b"N" * 200_000 + b".",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00ls\x85R.",
        b"\x80\x02(((((tttttR.",
        b"\x80\x02)R.",
        b"\x80\x02]q\x00h\x00a.",
    ],
)
def test_a_hostile_description(pickled: bytes, tmp_path: Path) -> None:
    path = tmp_path / "forged.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert len(str(caught.value)) < 600


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["version", "config", "data", "step", "history", "training"])
def test_a_value_that_holds_itself_without_end(name: str, kept: Path) -> None:
    with zipfile.ZipFile(kept) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    (pickled,) = [entry for entry in parts if entry.endswith("data.pkl")]
    text = b"X" + struct.pack("<I", len(name)) + name.encode()
    # Said last, it is what counts; the memo's numbers are another's.
    laughs = LAUGHS.replace(b"q\x00", b"r\x00\x00\x01\x00").replace(b"h\x00", b"j\x00\x00\x01\x00")
    parts[pickled] = parts[pickled][:-1] + text + laughs + b"s."
    with zipfile.ZipFile(kept, "w") as archive:
        for entry, content in parts.items():
            archive.writestr(entry, content)
    with pytest.raises(CheckpointError) as caught:
        load(kept).build_trainer(DATA)
    assert len(str(caught.value)) < 600


@pytest.mark.timeout(60)
@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_waited_for(kind: str, tmp_path: Path) -> None:
    path = {"device": Path("/dev/zero"), "folder": tmp_path}.get(kind, tmp_path / "pipe")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(CheckpointError, match="it is not a plain file"):
        load(path)
