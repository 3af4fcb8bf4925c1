"""Sets of losses written before the reader had seen them, in the forms of public code.

A set is a file of blocks, each a line of JSON and a loss; none of it is public code. The values
were worked out by hand. The rule is that of the page: of ten losses nine are read, and none is
read wrongly: what is not understood says so.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vae import your_loss
from vae.memo import shared

SETS = sorted((Path(__file__).parent / "held_out").glob("*.txt"))
NUMBERS = ("sigma2", "beta", "laplace_scale")


def blocks(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    for block in path.read_text(encoding="utf-8").split("#: ")[1:]:
        head, _, code = block.partition("\n")
        yield json.loads(head), code


CASES = [(head, code) for path in SETS for head, code in blocks(path)]


@shared(maxsize=len(CASES))
def reading_of(case: str) -> your_loss.Reading:
    """Of the case of this name: each is read once, for both tests."""
    head, code = next((head, code) for head, code in CASES if head["id"] == case)
    return your_loss.read(code, **head["settings"])


def is_right(found: your_loss.Reading, expect: dict[str, Any]) -> bool:
    if not expect.get("read", True):
        return not found.read
    numbers = {name: expect[name] for name in NUMBERS if name in expect}
    return (
        found.family == expect["family"]
        and all(
            getattr(found, name) == (None if wanted is None else pytest.approx(wanted, rel=1e-6))
            for name, wanted in numbers.items()
        )
        and set(expect.get("faults", ())) <= {fault.kind for fault in found.faults}
    )


@pytest.mark.parametrize("head", [head for head, _ in CASES], ids=lambda head: head["id"])
def test_no_loss_is_read_wrongly(head: dict[str, Any]) -> None:
    found = reading_of(head["id"])
    if found.read:
        assert is_right(found, head["expect"]), found.verdict
    else:
        assert found.message.endswith(".")
        assert found.sigma2 is found.beta is found.laplace_scale is None


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_nine_of_ten_are_read_rightly(path: Path) -> None:
    rows = [is_right(reading_of(head["id"]), head["expect"]) for head, _ in blocks(path)]
    assert len(rows) >= 30
    assert sum(rows) >= 0.9 * len(rows)
