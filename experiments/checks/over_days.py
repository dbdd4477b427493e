"""Checks that follow a test over its days: the arms' sizes at every look, and lifts that change.

They take counts by day and put them into the shapes that ``sequential_ratio`` and ``novelty`` ask for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.checks.delays import DelayTable, fit_delays
from experiments.checks.health import p_text, sample_ratio
from experiments.checks.maturity import mature_age
from experiments.checks.novelty import LEAST_DAYS, LiftTrend, daily_log_lifts, novelty, trend_of_lifts
from experiments.checks.sequential_ratio import sample_ratio_over_looks
from proofsheet.domain.result import HealthCheck

Array = NDArray[np.float64]
DayCounts = Mapping[tuple[str, date], float]


def ratio_by_day(
    units: DayCounts, weights: Mapping[str, float], *, running: bool, steered: bool = False
) -> HealthCheck:
    """Do the arms' sizes fit the plan?

    While the test runs, and where units came on several days, by the test that holds at every daily look
    (``sample_ratio_over_looks``); else by that of one look (``health.sample_ratio``).

    Args:
        units: by arm and the day they came in.
        weights: planned weight by arm.

    Raises:
        InputError: as ``health.sample_ratio``.
    """
    days = sorted({day for _, day in units})
    arms = dict.fromkeys([*weights, *(arm for arm, _ in units)])
    if not running or len(days) < 2:
        whole = {arm: round(sum(units.get((arm, day), 0) for day in days)) for arm in arms}
        return sample_ratio(whole, weights, steered=steered)
    looks = {arm: np.cumsum([float(units.get((arm, day), 0)) for day in days]) for arm in arms}
    return sample_ratio_over_looks(looks, weights, steered=steered, labels=[day.isoformat() for day in days])


def trends_since_exposure(table: DelayTable, control: str) -> dict[str, LiftTrend]:
    """By arm the trend of the lift over days since the units' first exposure.

    A day's successes are the units with an outcome that many days after their exposure. All days have the same units,
    those that can be followed for half of the test (seven days at least): what units do alike on all their days then
    stays in the level of the lift and cannot make a trend.

    Args:
        table: units with an outcome by exposure day and delay; a unit may be active on several days.
    """
    followed = max(LEAST_DAYS, len(table.days) // 2)
    old = table.ages >= followed - 1
    units = table.exposures[:, old].sum(axis=1, keepdims=True)
    successes = table.counts[:, old, :followed].sum(axis=1)
    return _trends(table.arms, successes, np.broadcast_to(units, successes.shape), control, scale="log")


def trends_by_exposure_day(table: DelayTable, control: str) -> dict[str, LiftTrend]:
    """By arm the trend of the lift over the days on which units came in.

    Each day's conversions are taken within the same time from exposure, the age at which days are mature, and younger
    days are left out: the arms' delays do not matter then.

    Args:
        table: conversions by exposure day and delay, each unit counted once.
    """
    age = max(0, int(mature_age(fit_delays(table.counts.sum(axis=0), table.ages))))
    old = table.ages >= age
    days = [day for day, keep in zip(table.days, old, strict=True) if keep]
    successes = table.counts[:, old, : age + 1].sum(axis=-1)
    return _trends(table.arms, successes, table.exposures[:, old], control, weekdays=days)


def trends_by_day(successes: DayCounts, trials: DayCounts, control: str) -> dict[str, LiftTrend]:
    """By arm the trend of the lift over calendar days, from counts by arm and day."""
    days = sorted({day for _, day in trials})
    if not days:
        return {}
    span = [days[0] + timedelta(days=i) for i in range((days[-1] - days[0]).days + 1)]
    arms = tuple(dict.fromkeys(arm for arm, _ in trials))
    x, n = (np.array([[float(c.get((arm, day), 0)) for day in span] for arm in arms]) for c in (successes, trials))
    return _trends(arms, x, n, control, weekdays=span)


def _trends(
    arms: Sequence[str],
    successes: Array,
    trials: ArrayLike,
    control: str,
    *,
    scale: str = "linear",
    weekdays: Sequence[date] = (),
) -> dict[str, LiftTrend]:
    """Arms against the control, up to the last day that has data; no trend where there are fewer than two days."""
    if control not in arms:
        return {}
    n, base = np.asarray(trials, dtype=float), list(arms).index(control)
    found = {}
    for i, arm in enumerate(arms):
        if i == base:
            continue
        effects, variances = daily_log_lifts(successes[i], n[i], successes[base], n[base])
        told = np.flatnonzero(np.isfinite(variances))
        if len(told) < LEAST_DAYS:
            continue
        seen = slice(int(told[0]), int(told[-1]) + 1)
        numbers = [day.weekday() for day in weekdays[seen]] or None
        found[arm] = trend_of_lifts(effects[seen], variances[seen], scale=scale, weekdays=numbers)
    return found


def lifts_over_days(trends: Mapping[str, LiftTrend], *, since_exposure: bool) -> HealthCheck:
    """Does the lift of any arm change over the test? One check for all arms, corrected for their number (Bonferroni).

    Args:
        trends: by arm; arms that are missing have too few days with data.
    """
    known = {arm: trend for arm, trend in trends.items() if bool(trend.enough)}
    checks = [
        novelty(trend, since_exposure=since_exposure, arm=arm, comparisons=len(known))[0]
        for arm, trend in known.items()
    ]
    checks.sort(key=lambda check: 1.0 if check.p_value is None else check.p_value)
    name = "novelty" if since_exposure else "lift_by_day"
    if not checks:
        text = f"There are fewer than {LEAST_DAYS} days with outcomes enough."
        return HealthCheck(name=name, ok=None, message=text, severity="info")
    failed = [check for check in checks if check.ok is False]
    if failed:
        more = f" {len(failed) - 1} more of {len(known)} arms change." if len(failed) > 1 else ""
        return replace(failed[0], message=failed[0].message + more)
    if len(checks) == 1:
        return checks[0]
    axis = "days since first exposure" if since_exposure else "days"
    least = checks[0].p_value or 0.0
    text = f"No arm's lift changes notably over the {axis} (least of {len(known)} arms: corrected {p_text(least)})."
    return HealthCheck(name=name, ok=True, message=text, p_value=least, severity="info")
