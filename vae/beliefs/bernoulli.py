"""The Bernoulli: binary cross-entropy, which is its likelihood where pixels are binary."""

from vae.beliefs.types import Belief, Style

BERNOULLI = Belief(
    name="bernoulli",
    in_browser=True,
    label="Bernoulli (BCE)",
    short="BCE",
    style=Style("Bernoulli / BCE", "#D55E00", (8, 4), "square"),
    counts="a probability of binary pixels",
    equation=r"-\sum_i \big[x_i \log p_i(z) + (1 - x_i)\log(1 - p_i(z))\big]",
    code=('nll = F.binary_cross_entropy_with_logits(out, x, reduction="none")',),
    script="""
    def forward(self, out, x):
        return F.softplus(out) - x * out
""",
    floor="entropy",
    shipped_title="Bernoulli (BCE)",
)
