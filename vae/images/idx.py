"""MNIST and Fashion-MNIST as they are distributed: IDX files, compressed or not.

The folders are torchvision's, so that sets it has downloaded are found.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np

from vae.config import DATASETS
from vae.errors import DataUnavailable, shown_path

FOLDERS = {"mnist": "MNIST/raw", "fashion": "FashionMNIST/raw"}
COUNTS = {"train": 60_000, "t10k": 10_000}
SIDE = 28


def find(folder: Path, file_name: str) -> Path:
    """The file, or the same one compressed, or ``DataUnavailable``."""
    for path in (folder / file_name, folder / f"{file_name}.gz"):
        try:
            if path.is_file():
                return path
        except OSError as error:
            # A path may be longer than any that can be.
            raise DataUnavailable(
                f"{shown_path(folder)}: it cannot be read ({error.strerror or error})."
            ) from error
    name = next(name for name, tail in FOLDERS.items() if folder.parts[-2:] == Path(tail).parts)
    title = DATASETS[name]
    raise DataUnavailable(
        f"{title} is not in {folder.parent.parent}: {file_name} is missing. Download it on the "
        f"Train page or with 'python -m vae download {name}', or point "
        "VAE_DATA_DIR or --data-dir to a folder that has it; the built-in digits need no download."
    )


def check(path: Path, split: str) -> tuple[tuple[int, ...], int]:
    """Shape and length of the header of an IDX file; ``DataUnavailable`` unless all is there.

    A compressed file's own length cannot be known without reading it: reading checks that.
    """
    expected = (COUNTS[split], SIDE, SIDE) if "images" in path.name else (COUNTS[split],)
    header_length = 4 + 4 * len(expected)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            header = file.read(header_length)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, str(error)) from error
    if len(header) < header_length:
        raise unreadable(path, f"it ends after {len(header)} bytes, within its header")
    # Two zero bytes, 8 for unsigned bytes, the number of dimensions (Y. LeCun's IDX format).
    if header[:4] != bytes([0, 0, 8, len(expected)]):
        raise unreadable(path, f"it starts with {header[:4].hex(' ')}, not with IDX's mark")
    shape = tuple(int(size) for size in np.frombuffer(header, dtype=">i4", offset=4))
    if shape != expected:
        raise unreadable(path, f"it says its shape is {shape}, not {expected}")
    size = path.stat().st_size
    wanted = header_length + int(np.prod(expected))
    if path.suffix != ".gz" and size != wanted:
        raise unreadable(path, f"it has {size} bytes, not {wanted}")
    return shape, header_length


def read(path: Path, split: str, count: int | None = None) -> np.ndarray:
    """The array in an IDX file, or its first ``count`` rows, uint8."""
    shape, header_length = check(path, split)
    rows = shape[0] if count is None else min(count, shape[0])
    wanted = rows * int(np.prod(shape[1:], dtype=int))
    if path.suffix != ".gz":
        values = np.fromfile(path, dtype=np.uint8, count=wanted, offset=header_length)
        return values.reshape(rows, *shape[1:])
    try:
        with gzip.open(path) as file:
            values = np.frombuffer(file.read(header_length + wanted)[header_length:], np.uint8)
            # Reading on to the end checks the compressed file's checksum.
            if count is None and file.read(1):
                raise unreadable(path, "it holds more bytes than its header says")
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, str(error)) from error
    if len(values) != wanted:
        raise unreadable(path, f"it ends after {len(values)} of {wanted} bytes")
    return values.reshape(rows, *shape[1:])


def unreadable(path: Path, reason: str) -> DataUnavailable:
    return DataUnavailable(
        f"{path} cannot be read: {reason}. Delete the file and download the set again."
    )
