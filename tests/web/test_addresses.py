"""Any address opens: random query strings on every page, without an uncaught exception."""

import asyncio
import os
import random
import string
from dataclasses import fields
from pathlib import Path

import pytest
from appserver import Server, serve
from benchmarks.client import Session

from vae.config import TrainConfig

PAGES = ["", "derivation", "bias", "your_loss", "train", "teach"]
# The full ten thousand take minutes: the benchmark machine sets the number.
COUNT = int(os.environ.get("VAE_TEST_ADDRESSES", "200"))

NAMES = [
    *(spec.name for spec in fields(TrainConfig)),
    "room", "quiz", "notes", "figure", "built_page",
    "run", "lesson", "against", "hide", "present", "embed", "verdict", "thread", "line", "step",
    "loss", "question", "public", "wanted",
    "sigma", "x", "mu", "mean", "t", "p", "g", "h", "variance", "fit_mean", "fit_sigma", "noise",
]  # fmt: skip
VALUES = [
    "", "0", "1", "-1", "0.3", "1e308", "-1e-308", "1e999", "nan", "inf", "-inf", "NaN", "true",
    "None", "null", "[]", "{}", "0x10", "1,5", "1_0", "٣", "²", "digits", "mnist", "images",
    "bernoulli", "gaussian", "a" * 3000, "../../etc/passwd", "<script>alert(1)</script>",
    "%00", "%ff%fe", "\u202e", "💥", "'; DROP TABLE runs; --", "$x$", "**", "999999999999999999",
]  # fmt: skip


def draw_query(draw: random.Random) -> str:
    """Names that pages read, and others; values that they can take, and others."""
    pairs = []
    for _ in range(draw.randint(1, 5)):
        name = (
            draw.choice(NAMES)
            if draw.random() < 0.9
            else "".join(draw.choices(string.printable, k=draw.randint(1, 8)))
        )
        value = (
            draw.choice(VALUES)
            if draw.random() < 0.8
            else "".join(draw.choices(string.printable, k=draw.randint(0, 20)))
        )
        pairs.append(f"{name}={value}")
    return "&".join(pairs)


async def visit(url: str, page: str, queries: list[str]) -> list[str]:
    """What went wrong when one visitor opened ``page`` with each query, in new sessions."""
    wrong = []
    session = await Session(url, page).open()
    for number, query in enumerate(queries):
        if number % 10 == 0:
            await session.close()
            session = await Session(url, f"{page}?{query}").open()
        else:
            await session.go(page, query)
        wrong += [f"{page}?{query}: {text}" for text in session.counts.exceptions]
        session.counts.exceptions.clear()
    await session.close()
    return wrong


@pytest.mark.parametrize("page", PAGES)
def test_random_addresses_open_without_an_exception(app: Server, page: str):
    draw = random.Random(f"addresses of {page}")
    queries = [draw_query(draw) for _ in range(COUNT // len(PAGES))]
    assert asyncio.run(visit(app.url, page, queries)) == []


def test_an_exception_on_a_page_is_seen(tmp_path: Path):
    script = tmp_path / "broken.py"
    script.write_text("import streamlit as st\nst.write(1 / len(st.query_params.get('x', '')))")
    with serve(tmp_path, script=script) as server:
        wrong = asyncio.run(visit(server.url, "", ["x=1", "x=", "y=1"]))
    assert [text.split(":")[0] for text in wrong] == ["?x=", "?y=1"]
