"""Values of arms and the variances of those values, from aggregates: arrays in, arrays out.

One look or five thousand experiments go through the same code: every argument is a number or an array, and all of them
broadcast (arms, metrics, days, segments along any axes). The arguments are the fields of ``Aggregates``: ``mean_*``
means over the ``n`` units, ``m2_*`` sums of squared deviations, ``cxy`` the sum of products of deviations. Units are
taken to be independent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofsheet.domain.result import Aggregates, Status
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]

KINDS = ("proportion", "mean", "ratio", "rate")
STATUSES = tuple(Status)  # a status code is a place in this tuple; 0 is OK
OK, NO_DATA, TOO_FEW, ZERO_CONTROL, NO_VARIANCE, UNBOUNDED = range(len(STATUSES))


def status_names(codes: ArrayLike) -> NDArray[np.object_]:
    """The ``Status`` of every code, in the same shape."""
    return np.asarray(np.array(STATUSES, dtype=object)[np.asarray(codes)])


def stack(aggregates: Iterable[Aggregates]) -> dict[str, Array]:
    """The fields of several aggregates as arrays by name, in their order; without what the means leave out."""
    rows, names = list(aggregates), [f.name for f in fields(Aggregates) if not f.name.startswith("rest")]
    return {name: np.array([getattr(a, name) for a in rows], dtype=np.float64) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Estimate:
    """Values of arms, all fields in one shape.

    Attributes:
        value: the arm's value; infinite where it does not exist.
        variance: of the value; infinite where it cannot be told.
        df: degrees of freedom of the variance, infinite where it follows from the value (proportion, rate).
        n: units.
        status: codes of ``STATUSES``: OK, NO_DATA or TOO_FEW.
    """

    value: Array
    variance: Array
    df: Array
    n: Array
    status: Codes

    def __getitem__(self, index: object) -> Estimate:
        """Some of the arms."""
        return Estimate(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


def proportion(n: ArrayLike, mean_x: ArrayLike) -> Estimate:
    """The share of units that did something: ``p = mean_x``, variance ``p (1 - p) / n``.

    Each unit is 0 or 1. NO_DATA where there are no units.

    Raises:
        InputError: a number is not finite, or a mean is not between 0 and 1.
    """
    n, mean_x = _checked(n=n, mean_x=mean_x)
    if not ((mean_x >= 0.0) & (mean_x <= 1.0 + 1e-12)).all():
        raise InputError(
            "A metric called a proportion has a mean that is not between 0 and 1.",
            "A proportion counts units that did something, once each; use the kind mean (or ratio) for amounts.",
        )
    p = np.minimum(mean_x, 1.0)
    return _estimate(p, p * (1.0 - p) / np.maximum(n, 1.0), np.full(n.shape, np.inf), n, n > 0, 1)


def mean(n: ArrayLike, mean_x: ArrayLike, m2_x: ArrayLike) -> Estimate:
    """The mean over units: ``mean_x`` with variance ``m2_x / (n - 1) / n`` and ``n - 1`` degrees of freedom.

    NO_DATA where there are no units, TOO_FEW where there is one. A spread that is rounding only counts as none.

    Raises:
        InputError: a number is not finite.
    """
    return ratio(n, mean_x, m2_x, 1.0, 0.0, 0.0)


def ratio(
    n: ArrayLike, mean_x: ArrayLike, m2_x: ArrayLike, mean_y: ArrayLike, m2_y: ArrayLike, cxy: ArrayLike
) -> Estimate:
    """A ratio of sums over units: ``R = mean_x / mean_y``, by the delta method.

    Variance ``(m2_x - 2 R cxy + R^2 m2_y) / ((n - 1) n mean_y^2)``, the spread of ``x - R y`` over units (Deng,
    Knoblich and Lu, KDD 2018), with ``n - 1`` degrees of freedom. The mean of y must be well away from 0. NO_DATA
    where there are no units or the denominator adds up to 0, TOO_FEW where there is one unit.

    Raises:
        InputError: a number is not finite.
    """
    n, mean_x, m2_x, mean_y, m2_y, cxy = _checked(n=n, mean_x=mean_x, m2_x=m2_x, mean_y=mean_y, m2_y=m2_y, cxy=cxy)
    there = (n > 0) & (mean_y != 0.0)
    base = np.where(there, mean_y, 1.0)
    value = mean_x / base
    free = np.maximum(n - 1.0, 1.0)
    variance = _residual_squares(n, mean_x, m2_x, m2_y, cxy, value) / free / (np.maximum(n, 1.0) * base * base)
    return _estimate(value, variance, free, n, there, 2)


def count_rate(n: ArrayLike, mean_x: ArrayLike, mean_y: ArrayLike, dispersion: ArrayLike = 1.0) -> Estimate:
    """Events per exposure: ``r = mean_x / mean_y`` with ``x`` a count and ``y`` the exposure.

    Variance ``dispersion * r / (n mean_y)``: Poisson's, times how often it exceeds that of counting alone (see
    ``dispersion_factor``). The totals of a report are ``n = 1`` and the totals as means. NO_DATA where there are no
    units or no exposure.

    Raises:
        InputError: a number is not finite, a count or an exposure is negative, or the dispersion is not positive.
    """
    n, mean_x, mean_y, dispersion = _checked(n=n, mean_x=mean_x, mean_y=mean_y, dispersion=dispersion)
    if (mean_x < 0).any() or (mean_y < 0).any():
        raise InputError(
            "A count rate has a negative count or exposure.", "Give counts and exposures of 0 or more, or use ratio."
        )
    if not (dispersion > 0).all():
        raise InputError("A dispersion is not a positive number.", "Give 1 for plain counting, more for restless data.")
    there = (n > 0) & (mean_y > 0)
    exposure = np.where(there, n * mean_y, 1.0)
    value = np.where(there, n * mean_x, 0.0) / exposure
    return _estimate(value, dispersion * value / exposure, np.full(n.shape, np.inf), n, there, 1)


def dispersion_factor(
    n: ArrayLike, mean_x: ArrayLike, m2_x: ArrayLike, mean_y: ArrayLike, m2_y: ArrayLike, cxy: ArrayLike
) -> Array:
    """By how many times counts vary more than Poisson's: ``sum((x - r y)^2) / (n - 1) / mean_x``.

    The mean squared residual of a rate ``r`` over its expectation ``r mean_y`` under Poisson, from moments. 1 where it
    cannot be told (fewer than two units, or no events).

    Raises:
        InputError: a number is not finite.
    """
    n, mean_x, m2_x, mean_y, m2_y, cxy = _checked(n=n, mean_x=mean_x, m2_x=m2_x, mean_y=mean_y, m2_y=m2_y, cxy=cxy)
    there = (n > 1) & (mean_y > 0) & (mean_x > 0)
    value = mean_x / np.where(there, mean_y, 1.0)
    squares = _residual_squares(n, mean_x, m2_x, m2_y, cxy, value)
    return np.where(there, squares / np.maximum(n - 1.0, 1.0) / np.where(there, mean_x, 1.0), 1.0)


def _residual_squares(n: Array, mean_x: Array, m2_x: Array, m2_y: Array, cxy: Array, value: Array) -> Array:
    """The sum of squares of ``x - value y`` over units; exactly 0 where only rounding is left of it."""
    scaled = value * value * m2_y
    squares = m2_x - 2.0 * value * cxy + scaled
    noise = np.maximum(1e-14 * (m2_x + scaled), n * (np.abs(mean_x) * 1e-12) ** 2)
    return np.where(squares > noise, squares, 0.0)


def _estimate(value: Array, variance: Array, df: Array, n: Array, there: Flags, least: int) -> Estimate:
    known = there & (n >= least)
    return Estimate(
        value=np.where(there, value, np.inf),
        variance=np.where(known, variance, np.inf),
        df=df,
        n=n,
        status=np.where(known, OK, np.where(there, TOO_FEW, NO_DATA)).astype(np.int8),
    )


def _checked(**values: ArrayLike) -> tuple[Array, ...]:
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in values.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise InputError(
                f"The aggregates hold a {name} that is not a finite number.",
                "Leave out rows with missing or infinite values, or correct them.",
            )
    if (arrays["n"] < 0).any():
        raise InputError("The aggregates hold a negative number of units.", "Give n as 0 or more.")
    return tuple(np.broadcast_arrays(*arrays.values()))
