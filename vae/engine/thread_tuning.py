"""How many threads train: as many as help now, and only numbers that change no result."""

import os
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vae.cores import core_count
from vae.memo import Memo

if TYPE_CHECKING:
    from torch import Tensor

    from vae.engine.training import Trainer

_LONGEST_NUMBER = 7


class ThreadGovernor:
    """Keeps the number of torch's threads that trains fastest now.

    On an idle machine a second thread gains half again; beside another busy process it loses
    nearly half. So the neighbouring number in ``counts`` is tried for a moment every two seconds,
    and kept where it is faster. ``apply`` sets the number; default ``torch.set_num_threads``.
    """

    WINDOW = 0.05
    PERIOD = 40
    GAIN = 1.1

    def __init__(self, counts: Sequence[int], apply: Callable[[int], object] | None = None) -> None:
        if apply is None:
            import torch

            apply = torch.set_num_threads
        self._apply = apply
        self._counts = list(counts)
        self._index = 0
        self._trial: int | None = None
        self._upward = False
        self._steady = 0.0
        # The first trial comes soon.
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
        self._windows = 0
        self._upward = not self._upward
        for index in (self._index + 1, self._index - 1)[:: 1 if self._upward else -1]:
            if 0 <= index < len(self._counts):
                self._trial = index
                self._apply(self._counts[index])
                return

    def _end_trial(self, rate: float) -> None:
        assert self._trial is not None
        if rate > self.GAIN * self._steady:
            self._index = self._trial
        self._trial = None
        self._windows = 0
        self._apply(self.threads)


def candidate_counts(cores: int | None = None) -> list[int]:
    """1, 2, 4, ... up to the cores, and no more than OMP_NUM_THREADS where that is set.

    A number set by hand is the most that are used, not the number itself: training begins with
    one thread in either case, and takes only numbers that give the same run as one.
    """
    most = core_count() if cores is None else cores
    # OpenMP's variable may list a number for each level of nesting.
    chosen = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if cores is None and chosen.isdecimal() and len(chosen) < _LONGEST_NUMBER and int(chosen) > 0:
        most = min(most, int(chosen))
    return [*(2**power for power in range(10) if 2**power < most), most]


def agreeing_counts(trainers: "Sequence[Trainer]", counts: Sequence[int]) -> list[int]:
    """Those of ``counts`` whose gradients equal those of the first, bit for bit.

    Some shapes of products are summed in another order by more threads. A run must not depend on
    what else the machine does, so such numbers are left out; others give the same run. Runs of a
    device other than the CPU have one number. Tried once a process for each shape of network.
    """
    if len(counts) == 1 or any(trainer.device.type != "cpu" for trainer in trainers):
        return list(counts[:1])
    agreeing = [
        _tried.get((_shape(trainer), tuple(counts)), partial(_try_counts, trainer, counts))
        for trainer in trainers
    ]
    return [count for count in counts if all(count in each for each in agreeing)]


_tried = Memo(64)


def _shape(trainer: "Trainer") -> Hashable:
    """What says in which order numbers are summed."""
    import torch

    weights = trainer.model.state_dict().items()
    return (
        trainer.config.likelihood,
        trainer.config.sampling,
        *((name, tuple(value.shape)) for name, value in weights),
        _batch_sizes(trainer),
        torch.backends.mkldnn.matmul.fp32_precision,  # type: ignore[attr-defined]
    )


def _try_counts(trainer: "Trainer", counts: Sequence[int]) -> list[int]:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(counts[0])
        expected = _gradients(trainer)
        agreeing = [counts[0]]
        for count in counts[1:]:
            torch.set_num_threads(count)
            if all(map(torch.equal, _gradients(trainer), expected)):
                agreeing.append(count)
    finally:
        torch.set_num_threads(before)
    return agreeing


def _batch_sizes(trainer: "Trainer") -> tuple[int, ...]:
    """A full batch's, and that of an epoch's last."""
    order = trainer.order
    return tuple(sorted({order.batch_size, order.images % order.batch_size or order.batch_size}))


def _gradients(trainer: "Trainer") -> "list[Tensor]":
    """Gradients on a full batch and on one as long as an epoch's last."""
    import torch

    from vae.engine.evaluation import forward

    model = trainer.model
    weights = [value for value in model.parameters() if value.requires_grad]
    gradients: list[Tensor | None] = []
    # In eval mode no likelihood takes note of the batch.
    model.eval()
    for size in _batch_sizes(trainer):
        x = trainer.pixels.train[:size].to(torch.float32).div_(256)
        elbo, _ = forward(model, x, torch.Generator().manual_seed(0), trainer.config)
        gradients += torch.autograd.grad(elbo.loss.mean(), weights, allow_unused=True)
    model.train()
    return [value for value in gradients if value is not None]
