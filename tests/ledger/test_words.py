"""The words of the ledger are a text's, not a program's."""

import re
from dataclasses import fields

import pytest

from vae import ledger
from vae.config import TrainConfig, option
from vae.ledger import CLAIMS


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_no_row_shows_a_back_tick_or_a_hyphen_for_a_minus(claim_id: str) -> None:
    claim, found = CLAIMS[claim_id], ledger.evidence(claim_id)
    for text in (claim.claim, claim.statement, found.figure):
        assert "`" not in text
        assert not re.search(r"(?<![\w.])-(?=[\d.])| - ", text), text


def test_a_range_is_written_without_powers_of_ten() -> None:
    options = [option(field.name) for field in fields(TrainConfig)]
    ranges = [each.allowed for each in options if each.minimum is not None]
    assert ranges
    assert not [text for text in ranges if "e+" in text]
