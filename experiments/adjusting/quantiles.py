"""Quantiles of arms and their differences, without a guess at the density, from raw values.

The variance of a sample quantile at level v comes from the distance of two order statistics around it. With l and u
the ranks two standard deviations below and above the level and z_l, z_u how far out they truly are by the binomial,

    Var(q) = ((x_(u) - x_(l)) / (z_l + z_u))^2 D,    P(B <= l - 1) = Phi(-z_l),  P(B <= u - 1) = Phi(z_u),

B binomial with n draws at v. At the median this is Price and Bonett (2001) and Bonett and Price (Psychological Methods
2002); the same distance at other levels is what experiment platforms use. D is 1 for independent values. When one unit
brings several values (clusters), D is the variance of the share of values at or below the quantile, by the delta
method over units, relative to that of independent values (Deng, Knoblich and Lu, KDD 2018).

Two ranks need values enough on both sides: where a rank would lie outside the sample and the one kept is less than one
deviation out, variance and limits are infinite and ``usable`` is False (as for the 99th percentile of 50 values). With
many equal values the two order statistics coincide: then the quantile sits on an atom, its variance by this formula is
0, and a proportion at a threshold is the better metric.

The difference of two arms is normal with the sum of the variances; ``quantile_contrasts`` gives it, with a lift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.adjusting.arm_estimates import MeanContrasts
from experiments.basis.distributions import normal_critical
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

REACH = 2.0  # standard deviations of the level between the quantile and each of the two order statistics


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuantileEstimates:
    """Quantiles with their variances and intervals, of any shape.

    Args:
        level: 0 to 1.
        value: the quantile; 0 where there are no values.
        variance: of the quantile; infinite where not usable.
        low, high: order-statistic limits of the quantile; infinite where the sample does not reach so far.
        design_effect: D, by how many times clusters raise the variance.
        resolution: within how much the value is that of the raw data: 0 from raw values, the width of the cell from
            counts at thresholds.
    """

    level: Array
    value: Array
    variance: Array
    low: Array
    high: Array
    n: Array
    design_effect: Array
    resolution: Array
    usable: Flags


def sample_quantiles(
    values: ArrayLike, levels: ArrayLike, *, clusters: ArrayLike | None = None, alpha: float = 0.05
) -> QuantileEstimates:
    """Quantiles of raw values, linear between order statistics, at one or several levels.

    Args:
        values: one arm's values, 1-d.
        levels: between 0 and 1, any shape; the result has that shape.
        clusters: the randomised unit of each value, where a unit brings several.
        alpha: level of ``low`` and ``high``: exact by the binomial for independent values (coverage never below
            1 - alpha for continuous ones); with clusters the ranks are widened by the root of D.

    Raises:
        InputError: a level or alpha is not inside (0, 1), a value is not finite, or clusters are of another length.
    """
    x, level = _checked(values, levels, alpha, clusters)
    n = float(x.size)
    order = np.sort(x)
    if not n:
        return _nothing(level)
    value = np.asarray(np.quantile(order, level))
    design = np.ones(level.shape)
    if clusters is not None:
        design = np.vectorize(lambda q: _cluster_effect(x <= q, np.asarray(clusters)), otypes=[float])(value)
    lower, upper, span = window_ranks(n, level)
    usable = span > 0
    lower, upper = np.clip(lower, 1, n), np.clip(upper, 1, n)
    between = order[upper.astype(int) - 1] - order[lower.astype(int) - 1]
    variance = np.where(usable, (between / np.where(usable, span, 1.0)) ** 2 * design, np.inf)
    first, last = interval_ranks(n, level, alpha) if clusters is None else _wide_ranks(n, level, alpha, design)
    low = np.where(first >= 1, order[np.clip(first, 1, n).astype(int) - 1], -np.inf)
    high = np.where(last <= n, order[np.clip(last, 1, n).astype(int) - 1], np.inf)
    return QuantileEstimates(
        level=level,
        value=value,
        variance=variance,
        low=low,
        high=high,
        n=np.full(level.shape, n),
        design_effect=design,
        resolution=np.zeros(level.shape),
        usable=usable,
    )


def quantile_contrasts(arm: QuantileEstimates, control: QuantileEstimates) -> MeanContrasts:
    """Differences of quantiles of two independent arms, by z; the lift by Fieller's interval."""
    if not np.array_equal(arm.level, control.level):
        raise InputError("The two arms' quantiles are of different levels.", "Compare like with like.")
    shape = np.broadcast_shapes(arm.value.shape, control.value.shape)
    return MeanContrasts(
        arm=np.broadcast_to(arm.value, shape),
        control=np.broadcast_to(control.value, shape),
        arm_variance=np.broadcast_to(arm.variance, shape),
        control_variance=np.broadcast_to(control.variance, shape),
        covariance=np.zeros(shape),
        df=np.full(shape, np.inf),
        plain_variance=np.asarray(arm.variance + control.variance),
        usable=arm.usable & control.usable,
        method="z on quantiles by order statistics, Fieller interval",
    )


def window_ranks(n: ArrayLike, level: ArrayLike) -> tuple[Array, Array, Array]:
    """Ranks below and above a quantile, and how many deviations lie between them (0: too few values).

    The ranks are ``REACH`` deviations away, rounded, and kept inside 1 … n; each must stay at least one deviation out.
    """
    n, level = np.broadcast_arrays(np.asarray(n, dtype=float), np.asarray(level, dtype=float))
    reach = REACH * np.sqrt(n * level * (1.0 - level))
    lower = np.maximum(np.round(n * level - reach), 1.0)
    upper = np.minimum(n + 1.0 - np.round(n * (1.0 - level) - reach), n)
    z_lower = -special.ndtri(_at_most(lower - 1.0, n, level))
    z_upper = -special.ndtri(_at_most(n - upper, n, 1.0 - level))  # counted from the other end: a small tail
    enough = (n >= 2) & (z_lower >= 1.0) & (z_upper >= 1.0)
    return lower, upper, np.where(enough, z_lower + z_upper, 0.0)


def interval_ranks(n: ArrayLike, level: ArrayLike, alpha: float) -> tuple[Array, Array]:
    """Ranks of the exact order-statistic interval; 0 and n + 1 stand for minus and plus infinity.

    The largest ``first`` with ``P(B < first) <= alpha / 2`` and the smallest ``last`` with ``P(B >= last) <= alpha /
    2`` (Thompson 1936).
    """
    n, level = np.broadcast_arrays(np.asarray(n, dtype=float), np.asarray(level, dtype=float))
    first = _binomial_quantile(n, level, alpha / 2.0)
    # Counted from the other end the upper limit is a lower one.
    last = n + 1.0 - _binomial_quantile(n, 1.0 - level, alpha / 2.0)
    return first, last


def _binomial_quantile(n: Array, level: Array, tail: float) -> Array:
    """The largest rank k with ``P(B <= k - 1) <= tail``, 0 where none is."""
    # Near the normal's rank; the exact one is found by stepping, a few ranks at most.
    deviation = np.sqrt(n * level * (1.0 - level))
    rank = np.clip(np.floor(n * level + special.ndtri(tail) * deviation), 0.0, n)
    for _ in range(1000):
        above = (rank >= 1) & (_at_most(rank - 1.0, n, level) > tail)
        if not above.any():
            break
        rank = rank - above
    for _ in range(1000):
        room = (rank < n) & (_at_most(rank, n, level) <= tail)
        if not room.any():
            break
        rank = rank + room
    return np.asarray(rank)


def _at_most(k: Array, n: Array, level: Array) -> Array:
    """``P(B <= k)`` of a binomial with ``n`` draws at ``level``, by the incomplete beta function."""
    inside = (k >= 0) & (k < n)
    at = np.where(inside, k, 0.0)
    tail = special.betainc(np.where(inside, n - at, 1.0), at + 1.0, 1.0 - level)
    return np.where(inside, tail, np.where(k >= n, 1.0, 0.0))


def _wide_ranks(n: float, level: Array, alpha: float, design: Array) -> tuple[Array, Array]:
    """Ranks at the normal's distance, widened by clusters (the outer interval of Deng et al. 2018)."""
    reach = normal_critical(alpha) * np.sqrt(design * n * level * (1.0 - level))
    return np.maximum(np.floor(n * level - reach), 0.0), np.minimum(np.ceil(n * level + reach) + 1.0, n + 1.0)


def _cluster_effect(below: Flags, clusters: NDArray[np.generic]) -> float:
    """The variance of the share of values below, over clusters, relative to independent values."""
    _, unit = np.unique(clusters, return_inverse=True)
    size = np.bincount(unit).astype(float)
    inside = np.bincount(unit, weights=below)
    n, s = size.sum(), inside.sum()
    return float(cluster_effect(size.size, n, s, np.square(inside).sum(), (inside * size).sum(), np.square(size).sum()))


def cluster_effect(
    units: ArrayLike, n: ArrayLike, below: ArrayLike, below_squares: ArrayLike, products: ArrayLike, squares: ArrayLike
) -> Array:
    """``D``: clustered over independent variance of a share ``p = sum S_i / sum N_i``, by the delta method.

    ``K / (K - 1) sum (S_i - p N_i)^2 / n^2`` over ``p (1 - p) / n`` with K units of N_i values, S_i of them below.

    Args:
        units, n, below: K, ``sum N_i`` and ``sum S_i``.
        below_squares, products, squares: ``sum S_i^2``, ``sum S_i N_i`` and ``sum N_i^2``; whole numbers, so that
            nothing cancels.

    Returns:
        1 where all values or none are below, or there are fewer than two units.
    """
    k, n, s, ss, sn, nn = (
        np.asarray(part, dtype=float) for part in (units, n, below, below_squares, products, squares)
    )
    p = s / np.maximum(n, 1.0)
    varies = (p > 0) & (p < 1) & (k > 1)
    between = k / np.maximum(k - 1.0, 1.0) * (ss - 2.0 * p * sn + p * p * nn)
    return np.where(varies, np.maximum(between, 0.0) / np.where(varies, n * p * (1.0 - p), 1.0), 1.0)


def _checked(values: ArrayLike, levels: ArrayLike, alpha: float, clusters: ArrayLike | None) -> tuple[Array, Array]:
    x, level = np.asarray(values, dtype=float), np.asarray(levels, dtype=float)
    check_levels(level, alpha)
    if x.ndim != 1 or not np.all(np.isfinite(x)):
        raise InputError("The values are not one row of finite numbers.", "Leave out missing and infinite values.")
    if clusters is not None and np.asarray(clusters).shape != x.shape:
        raise InputError("The clusters are not as many as the values.", "Give the unit of every value.")
    return x, level


def check_levels(level: Array, alpha: float) -> None:
    """Refuse levels and error levels that are not inside (0, 1)."""
    if not np.all((level > 0.0) & (level < 1.0)):
        raise InputError(f"The level {level.tolist()} is not between 0 and 1.", "Give a share, such as 0.9.")
    if not 0.0 < alpha < 1.0:
        raise InputError(f"The level alpha is {alpha}.", "Give a share between 0 and 1, such as 0.05.")


def _nothing(level: Array) -> QuantileEstimates:
    zero, endless = np.zeros(level.shape), np.full(level.shape, np.inf)
    return QuantileEstimates(
        level=level,
        value=zero,
        variance=endless,
        low=-endless,
        high=endless,
        n=zero,
        design_effect=np.ones(level.shape),
        resolution=zero,
        usable=np.zeros(level.shape, dtype=bool),
    )
