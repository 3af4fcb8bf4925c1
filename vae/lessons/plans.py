"""Lesson plans for teachers: what to open, what to ask, what to expect, what to show then."""

from collections.abc import Mapping
from dataclasses import dataclass

from vae.config import TrainConfig
from vae.lessons.questions import LESSONS, members

# Images a second that a run trains, as README.md measured them ("Measured", "For a class"): two
# cores of a server with a class on its pages, and what a free host guarantees.
RATES: Mapping[str, float] = {
    "two cores that a class shares": 11_600.0,
    "what a free host guarantees": 340.0,
}
# Of the built-in digits.
TRAINING_IMAGES = 12_000


@dataclass(frozen=True)
class Step:
    """A part of a lesson. ``address`` sets the view; ``minutes`` is its place in the lesson."""

    minutes: int
    address: str
    ask: str
    expect: str
    wrong: str


@dataclass(frozen=True)
class Plan:
    """A lesson: its name, what is learned, its steps."""

    name: str
    aim: str
    steps: tuple[Step, ...]

    @property
    def minutes(self) -> int:
        return sum(step.minutes for step in self.steps)


_ONE_PIXEL = Step(
    3,
    "?present=1#answer",
    "What does the decoder believe of one pixel, and what is the loss then?",
    "Minus the logarithm of the belief: a parabola for the bell, BCE for the two bars.",
    "“The loss measures a distance.” Press “Too bright” and “Too dark”: BCE tells them apart.",
)
_SIGMA = Step(
    4,
    "derivation?present=1&sigma=0.3&x=0.8&mean=0.6#sigma",
    "σ is halved. Where does this one pixel want μ now?",
    "Where it did. The parabola is steeper, its lowest point stays.",
    "“Nearer to x.” Drag σ: both gradients vanish at the same μ.",
)
_IMPLIED = Step(
    3,
    "derivation?present=1&code=pixel+mean+%2B+KL#implied-sigma",
    "Which σ has the code chosen that averages over pixels?",
    "A σ of nearly twenty, on 28×28 pixels. No latent survives it.",
    "“A mean is only a learning rate.” It is, but for the KL beside it.",
)
_EVIDENCE = Step(
    8,
    "derivation?present=1#evidence",
    "The guess q is the prior itself. Is the bound log p(x) now?",
    "No: what is missing is the KL from q to the posterior.",
    "“The KL is 0, so nothing is lost.” Press “q = prior” and read the gap.",
)
_LINES = Step(
    9,
    "derivation?present=1&step=1#expansion",
    "Which of the lines is a choice, and which follow?",
    "The first alone: a Gaussian, with one fixed σ.",
    "“MSE is a law.” Show the same lines for coins, in the section below.",
)
_LEAN = Step(
    8,
    "bias?present=1&t=0.8&h=0.1#asymmetry",
    "Two outputs miss a target by as much. Which costs more under BCE?",
    "The one away from ½. The cost leans; its lowest point does not move.",
    "“So BCE is biased.” Go to the section on the minimum and shape the targets.",
)
_COLLAPSE = Step(
    15,
    "train?present=1&lesson=pixel-mean",
    "How many latents will the run with the pixel mean keep?",
    "None: its σ² is above every eigenvalue of the data.",
    "“All: they were trained.” Look at the KL per latent, then at the sticks on Derivation.",
)
_PULL = Step(
    15,
    "bias?present=1#noise",
    "z is drawn, so the logit wobbles. Where is BCE's best output?",
    "Its mean stays at the target. On the output, noise does pull it toward ½.",
    "“Nearer to ½.” Drag τ, then s: only the second one moves BCE.",
)
_RACE = Step(
    20,
    "train?present=1&lesson=race",
    "Which of four losses has the smallest squared error?",
    "The one with a learned σ; it pays for it in nats.",
    "“MSE has, it minimises it.” Compare squared error at equal KL.",
)
_OWN = Step(
    10,
    "your_loss?present=1",
    "Which σ does the code of your own project imply?",
    "Each student reads it off the page, and whether latents survive.",
    "“There is no σ in my code.” The page names the line that chose it.",
)

_WRAP_UP = Step(
    1,
    "derivation?present=1#beliefs",
    "Which one sentence do you take home?",
    "Every loss is a belief, and every belief has a scale.",
    "“MSE or BCE is a matter of taste.” Without a KL it is; beside one it is not.",
)

PLANS: tuple[Plan, ...] = (
    Plan(
        "In a lecture",
        "A loss is a belief, and a mean over pixels is a choice of σ.",
        (_ONE_PIXEL, _SIGMA, _IMPLIED),
    ),
    Plan(
        "A lesson",
        "From log p(x) to MSE, and what the pixel mean does to z.",
        (_EVIDENCE, _LINES, _SIGMA, _COLLAPSE, _LEAN, _WRAP_UP),
    ),
    Plan(
        "A double lesson",
        "The same, with the question of bias, a race of four losses, and the students' own code.",
        (_EVIDENCE, _LINES, _SIGMA, _COLLAPSE, _LEAN, _PULL, _RACE, _OWN, _WRAP_UP),
    ),
)
"""Of 10, 45 and 90 minutes."""


def machine_seconds(lesson: str, rate: float) -> float:
    """Seconds that a run of ``lesson`` takes at ``rate`` images a second, all its members.

    Raises ``KeyError`` on an unknown lesson.
    """
    asked = LESSONS[lesson]
    config = TrainConfig(**asked.settings)
    runs = members(config, asked.against)
    return sum(each.epochs for each in runs) * TRAINING_IMAGES / rate
