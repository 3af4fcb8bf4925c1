"""A new server draws every page once, so that its first visitor finds what it shows."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from appserver import Server, serve, wait_until_at_rest
from benchmarks.client import Session
from benchmarks.load import cpu_seconds
from page_runs import run_page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.testing.v1 import AppTest

from vae.runs.limits import LimitError, check_environment
from vae.theory import picture_fits
from vae.web import bias
from vae.web.first_visit import PAGES, open_every_page


class Visited:
    """An ASGI app that notes who comes, and answers as a page does; or breaks on ``bad``."""

    def __init__(self, bad: str | None = None) -> None:
        self.bad = bad
        self.paths: set[str] = set()
        self.opened: list[str] = []
        self.left = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.paths.add(scope["path"])
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        request = BackMsg.FromString((await receive())["bytes"])
        self.opened.append(request.rerun_script.page_name)
        if self.opened[-1] == self.bad:
            raise RuntimeError("no such page")
        for message in (ForwardMsg(delta={}), ForwardMsg(script_finished=0)):
            assert self.left < len(self.opened), "nobody leaves before the end"
            await send({"type": "websocket.send", "bytes": message.SerializeToString()})
        self.left += (await receive())["type"] == "websocket.disconnect"


def test_every_page_is_opened_and_left_again():
    app = Visited()
    asyncio.run(open_every_page(app, "/vae/"))
    assert app.opened == list(PAGES)
    assert app.left == len(PAGES)
    assert app.paths == {"/vae/_stcore/stream"}


def test_a_page_that_breaks_does_not_keep_the_others(caplog):
    app = Visited(bad="derivation")
    asyncio.run(open_every_page(app, ""))
    assert app.opened == list(PAGES)
    assert app.left == len(PAGES) - 1
    assert "/derivation beforehand failed: no such page" in caplog.text


@pytest.mark.parametrize("text", ["", "yes", "2"])
def test_the_switch_is_0_or_1(text):
    with pytest.raises(LimitError, match=r"VAE_DRAW_BEFOREHAND: .* given; allowed is 0 or 1"):
        check_environment({"VAE_DRAW_BEFOREHAND": text})


async def _openings(server: Server, page: str, count: int) -> list[float]:
    """The server's processor seconds of each."""
    found = []
    for _ in range(count):
        before = cpu_seconds(server.process)
        session = await Session(server.url, page).open()
        found.append(cpu_seconds(server.process) - before)
        await session.close()
    return found


@pytest.mark.slow
def test_the_first_visitor_of_a_new_server_pays_for_no_figure(tmp_path):
    started = serve(tmp_path, extra={"VAE_DRAW_BEFOREHAND": "1"})
    with started as server, ThreadPoolExecutor(1) as aside:
        wait_until_at_rest(server)
        # In a thread: the browser tests' driver has a running event loop in this one.
        first, *later = aside.submit(lambda: asyncio.run(_openings(server, "bias", 4))).result()
    # Where nothing was drawn beforehand the first opening takes twenty times as much.
    assert first < 6 * max(later)


def test_every_fit_that_can_be_chosen_is_made_beforehand(monkeypatch):
    asked = []

    def fit(images: np.ndarray, loss: str, noise_on: str, amount: float) -> picture_fits.Fit:
        asked.append((loss, noise_on, amount))
        return picture_fits.Fit(images / 255.0, 1.0, 0.0)

    monkeypatch.setattr(picture_fits, "fit", fit)
    monkeypatch.setattr(bias.time, "sleep", lambda _: None)
    bias.fitted.cache_clear()
    try:
        bias.fit_every_choice()
        made = len(asked)
        # No noise on the output is none on the logit.
        choices = sum(len(amounts) for amounts in bias.AMOUNTS.values()) - 1
        assert made == len(bias.GREYS) * choices * len(bias.FITTED)
        page = run_page("bias")
        for label, options in (("Targets", bias.GREYS), ("Noise on", bias.NOISE)):
            for option in options.values():
                choose(page, label, option)
        amounts = bias.AMOUNTS["logit"]
        for amount in amounts:
            choose(page, "How much (standard deviation)", amount)
    finally:
        # What was made here is no fit.
        bias.fitted.cache_clear()
    assert len(asked) == made


def choose(page: AppTest, label: str, option: str) -> None:
    """Set the page's control ``label`` and run it again."""
    controls = [*page.select_slider, *page.button_group]
    control = next(each for each in controls if each.label == label)
    control.set_value(option).run()
    assert not page.exception
