"""Hostile texts: each is answered with a sentence; nothing is executed, opened or imported."""

import importlib.util
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from appserver import ROOT, environment

from vae import your_loss
from vae.your_loss import arrays
from vae.your_loss.reading import FAMILIES

spec = importlib.util.spec_from_file_location("fuzzing", Path(__file__).parent / "fuzzing.py")
assert spec is not None
assert spec.loader is not None
fuzzing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fuzzing)

COUNT = 240
MEGABYTES = 200
BY_HAND = {
    "nothing": "",
    "spaces": " \n\t\n",
    "null": "def f(x): return x\0",
    "a megabyte": "x = 1\n" * 170_000,
    "one long line": "x = " + "1 + " * 40_000 + "1",
    "brackets": "loss = " + "(" * 5_000 + "x" + ")" * 5_000,
    "signs": "loss = " + "-" * 50_000 + "x",
    "nots": "loss = " + "not " * 20_000 + "x",
    "lambdas": "loss = " + "lambda: " * 5_000 + "x",
    "attributes": "loss = x" + ".a" * 20_000,
    "indents": "\n".join(" " * i + "if x:" for i in range(900)),
    "a huge power": "def loss(x, y, mu, logvar):\n    return 9 ** 9 ** 9 ** 9 * (x - y).sum()",
    "a huge number": "loss = " + "9" * 20_000,
    "a huge shape": "loss = torch.zeros(10 ** 9, 10 ** 9, 10 ** 9).sum() + mu.sum()",
    "a huge range": "for i in range(10 ** 18):\n    loss = mu.sum()",
    "an endless loop": "while True:\n    loss = (x - y).sum()",
    "endless calls": "def loss(x, y, mu, logvar):\n    return loss(x, y, mu, logvar)\n",
    "two that call each other": "def a(x): return b(x)\ndef b(x): return a(x)\nloss = a(mu)",
    "doubling": "def loss(x, y, mu, logvar):\n"
    + "    x = torch.cat([x, x])\n" * 60
    + "    return x",
    "repeats": "def loss(x, y, mu, logvar):\n" + "    x = x.repeat(9, 9)\n" * 60 + "    return x",
    "import": "import os\nos.system('true')\nloss = ((x - y) ** 2).sum()",
    "dunder": "loss = ().__class__.__bases__[0].__subclasses__()",
    "open": "loss = open('/etc/passwd').read()",
    "builtins": "loss = __builtins__['ev' + 'al']('1')",
    "format": "loss = '{:>99999999999}'.format(1) + f'{x:>99999999999}'",
    "decorator": "@__import__('os').system\ndef loss(x): return x",
    "default": "def loss(x, y=open('/etc/passwd').read()): return x - y",
    "unicode": "lоss = ((х - у) ** 2).sum()",
    "surrogate": "loss = '\ud800'",
    "not Python": "SELECT * FROM losses;",
    "a match": "match x:\n    case {'a': b}: loss = b",
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_hostile_text_is_answered_with_a_sentence(name: str) -> None:
    found = your_loss.read(BY_HAND[name])
    assert found.family in FAMILIES
    assert found.verdict.endswith(".")
    assert found.sigma2 is None


def test_texts_of_a_fuzzer_are_answered_within_the_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for text in fuzzing.hostile(3, COUNT):
        found = your_loss.read(text)
        assert found.family in FAMILIES
        assert found.verdict
        assert found.read or found.message.endswith(".")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert (after - before) / 1024 < MEGABYTES


_WATCHED = """
import sys
import unicodedata  # Python's own parser wants it for names that are not ASCII.
sys.path.insert(0, {folder!r})
from fuzzing import hostile
from vae.your_loss import read
texts = list(hostile(11, 150)) + ["import os; os.system('true')", "open('/etc/passwd')"]
read("def loss(x, y, mu, logvar): return ((x - y) ** 2).sum()")
BAD = ("os.system", "os.exec", "os.spawn", "os.posix_spawn", "subprocess", "socket", "shutil",
       "import", "exec", "os.remove", "os.rename", "os.mkdir", "open")
def watch(event, arguments):
    if event.startswith(BAD):
        raise SystemExit(f"{{event}} {{arguments!r}}"[:300])
sys.addaudithook(watch)
for text in texts:
    read(text)
print("nothing happened")
"""


def test_nothing_is_executed_imported_read_or_written(tmp_path: Path) -> None:
    script = textwrap.dedent(_WATCHED).format(folder=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.stdout.strip() == "nothing happened", done.stderr[-2000:]


LONG = """
def loss(x, y, mu, logvar):
    total = 0.0
    for i in range({rounds}):
        for j in range(100):
            total = total + 0.0 * i * j
    kl = -0.5 * torch.sum(1 + logvar - mu**2 - torch.exp(logvar))
    return F.mse_loss(y, x, reduction="sum") + kl + total
"""


@pytest.mark.parametrize("speed", [0.0, 1.0, 4.0])
def test_the_answer_is_the_same_on_a_machine_of_any_speed(
    monkeypatch: pytest.MonkeyPatch, speed: float
) -> None:
    """What a reading may take is counted: a clock that runs otherwise changes nothing."""
    clock = arrays.thread_time
    monkeypatch.setattr(arrays, "thread_time", lambda: speed * clock())
    short, endless = (your_loss.read(LONG.format(rounds=rounds)) for rounds in (20, 500))
    assert short.sigma2 == pytest.approx(0.5)
    assert not endless.read
    assert "too many steps" in endless.message


def test_a_clock_is_the_last_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the count is far wrong, a text is still answered."""
    hours = iter(range(10**9))
    monkeypatch.setattr(arrays, "thread_time", lambda: 3600.0 * next(hours))
    found = your_loss.read(LONG.format(rounds=20))
    assert not found.read
    assert "takes too" in found.message
