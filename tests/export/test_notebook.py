"""The exported notebook: valid, with the script's losses; and the exercise that compares ten."""

import base64
import json
import re
from dataclasses import replace

import nbformat
import numpy as np
import pytest

from vae.config import LIKELIHOODS, TrainConfig
from vae.engine.training import train
from vae.export import files, notebook, standalone
from vae.images.sets import ImageData
from vae.wire.events import EpochEvent

TINY = TrainConfig(
    dataset="digits", latent_dim=2, hidden_dim=8, epochs=1, batch_size=8, device="cpu", seed=3
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with 96 images for the notebook, in which it runs."""
    generator = np.random.default_rng(2)
    train_images, test_images = (
        generator.integers(0, 256, (count, 28, 28), dtype=np.uint8) for count in (96, 16)
    )
    data = ImageData(
        "digits",
        train_images,
        np.zeros(96, np.uint8),
        test_images,
        np.zeros(16, np.uint8),
        tuple("0123456789"),
    )
    monkeypatch.setattr(files, "load_images", lambda _: data)
    monkeypatch.chdir(tmp_path)
    (tmp_path / standalone.images_name(TINY)).write_bytes(files.images_npz(TINY))
    return data


def code_of(text: str) -> list[str]:
    read = nbformat.reads(text, as_version=4)
    nbformat.validate(read)
    return [cell.source for cell in read.cells if cell.cell_type == "code"]


def run(cells: list[str]) -> dict:
    """Run the cells as a kernel does: one after another, in one namespace."""
    names: dict = {"__name__": "__main__"}
    for cell in cells:
        exec(compile(cell, "cell", "exec"), names)
    return names


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-learned", "continuous-bernoulli"])
def test_the_notebook_finds_the_losses_of_the_run(folder, likelihood, capsys):
    config = replace(TINY, likelihood=likelihood)
    [epoch] = [event for event in train(config, folder) if isinstance(event, EpochEvent)]
    run(code_of(notebook.build_notebook(config)))
    words = capsys.readouterr().out.split()
    assert float(words[3]) == pytest.approx(epoch.train_loss, rel=1e-6)
    assert float(words[5]) == pytest.approx(epoch.test_loss, rel=1e-6)


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian-learned"])
def test_the_exercise_is_blank_and_compares_what_is_written(folder, likelihood, capsys):
    del folder
    config = replace(TINY, likelihood=likelihood)
    cells = code_of(notebook.build_exercise(config))
    blank = next(cell for cell in cells if "class Loss" in cell)
    assert blank.count("raise NotImplementedError") == 2
    with pytest.raises(NotImplementedError, match="Minus log p"):
        run(cells)
    # The right lines in their place, then wrong ones.
    packed = re.search(r'ANSWER = "([^"]+)"', cells[-1])
    answer = base64.b64decode(packed[1]).decode()
    right = [answer if cell is blank else cell for cell in cells]
    run(right)
    assert "The first losses agree." in capsys.readouterr().out
    worse = answer.replace("0.5 * (mean", "0.7 * (mean")
    run([worse if cell is answer else cell for cell in right])
    out = capsys.readouterr().out
    assert "differs" in out
    assert out.count("step ") == notebook.FIRST


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_loss_has_a_notebook_and_an_exercise_of_valid_form(likelihood):
    config = replace(TINY, likelihood=likelihood)
    for text in (notebook.build_notebook(config), notebook.build_exercise(config)):
        cells = code_of(text)
        for cell in cells:
            compile(cell, "cell", "exec")
        ids = [cell["id"] for cell in json.loads(text)["cells"]]
        assert len(set(ids)) == len(ids)
    whole = "\n".join(code_of(notebook.build_notebook(config)))
    # Nothing of the script is lost but its own start.
    script, own_start = standalone.build_script(config).split("\nif __name__")
    assert "main(" in own_start
    for line in script.split("SETTINGS = ")[1].splitlines():
        if line.strip():
            assert line.strip() in whole


def test_names_say_what_is_trained():
    assert notebook.notebook_name(TINY) == "vae_digits_bernoulli_seed3.ipynb"
    assert notebook.notebook_name(TINY, exercise=True).endswith("_exercise.ipynb")
