"""What the young days hide: share of conversions still to come, the days old enough to believe, corrected lifts.

Two honest views of an outcome that comes late. The mature-only view counts, on days at least ``age`` days old, the
conversions within ``age`` days of exposure: no model, less data. The corrected view keeps all days and divides the
conversions by the exposures weighted with the share ``F(age)`` that can have come (``delays.fit_delays``): the maximum
likelihood rate when the counts of a day are Poisson with mean ``exposures * rate * F(age)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.basis.distributions import normal_critical
from experiments.checks.delays import LEAST_AT_RISK, DelayCurve, DelayTable, compare_delays, fit_delays
from experiments.checks.health import WARNING_P, p_text
from experiments.comparing.contrasts import growth
from proofsheet.domain.result import HealthCheck, Status
from proofsheet.errors import InputError

Array = NDArray[np.float64]

COMPLETENESS = 0.95
NOTABLE_BIAS = 0.005  # a false lift of half a percent made by unequal delays alone


def mature_age(curve: DelayCurve, completeness: float = COMPLETENESS) -> NDArray[np.int64]:
    """The age in days from which a day's conversions are complete: the least ``d`` with ``F(d) >= completeness``.

    Of the conversions that come within the curve's horizon. -1 where nothing is known (``horizon`` is -1).

    Raises:
        InputError: the completeness is not above 0 and at most 1.
    """
    _check_completeness(completeness)
    age = (curve.share >= completeness * (1.0 - 1e-12)).argmax(axis=-1)
    return np.where(curve.horizon >= 0, age, -1)


def still_to_come(exposures: ArrayLike, ages: ArrayLike, curve: DelayCurve) -> Array:
    """The share of all conversions that has not come yet: 1 - (exposures weighted by ``F(age)``) / exposures.

    Args:
        exposures: units by exposure day ``(..., E)``.
        ages: age of the days ``(E,)``.

    Returns:
        Shares ``(...)``; 0 without exposures. Assumes the same rate of conversion on all days.
    """
    units = np.asarray(exposures, dtype=float)
    total = units.sum(axis=-1)
    return np.where(total > 0, 1.0 - effective_exposures(units, ages, curve) / np.where(total > 0, total, 1.0), 0.0)


def effective_exposures(exposures: ArrayLike, ages: ArrayLike, curve: DelayCurve) -> Array:
    """Exposures weighted by the share of their conversions that can have come, ``sum of n_e F(age_e)`` ``(...)``."""
    units, at = np.asarray(exposures, dtype=float), np.asarray(ages, dtype=int)
    return np.asarray((units * curve.share[..., np.clip(at, 0, curve.share.shape[-1] - 1)]).sum(axis=-1))


@dataclass(frozen=True, slots=True, kw_only=True)
class MatureView:
    """The test as far as it is mature: by arm the exposures of old enough days and their conversions within ``age``."""

    age: int
    days: tuple[date, ...]
    exposures: Array
    conversions: Array


def mature_view(table: DelayTable, age: int) -> MatureView:
    """Days at least ``age`` days old, each with its conversions of delay ``age`` or less: equally complete.

    Raises:
        InputError: the age is negative.
    """
    if age < 0:
        raise InputError(f"The age {age} is negative.", "Give the days a conversion is waited for, 0 or more.")
    old = table.ages >= age
    return MatureView(
        age=age,
        days=tuple(day for day, keep in zip(table.days, old, strict=True) if keep),
        exposures=table.exposures[:, old].sum(axis=1),
        conversions=table.counts[:, old, : age + 1].sum(axis=(1, 2)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedLift:
    """An arm's conversions per exposure, corrected for those still to come, next to the control's.

    ``come`` is the share of the arm's conversions that is in. ``lift`` and its limits are None where ``status`` says
    why; ``raw_lift`` is that of the counts as they stand.
    """

    arm: str
    rate: float
    control_rate: float
    lift: float | None
    low: float | None
    high: float | None
    raw_lift: float | None
    come: float
    status: Status


def corrected_lifts(
    table: DelayTable,
    control: str,
    *,
    confidence: float = 0.95,
    own_delays: bool = False,
    dispersion: float = 1.0,
    least: float = LEAST_AT_RISK,
) -> tuple[CorrectedLift, ...]:
    """Lifts on all days, corrected for delayed conversions, with intervals that carry the error of the correction.

    Of conversions within the horizon, the longest delay that can be told in every arm: what comes later has not been
    seen by anyone, and an arm that converts later still looks worse by it.

    ``log lift = log(C1 / W1) - log(C0 / W0)`` with conversions ``C`` and effective exposures ``W``; its variance is
    ``dispersion * (1/C1 + 1/C0)`` plus that of ``F`` by the delta method. With common delays (the default) the errors
    of ``F`` cancel as far as the arms were exposed on the same days; with ``own_delays`` every arm has its own curve.
    Given the totals of the days the observed delays say nothing about the rates, so the two errors add up. Where too
    few conversions have come to tell the delays, nothing is corrected and ``come`` is 1.

    Args:
        dispersion: how many times the variance of the counts exceeds Poisson's, where it is known.
        least: as in ``fit_delays``.

    Raises:
        InputError: the control is not among the arms, or the confidence is not between 0.5 and 1.
    """
    if control not in table.arms:
        raise InputError(f"The control {control!r} is not among the arms.", f"They are: {', '.join(table.arms)}.")
    if not 0.5 < confidence < 1.0:
        raise InputError(f"The confidence {confidence} is not between 0.5 and 1.", "Give a share, such as 0.95.")
    curve = _curves(table, own_delays, least)
    weights = effective_exposures(table.exposures, table.ages, curve)
    loads = _loads(table, curve, weights)
    scale = curve.terms * curve.dispersion[:, None]
    horizon = int(curve.horizon[0])
    within = table.counts[:, :, : horizon + 1] if horizon >= 0 else table.counts
    conversions, total = within.sum(axis=(1, 2)), table.exposures.sum(axis=1)
    base = table.arms.index(control)
    critical = normal_critical(1.0 - confidence)
    lifts = []
    for i, arm in enumerate(table.arms):
        if i == base:
            continue
        if own_delays:
            error = (loads[i] ** 2 * scale[i]).sum() + (loads[base] ** 2 * scale[base]).sum()
        else:
            error = ((loads[i] - loads[base]) ** 2 * scale[0]).sum()
        lifts.append(
            _lift(
                arm,
                (float(conversions[i]), float(conversions[base])),
                (float(weights[i]), float(weights[base])),
                (float(total[i]), float(total[base])),
                (float(error), dispersion, critical),
            )
        )
    return tuple(lifts)


def _curves(table: DelayTable, own: bool, least: float = LEAST_AT_RISK) -> DelayCurve:
    """One curve for all arms, or one for each with the same horizon."""
    if not own:
        return fit_delays(table.counts.sum(axis=0, keepdims=True), table.ages, least=least)
    horizon = int(fit_delays(table.counts, table.ages, least=least).horizon.min())
    return fit_delays(table.counts, table.ages, least=least, longest=horizon)


def _loads(table: DelayTable, curve: DelayCurve, weights: Array) -> Array:
    """How strongly each development factor moves the log of an arm's effective exposures ``(arms, delays)``."""
    ages = table.ages.astype(int)
    share = curve.share[:, np.clip(ages, 0, curve.share.shape[-1] - 1)]
    mass = np.broadcast_to(share, table.exposures.shape) * table.exposures
    younger = ages[:, None] < np.arange(curve.share.shape[-1])
    return np.asarray(mass @ younger.astype(float) / np.where(weights > 0, weights, 1.0)[:, None])


def _lift(
    arm: str,
    conversions: tuple[float, float],
    weights: tuple[float, float],
    exposures: tuple[float, float],
    errors: tuple[float, float, float],
) -> CorrectedLift:
    rates = tuple(c / w if w > 0 else 0.0 for c, w in zip(conversions, weights, strict=True))
    status = Status.OK
    if min(exposures) <= 0 or min(weights) <= 0:
        status = Status.NO_DATA
    elif conversions[1] <= 0:
        status = Status.ZERO_CONTROL
    elif conversions[0] <= 0:
        status = Status.TOO_FEW
    lift = low = high = raw = None
    if status is Status.OK:
        variance, dispersion, critical = errors
        reach = critical * math.sqrt(variance + dispersion * (1.0 / conversions[0] + 1.0 / conversions[1]))
        gap = math.log(rates[0] / rates[1])
        lift, low, high = math.expm1(gap), growth(gap - reach), growth(gap + reach)
        raw = conversions[0] / exposures[0] / (conversions[1] / exposures[1]) - 1.0
    come = weights[0] / exposures[0] if exposures[0] > 0 else 0.0
    return CorrectedLift(
        arm=arm,
        rate=rates[0],
        control_rate=rates[1],
        lift=lift,
        low=low,
        high=high,
        raw_lift=raw,
        come=come,
        status=status,
    )


def maturity(table: DelayTable, *, completeness: float = COMPLETENESS, window: int | None = None) -> HealthCheck:
    """Have the conversions of this test come in?

    Fails when less than ``completeness`` of them has come over all days. Names the last day that is complete enough.

    Args:
        window: days within which a conversion counts (the attribution window). While the oldest day is younger, or too
            few conversions are that late, the share still to come cannot be told, and the check is open.
    """
    _check_completeness(completeness)
    curve = fit_delays(table.counts.sum(axis=0), table.ages)
    horizon, age = int(curve.horizon), int(mature_age(curve, completeness))
    if horizon < 0:
        text = "There are too few conversions to tell how long they take."
        return HealthCheck(name="maturity", ok=None, message=text, severity="info")
    come = 1.0 - float(still_to_come(table.exposures.sum(axis=0), table.ages, curve))
    old = [day for day, days in zip(table.days, table.ages, strict=True) if days >= age]
    text = (
        f"{come:.1%} of the conversions that come within {horizon} days are in. Days of age {age} or more are "
        f"{completeness:.0%} complete: {len(old)} of {len(table.days)} days" + (f", up to {old[-1]}." if old else ".")
    )
    if come < completeness:
        text += " Compare the arms on those days, or correct for what is still to come."
        return HealthCheck(name="maturity", ok=False, message=text, severity="warning")
    if window is not None and horizon < window:
        text += f" Later conversions, up to the window of {window} days, cannot be told yet."
        return HealthCheck(name="maturity", ok=None, message=text, severity="info")
    return HealthCheck(name="maturity", ok=True, message=text, severity="info")


def delay_difference(table: DelayTable, *, notable: float = NOTABLE_BIAS) -> HealthCheck:
    """Do the arms' conversions come equally fast? Otherwise young days favour the faster arm.

    The log-rank test in reverse time; fails below 0.01 when the arms' own curves differ in how much of this test has
    come by ``notable`` (relative) or more: the false lift that the delays alone would make. An arm with too few
    conversions to tell its delays leaves every curve without a horizon, and the check passes.
    """
    _, df, p_value = (float(v) for v in compare_delays(table.counts, table.ages))
    if df < 1:
        text = "There are too few conversions to compare how long they take in the arms."
        return HealthCheck(name="delay_difference", ok=None, message=text, severity="info")
    curve = _curves(table, own=True)
    units = table.exposures.sum(axis=0)
    come = effective_exposures(np.broadcast_to(units, table.exposures.shape), table.ages, curve) / max(units.sum(), 1.0)
    fast, slow = int(come.argmax()), int(come.argmin())
    bias = float(come[fast] / come[slow] - 1.0) if come[slow] > 0 else 0.0
    if p_value >= WARNING_P:
        text = f"The arms' conversions take equally long as far as can be seen ({p_text(p_value)})."
    elif bias < notable:
        text = f"The arms' delays differ ({p_text(p_value)}), but move a lift by {bias:.2%} only: too little to matter."
    else:
        text = (
            f"Conversions come faster in {table.arms[fast]} than in {table.arms[slow]} ({p_text(p_value)}): by now "
            f"{come[fast]:.1%} and {come[slow]:.1%} are in, a false lift of {bias:.1%}. Compare mature days only."
        )
        return HealthCheck(name="delay_difference", ok=False, message=text, p_value=p_value, severity="warning")
    return HealthCheck(name="delay_difference", ok=True, message=text, p_value=p_value, severity="info")


def _check_completeness(completeness: float) -> None:
    if not 0.0 < completeness <= 1.0:
        raise InputError(f"The completeness {completeness} is not a share above 0.", "Give a share, such as 0.95.")
