"""Hostile images of one's own: refused by their sizes before anything is unpacked."""

import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vae.errors import DataUnavailable
from vae.images import digits, npz, sets
from vae.images.own import read
from vae.images.sets import is_available, load_images

SMALL = np.arange(4 * 3 * 2, dtype=np.uint8).reshape(4, 3, 2)


def header(shape: object, dtype: str = "|u1", order: bool = False, version: int = 1) -> bytes:
    text = f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(text) + 1)
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + b"\n"


def write(path: Path, entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def peak_of(action: Callable[[], object]) -> int:
    """The largest number of bytes that Python and numpy held at once."""
    tracemalloc.start()
    try:
        action()
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


def refuse(path: Path, reason: str) -> None:
    with pytest.raises(DataUnavailable, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    ("shape", "dtype", "reason"),
    [
        ((10**9, 28, 28), "|u1", "at most 200000 images"),
        ((190_000, 128, 128), "|u1", "pixels are read"),
        ((190_000, 128, 128), "<f8", "pixels are read"),
        ((10**30, 1, 1), "|u1", "at most 200000 images"),
        ((4, 10**30, 1), "|u1", "sides of 1 to 128"),
        ((4, -1, 1), "|u1", "a shape of"),
        ((4, 28, 28), "|O", "not of numbers"),
        ((4, 28, 28), "<c16", "not of numbers"),
        ((4, 28, 28), "|V100000", "not of numbers"),
        ((4, 28, 28), "<U10", "not of numbers"),
        ((4, 28, 28), "nonsense", "cannot be read"),
        ("(((" * 1000, "|u1", "cannot be read"),
        ("(2, 2, 2)" + " " * 20_000, "|u1", "a header of"),
    ],
)
def test_a_header_is_refused_before_its_values_are_read(
    tmp_path: Path, shape: object, dtype: str, reason: str
) -> None:
    zeros = bytes(2**25)
    path = write(tmp_path / "own.npz", {"images.npy": header(shape, dtype) + zeros})
    del zeros
    assert peak_of(lambda: refuse(path, reason)) < 2**24


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    start = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b" " * 2**25
    path = write(tmp_path / "own.npz", {"images.npy": start})
    assert peak_of(lambda: refuse(path, "a header of 2147483648 bytes")) < 2**24


def test_what_nobody_asked_for_is_not_unpacked(tmp_path: Path) -> None:
    good, bomb = io.BytesIO(), header((2**28,)) + bytes(2**25)
    np.lib.format.write_array(good, SMALL)
    entries = {"images.npy": good.getvalue(), "more.npy": bomb, "x.txt": bomb}
    path = write(tmp_path / "own.npz", entries)
    del bomb, entries
    assert peak_of(lambda: read(path)) < 2**24


@pytest.mark.parametrize("change", [-1, 1])
def test_values_are_as_many_as_the_header_says(tmp_path: Path, change: int) -> None:
    values = bytes(range(24 + change))
    path = write(tmp_path / "own.npz", {"images.npy": header((4, 3, 2)) + values})
    refuse(path, "ends before its headers say" if change < 0 else "longer than its header says")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1e-9, 1.0001])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4"])
def test_one_number_outside_0_to_1_is_found_anywhere(
    tmp_path: Path, bad: float, dtype: str
) -> None:
    if dtype == "<f2" and abs(bad) < 2:
        # Half precision is too coarse for the others.
        bad = -1e-3 if bad < 0 else 1.01
    pixels = np.full((5000, 28, 28), 0.5).astype(dtype)
    pixels[4321, 7, 7] = bad
    np.savez_compressed(tmp_path / "own.npz", images=pixels)
    refuse(tmp_path / "own.npz", "'images' holds float")


@pytest.mark.parametrize("dtype", ["|u1", "<f4", ">f8", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_layout_gives_the_same_images(tmp_path: Path, dtype: str, order: str) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (30, 5, 7), dtype=np.uint8)
    stored = levels if dtype == "|u1" else (levels / 255).astype(dtype)
    np.savez_compressed(tmp_path / "own.npz", images=np.asarray(stored, order=order))  # type: ignore[call-overload]
    train, _, test, _, _ = read(tmp_path / "own.npz")
    held_out = np.arange(30) % 6 == 5
    np.testing.assert_array_equal(train, levels[~held_out])
    np.testing.assert_array_equal(test, levels[held_out])


def test_floats_take_no_more_room_than_the_bytes_they_become(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    np.savez_compressed(path, images=np.zeros((60_000, 28, 28), np.float32))
    # The bytes, and their parts for training and testing.
    assert peak_of(lambda: read(path)) < 2.5 * 60_000 * 28 * 28


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(tmp_path: Path, method: int) -> None:
    entries = {"images.npy": header((4, 3, 2)) + SMALL.tobytes()}
    refuse(write(tmp_path / "own.npz", entries, method), "compressed otherwise")


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "own.npz", {"images.npy": header((4, 3, 2)) + SMALL.tobytes()})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    refuse(path, "it is encrypted")


def test_names_that_go_on_for_ever_are_cut(tmp_path: Path) -> None:
    entries = {f"{'x' * 1000}{n}.npy": b"" for n in range(900)}
    refuse(write(tmp_path / "own.npz", entries), "needed is 'images'")


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.timeout(60)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "own.npz")
    refuse(tmp_path / "own.npz", "no such file or folder")


@pytest.mark.parametrize("name", ["x" * 5000, "a/" * 3000, "~nosuchuser/own.npz", "a\0b"])
def test_paths_that_no_file_can_have(name: str) -> None:
    for action in (read, lambda path: load_images("images", images=path)):
        with pytest.raises(DataUnavailable):
            action(name)
    if not name.startswith("~"):
        assert not is_available("images", images=name)
        with pytest.raises(DataUnavailable):
            load_images("mnist", name)


# Pictures


def png(width: int, height: int, pixels: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    about = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", about), (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.png"):
        Image.fromarray(np.full((28, 28), 9, np.uint8)).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("size", [(5001, 5000), (10**5, 10**5), (2**31 - 1, 1), (13_000, 13_000)])
def test_a_picture_s_size_is_refused_before_it_is_unpacked(
    folder: Path, size: tuple[int, int], recwarn: pytest.WarningsRecorder
) -> None:
    (folder / "b.png").write_bytes(png(*size, bytes(1000)))
    with pytest.raises(DataUnavailable, match=r"b\.png: not a readable picture .*pixels"):
        read(folder)
    bombs = [each for each in recwarn if issubclass(each.category, Image.DecompressionBombWarning)]
    assert not bombs


def test_a_large_photograph_is_read_as_before(folder: Path) -> None:
    rows = np.linspace(0, 255, 3000).astype(np.uint8)
    picture = Image.fromarray(np.repeat(rows[:, None], 3000, 1))
    picture.putalpha(128)
    picture.save(folder / "a.png", compress_level=1)
    train = read(folder)[0][0].astype(int)
    black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    whole = Image.alpha_composite(black, picture.convert("RGBA")).convert("L")
    expected = np.asarray(whole.resize((28, 28), Image.Resampling.BOX)).astype(int)
    np.testing.assert_array_equal(train, expected)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize("content", [POSTSCRIPT, b"SIMPLE  =                    T" + b" " * 3000])
def test_only_the_formats_of_the_suffixes_are_opened(folder: Path, content: bytes) -> None:
    (folder / "b.png").write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"b\.png: not a readable picture .cannot identify"):
        read(folder)


def test_a_picture_with_numbers_that_are_none(folder: Path) -> None:
    values = np.full((28, 28), np.nan, np.float32)
    Image.fromarray(values).save(folder / "b.tiff")
    with pytest.raises(DataUnavailable, match="numbers that are not finite"):
        read(folder)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(folder: Path) -> None:
    (folder / "class").mkdir(mode=0)
    with pytest.raises(DataUnavailable, match="Permission denied"):
        read(folder)


# The digits that are kept in the cache folder


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64])
def test_a_spoilt_cache_of_digits_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    count = digits.TRAIN_COUNT + digits.TEST_COUNT
    if dtype is np.uint8:
        spoilt = {"distances": np.zeros((2**27,), dtype), "labels": np.zeros(count, np.uint8)}
    else:
        spoilt = {
            "distances": np.zeros((count, 28, 28), dtype),
            "labels": np.zeros(count, np.uint8),
        }
    drawn = np.full((count, 28, 28), 255, np.uint8), np.zeros(count, np.uint8)
    monkeypatch.setattr(sets, "user_cache_dir", lambda: tmp_path)
    monkeypatch.setattr(digits, "edge_distances", lambda: drawn)
    path = tmp_path / f"digits-{digits.VERSION}.npz"
    np.savez_compressed(path, **spoilt)
    sets._drawn.cache_clear()
    sets._digits.cache_clear()
    try:
        assert (load_images("digits").train == 255).all()
    finally:
        sets._drawn.cache_clear()
        sets._digits.cache_clear()
    with npz.open_npz(path) as stored:
        assert stored.header("distances").shape == (count, 28, 28)
