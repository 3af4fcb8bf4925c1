"""The networks that a browser draws on: which they are, under which name, and their bytes.

A name carries a digest of what it names, so that a browser keeps the file for good. Bytes are made
once for all who ask, from the shipped weights or from a run's last checkpoint.
"""

import dataclasses
import gzip
import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vae.charts.kit.theme import in_themes
from vae.charts.train.styles import member_styles
from vae.config import DATASETS
from vae.errors import CheckpointError, DataUnavailable
from vae.export import weights
from vae.images.sets import DIGIT_NAMES, FASHION_NAMES, is_available, load_sample
from vae.lessons import questions
from vae.memo import shared
from vae.runs.registry import get_registry
from vae.runs.snapshots import RunSnapshot
from vae.shipped.cards import Card, load_cards

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
    cards = _shipped_cards(dataset, two_latents)
    if not cards:
        return None
    group = f"map-{dataset}" if two_latents else dataset
    return WeightsFile(group, _digest(_paths(cards), is_available(dataset)))


def run_file(snapshot: RunSnapshot) -> WeightsFile | None:
    """The networks of a run as it was last saved; None while nothing is."""
    paths = tuple(map(Path, snapshot.checkpoints))
    if len(paths) != len(snapshot.members) or not all(path.is_file() for path in paths):
        return None
    return WeightsFile(f"run-{snapshot.run_id}", _digest(paths, _latest_kl(snapshot)))


def read_weights(name: str) -> bytes:
    """The bytes behind a file's name, compressed with gzip.

    Raises:
        CheckpointError: a name that is none, a run that is over or unknown, a damaged file. The
            message is for a learner.
    """
    group, _, rest = name.partition(".")
    digest = rest.removesuffix(".bin")
    if group.startswith("run-"):
        return _read_run(group.removeprefix("run-"), digest)
    dataset = group.removeprefix("map-")
    two_latents = dataset != group
    file = shipped_file(dataset, two_latents=two_latents) if dataset in DATASETS else None
    if file is None:
        raise CheckpointError(f"There are no networks of the name {name[:60]!r}. Reload the page.")
    _check(file, digest)
    cards = _shipped_cards(dataset, two_latents)
    return _pack(_paths(cards), tuple(card.test_kl_per_latent for card in cards), digest)


def _read_run(run_id: str, digest: str) -> bytes:
    snapshot = get_registry().snapshot(run_id)
    file = run_file(snapshot) if snapshot else None
    if snapshot is None or file is None:
        raise CheckpointError(_GONE)
    _check(file, digest)
    content = _pack(tuple(map(Path, snapshot.checkpoints)), _latest_kl(snapshot), digest)
    # It may have been saved anew while it was read.
    _check(run_file(snapshot), digest)
    return content


def _check(file: WeightsFile | None, digest: str) -> None:
    # A name is for good, so it must never come to mean anything else.
    if file is None or file.digest != digest:
        raise CheckpointError("These networks have learned more since. Reload the page.")


def _shipped_cards(dataset: str, two_latents: bool) -> list[Card]:
    names = [f"{dataset}-map"] if two_latents else [f"{dataset}-{loss}" for loss in FOUR]
    known = load_cards()
    cards = [known[name] for name in names if name in known]
    return [card for card in cards if card.weights_path and card.weights_path.is_file()]


def _paths(cards: Sequence[Card]) -> tuple[Path, ...]:
    return tuple(card.weights_path for card in cards if card.weights_path)


def _latest_kl(snapshot: RunSnapshot) -> tuple[tuple[float, ...] | None, ...]:
    """Each member's KL per latent on the test set; None before its first epoch is over."""
    return tuple(
        tuple(member.epochs[-1].test_kl_per_latent) if member.epochs else None
        for member in snapshot.members
    )


def _digest(paths: Sequence[Path], *parts: object) -> str:
    """Changes with what the files hold, with ``parts``, and with the code that packs them."""
    stamps = [(path, path.stat()) for path in paths]
    contents = [_hash_file(path, stamp.st_size, stamp.st_mtime_ns) for path, stamp in stamps]
    told = repr((_hash_code(), contents, parts))
    return hashlib.sha256(told.encode()).hexdigest()[:12]


@shared(maxsize=1)
def _hash_code() -> str:
    return hashlib.sha256(inspect.getsource(weights).encode()).hexdigest()


@shared(maxsize=64)
def _hash_file(path: Path, size: int, changed: int) -> str:
    del size, changed
    return hashlib.sha256(path.read_bytes()).hexdigest()


# The shipped ones, and some runs' of up to some megabytes each. By their digests, which change with
# what the files hold.
@shared(maxsize=10)
def _pack(
    paths: tuple[Path, ...], kl_per_latent: tuple[tuple[float, ...] | None, ...], digest: str
) -> bytes:
    del digest
    networks = [
        dataclasses.replace(weights.read_network(path), kl_per_latent=kl)
        for path, kl in zip(paths, kl_per_latent, strict=True)
    ]
    configs = [network.config for network in networks]
    styles = member_styles(configs, questions.labels(configs))
    looks = [weights.Look(style.label, in_themes(style.colour)) for style in styles]
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
