"""Files: where caches lie, writing whole or not at all, reading what is a file, and locks.

Everything in the app that replaces a file does it through ``write_atomically``.
"""

import contextlib
import errno
import os
import stat
import sys
import uuid
from pathlib import Path
from typing import IO

from vae.errors import DataUnavailable, shown

try:
    import fcntl
except ImportError:
    # Windows: there an open file cannot be removed, which serves as a lock.
    fcntl = None  # type: ignore[assignment]

_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
# What opens a pipe without a writer must not wait for one.
_AT_ONCE: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def user_cache_dir() -> Path:
    """The folder for what can be made or fetched again, where this platform wants it.

    Raises ``DataUnavailable`` for a user without a home.
    """
    try:
        if sys.platform == "win32":
            base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as error:
        raise DataUnavailable(
            "This user has no home folder to keep caches in; name one with HOME."
        ) from error
    return Path(base) / "vae-loss"


def expand(path: str | Path, argument: str) -> Path:
    """``path`` with a leading ~ as somebody's home folder.

    Raises ``DataUnavailable``, naming ``argument``, where nobody has such a home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise DataUnavailable(
            f"{argument}: {shown(str(path))} given; there is no such user's home folder."
        ) from error


def write_atomically(path: Path, content: bytes | memoryview) -> None:
    """Make ``path`` hold ``content``: whole and on the disk, or as it was before.

    A file that is there keeps its mode. Nothing else is ever replaced: no link, pipe, device or
    folder. The folder must exist. Raises ``OSError``, with a reason that stands in ``strerror``.
    """
    mode = _mode_of(path)
    # In the same folder, since only there is a rename atomic; with a name of its own, since the
    # target's may be as long as names can be.
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with temporary.open("xb") as file:
            if mode is not None:
                temporary.chmod(mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Raise the ``OSError`` that ``write_atomically`` would, as far as can be known before."""
    mode = _mode_of(path)
    if mode is not None and not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, "the file there may not be written", str(path))
    probe = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with probe.open("xb"):
            pass
    except FileNotFoundError as error:
        if path.parent.is_dir():
            raise
        raise OSError(errno.ENOENT, "its folder must exist", str(path)) from error
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def is_part(name: str) -> bool:
    """Whether ``name`` is that of a file which ``write_atomically`` had not finished."""
    stem = name.removeprefix(".").removesuffix(".part")
    return name == f".{stem}.part" and len(stem) == 32 and set(stem) <= set("0123456789abcdef")


def is_regular(path: Path) -> bool:
    """Whether ``path`` itself, not what it links to, is a plain file."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def open_regular(path: Path, *, follow: bool = True) -> IO[bytes]:
    """Open a plain file to read. Pipes and devices, which may never end, raise ``OSError``;
    so do links unless ``follow``."""
    handle = os.open(path, os.O_RDONLY | _AT_ONCE | (0 if follow else _NO_LINK))
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file", str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def lock(path: Path, *, shared: bool) -> IO[bytes] | None:
    """Lock the file ``path``, made where it is absent; closing what is returned unlocks.

    The operating system keeps the lock and takes it back when the process ends, however it ends.
    Many may hold a ``shared`` lock, one alone the other kind; None where somebody holds what
    stands against it. Raises ``OSError``.
    """
    while True:
        if fcntl is None and not shared:
            try:
                path.unlink(missing_ok=True)
            except PermissionError:
                return None
        handle = os.open(path, os.O_RDONLY | os.O_CREAT | _AT_ONCE | _NO_LINK, 0o666)
        file = os.fdopen(handle, "rb")
        try:
            _lock_now(file, shared)
            if holds(file, path):
                return file
        except BlockingIOError:
            file.close()
            return None
        except BaseException:
            file.close()
            raise
        # Removed by its last holder between the two calls: a lock on it means nothing.
        file.close()


def _lock_now(file: IO[bytes], shared: bool) -> None:
    """Raises ``BlockingIOError`` where somebody holds what stands against it."""
    if fcntl is not None:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def is_locked(path: Path, *, shared: bool = True) -> bool:
    """Whether somebody holds a lock on the file ``path`` that stands against a ``shared`` one, or
    against one for oneself alone. This process's own locks count.

    Raises ``OSError`` on what cannot be opened; a file that is not there is not locked.
    """
    try:
        handle = os.open(path, os.O_RDONLY | _AT_ONCE | _NO_LINK)
    except FileNotFoundError:
        return False
    with os.fdopen(handle, "rb") as file:
        try:
            _lock_now(file, shared)
        except BlockingIOError:
            return True
    return False


def holds(file: IO[bytes], path: Path) -> bool:
    """Whether the open ``file`` is still what stands at ``path``."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _mode_of(path: Path) -> int | None:
    """The permissions of the file at ``path``; None where nothing is there."""
    try:
        there = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(there.st_mode):
        raise OSError(errno.EEXIST, "what is there is not a plain file", str(path))
    return stat.S_IMODE(there.st_mode)
