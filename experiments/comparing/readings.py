"""How rows are read: at one look, or at every look of a running test.

A reading turns the level at which an interval shall hold into the level at which it is drawn, and the p-value of one
look into one that agrees: whatever the contrast, an interval leaves out zero exactly when ``p < alpha``, at each look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from experiments.basis.distributions import TINY
from experiments.comparing.contrasts import Contrast, Limits
from experiments.comparing.rows import Comparison, Family, result_rows
from proofsheet.domain.result import Result, Status, Validity

EARLY = "It is too early for limits of the lift that hold at every look."
_ONE_DEVIATION = math.erfc(math.sqrt(0.5))  # the two-sided level at which a normal's limits are one deviation away


class Reading(Protocol):
    """The levels of one look; arms may stand at different sizes."""

    @property
    def validity(self) -> Validity:
        """What intervals and p-values are good for."""
        ...

    def level(self, arm: str, alpha: float) -> float:
        """The two-sided level at which to draw an interval of this arm that shall miss with chance ``alpha``."""
        ...

    def p_value(self, arm: str, p_value: float) -> float:
        """The p-value that belongs to it: below ``alpha`` exactly when ``p_value < level(arm, alpha)``."""
        ...


@dataclass(frozen=True, slots=True)
class OneLook:
    """The plain fixed interval: one look, at a size chosen before the results were known."""

    @property
    def validity(self) -> Validity:
        """Fixed."""
        return Validity.FIXED

    def level(self, arm: str, alpha: float) -> float:
        """The level itself."""
        return alpha

    def p_value(self, arm: str, p_value: float) -> float:
        """The p-value itself."""
        return p_value


@dataclass(frozen=True, slots=True)
class ReadContrast:
    """A contrast whose p-value and limits are those of a reading; estimate and chance stay."""

    inner: Contrast
    arm: str
    reading: Reading

    @property
    def method(self) -> str:
        return self.inner.method

    @property
    def note(self) -> str:
        return self.inner.note

    @property
    def dispersion(self) -> float | None:
        return self.inner.dispersion

    @property
    def status(self) -> Status:
        return self.inner.status

    @property
    def values(self) -> tuple[float | None, float | None]:
        return self.inner.values

    @property
    def effect(self) -> float | None:
        return self.inner.effect

    @property
    def lift(self) -> float | None:
        return self.inner.lift

    @property
    def p_value(self) -> float | None:
        p = self.inner.p_value
        return None if p is None else self.reading.p_value(self.arm, p)

    @property
    def chance(self) -> float | None:
        return self.inner.chance

    @property
    def control_share(self) -> float:
        return self.inner.control_share

    def effect_limits(self, alpha: float) -> Limits | None:
        level = self.reading.level(self.arm, alpha)
        return self.inner.effect_limits(level) if level > TINY else None

    def lift_limits(self, alpha: float) -> Limits | None:
        level = self.reading.level(self.arm, alpha)
        return self.inner.lift_limits(level) if level > TINY else None


def read_rows(family: Family, comparisons: Sequence[Comparison], reading: Reading | None) -> tuple[Result, ...]:
    """The rows of a family as a reading gives them; without one as they are, for one look.

    The correction for several arms runs over the reading's p-values, and simultaneous limits are drawn at the
    reading's level for the corrected one. Dunnett's rests on the arms' correlation at one look, so Holm's stands in for
    it where the rows hold at every look.
    """
    if reading is None:
        return result_rows(family, comparisons)
    if reading.validity is Validity.ALWAYS and family.correction == "dunnett":
        family = replace(family, correction="holm")
    read = [
        c if c.contrast is None else replace(c, contrast=ReadContrast(c.contrast, c.arm, reading)) for c in comparisons
    ]
    rows = result_rows(family, read)
    return tuple(_mark(row, c, reading, family.confidence) for row, c in zip(rows, comparisons, strict=True))


def _mark(row: Result, comparison: Comparison, reading: Reading, confidence: float) -> Result:
    """The row with its validity and the standard error of its lift; a lack of limits by the looks alone is said so."""
    contrast, note = comparison.contrast, row.note
    if contrast is not None and row.status is Status.UNBOUNDED and _known(contrast.lift_limits(1.0 - confidence)):
        note = " ".join(part for part in (comparison.note, contrast.note, EARLY) if part)
    return replace(row, validity=reading.validity, lift_error=_lift_error(contrast), note=note)


def _lift_error(contrast: Contrast | None) -> float | None:
    """Half the width of the lift's one-deviation interval, which minds its skewness; None where there is none."""
    limits = None if contrast is None else contrast.lift_limits(_ONE_DEVIATION)
    return (limits[1] - limits[0]) / 2.0 if limits is not None and _known(limits) else None


def _known(limits: Limits | None) -> bool:
    return limits is not None and all(map(math.isfinite, limits))
