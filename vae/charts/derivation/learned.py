"""A learned scale: the loss it makes of the squared error, and where one a pixel leads."""

import altair as alt
import numpy as np
import pandas as pd

from vae.charts.kit.layers import layered
from vae.charts.kit.parts import labels_as_powers, stroke_legend
from vae.charts.kit.theme import BERNOULLI, GAUSSIAN, TARGET
from vae.theory.gaussian import QUANTISATION_SCALE, best_nll, nll_from_mse
from vae.theory.learned_scale import per_pixel_nll, shared_nll

HEIGHT = 310
PIXELS = 784
FIXED_SCALES = (1.0, 0.3, 0.1)
Errors = tuple[float, ...]


def build_learned_loss_chart() -> alt.LayerChart:
    """NLL against MSE: straight lines for fixed scales, D/2 log MSE for a learned one below all."""
    touching = pd.DataFrame(
        {
            "mse": [scale**2 for scale in FIXED_SCALES],
            "nll": [float(best_nll(scale**2, PIXELS)) for scale in FIXED_SCALES],
            "name": [f"MSE = {scale:g}²" for scale in FIXED_SCALES],
        }
    ).query("mse <= 0.12")
    points = alt.Chart(touching).encode(x=alt.X("mse:Q"), y=alt.Y("nll:Q"))
    return layered(
        _lines_and_logarithm(),
        points.mark_point(filled=True, size=110, opacity=1, color=GAUSSIAN.colour),
        points.mark_text(dx=10, dy=16, align="left").encode(text=alt.Text("name:N")),
        height=HEIGHT,
        description="Negative log likelihood of an image against its mean squared error. A fixed "
        "sigma is a straight line, a learned sigma the logarithm. It touches each line from below "
        "where the error is sigma squared.",
    )


def _lines_and_logarithm() -> alt.Chart:
    """A straight line for each fixed scale, and the loss of a learned one."""
    grid = np.linspace(0.001, 0.12, 239)
    names = [f"σ = {scale:g}" for scale in FIXED_SCALES] + ["σ learned"]
    columns = [nll_from_mse(grid, scale, PIXELS) for scale in FIXED_SCALES]
    columns.append(best_nll(grid, PIXELS))
    rows = pd.concat(
        [
            pd.DataFrame({"mse": grid, "nll": values, "loss": name})
            for name, values in zip(names, columns, strict=True)
        ],
        ignore_index=True,
    )
    lines = alt.Chart(rows).mark_line(strokeWidth=3, clip=True)
    return lines.encode(
        x=alt.X("mse:Q", title="MSE per pixel", scale=alt.Scale(domain=[0, 0.12])),
        y=alt.Y(
            "nll:Q",
            title="−log p, nats per image",
            scale=alt.Scale(domain=[-1800, 1800], nice=False),
        ),
        color=alt.Color(
            "loss:N",
            title=None,
            sort=names,
            scale=alt.Scale(
                domain=names,
                range=[TARGET.colour, TARGET.colour, TARGET.colour, GAUSSIAN.colour],
            ),
            legend=stroke_legend(columns=2),
        ),
        strokeDash=alt.StrokeDash(
            "loss:N",
            title=None,
            sort=names,
            scale=alt.Scale(domain=names, range=[[1, 3], [6, 3], [12, 3], [1, 0]]),
        ),
    )


def build_floor_chart(*, errors: Errors) -> alt.LayerChart:
    """NLL against the smallest scale allowed: level for one scale, falling for one a pixel."""
    rounding = alt.Chart(
        pd.DataFrame({"floor": [QUANTISATION_SCALE], "name": ["8-bit rounding"]})
    ).encode(x=alt.X("floor:Q"))
    return layered(
        _shared_and_per_pixel(errors),
        rounding.mark_rule(strokeDash=[4, 3], strokeWidth=2, color=TARGET.colour),
        rounding.mark_text(align="left", dx=6, baseline="top").encode(
            text=alt.Text("name:N"), y=alt.YValue(6)
        ),
        height=HEIGHT,
        description="Negative log likelihood against the smallest sigma allowed: with one sigma "
        "for all pixels it settles, with one for each pixel it falls without end, because some "
        "pixels never vary.",
    )


def _shared_and_per_pixel(errors: Errors) -> alt.Chart:
    """The two curves against the smallest scale allowed."""
    floors = np.logspace(-6, 0, 121)
    names = ("one σ for all pixels", "one σ for each pixel")
    rows = pd.DataFrame(
        {
            "floor": np.tile(floors, 2),
            "nll": [shared_nll(errors, floor) for floor in floors]
            + [per_pixel_nll(errors, floor) for floor in floors],
            "scale": [names[0]] * len(floors) + [names[1]] * len(floors),
        }
    )
    return (
        alt.Chart(rows)
        .mark_line(strokeWidth=3)
        .encode(
            x=alt.X(
                "floor:Q",
                title="smallest σ allowed (to the left: less and less)",
                scale=alt.Scale(type="log", domain=[1e-6, 1], nice=False),
                axis=alt.Axis(
                    values=[1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1],
                    labelExpr=labels_as_powers(-6, 0, plain=(-2, -1, 0)),
                ),
            ),
            y=alt.Y("nll:Q", title="−log p, nats per image"),
            color=alt.Color(
                "scale:N",
                title=None,
                sort=list(names),
                scale=alt.Scale(domain=list(names), range=[GAUSSIAN.colour, BERNOULLI.colour]),
                legend=stroke_legend(columns=1),
            ),
            strokeDash=alt.StrokeDash(
                "scale:N",
                title=None,
                sort=list(names),
                scale=alt.Scale(domain=list(names), range=[[1, 0], list(BERNOULLI.dash)]),
            ),
        )
    )
