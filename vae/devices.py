"""Where training runs and on how many threads; shared by the worker and the command line.

Nothing here imports torch before a function that needs it is called.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class DeviceUnavailable(ValueError):
    """The device asked for is not on this machine."""


def core_count() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare_threads() -> None:
    """Set how OpenMP waits. Call it before torch is first imported in the process.

    Waiting threads spin for microseconds only and then sleep: threads that spin on beside any
    other busy process fall to a hundredth of their speed, and threads that sleep at once gain
    nothing from a second core.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


class ThreadGovernor:
    """Keeps the number of torch's threads that trains fastest now.

    On an idle machine a second thread gains half again; beside another busy process it loses
    nearly half. So the neighbouring number (half, double) is tried for a twentieth of a second
    every two seconds, and kept where it is faster. Where OMP_NUM_THREADS is set, it decides.
    """

    WINDOW = 0.05
    PERIOD = 40
    GAIN = 1.1

    def __init__(
        self, apply: Callable[[int], object] | None = None, cores: int | None = None
    ) -> None:
        if apply is None:
            import torch

            apply = torch.set_num_threads
        self._apply = apply
        most = core_count() if cores is None else cores
        chosen = os.environ.get("OMP_NUM_THREADS", "")
        if cores is None and chosen.isdecimal() and int(chosen) > 0:
            self._counts = [int(chosen)]
        else:
            self._counts = [*(2**power for power in range(10) if 2**power < most), most]
        self._index = 0
        self._trial: int | None = None
        self._upward = True
        self._steady = 0.0
        self._windows = self.PERIOD - 2
        self._images, self._seconds = 0, 0.0
        apply(self.threads)

    @property
    def threads(self) -> int:
        """The number in use, apart from trials."""
        return self._counts[self._index]

    def watch(self, images: int, seconds: float) -> None:
        """Say how many images have been trained on and in what time, both since the start.

        Cheap enough for every step; call it at least every tenth of a second.
        """
        if seconds - self._seconds < self.WINDOW:
            return
        rate = (images - self._images) / (seconds - self._seconds)
        self._images, self._seconds = images, seconds
        self._windows += 1
        if self._trial is None:
            self._steady = rate
            if self._windows >= self.PERIOD:
                self._start_trial()
        elif self._windows >= 2:
            # The first window of a trial paid for starting threads.
            self._end_trial(rate)

    def _start_trial(self) -> None:
        index = self._index + (1 if self._upward else -1)
        self._upward = not self._upward
        if not 0 <= index < len(self._counts):
            index = self._index + (1 if self._upward else -1)
        self._windows = 0
        if 0 <= index < len(self._counts):
            self._trial = index
            self._apply(self._counts[index])

    def _end_trial(self, rate: float) -> None:
        assert self._trial is not None
        if rate > self.GAIN * self._steady:
            self._index = self._trial
        self._trial = None
        self._windows = 0
        self._apply(self.threads)


def choose_device(name: str = "auto") -> "torch.device":
    """The torch device for ``TrainConfig.device``: auto takes CUDA, then MPS, then the CPU.

    Raises ``DeviceUnavailable`` when the named one is not there.
    """
    import torch

    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, there in available.items() if there)
    if not available.get(name, False):
        here = ", ".join(kind for kind, there in available.items() if there)
        raise DeviceUnavailable(f"device: {name!r} given; this machine has {here}")
    return torch.device(name)


def describe_device(device: "torch.device") -> str:
    """The device in words, for a page or a terminal."""
    import torch

    if device.type == "cuda":
        return f"CUDA ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return "MPS (Apple GPU)"
    return "CPU"
