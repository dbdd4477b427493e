"""Whether a set shows what it was meant to show: met, not met, or not known yet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from proofsheet.errors import InputError
from scoring.coverage.shares import Floats, Shares

#: How far a share may lie from its target where the brief names no band.
TOLERANCE = 0.10


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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """An axis held against its bands.

    Attributes:
        verdict: of the whole axis: met where each value's is, not met where one is not.
        each: of each value.
        entropy: of the shares, as a part of the most there can be: 1 where all are equal, 0 where there is only one.
        distance: total variation from the target: the part of the set that would have to show something else.
    """

    verdict: Coverage
    each: tuple[Coverage, ...]
    entropy: float
    distance: float


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


def judge(shares: Shares, bands: Sequence[Band]) -> Judged:
    """Hold one axis's shares (K,) against its bands.

    A value is met where its whole interval lies in the band, not met where it lies wholly outside: a true share outside
    its band is called met no more often than intervals miss.
    """
    low, high = shares.low, shares.high
    each = tuple(_verdict(float(a), float(b), band) for a, b, band in zip(low, high, bands, strict=True))
    whole = Coverage.UNKNOWN
    if Coverage.NOT_MET in each:
        whole = Coverage.NOT_MET
    elif all(one is Coverage.MET for one in each):
        whole = Coverage.MET
    target = np.array([band.target for band in bands])
    return Judged(
        verdict=whole,
        each=each,
        entropy=normalised_entropy(shares.share),
        distance=float(np.abs(shares.share - target).sum() / 2.0),
    )


def normalised_entropy(share: Floats) -> float:
    """Shannon's entropy of shares (K,) over log K, 0 to 1."""
    some = share[share > 0.0]
    return max(0.0, float(-(some * np.log(some)).sum() / np.log(share.size)))


def _verdict(low: float, high: float, band: Band) -> Coverage:
    if band.least <= low and high <= band.most:
        return Coverage.MET
    return Coverage.NOT_MET if high < band.least or low > band.most else Coverage.UNKNOWN
