"""The ledger on the Overview: filters that live in the address, and one row for each claim.

The rows are one element of our own words, escaped, rather than 200 elements of Streamlit's: the
page is drawn at once, and a check unfolds without a message to the server.
"""

from pathlib import Path

import streamlit as st

from vae import ledger
from vae.ledger import CLAIMS, THREADS, Verdict
from vae.web import quiz
from vae.web.kit import address, claims

_STYLE = (Path(__file__).parent / "assets" / "ledger.css").read_text(encoding="utf-8")


@st.fragment
def show_ledger(*, present: bool = False) -> None:
    """Filters by verdict and thread, then the claims that pass, with links that keep the mode."""
    address.note_unknown("verdict", [str(verdict) for verdict in Verdict])
    address.note_unknown("thread", list(THREADS))
    with st.container(horizontal=True):
        verdicts = st.pills(
            "Verdict",
            [str(verdict) for verdict in Verdict],
            selection_mode="multi",
            key="verdict",
            bind="query-params",
        )
        threads = st.pills(
            "Thread",
            list(THREADS),
            selection_mode="multi",
            key="thread",
            bind="query-params",
        )
    chosen = [
        row
        for row in ledger.rows()
        if (not verdicts or str(row.claim.verdict) in verdicts)
        and (not threads or row.claim.thread in threads)
    ]
    agreeing = sum(row.evidence.agrees for row in chosen)
    sources = sum(row.claim.by_source for row in chosen)
    quiz.ask_ledger()
    counted = (
        f"<p><b>{len(chosen)}</b> of {len(CLAIMS)} claims shown; the number computed now agrees "
        f"with the verdict in <b>{agreeing}</b>. In {sources} of them a source decides, and the "
        "number illustrates.</p>"
    )
    shown = claims.rows_html(tuple(row.claim.id for row in chosen), present)
    # One element with the rows: each is a message to every browser.
    st.html(f"<style>{_STYLE}</style>{counted}{shown}")
