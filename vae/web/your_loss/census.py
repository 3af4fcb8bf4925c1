"""The census of public losses as a figure, as a table, and one by one; the reader's loss in it."""

import pandas as pd
import streamlit as st

from vae import numerals
from vae.charts.your_loss.census import OWN, build_census_chart, describe_census, own_rows
from vae.memo import shared
from vae.web import kept
from vae.web.kit import address, figures
from vae.your_loss import census

_NONE = "none"


def show_figure(own: float | None = None) -> None:
    """All public losses on one axis, ``own`` sigma^2 among them; then a way to ask for one.

    The figure stands above its control, which says what is ringed.
    """
    place = st.container()
    with st.expander(
        "Look one up, or all as a table", icon=":material/table:", key="loss-census-fold"
    ):
        chosen = _show_lookup()
        kept.show("census", lambda: st.dataframe(_table(), hide_index=True))
    with place:
        marked = own is not None
        figures.fill_chart(
            build_census_chart,
            key="census",
            rows={} if own is None else {OWN: own_rows(own)},
            words=describe_census(own),
            marked=marked,
            chosen=chosen,
        )


def _show_lookup() -> str:
    """A list that names the points by keyboard too; returns the id of the chosen one."""
    entries = {entry.id: entry for entry in census()}
    chosen = address.choose(
        "Ring one in the figure", [_NONE, *entries], key="public", kind="select"
    )
    entry = entries.get(chosen)
    if entry is None:
        return ""
    unit = entry.sigma2_unit
    st.markdown(
        f"{address.plain(entry.source)}: {address.plain(entry.reconstruction)}; KL "
        f"{address.plain(entry.kl)}. σ² = {address.plain(entry.formula)} = "
        + numerals.written(f"{entry.sigma2:.4g}")
        + (
            f", {numerals.written(f'{unit:.4g}')} for pixels in [0, 1]."
            if unit is not None
            else "; its data are no pictures."
        )
    )
    return chosen


@shared(maxsize=1)
def _table() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "name": entry.id,
                "source": entry.source,
                "σ² in [0, 1]": entry.sigma2_unit,
                "as": entry.formula,
                "error": entry.reconstruction,
                "KL": entry.kl,
                "latents": entry.latents,
                "pixels": entry.pixels,
            }
            for entry in census()
        ]
    )
