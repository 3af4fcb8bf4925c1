"""Whatever is asked of the registry: disk and processes are reached with its lock free."""

import concurrent.futures
import dataclasses
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from vae.config import TrainConfig
from vae.runs.folders import RunFolders
from vae.runs.limits import Limits
from vae.runs.registry import Registry, RunError
from vae.wire import protocol
from vae.wire.protocol import RunState

CONFIG = TrainConfig(epochs=1)
LIMITS = dataclasses.replace(
    Limits(), max_queue=3, keep_runs=2, keep_folders=2, owner_grace_seconds=20.0
)
OWNERS = st.sampled_from("abcde")
PATIENCE = 30.0


class Probe:
    """Asks the registry for something that needs its lock, from a page's thread."""

    def __init__(self) -> None:
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.registry: Registry | None = None
        self.times = 0

    def __call__(self) -> None:
        if self.registry is not None:
            self.times += 1
            self.pool.submit(self.registry.run_of, "a").result(PATIENCE)


class PaperWorker:
    def __init__(self, probe: Probe, on_report: Any, on_exit: Any) -> None:
        self.probe, self.on_report, self.on_exit = probe, on_report, on_exit
        self.training = ""
        self.ended = False
        self.exit_code: int | None = None
        probe()

    def send(self, command: protocol.Command) -> bool:
        self.probe()
        if isinstance(command, protocol.Start):
            self.training = command.job
        return not self.ended

    def say(self, report: protocol.Report) -> None:
        if isinstance(report, protocol.Ended):
            self.training = ""
        self.on_report(self, report)

    def end(self, code: int) -> None:
        self.ended, self.training, self.exit_code = True, "", code
        self.on_exit(self)

    def kill(self) -> None:
        self.probe()
        self.end(-9)

    def close(self, seconds: float) -> None:
        del seconds
        self.probe()
        if self.training:
            self.say(protocol.Ended(self.training, "stopped"))
        self.end(0)

    def last_words(self) -> str:
        return "none"


def probed(name: str, probe: Probe) -> Any:
    """The folders' method ``name``, a way to the disk, which asks first."""
    method = getattr(RunFolders, name)

    def ask_first(folders: RunFolders, *values: Any, **named: Any) -> Any:
        probe()
        return method(folders, *values, **named)

    return mock.patch.object(RunFolders, name, ask_first)


class Shell(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.probe = Probe()
        self.clock = 0.0
        self.workers: list[PaperWorker] = []
        self.runs: list[str] = []
        self.patches = [probed(name, self.probe) for name in ("write", "prune", "hold")]
        for patch in self.patches:
            patch.start()

        def build(on_report: Any, on_exit: Any) -> PaperWorker:
            self.workers.append(PaperWorker(self.probe, on_report, on_exit))
            return self.workers[-1]

        self.registry = self.probe.registry = Registry(
            LIMITS,
            Path(self.folder.name),
            build_worker=build,  # type: ignore[arg-type]
            clock=lambda: self.clock,
            threaded=False,
        )
        self.registry.tick()

    @property
    def worker(self) -> PaperWorker | None:
        return self.workers[-1] if self.workers and not self.workers[-1].ended else None

    @property
    def training(self) -> str:
        return self.worker.training if self.worker else ""

    @rule(owner=OWNERS, address=st.sampled_from(["", "10.0.0.1"]))
    def submit(self, owner: str, address: str) -> None:
        try:
            self.runs.append(self.registry.submit([CONFIG], owner=owner, address=address))
        except RunError:
            return
        snapshot = self.registry.snapshot(self.runs[-1])
        assert snapshot is not None
        assert not snapshot.state.is_finished()

    @rule(paused=st.booleans(), step=st.integers(1, 99))
    @precondition(lambda self: self.training)
    def progress(self, paused: bool, step: int) -> None:
        job = self.training
        self.worker.say(protocol.Progress(job, paused, step, 100, 1.0, 50.0, 6400.0, "CPU"))
        snapshot = self.registry.snapshot(job)
        assert snapshot is not None
        assert snapshot.step == step

    @rule()
    @precondition(lambda self: self.training)
    def saved(self) -> None:
        self.worker.say(protocol.Saved(self.training, 5, ("member-1.pt",)))

    @rule(state=st.sampled_from([state.value for state in RunState if state.is_finished()]))
    @precondition(lambda self: self.training)
    def finish(self, state: str) -> None:
        job = self.training
        self.worker.say(protocol.Ended(job, state))
        snapshot = self.registry.snapshot(job)
        assert snapshot is not None
        assert snapshot.state is RunState(state)

    @rule()
    @precondition(lambda self: self.worker)
    def die(self) -> None:
        self.worker.end(1)

    @rule(owner=OWNERS)
    def stop(self, owner: str) -> None:
        if (run_id := self.registry.run_of(owner)) is not None:
            self.registry.stop(run_id, owner=owner)

    @rule(owner=OWNERS)
    def look_and_pause(self, owner: str) -> None:
        if (run_id := self.registry.run_of(owner)) is not None:
            self.registry.touch(run_id, viewer="v")
            self.registry.pause(run_id, owner=owner)

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock += 1.0
            self.registry.tick()

    def teardown(self) -> None:
        self.registry.close()
        assert self.probe.times > 0
        for run_id in self.runs:
            snapshot = self.registry.snapshot(run_id)
            assert snapshot is None or snapshot.state.is_finished()
        for patch in self.patches:
            patch.stop()
        self.probe.pool.shutdown()
        self.folder.cleanup()


class TestShell(Shell.TestCase):  # type: ignore[misc, name-defined]
    settings = settings(
        max_examples=15,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # A lock that is held costs its patience at every try: do not search for a shorter story.
        phases=[Phase.generate],
    )
