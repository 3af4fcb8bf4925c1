"""Downloads arrive whole or leave nothing, told by a server on this machine."""

import gzip
import hashlib
import http.server
import os
import socket
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from vae.images import downloads, sets
from vae.images.sets import DataUnavailable

NAMES = [f"{s}-{k}-ubyte" for s in ("train", "t10k") for k in ("images-idx3", "labels-idx1")]


def pack(name: str, first: int) -> bytes:
    """A compressed IDX file of the right shape, whose first value is ``first``."""
    count = 60_000 if name.startswith("train") else 10_000
    shape = (count, 28, 28) if "images" in name else (count,)
    array = np.zeros(shape, np.uint8)
    array.flat[0] = first
    header = b"\x00\x00\x08" + bytes([len(shape)]) + b"".join(n.to_bytes(4, "big") for n in shape)
    return gzip.compress(header + array.tobytes(), 1)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {f"/{name}.gz": pack(name, index + 1) for index, name in enumerate(NAMES)}


@pytest.fixture(scope="module")
def server(files):
    """Serves ``files``; ``/cut/`` breaks off in the middle, ``/other/`` sends something else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            _, _, tail = self.path.rpartition("/")
            content = files.get(f"/{tail}")
            if content is None or self.path.startswith("/none/"):
                self.send_error(404)
                return
            if self.path.startswith("/other/"):
                content = b"<html>please sign in</html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if "/cut/" in self.path else content)

        def log_message(self, *parts):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def mirrors(monkeypatch, files, server):
    """Sets the folders of the server that stand for torchvision's mirrors."""

    def use(*folders: str) -> None:
        source = SimpleNamespace(
            mirrors=[f"{server}/{folder}/" for folder in folders],
            resources=[(path[1:], hashlib.md5(body).hexdigest()) for path, body in files.items()],
        )
        monkeypatch.setattr(downloads, "_source", lambda _name: source)

    return use


def test_a_download_is_where_torchvision_would_put_it_and_nothing_else(mirrors, tmp_path):
    mirrors("whole")
    told = []
    downloads.download("mnist", tmp_path, told.append)
    found = sets.load_images("mnist", tmp_path)
    assert [part.flat[0] for part in (found.train, found.train_labels)] == [1, 2]
    assert [part.flat[0] for part in (found.test, found.test_labels)] == [3, 4]
    assert sorted(path.name for path in (tmp_path / "MNIST" / "raw").iterdir()) == sorted(NAMES)
    assert [path.name for path in tmp_path.iterdir()] == ["MNIST"]
    assert told == sorted(told)
    assert told[-1] == 1


def test_a_set_that_is_there_is_not_fetched_again(mirrors, tmp_path):
    mirrors("whole")
    downloads.download("mnist", tmp_path)
    mirrors("none")
    downloads.download("mnist", tmp_path)


def test_the_next_mirror_is_tried(mirrors, tmp_path):
    mirrors("none", "cut", "whole")
    downloads.download("fashion", tmp_path)
    assert sets.is_available("fashion", tmp_path)


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("none", "Not Found"),
        ("cut", "incomplete or not the file"),
        ("other", "27 bytes arrived that are incomplete or not the file"),
    ],
)
def test_a_failed_download_says_why_and_leaves_nothing(mirrors, tmp_path, folder, reason):
    mirrors(folder)
    with pytest.raises(DataUnavailable) as caught:
        downloads.download("mnist", tmp_path)
    words = str(caught.value)
    assert "MNIST could not be downloaded: train-images-idx3-ubyte.gz" in words
    assert reason in words
    assert "built-in digits need no download" in words
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_a_clear_message(monkeypatch, tmp_path):
    source = SimpleNamespace(
        # Port 9 of this machine: nobody listens.
        mirrors=["http://127.0.0.1:9/"],
        resources=[("train-images-idx3-ubyte.gz", "0" * 32)],
    )
    monkeypatch.setattr(downloads, "_source", lambda _name: source)
    with pytest.raises(DataUnavailable, match=r"refused.*Check the network and try again"):
        downloads.download("mnist", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_is_given_up(monkeypatch, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = SimpleNamespace(
            mirrors=[f"http://127.0.0.1:{silent.getsockname()[1]}/"],
            resources=[("train-images-idx3-ubyte.gz", "0" * 32)],
        )
        monkeypatch.setattr(downloads, "_source", lambda _name: source)
        monkeypatch.setattr(downloads, "_TIMEOUT_SECONDS", 0.2)
        with pytest.raises(DataUnavailable, match="timed out"):
            downloads.download("mnist", tmp_path)


def test_what_the_callback_raises_ends_the_download_and_leaves_nothing(mirrors, tmp_path):
    mirrors("whole")

    class Stop(Exception):
        pass

    def stop(_fraction):
        raise Stop

    with pytest.raises(Stop):
        downloads.download("mnist", tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(mirrors, tmp_path):
    mirrors("whole")
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(DataUnavailable, match=r"cannot be kept in .*file.*VAE_DATA_DIR"):
        downloads.download("mnist", blocked / "data")


def test_what_a_killed_download_left_is_swept_but_not_one_at_work(mirrors, tmp_path):
    mirrors("whole")
    old, fresh = tmp_path / ".mnist-old", tmp_path / ".mnist-fresh"
    for folder in (old, fresh):
        folder.mkdir()
        (folder / "part").write_bytes(b"x")
    day_ago = time.time() - 86_400
    os.utime(old, (day_ago, day_ago))
    downloads.download("mnist", tmp_path)
    assert not old.exists()
    assert fresh.exists()


def test_only_the_two_sets_are_fetched(tmp_path):
    with pytest.raises(ValueError, match="dataset: 'digits' given; allowed is one of mnist, fash"):
        downloads.download("digits", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_torchvision_knows_addresses_and_checksums(name):
    pytest.importorskip("torchvision")
    source = downloads._source(name)
    assert [file for file, _ in source.resources] == [f"{file}.gz" for file in NAMES]
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in source.mirrors)
    assert all(len(md5) == 32 for _, md5 in source.resources)


def test_a_torchvision_that_does_not_import_is_explained(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(DataUnavailable, match=r"torchvision.*requirements\.txt.*MNIST/raw"):
        downloads.download("mnist", tmp_path)
    assert list(tmp_path.iterdir()) == []
