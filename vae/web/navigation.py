"""What every session runs: page configuration, navigation, the frame, and the page itself."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from vae.web import embedded, frame, server

_ROOT = Path(__file__).resolve().parents[2]
# A file of our own: the browser would fetch a named symbol from another host.
_ICON = Path(__file__).parent / "assets" / "icon.svg"
PAGES = {
    "overview": ("Overview", ":material/home:"),
    "derivation": ("Derivation", ":material/functions:"),
    "bias": ("Bias", ":material/balance:"),
    "your_loss": ("Your loss", ":material/content_paste_search:"),
    "train": ("Train", ":material/model_training:"),
    "teach": ("For teachers", ":material/school:"),
}


def page_file(name: str) -> Path:
    """The script of the page ``name``."""
    return _ROOT / "pages" / f"{name}.py"


def show() -> None:
    """One whole run of the session's script."""
    st.set_page_config(page_title="What is a VAE's loss?", page_icon=_ICON, layout="wide")
    pages = [
        st.Page(page_file(name), title=title, icon=icon, default=name == "overview")
        for name, (title, icon) in PAGES.items()
    ]
    page = st.navigation(pages, position=frame.navigation_position())
    with server.one_at_a_time():
        if (figure := embedded.asked()) is not None:
            frame.use_style()
            embedded.show(figure)
            return
        frame.show_frame()
        page.run()
        frame.show_foot()


def link(name: str, *, query: Mapping[str, str] | None = None) -> None:
    """A link to the page ``name``, in bold letters and with its icon."""
    title, icon = PAGES[name]
    st.page_link(page_file(name), label=f"**{title}**", icon=icon, query_params=query)


if __name__ == "__main__":
    show()
