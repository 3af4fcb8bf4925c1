"""A watch in a server's process: on what its processor time goes, by groups of functions.

Every thread that runs a page's script, and the one of the event loop, is profiled by its own
processor clock. That costs several times what it watches, in all groups alike: what it tells are
shares. Nothing here imports the server's own modules: it is there before them.
"""

import cProfile
import json
import os
import pstats
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

# The file of what was seen; named by a variable, since the server is started as any other.
VARIABLE = "VAE_TEST_PROFILE"
_SCRIPTS = "ScriptRunner"
# A function belongs to the first group that its file's path has a part of.
GROUPS: dict[str, tuple[str, ...]] = {
    "this app's own code": ("/vae/", "/pages/"),
    "message hashes, queue and cache (Streamlit)": (
        "forward_msg",
        "/streamlit/util.py",
        "script_run_context.py",
        "delta_generator.py",
    ),
    "messages to bytes, and out (Streamlit)": (
        "runtime_util.py",
        "/uvicorn/",
        "/starlette/",
        "/websockets/",
        "/streamlit/web/",
    ),
    "elements: arguments, ids, layout (Streamlit)": (
        "/streamlit/elements/",
        "/streamlit/components/",
        "metrics_util.py",
        "/inspect.py",
    ),
    "widgets' and session's state (Streamlit)": ("/streamlit/runtime/state/",),
    "a run's start and end, fragments, caches (Streamlit)": (
        "/streamlit/runtime/",
        "/streamlit/navigation/",
        "/gc.py",
    ),
    "other parts of Streamlit": ("/streamlit/",),
    "event loop, and hand-over to it": ("/asyncio/", "/anyio/", "/selectors.py", "/contextvars"),
    "threads' start and end, locks": ("/threading.py", "/concurrent/", "/queue.py"),
}
ELSE = "what is none of these"
_DEEPEST = 5
Function = tuple[str, int, str]


def group_of(file: str) -> str:
    """The group of a function that stands in ``file``."""
    path = file.replace(os.sep, "/")
    for name, parts in GROUPS.items():
        if any(part in path for part in parts):
            return name
    return ELSE


def by_group(stats: dict[Function, tuple[Any, ...]]) -> Counter[str]:
    """Seconds by group, of ``pstats.Stats.stats``; what has no place in a group (Python's own
    parts, whatever is written in C) counts with those who called it."""
    groups = {function: group_of(function[0]) for function in stats}
    shares = {function: {groups[function]: 1.0} for function in stats}
    for _ in range(_DEEPEST):
        before = shares
        shares = {
            function: _of_callers(numbers[4], before)
            if groups[function] == ELSE and numbers[4]
            else before[function]
            for function, numbers in stats.items()
        }
    seconds: Counter[str] = Counter()
    for function, numbers in stats.items():
        for group, share in shares[function].items():
            seconds[group] += share * numbers[2]
    return seconds


def _of_callers(
    callers: dict[Function, tuple[Any, ...]], shares: dict[Function, dict[str, float]]
) -> dict[str, float]:
    """The groups of those who call, each by how often it does."""
    calls = sum(numbers[0] for numbers in callers.values())
    found: Counter[str] = Counter()
    for caller, numbers in callers.items():
        for group, share in shares.get(caller, {ELSE: 1.0}).items():
            found[group] += share * numbers[0] / calls
    return found


class Watch:
    """Profiles of this process's threads, by what they do: "scripts" and "loop"."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[tuple[str, dict[Function, tuple[Any, ...]]]] = []
        self._loop = cProfile.Profile(time.thread_time)

    def start(self) -> None:
        """Watch this thread, which will be the event loop's, and all that run scripts."""
        run = threading.Thread.run
        watch = self

        def watched(self: threading.Thread) -> None:
            if _SCRIPTS not in self.name:
                run(self)
                return
            profile = cProfile.Profile(time.thread_time)
            try:
                profile.runcall(run, self)
            finally:
                watch.note("scripts", profile)

        threading.Thread.run = watched  # type: ignore[method-assign]
        self._loop.enable()

    def note(self, kind: str, profile: cProfile.Profile) -> None:
        stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
        with self._lock:
            self._seen.append((kind, stats))

    def take(self) -> dict[str, float]:
        """Seconds by kind of thread and group since the last time; from the watched loop."""
        self._loop.disable()
        self.note("loop", self._loop)
        self._loop = cProfile.Profile(time.thread_time)
        with self._lock:
            seen, self._seen = self._seen, []
        found: Counter[str] = Counter()
        for kind, stats in seen:
            found.update({f"{kind}: {group}": used for group, used in by_group(stats).items()})
        self._loop.enable()
        return dict(found)


def watch_this_process() -> None:
    """In the server: watch from now on. SIGUSR1 writes what was seen, and forgets."""
    watch = Watch()

    def write(_number: int, _frame: FrameType | None) -> None:
        path = Path(os.environ[VARIABLE])
        part = path.with_suffix(".part")
        part.write_text(json.dumps(watch.take()), encoding="utf-8")
        part.rename(path)

    signal.signal(signal.SIGUSR1, write)
    watch.start()
