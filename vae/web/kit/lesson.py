"""What every section of a lesson ends with: the sentence to keep, and what the threads say."""

import streamlit as st

from vae.web.kit import claims


def take_away(text: str) -> None:
    """The one sentence of a section to keep."""
    st.success(text, icon=":material/lightbulb:")


def threads(*claim_ids: str) -> None:
    """What the threads say that this section settles, folded."""
    claims.show_claims(*claim_ids, label=f"What the threads say of it ({', '.join(claim_ids)})")
