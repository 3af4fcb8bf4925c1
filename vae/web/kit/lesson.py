"""What every section of a lesson ends with: the sentence to keep, and what the threads say."""

import streamlit as st

from vae.ledger import CLAIMS
from vae.web.kit import claims


def take_away(text: str) -> None:
    """The one sentence of a section to keep."""
    st.success(text, icon=":material/lightbulb:")


def threads(page: str, anchor: str) -> None:
    """What the threads say that this section of ``page`` settles, folded."""
    claim_ids = [
        claim.id
        for claim in CLAIMS.values()
        if (claim.link.page, claim.link.anchor) == (page, anchor)
    ]
    claims.show_claims(*claim_ids, label=f"What the threads say of it ({', '.join(claim_ids)})")
