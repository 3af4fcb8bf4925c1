"""What the server does once, for all sessions: before the first visitor, and at its end."""

import ast
import asyncio
import ctypes
import gc
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from vae.images.sets import load_sample
from vae.rooms.place import PlaceError, load_place
from vae.runs.limits import LimitError, check_environment, draws_beforehand
from vae.runs.registry import close_registry
from vae.web import bias
from vae.web.first_visit import open_every_page
from vae.web.gate import Gate
from vae.web.packed import Packed
from vae.web.places import Places
from vae.web.rooms.routes import room_routes
from vae.web.routes import asset_routes
from vae.web.sockets import send_at_once

_PAGES = Path(__file__).parents[2] / "pages"
_FILES = 65_536
# glibc's numbers of the options.
_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
# Python's own is 0.005: a thread that has one small message to send would wait that long for its
# turn behind a page's script, some hundred times a page.
_SWITCH_SECONDS = 0.0005
# A script that is stuck must not keep the others for ever.
_LONGEST_WAIT_SECONDS = 10.0
_turn = threading.Lock()


@asynccontextmanager
async def serving(app: st.App) -> AsyncIterator[None]:
    """Everything between the server's start and its first visitor, and after its last.

    Raises ``LimitError`` where the app's secrets, which are in the environment by now, are none.
    """
    check_environment()
    # Short script runs reach the browser without a delay; see ``vae.web.sockets``.
    send_at_once(int(st.get_option("server.port")))
    allow_many_files()
    keep_memory_together()
    sys.setswitchinterval(_SWITCH_SECONDS)
    import_what_pages_need()
    # On a new machine the built-in digits are drawn, which takes a second: meanwhile pages open.
    threading.Thread(target=load_sample, args=("digits", 1), daemon=True).start()
    # What was imported is set apart from what later collections walk.
    gc.collect()
    gc.freeze()
    visit = asyncio.ensure_future(_visit(app))
    try:
        yield
    finally:
        visit.cancel()
        # The server ends by the signal that it was sent, without Python's own last steps.
        close_registry()


async def _visit(app: st.App) -> None:
    """Draw every page once, where this host wants it, then what can be chosen on Bias."""
    if draws_beforehand():
        await open_every_page(app, st.get_option("server.baseUrlPath"))
        threading.Thread(target=bias.fit_every_choice, daemon=True).start()


def start_only_with_a_good_environment() -> None:
    """End the process with one sentence where a variable is outside its range."""
    try:
        check_environment()
        load_place()
    except (LimitError, PlaceError) as error:
        sys.exit(str(error))


def middleware() -> list[Middleware]:
    """What stands before Streamlit, outermost first."""
    return [Middleware(Gate), Middleware(Places), Middleware(Packed)]


def routes() -> list[Route]:
    """Files of the app's own that pass by Streamlit's sessions."""
    base = st.get_option("server.baseUrlPath")
    return [*asset_routes(base), *room_routes(base)]


def import_what_pages_need() -> None:
    """Run the imports of the scripts in pages/, and nothing else of them."""
    for path in sorted(_PAGES.glob("*.py")):
        lines = ast.parse(path.read_text(encoding="utf-8")).body
        imports = [line for line in lines if isinstance(line, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(list(imports), type_ignores=[]), str(path), "exec"), {})


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


def keep_memory_together() -> bool:
    """Have large blocks returned to the system when they are freed, and all threads share a heap.

    glibc raises the limit of what it returns by itself to the largest block that was ever freed, up
    to 32 MB; what is smaller then leaves holes in a heap that no longer shrinks: 30 MB after the
    built-in digits were drawn. And it gives threads heaps of their own, sixteen on two cores, of
    which each keeps its holes; the interpreter's threads take turns anyway. Options once set stay
    (mallopt(3), M_MMAP_THRESHOLD, M_ARENA_MAX). False where there are none.
    """
    with suppress(OSError, TypeError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        return bool(mallopt(_MMAP_THRESHOLD, 2**20)) and bool(mallopt(_ARENA_MAX, 1))
    return False


def allow_many_files() -> int:
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
