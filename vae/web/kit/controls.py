"""The keys of controls whose values a page sets itself.

A browser says what *all* its controls show whenever one of them is moved, and whenever a part of
the page asks to be run again. On its way, or in a busy browser, such a message may still tell what
a control showed before the page set it, and nothing in the message says so. Therefore a control
that the page sets is another one from then on, under another key: what is said of the one before it
counts no more.
"""

from collections.abc import Collection
from typing import Any

import streamlit as st

_TIMES_SET = "controls_times_set"


def key(name: str) -> str:
    """The key under which the control ``name`` is drawn now."""
    return _key(name, st.session_state.get(_TIMES_SET, {}))


def _key(name: str, times_set: dict[str, int]) -> str:
    return f"{name}-{times_set[name]}" if name in times_set else name


def renew(names: Collection[str]) -> None:
    """Have these controls drawn as new ones: the page sets them to something else."""
    if names:
        times_set: dict[str, int] = st.session_state.get(_TIMES_SET, {})
        more = {name: times_set.get(name, 0) + 1 for name in names}
        st.session_state[_TIMES_SET] = times_set | more


def said(names: Collection[str]) -> dict[str, Any]:
    """What those of these controls say that are on the page.

    Of the whole session's state, since each look into it costs as much as ten of these.
    """
    whole = st.session_state.to_dict()
    keys = {name: _key(name, whole.get(_TIMES_SET, {})) for name in names}
    return {name: whole[keys[name]] for name in names if keys[name] in whole}


def show(name: str, value: Any) -> str:
    """The key of the control ``name``, which opens with ``value``, also where it said another.

    To be called where it is drawn: a browser that draws a control anew is told its value only by
    the run that sets it.
    """
    now = key(name)
    if now in st.session_state:
        if st.session_state[now] == value:
            return now
        renew([name])
        now = key(name)
    st.session_state[now] = value
    return now
