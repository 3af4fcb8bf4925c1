"""Questions that a training run answers, and the alternatives that a comparison sets beside it.

A lesson is a partial ``TrainConfig`` with the alternatives that answer its question. Everything
in it ends up in the page's address, so that a lesson is also a link.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vae.beliefs import BELIEFS
from vae.config import DATASETS, ConfigError, TrainConfig, WrongValue, default, option
from vae.errors import shown
from vae.memo import shared
from vae.numerals import counted, written
from vae.shipped.cards import MATCHED

MOST_MEMBERS = 4
# From a sigma that pays for every detail to one that pays for little; the same of beta.
SWEEP_SCALES = (0.05, 0.1, 0.2, 0.4, 0.8)
SWEEP_BETAS = (0.25, 0.5, 1.0, 2.0, 4.0)
SWEEP_BESIDE = ("bernoulli", "continuous-bernoulli")
SWEEP_SEEDS = 3
SWEEP_EPOCHS = 8


@dataclass(frozen=True)
class Variant:
    """One change to a configuration, trained beside the original."""

    label: str
    settings: Mapping[str, Any]


VARIANTS: Mapping[str, Variant] = {
    # The default likelihood first: the others are trained beside it.
    **{
        name: Variant(BELIEFS[name].short, {"likelihood": name})
        for name in sorted(BELIEFS, key=lambda name: name != default("likelihood"))
    },
    "pixel-sum": Variant("sum over pixels", {"reduction": "sum"}),
    "pixel-mean": Variant("mean over pixels", {"reduction": "pixel-mean"}),
    "sampled": Variant("z drawn (VAE)", {"sampling": True}),
    "autoencoder": Variant("z not drawn (autoencoder)", {"sampling": False}),
    "sigma-0.1": Variant("σ 0.1", {"scale": 0.1}),
    "sigma-3": Variant("σ 3", {"scale": 3.0}),
    "beta-4": Variant("β 4", {"beta": 4.0}),
    "linear": Variant("linear VAE", {"architecture": "linear"}),
    # What a pasted loss may have meant.
    "beta-1": Variant("β 1", {"beta": 1.0}),
    "sigma-learned-beta-1": Variant(
        "σ learned from 1, β 1",
        {"likelihood": "gaussian-learned", "beta": 1.0, "scale": 1.0},
    ),
    "laplace-learned-beta-1": Variant(
        "Laplace, scale learned from 1, β 1",
        {"likelihood": "laplace-learned", "beta": 1.0, "scale": 1.0},
    ),
}


@dataclass(frozen=True)
class Lesson:
    """A question, where its answer appears, what to conclude, and the settings that ask it.

    ``figure`` is the name of the one that answers it (``vae.web.train.figures``).
    """

    name: str
    question: str
    predict: str
    look: str
    takeaway: str
    settings: Mapping[str, Any]
    against: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    figure: str = "latents"


# The few choices that are always at hand; a lesson may add its own to them.
VISIBLE = ("dataset", "grey", "likelihood", "scale", "latent_dim", "seed")

LESSONS: Mapping[str, Lesson] = {
    "free": Lesson(
        "Just train",
        "What does a VAE keep of a picture?",
        "Which targets will come out blurred: thin strokes or thick ones?",
        "the decoder's means beside their targets",
        "The mean keeps what pictures share and blurs what differs. A draw from p(x|z) adds "
        "the likelihood's own noise, pixel by pixel.",
        {},
    ),
    "race": Lesson(
        "MSE or BCE",
        "MSE or BCE?",
        "Four losses, one network, the same seed and data. Which one draws the sharpest digits, "
        "and which one keeps the most nats in z?",
        "bits per pixel, squared error and KL: units that all four share",
        "Each Gaussian is a rate of exchange between squared error and nats: a small σ pays "
        "many nats for detail, σ 1 hardly any. The continuous Bernoulli spends many on telling "
        "black from nearly black. Before calling one loss sharper, compare at equal KL.",
        {"likelihood": "bernoulli", "scale": 1.0, "epochs": 5},
        ("gaussian", "gaussian-learned", "continuous-bernoulli"),
        figure="trade",
    ),
    "pixel-mean": Lesson(
        "Pixel mean",
        "Does the pixel mean collapse it?",
        "Both runs minimise squared error plus KL, which is σ = 0.707. One divides the squared "
        "error by the number of pixels. How many latents does each keep?",
        "the KL per latent: all of it gone where the implied σ is above every eigenvalue",
        "Squared error plus KL is a σ of 0.707. Dividing by the number of pixels D multiplies "
        "its square by D. No eigenvalue of the data is above that, so no latent pays for itself, "
        "at any learning rate.",
        {"likelihood": "gaussian", "scale": 0.7071, "epochs": 5},
        ("pixel-mean",),
        ("reduction",),
        figure="latents",
    ),
    "grey": Lesson(
        "Grey targets",
        "BCE or MSE on grey targets?",
        "BCE costs more on one side than on the other for dark and for bright greys, and equally "
        "at 0.5. Does that pull the trained outputs toward 0.5?",
        "both charts of greys: mean output by target, and calibration, mean target by output",
        "By target, every loss leans toward the middle: regression to the mean. By output, both "
        "lie near the diagonal: what they say is right on average. Only what differs could be "
        "BCE's own.",
        {"likelihood": "bernoulli", "grey": 0.75, "epochs": 5},
        ("gaussian-learned",),
        figure="response",
    ),
    "sigma": Lesson(
        "Learned σ",
        "What does a learned σ find?",
        "Start σ at 1. The best one shared σ is the root mean squared error. Does the "
        "optimiser find it, and what happens to the KL on the way?",
        "σ meeting the RMSE",
        "The σ settles on the RMSE, and the KL grows on the way. The smaller the error that "
        "is allowed, the more nats a picture is worth.",
        {"likelihood": "gaussian-learned", "scale": 1.0, "epochs": 5},
        figure="scale",
    ),
    "sampling": Lesson(
        "Sampling",
        "Sampling, or a plain autoencoder?",
        "Without the draw of z and without the KL, nothing keeps the codes near the prior. What "
        "do draws from the prior look like then?",
        "the pictures decoded from the prior, after the run",
        "Without the draw and the KL, codes lie where they like. An autoencoder rebuilds, but "
        "its draws from the prior mostly fall where no picture was.",
        {"likelihood": "bernoulli", "epochs": 5},
        ("autoencoder",),
        ("sampling",),
        figure="mse",
    ),
    "binary": Lesson(
        "Binary data",
        "Binary data: who wins?",
        "On strictly black and white targets BCE is the likelihood itself. Does squared error with "
        "a learned σ do worse?",
        "mean squared error per pixel, the unit that favours MSE, early and late",
        "On binary targets BCE is the likelihood. Squared error can come close in its own "
        "unit. Its gradient fades where a sigmoid output is confidently wrong, at any σ, but "
        "Adam makes up for much of that.",
        {"likelihood": "bernoulli", "grey": 0.0, "epochs": 5},
        ("gaussian-learned",),
        figure="mse",
    ),
}


def members(config: TrainConfig, against: Sequence[str]) -> tuple[TrainConfig, ...]:
    """``config`` and its alternatives, each once, at most four; they share data, order and seed.

    Raises ``ConfigError`` on an unknown alternative or on more than three that differ.
    """
    chosen = [config]
    for name in against:
        if name not in VARIANTS:
            raise ConfigError(
                f"against: {shown(name)} given; allowed is one of {', '.join(VARIANTS)}"
            )
        other = replace(config, **VARIANTS[name].settings)
        if other not in chosen:
            chosen.append(other)
    if len(chosen) > MOST_MEMBERS:
        raise ConfigError(
            f"against: {len(chosen) - 1} alternatives given; allowed is 0 to {MOST_MEMBERS - 1}"
        )
    return tuple(chosen)


def alternatives(configs: Sequence[TrainConfig]) -> tuple[str, ...]:
    """What ``members`` was given to make ``configs``; what no alternative makes is left out."""
    first, *others = configs
    named = (
        next((n for n, v in VARIANTS.items() if replace(first, **v.settings) == other), "")
        for other in others
    )
    return tuple(name for name in named if name)


def lesson_of(configs: Sequence[TrainConfig]) -> str:
    """The lesson whose settings and comparison ``configs`` are, whatever their seed and length."""
    for name, lesson in LESSONS.items():
        asked = {key: value for key, value in lesson.settings.items() if key != "epochs"}
        same = all(getattr(configs[0], key) == value for key, value in asked.items())
        if asked and same and members(configs[0], lesson.against) == tuple(configs):
            return name
    return "free"


@shared(maxsize=256)
def sweep(config: TrainConfig, kind: str = "sigma") -> tuple[TrainConfig, ...]:
    """Short runs of one network on one data set, from a high rate to a low one, and other losses.

    ``kind`` is one of ``SWEEPS``. 'sigma': Gaussians whose sigma grows, then BCE and its company.
    'beta': the likelihood of ``config`` under a growing beta, then two others. 'seeds': three
    losses of nearly one KL, each from the seed of ``config`` and the next ones. Raises ``KeyError``
    on another kind.
    """
    short = replace(config, epochs=min(config.epochs, SWEEP_EPOCHS), reduction="sum", beta=1.0)
    return SWEEPS[kind].build(replace(short, sampling=True))


def _over_sigma(short: TrainConfig) -> tuple[TrainConfig, ...]:
    gaussians = [replace(short, likelihood="gaussian", scale=scale) for scale in SWEEP_SCALES]
    return (*gaussians, *(replace(short, likelihood=name) for name in SWEEP_BESIDE))


def _over_beta(short: TrainConfig) -> tuple[TrainConfig, ...]:
    others = [name for name in ("gaussian", *SWEEP_BESIDE) if name != short.likelihood][:2]
    swept = [replace(short, beta=beta) for beta in SWEEP_BETAS]
    return (*swept, *(replace(short, likelihood=name) for name in others))


def _over_seeds(short: TrainConfig) -> tuple[TrainConfig, ...]:
    scale, beta = MATCHED.get(short.dataset, MATCHED["digits"])
    losses: tuple[dict[str, Any], ...] = (
        {"likelihood": "bernoulli"},
        {"likelihood": "gaussian", "scale": scale},
        {"likelihood": "continuous-bernoulli", "beta": beta},
    )
    seeds = [(short.seed + more) % 2**31 for more in range(SWEEP_SEEDS)]
    return tuple(replace(short, seed=seed, **loss) for loss in losses for seed in seeds)


@dataclass(frozen=True)
class Sweep:
    """What one varies: the button's words, its help, the members, and where among them the settings
    stand that start it again."""

    label: str
    help: str
    build: Callable[[TrainConfig], tuple[TrainConfig, ...]]
    home: int


SWEEPS: Mapping[str, Sweep] = {
    "sigma": Sweep(
        "Over σ",
        "five sigmas of the Gaussian, BCE and the continuous Bernoulli: what a nat buys",
        _over_sigma,
        len(SWEEP_SCALES),
    ),
    "beta": Sweep(
        "Over β",
        "five weights of the KL under the chosen likelihood, and two others: the same by beta",
        _over_beta,
        SWEEP_BETAS.index(1.0),
    ),
    "seeds": Sweep(
        "Three seeds",
        "BCE, Gaussian and continuous Bernoulli at nearly one KL, three seeds each: who is sharper",
        _over_seeds,
        0,
    ),
}


def sweep_of(configs: Sequence[TrainConfig]) -> str:
    """Which of ``SWEEPS`` these members are; empty for none."""
    for kind, one in SWEEPS.items():
        if one.home < len(configs) and sweep(configs[one.home], kind) == tuple(configs):
            return kind
    return ""


def is_sweep(configs: Sequence[TrainConfig]) -> bool:
    """More runs than a comparison has: their rates and errors are shown, not their curves."""
    return len(configs) > MOST_MEMBERS


def parse_against(text: str) -> tuple[tuple[str, ...], list[WrongValue]]:
    """The alternatives in an address, and a note where one is none, or where they are too many."""
    names = [name for name in text.split(",") if name]
    known = tuple(dict.fromkeys(name for name in names if name in VARIANTS))
    unknown = [name for name in names if name not in VARIANTS]
    notes = []
    if unknown:
        needed = "one of " + ", ".join(VARIANTS)
        notes.append(WrongValue("against", unknown[0], needed, "What is none is left out."))
    if len(known) > MOST_MEMBERS - 1:
        needed = f"a list of 0 to {MOST_MEMBERS - 1} alternatives"
        notes.append(WrongValue("against", text, needed, "The first ones are used."))
    return known[: MOST_MEMBERS - 1], notes


def describe(configs: Sequence[TrainConfig]) -> str:
    """What was trained, in one line: names, data, size, seed, length, and what else was chosen."""
    first = configs[0]
    known = {"dataset", "likelihood", "scale", "grey", "latent_dim", "seed", "epochs"}
    # Those that the names say.
    known |= {"reduction", "sampling", "beta"}
    grey = [f"greyness {first.grey:g}"] if first.dataset == "digits" else []
    parts = [
        *grey,
        counted(first.latent_dim, "latent"),
        f"seed {first.seed}",
        counted(first.epochs, "epoch"),
        *(
            f"{option(name).label.lower()} {text}"
            for name, text in first.to_query().items()
            if name not in known
        ),
    ]
    names = " · ".join(f"**{label}**" for label in labels(configs))
    return f"{names} on {DATASETS[first.dataset]} ({', '.join(parts)})"


def labels(configs: Sequence[TrainConfig]) -> tuple[str, ...]:
    """A short name for each of ``configs``, which says what tells it from the others."""
    return tuple(_label(config, configs) for config in configs)


def _label(config: TrainConfig, among: Sequence[TrainConfig]) -> str:
    belief = BELIEFS[config.likelihood]
    fixed = belief.scale == "fixed"
    words = [belief.short_fixed.format(scale=config.scale) if fixed else belief.short]
    twins = [other for other in among if other.likelihood == config.likelihood]
    for name, variants in (
        ("reduction", ("pixel-sum", "pixel-mean")),
        ("sampling", ("sampled", "autoencoder")),
    ):
        value = getattr(config, name)
        # A mean over pixels, or no draw, is another loss: a name without it would be wrong.
        if value != default(name) or len({getattr(other, name) for other in twins}) > 1:
            words += [
                VARIANTS[key].label for key in variants if VARIANTS[key].settings[name] == value
            ]
    for name, text in (
        ("beta", written(f"β {config.beta:g}")),
        ("architecture", config.architecture),
    ):
        told = name == "beta" and config.beta != default(name)
        if told or len({getattr(other, name) for other in twins}) > 1:
            words.append(text)
    if len({other.seed for other in twins}) > 1:
        words.append(f"seed {config.seed}")
    if not fixed and len({other.scale for other in twins}) > 1:
        words.append(written(f"from σ {config.scale:g}"))
    return ", ".join(words)
