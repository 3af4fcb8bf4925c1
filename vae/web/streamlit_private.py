"""Every name that Streamlit does not document, in one place, each with the way it waits for.

Written against Streamlit 1.67. A test fails where another module imports such a name.
"""

import pathlib

import streamlit

# A chart's tables in the form in which they travel. Without it Streamlit converts them anew at each
# run of a page. Waits for: ``st.vega_lite_chart`` taking data sets that are Arrow bytes already,
# which it does, and a public function that makes them.
from streamlit.dataframe_util import convert_anything_to_arrow_bytes as to_arrow

# The type of a place on the page, for annotations alone. Waits for: a public name of it.
from streamlit.delta_generator import DeltaGenerator

# What a browser says when it opens a page: the server is its own first visitor
# (``vae.web.first_visit``). Waits for: a public way to run a page before somebody asks for it.
from streamlit.proto.BackMsg_pb2 import BackMsg

# The message that an element is, and the run that sends it: what is the same for everybody is made
# once (``vae.web.kept``). Waits for: a cache of Streamlit's that sends an element again without
# making it anew; that of ``st.cache_resource`` keeps its arguments and repeats the rest.
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# As above. Waits for: the same.
from streamlit.runtime.scriptrunner_utils.script_run_context import (
    ScriptRunContext,
    ThreadState,
    get_script_run_ctx,
)

# The font files of the page's text, upright and slanted, as the browser asks for them below
# ``static/media``. A page that is shown before they are there is laid out twice. Waits for: a page
# that names its fonts in its document, or an option that does.
FONT_FILES = sorted(
    path.name
    for path in (pathlib.Path(streamlit.__file__).parent / "static/static/media").glob(
        "SourceSansVF-*.woff2"
    )
)

__all__ = [
    "FONT_FILES",
    "BackMsg",
    "DeltaGenerator",
    "ForwardMsg",
    "ScriptRunContext",
    "ThreadState",
    "get_script_run_ctx",
    "place_to_write",
    "to_arrow",
]


def place_to_write() -> DeltaGenerator:
    """Where the next element of the script goes: what a ``with`` block opened, or the page."""
    return streamlit._main._active_dg
