"""How pages show claims: the verdict as word, icon and colour, and the number that decides."""

from vae import ledger
from vae.ledger import CLAIMS, THREADS, Claim, Evidence, Verdict
from vae.web.kit import disclosure

_BADGES = {
    Verdict.TRUE: ":green-badge[:material/check_circle: true]",
    Verdict.CONDITION: ":orange-badge[:material/rule: true with a condition]",
    Verdict.WRONG: ":red-badge[:material/cancel: wrong]",
}


def badge(verdict: Verdict) -> str:
    """The verdict in markdown: icon, word and colour, so that colour never speaks alone."""
    return _BADGES[verdict]


def show_claims(*claim_ids: str, label: str) -> None:
    """Compact cards for the claims a section settles, folded under ``label``.

    Raises ``KeyError`` on an unknown id.
    """
    texts = [card_text(CLAIMS[claim_id], ledger.evidence(claim_id)) for claim_id in claim_ids]
    disclosure.show_fold(label, disclosure.cards(texts), icon="fact_check")


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


def thread_title(thread: str) -> str:
    """The question a thread asks."""
    return f"{thread}: {THREADS[thread]}"
