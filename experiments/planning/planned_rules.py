"""The rules a planned test is judged by: level, sides, margin, split of traffic, and the correction for several arms.

The level of one comparison is ``alpha / k`` (Bonferroni), or Dunnett's (see ``comparing.dunnett``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

from experiments.comparing.dunnett import dunnett_critical
from proofsheet.errors import InputError

Array = npt.NDArray[np.float64]
#: A number, or an array of them; arrays of one call are broadcast against each other.
Numbers = float | Array

CORRECTIONS = ("bonferroni", "dunnett", "none")
TESTED = ("difference", "lift")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rules:
    """How a planned comparison of an arm with the control is judged. All numbers may be arrays.

    Args:
        alpha: error rate of the whole test: all comparisons together, both sides where there are two.
        sides: 2, or 1. With a margin only the side of harm counts, at the level that one limit of an interval of
            these sides has (0.025 with two sides at 0.05).
        margin: the harm tolerated by a non-inferiority test, 0 for a test of "no difference". In the effect's unit.
        higher_is_better: says on which side the margin lies.
        relative: effects and the margin are shares of the control's value (its size, where that is negative).
        tested: "difference" for the test that this package runs (p from the absolute difference; with a relative
            margin from ``arm - (1 - margin) x control``, Fieller's test, and the score test of a ratio for rates), or
            "lift" for a test of the lift by the delta method, whose variance grows with the lift.
        control_ratio: units of the control per unit of an arm.
        comparisons: arms against the control.
        correction: "bonferroni", "dunnett" or "none". Holm's correction finds at least what Bonferroni's does.
        r_squared: share of the variance taken away by covariates: the variance is multiplied by ``1 - r_squared``.
        dispersion: by how many times the variance exceeds that of independent units (design effect).

    Raises:
        InputError: a value is outside its range.
    """

    alpha: Numbers = 0.05
    sides: int = 2
    margin: Numbers = 0.0
    higher_is_better: bool = True
    relative: bool = True
    tested: str = "difference"
    control_ratio: Numbers = 1.0
    comparisons: Numbers = 1
    correction: str = "bonferroni"
    r_squared: Numbers = 0.0
    dispersion: Numbers = 1.0
    #: The level of one tail of one comparison.
    tail_level: Array = field(init=False)

    def __post_init__(self) -> None:
        inside("alpha", self.alpha, 0.0, 1.0, "Usual is 0.05.")
        if self.sides not in (1, 2):
            raise InputError(f"A test with {self.sides} sides does not exist.", "It has 1 side or 2.")
        if self.correction not in CORRECTIONS:
            raise InputError(f"The correction {self.correction!r} cannot be planned.", _one_of(CORRECTIONS))
        if self.tested not in TESTED:
            raise InputError(f"A test of the {self.tested!r} does not exist.", _one_of(TESTED))
        at_least("margin", self.margin, 0.0, "Give the harm that is tolerated, such as 0.02; 0 for none.")
        if self.relative and self.higher_is_better and np.any(np.asarray(self.margin) >= 1.0):
            raise InputError(
                f"A relative margin of {self.margin} tolerates the loss of everything.", "Give a share below 1."
            )
        inside("control_ratio", self.control_ratio, 0.0, np.inf, "1 gives the control as much as each arm.")
        at_least("comparisons", self.comparisons, 1.0, "Count the arms other than the control.")
        at_least("dispersion", self.dispersion, 1.0, "1 is the variance of independent units.")
        at_least("r_squared", self.r_squared, 0.0, "Give the share of variance that covariates explain, or 0.")
        inside("1 - r_squared", 1.0 - np.asarray(self.r_squared), 0.0, np.inf, "The share is below 1.")
        object.__setattr__(self, "tail_level", self._tail_level())

    @property
    def variance_factor(self) -> Array:
        """By what the variance of independent units is multiplied: ``dispersion x (1 - r_squared)``."""
        return np.asarray(self.dispersion, dtype=float) * (1.0 - np.asarray(self.r_squared, dtype=float))

    @property
    def null_effect(self) -> Array:
        """The effect at the border of the null hypothesis: 0, or the margin on the side of harm."""
        margin = np.asarray(self.margin, dtype=float)
        return -margin if self.higher_is_better else margin

    @property
    def two_tailed(self) -> npt.NDArray[np.bool_]:
        """Where a deviation to either side counts as a finding."""
        return np.asarray((np.asarray(self.margin) == 0.0) & (self.sides == 2), dtype=bool)

    def _tail_level(self) -> Array:
        alpha, k = np.asarray(self.alpha, dtype=float), np.asarray(self.comparisons, dtype=float)
        if self.correction == "dunnett":
            ratio = np.asarray(self.control_ratio, dtype=float)
            share = np.asarray(1.0 / (1.0 + ratio))
            critical = dunnett_critical(alpha, share[..., None], k[..., None], sides=self.sides)
            return np.asarray(special.ndtr(-critical))
        return alpha / self.sides / (1.0 if self.correction == "none" else k)

    @property
    def critical(self) -> Array:
        """The critical value of the normal for one comparison."""
        return np.asarray(-special.ndtri(self.tail_level))


def inside(name: str, value: Numbers, low: float, high: float, remedy: str) -> None:
    """Raise InputError unless every number lies strictly between the two."""
    numbers = np.asarray(value, dtype=float)
    if not np.all((numbers > low) & (numbers < high)):
        rule = f"above {low:g}" if np.isinf(high) else f"between {low:g} and {high:g}"
        raise InputError(f"{name} is {_shown(numbers)}; it must be {rule}.", remedy)


def at_least(name: str, value: Numbers, low: float, remedy: str) -> None:
    """Raise InputError unless every number is finite and not below ``low``."""
    numbers = np.asarray(value, dtype=float)
    if not np.all((numbers >= low) & np.isfinite(numbers)):
        raise InputError(f"{name} is {_shown(numbers)}; it must be {low:g} or more.", remedy)


def _shown(numbers: Array) -> str:
    return f"{float(numbers):g}" if numbers.ndim == 0 else f"[{', '.join(f'{v:g}' for v in numbers.ravel()[:6])}]"


def _one_of(known: tuple[str, ...]) -> str:
    return f"Choose one of: {', '.join(known)}."
