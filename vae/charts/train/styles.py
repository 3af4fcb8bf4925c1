"""What all charts of a training run share: a style for each member, axes, scales and titles."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from vae.beliefs import BELIEFS, Style
from vae.charts.kit.parts import columns_on_a_phone
from vae.config import TrainConfig

HEIGHT = 230
LEARNED = BELIEFS["gaussian-learned"].style
# For a second member with the same likelihood.
_SPARE = (
    Style("", "#CC79A7", (10, 2), "triangle-up"),
    Style("", "#E69F00", (3, 2), "triangle-down"),
    Style("", "#8A8F98", (5, 5), "cross"),
)


def member_styles(configs: Sequence[TrainConfig], labels: Sequence[str]) -> tuple[Style, ...]:
    """A style for each member: its likelihood's, or a spare one for a second of the same."""
    used: set[str] = set()
    spare = iter(_SPARE)
    styles = []
    for config, label in zip(configs, labels, strict=True):
        style = BELIEFS[config.likelihood].style
        if style.colour in used:
            # Beyond the spare ones, those of a sweep, colours repeat: labels tell them apart.
            style = next((other for other in spare if other.colour not in used), style)
        used.add(style.colour)
        styles.append(Style(label, style.colour, style.dash, style.shape))
    return tuple(styles)


def step_axis(total_steps: int) -> alt.X:
    return alt.X(
        "step:Q",
        title=None,
        scale=alt.Scale(domain=[0, max(total_steps, 1)], nice=False),
        axis=alt.Axis(tickCount=4, format="~s"),
    )


def colour(styles: Sequence[Style], named: bool = False) -> alt.Color:
    """A colour for each member; ``named`` with a legend, else it is the page that names them."""
    return alt.Color(
        "member:N",
        scale=alt.Scale(domain=_labels(styles), range=[style.colour for style in styles]),
        title=None,
        legend=_named(_labels(styles)) if named else None,
    )


def dash(styles: Sequence[Style], named: bool = False) -> alt.StrokeDash:
    dashes = [list(style.dash) or [1, 0] for style in styles]
    if len(styles) == 1:
        dashes = [[1, 0]]
    return alt.StrokeDash(
        "member:N",
        scale=alt.Scale(domain=_labels(styles), range=dashes),
        title=None,
        legend=_named(_labels(styles)) if named else None,
    )


def _named(labels: Sequence[str]) -> alt.Legend:
    # Strokes long enough to show their dashes; two columns where they fit a phone.
    return alt.Legend(
        title=None,
        orient="top",
        columns=columns_on_a_phone(labels),
        symbolType="stroke",
        symbolSize=900,
        symbolStrokeWidth=3,
    )


def shape(styles: Sequence[Style]) -> alt.Shape:
    # In another order than the colours: a scale of the same domain is drawn in their legend, left
    # out or not, as large as its strokes are long.
    backwards = list(reversed(styles))
    return alt.Shape(
        "member:N",
        scale=alt.Scale(domain=_labels(backwards), range=[style.shape for style in backwards]),
        legend=None,
    )


def _labels(styles: Sequence[Style]) -> list[str]:
    return [style.label for style in styles]


def legend() -> alt.Legend:
    return alt.Legend(title=None, orient="bottom")


def title(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontWeight=600)


def without_data(spec: dict[str, Any]) -> dict[str, Any]:
    """``spec`` whose panels and layers all read the frame that is given with it.

    Altair writes the name of an empty data set into a chart without data, which would hide the
    frame from that layer; a layer's own values stay.
    """
    kept = {key: value for key, value in spec.items() if not _names_data(key, value)}
    if "layer" in kept:
        kept["layer"] = [without_data(layer) for layer in kept["layer"]]
    return kept


def _names_data(key: str, value: Any) -> bool:
    if key == "datasets":
        return set(value) == {"empty"}
    return key == "data" and value == {"name": "empty"}
