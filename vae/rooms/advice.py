"""What to do after a vote, by the share that is right (Vickrey et al. 2015, figure 2).

Vickrey, Rosploch, Rahmanian, Pilarz & Stains (2015). Research-based implementation of peer
instruction: a literature review. CBE Life Sciences Education 14(1).
"""

from collections.abc import Sequence

EXPLAIN_BELOW = 0.35
GO_ON_ABOVE = 0.70


def advise(counts: Sequence[int], right: int) -> str:
    """One sentence for the teacher; empty before anybody has voted.

    ``counts`` are votes by choice, ``right`` the index of the right one (``IndexError`` for none).
    """
    votes = sum(counts)
    if not votes:
        return ""
    share = counts[right] / votes
    told = f"{share:.0%} are right."
    if share < EXPLAIN_BELOW:
        return f"{told} Explain first: too few are right to convince the others."
    if share <= GO_ON_ABOVE:
        return f"{told} Let them convince their neighbours, then vote again."
    return f"{told} Go on: a short explanation is enough."
