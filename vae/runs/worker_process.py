"""The worker as the server holds it: a child process, two threads that listen to it.

Start it from a thread that lives as long as the server: on Linux the kernel ends the worker
together with the thread that started it, so that nothing outlives a killed server.
"""

import collections
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from vae.wire.protocol import Command, Report, Shutdown, Writer, read

_TAIL_LINES = 30
# One that has said its last word takes torch apart before it ends; on a busy machine for seconds.
_LAST_SECONDS = 10.0
_ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """One ``python -m vae.worker``. Callbacks come from its own threads, never from ``send``.

    ``on_report(worker, report)`` for each report; ``on_exit(worker)`` once, after the last one,
    when the process has ended and been reaped. Where the process starts and its listeners do not,
    it is ended and ``RuntimeError`` raised.
    """

    def __init__(
        self,
        on_report: Callable[["WorkerProcess", Report], None],
        on_exit: Callable[["WorkerProcess"], None],
        command: Sequence[str] = (),
    ) -> None:
        self._on_report = on_report
        self._on_exit = on_exit
        self._tail: collections.deque[str] = collections.deque(maxlen=_TAIL_LINES)
        arguments = command or (sys.executable, "-m", "vae.worker", "--parent", str(os.getpid()))
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        # A worker that reads nothing must not block the server: commands are a few hundred bytes,
        # far below what a pipe holds, and one that does not fit is as good as a dead worker.
        with contextlib.suppress(OSError, AttributeError):
            os.set_blocking(self._process.stdin.fileno(), False)
        self._writer = Writer(self._process.stdin)
        self._errors = threading.Thread(
            target=self._drain_errors, name="vae-worker-errors", daemon=True
        )
        self._reports = threading.Thread(
            target=self._listen, name="vae-worker-reports", daemon=True
        )
        try:
            self._errors.start()
            self._reports.start()
        except RuntimeError:
            # No thread is to be had: a worker nobody listens to must not go on.
            self._abandon()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.returncode

    def send(self, command: Command) -> bool:
        """Whether the command went into the pipe; a dead worker says so through ``on_exit``."""
        try:
            self._writer.write(command)
        except (OSError, ValueError):
            return False
        return True

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self, seconds: float) -> None:
        """Ask it to save and end, wait ``seconds``, then end it."""
        self.send(Shutdown())
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill()
        self._process.wait()
        if threading.current_thread() is not self._reports:
            self._reports.join(5)

    def last_words(self) -> str:
        """The last lines of its standard error: a traceback with its paths, not for a page."""
        return "\n".join(self._tail)

    def _abandon(self) -> None:
        self.kill()
        self._process.wait()
        if self._errors.is_alive():
            self._errors.join(5)
        self._close_streams()

    def _close_streams(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _listen(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        patience = _LAST_SECONDS
        try:
            for report in read(stdout):
                self._on_report(self, report)  # type: ignore[arg-type]
        except Exception as error:
            # Whatever it said: the run must fail with a reason rather than wait for ever.
            self._tail.append(f"{type(error).__name__}: {error}")
            patience = 0.0
        # A worker nobody listens to must not go on.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        self.kill()
        self._process.wait()
        self._errors.join(5)
        self._close_streams()
        self._on_exit(self)

    def _drain_errors(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        with contextlib.suppress(OSError, ValueError):
            # Bounded reads: a library may write for ever without an end of line.
            while line := stderr.readline(4096):
                self._tail.append(line.decode("utf-8", "replace").rstrip())
