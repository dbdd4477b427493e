"""Priors: how large true effects are held to be before a test, in the unit of the effect (a share for lifts)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = float | Array

LARGEST_DF = 200.0
_NEARLY_FLAT = 1e100


@dataclass(frozen=True, slots=True)
class FlatPrior:
    """Every effect as likely as any other: the posterior says what the estimate and its error say."""

    def scaled(self, factor: ArrayLike) -> FlatPrior:
        """The same: flat on the lift is flat on the effect."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalPrior:
    """Effects are normal around ``mean``; numbers or arrays that broadcast with the estimates.

    Args:
        mean: of true effects, in their unit (a share for lifts).
        sd: standard deviation of true effects, above 0; infinite for a flat prior.

    Raises:
        InputError: a mean is not finite or an sd not above 0.
    """

    mean: Numbers = 0.0
    sd: Numbers

    def __post_init__(self) -> None:
        _check_place(self.mean, self.sd, "sd")

    def scaled(self, factor: ArrayLike) -> NormalPrior:
        """The prior of the absolute effect where this one is of the lift: times ``|factor|``, the control's value.

        Where the control's value is zero or not finite a lift does not exist and the prior becomes flat.
        """
        size, flat = _size(factor)
        return NormalPrior(mean=np.where(flat, 0.0, self.mean * size), sd=np.where(flat, np.inf, self.sd * size))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudentPrior:
    """Effects follow Student's t around ``mean``: many small ones, few large ones.

    Args:
        mean: centre of true effects, in their unit.
        scale: Student's scale, above 0 (the standard deviation is ``scale sqrt(df / (df - 2))`` for df above 2).
        df: degrees of freedom, above 1 and up to 200 (beyond, take a normal prior).

    Raises:
        InputError: a number is outside its range.
    """

    mean: Numbers = 0.0
    scale: Numbers
    df: Numbers

    def __post_init__(self) -> None:
        _check_place(self.mean, self.scale, "scale")
        df = np.asarray(self.df, dtype=float)
        if not np.all((df > 1.0) & (df <= LARGEST_DF)):
            raise InputError(
                f"The degrees of freedom {self.df} of a Student prior are not above 1 and at most {LARGEST_DF:.0f}.",
                "Give a number such as 4, or take a normal prior for light tails.",
            )

    def scaled(self, factor: ArrayLike) -> StudentPrior:
        """As for ``NormalPrior``: the prior of the absolute effect where this one is of the lift."""
        size, flat = _size(factor)
        return StudentPrior(
            mean=np.where(flat, 0.0, self.mean * size), scale=np.where(flat, np.inf, self.scale * size), df=self.df
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixturePrior:
    """Effects come from one of several normals: what a prior is whose own numbers are uncertain (see ``priors``).

    Args:
        mean, sd: of each part, along the last axis; the axes before it broadcast with the estimates.
        log_weight: logarithms of the parts' weights, adding up to one; of the last axis alone.

    Raises:
        InputError: a mean is not finite, a deviation not above 0, or a weight is missing.
    """

    mean: Array
    sd: Array
    log_weight: Array

    def __post_init__(self) -> None:
        _check_place(self.mean, self.sd, "sd")
        if np.ndim(self.mean) == 0 or np.shape(self.mean)[-1] != np.shape(self.log_weight)[-1]:
            raise InputError("A mixture prior does not have one weight a part.", "Give means, sds and weights alike.")

    def scaled(self, factor: ArrayLike) -> MixturePrior:
        """As for ``NormalPrior``: the prior of the absolute effect where this one is of the lift."""
        size, flat = (a[..., None] for a in _size(factor))
        return MixturePrior(
            mean=np.where(flat, 0.0, self.mean * size),
            sd=np.where(flat, _NEARLY_FLAT, self.sd * size),
            log_weight=self.log_weight,
        )


Prior = FlatPrior | NormalPrior | StudentPrior | MixturePrior


def _size(factor: ArrayLike) -> tuple[Array, Flags]:
    size = np.abs(np.asarray(factor, dtype=float))
    flat = ~(np.isfinite(size) & (size > 0))
    return np.where(flat, 1.0, size), flat


def _check_place(mean: Numbers, width: Numbers, name: str) -> None:
    if not np.all(np.isfinite(mean)):
        raise InputError(f"The prior's mean {mean} is not a finite number.", "Give the average effect, such as 0.")
    if not np.all(np.asarray(width, dtype=float) > 0):
        raise InputError(f"The prior's {name} {width} is not above 0.", f"Give a {name} such as 0.1 for lifts.")
