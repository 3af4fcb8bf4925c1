"""What is asked in a session: of the address first, then of the controls; callbacks read it."""

from collections.abc import Mapping

import streamlit as st

from vae.config import WrongValue
from vae.web.kit import address, controls
from vae.web.your_loss.asked import (
    OWN,
    Asked,
    from_query,
    of_question,
    question_of,
    questions,
    unpack_kept,
)
from vae.your_loss import Reading

_STATE = "loss_asked"
_WRITTEN = "loss_written"
_WRONG = "loss_wrong"
_DRAWN = "loss_drawn"
QUESTION = "loss_question"
ANOTHER = "loss_another_name"
PASTING = "loss_pasting"
TEXTS = ("code", "second", "image", "latents", "batch", "span", "function")


def _name(part: str) -> str:
    """The name of the control that shows this part of what is asked."""
    return f"loss_{part}"


def _own_name(kind: str, name: str) -> str:
    """The name of the control for a ``constant`` or a ``role`` of the pasted code."""
    return f"loss_{kind}:{name}"


def is_opening() -> bool:
    """Whether a session begins with the page's example: before `read`."""
    return _STATE not in st.session_state and not address.own(OWN)


def restore() -> None:
    """Have what the browser's tab has kept. For callbacks."""
    asked = unpack_kept(st.session_state[PASTING].restored or "")
    if asked is not None:
        st.session_state[_STATE] = asked
        st.session_state[_WRONG] = ()


def read() -> Asked:
    """What is asked at the start of a run: an address that is new here counts first."""
    query = address.own(OWN)
    fresh = _STATE not in st.session_state
    if fresh or (query and address.is_new(query, key=_WRITTEN, state=current)):
        asked, wrong = from_query(query)
        st.session_state[_STATE] = asked
        st.session_state[_WRONG] = wrong
    return current()


def control(part: str) -> str:
    """The key of the control for this part of what is asked, which opens with it.

    To be called where it is drawn.
    """
    # No function is no choice.
    value = getattr(current(), part) or (None if part == "function" else "")
    return controls.show(_name(part), value)


def own_control(kind: str, name: str, value: str | None) -> str:
    """The key of the control for a ``constant`` or a ``role`` of the pasted code, which opens with
    ``value``. To be called where it is drawn."""
    return controls.show(_own_name(kind, name), value)


def question_control() -> str:
    """The key of the choice of a question, which opens with the one that is asked."""
    entry = question_of(current())
    return controls.show(QUESTION, None if entry is None else entry.id)


def current() -> Asked:
    """What is asked at this moment."""
    asked: Asked = st.session_state[_STATE]
    return asked


def take_over() -> None:
    """A control was changed: what all of them say now is what is asked. For callbacks."""
    before = current()
    # What is not drawn just now says what it said before.
    said = controls.said([_name(part) for part in TEXTS])
    texts = {part: said.get(_name(part), getattr(before, part)) or "" for part in TEXTS}
    constants = dict(before.constants) | _changed("constant")
    roles = dict(before.roles) | _changed("role")
    asked = Asked(
        second=texts["second"],
        code=before.code,
        image=texts["image"],
        latents=texts["latents"],
        batch=texts["batch"],
        span=texts["span"] or before.span,
        function=texts["function"],
        constants=tuple(sorted((name, text) for name, text in constants.items() if text.strip())),
        roles=tuple(sorted(roles.items())),
    )
    if texts["code"] != before.code:
        asked = asked.with_code(texts["code"])
    st.session_state[_STATE] = asked
    st.session_state[_WRONG] = ()


def _changed(kind: str) -> dict[str, str]:
    """Names whose control says something else than it was drawn with."""
    drawn: Mapping[str, str] = st.session_state.get(_DRAWN, {}).get(kind, {})
    said = controls.said([_own_name(kind, name) for name in drawn])
    now = {name: said.get(_own_name(kind, name), text) for name, text in drawn.items()}
    # A choice that was emptied is None.
    return {name: value or "" for name, value in now.items() if (value or "") != drawn[name]}


def open_question() -> None:
    """Paste the loss of the chosen question, with its settings. For callbacks."""
    entry = questions().get(controls.said([QUESTION]).get(QUESTION) or "")
    if entry is not None:
        st.session_state[_STATE] = of_question(entry)
        st.session_state[_WRONG] = ()


def note_drawn(asked: Asked, *readings: Reading) -> dict[str, dict[str, str]]:
    """With which values the controls of constants and roles open, remembered for callbacks.

    What the reader said stands there also where the reading has no place for it, so that it can
    be taken back.
    """
    constants: dict[str, str] = {}
    roles: dict[str, str] = {}
    for reading in reversed(readings):
        for each in reading.constants:
            constants[each.name] = "" if each.value is None else f"{each.value:.12g}"
        constants |= {choice.condition: choice.taken for choice in reading.choices}
        roles |= {each.name: each.role for each in reading.roles}
    drawn = {"constant": constants | dict(asked.constants), "role": roles | dict(asked.roles)}
    st.session_state[_DRAWN] = drawn
    return drawn


def write_address(asked: Asked) -> None:
    """Put what is asked into the address, where it fits there."""
    address.write(asked.to_query(), OWN, key=_WRITTEN, state=asked)


def wrong_values() -> tuple[WrongValue, ...]:
    """What the address says and the page cannot use."""
    return st.session_state.get(_WRONG, ())
