"""Float32 products of matrices by whichever of torch's libraries uses the processor's full width.

torch hands them to MKL. On AMD's processors from Zen 5 on, MKL runs kernels for registers of 256
bits; oneDNN, which torch carries too, runs its own for 512 bits: twice as fast, in the same
float32. The documented way to hand such products to oneDNN is to allow it bfloat16 factors
(``torch.backends.mkldnn.matmul.fp32_precision``: "MKLDNN backend" in torch's notes). It makes use
of that only on processors that multiply whole tiles (AMX), which round. Whether it rounds here is
tried, not assumed: where a factor loses a bit, all stays with MKL.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

# Together they are AMD's from Zen 5 on, the only ones where it was measured.
_NEEDED = ("avx512_bf16", "avx512_vp2intersect")


@contextmanager
def fast_products(capabilities: Mapping[str, Any] | None = None) -> Iterator[bool]:
    """Inside, float32 products on the CPU take the faster library; they stay float32.

    Gives whether that library may be taken here. That is a property of the processor and never a
    matter of timing, so that a seed gives one run on one machine. The setting is the process's,
    hence for programs that train and little else; it is put back at the end. ``capabilities``: as
    ``torch.cpu.get_capabilities()``, which is the default.
    """
    here = torch.cpu.get_capabilities() if capabilities is None else capabilities
    if not all(here.get(name) for name in _NEEDED):
        yield False
        return
    matmul = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    try:
        matmul.fp32_precision = "bf16"
        kept = keeps_factors(torch.mm)
        if not kept:
            matmul.fp32_precision = before
        yield kept
    finally:
        matmul.fp32_precision = before


def keeps_factors(product: Callable[[Tensor, Tensor], Tensor]) -> bool:
    """Whether ``product`` of two float32 matrices uses every bit of both."""
    factor = torch.rand(128, 128, generator=torch.Generator().manual_seed(0))
    # Sums of one term and of zeros are exact in any order.
    unit = torch.eye(128)
    return torch.equal(product(factor, unit), factor) and torch.equal(product(unit, factor), factor)
