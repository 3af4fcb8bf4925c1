"""The browser's own files go out packed, once packed for all."""

import gzip
from typing import Any

import pytest
from asgi import ask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vae.web.packed import Packed

SCRIPT = b"export const likelihood = 'gaussian';\n" * 200


@pytest.fixture
def app() -> Packed:
    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name == "absent.js":
            return Response("no such file " * 100, 404)
        kind = "image/png" if name.endswith(".png") else "text/javascript"
        return Response(SCRIPT, media_type=kind, headers={"ETag": f'"{name}"'})

    routes = [Route("/static/js/{name}", answer), Route("/below/static/js/{name}", answer)]
    return Packed(Starlette(routes=[*routes, Route("/room/{name}", answer)]))


@pytest.mark.parametrize("path", ["/static/js/main.js", "/below/static/js/main.js"])
def test_a_script_arrives_packed_and_whole(app: Packed, path: str) -> None:
    status, headers, body = ask(app, path, accept_encoding="gzip, br")
    assert status == 200
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert int(headers["content-length"]) == len(body) < len(SCRIPT) / 5
    assert gzip.decompress(body) == SCRIPT


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/static/js/main.js", {}),
        ("/static/js/main.js", {"accept_encoding": "gzip", "range": "bytes=0-9"}),
        ("/static/js/digit.png", {"accept_encoding": "gzip"}),
        ("/room/main.js", {"accept_encoding": "gzip"}),
        ("/static/js/absent.js", {"accept_encoding": "gzip"}),
    ],
)
def test_what_cannot_be_packed_goes_out_as_it_is(app: Packed, path: str, headers: Any) -> None:
    _, answered, body = ask(app, path, **headers)
    assert "content-encoding" not in answered
    assert int(answered["content-length"]) == len(body)


def test_a_file_is_packed_once_for_all_visitors(app: Packed, monkeypatch: Any) -> None:
    packed: list[int] = []
    compress = gzip.compress

    def counting(data: bytes, *level: int, **more: Any) -> bytes:
        packed.append(len(data))
        return compress(data, *level, **more)

    monkeypatch.setattr(gzip, "compress", counting)
    for _ in range(3):
        for name in ("main.js", "other.js"):
            ask(app, f"/static/js/{name}", accept_encoding="gzip")
    assert packed == [len(SCRIPT)] * 2
