"""Where training runs and on how many threads; shared by the worker and the command line.

Nothing here imports torch before a function that needs it is called.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class DeviceUnavailable(ValueError):
    """The device asked for is not on this machine."""


def thread_count() -> int:
    """Threads for torch: one core is left to the server and the browser."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, cores - 1)


def prepare_threads() -> None:
    """Set the OpenMP environment. Call it before torch is first imported in the process.

    Waiting threads must sleep rather than spin: two spinning threads beside any other busy
    process fall to a hundredth of their speed at every barrier.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("OMP_NUM_THREADS", str(thread_count()))


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
    threads = torch.get_num_threads()
    return f"CPU ({threads} thread{'s' if threads > 1 else ''})"
