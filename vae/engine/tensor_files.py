"""Files of ``torch.save`` as torch has them; ``vae.wire.tensor_files`` reads them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from vae.wire import tensor_files


def read(path: Path) -> Any:
    """As ``vae.wire.tensor_files.read``, its arrays as tensors on the CPU, in the same memory."""
    return _with_tensors(tensor_files.read(path))


def _with_tensors(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if isinstance(value, dict):
        return {key: _with_tensors(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_with_tensors(item) for item in value)
    return value
