"""The counter-biased loss: in a likelihood's place, and none."""

from vae.beliefs.types import Belief, Style

COUNTER_BIASED = Belief(
    name="counter-biased",
    in_browser=True,
    label="counter-biased (no density)",
    short="counter-biased L₁",
    style=Style("counter-biased L₁", "#CC79A7", (2, 3), "triangle-up"),
    counts="a loss that is no likelihood",
    equation=(
        r"\sum_i \big[2x_i(1-x_i)h_i^2 + \tfrac43(1-2x_i)h_i^3 - h_i^4\big]"
        r"\;\; (h_i = p_i(z) - x_i)"
    ),
    code=(
        "h = torch.sigmoid(out) - x",
        "nll = 2 * x * (1 - x) * h**2 + 4 / 3 * (1 - 2 * x) * h**3 - h**4",
    ),
    script="""
    def forward(self, out, x):
        h = torch.sigmoid(out) - x
        return h.square() * (2 * x * (1 - x) + h * ((4 / 3) * (1 - 2 * x) - h))
""",
    floor="zero",
    normalised=False,
)
