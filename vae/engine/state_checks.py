"""What a checkpoint says, held against what the model and its optimiser have, before it is used.

Kernels trust the tensors of an optimiser: one of another shape is read, and written, beyond its
end. Nothing here changes anything; each check raises ``ValueError``, ``KeyError`` or ``TypeError``.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from vae.errors import shown

# A run's file has figures of its own, and the largest learning rate is 10.
_LARGEST_RATE = 10.0
_LARGEST_WHOLE = 2**63
_SAME_SETTINGS = ("betas", "eps", "weight_decay", "amsgrad", "momentum", "dampening", "nesterov")
_BUFFERS = {"exp_avg", "exp_avg_sq", "momentum_buffer"}
_WORDS = 624
# at::CPUGeneratorImpl's state: seed, numbers left, seeded, next; words; a normal kept for later
# (three doubles and a flag), a float one (and a flag), with C's padding.
_CPU_STATE = struct.Struct(f"<QiiQ{8 * _WORDS}xdddi4xfB3x")


def check_tensor(
    name: str, value: Any, like: Tensor, dtypes: Sequence[torch.dtype] | None = None
) -> None:
    """``value`` must be a dense, finite tensor shaped as ``like``, of its dtype (or ``dtypes``)."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: {type(value).__name__} given; needed is a tensor")
    if value.layout != torch.strided or value.is_quantized or value.device.type == "meta":
        raise ValueError(f"{name}: a tensor of another layout than a dense one")
    allowed = dtypes or (like.dtype,)
    if value.shape != like.shape or value.dtype not in allowed:
        raise ValueError(
            f"{name}: {_describe(value)} given; needed is {_describe(like)}".replace("torch.", "")
        )
    room = value.untyped_storage().nbytes() // value.element_size()
    if not value.is_contiguous() or value.storage_offset() + value.numel() > room:
        raise ValueError(f"{name}: a tensor that does not lie densely in its storage")
    if value.is_floating_point() and not bool(value.isfinite().all()):
        raise ValueError(f"{name}: not all of its numbers are finite")


def check_weights(
    weights: Any, like: Mapping[str, Tensor], dtypes: Sequence[torch.dtype] | None = None
) -> None:
    """``weights`` must have the names of ``like``, and each tensor its shape."""
    if not isinstance(weights, Mapping):
        raise TypeError(f"weights: {type(weights).__name__} given; needed is a dictionary")
    for name in like:
        if name not in weights:
            raise ValueError(f"weights: {name} is missing")
    for name, value in weights.items():
        if name not in like:
            raise ValueError(f"weights: {shown(name)} given; the model has no such part")
        check_tensor(name, value, like[name], dtypes)


def fit_optimizer(stored: Any, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """A state for ``optimizer.load_state_dict``: the tensors and step sizes of ``stored``, copied
    where they are what this optimiser would have made, and all else its own."""
    if not isinstance(stored, Mapping):
        raise TypeError("the optimiser's state is not a dictionary")
    own = optimizer.state_dict() | {"state": {}}
    groups = stored["param_groups"]
    if not isinstance(groups, list) or len(groups) != len(own["param_groups"]):
        raise ValueError("the optimiser has other groups of weights")
    for group, ours in zip(groups, own["param_groups"], strict=True):
        _check_group(group, ours)
        ours["lr"] = float(group["lr"])
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    if not isinstance(stored["state"], Mapping):
        raise TypeError("the optimiser's state is not a dictionary")
    expected = _buffers_of(optimizer)
    for index, entries in stored["state"].items():
        if type(index) is not int or not 0 <= index < len(weights):
            raise ValueError(f"the optimiser's state has a weight {shown(index)}")
        own["state"][index] = _fit_entries(index, entries, expected, weights[index])
    return own


def _buffers_of(optimizer: torch.optim.Optimizer) -> set[str]:
    if isinstance(optimizer, torch.optim.Adam):
        return {"step", "exp_avg", "exp_avg_sq"}
    return {"momentum_buffer"} if optimizer.defaults["momentum"] else set()


def _check_group(group: Any, ours: Mapping[str, Any]) -> None:
    if not isinstance(group, Mapping) or not _are_equal(group["params"], ours["params"]):
        raise ValueError("the optimiser has other weights")
    rate = group["lr"]
    if type(rate) not in (int, float) or not 0 < rate <= _LARGEST_RATE:
        raise ValueError(f"lr: {shown(rate)} given; allowed is above 0, to {_LARGEST_RATE:g}")
    for name in _SAME_SETTINGS:
        if name in ours and not _are_equal(group[name], ours[name]):
            raise ValueError(f"{name}: {shown(group[name])} given; needed is {ours[name]!r}")


def _are_equal(value: Any, ours: Any) -> bool:
    """Equality of plain numbers and flat lists of them: a tensor is equal to nothing."""
    if isinstance(ours, list | tuple):
        same = isinstance(value, list | tuple) and len(value) == len(ours)
        return same and all(map(_are_equal, value, ours))
    return type(value) in (bool, int, float) and value == ours


def _fit_entries(index: int, entries: Any, expected: set[str], weight: Tensor) -> dict[str, Tensor]:
    if not isinstance(entries, Mapping) or set(entries) != expected:
        raise ValueError(f"the optimiser's state of weight {index} has other parts")
    count = torch.zeros((), dtype=torch.float32)
    for name, value in entries.items():
        check_tensor(f"{name} of weight {index}", value, weight if name in _BUFFERS else count)
        if name in ("step", "exp_avg_sq") and bool((value < 0).any()):
            raise ValueError(f"{name} of weight {index}: a number below 0")
    return {name: value.clone() for name, value in entries.items()}


def check_generator_state(name: str, state: Any, generator: torch.Generator) -> Tensor:
    """The state of a generator of numbers, if it is one: a copy.

    A Mersenne twister's position is taken as it is by the code that draws the next number.
    """
    own = generator.get_state()
    check_tensor(name, state, own)
    if generator.device.type == "cpu":
        if own.numel() != _CPU_STATE.size:
            raise ValueError(f"{name}: this version of torch keeps generators otherwise")
        _, left, seeded, following, *normals = _CPU_STATE.unpack(state.numpy().tobytes())
        begun = 1 <= left <= _WORDS and left + following == _WORDS + 1
        fresh = (left, following) == (1, 0)
        if seeded != 1 or not (begun or fresh) or {normals[3], normals[5]} - {0, 1}:
            raise ValueError(f"{name}: not a state that a generator can be in")
        if not all(map(math.isfinite, (*normals[:3], normals[4]))):
            raise ValueError(f"{name}: not a state that a generator can be in")
    return state.clone()


def check_count(name: str, value: Any, most: int) -> int:
    """``value`` as a whole number from 0 to ``most``."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{name}: {shown(value)} given; allowed is 0 to {most}")
    return value


def check_figure(name: str, value: Any) -> float:
    """``value`` as a finite number."""
    if not is_figure(value) or not math.isfinite(value):
        raise ValueError(f"{name}: {shown(value)} given; allowed is a finite number")
    return float(value)


def is_figure(value: Any) -> bool:
    """Whether ``value`` is a float, or a whole number that is small enough to become one."""
    return type(value) is float or (type(value) is int and abs(value) < _LARGEST_WHOLE)


def _describe(value: Tensor) -> str:
    return f"{value.dtype} of shape {tuple(value.shape)}"
