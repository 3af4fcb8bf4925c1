"""How pages show a claim: as a card under a section, and as a row of the ledger.

A card is markdown, because it is folded among a lesson's words; a row is HTML, because two hundred
elements of Streamlit's would be slow. Both tell the verdict by word, sign and colour, the right
statement, the number that decides, and the sources.
"""

import html
from dataclasses import dataclass

from vae import ledger
from vae.ledger import CLAIMS, Claim, Evidence, Row, Verdict
from vae.memo import shared
from vae.web.kit import disclosure


@dataclass(frozen=True)
class _Look:
    """A verdict's colour and icon in markdown; its class and sign in the ledger."""

    colour: str
    icon: str
    style: str
    sign: str


_LOOKS = {
    Verdict.TRUE: _Look("green", "check_circle", "true", "✓"),
    Verdict.CONDITION: _Look("orange", "rule", "condition", "◐"),
    Verdict.WRONG: _Look("red", "cancel", "wrong", "✗"),
}


def badge(verdict: Verdict) -> str:
    """The verdict in markdown: icon, word and colour, so that colour never speaks alone."""
    look = _LOOKS[verdict]
    return f":{look.colour}-badge[:material/{look.icon}: {verdict}]"


def show_claims(*claim_ids: str, label: str) -> None:
    """Compact cards for the claims a section settles, folded under ``label``.

    Raises ``KeyError`` on an unknown id.
    """
    disclosure.show_fold(label, _cards(claim_ids), icon="fact_check")


@shared(maxsize=64)
def _cards(claim_ids: tuple[str, ...]) -> str:
    texts = [card_text(CLAIMS[claim_id], ledger.evidence(claim_id)) for claim_id in claim_ids]
    return disclosure.cards(texts)


def card_text(claim: Claim, evidence: Evidence) -> str:
    """Claim, verdict, right statement, figure and sources as markdown."""
    lines = [
        f"{badge(claim.verdict)} **{claim.id}** · thread {claim.thread}: *{claim.claim}*"
        + (" · decided by a source" if claim.by_source else ""),
        claim.statement,
        figure_text(evidence),
    ]
    if claim.citations:
        lines[1] += " (" + "; ".join(c.markdown for c in claim.citations) + ")"
    return "\n\n".join(lines)


def figure_text(evidence: Evidence) -> str:
    """The computed figure in markdown, with a warning where it disagrees."""
    source = f" ({evidence.source})" if evidence.source else ""
    if evidence.agrees:
        return f":material/calculate: Computed now: **{evidence.figure}**{source}"
    return f":material/warning: The check disagrees: **{evidence.figure}**{source}"


@shared(maxsize=64)
def rows_html(claim_ids: tuple[str, ...], present: bool = False) -> str:
    """The rows as HTML; every text is escaped."""
    rows = (Row(CLAIMS[claim_id], ledger.evidence(claim_id)) for claim_id in claim_ids)
    return f'<div class="ledger">{"".join(_row_html(row, present) for row in rows)}</div>'


def _row_html(row: Row, present: bool) -> str:
    claim, evidence, look = row.claim, row.evidence, _LOOKS[row.claim.verdict]
    state = "" if evidence.agrees else " The check disagrees with the verdict."
    source = f" From {html.escape(evidence.source)}." if evidence.source else ""
    cited = "; ".join(
        f'<a href="{html.escape(c.url)}" target="_blank" rel="noopener">{html.escape(c.text)}</a>'
        for c in claim.citations
    )
    keep = {"present": "1"} if present else None
    href = html.escape(claim.link.address_with(keep))
    beside = ""
    if claim.beside is not None:
        beside = (
            f'<p><a href="{html.escape(claim.beside.address_with(keep))}" target="_self" '
            f'aria-label="{claim.id} in code">see it in code</a></p>'
        )
    return (
        f'<article class="{look.style}" id="{claim.id}"><div><p class="verdict">'
        f'<span>{claim.id}</span><span class="badge"><span aria-hidden="true">{look.sign}</span> '
        f"{claim.verdict}</span></p>"
        f'<p class="source">thread {claim.thread}, decided by {claim.decided_by}</p>'
        f'<p><a href="{href}" target="_self" aria-label="See {claim.id} in the lesson">'
        f"see it in the lesson</a></p>{beside}</div>"
        f'<div class="body"><p class="said">“{html.escape(claim.claim)}”</p>'
        f"<p>{html.escape(claim.statement)}</p>"
        f'<p class="figure">{html.escape(evidence.figure)}{state}</p>'
        f'<p class="source">{cited}{"." if cited else ""}{source}</p>'
        f'<details><summary>How {claim.id} is checked</summary><pre tabindex="0">'
        f"{html.escape(ledger.source(claim.id))}</pre></details></div></article>"
    )
