"""A learner's own images: read as they are meant, or refused with the file and the reason."""

import numpy as np
import pytest
from PIL import Image

from vae.config import TrainConfig
from vae.images.own import read
from vae.images.sets import DataUnavailable, load_images


def save(path, array, mode="L"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, np.uint8), mode).save(path)


def test_a_npz_with_both_parts(tmp_path):
    path = tmp_path / "own.npz"
    train = np.random.default_rng(0).integers(0, 256, (5, 4, 6), dtype=np.uint8)
    np.savez(path, train=train, test=train[:2], train_labels=[0, 1, 2, 1, 0], test_labels=[3, 0])
    found = read(path)
    np.testing.assert_array_equal(found[0], train)
    np.testing.assert_array_equal(found[1], [0, 1, 2, 1, 0])
    np.testing.assert_array_equal(found[2], train[:2])
    np.testing.assert_array_equal(found[3], [3, 0])
    assert found[4] == ("0", "1", "2", "3")


def test_a_npz_of_images_alone_keeps_every_sixth_for_testing(tmp_path):
    path = tmp_path / "own.npz"
    images = np.arange(13, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    np.savez(path, images=images, labels=np.arange(13))
    train, train_labels, test, test_labels, _ = read(path)
    assert test_labels.tolist() == [5, 11]
    assert test[:, 0, 0].tolist() == [5, 11]
    assert train_labels.tolist() == train[:, 0, 0].tolist()
    assert sorted([*train_labels, *test_labels]) == list(range(13))


def test_floats_from_zero_to_one_become_bytes(tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, images=np.array([0, 0.5, 1, 0.25], np.float32).reshape(4, 1, 1))
    train, _, test, _, _ = read(path)
    assert sorted([*train.flat, *test.flat]) == [0, 64, 128, 255]


ZERO = np.zeros((4, 2, 2), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"pictures": ZERO}, "it holds pictures; needed is 'images', or 'train' and 'test'"),
        ({}, "it holds nothing"),
        ({"train": ZERO}, "it holds train; needed"),
        ({"images": ZERO.reshape(4, 4)}, r"'images' has shape \(4, 4\)"),
        ({"images": ZERO[:1]}, "too few images"),
        ({"images": ZERO.astype(np.int64)}, "'images' holds int64"),
        ({"images": ZERO + 1.5}, "'images' holds float64; needed is uint8 .* 0 to 1"),
        ({"images": np.full((4, 2, 2), np.nan)}, "'images' holds float64"),
        ({"images": np.zeros((4, 2, 300), np.uint8)}, "sides of 1 to 128 pixels"),
        ({"images": ZERO, "labels": [1, 2]}, "'labels' must be 4 whole numbers"),
        ({"images": ZERO, "labels": [1, 2, 3, 256]}, "'labels' must be 4 whole numbers"),
        ({"images": ZERO, "labels": [0.5, 1, 2, 3]}, "'labels' must be 4 whole numbers"),
        ({"train": ZERO, "test": ZERO[:, :1]}, "train images are 2 x 2, test images 1 x 2"),
        ({"train": ZERO, "test": ZERO[:0]}, "too few images"),
        ({"images": np.array([object()] * 4)}, "cannot be read as a .npz"),
    ],
)
def test_a_npz_that_does_not_fit_is_refused_with_its_name(tmp_path, arrays, reason):
    path = tmp_path / "own.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataUnavailable, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"plain text"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    path = tmp_path / "own.npz"
    path.write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"own\.npz cannot be read as a \.npz file"):
        read(path)


def test_a_missing_path_and_a_wrong_kind_are_told_apart(tmp_path):
    with pytest.raises(DataUnavailable, match="there is no such file or folder"):
        read(tmp_path / "none.npz")
    (tmp_path / "picture.png").write_bytes(b"x")
    with pytest.raises(DataUnavailable, match=r"neither a \.npz file nor a folder"):
        read(tmp_path / "picture.png")


def test_subfolders_are_classes_and_the_split_is_the_same_each_time(tmp_path):
    for name, level in (("dogs", 200), ("cats", 100)):
        for index in range(7):
            save(tmp_path / name / f"{index}.png", np.full((28, 28), level + index))
    (tmp_path / "notes.txt").write_text("not a picture")
    train, train_labels, test, test_labels, names = read(tmp_path)
    assert names == ("cats", "dogs")
    assert train.shape == (12, 28, 28)
    assert test[:, 0, 0].tolist() == [105, 205]
    assert test_labels.tolist() == [0, 1]
    assert np.bincount(train_labels).tolist() == [6, 6]
    for first, second in zip(
        read(tmp_path)[:4], (train, train_labels, test, test_labels), strict=True
    ):
        np.testing.assert_array_equal(first, second)


def test_loose_pictures_are_one_class_and_two_are_enough(tmp_path):
    folder = tmp_path / "shells"
    save(folder / "a.png", np.full((28, 28), 10))
    save(folder / "b.png", np.full((28, 28), 20))
    train, _, test, _, names = read(folder)
    assert (train[0, 0, 0], test[0, 0, 0], names) == (10, 20, ("shells",))


def test_one_picture_a_class_still_leaves_some_to_learn_from(tmp_path):
    for index in range(3):
        save(tmp_path / f"class{index}" / "a.png", np.full((28, 28), index))
    train, train_labels, test, test_labels, names = read(tmp_path)
    assert (len(train), len(test), len(names)) == (2, 1, 3)
    assert sorted([*train_labels, *test_labels]) == [0, 1, 2]


def test_a_wide_picture_keeps_its_proportions_on_black(tmp_path):
    wide = np.full((20, 56), 255)
    save(tmp_path / "a.png", wide)
    save(tmp_path / "b.png", wide)
    image = read(tmp_path)[0][0]
    assert image.shape == (28, 28)
    assert (image[9:19] == 255).all()
    assert (image[:9] == 0).all()
    assert (image[19:] == 0).all()


def test_shrinking_averages_and_small_pictures_grow(tmp_path):
    checks = np.indices((56, 56)).sum(0) % 2 * 255
    save(tmp_path / "a.png", checks)
    save(tmp_path / "b.png", np.full((7, 7), 99))
    train, _, test, _, _ = read(tmp_path)
    assert np.abs(train[0].astype(int) - 127.5).max() <= 1
    assert (test[0] == 99).all()


def test_colours_transparency_and_deep_greys_become_greys(tmp_path):
    green = np.zeros((28, 28, 3), np.uint8)
    green[..., 1] = 255
    clear = np.full((28, 28, 4), 255, np.uint8)
    clear[..., 3] = 0
    Image.fromarray(green).save(tmp_path / "a.png")
    Image.fromarray(clear).save(tmp_path / "b.png")
    Image.fromarray(np.full((28, 28), 257 * 60, np.uint16)).save(tmp_path / "c.png")
    train, _, test, _, _ = read(tmp_path)
    # 0.587 is green's share of luma (ITU-R 601).
    assert train[0, 0, 0] == round(0.587 * 255)
    assert train[1, 0, 0] == 0
    assert test[0, 0, 0] == 60


def test_a_photograph_stands_upright(tmp_path):
    left_dark = np.zeros((28, 28), np.uint8)
    left_dark[:, 14:] = 255
    turned = Image.Exif()
    turned[0x0112] = 6
    for name in ("a.png", "b.png"):
        Image.fromarray(left_dark).save(tmp_path / name, exif=turned)
    image = read(tmp_path)[0][0]
    # Orientation 6: the stored left edge is the top of the picture.
    assert image[:14].max() == 0
    assert image[14:].min() == 255


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nrubbish", b"text"])
def test_a_broken_picture_is_named(tmp_path, content):
    save(tmp_path / "a.png", np.zeros((3, 3)))
    (tmp_path / "b.png").write_bytes(content)
    with pytest.raises(DataUnavailable, match=r"b\.png: not a readable picture"):
        read(tmp_path)


def test_a_truncated_picture_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64))
    for name in ("a.png", "b.png"):
        save(tmp_path / name, noise)
    content = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataUnavailable, match=r"b\.png: not a readable picture"):
        read(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataUnavailable, match=r"0 pictures found \(.*\.png.*at least 2"):
        read(tmp_path)


def test_the_command_lines_setting_reaches_them(tmp_path):
    for index in range(6):
        save(tmp_path / f"{index}.png", np.full((28, 28), index))
    found = load_images(TrainConfig(dataset="images", images=str(tmp_path)))
    assert found.name == "images"
    assert (len(found.train), len(found.test)) == (5, 1)
