"""What all sessions share is computed once, also when a whole class asks for it at once.

``functools.lru_cache`` lets every caller compute who comes before the first has finished: thirty
students who open a page together would draw each of its figures thirty times.
"""

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, ParamSpec, Protocol, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Shared(Protocol[P, R]):
    """A function whose results are kept."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

    def cache_clear(self) -> None: ...


def shared(maxsize: int) -> Callable[[Callable[P, R]], Shared[P, R]]:
    """Keep the ``maxsize`` results used last; callers wait for a result that is being computed.

    Arguments must be hashable (``TypeError`` otherwise). An error is raised for all who wait for
    it, and not kept. The function must not call itself with the same arguments.
    """

    def decorate(function: Callable[P, R]) -> Shared[P, R]:
        kept: OrderedDict[Hashable, Future[R]] = OrderedDict()
        lock = threading.Lock()

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            key = (args, tuple(sorted(kwargs.items())))
            with lock:
                future = kept.get(key)
                first = future is None
                if future is None:
                    future = kept[key] = Future()
                    while len(kept) > maxsize:
                        kept.popitem(last=False)
                else:
                    kept.move_to_end(key)
            if first:
                _fill(future, lambda: function(*args, **kwargs), lambda: _drop(kept, key, lock))
            return future.result()

        def clear() -> None:
            with lock:
                kept.clear()

        wrapped: Any = call
        wrapped.cache_clear = clear
        return cast(Shared[P, R], wrapped)

    return decorate


def _fill(future: "Future[Any]", compute: Callable[[], Any], forget: Callable[[], None]) -> None:
    try:
        future.set_result(compute())
    # Whatever ends the computation must not leave the others waiting.
    except BaseException as error:
        forget()
        future.set_exception(error)


def _drop(kept: "OrderedDict[Hashable, Future[Any]]", key: Hashable, lock: threading.Lock) -> None:
    with lock:
        kept.pop(key, None)
