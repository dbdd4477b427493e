"""Whether a set shows what it was meant to show: met, not met, or not known yet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from proofsheet.domain.coverage import TOLERANCE
from proofsheet.errors import InputError
from scoring.coverage.shares import Floats


class Coverage(StrEnum):
    """The three things that can be said honestly."""

    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "insufficient evidence"


@dataclass(frozen=True, slots=True)
class Band:
    """The shares of a value that are fine: ``least`` to ``most``, around ``target``."""

    target: float
    least: float
    most: float


def bands_of(values: Sequence[str], wanted: Mapping[str, float], tolerance: float = TOLERANCE) -> tuple[Band, ...]:
    """The band of each value; what the brief does not name is wanted in equal parts of what is left.

    Raises:
        InputError: a value is not of the axis, a share is none, or together they are more than 1.
    """
    strange = [name for name in wanted if name not in values]
    if strange:
        raise InputError(f"{strange[0]!r} is no value of this axis.", f"Its values: {', '.join(values)}.")
    for name, share in wanted.items():
        if not 0.0 <= share <= 1.0:
            raise InputError(f"The target {share} of {name!r} is not between 0 and 1.", "Give a share, such as 0.25.")
    if not 0.0 < tolerance < 1.0:
        raise InputError(f"The tolerance {tolerance} is not between 0 and 1.", "Give a share, such as 0.1.")
    named, free = math.fsum(wanted.values()), [name for name in values if name not in wanted]
    if named > 1.0 + 1e-9 or (not free and named < 1.0 - 1e-9):
        raise InputError(
            f"The targets add up to {named:.4g}, not to 1.", "Give shares that add up to 1, or leave some values out."
        )
    rest = max(0.0, 1.0 - named) / len(free) if free else 0.0
    targets = [wanted.get(name, rest) for name in values]
    return tuple(Band(one, max(0.0, one - tolerance), min(1.0, one + tolerance)) for one in targets)


def judge(low: float, high: float, band: Band) -> Coverage:
    """Hold the interval of one share against its band.

    Met where the whole interval lies in the band, not met where it lies wholly outside: a true share outside its band
    is called met no more often than intervals miss.
    """
    if band.least <= low and high <= band.most:
        return Coverage.MET
    return Coverage.NOT_MET if high < band.least or low > band.most else Coverage.UNKNOWN


def whole(each: Iterable[Coverage]) -> Coverage | None:
    """The verdict of an axis by those of its values: met where each is, not met where one is not; None without any."""
    found = set(each)
    if Coverage.NOT_MET in found:
        return Coverage.NOT_MET
    if not found:
        return None
    return Coverage.MET if found == {Coverage.MET} else Coverage.UNKNOWN


def distance(share: ArrayLike, bands: Sequence[Band]) -> float:
    """Total variation of shares (K,) from their targets: the part of the set that would have to show something else."""
    return float(np.abs(np.asarray(share) - [band.target for band in bands]).sum() / 2.0)


def normalised_entropy(share: Floats) -> float:
    """Shannon's entropy of shares (K,) over log K, 0 to 1."""
    some = share[share > 0.0]
    return max(0.0, float(-(some * np.log(some)).sum() / np.log(share.size)))
