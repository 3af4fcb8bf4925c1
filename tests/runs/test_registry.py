"""Queue, ownership, memory and clock of the registry, with a worker made of paper."""

import concurrent.futures
import dataclasses
import functools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae.config import ConfigError, TrainConfig
from vae.runs.folders import RunFolders
from vae.runs.limits import LimitError, Limits
from vae.runs.records import MAX_FRAMES_KEPT, MAX_STEPS_KEPT
from vae.runs.registry import (
    VIEW_SECONDS,
    AlreadyRunning,
    NotOwner,
    QueueFull,
    Registry,
    RunError,
    UnknownRun,
)
from vae.runs.thinning import ThinnedHistory
from vae.servers import server_of_run
from vae.web.steering_key import new_cookies, owner_key
from vae.wire import protocol
from vae.wire.events import ReconstructionEvent, StepEvent
from vae.wire.protocol import RunState

CONFIG = TrainConfig(epochs=1)


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class PaperWorker:
    """Takes commands, says what a test has it say, ends when it is killed."""

    def __init__(self, on_report: Any, on_exit: Any) -> None:
        self._on_report, self._on_exit = on_report, on_exit
        self.commands: list[protocol.Command] = []
        self.deaf = False
        self.killed = False
        self.exit_code: int | None = None

    def send(self, command: protocol.Command) -> bool:
        self.commands.append(command)
        if isinstance(command, protocol.Stop) and not self.deaf:
            self.say(protocol.Ended(command.job, "stopped"))
        return True

    def say(self, report: protocol.Report) -> None:
        self._on_report(self, report)

    def kill(self) -> None:
        self.killed = True
        self.die(-9)

    def die(self, code: int) -> None:
        self.exit_code = code
        self._on_exit(self)

    def last_words(self) -> str:
        return "RuntimeError: no such thing"

    def close(self, seconds: float) -> None:
        del seconds
        if self.started:
            self.say(protocol.Ended(self.started[-1].job, "stopped"))

    @property
    def started(self) -> list[protocol.Start]:
        return [command for command in self.commands if isinstance(command, protocol.Start)]


class Bench:
    """A registry, its clock and its workers, the newest last."""

    def __init__(self, folder: Path, *, server: str = "", **limits: Any) -> None:
        self.clock = Clock()
        self.workers: list[PaperWorker] = []
        self.registry = Registry(
            dataclasses.replace(Limits(), **limits),
            folder,
            name=server,
            build_worker=self._build,  # type: ignore[arg-type]
            clock=self.clock,
            threaded=False,
        )
        self.tick()

    def _build(self, on_report: Any, on_exit: Any) -> PaperWorker:
        self.workers.append(PaperWorker(on_report, on_exit))
        return self.workers[-1]

    @property
    def worker(self) -> PaperWorker:
        return self.workers[-1]

    def tick(self, seconds: float = 0.0) -> None:
        """Let time pass, looked at every second as the watch does."""
        while seconds > 0:
            self.clock.seconds += min(1.0, seconds)
            seconds -= 1.0
            self.registry.tick()
        self.registry.tick()

    def state(self, run_id: str) -> RunState:
        snapshot = self.registry.snapshot(run_id)
        assert snapshot is not None
        return snapshot.state

    def message(self, run_id: str) -> str:
        snapshot = self.registry.snapshot(run_id)
        assert snapshot is not None
        return snapshot.message

    def run(
        self, run_id: str, step: int = 1, *, paused: bool = False, trained: float = 1.0
    ) -> None:
        """Have the worker say that it trains, and has for ``trained`` seconds."""
        self.worker.say(protocol.Progress(run_id, paused, step, 100, trained, 50.0, 6400.0, "CPU"))

    def end(self, run_id: str, state: str = "finished", message: str = "") -> None:
        self.worker.say(protocol.Ended(run_id, state, message))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.registry.close()


def step_event(step: int) -> StepEvent:
    return StepEvent(step, 100, 1, -90.0, 5.0, 95.0, 0.02, (1.0, 4.0), None, 1e-3, 6400.0)


def pictures(step: int) -> ReconstructionEvent:
    shape = (10, 28, 28)
    targets = np.full(shape, 7, np.uint8)
    return ReconstructionEvent(step, targets, np.full(shape, step % 256, np.uint8), targets.copy())


# Queue


def test_twenty_sessions_train_in_the_order_in_which_they_came(bench: Bench) -> None:
    runs = [bench.registry.submit([CONFIG], owner=f"session {n}") for n in range(20)]
    assert len(set(runs)) == 20
    for ahead, run_id in enumerate(runs):
        snapshot = bench.registry.snapshot(run_id)
        assert snapshot is not None
        assert snapshot.position == ahead
        assert snapshot.state is (RunState.QUEUED if ahead else RunState.STARTING)
    for done, run_id in enumerate(runs):
        assert [start.job for start in bench.worker.started] == runs[: done + 1]
        bench.run(run_id)
        assert bench.state(run_id) is RunState.RUNNING
        bench.end(run_id)
        bench.tick()
        assert bench.state(run_id) is RunState.FINISHED
        waiting = [bench.registry.snapshot(waiter) for waiter in runs[done + 1 :]]
        assert [waiter.position for waiter in waiting if waiter] == list(range(len(waiting)))


def at_once(*actions: Callable[[], object]) -> list[object]:
    """What each action returned or raised, all of them begun at the same moment."""
    barrier = threading.Barrier(len(actions))

    def act(action: Callable[[], object]) -> object:
        barrier.wait(10)
        try:
            return action()
        except Exception as error:
            return error

    with concurrent.futures.ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def test_twenty_sessions_at_once_and_one_with_a_nervous_finger(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_queue=19)
    submit = functools.partial(bench.registry.submit, [CONFIG])
    owners = [f"session {n}" for n in range(20)] + ["session 7"] * 5
    outcomes = at_once(*(functools.partial(submit, owner=owner) for owner in owners))
    runs = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(set(runs)) == 20
    refused = [outcome for outcome in outcomes if not isinstance(outcome, str)]
    assert {type(outcome) for outcome in refused} <= {AlreadyRunning, QueueFull}
    places = {run_id: bench.registry.snapshot(run_id) for run_id in runs}
    assert sorted(place.position for place in places.values() if place) == list(range(20))
    assert len(bench.worker.started) == 1
    with pytest.raises(QueueFull):
        submit(owner="late")
    bench.registry.close()


def test_a_full_queue_says_so_and_takes_no_more(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_queue=3)
    for n in range(4):
        bench.registry.submit([CONFIG], owner=str(n))
    with pytest.raises(QueueFull, match="3 runs wait already"):
        bench.registry.submit([CONFIG], owner="late")
    assert bench.registry.run_of("late") is None
    bench.registry.close()


def test_one_address_with_many_browsers_fills_no_queue_and_takes_no_second_turn(
    bench: Bench,
) -> None:
    """Cookies are free, addresses are not."""
    many, refused = [], 0
    for number in range(36):
        try:
            many.append(bench.registry.submit([CONFIG], owner=f"made up {number}", address="here"))
        except QueueFull:
            refused += 1
    assert (len(many), refused) == (31, 5), "one trains, thirty wait"
    late = bench.registry.submit([CONFIG], owner="late", address="elsewhere")
    snapshot = bench.registry.snapshot(late)
    assert snapshot is not None
    assert snapshot.position == 1, "after the one that trains"
    bench.end(many[0])
    bench.tick()
    assert bench.worker.started[-1].job == late
    # Of an address that nobody waits for there is room for one, and then no more.
    bench.registry.submit([CONFIG], owner="later", address="elsewhere")
    with pytest.raises(QueueFull, match="31 runs wait already"):
        bench.registry.submit([CONFIG], owner="latest", address="elsewhere")


def test_a_class_behind_one_address_keeps_its_order_and_a_guest_has_every_second_turn(
    bench: Bench,
) -> None:
    pupils = [bench.registry.submit([CONFIG], owner=f"p{n}", address="school") for n in range(4)]
    guest = bench.registry.submit([CONFIG], owner="guest", address="home")
    turns = []
    for _ in range(6):
        turns.append(bench.worker.started[-1].job)
        bench.end(turns[-1])
        if turns[-1] == guest and len(turns) < 3:
            guest = bench.registry.submit([CONFIG], owner="guest", address="home")
        bench.tick()
    assert [job for job in turns if job in pupils] == pupils
    assert [turn not in pupils for turn in turns] == [False, True, False, True, False, False]


def test_addresses_that_one_client_has_plenty_of_count_as_one(bench: Bench) -> None:
    def start(owner: str, address: str) -> str:
        return bench.registry.submit([CONFIG], owner=owner, address=address)

    first = start("a", "2001:db8::1")
    own = [start(f"a{n}", f"2001:db8::{n:x}%eth0") for n in range(2, 9)]
    # The same machine, as an IPv4 socket and as a mapped one says it.
    other = [start("b", "192.0.2.1"), start("c", "::ffff:192.0.2.1")]
    places = [bench.registry.snapshot(run) for run in (first, *own, *other)]
    assert [place.position for place in places if place] == [0, 2, 4, 5, 6, 7, 8, 9, 1, 3]


def test_one_run_for_each_owner(bench: Bench) -> None:
    first = bench.registry.submit([CONFIG], owner="a")
    with pytest.raises(AlreadyRunning) as caught:
        bench.registry.submit([CONFIG], owner="a")
    assert caught.value.run_id == first
    assert bench.registry.run_of("a") == first
    bench.end(first)
    second = bench.registry.submit([CONFIG], owner="a")
    assert bench.registry.run_of("a") == second


def test_leaving_the_queue_moves_the_others_up(bench: Bench) -> None:
    runs = [bench.registry.submit([CONFIG], owner=str(n)) for n in range(4)]
    bench.registry.stop(runs[1], owner="1")
    assert bench.state(runs[1]) is RunState.STOPPED
    left = [bench.registry.snapshot(run_id) for run_id in (runs[0], runs[2], runs[3])]
    assert [snapshot.position for snapshot in left if snapshot] == [0, 1, 2]


def test_a_host_s_limits_hold_at_submission(bench: Bench) -> None:
    with pytest.raises(LimitError, match="epochs: 500 given; this host allows 1 to 200"):
        bench.registry.submit([TrainConfig(epochs=500)], owner="a")
    with pytest.raises(ConfigError, match="checkpoints: 1 given"):
        bench.registry.submit([CONFIG, CONFIG], owner="a", checkpoints=["one.pt"])
    with pytest.raises(ConfigError, match=r"speed: 0 given; allowed is 0\.1 to 1000"):
        bench.registry.submit([CONFIG], owner="a", speed=0)
    assert bench.registry.run_of("a") is None


# Who steers


def test_commands_need_the_owner_and_reading_does_not(bench: Bench) -> None:
    registry = bench.registry
    run_id = registry.submit([CONFIG], owner="teacher")
    bench.run(run_id)
    assert registry.is_owner(run_id, "teacher")
    assert not registry.is_owner(run_id, "student")
    assert registry.snapshot(run_id) is not None
    sent = len(bench.worker.commands)
    for command in (registry.pause, registry.resume, registry.step, registry.stop):
        with pytest.raises(NotOwner, match="somebody else's"):
            command(run_id, owner="student")
    with pytest.raises(NotOwner):
        registry.set_learning_rate(run_id, 0.1, owner="student")
    with pytest.raises(NotOwner):
        registry.set_speed(run_id, 1.0, owner="student")
    assert len(bench.worker.commands) == sent

    registry.pause(run_id, owner="teacher")
    registry.step(run_id, 10, owner="teacher")
    registry.set_learning_rate(run_id, 0.1, owner="teacher")
    registry.set_speed(run_id, 2.0, owner="teacher")
    registry.resume(run_id, owner="teacher")
    assert bench.worker.commands[sent:] == [
        protocol.Pause(run_id),
        protocol.Step(run_id, 10),
        protocol.SetLearningRate(run_id, 0.1),
        protocol.SetSpeed(run_id, 2.0),
        protocol.Resume(run_id),
    ]


def test_commands_have_ranges_and_are_nothing_to_a_run_that_is_over(bench: Bench) -> None:
    registry = bench.registry
    run_id = registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    for bad in (0.0, 11.0, float("nan")):
        with pytest.raises(ConfigError, match=r"learning_rate: .* given; allowed is"):
            registry.set_learning_rate(run_id, bad, owner="a")
    with pytest.raises(ConfigError, match="count: 0 given"):
        registry.step(run_id, 0, owner="a")
    bench.end(run_id)
    sent = len(bench.worker.commands)
    registry.pause(run_id, owner="a")
    registry.set_speed(run_id, 1.0, owner="a")
    registry.stop(run_id, owner="a")
    registry.stop("no such run", owner="a")
    assert len(bench.worker.commands) == sent
    assert bench.state(run_id) is RunState.FINISHED
    assert registry.snapshot("no such run") is None
    with pytest.raises(UnknownRun):
        registry.wait("no such run", lambda _: True, 1)


def test_the_key_outlives_a_reload_and_tells_browsers_apart() -> None:
    jars = []
    for _ in range(3):
        given = SimpleCookie()
        for header in new_cookies({}):
            given.load(header)
        jars.append({name: morsel.value for name, morsel in given.items()})
    keys = [{owner_key(jar, f"session {n}") for n in range(3)} for jar in jars]
    assert [len(found) for found in keys] == [1, 1, 1]
    assert len(set.union(*keys)) == 3
    # In a frame of another site a browser keeps one of them; a key is given once.
    for name, value in jars[0].items():
        assert owner_key({name: value}, "another session") in keys[0]
        assert new_cookies({name: value}) == []
    for broken in ("", "short", "x" * 1000, "a b" * 10, "<script>" * 4):
        cookies = {"vae_key": broken, "_streamlit_xsrf": "2|00|00|1"}
        assert owner_key(cookies, "a") == owner_key({}, "a") != owner_key(cookies, "b")
        assert len(new_cookies(cookies)) == 2


# What is kept


@given(st.integers(2, 40), st.integers(0, 3000))
def test_thinning_keeps_both_ends_and_an_even_spacing(capacity: int, count: int) -> None:
    history: ThinnedHistory[int] = ThinnedHistory(capacity)
    for item in range(count):
        history.append(item)
    items = history.items()
    assert len(items) == len(history) <= capacity + 1
    if count:
        assert items[0] == 0
        assert items[-1] == count - 1
        assert len(items) >= min(count, capacity / 2)
    gaps = np.diff(items[:-1]) if len(items) > 2 else np.ones(1)
    assert len(set(gaps.tolist())) == 1


def test_a_long_run_takes_bounded_room_and_forgets_no_end(bench: Bench) -> None:
    run_id = bench.registry.submit([CONFIG], owner="a")
    for step in range(5000):
        bench.worker.say(protocol.Trained(run_id, 0, step_event(step)))
        if step % 10 == 0:
            bench.worker.say(protocol.Trained(run_id, 0, pictures(step)))
    snapshot = bench.registry.snapshot(run_id)
    assert snapshot is not None
    member = snapshot.members[0]
    assert MAX_STEPS_KEPT / 2 <= len(member.steps) <= MAX_STEPS_KEPT + 1
    assert MAX_FRAMES_KEPT / 2 <= len(member.frames) <= MAX_FRAMES_KEPT + 1
    assert (member.steps[0].step, member.steps[-1].step) == (0, 4999)
    assert (member.frames[0].step, member.frames[-1].step) == (0, 4990)
    assert member.frames[-1].reconstruction.means[0, 0, 0] == 4990 % 256
    targets = {id(frame.reconstruction.targets) for frame in member.frames}
    assert len(targets) == 1, "the same targets are kept once"


def test_a_snapshot_never_changes(bench: Bench) -> None:
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.worker.say(protocol.Trained(run_id, 0, step_event(0)))
    before = bench.registry.snapshot(run_id)
    assert before is not None
    bench.worker.say(protocol.Trained(run_id, 0, step_event(1)))
    after = bench.registry.snapshot(run_id)
    assert after is not None
    assert [event.step for event in before.members[0].steps] == [0]
    assert [event.step for event in after.members[0].steps] == [0, 1]
    assert after.version > before.version
    with pytest.raises(dataclasses.FrozenInstanceError):
        after.state = RunState.FAILED  # type: ignore[misc]


def test_several_viewers_share_a_view_and_a_lone_one_sees_the_newest(bench: Bench) -> None:
    registry = bench.registry
    run_id = registry.submit([CONFIG], owner="a")

    def seen_after(step: int, **details: bool) -> bool:
        bench.run(run_id, step, **details)
        return registry.view(run_id) is registry.snapshot(run_id)

    registry.touch(run_id, viewer="one")
    assert seen_after(1)
    assert seen_after(2)
    registry.touch(run_id, viewer="two")
    assert not seen_after(3)
    bench.clock.seconds += VIEW_SECONDS
    assert seen_after(4)
    assert not seen_after(5)
    # A new state shows at once.
    assert seen_after(6, paused=True)
    assert registry.view("no such run") is None


def test_old_runs_are_forgotten_by_number_and_by_size(tmp_path: Path) -> None:
    bench = Bench(tmp_path, keep_runs=3, keep_history_mb=0.05)
    small = []
    for n in range(5):
        small.append(bench.registry.submit([CONFIG], owner=str(n)))
        bench.end(small[-1])
    kept = [run_id for run_id in small if bench.registry.snapshot(run_id)]
    assert kept == small[-3:]
    large = bench.registry.submit([CONFIG], owner="large")
    for step in range(10):
        bench.worker.say(protocol.Trained(large, 0, pictures(step)))
    bench.end(large)
    # Beyond the size by itself, but the newest stays.
    assert [run_id for run_id in [*small, large] if bench.registry.snapshot(run_id)] == [large]
    bench.registry.close()


# Time


def test_a_run_that_nobody_looks_at_ends_after_the_grace_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, owner_grace_seconds=30)
    watched = bench.registry.submit([CONFIG], owner="a")
    waiting = bench.registry.submit([CONFIG], owner="b")
    bench.run(watched)
    for _ in range(4):
        bench.tick(20)
        bench.registry.touch(watched, viewer="a student")
        bench.run(watched)
    assert bench.state(watched) is RunState.RUNNING
    assert bench.state(waiting) is RunState.STOPPED
    assert "Nobody looked" in bench.message(waiting)
    snapshot = bench.registry.snapshot(watched)
    assert snapshot is not None
    assert snapshot.watchers == 1
    bench.tick(31)
    assert bench.state(watched) is RunState.STOPPED
    bench.registry.close()


def test_a_run_ends_at_the_host_s_time_limit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_run_seconds=60, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    for second in range(60):
        bench.run(run_id, trained=second)
        bench.tick(1)
    assert bench.state(run_id) is RunState.RUNNING
    bench.run(run_id, trained=61)
    bench.tick()
    assert bench.state(run_id) is RunState.STOPPED
    assert "60 s at most" in bench.message(run_id)
    bench.registry.close()


def test_only_training_counts_against_the_training_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_run_seconds=60, max_paused_seconds=500, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    for _ in range(100):
        bench.run(run_id, paused=True, trained=0.0)
        bench.tick(1)
    assert bench.state(run_id) is RunState.PAUSED
    bench.run(run_id, trained=0.0)
    assert bench.state(run_id) is RunState.RUNNING
    bench.registry.close()


def test_pauses_have_a_limit_of_their_own_which_a_step_in_between_does_not_reset(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, max_paused_seconds=60, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    for step in range(59):
        bench.run(run_id, step)
        bench.run(run_id, step, paused=True)
        bench.tick(1)
    assert bench.state(run_id) is RunState.PAUSED
    bench.run(run_id, 59, paused=True)
    bench.tick(2)
    assert bench.state(run_id) is RunState.STOPPED
    assert "paused for 60 s, as long as this host lets a run rest" in bench.message(run_id)
    bench.registry.close()


def test_a_download_that_never_ends_is_ended(tmp_path: Path) -> None:
    bench = Bench(tmp_path, max_run_seconds=60, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a", download=True)
    for second in range(60):
        bench.worker.say(protocol.Downloading(run_id, second / 1000))
        bench.tick(1)
    assert bench.state(run_id) is RunState.DOWNLOADING
    bench.tick(2)
    assert bench.state(run_id) is RunState.STOPPED
    assert "images did not arrive within 60 s" in bench.message(run_id)
    bench.registry.close()


def test_a_paused_run_makes_room_for_those_who_wait(tmp_path: Path) -> None:
    bench = Bench(tmp_path, paused_seconds=40, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    for _ in range(100):
        bench.run(run_id, paused=True)
        bench.tick(1)
    assert bench.state(run_id) is RunState.PAUSED, "nobody waits"
    waiting = bench.registry.submit([CONFIG], owner="b")
    bench.tick(1)
    assert bench.state(run_id) is RunState.STOPPED
    assert "made room" in bench.message(run_id)
    assert bench.state(waiting) is RunState.STARTING
    bench.registry.close()


def test_a_silent_worker_is_ended_and_the_next_run_starts(tmp_path: Path) -> None:
    bench = Bench(tmp_path, worker_silence_seconds=20, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    bench.tick(19)
    bench.run(run_id)
    bench.tick(19)
    hung = bench.worker
    assert bench.state(run_id) is RunState.RUNNING
    bench.tick(3)
    assert hung.killed
    assert bench.state(run_id) is RunState.FAILED
    assert "said nothing for 20 s" in bench.message(run_id)
    after = bench.registry.submit([CONFIG], owner="a")
    bench.tick()
    assert bench.worker is not hung
    assert bench.worker.started[0].job == after
    bench.registry.close()


def test_a_start_may_be_silent_for_longer(tmp_path: Path) -> None:
    bench = Bench(tmp_path, worker_silence_seconds=20, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.tick(79)
    assert bench.state(run_id) is RunState.STARTING
    bench.tick(2)
    assert bench.state(run_id) is RunState.FAILED
    bench.registry.close()


def test_a_stop_that_is_being_obeyed_may_take_its_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stop_seconds=5, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    bench.worker.deaf = True
    bench.registry.stop(run_id, owner="a")
    bench.tick(4)
    bench.worker.say(protocol.Saved(run_id, 9, ()))
    bench.tick(4)
    bench.end(run_id, "stopped")
    assert bench.state(run_id) is RunState.STOPPED
    assert bench.message(run_id) == ""
    bench.registry.close()


def test_a_worker_deaf_to_a_stop_is_ended(tmp_path: Path) -> None:
    bench = Bench(tmp_path, stop_seconds=5, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    bench.worker.deaf = True
    bench.registry.stop(run_id, owner="a")
    bench.tick(4)
    bench.run(run_id)
    assert bench.state(run_id) is RunState.RUNNING
    bench.tick(2)
    assert bench.workers[0].killed
    assert bench.state(run_id) is RunState.STOPPED
    assert "did not end by itself" in bench.message(run_id)
    bench.registry.close()


def test_the_server_s_own_end_of_a_worker_is_not_logged_as_a_crash(tmp_path, caplog) -> None:
    bench = Bench(tmp_path, worker_silence_seconds=20, owner_grace_seconds=1e6)
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    bench.tick(21)
    assert bench.state(run_id) is RunState.FAILED
    assert "gave no answer" in caplog.text
    bench.tick(1)
    last = bench.worker
    bench.registry.close()
    last.die(-9)
    assert "exit code" not in caplog.text


def test_a_clock_that_jumps_ends_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, worker_silence_seconds=20, owner_grace_seconds=30, max_run_seconds=60)
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    bench.clock.seconds += 7200
    bench.registry.tick()
    assert bench.state(run_id) is RunState.RUNNING
    assert not bench.worker.killed
    bench.tick(31)
    assert bench.state(run_id).is_finished(), "time goes on after the jump"
    bench.registry.close()


# A worker that ends


def test_a_crash_is_a_sentence_and_a_number_under_which_the_log_has_the_words(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = bench.registry.submit([CONFIG], owner="a")
    waiting = bench.registry.submit([CONFIG], owner="b")
    bench.run(run_id)
    bench.worker.die(1)
    bench.tick()
    assert bench.state(run_id) is RunState.FAILED
    assert "exit code 1" in bench.message(run_id)
    assert "RuntimeError" not in bench.message(run_id)
    [number] = re.findall(r"Number ([0-9A-F]{6}) in the server's log", bench.message(run_id))
    [record] = caplog.records
    assert number in record.getMessage()
    assert "RuntimeError: no such thing" in record.getMessage()
    assert bench.state(waiting) is RunState.STARTING
    assert len(bench.workers) == 2


def test_an_idle_worker_that_keeps_dying_is_started_ever_more_rarely(bench: Bench) -> None:
    for _ in range(200):
        bench.worker.die(1)
        bench.tick(1)
    assert len(bench.workers) < 12
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.tick()
    assert bench.worker.started[-1].job == run_id, "a click waits for no pause"


def test_an_ended_worker_s_late_words_change_nothing(bench: Bench) -> None:
    run_id = bench.registry.submit([CONFIG], owner="a")
    old = bench.worker
    old.die(-9)
    bench.tick()
    version = bench.registry.snapshot(run_id)
    old.say(protocol.Ended(run_id, "finished"))
    assert bench.registry.snapshot(run_id) is version
    assert "signal 9, often for want of memory" in bench.message(run_id)


def test_a_worker_that_cannot_be_started_fails_the_run(tmp_path: Path) -> None:
    def broken(*_: Any) -> Any:
        raise OSError(12, "Cannot allocate memory")

    registry = Registry(Limits(), tmp_path, build_worker=broken)
    run_id = registry.submit([CONFIG], owner="a")
    snapshot = registry.wait(run_id, lambda snapshot: snapshot.state.is_finished(), 5)
    assert snapshot.state is RunState.FAILED
    assert "Cannot allocate memory" in snapshot.message
    registry.close()


# Disk


def test_a_finished_run_is_on_disk_before_the_page_hears_of_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    folder = Path(bench.worker.started[-1].folder)
    path = folder / "member-1.pt"
    path.write_bytes(b"weights")
    bench.worker.say(protocol.Saved(run_id, 94, (str(path),)))
    write, seen = RunFolders.write, []

    def note(folders: RunFolders, run: str, **manifest: Any) -> None:
        seen.append((manifest["state"], bench.state(run_id)))
        write(folders, run, **manifest)

    monkeypatch.setattr(RunFolders, "write", note)
    bench.end(run_id)
    assert seen == [(RunState.FINISHED, RunState.RUNNING)]
    assert bench.state(run_id) is RunState.FINISHED
    assert json.loads((folder / "run.json").read_text())["state"] == "finished"


def test_a_new_server_offers_to_go_on_from_what_the_old_one_left(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    config = TrainConfig(epochs=7, likelihood="gaussian", scale=0.3)
    run_id = bench.registry.submit([config], owner="a")
    bench.run(run_id)
    path = Path(bench.worker.started[-1].folder) / "member-1.pt"
    assert bench.registry.recoverable(run_id) == (), "it is in memory"
    path.write_bytes(b"weights")
    bench.worker.say(protocol.Saved(run_id, 94, (str(path),)))

    after = Bench(tmp_path)
    assert after.registry.recoverable(run_id) == (), "another server has it"
    assert after.registry.is_elsewhere(run_id)
    bench.worker.close = lambda _: None  # type: ignore[method-assign]
    bench.registry.close()
    assert not after.registry.is_elsewhere(run_id)
    (saved,) = after.registry.recoverable(run_id)
    assert (saved.state, saved.step, saved.configs) == (RunState.RUNNING, 94, (config,))
    assert after.registry.recoverable() == (saved,)
    new = after.registry.recover(run_id, owner="b", epochs=9)
    start = after.worker.started[-1]
    assert start.job == new != run_id
    assert start.checkpoints == (str(path),)
    assert TrainConfig.from_dict(start.configs[0]) == dataclasses.replace(config, epochs=9)
    with pytest.raises(UnknownRun, match="Nothing of this run is left"):
        after.registry.recover("abcdefgh", owner="c")
    third = Bench(tmp_path)
    assert third.registry.recoverable(run_id) == (), "one goes on from it, and no other"
    with pytest.raises(RunError, match="on another server"):
        third.registry.recover(run_id, owner="d")
    after.registry.close()
    assert third.registry.recover(run_id, owner="d")
    third.registry.close()


@pytest.mark.parametrize(
    "run_id", ["", "..", "../../etc", "a/b", "abcdefgh\n", "a" * 33, "abcdefg\0", "%2e%2e%2f%2e"]
)
def test_ids_from_addresses_name_no_other_place(tmp_path: Path, run_id: str) -> None:
    folders = RunFolders(tmp_path)
    assert folders.read(run_id) is None
    with pytest.raises(ValueError, match=r"run id: .* given"):
        folders.path(run_id)


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        '{"state": "running"}',
        '{"state": "flying", "configs": [{}], "step": 1, "checkpoints": ["a"], "saved_at": 1}',
        '{"state": "running", "configs": [{"epochs": -1}], "step": 1, "checkpoints": ["a"]}',
        '{"state": "running", "configs": [{}], "step": 1, "checkpoints": ["../../x"], '
        '"saved_at": 1}',
    ],
)
def test_a_spoilt_manifest_is_no_run(tmp_path: Path, manifest: str) -> None:
    folder = RunFolders(tmp_path).create("abcdefgh")
    (folder / "a").write_text("weights")
    (folder.parent / "x").write_text("somebody's")
    (folder / "run.json").write_text(manifest)
    assert RunFolders(tmp_path).read("abcdefgh") is None
    assert list(RunFolders(tmp_path).all()) == []


def test_old_folders_go_but_none_in_use(tmp_path: Path) -> None:
    folders = RunFolders(tmp_path)
    names = [f"run-{n:05d}" for n in range(6)]
    for age, name in enumerate(names):
        folders.write(name, state=RunState.FINISHED, configs=[CONFIG], step=1, checkpoints=[])
        (folders.path(name) / "member-1.pt").write_bytes(bytes(10_000))
        os.utime(folders.path(name), (age, age))

    def left() -> list[str]:
        return sorted(path.name for path in folders.home.glob("run-*"))

    folders.prune(keep=4, megabytes=1, in_use={names[0]})
    assert left() == [names[0], *names[2:]]
    folders.prune(keep=9, megabytes=0.025, in_use=set())
    assert left() == names[4:]
    RunFolders(tmp_path / "absent").prune(keep=1, megabytes=1, in_use=set())


def test_a_folder_that_cannot_be_written_is_said_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    bench = Bench(tmp_path / "file")
    run_id = bench.registry.submit([CONFIG], owner="a")
    bench.run(run_id)
    assert bench.state(run_id) is RunState.RUNNING
    assert "Checkpoints cannot be kept" in bench.message(run_id)
    bench.worker.say(protocol.Saved(run_id, 5, (), "No space left on device"))
    bench.worker.say(protocol.Saved(run_id, 9, (), "No space left on device"))
    assert bench.message(run_id).count("No space left on device") == 1
    bench.end(run_id)
    assert bench.state(run_id) is RunState.FINISHED
    bench.registry.close()


# The end


def test_closing_stops_what_waits_and_what_runs(bench: Bench) -> None:
    running = bench.registry.submit([CONFIG], owner="a")
    waiting = bench.registry.submit([CONFIG], owner="b")
    bench.run(running)
    bench.registry.close()
    assert bench.state(running) is RunState.STOPPED
    assert bench.state(waiting) is RunState.STOPPED
    bench.registry.close()


def test_pages_wait_for_no_disk_and_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk, then a worker's end, take for ever; whatever a page asks is answered."""
    write, slow, go_on = RunFolders.write, threading.Event(), threading.Event()
    workers: list[PaperWorker] = []

    def write_slowly(folders: RunFolders, run_id: str, **manifest: Any) -> None:
        slow.set()
        assert go_on.wait(60)
        write(folders, run_id, **manifest)

    def build(on_report: Any, on_exit: Any) -> PaperWorker:
        workers.append(PaperWorker(on_report, on_exit))
        return workers[-1]

    monkeypatch.setattr(RunFolders, "write", write_slowly)
    registry = Registry(Limits(), tmp_path, build_worker=build)  # type: ignore[arg-type]
    try:
        run_id = registry.submit([CONFIG], owner="a")
        assert slow.wait(60)

        def page() -> list[object]:
            registry.touch(run_id, viewer="v")
            other = registry.submit([CONFIG], owner="b", address="10.0.0.1")
            registry.pause(run_id, owner="a")
            workers[0].say(protocol.Progress(run_id, False, 7, 100, 1.0, 50.0, 6400.0, "CPU"))
            registry.stop(other, owner="b")
            return [registry.is_owner(run_id, "a"), registry.run_of("b") == other]

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            assert pool.submit(page).result(60) == [True, True]
            snapshot = registry.snapshot(run_id)
            assert snapshot is not None
            assert snapshot.step == 7
            assert workers[0].commands == [], "the worker hears nothing before the disk"
    finally:
        go_on.set()
        registry.close()
    assert [type(command) for command in workers[0].commands] == [protocol.Start, protocol.Pause]


def test_the_server_s_side_imports_neither_torch_nor_streamlit() -> None:
    code = (
        "import sys, vae.runs.registry;"
        "print([name for name in ('torch', 'torchvision', 'streamlit') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[]"


# Several servers on one machine


class Machine:
    """Two servers of one machine, with workers of paper and one folder of runs."""

    def __init__(self, folder: Path, **limits: Any) -> None:
        self.benches = [Bench(folder, server=name, **limits) for name in ("r1", "r2")]

    def tick(self) -> None:
        for bench in self.benches:
            bench.tick()


def test_two_servers_train_one_run_at_a_time(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    one, two = machine.benches
    runs = [
        bench.registry.submit([CONFIG], owner=f"{index}")
        for index, bench in enumerate((one, two, one, two))
    ]
    assert [server_of_run(run) for run in runs] == ["r1", "r2", "r1", "r2"]
    for done, (run, bench) in enumerate(zip(runs, (one, two, one, two), strict=True)):
        machine.tick()
        started = [start.job for each in machine.benches for start in each.worker.started]
        assert sorted(started) == sorted(runs[: done + 1]), "in the order of arrival, one by one"
        for ahead, (later, its) in enumerate(
            zip(runs[done:], ((one, two, one, two))[done:], strict=True)
        ):
            shown = its.registry.snapshot(later)
            assert shown is not None
            assert shown.position == ahead
        bench.run(run)
        assert bench.state(run) is RunState.RUNNING
        bench.end(run)
    machine.tick()
    for bench in machine.benches:
        bench.registry.close()


def test_a_paused_run_gives_way_to_another_server_s(tmp_path: Path) -> None:
    machine = Machine(tmp_path, paused_seconds=20.0)
    one, two = machine.benches
    run = one.registry.submit([CONFIG], owner="a")
    one.run(run, paused=True)
    other = two.registry.submit([CONFIG], owner="b")
    seconds = one.registry.limits.paused_seconds
    for _ in range(int(seconds) + 2):
        one.registry.touch(run, viewer="a")
        two.registry.touch(other, viewer="b")
        for bench in machine.benches:
            bench.clock.seconds += 1
            bench.registry.tick()
    assert one.state(run) is RunState.STOPPED
    machine.tick()
    assert two.state(other) is RunState.STARTING
    for bench in machine.benches:
        bench.registry.close()
