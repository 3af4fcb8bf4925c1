"""What browsers in a room ask of the server: past Streamlit's sessions, so that 300 may ask.

Commands are requests without a body: what they say stands in their path. Each carries a header
that no page of another site can send, so that none can vote or steer in a visitor's name.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vae.rooms.machine import (
    Again,
    Ask,
    Close,
    End,
    Event,
    Follow,
    NoRoom,
    Reveal,
    RoomError,
    Vote,
)
from vae.rooms.place import read_code
from vae.web.rooms.catalogue import catalogue
from vae.web.rooms.hall import get_hall
from vae.web.rooms.qr import qr_svg
from vae.web.steering_key import owner_key

HEADER = "x-room"
# What a page says of itself where a browser keeps no cookies.
_TICKET = re.compile(r"[A-Za-z0-9_-]{16,64}")
_RUN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NEVER = {"Cache-Control": "no-store"}
_MOVES: dict[str, Callable[[str, str], Event]] = {
    "close": Close,
    "again": Again,
    "reveal": Reveal,
    "end": End,
}


def room_routes(base: str = "") -> list[Route]:
    """Routes for ``st.App``; ``base`` is the app's base path, as ``server.baseUrlPath`` has it."""
    start = f"/{base.strip('/')}" if base.strip("/") else ""
    return [
        Route(f"{start}/room/open", _open, methods=["POST"]),
        Route(f"{start}/room/qr.svg", _qr),
        Route(f"{start}/room/{{code}}", _look),
        Route(f"{start}/room/{{code}}/vote/{{round:int}}/{{choice:int}}", _vote, methods=["POST"]),
        Route(f"{start}/room/{{code}}/ask/{{question}}", _ask, methods=["POST"]),
        Route(f"{start}/room/{{code}}/follow/{{run}}", _follow, methods=["POST"]),
        Route(f"{start}/room/{{code}}/{{move}}", _move, methods=["POST"]),
    ]


# On the loop, not in threads: what these do takes a tenth of a millisecond.
async def _open(request: Request) -> Response:
    url = get_hall().place.url
    if url and urlsplit(url).netloc != request.headers.get("host"):
        # A browser's key is its key on one address: it has to open the room where the room will be.
        return _answer(request, lambda _: {"code": "", "url": url})
    return _answer(request, lambda key: {"code": get_hall().open(key), "url": ""})


async def _look(request: Request) -> Response:
    return _answer(request, lambda key: get_hall().look(_code(request), key), safe=True)


async def _vote(request: Request) -> Response:
    path = request.path_params
    return _tell(request, lambda code, key: Vote(code, key, path["round"], path["choice"]))


async def _ask(request: Request) -> Response:
    asked = catalogue().get(request.path_params["question"])
    if asked is None:
        return _refuse("There is no such question. Reload the page.", 404)
    return _tell(request, lambda code, key: Ask(code, key, asked.id, len(asked.choices)))


async def _follow(request: Request) -> Response:
    run = request.path_params["run"]
    if not _RUN.fullmatch(run):
        return _refuse("There is no such run.", 404)
    return _tell(request, lambda code, key: Follow(code, key, "" if run == "none" else run))


async def _move(request: Request) -> Response:
    move = _MOVES.get(request.path_params["move"])
    if move is None:
        return _refuse("There is nothing here.", 404)
    return _tell(request, move)


def _qr(request: Request) -> Response:
    try:
        image = qr_svg(request.query_params.get("text", ""))
    except ValueError as error:
        return _refuse(str(error), 400)
    return Response(image, media_type="image/svg+xml")


def _tell(request: Request, event: Callable[[str, str], Event]) -> Response:
    return _answer(request, lambda key: get_hall().tell(event(_code(request), key), key))


def _answer(
    request: Request, act: Callable[[str], dict[str, object]], *, safe: bool = False
) -> Response:
    if not safe and HEADER not in request.headers:
        return _refuse("This is asked by the app's own pages alone.", 403)
    try:
        told = act(_key(request))
    except NoRoom as error:
        return _refuse(str(error), 404)
    except RoomError as error:
        return _refuse(str(error), 409)
    return JSONResponse(told, headers=_NEVER)


def _code(request: Request) -> str:
    return read_code(request.path_params["code"])


def _key(request: Request) -> str:
    ticket = request.headers.get(HEADER, "")
    return owner_key(request.cookies, ticket if _TICKET.fullmatch(ticket) else "")


def _refuse(message: str, status: int) -> Response:
    return JSONResponse({"message": message}, status_code=status, headers=_NEVER)
