"""What a job starts from: images, fetched first where the learner asked for it, and checkpoints."""

import threading
from collections.abc import Callable

from vae.config import TrainConfig
from vae.engine import checkpoints
from vae.engine.training import Trainer
from vae.errors import CheckpointError
from vae.images.sets import ImageData, is_available

# What may differ between a checkpoint and the run that goes on from it.
_MAY_CHANGE = {"epochs", "device", "learning_rate"}
# What makes the weights fit; the rest of the settings may change over shipped weights.
_SHAPE = ("architecture", "latent_dim", "hidden_dim", "likelihood")


def fetch_missing(config: TrainConfig, wait: Callable[[float], None]) -> None:
    """Download the images of ``config`` unless they are there.

    ``wait(fraction done)`` is called again and again meanwhile and paces the loop. What it raises
    ends the waiting, not the download: what that fetches is kept whole or not at all, and serves
    the next run. Raises ``DataUnavailable``.
    """
    if is_available(config.dataset, images=config.images):
        return
    from vae.images.downloads import download

    fraction = 0.0
    outcome: list[Exception | None] = []

    def note(done: float) -> None:
        nonlocal fraction
        fraction = done

    def fetch() -> None:
        try:
            download(config.dataset, progress=note)
            outcome.append(None)
        except Exception as error:
            outcome.append(error)

    # Not an executor's thread: those hold up the end of the process.
    threading.Thread(target=fetch, name="vae-download", daemon=True).start()
    while not outcome:
        wait(fraction)
    if outcome[0] is not None:
        raise outcome[0]


def open_checkpoint(config: TrainConfig, path: str, data: ImageData) -> Trainer:
    """A trainer that goes on from ``path``: bit-equal from a run's own checkpoint, afresh (step
    0, a new optimiser) from exported weights.

    Raises ``CheckpointError`` on a file that cannot be read or does not fit ``config``.
    """
    checkpoint = checkpoints.load(path)
    ours, theirs = config.to_dict(), checkpoint.config.to_dict()
    resumes = checkpoint.training is not None
    for name in set(ours) - _MAY_CHANGE if resumes else _SHAPE:
        if ours[name] != theirs[name]:
            raise CheckpointError(
                f"{name}: {ours[name]!r} given; the checkpoint has {theirs[name]!r}"
            )
    if resumes:
        trainer = checkpoint.build_trainer(data, epochs=config.epochs, device=config.device)
        if config.learning_rate != checkpoint.config.learning_rate:
            trainer.learning_rate = config.learning_rate
        return trainer
    return checkpoint.start_trainer(config, data)
