"""What anybody who hosts the app relies on: any link works first, answers are quick and light."""

import asyncio
from pathlib import Path

import pytest
from appserver import Server, serve
from benchmarks.client import Session

from vae.images.sets import load_images

PAGES = ["", "derivation", "bias", "your_loss", "train", "teach"]


# The longest, and the one that looks for runs: the others come first in files of browser tests.
@pytest.mark.parametrize("path", ["bias", "train"])
def test_the_first_visitor_of_a_new_server_may_come_by_any_link(tmp_path, path):
    async def visit(url: str) -> tuple[str, list[str]]:
        session = await Session(url, path).open()
        await session.close()
        return session.texts(), list(session.pages)

    with serve(tmp_path) as server:
        first, pages = asyncio.run(visit(server.url))
        second, _ = asyncio.run(visit(server.url))
    # All of the navigation is there, and it is the page that was asked for.
    assert pages == PAGES
    assert first == second
    assert first


def test_the_server_maps_no_torch_and_stays_small(tmp_path):
    async def open_all(url: str) -> list[str]:
        session = await Session(url).open()
        for page in PAGES:
            await session.go(page)
        await session.close()
        return session.counts.exceptions

    # A server of its own: what other tests asked for is kept in memory for a class. The built-in
    # digits are drawn once for a machine, and are there.
    load_images("digits")
    with serve(tmp_path) as server:
        assert asyncio.run(open_all(server.url)) == []
        maps = Path(f"/proc/{server.pid}/maps")
        if maps.exists():
            assert "libtorch" not in maps.read_text(encoding="utf-8")
        held = server.process.memory_info().rss
    assert held < 250 * 2**20


def test_a_learners_own_run_is_laid_over_the_shipped_ones(app: Server):
    """Section 9 of Bias: the calibration of the run that this browser trained."""

    async def train_and_read() -> tuple[int, int]:
        session = await Session(app.url, "bias").open()
        before = mentions(session)
        await session.go("train", "epochs=1&hidden_dim=16&batch_size=1000")
        await session.press("Train")
        for _ in range(300):
            if "Finished: step" in session.texts():
                break
            await asyncio.sleep(0.1)
        await session.go("bias")
        after = mentions(session)
        await session.close()
        return before, after

    def mentions(session: Session) -> int:
        charts = [
            e.vega_lite_chart for e in session.shown.values() if e.HasField("vega_lite_chart")
        ]
        return sum("your latest run" in chart.spec for chart in charts)

    before, after = asyncio.run(train_and_read())
    assert (before, after) == (0, 2)
