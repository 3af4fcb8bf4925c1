"""What happens to servers over time, as a machine without hands: events go in, actions come out.

``handle(event, now)`` is all there is, as in ``vae.runs.scheduler``. A server is started, and
visitors are led to it once it is healthy; one that ends or hangs is started again, after a pause
that grows. For an update each in turn is drained: new visitors are led to the others, those who
are there stay until they leave or the patience for them ends, then it ends in order (its runs are
saved, others offer them) and is started anew.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

# A server is healthy after some 2 s; on a small host after 20.
START_SECONDS = 120.0
# One that says nothing for this long is taken for hung.
SILENCE_SECONDS = 30.0
# Who looks for the servers' answers may be held itself (a machine that sleeps, a frozen container,
# swapping). Of a time in which nobody looked no more counts than this: it says nothing of them.
HELD_SECONDS = 10.0
# To save what trains, and end: more than a server gives its trainer.
STOP_SECONDS = 35.0
# For visitors of a server that is drained, to come to an end.
DRAIN_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


class Standing(StrEnum):
    """Where a server stands."""

    STARTING = "starting"
    UP = "up"
    DRAINING = "draining"
    STOPPING = "stopping"
    DOWN = "down"


# Events.


@dataclass(frozen=True)
class Healthy:
    """The server answers."""

    name: str


@dataclass(frozen=True)
class Ended:
    """The server's process is over."""

    name: str


@dataclass(frozen=True)
class Visitors:
    """So many connections lead to the server."""

    name: str
    count: int


@dataclass(frozen=True)
class Update:
    """Somebody asks for every server to be started anew, one after another."""


@dataclass(frozen=True)
class Close:
    """Somebody asks for the end."""


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


Event = Healthy | Ended | Visitors | Update | Close | Tick


# Actions.


@dataclass(frozen=True)
class Start:
    """Start the server's process."""

    name: str


@dataclass(frozen=True)
class Stop:
    """Ask the process to end in order."""

    name: str


@dataclass(frozen=True)
class Kill:
    """End the process."""

    name: str


@dataclass(frozen=True)
class Lead:
    """Lead new visitors to the server, or no longer."""

    name: str
    there: bool


@dataclass(frozen=True)
class Say:
    """A line for who looks after the machine."""

    text: str


Action = Start | Stop | Kill | Lead | Say


@dataclass
class _Server:
    name: str
    standing: Standing = Standing.DOWN
    # When it has to have come further.
    deadline: float = 0.0
    pause: float = _FIRST_PAUSE
    visitors: int | None = None


class Supervisor:
    """All servers of a machine. ``drain_seconds``: the patience for visitors at an update."""

    def __init__(self, names: Sequence[str], drain_seconds: float = DRAIN_SECONDS) -> None:
        self._servers = {name: _Server(name) for name in names}
        self._drain_seconds = drain_seconds
        self._updates: deque[str] = deque()
        self._closing = False
        self._heard_at: float | None = None
        self._now = 0.0
        self._actions: list[Action] = []

    @property
    def standings(self) -> dict[str, Standing]:
        return {name: server.standing for name, server in self._servers.items()}

    @property
    def over(self) -> bool:
        """Whether all were asked to end and have."""
        down = all(standing is Standing.DOWN for standing in self.standings.values())
        return self._closing and down

    def handle(self, event: Event, now: float) -> list[Action]:
        """What is to be done about ``event``, which came at ``now``, in seconds of any clock."""
        self._actions = []
        now = self._pass_time(now)
        match event:
            case Healthy(name):
                self._greet(self._servers[name], now)
            case Ended(name):
                self._bury(self._servers[name], now)
            case Visitors(name, count):
                self._servers[name].visitors = count
            case Update():
                # What is asked for twice is done once.
                self._updates.extend(name for name in self._servers if name not in self._updates)
            case Close():
                self._close(now)
            case Tick():
                pass
        for server in self._servers.values():
            self._look(server, now)
        self._go_on_with_update(now)
        return self._actions

    def _pass_time(self, now: float) -> float:
        """The time that counts, in seconds of its own clock."""
        passed = 0.0 if self._heard_at is None else now - self._heard_at
        self._heard_at = now
        self._now += min(max(passed, 0.0), HELD_SECONDS)
        return self._now

    def _greet(self, server: _Server, now: float) -> None:
        if server.standing is Standing.STARTING:
            server.standing, server.pause = Standing.UP, _FIRST_PAUSE
            self._actions += [Lead(server.name, True), Say(f"{server.name} is up")]
        if server.standing is Standing.UP:
            server.deadline = now + SILENCE_SECONDS

    def _bury(self, server: _Server, now: float) -> None:
        expected = server.standing is Standing.STOPPING
        if not expected:
            self._actions.append(Say(f"{server.name} ended; it is started again"))
        server.standing, server.visitors = Standing.DOWN, None
        server.deadline = now if expected else now + server.pause
        if not expected:
            server.pause = min(2 * server.pause, _LONGEST_PAUSE)

    def _close(self, now: float) -> None:
        self._closing = True
        self._updates.clear()
        for server in self._servers.values():
            if server.standing not in (Standing.DOWN, Standing.STOPPING):
                self._stop(server, now)

    def _stop(self, server: _Server, now: float) -> None:
        server.standing, server.deadline = Standing.STOPPING, now + STOP_SECONDS
        self._actions.append(Stop(server.name))

    def _look(self, server: _Server, now: float) -> None:
        """What the time asks of a server."""
        late = now >= server.deadline
        if server.standing is Standing.DOWN and late and not self._closing:
            server.standing, server.deadline = Standing.STARTING, now + START_SECONDS
            self._actions.append(Start(server.name))
        elif server.standing in (Standing.STARTING, Standing.UP) and late:
            self._actions += [Say(f"{server.name} does not answer"), Kill(server.name)]
            # Its end is told; it is asked for once.
            server.deadline = float("inf")
        elif server.standing is Standing.DRAINING and (late or server.visitors == 0):
            self._stop(server, now)
        elif server.standing is Standing.STOPPING and late:
            self._actions.append(Kill(server.name))
            server.deadline = float("inf")

    def _go_on_with_update(self, now: float) -> None:
        """Drain the next one, once all servers are up: never is more than one away."""
        if not self._updates or set(self.standings.values()) != {Standing.UP}:
            return
        server = self._servers[self._updates.popleft()]
        self._actions += [Lead(server.name, False), Say(f"{server.name} is drained")]
        # Nobody else could take its visitors: they wait for it instead.
        patience = self._drain_seconds if len(self._servers) > 1 else 0.0
        server.standing, server.visitors = Standing.DRAINING, None
        server.deadline = now + patience
