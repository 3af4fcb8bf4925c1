"""The Laplace: absolute error, L1, with a weight."""

import math

from vae.beliefs.types import FIXED_SCALE, FREE_SCALE, LEARNED_SCALE, MEAN_LINE, Belief, Style

_COUNTS = "a density of grey pixels"
_ABSOLUTE = r"\lVert x - \mu(z)\rVert_1"
_ADVICE = "a larger scale: absolute errors are divided by it"
_NLL = """
    def forward(self, out, x):
        log_scale = self.log_scale()
        power = math.exp if isinstance(log_scale, float) else torch.exp
        return (x - self.mean(out)).abs() * power(-log_scale) + (log_scale + math.log(2))
"""


def _fixed_equation(scale: float, pixels: int) -> str:
    return rf"{1 / scale:.4g}\,{_ABSOLUTE} {pixels * math.log(2 * scale):+.1f}"


def _learned_equation(scale: float, pixels: int) -> str:
    del scale
    return rf"\frac{{1}}{{b}}{_ABSOLUTE} + {pixels}\,\log(2b)"


FIXED = Belief(
    name="laplace",
    in_browser=True,
    label="Laplace, fixed scale (L1)",
    short="L1, scale fixed",
    short_fixed="L1, scale {scale:g}",
    style=Style("Laplace / L1", "#8A63D2", (5, 3), "triangle-down"),
    counts=_COUNTS,
    equation=_fixed_equation,
    code=(MEAN_LINE, "nll = (x - mean).abs() / {scale} + math.log(2 * {scale})"),
    script=FIXED_SCALE + _NLL,
    scale="fixed",
    advice=_ADVICE,
)
LEARNED = Belief(
    name="laplace-learned",
    in_browser=True,
    label="Laplace, one learned scale",
    short="L1, scale learned",
    style=Style("Laplace, scale learned", "#8A63D2", (1, 2), "wedge"),
    counts=_COUNTS,
    equation=_learned_equation,
    code=(MEAN_LINE, "nll = (x - mean).abs() / scale + (2 * scale).log()"),
    script=LEARNED_SCALE + _NLL,
    helpers=FREE_SCALE,
    scale="learned",
    advice=_ADVICE,
)
