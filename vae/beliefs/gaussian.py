"""The Gaussian with one scale for all pixels: squared error with a weight."""

import math

from vae.beliefs.types import MEAN_LINE, Belief, Style

_COUNTS = "a density of grey pixels"
_ADVICE = "a larger sigma: squared errors are divided by its square"
_FREE_SCALE = '''

def free_log_scale():
    """What is learned in place of log scale, which a softplus keeps above its bound."""
    above = math.log(SETTINGS["scale"]) - MIN_LOG_SCALE
    return nn.Parameter(torch.tensor(math.log(math.expm1(above)) + MIN_LOG_SCALE))
'''
_SQUARED = r"\lVert x - \mu(z)\rVert^2"
_NLL = """
    def forward(self, out, x):
        mean = self.mean(out)
        log_scale = self.log_scale(mean, x)
        power = math.exp if isinstance(log_scale, float) else torch.exp
        return (x - mean).square() * (0.5 * power(-2 * log_scale)) + (log_scale + 0.5 * LOG_2PI)
"""


def _fixed_equation(scale: float, pixels: int) -> str:
    constant = pixels / 2 * math.log(2 * math.pi * scale**2)
    return rf"{1 / (2 * scale**2):.4g}\,{_SQUARED} {constant:+.1f}"


def _learned_equation(scale: float, pixels: int) -> str:
    del scale
    return rf"\frac{{1}}{{2\sigma^2}}{_SQUARED} + {pixels / 2:g}\,\log(2\pi\sigma^2)"


def _optimal_equation(scale: float, pixels: int) -> str:
    del scale
    return rf"{pixels / 2:g}\,\big[\log(2\pi\,\mathrm{{MSE}}) + 1\big]"


FIXED = Belief(
    name="gaussian",
    label="Gaussian, fixed sigma (MSE)",
    short="MSE, sigma fixed",
    short_fixed="MSE, sigma {scale:g}",
    style=Style("Gaussian / MSE", "#0072B2", (), "circle"),
    counts=_COUNTS,
    equation=_fixed_equation,
    code=(
        MEAN_LINE,
        "nll = (x - mean)**2 / (2 * {scale}**2) + math.log({scale}) + 0.5 * math.log(2 * math.pi)",
    ),
    script="""
    def log_scale(self, mean, x):
        return math.log(SETTINGS["scale"])
"""
    + _NLL,
    scale="fixed",
    gaussian=True,
    advice=_ADVICE,
    shipped_title="Gaussian, sigma = 1",
)
LEARNED = Belief(
    name="gaussian-learned",
    label="Gaussian, one learned sigma",
    short="sigma learned",
    style=Style("sigma learned", "#56B4E9", (6, 2), "triangle-right"),
    counts=_COUNTS,
    equation=_learned_equation,
    code=(
        MEAN_LINE,
        "nll = (x - mean)**2 / (2 * scale**2) + scale.log() + 0.5 * math.log(2 * math.pi)",
    ),
    script="""
    def __init__(self):
        super().__init__()
        self.free = free_log_scale()

    def log_scale(self, mean, x):
        return MIN_LOG_SCALE + F.softplus(self.free - MIN_LOG_SCALE)
"""
    + _NLL,
    helpers=_FREE_SCALE,
    scale="learned",
    gaussian=True,
    advice=_ADVICE,
)
OPTIMAL = Belief(
    name="gaussian-optimal",
    label="Gaussian, optimal sigma (batch RMSE)",
    short="sigma = batch RMSE",
    style=Style("sigma = batch RMSE", "#56B4E9", (2, 2), "triangle-left"),
    counts=_COUNTS,
    equation=_optimal_equation,
    code=(
        MEAN_LINE,
        "mse = (x - mean).square().mean().detach()  # sigma**2 of this batch",
        "nll = (x - mean)**2 / (2 * mse) + 0.5 * (2 * math.pi * mse).log()",
    ),
    script="""
    def __init__(self):
        super().__init__()
        self.variance = torch.tensor(SETTINGS["scale"] ** 2)
        self.updates = 0

    def log_scale(self, mean, x):
        if not self.training:
            return 0.5 * self.variance.log()
        with torch.no_grad():
            batch = (mean - x).square().mean(-1).mean().clamp_min(math.exp(2 * MIN_LOG_SCALE))
            self.updates += 1
            self.variance.lerp_(batch, max(1 / self.updates, 0.01))
        return 0.5 * batch.log()
"""
    + _NLL,
    scale="fitted",
    gaussian=True,
    advice=_ADVICE,
    shipped_title="Gaussian, optimal sigma",
)
