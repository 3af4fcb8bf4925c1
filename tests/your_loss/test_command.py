"""``python -m vae loss``: one JSON object, a status, and nothing run."""

import io
import json
from pathlib import Path

import pytest

from vae import cli

CODE = """
def loss(recon, x, mu, logvar):
    kl = -0.5 * torch.sum(1 + logvar - mu ** 2 - logvar.exp(), dim=1).mean()
    return F.mse_loss(recon, x) + weight * kl
"""
KEYS = {
    *("family", "sigma2", "sigma2_unit", "laplace_scale", "beta", "rate"),
    *("faults", "unknown", "roles", "constants", "verdict"),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "loss.py"
    path.write_text(CODE, encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main(["loss", *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_the_object_has_its_keys_and_numbers(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(
        capsys, str(file), "--json", "--image", "3x64x64", "--latents", "128", "--batch", "64",
        "--range", "-1", "1", "--set", "weight=0.00025",
    )  # fmt: skip
    assert status == 0
    found = json.loads(out)
    assert set(found) == KEYS
    assert found["family"] == "gaussian"
    assert found["sigma2"] == pytest.approx(1.536)
    assert found["sigma2_unit"] == pytest.approx(1.536 / 4)
    assert found["rate"] == pytest.approx(0.00025)
    assert found["beta"] is None
    assert found["laplace_scale"] is None
    assert found["constants"] == {"weight": 0.00025}
    assert found["roles"] == {"recon": "output", "x": "target", "mu": "mean", "logvar": "logvar"}
    assert {"kind", "line", "text"} == set(found["faults"][0])


def test_a_missing_constant_is_status_3_with_a_sentence(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, str(file), "--json")
    assert status == 3
    assert "weight" in err
    sentence, hint = err.strip().splitlines()
    assert sentence.endswith(".")
    assert hint.strip() == "--set weight=NUMBER"
    found = json.loads(out)
    assert set(found) == KEYS
    assert found["sigma2"] is None


def test_the_text_says_the_verdict_first(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, str(file), "--set", "weight=1", "--image", "784")
    assert status == 0
    assert out.splitlines()[0].startswith("A Gaussian with sigma = 19.8")


def test_a_dash_reads_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(CODE.encode()), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", stdin)
    status, out, _ = run(capsys, "-", "--json", "--set", "weight=1", "--image", "28x28x1")
    assert status == 0
    assert json.loads(out)["sigma2"] == pytest.approx(392.0)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--image", "big"], "image"),
        (["--latents", "0"], "latents"),
        (["--batch", "-3"], "batch"),
        (["--range", "1", "0"], "range"),
        (["--set", "weight"], "--set"),
        (["--role", "x=cat"], "roles"),
    ],
)
def test_bad_use_is_named(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], named: str
) -> None:
    status, _, err = run(capsys, str(file), *arguments)
    assert status == 2
    assert named in err


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "/nowhere/loss.py")
    assert status == 2
    assert "/nowhere/loss.py" in err


def test_what_is_no_loss_is_status_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "no.py"
    path.write_text("def (", encoding="utf-8")
    status, _, err = run(capsys, str(path))
    assert status == 3
    assert "Line 1" in err


def test_what_is_open_is_answered_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "open.py"
    path.write_text(
        CODE.replace(
            "return F.mse_loss(recon, x) + weight * kl",
            "return (F.mse_loss(recon, x) if self.kind == 'mse' else F.l1_loss(recon, x)) + kl",
        ),
        encoding="utf-8",
    )
    status, _, err = run(capsys, str(path))
    assert status == 3
    assert "--set self.kind=mse" in err
    status, out, _ = run(capsys, str(path), "--set", "self.kind=mse", "--json")
    assert status == 0
    assert json.loads(out)["sigma2"] == pytest.approx(392.0)
    _, out, _ = run(capsys, str(path), "--set", "self.kind=another", "--json")
    assert json.loads(out)["laplace_scale"] == pytest.approx(784.0)


def test_one_of_several_losses_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "two.py"
    other = CODE.replace("def loss", "def other").replace("weight * kl", "3 * kl")
    path.write_text(CODE.replace("weight", "2") + other, encoding="utf-8")
    status, _, err = run(capsys, str(path))
    assert status == 3
    assert "--function other" in err
    status, out, _ = run(capsys, str(path), "--function", "other", "--json")
    assert status == 0
    assert json.loads(out)["sigma2"] == pytest.approx(3 * 392.0)
