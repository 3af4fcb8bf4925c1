"""Who may steer a run: a key that survives a reload and stays out of the address.

The address carries only ``?run=ID``, which anybody may be given and which only shows. The key that
steers is a random number in a cookie, given to a browser with the first page it opens: it is there
in the first script run after a reload, no script can read it, and it never appears in a link that
a teacher shares. It is kept twice, because browsers keep cookies in two ways. The first is that of
a page opened by itself. The second is for a page in a frame of another site, a learning platform:
there a browser keeps only cookies that say that they are meant for it (``SameSite=None; Secure``),
and many only in a jar of that platform's own (``Partitioned``). Where neither is kept (cookies
refused, or such a frame without https) the Streamlit session is the owner: a reload only watches.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping

from vae import servers

COOKIE = "vae_key"
FRAME_COOKIE = "vae_key_in_frame"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22,64}")
_HERE = "SameSite=Lax"
_IN_FRAME = "SameSite=None; Secure; Partitioned"
_ATTRIBUTES = {COOKIE: _HERE, FRAME_COOKIE: _IN_FRAME}
_SERVER = {servers.COOKIE: _HERE, servers.FRAME_COOKIE: _IN_FRAME}


def owner_key(cookies: Mapping[str, str], session_id: str) -> str:
    """The key of the browser that sent ``cookies``, or of the session ``session_id``."""
    secret = _token(cookies) or f"session {session_id}"
    return hashlib.sha256(f"vae run owner {secret}".encode()).hexdigest()


def new_cookies(cookies: Mapping[str, str]) -> list[str]:
    """``Set-Cookie`` headers that a browser which sent ``cookies`` lacks; none once it has one.

    Both carry the same key, so that a browser is the same owner either way; they are forgotten
    when it is closed.
    """
    if _token(cookies):
        return []
    token = secrets.token_urlsafe(24)
    return [_cookie(name, token, attributes) for name, attributes in _ATTRIBUTES.items()]


def server_cookies(cookies: Mapping[str, str], name: str) -> list[str]:
    """``Set-Cookie`` headers by which a browser comes back to the server ``name``.

    None where it has them, or where the server is the only one.
    """
    if not name or servers.server_of_visitor(cookies) == name:
        return []
    return [_cookie(each, name, attributes) for each, attributes in _SERVER.items()]


def _cookie(name: str, value: str, attributes: str) -> str:
    return f"{name}={value}; Path=/; HttpOnly; {attributes}"


def _token(cookies: Mapping[str, str]) -> str:
    found = (str(cookies.get(name, "")) for name in _ATTRIBUTES)
    return next((token for token in found if _TOKEN.fullmatch(token)), "")
