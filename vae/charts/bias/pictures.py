"""Histograms of fitted greys, one strip for each loss."""

import altair as alt
import pandas as pd

from vae.charts.kit.theme import Style

BINS = 25


def build_greys_chart(*, shares: tuple[tuple[Style, tuple[float, ...]], ...]) -> alt.TopLevelMixin:
    """Share of pixels in each of 25 bins of grey, strips under one another.

    ``shares``: a style and its bins' shares, which sum to 1.
    """
    rows = pd.DataFrame(
        [
            {"loss": style.label, "low": i / BINS, "high": (i + 1) / BINS, "share": share}
            for style, bins in shares
            for i, share in enumerate(bins)
        ]
    )
    names = [style.label for style, _ in shares]
    return (
        alt.Chart(rows, height=58, width=208)
        .mark_bar(clip=True)
        .encode(
            x=alt.X("low:Q", title="grey", scale=alt.Scale(domain=[0, 1], nice=False)),
            x2=alt.X2("high:Q"),
            y2=alt.Y2Datum(0),
            y=alt.Y(
                "share:Q",
                title=None,
                # The background would dwarf all other greys.
                scale=alt.Scale(type="sqrt", domain=[0, 0.6], nice=False),
                axis=alt.Axis(values=[0.05, 0.3, 0.6], format="%"),
            ),
            color=alt.Color(
                "loss:N",
                legend=None,
                scale=alt.Scale(domain=names, range=[style.colour for style, _ in shares]),
            ),
            row=alt.Row(
                "loss:N",
                sort=names,
                title=None,
                spacing=6,
                header=alt.Header(labelOrient="top", labelAnchor="start"),
            ),
            tooltip=[
                alt.Tooltip("loss:N"),
                alt.Tooltip("low:Q", title="grey from", format=".2f"),
                alt.Tooltip("share:Q", format=".2%"),
            ],
        )
        .properties(
            description="Histograms of the target's greys and of the greys fitted with each loss, "
            "under one another on one scale."
        )
    )
