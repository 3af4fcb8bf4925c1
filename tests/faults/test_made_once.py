"""A file to take home is made once for a whole class, and one at a time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import run_samples
import streamlit as st
from page_runs import open_app

from vae.config import TrainConfig
from vae.export import files
from vae.runs.registry import Registry
from vae.web.train import downloads


def test_who_asks_for_the_same_file_gets_the_same_bytes():
    made = []

    def build() -> bytes:
        made.append(threading.get_ident())
        time.sleep(0.05)
        return bytes(1000)

    with ThreadPoolExecutor(12) as crowd:
        found = list(crowd.map(lambda _: downloads.make("a file of this test", build), range(36)))
    assert len(made) == 1
    assert len({id(content) for content in found}) == 1


def test_different_files_are_made_one_after_another():
    inside, most = 0, 0

    def build() -> bytes:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.01)
        inside -= 1
        return b""

    with ThreadPoolExecutor(12) as crowd:
        list(crowd.map(lambda number: downloads.make(("other", number), build), range(24)))
    assert most == 1


def test_what_cannot_be_made_is_a_sentence_and_the_log_has_the_reason(caplog):
    def build() -> bytes:
        raise FileNotFoundError(2, "No such file", "/srv/secret/model.pt")

    for key in (None, "broken"):
        with pytest.raises(RuntimeError, match="It cannot be made now") as caught:
            downloads.make(key, build)
        assert "secret" not in str(caught.value)
    assert caplog.text.count("/srv/secret/model.pt") == 2


def test_twenty_visitors_of_a_run_have_its_files_made_once(monkeypatch):
    """Images and animation, through the page itself."""
    config = TrainConfig(binarise="static", seed=1234567)
    snapshot = run_samples.run(config)
    monkeypatch.setattr(Registry, "snapshot", lambda _, __: snapshot)
    monkeypatch.setattr(Registry, "view", lambda _, __: snapshot)
    counts = {"images_npz": 0, "animation_gif": 0, "history_csv": 0}
    for name in counts:
        real = getattr(files, name)

        def counted(*arguments, name=name, real=real):
            counts[name] += 1
            return real(*arguments)

        monkeypatch.setattr(files, name, counted)
    offered = []
    monkeypatch.setattr(
        st, "download_button", lambda label, data, *_, **__: offered.append((label, data))
    )
    for _ in range(3):
        open_app("train", run=snapshot.run_id)
    presses = [data for label, data in offered if label != "Weights"] * 7
    labels = {label for label, _ in offered}
    assert {"Images for the script", "Animation (GIF)", "History (CSV)"} <= labels
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda press: press(), presses))
    assert counts == {"images_npz": 1, "animation_gif": 1, "history_csv": 1}
