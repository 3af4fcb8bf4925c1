"""What a page says of a failure names no folder of the server, and the log has the whole of it."""

import asyncio
import re
import signal
from pathlib import Path

import psutil
import pytest
from appserver import Server, serve
from benchmarks.client import Session

from vae.errors import DataUnavailable, file_away, for_page
from vae.images.sets import load_images

SENTENCES = {
    "/root/.cache/vae-loss/MNIST/raw/a.gz cannot be read: truncated.": "a.gz cannot be read",
    "MNIST cannot be kept in /srv/data (No space left). Choose": "kept in data (No space left)",
    "'/srv/my.pt': not a checkpoint": "'my.pt': not a checkpoint",
    r"C:\Users\ada\a.pt: damaged": "a.pt: damaged",
    f"{Path.home()}/own pictures/b.npz: empty": "pictures/b.npz: empty",
}
PLAIN = [
    "",
    "The images did not arrive within 30 s at 200 images/s.",
    "scale: 0 given; allowed is 0.01 to 20",
    "get it from https://example.org/a/b.gz and/or try again",
    "1/(2σ²) of /2",
]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_keeps_the_file_and_leaves_its_folder_to_the_log(sentence, caplog):
    shown = for_page(sentence)
    assert SENTENCES[sentence] in shown
    assert not re.search(r"/root|/srv|Users|cache", shown)
    [number] = re.findall(r"Number ([0-9A-F]{6}) in the server's log", shown)
    assert f"Number {number}:\n{sentence}" in caplog.text


@pytest.mark.parametrize("sentence", PLAIN)
def test_a_sentence_without_a_folder_stays_as_it_is(sentence, caplog):
    assert for_page(sentence) == sentence
    assert not caplog.records


def test_every_number_is_new():
    assert len({file_away("a test", "") for _ in range(50)}) == 50


def test_what_the_engine_says_of_a_missing_set_names_no_folder(tmp_path):
    with pytest.raises(DataUnavailable) as caught:
        load_images("mnist", data_dir=tmp_path / "no such folder")
    assert str(tmp_path) in str(caught.value)
    assert str(tmp_path.parent) not in for_page(str(caught.value))


def test_a_dead_worker_is_a_sentence_on_the_page_and_a_number_in_the_log(tmp_path):
    async def train_and_kill(server: Server) -> str:
        session = await Session(server.url, "train?epochs=200").open()
        await session.press("Train")
        for _ in range(600):
            if "Training: step" in session.texts():
                break
            await asyncio.sleep(0.1)
        [worker] = [p for p in server.processes() if "vae.worker" in " ".join(p.cmdline())]
        # It dies as a fault in it would make it: with a traceback.
        psutil.Process(worker.pid).send_signal(signal.SIGABRT)
        for _ in range(300):
            if "ended unexpectedly" in session.texts():
                break
            await asyncio.sleep(0.1)
        texts = session.texts()
        await session.close()
        return texts

    # Python's own words at the end of a process: files and lines of every thread.
    with serve(tmp_path, extra={"PYTHONFAULTHANDLER": "1"}) as server:
        texts = asyncio.run(train_and_kill(server))
        log = server.log.read_text(encoding="utf-8")
    plain = re.sub(r"\\\\?", "", texts)
    [number] = re.findall(r"Number ([0-9A-F]{6}) in the server", plain)
    assert f"Number {number}" in log
    assert 'File "' in log.partition(f"Number {number}")[2]
    for secret in ("Traceback", 'File "', ", line ", str(tmp_path), str(Path.cwd())):
        assert secret not in plain
