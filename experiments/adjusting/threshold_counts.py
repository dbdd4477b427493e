"""Counts at a grid of thresholds: quantiles from one pass over a warehouse, in a form that merges.

For each threshold ``t_j`` a warehouse counts the values at or below it, for each arm (and day, and segment): one
``sum(x <= t_j)`` a threshold, or one count for each cell ``t_(j-1) < x <= t_j`` and running sums over cells. Counts of
disjoint values add up.

A quantile lies in the cell in which the counts pass its rank, so it is known to within that cell's width
(``resolution``), whatever the data; inside the cell the counts are taken as linear, which is off by the order of the
width's square for smooth data. With ``geometric_thresholds`` of accuracy 0.01 every quantile of positive values is
within 1 % of the raw data's (the guarantee of Masson, Rim and Lee, VLDB 2019); put a 0 in front where values can be
zero. Choose cells narrower than the standard
error and what is lost is small against the noise.

Where units bring several values, the warehouse first counts for each unit the values at or below each threshold, then
sums squares and products over units (``cluster_sums``). These add up over shards only if no unit is split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.adjusting.quantiles import (
    QuantileEstimates,
    check_levels,
    cluster_effect,
    interval_ranks,
    window_ranks,
)
from experiments.basis.distributions import normal_critical
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterSums:
    """Sums over units, for the variance of shares: K, ``sum N_i^2``, ``sum S_ij^2`` and ``sum S_ij N_i``.

    ``units`` and ``squares`` have the shape (…), ``below_squares`` and ``products`` the shape (…, m).
    """

    units: Array
    squares: Array
    below_squares: Array
    products: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ThresholdCounts:
    """How many of n values lie at or below each of m thresholds, for a stack of samples of any shape.

    Args:
        thresholds: increasing, shape (m,), m >= 2, common to all that is merged or compared.
        n: values, shape (…).
        below: values at or below each threshold, shape (…, m), never falling.
        clusters: where units bring several values.

    Raises:
        InputError: thresholds do not increase, shapes do not fit, or counts fall or exceed n.
    """

    thresholds: Array
    n: Array
    below: Array
    clusters: ClusterSums | None = None

    def __post_init__(self) -> None:
        for name in ("thresholds", "n", "below"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=float))
        t, n, below = self.thresholds, self.n, self.below
        if t.ndim != 1 or t.size < 2 or not np.all(np.isfinite(t)) or not np.all(np.diff(t) > 0):
            raise InputError("The thresholds do not increase.", "Give two or more increasing finite numbers.")
        if below.shape != (*n.shape, t.size):
            raise InputError(
                f"The counts have the shape {below.shape}, n has {n.shape}.", f"There are {t.size} thresholds."
            )
        full = np.concatenate([np.zeros((*n.shape, 1)), below, n[..., None]], axis=-1)
        if not np.all(np.isfinite(full)) or np.any(np.diff(full, axis=-1) < 0):
            raise InputError("The counts fall from a threshold to the next, or exceed n.", "Count x <= threshold.")

    @classmethod
    def from_values(
        cls, values: ArrayLike, thresholds: ArrayLike, clusters: ArrayLike | None = None
    ) -> ThresholdCounts:
        """Counts of one sample of raw values, as a warehouse would make them."""
        x, t = np.asarray(values, dtype=float), np.asarray(thresholds, dtype=float)
        cell = np.searchsorted(t, x, side="left")
        below = np.bincount(cell, minlength=t.size + 1)[: t.size].cumsum()
        if clusters is None:
            return cls(thresholds=t, n=np.array(float(x.size)), below=below)
        _, unit = np.unique(np.asarray(clusters), return_inverse=True)
        size = np.bincount(unit).astype(float)
        table = np.zeros((size.size, t.size + 1))
        np.add.at(table, (unit, cell), 1.0)
        each = table[:, : t.size].cumsum(axis=1)
        sums = ClusterSums(
            units=np.array(float(size.size)),
            squares=np.array(np.square(size).sum()),
            below_squares=np.square(each).sum(axis=0),
            products=size @ each,
        )
        return cls(thresholds=t, n=np.array(float(x.size)), below=below, clusters=sums)

    def merge(self, other: ThresholdCounts) -> ThresholdCounts:
        """The counts of both samples together; clusters only if no unit is in both."""
        if not np.array_equal(self.thresholds, other.thresholds):
            raise InputError("The thresholds of the two differ.", "Count both at the same thresholds.")
        if (self.clusters is None) != (other.clusters is None):
            raise InputError("Only one of the two knows its clusters.", "Count both with clusters, or both without.")
        sums = None
        if self.clusters is not None and other.clusters is not None:
            one, two = self.clusters, other.clusters
            sums = ClusterSums(
                units=one.units + two.units,
                squares=one.squares + two.squares,
                below_squares=one.below_squares + two.below_squares,
                products=one.products + two.products,
            )
        return ThresholdCounts(
            thresholds=self.thresholds, n=self.n + other.n, below=self.below + other.below, clusters=sums
        )

    def quantiles(self, level: float, *, alpha: float = 0.05) -> QuantileEstimates:
        """One quantile of every sample, of shape (…); variance and limits as from raw values, to the grid's accuracy.

        Not usable, with infinite variance, where the quantile or the order statistics around it lie outside the grid,
        or the sample is too small. The value is then the nearest threshold.
        """
        levels = np.full(self.n.shape, float(level))
        check_levels(levels, alpha)
        value, cell, inside = self._at_rank(self.n * level)
        lower, upper, span = window_ranks(self.n, levels)
        # The k-th value sits at the middle of its step of the counts.
        (x_lower, _, in_lower), (x_upper, _, in_upper) = self._at_rank(lower - 0.5), self._at_rank(upper - 0.5)
        usable = inside & in_lower & in_upper & (span > 0)
        design = self._design_effect(cell)
        variance = ((x_upper - x_lower) / np.where(usable, span, 1.0)) ** 2 * design
        first, last = self._interval(levels, alpha, design)
        (low, _, in_low), (high, _, in_high) = self._at_rank(first - 0.5), self._at_rank(last - 0.5)
        width = np.diff(self.thresholds)[cell - 1]
        return QuantileEstimates(
            level=levels,
            value=np.where(self.n > 0, value, 0.0),
            variance=np.where(usable, variance, np.inf),
            low=np.where(in_low & (first >= 1), low, -np.inf),
            high=np.where(in_high & (last <= self.n), high, np.inf),
            n=self.n,
            design_effect=design,
            resolution=np.where(inside, width, np.inf),
            usable=usable,
        )

    def _at_rank(self, rank: Array) -> tuple[Array, NDArray[np.intp], Flags]:
        """Where the counts pass a rank: the point, the upper threshold of its cell, and whether the grid reaches it."""
        passed = self.below >= rank[..., None]
        cell = np.where(passed.any(axis=-1), passed.argmax(axis=-1), self.thresholds.size - 1)
        inside = passed.any(axis=-1) & (cell > 0) & (self.n > 0)
        cell = np.maximum(cell, 1)
        start, end = (np.take_along_axis(self.below, at[..., None], axis=-1)[..., 0] for at in (cell - 1, cell))
        share = np.clip((rank - start) / np.where(end > start, end - start, 1.0), 0.0, 1.0)
        low, high = self.thresholds[cell - 1], self.thresholds[cell]
        return low + share * (high - low), cell, inside

    def _design_effect(self, cell: NDArray[np.intp]) -> Array:
        """D at a quantile: between the two thresholds of its cell."""
        if self.clusters is None:
            return np.ones(self.n.shape)
        sums = self.clusters
        every = cluster_effect(
            sums.units[..., None],
            self.n[..., None],
            self.below,
            sums.below_squares,
            sums.products,
            sums.squares[..., None],
        )
        first, second = (np.take_along_axis(every, at[..., None], axis=-1)[..., 0] for at in (cell - 1, cell))
        return np.asarray((first + second) / 2.0)

    def _interval(self, level: Array, alpha: float, design: Array) -> tuple[Array, Array]:
        if self.clusters is None:
            return interval_ranks(self.n, level, alpha)
        reach = normal_critical(alpha) * np.sqrt(design * self.n * level * (1.0 - level))
        return np.floor(self.n * level - reach), np.ceil(self.n * level + reach) + 1.0


def geometric_thresholds(low: float, high: float, accuracy: float = 0.01) -> Array:
    """Thresholds from ``low`` to ``high`` with cells no wider than ``accuracy`` times their upper end.

    The number of thresholds is about ``log(high / low) / accuracy``: 2,300 for ten decades at 1 %.

    Raises:
        InputError: not ``0 < low < high``, or accuracy is not inside (0, 1).
    """
    if not (0.0 < low < high < math.inf and 0.0 < accuracy < 1.0):
        raise InputError(
            f"No thresholds from {low} to {high} with accuracy {accuracy}.",
            "Give 0 < low < high and an accuracy such as 0.01.",
        )
    steps = math.ceil(math.log(high / low) / -math.log1p(-accuracy))
    return np.asarray(np.geomspace(low, high, steps + 1))
