"""What surrounds every page: style, glossary, references, and a mode for the projector."""

from pathlib import Path
from typing import Literal

import streamlit as st

from vae import __version__
from vae.ledger.types import REFERENCES
from vae.lessons import glossary
from vae.web import contents, hands, moved, quiz
from vae.web.kit import address
from vae.web.kit.links import host_for_others
from vae.web.rooms import panel

_KEY = "presenter"
_PARAMETER = "present"
_ASSETS = Path(__file__).parent / "assets"
_EMBEDDED_STYLE = (_ASSETS / "embedded.css").read_text(encoding="utf-8")
# A presenter's page prints as any other.
_PRESENTER_STYLE = f"@media screen {{{(_ASSETS / 'presenter.css').read_text(encoding='utf-8')}}}"


def presenting() -> bool:
    """Whether the toggle, or at first the address (``?present=1``), asks for it."""
    asked = address.own({_PARAMETER}).get(_PARAMETER) in {"1", "true"}
    return bool(st.session_state.setdefault(_KEY, asked))


def navigation_position() -> Literal["top", "sidebar"]:
    """Where the pages are listed: a presenter has no sidebar."""
    return "top" if presenting() else "sidebar"


def use_style() -> None:
    """The style of the modes that are on, beside that of all pages (``vae.web.style``)."""
    modes = (_PRESENTER_STYLE, presenting()), (_EMBEDDED_STYLE, bool(st.context.is_embedded))
    extra = "".join(style for style, wanted in modes if wanted)
    # From here on a page that opened in a mode is laid out as it stays.
    st.html(f"<style>.with-faces #root {{ opacity: 1 !important; }}{extra}</style>")


def show_frame() -> None:
    """Style, presenter's toggle, glossary and references; called once a run, before the page."""
    use_style()
    hands.show_skips()
    if presenting():
        with st.container(horizontal=True, horizontal_alignment="right", key="presenter-bar"):
            panel.show_offer()
            _toggle()
            quiz.show_toggle()
            with st.popover("Glossary", icon=":material/menu_book:"):
                st.markdown(glossary.as_markdown())
        quiz.show_part("present", {"host": host_for_others()}, key="present-steps")
        panel.show(offer=True)
        moved.show_note()
        return
    with st.sidebar:
        _toggle()
        quiz.show_toggle()
        with st.expander("Glossary", icon=":material/menu_book:"):
            st.markdown(glossary.as_markdown())
        with st.expander("References", icon=":material/library_books:"):
            st.markdown(references_markdown())
        contents.show()
    panel.show()
    moved.show_note()


def show_foot() -> None:
    """The version that made the page, below everything else of it."""
    if not st.context.is_embedded:
        st.markdown(f":small[What is a VAE's loss? Version {__version__}]")
        quiz.show_handout()


def _toggle() -> None:
    # At every run: a browser that first draws it from a later one would find no value there, and
    # would send a blank one as if somebody had switched it off.
    st.session_state[_KEY] = presenting()
    st.toggle(
        "Presenter mode", key=_KEY, help="Larger type and no sidebar, for a projector: ?present=1."
    )
    # Not a bound widget, whose address would read present=true alone, and would lose it between
    # pages.
    address.put({_PARAMETER: "1"} if st.session_state[_KEY] else {}, {_PARAMETER})


def references_markdown() -> str:
    """The list of sources, each with its address."""
    return "\n".join(
        f"- {source.short}. [{source.title}]({source.url}). *{source.place}*."
        for source in REFERENCES.values()
    )
