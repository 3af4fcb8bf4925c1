"""The command line: what it prints, where it stops, what it says when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import small_images

from vae.cli import main
from vae.cli.report import JSON_FIELDS
from vae.config import TrainConfig, default
from vae.errors import DataUnavailable
from vae.images import downloads

ROOT = Path(__file__).parents[2]
SMALL = ["--latent-dim", "3", "--hidden-dim", "16", "--batch-size", "64"]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    data = small_images()
    path = tmp_path / "images.npz"
    np.savez(path, train=data.train, test=data.test)
    return path


def run(*arguments: object) -> int:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)


def on(images: Path, *more: object) -> list[object]:
    return ["train", "--dataset", "images", "--images", images, "--epochs", 2, *SMALL, *more]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_has_one_object_for_each_epoch(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*on(images, "--json", "--likelihood", "gaussian-learned")) == 0
    output = capsys.readouterr()
    epochs = lines(output.out)
    assert output.err == ""
    assert [epoch["epoch"] for epoch in epochs] == [1, 2]
    names = (
        "epoch train_loss test_loss test_log_likelihood test_kl test_mse scale "
        "bits_per_pixel seconds images_per_second"
    )
    for epoch in epochs:
        assert list(epoch) == names.split() == list(JSON_FIELDS)
        elbo = epoch["test_log_likelihood"] - epoch["test_kl"]
        assert epoch["test_loss"] == pytest.approx(-elbo, rel=1e-6)
        assert epoch["images_per_second"] == pytest.approx(300 / epoch["seconds"])


def test_a_likelihood_without_a_scale_prints_null(
    images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*on(images, "--json", "--likelihood", "bernoulli")) == 0
    assert lines(capsys.readouterr().out)[0]["scale"] is None


def test_without_json_there_is_a_table(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*on(images)) == 0
    output = capsys.readouterr().out.splitlines()
    assert "bernoulli, 3 latents, seed 1" in output[0]
    assert output[1].split()[:2] == ["epoch", "train"]
    assert [line.split()[0] for line in output[2:]] == ["1", "2"]


def test_a_kept_run_evaluates_and_resumes_as_if_never_stopped(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "run.pt"
    assert run(*on(images, "--json", "--output", kept, "--epochs", 1)) == 0
    first = lines(capsys.readouterr().out)
    assert run("evaluate", kept, "--json") == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["test_loss"] == first[0]["test_loss"]
    assert run("resume", kept, "--epochs", 2, "--json") == 0
    second = lines(capsys.readouterr().out)
    assert run(*on(images, "--json")) == 0
    straight = lines(capsys.readouterr().out)
    assert [epoch["test_loss"] for epoch in first + second] == [
        epoch["test_loss"] for epoch in straight
    ]
    assert run("evaluate", kept) == 0
    assert "test_loss" in capsys.readouterr().out


def test_a_finished_run_says_how_to_go_on(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "run.pt"
    run(*on(images, "--output", kept))
    capsys.readouterr()
    assert run("resume", kept) == 2
    assert "give --epochs to train on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "--scale", "99"], 2, "scale: '99' given; allowed is 0.01 to 20"),
        (["train", "--likelihood", "poisson"], 2, "allowed is one of gaussian"),
        (["train", "--epochs", "1.5"], 2, "epochs: '1.5' given; allowed is 1 to 1000"),
        (["train", "--dataset", "images"], 2, "images: '' given"),
        (
            ["train", "--output", "/absent/run.pt"],
            2,
            "--output: /absent/run.pt given; its folder must exist",
        ),
        (["train", "--speed", "3"], 2, "unrecognized arguments: --speed"),
        (["paint"], 2, "invalid choice: 'paint'"),
        ([], 2, "required: COMMAND"),
        (["train", "--dataset", "mnist", "--data-dir", "/absent"], 2, "download mnist"),
        (["train", "--dataset", "images", "--images", "/absent.npz"], 2, "no such file"),
        (["evaluate", "/absent.pt"], 2, "/absent.pt: cannot be read"),
        (["resume", __file__], 2, "not a checkpoint"),
    ],
)
def test_mistakes_get_one_message_and_a_code(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == code
    output = capsys.readouterr()
    assert words in output.err
    assert output.out == ""
    assert "Traceback" not in output.err


def test_a_device_that_is_not_there_is_named(
    images: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert run(*on(images, "--device", "cuda")) == 2
    assert "device: 'cuda' given; this machine has" in capsys.readouterr().err


def test_divergence_ends_with_advice_and_keeps_good_weights(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "run.pt"
    wild = ["--likelihood", "gaussian", "--scale", "0.01", "--architecture", "linear"]
    steps = ["--optimizer", "sgd", "--learning-rate", "10", "--epochs", 20, "--output", kept]
    assert run(*on(images, *wild, *steps)) == 1
    message = capsys.readouterr().err
    assert "diverged at step" in message
    assert "Try a learning rate below 10" in message
    assert run("evaluate", kept) == 0


def test_download_is_asked_for_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Any]] = []

    def unreachable(name: str, data_dir: Any = None, progress: Any = None) -> None:
        progress(0.5)
        asked.append((name, data_dir))
        raise DataUnavailable("mnist could not be fetched: no network")

    monkeypatch.setattr(downloads, "download", unreachable)
    assert run("train", "--dataset", "mnist", "--data-dir", tmp_path, "--download") == 1
    assert run("download", "fashion", "--data-dir", tmp_path) == 1
    assert asked == [("mnist", tmp_path), ("fashion", tmp_path)]
    assert "no network" in capsys.readouterr().err


def test_help_teaches_every_setting_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", "--help") == 0
    words = " ".join(capsys.readouterr().out.split())
    for spec in fields(TrainConfig):
        assert "--" + spec.name.replace("_", "-") + " " in words
        if spec.name != "images":
            assert f"Default: {str(default(spec.name)).lower()}." in words
    assert run("--help") == 0
    assert "python -m vae resume" in capsys.readouterr().out


def start(*arguments: object, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "vae", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


def test_help_and_mistakes_do_not_wait_for_torch() -> None:
    code = "import sys; from vae.cli import main\ntry: main(['train', '--help'])\n"
    code += "finally: assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_claims_answer_without_torch() -> None:
    code = "import sys; from vae.cli import main; main(['claims', '--json'])\n"
    code += "assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_keeps_the_run(number: int, images: Path, tmp_path: Path) -> None:
    kept = tmp_path / "run.pt"
    process = start(*on(images, "--json", "--epochs", 1000, "--output", kept))
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "continue with 'python -m vae resume" in error
    assert "Traceback" not in error
    from vae.engine.checkpoints import load

    assert 5 <= load(kept).step < 5000


def test_a_reader_that_leaves_ends_the_run_quietly(images: Path) -> None:
    process = start(*on(images, "--json", "--epochs", 1000))
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert process.returncode == 1
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()


def test_the_reference_settings_are_accepted_as_written(images: Path) -> None:
    words = [
        "--likelihood",
        "bernoulli",
        "--epochs",
        "1",
        "--batch-size",
        "128",
        "--learning-rate",
        "1e-3",
        "--latent-dim",
        "20",
        "--hidden-dim",
        "400",
        "--seed",
        "1",
        "--device",
        "auto",
        "--json",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = start("train", "--dataset", "images", "--images", images, *words, env=environment)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert len(lines(output)) == 1
