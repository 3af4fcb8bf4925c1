"""The built-in digits: the same on every machine, readable, varied, as grey as asked."""

import time

import numpy as np
import pytest
from scipy.special import entr

from vae.images import digits, sets


@pytest.fixture(scope="module")
def images() -> sets.ImageData:
    return sets.load_images("digits")


def test_the_set_is_large_enough_and_balanced(images):
    assert images.train.shape == (12_000, 28, 28)
    assert images.test.shape == (2_000, 28, 28)
    assert images.train.dtype == np.uint8
    assert np.bincount(images.train_labels).tolist() == [1200] * 10
    assert np.bincount(images.test_labels).tolist() == [200] * 10


def test_every_image_is_drawn_once(images):
    everything = np.concatenate([images.train, images.test]).reshape(14_000, -1)
    assert len(np.unique(everything, axis=0)) == 14_000


def test_the_images_are_those_of_this_version(images):
    # Measured once. Another platform may round a few pixels differently, not draw other digits:
    # change VERSION along with these when the drawing changes, so that old caches are not read.
    assert digits.VERSION == 1
    assert images.train.mean() == pytest.approx(36.782, abs=0.01)
    assert images.test.mean() == pytest.approx(37.166, abs=0.02)
    blocks = images.train[:50].mean(0).reshape(4, 7, 4, 7).mean(axis=(1, 3))
    expected = [
        [3.4, 44.0, 34.1, 0.3],
        [13.0, 107.7, 100.9, 1.9],
        [6.0, 81.3, 102.1, 19.2],
        [1.9, 40.1, 48.6, 3.4],
    ]
    np.testing.assert_allclose(blocks, expected, atol=0.3)


def test_a_seed_draws_the_same_images_again_and_another_seed_others():
    first, labels = digits.edge_distances(60, 20, seed=3)
    again, labels_again = digits.edge_distances(60, 20, seed=3)
    other, _ = digits.edge_distances(60, 20, seed=4)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, labels_again)
    assert (first != other).any(axis=(1, 2)).all()


def test_drawing_everything_takes_seconds():
    # Processor time: other work on the machine does not count.
    began = time.process_time()
    digits.edge_distances()
    assert time.process_time() - began < 3


def test_the_digits_can_be_read(images):
    """The nearest training image has the right class for nearly all test images."""
    train = images.train.reshape(12_000, -1).astype(np.float32)
    test = images.test[:500].reshape(500, -1).astype(np.float32)
    distances = (train**2).sum(1) - 2 * test @ train.T
    found = images.train_labels[distances.argmin(1)]
    assert (found == images.test_labels[:500]).mean() > 0.97


def test_a_class_is_not_one_picture(images):
    """Most of the pixels' variance lies within the classes, and in many directions."""
    x = images.train.reshape(12_000, -1) / 255
    within = sum(x[images.train_labels == k].var(0).sum() for k in range(10)) / 10
    assert within / x.var(0).sum() > 0.6
    eigenvalues = np.linalg.eigvalsh(np.cov(x.T))
    assert (eigenvalues > 0.1).sum() > 40


def test_digits_are_framed_like_mnist(images):
    ink = images.test >= 128
    assert not ink[:, [0, -1], :].any()
    assert not ink[:, :, [0, -1]].any()
    rows = ink.any(axis=2).sum(axis=1)
    assert 15 <= rows.mean() <= 21
    assert 0.1 < (images.test / 255).mean() < 0.2


def floor(images: np.ndarray) -> float:
    """The entropy of the greys read as Bernoulli parameters, nats an image."""
    t = images / 255
    return float((entr(t) + entr(1 - t)).sum() / len(images))


def test_zero_is_binary_and_one_is_mid_grey():
    distances, _ = digits.edge_distances(100, 0)
    assert set(np.unique(digits.grey_levels(distances, 0))) == {0, 255}
    levels = digits.grey_levels(distances, 1)
    assert levels.min() == pytest.approx(0.3 * 255, abs=1)
    assert levels.max() == pytest.approx(0.7 * 255, abs=1)
    half = digits.grey_levels(distances, 0.5)
    assert half.min() == 0
    assert half.max() == 255
    assert 0.05 < ((half > 0) & (half < 255)).mean() < 0.25


def test_more_greyness_is_a_higher_floor_of_bce_and_the_same_digits():
    distances, _ = digits.edge_distances(200, 0)
    steps = [digits.grey_levels(distances, grey) for grey in np.linspace(0, 1, 21)]
    floors = [floor(step) for step in steps]
    assert floors[0] == 0
    assert (np.diff(floors) > 0).all()
    for step in steps:
        np.testing.assert_array_equal(step >= 128, steps[0] >= 128)


@pytest.mark.parametrize("grey", [-0.01, 1.01, float("nan")])
def test_greyness_outside_its_range_is_refused(grey):
    with pytest.raises(ValueError, match=r"grey: .* allowed is 0 to 1"):
        digits.grey_levels(np.zeros((1, 28, 28), np.uint8), grey)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache folder of this test's own, and no digits held in the process."""
    monkeypatch.setattr(sets, "user_cache_dir", lambda: tmp_path / "cache")
    _forget()
    yield tmp_path / "cache"
    _forget()


def _forget() -> None:
    sets._digits.cache_clear()
    sets._drawn.cache_clear()
    sets._test_drawing.cache_clear()


@pytest.fixture
def drawings(monkeypatch) -> list[int]:
    """Counts drawings, and draws few points in place of the real ones."""
    calls: list[int] = []
    total = digits.TRAIN_COUNT + digits.TEST_COUNT

    def draw():
        calls.append(1)
        rows = np.arange(total)
        return np.zeros((total, 28, 28), np.uint8), (rows % 10).astype(np.uint8)

    monkeypatch.setattr(digits, "edge_distances", draw)
    return calls


def test_the_drawing_is_kept_and_read_again(own_cache, drawings):
    sets.load_images("digits", grey=0.2)
    sets.load_images("digits", grey=0.8)
    _forget()
    sets.load_images("digits")
    assert len(drawings) == 1
    assert [path.name for path in own_cache.iterdir()] == [f"digits-{digits.VERSION}.npz"]


@pytest.mark.parametrize("damage", ["cut", "flip", "text", "shape"])
def test_a_spoilt_cache_is_drawn_anew(own_cache, drawings, damage):
    sets.load_images("digits")
    path = own_cache / f"digits-{digits.VERSION}.npz"
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flip":
        path.write_bytes(content[:5000] + b"\xff" + content[5001:])
    elif damage == "text":
        path.write_text("not a zip")
    else:
        np.savez(path, distances=np.zeros((3, 28, 28), np.uint8), labels=np.zeros(3, np.uint8))
    _forget()
    assert sets.load_images("digits").train.shape == (12_000, 28, 28)
    assert len(drawings) == 2
    _forget()
    sets.load_images("digits")
    assert len(drawings) == 2, "the cache was mended"


def test_a_cache_that_cannot_be_written_is_no_failure(own_cache, drawings):
    own_cache.write_text("a file where the folder should be")
    assert len(sets.load_images("digits").train) == 12_000
    assert own_cache.read_text() == "a file where the folder should be"
    sets.load_images("digits", grey=0.8)
    assert len(drawings) == 1


@pytest.mark.usefixtures("own_cache", "drawings")
def test_a_few_images_cost_no_more_than_themselves(monkeypatch):
    greyed: list[int] = []
    grey_levels = digits.grey_levels
    monkeypatch.setattr(
        digits, "grey_levels", lambda d, grey: (greyed.append(len(d)), grey_levels(d, grey))[1]
    )
    images, labels = sets.load_sample("digits", 7, grey=0.3)
    assert greyed == [7]
    whole = sets.load_images("digits", grey=0.3)
    np.testing.assert_array_equal(images, whole.test[:7])
    np.testing.assert_array_equal(labels, whole.test_labels[:7])
