"""A value of the environment that is none ends the server at its start, with one sentence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from appserver import ROOT, environment, free_port, serve
from page_runs import open_app

from vae.config import TrainConfig
from vae.runs.limits import LimitError, check_environment

BAD = {
    "VAE_MAX_EPOCHS": "5000",
    "VAE_MAX_STEPS": "1e300",
    "VAE_MAX_LATENT_DIM": "1024",
    "VAE_MAX_MEMBERS": "10",
    "VAE_MAX_QUEUE": "",
    "VAE_KEEP_FOLDERS_MB": "nan",
    "VAE_PROFILE": "",
    "VAE_DATA_DIR": "~nouser/data",
    "VAE_RUNS_DIR": "/dev/null/runs",
}


def start_server(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
    command += ["--server.port", str(free_port()), "--server.headless", "true"]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(folder) | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_told_with_its_name_and_range(name):
    with pytest.raises(LimitError) as caught:
        check_environment({name: BAD[name]})
    assert str(caught.value).startswith(f"{name}: {BAD[name]!r} given; allowed is ")


@pytest.mark.parametrize("text", ["", " ", "~nouser", "/dev/null", "/etc/passwd/a", "a" * 5000])
@pytest.mark.parametrize("name", ["VAE_DATA_DIR", "VAE_RUNS_DIR"])
def test_what_can_be_no_folder_is_refused(name, text):
    with pytest.raises(LimitError, match=f"{name}: .* given; allowed is a folder"):
        check_environment({name: text})


def test_a_folder_that_is_there_or_can_be_made_is_taken(tmp_path):
    for folder in (tmp_path, tmp_path / "new" / "and deeper", Path("relative"), Path("~")):
        check_environment({"VAE_DATA_DIR": str(folder), "VAE_RUNS_DIR": str(folder)})
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_runs_are_not_kept_where_nothing_may_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(LimitError, match="may write to"):
        check_environment({"VAE_RUNS_DIR": str(tmp_path / "runs")})


@pytest.mark.parametrize("name", ["VAE_PROFILE"])
def test_the_server_ends_before_it_says_that_it_is_healthy(tmp_path, name):
    done = start_server(tmp_path, **{name: BAD[name]})
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"{name}: {BAD[name]!r} given; allowed is ")
    assert "Traceback" not in done.stderr + done.stdout


def test_train_opens_at_the_widest_limits(monkeypatch):
    widest = {"EPOCHS": "1000", "HIDDEN_DIM": "4096", "LATENT_DIM": "256", "BATCH_SIZE": "10000"}
    for name, value in widest.items():
        monkeypatch.setenv(f"VAE_MAX_{name}", value)
    app = open_app("train", epochs="1000", hidden_dim="4096", latent_dim="256", batch_size="10000")
    assert not app.info
    assert TrainConfig(epochs=1000, hidden_dim=4096, latent_dim=256, batch_size=10000)


def test_a_good_value_starts(tmp_path):
    with serve(tmp_path, extra={"VAE_PROFILE": "small", "VAE_MAX_EPOCHS": "1000"}):
        pass
