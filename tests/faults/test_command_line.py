"""Bad input at the command line: one sentence, exit status 2, nothing lost, nothing replaced."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from samples import small_images

from vae.cli import main
from vae.engine.checkpoints import load, save
from vae.images.sets import load_images

ROOT = Path(__file__).parents[2]
SMALL = ["--epochs", "1", "--latent-dim", "2", "--hidden-dim", "4", "--batch-size", "100"]

posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices of POSIX")
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    data = small_images()
    np.savez(tmp_path / "images.npz", train=data.train, test=data.test)
    return tmp_path / "images.npz"


@pytest.fixture
def kept(images: Path, tmp_path: Path, capsys: Capture) -> Path:
    assert run(*train(images), "--output", tmp_path / "run.pt") == 0
    capsys.readouterr()
    return tmp_path / "run.pt"


def run(*arguments: object) -> int:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


def train(images: Path) -> list[object]:
    return ["train", "--dataset", "images", "--images", images, *SMALL]


def refuse(capsys: Capture, *arguments: object, code: int = 2) -> str:
    """The sentence with which the command line refuses."""
    assert run(*arguments) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("python -m vae: ")
    assert output.err.count("\n") == 1
    assert len(output.err) < 1000
    return output.err


# Settings

NUMBERS = ["nan", "inf", "-inf", "1e400", "-1", "0x10", "", " ", "1e5000", "9" * 6000, "١.٥.", "--"]


@pytest.mark.parametrize("name", ["epochs", "scale", "learning-rate", "seed", "beta", "latent-dim"])
@pytest.mark.parametrize("value", NUMBERS)
def test_numbers_that_are_none(name: str, value: str, capsys: Capture) -> None:
    assert run("train", f"--{name}={value}") == 2
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    assert len(output.err.splitlines()[-1]) < 300
    assert output.out == ""


# Files to read


def encrypted(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def bombed(path: Path) -> None:
    text = b"{'descr': '|u1', 'fortran_order': False, 'shape': (%d, 28, 28), }\n" % 10**9
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + bytes([len(text), 0]) + text)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [encrypted, half, flipped, bombed, emptied, folder_instead])
def test_images_that_cannot_be_read(
    damage: Callable[[Path], None], images: Path, capsys: Capture
) -> None:
    damage(images)
    assert str(images) in refuse(capsys, *train(images))


@pytest.mark.parametrize("name", ["images.txt", "images", "absent.npz", "x" * 300, "y/" * 3000])
def test_images_of_a_wrong_name(name: str, images: Path, capsys: Capture) -> None:
    if len(name) < 20 and name != "absent.npz":
        images.rename(images.with_name(name))
    refuse(capsys, *train(images.parent / name))


@pytest.mark.parametrize("command", ["evaluate", "resume"])
@pytest.mark.parametrize("damage", [half, flipped, emptied, bombed, folder_instead, Path.unlink])
def test_checkpoints_that_cannot_be_read(
    command: str, damage: Callable[[Path], None], kept: Path, capsys: Capture
) -> None:
    damage(kept)
    assert str(kept) in refuse(capsys, command, kept)


def altered(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    stored = torch.load(path, weights_only=True)
    change(stored)
    torch.save(stored, path)


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored["training"]["optimizer"]["param_groups"][0].pop("betas"),
        lambda stored: stored["training"]["optimizer"].pop("state"),
        lambda stored: stored["training"].pop("noise"),
        lambda stored: stored.update(training=None),
        lambda stored: stored.update(step=10**400),
        lambda stored: stored["training"].update(seconds=10**400),
        lambda stored: stored["config"].update(images="/absent.npz"),
        lambda stored: stored["config"].update(images="~nosuchuser/x.npz"),
        lambda stored: stored["config"].update(epochs=float("inf")),
        lambda stored: stored["data"].update(sha256="0" * 16),
        lambda stored: stored.update(history="[" * 100_000),
    ],
)
def test_checkpoints_that_say_what_cannot_be(
    change: Callable[[dict[str, Any]], object], kept: Path, capsys: Capture
) -> None:
    altered(kept, change)
    before = kept.read_bytes()
    refuse(capsys, "resume", kept, "--epochs", 2)
    assert kept.read_bytes() == before


@pytest.mark.parametrize("name", ["x" * 300, "y/" * 3000])
def test_checkpoints_whose_name_is_too_long(name: str, capsys: Capture) -> None:
    assert "File name too long" in refuse(capsys, "evaluate", name)


@pytest.mark.parametrize("name", ["~nosuchuser", "~nosuchuser/x", "x" * 300, "y/" * 3000])
def test_folders_that_cannot_be(name: str, capsys: Capture) -> None:
    refuse(capsys, "train", "--dataset", "mnist", "--data-dir", name)


def test_a_data_folder_in_the_environment_that_cannot_be(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_DATA_DIR", "~nosuchuser/data")
    assert "VAE_DATA_DIR: '~nosuchuser/data' given" in refuse(capsys, "train")


# Where the run is kept


@posix
@pytest.mark.parametrize("kind", ["pipe", "device", "link to a device", "folder", "circle"])
def test_what_is_no_plain_file_is_not_replaced(
    kind: str, images: Path, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "output"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/null")
    elif kind == "link to a device":
        path.symlink_to("/dev/null")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path)
    before = path.lstat()
    assert "--output: " in refuse(capsys, *train(images), "--output", path)
    after = path.lstat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)


@pytest.mark.parametrize(
    "name", ["absent/run.pt", "x" * 256, "y/" * 3000, "~nosuchuser/run.pt", "images.npz/run.pt"]
)
def test_where_nothing_can_be_written_is_said_before_training(
    name: str, images: Path, tmp_path: Path, capsys: Capture
) -> None:
    output = name if name.startswith("~") else tmp_path / name
    assert "--output: " in refuse(capsys, *train(images), "--output", output)


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_what_may_not_be_written_is_left(
    what: str, kept: Path, images: Path, capsys: Capture
) -> None:
    before = kept.read_bytes()
    guarded = kept if what == "file" else kept.parent
    guarded.chmod(0o555)
    try:
        assert "--output: " in refuse(capsys, *train(images), "--output", kept)
    finally:
        guarded.chmod(0o755)
    assert kept.read_bytes() == before


@pytest.mark.parametrize("length", [200, 230, 255])
def test_a_name_as_long_as_names_can_be(length: int, images: Path, tmp_path: Path) -> None:
    assert run(*train(images), "--output", tmp_path / ("x" * length)) == 0
    assert load(tmp_path / ("x" * length)).step == 3


@posix
def test_a_link_to_a_file_stays_a_link_and_the_file_keeps_its_mode(
    images: Path, tmp_path: Path
) -> None:
    real, link = tmp_path / "real.pt", tmp_path / "link.pt"
    link.symlink_to(real)
    assert run(*train(images), "--output", link) == 0
    real.chmod(0o640)
    assert run("resume", link, "--epochs", 2) == 0
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert load(real).step == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images.npz", "link.pt", "real.pt"]


def test_a_disk_that_fills_in_mid_run_is_a_failure_and_keeps_the_last_epoch(
    kept: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = kept.read_bytes()

    def full(handle: int) -> None:
        del handle
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    assert run("resume", kept, "--epochs", 2) == 1
    assert "No space left" in capsys.readouterr().err
    assert kept.read_bytes() == before


# Where it prints


def start(*arguments: object, shell: str = "", **environment: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "vae", *map(str, arguments)]
    if shell:
        command = ["bash", "-c", f'"$@" {shell}', "bash", *command]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_output_is_said() -> None:
    process = start("claims", "--json", shell=">/dev/full")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error == b"python -m vae: the output: No space left on device\n"


@posix
def test_closed_streams_are_no_fault_and_get_nothing_of_the_run(
    images: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run.pt"
    process = start(*train(images), "--output", path, shell="<&- >&- 2>&-")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert load(path).step == 3


def test_a_terminal_of_ascii_is_no_fault() -> None:
    process = start("claims", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    output, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, b"")
    assert output.isascii()
    assert b"\\u03c3" in output


def test_unreadable_bytes_in_a_name_are_no_fault() -> None:
    process = start("evaluate", os.fsdecode(b"/absent-\xff\xfe.pt"))
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert b"cannot be read" in error
    assert b"Traceback" not in error


def test_training_state_of_a_diverged_run_is_refused_in_words(kept: Path, capsys: Capture) -> None:
    data = load_images("images", images=kept.with_name("images.npz"))
    trainer = load(kept).build_trainer(data)
    entries = trainer.optimizer.state_dict()["state"][0]
    entries["exp_avg"].fill_(torch.nan)
    save(kept, trainer)
    assert "exp_avg of weight 0: not all of its numbers are finite" in refuse(
        capsys, "resume", kept, "--epochs", 2
    )
    assert run("evaluate", kept) == 0


def test_a_number_of_threads_set_by_hand_changes_no_figure(images: Path) -> None:
    # Of sizes whose products several threads sum in another order than one.
    sizes = ["--hidden-dim", "100", "--latent-dim", "20", "--batch-size", "7", "--json"]
    found = []
    for count in (1, 3):
        process = start(*train(images), *sizes, OMP_NUM_THREADS=str(count))
        output, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
        epochs = [json.loads(line) for line in output.splitlines()]
        for epoch in epochs:
            del epoch["seconds"], epoch["images_per_second"]
        found.append(epochs)
    assert found[0] == found[1]
