"""What a reading says: plain data for the page, the command line and comparisons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FAMILIES = (
    "gaussian", "gaussian-learned", "laplace", "laplace-learned", "bernoulli",
    "continuous-bernoulli", "categorical", "discretised-logistic", "student-t", "huber",
    "log-cosh", "mixture", "none", "unknown",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """Something in the code that does not do what it seems to do."""

    kind: str
    line: int
    text: str
    correction: str = ""


@dataclass(frozen=True)
class UnknownItem:
    """A call or a name that the vocabulary does not hold, and what was done about it."""

    line: int
    name: str
    text: str


@dataclass(frozen=True)
class RoleFound:
    """Which value of the code is the picture, the output, the mean, the scale, z."""

    name: str
    role: str
    line: int
    meaning: str


@dataclass(frozen=True)
class ConstantUsed:
    """A number of the code: ``source`` is 'given', 'default', 'late' or 'missing'."""

    name: str
    value: float | None
    line: int
    source: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """A condition or a setting that the code leaves open and that changes the loss.

    ``constants={condition: value}`` answers it with one of ``values``; ``taken`` is the answer
    that was given, '' where none was.
    """

    condition: str
    line: int
    values: tuple[str, ...] = ("true", "false")
    taken: str = ""


@dataclass(frozen=True)
class SizesUsed:
    """Shapes with which the loss was read, and which of them nobody gave."""

    image: tuple[int, ...]
    latents: tuple[int, ...]
    batch: int
    assumed: tuple[str, ...]

    @property
    def pixels(self) -> int:
        total = 1
        for size in self.image:
            total *= size
        return total

    @property
    def latent_count(self) -> int:
        total = 1
        for size in self.latents:
            total *= size
        return total


@dataclass(frozen=True)
class Curve:
    """One line of a figure."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Belief:
    """The cost of a pixel in nats beside one nat of KL, and the density exp(-cost) of it.

    ``axis`` is 'error' (output minus picture, in the code's units), 'value' (a picture's value, of
    an example), 'output' (a probability) or 'class'. ``unit_sigma`` and ``grey_levels`` are the
    spread in [0, 1] and in steps of 1/255.
    """

    label: str
    axis: str
    costs: tuple[Curve, ...]
    densities: tuple[Curve, ...]
    unit_sigma: float | None
    grey_levels: float | None


@dataclass(frozen=True)
class Scaling:
    """What happens to the reading when one size doubles: sigma^2 (or beta) times ``factor``."""

    size: str
    factor: float | None
    text: str


@dataclass(frozen=True)
class Survival:
    """The two bounds that hold for any pictures in the range of the data.

    ``variance_bound`` is the largest variance that one direction of such pictures can have,
    ``kl_bound`` the most nats an image that z can hold at the optimum.
    """

    variance_bound: float | None
    kl_bound: float | None
    certain_collapse: bool
    text: str


@dataclass(frozen=True)
class Printed:
    """What the printed loss holds beside the error and the KL, in nats an image times the rate."""

    constant: float | None
    normaliser: float | None
    keeps_normaliser: bool | None
    may_be_negative: bool
    text: str


@dataclass(frozen=True)
class Reading:
    """The reading of one loss. ``read`` is False where ``message`` says why there is none.

    ``functions`` are losses of the code of which nothing shows which one is minimised.

    ``error_weight`` (a) and ``kl_weight`` (b) are the factors of the cost and of the KL, both
    summed over an image and averaged over the batch; sigma2 = b / (2 a) in the code's own units.
    """

    read: bool
    message: str
    verdict: str
    family: str
    sigma2: float | None = None
    sigma2_unit: float | None = None
    laplace_scale: float | None = None
    beta: float | None = None
    rate: float | None = None
    error_weight: float | None = None
    kl_weight: float | None = None
    near_sigma2: float | None = None
    tail_scale: float | None = None
    shape: str = ""
    output_kind: str = "value"
    kl_form: str = "none"
    logistic_scale: float | None = None
    scale_per_pixel: bool = False
    threshold: float | None = None
    prior_variance: float = 1.0
    maximised: bool = False
    framework: str = ""
    line: int = 0
    entry: str = ""
    data_range: tuple[float, float] | None = (0.0, 1.0)
    sizes: SizesUsed = field(default_factory=lambda: SizesUsed((784,), (20,), 128, ()))
    faults: tuple[Fault, ...] = ()
    unknown: tuple[UnknownItem, ...] = ()
    roles: tuple[RoleFound, ...] = ()
    constants: tuple[ConstantUsed, ...] = ()
    choices: tuple[Choice, ...] = ()
    functions: tuple[str, ...] = ()
    scaling: tuple[Scaling, ...] = ()
    belief: Belief | None = None
    survival: Survival | None = None
    printed: Printed | None = None
    otherwise: tuple[str, ...] = ()
    suggestion: str = ""
    train_pasted: Mapping[str, Any] | None = None
    train_elbo: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that the command prints."""
        return {
            "family": self.family,
            "sigma2": self.sigma2,
            "sigma2_unit": self.sigma2_unit,
            "laplace_scale": self.laplace_scale,
            "beta": self.beta,
            "rate": self.rate,
            "faults": [{"kind": f.kind, "line": f.line, "text": f.text} for f in self.faults],
            "unknown": [{"line": u.line, "name": u.name, "text": u.text} for u in self.unknown],
            "roles": {r.name: r.role for r in self.roles},
            "constants": {c.name: c.value for c in self.constants},
            "verdict": self.verdict,
        }
