"""Threads before and behind the network: it never waits for a file that could be ready.

Both sides are bounded, so that memory does not grow with the number of files: `ahead` by how many
files it reads before they are asked for, `Behind` by the weight of what waits to be written.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


@contextmanager
def threads(name: str, count: int) -> Iterator[Executor]:
    """Threads that are gone when the block ends; what has not begun by then never begins."""
    executor = ThreadPoolExecutor(count, thread_name_prefix=f"monostep-{name}")
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def ahead(
    executor: Executor, work: Callable[[Item], Done], items: Iterable[Item], *, most: int
) -> Iterator[Done]:
    """What `work` returns for each item, in order; up to `most` are ready or on their way."""
    pending: deque[Future[Done]] = deque()
    for item in items:
        pending.append(executor.submit(work, item))
        if len(pending) > most:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


class Behind:
    """Work that is left to threads; no more of it waits than `most`, in the units of its weight."""

    def __init__(self, executor: Executor, *, most: float) -> None:
        self._executor, self._most = executor, most
        self._pending: deque[tuple[Future[None], float]] = deque()

    def put(self, work: Callable[[], None], *, weight: float) -> None:
        """Leave the work to a thread, and wait while others' work weighs too much.

        Raises:
            Exception: whatever earlier work has raised.
        """
        self._pending.append((self._executor.submit(work), weight))
        while len(self._pending) > 1 and (self._is_full() or self._pending[0][0].done()):
            self._pending.popleft()[0].result()

    def finish(self) -> None:
        """Wait for all work, and raise what it raised."""
        while self._pending:
            self._pending.popleft()[0].result()

    def _is_full(self) -> bool:
        return sum(weight for _, weight in self._pending) > self._most
