"""Two counts with exposures (Poisson rates), for whole arrays: score limits, and exact mid-p given the total.

Given the total ``s = x1 + x0`` the arm's count is binomial with chance ``e1 r / (e1 r + e0)`` at rate ratio ``r``,
whatever the control's rate (Przyborowski and Wilenski 1940). The score limits of the ratio are Wilson's of that chance.
The exact ones read its tails at mid-p, half of the observed count's probability in each (Lancaster 1961; Berry and
Armitage 1995). Each leaves out 1 exactly when its test rejects "no difference".

For rare events among many units the same holds with the units as exposures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.basis.distributions import TINY
from experiments.comparing.estimates import Array
from experiments.comparing.pairs import check_level
from experiments.comparing.roots import Sloped, guarded
from experiments.comparing.score_many import Limits, wilson_limits
from proofsheet.errors import InputError


def pooled_rate_z(x1: ArrayLike, e1: ArrayLike, x0: ArrayLike, e0: ArrayLike) -> Array:
    """The z value of "no difference" of two rates: ``(x1 e0 - x0 e1) / sqrt(s e1 e0)``; 0 where nothing was counted.

    Raises:
        InputError: a count or an exposure is negative or not finite.
    """
    x1, e1, x0, e0 = _checked(x1, e1, x0, e0)
    square = (x1 + x0) * e1 * e0
    return np.where(square > 0, (x1 * e0 - x0 * e1) / np.sqrt(np.where(square > 0, square, 1.0)), 0.0)


def rate_ratio_limits(x1: ArrayLike, e1: ArrayLike, x0: ArrayLike, e0: ArrayLike, critical: ArrayLike) -> Limits:
    """Score limits of the ratio of rates at the critical value of the normal.

    0 and infinite where nothing was counted or an exposure is 0; the upper one is infinite where ``x0`` is 0.

    Raises:
        InputError: a count or an exposure is negative or not finite.
    """
    x1, e1, x0, e0 = _checked(x1, e1, x0, e0)
    low1, high1 = wilson_limits(x1, x1 + x0, critical)
    low0, high0 = wilson_limits(x0, x1 + x0, critical)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = low1 / high0 * (e0 / e1), high1 / low0 * (e0 / e1)
    none = (x1 + x0 == 0) | (e1 == 0) | (e0 == 0)
    return np.where(none, 0.0, low), np.where(none | (low0 == 0.0), np.inf, high)


def rate_difference_limits(x1: ArrayLike, e1: ArrayLike, x0: ArrayLike, e0: ArrayLike, critical: ArrayLike) -> Limits:
    """Score limits of the difference of rates at the critical value of the normal.

    As Mee's for proportions: with the multiplier ``m`` the restricted rates are ``x1 / (e1 + m)`` and
    ``x0 / (e0 - m)``, and ``z^2 = m^2 (x1 / (e1 (e1 + m)) + x0 / (e0 (e0 - m)))``. Infinite where an exposure is 0.

    Raises:
        InputError: a count or an exposure is negative or not finite.
    """
    x1, e1, x0, e0 = _checked(x1, e1, x0, e0)
    x1, e1, x0, e0, c = np.broadcast_arrays(x1, e1, x0, e0, np.asarray(critical, dtype=np.float64))
    shape, none = c.shape, (e1 == 0) | (e0 == 0)
    x1, e1, x0, e0, c = (a.ravel() for a in (x1, np.where(none, 1.0, e1), x0, np.where(none, 1.0, e0), c))
    low, high = _lower(x1, e1, x0, e0, c).reshape(shape), -_lower(x0, e0, x1, e1, c).reshape(shape)
    return np.where(none, -np.inf, low), np.where(none, np.inf, high)


def _lower(x1: Array, e1: Array, x0: Array, e0: Array, c: Array) -> Array:
    """The lower limit of the difference; the upper one is minus this one with the arms exchanged."""
    square = c * c
    # Without an event in the control its restricted rate stays 0 until m = e0, and takes up the rest of z^2 there. Else
    # z^2 has a pole at e0. So the root is below e0 in any case.
    most = np.where(x0 == 0, e0 * x1 / (e1 * (e1 + e0)) * e0, np.inf)
    low = x1 / (e1 + e0) - (square - np.minimum(most, square)) / e0
    some = (most > square).nonzero()[0]
    x1, e1, x0, e0, c, square = (a[some] for a in (x1, e1, x0, e0, c, square))
    start = e0 * c / (c + e0 * np.sqrt(x1 / (e1 * e1) + x0 / (e0 * e0)))
    m = guarded(_difference_square, start, square, e0, x1, e1, x0, e0)
    low[some] = x1 / e1 - x0 / e0 - square / m
    return low


def _difference_square(m: Array, x1: Array, e1: Array, x0: Array, e0: Array) -> Sloped:
    part1, part0 = x1 / (e1 * (e1 + m)), x0 / (e0 * (e0 - m))
    variance = part1 + part0
    return m * m * variance, m * (2.0 * variance + m * (part0 / (e0 - m) - part1 / (e1 + m)))


def mid_p(
    x1: ArrayLike,
    e1: ArrayLike,
    x0: ArrayLike,
    e0: ArrayLike,
    *,
    alternative: str = "two-sided",
    ratio: ArrayLike = 1.0,
) -> Array:
    """The exact mid-p of "the ratio of rates is ``ratio``" given the total, in (0, 1]; 1 where nothing was counted.

    Twice the smaller tail with "two-sided". Counts are whole numbers.

    Raises:
        InputError: a count or an exposure is negative or not finite.
    """
    x1, e1, x0, e0 = _checked(x1, e1, x0, e0)
    odds = np.asarray(ratio, dtype=np.float64) * e1
    known = (x1 + x0 > 0) & (odds > 0) & (e0 > 0)
    share1, share0 = (np.where(known, a, 1.0) / np.where(known, odds + e0, 2.0) for a in (odds, e0))
    above, below = _upper_tail(share1, x1, x0), _upper_tail(share0, x0, x1)
    p = {"two-sided": 2.0 * np.minimum(above, below), "greater": above, "less": below}[alternative]
    return np.where(known, np.clip(p, TINY, 1.0), 1.0)


def mid_p_ratio_limits(x1: ArrayLike, e1: ArrayLike, x0: ArrayLike, e0: ArrayLike, tail: ArrayLike) -> Limits:
    """Exact limits of the ratio of rates: where the mid-p of one side is ``tail`` (alpha / 2 for two-sided limits).

    0 and infinite where nothing was counted or an exposure is 0; the lower one is 0 where ``x1`` is 0, the upper one
    infinite where ``x0`` is 0.

    Raises:
        InputError: a count or an exposure is negative or not finite, or a tail is not between 0 and 0.5.
    """
    level = check_level(tail, 0.5)
    x1, e1, x0, e0, level = np.broadcast_arrays(*_checked(x1, e1, x0, e0), level)
    none = (x1 + x0 == 0) | (e1 == 0) | (e0 == 0)
    # Both sides in one go: the upper limit is 1 over the lower one with the arms exchanged.
    ends = _odds(np.stack([x1, x0]), np.stack([x0, x1]), np.stack([level, level]))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = e0 / e1
        low, high = scale * ends[0], scale / ends[1]
    return np.where(none, 0.0, low), np.where(none, np.inf, high)


def _odds(x1: Array, x0: Array, level: Array) -> Array:
    """The lower limit of the odds ``pi / (1 - pi)`` of a binomial chance; 0 where ``x1`` is 0."""
    some = x1 > 0
    first, second, target = (a[some] for a in (x1, x0, level))
    # The quantile of a Beta with a half added to both counts is close to the limit (Brown, Cai and DasGupta 2001).
    start = np.asarray(special.betaincinv(first + 0.5, second + 0.5, target), dtype=np.float64)
    chance = guarded(_root_of_tail, start, target ** (1.0 / first), 1.0, first, second)
    odds = np.zeros(x1.shape)
    odds[some] = chance / (1.0 - chance)
    return odds


def _upper_tail(chance: Array, x1: Array, x0: Array) -> Array:
    """``P(X > x1) + P(X = x1) / 2`` for X binomial among ``x1 + x0``."""
    with_own = np.where(x1 > 0, special.betainc(np.maximum(x1, 1.0), x0 + 1.0, chance), 1.0)
    beyond = np.where(x0 > 0, special.betainc(x1 + 1.0, np.maximum(x0, 1.0), chance), 0.0)
    return np.asarray((with_own + beyond) / 2.0)


def _root_of_tail(chance: Array, x1: Array, x0: Array) -> Sloped:
    """The ``x1``-th root of the upper tail, which is nearly straight, and its slope."""
    # The densities of the two Betas whose distribution functions make up the tail; the second is none where x0 is 0.
    first = special.xlogy(x1 - 1.0, chance) + special.xlog1py(x0, -chance) - special.betaln(x1, x0 + 1.0)
    density = np.exp(first) * (1.0 + chance / (1.0 - chance) * x0 / x1)
    tail = _upper_tail(chance, x1, x0)
    value = tail ** (1.0 / x1)
    return value, value / (tail * x1) * density / 2.0


def _checked(*values: ArrayLike) -> list[Array]:
    arrays = [np.asarray(v, dtype=np.float64) for v in values]
    if not all(bool(np.all((a >= 0) & (a < np.inf))) for a in arrays):
        raise InputError("A count or an exposure is negative or not finite.", "Give numbers of 0 or more.")
    return list(np.broadcast_arrays(*arrays))
