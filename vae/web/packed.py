"""The browser's own files, packed once for all visitors.

A first visit loads four megabytes of script and style. Streamlit sends them as they are, since
Starlette's middleware would pack them anew for each visitor, 30 ms a megabyte. Their names change
with their content, so here what was packed for the first is kept for everybody.
"""

import asyncio
import gzip

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vae.memo import Memo

_FOLDER = "/static/"
_WORDS = ("text/", "application/javascript", "application/json", "image/svg+xml")
# What a first visit asks for is some 1.3 MB when packed; all files of Streamlit's, 7 MB.
_FILES = 512
_SMALLEST = 1000
_LEVEL = 6


class Packed:
    """ASGI middleware: scripts and styles below ``/static/`` go out as gzip to who takes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packed = Memo(_FILES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_wanted(scope):
            send = self._packing(scope["path"], send)
        await self._app(scope, receive, send)

    def _packing(self, path: str, send: Send) -> Send:
        """``send``, which holds a file of words back until it is whole, and packs it."""
        held: list[Message] = []
        parts: list[bytes] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_words(message):
                held.append(message)
                return
            if message["type"] == "http.response.body" and held:
                parts.append(message.get("body", b""))
                if message.get("more_body"):
                    return
                start, body = held.pop(), b"".join(parts)
                key = path, Headers(raw=start["headers"]).get("etag"), len(body)
                # Beside the loop, which meanwhile answers others.
                packed = await asyncio.to_thread(
                    self._packed.get, key, lambda: gzip.compress(body, _LEVEL, mtime=0)
                )
                headers = MutableHeaders(raw=start["headers"])
                headers["Content-Encoding"] = "gzip"
                headers["Content-Length"] = str(len(packed))
                headers.add_vary_header("Accept-Encoding")
                await send(start)
                message = {"type": "http.response.body", "body": packed}
            await send(message)

        return sending


def _is_wanted(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET" or _FOLDER not in scope["path"]:
        return False
    headers = Headers(scope=scope)
    return "gzip" in headers.get("accept-encoding", "") and "range" not in headers


def _is_words(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return (
        start["status"] == 200
        and "content-encoding" not in headers
        and headers.get("content-type", "").startswith(_WORDS)
        and int(headers.get("content-length", _SMALLEST)) >= _SMALLEST
    )
