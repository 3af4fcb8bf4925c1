"""Text of a stranger for tests: what a markdown reader would make a link, a picture or a tag of."""

import functools
from collections.abc import Iterator, Mapping

import pytest
import streamlit as st
from page_runs import open_app

HOST = "evil.example"
TEXTS = {
    "picture": f"![x](//{HOST}/a)",
    "link": f"[sign in](https://{HOST})",
    "bare address": f"https://{HOST}/login www.{HOST} me@{HOST}",
    "html": f"<img src=//{HOST}/b><a href='https://{HOST}'>{HOST}</a>",
    "out of code": f"`[a](//{HOST})`` [b](//{HOST}) ``` [c](//{HOST})",
    "new block": f"\n\n# {HOST}\n\n![x](//{HOST}/c)\n\n    <img src=//{HOST}/d>",
    "directives": f":red[{HOST}] :material/link_off: $\\href{{//{HOST}}}{{x}}$",
    "long": f"{HOST} " * 800,
    "digits": "1" * 5000,
}


# What opens the controls that a page does not show at first.
SHOWS_MORE = {"derivation": {"code": "your own"}}


class _Listener(Mapping[str, str]):
    """The page's query, which remembers the names that it was asked for."""

    def __init__(self, real: Mapping[str, str], asked: set[str]) -> None:
        self._real, self._asked = real, asked

    def __getitem__(self, name: str) -> str:
        self._asked.add(name)
        return self._real[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def __len__(self) -> int:
        return len(self._real)

    def get_all(self, name: str) -> list[str]:
        self._asked.add(name)
        return self._real.get_all(name)  # type: ignore[attr-defined]

    def to_dict(self) -> "_Listener":
        return self

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


@functools.cache
def parameters(page: str) -> frozenset[str]:
    """Every name that ``pages/PAGE.py`` looks for in its address."""
    asked: set[str] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "query_params", _Listener(st.query_params, asked))
        open_app(page, **SHOWS_MORE.get(page, {}))
    assert asked, f"{page}: it read nothing of its address, so nothing of it would be tried"
    return frozenset(asked)
