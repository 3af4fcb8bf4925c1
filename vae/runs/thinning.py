"""A run's past in bounded room: evenly spaced points, however long the run."""

from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class ThinnedHistory(Generic[T]):
    """Keeps every ``stride``-th item and always the newest; the stride doubles when full.

    At most ``capacity`` items stay, evenly spaced over everything that was appended, plus the
    newest. Appending costs O(1) on average.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 2:
            raise ValueError(f"capacity: {capacity} given; allowed is 2 and more")
        self._capacity = capacity
        self._stride = 1
        self._seen = 0
        self._kept: list[T] = []
        self._newest: list[T] = []

    def append(self, item: T) -> None:
        if self._seen % self._stride == 0:
            if len(self._kept) == self._capacity:
                self._kept = self._kept[::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._kept.append(item)
                self._newest = []
                self._seen += 1
                return
        self._newest = [item]
        self._seen += 1

    def items(self) -> tuple[T, ...]:
        """The kept items in the order of arrival, the newest last."""
        return (*self._kept, *self._newest)

    def extend(self, items: Sequence[T]) -> None:
        for item in items:
            self.append(item)

    def __len__(self) -> int:
        return len(self._kept) + len(self._newest)


def thinned(items: Sequence[T], most: int | None) -> Sequence[T]:
    """At most ``most`` of ``items`` (None: all), evenly spaced from the first, and the newest."""
    if most is None or len(items) <= most:
        return items
    stride = -(-(len(items) - 1) // (most - 1))
    chosen = items[:-1:stride]
    return [*chosen, items[-1]]
