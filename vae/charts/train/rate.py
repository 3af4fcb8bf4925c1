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
    return layered(
        theory,
        points,
        _names(measured),
        height=_HEIGHT,
        title=title("each loss is a rate of exchange: error against KL"),
        description="Squared error per pixel on a logarithmic axis against KL in nats, a point "
        "for each run of the sweep. A dotted line is the least error that a linear VAE can leave "
        "at each KL.",
    )


# Of a phone's plot: a letter's width, and a line's height.
_LETTER, _LINE = 0.025, 0.08


def _names(measured: alt.Chart) -> alt.Chart:
    """Each point's name: above it, or below where that of the run before it stands; of a third run
    in the same place the table and a pointer tell. Where the right end has no room it stands to the
    left."""
    fits = f"datum.kl / datum.farthest + {_LETTER} * length(datum.name) <= 1"

    def meets(before: int) -> str:
        return (
            f"(isValid(datum.kl_{before})"
            f" && datum.kl - datum.kl_{before}"
            f" < {_LETTER} * length(datum.name_{before}) * datum.farthest"
            f" && abs(log(datum.mse / datum.mse_{before}))"
            f" <= {_LINE} * log(datum.highest / datum.lowest) + 1e-9)"
        )

    earlier = [
        alt.WindowFieldDef(op="lag", field=field, param=before, **{"as": f"{field}_{before}"})
        for before in (1, 2)
        for field in ("kl", "mse", "name")
    ]
    return (
        measured.transform_joinaggregate(farthest="max(kl)", highest="max(mse)", lowest="min(mse)")
        .transform_window(earlier, sort=[alt.SortField("kl")])
        .transform_filter(f"!({meets(1)} && {meets(2)})")
        .mark_text(
            align=alt.ExprRef(f"{fits} ? 'left' : 'right'"),
            dx=alt.ExprRef(f"{fits} ? 9 : -9"),
            dy=alt.ExprRef(f"{meets(1)} ? 12 : -7"),
        )
        .encode(text=alt.Text("name:N"))
    )
