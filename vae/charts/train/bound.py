"""The importance-weighted bound against the number of draws: one line for each member of a run."""

import altair as alt

from vae.beliefs import Style
from vae.charts.kit.layers import layered
from vae.charts.train.styles import HEIGHT, colour, dash, shape, title

_TITLE = "bound, bits per pixel, by draws of z"


def build_bound_chart(*, styles: tuple[Style, ...]) -> alt.TopLevelMixin:
    """Bits per pixel of ``bound_frame`` against K, with a standard error over images each way."""
    base = alt.Chart().encode(
        x=alt.X(
            "draws:Q",
            title=None,
            scale=alt.Scale(type="log", domain=[0.9, 1100], nice=False),
            axis=alt.Axis(values=[1, 10, 100, 1000], format=",d"),
        ),
        y=alt.Y("bits:Q", title=None, scale=alt.Scale(zero=False)),
        color=colour(styles),
    )
    line = base.mark_line(strokeWidth=2).encode(strokeDash=dash(styles))
    errors = base.mark_rule(opacity=0.5).encode(y=alt.Y("low:Q", title=None), y2=alt.Y2("high:Q"))
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        shape=shape(styles),
        tooltip=[
            alt.Tooltip("member:N", title="run"),
            alt.Tooltip("draws:Q", title="draws of z"),
            alt.Tooltip("bits:Q", title="bits per pixel", format=".4f"),
            alt.Tooltip("error:Q", title="standard error", format=".4f"),
        ],
    )
    return layered(
        errors,
        line,
        points,
        height=HEIGHT,
        title=title(_TITLE),
        description="The importance-weighted bound in bits per pixel against the number of draws "
        "of z, from 1 to 1,000 on a logarithmic axis. It falls toward the true cost of an image. "
        "Bars are one standard error over test images.",
    )
