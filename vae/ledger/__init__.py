"""The ledger: what the threads say, what is true of it, and the number that decides, computed.

``python -m vae claims`` prints it and fails when a check disagrees with its verdict. Nothing here
imports torch: the checks are numpy, or read the cards of the shipped checkpoints and say so.
"""

import inspect
import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from vae.ledger.checks.evidence import Evidence
from vae.ledger.entries import bias, derivation
from vae.ledger.types import THREADS, Claim, Verdict
from vae.memo import shared
from vae.numerals import written

__all__ = ["CLAIMS", "THREADS", "Claim", "Evidence", "Row", "Verdict", "evidence", "source"]

CLAIMS: Mapping[str, Claim] = {claim.id: claim for claim in (*derivation.ENTRIES, *bias.ENTRIES)}


@dataclass(frozen=True)
class Row:
    """One claim beside its evidence."""

    claim: Claim
    evidence: Evidence


@shared(maxsize=256)
def evidence(claim_id: str) -> Evidence:
    """The claim's evidence, computed once in a process. Raises ``KeyError`` on an unknown id."""
    return examine(CLAIMS[claim_id])


def examine(claim: Claim) -> Evidence:
    """Run the claim's check anew; a check that fails to compute disagrees, with its reason.

    Its figure has the minus sign and the powers of a text, not those that Python formats with.
    """
    try:
        found = claim.check()
        return replace(found, figure=written(found.figure))
    except Exception as error:
        return Evidence(f"not computed: {type(error).__name__}: {error}", agrees=False)


def rows() -> tuple[Row, ...]:
    """All claims with their evidence, in the order of the ledger."""
    return tuple(Row(claim, evidence(claim.id)) for claim in CLAIMS.values())


@shared(maxsize=256)
def source(claim_id: str) -> str:
    """The lines of code of the claim's check."""
    return textwrap.dedent(inspect.getsource(CLAIMS[claim_id].check))


def main(*, as_json: bool = False, write: Callable[[str], object] = print) -> int:
    """Print the ledger; 0 when every check agrees with its verdict, else 1."""
    table = rows()
    write(_as_json(table) if as_json else _as_text(table))
    return 0 if all(row.evidence.agrees for row in table) else 1


def _as_json(table: tuple[Row, ...]) -> str:
    return json.dumps(
        [
            {
                "id": row.claim.id,
                "thread": row.claim.thread,
                "claim": row.claim.claim,
                "verdict": str(row.claim.verdict),
                "decided_by": row.claim.decided_by,
                "figure": row.evidence.figure,
                "agrees": row.evidence.agrees,
            }
            for row in table
        ],
        ensure_ascii=False,
        indent=1,
    )


def _as_text(table: tuple[Row, ...]) -> str:
    lines = []
    for row in table:
        mark = "agrees" if row.evidence.agrees else "DISAGREES"
        lines.append(
            f"{row.claim.id:<4}{row.claim.thread:<3}{row.claim.verdict:<23}{mark:<11}"
            f"{row.evidence.figure}"
        )
        by_source = " (decided by a source)" if row.claim.by_source else ""
        lines.append(f"{'':7}{row.claim.claim}{by_source}")
    agreeing = sum(row.evidence.agrees for row in table)
    lines.append(f"{agreeing} of {len(table)} checks agree with their verdicts.")
    return "\n".join(lines)
