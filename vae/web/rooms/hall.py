"""All rooms of this server: a lock and a clock around the machine of ``vae.rooms``."""

import threading
import time
from typing import Any

from vae.rooms.advice import advise
from vae.rooms.machine import (
    Event,
    Look,
    Open,
    Phase,
    Refuse,
    RoomError,
    Rooms,
    Show,
    Tick,
    View,
)
from vae.rooms.place import Place, load_place
from vae.web.rooms.catalogue import Asked, catalogue
from vae.web.rooms.followed import Came, came_out

_ANOTHER = (
    "This room is on another server. Open the whole link that your teacher shows, not its code."
)
_TRIES = 20


class Hall:
    """What requests ask of the rooms. Its methods may be called from any thread."""

    def __init__(self, place: Place | None = None) -> None:
        self.place = load_place() if place is None else place
        self._rooms = Rooms()
        self._lock = threading.Lock()

    def open(self, teacher: str) -> str:
        """Open a room; one that the teacher had is closed. Returns its code.

        Raises ``RoomError`` where there are too many.
        """
        with self._lock:
            if (before := self._rooms.opened_by(teacher)) is not None:
                self._rooms.drop(before)
            for _ in range(_TRIES):
                code = self.place.new_code()
                action = self._rooms.handle(Open(code, teacher), time.monotonic())[-1]
                if isinstance(action, Show):
                    return code
            assert isinstance(action, Refuse)
            raise action.error

    def tell(self, event: Event, key: str) -> dict[str, Any]:
        """The room after ``event``, as the browser ``key`` may see it.

        Raises ``RoomError``, with a sentence of its own where the code is another server's.
        """
        if not isinstance(event, Tick) and event.code and not self.place.has(event.code):
            raise RoomError(_ANOTHER)
        with self._lock:
            action = self._rooms.handle(event, time.monotonic())[-1]
            if isinstance(action, Refuse):
                raise action.error
            if not isinstance(action, Show):
                return {}
            view = action.view
            teacher = self._rooms.is_teacher(view.code, key)
            voted = self._rooms.has_voted(view.code, key)
        return as_seen(view, teacher=teacher, voted=voted)

    def look(self, code: str, key: str) -> dict[str, Any]:
        """The room of this code. Raises ``RoomError`` where there is none, or elsewhere."""
        return self.tell(Look(code), key)


def as_seen(view: View, *, teacher: bool, voted: bool) -> dict[str, Any]:
    """What a browser is told: students nothing of the counts or the answer before the reveal."""
    asked = catalogue().get(view.question)
    revealed = view.phase is Phase.REVEALED
    known = revealed or (teacher and view.phase is Phase.CLOSED)
    came = came_out(asked, view.run) if asked and known else None
    answer = came.right if came else asked.answer if asked else None
    told: dict[str, Any] = {
        "code": view.code,
        "phase": str(view.phase),
        "round": view.round,
        "votes": view.votes,
        "run": view.run,
        "teacher": teacher,
        "voted": voted,
        "question": _question(asked) if asked else None,
        "counts": [list(each) for each in view.counts] if teacher or revealed else [],
        "advice": "",
    }
    if asked and revealed:
        told["question"] |= _answered(asked, came) | {"answer": answer}
    if teacher and answer is not None and view.phase is Phase.CLOSED:
        told["advice"] = advise(view.counts[-1], answer)
    return told


def _question(asked: Asked) -> dict[str, Any]:
    return {
        "id": asked.id,
        "ask": asked.ask,
        "choices": list(asked.choices),
        "path": asked.path,
    }


def _answered(asked: Asked, came: Came | None) -> dict[str, Any]:
    """What is said of each choice; of Train's questions theory, and the run that was followed."""
    told: dict[str, Any] = {"replies": list(asked.replies)}
    if asked.lesson:
        told |= {
            "theory": came.theory if came else asked.theory,
            "kept": asked.kept,
            "outcome": came.outcome if came else "",
        }
    return told


_hall: Hall | None = None
_making = threading.Lock()


def get_hall() -> Hall:
    """The rooms of this process."""
    global _hall
    with _making:
        if _hall is None:
            _hall = Hall()
        return _hall
