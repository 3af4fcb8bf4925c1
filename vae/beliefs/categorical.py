"""The categorical: a softmax over all grey levels of a pixel."""

from vae.beliefs.types import Belief, Style

CATEGORICAL = Belief(
    name="categorical",
    in_browser=True,
    label="categorical (softmax)",
    short="categorical",
    style=Style("categorical", "#5F7A1E", (3, 3, 9, 3), "cross"),
    counts="a probability of 256 grey levels",
    equation=(
        r"-\sum_i \log\,\mathrm{softmax}\big(W^{\!\top} f_i(z) + c\big)_{k_i}"
        r",\quad f_i(z) \in \mathbb{R}^8,\; k_i = 255\,x_i"
    ),
    code=(
        "f = out.unflatten(-1, (-1, 8))  # eight numbers of the decoder for each pixel",
        "logits = f @ table + bias  # one learned (8, 256) for all pixels: 256 logits a pixel",
        'nll = F.cross_entropy(logits.movedim(-1, 1), (255 * x).round().long(), reduction="none")',
    ),
    script="""
    def __init__(self):
        super().__init__()
        k, j = torch.arange(256).double() + 0.5, torch.arange(1, 9).double()
        self.table = nn.Parameter(torch.cos(math.pi / 256 * j[:, None] * k).float())
        self.bias = nn.Parameter(torch.zeros(256))

    def forward(self, out, x):
        logits = out.unflatten(-1, (-1, 8)) @ self.table + self.bias
        levels = (x * 255).round().long()
        return F.cross_entropy(logits.movedim(-1, 1), levels, reduction="none")
""",
    outputs=8,
)
