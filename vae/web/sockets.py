"""Let the server's small messages leave at once.

asyncio switches Nagle's algorithm off only on sockets that name TCP as their protocol, and
Streamlit's listening socket does not. A page's second message then waits for the browser to
acknowledge the first, which it puts off for 40 ms: most of the time of a short script run.
"""

import contextlib
import os
import socket
import stat
from pathlib import Path

_OPEN_FILES = ("/proc/self/fd", "/dev/fd")


def send_at_once(port: int) -> int:
    """Switch Nagle's algorithm off on this process's TCP sockets at local ``port``.

    Connections accepted later inherit it from the listening socket. Returns how many sockets were
    set: 0 where the system does not list a process's open files.
    """
    folder = next((path for path in map(Path, _OPEN_FILES) if path.is_dir()), None)
    if folder is None:
        return 0
    return sum(_set(int(item.name), port) for item in list(folder.iterdir()) if item.name.isdigit())


def _set(number: int, port: int) -> bool:
    # A file that was closed meanwhile is passed over.
    with contextlib.suppress(OSError):
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return False
        with socket.socket(fileno=os.dup(number)) as connection:
            return _set_connection(connection, port)
    return False


def _set_connection(connection: socket.socket, port: int) -> bool:
    internet = connection.family in (socket.AF_INET, socket.AF_INET6)
    if not internet or connection.type != socket.SOCK_STREAM:
        return False
    if connection.getsockname()[1] != port:
        return False
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return True
