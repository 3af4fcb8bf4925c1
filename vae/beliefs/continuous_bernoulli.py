"""The continuous Bernoulli: the cross-entropy with the constant that makes it a density."""

from vae.beliefs.types import Belief, Style

CONTINUOUS_BERNOULLI = Belief(
    name="continuous-bernoulli",
    in_browser=True,
    label="continuous Bernoulli",
    short="continuous Bernoulli",
    style=Style("continuous Bernoulli", "#009E73", (8, 3, 2, 3), "diamond"),
    counts="a density of dequantised pixels",
    equation=(
        r"-\sum_i \big[x_i \log \lambda_i(z) + (1 - x_i)\log(1 - \lambda_i(z))"
        r" + \log C(\lambda_i(z))\big]\;\; (x_i = (k_i + u_i)/256)"
    ),
    code=(
        'nll = F.binary_cross_entropy_with_logits(out, x, reduction="none")',
        "nll = nll - torch.log(out / torch.tanh(out / 2))  # log C; its series where out is near 0",
    ),
    script="""
    def forward(self, out, x):
        return continuous_bernoulli_nll(out, x)
""",
    helpers='''

def continuous_bernoulli_nll(a, x):
    """-a (x - 1/2) + log(sinh(a/2) / (a/2)): by a series near 0, without large terms far off."""
    near = a.abs() < 1
    small, large = torch.where(near, a, 0.0), torch.where(near, 1.0, a.abs())
    square = small.square() / 4
    series = 1 / 2835 - square * (1 / 37800 - square / 467775)
    series = square * (1 / 6 - square * (1 / 180 - square * series))
    distance = torch.where(a < 0, x, 1 - x)
    far = torch.log(large) - torch.log1p(-torch.exp(-large)) - large * distance
    return -torch.where(near, small * (x - 0.5) - series, far)
''',
    dequantised=True,
    shipped_title="continuous Bernoulli",
)
