"""Tests of whole families of comparisons: adjusted p-values, decisions with a direction, and limits that agree.

The last axis is the family (arms of one metric, or metrics × arms flattened); leading axes are families, all at once.

* ``step_down``: Holm's procedure (1979) with weights, once for "better" and once for "worse" at alpha / 2 each, and the
  simultaneous limits that belong to it (Strassburger and Bretz 2008; Guilbaud 2008). Errors of direction count.
* ``false_discovery``: Benjamini and Hochberg (1995), with the limits of Benjamini and Yekutieli (2005).
* ``separate``: every comparison on its own, at one level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.basis.tails import t_critical
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

KEPT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FamilyTest:
    """Decisions on a family and how its limits are drawn; all fields have the family's shape.

    Attributes:
        adjusted_p: below alpha exactly where ``direction`` is not 0.
        direction: 1 greater than zero, -1 less, 0 not decided.
        lower_tail, upper_tail: the chance of one tail at which the lower and the upper limit are drawn; 0 where the
            procedure gives no more than the sign.
        lower_cut, upper_cut: the limit is no less (no more) than 0, wherever it is drawn.
    """

    adjusted_p: Array
    direction: NDArray[np.int8]
    lower_tail: Array
    upper_tail: Array
    lower_cut: Flags
    upper_cut: Flags

    def cut(self, low: ArrayLike, high: ArrayLike) -> tuple[Array, Array]:
        """Limits that were drawn at ``lower_tail`` and ``upper_tail``, cut at 0 where the sign is decided."""
        below = np.where(self.lower_tail > 0, np.asarray(low, dtype=float), -np.inf)
        above = np.where(self.upper_tail > 0, np.asarray(high, dtype=float), np.inf)
        below, above = (
            np.where(self.lower_cut, np.maximum(below, 0.0), below),
            np.where(self.upper_cut, np.minimum(above, 0.0), above),
        )
        return below, above

    def limits(self, effect: ArrayLike, error: ArrayLike, df: ArrayLike = np.inf) -> tuple[Array, Array]:
        """Simultaneous limits of effects with these standard errors and degrees of freedom."""
        value, spread = np.asarray(effect, dtype=float), np.asarray(error, dtype=float)
        low, high = (t_critical(np.where(t > 0, t, 0.25), df) * spread for t in (self.lower_tail, self.upper_tail))
        return self.cut(value - low, value + high)


def step_down(
    p_values: ArrayLike,
    effects: ArrayLike,
    *,
    alpha: float = 0.05,
    weights: ArrayLike | None = None,
    kept: float = KEPT,
) -> FamilyTest:
    """Weighted step-down tests of both directions, with simultaneous limits that agree with them.

    In each direction, at ``alpha / 2``, comparison i starts with its share ``w_i``. Whenever one is decided, it keeps
    the part ``kept`` of its share for its own limit and passes the rest on to those not decided yet, so with decided
    weight D the others are tested at ``alpha / 2 * w_i * (1 + (1 - kept) D / (1 - D))``. Limits: not decided, at that
    level; decided, at ``alpha / 2 * w_i * kept`` and cut at 0; when all are decided, at ``alpha / 2 * w_i`` and cut.

    ``kept = 0`` is Holm's procedure: it decides most, and of a decided comparison only says on which side of 0 it lies
    (Strassburger and Bretz 2008). ``kept = 1`` is weighted Bonferroni. Between them decided comparisons keep a finite
    limit. With one comparison all are the usual two-sided test and interval.

    The chance that any limit is wrong is at most ``alpha`` whatever the dependence: for the true effects, each tail's
    errors need one of the events "limit i, drawn at its level under the true set of positive effects, is wrong", whose
    levels add up to ``alpha / 2``.

    Args:
        p_values: two-sided ``(..., m)``, in (0, 1]; 1 where there is no test.
        effects: estimates, or their signs ``(..., m)``.
        weights: shares of alpha ``(m,)`` or ``(..., m)``, scaled to 1 in all; equal where not given. A comparison of
            weight 0 is never decided and has no limits.

    Raises:
        InputError: p-values, weights, alpha or ``kept`` outside their range.
    """
    p, sign = _checked(p_values, effects, alpha)
    share = _shares(weights, p.shape)
    if not 0.0 <= kept <= 1.0:
        raise InputError(f"The part kept is {kept}.", "Give a share from 0 (Holm) to 1 (Bonferroni).")
    above = np.where(sign > 0, p / 2.0, 1.0 - p / 2.0)
    below = np.where(sign > 0, 1.0 - p / 2.0, p / 2.0)
    adjusted_above, adjusted_below = _adjust(above, share, kept), _adjust(below, share, kept)
    greater, less = adjusted_above < alpha, adjusted_below < alpha
    return FamilyTest(
        adjusted_p=np.where(sign > 0, adjusted_above, adjusted_below),
        direction=greater.astype(np.int8) - less.astype(np.int8),
        lower_tail=_levels(greater, share, kept, alpha),
        upper_tail=_levels(less, share, kept, alpha),
        lower_cut=greater,
        upper_cut=less,
    )


def false_discovery(p_values: ArrayLike, effects: ArrayLike, *, alpha: float = 0.05) -> FamilyTest:
    """Benjamini and Hochberg's procedure, with limits for those found (Benjamini and Yekutieli 2005).

    With S of m found, all limits are drawn at ``alpha * max(S, 1) / m`` (both sides together): of the intervals of the
    found, at most a share ``alpha`` misses its truth on average, and an interval leaves out 0 exactly when its
    comparison is found. Independent or positively dependent tests. Arguments as in ``step_down``, unweighted.
    """
    p, sign = _checked(p_values, effects, alpha)
    m = p.shape[-1]
    adjusted = false_discovery_p(p)
    found = adjusted < alpha
    level = np.broadcast_to(alpha * np.maximum(found.sum(axis=-1, keepdims=True), 1) / m / 2.0, p.shape)
    none = np.zeros(p.shape, dtype=bool)
    return FamilyTest(
        adjusted_p=adjusted,
        direction=np.where(found, np.where(sign > 0, 1, -1), 0).astype(np.int8),
        lower_tail=level,
        upper_tail=level,
        lower_cut=none,
        upper_cut=none,
    )


def separate(
    p_values: ArrayLike, adjusted_p: ArrayLike, effects: ArrayLike, *, alpha: float, level: float
) -> FamilyTest:
    """Decisions one by one, by p-values adjusted elsewhere, with limits at one level for all.

    Args:
        p_values, effects: as in ``step_down``.
        adjusted_p: below ``alpha`` exactly where the p-value is below ``level``.
        level: the two-sided level of each comparison.
    """
    p, sign = _checked(p_values, effects, alpha)
    adjusted = np.broadcast_to(np.asarray(adjusted_p, dtype=float), p.shape)
    tail, none = np.full(p.shape, level / 2.0), np.zeros(p.shape, dtype=bool)
    return FamilyTest(
        adjusted_p=adjusted,
        direction=np.where(adjusted < alpha, np.where(sign > 0, 1, -1), 0).astype(np.int8),
        lower_tail=tail,
        upper_tail=tail,
        lower_cut=none,
        upper_cut=none,
    )


def false_discovery_p(p_values: ArrayLike) -> Array:
    """Benjamini-Hochberg's adjusted p-values over all comparisons of the last axis together, in the order given.

    ``min over j >= i of p_(j) m / j``: below q exactly where the share of false discoveries is kept at q.
    """
    p = np.asarray(p_values, dtype=np.float64)
    count = p.shape[-1]
    order = np.argsort(p, axis=-1)
    steps = np.take_along_axis(p, order, axis=-1) * (count / np.arange(1.0, count + 1.0))
    adjusted = np.empty_like(p)
    running = np.minimum(1.0, np.minimum.accumulate(steps[..., ::-1], axis=-1)[..., ::-1])
    np.put_along_axis(adjusted, order, running, axis=-1)
    return adjusted


def _adjust(tail: Array, share: Array, kept: float) -> Array:
    """Adjusted two-sided p-values of one direction, from the chances of its tail."""
    ratio = np.where(share > 0, tail / np.where(share > 0, share, 1.0), np.inf)
    order = np.argsort(ratio, axis=-1, kind="stable")
    weight = np.take_along_axis(share, order, axis=-1)
    left = np.cumsum(weight[..., ::-1], axis=-1)[..., ::-1]
    decided = np.cumsum(weight, axis=-1) - weight
    factor = 1.0 + (1.0 - kept) * decided / np.where(left > 0, left, 1.0)
    steps = np.minimum(1.0, np.maximum.accumulate(2.0 * np.take_along_axis(ratio, order, axis=-1) / factor, axis=-1))
    adjusted = np.empty_like(steps)
    np.put_along_axis(adjusted, order, steps, axis=-1)
    return adjusted


def _levels(decided: Flags, share: Array, kept: float, alpha: float) -> Array:
    """The chance of one tail at which the limits of one direction are drawn."""
    done = np.where(decided, share, 0.0).sum(axis=-1, keepdims=True)
    left = np.where(decided, 0.0, share).sum(axis=-1, keepdims=True)
    open_ = share * (1.0 + (1.0 - kept) * done / np.where(left > 0, left, 1.0))
    closed = share * np.where(left > 0, kept, 1.0)
    return np.asarray(alpha / 2.0 * np.where(decided, closed, open_))


def _shares(weights: ArrayLike | None, shape: tuple[int, ...]) -> Array:
    share = np.ones(shape[-1]) if weights is None else np.asarray(weights, dtype=float)
    fits = share.ndim >= 1 and share.shape[-1] == shape[-1]
    if not fits or not np.isfinite(share).all() or (share < 0).any() or not (share.sum(axis=-1) > 0).all():
        raise InputError(
            "The weights do not divide alpha.", "Give one of 0 or more for each comparison, some positive."
        )
    return np.broadcast_to(share / share.sum(axis=-1, keepdims=True), shape)


def _checked(p_values: ArrayLike, effects: ArrayLike, alpha: float) -> tuple[Array, Array]:
    p = np.asarray(p_values, dtype=float)
    if not 0.0 < alpha < 0.5:
        raise InputError(f"The level alpha is {alpha}.", "Give a share between 0 and 0.5, such as 0.05.")
    if p.ndim < 1 or not p.shape[-1] or not ((p > 0) & (p <= 1)).all():
        raise InputError("A p-value is not above 0 and at most 1, or there is none.", "Give 1 where there is no test.")
    p, sign = np.broadcast_arrays(p, np.asarray(effects, dtype=float))
    if np.isnan(sign).any():
        raise InputError("An effect is missing.", "Give 0 where there is no estimate, with a p-value of 1.")
    return p, sign
