"""The server as its own first visitor: what a page shows to everybody is worked out once.

The figures of a new server cost a second of processor and more (Bias: 1.1 s). Its own visit, right
after the start and in the background, pays for them; who comes meanwhile waits for no more than
the figure that is under way.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Any

from starlette.types import ASGIApp, Message

from vae.web.streamlit_private import BackMsg, ForwardMsg

# In the order in which a visitor reads; Train and the page for teachers have nothing to work out.
PAGES = ("", "derivation", "bias", "your_loss")
_LONGEST_SECONDS = 60.0
_HOST = b"127.0.0.1"
_log = logging.getLogger(__name__)


async def open_every_page(app: ASGIApp, base: str) -> None:
    """Open each of ``PAGES`` of ``app``, served below ``base``, and leave it again."""
    for page in PAGES:
        try:
            await asyncio.wait_for(_open(app, base, page), _LONGEST_SECONDS)
        except Exception as error:
            # A visitor meets the same, and is told what it is.
            _log.warning("Drawing /%s beforehand failed: %s", page, error)


async def _open(app: ASGIApp, base: str, page: str) -> None:
    """One visit: a connection, a run of the page's script, and the end of both."""
    said: asyncio.Queue[Message] = asyncio.Queue()
    drawn = asyncio.Event()

    async def hear(message: Message) -> None:
        data = message.get("bytes")
        if message["type"] == "websocket.close" or (data and _is_end(data)):
            drawn.set()

    said.put_nowait({"type": "websocket.connect"})
    said.put_nowait({"type": "websocket.receive", "bytes": _request(page)})
    visit = asyncio.ensure_future(app(_connection(base), said.get, hear))
    visit.add_done_callback(lambda _: drawn.set())
    try:
        await drawn.wait()
    finally:
        said.put_nowait({"type": "websocket.disconnect", "code": 1000})
        with suppress(asyncio.CancelledError):
            await visit


def _connection(base: str) -> dict[str, Any]:
    path = f"{base.rstrip('/')}/_stcore/stream"
    return {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", _HOST)],
        "subprotocols": ["streamlit"],
        "client": None,
        "server": None,
    }


def _request(page: str) -> bytes:
    message = BackMsg()
    message.rerun_script.page_name = page
    return bytes(message.SerializeToString())


def _is_end(data: bytes) -> bool:
    return bool(ForwardMsg.FromString(data).WhichOneof("type") == "script_finished")
