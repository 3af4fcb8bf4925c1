"""Files of the app that a browser fetches by themselves and keeps: modules, styles, networks.

They go past Streamlit's sessions: nothing of them is sent through a websocket, or anew to somebody
who has them. Names carry a digest of their content.
"""

import hashlib
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vae.errors import CheckpointError
from vae.memo import shared
from vae.web import style
from vae.web.weights import read_weights

_ASSETS = Path(__file__).parent / "assets"
# Each folder's files are served below its name, and those that all share beside them.
_COMMON = "common"
FOLDERS = ("drawing", "classroom", "pictures")
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_FOR_GOOD = {"Cache-Control": "public, max-age=31536000, immutable"}
_NEVER = {"Cache-Control": "no-store"}


@shared(maxsize=len(FOLDERS))
def assets(folder: str = "drawing") -> dict[str, bytes]:
    """A folder's modules and styles, with what all folders share, by file name; read once."""
    return {
        path.name: path.read_bytes()
        for each in (_COMMON, folder)
        for path in sorted((_ASSETS / each).iterdir())
        if path.is_file()
    }


@shared(maxsize=len(FOLDERS))
def assets_digest(folder: str = "drawing") -> str:
    """Changes with any of a folder's ``assets``."""
    digest = hashlib.sha256()
    for name, content in assets(folder).items():
        digest.update(name.encode() + content)
    return digest.hexdigest()[:12]


def assets_path(folder: str) -> str:
    """Where a folder's ``assets`` are, below the app's own address."""
    return f"{folder}/{assets_digest(folder)}/"


def fetching_script(name: str) -> str:
    """The component's script assets/NAME.js, with ``address(path)``, by which it fetches files."""
    return "".join((_ASSETS / f"{each}.js").read_text("utf-8") for each in ("address", name))


def asset_routes(base: str = "") -> list[Route]:
    """Routes for ``st.App``; ``base`` is the app's base path, as ``server.baseUrlPath`` has it."""
    start = f"/{base.strip('/')}" if base.strip("/") else ""
    return [
        Route(f"{start}/drawing/weights/{{name}}", _serve_weights),
        Route(f"{start}/style/{{digest}}/frame.css", _serve_style),
        *(
            Route(f"{start}/{folder}/{{digest}}/{{name}}", partial(_serve_asset, folder))
            for folder in FOLDERS
        ),
    ]


def _serve_asset(folder: str, request: Request) -> Response:
    name = request.path_params["name"]
    if name not in assets(folder):
        return _refuse(f"There is no file {name[:60]!r} here. Reload the page.")
    # A page from before an update asks by the older digest: it gets what there is, and keeps none.
    known = request.path_params["digest"] == assets_digest(folder)
    kind = _TYPES.get(Path(name).suffix, "application/octet-stream")
    return Response(assets(folder)[name], media_type=kind, headers=_FOR_GOOD if known else _NEVER)


def _serve_style(request: Request) -> Response:
    kept = _FOR_GOOD if request.path_params["digest"] == style.DIGEST else _NEVER
    headers = {**kept, "Content-Encoding": "gzip"}
    return Response(style.CONTENT, media_type="text/css", headers=headers)


def _serve_weights(request: Request) -> Response:
    # In a thread of Starlette's own, as every function that is not async: the first caller waits
    # for the file to be made, and nobody else does.
    try:
        content = read_weights(request.path_params["name"])
    except CheckpointError as error:
        return _refuse(str(error))
    headers = {**_FOR_GOOD, "Content-Encoding": "gzip"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _refuse(message: str) -> Response:
    return JSONResponse({"message": message}, status_code=404, headers=_NEVER)
