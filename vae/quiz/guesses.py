"""Train's questions as predictions: what one says before a run, and how it is held against it.

Every choice stands for a number, and so do theory's answer and the run's: whichever choice is
nearest to a number is that number's. A question that the settings no longer ask has no guess.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vae.config import TrainConfig
from vae.lessons.verdicts import Outcome
from vae.theory.prediction import Prediction

# Squared errors nearer than this are called even: another seed would move them as far.
EVEN = 0.1
# What stands for a clear difference, so that the border to "alike" is EVEN on a scale of ratios.
_MORE, _LESS = (1 + EVEN) ** 2, (1 - EVEN) ** 2
Configs = Sequence[TrainConfig]


@dataclass(frozen=True)
class Option:
    """A choice: the number it stands for, and what it overlooks where it is wrong."""

    text: str
    at: float
    overlooks: str


@dataclass(frozen=True)
class Guess:
    """A question with two to four options; ``theory`` is the number foretold, in words too.

    ``theory`` is None where no closed form foretells it. ``log``: numbers compare by their ratios.
    """

    ask: str
    options: tuple[Option, ...]
    kept: str
    theory: float | None
    theory_text: str
    measure: Callable[[Sequence[Outcome]], float | None]
    words: Callable[[float], str]
    log: bool = False

    def nearest(self, value: float) -> int:
        """The index of the option that stands for ``value``."""
        scale = (lambda number: math.log(max(number, 1e-6))) if self.log else float
        return min(
            range(len(self.options)),
            key=lambda index: abs(scale(self.options[index].at) - scale(value)),
        )


@dataclass(frozen=True)
class Told:
    """What came out: in words, and the option that was right (None: it was not measured)."""

    text: str
    right: int | None


def guess_for(lesson: str, configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    """The prediction that the question ``lesson`` asks for, with the settings as they are.

    ``expected`` is theory's, a member each. None where these members cannot answer the question.
    """
    make = _MAKERS.get(lesson)
    return None if make is None else make(configs, expected)


def outcome(guess: Guess, outcomes: Sequence[Outcome]) -> Told:
    """What the run gave."""
    value = guess.measure(outcomes)
    if value is None:
        return Told("not measured", None)
    return Told(guess.words(value), guess.nearest(value))


def sentence(guess: Guess, chosen: int, told: Told | None = None) -> str:
    """Choice, theory and outcome side by side, as in "you said 20; theory 0; the run kept 0".

    Raises ``ValueError`` on a choice that is none.
    """
    if not 0 <= chosen < len(guess.options):
        raise ValueError(
            f"chosen: {chosen} given; allowed is 0 to {len(guess.options) - 1}, one of the options"
        )
    parts = [f"You said {guess.options[chosen].text}", f"theory {guess.theory_text}"]
    if told is not None:
        parts.append(f"{guess.kept} {told.text}")
    return "; ".join(parts) + "."


# --- the questions --------------------------------------------------------------------------


def _member(configs: Configs, test: Callable[[TrainConfig], bool]) -> int | None:
    """The one member of which ``test`` holds beside one of which it does not."""
    found = [index for index, config in enumerate(configs) if test(config)]
    return found[0] if len(configs) == 2 and len(found) == 1 else None


def _count(number: float) -> str:
    return f"{number:.0f}"


def _latents(
    ask: str, which: int, configs: Configs, expected: Sequence[Prediction | None]
) -> Guess:
    """How many of its latents the member ``which`` keeps."""
    size = configs[which].latent_dim
    prediction = expected[which]
    active = None if prediction is None else prediction.active
    levels = sorted({size, size // 2, 0}, reverse=True)
    overlooks = {
        size: "It overlooks that every latent has a price in nats, and goes where it saves less.",
        0: "It overlooks that the strong directions of the data save more than they cost.",
    }
    middle = "It overlooks how steeply the eigenvalues of the data fall."
    return Guess(
        ask,
        tuple(Option(str(n), float(n), overlooks.get(n, middle)) for n in levels),
        "the run kept",
        None if active is None else float(active),
        "has no closed form here" if active is None else str(active),
        lambda outcomes: float(outcomes[which].active),
        _count,
    )


def _free(configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    if len(configs) != 1 or not configs[0].sampling:
        return None
    size = configs[0].latent_dim
    return _latents(f"How many of its {size} latents will it use?", 0, configs, expected)


def _pixel_mean(configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    which = _member(configs, lambda config: config.reduction == "pixel-mean")
    if which is None or not configs[which].sampling:
        return None
    size = configs[which].latent_dim
    ask = f"How many of its {size} latents will the run with the pixel mean keep?"
    return _latents(ask, which, configs, expected)


def _sigma(configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    if len(configs) != 1 or configs[0].likelihood != "gaussian-learned":
        return None
    prediction = expected[0]
    scale = None if prediction is None else prediction.scale
    return Guess(
        "Where will the learned σ end?",
        (
            Option("at 1", 1.0, "It overlooks that doubt costs nats too: log σ falls."),
            Option("near 0.1", 0.1, "It overlooks how much of a picture z does not tell."),
            Option("near 0", 0.003, "It overlooks that a miss costs (x − μ)²/(2σ²)."),
        ),
        "the run found",
        scale,
        "has no closed form here" if scale is None else f"{scale:.2f}",
        lambda outcomes: outcomes[0].scale,
        lambda value: f"{value:.2f}",
        log=True,
    )


def _ratio(which: int, other: int) -> Callable[[Sequence[Outcome]], float]:
    """The squared error of ``other`` in units of that of ``which``."""
    return lambda outcomes: outcomes[other].mse / max(outcomes[which].mse, 1e-12)


def _sharper(first: str, second: str) -> Callable[[float], str]:
    """Words for a ratio of squared errors, above 1 where ``first`` has the smaller one."""

    def words(ratio: float) -> str:
        if abs(ratio - 1) <= EVEN:
            return "both alike"
        return first if ratio > 1 else second

    return words


def _binary(configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    del expected
    bce = _member(configs, lambda config: config.likelihood == "bernoulli")
    if bce is None:
        return None
    return Guess(
        "Black and white targets: which loss will have the smaller squared error?",
        (
            Option("BCE", _MORE, "It overlooks that squared error is the other one's own unit."),
            Option("both alike", 1.0, "It overlooks that the two weigh misses differently."),
            Option("squared error", _LESS, "It overlooks that here BCE is the likelihood."),
        ),
        "the run says",
        1.0,
        "both alike",
        _ratio(bce, 1 - bce),
        _sharper("BCE", "squared error"),
        log=True,
    )


def _sampling(configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    del expected
    plain = _member(configs, lambda config: not config.sampling)
    if plain is None:
        return None
    return Guess(
        "Which will rebuild the test images with less squared error?",
        (
            Option("the autoencoder", _MORE, "It overlooks that noise may steady a short run."),
            Option("both alike", 1.0, "It overlooks that the VAE pays for every nat in z."),
            Option("the VAE", _LESS, "It overlooks that the VAE's z is noisy, and has a price."),
        ),
        "the run says",
        _MORE,
        "the autoencoder",
        _ratio(plain, 1 - plain),
        _sharper("the autoencoder", "the VAE"),
        log=True,
    )


def _grey(configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    del expected
    bce = _member(configs, lambda config: config.likelihood == "bernoulli")
    if bce is None:
        return None

    def measure(outcomes: Sequence[Outcome]) -> float | None:
        if any(len(each.response) < 2 for each in outcomes):
            return None
        return outcomes[bce].lean - outcomes[1 - bce].lean

    return Guess(
        "By how much will BCE's mean outputs lean more to the middle than the other loss's?",
        (
            Option("by 0.1 and more", 0.1, "It overlooks that a leaning bowl keeps its minimum."),
            Option("hardly at all", 0.0, "It overlooks that the two hold different nats in z."),
            Option("less than the other's", -0.1, "It overlooks that both minima are the mean."),
        ),
        "the run says",
        0.0,
        "hardly at all",
        measure,
        lambda value: f"{value:+.3f}",
    )


def _race(configs: Configs, expected: Sequence[Prediction | None]) -> Guess | None:
    del expected
    wanted = ("bernoulli", "gaussian", "gaussian-learned", "continuous-bernoulli")
    names = [config.likelihood for config in configs]
    if sorted(names) != sorted(wanted):
        return None
    told = {
        "bernoulli": ("BCE", "It overlooks that BCE's weight of a miss is fixed, near σ = ½."),
        "gaussian": ("MSE at σ 1", "It overlooks that σ 1 buys hardly any nat of detail."),
        "gaussian-learned": ("MSE, σ learned", "It overlooks that this time another won."),
        "continuous-bernoulli": (
            "the continuous Bernoulli",
            "It overlooks that this one spends its nats on telling black from nearly black.",
        ),
    }

    def measure(outcomes: Sequence[Outcome]) -> float:
        best = min(outcomes, key=lambda each: each.mse)
        return float(wanted.index(best.config.likelihood))

    return Guess(
        "Which of the four will have the smallest squared error?",
        tuple(Option(told[name][0], float(i), told[name][1]) for i, name in enumerate(wanted)),
        "the run says",
        2.0,
        told["gaussian-learned"][0],
        measure,
        lambda value: told[wanted[round(value)]][0],
    )


_MAKERS: Mapping[str, Callable[[Configs, Sequence[Prediction | None]], Guess | None]] = {
    "free": _free,
    "race": _race,
    "pixel-mean": _pixel_mean,
    "grey": _grey,
    "sigma": _sigma,
    "sampling": _sampling,
    "binary": _binary,
}
