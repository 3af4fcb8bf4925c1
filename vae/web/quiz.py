"""Questions before answers: one line each until it is touched, all of them off with one toggle.

What a visitor answers stays in the browser (assets/classroom/); no message goes to the server.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from vae.config import TrainConfig
from vae.lessons.verdicts import Outcome
from vae.quiz import SECTIONS, Question, totals
from vae.quiz.guesses import guess_for
from vae.quiz.guesses import outcome as told_by
from vae.theory.prediction import Prediction
from vae.web import kept
from vae.web.kit import address
from vae.web.kit.links import host_for_others
from vae.web.routes import assets_path, fetching_script

_KEY = "quiz"
_PARAMETER = "quiz"
_NOTES = "notes"
# Parts whose data hold what is one visitor's own, of which nothing is kept, and parts that few see.
_OWN = {"room"}
_PASSING = {"link", "guess"}
_ASSETS = Path(__file__).parent / "assets"
_component = st.components.v2.component(
    "vae.classroom",
    html='<div class="classroom"></div>',
    js=fetching_script("classroom"),
    # Its style is the frame's: eleven questions of a page would bring eleven copies.
    isolate_styles=False,
)


def show_part(part: str, data: dict[str, Any], *, key: str) -> None:
    """Have the browser's module ``part`` of assets/classroom/ draw itself here, with ``data``."""
    given = {"part": part, "assets": assets_path("classroom"), **data}
    if part in _OWN:
        _component(key=key, data=[given])
    else:
        kept.mount(_component, key, given, passing=part in _PASSING)


def asks() -> bool:
    """Whether questions are asked: as the toggle says, or at first the address (``?quiz=0``)."""
    off = address.own({_PARAMETER}).get(_PARAMETER) in {"0", "false"}
    return bool(st.session_state.setdefault(_KEY, not off))


def with_notes() -> bool:
    """Whether this is a teacher's own screen, which shows the answers (``?notes=1``)."""
    asked = address.own({_NOTES}).get(_NOTES) in {"1", "true"}
    return bool(st.session_state.setdefault(_NOTES, asked))


def show_toggle() -> None:
    """The switch for all questions, which the address keeps."""
    # At every run: a browser that first draws it from a later one would send a blank one.
    st.session_state[_KEY] = asks()
    st.toggle(
        "Questions",
        key=_KEY,
        help="A question before each section's answer. What you answer stays in this browser. "
        "A link without them: ?quiz=0.",
    )
    query = {} if st.session_state[_KEY] else {_PARAMETER: "0"}
    if with_notes():
        query[_NOTES] = "1"
    address.put(query, {_PARAMETER, _NOTES})


def show_link(label: str, link: str, *, key: str) -> None:
    """A button that copies ``link``, and one that shows it as a QR code."""
    show_part("link", {"label": label, "link": link}, key=key)


def show_handout() -> None:
    """The foot of a printed page: its address, in letters and as a QR code."""
    known = totals() if asks() else {}
    show_part("handout", {"totals": known, "host": host_for_others()}, key="handout")


def ask(page: str, anchor: str) -> None:
    """The question of a section, one line. Raises ``KeyError`` where there is none."""
    question = SECTIONS[f"{page}-{anchor}"]
    if asks() or with_notes():
        show_part("question", question_data(question), key=f"quiz-{question.id}")


def question_data(question: Question) -> dict[str, Any]:
    """The question as the browser needs it."""
    hidden = address.hidden()
    return {
        "id": question.id,
        "ask": question.ask,
        "choices": [
            {
                "text": choice.text,
                "reply": choice.reply,
                "right": choice.right,
                "show": None
                if choice.show is None
                else {
                    "dials": {n: v for n, v in choice.show.dials.items() if n not in hidden},
                    "choices": dict(choice.show.choices),
                    "anchor": choice.show.anchor,
                },
            }
            for choice in question.choices
        ],
        "totals": totals(),
        "notes": with_notes(),
    }


def ask_ledger() -> None:
    """The ledger's rows as a quiz, above them; their verdicts are hidden while it is open."""
    if asks():
        show_part("ledger", {}, key="quiz-ledger")


def ask_guess(
    lesson: str,
    configs: Sequence[TrainConfig],
    expected: Sequence[Prediction | None],
    outcomes: Sequence[Outcome] = (),
) -> None:
    """Train's question as a prediction; with ``outcomes``, of a run that is over, its answer.

    Nothing is drawn where the settings no longer ask the question.
    """
    guess = guess_for(lesson, configs, expected) if asks() else None
    if guess is None:
        return
    told = told_by(guess, outcomes) if outcomes else None
    data = {
        "id": f"train-{lesson}-" + "-".join(option.text for option in guess.options),
        "ask": guess.ask,
        "options": [
            {"text": option.text, "overlooks": option.overlooks} for option in guess.options
        ],
        "theory": guess.theory_text,
        "foretold": None if guess.theory is None else guess.nearest(guess.theory),
        "kept": guess.kept,
        "outcome": told.text if told else "",
        "came": told.right if told else None,
    }
    show_part("guess", data, key="quiz-guess")
