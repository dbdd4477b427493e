"""One method of the engine with its oracles, and how far two answers are apart."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

RECORDS = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Oracle:
    """What a method is held against.

    Attributes:
        name: the other implementation, closed form or publication.
        gap: computes how far the two are apart.
        limit: the largest gap that is let pass.
        printed: digits of a published number; the gap is then absolute and at most half of the last digit.
        absolute: the gap is absolute, not relative.
    """

    name: str
    gap: Callable[[], float]
    limit: float = 1e-8
    printed: int | None = None
    absolute: bool = False

    def agreement(self) -> tuple[float, str]:
        """The gap, and how it is written in the table."""
        value = float(self.gap())
        if self.printed is not None and self.ok(value):
            return value, f"{self.name}: all {self.printed} decimals"
        if value == 0.0 or value < 1e-15:
            return value, f"{self.name}: {'exactly' if value == 0.0 else '1e-15'}"
        size = f"{value:.2g}" if value > 1e-3 else f"1e-{int(-math.ceil(math.log10(value)))}"
        return value, f"{self.name}: {size}{' (absolute)' if self.absolute and value <= 1e-3 else ''}"

    def ok(self, value: float) -> bool:
        """Whether a gap is small enough."""
        limit = self.limit if self.printed is None else 0.5000001 * 10.0**-self.printed
        return value <= limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One row: what it is, its formula in words, what it takes for granted, where it comes from, and its oracles.

    ``functions`` are the public functions by module, below ``experiments``.
    """

    title: str
    functions: tuple[str, ...]
    formula: str
    assumes: str
    source: str
    oracles: tuple[Oracle, ...]


def relative(ours: ArrayLike, theirs: ArrayLike) -> float:
    """The largest relative difference of two answers of one shape; equal infinities do not differ."""
    a, b = np.broadcast_arrays(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float))
    same = a == b
    with np.errstate(invalid="ignore"):
        gap = np.abs(a - b) / np.where(b == 0.0, 1.0, np.abs(b))
    return float(np.max(np.where(same, 0.0, gap), initial=0.0))


def apart(ours: ArrayLike, theirs: ArrayLike) -> float:
    """The largest absolute difference of two answers of one shape."""
    a, b = np.broadcast_arrays(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float))
    with np.errstate(invalid="ignore"):
        return float(np.max(np.where(a == b, 0.0, np.abs(a - b)), initial=0.0))


@cache
def recorded(peer: str) -> dict[str, Any]:
    """The answers that another library gave on the cases of ``cases.py``, with its version."""
    found: dict[str, Any] = json.loads((RECORDS / f"{peer}.json").read_text(encoding="utf-8"))
    return found
