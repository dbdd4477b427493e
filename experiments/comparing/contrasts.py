"""One arm against the control, in three forms that answer the same questions.

A contrast gives the absolute effect, the lift, a p-value for "no difference", and limits at any level. Within a
contrast test and limits rest on the same statistic, so that a limit crosses zero exactly when ``p >= alpha``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from experiments.basis import distributions, score_intervals
from proofsheet.domain.result import Status

Limits = tuple[float, float]


class Contrast(Protocol):
    """What the rows of results need from a comparison."""

    @property
    def method(self) -> str:
        """What was computed, for people."""
        ...

    @property
    def note(self) -> str:
        """What a reader should know about this comparison."""
        ...

    @property
    def dispersion(self) -> float | None:
        """By how many times the variance exceeds that of counting alone, where that was estimated."""
        ...

    @property
    def status(self) -> Status:
        """OK, or why something is missing."""
        ...

    @property
    def values(self) -> tuple[float | None, float | None]:
        """The arm's value and the control's."""
        ...

    @property
    def effect(self) -> float | None:
        """The arm's value minus the control's."""
        ...

    @property
    def lift(self) -> float | None:
        """The effect relative to the size of the control's value."""
        ...

    @property
    def p_value(self) -> float | None:
        """Two-sided, for no difference."""
        ...

    @property
    def chance(self) -> float | None:
        """The chance that the arm's value is the greater, on flat priors."""
        ...

    @property
    def control_share(self) -> float:
        """The control's share in the variance of the difference."""
        ...

    def effect_limits(self, alpha: float) -> Limits | None:
        """Limits of the effect at the two-sided level."""
        ...

    def lift_limits(self, alpha: float) -> Limits | None:
        """Limits of the lift at the two-sided level; None where they do not exist."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanContrast:
    """Two independent estimates with known variances: Student's t for the effect, Fieller (1954) for the lift.

    Args:
        arm, control: the estimates.
        arm_variance, control_variance: the variances of the estimates.
        df: degrees of freedom of the difference (Welch-Satterthwaite), infinite for a z test.
        rest: what the floats of the estimates leave out of their difference (``Aggregates.rest_x``).
    """

    arm: float
    control: float
    arm_variance: float
    control_variance: float
    df: float
    method: str
    note: str = ""
    dispersion: float | None = None
    rest: float = 0.0

    @property
    def _error(self) -> float:
        return math.sqrt(self.arm_variance + self.control_variance)

    @property
    def status(self) -> Status:
        if self._error == 0.0:
            return Status.NO_VARIANCE
        return Status.ZERO_CONTROL if self.control == 0.0 else Status.OK

    @property
    def values(self) -> tuple[float, float]:
        return self.arm, self.control

    @property
    def effect(self) -> float:
        return (self.arm - self.control) + self.rest

    @property
    def lift(self) -> float | None:
        return self.effect / abs(self.control) if self.control else None

    @property
    def p_value(self) -> float | None:
        return distributions.t_two_sided(self.effect / self._error, self.df) if self._error else None

    @property
    def chance(self) -> float | None:
        return distributions.t_below(self.effect / self._error, self.df) if self._error else None

    @property
    def control_share(self) -> float:
        return self.control_variance / self._error**2 if self._error else 0.5

    def effect_limits(self, alpha: float) -> Limits | None:
        if not self._error:
            return None
        reach = distributions.t_critical(alpha, self.df) * self._error
        return self.effect - reach, self.effect + reach

    def lift_limits(self, alpha: float) -> Limits | None:
        """Fieller's limits; None when the control is not clearly away from zero (the set is unbounded then)."""
        if not self._error or not self.control:
            return None
        square = distributions.t_critical(alpha, self.df) ** 2
        a = self.control**2 - square * self.control_variance
        if a <= 0.0:
            return None
        # Solved for the lift itself, not for the ratio: nothing cancels when the effect is small.
        b = self.effect * self.control + square * self.control_variance
        c = self.effect**2 - square * (self.arm_variance + self.control_variance)
        root = math.sqrt(max(0.0, b * b - a * c))
        far = b + math.copysign(root, b)
        first, second = far / a, (c / far if far else 0.0)
        low, high = min(first, second), max(first, second)
        return (low, high) if self.control > 0 else (-high, -low)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionContrast:
    """Two binomial rates by the score test (pooled z), with Mee's and Koopman's intervals."""

    successes: float
    trials: float
    control_successes: float
    control_trials: float
    method: str = "score: pooled z, Mee and Koopman intervals"
    note: str = ""
    dispersion: float | None = None

    @property
    def _counts(self) -> tuple[float, float, float, float]:
        return self.successes, self.trials, self.control_successes, self.control_trials

    @property
    def status(self) -> Status:
        return Status.OK if self.control_successes else Status.ZERO_CONTROL

    @property
    def values(self) -> tuple[float, float]:
        return self.successes / self.trials, self.control_successes / self.control_trials

    @property
    def effect(self) -> float:
        arm, control = self.values
        return arm - control

    @property
    def lift(self) -> float | None:
        return self.effect / self.values[1] if self.control_successes else None

    @property
    def p_value(self) -> float:
        return distributions.normal_two_sided(score_intervals.pooled_z(*self._counts))

    @property
    def chance(self) -> float:
        return distributions.beta_chance_greater(*self._counts)

    @property
    def control_share(self) -> float:
        return self.trials / (self.trials + self.control_trials)

    def effect_limits(self, alpha: float) -> Limits:
        return score_intervals.difference_limits(*self._counts, distributions.normal_critical(alpha))

    def lift_limits(self, alpha: float) -> Limits | None:
        if not self.control_successes:
            return None
        low, high = score_intervals.ratio_limits(*self._counts, distributions.normal_critical(alpha))
        return low - 1.0, high - 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContrast:
    """A difference of logarithms with its standard error: lift ``exp(difference) - 1``, limits back-transformed.

    The limits of the absolute effect are those of the lift times the control's value.
    """

    difference: float
    error: float
    df: float
    control: float
    share: float
    method: str
    note: str = ""
    dispersion: float | None = None

    @property
    def status(self) -> Status:
        return Status.OK if self.error > 0 else Status.NO_VARIANCE

    @property
    def values(self) -> tuple[float, float]:
        return self.control * math.exp(self.difference), self.control

    @property
    def effect(self) -> float:
        return self.control * math.expm1(self.difference)

    @property
    def lift(self) -> float:
        return math.expm1(self.difference)

    @property
    def p_value(self) -> float | None:
        return distributions.t_two_sided(self.difference / self.error, self.df) if self.error > 0 else None

    @property
    def chance(self) -> float | None:
        return distributions.t_below(self.difference / self.error, self.df) if self.error > 0 else None

    @property
    def control_share(self) -> float:
        return self.share

    def effect_limits(self, alpha: float) -> Limits | None:
        limits = self.lift_limits(alpha)
        return None if limits is None else (self.control * limits[0], self.control * limits[1])

    def lift_limits(self, alpha: float) -> Limits | None:
        if not self.error > 0:
            return None
        reach = distributions.t_critical(alpha, self.df) * self.error
        return growth(self.difference - reach), growth(self.difference + reach)


def growth(difference: float) -> float:
    """``exp(difference) - 1``: the lift of a difference of logarithms, infinite where a float ends."""
    return math.expm1(difference) if difference < 700.0 else math.inf
