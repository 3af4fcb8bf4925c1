"""Thousands of damaged and hostile files, read as the app reads them: each is taken or refused.

``python -m tests.benchmarks.fuzz [--count 10000] [--seed 1]`` makes that many checkpoints,
manifests of runs, ``.npz`` files and pictures, each from a good one and its number under the seed,
and reads them in a child process; what is taken is used, too: a model decodes, a run goes on. It
prints what became of them, and ends with an error if one crashed the process, raised what is not
ours, took more than 5 s of a processor or 500 MB. ``--only NUMBER`` runs one case in the open.
"""

import argparse
import contextlib
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import psutil
import torch

from tests.appserver import ROOT
from tests.benchmarks.mutations import DATA, KINDS, RUN_ID, Samples, make_samples, mutate
from vae.engine import checkpoints
from vae.errors import CheckpointError, DataUnavailable
from vae.images import own
from vae.runs.folders import RunFolders

CPU_SECONDS = 5.0
MEGABYTES = 500.0
# Other programs may have the processor; nobody has it for so long.
_PATIENCE_SECONDS = 120.0
_MOST_PROBLEMS = 50


@dataclass
class Tally:
    """What became of the cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    slowest: float = 0.0
    largest: float = 0.0

    def take(self, number: int, report: dict[str, object]) -> None:
        kind, outcome = str(report["kind"]), str(report["outcome"])
        seconds, megabytes = float(str(report["seconds"])), float(str(report["megabytes"]))
        self.slowest, self.largest = max(self.slowest, seconds), max(self.largest, megabytes)
        if outcome not in ("taken", "refused"):
            self.add(number, kind, outcome)
            return
        self.outcomes[f"{kind} {outcome}"] += 1
        if seconds > CPU_SECONDS:
            self.add(number, kind, f"{seconds:.1f} s of a processor")
        if megabytes > MEGABYTES:
            self.add(number, kind, f"{megabytes:.0f} MB")

    def add(self, number: int, kind: str, problem: str) -> None:
        self.outcomes[f"{kind} failed"] += 1
        self.problems.append(f"case {number} ({kind}): {problem}")


def run(count: int, seed: int) -> Tally:
    """Read all cases in child processes, a new one wherever one died; ``Tally`` of the whole."""
    tally, first = Tally(), 0
    while first < count and len(tally.problems) < _MOST_PROBLEMS:
        first = _run_child(first, count, seed, tally)
    return tally


def _run_child(first: int, count: int, seed: int, tally: Tally) -> int:
    """Cases from ``first`` until the child ends; returns the number of the next case."""
    command = [sys.executable, "-m", "tests.benchmarks.fuzz", "--child", str(first)]
    command += ["--count", str(count), "--seed", str(seed)]
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors)
        assert child.stdout is not None
        lines: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=_pass_on, args=(child.stdout, lines), daemon=True).start()
        try:
            while True:
                line = lines.get(timeout=_PATIENCE_SECONDS)
                if not line:
                    break
                tally.take(first, json.loads(line))
                first += 1
        except queue.Empty:
            tally.add(first, KINDS[first % len(KINDS)], f"no answer in {_PATIENCE_SECONDS:g} s")
            first += 1
        finally:
            silent = child.poll() is None
            child.kill()
            code = child.wait()
        if first < count and not silent and code:
            errors.seek(0)
            words = errors.read()[-500:].decode("utf-8", "replace").strip().splitlines()
            kind = KINDS[first % len(KINDS)]
            tally.add(first, kind, f"exit code {code}: {words[-1] if words else ''}")
            first += 1
    return first


def _pass_on(stream: IO[bytes], lines: "queue.Queue[bytes]") -> None:
    for line in stream:
        lines.put(line)
    lines.put(b"")


def run_cases(
    first: int, count: int, seed: int, report: Callable[[dict[str, object]], None]
) -> None:
    """Make and read the cases from ``first`` to ``count`` in this process."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as place:
        samples = make_samples(Path(place))
        # What is used for the first time is not a case's own.
        for kind in KINDS:
            suffix, content = samples[kind][0]
            assert _outcome(kind, suffix, content, Path(place)) == "taken", kind
        for number in range(first, count):
            report(_run_case(number, seed, samples, Path(place)))


def _run_case(number: int, seed: int, samples: Samples, place: Path) -> dict[str, object]:
    kind = KINDS[number % len(KINDS)]
    suffix, content = mutate(kind, samples, random.Random(f"{seed} {number}"))
    _forget_peak()
    before, began = _resident(), time.process_time()
    outcome = _outcome(kind, suffix, content, place)
    seconds = time.process_time() - began
    megabytes = (_peak() - before) / 2**20
    return {"kind": kind, "outcome": outcome, "seconds": seconds, "megabytes": megabytes}


def _outcome(kind: str, suffix: str, content: bytes, place: Path) -> str:
    """'taken', 'refused', or what went wrong."""
    try:
        return "taken" if _READERS[kind](place, suffix, content) else "refused"
    except (CheckpointError, DataUnavailable) as error:
        sentence = str(error)
        return "refused" if 0 < len(sentence) < 1000 else f"a message of {len(sentence)} characters"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"


def _read_checkpoint(place: Path, suffix: str, content: bytes) -> bool:
    path = place / f"case.{suffix}"
    path.write_bytes(content)
    checkpoint = checkpoints.load(path)
    model = checkpoint.build_model()
    with torch.inference_mode():
        model.decode(torch.zeros(2, checkpoint.config.latent_dim))
    if checkpoint.training is None:
        checkpoint.start_trainer(checkpoint.config, DATA).step()
        return True
    trainer = checkpoint.build_trainer(DATA)
    for _ in range(3):
        trainer.step()
    trainer.reconstruct()
    checkpoints.save(path, trainer)
    return True


def _read_manifest(place: Path, suffix: str, content: bytes) -> bool:
    del suffix
    folders = RunFolders(place / "runs")
    run, other = folders.create(RUN_ID), folders.home / "Documents"
    other.mkdir(exist_ok=True)
    for member in range(4):
        (run / f"member-{member + 1}.pt").write_bytes(b"weights")
    (other / "run.json").write_bytes(b"{}")
    (run / "run.json").write_bytes(content)
    found = folders.read(RUN_ID)
    everything = list(folders.all())
    if found is not None:
        assert everything == [found]
        assert all(Path(path).parent == run for path in found.checkpoints), "outside its folder"
        json.dumps([config.to_dict() for config in found.configs])
    folders.prune(keep=0, megabytes=0, in_use=set())
    assert (other / "run.json").exists(), "somebody's folder is gone"
    return found is not None


def _read_npz(place: Path, suffix: str, content: bytes) -> bool:
    path = place / f"case.{suffix}"
    path.write_bytes(content)
    _check_images(*own.read(path))
    return True


def _read_picture(place: Path, suffix: str, content: bytes) -> bool:
    folder = place / "pictures"
    folder.mkdir(exist_ok=True)
    for name in ("a", "b"):
        (folder / f"{name}.{suffix}").write_bytes(content)
    try:
        _check_images(*own.read(folder))
    finally:
        for path in folder.iterdir():
            path.unlink()
    return True


def _check_images(
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    test_labels: np.ndarray,
    names: tuple[str, ...],
) -> None:
    assert train.dtype == test.dtype == train_labels.dtype == test_labels.dtype == np.uint8
    assert train.ndim == 3
    assert train.shape[1:] == test.shape[1:]
    assert len(train) == len(train_labels) > 0
    assert len(test) == len(test_labels) > 0
    assert max(train_labels.max(), test_labels.max()) < len(names)


_READERS: dict[str, Callable[[Path, str, bytes], bool]] = {
    "checkpoint": _read_checkpoint,
    "manifest": _read_manifest,
    "npz": _read_npz,
    "picture": _read_picture,
}


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _forget_peak() -> None:
    """Let the kernel count this process's largest size anew (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The largest size since then, in bytes; where it is not told, the size now."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return _resident()


def _tell(report: dict[str, object]) -> None:
    print(json.dumps(report), flush=True)


def describe(tally: Tally, count: int, seed: int) -> str:
    """The result in lines."""
    lines = [f"{count} files, seed {seed}"]
    for kind in KINDS:
        words = [
            f"{tally.outcomes[f'{kind} {name}']} {name}" for name in ("taken", "refused", "failed")
        ]
        lines.append(f"{kind}: {', '.join(words)}")
    lines.append(f"slowest {tally.slowest:.2f} s of a processor, largest {tally.largest:.0f} MB")
    return "\n".join([*lines, *tally.problems])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the number of one case, read in this process")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        run_cases(
            options.child,
            options.count,
            options.seed,
            lambda told: print(json.dumps(told), flush=True),
        )
        return
    if options.only is not None:
        run_cases(options.only, options.only + 1, options.seed, print)
        return
    tally = run(options.count, options.seed)
    print(describe(tally, options.count, options.seed))
    raise SystemExit(bool(tally.problems))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
