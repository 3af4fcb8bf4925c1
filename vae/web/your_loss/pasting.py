"""A browser's part: it keeps a loss that no link carries, and tells of a paste that is too long."""

from pathlib import Path

import streamlit as st

from vae.web.your_loss import state
from vae.web.your_loss.asked import LONGEST_FIELD, Asked, pack

_ASSETS = Path(__file__).parents[1] / "assets"
_component = st.components.v2.component(
    "vae.pasting",
    html='<div class="pasting" role="alert"></div>',
    css=(_ASSETS / "pasting.css").read_text(encoding="utf-8"),
    js=(_ASSETS / "pasting.js").read_text(encoding="utf-8"),
)


def watch_pasting(asked: Asked, *, opening: bool) -> None:
    """Nothing to see, but for a sentence under the field where a paste was too long for it.

    ``opening``: the session begins with the page's example, so that what this tab has kept of an
    earlier one may stand there instead.
    """
    data = {
        "kept": "" if asked.fits_a_link else pack(asked),
        "opening": opening,
        "longest": LONGEST_FIELD,
        "fields": "[class*=st-key-loss_code], [class*=st-key-loss_second]",
    }
    _component(key=state.PASTING, data=[data], on_restored_change=state.restore)
