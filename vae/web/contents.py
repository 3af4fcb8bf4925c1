"""The list of a page's sections in the sidebar; the browser reads it off the page itself."""

from pathlib import Path

import streamlit as st

from vae.web import kept

_ASSETS = Path(__file__).parent / "assets"
_component = st.components.v2.component(
    "vae.contents",
    html='<nav class="contents" aria-label="On this page" hidden><p>On this page</p>'
    "<ul></ul></nav>",
    css=(_ASSETS / "contents.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "contents.js").read_text(encoding="utf-8"),
)


def show() -> None:
    """Links to the sections, with a mark at the one that is being read."""
    kept.mount(_component, "contents", {})
