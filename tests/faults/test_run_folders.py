"""Runs on disk: only what this program made is ever deleted, and nothing that anybody uses."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from samples import small_images

from vae.config import TrainConfig
from vae.engine import checkpoints
from vae.runs.folders import RunFolders
from vae.runs.limits import Limits
from vae.runs.registry import Registry
from vae.wire import protocol
from vae.wire.protocol import RunState
from vae.worker import job

ROOT = Path(__file__).parents[2]
CONFIG = TrainConfig(epochs=1)
FOREIGN = ("Documents", "Pictures", "checkpoints", "my-thesis-2019", "node_modules", "venv-3_11")

posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")


def make_run(folders: RunFolders, run_id: str, age: int = 0) -> Path:
    """A finished run with a checkpoint; the higher ``age``, the older."""
    folder = folders.create(run_id)
    (folder / "member-1.pt").write_bytes(b"weights")
    folders.write(
        run_id,
        state=RunState.FINISHED,
        configs=[CONFIG],
        step=1,
        checkpoints=[str(folder / "member-1.pt")],
    )
    os.utime(folder, (1e9 - age, 1e9 - age))
    return folder


def prune_all(root: Path) -> None:
    """What a server that may keep nothing deletes."""
    RunFolders(root).prune(keep=0, megabytes=0, in_use=set())


def everything(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder full of somebody's things, some of which look like runs."""
    for name in FOREIGN:
        (tmp_path / name).mkdir()
        (tmp_path / name / "letter.txt").write_text("mine")
    (tmp_path / "Documents" / "run.json").write_text('{"state": "finished", "mine": true}')
    (tmp_path / "Pictures" / "member-1.pt").write_text("mine too")
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(bytes(100))
    return tmp_path


def test_foreign_folders_survive_in_a_folder_given_for_runs(foreign: Path) -> None:
    before = everything(foreign)
    folders = RunFolders(foreign)
    run = make_run(folders, "run-00001")
    prune_all(foreign)
    assert not run.exists(), "a run of this program goes"
    after = everything(foreign)
    assert {name: after.get(name) for name in before} == before


def test_a_manifest_of_another_program_among_the_runs_is_not_ours(tmp_path: Path) -> None:
    folders = RunFolders(tmp_path)
    ours = make_run(folders, "run-00001")
    other = ours.parent / "Documents"
    other.mkdir()
    for content in ("{}", '{"format": "cargo"}', "[" * 100_000, "", "\xff", "1" * 200_000):
        (other / "run.json").write_text(content)
        prune_all(tmp_path)
        assert (other / "run.json").read_text() == content
    assert not ours.exists()


def test_what_somebody_laid_into_a_run_s_folder_stays(tmp_path: Path) -> None:
    folder = make_run(RunFolders(tmp_path), "run-00001")
    (folder / "notes.txt").write_text("mine")
    (folder / "member-1.pt.bak").write_text("mine")
    (folder / "plots").mkdir()
    prune_all(tmp_path)
    assert {"member-1.pt.bak", "notes.txt", "plots"} == {path.name for path in folder.iterdir()}


def test_a_folder_of_the_same_name_is_not_taken_over(tmp_path: Path) -> None:
    folders = RunFolders(tmp_path)
    home = folders.path("run-00001").parent
    if home == tmp_path:
        pytest.fail("runs lie directly in the folder that was given")
    (home / "Documents").mkdir(parents=True)
    with pytest.raises(OSError, match="is not this program's"):
        folders.create("run-00001")
    assert [path.name for path in home.iterdir()] == ["Documents"]


@posix
def test_nothing_is_deleted_through_a_link(tmp_path: Path) -> None:
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "root"
    target = make_run(RunFolders(elsewhere), "run-00001")
    before = everything(target)
    folders = RunFolders(root)
    folders.create("run-00002")
    folders.path("run-00001").symlink_to(target)
    prune_all(root)
    assert everything(target) == before
    # The folder of all runs is a link.
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / target.parent.name).symlink_to(target.parent)
    prune_all(linked)
    assert everything(target) == before
    with pytest.raises(OSError, match="is not this program"):
        RunFolders(linked).create("run-00003")


@posix
def test_a_manifest_that_is_a_link_or_a_pipe_is_none(tmp_path: Path) -> None:
    folders = RunFolders(tmp_path)
    folder = make_run(folders, "run-00001")
    real = tmp_path / "real.json"
    (folder / "run.json").rename(real)
    (folder / "run.json").symlink_to(real)
    assert folders.read("run-00001") is None
    prune_all(tmp_path)
    assert (folder / "member-1.pt").exists()
    (folder / "run.json").unlink()
    os.mkfifo(folder / "run.json")
    assert folders.read("run-00001") is None


@posix
def test_a_run_with_a_dangling_link_is_pruned_in_its_turn(tmp_path: Path) -> None:
    folders = RunFolders(tmp_path)
    folder = make_run(folders, "run-00001")
    (folder / "member-2.pt").symlink_to(tmp_path / "nowhere")
    os.utime(folder, (1, 1))
    prune_all(tmp_path)
    assert not folder.exists()


@pytest.mark.parametrize("name", ["step", "saved_at"])
@pytest.mark.parametrize(
    "value", ["1e999", "-1e999", "NaN", "1" * 4000, "1" * 5000, "[" * 40_000, '"x"', "null", "{}"]
)
def test_a_manifest_with_numbers_that_are_none_is_no_run(
    tmp_path: Path, name: str, value: str
) -> None:
    folders = RunFolders(tmp_path)
    path = make_run(folders, "run-00001") / "run.json"
    assert folders.read("run-00001") is not None
    before = json.loads(path.read_text())[name]
    path.write_text(path.read_text().replace(f'"{name}": {before}', f'"{name}": {value}'))
    assert folders.read("run-00001") is None
    assert list(folders.all()) == []


PRUNE = "import sys, pathlib; from vae.runs.folders import RunFolders; " + (
    "RunFolders(pathlib.Path(sys.argv[1])).prune(keep=0, megabytes=0, in_use=set())"
)


def prune_from_another_process(root: Path) -> None:
    subprocess.run([sys.executable, "-c", PRUNE, str(root)], cwd=ROOT, check=True, timeout=60)


class PaperWorker:
    """Takes commands and says what a test has it say."""

    exit_code = None

    def __init__(self, on_report: Any, on_exit: Any) -> None:
        del on_exit
        self._on_report = on_report
        self.started: list[protocol.Start] = []

    def send(self, command: protocol.Command) -> bool:
        if isinstance(command, protocol.Start):
            self.started.append(command)
        return True

    def say(self, report: protocol.Report) -> None:
        self._on_report(self, report)

    def close(self, seconds: float) -> None:
        del seconds

    def kill(self) -> None:
        """Nothing to end."""


class Bench:
    """A registry whose one worker is made of paper."""

    def __init__(self, root: Path, **limits: Any) -> None:
        self.workers: list[PaperWorker] = []
        self.registry = Registry(
            dataclasses.replace(Limits(), **limits),
            root,
            build_worker=self._build,  # type: ignore[arg-type]
            threaded=False,
        )

    def _build(self, on_report: Any, on_exit: Any) -> PaperWorker:
        self.workers.append(PaperWorker(on_report, on_exit))
        return self.workers[-1]

    def start(self, owner: str, **details: Any) -> tuple[str, Path]:
        """Submit a run and wait for its turn; its id and its folder."""
        run_id = self.registry.submit([CONFIG], owner=owner, **details)
        self.registry.wait(run_id, lambda now: now.state is not RunState.QUEUED, 10)
        return run_id, Path(self.workers[-1].started[-1].folder)

    def end(self, run_id: str, folder: Path) -> None:
        """Have the worker keep a checkpoint and finish."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "member-1.pt"
        path.write_bytes(b"weights")
        self.workers[-1].say(protocol.Saved(run_id, 5, (str(path),)))
        self.workers[-1].say(protocol.Ended(run_id, "finished"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, keep_runs=1)
    yield made
    made.registry.close()


def test_a_second_server_leaves_the_living_run_of_the_first(tmp_path: Path, bench: Bench) -> None:
    _, folder = bench.start("a")
    (folder / "member-1.pt").write_bytes(b"weights")
    prune_from_another_process(tmp_path)
    prune_all(tmp_path)
    assert (folder / "member-1.pt").exists()
    assert (folder / "run.json").exists()


def test_a_run_is_free_again_when_its_server_is_gone(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    run_id, folder = bench.start("a")
    bench.end(run_id, folder)
    bench.registry.close()
    prune_from_another_process(tmp_path)
    assert not folder.exists()


def test_checkpoints_that_a_queued_run_will_start_from_stay(tmp_path: Path, bench: Bench) -> None:
    old, source = bench.start("a")
    bench.end(old, source)
    running, folder = bench.start("b")
    # The source is forgotten, since one run alone is kept in memory, and then waited for.
    queued = bench.registry.submit(
        [CONFIG], owner="c", checkpoints=[str(source / "member-1.pt")], paused=True
    )
    bench.end(running, folder)
    bench.registry.wait(queued, lambda now: now.state is RunState.STARTING, 10)
    assert bench.registry.snapshot(old) is None
    for prune in (prune_all, prune_from_another_process):
        prune(tmp_path)
        assert (source / "member-1.pt").exists()


def test_a_run_s_folder_is_made_again_and_is_still_its_own(tmp_path: Path, bench: Bench) -> None:
    run_id, folder = bench.start("a")
    for lost in (folder, folder.parent):
        shutil.rmtree(lost)
        folder.mkdir(parents=True)
        (folder / "member-1.pt").write_bytes(b"weights")
        saved = protocol.Saved(run_id, 5, (str(folder / "member-1.pt"),))
        bench.workers[-1].say(saved)
        assert json.loads((folder / "run.json").read_text())["step"] == 5
        prune_from_another_process(tmp_path)
        assert (folder / "run.json").exists()
    snapshot = bench.registry.snapshot(run_id)
    assert snapshot is not None
    assert snapshot.message == ""


class Tidier:
    """An inbox that empties the run's folder before every step, and says nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, seconds: float) -> None:
        del seconds
        shutil.rmtree(self.folder, ignore_errors=True)

    def put_back(self, command: protocol.Command) -> None:
        raise AssertionError(command)


def test_the_last_weights_are_kept_though_the_folder_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "load_images", lambda _: small_images())
    config = TrainConfig(epochs=2, batch_size=64, hidden_dim=8, latent_dim=2, device="cpu")
    folder = tmp_path / "runs" / "run-00001"
    folder.mkdir(parents=True)
    said: list[protocol.Report] = []
    start = protocol.Start("run-00001", (config.to_dict(),), str(folder))
    job.Job(start, Tidier(folder.parent), said.append).run()
    last = [report for report in said if isinstance(report, protocol.Saved)][-1]
    assert last.problem == ""
    assert checkpoints.load(last.checkpoints[0]).step == 10
