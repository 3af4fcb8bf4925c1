"""The panel of a room above a page: for who opened it, and for who came by its link."""

import secrets

import streamlit as st

from vae.config import WrongValue
from vae.rooms.place import read_code
from vae.web import quiz
from vae.web.kit import address
from vae.web.kit.links import host_for_others
from vae.web.rooms.catalogue import catalogue

_PARAMETER = "room"
_STATE = "room_code"
_TICKET = "room_ticket"


def code() -> str:
    """The room that the address names, or named on an earlier page; empty where there is none."""
    asked = address.own({_PARAMETER}).get(_PARAMETER)
    if asked is not None:
        st.session_state[_STATE] = read_code(asked)
        if not st.session_state[_STATE]:
            address.note(
                WrongValue(_PARAMETER, asked, "a room's code", "The page opens without one.")
            )
    kept = str(st.session_state.get(_STATE, ""))
    address.put({_PARAMETER: kept} if kept else {}, {_PARAMETER})
    return kept


def show(*, offer: bool = False) -> None:
    """The room of the address, if it names one; ``offer``: whether, once it is gone, another may be
    opened here."""
    if kept := code():
        quiz.show_part("room", data(kept, offer=offer), key="room-panel")


def show_offer() -> None:
    """Where the address names no room, a button that opens one."""
    if not code():
        quiz.show_part("room", data(""), key="room-panel")


def data(kept: str, *, offer: bool = True) -> dict[str, object]:
    """What the panel of the room ``kept`` needs to know; of none, what opens one.

    ``offer``: whether, once it is gone, another may be opened here.
    """
    questions: dict[str, list[tuple[str, str]]] = {}
    for asked in catalogue().values() if kept else ():
        questions.setdefault(asked.page, []).append((asked.id, asked.ask))
    # Where a browser keeps no cookies, the session is the voter.
    ticket = str(st.session_state.setdefault(_TICKET, secrets.token_urlsafe(24)))
    host = host_for_others()
    return {
        "code": kept,
        "ticket": ticket,
        "questions": questions,
        "host": host,
        "offer": offer,
    }
