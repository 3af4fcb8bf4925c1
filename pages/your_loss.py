"""Your loss: paste the code, and read the belief that it stands for."""

from collections.abc import Set

import streamlit as st

from vae.web import hands
from vae.web.kit import address, lesson
from vae.web.your_loss import answer, census, form, spoken, state
from vae.web.your_loss.asked import Asked, question_of, read_first, read_second
from vae.web.your_loss.pasting import watch_pasting
from vae.web.your_loss.sharing import show_sharing
from vae.your_loss import Reading

st.title("Your loss, and the belief it stands for")


# A fragment: pasting redraws this alone, and does not wait for other visitors' whole pages.
@st.fragment
def show_page() -> None:
    opening = state.is_opening()
    asked = state.read()
    for wrong in state.wrong_values():
        address.note(wrong)
    reading, problem = _read(asked)
    _show_census(reading)

    hidden = address.hidden()
    second = read_second(asked) if reading is not None and asked.second.strip() else None
    st.header("Paste yours", anchor="paste")
    if "clinic" not in hidden:
        form.show_clinic()
    form.show_code()
    form.show_printed(asked)
    watch_pasting(asked, opening=opening)
    if "sizes" not in hidden:
        form.show_sizes(reading)
    if problem:
        st.warning(address.plain(problem), icon=":material/edit:")
    if (entry := question_of(asked)) is not None:
        form.show_question(entry)
    if reading is not None:
        _show_reading(asked, reading, second, hidden)
    hands.announce(spoken.sentence(reading, second, problem), quiet=True)
    show_sharing(asked)
    state.write_address(asked)


def _show_reading(asked: Asked, reading: Reading, second: Reading | None, hidden: Set[str]) -> None:
    """The verdict, the numbers that move it, and the belief share a screen; the rest is below."""
    answer.show_verdict(reading)
    readings = [reading] if second is None else [reading, second]
    drawn = state.note_drawn(asked, *readings)
    if "names" not in hidden:
        form.show_open(asked, readings, drawn["constant"])
    if reading.read:
        answer.show_belief(reading)
    if "names" not in hidden:
        form.show_names(asked, readings, drawn["role"])
    if "second" not in hidden:
        form.show_second(asked)
    if second is not None and reading.read:
        answer.show_comparison(reading, second)
    if reading.read:
        answer.show_answer(reading)


def _read(asked: Asked) -> tuple[Reading | None, str]:
    """The reading, or why what was typed is no size."""
    try:
        return read_first(asked), ""
    except ValueError as error:
        return None, f"{error}."


def _show_census(reading: Reading | None) -> None:
    st.header("What public code has decided", anchor="census")
    own = reading.sigma2_unit if reading is not None else None
    st.markdown(
        "See public losses of a squared error and a KL, each at the σ² that it implies. They span "
        "twelve decades, and hardly one says which it chose. Triangles: every latent dies, "
        "whatever the pictures." + (" The diamond is **yours**." if own is not None else "")
    )
    census.show_figure(own)
    lesson.take_away(
        "Every such loss is a Gaussian with a σ, said or not.",
        "A sum or a mean, a factor, the number of pixels: together they weigh the error against "
        "the KL, and that weight is 1/(2σ²).",
    )


show_page()
