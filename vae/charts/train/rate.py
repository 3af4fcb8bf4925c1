"""Rate and distortion: what each run of a sweep pays in KL, and what error it leaves."""

import altair as alt

from vae.beliefs import Style
from vae.charts.kit.layers import layered
from vae.charts.kit.theme import TARGET
from vae.charts.train.styles import legend, title
from vae.runs.tables import MEASURED, PREDICTED

_HEIGHT = 340


def build_rate_chart(*, families: tuple[Style, ...]) -> alt.TopLevelMixin:
    """``rate_frame``: points for runs, by family of likelihood, and the linear VAE's curve."""
    labels = [style.label for style in families]
    base = alt.Chart().encode(
        x=alt.X("kl:Q", title="KL, nats per image: the rate"),
        y=alt.Y(
            "mse:Q",
            title="squared error per pixel: the distortion",
            scale=alt.Scale(type="log", nice=False),
        ),
    )
    theory = base.transform_filter(f"datum.kind == '{PREDICTED}'").mark_line(
        color=TARGET.colour, strokeDash=list(TARGET.dash), strokeWidth=3
    )
    measured = base.transform_filter(f"datum.kind == '{MEASURED}'")
    points = measured.mark_point(filled=True, size=140, opacity=1).encode(
        color=alt.Color(
            "family:N",
            scale=alt.Scale(domain=labels, range=[style.colour for style in families]),
            legend=legend(),
        ),
        shape=alt.Shape(
            "family:N",
            scale=alt.Scale(domain=labels, range=[style.shape for style in families]),
            legend=legend(),
        ),
        tooltip=[
            alt.Tooltip("member:N", title="run"),
            alt.Tooltip("kl:Q", title="KL, nats", format=".1f"),
            alt.Tooltip("mse:Q", title="MSE per pixel", format=".4f"),
            alt.Tooltip("bits:Q", title="bits per pixel", format=".3f"),
        ],
    )
    names = measured.mark_text(align="left", dx=9, dy=-7).encode(text=alt.Text("name:N"))
    return layered(
        theory,
        points,
        names,
        height=_HEIGHT,
        title=title("each loss is a rate of exchange: error against KL"),
        description="Squared error per pixel on a logarithmic axis against KL in nats, a point "
        "for each run of the sweep. A dotted line is the least error that a linear VAE can leave "
        "at each KL.",
    )
