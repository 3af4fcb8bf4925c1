"""What the server does once, for all sessions, around the first page that it shows."""

import gc
import runpy
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from vae.sockets import send_at_once

_FILES = 65_536
# Python's own is 0.005: a thread that has one small message to send would wait that long for its
# turn behind a page's script, some hundred times a page.
_SWITCH_SECONDS = 0.0005
# A script that is stuck must not keep the others for ever.
_LONGEST_WAIT_SECONDS = 10.0
_turn = threading.Lock()
_ENTRY = Path(__file__).parent.parent / "streamlit_app.py"


@st.cache_resource(show_spinner=False)
def answer_at_once() -> int:
    """Let short script runs reach the browser without a delay; see ``vae.sockets``."""
    return send_at_once(int(st.get_option("server.port")))


@st.cache_resource(show_spinner=False)
def switch_often() -> float:
    """Let what is short go between what is long; returns the interval in seconds."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    return sys.getswitchinterval()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Whole pages are drawn one after another: they share one interpreter.

    Thirty that begin together would all end when the last one does. In turn, the first is there
    after a thirtieth of the time; and what a control asks for, a fragment of a page, does not
    come by here and overtakes them.
    """
    ours = _turn.acquire(timeout=_LONGEST_WAIT_SECONDS)
    try:
        yield
    finally:
        if ours:
            _turn.release()


def require_entry() -> None:
    """Called first by every page: run streamlit_app.py where Streamlit has passed it by.

    Until some session has called ``st.navigation``, Streamlit takes the folder pages/ for an app
    of its older kind: the first visitor of a new server, coming by a link to one page, would get
    that page alone, without the title, the layout and the navigation of streamlit_app.py.
    """
    if PagesManager.uses_pages_directory:
        runpy.run_path(str(_ENTRY), run_name="__main__")
        st.stop()


@st.cache_resource(show_spinner=False)
def allow_many_sessions() -> int:
    """Raise the number of files this process may open to what the system grants; returns it.

    A session takes four, and three of them for two minutes more after it is closed: the usual
    1,024 would end at 250 students.
    """
    try:
        import resource
    except ImportError:
        # Windows has no such bound.
        return 0
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = min(hard, _FILES) if hard != resource.RLIM_INFINITY else _FILES
    if 0 <= soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    return max(soft, enough)


@st.cache_resource(show_spinner=False)
def settle_memory() -> int:
    """Set what was imported apart from what later collections walk; returns how many objects."""
    gc.collect()
    gc.freeze()
    return gc.get_freeze_count()
