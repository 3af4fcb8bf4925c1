"""Tensors out of a file that torch wrote, without torch: the server has none.

Such a file is a zip archive: a pickle of the structure, and one raw member for each storage. The
pickle is read by an unpickler that builds plain values and arrays alone: whatever else it names
is refused, so a file cannot run code here (as torch's own ``weights_only``).
"""

import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vae.errors import CheckpointError

_DTYPES = {
    "DoubleStorage": np.float64,
    "FloatStorage": np.float32,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}


def read_torch_file(path: str | Path) -> Any:
    """What was given to ``torch.save``, its tensors as read-only numpy arrays.

    Raises:
        CheckpointError: missing, damaged, foreign, or it holds more than tensors and plain values.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive)
    except CheckpointError:
        raise
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read ({error.strerror})") from error
    except Exception as error:
        # What a damaged archive or pickle raises is anybody's guess.
        raise CheckpointError(f"{path}: not a checkpoint ({error})") from error


def _read(archive: zipfile.ZipFile) -> Any:
    names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(names) != 1:
        raise ValueError("it holds no torch data")
    folder = names[0].removesuffix("data.pkl")
    if f"{folder}byteorder" in archive.namelist():
        order = archive.read(f"{folder}byteorder").decode()
        if order != sys.byteorder:
            raise ValueError(f"written in {order}-endian order")
    with archive.open(names[0]) as file:
        return _Unpickler(file, lambda key: archive.read(f"{folder}data/{key}")).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: Any, storage: Callable[[str], bytes]) -> None:
        super().__init__(file)
        self._storage = storage

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _build_array
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"it names {module}.{name}")

    def persistent_load(self, pid: Any) -> "_Storage":
        kind, dtype, key, _, _ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"it names a {kind!r}")
        return _Storage(dtype, lambda: self._storage(str(key)))


class _Storage:
    """Read when a tensor is built; the archive is still open then."""

    def __init__(self, dtype: np.dtype, read: Callable[[], bytes]) -> None:
        self.dtype, self.read = dtype, read


def _build_array(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> np.ndarray:
    flat = np.frombuffer(storage.read(), storage.dtype)[offset:]
    # The furthest element must lie inside: strides come from the file.
    last = sum((count - 1) * step for count, step in zip(size, stride, strict=True))
    if 0 in size:
        return np.zeros(size, storage.dtype)
    if last >= len(flat) or min((*size, *stride), default=0) < 0:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    steps = tuple(step * flat.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(flat, size, steps, writeable=False)
