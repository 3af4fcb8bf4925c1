"""Where training runs and on how many threads; shared by the worker and the command line.

Nothing here imports torch before a function that needs it is called.
"""

import os
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
