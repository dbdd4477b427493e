"""What the facts of a picture leave open, as a few independent normal numbers that follow from its seed.

The renderer takes every free choice from these numbers, so they say of a picture what its caption does not. The
denoiser is taught with noise that carries them (see ``training.coupling``): for one caption, one noise, there is then
one picture, and not the mean of many.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import SupportsLenAndGetItem

_Any = TypeVar("_Any")

#: How many numbers a picture has.
SLOTS = 48


def draws_of(seed: int) -> NDArray[np.float32]:
    """The numbers (SLOTS,) of a seed, standard normal."""
    return np.random.default_rng([seed & 0xFFFFFFFF, 4711]).standard_normal(SLOTS).astype(np.float32)


class Dice(random.Random):
    """Chance that first uses up some of a picture's numbers, in order, and then goes on by itself.

    Args:
        draws: of the picture.
        start, stop: the slots used.
    """

    def __new__(cls, draws: NDArray[np.float32], start: int, stop: int) -> Dice:
        """A generator whose own seed follows from the numbers it uses."""
        return super().__new__(cls, _mark(draws, start))  # type: ignore[call-arg]

    def __init__(self, draws: NDArray[np.float32], start: int, stop: int) -> None:
        self._given: Iterator[float] = iter([float(value) for value in draws[start:stop]])
        super().__init__(_mark(draws, start))

    def random(self) -> float:
        """The next number, as the share (0–1) of all that are smaller."""
        value = next(self._given, None)
        if value is None:
            return super().random()
        return min(0.5 + 0.5 * math.erf(value / math.sqrt(2)), 1 - 1e-9)

    def choice(self, seq: SupportsLenAndGetItem[_Any]) -> _Any:
        """One of them, the later ones for greater numbers. ``random.Random`` takes a number's last digits instead,
        which nothing can learn."""
        return seq[int(self.random() * len(seq))]

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """One of the range's numbers, greater for greater numbers."""
        numbers = range(start) if stop is None else range(start, stop, step)
        return self.choice(numbers)


def _mark(draws: NDArray[np.float32], start: int) -> int:
    return int.from_bytes(draws.tobytes()[:8], "little") + start
