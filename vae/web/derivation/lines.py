"""The Derivation page's parts that need the server: the steps, the pictures, the calculator."""

from collections.abc import Mapping

import streamlit as st

from vae import numerals
from vae.charts.derivation import image as pictures
from vae.charts.derivation.expansion import build_numbers_chart
from vae.charts.derivation.steps import (
    BERNOULLI_LOSS,
    GAUSSIAN_LOSS,
    STEPS,
    TWO_LIKELIHOODS,
    Step,
)
from vae.config import PUBLIC_DATASETS
from vae.lessons import pictures as lessons_pictures
from vae.shipped.cards import data_summary
from vae.theory import implied
from vae.theory.corruptions import CORRUPTIONS
from vae.theory.ppca import active_latents
from vae.web import frame, hands
from vae.web.kit import figures, layout
from vae.web.kit.address import choose, decimal_number, one_of, whole_number

SIZES = {"28x28": 784, "28x28x3": 2352, "32x32x3": 3072, "64x64x3": 12288, "256x256x3": 196608}
OWN = "your own"
_STEP = "expansion_step"
_POSITIONS = (*map(str, range(1, len(STEPS) + 1)), "all")


def show_two_likelihoods(values: Mapping[str, float]) -> None:
    """The Gaussian's lines beside the Bernoulli's, with the numbers of the dragged pixel."""
    columns = (
        ("Gaussian pixel, output μ", [line.gaussian for line in TWO_LIKELIHOODS]),
        ("Bernoulli pixel, output p", [line.bernoulli for line in TWO_LIKELIHOODS]),
    )
    with layout.row("two-likelihoods", "halves"):
        # First what the dials move: they are below all of it.
        for key, numbers in (("gaussian-loss", GAUSSIAN_LOSS), ("bernoulli-loss", BERNOULLI_LOSS)):
            figures.show_chart(build_numbers_chart, key=key, lines=numbers, **values)
        for head, formulas in columns:
            steps = [
                f"{number} · {line.title}:\n\n$\\displaystyle {formula}$"
                for number, (line, formula) in enumerate(
                    zip(TWO_LIKELIHOODS, formulas, strict=True), 1
                )
            ]
            st.markdown("\n\n".join([f"**{head}**", *steps]))


# --- the expansion ---------------------------------------------------------------------------


@st.fragment
def show_expansion(values: Mapping[str, float]) -> None:
    """The derivation's lines, one at a time or all, with the numbers of the dragged pixel."""
    last = len(STEPS)
    position = _read_step()
    shown = range(last) if position == "all" else range(int(position))
    for index in shown:
        _show_step(index, STEPS[index], values, current=index == shown[-1])
    with st.container(key="print-lines"):
        st.markdown(
            "\n\n".join(
                f"**{number} · {step.title}.** {step.say}\n\n$$\n{step.formula}\n$$"
                for number, step in enumerate(STEPS, 1)
            )
        )
    with st.container(horizontal=True, vertical_alignment="center", key="print-hidden-steps"):
        number = last if position == "all" else int(position)
        st.button("Back", on_click=_back, disabled=number == 1)
        st.button("Next", type="primary", on_click=_next, disabled=number == last)
        st.button("All", on_click=_all, disabled=position == "all")
        st.caption(f"Line {number} of {last}")
    hands.announce(
        _spoken(position), quiet=True, bring="" if position == "all" else f"step-{position}"
    )


def _spoken(position: str) -> str:
    """What a screen reader says of the lines shown."""
    if position == "all":
        return f"All {len(STEPS)} lines."
    step = STEPS[int(position) - 1]
    return f"Line {position} of {len(STEPS)}: {step.title}."


def _show_step(index: int, step: Step, values: Mapping[str, float], *, current: bool) -> None:
    with st.container(border=current, gap="small", key=f"step-{index + 1}"):
        st.markdown(f"**{index + 1} · {step.title}.** {step.say}")
        st.latex(step.formula)
        figures.show_chart(
            build_numbers_chart, key=f"numbers-{index}", lines=step.numbers, **values
        )
        with st.expander("Where it is misprinted", icon=":material/edit_off:"):
            st.markdown(f"$$\n{step.misprint}\n$$\n\n{step.misprint_say}")
            figures.show_chart(
                build_numbers_chart,
                key=f"misprint-{index}",
                lines=step.misprint_numbers,
                **values,
            )


def _read_step() -> str:
    """How many lines are shown, or 'all': as the address says, or as they were left."""
    if "step" in st.query_params:
        return one_of("step", _POSITIONS, "1")
    return str(st.session_state.get(_STEP, "1"))


def _back() -> None:
    _go(max(1, _line() - 1))


def _next() -> None:
    _go(min(len(STEPS), _line() + 1))


def _all() -> None:
    _go("all")


def _line() -> int:
    """The last line shown; without a note, for a button has no place of its own to say one."""
    position = st.query_params.get("step", st.session_state.get(_STEP, "1"))
    if position not in _POSITIONS:
        return 1
    return len(STEPS) if position == "all" else int(position)


def _go(step: object) -> None:
    st.session_state[_STEP] = st.query_params["step"] = str(step)


# --- an image and a flawed reconstruction of it ----------------------------------------------


@st.fragment
def show_pictures(sigma: float) -> None:
    """Target, reconstruction, their maps, and what the decoder would draw, following sigma."""
    figure = st.container()
    with st.container(horizontal=True):
        digit = choose("Digit", lessons_pictures.DIGITS, key="digit", default="7", kind="select")
        flaw = choose("Flaw of the reconstruction", tuple(CORRUPTIONS), key="flaw")
        amount = choose(
            "How much",
            ("0.1", "0.2", "0.4", "0.7", "1"),
            key="amount",
            default="0.4",
            kind="slider",
        )
    target = lessons_pictures.target_greys(digit)
    mean = lessons_pictures.flawed_greys(digit, flaw, float(amount))
    with figure:
        with layout.row("image", "pictures"):
            _picture("target x", pictures.build_picture_chart, "a", greys=target, name="target")
            _picture(
                "mean μ, the output",
                pictures.build_picture_chart,
                "b",
                greys=mean,
                name="reconstruction",
            )
            _picture("squared error", pictures.build_error_map_chart, "c", target=target, mean=mean)
            _picture(
                "−log p per pixel",
                pictures.build_nll_map_chart,
                "d",
                target=target,
                mean=mean,
                sigma=sigma,
            )
            _picture("a sample of p(x|z)", pictures.build_sample_chart, "e", mean=mean, sigma=sigma)
        figures.show_chart(
            pictures.build_identity_chart, key="identity", target=target, mean=mean, sigma=sigma
        )


def _picture(label: str, builder: object, key: str, **arguments: object) -> None:
    st.markdown(f"**{label}**")
    figures.show_chart(builder, key=f"picture-{key}", width="content", **arguments)  # type: ignore[arg-type]


# --- what sigma does your code imply? --------------------------------------------------------


@st.fragment
def show_calculator() -> None:
    """From the reductions of a loss to the sigma, beta, rate and survivors that it implies."""
    labels = {key: preset.label for key, preset in implied.PRESETS.items()} | {OWN: OWN}
    name = choose("The loss in your code", labels, key="code", default="pixel-mean", kind="pills")
    preset = _own_reductions() if name == OWN else implied.PRESETS[name]
    with layout.row("implied", "wide"):
        layout.show_lines(
            implied.torch_snippet(preset.pixel_reduction, preset.kl_reduction, preset.weight)
        )
        with st.container(horizontal=True):
            size = choose("Image", tuple(SIZES), key="size", kind="select")
            latents = whole_number("Latents", key="latents", default=20, minimum=1, maximum=4096)
            batch = whole_number("Batch", key="batch", default=128, minimum=1, maximum=100_000)
        _show_implied(preset, SIZES[size], latents, batch)


def show_way_to_public_losses() -> None:
    """What the census beside it shows, and the page on which anybody's loss is read."""
    query = "?present=1" if frame.presenting() else ""
    st.html(
        '<div class="with-words"><p><strong>The same of public code</strong>: the σ² of losses in '
        "use, over twelve decades. The diamond is a pixel mean beside a summed KL.</p>"
        f'<p>Paste yours, and have it read: <a href="your_loss{query}" target="_self">Your loss'
        "</a></p></div>"
    )


def _own_reductions() -> implied.Preset:
    with st.container(horizontal=True):
        pixels = choose("Squared error", implied.PIXEL_REDUCTIONS, key="error_by", kind="select")
        kl = choose("KL", implied.KL_REDUCTIONS, key="kl_by", kind="select")
        weight = decimal_number(
            "Weight of the KL", key="weight", default=1.0, minimum=1e-6, maximum=1e6
        )
    return implied.Preset(OWN, pixels, kl, weight)


def _show_implied(preset: implied.Preset, pixels: int, latents: int, batch: int) -> None:
    sizes = {
        "pixels": pixels,
        "latents": latents,
        "batch_size": batch,
        "pixel_reduction": preset.pixel_reduction,
        "kl_reduction": preset.kl_reduction,
        "weight": preset.weight,
    }
    variance = implied.implied_variance(**sizes)  # type: ignore[arg-type]
    _, rate = implied.loss_factors(**sizes)  # type: ignore[arg-type]
    beta = implied.equivalent_beta(variance=variance, nominal_variance=1.0)
    told = numerals.written(
        f"### σ = {variance**0.5:.4g}\n"
        f"σ² = {variance:,.5g}, for pixels in [0, 1]\n\n"
        f"| the same loss, read otherwise | value |\n|:--|--:|\n"
        f"| β, if you say σ = 1 | **{beta:,.5g}** |\n"
        f"| SGD rate 1 here is this rate on the ELBO | **{rate:,.5g}** |\n"
    )
    st.markdown(told + _survivors(variance, pixels, latents))


def _survivors(variance: float, pixels: int, latents: int) -> str:
    if pixels != 784:
        return "| latents that survive | known for 28x28 |\n"
    counts = "\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}".join(
        str(active_latents(data_summary(name).eigenvalues, variance, latents=latents))
        for name in PUBLIC_DATASETS
    )
    names = " / ".join(PUBLIC_DATASETS.values())
    return f"| of {latents} latents survive, if linear: {names} | **{counts}** |\n"
