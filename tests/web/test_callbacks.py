"""Callbacks read what is there when they run: nothing is bound to a button as it is drawn."""

import ast
from pathlib import Path

import pytest
from appserver import ROOT

FILES = sorted([*(ROOT / "vae" / "web").rglob("*.py"), *(ROOT / "pages").glob("*.py")])
CALLBACKS = {"on_click", "on_change"}


def bound(source: str) -> list[str]:
    """The callbacks of ``source`` that carry values: by args, by a lambda, by a call."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        given = {word.arg: word.value for word in node.keywords}
        for name in CALLBACKS & set(given):
            # A word ("rerun", "ignore") is no callback; a name is a function without arguments.
            plain = isinstance(given[name], ast.Name | ast.Attribute | ast.Constant)
            if not plain or {"args", "kwargs"} & set(given):
                found.append(f"line {node.lineno}: {name}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_callback_carries_what_was_there_when_it_was_drawn(path: Path):
    """A field that is left by the press would count as it was before: old settings are started."""
    assert bound(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "st.button('Train', on_click=submit, args=(configs,))",
        "st.button('Train', on_click=lambda: submit(configs))",
        "st.button('Train', on_click=partial(submit, configs))",
    ],
)
def test_a_bound_callback_is_found(source):
    assert bound(source)
