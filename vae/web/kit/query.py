"""How lists stand in an address: plain text, without Streamlit."""


def names_in(text: str) -> frozenset[str]:
    """The names in a list with commas, each once."""
    return frozenset(name for name in text.split(",") if name)
