"""Does the lift change while the test runs? Trend of the daily lifts, and late days against early ones.

By days since a person's first exposure a shrinking lift is novelty (people get used to the new) and a growing one is
learning; by calendar days it is fade (an ad wears out, a season ends) or warming up. Daily logarithms of (1 + lift) are
regressed on time with weights 1 / variance; the variance is scaled by how much the days really scatter around the fit
(quasi-likelihood, Wedderburn 1974) and the test is Student's t. What all days share, such as people seen on many days
who react alike, stays in the level and does not disturb the slope. Over two weeks or more of calendar days every
weekday gets a level of its own, and early and late days are cut at a whole week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.checks.health import WARNING_P, p_text
from proofsheet.domain.result import HealthCheck
from proofsheet.errors import InputError

Array = NDArray[np.float64]

SCALES = ("linear", "log")
LEAST_DAYS = 7
LEAST_EVENTS = 10.0
NOTABLE_CHANGE = 0.01  # of the ratio of arm to control between early and late days
_LEAST_DISPERSION = 0.1  # days never scatter much less than counting alone makes them


class Drift(StrEnum):
    """How a lift changes over the test."""

    STEADY = "steady"
    SHRINKING = "shrinking"
    GROWING = "growing"
    TURNING = "turning"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiftTrend:
    """How log(1 + lift) moves over days, for one comparison or many (leading axes ``...``).

    Attributes:
        slope: from the first to the last day ``(...)``.
        p_value: two-sided, for no trend; 1 where ``enough`` is false.
        change: late minus early ``(...)``, weekdays held equal where they are modelled.
        change_error, df: standard error and degrees of freedom of ``change``.
        early, late: weighted means of log(1 + lift) over the early and the late days.
        early_error, late_error: their standard errors, widened by the dispersion.
        dispersion: scatter of the days around the trend over that of counting alone.
        enough: whether there are seven days with data, on both sides of the cut, to tell anything from ``(...)``.
        early_days: how many days are early; ``weekdays``: whether weekdays have levels of their own.
    """

    slope: Array
    p_value: Array
    change: Array
    change_error: Array
    df: Array
    early: Array
    late: Array
    early_error: Array
    late_error: Array
    dispersion: Array
    enough: NDArray[np.bool_]
    early_days: int
    weekdays: bool

    def change_limits(self, alpha: float) -> tuple[Array, Array]:
        """Two-sided limits of ``change``; infinite where ``enough`` is false."""
        reach = -special.stdtrit(np.maximum(self.df, 1.0), alpha / 2.0) * self.change_error
        reach = np.where(self.enough, reach, np.inf)
        return self.change - reach, self.change + reach


def daily_log_lifts(
    successes: ArrayLike,
    trials: ArrayLike,
    control_successes: ArrayLike,
    control_trials: ArrayLike,
    *,
    least: float = LEAST_EVENTS,
) -> tuple[Array, Array]:
    """Logarithms of (1 + lift) by day and their variances, from counts ``(..., T)``.

    ``log((x1 + 1/2) / (n1 + 1/2)) - log((x0 + 1/2) / (n0 + 1/2))`` is almost unbiased (Gart and Zweifel 1967). Its
    variance ``1/e1 - 1/n1 + 1/e0 - 1/n0`` takes the counts expected from the day's total and the whole test's lift, so
    that weights do not depend on which arm was lucky that day.

    Returns:
        Two arrays ``(..., T)``; days with fewer than ``least`` successes in both arms together, or without trials in
        one, have an infinite variance and no weight.
    """
    x1, n1, x0, n0 = (np.asarray(a, dtype=float) for a in (successes, trials, control_successes, control_trials))
    if any((a < 0).any() or not np.isfinite(a).all() for a in (x1, n1, x0, n0)):
        raise InputError("The daily counts hold a negative or missing number.", "Counts are 0 or more.")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = ((x1.sum(-1) + 0.5) / (n1.sum(-1) + 0.5) / ((x0.sum(-1) + 0.5) / (n0.sum(-1) + 0.5)))[..., None]
        share = n1 * ratio / (n1 * ratio + n0)
        e1, e0 = (x1 + x0) * share, (x1 + x0) * (1.0 - share)
        variance = np.maximum(1.0 / e1 - 1.0 / n1, 0.01 / e1) + np.maximum(1.0 / e0 - 1.0 / n0, 0.01 / e0)
        effect = np.log((x1 + 0.5) / (n1 + 0.5)) - np.log((x0 + 0.5) / (n0 + 0.5))
    usable = (x1 + x0 >= least) & (n1 > 0) & (n0 > 0)
    return np.where(usable, effect, 0.0), np.where(usable, variance, np.inf)


def trend_of_lifts(
    effects: ArrayLike,
    variances: ArrayLike,
    *,
    scale: str = "linear",
    weekdays: Sequence[int] | None = None,
    early_days: int | None = None,
) -> LiftTrend:
    """Weighted regression of daily log-lifts on time, and the contrast of late with early days.

    Args:
        effects, variances: of log(1 + lift) by day, ``(..., T)``; an infinite variance marks a day without data.
        scale: of time: "linear", or "log" for ``log(1 + t)``, which finds more of what changes fastest in the first
            days, as novelty does.
        weekdays: of the T days (0-6), for calendar days; levels for them are fitted when each occurs twice or more.
        early_days: how many days are early; by default half of the days, in whole weeks from two weeks on.

    Raises:
        InputError: shapes or a cut that do not fit the days, an unknown scale, or a variance that is not positive.
    """
    y, v = np.broadcast_arrays(np.asarray(effects, dtype=float), np.asarray(variances, dtype=float))
    days = y.shape[-1] if y.ndim else 0
    cut = early_days if early_days is not None else _cut(days)
    if days < 2 or not 0 < cut < days or (weekdays is not None and len(weekdays) != days):
        raise InputError(
            f"{days} days with {cut} early ones and {len(weekdays or ())} weekdays make no trend.",
            "Give two days or more, some of them early, and one weekday for each.",
        )
    if not (v > 0).all() or not np.isfinite(y).all():
        raise InputError("A daily variance is not positive or a lift is missing.", "Mark empty days by infinity.")
    if scale not in SCALES:
        raise InputError(f"The scale of time {scale!r} is not known.", f"Choose one of: {', '.join(SCALES)}.")
    weight = 1.0 / v
    nuisance = _levels(days, weekdays)
    steps = np.arange(days, dtype=float)
    time = np.log1p(steps) / np.log(days) if scale == "log" else steps / (days - 1)
    late = (np.arange(days) >= cut).astype(float)
    line, step = _partial(y, weight, nuisance, time), _partial(y, weight, nuisance, late)
    seen = weight > 0
    enough = line.known & step.known & (seen.sum(axis=-1) >= LEAST_DAYS) & (line.df >= 3)
    t = np.where(enough, line.value / line.error, 0.0)
    p_value = np.clip(2.0 * special.stdtr(np.maximum(line.df, 1.0), -np.abs(t)), TINY, 1.0)
    return LiftTrend(
        slope=line.value,
        p_value=np.where(enough, p_value, 1.0),
        change=step.value,
        change_error=step.error,
        df=step.df,
        early=_mean(y, weight * (1.0 - late)),
        late=_mean(y, weight * late),
        early_error=_mean_error(weight * (1.0 - late), line.dispersion),
        late_error=_mean_error(weight * late, line.dispersion),
        dispersion=line.dispersion,
        enough=enough,
        early_days=cut,
        weekdays=nuisance.shape[-1] > 1,
    )


def novelty(
    trend: LiftTrend,
    *,
    since_exposure: bool,
    arm: str = "",
    confidence: float = 0.95,
    notable: float = NOTABLE_CHANGE,
    comparisons: int = 1,
) -> tuple[HealthCheck, Drift]:
    """Does the lift of one arm change over days, and what is it called?

    Fails when the trend's p-value is below 0.01 and the change from early to late days is ``notable`` or more. With
    fewer than seven days with data it cannot tell. The check is called "novelty" by days since exposure and
    "lift_by_day" by the calendar.

    Args:
        trend: of one comparison.
        since_exposure: days count from each unit's first exposure (novelty, learning), not by the calendar (fade).
        comparisons: how many arms are checked; the p-value is multiplied by it (Bonferroni).
    """
    name = "novelty" if since_exposure else "lift_by_day"
    who = f"The lift of {arm}" if arm else "The lift"
    if not trend.enough:
        text = (
            f"Whether the lift{f' of {arm}' if arm else ''} changes cannot be told: there are too few days with data."
        )
        return HealthCheck(name=name, ok=None, message=text, severity="info"), Drift.CANNOT_TELL
    low, high = (float(np.expm1(v)) for v in trend.change_limits(1.0 - confidence))
    early, late, change = (float(np.expm1(v)) for v in (trend.early, trend.late, trend.change))
    p_value = min(1.0, float(trend.p_value) * comparisons)
    axis = "days since first exposure" if since_exposure else "days"
    facts = (
        f"{early:+.1%} on the first {trend.early_days} {axis}, {late:+.1%} later; the arm's value relative to the "
        f"control's moved by {change:+.1%} ({confidence:.0%} interval {low:+.1%} to {high:+.1%}), {p_text(p_value)}"
    )
    if p_value >= WARNING_P:
        text = f"{who} shows no trend over the test ({facts})."
        return HealthCheck(name=name, ok=True, message=text, p_value=p_value, severity="info"), Drift.STEADY
    if abs(change) < notable:
        text = f"{who} moves by more than chance, but by less than {notable:.0%} ({facts}): too little to matter."
        return HealthCheck(name=name, ok=True, message=text, p_value=p_value, severity="info"), Drift.STEADY
    drift = _drift(trend)
    text = f"{who} {_WORDS[drift, since_exposure]} ({facts}). Expect the late lift rather than the average."
    return HealthCheck(name=name, ok=False, message=text, p_value=p_value, severity="warning"), drift


_WORDS = {
    (Drift.SHRINKING, True): "wears off: novelty, people get used to the change",
    (Drift.GROWING, True): "grows with time: people need days to react",
    (Drift.TURNING, True): "turns into its opposite as people get used to the change",
    (Drift.SHRINKING, False): "fades over the calendar: the ad wears out, or the season has passed",
    (Drift.GROWING, False): "grows over the calendar: delivery is still warming up, or the season favours it",
    (Drift.TURNING, False): "turns into its opposite over the calendar",
}


def _drift(trend: LiftTrend) -> Drift:
    """Turning only where both the early and the late lift are two standard errors from none, on either side of it."""
    early, late = float(trend.early), float(trend.late)
    sure = abs(early) >= 2.0 * float(trend.early_error) and abs(late) >= 2.0 * float(trend.late_error)
    if early * late < 0 and sure and min(abs(early), abs(late)) >= NOTABLE_CHANGE:
        return Drift.TURNING
    return Drift.SHRINKING if abs(late) < abs(early) else Drift.GROWING


def _cut(days: int) -> int:
    return 7 * (days // 14) if days >= 14 else max(1, days // 2)


def _levels(days: int, weekdays: Sequence[int] | None) -> Array:
    """The columns that are held equal: one level, or one for each weekday when each occurs twice or more."""
    if weekdays is None:
        return np.ones((days, 1))
    kinds, at, count = np.unique(np.asarray(weekdays), return_inverse=True, return_counts=True)
    if days < 14 or count.min() < 2:
        return np.ones((days, 1))
    return np.asarray(at[:, None] == np.arange(len(kinds)), dtype=float)


@dataclass(frozen=True, slots=True)
class _Coefficient:
    value: Array
    error: Array
    dispersion: Array
    df: Array
    known: NDArray[np.bool_]


def _partial(y: Array, weight: Array, nuisance: Array, column: Array) -> _Coefficient:
    """The coefficient of a column next to nuisance indicators, by partialling them out (Frisch and Waugh 1933)."""
    total = weight.sum(axis=-1, keepdims=True)
    w = weight / np.where(total > 0, total, 1.0)
    inside = np.einsum("...t,tp->...p", w, nuisance)

    def rest(values: Array) -> Array:
        level = np.einsum("...t,tp->...p", w * values, nuisance) / np.where(inside > 0, inside, 1.0)
        return np.asarray(values - np.einsum("...p,tp->...t", level, nuisance))

    x, left = rest(np.broadcast_to(column, y.shape)), rest(y)
    square = (w * x * x).sum(axis=-1)
    known = square > 1e-9
    safe = np.where(known, square, 1.0)
    value = np.where(known, (w * x * left).sum(axis=-1) / safe, 0.0)
    df = (weight > 0).sum(axis=-1) - (inside > 0).sum(axis=-1) - 1.0
    spread = (weight * (left - value[..., None] * x) ** 2).sum(axis=-1) / np.maximum(df, 1.0)
    dispersion = np.maximum(spread, _LEAST_DISPERSION)
    error = np.sqrt(dispersion / np.where(total[..., 0] > 0, total[..., 0], 1.0) / safe)
    return _Coefficient(value, error, dispersion, df, known & (df >= 1))


def _mean(y: Array, weight: Array) -> Array:
    total = weight.sum(axis=-1)
    return np.asarray(np.where(total > 0, (weight * y).sum(axis=-1) / np.where(total > 0, total, 1.0), 0.0))


def _mean_error(weight: Array, dispersion: Array) -> Array:
    total = weight.sum(axis=-1)
    return np.asarray(np.where(total > 0, np.sqrt(dispersion / np.where(total > 0, total, 1.0)), np.inf))
