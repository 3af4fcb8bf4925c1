"""The reading of a loss in seven steps, from the verdict to what may have been meant."""

import math
from collections.abc import Sequence

import streamlit as st

from vae import numerals
from vae.charts.your_loss.belief import (
    CURVES,
    build_cost_chart,
    build_density_chart,
    describe_cost,
    describe_density,
    rows_of,
)
from vae.config import DATASETS
from vae.images.sets import is_available
from vae.lessons.questions import VARIANTS
from vae.runs.limits import load_limits
from vae.shipped.cards import data_summary
from vae.web import navigation
from vae.web.kit import address, figures, layout
from vae.web.your_loss import train
from vae.web.your_loss.words import refusal, words, written
from vae.your_loss import Reading, alive, compare, kl_bound, mean_picture_loss, weight_for

_SUMMARIES = ("digits", "mnist", "fashion")
_OWN_DATA = "loss_own_data"


def show_verdict(reading: Reading) -> None:
    """What the loss is in one sentence, or why it is not read."""
    if not reading.read:
        show_refusal(reading)
        return
    st.subheader("1 · The verdict", anchor="verdict")
    st.success(f"**{words(reading.verdict)}**", icon=":material/gavel:")


def show_refusal(reading: Reading) -> None:
    """Why there is no reading, with the line and what is needed; the text stays in its field."""
    st.warning(refusal(reading.message), icon=":material/unpublished:")
    if reading.unknown:
        st.markdown("\n".join(f"- {address.plain(item.text)}" for item in reading.unknown))


def show_answer(reading: Reading) -> None:
    """What follows for a loss that was read, below its verdict and its belief."""
    _show_otherwise(reading)
    _show_survival(reading)
    _show_printed(reading)
    _show_faults(reading)
    _show_meant(reading)


def show_belief(reading: Reading) -> None:
    """The belief about a pixel first: it shares the screen with the numbers that move it."""
    st.subheader("2 · The belief", anchor="belief")
    belief = reading.belief
    if belief is None:
        st.markdown(_why_no_curve(reading))
        return
    with layout.row("loss-belief"):
        st.markdown("**The belief: exp(−cost), normalised**")
        figures.fill_chart(
            build_density_chart,
            key="density",
            rows={CURVES: rows_of(belief.densities)},
            words=written(describe_density(belief)),
            names=tuple(curve.name for curve in belief.densities),
            two=len(belief.densities[0].x) == 2,
            axis=belief.axis,
            family=reading.family,
        )
        st.markdown("**The cost of a pixel that it comes from**")
        figures.fill_chart(
            build_cost_chart,
            key="cost",
            rows={CURVES: rows_of(belief.costs)},
            words=written(describe_cost(belief)),
            names=tuple(curve.name for curve in belief.costs),
            axis=belief.axis,
            family=reading.family,
        )
    said = f"Whoever minimises this cost beside a KL believes: {words(belief.label)}."
    if belief.unit_sigma is not None and belief.grey_levels is not None:
        said += (
            f" Its spread is {_number(belief.unit_sigma)} for pixels in [0, 1]: "
            f"{_number(belief.grey_levels)} grey levels, of 255."
        )
    st.markdown(said)


def _why_no_curve(reading: Reading) -> str:
    if reading.family in ("none", "unknown"):
        return "This cost is no belief about a pixel that can be drawn: see the verdict for why."
    if reading.kl_form in ("none", "inert", "capacity"):
        return (
            "A cost becomes a belief by what stands beside it. Here no KL weighs against the "
            "error, so it has no scale and no curve."
        )
    return "No single scale describes this cost, so it has no curve of its own."


def _show_otherwise(reading: Reading) -> None:
    st.subheader("3 · The same loss, read otherwise", anchor="otherwise")
    st.markdown(_list(reading.otherwise) or "There is no other reading of it.")
    if reading.family != "gaussian" or not reading.sigma2:
        return
    wanted = address.decimal_number(
        "A σ that you would choose, in the code's units",
        key="wanted",
        default=0.1,
        minimum=1e-4,
        maximum=1e4,
    )
    factor = weight_for(reading, wanted)
    assert factor is not None
    times = numerals.written(f"{factor:.4g}")
    st.markdown(f"For σ = {wanted:g}, multiply the KL as it stands by **{times}**.")


def _show_survival(reading: Reading) -> None:
    st.subheader("4 · What will survive", anchor="survival")
    if reading.survival is None:
        st.markdown("No bound is known for this belief.")
        return
    said = words(reading.survival.text)
    if reading.family != "gaussian" or not reading.sigma2_unit:
        st.markdown(said)
        return
    counts = ", ".join(
        f"**{alive(reading.sigma2_unit, data_summary(name).eigenvalues)}** on {DATASETS[name]}"
        for name in _SUMMARIES
    )
    sigma2 = numerals.written(f"{reading.sigma2_unit:.4g}")
    st.markdown(
        f"{said}\n\nLatents that a linear VAE keeps at σ² = {sigma2}, however "
        f"many it has: {counts}."
    )
    _show_own_data(reading.sigma2_unit)


def _show_own_data(sigma2: float) -> None:
    text = st.text_input(
        "Your data: eigenvalues of its covariance, or its total variance alone (pixels in [0, 1])",
        key=_OWN_DATA,
        placeholder="5.1, 3.7, 3.2 or 52.7",
        max_chars=4000,
    )
    if not text.strip():
        return
    values = _numbers(text)
    if values is None:
        st.warning(
            f"{address.quote(text)} given; positive numbers with commas between them are needed.",
            icon=":material/edit:",
        )
    elif len(values) == 1:
        st.markdown(f"KL at most **{_nats(kl_bound(sigma2, values[0]))} nats** an image.")
    else:
        st.markdown(
            f"**{alive(sigma2, values)}** of {len(values)} latents survive; KL at most "
            f"{_nats(kl_bound(sigma2, sum(values)))} nats an image."
        )


def _numbers(text: str) -> list[float] | None:
    try:
        values = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
    except ValueError:
        return None
    good = values and all(math.isfinite(value) and value > 0 for value in values)
    return values if good else None


def _show_printed(reading: Reading) -> None:
    st.subheader("5 · What the printed number should be", anchor="printed")
    if reading.printed is None:
        st.markdown("Where zero lies is not known for this loss.")
        return
    said = words(reading.printed.text)
    stuck = [
        (DATASETS[name], mean_picture_loss(reading, sum(data_summary(name).eigenvalues)))
        for name in _SUMMARIES
    ]
    unit = reading.data_range == (0.0, 1.0) and reading.sizes.pixels == 784
    if unit and stuck[0][1] is not None:
        shown = ", ".join(f"{_nats(value)} on {name}" for name, value in stuck if value is not None)
        said += (
            f"\n\nA run whose every output is the mean picture prints {shown} for the error. A "
            "run that stays there has collapsed."
        )
    st.markdown(said)


def _show_faults(reading: Reading) -> None:
    st.subheader("6 · Faults", anchor="faults")
    rows = [
        f"**Line {fault.line}**: {words(fault.text)}"
        + (f" *Correction*: {words(fault.correction)}" if fault.correction else "")
        for fault in reading.faults
    ]
    rows += [address.plain(item.text) for item in reading.unknown]
    st.markdown("\n".join(f"- {row}" for row in rows) if rows else "None was found.")


def _show_meant(reading: Reading) -> None:
    st.subheader("7 · What you may have meant", anchor="meant")
    if reading.suggestion:
        st.markdown("The same belief as an ELBO, in your framework:")
        st.code(reading.suggestion, language="python")
    pair = train.pair_of(reading)
    if pair is None:
        st.markdown(train.why_not(reading))
        return
    pair, lowered = pair.within(load_limits())
    against = (
        f", and beside it, from the same seed, its ELBO ({VARIANTS[pair.against[0]].label})"
        if pair.against
        else ", which is its own ELBO"
    )
    st.markdown(
        f"Train it on {DATASETS[pair.config.dataset].lower()}: your loss{against}. Then see "
        "whether the reading comes true."
    )
    for sentence in lowered:
        st.markdown(f"{address.plain(sentence)}.")
    if not is_available(pair.config.dataset):
        st.markdown("Its pictures are not on this host: Train can fetch them.")
        return
    if st.button("Train it", type="primary", icon=":material/model_training:", key="loss_train"):
        train.start(pair)
        st.switch_page(navigation.page_file("train"))


def show_comparison(first: Reading, second: Reading) -> None:
    """Two readings side by side."""
    if not second.read:
        st.markdown("**The second loss:**")
        show_refusal(second)
        return
    result = compare(first, second)
    head = "| of the loss | first | second |\n|---|---|---|\n"
    body = "\n".join(f"| {' | '.join(map(words, row))} |" for row in result.rows)
    st.markdown(f"**{words(result.text)}**\n\n{head}{body}")
    st.markdown(f"The second: {words(second.verdict)}")


def _list(texts: Sequence[str]) -> str:
    return "\n".join(f"- {words(text)}" for text in texts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if 100 <= value < 1e7 else numerals.written(f"{value:.3g}")


def _nats(value: float) -> str:
    return numerals.written(f"{value:.4g}")
