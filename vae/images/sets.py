"""The images to learn from: built-in digits, MNIST, Fashion-MNIST, the learner's own.

No torch here: the server reads images for its figures too. Images are ``uint8`` arrays
(N, height, width), 0 to 255 for greys 0 to 1. Nothing in this module touches the network;
``vae.images.downloads.download`` does, at the user's request.
"""

import contextlib
import hashlib
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vae.config import DATASETS, TrainConfig
from vae.errors import DataUnavailable
from vae.files import expand, user_cache_dir, write_atomically
from vae.images import digits, idx, npz, own
from vae.memo import shared

__all__ = [
    "DataUnavailable",
    "ImageData",
    "binarise",
    "default_data_dir",
    "fingerprint",
    "is_available",
    "load_images",
    "load_sample",
]

DIGIT_NAMES = tuple("0123456789")
FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True)
class ImageData:
    """One set of images. Arrays are read-only and shared: copy them to change them.

    ``train`` (N, h, w) and ``test`` (M, h, w) uint8; ``train_labels`` (N,) and ``test_labels``
    (M,) uint8, indices into ``class_names``.
    """

    name: str
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for part in (self.train, self.train_labels, self.test, self.test_labels):
            part.setflags(write=False)

    @property
    def height(self) -> int:
        return int(self.train.shape[1])

    @property
    def width(self) -> int:
        return int(self.train.shape[2])

    @property
    def pixels(self) -> int:
        """Pixels of an image, D in the formulas."""
        return self.height * self.width


def default_data_dir() -> Path:
    """Where downloaded sets live: the environment's ``VAE_DATA_DIR``, else the user's cache."""
    chosen = os.environ.get("VAE_DATA_DIR")
    return expand(chosen, "VAE_DATA_DIR") if chosen else user_cache_dir()


def load_images(
    source: TrainConfig | str,
    data_dir: str | Path | None = None,
    *,
    grey: float = 0.5,
    images: str | Path = "",
) -> ImageData:
    """The images that ``source`` names, held once per process. Never downloads.

    Args:
        source: a configuration (its ``grey`` and ``images`` are used), or a name:
            'digits', 'mnist', 'fashion' or 'images'.
        data_dir: folder with ``MNIST/raw`` and ``FashionMNIST/raw``; default
            ``default_data_dir()``.
        grey: built-in digits only, see ``vae.images.digits.grey_levels``.
        images: for 'images', a ``.npz`` file or a folder of pictures, see ``vae.images.own``.

    Targets are grey whatever ``binarise`` says; ``binarise`` below draws static ones.

    Raises:
        DataUnavailable: missing, truncated or unreadable; the message says which file and what
            to do.
        ValueError: an unknown name or a ``grey`` outside [0, 1].
    """
    if isinstance(source, TrainConfig):
        name, grey, images = source.dataset, source.grey, source.images
    else:
        name = source
    _check_name(name)
    if name == "digits":
        return _digits(float(grey))
    if name == "images":
        path = expand(images, "images")
        return _own(path, _stamp(path))
    folder = _folder(name, data_dir)
    return _idx_data(name, folder, _stamp(folder))


def is_available(name: str, data_dir: str | Path | None = None, images: str | Path = "") -> bool:
    """Whether ``load_images`` can read ``name`` now: its files are there and have their size."""
    _check_name(name)
    if name == "digits":
        return True
    if name == "images":
        # A path may be longer than any that can be.
        with contextlib.suppress(OSError):
            return bool(images) and expand(images, "images").exists()
        return False
    folder = _folder(name, data_dir)
    try:
        for split in idx.COUNTS:
            for kind in ("images-idx3", "labels-idx1"):
                idx.check(idx.find(folder, f"{split}-{kind}-ubyte"), split)
    except DataUnavailable:
        return False
    return True


def load_sample(
    name: str,
    count: int,
    split: str = "test",
    data_dir: str | Path | None = None,
    *,
    grey: float = 0.5,
) -> tuple[np.ndarray, np.ndarray]:
    """The first ``count`` images and labels of a set, reading no more of it than that.

    Args:
        split: 'train' or 'test'.

    Returns:
        images (count, h, w) uint8, labels (count,) uint8.

    Raises:
        DataUnavailable: as ``load_images``.
        ValueError: an unknown ``split`` or name.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split: {split!r} given; allowed is 'train' or 'test'")
    if name == "digits" and split == "test":
        distances, labels = _test_drawing()
        return digits.grey_levels(distances[:count], grey), labels[:count]
    if name not in idx.FOLDERS:
        data = load_images(name, data_dir, grey=grey)
        images, labels = getattr(data, split), getattr(data, f"{split}_labels")
        return images[:count], labels[:count]
    folder = _folder(name, data_dir)
    part = "train" if split == "train" else "t10k"
    return (
        idx.read(idx.find(folder, f"{part}-images-idx3-ubyte"), part, count),
        idx.read(idx.find(folder, f"{part}-labels-idx1-ubyte"), part, count),
    )


def binarise(images: np.ndarray, seed: int) -> np.ndarray:
    """Each grey read as the probability of a one, drawn once: 0 or 255, uint8, same shape.

    The draw depends on ``seed`` and on the position in the array alone.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = np.empty_like(images)
    for start in range(0, len(images), 1000):
        chunk = images[start : start + 1000]
        # integers 0..254 against 1..255: an exact probability of grey / 255.
        threshold = generator.integers(0, 255, size=chunk.shape, dtype=np.uint8)
        drawn[start : start + 1000] = np.where(threshold < chunk, 255, 0)
    return drawn


def fingerprint(data: ImageData) -> str:
    """16 hexadecimal digits that change with any pixel, label or the order of ``data``."""
    digest = hashlib.sha256()
    for part in (data.train, data.train_labels, data.test, data.test_labels):
        digest.update(repr(part.shape).encode())
        digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:16]


def _check_name(name: str) -> None:
    if name not in DATASETS:
        raise ValueError(f"dataset: {name!r} given; allowed is one of {', '.join(DATASETS)}")


def _folder(name: str, data_dir: str | Path | None) -> Path:
    base = default_data_dir() if data_dir is None else expand(data_dir, "data folder")
    return base / idx.FOLDERS[name]


def _stamp(path: Path) -> int:
    """When ``path`` last changed, so that the memo forgets what was replaced; 0 when absent."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


# Two sets: a comparison of two data sets never reads one again and again, and the server holds
# at most 110 MB of images.
@shared(maxsize=2)
def _idx_data(name: str, folder: Path, stamp: int) -> ImageData:
    del stamp
    train, train_labels, test, test_labels = (
        idx.read(idx.find(folder, f"{split}-{kind}-ubyte"), split)
        for split in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    names = DIGIT_NAMES if name == "mnist" else FASHION_NAMES
    return ImageData(name, train, train_labels, test, test_labels, names)


@shared(maxsize=2)
def _own(path: Path, stamp: int) -> ImageData:
    del stamp
    return ImageData("images", *own.read(path))


@shared(maxsize=2)
def _digits(grey: float) -> ImageData:
    distances, labels = _digit_distances()
    images = digits.grey_levels(distances, grey)
    cut = digits.TRAIN_COUNT
    return ImageData("digits", images[:cut], labels[:cut], images[cut:], labels[cut:], DIGIT_NAMES)


@shared(maxsize=1)
def _test_drawing() -> tuple[np.ndarray, np.ndarray]:
    """The test images' part of ``_digit_distances``, of which the pages show a few."""
    distances, labels = _digit_distances()
    # Copies: the part of an array would keep the whole.
    return distances[digits.TRAIN_COUNT :].copy(), labels[digits.TRAIN_COUNT :].copy()


def _digit_distances() -> tuple[np.ndarray, np.ndarray]:
    """The drawing behind the digits: from the cache folder, else drawn and kept there.

    Reading its ten megabytes again for another greyness costs less than holding them.
    """
    try:
        return _stored()
    except Exception:
        # A cache that is absent or spoilt, in whichever way, is drawn again.
        distances, labels, is_stored = _drawn()
    if is_stored:
        _drawn.cache_clear()
    return distances, labels


def _stored() -> tuple[np.ndarray, np.ndarray]:
    count = digits.TRAIN_COUNT + digits.TEST_COUNT
    with npz.open_npz(_digits_file()) as stored:
        distances = stored.read("distances", np.uint8, (count, digits.SIDE, digits.SIDE))
        return distances, stored.read("labels", np.uint8, (count,))


@shared(maxsize=1)
def _drawn() -> tuple[np.ndarray, np.ndarray, bool]:
    """The drawing, made now, and whether the cache folder could keep it."""
    distances, labels = digits.edge_distances()
    return distances, labels, _keep(distances, labels)


def _digits_file() -> Path:
    return user_cache_dir() / f"digits-{digits.VERSION}.npz"


def _keep(distances: np.ndarray, labels: np.ndarray) -> bool:
    """Write the drawing whole or not at all; a folder that cannot be written is let be."""
    drawing = io.BytesIO()
    np.savez(drawing, distances=distances, labels=labels)
    with contextlib.suppress(OSError, DataUnavailable):
        path = _digits_file()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, drawing.getbuffer())
        return True
    return False
