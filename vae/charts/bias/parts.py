"""What the Bias page's figures share: its dials, and the rule below a legend."""

import altair as alt

from vae.charts.kit.dials import Dial
from vae.charts.kit.parts import one_row
from vae.charts.kit.theme import TARGET

# Pixels at the top of a figure that its legend takes.
LEGEND = 66
T = Dial("t", "t, the target", 0.0, 1.0, 0.8, 0.005)
H = Dial("h", "h, how far off", 0.005, 0.495, 0.1, 0.005)
CENTRE = Dial("centre", "centre, where the targets lie", -3.0, 3.0, 1.0, 0.01, digits=2)
SPREAD = Dial("spread", "spread, of the targets", 0.0, 8.0, 1.5, 0.02, digits=2)
SKEW = Dial("skew", "skew", -0.3, 0.3, 0.1, 0.005, digits=2)
S = Dial("s", "s, noise on the output", 0.002, 0.28, 0.1, 0.001)
TAU = Dial("tau", "τ, noise on the logit", 0.0, 2.0, 1.0, 0.01, digits=2)
DECAY = Dial("decay", "decay, of the weights", 1e-4, 1.0, 0.01, 0.01, log=True)
STOP = Dial("stop", "stop, the training time", 0.1, 1000.0, 5.0, 0.01, log=True)
START = Dial("start", "start, its logit", -8.0, 4.0, -5.0, 0.02, digits=2)
SIGMA = Dial("sigma", "σ of the squared error", 0.05, 1.0, 0.7071, 0.005, log=True)
G = Dial("g", "g, which way the loss leans", -1.0, 1.0, 1.0, 0.01, digits=2)

# Inside a figure whose formulas divide by t(1 - t), the target stays this far from 0 and 1.
MARGIN = 0.02
INNER = alt.param(name="inner", expr=f"clamp(t, {MARGIN}, {1 - MARGIN})")


def upright(x: str) -> alt.Chart:
    """A dotted vertical rule at the expression ``x``, below the legend."""
    return (
        one_row(x=x)
        .mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2)
        .encode(x=alt.X("x:Q"), y=alt.YValue(LEGEND), y2=alt.Y2Value(alt.ExprRef("height")))
    )
