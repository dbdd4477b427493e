"""Estimates of arms that are not independent of each other, and contrasts of them, for a whole stack of experiments.

Adjusted means share what they were adjusted with, so that they covary. ``ArmEstimates`` keeps the full covariance over
arms, ``MeanContrasts`` sets one arm against the control in all experiments at once, and ``AdjustedContrast`` is one of
them in the form that result rows take.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.basis.distributions import t_critical
from experiments.basis.tails import t_critical as many_t_critical
from experiments.comparing.contrasts import Limits, MeanContrast
from experiments.comparing.lift_intervals import fieller
from experiments.comparing.pairs import check_level, tails
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustedContrast(MeanContrast):
    """A ``MeanContrast`` of two estimates with a covariance; the effect's variance is ``v1 + v0 - 2 cov``."""

    covariance: float = 0.0

    @property
    def _error(self) -> float:
        return math.sqrt(float(difference_variance(self.arm_variance, self.control_variance, self.covariance)))

    @property
    def control_share(self) -> float:
        return min(1.0, max(0.0, (self.control_variance - self.covariance) / self._error**2)) if self._error else 0.5

    def lift_limits(self, alpha: float) -> Limits | None:
        """Fieller's limits with the covariance; None when the control is not clearly away from zero."""
        if not self._error or not self.control:
            return None
        v1, v0, cov = self.arm_variance, self.control_variance, self.covariance
        low, high = fieller_limits(self.effect, self.control, v1, v0, cov, t_critical(alpha, self.df))
        return (float(low), float(high)) if math.isfinite(low) and math.isfinite(high) else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanContrasts:
    """One arm against the control in every experiment of a stack: the vectorised twin of ``MeanContrast``.

    Args:
        arm, control: the estimates, shape (…).
        arm_variance, control_variance, covariance: of the estimates.
        df: degrees of freedom of the difference, infinite for a z test.
        plain_variance: the variance of the effect without any adjustment.
        usable: False where an arm has too little data; there limits are infinite and p is 1.
    """

    arm: Array
    control: Array
    arm_variance: Array
    control_variance: Array
    covariance: Array
    df: Array
    plain_variance: Array
    usable: Flags
    method: str

    @property
    def effect(self) -> Array:
        """The arm's value minus the control's."""
        return np.asarray(self.arm - self.control)

    @property
    def effect_variance(self) -> Array:
        """``v1 + v0 - 2 cov``; infinite where not usable."""
        variance = difference_variance(self.arm_variance, self.control_variance, self.covariance)
        return np.where(self.usable, variance, np.inf)

    @property
    def lift(self) -> Array:
        """The effect relative to the size of the control's value; infinite where that is zero and no lift exists."""
        size = np.abs(self.control)
        ratio = self.effect / np.where(size > 0, size, 1.0)
        return np.where(size > 0, ratio, np.copysign(np.inf, self.effect))

    @property
    def variance_saved(self) -> Array:
        """``1 - variance / variance without adjustment`` of the effect: R² of the adjustment. Zero where not usable."""
        known = self.usable & (self.plain_variance > 0)
        saved = 1.0 - np.where(known, self.effect_variance, 1.0) / np.where(known, self.plain_variance, 1.0)
        return np.where(known, saved, 0.0)

    @property
    def p_value(self) -> Array:
        """Two-sided, for no difference, by Student's t; 1 where there is no variance or too little data."""
        error = np.sqrt(self.effect_variance)
        known = self.usable & (error > 0)
        return tails(np.where(known, self.effect / np.where(known, error, 1.0), 0.0), self.df, known, "two-sided")[0]

    def effect_limits(self, alpha: float = 0.05) -> tuple[Array, Array]:
        """Limits of the effect; infinite where there is no variance or too little data."""
        variance = self.effect_variance
        reach = np.where(variance > 0, self._critical(alpha) * np.sqrt(variance), np.inf)
        return np.asarray(self.effect - reach), np.asarray(self.effect + reach)

    def lift_limits(self, alpha: float = 0.05) -> tuple[Array, Array]:
        """Fieller's limits of the lift, see ``lift_intervals.fieller``; infinite where they do not exist."""
        v1, v0, cov = (
            np.where(self.usable, part, 0.0) for part in (self.arm_variance, self.control_variance, self.covariance)
        )
        low, high = fieller_limits(self.effect, self.control, v1, v0, cov, self._critical(alpha))
        known = self.usable & (self.effect_variance > 0) & (self.control != 0)
        return np.where(known, low, -np.inf), np.where(known, high, np.inf)

    def at(self, index: Any = (), *, note: str = "") -> AdjustedContrast | None:
        """One experiment's contrast for result rows; None where there is too little data."""
        if not bool(self.usable[index]):
            return None
        parts = ("arm", "control", "arm_variance", "control_variance", "covariance", "df")
        numbers = {name: float(getattr(self, name)[index]) for name in parts}
        return AdjustedContrast(**numbers, method=self.method, note=note)

    def _critical(self, alpha: float) -> Array:
        return many_t_critical(check_level(alpha) / 2.0, self.df)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmEstimates:
    """The values of all arms of every experiment of a stack, with their covariance.

    Args:
        value: shape (…, A); 0 for an arm without any unit.
        covariance: of the values, shape (…, A, A).
        own_variance, df: the part of each arm's variance that is estimated from its own residuals, and the degrees of
            freedom of that; shape (…, A).
        plain_variance: of each arm's value without adjustment, shape (…, A).
        usable: False where an arm has too little data for a variance, shape (…, A).
        pooled_df: of the variance common to all arms, where one is used, shape (…).
    """

    value: Array
    covariance: Array
    own_variance: Array
    df: Array
    plain_variance: Array
    usable: Flags
    method: str
    pooled_df: Array | None = None

    def against(self, arm: int, control: int) -> MeanContrasts:
        """One arm against the control; df by Welch and Satterthwaite unless the variance is pooled."""
        count = self.value.shape[-1]
        if arm == control or not all(0 <= i < count for i in (arm, control)):
            raise InputError(
                f"Arm {arm} against {control} of {count} arms.", "Name two arms by their positions from 0."
            )
        covariance = self.covariance
        return MeanContrasts(
            arm=self.value[..., arm],
            control=self.value[..., control],
            arm_variance=covariance[..., arm, arm],
            control_variance=covariance[..., control, control],
            covariance=covariance[..., arm, control],
            df=self._welch_df(arm, control) if self.pooled_df is None else self.pooled_df,
            plain_variance=self.plain_variance[..., arm] + self.plain_variance[..., control],
            usable=self.usable[..., arm] & self.usable[..., control],
            method=self.method,
        )

    def _welch_df(self, arm: int, control: int) -> Array:
        own = self.own_variance[..., [arm, control]]
        total = own.sum(axis=-1, keepdims=True)
        df = np.maximum(self.df[..., [arm, control]], 1.0)
        share = np.where(total > 0, own / np.where(total > 0, total, 1.0), df / df.sum(axis=-1, keepdims=True))
        return np.asarray(1.0 / (share**2 / df).sum(axis=-1))


def difference_variance(arm_variance: ArrayLike, control_variance: ArrayLike, covariance: ArrayLike) -> Array:
    """``v1 + v0 - 2 cov``, and 0 where that is nothing but rounding (below 1e-14 of ``v1 + v0``)."""
    both = np.asarray(arm_variance, dtype=float) + np.asarray(control_variance, dtype=float)
    variance = both - 2.0 * np.asarray(covariance, dtype=float)
    return np.where(variance > 1e-14 * both, variance, 0.0)


def fieller_limits(
    effect: ArrayLike,
    control: ArrayLike,
    arm_variance: ArrayLike,
    control_variance: ArrayLike,
    covariance: ArrayLike,
    critical: ArrayLike,
) -> tuple[Array, Array]:
    """Limits of ``(arm - control) / |control|`` by Fieller from raw numbers: see ``lift_intervals.fieller``; broadcast.

    Minus and plus infinity where the effect does not vary.
    """
    numbers = (effect, control, arm_variance, control_variance, covariance, critical)
    effect, base, v1, v0, cov, c = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in numbers))
    variance = difference_variance(v1, v0, cov)
    known = variance > 0.0
    error = np.sqrt(np.where(known, variance, 1.0))
    low, high = fieller(
        effect / error,
        np.abs(base) / error,
        v0 / error**2,
        np.where(base < 0.0, -1.0, 1.0) * (v0 - cov) / error**2,
        c,
    )
    return np.where(known, low, -np.inf), np.where(known, high, np.inf)


def ratio_gradient(value: Array) -> tuple[Array, Array, Flags]:
    """Ratios of two means, their gradient ``(1, -R) / denominator``, and where the denominator is not zero.

    Args:
        value: numerator and denominator, shape (…, 2). A denominator of zero gives a ratio and gradient of zero.
    """
    exists = value[..., 1] != 0.0
    below = np.where(exists, value[..., 1], 1.0)
    ratio = np.where(exists, value[..., 0] / below, 0.0)
    gradient = np.stack([np.ones_like(ratio), -ratio], axis=-1) / below[..., None]
    return ratio, np.where(exists[..., None], gradient, 0.0), exists
