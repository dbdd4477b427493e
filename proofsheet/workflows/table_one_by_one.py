"""Comparisons of a table that are made one experiment at a time.

Those within cells, those adjusted for covariates, and quantiles; and all that are read at many looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.comparing.readings import Reading, read_rows
from experiments.comparing.rows import Comparison, Family, Totals
from proofsheet.domain.experiment import OVER_ANOTHER, Metric, MetricKind
from proofsheet.domain.result import Aggregates, Result, Status
from proofsheet.workflows.table_comparisons import Columns, Plan, cap_notes, columns_of, long_table

if TYPE_CHECKING:
    from experiments.basis.moments import Moments

Index = NDArray[np.intp]
Pairs = Callable[[Index], list[Comparison]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Experiment:
    """One of two or more arms; ``rows`` are those of the sums, the control's first."""

    number: int
    name: str
    control: str
    rows: Index
    reading: Reading | None


def is_one_by_one(plan: Plan, metric: Metric) -> bool:
    """Whether a metric, or the reading, asks for it."""
    special = bool(plan.read.sums.cells) or metric.kind is MetricKind.QUANTILE
    return plan.reading.always or special or _is_adjusted(plan, metric)


def _is_adjusted(plan: Plan, metric: Metric) -> bool:
    return bool(plan.read.sums.covariates) and metric.kind is not MetricKind.RATE


def compared_one_by_one(plan: Plan, metric: Metric, place: int) -> Columns:
    """One metric of every experiment, in the columns of ``table_comparisons.compared_at_once``."""
    results: list[Result] = []
    numbers: list[int] = []
    compare_one = _way(plan, metric, place)
    for one in _experiments(plan):
        found = compare_one(one)
        results += found
        numbers += [one.number] * len(found)
    return columns_of(results, numbers)


def _experiments(plan: Plan) -> Iterator[_Experiment]:
    """Each experiment with two or more arms."""
    sums = plan.read.sums.columns
    sizes = np.rint(sums["trials"]).astype(np.int64) if "trials" in sums else sums["n"]
    for number, rows in enumerate(np.split(np.arange(plan.number.size), np.flatnonzero(np.diff(plan.number)) + 1)):
        if rows.size > 1:
            control = plan.is_control[rows]
            ordered = np.concatenate([rows[control], rows[~control]])
            arms = sums["arm"][ordered].tolist()
            yield _Experiment(
                number=number,
                name=str(sums["experiment"][rows[0]]),
                control=arms[0],
                rows=ordered,
                reading=plan.reading.looks(dict(zip(arms, sizes[ordered].tolist(), strict=True)), arms[0]),
            )


def _way(plan: Plan, metric: Metric, place: int) -> Callable[[_Experiment], tuple[Result, ...]]:
    """How a metric is compared in one experiment."""
    if plan.read.sums.cells:
        return lambda one: _within_cells(plan, metric, one)
    if metric.kind is MetricKind.QUANTILE:
        pairs = _quantiles(plan, metric, place)
    elif _is_adjusted(plan, metric):
        pairs = _adjusted(plan, metric, place)
    elif metric.kind is MetricKind.RATE:
        pairs = _rates(plan, metric, place)
    elif "trials" in plan.read.sums.columns:
        return _counted(plan, metric, place)
    else:
        return _from_moments(plan, metric, place)
    return lambda one: _rows(plan, metric, one, place, pairs)


def _shared(plan: Plan, metric: Metric, one: _Experiment) -> dict[str, Any]:
    """What the comparisons of an experiment have in common, as the engine's functions name it."""
    return {
        "experiment": one.name,
        "confidence": plan.confidence,
        "correction": plan.correction_of(metric),
        "evidence": plan.evidence[one.number],
    }


def _within_cells(plan: Plan, metric: Metric, one: _Experiment) -> tuple[Result, ...]:
    from experiments.comparing.counts import compare_cells

    kind, cells = replace(metric, kind=MetricKind.PROPORTION), plan.read.cells[one.name]
    return compare_cells(kind, cells, one.control, reading=one.reading, **_shared(plan, metric, one))


def _from_moments(plan: Plan, metric: Metric, place: int) -> Callable[[_Experiment], tuple[Result, ...]]:
    """Proportions, means and ratios of units."""
    from experiments.comparing.analysis import compare

    sums, arms = plan.read.sums.columns, plan.read.sums.columns["arm"]
    capped = cap_notes(plan, metric, place) if metric.upper < 1.0 else np.full(plan.number.size, "", dtype=object)

    def compared(one: _Experiment) -> tuple[Result, ...]:
        moments = {str(arms[row]): _aggregates(sums, place, row) for row in one.rows.tolist()}
        found = compare(metric, moments, one.control, reading=one.reading, **_shared(plan, metric, one))
        notes = [" ".join(filter(None, (capped[r], row.note))) for r, row in zip(one.rows[1:], found, strict=True)]
        return tuple(replace(row, note=note) for row, note in zip(found, notes, strict=True))

    return compared


def _aggregates(sums: Columns, place: int, row: int) -> Aggregates:
    kept = [
        name for name in ("mean_x", "m2_x", "mean_y", "m2_y", "cxy", "rest_x", "rest_y") if f"{name}_{place}" in sums
    ]
    return Aggregates(n=int(sums["n"][row]), **{name: float(sums[f"{name}_{place}"][row]) for name in kept})


def _counted(plan: Plan, metric: Metric, place: int) -> Callable[[_Experiment], tuple[Result, ...]]:
    """Trials and successes: by the spread over an arm's rows where it has enough, else as independent trials."""
    from experiments.comparing.counts import compare_totals

    sums, arms = plan.read.sums.columns, plan.read.sums.columns["arm"]
    by_rows = long_table(plan, metric, place)[0]["kind"] == "ratio"
    over_rows = _from_moments(plan, metric, place)

    def compared(one: _Experiment) -> tuple[Result, ...]:
        if by_rows[one.rows[0]]:
            return over_rows(one)
        counts = {str(arms[row]): (round(sums["trials"][row]), float(sums["successes"][row])) for row in one.rows}
        kind = replace(metric, kind=MetricKind.PROPORTION)
        return compare_totals(kind, counts, one.control, reading=one.reading, **_shared(plan, metric, one))

    return compared


def _rows(plan: Plan, metric: Metric, one: _Experiment, place: int, pairs: Pairs) -> tuple[Result, ...]:
    base = _totals(plan, metric, place, int(one.rows[0]))
    family = Family(metric=metric, control=one.control, control_totals=base, **_shared(plan, metric, one))
    return read_rows(family, pairs(one.rows), one.reading)


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


def _rates(plan: Plan, metric: Metric, place: int) -> Pairs:
    """Counts per exposure, as restless as ``table_comparisons`` finds them."""
    from experiments.comparing.count_contrast import CountContrast

    table, more = long_table(plan, metric, place)
    counts, exposures, factors = np.rint(table["sum_x"]), table["sum_y"], table["dispersion"]

    def pairs(rows: Index) -> list[Comparison]:
        first, found = int(rows[0]), []
        for row in rows.tolist()[1:]:
            there = exposures[row] > 0 and exposures[first] > 0
            contrast = CountContrast(
                count=float(counts[row]),
                exposure=float(exposures[row]),
                control_count=float(counts[first]),
                control_exposure=float(exposures[first]),
                factor=float(factors[row]),
            )
            found.append(
                Comparison(
                    arm=str(plan.read.sums.columns["arm"][row]),
                    totals=_totals(plan, metric, place, row),
                    contrast=contrast if there else None,
                    status=Status.OK if there else Status.NO_DATA,
                    note=str(more["note"][row]),
                )
            )
        return found

    return pairs


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
