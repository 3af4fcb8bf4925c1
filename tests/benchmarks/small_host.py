"""A small host: the app within 1 GB of memory, a class on it, a run and a race training.

``python -m tests.benchmarks.small_host --megabytes 1000`` needs Linux and root: the limit is a
memory control group around the server and its worker, so that what goes beyond it is killed. With
``--megabytes 690 --cores 0.078``, what a free host guarantees, one visitor trains the default run
within that share of a core, and the pages answer beside it.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
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
_CPU = {1: (_ROOT / "cpu", "cpu.cfs_quota_us", "{quota}"), 2: (_ROOT, "cpu.max", "{quota} 100000")}
# The kernel deals out processor time in periods of this many microseconds.
_PERIOD = 100_000
# As large as the small profile allows.
_LARGE = "epochs=20&hidden_dim=512&latent_dim=64&batch_size=32"


class Group:
    """A control group of ``megabytes`` and, where given, ``cores`` (a share of one, or more).

    ``OSError`` where the system does not let us.
    """

    def __init__(self, megabytes: int, cores: float | None = None) -> None:
        if not 100 <= megabytes <= 100_000:
            raise ValueError(f"megabytes: {megabytes} given; allowed is 100 to 100000")
        if cores is not None and not 0.01 <= cores <= 1000:
            raise ValueError(f"cores: {cores} given; allowed is 0.01 to 1000")
        version = 2 if (_ROOT / "cgroup.controllers").exists() else 1
        home, limit, self._peak, self._hits = _FILES[version]
        self.folder = self._make(home)
        self._write(self.folder / limit, str(megabytes * 2**20))
        # In the first version each resource has a tree of its own.
        self._folders = [self.folder]
        if cores is not None:
            home, limit, text = _CPU[version]
            folder = self.folder if version == 2 else self._make(home)
            self._write(folder / limit, text.format(quota=round(cores * _PERIOD)))
            self._folders = list({self.folder, folder})

    def _make(self, home: Path) -> Path:
        folder = home / f"vae-small-host-{os.getpid()}"
        folder.mkdir()
        return folder

    def _write(self, file: Path, text: str) -> None:
        file.write_text(text, encoding="ascii")

    @contextmanager
    def born_inside(self) -> Iterator[None]:
        """Processes started in this block belong to the group, and all they start later."""
        self._move(self._folders)
        try:
            yield
        finally:
            self._move([folder.parent for folder in self._folders])

    def _move(self, folders: list[Path]) -> None:
        for folder in folders:
            self._write(folder / "cgroup.procs", str(os.getpid()))

    def line(self) -> str:
        peak = int((self.folder / self._peak).read_text(encoding="ascii")) / 2**20
        hits = " ".join((self.folder / self._hits).read_text(encoding="ascii").split())
        return f"peak {peak:.0f} MB, files the system cached included; limit met: {hits}"

    def close(self) -> None:
        for folder in self._folders:
            with suppress(OSError):
                folder.rmdir()


async def lesson(server: Server, sessions: int, seconds: float) -> load.Report:
    """A race of four losses, then one large network with a class on all pages beside it."""
    async with _training(server, "train?lesson=race", "Train 4 side by side"):
        pass
    async with _training(server, f"train?{_LARGE}", "Train"):
        return await load.run_class(server, sessions, seconds=seconds)


async def alone(server: Server, seconds: float) -> None:
    """One visitor with a share of a core: a page before the run, the run, a page beside it."""
    began = time.perf_counter()
    visitor = await Session(server.url, "train?epochs=20").open(seconds=600)
    print(f"first page after {time.perf_counter() - began:.1f} s")
    waits = [await visitor.rerun(seconds=600) for _ in range(10)]
    print(f"Train drawn again in {statistics.median(waits):.1f} s")
    began = time.perf_counter()
    await visitor.press("Train")
    while "Training: step" not in visitor.texts():
        await asyncio.sleep(0.5)
    print(f"first step after {time.perf_counter() - began:.0f} s; {held(server)}")
    print(f"{await app.rate(visitor, seconds):,.0f} images/s")
    waits = [await visitor.rerun(seconds=600) for _ in range(10)]
    print(f"Train drawn again beside it in {statistics.median(waits):.1f} s")
    await visitor.press("Stop")
    await visitor.close()


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
    parser.add_argument("--cores", type=float, help="share of a core, for one visitor alone")
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with ExitStack() as stack:
        group = Group(options.megabytes, options.cores)
        stack.callback(group.close)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with group.born_inside():
            extra = {"VAE_PROFILE": "small"}
            server = stack.enter_context(serve(folder, extra=extra, seconds=600))
        print(f"healthy after {server.seconds_to_healthy:.0f} s")
        if options.cores is not None:
            asyncio.run(alone(server, options.seconds))
            print(held(server), group.line(), sep="\n")
            return
        report = asyncio.run(lesson(server, options.sessions, options.seconds))
        print(report.line(), *sorted(set(report.exceptions))[:5], sep="\n  ")
        print(held(server), group.line(), sep="\n")


if __name__ == "__main__":
    main()
