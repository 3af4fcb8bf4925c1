"""The pages' words: short sentences, and no number that nothing in code stands for."""

import math
import re

import pytest
from page_texts import ROOT, page_texts, sentences, told_texts, words

from vae.shipped import cards
from vae.theory import bernoulli, early_stopping, gaussian

TEXTS = [*page_texts(), *told_texts()]
MOST_WORDS = 30


def test_texts_are_found() -> None:
    places = {where.split(":")[0].split(" ")[0] for where, _ in TEXTS}
    assert {"pages/bias.py", "pages/derivation.py", "pages/overview.py"} <= places
    assert {"lesson", "step", "glossary", "claim"} <= places
    assert len(TEXTS) > 300


def test_no_sentence_is_longer_than_thirty_words() -> None:
    long = [
        f"{where}: {words(sentence)} words: {sentence!r}"
        for where, text in TEXTS
        for sentence in sentences(text)
        if words(sentence) > MOST_WORDS
    ]
    assert not long, "\n".join(long)


def test_sentences_are_cut_as_a_reader_cuts_them() -> None:
    text = "Drag **σ**. At 0.5 it is 2h², says Rybkin et al. 2021.\n\n| a | table | row |"
    assert [words(sentence) for sentence in sentences(text)] == [2, 10]
    assert words(" ".join(["word"] * 31)) > MOST_WORDS


# Numbers that are settings of the lessons: greys, gaps, sigmas and rates that a dial or an example
# stands at, and numbers of the threads' own words. They claim nothing.
SETTINGS = {
    "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.05", "1%", "10%",
}  # fmt: skip
# Numbers that are results, each beside the code that gives it.
RESULTS = {
    "0.707": lambda: early_stopping.CODE_SCALE,
    "1.44": lambda: 1 / math.log(2),
    "19.8": lambda: math.sqrt(784 / 2),
    "1.726": lambda: bernoulli.excess_ratio(0.8, 0.1),
    "1.304": lambda: bernoulli.excess_ratio(0.3, 0.1),
    "9.6": lambda: 100 * gaussian.mass_outside_unit(0.5, 0.3),
    "18.5": lambda: 100 * cards.data_summary("mnist").grey_share,
    "8.7": lambda: 100 * cards.data_summary("mnist").mid_grey_share,
    "45.5": lambda: cards.data_summary("mnist").bernoulli_floor,
    "2%": lambda: 100 * bernoulli.double_mse_error(0.1),
    "24%": lambda: 100 * bernoulli.double_mse_error(0.3),
}
_DECIMAL = re.compile(r"(?<![\w.])(?:\d+\.\d+(?![\w.]*\d)|\d+%)")


def _numbers(text: str) -> list[str]:
    # Places in sources are no numbers.
    plain = re.sub(r"(sections?|equations?|appendix|eq\.) [\d., and]+", " ", text)
    return _DECIMAL.findall(plain)


def test_every_number_in_a_text_has_its_source_in_code() -> None:
    loose = [
        f"{where}: {number} in {text[:70]!r}"
        for where, text in TEXTS
        for number in _numbers(text)
        if number not in SETTINGS and number not in RESULTS
    ]
    assert not loose, "\n".join(loose)


@pytest.mark.parametrize("number", sorted(RESULTS))
def test_a_number_in_a_text_is_what_the_code_gives(number: str) -> None:
    digits = len(number.rstrip("%").partition(".")[2])
    assert f"{float(RESULTS[number]()):.{digits}f}" == number.rstrip("%")


def test_no_source_is_kept_for_a_number_that_no_text_has() -> None:
    used = {number for _, text in TEXTS for number in _numbers(text)}
    assert set(RESULTS) <= used


def test_lambda_is_the_continuous_bernoullis_alone() -> None:
    """An eigenvalue is v with an index on every page and figure."""
    for path in (*(ROOT / "pages").glob("*.py"), *(ROOT / "vae").rglob("*.py")):
        assert "λⱼ" not in path.read_text(encoding="utf-8"), path


def test_a_number_without_a_source_is_found() -> None:
    assert _numbers("It costs 1.726 times; see section 3.2 and 4.1.") == ["1.726"]
    assert _numbers("σ = 0.123, p = \0") == ["0.123"]
