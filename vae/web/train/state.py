"""The Train page's controls: every one drawn from its ``Option``, all of them in the address.

The settings live in one dictionary of the session; widgets are views of it, so that a control
that is not on screen keeps its value. After each run of the page the address is written from the
settings, presets included. An address that the page did not write itself (a link, the browser's
Back) is read into the settings.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal
from urllib.parse import urlencode

import streamlit as st

from vae.beliefs import BELIEFS
from vae.config import ConfigError, TrainConfig, WrongValue, default, option
from vae.lessons.questions import LESSONS, VISIBLE, parse_against
from vae.runs.limits import Limits
from vae.web.kit.address import names_in, plain

_SETTINGS = "train_settings"
_AGAINST = "train_against"
_LESSON = "train_lesson"
_RUN = "train_run"
_HIDE = "train_hide"
_WRITTEN = "train_written"
_NOTES = "train_notes"
# Drawn by nobody: the page's own choices never name files on the server.
_NEVER = frozenset({"images"})
_NAMES = tuple(spec.name for spec in fields(TrainConfig) if spec.name not in _NEVER)


@dataclass(frozen=True)
class Address:
    """What the address of the Train page says."""

    settings: dict[str, Any]
    against: tuple[str, ...]
    lesson: str
    run: str
    hide: frozenset[str]
    notes: tuple[WrongValue, ...]


def parse_address(query: Mapping[str, str]) -> Address:
    """Settings, comparison, lesson, run and hidden controls; a note for each thing not known."""
    config, notes = TrainConfig.from_query(query)
    against, more = parse_against(query.get("against", ""))
    lesson = query.get("lesson", "free")
    if lesson not in LESSONS:
        needed = "one of " + ", ".join(LESSONS)
        more.append(WrongValue("lesson", lesson, needed, "The page opens without one."))
        lesson = "free"
    hide = names_in(query.get("hide", ""))
    unknown = sorted(hide - set(_NAMES) - {"against", "presets"})
    if unknown:
        needed = "a list of this page's controls"
        more.append(WrongValue("hide", unknown[0], needed, "What is none is left out."))
    return Address(
        settings=config.to_dict(),
        against=against,
        lesson=lesson,
        run=query.get("run", ""),
        hide=hide - set(unknown),
        notes=(*notes, *more),
    )


def read_address() -> None:
    """Take the address into the session when the page did not write it itself."""
    query = st.query_params.to_dict()
    known = query == st.session_state.get(_WRITTEN)
    # Back from another page, whose address carries none of this: keep what was chosen.
    back = not query and _SETTINGS in st.session_state
    if known or back:
        _read_controls()
        return
    address = parse_address(query)
    _set(address.settings)
    st.session_state[_AGAINST] = list(address.against)
    st.session_state[_LESSON] = address.lesson
    st.session_state[_RUN] = address.run
    st.session_state[_HIDE] = address.hide
    st.session_state[_NOTES] = address.notes


def _read_controls() -> None:
    """What the learner just changed counts from the first line of this run on."""
    settings = st.session_state[_SETTINGS]
    for name in _NAMES:
        settings[name] = st.session_state.get(_key(name), settings[name])


def write_address() -> None:
    """Put all that is chosen into the address; defaults are left out."""
    query = _query()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
    st.session_state[_WRITTEN] = query


def _query() -> dict[str, str]:
    extras = {
        "against": ",".join(against()),
        "lesson": "" if lesson() == "free" else lesson(),
        "hide": ",".join(sorted(hidden())),
        "run": run_id(),
    }
    named = {name: text for name, text in extras.items() if text}
    return {**current().to_query(), **named}


def notes() -> tuple[WrongValue, ...]:
    return st.session_state.get(_NOTES, ())


def run_id() -> str:
    """The run that this page shows; empty when none."""
    return st.session_state.get(_RUN, "")


def set_run(run: str) -> None:
    st.session_state[_RUN] = run


def lesson() -> str:
    return st.session_state.get(_LESSON) or "free"


def against() -> tuple[str, ...]:
    return tuple(st.session_state.get(_AGAINST, ()))


def set_against(names: Collection[str]) -> None:
    st.session_state[_AGAINST] = list(names)


def values() -> dict[str, Any]:
    """All settings by name, as the controls show them."""
    return dict(st.session_state[_SETTINGS])


def link(*, run: bool) -> str:
    """The address of this page with all that is chosen; with ``run`` also the run it shows."""
    query = {name: text for name, text in _query().items() if run or name != "run"}
    return _base() + (f"?{urlencode(query)}" if query else "")


def watch_link() -> str:
    """The address under which others watch the run that this page shows."""
    return f"{_base()}?{urlencode({'run': run_id()})}"


def _base() -> str:
    return (st.context.url or "").split("?")[0]


def hidden() -> frozenset[str]:
    return st.session_state.get(_HIDE, frozenset())


def change(**values: Any) -> None:
    """Set settings from a callback: the controls show them in the run that follows."""
    _set({**st.session_state[_SETTINGS], **values})


def apply_lesson(name: str) -> None:
    """Open a lesson: its settings over the defaults, its alternatives beside them."""
    chosen = LESSONS[name]
    defaults = TrainConfig().to_dict()
    keep = {"seed": st.session_state[_SETTINGS]["seed"]}
    _set({**defaults, **keep, **chosen.settings})
    st.session_state[_LESSON] = name
    st.session_state[_AGAINST] = list(chosen.against)
    st.session_state[_NOTES] = ()


def copy_settings(config: TrainConfig) -> None:
    """Take over the settings of a run that was watched, and let go of the run."""
    _set(config.to_dict())
    st.session_state[_AGAINST] = []
    set_run("")


def current() -> TrainConfig:
    """The configuration that the controls show. Raises ``ConfigError`` on a forged value."""
    return TrainConfig(**st.session_state[_SETTINGS])


def visible_names(values: Mapping[str, Any], shown: Collection[str]) -> list[str]:
    """The controls at hand for these settings: those that matter, plus a lesson's own."""
    names = [*VISIBLE, *(name for name in shown if name not in VISIBLE)]
    return [name for name in names if _applies(name, values) and name not in hidden()]


def advanced_names(values: Mapping[str, Any], shown: Collection[str]) -> list[str]:
    """All the other controls, for the expander."""
    at_hand = {*VISIBLE, *shown}
    return [
        name
        for name in _NAMES
        if name not in at_hand and _applies(name, values) and name not in hidden()
    ]


def _applies(name: str, values: Mapping[str, Any]) -> bool:
    """Whether the setting changes anything under the others."""
    if name == "grey":
        return values["dataset"] == "digits"
    if name == "scale":
        return BELIEFS[values["likelihood"]].scale in ("fixed", "learned")
    if name == "scale_learning_rate":
        return BELIEFS[values["likelihood"]].scale == "learned"
    if name == "hidden_dim":
        return values["architecture"] == "mlp"
    if name == "beta":
        return bool(values["sampling"])
    return True


def draw(name: str, limits: Limits, *, width: int | Literal["stretch"] = "stretch") -> None:
    """The control of the setting ``name``, in the form that its ``Option`` asks for.

    ``width`` in pixels, or that of the place it stands in.
    """
    about = option(name)
    values = st.session_state[_SETTINGS]
    key = _key(name)
    st.session_state.setdefault(key, values[name])
    common: dict[str, Any] = {"key": key, "help": about.help, "width": width}
    if about.choices is not None:
        labels = {key: text for key, text in about.choices.items() if key != "images"}
        choice = st.selectbox(about.label, list(labels), format_func=labels.__getitem__, **common)
        value: Any = choice
    elif isinstance(values[name], int):
        most = int(getattr(limits, f"max_{name}", about.maximum or 1))
        value = st.number_input(about.label, int(about.minimum or 0), most, step=1, **common)
    elif about.log:
        # A spelling with significant digits: .001 and 20 in one field.
        value = st.number_input(
            about.label,
            float(about.minimum or 0),
            float(about.maximum or 1),
            # One step for good: a control whose step changes is a new control.
            step=default(name) / 10,
            format="%g",
            **common,
        )
    else:
        low, high = float(about.minimum or 0), float(about.maximum or 1)
        if high <= 1:
            value = st.slider(about.label, low, high, step=0.05, **common)
        else:
            value = st.number_input(about.label, low, high, step=0.5, format="%g", **common)
    values[name] = value


def clamp(values: dict[str, Any], limits: Limits) -> list[str]:
    """Bring settings that this host does not allow to its bound, with a note each."""
    said = []
    for name in ("epochs", "hidden_dim", "latent_dim", "batch_size"):
        most = getattr(limits, f"max_{name}")
        if values[name] > most:
            said.append(
                f"{name}: {values[name]} given; this host allows 1 to {most}; {most} is used"
            )
            values[name] = most
    return said


def bounded(limits: Limits) -> list[str]:
    """Apply this host's limits to the session's settings; returns what to tell the learner."""
    values = dict(st.session_state[_SETTINGS])
    said = clamp(values, limits)
    if said:
        _set(values)
    return said


def safe_current() -> TrainConfig:
    """``current``, or the defaults and a sentence when a browser sent what no control offers."""
    try:
        return current()
    except ConfigError as error:
        st.warning(f"{plain(str(error))}. The defaults are used.", icon=":material/undo:")
        _set(TrainConfig().to_dict(), widgets=False)
        return current()


def _key(name: str) -> str:
    return f"setting_{name}"


def _set(values: dict[str, Any], widgets: bool = True) -> None:
    st.session_state[_SETTINGS] = dict(values)
    if widgets:
        for name in _NAMES:
            st.session_state.pop(_key(name), None)
