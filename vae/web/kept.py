"""Elements that are the same for many: made once, then sent as they are.

What Streamlit does for an element (arguments checked, a message built, its id and its hash
computed) takes some half a millisecond of the one core that answers everybody, at each run of a
page's script. A kept element is the message that came of it: only its place on the page is new.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from vae.web.streamlit_private import (
    ForwardMsg,
    ScriptRunContext,
    ThreadState,
    get_script_run_ctx,
    place_to_write,
)


class Store:
    """The ``most`` messages used last.

    Nobody waits here for what another makes, as ``vae.memo`` has it: a run that is interrupted
    while it makes a message would interrupt those that wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Any:
        """The message, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, message: Any) -> None:
        with self._lock:
            self._kept[key] = message
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


# Of about 10 KB where it is a chart, of 2 KB otherwise.
_lasting = Store(2048)
# What only a few see, and not for long.
_passing = Store(128)


def show(key: Hashable, draw: Callable[[], object], *, passing: bool = False) -> None:
    """Draw one element by ``draw``, or send again what came of it under this ``key``.

    ``draw`` makes exactly one element, which no visitor's state has a part in and whose value
    nobody reads. ``key`` is whatever the element depends on. ``passing``: what it shows is one
    visitor's, or one moment's, and is forgotten soon.
    """
    context, cursor = get_script_run_ctx(), place_to_write()._cursor
    if context is None or cursor is None or not _is_inside(cursor.delta_path):
        draw()
        return
    state, store = ThreadState.get(), _passing if passing else _lasting
    # A message carries the page and the fragment that it is a part of.
    whole_key = (key, state.active_script_hash, state.fragment_id)
    kept = store.get(whole_key)
    if kept is None:
        store.put(whole_key, _record(context, draw))
        return
    message = ForwardMsg()
    message.CopyFrom(kept)
    message.metadata.delta_path[:] = cursor.delta_path
    cursor.lock_element()
    context.enqueue(message)


def mount(
    component: Callable[..., object], key: str, data: dict[str, Any], *, passing: bool = False
) -> None:
    """Show a component with ``data``, as ``show`` does; one that sends nothing back."""
    what = (component, key, json.dumps(data))
    # In a list: a mapping's values Streamlit would search for tables, which takes longer than all
    # the rest.
    show(what, lambda: component(key=key, data=[data]), passing=passing)


def clear() -> None:
    """Forget all elements."""
    _lasting.clear()
    _passing.clear()


def _is_inside(path: list[int]) -> bool:
    """Whether a place belongs to the fragment that runs, if one does; Streamlit wraps others."""
    around = ThreadState.get().delta_path or ()
    return tuple(path[: len(around)]) == tuple(around)


def _record(context: ScriptRunContext, draw: Callable[[], object]) -> Any:
    """The one message that ``draw`` sends. Raises ``RuntimeError`` where it sends none or more."""
    sent: list[Any] = []
    send, known = context._enqueue, context.cached_message_hashes

    def note(message: Any) -> None:
        copy = ForwardMsg()
        copy.CopyFrom(message)
        sent.append(copy)
        send(message)

    # Whole, even if this very browser has it.
    context._enqueue, context.cached_message_hashes = note, frozenset()
    try:
        draw()
    finally:
        context._enqueue, context.cached_message_hashes = send, known
    if len(sent) != 1:
        raise RuntimeError(f"an element of {len(sent)} messages cannot be kept; allowed is one")
    return sent[0]
