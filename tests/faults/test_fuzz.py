"""A short round of ``python -m tests.benchmarks.fuzz``: a stranger's files are taken or refused."""

from benchmarks import fuzz


def test_damaged_files_neither_crash_nor_hang_nor_fill_the_memory() -> None:
    tally = fuzz.run(240, seed=7)
    assert not tally.problems
    assert sum(tally.outcomes.values()) == 240
    # The round reaches what lies behind the checks as well.
    for kind in fuzz.KINDS:
        assert tally.outcomes[f"{kind} taken"] > 0, kind
        assert tally.outcomes[f"{kind} refused"] > 0, kind
