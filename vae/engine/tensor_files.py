"""Files of ``torch.save`` as torch has them; ``vae.wire.tensor_files`` reads them."""

from pathlib import Path
from typing import Any

import torch

from vae.wire import tensor_files


def read(path: Path) -> Any:
    """As ``vae.wire.tensor_files.read``, its arrays as tensors on the CPU, in the same memory."""
    return tensor_files.read(path, torch.from_numpy)
