"""Files of ``torch.save``, read by a small interpreter of our own.

Such a file is a zip archive: ``data.pkl``, a pickle that builds dictionaries, lists and numbers,
and an entry of raw bytes for each storage. ``torch.load(weights_only=True)`` runs none of the code
that a pickle may name, yet it builds whatever tensor the pickle describes: of any size, quantised,
sparse, or larger than its storage, which it then makes room for. Here a file can build the few
things that ``torch.save`` writes for dictionaries of dense tensors, and nothing that is larger
than itself. It needs no torch: the server, which has none, reads a run's weights too.
"""

import io
import math
import pickletools
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vae.files import open_regular

# Of the largest run that the settings allow, with its optimiser's state: below 2 GB.
LARGEST_FILE = 4 * 2**30
_LONGEST_PICKLE = 32 * 2**20
# A run's has some six hundred.
_MOST_OPERATIONS = 100_000
_MOST_DIMENSIONS = 4
_LARGEST_KEY = 2**31
# The description of a storage has five values.
_MOST_RECALLED = 8


class NotTensors(ValueError):
    """A file that holds, or claims, more than dense tensors and plain values."""


def read(path: Path, build: Callable[[np.ndarray], Any] | None = None) -> Any:
    """What ``torch.save`` wrote to ``path``: dictionaries, lists, tuples, plain values, tensors.

    Tensors are numpy arrays of float32, float16 or uint8, contiguous, not empty; those of one
    storage share its memory, so copy them before you change them. In all they take no more room
    than the file.

    Raises ``NotTensors``, ``zipfile.BadZipFile``, ``OSError`` (also where ``path`` is not a plain
    file); a file made to mislead may raise other errors of Python's zip and pickle modules.
    """
    with open_regular(path) as file:
        size = file.seek(0, io.SEEK_END)
        if size > LARGEST_FILE:
            raise NotTensors(f"it has {size} bytes; at most {LARGEST_FILE} are read")
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if any(entry.compress_type or entry.flag_bits & 1 for entry in entries):
                raise NotTensors("it is compressed or encrypted")
            if sum(entry.file_size for entry in entries) > size:
                raise NotTensors("its parts are larger than the file")
            return _Reader(archive, build).read()


@dataclass(frozen=True)
class _Storage:
    dtype: np.dtype
    content: bytearray

    @property
    def count(self) -> int:
        return len(self.content) // self.dtype.itemsize


@dataclass(frozen=True)
class _Name:
    """A name of Python's that stands in the pickle: never looked up."""

    module: str
    name: str


_ORDERED_DICT = _Name("collections", "OrderedDict")
_REBUILD_TENSOR = _Name("torch._utils", "_rebuild_tensor_v2")
_DTYPES: dict[_Name, np.dtype] = {
    _Name("torch", "FloatStorage"): np.dtype(np.float32),
    _Name("torch", "HalfStorage"): np.dtype(np.float16),
    _Name("torch", "ByteStorage"): np.dtype(np.uint8),
}
_NAMES = {_ORDERED_DICT, _REBUILD_TENSOR, *_DTYPES}


class _Reader:
    """Runs the pickle of one archive."""

    def __init__(self, archive: zipfile.ZipFile, build: Callable[[np.ndarray], Any] | None) -> None:
        self.archive = archive
        self.build = build
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.storages: dict[str, _Storage] = {}
        (pickle,) = [name for name in archive.namelist() if name.endswith("/data.pkl")] or [""]
        if not pickle:
            raise NotTensors("it has no data.pkl")
        self.prefix = pickle.removesuffix("data.pkl")

    def read(self) -> Any:
        order = f"{self.prefix}byteorder"
        if order in self.archive.namelist() and self.archive.read(order) != b"little":
            raise NotTensors("its bytes are in another order")
        pickle = self.archive.read(f"{self.prefix}data.pkl")
        if len(pickle) > _LONGEST_PICKLE:
            raise NotTensors(f"its description is longer than {_LONGEST_PICKLE} bytes")
        for count, (operation, argument, _) in enumerate(pickletools.genops(pickle)):
            if count > _MOST_OPERATIONS:
                raise NotTensors(f"its description has more than {_MOST_OPERATIONS} operations")
            if operation.name == "STOP":
                break
            self._run(operation.name, argument)
        (result,) = self.stack
        return result

    def _run(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _LITERALS:
            self.stack.append(argument)
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self._recall(argument))
        elif name == "MARK":
            self.marks.append(len(self.stack))
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            self._push_tuple(self._pop(int(name[-1])))
        elif name == "TUPLE":
            self._push_tuple(self._pop_marked())
        elif name in ("APPEND", "APPENDS"):
            items = self._pop(1) if name == "APPEND" else self._pop_marked()
            self._top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            self._set_items(self._pop(2) if name == "SETITEM" else self._pop_marked())
        elif name == "GLOBAL":
            self._name(argument)
        elif name == "REDUCE":
            self._call(*self._pop(2))
        elif name == "BUILD":
            # The attributes of an ordered dictionary: torch's notes on versions of its modules.
            self._pop(1)
            self._top(dict)
        elif name == "BINPERSID":
            self.stack.append(self._storage(*self._pop(1)))
        elif name != "PROTO":
            raise NotTensors(f"it holds more than tensors and plain values ({name})")

    def _pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise NotTensors("its description is damaged")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def _pop_marked(self) -> list[Any]:
        return self._pop(len(self.stack) - self.marks.pop())

    def _top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise NotTensors("its description is damaged")
        return self.stack[-1]

    def _recall(self, number: int) -> Any:
        """What was built before: a value, or a few values, but nothing that holds more.

        Whoever walks through a pair of twice the same pair, and so on, never comes to its end.
        """
        value = self.memo[number]
        few = isinstance(value, tuple) and len(value) <= _MOST_RECALLED and _is_flat(value)
        if isinstance(value, list | dict | tuple) and not few:
            raise NotTensors("a part of it stands in several places")
        return value

    def _push_tuple(self, items: list[Any]) -> None:
        # Python compares and hashes tuples in tuples without asking how deep they are.
        if not all(_is_flat(item) for item in items if isinstance(item, tuple)):
            raise NotTensors("its description is nested too deeply")
        self.stack.append(tuple(items))

    def _set_items(self, items: list[Any]) -> None:
        keys = items[::2]
        if len(items) % 2 or not all(map(_is_key, keys)):
            raise NotTensors("a key is neither text nor a small whole number")
        self._top(dict).update(zip(keys, items[1::2], strict=True))

    def _name(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        if _Name(module, name) not in _NAMES:
            raise NotTensors(f"it holds more than tensors and plain values ({argument[:40]})")
        self.stack.append(_Name(module, name))

    def _call(self, function: Any, arguments: Any) -> None:
        if function == _ORDERED_DICT and arguments == ():
            self.stack.append({})
        elif function == _REBUILD_TENSOR and isinstance(arguments, tuple):
            array = _build_tensor(*arguments)
            self.stack.append(array if self.build is None else self.build(array))
        else:
            raise NotTensors("it holds more than tensors and plain values")

    def _storage(self, about: Any) -> _Storage:
        """The storage ``("storage", type, number, device, elements)``, read once."""
        kind, dtype_name, number, _, count = about
        if not (isinstance(dtype_name, _Name) and type(number) is str and type(count) is int):
            raise NotTensors("a tensor's storage is damaged")
        if kind != "storage" or dtype_name not in _DTYPES:
            raise NotTensors("a tensor's storage is damaged")
        dtype = _DTYPES[dtype_name]
        found = self.storages.get(number)
        if found is None:
            found = _Storage(dtype, bytearray(self.archive.read(f"{self.prefix}data/{number}")))
            self.storages[number] = found
        if found.dtype != dtype or len(found.content) != count * dtype.itemsize:
            raise NotTensors("a tensor's storage has another size than it says")
        return found


def _build_tensor(storage: Any, offset: Any, size: Any, stride: Any, *more: Any) -> np.ndarray:
    """A dense view of ``storage``. What follows, gradients and hooks, is not ours to follow."""
    del more
    if not isinstance(storage, _Storage) or not _are_counts(size, stride, (offset,)):
        raise NotTensors("a tensor is damaged")
    if len(size) > _MOST_DIMENSIONS or len(size) != len(stride):
        raise NotTensors("a tensor has too many dimensions")
    count = math.prod(size)
    if count == 0 or offset + count > storage.count:
        raise NotTensors("a tensor is larger than its storage")
    expected = 1
    for length, step in zip(reversed(size), reversed(stride), strict=True):
        if length != 1 and step != expected:
            raise NotTensors("a tensor does not lie densely in its storage")
        expected *= length
    flat = np.frombuffer(
        storage.content, storage.dtype, count=count, offset=offset * storage.dtype.itemsize
    )
    return flat.reshape(size)


def _is_flat(items: tuple[Any, ...]) -> bool:
    return not any(isinstance(item, list | dict | tuple) for item in items)


def _is_key(key: Any) -> bool:
    # Large whole numbers can be chosen so that all have one hash, and each is compared with all.
    return type(key) is str or (type(key) is int and 0 <= key < _LARGEST_KEY)


def _are_counts(*groups: Any) -> bool:
    return all(
        isinstance(group, tuple) and all(type(item) is int and item >= 0 for item in group)
        for group in groups
    )


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
}
_LITERALS = {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
