"""What comes before Streamlit: the requests that this app answers, and the key that steers runs.

Streamlit opens ways into the server that this app does not use: files for uploads, which would be
kept in memory; components of other packages; accounts; an interface for agents; and messages of
any size. The gate answers what pages need and refuses the rest before anything of it is read.
"""

import logging
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vae.servers import server_name
from vae.web import steering_key, style

_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# What a room is told: requests without a body (vae/web/rooms/routes.py).
_ROOM = re.compile(r"/room/(?:open|[A-Za-z0-9-]{1,24}/[a-z]{1,8}(?:/[A-Za-z0-9_-]{1,64}){0,2})$")
# Below Streamlit's own folder: what its page in the browser asks for.
_CORE = "/_stcore/"
_ANSWERED = frozenset({"health", "host-config", "stream", "bidi-components"})
_CLOSED = ("/component/", "/auth/", "/oauth2callback")
# A page sends all its controls at each action: 3 KB, but for two pasted codes of 60,000 characters
# beside one another and what the tab has kept of them. What is not much larger is taken apart in a
# fifth of a second.
LONGEST_MESSAGE = 256 * 1024
_TOO_BIG = 1009
# Everything that a page shows comes from its own server, whatever text gets onto it. Figures are
# compiled in the browser, and a lesson may stand in a frame of another site.
_POLICY = (
    "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; "
    "connect-src 'self' data: blob: ws: wss:; form-action 'self'; base-uri 'self'; "
    "object-src 'none'"
)
_log = logging.getLogger(__name__)


class Gate:
    """ASGI middleware: closed ways are closed, messages are short, a browser has its key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._name = server_name()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            send = _with_name(scope, send, self._name)
            await self._app(scope, _short_messages(receive, send), send)
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        elif is_open(scope["method"], scope["path"]):
            sending = _with_key(scope, _with_head(send), self._name)
            await self._app(_as_it_is(scope), receive, sending)
        else:
            refusal = PlainTextResponse(
                "This app has nothing here, and takes no uploads.",
                status_code=404,
                # What the request still has to say is not read.
                headers={"Connection": "close"},
            )
            await refusal(scope, receive, send)


def is_open(method: str, path: str) -> bool:
    """Whether the app answers requests with this method at this path, below any base path."""
    if method == "POST" and _ROOM.search(path):
        return True
    if method not in _METHODS:
        return False
    _, core, rest = path.partition(_CORE)
    if core and rest.split("/")[0] not in _ANSWERED:
        return False
    return not any(closed in path for closed in _CLOSED)


def _with_key(scope: Scope, send: Send, server: str) -> Send:
    """``send``, which gives a browser that opens a page its key, the name of the ``server`` that
    it is on, and pages their policy."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                headers["Content-Security-Policy"] = _POLICY
                cookies = _cookies(scope)
                for cookie in (
                    *steering_key.new_cookies(cookies),
                    *steering_key.server_cookies(cookies, server),
                ):
                    headers.append("Set-Cookie", cookie)
        await send(message)

    return sending


def _with_name(scope: Scope, send: Send, server: str) -> Send:
    """``send``, which tells a browser that comes with its websocket alone where it is now: its
    server has ended, and what it fetches must come from the one that has its session."""

    async def sending(message: Message) -> None:
        if message["type"] == "websocket.accept":
            new = steering_key.server_cookies(_cookies(scope), server)
            headers = [(b"set-cookie", cookie.encode("ascii")) for cookie in new]
            message = {**message, "headers": [*message.get("headers", ()), *headers]}
        await send(message)

    return sending


def _as_it_is(scope: Scope) -> Scope:
    """``scope``, in which a page is asked for uncompressed, 8 KB: something is added to it."""
    if "text/html" not in Headers(scope=scope).get("accept", ""):
        return scope
    kept = [(name, text) for name, text in scope["headers"] if name != b"accept-encoding"]
    return {**scope, "headers": kept}


def _with_head(send: Send) -> Send:
    """``send``, which tells a page in the browser where its server is, and how it looks."""
    held: list[Message] = []

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                # Its length is known with its first part, which holds all of it.
                held.append(message)
                return
        elif held and message["type"] == "http.response.body":
            start = held.pop()
            body = message.get("body", b"")
            told = body.replace(b"<head>", b"<head>" + style.IN_HEAD, 1)
            told = told.replace(b"<body>", b"<body>" + style.IN_BODY, 1)
            headers = MutableHeaders(raw=start["headers"])
            if "content-length" in headers:
                longer = int(headers["content-length"]) + len(told) - len(body)
                headers["content-length"] = str(longer)
            await send(start)
            message = {**message, "body": told}
        await send(message)

    return sending


def _cookies(scope: Scope) -> dict[str, str]:
    # A browser may send several headers, and a stranger one that is none.
    found: dict[str, str] = {}
    for text in Headers(scope=scope).getlist("cookie"):
        for part in text.split(";"):
            name, _, value = part.strip().partition("=")
            found.setdefault(name, value)
    return found


def _short_messages(receive: Receive, send: Send) -> Receive:
    """``receive``, which ends the connection at a message that is longer than any page's."""

    async def receiving() -> Message:
        message = await receive()
        data = message.get("bytes") or message.get("text") or b""
        if message["type"] != "websocket.receive" or len(data) <= LONGEST_MESSAGE:
            return message
        _log.warning(
            "A browser sent a message of %d bytes; allowed is %d. Its connection is closed.",
            len(data),
            LONGEST_MESSAGE,
        )
        await send({"type": "websocket.close", "code": _TOO_BIG})
        return {"type": "websocket.disconnect", "code": _TOO_BIG}

    return receiving
