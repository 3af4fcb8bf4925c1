"""The pages' words: short sentences, and no number that nothing in code stands for."""

import functools
import importlib
import math
import pkgutil
import re
from collections.abc import Callable

import numpy as np
import pytest
from page_texts import ROOT, is_prose, page_texts, sentences, words

import vae.charts
from vae import config
from vae.beliefs import BELIEFS
from vae.charts.bias import expected, opposite
from vae.charts.derivation import parts, spectrum
from vae.charts.kit.dials import Dial
from vae.engine import evaluation, importance
from vae.images import digits
from vae.ledger import CLAIMS, THREADS
from vae.lessons.glossary import GLOSSARY
from vae.lessons.questions import LESSONS, VARIANTS
from vae.shipped import cards
from vae.theory import bernoulli, early_stopping, gaussian, grey_masses
from vae.theory.costs import COSTS
from vae.web import bias
from vae.your_loss import text

MOST_WORDS = 30
E = np.float64(math.e)


@functools.cache
def texts() -> list[tuple[str, str]]:
    """What pages say; found when it is asked for, and not by each process that collects tests."""
    return list(page_texts())


def test_texts_are_found() -> None:
    places = {where.partition(":")[0] for where, _ in texts()}
    assert {
        f"pages/{page}.py" for page in ("bias", "derivation", "overview", "your_loss")
    } <= places
    assert {"vae/lessons/glossary.py", "vae/ledger/entries/bias.py"} <= places
    assert {"vae/charts/overview.py", "vae/web/beliefs.py", "vae/your_loss/verdict.py"} <= places
    assert len(texts()) > 900


def test_words_are_told_from_code_and_formulas() -> None:
    assert is_prose("the loss of a pixel, `log(p)`, in nats")
    assert not is_prose("def nll(mean, x):\n    return (x - mean) ** 2  # a line of the code\n")
    assert not is_prose(r"\log p(x|z) = \text{the sum of the pixels}")
    assert not is_prose("datum.row == 0 ? 'away from the target' : 'toward it'")


def test_no_sentence_is_longer_than_thirty_words() -> None:
    """Figures' text alternatives are read aloud, so they count."""
    long = [
        f"{where}: {words(sentence)} words: {sentence!r}"
        for where, text in texts()
        for sentence in sentences(text)
        if words(sentence) > MOST_WORDS
    ]
    assert not long, "\n".join(long)


def test_sentences_are_cut_as_a_reader_cuts_them() -> None:
    text = "Drag **σ**. At 0.5 it is 2h², says Rybkin et al. 2021.\n\n| a | table | row |"
    assert [words(sentence) for sentence in sentences(text)] == [2, 10]
    assert words(" ".join(["word"] * 31)) > MOST_WORDS


# What states nothing: greys, gaps, sigmas and rates at which a dial or an example stands, and
# numbers of the threads' own words. 0 and 1 are the ends of the range of greys and probabilities.
SETTINGS = {
    "0", "1", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.05", "1%", "10%",
}  # fmt: skip
# What is stated, each number beside all the code that gives it.
RESULTS: dict[str, tuple[Callable[[], float], ...]] = {
    "0.0585": (lambda: gaussian.ZERO_NLL_MSE,),
    "0.184": (lambda: 1 / (2 * math.e),),
    "0.399": (lambda: 1 / math.sqrt(2 * math.pi),),
    "0.707": (lambda: early_stopping.CODE_SCALE,),
    "1.304": (lambda: bernoulli.excess_ratio(0.3, 0.1),),
    "1.44": (lambda: 1 / math.log(2),),
    "1.726": (lambda: bernoulli.excess_ratio(0.8, 0.1),),
    # "2 MSE", the case K = 2 of a multinoulli, 2 sigma squared.
    "2": (lambda: 2 * bernoulli.squared_error(1, 0),),
    "2%": (lambda: 100 * bernoulli.double_mse_error(0.1),),
    # The wait of squared error grows as exp(-a), by e for each unit of the logit.
    "2.7": (lambda: early_stopping.mse_escape_time(-9, 0) / early_stopping.mse_escape_time(-8, 0),),
    # How far the decoder is shown; a Student's t, whose cost grows far off as (nu + 1) log |u|.
    "3": (
        lambda: evaluation.GRID_REACH,
        lambda: COSTS["student-t"](E**9, 0.0, 1.0) - COSTS["student-t"](E**8, 0.0, 1.0) - 1,
    ),
    "5": (lambda: bias.WRONG_LOGIT,),
    # Bits of a grey level; and a limit in MB.
    "8": (lambda: math.log2(grey_masses.LEVELS), lambda: text.MAX_NOTEBOOK / 1e6),
    "8.7%": (lambda: 100 * cards.data_summary("mnist").mid_grey_share,),
    "9.6%": (lambda: 100 * gaussian.mass_outside_unit(0.5, 0.3),),
    "18.5%": (lambda: 100 * cards.data_summary("mnist").grey_share,),
    "19.8": (lambda: math.sqrt(parts.PIXELS / 2),),
    "20": (lambda: spectrum.LATENTS, lambda: config.default("latent_dim")),
    "21": (lambda: opposite.EDGE_PIXELS,),
    "24%": (lambda: 100 * bernoulli.double_mse_error(0.3),),
    "28": (lambda: digits.SIDE,),
    "45.5": (lambda: cards.data_summary("mnist").bernoulli_floor,),
    "200": (lambda: expected.COUNT,),
    "255": (lambda: grey_masses.LEVELS - 1,),
    "256": (lambda: grey_masses.LEVELS,),
    "392": (lambda: parts.PIXELS / 2,),
    "784": (lambda: parts.PIXELS,),
    "1,000": (lambda: importance.DRAWS[-1],),
}
# Places in sources and on pages; years; numbers of things rather than amounts.
_PLACE = re.compile(
    r"\b(?:[Ss]ections?|[Ee]quations?|theorems?|appendix|appendices|Bias|arXiv|Systems) "
    r"[A-Z]?\.?[\d.]+(?:(?:,| and| to) [\d.]+)*|^\d+ · |\b(?:19|20)\d\d\b"
)
_NUMBER = re.compile(r"(?<![\w.,⁻^])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\w.]*\d)%?")
# A number that stands between signs is a part of a formula.
_BEFORE = re.compile(r"[(\[/√^×·*+−-]\s?$")
_AFTER = re.compile(r"^(?:[(\[/√^×²³⁴⁻*½]|[a-zA-Z]|\s?[−+·×/]|\s?\|)")


def _numbers(text: str) -> list[str]:
    """The numbers that ``text`` states: no places, no years, no parts of formulas or of code."""
    plain = _PLACE.sub(" ", re.sub(r"`[^`]*`|\$[^$]*\$|<[^>]*>", " ", text))
    return [
        found[0]
        for found in _NUMBER.finditer(plain)
        if not _BEFORE.search(plain[: found.start()]) and not _AFTER.search(plain[found.end() :])
    ]


def test_every_number_in_a_text_has_its_source_in_code() -> None:
    loose = [
        f"{where}: {number} in {text!r}"
        for where, text in texts()
        for number in _numbers(text)
        if number not in SETTINGS and number not in RESULTS
    ]
    assert not loose, "\n".join(loose)


@pytest.mark.parametrize("number", RESULTS)
def test_a_number_in_a_text_is_what_the_code_gives(number: str) -> None:
    told = number.rstrip("%").replace(",", "")
    digits = len(told.partition(".")[2])
    assert [f"{float(source()):.{digits}f}" for source in RESULTS[number]] == [told] * len(
        RESULTS[number]
    )


def test_no_source_is_kept_for_a_number_that_no_text_has() -> None:
    used = {number for _, text in texts() for number in _numbers(text)}
    assert set(RESULTS) <= used


def test_no_index_is_written_as_it_is_typed() -> None:
    """An underscore is seen as one outside formulas and code."""
    typed = re.compile(r"(?<![\w`$.])[A-Za-z]_[A-Za-z](?![\w(`.])")
    assert typed.search("from E_q[log p] to L_g(t)")
    assert [f"{where}: {text}" for where, text in texts() if typed.search(text)] == []


def test_lambda_is_the_continuous_bernoullis_alone() -> None:
    """An eigenvalue is v with an index on every page and figure."""
    for path in (*(ROOT / "pages").glob("*.py"), *(ROOT / "vae").rglob("*.py")):
        assert "λⱼ" not in path.read_text(encoding="utf-8"), path


# Read aloud; turned into the pages' signs where it is shown (``vae.web.your_loss.words``); code.
_IN_WORDS = ("vae/charts/", "vae/your_loss/", "vae/web/your_loss/", "vae/beliefs/")
_IN_WORDS += ("vae/ledger/types.py",)  # Titles of papers.


def test_sigma_has_one_spelling_on_pages() -> None:
    labels = [
        *(f"{b.label} {b.short} {b.short_fixed} {b.style.label}" for b in BELIEFS.values()),
        *(lesson.name for lesson in LESSONS.values()),
        *(variant.label for variant in VARIANTS.values()),
        *(card.title for card in cards.load_cards().values()),
        *(text for where, text in texts() if not where.startswith(_IN_WORDS)),
    ]
    assert not [text for text in labels if re.search(r"(?<![\w\\`])[Ss]igma\b", text)]
    assert sum("σ" in text for text in labels) > 100


# Squared error as an amount that is measured, which depends on no sigma.
_AN_AMOUNT = re.compile(
    r"squared error (?:a|per) pixel|MSE(?:, \0 of \0| per pixel| \0)|the unit that favours MSE|"
    r"(?:smaller|smallest|less|halve their|as much|leaves a) squared error|more squared error|"
    r"the squared error (?:fell|that it leaves)|"
    r"(?:squared error|Squared error) and (?:KL|nats)|between squared error and nats|"
    r"own unit, squared error|squared error is the other one's own unit|"
    r"which squared error (?:hardly counts|does not measure)|[Cc]ompare squared error"
)
# What names the loss and claims nothing of it, each with why no sigma stands beside it.
_NAMED_ALONE = {
    "From log likelihood to MSE": "a title; its first sentence names sigma",
    "10 · So why MSE for one and BCE for the other?": "a title: the thread's question",
    "steepest for squared error": "a button: the place is the same at any sigma",
    "whether the loss is MSE or BCE": "without a KL, where the scale is free",
    "its code says *mean squared error*": "what code says, which names no sigma",
    "At 1: code that says MSE assumes it": "an answer to which sigma is best: 1",
    "From log p(x) to MSE, and what": "a lesson plan's name",
    "MSE or BCE": "the name of a question, whose runs say their sigma",
    "BCE or MSE on grey targets": "the name of a question, whose runs say their sigma",
    "0 as squared error": "a lean, which is the same at any sigma",
    "sum of squared errors": "the sum, without a factor",
    "Squared error is the L2 loss": "what the word means",
}
# Words of the threads, as quoted, in their own places and in the ledger's first lines.
_QUOTED = re.compile(r"“[^”]*”")
_THEIRS = {claim.claim for claim in CLAIMS.values()} | set(THREADS.values())
_SQUARED = re.compile(r"\bMSE\b|[Ss]quared error")
# How fast or how far: that depends on the optimiser.
_PACE = re.compile(
    r"\b(?:wait|slow|fast|fades?\b|units of time|steps|early stop|held|converge|in time)"
)
_OPTIMISER = re.compile(r"descent|Adam|SGD|[Oo]ptimiser|gradient|decay|epoch")


def _without_sigma(text: str) -> bool:
    """Whether ``text`` speaks of squared error as a loss and names no sigma."""
    plain = _AN_AMOUNT.sub(" ", _QUOTED.sub(" ", text))
    named = any(name in text for name in _NAMED_ALONE)
    return bool(_SQUARED.search(plain) and not named and not re.search(r"σ|[Ss]igma|\\sigma", text))


def _on_pages() -> list[tuple[str, str]]:
    """Figures are held by their own test; Your loss says the sigma that it computes."""
    elsewhere = ("vae/charts/", "vae/your_loss/", "vae/config.py")
    return [
        (where, text)
        for where, text in texts()
        if not where.startswith(elsewhere) and text not in _THEIRS
    ]


def test_who_says_squared_error_says_at_which_sigma() -> None:
    bare = [f"{where}: {text!r}" for where, text in _on_pages() if _without_sigma(text)]
    assert not bare, "\n".join(bare)


def test_who_says_how_fast_squared_error_is_says_under_which_optimiser() -> None:
    told = [
        f"{where}: {text!r}"
        for where, text in _on_pages()
        if _SQUARED.search(text) and _PACE.search(text) and not _OPTIMISER.search(text)
    ]
    assert not told, "\n".join(told)
    assert sum(bool(_SQUARED.search(text) and _PACE.search(text)) for _, text in _on_pages()) > 8


def test_no_exception_is_kept_for_a_name_that_no_text_has() -> None:
    texts = [text for _, text in _on_pages()]
    assert not [name for name in _NAMED_ALONE if not any(name in text for text in texts)]


def test_a_squared_error_without_its_sigma_is_found() -> None:
    assert _without_sigma("Squared error is slow.")
    assert _without_sigma("Both minimise the squared error plus KL.")
    assert not _without_sigma("Squared error is slow at σ = 1.")
    assert not _without_sigma("The thread says “MSE is a law”.")
    assert not _without_sigma("Which has the smaller squared error?")


# Letters that stand for nothing of the lessons', each with where it is from.
_LETTERS = {
    "A": "the article",
    "I": "the unit matrix, in N(0, I)",
    "P": "a probability, in P(white)",
    "S": "a shape",
    "e": "Euler's number",
    "j": "the index of a latent, as in vⱼ",
    "k": "a byte, named where it stands",
    "u": "noise or what is integrated over, named where it stands",
    "K": "draws of z, named where it stands",
    "f": "the threads' letter for the decoder",
    "ε": "Adam's, with its value beside it",
    "B": "a part of a journal's name",
    "F": "a module's name in code",
}
_LETTER = re.compile(r"(?<![\w’'\\.{^-])([A-Za-zα-ωΑ-Ω])(?![\w’'-])")


def _letters(text: str) -> set[str]:
    """The symbols of one letter in ``text``."""
    return set(_LETTER.findall(re.sub(r"`[^`]*`|<[^>]*>|\$[^$]*\$", " ", text)))


def test_every_letter_on_a_page_is_in_the_table_of_symbols() -> None:
    """So that each has one meaning: the table has each once."""
    known = {s for entry in GLOSSARY for s in re.findall(r"[A-Za-zα-ωΑ-Ω]+", entry.symbol)}
    elsewhere = ("vae/your_loss", "vae/web/your_loss", "vae/config.py", "vae/web/rooms")
    strange = {
        (letter, where)
        for where, text in texts()
        if not where.startswith(elsewhere)
        for letter in _letters(text) - known - set(_LETTERS)
    }
    assert not strange, sorted(strange)


def test_a_dials_letter_is_in_the_table_of_symbols() -> None:
    known = {s for entry in GLOSSARY for s in re.findall(r"[A-Za-zα-ωΑ-Ω]+", entry.symbol)}
    signs = {dial.label.split(",")[0].split(" ")[0].rstrip("²") for dial in _dials()}
    letters = {sign for sign in signs if len(sign) == 1}
    assert {"t", "p", "σ", "s", "τ", "g", "h"} <= letters
    assert letters <= known


def _dials() -> set[Dial]:
    found = set()
    for info in pkgutil.walk_packages(vae.charts.__path__, "vae.charts."):
        parts = vars(importlib.import_module(info.name)).values()
        found |= {part for part in parts if isinstance(part, Dial)}
    return found


def test_a_number_without_a_source_is_found() -> None:
    assert _numbers("It costs 1.726 times; see section 3.2 and 4.1.") == ["1.726"]
    assert _numbers("σ = 0.123, p = \0") == ["0.123"]
    assert _numbers("See 200 targets, 10% of 1,000, in 2016.") == ["200", "10%", "1,000"]
    assert _numbers("It is 2h² + 4h⁴ and (8/3)(2t − 1)h³, as equations 11 and 12 say.") == []
