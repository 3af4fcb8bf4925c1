"""The threads' question as two figures: one minimum without a KL, many exchanges beside it."""

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import stroke_legend
from vae.charts.kit.theme import (
    BERNOULLI,
    COUNTER_BIASED,
    GAUSSIAN,
    TARGET,
    Style,
    colour_scale,
    dash_scale,
    shape_scale,
)
from vae.theory import bernoulli, counter_biased

HEIGHT = 300
LOSSES = (GAUSSIAN, BERNOULLI, COUNTER_BIASED)
# Greys of one pixel that a network cannot tell apart.
GREYS = (0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.95)
Points = tuple[tuple[Style, str, float, float], ...]


def build_minimum_chart() -> alt.LayerChart:
    """Mean losses of ``GREYS`` above their least, each to its own highest, against the output."""
    targets = np.array(GREYS)[:, None]
    p = np.linspace(0.02, 0.98, 97)
    costs = {
        GAUSSIAN.label: bernoulli.squared_error(targets, p).mean(axis=0),
        BERNOULLI.label: bernoulli.bce(targets, p).mean(axis=0),
        COUNTER_BIASED.label: counter_biased.loss_one(targets, p).mean(axis=0),
    }
    rows = pd.concat(
        pd.DataFrame(
            {"loss": name, "p": p, "cost": (cost - cost.min()) / (cost.max() - cost.min())}
        )
        for name, cost in costs.items()
    )
    lines = (
        alt.Chart(rows)
        .mark_line(strokeWidth=3, clip=True)
        .encode(
            x=alt.X("p:Q", title="output p", scale=alt.Scale(domain=[0, 1], nice=False)),
            y=alt.Y("cost:Q", title="scaled loss; any σ"),
            color=_colour("loss", LOSSES, stroke_legend(columns=1)),
            strokeDash=alt.StrokeDash(
                "loss:N", title=None, sort=_names(LOSSES), scale=dash_scale(*LOSSES)
            ),
        )
    )
    mean = (
        alt.Chart(alt.Data(values=[{"p": float(np.mean(GREYS))}]))
        .mark_rule(color=TARGET.colour, strokeDash=[3, 3], strokeWidth=2)
        .encode(x=alt.X("p:Q"))
    )
    return layered(
        mean,
        lines,
        height=HEIGHT,
        description="Mean loss of seven greys against one output, for squared error at any sigma, "
        "binary cross-entropy and the counter-biased loss. All three are least at the greys' "
        "mean, marked by a dotted line.",
    )


def build_exchange_chart(*, runs: Points) -> alt.LayerChart:
    """Squared error against KL of trained runs: sigma slides along a curve, others are points.

    ``runs``: a style, a name, the KL in nats and the squared error a pixel, in order of KL.
    """
    rows = pd.DataFrame(
        [(style.label, name, kl, mse) for style, name, kl, mse in runs],
        columns=["loss", "name", "kl", "mse"],
    )
    styles = tuple({style.label: style for style, *_ in runs}.values())
    base = alt.Chart(rows).encode(
        x=alt.X(
            "kl:Q",
            title="KL, nats per image",
            # Room for the names of the runs on the right.
            scale=alt.Scale(domain=[0, 1.25 * float(rows["kl"].max())], nice=False),
        ),
        y=alt.Y(
            "mse:Q",
            title="squared error per pixel",
            scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(format="~g", tickCount=4),
        ),
        color=_colour("loss", styles, alt.Legend(orient="bottom", columns=1)),
    )
    sigma = base.transform_filter(f"datum.loss == '{GAUSSIAN.label}'").mark_line(strokeWidth=1.5)
    points = base.mark_point(filled=True, size=120, opacity=1).encode(
        shape=alt.Shape("loss:N", title=None, sort=_names(styles), scale=shape_scale(*styles)),
        tooltip=[
            alt.Tooltip("name:N", title="run"),
            alt.Tooltip("kl:Q", format=".1f"),
            alt.Tooltip("mse:Q", format=".4f"),
        ],
    )
    return layered(
        sigma,
        points,
        *_run_names(base, styles),
        height=HEIGHT,
        description="Trained runs in the plane of KL and squared error. The Gaussian slides down "
        "a curve as sigma shrinks, the Bernoulli is one point on it, the continuous Bernoulli "
        "lies above it.",
    )


def _run_names(base: alt.Chart, styles: Sequence[Style]) -> list[alt.Chart]:
    """Runs of one KL stand close: one name below its point, one above, one above that."""
    of = {style.label: base.transform_filter(f"datum.loss == '{style.label}'") for style in styles}
    below = of.pop(BERNOULLI.label, None)
    sigmas = of.pop(GAUSSIAN.label, None)
    name = alt.Text("name:N")
    words = [rows.mark_text(align="left", dx=9, dy=-20).encode(text=name) for rows in of.values()]
    if sigmas is not None:
        words.append(sigmas.mark_text(align="left", dx=9, dy=-8).encode(text=name))
    if below is not None:
        words.append(below.mark_text(align="right", dx=-9, dy=12).encode(text=name))
    return words


def _names(styles: Sequence[Style]) -> list[str]:
    return [style.label for style in styles]


def _colour(field: str, styles: Sequence[Style], legend: alt.Legend) -> alt.Color:
    return alt.Color(
        f"{field}:N",
        title=None,
        sort=_names(styles),
        scale=colour_scale(*styles),
        legend=legend,
    )
