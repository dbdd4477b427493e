"""How long conversions take, from counts by exposure day and delay, although the young days have not shown theirs yet.

A conversion is seen only when its delay is at most the age of its exposure day: the data are right truncated, and the
plain share of short delays is too large. Read backwards in time the truncation becomes late entry, for which the
product-limit estimator is known (Lagakos, Barraj and De Gruttola, Biometrika 1988): with ``N(d)`` conversions of delay
``d`` and ``R(d)`` conversions of delay ``d`` or less on days of age ``d`` or more, the reverse hazard is
``g(d) = N(d) / R(d)`` and the share that has come by delay ``d`` is ``F(d) = prod over j > d of (1 - g(j))``. These are
also the development factors of the chain ladder (Mack 1993). Nothing is assumed about how many convert on which day;
all days must have the same delays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from proofsheet.errors import InputError

Array = NDArray[np.float64]

LEAST_AT_RISK = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayTable:
    """Conversions by arm, exposure day and delay in days, as of the last day that is fully reported.

    Attributes:
        arms: in the order of the first axis.
        days: exposure days without gaps, ascending.
        as_of: last day whose conversions are in.
        counts: conversions ``(arms, days, delays)``; a delay above a day's age has none.
        exposures: units exposed ``(arms, days)``.
    """

    arms: tuple[str, ...]
    days: tuple[date, ...]
    as_of: date
    counts: Array
    exposures: Array

    @property
    def ages(self) -> Array:
        """The age of each exposure day: the longest delay that can have been seen."""
        return np.array([float((self.as_of - day).days) for day in self.days])


def tabulate_delays(
    conversions: Iterable[tuple[str, date, date, float]],
    exposures: Mapping[tuple[str, date], float],
    as_of: date,
) -> DelayTable:
    """Put counts by (arm, exposure day, conversion day) into a table; equal rows are added up.

    Args:
        conversions: arm, day of exposure, day of conversion, count.
        exposures: units by arm and day; the days run from the first of them to ``as_of``.
        as_of: last day that is fully reported; what came later is left out.

    Raises:
        InputError: a conversion comes before its exposure, has no exposures, or a count is negative.
    """
    known = {key: n for key, n in exposures.items() if key[1] <= as_of}
    if not known:
        raise InputError(f"There are no exposures up to {as_of}.", "Give units exposed by arm and day.")
    arms = {arm: i for i, arm in enumerate(dict.fromkeys(arm for arm, _ in known))}
    first = min(day for _, day in known)
    span = (as_of - first).days + 1
    table, units = np.zeros((len(arms), span, span)), np.zeros((len(arms), span))
    for (arm, day), n in known.items():
        _check_count(n, arm, day)
        units[arms[arm], (day - first).days] += n
    for arm, day, converted, count in conversions:
        _check_count(count, arm, day)
        if converted > as_of or not count:
            continue
        if converted < day:
            raise InputError(
                f"A conversion of arm {arm!r} on {converted} comes before its exposure on {day}.",
                "Count conversions from the exposure on, and check that both days are in one time zone.",
            )
        if (arm, day) not in known:
            raise InputError(f"Arm {arm!r} has conversions of {day} but no exposures.", "Give the units of that day.")
        table[arms[arm], (day - first).days, (converted - day).days] += count
    days = tuple(first + timedelta(days=i) for i in range(span))
    return DelayTable(arms=tuple(arms), days=days, as_of=as_of, counts=table, exposures=units)


def _check_count(count: float, arm: str, day: date) -> None:
    if not (np.isfinite(count) and count >= 0):
        raise InputError(f"Arm {arm!r} has the count {count} on {day}.", "Counts are 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayCurve:
    """Shares that have come by each delay, of the conversions that come within the horizon (leading axes ``...``).

    Attributes:
        share: ``F(d)`` for d = 0 … ``(..., D)``; 1 from the horizon on.
        terms: Greenwood's terms ``g / ((1 - g) R)`` by delay ``(..., D)``: the variance of ``log F(d)`` is their sum
            over longer delays, times the dispersion.
        at_risk: ``R(d)`` ``(..., D)``.
        horizon: longest delay with conversions enough at risk ``(...)``; -1 where there is none, and ``share`` is 1
            throughout: nothing is known, nothing is corrected.
        dispersion: Pearson's statistic of the fitted table over its degrees of freedom, at least 1 ``(...)``.
    """

    share: Array
    terms: Array
    at_risk: Array
    horizon: NDArray[np.int64]
    dispersion: Array

    @property
    def log_variance(self) -> Array:
        """Variance of ``log F(d)`` by delay ``(..., D)``; 0 where F is 1 by definition or 0 by the data."""
        reverse = np.cumsum(self.terms[..., ::-1], axis=-1)[..., ::-1]
        return np.where(self.share > 0, reverse - self.terms, 0.0) * self.dispersion[..., None]

    def limits(self, alpha: float) -> tuple[Array, Array]:
        """Two-sided limits of ``F(d)`` on the logit scale, by delay ``(..., D)``.

        They coincide with ``F`` where that is 0 or 1. Next to the horizon, where hardly any conversion was later, they
        are too narrow: look at ``at_risk``.
        """
        inner = (self.share > 0) & (self.share < 1)
        share = np.where(inner, self.share, 0.5)
        reach = -float(special.ndtri(alpha / 2.0)) * np.sqrt(self.log_variance) / (1.0 - share)
        low, high = (special.expit(special.logit(share) + side * reach) for side in (-1.0, 1.0))
        return np.where(inner, low, self.share), np.where(inner, high, self.share)


def fit_delays(
    counts: ArrayLike, ages: ArrayLike, *, least: float = LEAST_AT_RISK, longest: int | None = None
) -> DelayCurve:
    """The distribution of delays from a truncated table, for one experiment or many.

    Args:
        counts: conversions by exposure day and delay ``(..., E, D)``; what lies above a day's age is left out.
        ages: age of the exposure days ``(E,)``.
        least: conversions that must be at risk at the horizon. Longer delays cannot be told: the estimate of one
            rests on the few oldest days, and a single conversion there would move the whole curve.
        longest: a cap on the horizon, where several curves must have the same.

    Assumes that delays do not depend on the exposure day. Errors are Greenwood's, widened by the dispersion of the
    days around the fit.
    """
    table, age = _observed(counts, ages)
    delays = np.arange(table.shape[-1])
    open_days = delays <= age[:, None]
    at_risk = (np.cumsum(table, axis=-1) * open_days).sum(axis=-2)
    events = table.sum(axis=-2)
    told = (at_risk >= max(least, TINY)) & (delays <= (len(delays) if longest is None else longest))
    horizon = np.where(told, delays, -1).max(axis=-1)
    inside = delays <= horizon[..., None]
    hazard = np.where(inside & (delays > 0), events / np.maximum(at_risk, TINY), 0.0)
    factors = np.cumprod((1.0 - hazard)[..., ::-1], axis=-1)[..., ::-1]
    share = np.concatenate([factors[..., 1:], np.ones((*factors.shape[:-1], 1))], axis=-1)
    live = (hazard > 0) & (hazard < 1)
    terms = np.where(live, hazard / np.where(live, (1.0 - hazard) * at_risk, 1.0), 0.0)
    return DelayCurve(
        share=share,
        terms=terms,
        at_risk=at_risk,
        horizon=horizon.astype(np.int64),
        dispersion=_dispersion(table * inside[..., None, :], share, age, horizon),
    )


def _observed(counts: ArrayLike, ages: ArrayLike) -> tuple[Array, Array]:
    table, age = np.asarray(counts, dtype=float), np.asarray(ages, dtype=float)
    if table.ndim < 2 or age.shape != (table.shape[-2],) or not np.isfinite(table).all() or (table < 0).any():
        raise InputError(
            f"Counts of shape {table.shape} with ages of shape {age.shape} make no table of delays.",
            "Give counts of 0 or more as (..., exposure days, delays) and one age for each exposure day.",
        )
    return np.where(np.arange(table.shape[-1]) <= age[:, None], table, 0.0), age


def _dispersion(table: Array, share: Array, age: Array, horizon: Array) -> Array:
    """Pearson's chi-square of the counts around (total of the day x chance of the delay within the day's age)."""
    delays = np.arange(table.shape[-1])
    chance = np.diff(share, axis=-1, prepend=0.0)[..., None, :] * (delays <= age[:, None])
    known = chance.sum(axis=-1, keepdims=True)
    fitted = table.sum(axis=-1, keepdims=True) * chance / np.where(known > 0, known, 1.0)
    positive = fitted > 0
    pearson = np.where(positive, (table - fitted) ** 2 / np.where(positive, fitted, 1.0), 0.0).sum(axis=(-2, -1))
    cells = positive.sum(axis=(-2, -1))
    free = cells - positive.any(axis=-1).sum(axis=-1) - np.maximum(positive.any(axis=-2).sum(axis=-1) - 1, 0)
    return np.where(free > 0, np.maximum(1.0, pearson / np.maximum(free, 1)), 1.0)


def compare_delays(counts: ArrayLike, ages: ArrayLike) -> tuple[Array, Array, Array]:
    """Do the arms' conversions take equally long? The log-rank test in reverse time.

    At every delay the conversions at risk in reverse time are compared with those that have exactly this delay;
    observed minus expected adds up over delays to a chi-square with (arms - 1) degrees of freedom (Lagakos, Barraj and
    De Gruttola 1988). Arms may have been exposed on different days.

    Args:
        counts: conversions by arm, exposure day and delay ``(..., G, E, D)``.
        ages: age of the exposure days ``(E,)``.

    Returns:
        Statistic, degrees of freedom and p-value ``(...)``; 0, 0 and 1 where fewer than two arms can be compared.
    """
    table, age = _observed(counts, ages)
    open_days = np.arange(table.shape[-1]) <= age[:, None]
    at_risk = (np.cumsum(table, axis=-1) * open_days).sum(axis=-2)
    events = table.sum(axis=-2)
    risk, event = at_risk.sum(axis=-2, keepdims=True), events.sum(axis=-2, keepdims=True)
    share = at_risk / np.maximum(risk, TINY)
    gap = np.where(risk > 0, events - event * share, 0.0)[..., 1:].sum(axis=-1)
    factor = (event * (risk - event) / np.maximum(risk - 1.0, 1.0))[..., 1:]
    shares = np.where(risk > 1, share, 0.0)[..., 1:]
    own = np.einsum("...gd,...d->...g", shares, factor[..., 0, :])
    covariance = own[..., None] * np.eye(table.shape[-3]) - np.einsum(
        "...gd,...hd,...d->...gh", shares, shares, factor[..., 0, :]
    )
    compared = (own > 0).sum(axis=-1)
    statistic = np.einsum("...g,...gh,...h->...", gap, np.linalg.pinv(covariance, rcond=1e-9, hermitian=True), gap)
    df = np.maximum(compared - 1, 0).astype(float)
    p_value = np.where(df > 0, np.clip(special.chdtrc(np.maximum(df, 1.0), statistic), TINY, 1.0), 1.0)
    return np.where(df > 0, statistic, 0.0), df, p_value
