"""Units seen in two arms: how many, between which arms, and by how much they can have hidden the difference.

Crossed units mix the arms. If a share ``a`` of an arm's units and ``b`` of the control's have also seen the other one,
and each of them reacts somewhere between the two, the observed difference lies between ``(1 - a - b)`` times the true
one and the true one: the effect of an encouragement with two-sided non-compliance (Bloom 1984; Angrist, Imbens and
Rubin 1996). Leaving crossed units out instead is no cure: who crosses is no random choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofsheet.domain.result import HealthCheck
from proofsheet.errors import InputError

Array = NDArray[np.float64]

WARNING_SHARE, BLOCKING_SHARE = 0.01, 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What two arms share: ``share`` and ``other_share`` of each one's units; ``dilution`` is their sum."""

    arm: str
    other: str
    units: int
    share: float
    other_share: float

    @property
    def dilution(self) -> float:
        """The greatest part of the true difference that may be hidden, at most 1."""
        return min(1.0, self.share + self.other_share)


def crossings(units: Mapping[tuple[str, ...], int]) -> tuple[Crossing, ...]:
    """Every pair of arms with the units that were seen in both, in the order of the names.

    Args:
        units: distinct units by the set of arms they were seen in, such as ``{("a",): 900, ("a", "b"): 7}``; orders
            and repeated names within a set do not matter. Such counts of parts of the units add up.

    Raises:
        InputError: a count is negative, or a set is empty.
    """
    sets = _merged(units)
    arms = sorted({arm for members in sets for arm in members})
    totals = {arm: sum(n for members, n in sets.items() if arm in members) for arm in arms}
    found = []
    for arm, other in combinations(arms, 2):
        both = sum(n for members, n in sets.items() if arm in members and other in members)
        found.append(
            Crossing(
                arm=arm,
                other=other,
                units=both,
                share=both / totals[arm] if totals[arm] else 0.0,
                other_share=both / totals[other] if totals[other] else 0.0,
            )
        )
    return tuple(found)


def undiluted_limits(low: ArrayLike, high: ArrayLike, dilution: ArrayLike) -> tuple[Array, Array]:
    """Limits of the true difference when crossed units may have hidden up to ``dilution`` of it.

    From an interval ``[low, high]`` of the observed difference (absolute, crossed units counted in the arm they were
    first seen in): ``min(low, low / (1 - dilution))`` and ``max(high, high / (1 - dilution))``. A limit beyond zero
    becomes infinite at a dilution of 1.

    Raises:
        InputError: a dilution is not from 0 to 1.
    """
    least, most, hidden = (np.asarray(a, dtype=float) for a in (low, high, dilution))
    if not ((hidden >= 0) & (hidden <= 1)).all():
        raise InputError("A dilution is not a share.", "Give values from 0 to 1.")
    with np.errstate(divide="ignore"):
        factor = np.where(hidden < 1, 1.0 / (1.0 - hidden), np.inf)
    with np.errstate(invalid="ignore"):
        return np.where(least < 0, least * factor, least), np.where(most > 0, most * factor, most)


def crossed_units(units: Mapping[tuple[str, ...], int], *, control: str = "", left_out: bool = False) -> HealthCheck:
    """Were units seen in more than one arm?

    From 1 % of all units on a warning, from 10 % blocking. The bound of dilution is told for the pair with the
    greatest one, among the pairs with the control where that is named; it holds for units counted in the arm they
    were first seen in. Where the analysis leaves crossed units out (``left_out``) there is no such bound, for who
    crosses is no random choice; the text says that instead.

    Raises:
        InputError: as ``crossings``.
    """
    sets = _merged(units)
    total = sum(sets.values())
    if not total or len({arm for members in sets for arm in members}) < 2:
        text = "There are no units of two arms to compare."
        return HealthCheck(name="crossed_units", ok=None, message=text, severity="info")
    crossed = sum(n for members, n in sets.items() if len(members) > 1)
    if not crossed:
        text = f"None of {total:,} units was seen in two arms."
        return HealthCheck(name="crossed_units", ok=True, message=text, severity="info")
    share = crossed / total
    pairs = sorted((c for c in crossings(sets) if c.units), key=lambda c: (-c.units, c.arm, c.other))
    shown = "; ".join(f"{c.arm} and {c.other}: {c.units:,}" for c in pairs[:3])
    more = f"; and {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
    tested = [c for c in pairs if control in (c.arm, c.other)] or pairs
    worst = max(tested, key=lambda c: c.dilution)
    text = (
        f"{crossed:,} of {total:,} units ({share:.2%}) were seen in more than one arm ({shown}{more}). "
        f"{'They are left out.' if left_out else _meaning(worst)}"
    )
    if share < WARNING_SHARE:
        return HealthCheck(name="crossed_units", ok=True, message=f"{text} That is little.", severity="info")
    text += (
        " Who crosses is no random choice, so those who are left may differ between the arms: look for the fault in "
        "the assignment."
        if left_out
        else " Look for the fault in the assignment; leaving these units out would choose among people."
    )
    severity = "blocking" if share >= BLOCKING_SHARE else "warning"
    return HealthCheck(name="crossed_units", ok=False, message=text, severity=severity)


def _meaning(pair: Crossing) -> str:
    if pair.dilution >= 1.0:
        return f"Between {pair.arm} and {pair.other} any difference can be hidden."
    return (
        f"Between {pair.arm} and {pair.other} the true difference can be up to {1.0 / (1.0 - pair.dilution):.3f} times "
        "the observed one."
    )


def _merged(units: Mapping[tuple[str, ...], int]) -> dict[tuple[str, ...], int]:
    sets: dict[tuple[str, ...], int] = {}
    for members, n in units.items():
        if n < 0 or not members:
            raise InputError(
                f"{n} units in the arms {members} cannot be.",
                "Give counts of 0 or more by the arms units were seen in.",
            )
        key = tuple(sorted(set(members)))
        sets[key] = sets.get(key, 0) + n
    return sets
