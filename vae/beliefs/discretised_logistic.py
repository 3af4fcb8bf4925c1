"""The discretised logistic: probabilities of grey levels from one bell (Salimans et al. 2017)."""

from vae.beliefs.types import FREE_SCALE, LEARNED_SCALE, MEAN_LINE, Belief, Style

DISCRETISED_LOGISTIC = Belief(
    name="discretised-logistic",
    in_browser=True,
    label="discretised logistic",
    short="discretised logistic",
    style=Style("discretised logistic", "#B5485D", (7, 2), "stroke"),
    counts="a probability of 256 grey levels",
    equation=(
        r"-\sum_i \log\Big[\mathrm{sigm}\big(\tfrac{x_i + 1/510 - \mu_i(z)}{s}\big)"
        r" - \mathrm{sigm}\big(\tfrac{x_i - 1/510 - \mu_i(z)}{s}\big)\Big]"
        r"\;\; (\text{open at 0 and 1})"
    ),
    code=(
        MEAN_LINE,
        "upper, lower = (x + 1 / 510 - mean) / scale, (x - 1 / 510 - mean) / scale",
        "inside = torch.log(-torch.expm1(lower - upper))  # log of sigm(upper) - sigm(lower)",
        "nll = F.softplus(-upper) + F.softplus(lower) - inside",
        "nll = torch.where(x == 0, F.softplus(-upper), nll)  # black: all that lies below",
        "nll = torch.where(x == 1, F.softplus(lower), nll)  # white: all that lies above",
    ),
    script=LEARNED_SCALE
    + """
    def forward(self, out, x):
        inverse = torch.exp(-self.log_scale())
        width = inverse / 255
        level = (x * 255).round()
        middle = (level / 255 - self.mean(out)) * inverse
        upper, lower = F.softplus(-(middle + 0.5 * width)), F.softplus(middle - 0.5 * width)
        both = upper + lower - torch.log(-torch.expm1(-width))
        return torch.where(level == 0, upper, torch.where(level == 255, lower, both))
""",
    helpers=FREE_SCALE,
    scale="learned",
)
