"""Several servers behind one address: each has a name, and what it keeps carries that name.

A room or a run lives in the memory of one server. Its id begins with the server's name, so that a
proxy leads a link to where the thing is (``vae.serve.proxy`` writes how), and a server that is
asked for another's knows it. With one server nothing has to be set, and nothing carries a name.
"""

import os
import re
from collections.abc import Mapping

from vae.errors import shown

VARIABLE = "VAE_SERVER_NAME"
# In which a server gives its visitors its name, so that a proxy leads them to it again; the second
# is for a page in another site's frame.
COOKIE = "vae_server"
FRAME_COOKIE = "vae_server_in_frame"
# A run's own part is 72 random bits; a room's is a code that is read aloud.
_TOKEN = 12
_NAME = re.compile(r"[a-z0-9]{1,12}")
NAMES = "allowed are 1 to 12 letters a to z and digits"
"""What ``is_name`` takes, for whoever refuses another one."""
_RUN = re.compile(rf"([a-z0-9]{{1,12}})-[A-Za-z0-9_-]{{{_TOKEN}}}")


class PlaceError(ValueError):
    """A variable of the environment that is none. The message names it, and what is allowed."""


def is_name(text: str) -> bool:
    """Whether a server may be called so."""
    return _NAME.fullmatch(text) is not None


def server_name(environment: Mapping[str, str] | None = None) -> str:
    """This server's name; empty where it is the only one. Raises ``PlaceError`` on one that is
    none."""
    name = (os.environ if environment is None else environment).get(VARIABLE, "")
    if name and not is_name(name):
        raise PlaceError(f"{VARIABLE}: {shown(name)} given; {NAMES}")
    return name


def server_of_visitor(cookies: Mapping[str, str]) -> str:
    """The name of the server that a browser with these ``cookies`` was on; empty for none."""
    found = (str(cookies.get(name, "")) for name in (COOKIE, FRAME_COOKIE))
    return next((name for name in found if is_name(name)), "")


def with_name(name: str, own: str) -> str:
    """The id ``own`` of something that the server ``name`` keeps."""
    return f"{name}-{own}" if name else own


def server_of_run(run_id: str) -> str:
    """The name of the server that began this run; empty where its id carries none."""
    found = _RUN.fullmatch(run_id)
    return found[1] if found else ""
