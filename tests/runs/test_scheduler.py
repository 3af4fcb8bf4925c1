"""Whatever happens in whatever order: one run a device, fair turns, one end each, bounded room."""

import dataclasses
import itertools
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vae.config import TrainConfig
from vae.runs import scheduler as s
from vae.runs.limits import Limits
from vae.wire import protocol
from vae.wire.protocol import RunState

CONFIG = TrainConfig(epochs=1)
LIMITS = dataclasses.replace(
    Limits(),
    max_queue=4,
    keep_runs=3,
    owner_grace_seconds=30.0,
    paused_seconds=10.0,
    max_paused_seconds=40.0,
    max_run_seconds=50.0,
    worker_silence_seconds=20.0,
    stop_seconds=5.0,
)
OWNERS = st.sampled_from([f"browser {number}" for number in range(9)])
ADDRESSES = st.sampled_from(["", "10.0.0.1", "10.0.0.2", "10.0.0.3"])
FINAL = [state.value for state in RunState if state.is_finished()]
PATIENCE = 60.0


class World(RuleBasedStateMachine):
    """The scheduler, and an account of its own of everything around it."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = s.Scheduler(LIMITS, lambda run_id: Path("runs") / run_id)
        self.clock = 0.0
        self.names = (f"run-{number}" for number in itertools.count())
        self.owners: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self.waiting: list[str] = []
        self.turns: list[str] = []
        self.waiting_since: dict[str, int] = {}
        self.training = ""
        self.saving: dict[str, s.Keep] = {}
        self.last: dict[str, s.Show] = {}
        self.seen_last: dict[str, RunState] = {}
        self.ends: dict[str, list[RunState]] = {}
        self.forgotten: set[str] = set()
        self.held: frozenset[str] = frozenset()
        self.starting = self.worker = 0
        self.told_to_end = self.killed = self.closed = False

    # What the scheduler does.

    def send(self, event: s.Event) -> list[s.RunError]:
        refusals = []
        for action in self.machine.handle(event, self.clock):
            if isinstance(action, s.Refuse):
                refusals.append(action.error)
            else:
                self.obey(action)
        assert not (refusals and len(refusals) > 1)
        return refusals

    def obey(self, action: s.Action) -> None:
        match action:
            case s.Show(owner, snapshot):
                self.see(owner, snapshot)
            case s.Forget(run_id):
                assert self.ends[run_id]
                self.forgotten.add(run_id)
                del self.last[run_id]
            case s.StartWorker(number):
                assert not self.starting
                assert not self.worker, "one worker at a time"
                self.starting = number
            case s.Tell(number, command):
                assert number == self.worker
                if isinstance(command, protocol.Start):
                    self.start(command.job)
            case s.Kill(number):
                assert number == self.worker
                self.killed = True
            case s.EndWorker(number):
                assert number == self.worker
                assert self.closed
                self.told_to_end = True
            case s.Keep(run_id):
                assert run_id not in self.saving, "one at a time for each run"
                self.saving[run_id] = action
            case s.Hold(run_ids, checkpoints):
                self.held = run_ids
                waiting = {f"of {run_id}" for run_id in self.waiting}
                assert waiting <= checkpoints <= {f"of {run_id}" for run_id in self.unfinished()}
            case s.Prune():
                assert {*self.last, *self.waiting, self.training} - {""} <= self.held

    def see(self, owner: str, snapshot: Any) -> None:
        run_id = snapshot.run_id
        assert owner == self.owners[run_id]
        assert not self.ends[run_id], "nothing is said after the end"
        if run_id in self.last:
            assert snapshot.version > self.last[run_id].snapshot.version
        if snapshot.state.is_finished():
            self.ends[run_id].append(snapshot.state)
            assert run_id not in self.saving, "on disk first"
            if run_id in self.waiting:
                self.leave_line(run_id)
        self.last[run_id] = s.Show(owner, snapshot)

    def start(self, run_id: str) -> None:
        assert not self.training, "one run on a device"
        assert not self.closed
        assert run_id in self.saving, "its folder comes first"
        assert run_id == self.order()[0], "out of turn"
        address = self.addresses[run_id]
        before = [at for at, served in enumerate(self.turns) if served == address]
        for other, since in self.waiting_since.items():
            if other != address and before:
                assert since > before[-1], f"{address} twice while {other} waited"
        self.training = run_id
        self.turns.append(address)
        self.leave_line(run_id)

    def leave_line(self, run_id: str) -> None:
        self.waiting.remove(run_id)
        address = self.addresses[run_id]
        self.waiting_since.pop(address, None)
        if address in [self.addresses[other] for other in self.waiting]:
            self.waiting_since[address] = len(self.turns)

    def order(self) -> list[str]:
        """Turns as the rule says: the address served longest ago, of it who came first."""
        turns, left, order = list(self.turns), list(self.waiting), []
        while left:

            def served(run_id: str, turns: list[str] = turns) -> int:
                address = self.addresses[run_id]
                return max((at for at, one in enumerate(turns) if one == address), default=-1)

            order.append(min(left, key=served))
            left.remove(order[-1])
            turns.append(self.addresses[order[-1]])
        return order

    # What happens to it.

    @initialize()
    def begin(self) -> None:
        self.send(s.Tick())

    @rule(owner=OWNERS, address=ADDRESSES, paused=st.booleans())
    def submit(self, owner: str, address: str, paused: bool) -> None:
        run_id = next(self.names)
        self.owners[run_id], self.addresses[run_id] = owner, address
        self.ends[run_id] = []
        busy = [run for run in self.unfinished() if self.owners[run] == owner and run != run_id]
        line = [self.addresses[run] for run in self.waiting]
        room = 2 * LIMITS.max_queue if address and address not in line else LIMITS.max_queue
        full = len(line) >= room
        expected = self.closed or full or any(run not in self.concluding() for run in busy)
        if not expected:
            self.waiting.append(run_id)
            self.waiting_since.setdefault(address, len(self.turns))
        refusals = self.send(
            s.Submit(
                run_id,
                owner,
                (CONFIG,),
                address=address,
                checkpoints=(f"of {run_id}",),
                paused=paused,
            )
        )
        assert bool(refusals) == expected
        if refusals:
            del self.ends[run_id]

    @rule(fails=st.booleans())
    @precondition(lambda self: self.starting)
    def worker_starts(self, fails: bool) -> None:
        number, self.starting = self.starting, 0
        if fails:
            self.send(s.WorkerNotStarted(number, "no memory"))
            return
        self.worker, self.told_to_end, self.killed = number, False, False
        self.send(s.WorkerStarted(number))
        self.send(s.Reported(number, protocol.Ready("CPU", 1, 0.1)))

    @rule(code=st.sampled_from([0, 1, -9]))
    @precondition(lambda self: self.worker)
    def worker_ends(self, code: int) -> None:
        number, self.worker, self.training = self.worker, 0, ""
        self.send(s.WorkerEnded(number, code, "last words"))

    @rule(kind=st.sampled_from(["runs", "rests", "downloads", "saves", "cannot save"]))
    @precondition(lambda self: self.training)
    def report(self, kind: str) -> None:
        job = self.training
        self.send(s.Reported(self.worker, REPORTS[kind](job)))

    @rule(state=st.sampled_from(FINAL))
    @precondition(lambda self: self.training)
    def run_ends(self, state: str) -> None:
        job, self.training = self.training, ""
        self.send(s.Reported(self.worker, protocol.Ended(job, state)))

    @rule(data=st.data(), number=st.integers(0, 30))
    def stray_report(self, data: st.DataObject, number: int) -> None:
        """Of a worker that is over, or of a run that does not train."""
        job = data.draw(st.sampled_from(["nothing", *self.owners]))
        report = data.draw(st.sampled_from([*REPORTS.values(), ended]))(job)
        if number != self.worker or job != self.training:
            before = dict(self.last)
            self.send(s.Reported(number, report))
            assert self.last == before

    @rule(state=st.sampled_from(["running", "flying"]))
    @precondition(lambda self: self.training)
    def nonsense(self, state: str) -> None:
        with pytest.raises(ValueError, match=r"flying|running"):
            self.machine.handle(
                s.Reported(self.worker, protocol.Ended(self.training, state)), self.clock
            )

    @rule(data=st.data(), problem=st.sampled_from(["", "No space left on device"]))
    @precondition(lambda self: self.saving)
    def disk_answers(self, data: st.DataObject, problem: str) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.saving)))
        self.send(s.Kept(self.saving.pop(run_id), problem))

    @rule(data=st.data(), owner=OWNERS)
    @precondition(lambda self: self.last)
    def stop(self, data: st.DataObject, owner: str) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.last)))
        refusals = self.send(s.StopRun(run_id, owner))
        assert bool(refusals) == (owner != self.owners[run_id])
        stays = run_id == self.training or run_id in self.concluding()
        if not refusals and not stays:
            assert self.ends[run_id], "who waits leaves at once"
        if not refusals and run_id == self.training:
            assert self.last[run_id].snapshot.stopping

    @rule(data=st.data(), owner=OWNERS)
    @precondition(lambda self: self.last)
    def steer(self, data: st.DataObject, owner: str) -> None:
        run_id = data.draw(st.sampled_from(sorted(self.last)))
        command = data.draw(
            st.sampled_from(
                [protocol.Pause(run_id), protocol.Resume(run_id), protocol.SetSpeed(run_id, 2.0)]
            )
        )
        refusals = self.send(s.Steer(run_id, owner, command))
        assert bool(refusals) == (owner != self.owners[run_id])

    @rule(viewer=st.integers(0, 5))
    def everybody_looks(self, viewer: int) -> None:
        for run_id in self.last:
            self.send(s.Look(run_id, str(viewer)))

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        while seconds > 0:
            self.clock += min(seconds, 1.0)
            seconds -= 1.0
            self.send(s.Tick())

    @rule(seconds=st.one_of(st.floats(6, 1e7), st.floats(-1e7, -1e-3)))
    def clock_jumps(self, seconds: float) -> None:
        """The machine slept, or its clock was set: nobody is to suffer."""
        self.send(s.Tick())
        ends = {run_id: list(states) for run_id, states in self.ends.items()}
        self.clock += seconds
        self.send(s.Tick())
        assert ends == self.ends

    @rule()
    def close(self) -> None:
        self.closed = True
        self.send(s.Close())
        assert not self.waiting

    # What holds at all times.

    def unfinished(self) -> set[str]:
        return {run_id for run_id, states in self.ends.items() if not states}

    def concluding(self) -> set[str]:
        """Over, but for the disk."""
        return self.unfinished() - set(self.waiting) - {self.training}

    @invariant()
    def positions_are_right(self) -> None:
        ahead = int(bool(self.training))
        for position, run_id in enumerate(self.order(), start=ahead):
            snapshot = self.last[run_id].snapshot
            assert (snapshot.state, snapshot.position) == (RunState.QUEUED, position)

    @invariant()
    def a_free_worker_does_not_idle_while_somebody_waits(self) -> None:
        assert not (self.worker and self.waiting and not self.training)

    @invariant()
    def room_is_bounded(self) -> None:
        assert len(self.last) - len(self.unfinished()) <= LIMITS.keep_runs
        assert len(self.waiting) <= 2 * LIMITS.max_queue
        assert self.concluding() <= set(self.saving), "a run that hangs"

    @invariant()
    def a_run_has_one_end(self) -> None:
        assert all(len(states) <= 1 for states in self.ends.values())

    def teardown(self) -> None:
        """Let all that is under way come to its end; then the server's."""
        for _ in range(200):
            if not self.unfinished():
                break
            self.everybody_looks(0)
            self.settle_one()
        assert not self.unfinished(), "a run without an end"
        self.close()
        self.settle_one()
        assert not self.saving
        super().teardown()

    def settle_one(self) -> None:
        if self.starting:
            self.worker_starts(fails=False)
        if self.training:
            self.run_ends("finished")
        for run_id in list(self.saving):
            self.send(s.Kept(self.saving.pop(run_id)))
        self.time_passes(1.0)


def progress(job: str, paused: bool) -> protocol.Progress:
    return protocol.Progress(job, paused, 1, 100, 1.0, 50.0, 6400.0, "CPU")


REPORTS: dict[str, Any] = {
    "runs": lambda job: progress(job, False),
    "rests": lambda job: progress(job, True),
    "downloads": lambda job: protocol.Downloading(job, 0.5),
    "saves": lambda job: protocol.Saved(job, 9, (f"{job}.pt",)),
    "cannot save": lambda job: protocol.Saved(job, 9, (), "No space left on device"),
}


def ended(job: str) -> protocol.Ended:
    return protocol.Ended(job, "finished")


class TestWorld(World.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(
        max_examples=60,
        stateful_step_count=60,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def folder_of(run_id: str) -> Path:
    return Path("runs") / run_id


def test_memory_does_not_grow_with_the_runs_that_were() -> None:
    """Owners, addresses and viewers are new each time, as on a public server."""
    machine, sizes = s.Scheduler(LIMITS, folder_of), []
    machine.handle(s.Tick(), 0.0)
    machine.handle(s.WorkerStarted(1), 0.0)
    for number in range(4000):
        run_id, now = f"run-{number:05d}", float(number)
        address = f"10.{number // 256}.{number % 256}.1"
        begun = machine.handle(s.Submit(run_id, run_id, (CONFIG,), address=address), now)
        machine.handle(s.Look(run_id, f"viewer {number}"), now)
        [keep] = [action for action in begun if isinstance(action, s.Keep)]
        machine.handle(s.Kept(keep), now)
        over = machine.handle(s.Reported(1, protocol.Ended(run_id, "finished")), now)
        [keep] = [action for action in over if isinstance(action, s.Keep)]
        machine.handle(s.Kept(keep), now)
        machine.handle(s.Tick(), now)
        if number % 1000 == 999:
            sizes.append(len(pickle.dumps(machine)))
    # Larger numbers take a byte more; one thing kept of each run would double it and more.
    assert sizes[-1] < 1.2 * sizes[0], sizes


def test_a_trainer_that_did_not_start_was_no_turn() -> None:
    machine = s.Scheduler(LIMITS, folder_of)
    machine.handle(s.Submit("failed", "a", (CONFIG,), address="10.0.0.1"), 0.0)
    machine.handle(s.WorkerNotStarted(1, "no memory"), 0.0)
    for run_id, address in (("first", "10.0.0.1"), ("second", "10.0.0.2")):
        machine.handle(s.Submit(run_id, run_id, (CONFIG,), address=address), 1.0)
    machine.handle(s.Tick(), 2.0)
    actions = machine.handle(s.WorkerStarted(2), 2.0)
    [start] = [action.command for action in actions if isinstance(action, s.Tell)]
    assert isinstance(start, protocol.Start)
    assert start.job == "first"
