"""Where to start from what one sees: each symptom leads to a public question that had it."""

import html
from collections.abc import Mapping
from urllib.parse import urlencode

from vae.web.your_loss.asked import questions

_SAID_FIRST = "KL goes to 0"


def first_questions() -> dict[str, str]:
    """Each symptom, with the id of the first question that had it; a dead KL before the others."""
    found: dict[str, str] = {}
    for name, entry in questions().items():
        found.setdefault(entry.symptom, name)
    return {symptom: found[symptom] for symptom in sorted(found, key=lambda s: s != _SAID_FIRST)}


def links_to_symptoms(query: Mapping[str, str] | None = None) -> str:
    """A link for each symptom, in this tab, as HTML; ``query`` is kept in the address."""
    links = " · ".join(
        f'<a href="your_loss?{html.escape(urlencode({**(query or {}), "question": name}))}" '
        f'target="_self">{html.escape(symptom)}</a>'
        for symptom, name in first_questions().items()
    )
    return f"<p><strong>What do you see?</strong> {links}</p>"
