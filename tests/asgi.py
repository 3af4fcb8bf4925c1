"""One request to an ASGI app, without a server."""

import asyncio
from typing import Any


def ask(app: Any, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case and body of a GET; ``accept_encoding`` is accept-encoding."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [
            (name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()
        ],
        "root_path": "",
    }
    asyncio.run(app(scope, receive, send))
    named = {name.decode().lower(): text.decode() for name, text in sent[0]["headers"]}
    return sent[0]["status"], named, b"".join(part.get("body", b"") for part in sent[1:])
