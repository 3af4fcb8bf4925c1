"""The Bias page's parts that need the server: fitted pictures, lambda's picture, trained runs."""

import itertools
import time
from collections.abc import Sequence

import numpy as np
import streamlit as st

from vae.charts.bias.pictures import BINS, build_greys_chart
from vae.charts.bias.question import Points
from vae.charts.kit.calibration import Curves, build_calibration_chart, build_response_chart
from vae.charts.kit.theme import KL, STYLES, TARGET, Style
from vae.config import PUBLIC_DATASETS
from vae.images import tiles
from vae.images.sets import binarise, load_sample
from vae.memo import shared
from vae.runs.registry import get_registry
from vae.shipped.cards import MATCHED_SEEDS, Card, late_fall, load_cards, matched
from vae.theory import continuous_bernoulli as cb
from vae.theory import picture_fits
from vae.theory.bernoulli import sigmoid
from vae.theory.early_stopping import CODE_SCALE
from vae.web.kit import disclosure, figures, layout
from vae.web.kit.address import choose
from vae.web.kit.layout import Strip, show_strips
from vae.web.train.commands import owner
from vae.wire.events import CalibrationBin

GREYS = {"0": "binary", "0.25": "soft rims", "0.5": "grey", "0.75": "greyer", "1": "mid-grey"}
NOISE = {"output": "the output", "logit": "the logit"}
AMOUNTS = {
    "output": ("0", "0.05", "0.1", "0.15"),
    "logit": ("0", "0.5", "1", "2"),
}
FITTED = tuple(picture_fits.LOGIT_GRADIENTS)
SHOWN = 6
WRONG_LOGIT = 5.0
NEGATIVE_STEPS = (0, 5, 20, 100)
RATES = {"sgd": 1.0, "adam": 0.1}
OPTIMISERS = {"sgd": "plain descent", "adam": "Adam"}
SCALES = {"0.707": CODE_SCALE, "0.3": 0.3, "0.1": 0.1}
# The one whose greys are most is the first choice.
TRAINED = {name: PUBLIC_DATASETS[name] for name in ("fashion", "mnist", "digits")}
OWN = Style("your latest run", KL.colour, KL.dash, KL.shape)


# --- pictures fitted pixel by pixel -----------------------------------------------------------


@st.fragment
def show_fits() -> None:
    """Targets and the mean pictures under noise, for each loss, with their histograms."""
    with layout.row("fits", "thirds"):
        grey = choose("Targets", GREYS, key="targets", default="1", kind="slider")
        noise_on = choose("Noise on", NOISE, key="noise_on", default="logit")
        # A key for each kind of noise, because the amounts mean different things.
        amounts = AMOUNTS[noise_on]
        amount = choose(
            "How much (standard deviation)",
            amounts,
            key=f"{noise_on}_noise",
            default=amounts[3] if noise_on == "logit" else amounts[2],
        )
    rows = fitted(*_choice(grey, noise_on, amount))
    shares = ((TARGET, target_shares(float(grey))), *((row[0], row[4]) for row in rows))
    strips = [_target_strip(float(grey)), *(_fitted_strip(*row[:4]) for row in rows)]
    show_strips(strips, across=2)
    with layout.more("How many pixels have which grey"):
        figures.show_chart(build_greys_chart, key="fitted-greys", width="content", shares=shares)


@shared(maxsize=8)
def _target_strip(grey: float) -> Strip:
    return Strip("target", tiles.strip(_digits(grey), zoom=3), "Six digits: the targets")


def _fitted_strip(style: Style, contrast: float, error: float, url: str) -> Strip:
    # Of one pixel alone neither the best output nor Adam's steps toward it depend on a scale.
    name = style.label + (", any σ" if style == STYLES["gaussian"] else "")
    return Strip(
        name,
        url,
        f"Six digits fitted with {name}",
        f"contrast × {contrast:.3f}, squared error {error:.4f}",
    )


@shared(maxsize=64)
def fitted(
    grey: float, noise_on: str, amount: float
) -> tuple[tuple[Style, float, float, str, tuple[float, ...]], ...]:
    """For each loss: its style, contrast, error, the pictures' address, shares of greys."""
    images = _digits(grey)
    rows = []
    for loss in FITTED:
        result = picture_fits.fit(images, loss, noise_on, amount)
        shown = np.rint(255 * np.clip(result.images, 0, 1)).astype(np.uint8)
        rows.append(
            (
                STYLES[loss],
                result.contrast,
                result.error,
                tiles.strip(shown, zoom=3),
                _shares(result.images),
            )
        )
    return tuple(rows)


def _choice(grey: str, noise_on: str, amount: str) -> tuple[float, str, float]:
    """What ``fitted`` takes for what the controls say: without noise both kinds are one."""
    return float(grey), noise_on if float(amount) else "logit", float(amount)


def fit_every_choice() -> None:
    """Work out ``fitted`` for whatever can be chosen.

    A class that begins together asks for all of them within its first seconds.
    """
    for grey, (noise_on, amounts) in itertools.product(GREYS, AMOUNTS.items()):
        for amount in amounts:
            fitted(*_choice(grey, noise_on, amount))
            # Who is here already goes first.
            time.sleep(0.1)


@shared(maxsize=8)
def target_shares(grey: float) -> tuple[float, ...]:
    """Shares of the targets' greys in equal bins of [0, 1]."""
    return _shares(_digits(grey) / 255.0)


@st.fragment
def show_saturation() -> None:
    """Binary targets from their negative: where each loss is after some steps."""
    with layout.row("negative", "thirds"):
        steps = choose(
            "Steps from the negative",
            [str(count) for count in NEGATIVE_STEPS],
            key="steps",
            default="20",
        )
        optimiser = choose("Optimiser", OPTIMISERS, key="descent", default="sgd")
        scale = choose("σ of the squared error", tuple(SCALES), key="descent_sigma")
    strips = [
        _negative_strip(loss, int(steps), optimiser, scale) for loss in ("bernoulli", "gaussian")
    ]
    show_strips(strips, across=2)


def _negative_strip(loss: str, steps: int, optimiser: str, scale: str) -> Strip:
    url, output = negative(loss, steps, optimiser, SCALES[scale])
    name = STYLES[loss].label + (f", σ = {scale}" if loss == "gaussian" else "")
    return Strip(
        name,
        url,
        f"Six binary digits after {steps} steps with {name}",
        f"where the target is 1 the output is {output:.3f}",
    )


@shared(maxsize=64)
def negative(loss: str, steps: int, optimiser: str, scale: float) -> tuple[str, float]:
    """The pictures' address after ``steps`` from the negative, and the output at a target of 1."""
    images = _digits(0.0)
    outputs = picture_fits.descend_from_negative(
        images,
        loss,
        start=WRONG_LOGIT,
        steps=steps,
        scale=scale,
        optimiser=optimiser,
        rate=RATES[optimiser],
    )
    shown = np.rint(255 * outputs).astype(np.uint8)
    return tiles.strip(shown, zoom=3), float(outputs[images > 127].mean())


# --- lambda beside the mean -------------------------------------------------------------------


def show_lambda() -> None:
    """Greys, the best lambda for each, its mean, and the greys read as probabilities."""
    strips = [Strip(label, url, f"Three digits: {label}") for label, url in lambda_pictures()]
    show_strips(strips, across=4)


@shared(maxsize=1)
def lambda_pictures() -> tuple[tuple[str, str], ...]:
    """(label, address) of the four strips; greys dequantised at the middle of their steps."""
    images = _digits(0.5)[:3]
    targets = cb.dequantise(images, np.full(images.shape, 0.5))
    logits = cb.best_logits(targets)
    strips = {
        "the target t": targets,
        "λ(t), the parameter": sigmoid(logits),
        "its mean μ(λ(t)) = t": cb.mean(logits),
        "t read as P(white), drawn": binarise(images, seed=1) / 255.0,
    }
    return tuple(
        (label, tiles.strip(np.rint(255 * picture).astype(np.uint8), zoom=3))
        for label, picture in strips.items()
    )


# --- trained networks -------------------------------------------------------------------------


@st.fragment
def show_trained() -> None:
    """The greys of one data set's shipped runs, both ways, and of the learner's latest run."""
    dataset = choose("Trained on", TRAINED, key="trained", default="fashion")
    response, calibration = (
        trained_curves(dataset, name) + own_curve(name) for name in ("response", "calibration")
    )
    with layout.row("trained"):
        st.markdown("**Given the target: bright ones come out darker, dark ones brighter**")
        figures.show_chart(build_response_chart, key="response", curves=response)
        st.markdown("**Given the output: calibration, close to 0**")
        figures.show_chart(build_calibration_chart, key="calibration", curves=calibration)
    disclosure.show_fold(
        f"The numbers, {_seeds(dataset)}", seeds_table(dataset), icon="table_chart"
    )
    if not own_curve("response"):
        st.caption("Train a network on the Train page, and its curve is laid over these.")


@shared(maxsize=8)
def trained_curves(dataset: str, name: str) -> Curves:
    """The bins ``name``, 'response' or 'calibration', of three losses at nearly one KL.

    The same network, data, epochs and seed; sigma or beta is set so that the KL is the
    Bernoulli's.
    """
    return tuple(
        (_named(STYLES[loss], f"{_setting(cards[0])}KL {cards[0].test_kl:.1f}"), bins)
        for loss, cards in matched(dataset).items()
        if (bins := tuple(getattr(cards[0], name)))
    )


def _setting(card: Card) -> str:
    """What was set to match the KL, in words; nothing for the Bernoulli."""
    if card.config.likelihood == "gaussian":
        return f"σ = {card.config.scale:g}, "
    return f"β = {card.config.beta:g}, " if card.config.beta != 1 else ""


def seeds_table(dataset: str) -> str:
    """The matched runs' figures, with their spread where there are several seeds."""
    lines = [
        "| loss | KL, nats | squared error a pixel | bits per pixel | mean output "
        "| output at target 0.8 | target at output 0.8 |",
        "|:--|--:|--:|--:|--:|--:|--:|",
    ]
    for loss, cards in matched(dataset).items():
        columns = [
            (".1f", [card.test_kl for card in cards]),
            (".4f", [card.test_mse for card in cards]),
            (".2f", [card.bits_per_pixel or float("nan") for card in cards]),
            (".3f", [card.mean_output for card in cards]),
            (".3f", [interpolate(card.response, "target", "output", 0.8) for card in cards]),
            (".3f", [interpolate(card.calibration, "output", "target", 0.8) for card in cards]),
        ]
        cells = [_spread(values, form) for form, values in columns]
        name = f"{STYLES[loss].label} ({_setting(cards[0])}".rstrip("(, ")
        name += ")" if "(" in name else ""
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    data = matched(dataset)["bernoulli"][0].mean_target
    return (
        "\n".join(lines) + f"\n\nThe data's own mean grey is {data:.3f}. {_still_falling(dataset)}"
    )


def _still_falling(dataset: str) -> str:
    """How much of its squared error each loss still lost late: none of the runs is at its end."""
    falls = {loss: late_fall(cards) for loss, cards in matched(dataset).items()}
    epochs = matched(dataset)["bernoulli"][0].config.epochs
    return (
        f"No run has come to its end. Over epochs {epochs // 2} to {epochs} the squared error fell "
        f"by {falls['bernoulli']:.0%} with BCE, by {falls['gaussian']:.0%} with the Gaussian, and "
        f"by {falls['continuous-bernoulli']:.0%} with the continuous Bernoulli."
    )


def _seeds(dataset: str) -> str:
    count = len(MATCHED_SEEDS[dataset])
    return "one seed each" if count == 1 else f"{count} seeds each: mean ± half the range"


def _spread(values: Sequence[float], form: str) -> str:
    mean = f"{np.mean(values):{form}}"
    return f"{mean} ± {np.ptp(values) / 2:{form}}" if len(values) > 1 else mean


def excess_errors() -> tuple[tuple[int, float], tuple[int, float]]:
    """(epochs, how many times BCE's squared error the continuous Bernoulli leaves at one KL) on the
    built-in digits, of the matched runs and of the long ones."""
    cards = load_cards()

    def of(bernoulli: str, continuous: str) -> tuple[int, float]:
        one, other = cards[f"digits-{bernoulli}"], cards[f"digits-{continuous}"]
        return one.config.epochs, other.test_mse / one.test_mse

    return (
        of("bernoulli", "continuous-bernoulli-matched"),
        of("bernoulli-long", "continuous-bernoulli-long"),
    )


@shared(maxsize=1)
def exchange_runs() -> Points:
    """MNIST's runs for the exchange of KL and squared error, in order of their KL."""
    cards = load_cards()
    gaussians = [cards[f"mnist-{name}"] for name in ("gaussian", "gaussian-matched")]
    best = cards["mnist-gaussian-optimal"]
    bernoulli = cards["mnist-bernoulli"]
    runs = [
        *(
            (STYLES["gaussian"], f"σ = {c.config.scale:g}", c.test_kl, c.test_mse)
            for c in gaussians
        ),
        (STYLES["gaussian"], f"best σ: {best.scale:.2f}", best.test_kl, best.test_mse),
        (STYLES["bernoulli"], "BCE", bernoulli.test_kl, bernoulli.test_mse),
    ]
    for name in ("continuous-bernoulli", "continuous-bernoulli-matched"):
        card = cards[f"mnist-{name}"]
        words = f"β = {card.config.beta:g}"
        runs.append((STYLES["continuous-bernoulli"], words, card.test_kl, card.test_mse))
    return tuple(sorted(runs, key=lambda run: run[2]))


def own_curve(name: str) -> Curves:
    """The bins ``name`` of this session's latest run, none before its first epoch."""
    registry = get_registry()
    run = registry.run_of(owner())
    snapshot = registry.snapshot(run) if run else None
    if snapshot is None or not snapshot.members or not snapshot.members[0].epochs:
        return ()
    bins = tuple(getattr(snapshot.members[0].epochs[-1], name))
    return ((OWN, bins),) if bins else ()


def interpolate(bins: Sequence[CalibrationBin], x: str, y: str, at: float) -> float:
    """The mean ``y`` of pixels whose ``x`` is ``at``, between the bins' means."""
    held = [b for b in bins if b.count]
    if not held:
        return float("nan")
    return float(np.interp(at, [getattr(b, x) for b in held], [getattr(b, y) for b in held]))


def _named(style: Style, detail: str) -> Style:
    return Style(f"{style.label} ({detail})", style.colour, style.dash, style.shape)


@shared(maxsize=8)
def _digits(grey: float) -> np.ndarray:
    """Six built-in test digits of this greyness, uint8 (6, 28, 28)."""
    return load_sample("digits", SHOWN, grey=grey)[0]


def _shares(images: np.ndarray) -> tuple[float, ...]:
    counts, _ = np.histogram(np.clip(images, 0, 1), bins=BINS, range=(0, 1))
    return tuple((counts / counts.sum()).tolist())
