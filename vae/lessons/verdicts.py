"""Who was right: what a run ended with, held against what was foretold.

Nothing is written before the run. A verdict says what was predicted, what came out on the test
set, by how much and at which KL; where the two disagree it says so, and why that can be.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vae.config import TrainConfig
from vae.lessons.questions import LESSONS
from vae.numerals import written
from vae.theory.prediction import Prediction

# Of squared errors and nats: two runs nearer than this differ by their seeds.
TIE = 0.01
_NEAR_KL = 0.05
# A mean output that leans by this much more is seen in the figure.
_LEAN = 0.01
_SIGMA = 0.05
# Codes of a VAE spread as the prior does, by 1; these lie elsewhere.
_SPREAD = 1.5


@dataclass(frozen=True)
class Outcome:
    """What one run ended with on the test set: nats an image, squared error a pixel.

    ``response``: (target, mean output) of the greys, in [0, 1]. ``spread``: the codes' standard
    deviation in the two most informative latents. ``expected`` is what theory foretold.
    """

    label: str
    config: TrainConfig
    mse: float
    kl: float
    loss: float
    active: int
    scale: float | None = None
    response: tuple[tuple[float, float], ...] = ()
    spread: float | None = None
    expected: Prediction | None = None

    @property
    def lean(self) -> float:
        """How far mean outputs lie toward the middle at targets of 0.2 and 0.8, mean of both."""
        targets, outputs = zip(*sorted(self.response), strict=True)
        low, high = np.interp([0.2, 0.8], targets, outputs)
        return float((low - 0.2 + 0.8 - high) / 2)


@dataclass(frozen=True)
class Verdict:
    """What was foretold, what came out, whether they agree (None: nothing was foretold), and why.

    ``why`` is what to keep where they agree, and how it can be where they do not. Markdown of the
    app's own words.
    """

    predicted: str
    got: str
    agrees: bool | None
    why: str


def judge(
    lesson: str, outcomes: Sequence[Outcome], *, changed_rate_at: Sequence[int] = ()
) -> Verdict:
    """The verdict on a run of one or several members under the question ``lesson``.

    A lesson whose settings were changed until its question cannot be told from the members is
    judged as any other comparison. ``changed_rate_at``: the steps at which the learning rate was
    changed by hand. Raises ``ValueError`` on no outcome.
    """
    if not outcomes:
        raise ValueError("outcomes: none given; allowed is one or more")
    rule = _RULES.get(lesson)
    verdict = rule(outcomes) if rule is not None else None
    if verdict is not None and verdict.agrees:
        verdict = replace(verdict, why=LESSONS[lesson].takeaway)
    if verdict is None:
        verdict = _single(outcomes[0]) if len(outcomes) == 1 else _compare(outcomes)
    verdict = replace(verdict, predicted=written(verdict.predicted), got=written(verdict.got))
    if not changed_rate_at:
        return verdict
    steps = " and ".join(f"{step:,}" for step in changed_rate_at)
    return replace(
        verdict,
        why=f"{verdict.why} The learning rate was changed by hand at step {steps}: another run "
        "needs the same to be compared.",
    )


def _nats(value: float) -> str:
    return f"{value:.1f} nats"


def _less(small: float, large: float) -> str:
    """By how much ``small`` is below ``large``."""
    return f"{(large - small) / large:.0%} less"


def _paid(outcome: Outcome) -> str:
    return f"**{outcome.label}** MSE {outcome.mse:.4f} at KL {_nats(outcome.kl)}"


def _is_tie(first: float, second: float) -> bool:
    return abs(first - second) <= TIE * max(first, second)


# --- one run ------------------------------------------------------------------------------------


def _single(one: Outcome) -> Verdict:
    expected = one.expected
    if expected is not None and expected.active is not None and expected.kl is not None:
        return _latents(one, expected.active, expected.kl)
    if expected is not None and expected.floor is not None:
        return Verdict(
            f"whatever the outputs, the loss stays above its floor of {_nats(expected.floor)}.",
            f"a loss of {_nats(one.loss)}, {_nats(one.loss - expected.floor)} above it: KL "
            f"{_nats(one.kl)}, the rest is what the outputs miss. MSE {one.mse:.4f}, "
            f"{one.active} of {one.config.latent_dim} latents in use.",
            one.loss >= expected.floor,
            "The floor is the entropy of greys read as probabilities: it says nothing about how "
            "sharp a picture is.",
        )
    return Verdict(
        "no closed form foretells this likelihood.",
        f"MSE {one.mse:.4f} at KL {_nats(one.kl)}, {one.active} of {one.config.latent_dim} "
        "latents in use.",
        None,
        "Train another likelihood beside it, and compare at a like KL.",
    )


def _latents(one: Outcome, active: int, kl: float) -> Verdict:
    agrees = abs(one.active - active) <= max(2, 0.2 * active)
    fewer = "fewer" if one.active < active else "more"
    return Verdict(
        f"{active} of {one.config.latent_dim} latents, with KL about {_nats(kl)}, if linear.",
        f"{one.active} latents, KL {_nats(one.kl)}, MSE {one.mse:.4f}.",
        agrees,
        "The mean keeps what pictures share and blurs what differs."
        if agrees
        else f"That is {fewer} than the linear theory counts. It can be: a network bends one "
        "latent where a linear VAE needs several, and after a few epochs it is still on its way.",
    )


def _sigma(outcomes: Sequence[Outcome]) -> Verdict | None:
    one = outcomes[0]
    if len(outcomes) != 1 or one.scale is None or one.config.likelihood != "gaussian-learned":
        return None
    rmse = one.mse**0.5
    off = abs(one.scale - rmse) / rmse
    linear = one.expected.scale if one.expected is not None else None
    return Verdict(
        "σ settles on the RMSE"
        + (f"; a linear VAE's would be {linear:.3f}." if linear is not None else "."),
        f"σ {one.scale:.3f} beside an RMSE of {rmse:.3f}, {off:.1%} apart, at KL {_nats(one.kl)}.",
        off <= _SIGMA,
        "The σ is still on its way: it has a learning rate of its own, and a few epochs may "
        "be too few for it. Train on, and look at the two curves.",
    )


# --- comparisons --------------------------------------------------------------------------------


def _compare(outcomes: Sequence[Outcome]) -> Verdict:
    """Any comparison in the units that all share: squared error and nats."""
    ranked = sorted(outcomes, key=lambda each: each.mse)
    best, rest = ranked[0], ranked[1:]
    others = "; ".join(
        f"{_paid(each)} (the first has {_less(best.mse, each.mse)})" for each in rest
    )
    odd = _cheaper_and_better(ranked)
    predicted = "whoever keeps more nats in z has the smaller squared error."
    got = f"the smallest error has {_paid(best)}. Then {others}."
    if _is_tie(best.mse, rest[0].mse):
        got += f" The first two are a tie: less than {TIE:.0%} apart."
    if odd is None:
        return Verdict(
            predicted,
            got,
            True,
            "Each loss is a rate of exchange between squared error and nats. Before one is called "
            "sharper, compare at equal KL.",
        )
    cheap, dear = odd
    return Verdict(
        predicted,
        got,
        False,
        f"**{cheap.label}** has the smaller error *and* spends fewer nats than **{dear.label}**. "
        "That can be: after a few epochs neither is at its optimum. BCE and the continuous "
        "Bernoulli spend nats on greys near 0 and 1, which squared error hardly counts. Another "
        "seed, or a longer run, tells whether it stays.",
    )


def _cheaper_and_better(ranked: Sequence[Outcome]) -> tuple[Outcome, Outcome] | None:
    """Two runs of which the one with clearly less error also spends clearly fewer nats."""
    for at, better in enumerate(ranked):
        for worse in ranked[at + 1 :]:
            cheaper = better.kl < (1 - _NEAR_KL) * worse.kl
            if cheaper and not _is_tie(better.mse, worse.mse):
                return better, worse
    return None


def _pair(
    outcomes: Sequence[Outcome], first: Callable[[TrainConfig], bool]
) -> tuple[Outcome, Outcome] | None:
    """The member of which ``first`` holds and the other; None where there are no such two."""
    held = [each for each in outcomes if first(each.config)]
    others = [each for each in outcomes if not first(each.config)]
    return (held[0], others[0]) if len(held) == len(others) == 1 else None


def _pixel_mean(outcomes: Sequence[Outcome]) -> Verdict | None:
    pair = _pair(outcomes, lambda config: config.reduction == "pixel-mean")
    if pair is None or any(each.expected is None or each.expected.active is None for each in pair):
        return None
    mean, total = pair
    foretold = [each.expected.active for each in (total, mean) if each.expected is not None]
    collapses, collapsed = foretold[1] == 0, mean.active == 0
    return Verdict(
        f"the sum keeps {foretold[0]} latents, the mean over pixels {foretold[1]}.",
        f"the sum keeps {total.active} of {total.config.latent_dim} (KL {_nats(total.kl)}, MSE "
        f"{total.mse:.4f}), the mean {mean.active} (KL {mean.kl:.2f} nats, MSE {mean.mse:.4f}).",
        collapses == collapsed,
        "The count is another than the eigenvalues say. That can be: latents die slowly, "
        "and a short run still carries what it began with. Look whether the KL still falls.",
    )


def _grey(outcomes: Sequence[Outcome]) -> Verdict | None:
    pair = _pair(outcomes, lambda config: config.likelihood == "bernoulli")
    if pair is None or any(len(each.response) < 2 for each in pair):
        return None
    bce, other = pair
    agrees = bce.lean <= other.lean + _LEAN
    if bce.kl < (1 - _NEAR_KL) * other.kl:
        why = (
            f"BCE leans more, but its z also holds fewer nats ({bce.kl:.1f} of {other.kl:.1f}): "
            "more is averaged, which leans any loss. Compare at equal KL before you blame it."
        )
    else:
        why = (
            "BCE leans more at as many nats: in this run that part is its own. Another seed tells "
            "whether it stays."
        )
    return Verdict(
        f"BCE leans no more to the middle than {other.label}.",
        f"mean outputs at targets of 0.2 and 0.8 lie {bce.lean:+.3f} toward the middle under "
        f"**BCE** (KL {_nats(bce.kl)}), {other.lean:+.3f} under **{other.label}** (KL "
        f"{_nats(other.kl)}).",
        agrees,
        why,
    )


def _binary(outcomes: Sequence[Outcome]) -> Verdict | None:
    pair = _pair(outcomes, lambda config: config.likelihood == "bernoulli")
    if pair is None:
        return None
    bce, other = pair
    got = f"{_paid(bce)}; {_paid(other)}."
    predicted = f"{other.label} comes close in its own unit, squared error, and does not win."
    if other.mse >= bce.mse or _is_tie(bce.mse, other.mse):
        by = "a tie" if _is_tie(bce.mse, other.mse) else f"BCE has {_less(bce.mse, other.mse)}"
        return Verdict(
            predicted,
            f"{got} That is {by}.",
            True,
            "",
        )
    dearer = other.kl > (1 + _NEAR_KL) * bce.kl
    return Verdict(
        predicted,
        f"{got} {other.label} has {_less(other.mse, bce.mse)}.",
        False,
        f"{other.label} won, in its own unit. That can be: "
        + (
            f"it spends {_nats(other.kl - bce.kl)} more on every picture, and "
            if dearer
            else "it minimises this very number, and "
        )
        + "BCE is best in the log likelihood of black and white, which squared error does not "
        "measure.",
    )


def _sampling(outcomes: Sequence[Outcome]) -> Verdict | None:
    pair = _pair(outcomes, lambda config: not config.sampling)
    if pair is None:
        return None
    plain, drawn = pair
    sharper = plain.mse < drawn.mse
    spread = None if plain.spread is None or drawn.spread is None else plain.spread
    away = spread is None or abs(math.log(spread)) > math.log(_SPREAD)
    codes = (
        ""
        if spread is None
        else f" Its codes spread by {spread:.1f}, the VAE's by {drawn.spread:.1f}; the prior is 1."
    )
    by = _less(min(plain.mse, drawn.mse), max(plain.mse, drawn.mse))
    return Verdict(
        "the autoencoder rebuilds with less error, and its codes lie elsewhere than prior draws.",
        f"**{plain.label}** MSE {plain.mse:.4f}, {_paid(drawn)}: the "
        f"{'autoencoder' if sharper else 'VAE'} has {by}.{codes}",
        sharper and away,
        "That is not what was foretold. It can be: in a short run the draw's noise steadies "
        "the VAE, and codes begin near 0 and need time to move away.",
    )


_RULES: Mapping[str, Callable[[Sequence[Outcome]], Verdict | None]] = {
    "race": lambda outcomes: _compare(outcomes) if len(outcomes) > 1 else None,
    "pixel-mean": _pixel_mean,
    "grey": _grey,
    "sigma": _sigma,
    "sampling": _sampling,
    "binary": _binary,
}
