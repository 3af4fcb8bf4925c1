"""The training process: ``python -m vae.worker``. Commands come in, reports go out.

It imports torch once and stays warm between jobs. It ends when its commands end: whichever way
the server dies, its end of the pipe closes with it. On Linux the kernel is told, too, to end this
process with its parent; elsewhere the parent is looked at every second.
"""

import argparse
import contextlib
import ctypes
import gc
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import IO

from vae.cores import prepare_threads
from vae.wire.protocol import Command, Ready, Report, Shutdown, Start, Writer, read

# Below the server and the browser, so that pages answer while training takes what is left.
_NICENESS = 5
_PARENT_SECONDS = 1.0
# After the commands ended: time to write the last checkpoint.
_LAST_SECONDS = 10.0


class CommandInbox:
    """Commands from a thread of their own, so that reading them never holds up a step."""

    def __init__(self) -> None:
        # Its put may interrupt itself (signal handlers), unlike Queue's.
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def get(self, seconds: float | None = None) -> Command | None:
        """The next command, waiting at most ``seconds`` for it (None: without end)."""
        try:
            return self._commands.get(timeout=seconds, block=seconds != 0)
        except queue.Empty:
            return None

    def empty(self) -> bool:
        return self._commands.empty()

    def put_back(self, command: Command) -> None:
        self._commands.put(command)

    def read_commands(self, stream: IO[bytes]) -> None:
        """Take commands until ``stream`` ends; then the process has a last word and ends."""
        try:
            for message in read(stream):
                self._commands.put(message)  # type: ignore[arg-type]
        except (ValueError, OSError) as error:
            print(f"commands end: {error}", file=sys.stderr)
        self.end_process()

    def watch_parent(self, parent: int) -> None:
        """End when the parent is another process than it was."""
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        self.end_process()

    def end_process(self) -> None:
        self._commands.put(Shutdown())
        time.sleep(_LAST_SECONDS)
        os._exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vae.worker", description=__doc__)
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process to end with")
    parent = parser.parse_args().parent
    _end_with_parent(parent)
    commands, reports = _claim_streams()
    inbox = CommandInbox()
    for target, argument in ((inbox.read_commands, commands), (inbox.watch_parent, parent)):
        threading.Thread(target=target, args=(argument,), daemon=True).start()
    # Ctrl-C in a terminal reaches the whole group: the server decides what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: inbox.put_back(Shutdown()))
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_NICENESS)
    serve(inbox, Writer(reports))


def serve(inbox: CommandInbox, writer: Writer) -> None:
    """Import torch, then do one job after the other until told to end."""
    began = time.monotonic()
    prepare_threads()
    import torch

    from vae.engine.devices import choose_device, describe_device
    from vae.engine.products import fast_products
    from vae.worker.job import Job

    def send(report: Report) -> None:
        try:
            writer.write(report)
        except OSError:
            # Nobody listens any more: what runs is saved, and then this ends.
            inbox.put_back(Shutdown())

    device = describe_device(choose_device("auto"))
    # Nothing else multiplies in this process.
    with fast_products():
        send(Ready(device, torch.get_num_threads(), time.monotonic() - began))
        for _ in _warm_up():
            if not inbox.empty():
                break
        while not isinstance(command := inbox.get(), Shutdown):
            if isinstance(command, Start):
                Job(command, inbox, send).run()
                # A job's tensors hang in cycles: give their memory back before the next.
                gc.collect()
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()


def _warm_up() -> Iterator[None]:
    """Part by part what the first click then finds ready: the built-in digits (drawn, the first
    time), torch's lazy parts, memory, and the numbers of threads that a run by the page's first
    settings may take."""
    yield
    from vae.config import TrainConfig
    from vae.engine.thread_tuning import agreeing_counts, candidate_counts
    from vae.engine.training import Trainer
    from vae.images.sets import load_images

    trainer = Trainer(TrainConfig(), load_images("digits"))
    yield
    trainer.step()
    trainer.reconstruct()
    yield
    agreeing_counts([trainer], candidate_counts())


def _claim_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for messages alone: what libraries print goes to standard error."""
    commands = os.fdopen(os.dup(0), "rb")
    reports = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return commands, reports


def _end_with_parent(parent: int) -> None:
    """On Linux: a parent's end, or that of the thread which started this process, is this one's.

    Nothing of this process needs to run for it, not even its interpreter's lock.
    """
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        # It died before the kernel was told.
        sys.exit(1)


if __name__ == "__main__":
    main()
