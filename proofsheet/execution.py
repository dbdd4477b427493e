"""Where work runs: in this process, or in a pool of processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
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
    """Runs in a pool of processes; functions and items must be picklable."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or os.cpu_count() or 1

    def map(self, function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
        """Yield ``function(item)`` for each item, in order; work not begun is dropped when iteration stops."""
        pool = ProcessPoolExecutor(max_workers=self.workers)
        try:
            yield from pool.map(function, items)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
