"""Score intervals for many pairs of binomial rates at once: arrays in, arrays out.

The same test and intervals as ``score_intervals`` (pooled z; Mee 1984 with the restricted estimate of Farrington and
Manning 1990; Koopman 1984), with the factor N/(N-1) of Miettinen and Nurminen (1985) by name, and two closed forms for
comparison: Newcombe's hybrid score interval (1998, method 10) and Agresti and Caffo (2000).

How the roots are found. Instead of the effect, the unknown is Lagrange's multiplier ``m`` of the restricted fit: under
``p1 - p0 = d`` the fit obeys ``x1 - n1 p1 = m p1 q1`` and ``x0 - n0 p0 = -m p0 q0`` (two quadratics), and the score
statistic is ``z = m sqrt(p1 q1 / n1 + p0 q0 / n0)``, with ``z^2 = m (estimate - d)``. Under ``p1 / p0 = r`` it obeys
``x1 - n1 p1 = m q1`` and ``x0 - n0 p0 = -m q0`` (linear), and ``z^2 = m^2 (A / (x1 - m) + B / (x0 + m))`` where
``A = 1 - x1 / n1`` and ``B = 1 - x0 / n0`` (a cubic; Nam 1995 has a like one). From a start near the root two steps on
``z^2`` settle most of them (``roots``); a bracket guards the few that are left.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from experiments.comparing.estimates import Array
from experiments.comparing.roots import guarded, two_steps
from proofsheet.errors import InputError

Limits = tuple[Array, Array]

BLOCK = 8192  # rows that stay in the cache together


def pooled_z(x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, *, corrected: bool = False) -> Array:
    """The z value of "no difference" with the pooled rate, in the broadcast shape.

    ``(p1 - p0) / sqrt(p q (1/n1 + 1/n0))`` with ``p = (x1 + x0) / (n1 + n0)``. It is 0 where an arm is empty or where
    every unit has the same outcome: such data say nothing against "no difference". With ``corrected`` the variance has
    the factor N/(N-1) of Miettinen and Nurminen.

    Raises:
        InputError: a count is negative, not finite, or above the number of units.
    """
    x1, n1, x0, n0 = _counts(x1, n1, x0, n0)
    total = n1 + n0
    events = x1 + x0
    with np.errstate(divide="ignore", invalid="ignore"):
        # (x1 n0 - x0 n1) sqrt(N / (n1 n0 s (N - s))), without a difference of rounded rates.
        square = total / (n1 * n0 * events * (total - events))
        z = (x1 * n0 - x0 * n1) * np.sqrt(square * ((total - 1.0) / total) if corrected else square)
    return np.where((n1 > 0) & (n0 > 0) & (events > 0) & (events < total), z, 0.0)


def difference_limits(
    x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, critical: ArrayLike, *, corrected: bool = False
) -> Limits:
    """Limits of ``p1 - p0`` at the critical value of the normal: Mee, or ``corrected`` Miettinen and Nurminen.

    All arguments broadcast. The limits leave out 0 exactly when ``|pooled_z| > critical``. Where an arm is empty they
    are -1 and 1.

    Raises:
        InputError: see ``pooled_z``; or the critical value is not a positive number.
    """
    x1, n1, x0, n0, c = _with_critical(x1, n1, x0, n0, critical, corrected)
    low, high = _both_sides(_quick_difference, _guarded_difference, x1, n1, x0, n0, c)
    high = -high
    empty = (n1 == 0) | (n0 == 0)
    return np.where(empty, -1.0, low), np.where(empty, 1.0, high)


def ratio_limits(
    x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, critical: ArrayLike, *, corrected: bool = False
) -> Limits:
    """Limits of ``p1 / p0`` at the critical value of the normal: Koopman, or ``corrected`` Miettinen and Nurminen.

    All arguments broadcast. The limits leave out 1 exactly when ``|pooled_z| > critical``. The lower one is 0 where
    ``x1`` is 0, the upper one infinite where ``x0`` is 0; where an arm is empty they are 0 and infinite.

    Raises:
        InputError: see ``pooled_z``; or the critical value is not a positive number.
    """
    x1, n1, x0, n0, c = _with_critical(x1, n1, x0, n0, critical, corrected)
    low, high = _both_sides(_quick_ratio, _guarded_ratio, x1, n1, x0, n0, c)
    with np.errstate(divide="ignore"):
        high = 1.0 / high
    empty = (n1 == 0) | (n0 == 0)
    return np.where(empty, 0.0, low), np.where(empty, np.inf, high)


def wilson_limits(x: ArrayLike, n: ArrayLike, critical: ArrayLike) -> Limits:
    """Limits of one rate (Wilson 1927): ``|x/n - p| = critical sqrt(p q / n)`` solved for p; 0 and 1 for no units.

    Raises:
        InputError: a count is negative, not finite, or above the number of units.
    """
    x, n, _, _ = _counts(x, n, 0.0, 0.0)
    return _wilson(x, n, np.asarray(critical, dtype=np.float64))


def newcombe_limits(x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, critical: ArrayLike) -> Limits:
    """Limits of ``p1 - p0`` put together from two Wilson intervals (Newcombe 1998, method 10).

    It can differ from the pooled test on whether 0 is inside. Where an arm is empty the limits are -1 and 1.

    Raises:
        InputError: see ``difference_limits``.
    """
    x1, n1, x0, n0, c = _with_critical(x1, n1, x0, n0, critical, corrected=False)
    (low1, high1), (low0, high0) = _wilson(x1, n1, c), _wilson(x0, n0, c)
    p1, p0 = _rate(x1, n1), _rate(x0, n0)
    low = p1 - p0 - np.hypot(p1 - low1, high0 - p0)
    high = p1 - p0 + np.hypot(high1 - p1, p0 - low0)
    empty = (n1 == 0) | (n0 == 0)
    return np.where(empty, -1.0, np.maximum(low, -1.0)), np.where(empty, 1.0, np.minimum(high, 1.0))


def agresti_caffo_limits(x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, critical: ArrayLike) -> Limits:
    """Limits of ``p1 - p0``: Wald's, after one success and one failure are added to each arm (Agresti and Caffo 2000).

    Cut at -1 and 1. It can differ from the pooled test on whether 0 is inside.

    Raises:
        InputError: see ``difference_limits``.
    """
    x1, n1, x0, n0, c = _with_critical(x1, n1, x0, n0, critical, corrected=False)
    p1, p0 = (x1 + 1.0) / (n1 + 2.0), (x0 + 1.0) / (n0 + 2.0)
    reach = c * np.sqrt(p1 * (1.0 - p1) / (n1 + 2.0) + p0 * (1.0 - p0) / (n0 + 2.0))
    return np.maximum(p1 - p0 - reach, -1.0), np.minimum(p1 - p0 + reach, 1.0)


def _both_sides(quick: Callable[..., Array], guarded: Callable[..., Array], *arrays: Array) -> Limits:
    """Lower limits, and with the arms exchanged (from which the upper ones follow), in the arrays' shape.

    ``quick`` works through slices that fit the cache, and leaves NaN where it does not find the root; ``guarded`` does
    those. Empty arms are put as one unit without an event.
    """
    x1, n1, x0, n0, c = (a.ravel() for a in arrays)
    n1, n0 = np.maximum(n1, 1.0), np.maximum(n0, 1.0)
    sides = ((x1, n1, x0, n0, c), (x0, n0, x1, n1, c))
    limits = np.empty((2, x1.size))
    for side, limit in zip(sides, limits, strict=True):
        for at in range(0, x1.size, BLOCK):
            limit[at : at + BLOCK] = quick(*(a[at : at + BLOCK] for a in side))
    rest = [np.isnan(limit).nonzero()[0] for limit in limits]
    if rest[0].size or rest[1].size:
        found = guarded(
            *(
                np.concatenate([a[some] for a, some in zip(pair, rest, strict=True)])
                for pair in zip(*sides, strict=True)
            )
        )
        limits[0, rest[0]], limits[1, rest[1]] = found[: rest[0].size], found[rest[0].size :]
    low, high = limits.reshape(2, *arrays[0].shape)
    return low, high


def _quick_difference(x1: Array, n1: Array, x0: Array, n0: Array, c: Array) -> Array:
    """Mee's lower limit; NaN where two steps do not settle it. No arm may be empty."""
    square = c * c
    with np.errstate(divide="ignore"):
        start = square / _difference_gap(x1, n1, x0, n0, c)
    m, found = two_steps(_difference_square, start, square, x1, n1, x0, n0)
    # A rate at its end makes a corner in the function, which a step of third order must not cross.
    found &= (x0 > 0) & (x1 < n1)
    return np.where(found, np.maximum(x1 / n1 - x0 / n0 - square / m, -1.0), np.nan)


def _guarded_difference(x1: Array, n1: Array, x0: Array, n0: Array, c: Array) -> Array:
    """Mee's lower limit, in a bracket. No arm may be empty."""
    square = c * c
    none = (x1 == 0) & (x0 == n0)  # the estimate is -1, and so is its limit
    start = square / np.where(none, 1.0, _difference_gap(x1, n1, x0, n0, c))
    m = guarded(_difference_square, start, square, np.inf, x1, n1, x0, n0, skip=none)
    return np.maximum(np.where(none, -1.0, x1 / n1 - x0 / n0 - square / m), -1.0)


def _difference_gap(x1: Array, n1: Array, x0: Array, n0: Array, c: Array) -> Array:
    """How far Newcombe's lower limit is below the estimate: close, and ``z^2 = m gap`` makes a multiplier of it."""
    square = c * c
    below, above = _wilson_reach(x1 / n1, n1, c, square), _wilson_reach((n0 - x0) / n0, n0, c, square)
    return np.sqrt(below * below + above * above)


def _wilson_reach(p: Array, n: Array, c: Array, square: Array) -> Array:
    """From a rate down to Wilson's lower limit; 0 only where the rate is 0 (and rounding does not hide it)."""
    return (p * square - square / 2.0 + c * np.sqrt(n * p * (1.0 - p) + square / 4.0)) / (n + square)


def _difference_square(m: Array, x1: Array, n1: Array, x0: Array, n0: Array) -> Limits:
    """``z^2`` and its slope at a multiplier ``m > 0`` of the difference."""
    sum1, gap0 = n1 + m, n0 - m
    root1 = np.sqrt(sum1 * sum1 - 4.0 * m * x1)
    root0 = np.sqrt(gap0 * gap0 + 4.0 * m * x0)
    p1 = 2.0 * x1 / (sum1 + root1)
    p0 = 2.0 * x0 / (gap0 + root0)
    beyond = gap0 <= 0.0
    if beyond.any():  # the other form of the quadratic's root, in which nothing cancels there
        p0[beyond] = (root0 - gap0)[beyond] / (2.0 * m[beyond])
    part1, part0 = p1 * (1.0 - p1) / n1, p0 * (1.0 - p0) / n0
    variance = part1 + part0
    slope = (p1 + p1 - 1.0) * part1 / root1 - (p0 + p0 - 1.0) * part0 / root0
    return m * m * variance, m * (variance + variance + m * slope)


def _quick_ratio(x1: Array, n1: Array, x0: Array, n0: Array, c: Array) -> Array:
    """Koopman's lower limit; NaN where two steps do not settle it. No arm may be empty."""
    square = c * c
    rest1, rest0 = (n1 - x1) / n1, (n0 - x0) / n0
    # The cubic k3 m^3 + k2 m^2 + k1 m + k0 has one root between 0 and x1. Its first term is the smallest as a rule.
    k3, k2 = rest1 - rest0, rest1 * x0 + rest0 * x1 + square
    k1, k0 = square * (x0 - x1), -square * x0 * x1
    with np.errstate(divide="ignore", invalid="ignore"):
        start = (np.sqrt(k1 * k1 - 4.0 * k2 * k0) - k1) / (2.0 * k2)
        m, found = two_steps(_cubic, start, 0.0, k3, k2, k1, k0)
        limit = (x1 - m) * (n0 + m) / ((n1 - m) * (x0 + m))
    return np.where(found & (m < x1) & (x1 < n1), limit, np.nan)


def _guarded_ratio(x1: Array, n1: Array, x0: Array, n0: Array, c: Array) -> Array:
    """Koopman's lower limit, in a bracket; at the ends of the arm's rate the root has left it. No arm may be empty."""
    square, limit = c * c, np.zeros(x1.shape)
    some = ((x1 > 0) & (x1 < n1)).nonzero()[0]
    y1, m1, y0, m0 = (a[some] for a in (x1, n1, x0, n0))
    m = guarded(_ratio_square, y1 / 2.0, square[some], y1, (m1 - y1) / m1, y1, (m0 - y0) / m0, y0)
    limit[some] = (y1 - m) * (m0 + m) / ((m1 - m) * (y0 + m))
    full = (x1 == n1) & (x1 > 0)
    limit[full] = _lower_ratio_of_all(n1[full], x0[full], n0[full], square[full])
    return limit


def _cubic(m: Array, k3: Array, k2: Array, k1: Array, k0: Array) -> Limits:
    return ((k3 * m + k2) * m + k1) * m + k0, (3.0 * k3 * m + 2.0 * k2) * m + k1


def _ratio_square(m: Array, rest1: Array, x1: Array, rest0: Array, x0: Array) -> Limits:
    """``z^2`` and its slope at a multiplier ``0 < m < x1`` of the ratio."""
    part1, part0 = rest1 / (x1 - m), rest0 / (x0 + m)
    sum_ = part1 + part0
    return m * m * sum_, m * (2.0 * sum_ + m * (part1 / (x1 - m) - part0 / (x0 + m)))


def _lower_ratio_of_all(n1: Array, x0: Array, n0: Array, square: Array) -> Array:
    """Koopman's lower limit where all units of the arm had the event: the multiplier ends at ``n1`` at most.

    With ``A = 0`` it is the root of ``B m^2 = c^2 (x0 + m)``. Where that lies beyond ``n1``, the arm's fitted rate
    falls below 1 and takes up the rest of ``z^2``: ``q1 / (n1 p1) = c^2 / m^2 - B / (x0 + m)``.
    """
    rest0 = (n0 - x0) / n0
    with np.errstate(divide="ignore"):
        m = np.minimum(n1, (square + np.sqrt(square * (square + 4.0 * rest0 * x0))) / (2.0 * rest0))
    odds = n1 * np.maximum(0.0, square / (m * m) - rest0 / (x0 + m))
    return np.where(m < n1, 1.0, 1.0 / (1.0 + odds)) * (n0 + m) / (x0 + m)


def _wilson(x: Array, n: Array, c: Array) -> Limits:
    square = c * c
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = x + square / 2.0
        half = c * np.sqrt(np.where(n > 0, x * (n - x) / n, 0.0) + square / 4.0)
    # The ends are exact: rounding must not leave a limit a hair beyond the estimate.
    low = np.where(x == 0, 0.0, (centre - half) / (n + square))
    return low, np.where(x == n, 1.0, (centre + half) / (n + square))


def _rate(x: Array, n: Array) -> Array:
    return x / np.maximum(n, 1.0)


def _counts(*values: ArrayLike) -> list[Array]:
    x1, n1, x0, n0 = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values))
    for name, x, n in (("arm", x1, n1), ("control", x0, n0)):
        if not bool(np.all((x >= 0) & (x <= n) & (n < np.inf))):
            raise InputError(
                f"The counts of the {name} are not all between 0 and its number of units.",
                "Give events and units as numbers of 0 or more, events never above units.",
            )
    return [x1, n1, x0, n0]


def _with_critical(
    x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, critical: ArrayLike, corrected: bool
) -> list[Array]:
    arrays = _counts(x1, n1, x0, n0)
    c = np.asarray(critical, dtype=np.float64)
    if not bool(np.all((c > 0) & (c < np.inf))):
        raise InputError("A critical value is not a positive number.", "Give the normal's quantile, such as 1.96.")
    if corrected:
        total = np.maximum(arrays[1] + arrays[3], 2.0)
        c = c * np.sqrt(total / (total - 1.0))
    return list(np.broadcast_arrays(*arrays, c))
