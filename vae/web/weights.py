"""The networks that a browser draws on: which they are, under which name, and their bytes.

A name carries a digest of what it names, so that a browser keeps the file for good. Bytes are made
once for all who ask, from the shipped weights or from a run's last checkpoint.
"""

import gzip
import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vae.charts.train.styles import member_styles
from vae.config import DATASETS
from vae.errors import CheckpointError, DataUnavailable
from vae.export import weights
from vae.images.sets import DIGIT_NAMES, FASHION_NAMES, is_available, load_sample
from vae.lessons import questions
from vae.memo import shared
from vae.runs.registry import get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import load_cards

FOUR = ("gaussian", "gaussian-optimal", "bernoulli", "continuous-bernoulli")
_GONE = (
    "The run of this address is over and its weights are no longer here. Train a run of your own, "
    "or ask for a newer link."
)


@dataclass(frozen=True)
class WeightsFile:
    """``group`` is a data set, 'map-' and a data set, or 'run-' and a run's id."""

    group: str
    digest: str

    @property
    def name(self) -> str:
        return f"{self.group}.{self.digest}.bin"


def shipped_file(dataset: str, *, two_latents: bool = False) -> WeightsFile | None:
    """The shipped networks of a data set, or its one of two latents; None where none are."""
    paths = _shipped_paths(dataset, two_latents)
    if not paths:
        return None
    group = f"map-{dataset}" if two_latents else dataset
    return WeightsFile(group, _digest(paths, is_available(dataset)))


def run_file(snapshot: RunSnapshot) -> WeightsFile | None:
    """The networks of a run as it was last saved; None while nothing is."""
    paths = [Path(path) for path in snapshot.checkpoints]
    if len(paths) != len(snapshot.members) or not all(path.is_file() for path in paths):
        return None
    return WeightsFile(f"run-{snapshot.run_id}", _digest(paths, True))


def read_weights(name: str) -> bytes:
    """The bytes behind a file's name, compressed with gzip.

    Raises:
        CheckpointError: a name that is none, a run that is over or unknown, a damaged file. The
            message is for a learner.
    """
    group, _, rest = name.partition(".")
    digest = rest.removesuffix(".bin")
    if group.startswith("run-"):
        snapshot = get_registry().snapshot(group.removeprefix("run-"))
        file = run_file(snapshot) if snapshot else None
        if snapshot is None or file is None:
            raise CheckpointError(_GONE)
        _check(file, digest)
        return _pack_run(tuple(map(Path, snapshot.checkpoints)), digest)
    dataset = group.removeprefix("map-")
    file = shipped_file(dataset, two_latents=dataset != group) if dataset in DATASETS else None
    if file is None:
        raise CheckpointError(f"There are no networks of the name {name[:60]!r}. Reload the page.")
    _check(file, digest)
    return _pack_shipped(tuple(_shipped_paths(dataset, dataset != group)), file.digest)


def _check(file: WeightsFile, digest: str) -> None:
    # A name is for good, so it must never come to mean anything else.
    if file.digest != digest:
        raise CheckpointError("These networks have learned more since. Reload the page.")


def _shipped_paths(dataset: str, two_latents: bool) -> list[Path]:
    names = [f"{dataset}-map"] if two_latents else [f"{dataset}-{loss}" for loss in FOUR]
    cards = load_cards()
    paths = [cards[name].weights_path for name in names if name in cards]
    return [path for path in paths if path is not None and path.is_file()]


def _digest(paths: Sequence[Path], *parts: object) -> str:
    """Changes with the files, with ``parts``, and with the code that packs them."""
    digest = hashlib.sha256(inspect.getsource(weights).encode())
    for path in paths:
        stamp = path.stat()
        digest.update(repr((path.name, stamp.st_size, stamp.st_mtime_ns)).encode())
    digest.update(repr(parts).encode())
    return digest.hexdigest()[:12]


# Kept by their digests too, which change with the files.
@shared(maxsize=8)
def _pack_shipped(paths: tuple[Path, ...], digest: str) -> bytes:
    del digest
    return _pack(paths)


# A run of four wide networks takes some megabytes, and one is looked at at a time.
@shared(maxsize=4)
def _pack_run(paths: tuple[Path, ...], digest: str) -> bytes:
    del digest
    return _pack(paths)


def _pack(paths: Sequence[Path]) -> bytes:
    networks = [weights.read_network(path) for path in paths]
    configs = [network.config for network in networks]
    styles = member_styles(configs, questions.labels(configs))
    looks = [weights.Look(style.label, style.colour) for style in styles]
    return gzip.compress(weights.pack(networks, looks, _sample(networks[0])), mtime=0)


def _sample(network: weights.Network) -> weights.Sample | None:
    config = network.config
    if config.dataset == "images":
        return None
    try:
        images, labels = load_sample(config.dataset, weights.CODES, grey=config.grey)
    except DataUnavailable:
        return None
    names = FASHION_NAMES if config.dataset == "fashion" else DIGIT_NAMES
    return weights.Sample(images, labels, names)
