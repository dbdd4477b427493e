"""One arm against the control, in three forms that answer the same questions.

A contrast gives the absolute effect, the lift, a p-value for "no difference", and limits at any level. Within a
contrast test and limits rest on the same statistic, so that a limit crosses zero exactly when ``p >= alpha``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from experiments import distributions, score_intervals
from proofsheet.domain.result import Status

Limits = tuple[float, float]


class Contrast(Protocol):
    """What the rows of results need from a comparison. ``chance`` is the chance that the arm's value is greater."""

    @property
    def method(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def dispersion(self) -> float | None: ...
    @property
    def status(self) -> Status: ...
    @property
    def values(self) -> tuple[float | None, float | None]: ...
    @property
    def effect(self) -> float | None: ...
    @property
    def lift(self) -> float | None: ...
    @property
    def p_value(self) -> float | None: ...
    @property
    def chance(self) -> float | None: ...
    @property
    def control_share(self) -> float: ...
    def effect_limits(self, alpha: float) -> Limits | None: ...
    def lift_limits(self, alpha: float) -> Limits | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanContrast:
    """Two independent estimates with known variances: Student's t for the effect, Fieller (1954) for the lift.

    Args:
        arm, control: the estimates.
        arm_variance, control_variance: the variances of the estimates.
        df: degrees of freedom of the difference (Welch-Satterthwaite), infinite for a z test.
    """

    arm: float
    control: float
    arm_variance: float
    control_variance: float
    df: float
    method: str
    note: str = ""
    dispersion: float | None = None

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
        return self.arm - self.control

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
class RateContrast:
    """Two rates counted in common cells: the score test given each cell's total, exact in the cells' own rates.

    Given a cell's total the arm's count is binomial with chance ``n1 r / (n1 r + n0)`` at rate ratio ``r``; the
    statistic sums over cells. It holds with few counts, and with none in the arm. ``dispersion`` widens its variance.

    Args:
        counts: one row per cell: the arm's count and trials, the control's count and trials (all trials positive).
        control: the control's rate, for the absolute effect.
    """

    counts: tuple[tuple[float, float, float, float], ...]
    control: float
    method: str
    note: str = ""
    dispersion: float | None = None

    def _z(self, log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        score = variance = 0.0
        for y1, n1, y0, n0 in self.counts:
            chance = n1 * ratio / (n1 * ratio + n0)
            score += y1 - (y1 + y0) * chance
            variance += (y1 + y0) * chance * (1.0 - chance)
        if variance <= 0.0:
            return math.copysign(math.inf, score) if score else 0.0
        return score / math.sqrt(variance * max(1.0, self.dispersion or 1.0))

    @property
    def _sums(self) -> tuple[float, float]:
        return sum(row[0] for row in self.counts), sum(row[2] for row in self.counts)

    @property
    def _log_ratio(self) -> float:
        """The most likely log rate ratio; minus infinity when the arm has no counts."""
        if not self._sums[0]:
            return -math.inf
        spread = sum(1.0 / max(total, 0.5) for total in self._sums)
        return score_intervals.outwards(self._z, 0.0, math.copysign(math.sqrt(spread), self._z(0.0)))

    @property
    def status(self) -> Status:
        return Status.OK if self._sums[1] else Status.ZERO_CONTROL

    @property
    def values(self) -> tuple[float, float]:
        lift = self.lift
        return self.control * (1.0 + (lift or 0.0)), self.control

    @property
    def effect(self) -> float | None:
        lift = self.lift
        return None if lift is None else self.control * lift

    @property
    def lift(self) -> float | None:
        return math.expm1(self._log_ratio) if self._sums[1] else None

    @property
    def p_value(self) -> float:
        return distributions.normal_two_sided(self._z(0.0))

    @property
    def chance(self) -> float:
        return distributions.normal_below(self._z(0.0))

    @property
    def control_share(self) -> float:
        arm, control = (max(total, 0.5) for total in self._sums)
        return arm / (arm + control)

    def effect_limits(self, alpha: float) -> Limits | None:
        limits = self.lift_limits(alpha)
        return None if limits is None else (self.control * limits[0], self.control * limits[1])

    def lift_limits(self, alpha: float) -> Limits | None:
        if not self._sums[1]:
            return None
        critical = distributions.normal_critical(alpha)
        spread = critical * math.sqrt(sum(1.0 / max(total, 0.5) for total in self._sums))
        centre = self._log_ratio
        if math.isinf(centre):
            return -1.0, _growth(score_intervals.outwards(lambda r: self._z(r) + critical, -40.0, 20.0))
        low = score_intervals.outwards(lambda r: self._z(r) - critical, centre, -spread)
        high = score_intervals.outwards(lambda r: self._z(r) + critical, centre, spread)
        return math.expm1(low), _growth(high)


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
        return _growth(self.difference - reach), _growth(self.difference + reach)


def _growth(difference: float) -> float:
    """``exp(difference) - 1``, infinite where a float ends."""
    return math.expm1(difference) if difference < 700.0 else math.inf
