"""Files to take home: each is made when somebody asks for it, once for all who do."""

import threading
from collections.abc import Callable, Hashable

import streamlit as st

from vae.errors import file_away
from vae.memo import Memo

# Tables, films and scripts are of some 100 KB. The images for a script are some 30 MB; what is kept
# here and what Streamlit gives to browsers is one and the same piece of memory.
SMALL = Memo(32)
LARGE = Memo(2)
_making = threading.Lock()


def offer(
    label: str,
    icon: str,
    build: Callable[[], str | bytes],
    file_name: str,
    mime: str,
    *,
    key: Hashable = None,
    kept: Memo = SMALL,
) -> None:
    """A button whose file is made when it is pressed, without a run of the page.

    ``key`` tells the file from all others: who asks for the same one gets the same bytes. Without
    one it is not kept.
    """
    st.download_button(
        label,
        lambda: make(None if key is None else (icon, key), build, kept),
        file_name,
        mime,
        key=f"download-{icon}",
        icon=f":material/{icon}:",
        on_click="ignore",
    )


def make(key: Hashable, build: Callable[[], str | bytes], kept: Memo = SMALL) -> str | bytes:
    """What ``build`` returns, kept under a ``key``; one file at a time, so that pages go on.

    Raises ``RuntimeError`` with a sentence for the page where it cannot be made.
    """

    def alone() -> str | bytes:
        with _making:
            return build()

    try:
        return alone() if key is None else kept.get(key, alone)
    except Exception as error:
        what = f"A file to take home could not be made ({key})"
        number = file_away(what, f"{type(error).__name__}: {error}")
        raise RuntimeError(f"It cannot be made now. Number {number} in the server's log.") from None
