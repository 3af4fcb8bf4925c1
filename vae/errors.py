"""Errors that a learner reads; what a page may show of them, and where the rest goes.

A page is shown to whoever has its link. Tracebacks and the folders of the server are for who looks
after the server: they go to its log, under a number that the page gives.
"""

import logging
import re
import reprlib
import secrets
from pathlib import Path

_LONGEST = 40
_LONGEST_PATH = 250
_OUTERMOST = reprlib.Repr()
_OUTERMOST.maxlevel = 2
# An absolute path, here or on Windows, without its last part; not what stands in an address.
_FOLDERS = re.compile(r"(?<![\w:/.])(?:[A-Za-z]:)?[/\\](?:[^\s/\\:;,()'\"]+[/\\])+(?=[^\s/\\])")
_log = logging.getLogger(__name__)


class DataUnavailable(Exception):
    """Images are missing or unreadable. The message says what to do and stands on its own."""


class CheckpointError(Exception):
    """A file that cannot be written, or is not a checkpoint that this version reads."""


class DeviceUnavailable(ValueError):
    """The device asked for is not on this machine."""


def shown(value: object) -> str:
    """``value`` for a message: its repr, so without line breaks, of at most 40 characters."""
    try:
        # Of a long text only the beginning is spelt out: its repr would be as long as it is. And
        # of what holds other things only the outermost: they may hold it in turn.
        text = repr(value[: _LONGEST + 1]) if isinstance(value, str) else _OUTERMOST.repr(value)
    except (ValueError, RecursionError):
        # A number of thousands of digits.
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def shown_path(path: object) -> str:
    """A path for a message: as it is, or the end of one that no system would take."""
    text = str(path)
    return text if len(text) <= _LONGEST_PATH else f"…{text[1 - _LONGEST_PATH :]}"


def file_away(what: str, details: str) -> str:
    """Put ``details`` into the server's log under a number, which it returns for the page."""
    number = secrets.token_hex(3).upper()
    _log.error("%s. Number %s:\n%s", what, number, details)
    return number


def for_page(sentence: str) -> str:
    """``sentence`` without the folders it names; whole, it is in the log under the number it gives.

    What names no folder stays as it is.
    """
    # A folder's name may have spaces: the user's own is known, and goes first.
    shown_part = _FOLDERS.sub("", sentence.replace(f"{Path.home()}/", "/~/"))
    if shown_part == sentence:
        return sentence
    number = file_away("A page shows this without its folders", sentence)
    return f"{shown_part} (Number {number} in the server's log.)"
