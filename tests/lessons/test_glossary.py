"""The glossary holds each term once, in one line, and the pages' symbols are all in it."""

import pytest

from vae.lessons.glossary import GLOSSARY, as_markdown, explain


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
    assert {
        "x",
        "t",
        "z",
        "p(x)",
        "μ",
        "p",
        "a",
        "λ",
        "σ",
        "h",
        "H(t)",
        "D",
        "d",
        "β",
        "vⱼ",
    } <= symbols
    assert {"NLL", "MSE", "BCE", "KL", "ELBO"} <= symbols


def test_markdown_has_a_line_for_each_entry() -> None:
    text = as_markdown()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "--" not in line]
    items = [line for line in text.splitlines() if line.startswith("- ")]
    # The table's empty head is one line more.
    assert len(rows) + len(items) == len(GLOSSARY) + 1


def test_terms_are_explained_by_word_or_by_symbol() -> None:
    assert explain("nat") == f"- **nat**: {next(e for e in GLOSSARY if e.term == 'nat').meaning}"
    assert explain("KL", "σ").count("\n") == 1
    with pytest.raises(KeyError):
        explain("entelechy")
