"""The page's address: what it says, and how a page shows what it cannot use.

An address comes from anybody, and Streamlit draws every note as markdown: a value that is shown
as it stands can be a link or a picture of another host. So every foreign value goes through
``quote``, every sentence that may hold one through ``plain``, and every wrong value through
``note``, the one place that says so.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

import streamlit as st

from vae import numerals
from vae.config import WrongValue
from vae.errors import shown
from vae.web.kit.query import names_in

# What Streamlit's markdown reads in a word, not in a sign that a backslash could take away: links
# without brackets, mail addresses, and directives such as an icon's or a colour's.
_WORDS = re.compile(r"//|www|@|:(?=\S)", re.IGNORECASE)
_SIGNS = re.compile(r"([\\`*_\[\]()<>!$~|&{}:#])")
# Lists, rules and headings begin with a sign at the beginning.
_BEGINNING = re.compile(r"^(?=[-+=\d])")
_WORD_JOINER = "\u2060"
# An address is on its way for a fraction of a second.
_WRITTEN = 8
_NOTHING: tuple[tuple[dict[str, str], ...], tuple[dict[str, str], ...], object] = ((), (), None)


def quote(value: object) -> str:
    """A foreign value as markdown code of at most 40 characters, in which nothing is read."""
    text = shown(value)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence}{text}{fence}"


def plain(sentence: str) -> str:
    """``sentence`` as markdown that shows it letter by letter, whatever stands in it."""
    apart = _WORDS.sub(lambda found: found[0] + _WORD_JOINER, " ".join(sentence.split()))
    return _BEGINNING.sub(_WORD_JOINER, _SIGNS.sub(r"\\\1", apart))


def note(wrong: WrongValue) -> None:
    """Say that the address holds a value that the page cannot use, and what it does instead."""
    st.info(
        f"{wrong.name} in the address is {quote(wrong.text)}; {numerals.written(wrong.needed)} is "
        f"needed. {numerals.written(wrong.instead)}",
        icon=":material/link_off:",
    )


def hidden() -> frozenset[str]:
    """The names in the address's ``hide``: dials and choices by their query parameters, and
    ``presets`` for the buttons. A hidden control keeps the address's value, or its default.
    """
    return names_in(st.query_params.get("hide", ""))


def own(names: Collection[str]) -> dict[str, str]:
    """What the address says under ``names``: a page reads its own parameters and no others."""
    query = st.query_params.to_dict()
    return {name: query[name] for name in sorted(names) if name in query}


def put(query: Mapping[str, str], names: Collection[str]) -> None:
    """Make ``query`` all that the address says under ``names``; what others wrote there stays."""
    # One by one, never the whole: Streamlit refuses it where a control is bound to the address.
    for name in _surplus(query, names):
        del st.query_params[name]
    changed = {name: text for name, text in query.items() if st.query_params.get(name) != text}
    if changed:
        st.query_params.update(changed)


def _surplus(query: Mapping[str, str], names: Collection[str]) -> list[str]:
    return sorted(own(names).keys() - query.keys())


def write(query: Mapping[str, str], names: Collection[str], *, key: str, state: object) -> None:
    """``put`` what a page's ``state`` says, and remember it under ``key`` of the session."""
    written, _, shown_then = st.session_state.get(key, _NOTHING)
    # A choice may end this run between two of the steps, and come with the address as it is then.
    passing = [own(names)]
    for name in _surplus(query, names):
        passing.append({each: text for each, text in passing[-1].items() if each != name})
    st.session_state[key] = written, (*passing, dict(query)), shown_then
    put(query, names)
    if query not in written[-1:]:
        written = (*written, dict(query))[-_WRITTEN:]
    st.session_state[key] = written, (), state


def is_new(query: Mapping[str, str], *, key: str, state: Callable[[], object]) -> bool:
    """Whether somebody set this address beside the page, which wrote others under ``key``: by a
    link, or by the browser's Back.

    ``state`` gives the page's state with what came with this run. A choice that is made while an
    address is on its way comes with an older one of the page's own; Back comes with nothing else.
    """
    written, passing, shown_then = st.session_state.get(key, _NOTHING)
    if query in written[-1:] or query in passing:
        return False
    return query not in written or state() == shown_then


def number(name: str, *, default: float, minimum: float, maximum: float) -> float:
    """The number ``name`` of the address, or ``default``, with a note where it is no such number.

    The range is closed.
    """
    text = st.query_params.get(name)
    if text is None:
        return default
    if _within(text, minimum, maximum):
        return float(text)
    _say(name, text, f"a number from {minimum:g} to {maximum:g}", f"{default:g}")
    return default


def one_of(name: str, allowed: Sequence[str], default: str) -> str:
    """The word ``name`` of the address, or ``default``, with a note where it is not allowed."""
    text = st.query_params.get(name)
    if text is None or text in allowed:
        return default if text is None else text
    _say(name, text, _listed(allowed), default)
    return default


def note_unknown(name: str, allowed: Sequence[str]) -> None:
    """A note where ``name``, which may stand in the address several times, is not allowed once."""
    unknown = [text for text in st.query_params.get_all(name) if text and text not in allowed]
    if unknown:
        note(WrongValue(name, unknown[0], _listed(allowed), "It is left out."))


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
    asked = one_of(key, list(values), first)
    if key in hidden():
        return values[asked]
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
    # Python refuses to convert thousands of digits.
    short = text is not None and text.isdecimal() and len(text) < 20
    good = text is None or (short and minimum <= int(text) <= maximum)
    asked = default if text is None or not good else int(text)
    if text is not None and not good:
        _say(key, text, f"a whole number from {minimum} to {maximum}", str(default))
        # Streamlit reads it too, and fails where it is too large for a float.
        del st.query_params[key]
    if key in hidden():
        return asked
    bind: Literal["query-params"] | None = "query-params" if good else None
    chosen = st.number_input(label, minimum, maximum, default, key=key, bind=bind)
    return int(chosen)


def decimal_number(
    label: str, *, key: str, default: float, minimum: float, maximum: float
) -> float:
    """A number in a range; ``key`` is also the query parameter."""
    asked = number(key, default=default, minimum=minimum, maximum=maximum)
    if key in hidden():
        return asked
    chosen = st.number_input(
        label, minimum, maximum, default, key=key, bind="query-params", format="%g"
    )
    return float(chosen)


def _listed(allowed: Sequence[str]) -> str:
    """The allowed words, or how many the control below has, where they would fill the page."""
    text = "one of " + ", ".join(allowed)
    return text if len(text) <= 300 else f"one of the {len(allowed)} choices on this page"


def _within(text: str, minimum: float, maximum: float) -> bool:
    try:
        return minimum <= float(text) <= maximum
    except ValueError:
        return False


def _say(name: str, text: str, needed: str, default: str) -> None:
    note(WrongValue(name, text, needed, f"The default, {default}, is used."))
