"""Discrete choices that live in the page's address, with a note where the address is wrong."""

from collections.abc import Mapping, Sequence

import streamlit as st

from vae.ui_hidden import hidden


def choose(
    label: str,
    options: Sequence[str] | Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    kind: str = "segmented",
) -> str:
    """One of ``options`` (values, or values and labels); ``key`` is also the query parameter.

    ``kind`` is 'segmented', 'pills', 'select' or 'slider'. The address carries labels.
    """
    labels = dict(options) if isinstance(options, Mapping) else {name: name for name in options}
    values = {text: name for name, text in labels.items()}
    first = labels[default] if default is not None else next(iter(values))
    _note(key, list(values), first)
    if key in hidden():
        return values.get(st.query_params.get(key, first), values[first])
    texts = list(values)
    if kind == "segmented":
        chosen = st.segmented_control(
            label, texts, default=first, key=key, bind="query-params", required=True
        )
    elif kind == "pills":
        chosen = st.pills(label, texts, default=first, key=key, bind="query-params", required=True)
    elif kind == "slider":
        chosen = st.select_slider(label, texts, value=first, key=key, bind="query-params")
    else:
        chosen = st.selectbox(label, texts, texts.index(first), key=key, bind="query-params")
    return values.get(chosen or first, values[first])


def whole_number(label: str, *, key: str, default: int, minimum: int, maximum: int) -> int:
    """A whole number in a range; ``key`` is also the query parameter."""
    text = st.query_params.get(key)
    good = text is not None and text.isdecimal() and minimum <= int(text) <= maximum
    if text is not None and not good:
        _say(key, text, f"a whole number from {minimum} to {maximum}", str(default))
    if key in hidden():
        return int(text) if text is not None and good else default
    number = st.number_input(label, minimum, maximum, default, key=key, bind="query-params")
    return int(number)


def decimal_number(
    label: str, *, key: str, default: float, minimum: float, maximum: float
) -> float:
    """A number in a range; ``key`` is also the query parameter."""
    text = st.query_params.get(key)
    good = text is not None and _within(text, minimum, maximum)
    if text is not None and not good:
        _say(key, text, f"a number from {minimum:g} to {maximum:g}", f"{default:g}")
    if key in hidden():
        return float(text) if text is not None and good else default
    number = st.number_input(
        label, minimum, maximum, default, key=key, bind="query-params", format="%g"
    )
    return float(number)


def _within(text: str, minimum: float, maximum: float) -> bool:
    try:
        return minimum <= float(text) <= maximum
    except ValueError:
        return False


def _note(key: str, allowed: Sequence[str], default: str) -> None:
    text = st.query_params.get(key)
    if text is not None and text not in allowed:
        _say(key, text, "one of " + ", ".join(allowed), default)


def _say(key: str, text: str, needed: str, default: str) -> None:
    st.info(
        f"{key} in the address is {text!r:.40}; {needed} is needed. "
        f"The default, {default}, is used.",
        icon=":material/link_off:",
    )
