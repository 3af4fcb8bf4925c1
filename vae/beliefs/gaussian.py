"""The Gaussian with one scale for all pixels: squared error with a weight."""

import math

from vae.beliefs.types import FIXED_SCALE, FREE_SCALE, LEARNED_SCALE, MEAN_LINE, Belief, Style

_COUNTS = "a density of grey pixels"
_ADVICE = "a larger σ: squared errors are divided by its square"
_SQUARED = r"\lVert x - \mu(z)\rVert^2"
_NLL = """
    def forward(self, out, x):
        mean = self.mean(out)
        log_scale = self.log_scale()
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
    in_browser=True,
    label="Gaussian, fixed σ (MSE)",
    short="MSE, σ fixed",
    short_fixed="MSE, σ {scale:g}",
    style=Style("Gaussian / MSE", "#0072B2", (), "circle"),
    counts=_COUNTS,
    equation=_fixed_equation,
    code=(
        MEAN_LINE,
        "nll = (x - mean)**2 / (2 * {scale}**2) + math.log({scale}) + 0.5 * math.log(2 * math.pi)",
    ),
    script=FIXED_SCALE + _NLL,
    scale="fixed",
    gaussian=True,
    advice=_ADVICE,
    shipped_title="Gaussian, σ = 1",
)
LEARNED = Belief(
    name="gaussian-learned",
    in_browser=True,
    label="Gaussian, one learned σ",
    short="σ learned",
    style=Style("σ learned", "#56B4E9", (6, 2), "triangle-right"),
    counts=_COUNTS,
    equation=_learned_equation,
    code=(
        MEAN_LINE,
        "nll = (x - mean)**2 / (2 * scale**2) + scale.log() + 0.5 * math.log(2 * math.pi)",
    ),
    script=LEARNED_SCALE + _NLL,
    helpers=FREE_SCALE,
    scale="learned",
    gaussian=True,
    advice=_ADVICE,
)
OPTIMAL = Belief(
    name="gaussian-optimal",
    in_browser=True,
    label="Gaussian, σ = batch RMSE",
    short="σ = batch RMSE",
    style=Style("σ = batch RMSE", "#56B4E9", (2, 2), "triangle-left"),
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

    def forward(self, out, x):
        mean = self.mean(out)
        log_scale = self.log_scale(mean, x)
        return (x - mean).square() * (0.5 * torch.exp(-2 * log_scale)) + (log_scale + 0.5 * LOG_2PI)

    def log_scale(self, mean, x):
        if not self.training:
            return 0.5 * self.variance.log()
        with torch.no_grad():
            batch = (mean - x).square().mean(-1).mean().clamp_min(math.exp(2 * MIN_LOG_SCALE))
            self.updates += 1
            self.variance.lerp_(batch, max(1 / self.updates, 0.01))
        return 0.5 * batch.log()
""",
    scale="fitted",
    gaussian=True,
    advice=_ADVICE,
    shipped_title="Gaussian, optimal σ",
)
PER_PIXEL = Belief(
    name="gaussian-per-pixel",
    in_browser=True,
    label="Gaussian, one σ a pixel",
    short="σ per pixel",
    style=Style("σ per pixel", "#3B73D9", (4, 4), "triangle"),
    counts=_COUNTS,
    equation=(
        r"\sum_i \Big[\frac{(x_i - \mu_i(z))^2}{2\sigma_i(z)^2}"
        r" + \tfrac12\log(2\pi\sigma_i(z)^2)\Big],\quad \sigma_i > e^{-4}"
    ),
    code=(
        "out, free = out.chunk(2, dim=-1)  # two numbers of the decoder for each pixel",
        MEAN_LINE,
        "log_scale = F.softplus(free + 4) - 4  # a floor: sigma stays above exp(-4) = .018",
        "nll = (x - mean)**2 / (2 * torch.exp(2 * log_scale)) + log_scale",
        "nll = nll + 0.5 * math.log(2 * math.pi)",
    ),
    script="""
    def forward(self, out, x):
        mean, free = out.chunk(2, dim=-1)
        log_scale = F.softplus(free + 4) - 4
        square = (x - self.mean(mean)).square()
        return square * (0.5 * torch.exp(-2 * log_scale)) + (log_scale + 0.5 * LOG_2PI)
""",
    outputs=2,
    advice="a likelihood with one σ: a pixel that hardly changes makes its own very small",
)
