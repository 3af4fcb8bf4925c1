"""Errors that a learner reads, and how they show a value that somebody else chose."""

_LONGEST = 40


class DataUnavailable(Exception):
    """Images are missing or unreadable. The message says what to do and stands on its own."""


class CheckpointError(Exception):
    """A file that cannot be written, or is not a checkpoint that this version reads."""


class DeviceUnavailable(ValueError):
    """The device asked for is not on this machine."""


def shown(value: object) -> str:
    """``value`` for a message: its repr, so without line breaks, of at most 40 characters."""
    try:
        # Of a long text only the beginning is spelt out: its repr would be as long as it is.
        text = repr(value[: _LONGEST + 1] if isinstance(value, str) else value)
    except (ValueError, RecursionError):
        # A number of thousands of digits, or lists within lists within lists.
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
