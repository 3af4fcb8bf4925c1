"""Numbers on pages: one sigma for a pixel mean everywhere, and none as a computer writes it."""

import math
import re

import pytest
from page_runs import open_app, run_page
from shown_texts import specs_of, texts_of

from vae import ledger
from vae.config import TrainConfig, option
from vae.lessons.glossary import GLOSSARY
from vae.numerals import written
from vae.theory import implied
from vae.web.derivation.lines import SIZES
from vae.web.your_loss.asked import EXAMPLE, Asked

PIXELS = 784
SIGMA2 = implied.implied_variance(pixels=PIXELS, latents=20, pixel_reduction="pixel-mean")
# What a loss that reduces pixels in one of the ways that the pages name stands for.
REDUCTIONS = list(implied.preset_variances(PIXELS, 20, 128).values())
# Every page as it opens, and where the pixel mean is asked about.
VIEWS = {
    "overview": {},
    "derivation": {"code": "pixel mean + KL", "step": "all"},
    "bias": {},
    "your_loss": {},
    "train": {"run": "shown-pixel-mean", "quiz": "0"},
    "teach": {},
}
_NAMED = (
    r"(?:pixel[- ]mean|mean over (?:all |the |its |D )?(?:\d+ )?pixels|averages over \d* ?pixels)"
)
_NUMBER = r"(\d[\d,]*(?:\.\d+)?)"
# A number that is given to the pixel mean itself: "pixel mean: 19.8", "pixel mean + KL: 392".
_GIVEN = re.compile(rf"{_NAMED}(?: \+ KL)?: {_NUMBER}")
_SIGMAS = re.compile(rf"(?:σ|sigma)(²|\^2)? (?:=|of|is|at) {_NUMBER}")


def _number(text: str) -> float:
    return float(text.replace(",", "").rstrip("."))


def _is_rounded(told: str, value: float) -> bool:
    """Whether ``told`` is ``value`` to the digits that it has."""
    digits = len(told.partition(".")[2])
    return abs(_number(told) - value) <= 0.5 * 10.0**-digits + 1e-9


def disagreements(texts: list[str]) -> list[str]:
    """Texts that name a pixel mean of 784 pixels beside a sigma that no reduction has.

    What is given to the pixel mean itself must be its own sigma, or its square.
    """
    own = (math.sqrt(SIGMA2), SIGMA2)
    wrong = []
    # A paragraph each: of a page's rows, only those that name it.
    for text in (part for each in texts for part in re.split(r"\n\s*\n", each)):
        given = [found[1] for found in _GIVEN.finditer(text)]
        bad = [told for told in given if not any(_is_rounded(told, value) for value in own)]
        if re.search(_NAMED, text):
            for found in _SIGMAS.finditer(text):
                squared = bool(found[1])
                values = [each if squared else math.sqrt(each) for each in REDUCTIONS]
                if not any(_is_rounded(found[2], value) for value in values):
                    bad.append(found[0])
        # Half the squared error by mistake: the sigma of twice the variance.
        bad += re.findall(r"(?:σ|sigma)(?: =| is| of|:)? 28(?:\.0)?(?!\d|\.\d|×)", text)
        wrong += [f"{told}: {text!r}" for told in bad]
    return wrong


@pytest.fixture(scope="module")
def texts() -> dict[str, list[str]]:
    """The texts of each page, of the ledger and of the glossary."""
    found = {}
    for name, query in VIEWS.items():
        app = open_app(name, **query)
        alternatives = [chart.proto.alt for chart in app.get("vega_lite_chart")]
        found[name] = texts_of(app) + [text for text in alternatives if text]
    claims = ledger.rows()
    found["ledger"] = [f"{row.claim.statement} {row.evidence.figure}" for row in claims]
    found["glossary"] = [f"{entry.term}: {entry.meaning}" for entry in GLOSSARY]
    return found


def test_a_pixel_mean_is_one_sigma_on_every_page(texts: dict[str, list[str]]) -> None:
    assert {page: bad for page, all_ in texts.items() if (bad := disagreements(all_))} == {}


def test_the_pages_that_teach_it_say_its_number(texts: dict[str, list[str]]) -> None:
    told = re.compile(rf"19\.8|(?<![\d.]){round(SIGMA2)}(?![\d.])")
    for page in ("derivation", "your_loss", "train", "ledger", "overview"):
        assert any(told.search(text) for text in texts[page]), page


@pytest.mark.parametrize(
    "text",
    [
        "Here the pixel mean stands for σ = 28.",
        "pixel mean + KL: 784",
        "pixel mean: 28.0",
        "The mean over 784 pixels is a Gaussian of σ² = 196.",
        "It implies σ = 28.0.",
    ],
)
def test_another_number_is_seen(text: str) -> None:
    assert disagreements([text])


def test_the_right_number_is_let_pass() -> None:
    assert not disagreements(
        ["pixel mean: 19.8", "a pixel mean, σ² = 392", "28×28 pixels, σ = 19.8"]
    )


@pytest.mark.parametrize(("size", "pixels"), SIZES.items())
def test_other_sizes_have_their_own_sigma(size: str, pixels: int) -> None:
    app = run_page("derivation", code="pixel mean + KL", size=size)
    sigma = f"{math.sqrt(pixels / 2):.4g}"
    assert any(f"σ = {sigma}" in text for text in texts_of(app))


def test_a_pasted_pixel_mean_has_the_sigma_of_its_size() -> None:
    query = Asked(code=EXAMPLE, image="3x64x64").to_query()
    told = texts_of(run_page("your_loss", **query))
    assert any("σ = 78.4" in text for text in told)
    assert not any("19.8" in text for text in told)
    assert math.sqrt(12288 / 2) == pytest.approx(78.4, abs=0.05)


# A computer's minus and its powers of ten. Between letters, and in a range, a hyphen is a hyphen.
_TYPED = re.compile(r"(?<![\w.,/^)\]}’'\"=-])(?<!\w\[)-\d|(?<![\w.=])\d+(?:\.\d+)?e[+-]?\d")


def typed(texts: list[str]) -> list[str]:
    return [f"{found[0]}: {text!r}" for text in texts for found in _TYPED.finditer(text)]


EXTREME = {
    "derivation": [
        {"code": "your own", "size": "256x256x3", "weight": "1000000", "batch": "100000"},
        {"code": "your own", "weight": "0.000001", "error_by": "batch-sum"},
        {"weight": "0", "code": "your own", "q_mean": "-9", "sigma": "0"},
    ],
    "train": [
        dict.fromkeys(TrainConfig().to_dict(), "?"),
        {"run": "shown-race", "quiz": "0"},
        {"run": "shown-grey", "quiz": "0"},
        {"likelihood": "gaussian", "scale": "0.01", "beta": "0.00001", "reduction": "pixel-mean"},
    ],
    "your_loss": [
        Asked(code=EXAMPLE.replace("error + kl", f"{factor} * error + kl")).to_query()
        for factor in ("1e-9", "1e9", "-3")
    ],
}


def test_no_page_writes_a_number_as_a_computer_does(texts: dict[str, list[str]]) -> None:
    wrong = {page: bad for page, all_ in texts.items() if (bad := typed(all_))}
    for page, queries in EXTREME.items():
        for query in queries:
            app = run_page(page, **query)
            alternatives = [chart.proto.alt for chart in app.get("vega_lite_chart")]
            if bad := typed(texts_of(app) + alternatives):
                wrong[f"{page}?{query}"] = bad
            assert specs_of(app) is not None
    assert wrong == {}


def test_a_computers_numbers_are_seen_and_written_out() -> None:
    text = "It is 1.2e-07 at -3, and 2.14748e+09 of them."
    assert len(typed([text])) == 3
    assert written(text) == "It is 1.2\u00a0×\u00a010⁻⁷ at −3, and 2.14748\u00a0×\u00a010⁹ of them."
    assert written("1e-08 to 1e+06") == "10⁻⁸ to 10⁶"
    same = "beta-2, arXiv 1312.6114v1-2, x-3, 2013-12, a base-10 logarithm, sum(dim=-1), x[-1]"
    assert written(same) == same
    assert not typed([same])


def _bound(text: str) -> float:
    """A bound as a note writes it."""
    raised = re.fullmatch(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", text)
    if raised is None:
        return _number(text)
    return 10.0 ** int(raised[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))


def test_every_wrong_setting_names_the_range_of_its_control() -> None:
    """A note that allows what the control does not would send one in a circle."""
    wanted = dict.fromkeys(TrainConfig().to_dict(), "1e99")
    app = run_page("train", **wanted)
    notes = {note.value.split(" ")[0]: note.value for note in app.info}
    controls = {each.key: each for each in (*app.number_input, *app.slider)}
    seen = 0
    for name in TrainConfig().to_dict():
        control = controls.get(f"setting_{name}")
        if control is None or option(name).maximum is None:
            continue
        seen += 1
        low, high = (
            _bound(found)
            for found in re.search(r"number from (\S+) to (\S+) is needed", notes[name]).groups()
        )
        assert (low, high) == (control.min, control.max), notes[name]
    assert seen > 5
