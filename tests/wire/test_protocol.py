"""Messages survive the wire exactly; anything else is refused with a reason."""

import io
import json
import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae.config import TrainConfig
from vae.wire import protocol
from vae.wire.events import ReconstructionEvent, StepEvent
from vae.wire.protocol import ProtocolError, Writer, parse, read

FLOATS = st.floats(allow_nan=False)
MESSAGES = st.one_of(
    st.builds(
        protocol.Start,
        job=st.text(),
        configs=st.just((TrainConfig(beta=2.5).to_dict(),)),
        folder=st.text(),
        checkpoints=st.lists(st.text(), max_size=4).map(tuple),
        download=st.booleans(),
        paused=st.booleans(),
        speed=st.none() | FLOATS.filter(math.isfinite),
        max_steps=st.integers(0),
    ),
    st.builds(protocol.Step, job=st.text(), count=st.integers()),
    st.builds(protocol.SetSpeed, job=st.text(), speed=st.none() | FLOATS.filter(math.isfinite)),
    st.builds(protocol.Saved, job=st.text(), step=st.integers(), checkpoints=st.just(("a", "b"))),
    st.builds(protocol.Ended, job=st.text(), state=st.text(), message=st.text()),
    st.builds(protocol.Shutdown),
)


def sent(*messages: protocol.Command | protocol.Report) -> bytes:
    stream = io.BytesIO()
    writer = Writer(stream)
    for message in messages:
        writer.write(message)
    return stream.getvalue()


@given(st.lists(MESSAGES, max_size=5))
def test_messages_survive_the_wire(messages: list[protocol.Command | protocol.Report]) -> None:
    assert list(read(io.BytesIO(sent(*messages)))) == messages


def test_events_survive_the_wire_exactly() -> None:
    step = StepEvent(3, 9, 1, -90.123456789012345, math.inf, math.nan, 0.1, (0.5,), None, 1e-3, 7.0)
    back = next(read(io.BytesIO(sent(protocol.Trained("job", 2, step)))))
    assert isinstance(back, protocol.Trained)
    assert isinstance(back.event, StepEvent)
    assert back.member == 2
    assert back.event.log_likelihood == step.log_likelihood
    assert back.event.kl == math.inf
    assert math.isnan(back.event.loss)

    rows = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 6), dtype=np.uint8)
    pictures = ReconstructionEvent(1, rows[0], rows[1], rows[2])
    back = next(read(io.BytesIO(sent(protocol.Trained("job", 0, pictures)))))
    assert isinstance(back, protocol.Trained)
    assert isinstance(back.event, ReconstructionEvent)
    for name in ("targets", "means", "samples"):
        np.testing.assert_array_equal(getattr(back.event, name), getattr(pictures, name))


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"Downloading: 50%\n",
        b"[1, 2]\n",
        b"null\n",
        b'{"type": "Stop"}\n',
        b'{"type": "Stop", "job": "a", "more": 1}\n',
        b'{"type": "Explode", "job": "a"}\n',
        b'{"type": "Trained", "job": "a", "member": 0, "event": {"kind": "Nothing"}}\n',
        b'{"type": "Stop", "job": "a"',
        b"\xff\xfe\n",
    ],
)
def test_anything_else_is_refused_and_shown(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="not a message"):
        parse(line)


def test_a_line_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "LONGEST_LINE", 1000)
    with pytest.raises(ProtocolError, match="more than 1000 bytes"):
        list(read(io.BytesIO(b"x" * 100_000)))


def test_threads_write_whole_lines() -> None:
    stream = io.BytesIO()
    writer = Writer(stream)
    threads = [
        threading.Thread(
            target=lambda name=name: [writer.write(protocol.Stop(name * 500)) for _ in range(200)]
        )
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 800
    assert {json.loads(line)["job"][0] for line in lines} == set("abcd")
