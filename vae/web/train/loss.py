"""The loss that the controls describe, and what theory expects of it, before the first step."""

import contextlib
from collections.abc import Sequence

import streamlit as st

from vae.config import TrainConfig, default
from vae.images.sets import DataUnavailable, load_images
from vae.lessons.loss_text import loss_code, loss_latex
from vae.memo import shared
from vae.shipped.cards import data_summary
from vae.theory.prediction import ImageSummary, Prediction, predict, sentence, summarise
from vae.theory.rate_distortion import water_filling

# Images from which a spectrum is taken that is not shipped: the page waits for it, and buttons
# wait for the page. Its first twenty eigenvalues are within 4% of those of all 12,000 digits.
_ENOUGH = 4096


@shared(maxsize=64)
def _summary(dataset: str, grey: float) -> ImageSummary:
    if dataset != "digits" or grey == default("grey"):
        # Shipped figures: MNIST's are there before MNIST is.
        with contextlib.suppress(KeyError, OSError):
            known = data_summary(dataset)
            return ImageSummary(known.pixels, known.eigenvalues, known.bernoulli_floor)
    data = load_images(dataset, grey=grey)
    return summarise(data.train[:_ENOUGH], data.test)


@shared(maxsize=256)
def _predict(config: TrainConfig) -> Prediction:
    # Only the digits have a greyness: one summary serves every setting of the others.
    grey = config.grey if config.dataset == "digits" else 0.5
    return predict(config, _summary(config.dataset, grey))


def prediction(config: TrainConfig) -> Prediction | None:
    """What theory expects of ``config``; None when its data are not on this machine."""
    if config.dataset == "images":
        return None
    try:
        return _predict(config)
    except DataUnavailable:
        return None


def linear_curve(config: TrainConfig) -> tuple[list[float], list[float]]:
    """The linear VAE's rates (nats per image) and squared errors (per pixel); empty where the data
    are not on this machine or are drawn anew."""
    if config.dataset == "images" or config.binarise != "none":
        return [], []
    try:
        summary = _summary(config.dataset, config.grey if config.dataset == "digits" else 0.5)
    except DataUnavailable:
        return [], []
    rates, errors = water_filling(summary.eigenvalues, config.latent_dim)
    return rates.tolist(), errors.tolist()


def show_loss(configs: Sequence[TrainConfig], labels: Sequence[str]) -> None:
    """The first loss as an equation with its numbers."""
    st.latex(loss_latex(configs[0]))
    if any(c.likelihood.startswith("gaussian") and c.architecture == "mlp" for c in configs):
        st.caption(
            "A Gaussian's μ passes through a sigmoid here. That is the pair of Bias, section 7: "
            "its gradient fades where it is confidently wrong. Adam makes up for much of it."
        )
    if len(configs) > 1:
        st.caption(f"This is {labels[0]}; trained beside it: {', '.join(labels[1:])}.")


def show_code(configs: Sequence[TrainConfig], labels: Sequence[str]) -> None:
    """The same losses as lines of PyTorch."""
    for config, label in zip(configs, labels, strict=True):
        if len(configs) > 1:
            st.caption(label)
        st.code(loss_code(config), language="python")


def show_prediction(configs: Sequence[TrainConfig], labels: Sequence[str]) -> None:
    """Sentences to hold against the curves; one for each run of a comparison."""
    lines = []
    for config, label in zip(configs, labels, strict=True):
        expected = prediction(config)
        if expected is None:
            lines.append((label, "No prediction until the images are here."))
        else:
            lines.append((label, sentence(config, expected)))
    if len(lines) == 1:
        st.markdown(f"**Prediction.** {lines[0][1]}")
        return
    st.markdown(
        "\n".join(["**Predictions**\n", *(f"- **{name}**: {text}" for name, text in lines)])
    )
