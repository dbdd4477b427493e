"""Power in the middle of a running test: what it can still find, and how much longer it takes, from today's aggregates.

Conditional power for the planned effect and for the one seen, predictive power over a prior (``conditional_power``),
and the same for a test that is watched, by the remaining looks (``sequential_power.crossing_from``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from experiments.planning.conditional_power import (
    conditional_power,
    drift_posterior,
    information_until,
    predictive_power,
)
from experiments.planning.planned_outcome import Mean, Proportion
from experiments.planning.planned_rules import Array, Rules, inside
from experiments.planning.planned_standing import PlannedOutcome
from experiments.planning.power import sample_size, standing
from experiments.planning.sequential_power import crossing_from, watched_sample_size
from experiments.planning.watching import Watch, limit_now, watch_limits
from proofsheet.domain.experiment import MetricKind
from proofsheet.domain.result import Aggregates, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPower:
    """What a running test can still find. A value that cannot be given is None, and ``status`` says why.

    ``effect`` and ``planned_effect`` are in the rules' unit. ``conditional_planned`` and ``conditional_seen`` are the
    chances to find a difference on the side of the planned effect by the planned end if the planned effect, or the one
    seen, is the true one; ``predictive`` averages over what is believed. ``units`` are those of the arm:
    ``more_units`` until the whole test has the planned power for the planned effect with today's variance,
    ``more_units_now`` until the conditional power reaches it (for a test read once). ``reading`` is "found",
    "opposite" (found on the other side), "on course", "open", "unlikely" or "too early".
    """

    status: Status
    reading: str
    fraction: float | None = None
    z: float | None = None
    critical: float | None = None
    effect: float | None = None
    planned_effect: float
    power_planned: float
    conditional_planned: float | None = None
    conditional_seen: float | None = None
    predictive: float | None = None
    units: float
    planned_units: float
    needed_units: float | None = None
    more_units: float | None = None
    more_days: float | None = None
    more_units_now: float | None = None
    more_days_now: float | None = None
    sentences: tuple[str, ...] = ()


def running_power(
    kind: MetricKind,
    arm: Aggregates,
    control: Aggregates,
    *,
    effect: float,
    planned_units: float,
    rules: Rules,
    power: float = 0.8,
    prior: tuple[float, float] | None = None,
    watch: Watch | None = None,
    daily_units: float | None = None,
    futility: float = 0.1,
) -> RunningPower:
    """Read the power of a running test from today's aggregates of one arm and the control.

    Args:
        kind: of the metric. Rates are judged by the score test, means and ratios by their variances.
        effect: the planned one, in the rules' unit.
        planned_units: of the arm at the planned end; the control has the rules' ratio of them.
        rules: as the test was planned with, without arrays.
        power: the planned one.
        prior: mean and deviation of the effect before the test, in the rules' unit; flat where not given.
        watch: how the test is watched; read once, at its end, where not given.
        daily_units: new units of the arm a day, for the days.
        futility: a predictive power below this reads "unlikely".

    Raises:
        InputError: a number is outside its range. Data that say nothing yet are no error: see ``status``.
    """
    inside("power", power, 0.0, 1.0, "Usual is 0.8.")
    inside("futility", futility, 0.0, 1.0, "Usual is 0.1.")
    inside("planned_units", planned_units, 0.0, np.inf, "Give the units of the arm at the planned end.")
    if prior is not None:
        inside("The prior's deviation", prior[1], 0.0, np.inf, "Give the mean and deviation of effects, above 0.")
    asked = RunningPower(
        status=Status.OK,
        reading="too early",
        planned_effect=effect,
        power_planned=power,
        units=float(arm.n),
        planned_units=planned_units,
    )
    status, outcome = outcome_of(kind, arm, control, needs_lift=rules.relative or rules.tested == "lift")
    if outcome is None:
        return replace(asked, status=status, sentences=(_WHY[status],))
    today = replace(rules, control_ratio=control.n / arm.n)
    base, value = float(np.asarray(outcome.baseline)), _value(kind, arm)
    seen_effect = (value - base) / (abs(base) if rules.relative else 1.0)
    seen, planned = standing(outcome, seen_effect, today), standing(outcome, effect, rules)
    at_end = standing(outcome, seen_effect, rules)
    error_now = float(seen.true_sd) / math.sqrt(arm.n)
    error_end = float(at_end.true_sd) / math.sqrt(planned_units)
    t = (error_end / error_now) ** 2
    # Counted towards the planned effect; a margin turns towards "no harm" by itself.
    margin = float(np.asarray(rules.margin)) > 0.0
    towards = -1.0 if not margin and effect < 0.0 else 1.0
    z = towards * float(seen.gap) * math.sqrt(arm.n) / float(seen.null_sd)
    theta = towards * float(planned.gap) / error_end
    believed = _drift_of(prior, base, rules, towards if not margin or rules.higher_is_better else -1.0, error_end)
    chance = _Chances(z=z, fraction=t, rules=rules, watch=watch, units=planned_units)
    predictive = chance.predictive(*believed)
    if watch is None:
        needed = float(sample_size(outcome, effect, rules, power=power))
        now = information_until(z, error_now, theta * error_end, float(rules.critical), power)
    else:
        needed, now = float(watched_sample_size(outcome, effect, rules, watch, power=power)), None
    more = (max(0.0, needed - arm.n), None if now is None else now * arm.n)
    found = replace(
        asked,
        reading=_reading(chance.side, predictive, power, futility),
        fraction=t,
        z=towards * z,
        critical=chance.critical_now,
        effect=seen_effect,
        conditional_planned=chance.conditional(theta),
        conditional_seen=chance.conditional(z / math.sqrt(t)),
        predictive=predictive,
        needed_units=needed,
        more_units=more[0],
        more_days=_days(more[0], daily_units),
        more_units_now=more[1],
        more_days_now=_days(more[1], daily_units),
    )
    return replace(found, sentences=_sentences(found, watch))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chances:
    """Conditional chances of one running test, read once or watched."""

    z: float
    fraction: float
    rules: Rules
    watch: Watch | None
    units: float

    @property
    def critical_now(self) -> float:
        """The critical value that counts: today's when watched, the end's when read once."""
        if self.watch is None:
            return float(self.rules.critical)
        return limit_now(self.watch, self.rules, self.units, min(self.fraction, 1.0))

    @property
    def side(self) -> int:
        """1 or -1 where it has found something already: today when watched, at the planned end when read once."""
        if self.watch is None and self.fraction < 1.0:
            return 0
        if self.z >= self.critical_now:
            return 1
        return -1 if bool(self.rules.two_tailed) and -self.z >= self.critical_now else 0

    def conditional(self, drift: float) -> float:
        """For one true drift."""
        return float(self._at(np.array([drift]))[0])

    def predictive(self, mean: float, deviation: float) -> float:
        """Over a prior of the drift."""
        if self.watch is None:
            critical = self.rules.critical
            return float(
                predictive_power(self.z, self.fraction, critical, prior_mean=mean, prior_sd=deviation, two_sided=False)
            )
        centre, variance = drift_posterior(
            np.asarray(self.z), np.asarray(min(self.fraction, 1.0)), np.asarray(mean), np.asarray(deviation)
        )
        return float(_WEIGHTS @ self._at(centre + np.sqrt(variance) * _NODES))

    def _at(self, drifts: Array) -> Array:
        if self.watch is None:
            return conditional_power(self.z, self.fraction, drifts, self.rules.critical, two_sided=False)
        if self.side or self.fraction >= 1.0:
            return np.full(drifts.shape, 1.0 if self.side > 0 else 0.0)
        limits = watch_limits(self.watch, self.rules, self.units)
        return crossing_from(self.watch, self.rules, limits, self.fraction, self.z, drifts)[0]


_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()

_WHY = {
    Status.NO_DATA: "There is no data yet in one of the arms.",
    Status.TOO_FEW: "There are too few units for a variance yet.",
    Status.ZERO_CONTROL: "The control's value is zero so far: it is too early to tell.",
    Status.NO_VARIANCE: "The values do not vary so far: it is too early to tell.",
}


def outcome_of(
    kind: MetricKind, arm: Aggregates, control: Aggregates, *, needs_lift: bool = True
) -> tuple[Status, PlannedOutcome | None]:
    """The outcome with the baseline and variances seen; None, with the reason, where there is nothing to plan with."""
    if not arm.n or not control.n:
        return Status.NO_DATA, None
    if kind is MetricKind.PROPORTION:
        if not 0.0 < control.mean_x < 1.0:
            return (Status.ZERO_CONTROL if control.mean_x <= 0.0 else Status.NO_VARIANCE), None
        return Status.OK, Proportion(baseline=control.mean_x)
    if min(arm.n, control.n) < 2:
        return Status.TOO_FEW, None
    if kind is MetricKind.RATIO and (arm.mean_y == 0.0 or control.mean_y == 0.0):
        return Status.NO_DATA, None
    own, base = _variance(kind, arm), _variance(kind, control)
    if own <= 0.0 or base <= 0.0:
        return Status.NO_VARIANCE, None
    value = _value(kind, control)
    if value == 0.0 and needs_lift:
        return Status.ZERO_CONTROL, None
    return Status.OK, Mean(baseline=value, variance=base, arm_variance=own, kind=kind.value)


def _drift_of(
    prior: tuple[float, float] | None, base: float, rules: Rules, side: float, error_end: float
) -> tuple[float, float]:
    """The prior of the drift: an effect in the rules' unit as so many standard errors at the end, beyond the border."""
    if prior is None:
        return 0.0, math.inf
    unit = abs(base) if rules.relative else 1.0
    unit = unit / abs(base) if rules.tested == "lift" else unit
    return side * (prior[0] - float(rules.null_effect)) * unit / error_end, prior[1] * unit / error_end


def _value(kind: MetricKind, one: Aggregates) -> float:
    return one.mean_x / one.mean_y if kind is MetricKind.RATIO else one.mean_x


def _variance(kind: MetricKind, one: Aggregates) -> float:
    """Of one unit; 0 where only rounding is left."""
    scale = one.n - 1
    if kind is MetricKind.MEAN:
        return one.m2_x / scale if one.m2_x > one.n * (abs(one.mean_x) * 1e-12) ** 2 else 0.0
    ratio = one.mean_x / one.mean_y
    residual = one.m2_x - 2.0 * ratio * one.cxy + ratio**2 * one.m2_y
    return residual / scale / one.mean_y**2 if residual > one.n * (abs(one.mean_x) * 1e-12) ** 2 else 0.0


def _days(units: float | None, daily: float | None) -> float | None:
    if units is None or daily is None or not math.isfinite(units):
        return None
    inside("daily_units", daily, 0.0, np.inf, "Give the new units of the arm a day.")
    return float(math.ceil(units / daily))


def _reading(side: int, predictive: float, power: float, futility: float) -> str:
    if side:
        return "found" if side > 0 else "opposite"
    if predictive >= power:
        return "on course"
    return "unlikely" if predictive < futility else "open"


def _sentences(found: RunningPower, watch: Watch | None) -> tuple[str, ...]:
    """The reading in plain words."""
    if found.reading in ("found", "opposite"):
        side = "the side of the planned effect" if found.reading == "found" else "the other side"
        return (f"It has found a difference, on {side}.",)
    so_far = f"{found.fraction:.0%} of the" if found.fraction is not None and found.fraction < 1.0 else "The"
    lines = [
        f"{so_far} planned information is in.",
        f"By the planned end it finds the effect with a chance of {found.predictive:.0%} by what was seen, and of "
        f"{found.conditional_planned:.0%} if the planned effect is true.",
    ]
    if found.reading == "unlikely":
        lines.append("It is unlikely to find it: stopping now gives little away. This is advice, not a test.")
    if found.more_units:
        days = f", {found.more_days:,.0f} days" if found.more_days is not None else ""
        lines.append(
            f"With today's variance the planned power takes {math.ceil(found.more_units):,} more units in the arm"
            f"{days}."
            if math.isfinite(found.more_units)
            else "No number of units reaches the planned power for this effect."
        )
    if watch is None and found.more_units_now and (found.fraction or 0.0) < 1.0:
        lines.append("A test that is read once keeps its level only if its end is not moved because of the results.")
    return tuple(lines)
