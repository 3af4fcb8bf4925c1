"""What pages hand to the drawing, and the files it fetches: names for good, sentences when gone."""

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import asgi
import pytest
from page_runs import open_app, sent_to
from run_samples import run
from starlette.routing import Router

from vae.errors import CheckpointError
from vae.shipped import cards
from vae.web import weights
from vae.web.routes import asset_routes, assets, assets_digest


def drawings(page: str, **query: str) -> list[dict[str, Any]]:
    """The data of each drawing on the page ``page``."""
    return sent_to(open_app(page, **query), "vae.drawing")


def test_train_has_the_shipped_networks_of_its_data_set_before_a_run():
    (data,) = drawings("train")
    assert data["weights"].startswith("drawing/weights/digits.")
    assert data["extra"]["weights"].startswith("drawing/weights/map-digits.")
    assert data["names"] == list("0123456789")
    assert not data["small"]


def test_the_overview_has_the_small_one():
    (data,) = drawings("overview")
    assert data["small"]
    assert data["extra"] is None


@pytest.mark.parametrize("page", ["train", "overview"])
def test_a_lessons_link_leaves_it_out(page):
    assert drawings(page, hide="drawing") == []


def test_without_shipped_networks_the_targets_stand_in_its_place(monkeypatch, tmp_path):
    monkeypatch.setattr(cards, "CHECKPOINTS", tmp_path)
    assert weights.shipped_file("digits") is None
    assert drawings("train") == []


def test_a_name_is_that_of_its_content_and_stays():
    names = {
        (file := weights.shipped_file(dataset, two_latents=two)) and file.name
        for dataset in ("digits", "mnist", "fashion")
        for two in (False, True)
    }
    assert len(names) == 6
    assert None not in names
    assert weights.shipped_file("digits") == weights.shipped_file("digits")
    assert weights.shipped_file("images") is None


def test_what_a_name_stands_for_is_read_once_and_is_a_binary_of_networks():
    file = weights.shipped_file("digits", two_latents=True)
    assert file is not None
    content = weights.read_weights(file.name)
    assert gzip.decompress(content)[:4] == b"VAEW"
    assert weights.read_weights(file.name) is content


@pytest.mark.parametrize(
    "name", ["", "digits", "digits.000000000000.bin", "nothing.x.bin", "map-.x.bin", "run-.x.bin"]
)
def test_other_names_are_refused_in_a_sentence(name):
    with pytest.raises(CheckpointError, match=r"\.$"):
        weights.read_weights(name)


def test_copying_the_files_changes_no_name_and_their_content_does(monkeypatch, tmp_path):
    before = weights.shipped_file("digits")
    shutil.copytree(cards.CHECKPOINTS, tmp_path / "copy")
    monkeypatch.setattr(cards, "CHECKPOINTS", tmp_path / "copy")
    assert weights.shipped_file("digits") == before
    path = tmp_path / "copy" / "digits-bernoulli.pt"
    path.write_bytes(path.read_bytes() + b"more")
    assert weights.shipped_file("digits") != before


def test_a_run_without_its_files_has_no_networks():
    assert weights.run_file(run()) is None
    assert weights.run_file(run(checkpoints=("/nowhere/member-1.pt",))) is None


def ask(path: str, base: str = "") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body that the routes answer with."""
    return asgi.ask(Router(routes=asset_routes(base)), path)


@pytest.mark.parametrize("base", ["", "lessons/vae"])
def test_modules_are_kept_for_good_under_the_digest_of_what_they_are(base):
    start = f"/{base}/drawing" if base else "/drawing"
    for name, content in assets().items():
        status, headers, body = ask(f"{start}/{assets_digest()}/{name}", base)
        assert (status, body) == (200, content)
        assert "immutable" in headers["cache-control"]
        kind = "text/javascript" if Path(name).suffix == ".js" else "text/css"
        assert headers["content-type"].startswith(kind)
    status, headers, _ = ask(f"{start}/0000/main.js", base)
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert ask(f"{start}/{assets_digest()}/secret.py", base)[0] == 404


def test_networks_travel_compressed_and_are_kept_for_good():
    file = weights.shipped_file("digits")
    assert file is not None
    status, headers, body = ask(f"/drawing/weights/{file.name}")
    assert status == 200
    assert "immutable" in headers["cache-control"]
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 1_500_000
    status, headers, body = ask("/drawing/weights/run-that-is-gone.0.bin")
    assert (status, headers["cache-control"]) == (404, "no-store")
    assert json.loads(body)["message"].endswith(".")
