"""The field for the code, a question to start from, sizes, and what the code leaves open."""

import re
from collections.abc import Sequence

import streamlit as st

from vae.web.kit import address
from vae.web.your_loss import state
from vae.web.your_loss.asked import LONGEST_CODE, LONGEST_FIELD, RANGES, Asked, names_in, questions
from vae.web.your_loss.words import words, written
from vae.your_loss import ROLES, Choice, ClinicEntry, Reading

_FIELD_HEIGHT = 232
_NOT_OFFERED = ("batch", "latents", "pixels", "classes")


def show_clinic() -> None:
    """Questions that people asked in public, by what they saw."""
    st.selectbox(
        "A question that people asked, by what they saw; or paste your own below",
        list(questions()),
        format_func=lambda name: written(
            f"{questions()[name].symptom} · {questions()[name].asked}"
        ),
        index=None,
        placeholder="KL goes to 0, loss is negative, mean or sum, …",
        key=state.question_control(),
        on_change=state.open_question,
    )


def show_code() -> None:
    """The field. What is in it stays there, whatever becomes of it."""
    st.text_area(
        f"PyTorch, TensorFlow, Keras, JAX or NumPy, at most {LONGEST_CODE:,} characters",
        key=state.control("code"),
        height=_FIELD_HEIGHT,
        max_chars=LONGEST_FIELD,
        on_change=state.take_over,
        help="A function, a method, a training step, bare lines or a whole file. It is read, "
        "never run, and kept nowhere. Ctrl+Enter reads it.",
    )


def show_printed(asked: Asked) -> None:
    """The code as it is printed, where a field would be cut off: plain text stands on paper alone
    (print.css)."""
    for code in filter(None, (asked.code.strip(), asked.second.strip())):
        st.text(code)


def show_sizes(reading: Reading | None) -> None:
    """Sizes and range, prefilled from what the code shows."""
    shown = {} if reading is None else _sizes_read(reading)
    with st.container(horizontal=True, key="loss-sizes"):
        for name, label, example in (
            ("image", "Image", "784 or 3x64x64"),
            ("latents", "Latents", "32 or 4x16x16"),
            ("batch", "Batch", "128"),
        ):
            st.text_input(
                label,
                key=state.control(name),
                placeholder=shown.get(name, example),
                max_chars=40,
                on_change=state.take_over,
                width=130,
            )
        st.selectbox(
            "Pixels are",
            list(RANGES),
            format_func=lambda name: RANGES[name][0],
            key=state.control("span"),
            on_change=state.take_over,
            width=190,
        )


def _sizes_read(reading: Reading) -> dict[str, str]:
    sizes = reading.sizes
    return {
        "image": "x".join(map(str, sizes.image)),
        "latents": "x".join(map(str, sizes.latents)),
        "batch": str(sizes.batch),
    }


def show_open(asked: Asked, readings: Sequence[Reading], drawn: dict[str, str]) -> None:
    """What the code leaves open and which numbers were taken, to be said and corrected.

    ``drawn``: what the controls of numbers and conditions open with, by name.
    """
    _show_functions(asked, readings[0])
    choices = {each.condition: each for reading in readings for each in reading.choices}
    if _asks_for_numbers(readings):
        st.markdown("**Numbers that the code does not give.** Set them, and the loss is read.")
    _show_constants({name: text for name, text in drawn.items() if name not in choices}, readings)
    if choices:
        st.markdown("**What the code does not decide.** Say it, and the loss is read.")
        with st.container(horizontal=True, key="loss-choices"):
            for choice in choices.values():
                _show_choice(choice, drawn[choice.condition])


def show_names(asked: Asked, readings: Sequence[Reading], drawn: dict[str, str]) -> None:
    """Who is who, folded; ``drawn``: what each name's control opens with.

    What is not read is often a name that nobody can guess; what the code leaves open comes first.
    """
    others = [name for name in names_in(asked) if name not in drawn]
    if not drawn and not others:
        return
    unread = [each for each in readings if not each.read]
    asks_first = _asks_for_numbers(readings) or any(
        each.choices or each.functions for each in unread
    )
    with st.expander(
        "Who is who in the code",
        icon=":material/badge:",
        expanded=bool(unread) and not asks_first,
        key="loss-names",
    ):
        _show_roles(drawn, others=others)


def _show_functions(asked: Asked, reading: Reading) -> None:
    names = list(dict.fromkeys([*filter(None, [asked.function]), *reading.functions]))
    if not names:
        return
    st.selectbox(
        "**Several losses stand in this code.** Which one is minimised?",
        names,
        index=None,
        key=state.control("function"),
        placeholder="not decided",
        on_change=state.take_over,
        width=400,
    )


_HOLDS = {"true": "holds", "false": "does not hold"}


def _show_choice(choice: Choice, taken: str) -> None:
    """A condition or a setting of the code, to be answered; emptied it is open again."""
    offered = list(choice.values)
    value = taken if taken in offered else None
    yes_or_no = set(offered) == set(_HOLDS)
    st.selectbox(
        f"Line {choice.line}: {_name(choice.condition)}",
        offered,
        format_func=lambda value: _HOLDS[value] if yes_or_no else value,
        index=None,
        key=state.own_control("constant", choice.condition, value),
        placeholder="not decided",
        on_change=state.take_over,
        width=300,
    )


def _asks_for_numbers(readings: Sequence[Reading]) -> bool:
    return any(
        each.source in ("missing", "late") for reading in readings for each in reading.constants
    )


_TAKEN_FROM = {
    "default": "the code's default",
    "late": "another from step to step: the one that is meant",
    "missing": "the code gives no value",
}


def _show_constants(drawn: dict[str, str], readings: Sequence[Reading]) -> None:
    """A field a number in one row, which keeps its place when the loss is read."""
    if not drawn:
        return
    origin = {each.name: each.source for reading in readings for each in reading.constants}
    with st.container(horizontal=True, key="loss-constants"):
        for name, text in drawn.items():
            st.text_input(
                _name(name),
                key=state.own_control("constant", name, text),
                max_chars=60,
                on_change=state.take_over,
                width=190,
                help=_TAKEN_FROM.get(origin.get(name, ""), "said here"),
            )


def _show_roles(drawn: dict[str, str], *, others: Sequence[str]) -> None:
    with st.container(horizontal=True, key="loss-roles"):
        for name, role in drawn.items():
            _show_role(name, role)
        if others:
            chosen = st.selectbox(
                "Another name",
                others,
                index=None,
                key=state.ANOTHER,
                placeholder="of the code",
                width=190,
            )
            if chosen is not None:
                drawn[chosen] = "unknown"
                _show_role(chosen, "unknown")


def _show_role(name: str, role: str) -> None:
    offered = [each for each in ROLES if each not in _NOT_OFFERED or each == role]
    st.selectbox(
        _name(name),
        offered if role in offered else [role, *offered],
        format_func=lambda role: ROLES.get(role, "not known"),
        key=state.own_control("role", name, role),
        on_change=state.take_over,
        width=230,
    )


def _name(name: str) -> str:
    """A name of the code as markdown code: a dotted one could be read as an address."""
    return f"`{name}`" if re.fullmatch(r"[\w.]{1,40}", name) else address.quote(name)


def show_second(asked: Asked) -> None:
    """A field for another loss, folded while there is none."""
    with st.expander(
        "Compare with a second loss",
        icon=":material/compare_arrows:",
        expanded=bool(asked.second),
        key="loss-compare",
    ):
        st.text_area(
            "The second loss, read with the same sizes",
            key=state.control("second"),
            height=180,
            max_chars=LONGEST_FIELD,
            on_change=state.take_over,
        )


def show_question(entry: ClinicEntry) -> None:
    """What was asked in public about the pasted loss, and the answer."""
    st.info(
        f"**{words(entry.asked)}**\n\n{words(entry.answer)} [Where it was asked]({entry.source})",
        icon=":material/stethoscope:",
    )
