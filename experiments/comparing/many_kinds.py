"""The comparisons of one kind of metric within a long table: proportions, count rates, means and ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from experiments.comparing import small_counts
from experiments.comparing.comparisons import Comparisons, compare_estimates
from experiments.comparing.estimates import KINDS, Array, Estimate, Flags, dispersion_factor, mean, ratio
from experiments.comparing.long_form import Index, Labels
from experiments.comparing.pairs import check_choice
from experiments.comparing.score_many import Limits
from experiments.comparing.small_counts import rate_method
from proofsheet.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How comparisons are made; see ``comparisons.compare_estimates`` and ``families.adjust_families``.

    ``correction`` may also be "dunnett" (``multiplicity.adjust``), which goes through the families one by one.

    ``family``: the arms of one metric, or all arms and metrics of an experiment. ``effect_limits`` and
    ``simultaneous``: whether the limits of the difference, and those of the lift at the corrected levels, are wanted
    (each takes more time than all the rest).
    """

    alpha: float = 0.05
    alternative: str = "two-sided"
    variances: str = "welch"
    distribution: str = "t"
    lift_interval: str = "fieller"
    correction: str = "holm"
    family: str = "metric"
    effect_limits: bool = True
    simultaneous: bool = True


class KindRows(Protocol):
    """Arms and controls of one kind, side by side."""

    def compare(self, how: Choices) -> tuple[Comparisons, Labels]:
        """The comparisons, and the name of the method of each."""
        ...

    def lift_limits(self, some: Index, alpha: Array, how: Choices) -> Limits:
        """The limits of the lift of some of the rows, each at its own level."""
        ...

    def values(self) -> tuple[Array, Array]:
        """The values of arms and controls; infinite where they do not exist."""
        ...

    def control_shares(self) -> Array:
        """The control's share in the variance of each difference under no effect; 0.5 where it is not known."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ProportionRows:
    """Events and units, compared by the method that the counts ask for."""

    x1: Array
    n1: Array
    x0: Array
    n0: Array

    def compare(self, how: Choices) -> tuple[Comparisons, Labels]:
        counts = (self.x1, self.n1, self.x0, self.n0)
        found, codes = small_counts.compare_proportions(
            *counts, alpha=how.alpha, alternative=how.alternative, effect_limits=how.effect_limits
        )
        return found, METHOD_NAMES[codes]

    def lift_limits(self, some: Index, alpha: Array, how: Choices) -> Limits:
        counts = (self.x1[some], self.n1[some], self.x0[some], self.n0[some])
        tail = alpha / 2.0 if how.alternative == "two-sided" else alpha
        low, high = small_counts.proportion_ratio_limits(*counts, tail, small_counts.proportion_method(*counts))
        return low - 1.0, high - 1.0

    def values(self) -> tuple[Array, Array]:
        return _share(self.x1, self.n1), _share(self.x0, self.n0)

    def control_shares(self) -> Array:
        return _part(self.n1, self.n0)


@dataclass(frozen=True, slots=True, eq=False)
class RateRows:
    """Counts and exposures, compared by the method that the counts ask for."""

    x1: Array
    e1: Array
    x0: Array
    e0: Array
    dispersion: Array

    def compare(self, how: Choices) -> tuple[Comparisons, Labels]:
        counts = (self.x1, self.e1, self.x0, self.e0)
        found, codes = small_counts.compare_rates(
            *counts, alpha=how.alpha, alternative=how.alternative, dispersion=self.dispersion
        )
        return found, METHOD_NAMES[codes]

    def lift_limits(self, some: Index, alpha: Array, how: Choices) -> Limits:
        counts = (self.x1[some], self.e1[some], self.x0[some], self.e0[some])
        found, _ = small_counts.compare_rates(
            *counts, alpha=alpha, alternative=how.alternative, dispersion=self.dispersion[some]
        )
        return found.lift_low, found.lift_high

    def values(self) -> tuple[Array, Array]:
        return _share(self.x1, self.e1), _share(self.x0, self.e0)

    def control_shares(self) -> Array:
        return _part(self.e1, self.e0)


@dataclass(frozen=True, slots=True, eq=False)
class EstimateRows:
    """Values with variances: means, and ratios by the delta method."""

    arm: Estimate
    control: Estimate
    label: str

    def compare(self, how: Choices) -> tuple[Comparisons, Labels]:
        found = _compared(self.arm, self.control, how.alpha, how)
        test = f"{VARIANCE_NAMES[how.variances]} {'t' if how.distribution == 't' else 'z'}"
        name = f"{test}{self.label}, {INTERVAL_NAMES[how.lift_interval]} interval"
        return found, np.full(found.p_value.shape, name, dtype=object)

    def lift_limits(self, some: Index, alpha: Array, how: Choices) -> Limits:
        found = _compared(self.arm[some], self.control[some], alpha, how)
        return found.lift_low, found.lift_high

    def values(self) -> tuple[Array, Array]:
        return self.arm.value, self.control.value

    def control_shares(self) -> Array:
        return _part(self.control.variance, self.arm.variance)


VARIANCE_NAMES = {"welch": "Welch", "pooled": "pooled"}
INTERVAL_NAMES = {"fieller": "Fieller", "delta": "delta-method", "log": "log-ratio"}
METHOD_NAMES: Labels = np.array(small_counts.METHODS, dtype=object)


def split_kinds(
    columns: dict[str, Labels], kind: str, arm: Index, control: Index
) -> list[tuple[Index | slice, KindRows]]:
    """The comparisons by kind: their places among all comparisons, and their rows.

    Raises:
        InputError: no kind is given, one is not known, or the columns lack or hold what the kind must (not) have.
    """
    named = columns.get("kind")
    if named is None:
        check_choice("kind", kind, KINDS)
        return [(slice(None), _rows(columns, kind, arm, control))]
    of_arms = named[arm]
    parts: list[tuple[Index | slice, KindRows]] = []
    found = 0
    for name in KINDS:
        some = (of_arms == name).nonzero()[0]
        if some.size:
            parts.append((some, _rows(columns, name, arm[some], control[some])))
            found += some.size
    if found < arm.size:
        strange = next(str(name) for name in of_arms.tolist() if name not in KINDS)
        raise InputError(f"The kind {strange!r} is not known.", f"Choose one of: {', '.join(KINDS)}.")
    return parts


#: From so many units on an arm's spread over them is known well enough to be used.
ENOUGH_UNITS = 8


def rate_dispersion(columns: Mapping[str, Labels], control: Index) -> tuple[Array, Flags]:
    """For the ``dispersion`` column: how much more counts vary over units than Poisson's, and where that is known.

    The mean squared residuals of arm and control together over Poisson's expectation (``estimates.dispersion_factor``),
    and never less than 1. Where either has fewer than ``ENOUGH_UNITS`` units, or so few events that the exact method is
    taken, it cannot be told and is 1.

    Args:
        columns: ``n``, ``mean_x``, ``m2_x``, ``mean_y``, ``m2_y`` and ``cxy`` of every row.
        control: the row of each row's control.
    """
    n, mean_x, m2_x, mean_y, m2_y, cxy = (
        np.asarray(columns[name], dtype=np.float64) for name in ("n", "mean_x", "m2_x", "mean_y", "m2_y", "cxy")
    )
    each = dispersion_factor(n, mean_x, m2_x, mean_y, m2_y, cxy)
    weight = np.maximum(n - 1.0, 0.0)
    factor = (weight * each + weight[control] * each[control]) / np.maximum(weight + weight[control], 1.0)
    events, exposure = n * mean_x, n * mean_y
    enough = rate_method(events, exposure, events[control], exposure[control]) == small_counts.RATE_SCORE
    known = (np.minimum(n, n[control]) >= ENOUGH_UNITS) & enough
    return np.where(known, np.maximum(factor, 1.0), 1.0), known


def _rows(columns: dict[str, Labels], kind: str, arm: Index, control: Index) -> KindRows:
    if kind == "proportion":
        return ProportionRows(*_events(columns, arm), *_events(columns, control))
    if kind == "rate":
        given = columns.get("dispersion")
        dispersion = np.ones(arm.size) if given is None else given[arm].astype(np.float64)
        return RateRows(*_counts(columns, arm), *_counts(columns, control), dispersion)
    if kind == "mean":
        return EstimateRows(_mean(columns, arm), _mean(columns, control), "")
    return EstimateRows(_ratio(columns, arm), _ratio(columns, control), " by the delta method")


def _events(columns: dict[str, Labels], rows: Index) -> tuple[Array, Array]:
    """Events and units of proportions."""
    n, x = _column(columns, "n", rows), _sum(columns, "x", rows)
    events = np.rint(x)
    ok = (events >= 0.0) & (events <= n) & (np.abs(x - events) <= 1e-6 * np.maximum(1.0, events))
    if "m2_x" in columns:  # where it is given, the moments must be those of zeros and ones
        spread, expected = _column(columns, "m2_x", rows), events * (1.0 - events / np.maximum(n, 1.0))
        ok &= ~(spread > 0.0) | (np.abs(spread - expected) <= 1e-6 * np.maximum(1.0, expected))
    if not ok.all():
        raise InputError(
            "A metric is called a proportion, but holds values other than 0 and 1"
            f" (experiment {str(columns['experiment'][rows[int(np.argmin(ok))]])!r}).",
            "A proportion counts units that did something, once each; use the kind mean (or ratio) for amounts.",
        )
    return events, n


def _counts(columns: dict[str, Labels], rows: Index) -> tuple[Array, Array]:
    """Counts and exposures of rates."""
    return np.rint(_sum(columns, "x", rows)), _sum(columns, "y", rows)


def _mean(columns: dict[str, Labels], rows: Index) -> Estimate:
    return mean(_column(columns, "n", rows), _per_unit(columns, "x", rows), _column(columns, "m2_x", rows))


def _ratio(columns: dict[str, Labels], rows: Index) -> Estimate:
    moments = (_column(columns, name, rows) for name in ("m2_y", "cxy"))
    above = (_per_unit(columns, "x", rows), _column(columns, "m2_x", rows))
    return ratio(_column(columns, "n", rows), *above, _per_unit(columns, "y", rows), *moments)


def _sum(columns: dict[str, Labels], name: str, rows: Index) -> Array:
    if f"sum_{name}" in columns:
        return _column(columns, f"sum_{name}", rows)
    return _column(columns, f"mean_{name}", rows) * _column(columns, "n", rows)


def _per_unit(columns: dict[str, Labels], name: str, rows: Index) -> Array:
    if f"mean_{name}" in columns:
        return _column(columns, f"mean_{name}", rows)
    return _column(columns, f"sum_{name}", rows) / np.maximum(_column(columns, "n", rows), 1.0)


def _column(columns: dict[str, Labels], name: str, rows: Index) -> Array:
    if name not in columns:
        raise InputError(f"The table lacks {name}.", f"It has: {', '.join(columns)}.")
    return columns[name][rows].astype(np.float64)


def _share(part: Array, whole: Array) -> Array:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.inf)


def _part(first: Array, second: Array) -> Array:
    """``first / (first + second)``; 0.5 where that is not known."""
    total = first + second
    known = (total > 0) & (total < np.inf)
    return np.where(known, first / np.where(known, total, 1.0), 0.5)


def _compared(arm: Estimate, control: Estimate, alpha: ArrayLike, how: Choices) -> Comparisons:
    return compare_estimates(
        arm,
        control,
        alpha=alpha,
        alternative=how.alternative,
        variances=how.variances,
        distribution=how.distribution,
        lift_interval=how.lift_interval,
    )
