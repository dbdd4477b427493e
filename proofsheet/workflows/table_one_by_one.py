"""Comparisons of a table that are made one experiment at a time: within cells, adjusted for covariates, quantiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.comparing.rows import Comparison, Family, Totals, result_rows
from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind
from proofsheet.domain.result import Result, Status
from proofsheet.workflows.table_comparisons import Columns, Plan, cap_notes, columns_of

if TYPE_CHECKING:
    from experiments.basis.moments import Moments

Index = NDArray[np.intp]
Pairs = Callable[[Index], list[Comparison]]


def is_one_by_one(plan: Plan, metric: Metric) -> bool:
    """Whether a metric asks for it."""
    adjusted = bool(plan.read.sums.covariates) and metric.kind is not MetricKind.RATE
    return bool(plan.read.sums.cells) or metric.kind is MetricKind.QUANTILE or adjusted


def compared_one_by_one(plan: Plan, metric: Metric, place: int) -> Columns:
    """One metric of every experiment, in the columns of ``table_comparisons.compared_at_once``."""
    results: list[Result] = []
    numbers: list[int] = []
    for number, rows in _experiments(plan):
        if plan.read.sums.cells:
            found = _within_cells(plan, metric, number, rows)
        elif metric.kind is MetricKind.QUANTILE:
            found = _rows(plan, metric, number, rows, place, _quantiles(plan, metric, place))
        else:
            found = _rows(plan, metric, number, rows, place, _adjusted(plan, metric, place))
        results += found
        numbers += [number] * len(found)
    return columns_of(results, numbers)


def _experiments(plan: Plan) -> Iterator[tuple[int, Index]]:
    """Each experiment with two or more arms: its number, and its rows of the sums, the control's first."""
    for number, rows in enumerate(np.split(np.arange(plan.number.size), np.flatnonzero(np.diff(plan.number)) + 1)):
        if rows.size > 1:
            control = plan.is_control[rows]
            yield number, np.concatenate([rows[control], rows[~control]])


def _name(plan: Plan, rows: Index) -> str:
    return str(plan.read.sums.columns["experiment"][rows[0]])


def _within_cells(plan: Plan, metric: Metric, number: int, rows: Index) -> tuple[Result, ...]:
    from experiments.comparing.counts import compare_cells

    name, control = _name(plan, rows), str(plan.read.sums.columns["arm"][rows[0]])
    return compare_cells(
        replace(metric, kind=MetricKind.PROPORTION),
        plan.read.cells[name],
        control,
        experiment=name,
        confidence=plan.confidence,
        correction=plan.correction_of(metric),
        evidence=plan.evidence[number],
    )


def _rows(plan: Plan, metric: Metric, number: int, rows: Index, place: int, pairs: Pairs) -> tuple[Result, ...]:
    sums = plan.read.sums.columns
    family = Family(
        metric=metric,
        control=str(sums["arm"][rows[0]]),
        control_totals=_totals(plan, metric, place, int(rows[0])),
        experiment=_name(plan, rows),
        confidence=plan.confidence,
        correction=plan.correction_of(metric),
        evidence=plan.evidence[number],
    )
    return result_rows(family, pairs(rows))


def _totals(plan: Plan, metric: Metric, place: int, row: int) -> Totals:
    sums = plan.read.sums
    n = int(sums.columns["n"][row])
    if metric.kind is MetricKind.QUANTILE:
        return Totals(n=n, sum_x=float(sums.values[place][row].sum()), sum_y=float(n))
    over = float(sums.columns[f"mean_y_{place}"][row]) if metric.kind in OVER_ANOTHER else 1.0
    return Totals(n=n, sum_x=n * float(sums.columns[f"mean_x_{place}"][row]), sum_y=n * over)


def _adjusted(plan: Plan, metric: Metric, place: int) -> Pairs:
    """Means and ratios adjusted for covariates, from cross-moments."""
    from experiments.adjusting.adjustment import adjust_means, adjust_ratios

    covariates = plan.read.sums.covariates
    notes = cap_notes(plan, metric, place) if metric.upper < 1.0 else np.full(plan.number.size, "", dtype=object)

    def pairs(rows: Index) -> list[Comparison]:
        moments = _cross_moments(plan, metric, place, rows)
        if metric.kind is MetricKind.RATIO:
            arms = adjust_ratios(moments, "numerator", "denominator", covariates)
        else:
            arms = adjust_means(moments, "numerator", covariates)
        found = []
        for i, row in enumerate(rows.tolist()[1:], start=1):
            contrast = arms.contrast(i, 0)
            status = Status.TOO_FEW if contrast is None else Status.OK
            totals = _totals(plan, metric, place, row)
            name = str(plan.read.sums.columns["arm"][row])
            found.append(Comparison(arm=name, totals=totals, contrast=contrast, status=status, note=str(notes[row])))
        return found

    return pairs


def _cross_moments(plan: Plan, metric: Metric, place: int, rows: Index) -> Moments:
    """Moments of the outcome and the covariates of the arms of one experiment."""
    from experiments.basis.moments import Moments

    sums, covariates = plan.read.sums.columns, plan.read.sums.covariates
    outcomes = ["x", "y"] if metric.kind in OVER_ANOTHER else ["x"]
    k = len(outcomes) + len(covariates)
    mean, rest, cross = np.zeros((rows.size, k)), np.zeros((rows.size, k)), np.zeros((rows.size, k, k))

    def put(i: int, j: int, name: str) -> None:
        cross[:, i, j] = cross[:, j, i] = sums[name][rows]

    def put_mean(i: int, name: str) -> None:
        mean[:, i] = sums[f"mean_{name}"][rows]
        if f"rest_{name}" in sums:
            rest[:, i] = sums[f"rest_{name}"][rows]

    for i, axis in enumerate(outcomes):
        put_mean(i, f"{axis}_{place}")
        put(i, i, f"m2_{axis}_{place}")
        for j in range(len(covariates)):
            put(i, len(outcomes) + j, f"cross_{axis}_{place}_{j}")
    if len(outcomes) == 2:
        put(0, 1, f"cxy_{place}")
    for j in range(len(covariates)):
        put_mean(len(outcomes) + j, str(j))
        for i in range(j + 1):
            put(len(outcomes) + i, len(outcomes) + j, f"cross_{i}_{j}")
    names = (*("numerator", "denominator")[: len(outcomes)], *covariates)
    for i in range(k):
        cross[:, i, i] = np.maximum(cross[:, i, i], 0.0)
    return Moments(names=names, n=sums["n"][rows].astype(np.float64), mean=mean, cross=cross, mean_rest=rest)


def _quantiles(plan: Plan, metric: Metric, place: int) -> Pairs:
    """Quantiles of the values themselves, by order statistics."""
    from experiments.adjusting.quantiles import quantile_contrasts, sample_quantiles

    values: list[NDArray[Any]] = plan.read.sums.values[place]

    def pairs(rows: Index) -> list[Comparison]:
        arms = [sample_quantiles(values[row], metric.level) for row in rows.tolist()]
        found = []
        for row, one in zip(rows.tolist()[1:], arms[1:], strict=True):
            contrast = quantile_contrasts(one, arms[0]).at()
            status = Status.TOO_FEW if contrast is None else Status.OK
            name, totals = str(plan.read.sums.columns["arm"][row]), _totals(plan, metric, place, row)
            found.append(Comparison(arm=name, totals=totals, contrast=contrast, status=status))
        return found

    return pairs
