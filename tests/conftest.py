"""Fixtures for all tests: private folders, real data where there is any, a running app."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from appserver import ROOT, Server, serve

# Tests share two cores: OpenMP threads that spin at barriers slow every other process down.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(scope="session", autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Caches, runs and data of the whole test session live in one temporary folder.

    The folder is shared by parallel test processes, so that the built-in digits are made once.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "private"
    with pytest.MonkeyPatch.context() as patch:
        for name, part in (
            ("XDG_CACHE_HOME", "cache"),
            ("VAE_DATA_DIR", "data"),
            ("VAE_RUNS_DIR", "runs"),
        ):
            (folder / part).mkdir(parents=True, exist_ok=True)
            patch.setenv(name, str(folder / part))
        patch.setenv("VAE_TEST_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with real MNIST and Fashion-MNIST; skips where there is none."""
    named = os.environ.get("VAE_TEST_DATA_DIR")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not (folder / "MNIST" / "raw").is_dir():
        pytest.skip(f"no MNIST in {folder} (set VAE_TEST_DATA_DIR to a folder that has it)")
    return folder


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app, running with folders of its own; at the end no process may be left."""
    with serve(tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(scope="session")
def app_url(app: Server) -> str:
    """The address of the running app, without a slash at its end."""
    return app.url
