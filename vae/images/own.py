"""A learner's own images: a ``.npz`` file or a folder of pictures, turned into grey arrays."""

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vae.errors import DataUnavailable, shown, shown_path
from vae.files import expand
from vae.images import npz

SIDE = 28
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
# What the suffixes stand for: Pillow would open what is inside, whichever of its forty formats,
# and hand some of them to other programs.
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
# Bounds that keep a mistaken folder from filling the memory.
_MOST_IMAGES = 200_000
_LARGEST_SIDE = 128
_MOST_PIXELS = _MOST_IMAGES * SIDE**2
_MOST_PICTURE_PIXELS = 25_000_000
_STRIP = 256
_LONGEST_REASON = 200
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
    path = expand(path, "images")
    try:
        if path.is_dir():
            return _read_folder(path)
        there = path.is_file()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DataUnavailable(f"{shown_path(path)}: it cannot be read ({reason}).") from error
    if not there:
        raise DataUnavailable(f"{path}: there is no such file or folder.")
    if path.suffix != ".npz":
        raise DataUnavailable(
            f"{path}: neither a .npz file nor a folder of pictures. Put pictures into a folder "
            "and give the folder."
        )
    return _read_npz(path)


def _read_npz(path: Path) -> Parts:
    try:
        with npz.open_npz(path) as stored:
            return _npz_parts(path, stored)
    except DataUnavailable:
        raise
    except Exception as error:
        # What a damaged or hostile archive raises is anybody's guess.
        reason = str(error)[:_LONGEST_REASON] or type(error).__name__
        raise DataUnavailable(f"{path} cannot be read as a .npz file: {reason}.") from error


def _npz_parts(path: Path, stored: npz.NpzFile) -> Parts:
    if "images" in stored.names:
        images = _pixels(path, "images", stored)
        labels = _labels(path, "labels", stored, len(images))
        held_out = _every_sixth(len(images))
        parts = (images[~held_out], labels[~held_out], images[held_out], labels[held_out])
    elif {"train", "test"} <= set(stored.names):
        train, test = (_pixels(path, name, stored) for name in ("train", "test"))
        if train.shape[1:] != test.shape[1:]:
            raise DataUnavailable(
                f"{path}: train images are {_size(train)}, test images {_size(test)}; "
                "they must have one size."
            )
        train_labels = _labels(path, "train_labels", stored, len(train))
        parts = (train, train_labels, test, _labels(path, "test_labels", stored, len(test)))
    else:
        found = ", ".join(sorted(stored.names))[:_LONGEST_REASON]
        raise DataUnavailable(
            f"{path}: it holds {found or 'nothing'}; needed is 'images', or 'train' and 'test'."
        )
    if not len(parts[0]) or not len(parts[2]):
        raise DataUnavailable(f"{path}: too few images; at least 2 are needed.")
    classes = 1 + max(int(parts[1].max()), int(parts[3].max()))
    return (*parts, tuple(str(index) for index in range(classes)))


def _size(images: np.ndarray) -> str:
    return " x ".join(str(side) for side in images.shape[1:])


def _pixels(path: Path, name: str, stored: npz.NpzFile) -> np.ndarray:
    """The array ``name`` as (N, h, w) uint8, or ``DataUnavailable``; looked at before it is read,
    and read in pieces, so that memory holds no more than the bytes that come out."""
    header = stored.header(name)
    if len(header.shape) != 3 or not all(1 <= side <= _LARGEST_SIDE for side in header.shape[1:]):
        raise DataUnavailable(
            f"{path}: '{name}' has shape {shown(header.shape)}; needed is (images, height, width) "
            f"with sides of 1 to {_LARGEST_SIDE} pixels."
        )
    if header.shape[0] > _MOST_IMAGES or header.count > _MOST_PIXELS:
        raise DataUnavailable(
            f"{path}: '{name}' has {shown(header.shape[0])} images of {header.shape[1]} x "
            f"{header.shape[2]} pixels; at most {_MOST_IMAGES} images and {_MOST_PIXELS} pixels "
            "are read."
        )
    if header.dtype == np.uint8:
        return stored.fill(name, np.empty(header.count, np.uint8))
    refused = DataUnavailable(
        f"{path}: '{name}' holds {header.dtype.name}; needed is uint8 from 0 to 255, or "
        "floats from 0 to 1."
    )
    if header.dtype.kind != "f" or not header.count:
        raise refused
    levels, done = np.empty(header.count, np.uint8), 0
    for part in stored.chunks(name):
        # A comparison with nan is false, so that nan is refused here as well.
        if not (part.min() >= 0 and part.max() <= 1):
            raise refused
        levels[done : done + len(part)] = np.rint(part * 255)
        done += len(part)
    return npz.shaped(levels, header)


def _labels(path: Path, name: str, stored: npz.NpzFile, count: int) -> np.ndarray:
    """The labels called ``name``, all 0 when there are none."""
    if name not in stored.names:
        return np.zeros(count, np.uint8)
    header = stored.header(name)
    refused = DataUnavailable(
        f"{path}: '{name}' must be {count} whole numbers from 0 to 255, one for each image."
    )
    if header.dtype.kind not in "iu" or header.shape != (count,):
        raise refused
    labels = stored.fill(name, np.empty(count, header.dtype))
    if count and not 0 <= labels.min() <= labels.max() <= 255:
        raise refused
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
        grey = _read_grey(file)
    except Exception as error:
        # What a decoder raises on a damaged or hostile file is anybody's guess.
        reason = str(error)[:_LONGEST_REASON] or type(error).__name__
        raise DataUnavailable(
            f"{file}: not a readable picture ({reason}). Remove or replace it."
        ) from error
    ratio = SIDE / max(grey.size)
    width, height = (max(1, round(side * ratio)) for side in grey.size)
    canvas = Image.new("L", (SIDE, SIDE))
    fitted = grey.resize(
        (width, height), Image.Resampling.BOX if ratio < 1 else Image.Resampling.BICUBIC
    )
    canvas.paste(fitted, ((SIDE - width) // 2, (SIDE - height) // 2))
    return np.asarray(canvas)


def _read_grey(file: Path) -> Image.Image:
    """The picture in ``file`` as greys, its size known before its pixels are unpacked."""
    with warnings.catch_warnings():
        # Pillow's own about sizes: those that are too large are refused below.
        warnings.simplefilter("ignore")
        opened = Image.open(file, formats=_FORMATS)
    with opened as picture:
        width, height = picture.size
        if width * height > _MOST_PICTURE_PIXELS:
            raise ValueError(
                f"it has {width} x {height} pixels; at most {_MOST_PICTURE_PIXELS} are read"
            )
        # Cameras store which way is up beside the pixels.
        ImageOps.exif_transpose(picture, in_place=True)
        grey = Image.new("L", picture.size)
        # In strips: a large picture with transparency would be held four times over.
        for top in range(0, picture.height, _STRIP):
            box = (0, top, picture.width, min(top + _STRIP, picture.height))
            grey.paste(_on_black(picture.crop(box)).convert("L"), box)
        return grey


def _on_black(picture: Image.Image) -> Image.Image:
    """The picture with see-through parts black."""
    if picture.mode.startswith("I"):
        # 16-bit greys: Pillow's own conversion cuts them at 255 instead of scaling.
        values = np.asarray(picture, dtype=np.float64)
        return Image.fromarray(np.clip(values / 257, 0, 255).astype(np.uint8))
    if picture.mode == "F" and not np.isfinite(np.asarray(picture)).all():
        raise ValueError("it holds numbers that are not finite")
    if picture.mode in ("LA", "RGBA", "PA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, picture)
    return picture
