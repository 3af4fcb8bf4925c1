"""Every loss is a belief: a family is chosen, its cost and its belief stand side by side."""

import streamlit as st

from vae.charts import beliefs
from vae.config import DATASETS
from vae.shipped.cards import load_cards
from vae.web.kit import figures, layout
from vae.web.kit.address import choose

_BEST = {
    "gaussian": "The **mean**, at any σ: squared error is a Bregman loss, and every Bregman loss "
    "has it. Here σ is the spread.",
    "bernoulli": "The **mean**, as for squared error at any σ: both are Bregman losses. On greys "
    "between 0 and 1 the curve is no density: what normalises it depends on y, and code leaves it "
    "out.",
    "laplace": "The **median**: what lies above pulls as hard as what lies below, however far.",
    "huber": "Between **mean and median**: a mean of what is near, a median of what is far.",
    "discretised-logistic": "Between **mean and median**: a far miss pulls no harder than a near "
    "one, as under the absolute error.",
    "student-t": "Near the **mode**: a far miss costs a logarithm, so the smaller heap is let go. "
    "Make the spread small, and it is the mode; make it large, and it is the mean again.",
}


# Shipped losses, with one number each.
_RULED = {
    "bernoulli": "BCE",
    "continuous-bernoulli": "continuous Bernoulli",
    "gaussian": "MSE at σ = 1",
    "gaussian-optimal": "MSE at its best σ",
}


def ruler(dataset: str) -> str:
    """One number for each shipped loss on ``dataset``; empty where it was not measured."""
    cards = load_cards()
    found = [(name, cards.get(f"{dataset}-{name}")) for name in _RULED]
    parts = [
        f"{_RULED[name]} **{card.bits_per_pixel:.2f}**"
        for name, card in found
        if card is not None and card.bits_per_pixel is not None
    ]
    if len(parts) < len(_RULED):
        return ""
    return (
        "**MSE or BCE, in one unit.** A pixel is one of 256 grey levels, so every belief is a "
        "probability of levels, and −log₂ of it, with the KL, is comparable. On the test images of "
        f"{DATASETS[dataset]} the shipped networks need, in bits per pixel: {', '.join(parts)}. "
        "The best squared error does not win: a bell of such a σ gives exact black, four pixels of "
        "five, hardly more than half of its mass."
    )


@st.fragment
def show(*, key: str) -> None:
    """The figure, its dials and the sentence of the chosen family."""
    values = figures.query_values(beliefs.DIALS)
    family = choose("Loss", beliefs.NAMES, key="family", default="laplace")
    with layout.steered(f"beliefs-{key}"):
        with layout.row(f"beliefs-{key}"):
            st.markdown("**What a miss costs**")
            figures.show_chart(beliefs.build_cost_chart, key=f"cost-{key}", family=family, **values)
            st.markdown("**The belief it stands for: exp(−cost)**")
            figures.show_chart(
                beliefs.build_density_chart, key=f"density-{key}", family=family, **values
            )
        figures.dials(
            beliefs.OUTPUT,
            beliefs.SPREAD,
            values=values,
            presets={"A narrow cost": {"spread": 0.04}, "A wide cost": {"spread": 0.5}},
            key=f"miss-dials-{key}",
        )
    with layout.steered(f"targets-{key}"):
        st.markdown("**Many targets, one output: which one costs least?**")
        figures.show_chart(
            beliefs.build_best_output_chart, key=f"best-{key}", family=family, **values
        )
        figures.dials(
            beliefs.BRIGHT,
            beliefs.PLACE,
            beliefs.SPREAD,
            values=values,
            presets={
                "Few bright targets": {"bright": 0.3, "place": 0.85},
                "As many of both": {"bright": 0.5, "place": 0.85},
            },
            key=f"beliefs-dials-{key}",
        )
    st.markdown(_BEST[family])
