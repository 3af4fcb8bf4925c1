"""A small class votes at once: every vote is counted and nobody is refused."""

import asyncio

from appserver import Server
from benchmarks.voting import vote


def test_thirty_browsers_vote_within_two_seconds_and_all_are_counted(app: Server):
    votes, polls, wrong, counted = asyncio.run(vote(app.url, 30, 2.0, pages=False))
    assert wrong == []
    assert counted
    assert len(votes) == 30
    assert polls
