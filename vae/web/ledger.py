"""The ledger on the Overview: filters that live in the address, and one row for each claim.

The rows are one element of our own words, escaped, rather than 200 elements of Streamlit's: the
page is drawn at once, and a check unfolds without a message to the server.
"""

import html
from pathlib import Path

import streamlit as st

from vae import ledger
from vae.ledger import CLAIMS, THREADS, Row, Verdict
from vae.memo import shared
from vae.web.kit import address

_STYLE = (Path(__file__).parent / "assets" / "ledger.css").read_text(encoding="utf-8")
_MARKS = {
    Verdict.TRUE: ("true", "✓"),
    Verdict.CONDITION: ("condition", "◐"),
    Verdict.WRONG: ("wrong", "✗"),
}


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
    st.markdown(
        f"**{len(chosen)}** of {len(CLAIMS)} claims shown; the number computed now agrees with "
        f"the verdict in **{agreeing}**. In {sources} of them a source decides, and the number "
        "illustrates."
    )
    st.html(f"<style>{_STYLE}</style>{rows_html(tuple(row.claim.id for row in chosen), present)}")


@shared(maxsize=64)
def rows_html(claim_ids: tuple[str, ...], present: bool = False) -> str:
    """The rows as HTML; every text is escaped."""
    rows = (Row(CLAIMS[claim_id], ledger.evidence(claim_id)) for claim_id in claim_ids)
    return f'<div class="ledger">{"".join(_row_html(row, present) for row in rows)}</div>'


def _row_html(row: Row, present: bool) -> str:
    claim, evidence = row.claim, row.evidence
    style, mark = _MARKS[claim.verdict]
    state = "" if evidence.agrees else " The check disagrees with the verdict."
    source = f" From {html.escape(evidence.source)}." if evidence.source else ""
    cited = "; ".join(
        f'<a href="{html.escape(c.url)}" target="_blank" rel="noopener">{html.escape(c.text)}</a>'
        for c in claim.citations
    )
    href = html.escape(claim.link.address_with({"present": "1"} if present else None))
    return (
        f'<article class="{style}" id="{claim.id}"><div><p class="verdict">'
        f'<span>{claim.id}</span><span class="badge"><span aria-hidden="true">{mark}</span> '
        f"{claim.verdict}</span></p>"
        f'<p class="source">thread {claim.thread}, decided by {claim.decided_by}</p>'
        f'<p><a href="{href}" target="_self" aria-label="See {claim.id} in the lesson">'
        f"see it in the lesson</a></p></div>"
        f'<div class="body"><p class="said">“{html.escape(claim.claim)}”</p>'
        f"<p>{html.escape(claim.statement)}</p>"
        f'<p class="figure">{html.escape(evidence.figure)}{state}</p>'
        f'<p class="source">{cited}{"." if cited else ""}{source}</p>'
        f'<details><summary>How {claim.id} is checked</summary><pre tabindex="0">'
        f"{html.escape(ledger.source(claim.id))}</pre></details></div></article>"
    )
