"""How many messages a page's opening is: each costs the server's core, for every visitor."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from appserver import Server, serve
from benchmarks.client import Session

# What the pages need today. A page that says more may need more; a column or a paragraph of its
# own where one element would do is one too many.
MOST = {"": 67, "derivation": 204, "bias": 179, "your_loss": 76, "train": 77, "teach": 50}


# A choice that changes a part of the page sends that part: a quarter of the page at most.
CHOICES = {
    "": ("Verdict", ["wrong"]),
    "derivation": ("Digit", "3"),
    "bias": ("Optimiser", ["Adam"]),
}


async def _choosing(url: str, page: str) -> int:
    session = await Session(url, page).open()
    opening = session.counts.messages
    await session.set(*CHOICES[page])
    await session.close()
    return session.counts.messages - opening


async def _weight(url: str, page: str) -> tuple[int, int]:
    """Bytes of a page's messages, and of what came over the wire to a browser."""
    session = await Session(url, page, compressed=True).open()
    await session.close()
    return session.counts.bytes, session.counts.wire_bytes


async def _opening(url: str, page: str) -> int:
    session = await Session(url, page).open()
    await session.close()
    return session.counts.messages


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("messages")) as started:
        yield started


@pytest.mark.slow
def test_no_opening_is_more_messages_than_it_was_and_a_choice_is_few(server) -> None:
    async def count(url: str) -> tuple[dict[str, int], dict[str, int]]:
        return (
            {page: await _opening(url, page) for page in MOST},
            {page: await _choosing(url, page) for page in CHOICES},
        )

    with ThreadPoolExecutor(1) as aside:
        # In a thread: the browser tests' driver has a running event loop in this one.
        counts, choices = aside.submit(lambda: asyncio.run(count(server.url))).result()
    assert not {page: number for page, number in counts.items() if number > MOST[page]}, counts
    # A count that sees nothing would hold nothing.
    assert all(number > MOST[page] / 2 for page, number in counts.items()), counts
    assert all(4 < choices[page] < MOST[page] / 4 for page in choices), choices


@pytest.mark.slow
def test_a_page_comes_compressed_over_the_wire(server) -> None:
    with ThreadPoolExecutor(1) as aside:
        opening = _weight(server.url, "bias")
        told, sent = aside.submit(lambda: asyncio.run(opening)).result()
    assert told > 400_000
    assert sent < told / 3
