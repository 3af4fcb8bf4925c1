"""A link that carries the code and what was said of it."""

import streamlit as st

from vae.web import quiz
from vae.web.kit.links import link_for_others
from vae.web.rooms.qr import MOST_LETTERS
from vae.web.your_loss.asked import LONGEST_LINK, Asked


def show_sharing(asked: Asked) -> None:
    """The link in a popover; where the code is too long for one, a sentence says so."""
    with st.popover("Share", icon=":material/share:", key="loss-share"):
        if not asked.fits_a_link:
            st.markdown(
                f"This code is too long for a link: packed it is more than {LONGEST_LINK:,} "
                "characters. Share its loss alone. This tab keeps it until it is closed."
            )
            return
        link, note = link_for_others(asked.to_query())
        st.markdown(
            "**This reading**: the code travels in the link and is kept nowhere."
            + (f"\n\n{note}" if note else "")
        )
        st.code(link, language=None, wrap_lines=True)
        if len(link) <= MOST_LETTERS:
            quiz.show_link("Copy link", link, key="share-reading")
