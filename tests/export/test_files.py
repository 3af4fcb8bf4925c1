"""What a learner takes home: a table that reads back, a film that plays, a script that repeats."""

import base64
import gzip
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import run_samples
from PIL import Image

from vae.config import LIKELIHOODS, TrainConfig
from vae.engine.training import train
from vae.export import files, standalone
from vae.images import tiles
from vae.images.sets import ImageData
from vae.wire.events import EpochEvent

TINY = TrainConfig(
    dataset="mnist", latent_dim=2, hidden_dim=12, epochs=2, batch_size=32, device="cpu", seed=7
)


def test_the_history_reads_back_as_it_was():
    members = run_samples.run(TrainConfig(latent_dim=3)).members
    table = pd.read_csv(io.StringIO(files.history_csv(members, ["BCE"])))
    assert list(table.columns[:7]) == [
        "step",
        "member",
        "on",
        "log_likelihood",
        "kl",
        "loss",
        "mse",
    ]
    batches = table[table["on"] == "training batch"]
    assert list(batches["step"]) == [event.step for event in members[0].steps]
    assert list(batches["mse"]) == [event.mse for event in members[0].steps]
    assert list(batches["kl_3"]) == [2.0, 2.0, 2.0]
    test = table[table["on"] == "test set"]
    assert list(test["loss"]) == [members[0].epochs[0].test_loss]
    assert batches["scale"].isna().all()


def test_a_comparison_is_one_table_with_both_names():
    configs = TrainConfig(latent_dim=2), TrainConfig(likelihood="gaussian", latent_dim=3)
    snapshot = run_samples.run(*configs)
    table = pd.read_csv(io.StringIO(files.history_csv(snapshot.members, ["a, b", "c"])))
    assert set(table["member"]) == {"a, b", "c"}
    assert len(table) == 8
    assert table.loc[table["member"] == "a, b", "kl_3"].isna().all()
    assert (table.loc[table["member"] == "c", "scale"] == 0.5).all()


def test_the_film_has_a_frame_for_every_moment_that_all_members_have():
    config = TrainConfig()
    first = run_samples.member(config, (1, 10, 100))
    second = run_samples.member(config, (1, 50, 100))
    assert [frame.step for frame in files.common_moments([first, second])[1]] == [0, 1, 100]
    film = Image.open(io.BytesIO(files.animation_gif([first, second])))
    assert film.n_frames == 3
    rows = []
    for index in range(film.n_frames):
        film.seek(index)
        grey = np.asarray(film.convert("L"))
        height = grey.shape[0] // 3
        rows.append([int(grey[height * row + height // 2, 20]) for row in range(3)])
    # Targets stay; each member's means are what its frames say.
    assert rows == [[200, 0, 0], [200, 1, 1], [200, 100, 100]]
    assert film.info["loop"] == 0


def test_a_film_without_pictures_is_refused():
    with pytest.raises(ValueError, match="no moment"):
        files.animation_gif([replace(run_samples.member(TrainConfig()), frames=())])


def test_captions_name_the_figures_of_their_moment():
    members = run_samples.run(TrainConfig()).members
    captions = files.moment_captions(members)
    assert captions[-1] == f"step 100 · on its batch MSE {0.25 / 101:.4f}, KL 190.0 nats"
    assert len(captions) == len(members[0].frames)


def test_pictures_keep_every_pixel_and_leave_gaps_transparent():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    picture = tiles.tile(images, columns=2, gap=1)
    assert picture.size == (7, 14)
    grey, alpha = np.asarray(picture)[..., 0], np.asarray(picture)[..., 1]
    assert (grey[5:9, 4:7] == images[3]).all()
    assert alpha.sum() == 255 * images.size
    assert (alpha[4] == 0).all()
    url = tiles.strip(images, zoom=3)
    data = base64.b64decode(url.removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(data)).size == ((5 * 4 - 1) * 3, 4 * 3)


@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.uint8), np.zeros((1, 2, 2), np.float32)])
def test_other_arrays_are_no_pictures(bad):
    with pytest.raises(ValueError, match="images: shape"):
        tiles.tile(bad, 1)


@pytest.fixture(scope="module")
def tiny_images() -> ImageData:
    generator = np.random.default_rng(3)
    shapes = {"train": 100, "test": 40}
    arrays = {
        name: generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        for name, count in shapes.items()
    }
    labels = {name: (np.arange(count) % 10).astype(np.uint8) for name, count in shapes.items()}
    return ImageData(
        "mnist",
        arrays["train"],
        labels["train"],
        arrays["test"],
        labels["test"],
        tuple("0123456789"),
    )


def _write_idx(folder, data: ImageData) -> None:
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split, images in (("train", data.train), ("t10k", data.test)):
        header = bytes([0, 0, 8, 3])
        header += b"".join(size.to_bytes(4, "big") for size in images.shape)
        content = header + images.tobytes()
        path = raw / f"{split}-images-idx3-ubyte"
        if split == "train":
            path.write_bytes(content)
        else:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))


def _losses(lines: str) -> list[tuple[float, float]]:
    rows = [line.split() for line in lines.splitlines() if line.startswith("epoch")]
    return [(float(row[3]), float(row[5])) for row in rows]


def _write_script(config: TrainConfig, folder: Path) -> Path:
    path = folder / standalone.file_name(config)
    path.write_text(standalone.build_script(config), encoding="utf-8")
    return path


def _run_script(config: TrainConfig, folder: Path) -> subprocess.CompletedProcess[str]:
    # Isolated: the script must not find this project.
    command = [sys.executable, "-I", str(_write_script(config, folder)), str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


# Runs each script, whose path and folder are given, as a program of its own; what it prints goes
# into a file beside it.
_RUN_EACH = """
import contextlib, pathlib, runpy, sys
for script, folder in zip(sys.argv[1::2], sys.argv[2::2]):
    sys.argv[1:] = [folder]
    with open(script + ".out", "w") as out, contextlib.redirect_stdout(out):
        runpy.run_path(script, run_name="__main__")
"""


def _run_scripts(configs: list[TrainConfig], folders: list[Path]) -> list[str]:
    """What each config's script prints: in one process, since most of the time is torch's start."""
    scripts = [_write_script(*pair) for pair in zip(configs, folders, strict=True)]
    pairs = [str(path) for pair in zip(scripts, folders, strict=True) for path in pair]
    command = [sys.executable, "-I", "-c", _RUN_EACH, *pairs]
    done = subprocess.run(command, cwd=folders[0], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [Path(f"{script}.out").read_text() for script in scripts]


def _repeat(config: TrainConfig, folder: Path) -> list[tuple[float, float]]:
    done = _run_script(config, folder)
    assert done.returncode == 0, done.stderr
    return _losses(done.stdout)


@pytest.mark.parametrize("dataset", ["digits", "mnist"])
def test_the_script_without_its_images_says_what_is_missing(dataset, tmp_path):
    done = _run_script(replace(TINY, dataset=dataset), tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "The images are not there" in done.stderr
    assert str(tmp_path) in done.stderr


REPEATED = [
    {"likelihood": "bernoulli", "binarise": "resampled"},
    {"likelihood": "continuous-bernoulli", "beta": 2.0},
    {"likelihood": "gaussian-learned", "optimizer": "momentum", "learning_rate": 1e-5},
    {"likelihood": "gaussian-optimal", "architecture": "linear", "binarise": "static"},
    {"likelihood": "gaussian-per-pixel", "architecture": "linear"},
    {"likelihood": "laplace"},
    {"likelihood": "laplace-learned"},
    {"likelihood": "student-t"},
    {"likelihood": "discretised-logistic"},
    {"likelihood": "categorical"},
]


def test_the_script_finds_the_losses_of_the_run(tiny_images, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "load_images", lambda _: tiny_images)
    configs = [replace(TINY, **changes) for changes in REPEATED]
    folders = [tmp_path / config.likelihood for config in configs]
    for config, folder in zip(configs, folders, strict=True):
        _write_idx(folder, tiny_images)
        if standalone.needs_images(config):
            (folder / standalone.images_name(config)).write_bytes(files.images_npz(config))
    for config, printed in zip(configs, _run_scripts(configs, folders), strict=True):
        epochs = [event for event in train(config, tiny_images) if isinstance(event, EpochEvent)]
        expected = [(event.train_loss, event.test_loss) for event in epochs]
        assert len(expected) == 2
        for mine, theirs in zip(_losses(printed), expected, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-6), config.likelihood


def test_the_script_reads_the_built_in_digits_as_they_are_exported(
    tiny_images, tmp_path, monkeypatch
):
    config = replace(TINY, dataset="digits", likelihood="gaussian", epochs=1, sampling=False)
    monkeypatch.setattr(files, "load_images", lambda _: tiny_images)
    (tmp_path / standalone.images_name(config)).write_bytes(files.images_npz(config))
    [epoch] = [event for event in train(config, tiny_images) if isinstance(event, EpochEvent)]
    [found] = _repeat(config, tmp_path)
    assert found == pytest.approx((epoch.train_loss, epoch.test_loss), rel=1e-6)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_script_is_python_with_the_settings_inside(likelihood):
    config = replace(TINY, likelihood=likelihood, binarise="static")
    source = standalone.build_script(config)
    compile(source, "script.py", "exec")
    assert f"'likelihood': '{likelihood}'" in source
    assert "NAME" not in source
    assert "import vae" not in source
