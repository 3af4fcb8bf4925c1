"""What every section of a lesson ends with: what to keep and why, and what the threads say."""

import streamlit as st

from vae.ledger import CLAIMS
from vae.web import kept
from vae.web.kit import claims


def take_away(text: str, why: str) -> None:
    """What to keep of a section, and why it is so."""
    body = f"{text}\n\n*Why?* {why}"
    kept.show(("lesson", body), lambda: st.success(body, icon=":material/lightbulb:"))


def threads(page: str, anchor: str) -> None:
    """What the threads say that this section of ``page`` settles, folded."""
    claim_ids = [
        claim.id
        for claim in CLAIMS.values()
        if (claim.link.page, claim.link.anchor) == (page, anchor)
    ]
    claims.show_claims(*claim_ids, label=f"What the threads say of it ({', '.join(claim_ids)})")
