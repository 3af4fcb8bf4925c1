"""Small messages leave at once: on the sockets that are named, and on those accepted later."""

import socket
from pathlib import Path

from vae.web.sockets import send_at_once


def waits(connection: socket.socket) -> bool:
    """Whether Nagle's algorithm holds small messages back."""
    return not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_connections_accepted_before_and_after_send_at_once():
    with socket.socket() as listener, socket.socket() as other:
        for server in (listener, other):
            server.bind(("127.0.0.1", 0))
            server.listen()
        address = listener.getsockname()
        with socket.create_connection(address) as early, listener.accept()[0] as first:
            assert waits(first)
            assert send_at_once(address[1]) == 2
            assert not waits(first)
            assert not waits(listener)
            # Neither the far end nor another server's socket is touched.
            assert waits(early)
            assert waits(other)
            with socket.create_connection(address), listener.accept()[0] as second:
                assert not waits(second)


def open_files() -> set[str]:
    return {path.name for path in Path("/dev/fd").iterdir()}


def test_no_file_is_left_open():
    before = open_files()
    assert send_at_once(1) == 0
    assert open_files() == before
