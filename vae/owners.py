"""Who may steer a run: a key that survives a reload and stays out of the address.

The address carries only ``?run=ID``, which anybody may be given and which only shows. The key
that steers is derived from the token that Streamlit itself keeps in its cross-site-request
cookie: it is there in the first script run after a reload, it never appears in a link that a
teacher shares, and nothing more is stored in the browser. Without that cookie (protection
switched off, or cookies refused) the Streamlit session is the owner, and a reload only watches.
"""

import hashlib
from collections.abc import Mapping

_COOKIE = "_streamlit_xsrf"


def owner_key(cookies: Mapping[str, str], session_id: str) -> str:
    """The key of the browser that sent ``cookies``, or of the session ``session_id``."""
    token = _token(cookies.get(_COOKIE, ""))
    secret = token if token else session_id.encode()
    return hashlib.sha256(b"vae run owner" + secret).hexdigest()


def _token(cookie: str) -> bytes:
    """The token in a cookie ``2|mask|masked token|time``, which is masked anew at each answer."""
    parts = cookie.strip("\"'").split("|")
    if len(parts) != 4 or parts[0] != "2":
        return b""
    try:
        mask, masked = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    except ValueError:
        return b""
    if not mask:
        return b""
    return bytes(byte ^ mask[at % len(mask)] for at, byte in enumerate(masked))
