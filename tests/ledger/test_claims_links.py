"""A claim's link opens its page with the dials and choices where it says.

How a dial's opening value moves it and its figures in the browser: tests/browser/test_dials.py
and test_links.py.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from page_runs import controls, open_app, sent_to
from streamlit.testing.v1 import AppTest

from vae.ledger import CLAIMS
from vae.ledger.types import Claim


def together() -> list[list[Claim]]:
    """The claims whose links name dials, in as few addresses as hold one value for each dial."""
    groups: list[list[Claim]] = []
    for claim in (claim for claim in CLAIMS.values() if claim.link.query):
        for group in groups:
            known = {name: text for other in group for name, text in other.link.query.items()}
            if group[0].link.page == claim.link.page and all(
                known.get(name, text) == text for name, text in claim.link.query.items()
            ):
                group.append(claim)
                break
        else:
            groups.append([claim])
    return groups


def dials(app: AppTest) -> Iterator[dict[str, Any]]:
    """What each row of dials is sent, dial by dial."""
    for row in sent_to(app, "vae.dials"):
        yield from row["dials"]


def choices(app: AppTest, name: str) -> int:
    """How many controls of this name there are, however often the page has set them."""
    kinds = (app.button_group, app.selectbox, app.select_slider, app.number_input, app.radio)
    return sum(len(controls(kind, name)) for kind in kinds)


@pytest.mark.parametrize("claims", together(), ids=lambda claims: "-".join(c.id for c in claims))
def test_claims_links_set_the_dials_that_they_name(claims: list[Claim]) -> None:
    query = {name: text for claim in claims for name, text in claim.link.query.items()}
    app = open_app(claims[0].link.page or "overview", **query)
    values: dict[str, set[float]] = {}
    for dial in dials(app):
        values.setdefault(dial["name"], set()).add(dial["value"])
    for name, text in query.items():
        if name in values:
            # In every row that has it.
            assert values[name] == {float(text)}, name
        else:
            # A choice: the page keeps in its address what it knows.
            assert app.query_params[name] in (text, [text]), name
            assert choices(app, name) == 1, f"no control {name}"
    notes = [each.value for kind in (app.info, app.warning, app.error) for each in kind]
    assert not [note for note in notes if "in the address" in note]
