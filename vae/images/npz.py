"""Arrays in a ``.npz`` file, whose headers are read, and can be refused, before their values.

A few kilobytes of a compressed file may unpack to gigabytes: nothing is unpacked here before its
caller has seen how large it is, and nothing beyond what its header says.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from vae.files import open_regular

# numpy's own bound on the text of a header, which it checks after having read it.
_LONGEST_HEADER = 10_000
_MOST_ENTRIES = 1000
_MAGIC_BYTES = 8
_LENGTH_BYTES = {(1, 0): 2, (2, 0): 4}
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_CHUNK_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Header:
    """What an array says of itself. ``reversed_order``: its values lie in Fortran's order."""

    shape: tuple[int, ...]
    dtype: np.dtype
    reversed_order: bool

    @property
    def count(self) -> int:
        """The number of values; Python's own whole numbers do not overflow."""
        count = 1
        for length in self.shape:
            count *= length
        return count


class NpzFile:
    """An open file: ``headers`` by name, values on demand.

    Every method may raise whatever Python's zip module does on a damaged file.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        entries = archive.infolist()
        if len(entries) > _MOST_ENTRIES:
            raise ValueError(f"it holds {len(entries)} parts; at most {_MOST_ENTRIES} are read")
        for entry in entries:
            if entry.flag_bits & 1:
                raise ValueError("it is encrypted")
            # Others need memory of their own to unpack, as much as the file asks for.
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError("it is compressed otherwise than numpy does it")
        self.names = [
            entry.filename.removesuffix(".npy")
            for entry in entries
            if entry.filename.endswith(".npy")
        ]
        self._headers: dict[str, Header] = {}

    def header(self, name: str) -> Header:
        """Shape and type of the array ``name``. Raises ``ValueError`` on Python objects."""
        if name not in self._headers:
            with self._open(name) as stream:
                self._headers[name] = _read_header(stream)
        return self._headers[name]

    def chunks(self, name: str) -> Iterator[np.ndarray]:
        """The values of ``name`` in the order of the file, flat, a few megabytes at a time.

        Raises ``ValueError`` where there are fewer or more than the header says.
        """
        with self._open(name) as stream:
            header = _read_header(stream)
            left = header.count * header.dtype.itemsize
            step = _CHUNK_BYTES // header.dtype.itemsize * header.dtype.itemsize
            while left:
                part = _read_exactly(stream, min(left, step))
                left -= len(part)
                yield np.frombuffer(part, header.dtype)
            # Reading on to the end checks the checksum, too.
            if stream.read(1):
                raise ValueError(f"'{name}' is longer than its header says")

    def read(self, name: str, dtype: np.dtype | type, shape: tuple[int, ...]) -> np.ndarray:
        """The array ``name``, which must be of this type and shape. Raises ``ValueError``."""
        header = self.header(name)
        if header.dtype != dtype or header.shape != shape:
            raise ValueError(f"'{name}' is {header.dtype} of shape {header.shape}")
        return self.fill(name, np.empty(header.count, header.dtype))

    def fill(self, name: str, values: np.ndarray) -> np.ndarray:
        """The flat ``values``, filled from ``name`` and given its shape."""
        header, done = self.header(name), 0
        for part in self.chunks(name):
            values[done : done + len(part)] = part
            done += len(part)
        return shaped(values, header)

    def _open(self, name: str) -> IO[bytes]:
        return self._archive.open(f"{name}.npy")


def shaped(values: np.ndarray, header: Header) -> np.ndarray:
    """Flat values in the file's order as the array that ``header`` describes."""
    if header.reversed_order:
        return np.ascontiguousarray(values.reshape(header.shape[::-1]).T)
    return values.reshape(header.shape)


@contextmanager
def open_npz(path: Path) -> Iterator[NpzFile]:
    """Open ``path``, a plain file; pipes and devices raise ``OSError``."""
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        yield NpzFile(archive)


def _read_header(stream: IO[bytes]) -> Header:
    magic = _read_exactly(stream, _MAGIC_BYTES)
    version = np.lib.format.read_magic(io.BytesIO(magic))
    if version not in _READERS:
        raise ValueError(f"its arrays are of version {version} of numpy's format")
    length = _read_exactly(stream, _LENGTH_BYTES[version])
    size = int.from_bytes(length, "little")
    if size > _LONGEST_HEADER:
        raise ValueError(f"a header of {size} bytes")
    text = _read_exactly(stream, size)
    shape, reversed_order, dtype = _READERS[version](io.BytesIO(length + text))
    if dtype.kind not in "biuf" or not 1 <= dtype.itemsize <= 8:
        raise ValueError(f"an array of {str(dtype)[:40]}, not of numbers")
    if any(length < 0 for length in shape):
        raise ValueError(f"a shape of {shape}")
    return Header(tuple(map(int, shape)), dtype, bool(reversed_order))


def _read_exactly(stream: IO[bytes], count: int) -> bytes:
    parts = []
    while count:
        part = stream.read(count)
        if not part:
            raise ValueError("it ends before its headers say")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
