"""Two rates counted in common cells, given each cell's total: exact with few counts, likelihood ratio with many.

Given a cell's total the arm's count is binomial with chance ``n1 r / (n1 r + n0)`` at rate ratio ``r``, whatever the
cell's own rate. With few counts the distribution of their sum is worked out exactly and read at mid-p (Lancaster 1961;
Hirji 2006); with many the signed root of the likelihood ratio is used. Both are monotone in the rate ratio, so that
test and limits agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.basis import distributions
from experiments.basis.score_intervals import outwards
from experiments.comparing.contrasts import Limits, growth
from proofsheet.domain.result import Status

EXACT = 50  # up to so many counts in the smaller arm the sum's distribution is worked out
_BEYOND = 60  # terms above the observed count, enough for any upper tail below one half
_FAR = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateContrast:
    """The ratio of an arm's rate to the control's.

    Args:
        counts: one row per cell: the arm's count and trials, the control's count and trials (all trials positive).
        control: the control's rate, for the absolute effect.
        dispersion: by how many times the variance exceeds counting noise; widens test and limits.
    """

    counts: tuple[tuple[float, float, float, float], ...]
    control: float
    note: str = ""
    dispersion: float | None = None

    @property
    def method(self) -> str:
        """Which of the two ways was taken."""
        way = "exact mid-p" if min(self._sums) <= EXACT else "likelihood ratio"
        return f"{way}, given each cell's total"

    @property
    def status(self) -> Status:
        """ZERO_CONTROL when the control counted nothing."""
        return Status.OK if self._sums[1] else Status.ZERO_CONTROL

    @property
    def values(self) -> tuple[float, float]:
        """The arm's rate at the control's level, and the control's."""
        return self.control * (1.0 + (self.lift or 0.0)), self.control

    @property
    def effect(self) -> float | None:
        """The lift at the control's rate."""
        lift = self.lift
        return None if lift is None else self.control * lift

    @property
    def lift(self) -> float | None:
        """The most likely rate ratio, minus 1."""
        return growth(self._log_ratio) if self._sums[1] else None

    @property
    def p_value(self) -> float:
        """Two-sided, for equal rates."""
        return distributions.normal_two_sided(self._z(0.0))

    @property
    def chance(self) -> float:
        """The chance that the arm's rate is the greater."""
        return distributions.normal_below(self._z(0.0))

    @property
    def control_share(self) -> float:
        """The control's share in the variance of the log ratio."""
        arm, control = (max(total, 0.5) for total in self._sums)
        return arm / (arm + control)

    def effect_limits(self, alpha: float) -> Limits | None:
        """The limits of the lift at the control's rate."""
        limits = self.lift_limits(alpha)
        return None if limits is None else (self.control * limits[0], self.control * limits[1])

    def lift_limits(self, alpha: float) -> Limits | None:
        """Limits of the lift; from -100 % when the arm counted nothing, none when the control counted nothing."""
        if not self._sums[1]:
            return None
        critical = distributions.normal_critical(alpha)
        spread = critical * math.sqrt(sum(1.0 / max(total, 0.5) for total in self._sums))
        centre = self._log_ratio
        if math.isinf(centre):
            return -1.0, growth(outwards(lambda r: self._z(r) + critical, -_FAR, _FAR / 2.0))
        low = outwards(lambda r: self._z(r) - critical, centre, -spread)
        high = outwards(lambda r: self._z(r) + critical, centre, spread)
        return math.expm1(low), growth(high)

    @property
    def _sums(self) -> tuple[float, float]:
        return sum(row[0] for row in self.counts), sum(row[2] for row in self.counts)

    @property
    def _log_ratio(self) -> float:
        """The most likely log rate ratio; minus infinity when the arm counted nothing."""
        if not self._sums[0]:
            return -math.inf

        def score(log_ratio: float) -> float:
            shares = _shares(self.counts, log_ratio)
            return float(np.sum(_column(self.counts, 0) - _totals(self.counts) * shares))

        spread = math.sqrt(sum(1.0 / max(total, 0.5) for total in self._sums))
        return outwards(score, 0.0, math.copysign(spread, score(0.0)))

    def _z(self, log_ratio: float) -> float:
        """How far out the counts are at a rate ratio, as a standard normal; falls as the ratio rises."""
        z = _exact_z(self.counts, log_ratio) if min(self._sums) <= EXACT else self._likelihood_z(log_ratio)
        return z / math.sqrt(max(1.0, self.dispersion or 1.0))

    def _likelihood_z(self, log_ratio: float) -> float:
        best = self._log_ratio
        gain = _log_likelihood(self.counts, best) - _log_likelihood(self.counts, log_ratio)
        return math.copysign(math.sqrt(max(0.0, 2.0 * gain)), best - log_ratio)


Counts = tuple[tuple[float, float, float, float], ...]
Column = NDArray[np.float64]


def _column(counts: Counts, index: int) -> Column:
    return np.array([row[index] for row in counts])


def _totals(counts: Counts) -> Column:
    return _column(counts, 0) + _column(counts, 2)


def _shares(counts: Counts, log_ratio: float) -> Column:
    """The chance that a count of the cell is the arm's."""
    shares: Column = special.expit(np.log(_column(counts, 1)) - np.log(_column(counts, 3)) + log_ratio)
    return shares


def _log_likelihood(counts: Counts, log_ratio: float) -> float:
    odds = np.log(_column(counts, 1)) - np.log(_column(counts, 3)) + log_ratio
    return float(np.sum(_column(counts, 0) * special.log_expit(odds) + _column(counts, 2) * special.log_expit(-odds)))


def _exact_z(counts: Counts, log_ratio: float) -> float:
    """The mid-p of the smaller arm's sum as a normal deviate; positive when the arm has more than expected."""
    arm, control = sum(row[0] for row in counts), sum(row[2] for row in counts)
    turned = control < arm
    seen = round(min(arm, control))
    totals = np.round(_totals(counts)).astype(int)
    shares = _shares(counts, log_ratio)
    chances = _sum_distribution(totals, 1.0 - shares if turned else shares, seen + _BEYOND)
    half = chances[seen] / 2.0 if seen < len(chances) else 0.0
    below = float(chances[:seen].sum() + half)
    above = float(chances[seen + 1 :].sum() + half) if below > 0.5 else 1.0 - below
    z = float(special.ndtri(max(below, distributions.TINY)))
    if below > 0.5:
        z = -float(special.ndtri(max(above, distributions.TINY)))
    return -z if turned else z


def _sum_distribution(totals: NDArray[np.int_], shares: Column, highest: int) -> Column:
    """Chances of 0, 1, … ``highest`` for a sum of independent binomials."""
    chances: Column = np.ones(1)
    for total, share in zip(totals, shares, strict=True):
        if total:
            k = np.arange(min(int(total), highest) + 1)
            log_chance = (
                special.gammaln(total + 1.0)
                - special.gammaln(k + 1.0)
                - special.gammaln(total - k + 1.0)
                + special.xlogy(k, share)
                + special.xlog1py(total - k, -share)
            )
            chances = np.convolve(chances, np.exp(log_chance))[: highest + 1]
    return chances
