"""Where work runs: in this process, or in a pool of processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain, islice
from multiprocessing.connection import wait
from typing import Protocol, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


class Executor(Protocol):
    """Maps a function over items and yields the results in the order of the items."""

    def map(self, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
        """Yield ``function(item)`` for each item, in order; an exception is raised at its item."""
        ...


class InlineExecutor:
    """Runs in this process, one item after the other."""

    def map(self, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
        """Yield ``function(item)`` for each item, in order."""
        for item in items:
            yield function(item)


class ProcessExecutor:
    """Runs in a pool of fresh processes; functions and items must be picklable.

    A few items are not worth starting processes for and run in this one. At most two items for each worker are taken
    from ``items`` ahead of the results, so that a long row of pictures is never in memory at once. The workers end
    with this process, even when it is killed.
    """

    FEW = 8

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
        """Yield ``function(item)`` for each item, in order; work not begun is dropped when iteration stops."""
        rest = iter(items)
        first = list(islice(rest, self.FEW))
        if len(first) < self.FEW or self.workers < 2:
            yield from map(function, chain(first, rest))
            return
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_end_with_parent)
        ahead: deque[Future[Out]] = deque()
        try:
            for item in chain(first, rest):
                ahead.append(pool.submit(function, item))
                if len(ahead) >= 2 * self.workers:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """In a worker: leave as soon as the process that started it is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
