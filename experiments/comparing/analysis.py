"""Unit-level comparisons from sufficient statistics: proportions, means and ratios.

One p-value per comparison, from the absolute difference; the intervals of the effect and of the lift rest on the same
statistic. Proportions: score test (pooled z) with Mee's and Koopman's intervals. Means: Welch's t with
Welch-Satterthwaite degrees of freedom and Fieller's interval for the lift. Ratios: the delta method over units (Deng,
Knoblich and Lu, KDD 2018), then as means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from experiments.comparing.contrasts import Contrast, MeanContrast, ProportionContrast
from experiments.comparing.readings import Reading, read_rows
from experiments.comparing.rows import Comparison, Family, Totals, check_request
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Aggregates, Evidence, Result, Status
from proofsheet.errors import InputError

METHODS = ("auto", "wald")


def compare(
    metric: Metric,
    arms: Mapping[str, Aggregates],
    control: str,
    *,
    experiment: str,
    confidence: float = 0.95,
    correction: str = "holm",
    evidence: Evidence = Evidence.A,
    segment: str = "",
    method: str = "auto",
    reading: Reading | None = None,
) -> tuple[Result, ...]:
    """Compare every arm with the control on one metric.

    Args:
        arms: aggregates by arm; units are independent.
        control: the arm the others are compared with.
        correction: over the arms, one of ``multiplicity.CORRECTIONS``.
        method: "auto", or "wald" for proportions by the unpooled z test, Wald's and Fieller's intervals.
        reading: how the rows are read, such as at one of many looks (``sequential.looks``); at one look if not given.

    Returns:
        One row per arm other than the control, in the order of ``arms``. What cannot be estimated is None, and
        ``status`` and ``note`` say why.

    Raises:
        InputError: the control is missing, an option is not known, a "proportion" is not made of 0 and 1, or
            values are not finite.
    """
    check_request(list(arms), control, confidence, correction)
    if metric.kind in (MetricKind.RATE, MetricKind.QUANTILE):
        raise InputError(
            f"The {metric.kind.value} {metric.name!r} cannot be compared from aggregates one by one.",
            "Compare rates by comparing.many, and quantiles from the values themselves (adjusting.quantiles).",
        )
    if method not in METHODS:
        raise InputError(f"The method {method!r} is not known.", f"Choose one of: {', '.join(METHODS)}.")
    for name, aggregates in arms.items():
        _check_finite(metric, name, aggregates)
        if metric.kind is MetricKind.PROPORTION:
            _check_binary(metric, name, aggregates)
    family = Family(
        metric=metric,
        control=control,
        control_totals=_totals(arms[control]),
        experiment=experiment,
        confidence=confidence,
        correction=correction,
        evidence=evidence,
        segment=segment,
    )
    comparisons = [_comparison(metric, name, a, arms[control], method) for name, a in arms.items() if name != control]
    return read_rows(family, comparisons, reading)


def _totals(aggregates: Aggregates) -> Totals:
    return Totals(n=aggregates.n, sum_x=aggregates.sum_x, sum_y=aggregates.sum_y)


def _comparison(metric: Metric, name: str, arm: Aggregates, control: Aggregates, method: str) -> Comparison:
    totals = _totals(arm)
    if not arm.n or not control.n:
        return Comparison(arm=name, totals=totals, contrast=None, status=Status.NO_DATA)
    if metric.kind is MetricKind.PROPORTION and method == "auto":
        counts = ProportionContrast(
            successes=round(arm.sum_x),
            trials=arm.n,
            control_successes=round(control.sum_x),
            control_trials=control.n,
        )
        return Comparison(arm=name, totals=totals, contrast=counts)
    if metric.kind is MetricKind.RATIO and (arm.mean_y == 0.0 or control.mean_y == 0.0):
        return Comparison(
            arm=name, totals=totals, contrast=None, status=Status.NO_DATA, note="The denominator adds up to zero."
        )
    if min(arm.n, control.n) < 2:
        return Comparison(arm=name, totals=totals, contrast=None, status=Status.TOO_FEW)
    return Comparison(arm=name, totals=totals, contrast=_mean_contrast(metric, arm, control))


def _mean_contrast(metric: Metric, arm: Aggregates, control: Aggregates) -> Contrast:
    (value, variance), (base, base_variance) = _estimate(metric, arm), _estimate(metric, control)
    if metric.kind is MetricKind.PROPORTION:
        return MeanContrast(
            arm=value,
            control=base,
            arm_variance=variance,
            control_variance=base_variance,
            df=math.inf,
            method="unpooled z, Wald and Fieller intervals",
        )
    label = "Welch t" if metric.kind is MetricKind.MEAN else "Welch t by the delta method"
    return MeanContrast(
        arm=value,
        control=base,
        arm_variance=variance,
        control_variance=base_variance,
        df=_welch_df(variance, arm.n, base_variance, control.n),
        method=f"{label}, Fieller interval",
        rest=arm.rest_x - control.rest_x if metric.kind is MetricKind.MEAN else 0.0,
    )


def _estimate(metric: Metric, a: Aggregates) -> tuple[float, float]:
    """The value of one arm and the variance of that value."""
    if metric.kind is MetricKind.PROPORTION:
        return a.mean_x, a.mean_x * (1.0 - a.mean_x) / a.n
    if metric.kind is MetricKind.MEAN:
        return a.mean_x, _drop_noise(a.m2_x, a.mean_x, a.n) / (a.n - 1) / a.n
    ratio = a.mean_x / a.mean_y
    m2 = a.m2_x - 2.0 * ratio * a.cxy + ratio * ratio * a.m2_y
    return ratio, _drop_noise(m2, a.mean_x, a.n) / (a.n - 1) / (a.n * a.mean_y**2)


def _drop_noise(m2: float, mean: float, n: int) -> float:
    """A sum of squares without what is only rounding: values that are all alike have no variance."""
    return m2 if m2 > n * (abs(mean) * 1e-12) ** 2 else 0.0


def _welch_df(variance: float, n: int, other_variance: float, other_n: int) -> float:
    total = variance + other_variance
    if total == 0.0:
        return float(n + other_n - 2)
    share, other = variance / total, other_variance / total
    return 1.0 / (share**2 / (n - 1) + other**2 / (other_n - 1))


def _check_finite(metric: Metric, name: str, a: Aggregates) -> None:
    if not all(map(math.isfinite, (a.mean_x, a.m2_x, a.mean_y, a.m2_y, a.cxy))):
        raise InputError(
            f"The metric {metric.name!r} of arm {name!r} holds values that are not finite numbers.",
            "Leave out rows with missing or infinite values, or correct them.",
        )


def _check_binary(metric: Metric, name: str, a: Aggregates) -> None:
    """Raise InputError unless the moments are those of zeros and ones."""
    expected = a.n * a.mean_x * (1.0 - a.mean_x)
    whole = abs(a.sum_x - round(a.sum_x)) <= 1e-6 * max(1.0, a.sum_x)
    if not (0.0 <= a.mean_x <= 1.0 + 1e-12 and whole and abs(a.m2_x - expected) <= 1e-6 * max(1.0, expected)):
        raise InputError(
            f"The metric {metric.name!r} is called a proportion, but arm {name!r} holds values other than 0 and 1.",
            "A proportion counts units that did something, once each; use the kind mean (or ratio) for amounts.",
        )
