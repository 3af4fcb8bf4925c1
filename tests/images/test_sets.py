"""Reading data sets: whole and right, or a message that says which file and what to do."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vae import files
from vae.config import TrainConfig
from vae.images import idx, sets
from vae.images.sets import DataUnavailable, load_images, load_sample

FILES = [f"{s}-{k}-ubyte" for s in ("train", "t10k") for k in ("images-idx3", "labels-idx1")]


def idx_bytes(array: np.ndarray) -> bytes:
    """An IDX file as its inventor describes it."""
    header = b"\x00\x00\x08" + bytes([array.ndim])
    return header + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    draws = np.random.default_rng(0)
    made = {}
    for split, count in (("train", 60_000), ("t10k", 10_000)):
        images = np.zeros((count, 28, 28), np.uint8)
        images[:100] = draws.integers(0, 256, (100, 28, 28), dtype=np.uint8)
        images[-1] = 7
        made[f"{split}-images-idx3-ubyte"] = images
        made[f"{split}-labels-idx1-ubyte"] = draws.integers(0, 10, count, dtype=np.uint8)
    return made


@pytest.fixture
def folder(tmp_path, arrays) -> Path:
    """A data folder with a made-up MNIST."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, array in arrays.items():
        (raw / name).write_bytes(idx_bytes(array))
    return tmp_path


def test_idx_files_are_read_as_written(folder, arrays):
    found = load_images("mnist", folder)
    for part, name in zip(("train", "train_labels", "test", "test_labels"), FILES, strict=True):
        np.testing.assert_array_equal(getattr(found, part), arrays[name])
    assert (found.height, found.width, found.pixels) == (28, 28, 784)
    assert found.class_names == tuple("0123456789")


def test_compressed_files_are_read_too(folder, arrays):
    raw = folder / "MNIST" / "raw"
    for name in FILES:
        (raw / f"{name}.gz").write_bytes(gzip.compress((raw / name).read_bytes(), 1))
        (raw / name).unlink()
    assert sets.is_available("mnist", folder)
    np.testing.assert_array_equal(load_images("mnist", folder).train, arrays[FILES[0]])
    images, labels = load_sample("mnist", 5, "train", folder)
    np.testing.assert_array_equal(images, arrays[FILES[0]][:5])
    np.testing.assert_array_equal(labels, arrays[FILES[1]][:5])


def test_a_set_is_held_once_and_cannot_be_changed_by_accident(folder):
    first = load_images("mnist", folder)
    assert load_images("mnist", folder) is first
    assert load_images(TrainConfig(dataset="mnist"), folder) is first
    with pytest.raises(ValueError, match="read-only"):
        first.train[0, 0, 0] = 1


def test_a_sample_reads_no_more_than_it_gives(folder, monkeypatch):
    asked = []
    fromfile = np.fromfile

    def counted(*args, **kwargs):
        asked.append(kwargs["count"])
        return fromfile(*args, **kwargs)

    monkeypatch.setattr(np, "fromfile", counted)
    images, labels = load_sample("mnist", 4, "test", folder)
    assert images.shape == (4, 28, 28)
    assert labels.shape == (4,)
    assert asked == [4 * 784, 4]


def test_absent_files_are_named_with_a_way_on(tmp_path):
    assert not sets.is_available("mnist", tmp_path)
    with pytest.raises(DataUnavailable) as caught:
        load_images("mnist", tmp_path)
    words = str(caught.value)
    assert str(tmp_path) in words
    assert "train-images-idx3-ubyte is missing" in words
    assert "python -m vae download mnist" in words
    assert "built-in digits" in words


def cut(content: bytes) -> bytes:
    return content[:-1]


def cut_in_header(content: bytes) -> bytes:
    return content[:6]


def lengthen(content: bytes) -> bytes:
    return content + b"\x00"


def other_mark(content: bytes) -> bytes:
    return b"\x00\x00\x0d" + content[3:]


def other_shape(content: bytes) -> bytes:
    return content[:4] + (59_999).to_bytes(4, "big") + content[8:]


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("damage", [cut, cut_in_header, lengthen, other_mark, other_shape])
@pytest.mark.parametrize("name", FILES[:2])
def test_a_damaged_file_is_named_with_its_reason(folder, name, damage, compressed):
    path = folder / "MNIST" / "raw" / name
    content = damage(path.read_bytes())
    if compressed:
        path.unlink()
        path = path.with_name(f"{name}.gz")
        content = gzip.compress(content, 1)
    path.write_bytes(content)
    with pytest.raises(
        DataUnavailable, match=r"cannot be read: .*Delete the file and download"
    ) as e:
        load_images("mnist", folder)
    assert str(path) in str(e.value)
    if not compressed:
        assert not sets.is_available("mnist", folder)


@pytest.mark.parametrize("damage", ["cut", "flip", "text"])
def test_a_damaged_compression_is_a_clear_error(folder, damage):
    plain = folder / "MNIST" / "raw" / FILES[1]
    packed = gzip.compress(plain.read_bytes(), 1)
    plain.unlink()
    middle = len(packed) // 2
    content = {
        "cut": packed[:middle],
        "flip": packed[:middle]
        + bytes(b ^ 255 for b in packed[middle : middle + 50])
        + packed[middle + 50 :],
        "text": b"<html>not found</html>",
    }[damage]
    plain.with_name(f"{FILES[1]}.gz").write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"train-labels-idx1-ubyte.gz cannot be read"):
        load_images("mnist", folder)


def test_replaced_files_are_read_anew(folder, arrays):
    before = load_images("mnist", folder)
    raw = folder / "MNIST" / "raw"
    changed = arrays[FILES[3]].copy()
    changed[0] = (changed[0] + 1) % 10
    new = raw / "new"
    new.write_bytes(idx_bytes(changed))
    new.replace(raw / FILES[3])
    after = load_images("mnist", folder)
    assert after.test_labels[0] != before.test_labels[0]
    assert sets.fingerprint(after) != sets.fingerprint(before)


def test_the_real_sets_are_the_known_ones(data_dir):
    mnist = load_images("mnist", data_dir)
    assert mnist.train.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert (mnist.train / np.float32(255)).std() == pytest.approx(0.3081, abs=1e-4)
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    if sets.is_available("fashion", data_dir):
        fashion = load_images("fashion", data_dir)
        assert fashion.train.mean() / 255 == pytest.approx(0.2860, abs=5e-5)
        assert fashion.class_names[fashion.test_labels[0]] == "Ankle boot"


def test_torchvision_reads_the_same(data_dir):
    datasets = pytest.importorskip("torchvision.datasets")
    expected = datasets.MNIST(str(data_dir), train=False)
    images, labels = load_sample("mnist", 50, "test", data_dir)
    np.testing.assert_array_equal(images, expected.data[:50].numpy())
    np.testing.assert_array_equal(labels, expected.targets[:50].numpy())


@pytest.mark.parametrize("call", [load_images, sets.is_available])
def test_an_unknown_name_is_refused(call):
    with pytest.raises(
        ValueError, match=r"dataset: 'cifar' given; allowed is one of digits, mnist"
    ):
        call("cifar")


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="split: 'valid' given"):
        load_sample("digits", 3, "valid")


def test_a_sample_of_the_built_in_digits_has_the_greyness_asked_for():
    images, labels = load_sample("digits", 6, grey=0)
    assert images.shape == (6, 28, 28)
    assert labels.shape == (6,)
    assert set(np.unique(images)) == {0, 255}


def test_the_configuration_carries_greyness_and_images(tmp_path):
    assert load_images(TrainConfig(grey=0.25)) is load_images("digits", grey=0.25)
    path = tmp_path / "own.npz"
    np.savez(path, images=np.arange(7 * 4, dtype=np.uint8).reshape(7, 2, 2))
    own = load_images(TrainConfig(dataset="images", images=str(path)))
    assert own.train.shape == (6, 2, 2)
    assert own.test.shape == (1, 2, 2)


def test_binarised_pixels_are_drawn_with_their_grey_as_probability():
    levels = np.repeat(np.array([0, 1, 64, 128, 254, 255], np.uint8), 400_000).reshape(6, 400, 1000)
    drawn = sets.binarise(levels, seed=5)
    assert set(np.unique(drawn)) == {0, 255}
    shares = (drawn == 255).mean(axis=(1, 2))
    expected = levels[:, 0, 0] / 255
    error = np.sqrt(expected * (1 - expected) / 400_000)
    assert (np.abs(shares - expected) <= 5 * error).all()
    assert shares[0] == 0
    assert shares[-1] == 1


def test_binarising_depends_on_the_seed_alone():
    levels = np.full((3, 28, 28), 128, np.uint8)
    np.testing.assert_array_equal(sets.binarise(levels, 1), sets.binarise(levels, 1))
    assert (sets.binarise(levels, 1) != sets.binarise(levels, 2)).any()
    # No image's draw is another's.
    drawn = sets.binarise(np.full((2500, 4, 4), 128, np.uint8), 1)
    assert len(np.unique(drawn.reshape(2500, -1), axis=0)) > 2200


def test_the_fingerprint_sees_any_pixel_any_label_and_the_order():
    def build(**changes):
        draws = np.random.default_rng(1)
        parts = {
            "train": draws.integers(0, 256, (5, 3, 3), dtype=np.uint8),
            "train_labels": np.arange(5, dtype=np.uint8),
            "test": draws.integers(0, 256, (4, 3, 3), dtype=np.uint8),
            "test_labels": np.arange(4, dtype=np.uint8),
        }
        for name, change in changes.items():
            parts[name] = change(parts[name].copy())
        return sets.fingerprint(sets.ImageData("images", **parts, class_names=("a",)))

    def nudge(array):
        array.flat[-1] ^= 1
        return array

    marks = {build()}
    marks |= {build(**{part: nudge}) for part in ("train", "train_labels", "test", "test_labels")}
    marks.add(build(train=lambda x: x[::-1], train_labels=lambda x: x[::-1]))
    marks.add(build(train=lambda x: x.reshape(5, 1, 9), test=lambda x: x.reshape(4, 1, 9)))
    assert len(marks) == 7
    assert build() in marks


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/vae-loss"),
        ("linux", {}, "/home/me/.cache/vae-loss"),
        ("darwin", {"XDG_CACHE_HOME": "/c"}, "/home/me/Library/Caches/vae-loss"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/vae-loss"),
        ("win32", {}, "/home/me/AppData/Local/vae-loss"),
    ],
)
def test_the_cache_folder_is_the_platforms(monkeypatch, platform, variables, expected):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "VAE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/me"))
    assert files.user_cache_dir() == Path(expected)
    assert sets.default_data_dir() == Path(expected)
    monkeypatch.setenv("VAE_DATA_DIR", "/d")
    assert sets.default_data_dir() == Path("/d")


def test_reading_images_needs_no_torch():
    code = (
        "import sys; from vae.images import own, sets; from vae.shipped import cards;"
        "sets.load_sample('digits', 2);"
        "assert own; cards.load_cards(); cards.data_summary('mnist');"
        "assert not {'torch', 'torchvision', 'streamlit'} & sys.modules.keys()"
    )
    root = Path(sets.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_torchvisions_folders_are_the_ones_read():
    assert idx.FOLDERS == {"mnist": "MNIST/raw", "fashion": "FashionMNIST/raw"}
