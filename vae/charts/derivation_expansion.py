"""A step's numbers, which follow the learner's pixel."""

import altair as alt

from vae.charts.derivation_parts import UNDESCRIBED, pixel_params, readout


def build_numbers_chart(
    *, lines: tuple[str, ...], sigma: float, x: float, mean: float
) -> alt.LayerChart:
    """``lines`` (Vega expressions that give text) as text, one below the other."""
    return (
        alt.layer(readout(*lines, x=2, y=2, size=15))
        .add_params(*pixel_params(sigma=sigma, x=x, mean=mean))
        .properties(
            height=6 + 20 * len(lines),
            padding=0,
            description="The formula above with the numbers of the chosen pixel put in.",
        )
        .configure_view(stroke=None)
        .configure_mark(**UNDESCRIBED)
    )
