"""The glossary holds each term once, in one line, and the pages' symbols are all in it."""

import pytest

from vae.lessons.glossary import GLOSSARY, as_markdown


def test_each_term_and_symbol_is_explained_once() -> None:
    terms = [entry.term for entry in GLOSSARY]
    assert len(terms) == len(set(terms))
    symbols = [part for entry in GLOSSARY for part in entry.symbol.split(", ") if part]
    assert len(symbols) == len(set(symbols))


@pytest.mark.parametrize("entry", GLOSSARY, ids=lambda entry: entry.term)
def test_an_entry_is_one_plain_line(entry) -> None:
    assert entry.meaning
    assert not entry.meaning.endswith(".")
    assert "\n" not in entry.symbol + entry.term + entry.meaning


def test_the_notation_of_the_lessons_is_there() -> None:
    symbols = {part for entry in GLOSSARY for part in entry.symbol.split(", ")}
    assert {"x", "t", "z", "μ", "p", "a", "λ", "σ", "h", "H(t)", "D", "d", "β"} <= symbols
    assert {"NLL", "MSE", "BCE", "KL", "ELBO"} <= symbols


def test_markdown_has_a_line_for_each_entry() -> None:
    assert len(as_markdown().splitlines()) == len(GLOSSARY)
