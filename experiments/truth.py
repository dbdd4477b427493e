"""The simulator's truth next to what was estimated.

The estimand is stated exactly: the lift that the estimator gives on the *expected* numerators, given what was
delivered. Where an arm's effect is the same on every day and placement this is that effect, whatever the mix; where
it changes (arms tire at different speeds) it is the average with the weights of the delivered impressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from experiments.cell_model import CellTable, fit_rates, tabulate
from experiments.simulate import DeliveryRow, Truth
from proofsheet.domain.experiment import Arm, Metric, MetricKind
from proofsheet.domain.result import Cell, Result
from proofsheet.errors import InputError

FIELDS = ("impressions", "clicks", "conversions", "spend")


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
    arms: Sequence[Arm], truth: Truth, rows: Sequence[DeliveryRow], control: str, metric: Metric
) -> dict[str, float]:
    """The exact lift of each arm but the control on a metric, given the impressions delivered.

    A proportion takes its denominator as delivered and its numerator as expected; a ratio takes both as expected.

    Raises:
        InputError: the metric is not made of a report's fields, or the control is not among the arms.
    """
    _check_fields(metric)
    by_name = {arm.name: arm for arm in arms}
    if control not in by_name:
        raise InputError(f"The control {control!r} is not among the arms.", f"They are: {', '.join(by_name)}.")
    start = min(row.day for row in rows)
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
    return {bottom.arms[i]: float(np.expm1(effects[k])) for k, i in enumerate(order) if i != first}


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
