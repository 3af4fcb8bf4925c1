"""A learner's own images: a ``.npz`` file or a folder of pictures, turned into grey arrays."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from vae.errors import DataUnavailable

SIDE = 28
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
# Bounds that keep a mistaken folder from filling the memory.
_MOST_IMAGES = 200_000
_LARGEST_SIDE = 128
_TEST_SHARE = 6

Parts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]


def read(path: str | Path) -> Parts:
    """Read images from a ``.npz`` file or a folder.

    A ``.npz`` has either ``train`` and ``test``, or ``images`` (every sixth becomes a test image),
    each (N, h, w) of ``uint8`` 0..255, or of floats in [0, 1]; optional whole-number labels
    from 0 to 255 in ``train_labels`` and ``test_labels``, or ``labels``.

    A folder has pictures, in subfolders named after their classes if there are classes. They
    become grey, and are fitted into 28 x 28 with their proportions kept, on black. Of each class
    every sixth picture, in the order of their names, is a test image.

    Returns:
        train, train_labels, test, test_labels, class_names: as ``ImageData`` has them.

    Raises:
        DataUnavailable: naming the file and the reason.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise DataUnavailable(f"{path}: there is no such file or folder.")
    if path.suffix != ".npz":
        raise DataUnavailable(
            f"{path}: neither a .npz file nor a folder of pictures. Put pictures into a folder "
            "and give the folder."
        )
    return _read_npz(path)


def _read_npz(path: Path) -> Parts:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise DataUnavailable(f"{path} cannot be read as a .npz file: {error}.") from error
    if "images" in arrays:
        images = _pixels(path, "images", arrays["images"])
        labels = _labels(path, "labels", arrays, len(images))
        held_out = _every_sixth(len(images))
        parts = (images[~held_out], labels[~held_out], images[held_out], labels[held_out])
    elif {"train", "test"} <= arrays.keys():
        train, test = (_pixels(path, name, arrays[name]) for name in ("train", "test"))
        if train.shape[1:] != test.shape[1:]:
            raise DataUnavailable(
                f"{path}: train images are {_size(train)}, test images {_size(test)}; "
                "they must have one size."
            )
        train_labels = _labels(path, "train_labels", arrays, len(train))
        parts = (train, train_labels, test, _labels(path, "test_labels", arrays, len(test)))
    else:
        raise DataUnavailable(
            f"{path}: it holds {', '.join(sorted(arrays)) or 'nothing'}; needed is 'images', "
            "or 'train' and 'test'."
        )
    if not len(parts[0]) or not len(parts[2]):
        raise DataUnavailable(f"{path}: too few images; at least 2 are needed.")
    classes = 1 + max(int(parts[1].max()), int(parts[3].max()))
    return (*parts, tuple(str(index) for index in range(classes)))


def _size(images: np.ndarray) -> str:
    return " x ".join(str(side) for side in images.shape[1:])


def _pixels(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """``values`` as (N, h, w) uint8, or ``DataUnavailable``."""
    if values.ndim != 3 or not all(1 <= side <= _LARGEST_SIDE for side in values.shape[1:]):
        raise DataUnavailable(
            f"{path}: '{name}' has shape {values.shape}; needed is (images, height, width) with "
            f"sides of 1 to {_LARGEST_SIDE} pixels."
        )
    if values.dtype == np.uint8:
        return values
    # A comparison with nan is false, so that nan is refused here as well.
    if values.dtype.kind == "f" and len(values) and values.min() >= 0 and values.max() <= 1:
        return np.rint(values * 255).astype(np.uint8)
    raise DataUnavailable(
        f"{path}: '{name}' holds {values.dtype}; needed is uint8 from 0 to 255, or floats from 0 "
        "to 1."
    )


def _labels(path: Path, name: str, arrays: dict[str, np.ndarray], count: int) -> np.ndarray:
    """The labels called ``name``, all 0 when there are none."""
    labels = arrays.get(name, np.zeros(count, dtype=np.uint8))
    whole = labels.dtype.kind in "iu" and labels.shape == (count,)
    if not whole or (count and not 0 <= labels.min() <= labels.max() <= 255):
        raise DataUnavailable(
            f"{path}: '{name}' must be {count} whole numbers from 0 to 255, one for each image."
        )
    return labels.astype(np.uint8)


def _every_sixth(count: int) -> np.ndarray:
    """True for the test images among ``count``: one in six, at least one of two."""
    position = np.arange(count)
    return position % _TEST_SHARE == min(_TEST_SHARE, count) - 1


def _read_folder(folder: Path) -> Parts:
    groups = _groups(folder)
    total = sum(len(files) for files in groups.values())
    if total > _MOST_IMAGES:
        raise DataUnavailable(
            f"{folder}: {total} pictures; at most {_MOST_IMAGES} are read. Give a smaller folder."
        )
    if total < 2:
        raise DataUnavailable(
            f"{folder}: {total} pictures found ({', '.join(sorted(SUFFIXES))}); at least 2 are "
            "needed, in the folder itself or in one subfolder a class."
        )
    images = np.stack([_picture(file) for files in groups.values() for file in files])
    labels = np.repeat(np.arange(len(groups)), [len(files) for files in groups.values()])
    held_out = np.concatenate([_every_sixth(len(files)) for files in groups.values()])
    if held_out.all():
        # One picture a class: the rule for each class would leave nothing to learn from.
        held_out = _every_sixth(total)
    labels = labels.astype(np.uint8)
    return images[~held_out], labels[~held_out], images[held_out], labels[held_out], tuple(groups)


def _groups(folder: Path) -> dict[str, list[Path]]:
    """Pictures by class, both in the order of their names."""
    classes = [path for path in sorted(folder.iterdir()) if path.is_dir()]
    groups = {path.name: _pictures(path) for path in classes}
    groups = {name: files for name, files in groups.items() if files}
    loose = _pictures(folder)
    if loose:
        groups[folder.name or "images"] = loose
    if len(groups) > 256:
        raise DataUnavailable(
            f"{folder}: {len(groups)} classes (subfolders); at most 256 are read."
        )
    return groups


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _picture(file: Path) -> np.ndarray:
    """One picture, grey, fitted into SIDE x SIDE on black."""
    try:
        with Image.open(file) as picture:
            # Cameras store which way is up beside the pixels.
            grey = _on_black(ImageOps.exif_transpose(picture)).convert("L")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, ValueError) as error:
        raise DataUnavailable(
            f"{file}: not a readable picture ({error}). Remove or replace it."
        ) from error
    ratio = SIDE / max(grey.size)
    width, height = (max(1, round(side * ratio)) for side in grey.size)
    canvas = Image.new("L", (SIDE, SIDE))
    fitted = grey.resize(
        (width, height), Image.Resampling.BOX if ratio < 1 else Image.Resampling.BICUBIC
    )
    canvas.paste(fitted, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(canvas)


def _on_black(picture: Image.Image) -> Image.Image:
    """The picture with see-through parts black."""
    if picture.mode.startswith("I"):
        # 16-bit greys: Pillow's own conversion cuts them at 255 instead of scaling.
        values = np.asarray(picture, dtype=np.float64)
        return Image.fromarray(np.clip(values / 257, 0, 255).astype(np.uint8))
    if picture.mode in ("LA", "RGBA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, picture)
    return picture
