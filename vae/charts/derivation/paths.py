"""Trajectories of two trainings in the plane of encoder and decoder weight."""

import altair as alt
import numpy as np
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import stroke_legend
from vae.charts.kit.theme import GAUSSIAN, KL, TARGET
from vae.theory.linear_vae import START, race

_KEPT = 8


def build_race_chart(*, optimiser: str, scale: float, kl: bool) -> alt.LayerChart:
    """Paths at sigma 1 and at ``scale`` with the adjusted rate, encoder weight v against w."""
    run = race(optimiser=optimiser, scale=scale, kl=kl)
    names = ("σ = 1", f"σ = {scale:g}, rate adjusted")
    rows = pd.concat(
        [_rows(names[0], run.reference), _rows(names[1], run.adjusted)], ignore_index=True
    )
    base = alt.Chart(rows).encode(
        x=alt.X("v:Q", title="encoder weight v", scale=alt.Scale(zero=False, nice=True)),
        y=alt.Y("w:Q", title="decoder weight w", scale=alt.Scale(zero=False, nice=True)),
        order=alt.Order("step:Q"),
    )
    style = {
        "color": alt.Color(
            "run:N",
            title=None,
            scale=alt.Scale(domain=list(names), range=[GAUSSIAN.colour, KL.colour]),
            legend=stroke_legend(symbolStrokeWidth=4),
        ),
        "strokeDash": alt.StrokeDash(
            "run:N", title=None, scale=alt.Scale(domain=list(names), range=[[1, 0], [5, 5]])
        ),
        "strokeWidth": alt.StrokeWidth(
            "run:N", title=None, scale=alt.Scale(domain=list(names), range=[7, 3])
        ),
        "opacity": alt.Opacity(
            "run:N", title=None, scale=alt.Scale(domain=list(names), range=[0.55, 1])
        ),
    }
    paths = base.mark_line().encode(**style)
    start = alt.Chart(pd.DataFrame({"v": [START[1]], "w": [START[0]], "name": ["start"]}))
    begins = start.mark_point(shape="cross", size=120, filled=True, color=TARGET.colour, opacity=1)
    label = start.mark_text(align="left", dx=-4, dy=-14).encode(text=alt.Text("name:N"))
    place = {"x": alt.X("v:Q"), "y": alt.Y("w:Q")}
    verdict = "differ" if run.difference > 1e-6 else "coincide"
    return layered(
        paths,
        _ends(rows, names),
        begins.encode(**place),
        label.encode(**place),
        resolve={"scale": {"shape": "independent"}},
        height=265,
        description=f"Paths of the encoder and decoder weight under {optimiser} at sigma 1 and "
        f"at sigma {scale:g} with an adjusted learning rate, "
        f"{'with' if kl else 'without'} the KL: they {verdict}.",
    )


def _ends(rows: pd.DataFrame, names: tuple[str, ...]) -> alt.Chart:
    """A point where each path ends."""
    return (
        alt.Chart(rows.groupby("run", sort=False).tail(1))
        .mark_point(filled=True, size=140, opacity=1)
        .encode(
            x=alt.X("v:Q"),
            y=alt.Y("w:Q"),
            color=alt.Color("run:N", legend=None),
            shape=alt.Shape(
                "run:N",
                legend=None,
                scale=alt.Scale(domain=list(names), range=["circle", "diamond"]),
            ),
            tooltip=[
                alt.Tooltip("run"),
                alt.Tooltip("v:Q", format=".4f"),
                alt.Tooltip("w:Q", format=".4f"),
            ],
        )
    )


def _rows(name: str, path: np.ndarray) -> pd.DataFrame:
    kept = np.unique(np.r_[np.arange(0, len(path), _KEPT), len(path) - 1])
    return pd.DataFrame({"run": name, "step": kept, "w": path[kept, 0], "v": path[kept, 1]})
