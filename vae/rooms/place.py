"""Where a room is: its code, which names its server where there are several, and its address.

With one server nothing has to be set. Where several answer under one address, each has a
``VAE_SERVER_NAME``, which its rooms' codes begin with: a room lives in the memory of one server.
A proxy that does not know codes (``vae.serve.proxy`` does) leads nobody there: then each server has
a ``VAE_SERVER_URL`` of its own, too, to which its rooms' links lead.
"""

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from vae.errors import shown
from vae.servers import PlaceError, server_name, with_name

__all__ = ["Place", "PlaceError", "load_place", "read_code"]

# Without letters and digits that are taken for one another when they are read aloud.
_LETTERS = "BCDFGHJKMNPQRSTVWXZ"
_LENGTH = 5
_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,200}(/[A-Za-z0-9._/-]{0,200})?")
_CODE = re.compile(rf"(?:([a-z0-9]{{1,12}})-)?([{_LETTERS}]{{{_LENGTH}}})")


@dataclass(frozen=True)
class Place:
    """This server: its name and its own address, both empty where it is the only one."""

    name: str = ""
    url: str = ""

    def new_code(self) -> str:
        """A code that nobody guesses by accident."""
        letters = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        return with_name(self.name, letters)

    def has(self, code: str) -> bool:
        """Whether a room of this code would be here."""
        found = _CODE.fullmatch(code)
        return found is not None and (found[1] or "") == self.name


def load_place(environment: Mapping[str, str] | None = None) -> Place:
    """This server's place. Raises ``PlaceError`` on a variable that is none."""
    variables = os.environ if environment is None else environment
    name, url = server_name(variables), variables.get("VAE_SERVER_URL", "")
    if url and not _URL.fullmatch(url):
        raise PlaceError(
            f"VAE_SERVER_URL: {shown(url)} given; allowed is an address as https://host/path"
        )
    return Place(name, url.rstrip("/"))


def read_code(text: str) -> str:
    """A code as it is kept, from what somebody typed; empty where it is none."""
    name, _, letters = text.strip().rpartition("-")
    code = f"{name.lower()}-{letters.upper()}" if name else letters.upper()
    return code if _CODE.fullmatch(code) else ""
