"""A step's numbers, which follow the learner's pixel."""

import altair as alt

from vae.charts.derivation.parts import pixel_params
from vae.charts.kit.layers import layered
from vae.charts.kit.parts import BARE, readout


def build_numbers_chart(
    *, lines: tuple[str, ...], sigma: float, x: float, mean: float
) -> alt.LayerChart:
    """``lines`` (Vega expressions that give text) as text, one below the other."""
    return layered(
        readout(*lines, x=2, y=2, size=15),
        params=pixel_params(sigma=sigma, x=x, mean=mean),
        height=6 + 20 * len(lines),
        padding=0,
        description="The formula above with the numbers of the chosen pixel put in.",
        config=BARE,
    )
