"""Layers over one another, finished in one step."""

from collections.abc import Sequence
from typing import Any

import altair as alt


def layered(
    *layers: alt.Chart | alt.LayerChart, params: Sequence[alt.Parameter] = (), **properties: Any
) -> alt.LayerChart:
    """``layers`` over one another, with dials' ``params`` and a figure's other ``properties``.

    All at once: each method that Altair chains behind a layered chart (``add_params``,
    ``properties``, ``configure_mark``) copies all its layers again, several times over.
    """
    chart = alt.LayerChart(layer=list(layers), **properties)
    if params:
        # The constructor would copy and check each of them too.
        given: list[Any] = [param.param for param in params]
        chart.params = given
    return chart
