"""What several benchmarks share: times of interleaved runs, and peers that may be missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np


def best(work: list[Callable[[], object]], repeats: int, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """The best time of each, run in turns."""
    times = np.full((repeats, len(work)), np.inf)
    for row in times:
        for i, one in enumerate(work):
            started = clock()
            one()
            row[i] = clock() - started
    return [float(value) for value in times.min(axis=0)]


def importable(name: str) -> Any:
    """The module, or None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None
