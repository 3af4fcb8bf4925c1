"""The Derivation page's second half: optimisers, collapse, learned sigma, cross-entropy."""

from collections.abc import Mapping

import streamlit as st

from vae.charts.derivation import spectrum as spectra
from vae.charts.derivation.entropy import build_cross_entropy_chart
from vae.charts.derivation.parts import FIT_MEAN, FIT_SIGMA, VARIANCE
from vae.charts.derivation.paths import build_race_chart
from vae.config import PUBLIC_DATASETS
from vae.lessons import pictures
from vae.memo import shared
from vae.numerals import written
from vae.shipped.cards import data_summary
from vae.theory.linear_vae import adam_drift, race
from vae.web.kit import disclosure, layout
from vae.web.kit import figures as kit_figures
from vae.web.kit.address import choose

OPTIMISERS: Mapping[str, str] = {"sgd": "SGD", "momentum": "momentum", "adam": "Adam"}


@st.fragment
def show_race() -> None:
    """Two trainings whose learning rates undo their sigmas, without the KL and with it."""
    figures = layout.row("race")
    with st.container(horizontal=True):
        optimiser = choose("Optimiser", OPTIMISERS, key="optimiser")
        scale = choose(
            "σ of the second run", ("0.3", "0.5", "2", "3"), key="race_sigma", default="2"
        )
    with figures:
        for kl in (False, True):
            share = _difference(optimiser, float(scale), kl)
            st.markdown(f"**{'With' if kl else 'Without'} the KL:** paths differ by **{share}**")
            kit_figures.show_chart(
                build_race_chart,
                key=f"race-{kl}",
                optimiser=optimiser,
                scale=float(scale),
                kl=kl,
            )
    rows = "".join(
        f"| {label} | {_difference(name, float(scale), False)} "
        f"| {_difference(name, float(scale), True)} |\n"
        for name, label in OPTIMISERS.items()
    )
    disclosure.show_fold(
        "All three optimisers, measured",
        f"Largest distance between the paths of σ = 1 and σ = {scale}, "
        "as a share of the way the first one goes:\n\n"
        f"| optimiser | without the KL | with the KL |\n|:--|--:|--:|\n{rows}\n"
        "Adam divides each gradient by its own size, so a factor on the loss cancels, except "
        "for the ε = 10⁻⁸ that it adds. The same run with the whole loss multiplied by a "
        f"factor: {_drifts()}.",
    )


@shared(maxsize=32)
def _difference(optimiser: str, scale: float, kl: bool) -> str:
    return _percent(race(optimiser=optimiser, scale=scale, kl=kl).difference)


@shared(maxsize=16)
def _drifts() -> str:
    return ", ".join(
        f"{name} moves the path by {_percent(adam_drift(factor))}"
        for name, factor in (("1/1,000", 1e-3), ("1/1,000,000", 1e-6), ("10⁻⁷", 1e-7))
    )


def _percent(share: float) -> str:
    if share < 1e-12:
        return "0 %, to rounding"
    return f"{100 * share:.0f} %" if share >= 0.1 else written(f"{100 * share:.1g} %")


@st.fragment
def show_collapse(variance: float) -> None:
    """The data's spectrum under the dragged variance, and the KL and error that follow."""
    figure = layout.steered("collapse")
    name = choose("Data", PUBLIC_DATASETS, key="data")
    spectrum = data_summary(name).eigenvalues
    trained = pictures.trained_points(name)
    with figure, layout.row("spectrum"):
        st.markdown("**The spectrum: what stands above the line survives**")
        kit_figures.show_chart(
            spectra.build_spectrum_chart, key="spectrum", spectrum=spectrum, variance=variance
        )
        st.markdown("**What a linear VAE with 20 latents keeps, at every σ²**")
        kit_figures.show_chart(
            spectra.build_prediction_chart,
            key="prediction",
            spectrum=spectrum,
            variance=variance,
            trained=trained,
        )
    with figure:
        kit_figures.dials(
            VARIANCE,
            values={"variance": variance},
            presets={
                "sum + KL: ½": {"variance": 0.5},
                "half sum + KL: 1": {"variance": 1.0},
                "pixel mean + KL: 392": {"variance": 392.0},
            },
            key="variance-dials",
        )
    if trained:
        listed = ", ".join(f"σ² = {p.variance:.3g}: KL {p.kl:.1f}" for p in trained)
        st.caption(f"Points: deep VAEs trained by this engine on these data ({listed} nats).")


@st.fragment
def show_cross_entropy(values: Mapping[str, float]) -> None:
    """One pixel's greys over the data, and the Gaussian whose cross-entropy one lowers."""
    figure = layout.steered("cross-entropy")
    pixel = choose("Pixel", tuple(pictures.NAMED_PIXELS), key="pixel")
    with figure:
        kit_figures.show_chart(
            build_cross_entropy_chart,
            key="cross-entropy-figure",
            counts=pictures.grey_counts(pixel),
            **values,
        )
        kit_figures.dials(FIT_MEAN, FIT_SIGMA, values=values, key="fit-dials")
