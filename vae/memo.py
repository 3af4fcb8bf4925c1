"""The one cache: what all sessions share is computed once, also when a whole class asks at once.

``functools.lru_cache`` lets every caller compute who comes before the first has finished: thirty
students who open a page together would draw each of its figures thirty times. Here they wait for
the result that is under way.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R", covariant=True)


class Memo:
    """The ``maxsize`` results used last, by key."""

    def __init__(self, maxsize: int) -> None:
        self._maxsize = maxsize
        self._kept: OrderedDict[Hashable, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, build: Callable[[], T]) -> T:
        """The result kept under ``key``, or what ``build`` returns, which may not ask for ``key``.

        Who asks while it is being built waits. An error is raised for all of them, and not kept.
        Raises ``TypeError`` on a key that is not hashable.
        """
        with self._lock:
            future = self._kept.get(key)
            if future is not None:
                self._kept.move_to_end(key)
                first = False
            else:
                future, first = Future[Any](), True
                self._kept[key] = future
                while len(self._kept) > self._maxsize:
                    self._kept.popitem(last=False)
        if first:
            self._fill(future, key, build)
        return future.result()

    def _fill(self, future: "Future[T]", key: Hashable, build: Callable[[], T]) -> None:
        try:
            future.set_result(build())
        # Whatever ends the computation must not leave the others waiting.
        except BaseException as error:
            self._drop(key, future)
            future.set_exception(error)

    def _drop(self, key: Hashable, future: "Future[Any]") -> None:
        with self._lock:
            # Not what was begun anew since this one was pushed out.
            if self._kept.get(key) is future:
                del self._kept[key]

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


class Shared(Protocol[P, R]):
    """A function whose results are kept."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def cache_clear(self) -> None: ...


def shared(maxsize: int) -> Callable[[Callable[P, R]], Shared[P, R]]:
    """Keep a function's ``maxsize`` results used last, as ``Memo`` does, by its arguments.

    Arguments must be hashable (``TypeError`` otherwise).
    """

    def decorate(function: Callable[P, R]) -> Shared[P, R]:
        memo = Memo(maxsize)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            key = (args, tuple(sorted(kwargs.items())))
            return memo.get(key, lambda: function(*args, **kwargs))

        wrapped: Any = call
        wrapped.cache_clear = memo.clear
        return cast(Shared[P, R], wrapped)

    return decorate
