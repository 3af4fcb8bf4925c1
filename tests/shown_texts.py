"""What a page's script sends to be read: every text of its elements, with the numbers in it."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from page_runs import sent
from streamlit.testing.v1 import AppTest

# Fields of messages that name or style something and are shown to nobody.
_UNSEEN = re.compile(
    r"(^|_)(id|ids|key|url|src|icon|anchor|hash|name|css|js|html_content|format|data|language|"
    r"color|query_param|regex|spec|set_value|class|step_format)($|_)|^type$"
)
_HIDDEN = re.compile(
    r"<(style|script|pre)\b.*?</\1>|<[^>]*>|```.*?```|``.*?``|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|"
    r"\]\([^)]*\)|https?://\S+|:material/\w+:",
    re.DOTALL,
)


def texts_of(app: AppTest) -> list[str]:
    """The words of ``app`` as they are read: no code, formula, tag or address."""
    found = []
    for block in (app.main, app.sidebar):
        for element in _elements(block):
            if element.type in ("code", "latex", "text", "text_area"):
                continue
            raw = _words_of(element)
            found += [text for each in raw if (text := plain(each))]
    return found


def plain(text: str) -> str:
    """``text`` without what is marked up."""
    shown = re.sub(r"</?(?:p|div|li|summary|article|br|tr|td)\b[^>]*>", "\n", text)
    return html.unescape(_HIDDEN.sub(" ", shown)).replace("\u2060", "").strip()


def specs_of(app: AppTest) -> list[dict[str, Any]]:
    """The specifications of all figures."""
    return [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]


def _elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if getattr(child, "children", None) is not None:
            # A fold's label is its block's.
            yield child
            yield from _elements(child)
        else:
            yield child


def _words_of(element: Any) -> Iterator[str]:
    proto = getattr(element, "proto", None)
    if proto is None or not hasattr(proto, "ListFields"):
        return
    if element.type == "bidi_component":
        if text := sent(proto):
            yield from _leaves(json.loads(text))
        return
    yield from _fields(proto)


def _fields(message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        if _UNSEEN.search(field.name) and field.name != "help":
            continue
        values = value if field.is_repeated else [value]
        for each in values:
            if field.message_type is not None and hasattr(each, "ListFields"):
                yield from _fields(each)
            elif isinstance(each, str):
                yield each


def _leaves(part: Any) -> Iterator[str]:
    """The words of a component's data: values, not names."""
    if isinstance(part, str):
        if " " in part:
            yield part
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _leaves(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _leaves(inner)
