"""The looks at one test, from the launch to its end, as a reading of result rows.

While the test runs, the mixture boundary at a share of alpha; at its one final look the critical value that brings the
error of all looks together to alpha (``hybrid``). Both are handed on as the level at which a contrast's own interval
is drawn: a score interval, Fieller's or the cell model's stays what it is, and is drawn wider. Every contrast's
p-value counts as that of a normal deviate, so that the guarantee is as good as its normal approximation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.basis.distributions import normal_critical
from experiments.sequential.asymptotic import (
    Array,
    check_alpha,
    equivalent_alpha,
    log_e_value,
    multiplier,
    p_from_log_e,
    tuning_ratio,
)
from experiments.sequential.hybrid import final_p, nominal_log_p, table_levels
from proofsheet.domain.result import Validity
from proofsheet.errors import InputError


def progress_of(n: ArrayLike, control_n: ArrayLike, planned_n: float) -> Array:
    """The information on the difference of two arms, as a share of that of two arms of the planned size.

    ``2 / (1 / n + 1 / control_n) / planned_n``: the harmonic mean, since the smaller arm rules. 0 without units.

    Args:
        n, control_n: units so far; arrays broadcast.
        planned_n: units that each arm needs.

    Raises:
        InputError: the planned number is not positive.
    """
    if not (math.isfinite(planned_n) and planned_n > 0):
        raise InputError(f"The planned size {planned_n} is not positive.", "Give the units each arm needs, above 0.")
    first, second = np.asarray(n, dtype=float), np.asarray(control_n, dtype=float)
    known = (first > 0) & (second > 0)
    mean = 2.0 / (1.0 / np.where(known, first, 1.0) + 1.0 / np.where(known, second, 1.0))
    return np.asarray(np.where(known, mean, 0.0) / planned_n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """One look among many at a test (a ``comparing.readings.Reading``).

    Args:
        progress: by arm, as of ``progress_of``; an arm that is not named has none.
        final: this look ends the test; there is one such look.
        alpha: the level the looks are tuned to; intervals may be drawn at others, such as a corrected one.
        monitor_share: the share of alpha spent on the looks before the final one; 1 where none shall come.
    """

    progress: Mapping[str, float]
    final: bool
    alpha: float = 0.05
    monitor_share: float = 0.5

    def __post_init__(self) -> None:
        check_alpha(self.alpha)
        if not 0.0 < self.monitor_share <= 1.0:
            raise InputError(
                f"The share {self.monitor_share} of the error is not between 0 and 1.", "Give a share, such as 0.5."
            )

    @property
    def validity(self) -> Validity:
        """Fixed at the final look, always valid before."""
        return Validity.FIXED if self.final else Validity.ALWAYS

    def level(self, arm: str, alpha: float) -> float:
        """The two-sided level at which to draw the arm's interval; 0 at level 0, and where nothing has come in yet."""
        progress = self.progress.get(arm, 0.0)
        if not alpha > 0.0:
            return 0.0
        if self.final:
            return float(final_level(alpha, progress, tuned_to=self.alpha, monitor_share=self.monitor_share))
        return float(equivalent_alpha(multiplier(self._ratio(arm), alpha * self.monitor_share)))

    def p_value(self, arm: str, p_value: float) -> float:
        """The least level at which the plan rejects at this look, from the p-value of this look alone."""
        z, share = normal_critical(p_value), self.monitor_share
        if self.final:
            return float(final_p(np.asarray(z), np.asarray(self.progress.get(arm, 0.0)), self.alpha, share))
        return float(p_from_log_e(log_e_value(z, self._ratio(arm)) + math.log(share)))

    def _ratio(self, arm: str) -> float:
        return self.progress.get(arm, 0.0) * tuning_ratio(self.alpha * self.monitor_share)


def final_level(level: float, progress: ArrayLike, *, tuned_to: float = 0.05, monitor_share: float = 0.5) -> Array:
    """The two-sided level of a fixed interval at the final look, where the whole plan shall err with chance ``level``.

    The inverse of the p-value of ``hybrid_test`` for a plan tuned to the level ``tuned_to``: exact at that level, and
    within 1 % of the value at others.

    Returns:
        Array of the shape of ``progress``: 0.0467 at level 0.05 and progress 1.
    """
    check_alpha(level)
    known = np.append(np.log(table_levels(tuned_to)), 0.0)
    nominal = nominal_log_p(np.asarray(progress, dtype=float), tuned_to, monitor_share, "two-sided")
    target = math.log(level)
    right = min(max(int(np.searchsorted(known, target)), 1), len(known) - 1)
    ends = np.concatenate([nominal, np.zeros((*nominal.shape[:-1], 1))], axis=-1)
    low, high = ends[..., right - 1], ends[..., right]
    slope = 1.0 if target < known[0] else (high - low) / (known[right] - known[right - 1])
    return np.asarray(np.exp(low + slope * (target - known[right - 1])))
