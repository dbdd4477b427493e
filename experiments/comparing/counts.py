"""Platform reports and plain counts: comparisons that do not pretend that impressions are independent people.

``compare_cells`` reads counts of arm × (day × placement × segment). Rates are compared within cells and their
day-to-day variation widens the intervals (``cell_model``); ratios of totals, such as spend per conversion, by days.
``compare_totals`` takes one pair of counts per arm and treats them as independent trials: use it where they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.comparing.cell_model import CellFit, CellTable, estimable, fit_cells, jackknife_days, tabulate
from experiments.comparing.contrasts import Contrast, LogContrast, ProportionContrast
from experiments.comparing.rate_contrast import RateContrast
from experiments.comparing.readings import Reading, read_rows
from experiments.comparing.rows import Comparison, Family, Totals, check_request
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Cell, Evidence, Result, Status
from proofsheet.errors import InputError

FEW = 10  # below so many successes in an arm the exact method takes over
VARIANCES = ("pooled", "by_day")


def compare_cells(
    metric: Metric,
    cells: Sequence[Cell],
    control: str,
    *,
    experiment: str,
    confidence: float = 0.95,
    correction: str = "holm",
    evidence: Evidence = Evidence.B,
    segment: str = "",
    variance: str = "pooled",
    reading: Reading | None = None,
) -> tuple[Result, ...]:
    """Compare every arm of a platform's report with the control.

    The values given are rates at the common mix of all arms' delivery, so that ``value_arm / value_control - 1`` is
    the lift; ``sum_x`` and ``sum_y`` hold the raw totals. ``dispersion`` is by how many times the variance of the
    lift exceeds that of counting alone.

    Args:
        metric: a proportion has its denominator in ``trials`` and its numerator in ``successes``; a ratio or mean is
            the total of ``successes`` over the total of ``trials``.
        cells: counts; ``cell`` is named ``day|placement|segment``, and the part before the first ``|`` is the day.
        variance: "pooled" (day-to-day variation common to the arms) or "by_day" (jackknife over days; needs many).
        reading: how the rows are read, such as at one of many looks (``sequential.looks``); at one look if not given.

    Raises:
        InputError: the control is missing, an option is not known, or a count is negative or not finite.
    """
    for cell in cells:
        if not (0 <= cell.trials < math.inf and 0.0 <= cell.successes < math.inf):
            raise InputError(
                f"Arm {cell.arm!r} has the counts {cell.trials} and {cell.successes} in {cell.cell!r}.",
                "Counts are finite numbers of 0 or more.",
            )
    table = tabulate(cells)
    check_request(list(table.arms), control, confidence, correction)
    if variance not in VARIANCES:
        raise InputError(f"The variance {variance!r} is not known.", f"Choose one of: {', '.join(VARIANCES)}.")
    first = table.arms.index(control)
    table = table.subset([first, *(i for i in range(len(table.arms)) if i != first)])
    totals = {name: _totals(table, i) for i, name in enumerate(table.arms)}
    family = Family(
        metric=metric,
        control=control,
        control_totals=totals[control],
        experiment=experiment,
        confidence=confidence,
        correction=correction,
        evidence=evidence,
        segment=segment,
    )
    if metric.kind is MetricKind.PROPORTION:
        comparisons = _compare_rates(table, totals, variance)
    else:
        comparisons = [_compare_ratio(table, i, totals[name]) for i, name in enumerate(table.arms) if i]
    return read_rows(family, comparisons, reading)


def compare_totals(
    metric: Metric,
    counts: Mapping[str, tuple[int, float]],
    control: str,
    *,
    experiment: str,
    confidence: float = 0.95,
    correction: str = "holm",
    evidence: Evidence = Evidence.B,
    segment: str = "",
    reading: Reading | None = None,
) -> tuple[Result, ...]:
    """Compare plain counts, one pair (trials, successes) per arm, as independent trials.

    A proportion is compared by the score test; a ratio (successes may exceed trials) as Poisson rates, given
    their total. ``reading`` as in ``compare_cells``.

    Raises:
        InputError: the control is missing, a count is negative, a proportion has more successes than trials, or the
            metric is a mean (which needs the spread of unit-level values).
    """
    check_request(list(counts), control, confidence, correction)
    if metric.kind is MetricKind.MEAN:
        raise InputError(
            f"The metric {metric.name!r} is a mean, and totals do not tell how the values vary.",
            "Give unit-level values, or call it a proportion or a ratio of counts.",
        )
    for name, (trials, successes) in counts.items():
        _check_counts(metric, name, trials, successes)
    totals = {name: Totals(n=int(n), sum_x=float(x), sum_y=float(n)) for name, (n, x) in counts.items()}
    family = Family(
        metric=metric,
        control=control,
        control_totals=totals[control],
        experiment=experiment,
        confidence=confidence,
        correction=correction,
        evidence=evidence,
        segment=segment,
    )
    base = totals[control]
    comparisons = [_compare_pair(metric, n, t, base) for n, t in totals.items() if n != control]
    return read_rows(family, comparisons, reading)


def _check_counts(metric: Metric, name: str, trials: float, successes: float) -> None:
    if not (math.isfinite(trials) and math.isfinite(successes) and trials >= 0 and successes >= 0):
        raise InputError(f"Arm {name!r} has the counts {trials} and {successes}.", "Counts are numbers of 0 or more.")
    if metric.kind is MetricKind.PROPORTION and successes > trials:
        raise InputError(
            f"Arm {name!r} has {successes:g} successes in {trials:g} trials, so {metric.name!r} is not a proportion.",
            "Use the kind ratio where something can happen more than once per trial.",
        )


def _compare_pair(metric: Metric, name: str, arm: Totals, control: Totals) -> Comparison:
    if not arm.n or not control.n:
        return Comparison(arm=name, totals=arm, contrast=None, status=Status.NO_DATA)
    contrast: Contrast
    if metric.kind is MetricKind.PROPORTION:
        contrast = ProportionContrast(
            successes=arm.sum_x, trials=arm.n, control_successes=control.sum_x, control_trials=control.n
        )
    else:
        contrast = RateContrast(
            counts=((arm.sum_x, arm.n, control.sum_x, control.n),),
            control=control.sum_x / control.n,
        )
    return Comparison(
        arm=name, totals=arm, contrast=contrast, note="Counts are taken as independent; without days this is untested."
    )


def _totals(table: CellTable, row: int) -> Totals:
    trials = float(table.trials[row].sum())
    return Totals(n=round(trials), sum_x=float(table.successes[row].sum()), sum_y=trials)


def _compare_rates(table: CellTable, totals: Mapping[str, Totals], variance: str) -> list[Comparison]:
    """Rates by the cell model; arms with few successes given each cell's total; the rest named."""
    control = table.arms[0]
    rows, part = estimable(table, FEW)
    fit = _fit(part) if rows else None
    by_day = jackknife_days(part) if fit is not None and variance == "by_day" else None
    comparisons = []
    for i, name in enumerate(table.arms[1:], start=1):
        if not totals[name].n or not totals[control].n:
            comparison = Comparison(arm=name, totals=totals[name], contrast=None, status=Status.NO_DATA)
        elif fit is not None and i in rows:
            contrast = _fitted(part, fit, rows.index(i), by_day)
            notes = ["There are too few days for a jackknife."] if variance == "by_day" and by_day is None else []
            notes.append(_mix_note(totals[name], totals[control], contrast))
            comparison = Comparison(
                arm=name, totals=totals[name], contrast=contrast, note=" ".join(filter(None, notes))
            )
        else:
            comparison = _few(table, i, totals[name], fit)
        comparisons.append(comparison)
    return comparisons


def _fit(part: CellTable) -> CellFit | None:
    """The fitted model; None when arms and cells cannot be told apart."""
    try:
        fit = fit_cells(part)
    except np.linalg.LinAlgError:
        return None
    known = np.isfinite(fit.covariance).all() and (np.diag(fit.covariance)[1:] > 0).all()
    return fit if known and (np.diag(fit.counting)[1:] > 0).all() else None


def _fitted(part: CellTable, fit: CellFit, row: int, by_day: tuple[np.ndarray, int] | None) -> LogContrast:
    """One arm of the fitted model, at the level of the control in the mix of all fitted arms."""
    covariance, df = by_day if by_day is not None else (fit.covariance, fit.df)
    mix = part.trials.sum(axis=0)
    counting, own = float(fit.counting[row, row]), float(covariance[row, row])
    others = [j for j in range(1, len(covariance)) if j != row]
    common = float(np.mean(covariance[row, others])) if others else own / 2.0
    between = "days" if part.day_count > 1 else "cells"
    if by_day is not None:
        method, note = "log rates within cells, jackknife over days", ""
    elif fit.df:
        method = f"log rates within cells, variation between {between}"
        note = f"An arm's rate varies between {between} by {fit.tau:.1%} beyond counting noise." if fit.tau else ""
    else:
        method = "log rates within cells, counting noise only"
        note = "Without several days the variation between days is unknown: the interval is likely too narrow."
    return LogContrast(
        difference=float(fit.log_rates[row]),
        error=math.sqrt(max(0.0, own)),
        df=float(df) if df else math.inf,
        control=float(fit.levels @ mix / mix.sum()),
        share=min(1.0, max(0.0, common / own)) if own else 0.5,
        method=method,
        note=note,
        dispersion=own / counting if counting else None,
    )


def _mix_note(arm: Totals, control: Totals, contrast: LogContrast) -> str:
    """What the raw totals would say, where that differs noticeably from the comparison within cells."""
    raw = arm.sum_x / arm.sum_y / (control.sum_x / control.sum_y) - 1.0
    if abs(raw - contrast.lift) < 0.01 or abs(math.log1p(raw) - contrast.difference) < contrast.error / 4.0:
        return ""
    return f"The raw totals give {raw:+.1%}: the arms were delivered to different mixes, or differ more on some days."


def _few(table: CellTable, row: int, totals: Totals, fit: CellFit | None) -> Comparison:
    """An arm with few successes (or compared with a control that has few): exactly, given each cell's total."""
    both = (table.trials[row] > 0) & (table.trials[0] > 0)
    counts = tuple(
        (
            float(table.successes[row, c]),
            float(table.trials[row, c]),
            float(table.successes[0, c]),
            float(table.trials[0, c]),
        )
        for c in np.flatnonzero(both)
    )
    if not counts:
        return Comparison(
            arm=table.arms[row],
            totals=totals,
            contrast=None,
            status=Status.NO_DATA,
            note="The arm and the control were never delivered in the same cell.",
        )
    base = sum(c[2] for c in counts) / sum(c[3] for c in counts)
    fewest = min(sum(c[0] for c in counts), sum(c[2] for c in counts))
    why = f"Fewer than {FEW} successes in an arm" if fewest < FEW else "The arms share too few cells for the model"
    return Comparison(
        arm=table.arms[row],
        totals=totals,
        contrast=RateContrast(
            counts=counts,
            control=base,
            note=f"{why}: they are compared given each cell's total.",
            dispersion=1.0 + (fit.tau**2 if fit else 0.0) * fewest / max(1, table.day_count),
        ),
    )


def _compare_ratio(table: CellTable, row: int, totals: Totals) -> Comparison:
    """A ratio of totals against the control's, with the deviations of whole days as the unit of variation."""
    name = table.arms[row]
    x, y = table.successes[[row, 0]], table.trials[[row, 0]]
    days = table.day_count
    x_days, y_days = (np.stack([np.bincount(table.days, weights=r, minlength=days) for r in part]) for part in (x, y))
    x_sum, y_sum = x_days.sum(axis=1), y_days.sum(axis=1)
    if (y_sum <= 0).any():
        return Comparison(
            arm=name, totals=totals, contrast=None, status=Status.NO_DATA, note="A denominator adds up to zero."
        )
    if x_sum[1] <= 0:
        return Comparison(arm=name, totals=totals, contrast=None, status=Status.ZERO_CONTROL)
    active = (y_days.sum(axis=0) > 0) | (x_days.sum(axis=0) > 0)
    used = int(active.sum())
    if x_sum[0] <= 0 or used < 3:
        return Comparison(
            arm=name,
            totals=totals,
            contrast=None,
            status=Status.TOO_FEW,
            note="A ratio of totals needs at least 3 days and something in every total.",
        )
    influence = x_days / x_sum[:, None] - y_days / y_sum[:, None]
    paired = influence[0] - influence[1]
    scale = used / (used - 1)
    own, base = float(np.sum(influence[0] ** 2)), float(np.sum(influence[1] ** 2))
    return Comparison(
        arm=name,
        totals=totals,
        contrast=LogContrast(
            difference=float(np.log(x_sum[0] / y_sum[0]) - np.log(x_sum[1] / y_sum[1])),
            error=math.sqrt(scale * float(np.sum(paired**2))),
            df=float(used - 1),
            control=float(x_sum[1] / y_sum[1]),
            share=base / (own + base) if own + base else 0.5,
            method="ratio of totals by the delta method, days as clusters",
            note="Not adjusted for the mix of placements.",
        ),
    )
