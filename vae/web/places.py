"""As many visitors as the process may have files open, and a sentence for who comes after them.

A session takes four files: its connection, and three of an event loop, which Streamlit keeps for
two minutes more so that a browser may come back. Where the system grants few, a class that comes
at once would take them all for halves of sessions, of which none opens.
"""

import asyncio
import logging
import os
import time
from collections import deque

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

try:
    import resource
except ImportError:
    # Windows has no such bound.
    resource = None  # type: ignore[assignment]

_FILES_A_SESSION = 4
_FILES_KEPT = 3
# For what is not a session: the trainer's pipes, locks of runs, checkpoints, files on their way.
_RESERVE = 64
_MARGIN = 16
# Streamlit's own time, and a little; and how many closed sessions it keeps at most.
_KEPT_SECONDS = 125.0
_MOST_KEPT = 128
# What waits for others to be sent away: they are closed within milliseconds.
_WAIT_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_TRY_AGAIN = 1013
_SAY_SECONDS = 60.0
_FULL = (
    "This server has no room for another visitor now: it may open too few files. "
    "Try again in two minutes."
)
_log = logging.getLogger(__name__)


class Places:
    """ASGI middleware: a session begins only where there are files for the whole of it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._here = 0
        self._left: deque[float] = deque(maxlen=_MOST_KEPT)
        self._say_again = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._seat(scope, receive, send)
        elif scope["type"] == "http" and _is_page(scope) and self._is_full():
            refusal = PlainTextResponse(_FULL, status_code=503, headers={"Retry-After": "120"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _seat(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_full():
            await _refuse(receive, send)
            return
        self._here += 1
        try:
            # Others of the same moment hold connections that are about to be closed.
            until = time.monotonic() + _WAIT_SECONDS
            while not _has_room() and time.monotonic() < until:
                await asyncio.sleep(_LOOK_SECONDS)
            if _has_room():
                await self._app(scope, receive, send)
            else:
                await _refuse(receive, send)
        finally:
            self._here -= 1
            self._left.append(time.monotonic())

    def _is_full(self) -> bool:
        limit = _limit()
        if limit is None:
            return False
        while self._left and self._left[0] < time.monotonic() - _KEPT_SECONDS:
            self._left.popleft()
        files = limit - _RESERVE
        taken = _FILES_A_SESSION * self._here + _FILES_KEPT * len(self._left)
        full = self._here > 0 and taken + _FILES_A_SESSION > files
        if full and time.monotonic() >= self._say_again:
            self._say_again = time.monotonic() + _SAY_SECONDS
            _log.warning(
                "Visitors are sent away: this process may open %d files, enough for %d sessions "
                "at once. Raise the limit (ulimit -n).",
                limit,
                files // _FILES_A_SESSION,
            )
        return full


def _is_page(scope: Scope) -> bool:
    return scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", "")


async def _refuse(receive: Receive, send: Send) -> None:
    await receive()
    # Before the connection is accepted: the browser hears status 403, and tries again by itself.
    await send({"type": "websocket.close", "code": _TRY_AGAIN})


def _limit() -> int | None:
    """How many files this process may open; None where there is no bound."""
    if resource is None:
        return None
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def _has_room() -> bool:
    """Whether a session's files can be opened now."""
    limit = _limit()
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return limit is None or len(os.listdir(folder)) + _MARGIN <= limit  # noqa: PTH208
        except OSError:
            continue
    return True
