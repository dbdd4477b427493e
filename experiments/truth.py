"""The simulator's truth: what is really so, the lift it amounts to, and that lift next to what was estimated.

The estimand is stated exactly: the lift that the estimator gives on the *expected* numerators, given what was
delivered. Where an arm's effect is the same on every day and placement this is that effect, whatever the mix; where
it changes (arms tire at different speeds) it is the average with the weights of the delivered impressions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np

from experiments.comparing.cell_model import CellTable, fit_rates, tabulate
from proofsheet.domain.experiment import Arm, Metric, MetricKind
from proofsheet.domain.result import Cell, Result
from proofsheet.errors import InputError

FIELDS = ("impressions", "clicks", "conversions", "spend")
CLICK_RATE = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is really so. Effects are on the log scale: 0.10 is about +10 %.

    Args:
        base_rate: clicks per impression with every effect 0.
        level_effects: on the click rate, by factor and level; a level not named has none.
        conversion_rate: conversions per click.
        conversion_effects: on the conversion rate, by factor and level.
        placement_effects: on the click rate, by placement.
        placement_shares: of the impressions, by placement (relative; 1 where not named).
        cpm: price of a thousand impressions, by placement.
        weekday_effects: on the click rate, Monday first.
        fatigue: decline of the log click rate per day.
        susceptibility: factor on ``fatigue`` by arm name (1 where not named).
        day_variation: standard deviation of the day's factor shared by all arms, as a share.
        arm_day_variation: the same of each arm's own factor on each day.
        volume_variation: of the day's impressions.
        steering: how strongly delivery leans towards better arms over the test; 1 doubles the log effect's weight.
        drift: standard deviation of each arm's daily step in log delivery weight.
    """

    base_rate: float
    level_effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    conversion_rate: float = 0.04
    conversion_effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    placement_effects: Mapping[str, float] = field(default_factory=dict)
    placement_shares: Mapping[str, float] = field(default_factory=dict)
    cpm: Mapping[str, Decimal] = field(default_factory=dict)
    weekday_effects: tuple[float, ...] = (0.0,) * 7
    fatigue: float = 0.0
    susceptibility: Mapping[str, float] = field(default_factory=dict)
    day_variation: float = 0.08
    arm_day_variation: float = 0.05
    volume_variation: float = 0.05
    steering: float = 0.5
    drift: float = 0.04

    def __post_init__(self) -> None:
        if not 0.0 < self.base_rate < 1.0 or not 0.0 <= self.conversion_rate < 1.0:
            raise InputError(
                f"The rates {self.base_rate} and {self.conversion_rate} are not shares.", "Give values between 0 and 1."
            )
        if len(self.weekday_effects) != 7:
            raise InputError(f"There are {len(self.weekday_effects)} weekday effects.", "Give seven, Monday first.")

    def effect(self, arm: Arm) -> float:
        """The arm's log effect on the click rate."""
        return _sum_effects(self.level_effects, arm)

    def click_rate(self, arm: Arm, placement: str, day: date, start: date) -> float:
        """Expected clicks per impression of an arm in a placement on a day; the random factors have mean 1."""
        weariness = self.fatigue * self.susceptibility.get(arm.name, 1.0) * (day - start).days
        effects = self.effect(arm) + self.placement_effects.get(placement, 0.0) - weariness
        return min(0.95, self.base_rate * math.exp(effects + self.weekday_effects[day.weekday()]))

    def conversions_per_click(self, arm: Arm) -> float:
        """Expected conversions per click of an arm."""
        return min(0.95, self.conversion_rate * math.exp(_sum_effects(self.conversion_effects, arm)))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """One row of the simulated report: an arm in a placement on a day."""

    arm: str
    day: date
    placement: str
    impressions: int
    clicks: int
    conversions: int
    spend: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthRow:
    """One arm: the true lift, the estimate with its interval, and whether the interval holds the truth."""

    arm: str
    metric: str
    truth: float
    estimate: float | None
    low: float | None
    high: float | None
    inside: bool | None


def cells_of(rows: Sequence[DeliveryRow], metric: Metric) -> list[Cell]:
    """The rows as cells of a metric whose numerator and denominator are fields of a report."""
    _check_fields(metric)
    return [
        Cell(
            arm=row.arm,
            cell=f"{row.day.isoformat()}|{row.placement}|",
            trials=int(getattr(row, metric.denominator)),
            successes=float(getattr(row, metric.numerator)),
        )
        for row in rows
    ]


def true_lifts(
    arms: Sequence[Arm],
    truth: Truth,
    rows: Sequence[DeliveryRow],
    *,
    start: date | None = None,
    metric: Metric = CLICK_RATE,
    control: str | None = None,
) -> dict[str, float]:
    """The exact lift of each arm but the control on a metric, given the impressions delivered.

    A proportion takes its denominator as delivered and its numerator as expected; a ratio takes both as expected.

    Args:
        start: the first day of the simulation, from which arms tire; the rows' first day where not given.
        control: the control's name; the arm marked as control where not given.

    Returns:
        Lifts by arm name, in the order of ``arms``; arms without rows are left out.

    Raises:
        InputError: the metric is not made of a report's fields, or the control is not among the arms or the rows.
    """
    _check_fields(metric)
    by_name = {arm.name: arm for arm in arms}
    control = control or next((arm.name for arm in arms if arm.is_control), "")
    if control not in by_name or control not in {row.arm for row in rows}:
        raise InputError(f"The control {control!r} is not among the arms.", f"They are: {', '.join(by_name)}.")
    start = start or min(row.day for row in rows)
    given = metric.denominator if metric.kind is MetricKind.PROPORTION else "impressions"
    bottom = tabulate(cells_of(rows, metric))
    index = {name: i for i, name in enumerate(bottom.arms)}
    columns = {name: i for i, name in enumerate(sorted({f"{r.day.isoformat()}|{r.placement}|" for r in rows}))}
    top, below = np.zeros_like(bottom.trials), np.zeros_like(bottom.trials)
    for row in rows:
        at = index[row.arm], columns[f"{row.day.isoformat()}|{row.placement}|"]
        top[at] += _expected(metric.numerator, row, by_name[row.arm], truth, start, given)
        below[at] += _expected(metric.denominator, row, by_name[row.arm], truth, start, given)
    first = index[control]
    order = [first, *(i for i in range(len(index)) if i != first)]
    if metric.kind is MetricKind.PROPORTION:
        effects = fit_rates(CellTable(bottom.arms, below, top, bottom.days).subset(order))
    else:
        values = top.sum(axis=1)[order] / below.sum(axis=1)[order]
        effects = np.log(values / values[0])
    lifts = {bottom.arms[i]: float(np.expm1(effects[k])) for k, i in enumerate(order)}
    return {name: lifts[name] for name in by_name if name in lifts and name != control}


def truth_table(results: Sequence[Result], truths: Mapping[str, float]) -> tuple[TruthRow, ...]:
    """Truth next to estimate for the arms that have both, in the results' order."""
    table = []
    for r in results:
        if r.arm not in truths:
            continue
        known = r.lift_low is not None and r.lift_high is not None
        inside = r.lift_low <= truths[r.arm] <= r.lift_high if known else None  # type: ignore[operator]
        table.append(
            TruthRow(
                arm=r.arm,
                metric=r.metric,
                truth=truths[r.arm],
                estimate=r.lift,
                low=r.lift_low,
                high=r.lift_high,
                inside=inside,
            )
        )
    return tuple(table)


def _expected(name: str, row: DeliveryRow, arm: Arm, truth: Truth, start: date, given: str) -> float:
    """The expected value of a row's field, given its impressions or its clicks."""
    if name in {given, "impressions", "spend"}:
        return float(getattr(row, name))
    clicks = float(row.clicks)
    if given != "clicks":
        clicks = row.impressions * truth.click_rate(arm, row.placement, row.day, start)
    return clicks if name == "clicks" else clicks * truth.conversions_per_click(arm)


def _check_fields(metric: Metric) -> None:
    if metric.numerator not in FIELDS or metric.denominator not in FIELDS:
        raise InputError(
            f"The metric {metric.name!r} is {metric.numerator!r} over {metric.denominator!r}.",
            f"A simulated report has the fields: {', '.join(FIELDS)}.",
        )


def _sum_effects(effects: Mapping[str, Mapping[str, float]], arm: Arm) -> float:
    return math.fsum(effects.get(factor, {}).get(level, 0.0) for factor, level in arm.levels.items())
