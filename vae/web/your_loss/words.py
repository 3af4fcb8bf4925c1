"""The reader's plain sentences as the pages write them: Greek letters, powers, a real times."""

import re

from vae import numerals
from vae.web.kit import address

_GREEK = {"sigma": "σ", "mu": "μ"}
_POWER = re.compile(r"\b(sigma|mu)\^2(?!\w)")
_SIGMA = re.compile(r"\bsigma(?= |\b[^_.(\w])")
_BETA = re.compile(r"(?<![\w.])beta(?![\w.(-]|\.\w)|(?<![\w.])beta(?=\.(?:\s|$))")
_PI = re.compile(r"\b2 pi\b")
_TIMES = re.compile(r"(?<=[\w)]) x (?=\d)|(?<=\d) x (?=\w)")


def written(text: str) -> str:
    """``text`` with the signs of the pages, no markdown yet."""
    return _BETA.sub("β", _SIGMA.sub("σ", _powers(text)))


def words(text: str) -> str:
    """``text`` as markdown in which nothing of a stranger's is markdown."""
    return address.plain(written(text))


def refusal(text: str) -> str:
    """The same for a sentence that names names of the code: they stay as they are."""
    return address.plain(_powers(text))


def _powers(text: str) -> str:
    text = numerals.written(_POWER.sub(lambda found: f"{_GREEK[found[1]]}²", text))
    return _TIMES.sub("\u00a0×\u00a0", _PI.sub("2π", text))
