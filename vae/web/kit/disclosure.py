"""Text behind a label that unfolds it: one element, where an expander is two and more.

The fold is the browser's own, so that keys, screen readers and a search in the page open it; the
style sheet (assets/folds.css) gives it the look of Streamlit's expander.
"""

import streamlit as st

from vae.web import kept


def show_fold(label: str, text: str, *, icon: str = "", kind: str = "") -> None:
    """Markdown ``text`` behind ``label``. Both are the app's own words: HTML in them is drawn.

    ``kind`` is a class by which the browser's modules find the fold.
    """
    mark = f'<span class="icon" aria-hidden="true" translate="no">{icon}</span>' if icon else ""
    classes = f"fold {kind}".strip()
    body = (
        f'<details class="{classes}"><summary>{mark}<span>{label}</span></summary>\n\n'
        f"{text}\n\n</details>"
    )
    kept.show(("fold", body), lambda: st.markdown(body, unsafe_allow_html=True))


def cards(texts: list[str]) -> str:
    """Markdown texts as framed cards, one under another."""
    return "\n\n".join(f'<div class="card">\n\n{text}\n\n</div>' for text in texts)
