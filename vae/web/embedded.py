"""One figure with its dials and nothing else, for a slide: ``?figure=sigma&embed=true``."""

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import altair as alt
import streamlit as st

from vae.beliefs import Style
from vae.charts import beliefs, overview
from vae.charts.bias import (
    asymmetry,
    descent,
    expected,
    normaliser,
    opposite,
    pull_curves,
)
from vae.charts.bias import parts as bias
from vae.charts.derivation import entropy, evidence, learned, nll, parts, spectrum
from vae.charts.derivation import sigma as panels
from vae.charts.kit.dials import Dial
from vae.charts.kit.theme import in_themes
from vae.lessons import pictures
from vae.shipped.cards import data_summary
from vae.web.kit import address, figures

# Of a frame of 430, what is left by dials whose names take two lines, by a key, and by none.
_HEIGHT, _ABOVE_KEY, _ALONE = 332, 302, 408
_STYLE = (Path(__file__).parent / "assets" / "one_figure.css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Figure:
    """A builder whose arguments are its dials' values, and what else it needs, read when drawn.

    ``key`` has the losses that the figure itself does not name: on its page another one does.
    """

    builder: Callable[..., alt.TopLevelMixin]
    dials: tuple[Dial, ...] = ()
    more: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    key: tuple[Style, ...] = ()


@dataclass(frozen=True)
class _Sized:
    """The builder's chart at a height of its own."""

    builder: Callable[..., alt.TopLevelMixin]
    height: int

    def __call__(self, **arguments: Any) -> alt.TopLevelMixin:
        chart: Any = self.builder(**arguments)
        return chart.properties(height=self.height)


_PIXEL = parts.PIXEL_DIALS
_ONE = (parts.SIGMA, parts.TARGET_PIXEL)
_SHAPE = (bias.CENTRE, bias.SPREAD, bias.SKEW)

FIGURES: Mapping[str, Figure] = {
    "answer": Figure(overview.build_belief_chart, overview.DIALS, key=overview.LOSSES),
    "loss": Figure(overview.build_loss_chart, overview.DIALS, key=overview.LOSSES),
    "evidence": Figure(evidence.build_posterior_chart, (*_ONE, *evidence.Q_DIALS)),
    "sigma": Figure(panels.build_log_prob_chart, _PIXEL),
    "nll": Figure(nll.build_nll_chart, _PIXEL),
    "belief": Figure(panels.build_density_chart, _PIXEL),
    "collapse": Figure(
        spectrum.build_spectrum_chart,
        (parts.VARIANCE,),
        {"spectrum": lambda: data_summary("digits").eigenvalues},
    ),
    "learned-sigma": Figure(learned.build_learned_loss_chart),
    "cross-entropy": Figure(
        entropy.build_cross_entropy_chart,
        (parts.FIT_MEAN, parts.FIT_SIGMA),
        {"counts": lambda: pictures.grey_counts("centre")},
    ),
    "beliefs": Figure(
        beliefs.build_best_output_chart, tuple(beliefs.DIALS), {"family": lambda: "laplace"}
    ),
    "asymmetry": Figure(asymmetry.build_cost_chart, (bias.T, bias.H)),
    "two-mse": Figure(asymmetry.build_double_mse_chart, (bias.H,)),
    "minimum": Figure(expected.build_expected_chart, _SHAPE),
    "noise": Figure(pull_curves.build_noisy_cost_chart, (bias.T, bias.S)),
    "logit-noise": Figure(pull_curves.build_logit_noise_chart, (bias.T, bias.TAU)),
    "continuous-bernoulli": Figure(normaliser.build_lambda_chart, (bias.T,)),
    "gradients": Figure(descent.build_gradient_chart, (bias.T, bias.START, bias.SIGMA)),
    "opposite": Figure(opposite.build_family_chart, (bias.T, bias.H, bias.G)),
}
"""By the name in the address: a section's own, or that of one of its other figures."""


def asked() -> Figure | None:
    """The figure that the address asks for; with a note, none, where it names no figure."""
    if "figure" not in st.query_params:
        return None
    name = address.one_of("figure", ["", *FIGURES], "")
    return FIGURES.get(name)


def show(figure: Figure) -> None:
    """The figure and its dials, in a frame of 760 by 430 whole."""
    st.html(f"<style>{_STYLE}</style>")
    values = figures.query_values(figure.dials)
    more = {name: read() for name, read in figure.more.items()}
    if figure.key:
        st.html(f'<p class="key">{"".join(map(_key_html, figure.key))}</p>')
    height = _ABOVE_KEY if figure.key else _HEIGHT if figure.dials else _ALONE
    builder = _Sized(figure.builder, height)
    figures.show_chart(builder, key="one-figure", **values, **more)
    if figure.dials:
        figures.dials(*figure.dials, values=values, bare=True, key="one-dials")


def _key_html(style: Style) -> str:
    mark = f'<span class="{style.shape}" style="background: {in_themes(style.colour)}"></span>'
    return f"<span>{mark}{html.escape(style.label)}</span>"
