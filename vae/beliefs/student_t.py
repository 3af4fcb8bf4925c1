"""Student's t: a robust loss, for which a far miss costs a logarithm."""

import math

from vae.beliefs.types import FREE_SCALE, LEARNED_SCALE, MEAN_LINE, Belief, Style


def _equation(scale: float, pixels: int) -> str:
    del scale
    return (
        r"2\sum_i \log\Big(1 + \frac{(x_i - \mu_i(z))^2}{3 s^2}\Big)"
        rf" + {pixels}\,\log s {pixels * math.log(math.pi * math.sqrt(3) / 2):+.1f}"
    )


STUDENT_T = Belief(
    name="student-t",
    in_browser=True,
    label="Student-t (robust)",
    short="Student-t",
    style=Style("Student-t", "#A07A2C", (9, 2, 2, 2), "arrow"),
    counts="a density of grey pixels",
    equation=_equation,
    code=(
        MEAN_LINE,
        "nll = 2 * torch.log1p(((x - mean) / scale)**2 / 3)",
        "nll = nll + scale.log() + math.log(math.pi * math.sqrt(3) / 2)",
    ),
    script=LEARNED_SCALE
    + """
    def forward(self, out, x):
        log_scale = self.log_scale()
        square = ((x - self.mean(out)) * torch.exp(-log_scale)).square()
        constant = math.log(2 / (math.pi * math.sqrt(3)))
        return 2 * torch.log1p(square / 3) + (log_scale - constant)
""",
    helpers=FREE_SCALE,
    scale="learned",
)
