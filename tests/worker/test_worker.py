"""The real worker process, commanded through a real registry."""

import dataclasses
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vae.config import TrainConfig
from vae.engine import checkpoints
from vae.engine.training import Trainer
from vae.images.sets import load_images
from vae.lessons import questions
from vae.runs.limits import Limits
from vae.runs.registry import Registry
from vae.runs.snapshots import RunSnapshot
from vae.runs.worker_process import WorkerProcess
from vae.wire import protocol
from vae.wire.events import BoundEvent, GalleryEvent
from vae.wire.protocol import RunState, Writer, read
from vae.worker.job import Job

ROOT = Path(__file__).parents[2]
# 12 steps an epoch, about a millisecond each.
TINY = TrainConfig(epochs=2, batch_size=1000, hidden_dim=16, latent_dim=3)
LONG = dataclasses.replace(TINY, epochs=200)
PATIENCE = 60.0


class Desk:
    """A registry with what came from its worker, in order."""

    def __init__(self, folder: Path) -> None:
        self.reports: list[tuple[float, protocol.Report]] = []

        def build(on_report: Any, on_exit: Any) -> WorkerProcess:
            def note(worker: WorkerProcess, report: protocol.Report) -> None:
                self.reports.append((time.monotonic(), report))
                on_report(worker, report)

            return WorkerProcess(note, on_exit)

        self.registry = Registry(Limits(), folder, build_worker=build)

    def submit(self, *configs: TrainConfig, **details: Any) -> str:
        self.reports.clear()
        return self.registry.submit(configs, owner="a", **details)

    def until(self, run_id: str, state: RunState | None = None, **fields: Any) -> RunSnapshot:
        """The first snapshot in ``state`` (default: any final one) with these fields."""

        def arrived(snapshot: RunSnapshot) -> bool:
            there = snapshot.state is state if state else snapshot.state.is_finished()
            return there and all(getattr(snapshot, name) == fields[name] for name in fields)

        return self.registry.wait(run_id, arrived, PATIENCE)

    def stop(self, run_id: str) -> RunSnapshot:
        self.registry.stop(run_id, owner="a")
        return self.until(run_id)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("runs"))
    yield made
    made.registry.close()


@pytest.fixture(autouse=True)
def nothing_left(desk: Desk) -> Iterator[None]:
    yield
    run_id = desk.registry.run_of("a")
    if run_id is not None:
        desk.stop(run_id)


def test_a_bound_is_measured_from_checkpoints_and_streams(desk: Desk) -> None:
    trained = desk.until(desk.submit(TINY))
    assert trained.state is RunState.FINISHED, trained.message
    run_id = desk.submit(TINY, checkpoints=trained.checkpoints, bound_images=20)
    snapshot = desk.until(run_id)
    assert snapshot.state is RunState.FINISHED, snapshot.message
    bound = snapshot.members[0].bound
    assert bound is not None
    assert (bound.images, bound.samples) == (20, 1000)
    assert bound.draws[0] == 1
    assert bound.draws[-1] == 1000
    assert list(bound.nats) == sorted(bound.nats)
    assert bound.amortisation_gap is not None
    events = [
        report.event
        for _, report in desk.reports
        if isinstance(report, protocol.Trained) and isinstance(report.event, BoundEvent)
    ]
    assert len(events) > 1
    # What the page shows after training is there, too.
    assert snapshot.members[0].gallery is not None


def test_measuring_a_bound_can_be_stopped(desk: Desk) -> None:
    config = dataclasses.replace(TINY, hidden_dim=800)
    trained = desk.until(desk.submit(config))
    run_id = desk.submit(config, checkpoints=trained.checkpoints, bound_images=1000)
    desk.registry.wait(run_id, lambda one: one.members[0].bound is not None, PATIENCE)
    snapshot = desk.stop(run_id)
    assert snapshot.state is RunState.STOPPED
    bound = snapshot.members[0].bound
    assert bound is not None
    assert bound.amortisation_gap is None


def test_a_run_from_first_picture_to_the_end(desk: Desk) -> None:
    run_id = desk.submit(TINY)
    snapshot = desk.until(run_id)
    assert snapshot.state is RunState.FINISHED, snapshot.message
    assert (snapshot.step, snapshot.total_steps) == (24, 24)
    assert "CPU" in snapshot.device or "CUDA" in snapshot.device or "MPS" in snapshot.device
    (member,) = snapshot.members
    assert [epoch.epoch for epoch in member.epochs] == [1, 2]
    assert member.frames[0].step == 0
    assert member.frames[-1].step == 24
    assert member.gallery is not None
    assert member.gallery.step == 24
    assert all(Path(path).is_file() for path in snapshot.checkpoints)

    said = [report for _, report in desk.reports if not isinstance(report, protocol.Ready)]
    kinds = [
        type(report.event).__name__
        if isinstance(report, protocol.Trained)
        else type(report).__name__
        for report in said
    ]
    assert kinds[:2] == ["Progress", "ReconstructionEvent"], "a picture before the first step"
    assert kinds[-1] == "Ended"
    assert kinds.index("Saved") < kinds.index("Ended")
    assert kinds.count("FinishedEvent") == 1
    steps = [event.step for event in member.steps]
    assert steps == sorted(set(steps))


def test_reports_come_at_a_bounded_rate(desk: Desk) -> None:
    run_id = desk.submit(dataclasses.replace(LONG, hidden_dim=4, latent_dim=1))
    desk.until(run_id, RunState.RUNNING)
    began = time.monotonic()

    def told(now: RunSnapshot) -> bool:
        # On a busy machine the first step may take longer.
        return (now.seconds > 2 and bool(now.members[0].steps)) or now.state.is_finished()

    desk.registry.wait(run_id, told, PATIENCE)
    seconds = time.monotonic() - began
    snapshot = desk.stop(run_id)
    events = [
        type(report.event).__name__
        for at, report in desk.reports
        if isinstance(report, protocol.Trained) and at - began < seconds
    ]
    # However slow the steps are: none is reported twice, and the bounds below are of time alone.
    assert 0 < events.count("StepEvent") <= snapshot.step
    assert events.count("StepEvent") <= 10 * seconds + 3
    assert events.count("ReconstructionEvent") <= 4 * seconds + 6


def test_pause_step_resume_and_a_new_learning_rate(desk: Desk) -> None:
    registry = desk.registry
    run_id = desk.submit(LONG, paused=True)
    paused = registry.wait(run_id, lambda now: bool(now.members[0].frames), PATIENCE)
    assert (paused.state, paused.step) == (RunState.PAUSED, 0)

    registry.step(run_id, 3, owner="a")
    snapshot = desk.until(run_id, RunState.PAUSED, step=3)
    assert snapshot.members[0].steps[-1].step == 3
    registry.wait(run_id, lambda now: now.members[0].last_frame.step == 3, PATIENCE)  # type: ignore[union-attr]

    registry.set_learning_rate(run_id, 0.05, owner="a")
    registry.step(run_id, owner="a")
    desk.until(run_id, RunState.PAUSED, step=4)
    snapshot = registry.wait(run_id, lambda now: now.members[0].steps[-1].step == 4, PATIENCE)
    assert snapshot.members[0].steps[-1].learning_rate == 0.05

    # Once it rests, the gallery of this very step comes by itself.
    registry.wait(
        run_id,
        lambda now: now.members[0].gallery is not None and now.members[0].gallery.step == 4,
        PATIENCE,
    )
    registry.resume(run_id, owner="a")
    registry.wait(run_id, lambda now: now.step > 30, PATIENCE)
    registry.pause(run_id, owner="a")
    paused = desk.until(run_id, RunState.PAUSED)
    resting = registry.wait(run_id, lambda now: now.version >= paused.version + 2, PATIENCE)
    assert resting.step == paused.step
    assert desk.stop(run_id).state is RunState.STOPPED


def test_slow_motion_holds_its_pace_and_still_obeys_at_once(desk: Desk) -> None:
    run_id = desk.submit(LONG, speed=10.0)
    desk.until(run_id, RunState.RUNNING)
    first = desk.registry.wait(run_id, lambda now: now.step >= 2, PATIENCE)
    began = time.monotonic()
    last = desk.registry.wait(run_id, lambda now: now.step >= first.step + 8, PATIENCE)
    pace = (last.step - first.step) / (time.monotonic() - began)
    assert pace < 14
    assert last.speed == 10.0
    # The time that one step takes at this pace is what a deaf worker would sleep.
    step_seconds = 1 / 0.1
    desk.registry.set_speed(run_id, 0.1, owner="a")
    began = time.monotonic()
    desk.registry.set_speed(run_id, None, owner="a")
    desk.registry.wait(run_id, lambda now: now.step >= last.step + 20, PATIENCE)
    assert time.monotonic() - began < step_seconds


def test_members_see_the_same_and_start_from_the_same(desk: Desk) -> None:
    other = dataclasses.replace(TINY, learning_rate=0.1)
    bce = dataclasses.replace(TINY, likelihood="gaussian")
    run_id = desk.submit(TINY, other, bce)
    snapshot = desk.until(run_id)
    assert snapshot.state is RunState.FINISHED, snapshot.message
    first, second, third = snapshot.members
    # The first losses are those of one network on one batch with one noise.
    assert first.steps[0].loss == second.steps[0].loss
    assert first.steps[0].kl == second.steps[0].kl == third.steps[0].kl
    assert first.epochs[-1].test_loss != second.epochs[-1].test_loss
    shown = [member.frames[0].reconstruction for member in snapshot.members]
    np.testing.assert_array_equal(shown[0].targets, shown[2].targets)
    np.testing.assert_array_equal(shown[0].means, shown[1].means)
    for event_a, event_b in zip(first.steps, third.steps, strict=True):
        assert event_a.step == event_b.step, "in step"
    assert [frame.step for frame in first.frames] == [frame.step for frame in third.frames]
    assert len(snapshot.checkpoints) == 3


@pytest.mark.parametrize("kind", questions.SWEEPS)
def test_a_sweep_streams_every_member_and_stops_with_what_it_has(desk: Desk, kind: str) -> None:
    base = dataclasses.replace(TINY, epochs=questions.SWEEP_EPOCHS)
    run_id = desk.submit(*questions.sweep(base, kind))
    desk.registry.wait(
        run_id,
        lambda one: bool(one.members) and all(each.steps for each in one.members),
        PATIENCE,
    )
    snapshot = desk.stop(run_id)
    assert snapshot.state is RunState.STOPPED, snapshot.message
    assert questions.sweep_of([member.config for member in snapshot.members]) == kind
    # To be looked at again, and gone on with.
    assert all(member.frames for member in snapshot.members)
    assert len(snapshot.checkpoints) == len(snapshot.members)


def test_divergence_is_named_and_does_not_end_the_others(desk: Desk) -> None:
    wild = dataclasses.replace(TINY, optimizer="sgd", learning_rate=10.0)
    run_id = desk.submit(wild, TINY)
    snapshot = desk.until(run_id)
    assert snapshot.state is RunState.DIVERGED
    lost, fine = snapshot.members
    assert lost.diverged is not None
    assert lost.diverged.advice
    assert lost.last_frame is not None
    assert fine.diverged is None
    assert len(fine.epochs) == 2
    # The worker lives on.
    assert desk.until(desk.submit(TINY)).state is RunState.FINISHED


def test_a_first_step_that_diverges_leaves_the_weights_it_started_from(
    desk: Desk, tmp_path: Path
) -> None:
    trainer = Trainer(dataclasses.replace(TINY, seed=5), load_images("digits"))
    with torch.no_grad():
        # Past what exp of a float32 reaches: the first loss is infinite, the picture is not.
        trainer.model.encoder.head.bias[TINY.latent_dim :] = 200.0
    path = tmp_path / "weights.pt"
    checkpoints.export_weights(path, trainer, half=False)
    given = trainer.reconstruct()
    snapshot = desk.until(desk.submit(TINY, checkpoints=[str(path)]))
    assert snapshot.state is RunState.DIVERGED
    (member,) = snapshot.members
    assert member.diverged is not None
    assert member.diverged.step == 0
    for frame in member.frames:
        np.testing.assert_array_equal(frame.reconstruction.means, given.means)


def test_who_goes_on_does_not_wait_for_all_galleries(tmp_path: Path) -> None:
    """A word between two of a pause's galleries counts."""
    reports: list[protocol.Report] = []

    def has_gallery(report: protocol.Report) -> bool:
        return isinstance(report, protocol.Trained) and isinstance(report.event, GalleryEvent)

    class Hand:
        """Takes a step, goes on when it has seen the first gallery, and stops."""

        def __init__(self) -> None:
            self.words = [protocol.Step("job", 1), protocol.Resume("job"), protocol.Stop("job")]

        def get(self, seconds: float) -> protocol.Command | None:
            del seconds
            looks = len(self.words) == 2 and not any(map(has_gallery, reports))
            # Otherwise one word a call, as a hand gives them.
            self.words, said = (self.words, None) if looks else (self.words[1:], self.words[:1])
            return said[0] if said else None

        def put_back(self, command: protocol.Command) -> None:
            raise AssertionError(command)

    start = protocol.Start("job", (TINY.to_dict(),) * 3, str(tmp_path), paused=True)
    Job(start, Hand(), reports.append).run()
    galleries = [at for at, report in enumerate(reports) if has_gallery(report)]
    goes = [
        at
        for at, report in enumerate(reports)
        if isinstance(report, protocol.Progress) and not report.paused and at > galleries[0]
    ]
    assert len(galleries) == 3, "the end shows all of them"
    assert galleries[0] < goes[0] < galleries[1]


def test_a_stopped_run_goes_on_where_it_was(desk: Desk) -> None:
    run_id = desk.submit(LONG)
    desk.registry.wait(run_id, lambda now: now.step > 20, PATIENCE)
    stopped = desk.stop(run_id)
    assert stopped.state is RunState.STOPPED

    again = desk.submit(LONG, checkpoints=stopped.checkpoints, paused=True)
    opened = desk.registry.wait(
        again,
        lambda now: now.state is RunState.PAUSED and now.members[0].gallery is not None,
        PATIENCE,
    )
    assert opened.step == stopped.step
    np.testing.assert_array_equal(
        opened.members[0].frames[-1].reconstruction.means,
        stopped.members[0].frames[-1].reconstruction.means,
    )
    assert [epoch.epoch for epoch in opened.members[0].epochs] == [
        epoch.epoch for epoch in stopped.members[0].epochs
    ]
    desk.registry.resume(again, owner="a")
    on = desk.registry.wait(again, lambda now: now.step > stopped.step + 20, PATIENCE)
    assert on.state is RunState.RUNNING


def test_members_of_different_steps_fall_into_step(desk: Desk) -> None:
    paths = []
    for count in (2, 7):
        run_id = desk.submit(TINY, paused=True)
        desk.registry.step(run_id, count, owner="a")
        desk.registry.wait(run_id, lambda now, count=count: now.step == count, PATIENCE)  # type: ignore[misc]
        paths += desk.stop(run_id).checkpoints
    run_id = desk.submit(TINY, TINY, checkpoints=paths)
    snapshot = desk.until(run_id)
    assert snapshot.state is RunState.FINISHED, snapshot.message
    first, second = snapshot.members
    assert (first.frames[0].step, second.frames[0].step) == (2, 7)
    assert first.frames[-1].step == second.frames[-1].step == 24
    # Bit-equal to one that never stopped, whichever way it came there (on a CPU).
    if "CPU" in snapshot.device:
        assert first.epochs[-1].test_loss == second.epochs[-1].test_loss


def test_a_host_s_step_limit_is_exact_and_said(desk: Desk) -> None:
    for most, state in ((20, RunState.STOPPED), (24, RunState.FINISHED)):
        desk.registry.limits = dataclasses.replace(Limits(), max_steps=most)
        snapshot = desk.until(desk.submit(TINY))
        assert (snapshot.state, snapshot.step) == (state, most)
    assert snapshot.message == ""
    desk.registry.limits = Limits()


def test_closing_the_server_leaves_a_run_that_the_next_one_offers(tmp_path: Path) -> None:
    first = Registry(Limits(), tmp_path)
    run_id = first.submit([LONG], owner="a")
    first.wait(run_id, lambda now: now.step > 3, PATIENCE)
    first.close()
    snapshot = first.snapshot(run_id)
    assert snapshot is not None
    assert snapshot.state is RunState.STOPPED
    assert "can go on from its last checkpoint" in snapshot.message
    second = Registry(Limits(), tmp_path)
    try:
        (saved,) = second.recoverable(run_id)
        assert saved.step == snapshot.step > 3
        again = second.recover(run_id, owner="a")
        on = second.wait(again, lambda now: now.step > saved.step, PATIENCE)
        assert not on.state.is_finished()
    finally:
        second.close()


# What a learner may ask for in vain


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        (b"", "not a checkpoint"),
        (b"\x80\x04half a pick", "not a checkpoint"),
        (b"PK\x03\x04" + bytes(100), "not a checkpoint"),
    ],
)
def test_a_file_that_is_no_checkpoint(
    desk: Desk, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "given.pt"
    if content is not None:
        path.write_bytes(content)
    snapshot = desk.until(desk.submit(TINY, checkpoints=[str(path)], paused=True))
    assert snapshot.state is RunState.FAILED
    assert reason in snapshot.message
    assert "Traceback" not in snapshot.message


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self.path),))


def test_a_malicious_checkpoint_runs_no_code(desk: Desk, tmp_path: Path) -> None:
    import torch

    plain, zipped = tmp_path / "plain.pt", tmp_path / "zipped.pt"
    plain.write_bytes(pickle.dumps(Evil(tmp_path / "ran-plain")))
    torch.save({"format": "vae-loss checkpoint", "x": Evil(tmp_path / "ran-zipped")}, zipped)
    for path in (plain, zipped):
        snapshot = desk.until(desk.submit(TINY, checkpoints=[str(path)]))
        assert snapshot.state is RunState.FAILED
        assert "not a checkpoint" in snapshot.message
    assert not list(tmp_path.glob("ran-*"))
    torch.load(zipped, weights_only=False)
    assert (tmp_path / "ran-zipped").is_dir(), "the file would have run code if it were let"


def test_a_checkpoint_of_other_settings_is_named(desk: Desk) -> None:
    done = desk.until(desk.submit(TINY))
    wrong = dataclasses.replace(TINY, latent_dim=5)
    snapshot = desk.until(desk.submit(wrong, checkpoints=done.checkpoints))
    assert snapshot.state is RunState.FAILED
    assert "latent_dim: 5 given; the checkpoint has 3" in snapshot.message


def test_images_that_are_not_there(desk: Desk) -> None:
    snapshot = desk.until(desk.submit(dataclasses.replace(TINY, dataset="mnist")))
    assert snapshot.state is RunState.FAILED
    assert "MNIST is not in" in snapshot.message
    assert "Traceback" not in snapshot.message


# The process by itself


def start_alone(*arguments: str, **details: Any) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, *(arguments or ("-m", "vae.worker"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        **details,
    )


def test_it_saves_and_ends_when_its_commands_end(tmp_path: Path) -> None:
    with start_alone() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        start = protocol.Start("job", (LONG.to_dict(),), str(tmp_path))
        Writer(process.stdin).write(start)
        reports, seen = read(process.stdout), []
        for report in reports:
            seen.append(report)
            if isinstance(report, protocol.Progress) and report.step > 0:
                break
        process.stdin.close()
        # Where that step ended the first epoch, it was saved before it was told.
        seen += reports
        assert isinstance(seen[-1], protocol.Ended)
        assert seen[-1].state == "stopped"
        saved = [report.step for report in seen if isinstance(report, protocol.Saved)]
        steps = [report.step for report in seen if isinstance(report, protocol.Progress)]
        assert saved[-1] == steps[-1]
        assert process.wait(PATIENCE) == 0
    assert (tmp_path / "member-1.pt").is_file()


def test_what_libraries_print_does_not_disturb_the_messages() -> None:
    code = (
        "import os, sys, vae.worker.__main__ as worker\n"
        "serve = worker.serve\n"
        "def noisy(*arguments):\n"
        "    print('a progress bar'); os.write(1, b'from a library in C\\n')\n"
        "    serve(*arguments)\n"
        "worker.serve = noisy\n"
        "sys.argv = ['worker']\n"
        "worker.main()\n"
    )
    with start_alone("-c", code) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        Writer(process.stdin).write(protocol.Shutdown())
        reports = list(read(process.stdout))
        errors = process.stderr.read()
    assert [type(report) for report in reports] == [protocol.Ready]
    assert b"a progress bar" in errors
    assert b"from a library in C" in errors
