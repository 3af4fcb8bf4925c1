"""One server of several: a word for who was led on from another, and for what lies on another."""

from urllib.parse import urlsplit

import streamlit as st

from vae.servers import server_name, server_of_visitor

_KEY = "moved_on_page"


def show_note() -> None:
    """For a visitor whose server has ended, on the page where that was met."""
    before = server_of_visitor(st.context.cookies)
    here = server_name()
    if not here or not before or before == here:
        return
    page = urlsplit(st.context.url or "").path
    if st.session_state.setdefault(_KEY, page) == page:
        st.info(
            "The server that you were on has ended, and another one goes on here. What stands in "
            "the address is kept. A run that trained there can be opened from its last checkpoint.",
            icon=":material/move_location:",
        )
