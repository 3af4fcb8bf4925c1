"""What happens in rooms over time, as a machine without hands: events go in, actions come out.

``handle(event, now)`` is all there is: no thread, no lock, no clock, no network. A room has one
question at a time, and at most two rounds of votes on it; it counts choices, and keeps of a browser
only that it has voted in this round. ``vae.web.rooms`` does as it is told.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

MOST_ROOMS = 200
MOST_VOTES = 1000
MOST_CHOICES = 8
# A lesson and a long break after it; a room that nobody asks for is gone then.
LIVES_SECONDS = 3 * 3600.0
ROUNDS = 2


class Phase(StrEnum):
    """Where a room stands."""

    IDLE = "idle"
    OPEN = "open"
    CLOSED = "closed"
    REVEALED = "revealed"


class RoomError(RuntimeError):
    """A request that cannot be met; the message is a sentence for the page."""


class NoRoom(RoomError):
    """There is no room of this code, or no longer."""


class NotTeacher(RoomError):
    """A command by somebody who did not open the room."""


class TooMany(RoomError):
    """Too many rooms, or too many votes in one."""


class NotNow(RoomError):
    """A vote or a command that has no meaning at this moment, or comes a second time."""


# Events.


@dataclass(frozen=True)
class Open:
    """Somebody opens a room. ``teacher`` is the key by which its commands are known."""

    code: str
    teacher: str


@dataclass(frozen=True)
class Ask:
    """The teacher asks a question of so many ``choices``: a first round opens."""

    code: str
    teacher: str
    question: str
    choices: int


@dataclass(frozen=True)
class Vote:
    """A browser chooses in the round that is open. ``voter`` is its key, hashed."""

    code: str
    voter: str
    round: int
    choice: int


@dataclass(frozen=True)
class Close:
    """The teacher ends the round: from now on the counts may be seen."""

    code: str
    teacher: str


@dataclass(frozen=True)
class Again:
    """After talking, the same question a second time."""

    code: str
    teacher: str


@dataclass(frozen=True)
class Reveal:
    """Everybody sees the counts and the answer."""

    code: str
    teacher: str


@dataclass(frozen=True)
class Follow:
    """The room looks at this run; at none, where it is empty."""

    code: str
    teacher: str
    run: str


@dataclass(frozen=True)
class End:
    """The teacher closes the room."""

    code: str
    teacher: str


@dataclass(frozen=True)
class Look:
    """Somebody looks at a room."""

    code: str


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


Event = Open | Ask | Vote | Close | Again | Reveal | Follow | End | Look | Tick


# Actions.


@dataclass(frozen=True)
class View:
    """A room as it stands. ``counts`` has the votes of each round by choice.

    Counts of a round that is open are for nobody: they are left empty, ``votes`` says how many.
    """

    code: str
    question: str
    phase: Phase
    round: int
    votes: int
    counts: tuple[tuple[int, ...], ...]
    run: str


@dataclass(frozen=True)
class Show:
    """The room's newest state, for all who look."""

    view: View


@dataclass(frozen=True)
class Forget:
    """The room is gone."""

    code: str


@dataclass(frozen=True)
class Refuse:
    """The event is refused: ``error`` is for who asked."""

    error: RoomError


Action = Show | Forget | Refuse


@dataclass
class _Room:
    code: str
    teacher: str
    seen: float
    question: str = ""
    phase: Phase = Phase.IDLE
    counts: list[list[int]] = field(default_factory=list)
    voters: set[str] = field(default_factory=set)
    run: str = ""

    def view(self) -> View:
        open_ = self.phase is Phase.OPEN
        known = self.counts[:-1] if open_ else self.counts
        votes = sum(self.counts[-1]) if self.counts else 0
        return View(
            self.code,
            self.question,
            self.phase,
            len(self.counts),
            votes,
            tuple(map(tuple, known)),
            self.run,
        )


class Rooms:
    """All rooms of a server."""

    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def is_teacher(self, code: str, key: str) -> bool:
        """Whether ``key`` opened the room ``code``."""
        room = self._rooms.get(code)
        return room is not None and room.teacher == key

    def opened_by(self, key: str) -> str | None:
        """The code of the room that ``key`` opened, while there is one."""
        return next((code for code, room in self._rooms.items() if room.teacher == key), None)

    def has_voted(self, code: str, voter: str) -> bool:
        """Whether this browser has voted in the room's last round."""
        room = self._rooms.get(code)
        return room is not None and voter in room.voters

    def drop(self, code: str) -> None:
        """Let a room go, whoever opened it; nothing where it is gone already."""
        self._rooms.pop(code, None)

    def handle(self, event: Event, now: float) -> list[Action]:
        """What follows from ``event`` at the time ``now``, in seconds that never run backwards."""
        gone: list[Action] = [
            Forget(code) for code, room in self._rooms.items() if now - room.seen > LIVES_SECONDS
        ]
        for action in gone:
            assert isinstance(action, Forget)
            del self._rooms[action.code]
        if isinstance(event, Tick):
            return gone
        try:
            return [*gone, *self._handle(event, now)]
        except RoomError as error:
            return [*gone, Refuse(error)]

    def _handle(self, event: Event, now: float) -> list[Action]:
        if isinstance(event, Open):
            return self._open(event, now)
        assert not isinstance(event, Tick)
        room = self._rooms.get(event.code)
        if room is None:
            raise NoRoom("This room is over. A teacher opens another one.")
        room.seen = now
        if isinstance(event, Look):
            return [Show(room.view())]
        if isinstance(event, Vote):
            _vote(room, event)
        elif event.teacher != room.teacher:
            raise NotTeacher("Only who opened the room can do that.")
        elif isinstance(event, End):
            del self._rooms[room.code]
            return [Forget(room.code)]
        elif isinstance(event, Ask):
            _ask(room, event)
        elif isinstance(event, Follow):
            room.run = event.run
        else:
            _MOVES[type(event)](room)
        return [Show(room.view())]

    def _open(self, event: Open, now: float) -> list[Action]:
        known = self._rooms.get(event.code)
        if known is not None:
            raise NotNow("A room of this code is there already. Open another.")
        if len(self._rooms) >= MOST_ROOMS:
            raise TooMany(f"This server has {MOST_ROOMS} rooms already, the most it keeps.")
        room = self._rooms[event.code] = _Room(event.code, event.teacher, now)
        return [Show(room.view())]


def _ask(room: _Room, event: Ask) -> None:
    if not 2 <= event.choices <= MOST_CHOICES:
        raise ValueError(f"choices: {event.choices} given; allowed is 2 to {MOST_CHOICES}")
    room.question = event.question
    room.counts = []
    _begin(room, event.choices)


def _begin(room: _Room, choices: int) -> None:
    room.counts.append([0] * choices)
    room.voters = set()
    room.phase = Phase.OPEN


def _vote(room: _Room, event: Vote) -> None:
    if room.phase is not Phase.OPEN or event.round != len(room.counts):
        raise NotNow("The vote is closed.")
    if not 0 <= event.choice < len(room.counts[-1]):
        raise NotNow("That is none of the choices.")
    if event.voter in room.voters:
        raise NotNow("This browser has voted already: one vote a round.")
    if len(room.voters) >= MOST_VOTES:
        raise TooMany(f"A round counts {MOST_VOTES} votes at most.")
    room.voters.add(event.voter)
    room.counts[-1][event.choice] += 1


def _close(room: _Room) -> None:
    if room.phase is not Phase.OPEN:
        raise NotNow("No vote is open.")
    room.phase = Phase.CLOSED


def _again(room: _Room) -> None:
    if room.phase is not Phase.CLOSED or len(room.counts) >= ROUNDS:
        raise NotNow("A second vote follows a first one that is closed and not yet revealed.")
    _begin(room, len(room.counts[-1]))


def _reveal(room: _Room) -> None:
    if room.phase is not Phase.CLOSED:
        raise NotNow("A vote is revealed after it is closed.")
    room.phase = Phase.REVEALED


_MOVES: dict[type, Callable[[_Room], None]] = {Close: _close, Again: _again, Reveal: _reveal}
