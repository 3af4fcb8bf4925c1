"""Controls that a teacher's link hides: ``?hide=sigma,presets`` on any page."""

import streamlit as st


def hidden() -> frozenset[str]:
    """The names in the address's ``hide``: dials and choices by their query parameters, and
    ``presets`` for the buttons. A hidden control keeps the address's value, or its default.
    """
    return frozenset(name for name in st.query_params.get("hide", "").split(",") if name)
