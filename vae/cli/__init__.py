"""The command line: the same engine as the pages', without a server.

torch is imported by the commands that need it, so that help and mistakes answer at once.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from vae.cli import loss as cli_loss
from vae.cli import serve as cli_serve
from vae.cli.options import (
    ABOUT,
    EXAMPLES,
    TRAIN,
    add_data_dir,
    add_setting,
    add_settings,
    config_from,
    parser_of,
)
from vae.cli.report import JsonLines, Progress
from vae.config import ConfigError
from vae.errors import CheckpointError, DataUnavailable, DeviceUnavailable, shown_path
from vae.files import check_writable, expand
from vae.images.sets import ImageData, default_data_dir, is_available, load_images
from vae.wire.events import DivergedEvent, EpochEvent, StepEvent

if TYPE_CHECKING:
    from vae.engine.checkpoints import Checkpoint
    from vae.engine.training import Trainer

DONE, FAILED, BAD_USE, INTERRUPTED = 0, 1, 2, 130
# Often enough for a bar and for Ctrl-C, too seldom to cost anything.
EVENT_SECONDS = 0.1


class CommandError(Exception):
    """A message for the user and the exit code that goes with it."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 on failure, 2 on bad use, 130 on Ctrl-C.

    Whatever is given that cannot be used is bad use: settings, files, folders. Failure is what
    goes wrong in the doing: a download, a full disk, a loss that diverges.
    """
    _complete_streams()
    try:
        try:
            return _run(arguments)
        finally:
            # Here, where it can be said: at its end Python would only change the exit code.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` perhaps, has seen enough.
        _discard(sys.stdout)
        return FAILED
    except OSError as error:
        _discard(sys.stdout)
        what = error.filename or "the output"
        return _complain(f"{what}: {error.strerror or error}", FAILED)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = build_parser().parse_args(arguments)
        return options.command(options)
    except CommandError as error:
        return _complain(error, error.code)
    except (ConfigError, DeviceUnavailable, DataUnavailable, CheckpointError) as error:
        return _complain(error, BAD_USE)
    except MemoryError:
        return _complain("there is not enough memory for this", FAILED)


def _complete_streams() -> None:
    """Make every character printable, whatever the terminal's encoding, and closed streams open:
    a file that is opened later would otherwise get their numbers, and what libraries print."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _discard(stream: TextIO) -> None:
    """Lead what is left to write nowhere: nothing more may be said at exit either."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(error: object, code: int) -> int:
    try:
        print(f"python -m vae: {error}", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)
    return code


def build_parser() -> argparse.ArgumentParser:
    """The parser; the options of ``train`` are the fields of ``TrainConfig``."""
    parser = argparse.ArgumentParser(
        prog="python -m vae",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, command: Callable[..., int], words: str, about: str = "") -> Any:
        added = commands.add_parser(
            name,
            help=words,
            description=about or words,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=command)
        return added

    train = add("train", _train, "train a VAE", TRAIN)
    add_settings(train)
    train.add_argument("--output", type=Path, metavar="FILE", help="keep the run in FILE")
    _add_download(train)
    resume = add("resume", _resume, "continue a run from its checkpoint")
    resume.add_argument("file", type=Path, metavar="FILE")
    resume.add_argument("--epochs", type=parser_of("epochs"), help="train to this epoch instead")
    resume.add_argument("--output", type=Path, metavar="FILE", help="default: FILE itself")
    evaluate = add("evaluate", _evaluate, "test figures of a checkpoint")
    evaluate.add_argument("file", type=Path, metavar="FILE")
    download = add("download", _download, "fetch MNIST or Fashion-MNIST")
    download.add_argument("dataset", choices=["mnist", "fashion"])
    for command in (train, resume, evaluate, download):
        add_data_dir(command)
    for command in (resume, evaluate):
        add_setting(command, "device")
    claims = add("claims", _claims, "check what the three threads claim, and print the verdicts")
    loss = add(
        "loss", cli_loss.run, "read a loss that was pasted: its belief, its sigma", cli_loss.ABOUT
    )
    cli_loss.add_options(loss)
    serve = add("serve", cli_serve.run, "start several servers behind a proxy", cli_serve.ABOUT)
    cli_serve.add_options(serve)
    for command in (train, resume, evaluate, claims, loss):
        command.add_argument("--json", action="store_true", help="print JSON, one object a line")
    return parser


def _add_download(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--download", action="store_true", help="fetch the data first where they are absent"
    )


def _train(options: argparse.Namespace) -> int:
    config = config_from(options)
    output = _check_output(options.output)
    if options.download and not is_available(config.dataset, options.data_dir, config.images):
        _fetch(config.dataset, options.data_dir)
    data = load_images(config, options.data_dir)
    from vae.engine.training import Trainer

    return _pull(Trainer(config, data), output, options.json)


def _resume(options: argparse.Namespace) -> int:
    checkpoint, data = _open(options)
    output = _check_output(options.output or options.file)
    changes = {"epochs": options.epochs, "device": vars(options).get("device")}
    given = {name: value for name, value in changes.items() if value is not None}
    trainer = checkpoint.build_trainer(data, **given)
    if trainer.finished:
        raise CommandError(
            f"{options.file} has finished its {trainer.config.epochs} epochs; "
            "give --epochs to train on",
            BAD_USE,
        )
    return _pull(trainer, output, options.json)


def _evaluate(options: argparse.Namespace) -> int:
    checkpoint, data = _open(options)
    from vae.engine.checkpoints import evaluate
    from vae.engine.devices import choose_device
    from vae.engine.products import fast_products

    with fast_products():
        figures = evaluate(checkpoint, data, choose_device(vars(options).get("device", "auto")))
    if options.json:
        print(json.dumps(figures))
        return DONE
    for name, value in figures.items():
        print(f"{name:<20} {value if value is not None else 'none'}")
    return DONE


def _download(options: argparse.Namespace) -> int:
    _fetch(options.dataset, options.data_dir)
    print(f"{options.dataset} is in {options.data_dir or default_data_dir()}")
    return DONE


def _claims(options: argparse.Namespace) -> int:
    from vae import ledger

    return ledger.main(as_json=options.json)


def _open(options: argparse.Namespace) -> "tuple[Checkpoint, ImageData]":
    from vae.engine.checkpoints import load

    checkpoint = load(options.file)
    return checkpoint, load_images(checkpoint.config, options.data_dir)


def _check_output(output: Path | None) -> Path | None:
    """The plain file that ``output`` is, or will be, behind whatever links.

    Said before an hour of training, not after it: that the result cannot be kept there.
    """
    if output is None:
        return None
    try:
        target = expand(output, "--output").resolve()
        check_writable(target)
    except (OSError, RuntimeError, ValueError) as error:
        # Links in a circle are one of the last two, by the version of Python.
        reason = getattr(error, "strerror", None) or str(error)
        raise CommandError(f"--output: {shown_path(output)} given; {reason}", BAD_USE) from error
    return target


def _fetch(name: str, data_dir: Path | None) -> None:
    from vae.images.downloads import download

    progress = Progress(sys.stderr)
    try:
        download(name, data_dir, progress=lambda fraction: progress.fraction(name, fraction))
    except DataUnavailable as error:
        raise CommandError(str(error)) from error
    finally:
        progress.close()


def _keep(output: Path, trainer: "Trainer") -> None:
    from vae.engine.checkpoints import save

    try:
        save(output, trainer)
    except CheckpointError as error:
        raise CommandError(str(error)) from error


def _pull(trainer: "Trainer", output: Path | None, as_json: bool) -> int:
    """Train to the end or to Ctrl-C, print what comes, keep the run after each epoch."""
    from vae.engine.devices import describe_device
    from vae.engine.products import fast_products
    from vae.engine.thread_tuning import ThreadGovernor, agreeing_counts, candidate_counts

    report = JsonLines(sys.stdout) if as_json else Progress(sys.stderr, sys.stdout)
    report.start(trainer.config, describe_device(trainer.device))
    pictures = float("inf")
    with fast_products(), _interruptible() as interrupted:
        governor = ThreadGovernor(agreeing_counts([trainer], candidate_counts()))
        for event in trainer.events(every_seconds=EVENT_SECONDS, picture_seconds=pictures):
            governor.watch(trainer.images_seen, trainer.seconds)
            if isinstance(event, StepEvent):
                report.step(event)
            elif isinstance(event, EpochEvent):
                report.epoch(event)
            if isinstance(event, EpochEvent | DivergedEvent) and output is not None:
                _keep(output, trainer)
            if interrupted():
                break
    report.close()
    if trainer.diverged is not None:
        lost = trainer.diverged
        raise CommandError(
            f"diverged at step {lost.step}: the {lost.term} became {lost.value}. {lost.advice}"
        )
    if trainer.finished:
        return DONE
    if output is not None:
        _keep(output, trainer)
        print(
            f"stopped at step {trainer.step_count}, kept in {output}; continue with "
            f"'python -m vae resume {output}'",
            file=sys.stderr,
        )
    return INTERRUPTED


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C or a termination is noted and acted on between steps; a second one at once."""
    noted: list[int] = []

    def note(number: int, frame: object) -> None:
        del frame
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(noted)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
