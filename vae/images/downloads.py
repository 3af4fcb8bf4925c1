"""Fetching MNIST and Fashion-MNIST at the user's request, whole or not at all.

Only the worker and the command line call ``download``: it imports torchvision, and so torch, for
the addresses and checksums of the files. The transfer itself is made here, because torchvision's
waits for ever on a silent server and tells nobody how far it is.
"""

import contextlib
import gzip
import hashlib
import http.client
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vae.config import DATASETS
from vae.errors import DataUnavailable
from vae.files import expand
from vae.images import idx
from vae.images.sets import default_data_dir, is_available

# What the four compressed files weigh together.
_BYTES = {"mnist": 11_594_722, "fashion": 30_878_645}
_CHUNK = 1 << 16
# No file of a set is as large: a server that goes on sending is not one that has it.
_MOST_BYTES = 64 * 2**20
# A server that says nothing for so long has gone.
_TIMEOUT_SECONDS = 30.0
# What a killed download left is that old; one still at work is younger.
_STALE_SECONDS = 6 * 3600

Tell = Callable[[float], None]


def download(name: str, data_dir: str | Path | None = None, progress: Tell | None = None) -> None:
    """Fetch ``name`` ('mnist' or 'fashion') into ``data_dir``, where torchvision would put it.

    The files are written beside their place and moved there once all have arrived and match
    torchvision's checksums. A set that is there already is left alone.

    Args:
        progress: called from this thread with the fraction done, 0 to 1, for every 64 KiB; what
            it raises ends the download, and nothing stays behind.

    Raises:
        DataUnavailable: no network, a broken or truncated download, a full or read-only disk; the
            message says what to do.
        ValueError: another name.
    """
    if name not in idx.FOLDERS:
        raise ValueError(f"dataset: {name!r} given; allowed is one of {', '.join(idx.FOLDERS)}")
    base = default_data_dir() if data_dir is None else expand(data_dir, "data folder")
    tell = progress or _say_nothing
    if not is_available(name, base):
        source = _source(name)
        try:
            base.mkdir(parents=True, exist_ok=True)
            _sweep(name, base)
            with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=base) as temporary:
                _fetch_all(name, source, Path(temporary), tell)
                _move(Path(temporary), base / idx.FOLDERS[name])
        except OSError as error:
            raise DataUnavailable(
                f"{DATASETS[name]} cannot be kept in {base} ({error.strerror or error}). Choose a "
                "folder that can be written, with VAE_DATA_DIR or --data-dir."
            ) from error
        if not is_available(name, base):
            raise DataUnavailable(f"{DATASETS[name]} arrived with other images than expected.")
    tell(1.0)


def _say_nothing(fraction: float) -> None:
    del fraction


def _source(name: str) -> Any:
    """torchvision's class for the set, with ``mirrors`` and ``resources`` (file, MD5)."""
    try:
        # It imports only where it finds the CUDA libraries it was built with.
        from torchvision import datasets
    except Exception as error:
        raise DataUnavailable(
            f"Downloads need torchvision, which does not import here ({error}). Install the "
            f"versions of requirements.txt, or copy the files into {idx.FOLDERS[name]} of the "
            "data folder."
        ) from error
    return datasets.MNIST if name == "mnist" else datasets.FashionMNIST


def _sweep(name: str, base: Path) -> None:
    """Remove what a download left that was killed."""
    for folder in base.glob(f".{name}-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _fetch_all(name: str, source: Any, folder: Path, tell: Tell) -> None:
    """Every file of the set, unpacked, into ``folder``."""
    done = 0
    for file_name, md5 in source.resources:

        def count(size: int, before: int = done) -> None:
            tell(min((before + size) / _BYTES[name], 0.99))

        packed = _fetch_from_any(name, source.mirrors, file_name, md5, count)
        done += len(packed)
        (folder / file_name.removesuffix(".gz")).write_bytes(gzip.decompress(packed))


def _fetch_from_any(
    name: str, mirrors: list[str], file_name: str, md5: str, count: Callable[[int], None]
) -> bytes:
    """The file from the first mirror that has it whole, or ``DataUnavailable``."""
    reasons = []
    for mirror in mirrors:
        try:
            packed = _fetch(f"{mirror}{file_name}", count)
        except (OSError, http.client.HTTPException) as error:
            reasons.append(str(getattr(error, "reason", error)) or type(error).__name__)
            continue
        if hashlib.md5(packed, usedforsecurity=False).hexdigest() == md5:
            return packed
        reasons.append(f"{len(packed)} bytes arrived that are incomplete or not the file")
    raise DataUnavailable(
        f"{DATASETS[name]} could not be downloaded: {file_name}: {'; '.join(reasons)}. Check the "
        f"network and try again, or copy the files into {idx.FOLDERS[name]} of the data folder; "
        "the built-in digits need no download."
    )


def _fetch(url: str, count: Callable[[int], None]) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "pytorch/vision"})
    parts: list[bytes] = []
    size = 0
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
        while part := response.read(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES:
                raise OSError(f"more than {_MOST_BYTES} bytes arrived")
            count(size)
    return b"".join(parts)


def _move(temporary: Path, target: Path) -> None:
    """Put the unpacked files into place; each appears whole."""
    target.mkdir(parents=True, exist_ok=True)
    for source in sorted(temporary.iterdir()):
        source.replace(target / source.name)
