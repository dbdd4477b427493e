"""Planning a test as a whole: units, days and money for an effect, or the effect that days and money can find."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from experiments.planning import power as fixed
from experiments.planning import sequential_power as watched
from experiments.planning.duration import Traffic, affordable_units, days_for, units_within, whole_weeks
from experiments.planning.plan_summary import notes, summary
from experiments.planning.planned_rules import Rules, inside
from experiments.planning.planned_standing import PlannedOutcome, arm_value
from experiments.planning.planned_test import Limits, PlannedTest, Size, WatchedPart, WeekRow
from experiments.planning.power import CurvePoint
from experiments.planning.watching import Watch
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is planned: an outcome, the rules, how it is watched, and the traffic and the price of a unit, if known."""

    outcome: PlannedOutcome
    rules: Rules
    power: float = 0.8
    watch: Watch | None = None
    traffic: Traffic | None = None
    price: Decimal | None = None
    currency: str = ""
    downwards: bool = False

    @property
    def arms(self) -> int:
        """All arms, the control included."""
        return int(np.asarray(self.rules.comparisons)) + 1

    @property
    def ratio(self) -> float:
        """Units of the control per unit of an arm."""
        return float(np.asarray(self.rules.control_ratio))

    @property
    def shares(self) -> float:
        """All arms together, in units of one arm."""
        return self.arms - 1 + self.ratio

    def once(self, effect: float) -> float:
        """Units of the arm for a test that is read once."""
        return float(fixed.sample_size(self.outcome, effect, self.rules, power=self.power))

    def units_for(self, effect: float) -> float:
        """Units of the arm that find the effect with the planned power."""
        if self.watch is None:
            return self.once(effect)
        return float(watched.watched_sample_size(self.outcome, effect, self.rules, self.watch, power=self.power))

    def power_of(self, effect: float, units: float) -> float:
        """The power for an effect with these units in the arm."""
        if self.watch is None:
            return float(fixed.power(self.outcome, effect, units, self.rules))
        return float(watched.watched_power(self.outcome, effect, units, self.rules, self.watch).power)

    def smallest(self, units: float) -> float:
        """The smallest effect found with the planned power by these units in the arm."""
        downwards = self.downwards
        if self.watch is None:
            found = fixed.detectable_effect(self.outcome, units, self.rules, power=self.power, downwards=downwards)
            return float(found)
        return watched.watched_detectable_effect(
            self.outcome, units, self.rules, self.watch, power=self.power, downwards=downwards
        )


def plan_test(question: Question, effect: float | None, limits: Limits | None = None) -> PlannedTest:
    """Work out a test: what an effect takes, and what the limits leave of it.

    Args:
        effect: in the rules' unit; without it the smallest effect that the limits can find is planned.
        limits: days, units and money that there are; the scarcest counts.

    Raises:
        InputError: there is neither an effect nor a limit, a limit is not a positive number, days without traffic or a
            budget without a price are asked for.
    """
    inside("power", question.power, 0.0, 1.0, "Usual is 0.8.")
    bounds = limits or Limits()
    if effect is None and not bounds.any:
        raise InputError(
            "Neither an effect nor a limit was given: there is nothing to plan.",
            "Give the effect to be found, or the days, units or budget that there are.",
        )
    available, limited_by = _available(question, bounds)
    smallest = question.smallest(available) if available is not None else None
    if smallest is not None and not math.isfinite(smallest):
        smallest = None
    units = question.units_for(effect) if effect is not None else math.inf
    needed = _size(question, units) if math.isfinite(units) else None
    there = None if available is None else _size(question, available, down=True)
    absolute, relative = _both_ways(question, effect)
    least_absolute, least_relative = _both_ways(question, smallest)
    rules = question.rules
    plan = PlannedTest(
        kind=question.outcome.kind,
        baseline=float(np.asarray(question.outcome.baseline)),
        effect=absolute,
        lift=relative,
        value=None if effect is None else float(arm_value(question.outcome, effect, rules)),
        alpha=float(np.asarray(rules.alpha)),
        sides=rules.sides,
        power=question.power,
        margin=float(np.asarray(rules.margin)),
        relative=rules.relative,
        higher_is_better=rules.higher_is_better,
        tested=rules.tested,
        arms=question.arms,
        correction=rules.correction if question.arms > 2 else "none",
        critical=float(rules.critical),
        control_ratio=question.ratio,
        r_squared=float(np.asarray(rules.r_squared)),
        dispersion=float(np.asarray(rules.dispersion)),
        needed=needed,
        available=there,
        limited_by=limited_by,
        enough=None if available is None or effect is None else available >= units * (1.0 - 1e-9),
        power_available=None if effect is None or available is None else question.power_of(effect, available),
        detectable_effect=least_absolute,
        detectable_lift=least_relative,
        watched=_watched(question, effect if effect is not None else smallest, needed or there),
        price=question.price,
        currency=question.currency,
    )
    return replace(plan, summary=summary(plan), notes=notes(plan))


def week_by_week(question: Question, weeks: Sequence[int] = (1, 2, 3, 4, 6, 8)) -> tuple[WeekRow, ...]:
    """What each number of weeks can find; nothing without traffic."""
    if question.traffic is None:
        return ()
    rows = []
    for count in weeks:
        units = units_within(question.traffic, 7 * count)
        least = question.smallest(units / question.shares)
        absolute, relative = _both_ways(question, least if math.isfinite(least) else None)
        rows.append(
            WeekRow(
                weeks=count,
                days=7 * count,
                units=round(units),
                spend=None if question.price is None else question.price * round(units),
                detectable_effect=absolute,
                detectable_lift=relative,
            )
        )
    return tuple(rows)


def curve(question: Question, effects: Sequence[float], units: Sequence[float]) -> tuple[CurvePoint, ...]:
    """Rows for a chart of the power, effects within units of the arm; watched or read once, as the question says."""
    if question.watch is None:
        return fixed.power_curve(question.outcome, effects, units, question.rules)
    across = np.asarray(effects, dtype=float)
    values = arm_value(question.outcome, across, question.rules)
    rows: list[CurvePoint] = []
    for n in units:
        chances = watched.watched_power(question.outcome, across, n, question.rules, question.watch).power
        rows += [
            CurvePoint(units=float(n), effect=float(effect), value=float(value), power=float(chance))
            for effect, value, chance in zip(across, values, chances, strict=True)
        ]
    return tuple(rows)


def _available(question: Question, limits: Limits) -> tuple[float | None, str]:
    """The units of the arm that the scarcest limit leaves, and its name; None without limits."""
    found: list[tuple[float, str]] = []
    if limits.days is not None:
        if question.traffic is None:
            raise InputError("Days alone do not say how many units there are.", "Give the units a day too.")
        found.append((units_within(question.traffic, limits.days), "days"))
    if limits.budget is not None:
        if question.price is None:
            raise InputError("A budget alone does not say how many units it buys.", "Give a CPM or a price per unit.")
        found.append((float(affordable_units(limits.budget, question.price)), "budget"))
    if limits.units is not None:
        inside("The units", limits.units, 0.0, np.inf, "Give the units of all arms together.")
        found.append((limits.units, "units"))
    if not found:
        return None, ""
    units, name = min(found)
    return units / question.shares, name


def _size(question: Question, units: float, *, down: bool = False) -> Size:
    """Whole units of each arm, rounded up (or down), and the days and money they take."""
    arm, control = (
        math.floor(n * (1.0 + 1e-9)) if down else math.ceil(n * (1.0 - 1e-9)) for n in (units, units * question.ratio)
    )
    total = arm * (question.arms - 1) + control
    price, traffic = question.price, question.traffic
    size = Size(units_arm=arm, units_control=control, units=total, spend=None if price is None else price * total)
    if traffic is None:
        return size
    days = int(days_for(traffic, total))
    whole = int(whole_weeks(days))
    filled = int(units_within(traffic, whole))
    return replace(
        size,
        days=days,
        whole_days=whole,
        whole_units=filled,
        whole_spend=None if price is None else price * filled,
    )


def _both_ways(question: Question, effect: float | None) -> tuple[float | None, float | None]:
    """An effect in the rules' unit as an absolute and a relative one."""
    if effect is None:
        return None, None
    size = abs(float(np.asarray(question.outcome.baseline)))
    if question.rules.relative:
        return effect * size, effect
    return effect, effect / size if size else None


def _watched(question: Question, effect: float | None, size: Size | None) -> WatchedPart | None:
    """What watching does to a test of this size; None where it is not watched, or there is nothing to size."""
    watch, rules = question.watch, question.rules
    if watch is None or effect is None or size is None or size.units_arm < 1:
        return None
    at = watched.watched_power(question.outcome, effect, size.units_arm, rules, watch)
    none = watched.watched_power(question.outcome, float(rules.null_effect), size.units_arm, rules, watch)
    needed, once = question.units_for(effect), question.once(effect)
    expected, idle = (math.ceil(float(one.expected_share) * size.units) for one in (at, none))
    tuning = watch.tuning if watch.tuning is not None else float(size.units_arm + size.units_control)
    return WatchedPart(
        method=watch.method,
        looks=watch.looks,
        tuning=tuning if watch.method == "always-valid" else None,
        inflation=needed / once if math.isfinite(needed) and once > 0.0 else None,
        false_alarm=float(none.power),
        expected_units=expected,
        expected_days=None if question.traffic is None else int(days_for(question.traffic, expected)),
        expected_units_without_effect=idle,
    )
