"""The Train page's state in a session: read once a run of the page, shown by the controls.

The value is a ``PageState``. Widgets are views of it: what they say is taken over at the start of
a run, or when a button asks, and a widget that says something else than the value is drawn anew.
An address that the page did not write itself (a link, the browser's Back) is read into the value,
and after each run the address is written from it.
"""

from collections.abc import Mapping
from typing import Any, Literal

import streamlit as st

from vae.config import ConfigError, WrongValue, default, option
from vae.runs.limits import Limits
from vae.web.kit import address, controls
from vae.web.kit.links import link_for_others
from vae.web.train.page_state import OWN, SETTINGS, PageState, from_query

_STATE = "train_state"
_WRITTEN = "train_written"
_WRONG = "train_wrong"
_REFUSED = "train_refused"
_KEYS = {
    **{name: f"setting_{name}" for name in SETTINGS},
    "lesson": "train_question",
    "against": "train_beside",
}


def read(limits: Limits) -> PageState:
    """The page's state at the start of a run: of the address, the controls, the host's limits."""
    query = address.own(OWN)
    # Back from another page, whose address carries none of this: keep what was chosen.
    back = not query and _STATE in st.session_state
    if not back and address.is_new(query, key=_WRITTEN, state=current):
        state, wrong = from_query(query, limits)
        put(state)
        st.session_state[_WRONG] = wrong
    allowed, said = current().within(limits)
    if said:
        _keep(allowed, _shown())
        st.session_state[_REFUSED] = said
    return allowed


def current() -> PageState:
    """The page's state at this moment: what buttons start, with what was changed just before."""
    kept: PageState = st.session_state.get(_STATE) or PageState()
    shown = _shown()
    try:
        now = kept.with_controls(shown)
    except ConfigError as error:
        st.session_state[_REFUSED] = (f"{error}. The settings before it are used.",)
        now = kept
    if now != kept:
        st.session_state[_REFUSED] = ()
    if now.lesson != kept.lesson:
        st.session_state[_WRONG] = ()
    _keep(now, shown)
    return now


def put(state: PageState) -> None:
    """Make ``state`` the page's: the controls show it in the run that follows."""
    st.session_state[_WRONG] = st.session_state[_REFUSED] = ()
    _keep(state, _shown())


def _shown() -> dict[str, Any]:
    """What the controls say that are on the page."""
    said = controls.said(_KEYS.values())
    return {name: _as_tuple(said[key]) for name, key in _KEYS.items() if key in said}


def _keep(state: PageState, shown: Mapping[str, Any]) -> None:
    """Make ``state`` the page's; of the controls, which say ``shown``, those that say something
    else are drawn anew."""
    st.session_state[_STATE] = state
    others = [_KEYS[name] for name, value in shown.items() if value != state.control(name)]
    controls.renew(others)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def set_run(run: str) -> None:
    """Show the run of this id; none when it is empty."""
    _keep(current().with_run(run), _shown())


def write_address(state: PageState) -> None:
    """Put all that is chosen into the address."""
    address.write(state.to_query(), OWN, key=_WRITTEN, state=state)


def wrong_values() -> tuple[WrongValue, ...]:
    """What the address says and the page cannot use."""
    return st.session_state.get(_WRONG, ())


def refused() -> tuple[str, ...]:
    """Sentences on settings that the host, or anybody, does not allow."""
    return st.session_state.get(_REFUSED, ())


def link(state: PageState) -> tuple[str, str]:
    """The address of this page in this state, without its run, and a note on its host if any."""
    return link_for_others(state.with_run("").to_query())


def watch_link(state: PageState) -> tuple[str, str]:
    """The address under which others watch the run that the page shows, and a note as above."""
    return link_for_others({"run": state.run})


def key(name: str, state: PageState) -> str:
    """The key of the control ``name``, which shows the state's value.

    Set at every run: a browser that first draws the control from a later run than the first would
    otherwise find no value there, and would send a blank one as if somebody had chosen it.
    """
    key = controls.key(_KEYS[name])
    st.session_state[key] = _as_list(state.control(name))
    return key


def _as_list(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def draw(
    name: str, state: PageState, limits: Limits, *, width: int | Literal["stretch"] = "stretch"
) -> None:
    """The control of the setting ``name``, in the form that its ``Option`` asks for.

    ``width`` in pixels, or that of the place it stands in.
    """
    about = option(name)
    common: dict[str, Any] = {"key": key(name, state), "help": about.help, "width": width}
    low, high = float(about.minimum or 0), float(about.maximum or 1)
    if about.choices is not None:
        labels = {value: text for value, text in about.choices.items() if value != "images"}
        st.selectbox(about.label, list(labels), format_func=labels.__getitem__, **common)
    elif isinstance(default(name), int):
        most = int(getattr(limits, f"max_{name}", high))
        st.number_input(about.label, int(low), most, step=1, **common)
    elif about.log:
        # A spelling with significant digits: .001 and 20 in one field. One step for good: a
        # control whose step changes is a new control.
        st.number_input(about.label, low, high, step=default(name) / 10, format="%g", **common)
    elif high <= 1:
        st.slider(about.label, low, high, step=0.05, **common)
    else:
        st.number_input(about.label, low, high, step=0.5, format="%g", **common)
