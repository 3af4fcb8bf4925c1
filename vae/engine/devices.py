"""Where training runs; shared by the worker and the command line.

Nothing here imports torch before a function that needs it is called.
"""

from typing import TYPE_CHECKING

from vae.errors import DeviceUnavailable

if TYPE_CHECKING:
    import torch


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
