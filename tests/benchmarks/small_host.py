"""A small host: the app within 1 GB of memory, a class on it, a run and a race training.

``python -m tests.benchmarks.small_host --megabytes 1000`` needs Linux and root: the limit is a
memory control group around the server and its worker, so that what goes beyond it is killed.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

from tests.appserver import Server, serve
from tests.benchmarks import app, load
from tests.benchmarks.client import Session

_ROOT = Path("/sys/fs/cgroup")
# For both versions of control groups: the folder, the limit, the peak, how often it was hit.
_FILES = {
    1: (_ROOT / "memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes", "memory.failcnt"),
    2: (_ROOT, "memory.max", "memory.peak", "memory.events"),
}
# As large as the small profile allows.
_LARGE = "epochs=20&hidden_dim=512&latent_dim=64&batch_size=32"


class Group:
    """A memory control group of ``megabytes``; ``OSError`` where the system does not let us."""

    def __init__(self, megabytes: int) -> None:
        if not 100 <= megabytes <= 100_000:
            raise ValueError(f"megabytes: {megabytes} given; allowed is 100 to 100000")
        version = 2 if (_ROOT / "cgroup.controllers").exists() else 1
        self._home, limit, self._peak, self._hits = _FILES[version]
        self.folder = self._home / f"vae-small-host-{os.getpid()}"
        self.folder.mkdir()
        (self.folder / limit).write_text(str(megabytes * 2**20), encoding="ascii")

    @contextmanager
    def born_inside(self) -> Iterator[None]:
        """Processes started in this block belong to the group, and all they start later."""
        self._move(self.folder)
        try:
            yield
        finally:
            self._move(self._home)

    def _move(self, folder: Path) -> None:
        (folder / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")

    def line(self) -> str:
        peak = int((self.folder / self._peak).read_text(encoding="ascii")) / 2**20
        hits = " ".join((self.folder / self._hits).read_text(encoding="ascii").split())
        return f"peak {peak:.0f} MB, files the system cached included; limit met: {hits}"

    def close(self) -> None:
        with suppress(OSError):
            self.folder.rmdir()


async def lesson(server: Server, sessions: int, seconds: float) -> load.Report:
    """A race of four losses, then one large network with a class on all pages beside it."""
    async with _training(server, "train?lesson=race", "Train 4 side by side"):
        pass
    async with _training(server, f"train?{_LARGE}", "Train"):
        return await load.run_class(server, sessions, seconds=seconds)


@asynccontextmanager
async def _training(server: Server, path: str, button: str) -> AsyncIterator[None]:
    teacher = await Session(server.url, path).open()
    await teacher.press(button)
    print(f"{path}: {await app.rate(teacher, 4.0):,.0f} images/s; {held(server)}")
    yield
    await teacher.press("Stop")
    for _ in range(100):
        if "Stopped" in teacher.texts() or "Finished" in teacher.texts():
            break
        await asyncio.sleep(0.2)
    if teacher.counts.exceptions:
        raise AssertionError(teacher.counts.exceptions[0])
    await teacher.close()


def held(server: Server) -> str:
    """What each process of the app holds, shared pages counted once among them."""
    sizes = {item.pid: item.memory_full_info().pss / 2**20 for item in server.processes()}
    worker = sum(size for pid, size in sizes.items() if pid != server.pid)
    return f"server {sizes[server.pid]:.0f} MB, worker {worker:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with ExitStack() as stack:
        group = Group(options.megabytes)
        stack.callback(group.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with group.born_inside():
            server = stack.enter_context(serve(folder, extra={"VAE_PROFILE": "small"}))
        report = asyncio.run(lesson(server, options.sessions, options.seconds))
        print(report.line(), *sorted(set(report.exceptions))[:5], sep="\n  ")
        print(held(server), group.line(), sep="\n")


if __name__ == "__main__":
    main()
