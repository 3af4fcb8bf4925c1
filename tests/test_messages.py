"""How many messages a page's opening is: each costs the server's core, for every visitor."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from appserver import serve
from benchmarks.client import Session

# What the pages need today. A page that says more may need more; a column or a paragraph of its
# own where one element would do is one too many.
MOST = {"": 67, "derivation": 204, "bias": 179, "your_loss": 76, "train": 77, "teach": 50}


async def _opening(url: str, page: str) -> int:
    session = await Session(url, page).open()
    await session.close()
    return session.counts.messages


@pytest.mark.slow
def test_no_opening_is_more_messages_than_it_was(tmp_path) -> None:
    async def count(url: str) -> dict[str, int]:
        return {page: await _opening(url, page) for page in MOST}

    with serve(tmp_path) as server, ThreadPoolExecutor(1) as aside:
        # In a thread: the browser tests' driver has a running event loop in this one.
        counts = aside.submit(lambda: asyncio.run(count(server.url))).result()
    assert not {page: number for page, number in counts.items() if number > MOST[page]}, counts
    # A count that sees nothing would hold nothing.
    assert all(number > MOST[page] / 2 for page, number in counts.items()), counts
