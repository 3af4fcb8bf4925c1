"""The teachers' page: plans as tables, a room, a link that is put together, machine time."""

from urllib.parse import urlencode

import streamlit as st

from vae.lessons.plans import RATES, Plan, machine_seconds
from vae.lessons.questions import LESSONS
from vae.quiz import SECTIONS
from vae.web import frame, quiz
from vae.web.kit import disclosure
from vae.web.kit.address import choose
from vae.web.kit.links import link_for_others
from vae.web.rooms import panel

_PAGES = {
    "": "Overview",
    "derivation": "Derivation",
    "bias": "Bias",
    "your_loss": "Your loss",
    "train": "Train",
}
_WHOLE = "the whole page"
# Lessons whose time is told: alone, two side by side, four.
_TIMED = ("sigma", "pixel-mean", "race")
_HIDDEN = {"the preset buttons": "presets", "the drawing": "drawing", "the comparison": "against"}


def show_plan(plan: Plan) -> None:
    """A plan as a table behind its name: one row a step, with the link that sets its view."""
    rows = "".join(
        f"| {step.minutes} | [{step.ask}]({step.address}) | {step.expect} | {step.wrong} |\n"
        for step in plan.steps
    )
    disclosure.show_fold(
        f"{plan.name}: {plan.minutes} minutes",
        f"{plan.aim}\n\n| min | open, and ask | expected | a common wrong answer, and what to show "
        f"|\n|--:|:--|:--|:--|\n{rows}",
        icon="schedule",
    )


def show_room() -> None:
    """A button that opens a room, where this browser is in none yet."""
    # In presenter mode the frame offers one already.
    if not panel.code() and not frame.presenting():
        quiz.show_part("room", panel.data(""), key="room-offer")


def show_machine_time() -> None:
    """What a run takes, by its question and by the machine."""
    head = "| question | " + " | ".join(RATES) + " |\n|:--|" + "--:|" * len(RATES) + "\n"
    rows = "".join(
        f"| {LESSONS[name].name} | "
        + " | ".join(_duration(machine_seconds(name, rate)) for rate in RATES.values())
        + " |\n"
        for name in _TIMED
    )
    st.markdown(
        "Training time of a run on the built-in digits, with the question's settings:\n\n"
        f"{head}{rows}"
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


@st.fragment
def show_builder() -> None:
    """Choices, and the link that they make."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        page = choose("Page", _PAGES, key="built_page", default="derivation", kind="select")
        place = _WHOLE
        if places := _places(page):
            key = f"built_at_{page}"
            place = choose("What it opens at", [_WHOLE, *places], key=key, kind="select")
    with st.container(horizontal=True):
        present = st.checkbox("presenter mode", key="built_present")
        asks = st.checkbox("questions", value=True, key="built_quiz")
        notes = st.checkbox("teacher's notes", key="built_notes")
        framed = st.checkbox("in a frame (LMS)", key="built_embed")
        hidden = [
            name
            for text, name in _HIDDEN.items()
            if st.checkbox(f"without {text}", key=f"built_{name}")
        ]
    query = {
        "present": "1" if present else "",
        "quiz": "" if asks else "0",
        "notes": "1" if notes else "",
        "embed": "true" if framed else "",
        "hide": ",".join(hidden),
    }
    here, note = link_for_others({})
    link = build_link(here, page, "" if place == _WHOLE else place, query)
    st.code(link, language=None, wrap_lines=True)
    quiz.show_link("Copy link", link, key="built-link")
    if note:
        st.caption(note)


def _places(page: str) -> list[str]:
    """Where a link to the page may lead: its sections, or Train's questions."""
    if page == "train":
        return list(LESSONS)
    return [question.anchor for question in SECTIONS.values() if question.page == page]


def build_link(here: str, page: str, place: str, query: dict[str, str]) -> str:
    """The link from ``here``, the address of this page, to ``place`` of another: an anchor, or on
    Train a question. Empty values of ``query`` are left out."""
    base = here.rstrip("/").removesuffix("teach").rstrip("/")
    asked = {name: text for name, text in query.items() if text}
    if page == "train" and place:
        asked = {"lesson": place, **asked}
    anchor = f"#{place}" if place and page != "train" else ""
    return f"{base}/{page}" + (f"?{urlencode(asked)}" if asked else "") + anchor
