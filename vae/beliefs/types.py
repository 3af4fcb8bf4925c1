"""What is said of a likelihood: its names, its look, its loss as text, what follows from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Style:
    """How one thing looks wherever it appears."""

    label: str
    colour: str
    dash: tuple[int, ...]
    shape: str


# The decoder's mean stays in [0, 1]; a linear decoder's is the output itself.
MEAN_LINE = "mean = torch.sigmoid(out)"


@dataclass(frozen=True)
class Belief:
    """A likelihood, log p(x|z), as everything but its arithmetic knows it.

    ``label`` is its name in a list of choices, ``short`` beside others in a comparison, where
    ``short_fixed`` (with ``{scale}``) replaces it for a scale that the user sets.
    ``counts`` says what its nats count: those of equal words compare.
    ``equation`` is minus log p(x|z) of an image as LaTeX, or gives it for (scale, pixels).
    ``code`` are its lines of PyTorch for reading, per pixel, from ``out`` to ``nll``, with
    ``{scale}`` where it is a number; ``script`` are the methods of ``Loss`` in the exported
    script, with the engine's own arithmetic, and ``helpers`` the functions that they call.
    """

    name: str
    label: str
    short: str
    style: Style
    counts: str
    equation: str | Callable[[float, int], str]
    code: tuple[str, ...]
    script: str
    helpers: str = ""
    short_fixed: str = ""
    # Whether the setting 'scale' is its scale, where a learned one starts, or nothing to it.
    scale: Literal["fixed", "learned", "fitted"] | None = None
    # One Gaussian for all pixels: probabilistic PCA predicts it, and its best scale is the RMSE.
    gaussian: bool = False
    # The least loss that any outputs reach: the entropy of greys read as probabilities, or 0.
    floor: Literal["entropy", "zero"] | None = None
    normalised: bool = True
    # Its density has no bound at exact 0 and 1: bytes k become (k + u) / 256 with u uniform.
    dequantised: bool = False
    # Whether browsers run its networks, too (vae/web/assets/drawing/likelihoods.js).
    in_browser: bool = False
    # Numbers of the decoder for each pixel.
    outputs: int = 1
    # What to try, besides a lower learning rate, when its log likelihood is no longer finite.
    advice: str = ""
    # The title of the weights that are shipped for each data set; empty where none are.
    shipped_title: str = ""

    def latex(self, scale: float, pixels: int) -> str:
        """Minus log p(x|z) of an image of ``pixels`` pixels, with its numbers."""
        return self.equation if isinstance(self.equation, str) else self.equation(scale, pixels)


# Methods and functions that several exported scripts share.
FIXED_SCALE = """
    def log_scale(self):
        return math.log(SETTINGS["scale"])
"""
LEARNED_SCALE = """
    def __init__(self):
        super().__init__()
        self.free = free_log_scale()

    def log_scale(self):
        return MIN_LOG_SCALE + F.softplus(self.free - MIN_LOG_SCALE)
"""
FREE_SCALE = '''

def free_log_scale():
    """What is learned in place of log scale, which a softplus keeps above its bound."""
    above = math.log(SETTINGS["scale"]) - MIN_LOG_SCALE
    return nn.Parameter(torch.tensor(math.log(math.expm1(above)) + MIN_LOG_SCALE))
'''
