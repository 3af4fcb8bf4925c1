"""What stands side by side where there is room, and below one another on a phone.

A row is one container whose places the style sheet knows by the row's key (assets/rows.css).
Streamlit's own columns would be one container more for each column, and every container is a
message to every browser.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from vae.web.kit import address

Layout = Literal["figures", "threes", "halves", "thirds", "wide", "pictures", "members"]


@dataclass(frozen=True, slots=True)
class Strip:
    """A picture, its name, what was measured on it, and its text alternative."""

    name: str
    url: str
    alt: str
    measured: str = ""


def show_lines(code: str) -> None:
    """Lines of code to be read. Streamlit's own element brings 1.6 MB of script to colour them."""
    st.html(f'<pre class="lines"><code>{html.escape(code)}</code></pre>')


def row(name: str, layout: Layout = "figures") -> st.delta_generator.DeltaGenerator:
    """A container for a row; its elements take their places in the order in which they come.

    ``figures``: two columns, of a caption and its figure in turn. ``threes``: three, of which the
    last is narrower. ``halves`` and ``thirds``: an element a column. ``wide``: the first column is
    the wider one, the second a single element. ``pictures``: small figures with their captions, as
    many side by side as fit. ``members``: a container each for the runs of a comparison, side by
    side, two on a phone.
    """
    return st.container(key=f"{layout}-{name}")


def cards(name: str) -> st.delta_generator.DeltaGenerator:
    """A container for framed cards, three side by side and one below them; each is two elements."""
    return st.container(key=f"cards-{name}")


def steered(name: str) -> st.delta_generator.DeltaGenerator:
    """A container for figures and, last, the dials that move them.

    The dials stay at the foot of the window as long as a part of the container is above it.
    """
    return st.container(key=f"steered-{name}")


def more(label: str, *names: str) -> st.delta_generator.DeltaGenerator:
    """A fold for what a section's first figure does not need; a link to a dial in it opens it.

    ``names``: the query parameters of what is in it.
    """
    return st.expander(label, icon=":material/add:", expanded=bool(address.own(names)))


def show_strips(strips: Sequence[Strip], *, across: int = 1) -> None:
    """Pictures with captions, ``across`` of them side by side, crisp at any width."""
    figures = "".join(map(_strip_html, strips))
    st.html(f'<div class="strips" style="--across: {across}">{figures}</div>')


def _strip_html(strip: Strip) -> str:
    measured = f" · {html.escape(strip.measured)}" if strip.measured else ""
    return (
        f"<figure><figcaption><strong>{html.escape(strip.name)}</strong>{measured}</figcaption>"
        f'<img src="{html.escape(strip.url)}" alt="{html.escape(strip.alt)}"></figure>'
    )
