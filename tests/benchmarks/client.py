"""A browser session without a browser: the server's websocket protocol, as the pages' script
speaks it.

A session opens a page, keeps the state of its widgets, moves them, presses buttons, and honours
the timers of fragments that ask to be run again. It talks to the loopback address alone.
"""

import asyncio
import contextlib
import random
import secrets
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from vae import servers
from vae.web.steering_key import COOKIE

_DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
_STATE_FIELD = {
    "slider": "double_array_value",
    "select_slider": "string_array_value",
    "number_input": "double_value",
    "selectbox": "string_value",
    "radio": "string_value",
    "checkbox": "bool_value",
    "button_group": "string_array_value",
    "text_input": "string_value",
    "text_area": "string_value",
}
_TYPED = ("text_input", "text_area")
# A large message travels once: while the browser keeps it, the server names it by its hash. The
# browser drops what these many runs of its part of the page did not show; here it stays a little
# longer, for an answer that was under way.
_RUNS_TOLD = 2
_RUNS_KEPT = 10


# The one control that is no student's: it is for who stands at the projector.
_TEACHERS = "Presenter mode"


class Large:
    """A large message as it came; sessions that keep the same one share it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw


_shared: weakref.WeakValueDictionary[str, Large] = weakref.WeakValueDictionary()


@dataclass
class Kept:
    """What a session keeps of a large message: its bytes, the run and the fragment it came in."""

    large: Large
    run: int
    fragment: str


@dataclass
class Widget:
    """One control on the page: its element, what kind it is, and the fragment it stands in."""

    kind: str
    proto: Any
    fragment: str


@dataclass
class Counts:
    """What a session saw."""

    runs: list[float] = field(default_factory=list)
    fragment_runs: list[float] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    bytes: int = 0
    wire_bytes: int = 0
    messages: int = 0
    longest_sent: int = 0


class Session:
    """One visitor. ``await open()`` first; every run's latency is kept in ``counts``."""

    def __init__(
        self,
        url: str,
        path: str = "",
        *,
        cookie: str | None = None,
        server: str = "",
        compressed: bool = False,
    ) -> None:
        host = urlsplit(url).hostname
        if host not in ("127.0.0.1", "localhost"):
            raise ValueError(f"url: {url!r} given; this client talks to the loopback address alone")
        self.url = url.rstrip("/")
        self.page, _, self.query = path.partition("?")
        self.cookie = cookie or secrets.token_urlsafe(24)
        # Where several servers stand behind one address: the one that the browser was on.
        self.server = server
        # As a browser asks for it; without it a class of these leaves the machine to the server.
        self._compression = "deflate" if compressed else None
        self.counts = Counts()
        self.widgets: dict[str, Widget] = {}
        self.values: dict[str, Any] = {}
        self.shown: dict[tuple[int, ...], Element] = {}
        self._page_hash = ""
        self.session_id = ""
        self.pages: dict[str, str] = {}
        self._timers: dict[str, tuple[asyncio.Task[None], float]] = {}
        self._kept: dict[str, Kept] = {}
        self._runs = 0
        self._done = asyncio.Event()
        self._news = asyncio.Event()
        self._full_run = ""
        self._fragment_sent: dict[str, float] = {}
        self._fresh: set[tuple[int, ...]] = set()
        self._seen: set[str] = set()
        self._files: dict[str, str] = {}

    async def open(self, seconds: float = 60.0) -> "Session":
        """Connect and wait until the page's script has run."""
        self._socket: ClientConnection = await connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            origin=self.url,  # type: ignore[arg-type]
            compression=self._compression,
            create_connection=self._counted,
            open_timeout=seconds,
            ping_interval=None,
            additional_headers={"Cookie": self._cookies()},
        )
        self._reader = asyncio.create_task(self._read())
        await self.rerun(seconds=seconds)
        return self

    def _counted(self, *arguments: Any, **options: Any) -> ClientConnection:
        """A connection whose bytes are counted as they come over the wire."""
        counts = self.counts

        class Counted(ClientConnection):
            def data_received(self, data: bytes) -> None:
                counts.wire_bytes += len(data)
                super().data_received(data)

        return Counted(*arguments, **options)

    def _cookies(self) -> str:
        known = f"{COOKIE}={self.cookie}"
        return f"{known}; {servers.COOKIE}={self.server}" if self.server else known

    def took_name(self) -> str:
        """The server that the connection's answer names; empty where it names none."""
        response = self._socket.response
        assert response is not None
        jar: SimpleCookie = SimpleCookie()
        for text in response.headers.get_all("Set-Cookie"):
            jar.load(text)
        return jar[servers.COOKIE].value if servers.COOKIE in jar else ""

    async def close(self) -> None:
        self._stop_timers()
        await self._socket.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def rerun(self, *, pressed: str | None = None, seconds: float = 60.0) -> float:
        """Run the page's script; returns the seconds until it had finished."""
        self._done.clear()
        self._full_run = ""
        began = time.perf_counter()
        await self._send(pressed=pressed)
        await self._until(self._done.is_set, seconds)
        took = time.perf_counter() - began
        self.counts.runs.append(took)
        return took

    async def clear_cache(self) -> None:
        """Clear the caches of all sessions, as the page's menu for developers does."""
        message = BackMsg()
        message.clear_cache = True
        await self._socket.send(message.SerializeToString())

    async def go(self, page: str, query: str = "") -> float:
        """Follow the navigation to ``page`` (its path, as in the address)."""
        self._stop_timers()
        self.page, self.query = page, query
        self._page_hash = self.pages.get(page, "")
        self.widgets, self.values = {}, {}
        return await self.rerun()

    async def set(self, label: str, value: Any) -> float:
        """Give the control ``label`` a value, as a learner does."""
        return await self._touch(self._find(label), value)

    async def press(self, label: str) -> float:
        """Press the button ``label``."""
        identity = self._find(label)
        return await self._run_for(self.widgets[identity].fragment, pressed=identity)

    async def move_something(self, draw: random.Random) -> float:
        """Move one control, chosen by chance, to a value chosen by chance; or run again."""
        movable = [
            name
            for name, item in self.widgets.items()
            if choices(item) and item.proto.label != _TEACHERS
        ]
        if not movable:
            return await self.rerun()
        name = draw.choice(movable)
        return await self._touch(name, draw.choice(choices(self.widgets[name])))

    def texts(self) -> str:
        """All text that the page shows in headings, markdown, notes and metrics."""
        parts = []
        for element in self.shown.values():
            kind = element.WhichOneof("type")
            body = getattr(getattr(element, kind), "body", "") if kind else ""
            parts.append(body or getattr(getattr(element, kind or "empty"), "text", ""))
        return "\n".join(part for part in parts if isinstance(part, str) and part)

    def files(self) -> dict[str, Any]:
        """The download buttons by their labels."""
        shown = self.shown.values()
        buttons = [each.download_button for each in shown if each.HasField("download_button")]
        return {button.label: button for button in buttons}

    async def file_url(self, label: str) -> str:
        """The path of the file that the download button ``label`` gives when it is pressed."""
        button = self.files()[label]
        request = BackMsg()
        asked = request.backend_operation_request
        asked.request_id, asked.session_id = secrets.token_hex(8), self.session_id
        asked.deferred_file.file_id = button.deferred_file_id
        await self.send(request.SerializeToString())
        await self._until(lambda: asked.request_id in self._files, 60.0)
        return self._files.pop(asked.request_id)

    def buttons(self) -> list[str]:
        """The labels of the buttons that can be pressed."""
        return [
            item.proto.label
            for item in self.widgets.values()
            if item.kind == "button" and not item.proto.disabled
        ]

    def _find(self, label: str) -> str:
        for name, item in self.widgets.items():
            if item.proto.label == label:
                return name
        labels = sorted(item.proto.label for item in self.widgets.values())
        raise LookupError(f"label: {label!r} given; the page has {labels}")

    async def _touch(self, identity: str, value: Any) -> float:
        self.values[identity] = value
        return await self._run_for(self.widgets[identity].fragment)

    async def _run_for(self, fragment: str, pressed: str | None = None) -> float:
        if not fragment:
            return await self.rerun(pressed=pressed)
        began = self._fragment_sent[fragment] = time.perf_counter()
        await self._send(fragment=fragment, pressed=pressed)
        await self._until(lambda: fragment not in self._fragment_sent, 60.0)
        return time.perf_counter() - began

    async def _until(self, met: Callable[[], bool], seconds: float) -> None:
        """Wait until ``met``; what the reader met with instead is raised here."""
        deadline = time.perf_counter() + seconds
        while not met():
            if self._reader.done():
                self._reader.result()
                raise ConnectionError("the server closed the connection")
            left = deadline - time.perf_counter()
            if left < 0:
                raise TimeoutError(f"{self.page}?{self.query}: no answer within {seconds} s")
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), left)

    async def _send(
        self, *, fragment: str = "", auto: bool = False, pressed: str | None = None
    ) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string = self.query
        rerun.page_script_hash = self._page_hash
        if not self._page_hash:
            rerun.page_name = self.page
        rerun.fragment_id, rerun.is_auto_rerun = fragment, auto
        rerun.context_info.timezone, rerun.context_info.locale = "UTC", "en-GB"
        rerun.context_info.url = f"{self.url}/{self.page}"
        told = (hash_ for hash_, kept in self._kept.items() if self._runs - kept.run <= _RUNS_TOLD)
        rerun.cached_message_hashes.extend(told)
        for identity, value in self.values.items():
            if identity in self.widgets:
                state = rerun.widget_states.widgets.add()
                state.id = identity
                name = _STATE_FIELD[self.widgets[identity].kind]
                if isinstance(value, list):
                    getattr(state, name).data.extend(value)
                else:
                    setattr(state, name, value)
        if pressed:
            state = rerun.widget_states.widgets.add()
            state.id, state.trigger_value = pressed, True
        await self.send(message.SerializeToString())

    async def send(self, data: bytes) -> None:
        """Send ``data`` as it is."""
        self.counts.longest_sent = max(self.counts.longest_sent, len(data))
        await self._socket.send(data)

    async def closed(self, seconds: float = 20.0) -> int:
        """Wait until the server closes the connection; the code with which it did."""
        await asyncio.wait_for(self._socket.wait_closed(), seconds)
        self._stop_timers()
        with contextlib.suppress(ConnectionClosed):
            await self._reader
        return self._socket.close_code or 0

    async def _read(self) -> None:
        try:
            await self._take_all()
        finally:
            self._news.set()

    async def _take_all(self) -> None:
        async for raw in self._socket:
            assert isinstance(raw, bytes)
            self.counts.bytes += len(raw)
            self.counts.messages += 1
            message = ForwardMsg()
            message.ParseFromString(raw)
            if message.WhichOneof("type") == "ref_hash":
                # The place on the page is this message's own; what stands there is the old one's.
                place = message.metadata
                kept = self._kept[message.ref_hash]
                kept.run = self._runs
                message = ForwardMsg()
                message.ParseFromString(kept.large.raw)
                message.metadata.CopyFrom(place)
            elif message.hash and message.metadata.cacheable:
                large = _shared.setdefault(message.hash, Large(raw))
                self._kept[message.hash] = Kept(large, self._runs, message.delta.fragment_id)
            self._take(message)
            if message.WhichOneof("type") == "script_finished":
                self._drop_old(list(message.metadata.run.fragment_ids))
                self._news.set()

    def _drop_old(self, fragments: list[str]) -> None:
        self._runs += 1
        for name, kept in list(self._kept.items()):
            ran = not fragments or kept.fragment in fragments
            if ran and self._runs - kept.run > _RUNS_KEPT:
                del self._kept[name]

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        fragments = list(message.metadata.run.fragment_ids)
        if kind == "new_session":
            self.session_id = message.new_session.initialize.session_id
        if kind == "new_session" and not fragments:
            self._full_run = message.metadata.run.script_run_id
            self._page_hash = message.new_session.page_script_hash or self._page_hash
            self._fresh, self._seen = set(), set()
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash or self._page_hash
            self.pages = {
                page.url_pathname: page.page_script_hash for page in message.navigation.app_pages
            }
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "backend_operation_response":
            told = message.backend_operation_response
            self._files[told.request_id] = told.deferred_file.url
            self._news.set()
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_timers(list(message.stop_auto_rerun.fragment_ids))
        elif kind == "delta":
            self._draw(tuple(message.metadata.delta_path), message.delta)
        elif kind == "script_finished":
            self._finish(message, fragments)

    def _finish(self, message: ForwardMsg, fragments: list[str]) -> None:
        for name in fragments:
            if name in self._fragment_sent:
                began = self._fragment_sent.pop(name)
                self.counts.fragment_runs.append(time.perf_counter() - began)
        run = message.metadata.run.script_run_id
        ours = bool(self._full_run) and run in ("", self._full_run)
        if ours and not fragments and message.script_finished in _DONE:
            # What this run did not draw again is gone from the page, its controls too.
            self.shown = {path: self.shown[path] for path in self.shown if path in self._fresh}
            self.widgets = {name: self.widgets[name] for name in self.widgets if name in self._seen}
            self._done.set()

    def _draw(self, path: tuple[int, ...], delta: Delta) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        self.shown[path] = element
        self._fresh.add(path)
        kind = element.WhichOneof("type") or "empty"
        proto = getattr(element, kind)
        if kind == "slider" and proto.type == Slider.SELECT_SLIDER:
            kind = "select_slider"
        if kind == "exception":
            self.counts.exceptions.append(f"{self.page}?{self.query}: {proto.message}")
        elif kind == "button" or kind in _STATE_FIELD:
            self.widgets[proto.id] = Widget(kind, proto, delta.fragment_id)
            self._seen.add(proto.id)
            if kind in _STATE_FIELD and (proto.set_value or proto.id not in self.values):
                value = opening_value(kind, proto)
                if value is not None:
                    self.values[proto.id] = value

    def _start_timer(self, fragment: str, interval: float) -> None:
        old = self._timers.get(fragment)
        if old and old[1] == interval:
            return
        self._stop_timers([fragment])
        self._timers[fragment] = asyncio.create_task(self._tick(fragment, interval)), interval

    def _stop_timers(self, fragments: list[str] | None = None) -> None:
        for name in list(self._timers) if fragments is None else fragments:
            if name in self._timers:
                self._timers.pop(name)[0].cancel()

    async def _tick(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            if self._reader.done():
                return
            self._fragment_sent.setdefault(fragment, time.perf_counter())
            await self._send(fragment=fragment, auto=True)


def opening_value(kind: str, proto: Any) -> Any:
    """The state that the browser reports for a control that nobody has touched."""
    if kind == "slider":
        return list(proto.value if proto.set_value else proto.default)
    if kind == "select_slider":
        if proto.set_value:
            return list(proto.raw_value)
        return [proto.options[round(index)] for index in proto.default]
    if kind == "button_group":
        if proto.set_value:
            return list(proto.raw_values)
        return [proto.options[index].content for index in proto.default]
    if kind in ("selectbox", "radio"):
        if proto.set_value:
            return proto.raw_value if proto.HasField("raw_value") else None
        chosen = proto.options and proto.HasField("default")
        return proto.options[proto.default] if chosen else None
    return proto.value if proto.set_value else proto.default


def choices(item: Widget) -> list[Any]:
    """Values that a learner could give this control; none where it cannot be moved."""
    proto = item.proto
    if item.kind == "button" or proto.disabled:
        return []
    if item.kind in _TYPED:
        # A comment behind what stands there: a student who goes on typing.
        return [f"{proto.value or proto.default}  # {number}" for number in range(3)]
    if item.kind == "select_slider":
        return [[option] * len(proto.default) for option in proto.options]
    if item.kind == "slider":
        return [list(values) for values in _positions(proto)]
    if item.kind == "number_input":
        low = proto.min if proto.has_min else proto.default
        high = proto.max if proto.has_max else proto.default + 1
        return [low, proto.default, high]
    if item.kind == "checkbox":
        return [False, True]
    if item.kind == "button_group":
        return [[option.content] for option in proto.options]
    return list(proto.options)


def _positions(proto: Any) -> Iterator[list[float]]:
    ends = len(proto.default)
    for share in (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0):
        step = proto.step or 1.0
        count = round((proto.max - proto.min) / step)
        yield [proto.min + round(count * share) * step] * ends
