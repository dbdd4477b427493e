"""Quantiles of the difference and of the ratio of two independent rates, by inverting the exact distribution.

With ``X - Y < d`` (or ``X / Y < r``) the distribution function is the integral of the density of ``Y`` times the
distribution function of ``X`` at ``y + d`` (at ``r y``), with ``Y`` the narrower of the two. It runs over those ``y``
for which both points are rates, in a coordinate that is logarithmic at the ends of that way: whatever either
distribution does at an end of its range becomes an exponential decay there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.bayes.quantile_search import find_quantiles
from experiments.bayes.rate_integrals import DROP, NODES
from experiments.bayes.rate_laws import BetaLaw, RateLaw, Rows, density, reach

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

DIFFERENCE, LOG_RATIO = "difference", "log ratio"
_END = 40.0  # how near to an end, in the coordinate


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """How far a rate goes together with the other: from ``start`` over ``length``, with ``rest`` left above."""

    start: Array
    length: Array
    rest: Array

    def point(self, done: Array, to_go: Array, bounded: bool) -> tuple[Array, Array]:
        t, rest = self.start + self.length * done, self.rest + self.length * to_go
        return (np.minimum(t, 1.0), np.minimum(rest, 1.0)) if bounded else (t, rest)  # rounding may exceed 1


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """A coordinate ``w`` for the way: straight inside, in widths of a distribution, logarithmic at its ends.

    ``share = (softplus(w) - softplus(w - m)) / m`` with ``m`` the length in widths: the logistic function where that is
    small. For gammas the way has no upper end, and ``share = softplus(w) / m``.
    """

    m: Array
    bounded: bool

    def place(self, w: Array) -> tuple[Array, Array, Array]:
        """Share of the way done, share to go, and the derivative of the first."""
        done = (np.logaddexp(0.0, w) - (np.logaddexp(0.0, w - self.m) if self.bounded else 0.0)) / self.m
        if not self.bounded:
            return done, np.ones_like(done), special.expit(w) / self.m
        to_go = (np.logaddexp(0.0, self.m - w) - np.logaddexp(0.0, -w)) / self.m
        slope = special.expit(w) * special.expit(self.m - w) * -np.expm1(-self.m) / self.m
        return done, to_go, slope

    def coordinate(self, done: Array, to_go: Array) -> Array:
        """The coordinate of a share; infinite outside of the way."""
        first, last = self.m * np.maximum(done, 0.0), self.m * np.maximum(to_go, 0.0)
        with np.errstate(divide="ignore"):
            found = first + np.log(-np.expm1(-first))
            return np.asarray(found - np.log(-np.expm1(-last)) if self.bounded else found)


_Ways = Callable[[Array, bool], tuple[_Way, _Way, bool]]


def quantiles(arm: RateLaw, control: RateLaw, share: float, arm_narrower: Flags, kind: str) -> Array:
    """Quantiles of ``arm - control`` or ``log(arm / control)``.

    The integral runs over the narrower of the two. Where that is the arm, both are exchanged: the quantile is that of
    ``control - arm`` at the other end, with its sign turned.
    """
    found = np.empty(arm_narrower.size)
    for swapped in (False, True):
        rows = np.flatnonzero(arm_narrower.ravel() == swapped)
        first, second = (control, arm) if swapped else (arm, control)
        sought = 1.0 - share if swapped else share
        value = _search(first, second, rows, sought, kind)
        found[rows] = -value if swapped else value
    return found.reshape(arm_narrower.shape)


def _search(first: RateLaw, second: RateLaw, rows: Rows, share: float, kind: str) -> Array:
    """Quantiles of ``first - second`` (or of the logarithm of their ratio), the integral running over ``second``."""
    if not rows.size:
        return np.empty(0)
    one, two = first.take(rows), second.take(rows)
    drop = np.full_like(one.mean, DROP)
    ends = np.hstack([*reach(one, drop), *reach(two, drop)])
    (x_low, x_high, y_low, y_high) = (law.point(ends[:, [k]])[0] for k, law in enumerate((one, one, two, two)))
    z = float(special.ndtri(share))
    couple: _Ways
    if kind == DIFFERENCE:
        low, high, couple = x_low - y_high, x_high - y_low, _difference_ways
        scale = np.hypot(one.sd, two.sd)
        start = one.mean - two.mean + z * scale
    else:
        low, high, couple = np.log(x_low) - np.log(y_high), np.log(x_high) - np.log(y_low), _ratio_ways
        scale = np.sqrt(1.0 / one.precision + 1.0 / two.precision)
        start = np.log(one.mean) - np.log(two.mean) + z * scale

    def evaluate(i: Rows, value: Array) -> tuple[Array, Array]:
        return _share_below(first.take(rows[i]), second.take(rows[i]), ends[i], value[:, None], couple)

    columns = [np.ravel(a) for a in (low, high, start, scale)]
    return find_quantiles(evaluate, np.full(rows.size, z), *columns)


def _difference_ways(d: Array, bounded: bool) -> tuple[_Way, _Way, bool]:
    """Of ``y`` and of ``x = y + d``."""
    size = np.abs(d)
    more, less = np.where(d > 0, size, 0.0), np.where(d > 0, 0.0, size)
    length = 1.0 - size if bounded else np.ones_like(size)
    return _Way(less, length, more), _Way(more, length, less), False


def _ratio_ways(log_ratio: Array, bounded: bool) -> tuple[_Way, _Way, bool]:
    """Of ``y`` and of ``x = exp(log_ratio) y``."""
    shorter = np.exp(-np.abs(log_ratio))
    rest, one, none = -np.expm1(-np.abs(log_ratio)), np.ones_like(shorter), np.zeros_like(shorter)
    up = log_ratio > 0
    y = _Way(none, np.where(up, shorter, one), np.where(up, rest, none))
    x = _Way(none, np.where(up, one, shorter), np.where(up, none, rest))
    return y, x, True


def _share_below(one: RateLaw, two: RateLaw, ends: Array, value: Array, couple: _Ways) -> tuple[Array, Array]:
    """Distribution function and density of difference or log ratio at one value a row.

    Args:
        ends: lowest and highest coordinates of ``one`` and of ``two``, beyond which their densities vanish.
    """
    bounded = isinstance(one, BetaLaw)
    below, slope = np.zeros(value.shape[0]), np.zeros(value.shape[0])
    ways = couple(value, bounded)
    scale = _Scale(np.maximum(ways[0].length / two.sd, 1.0), bounded)
    low, high = _window(one, two, ends, ways, scale)
    fewest = np.minimum(one.fewest, two.fewest)[:, 0]
    if bounded:  # where the end of the range cuts through a distribution the integrand has a long tail
        fewest = np.where(high[:, 0] >= scale.m[:, 0] + _END, np.minimum(fewest, 1.0), fewest)
    for least, most, nodes in NODES:
        rows = np.flatnonzero((fewest >= least) & (fewest < most))
        if not rows.size:
            continue
        x_law, y_law = one.take(rows), two.take(rows)
        step = (high - low)[rows] / (nodes - 1)
        w = low[rows] + step * np.arange(nodes)
        y_way, x_way, relative = couple(value[rows], bounded)
        done, to_go, rise = _Scale(scale.m[rows], bounded).place(w)
        (y, y_rest), (x, x_rest) = y_way.point(done, to_go, bounded), x_way.point(done, to_go, bounded)
        weight = _density_at(y_law, y, y_rest, bounded, y_way.length * rise * step)  # dy / dw, dw
        below[rows] = np.sum(weight * x_law.below(x, x_rest), axis=-1)
        slope[rows] = np.sum(_density_at(x_law, x, x_rest, bounded, weight * (x if relative else 1.0)), axis=-1)
        if bounded:
            above = y_law.above(1.0 - y_way.rest, y_way.rest)
            below[rows] += np.where(y_way.rest > 0, above, 0.0)[:, 0]
    return below, slope


def _density_at(law: RateLaw, t: Array, rest: Array, bounded: bool, factor: Array) -> Array:
    """The density of a rate itself times a factor, which is 0 wherever the rate is too small for a float."""
    scale = t * rest if bounded else t
    return density(law, law.coordinate(t, rest)) * (factor / np.maximum(scale, TINY))


def _window(
    one: RateLaw, two: RateLaw, ends: Array, ways: tuple[_Way, _Way, bool], scale: _Scale
) -> tuple[Array, Array]:
    """Between which coordinates the integrand matters; twice the same one where it does not anywhere."""
    y_way, x_way, _ = ways

    def coordinate(way: _Way, law: RateLaw, u: Array) -> Array:
        t, rest = law.point(u)
        length = np.maximum(way.length, TINY)
        return scale.coordinate((t - way.start) / length, (rest - way.rest) / length)

    low = np.maximum(coordinate(y_way, two, ends[:, [2]]), coordinate(x_way, one, ends[:, [0]]))
    high = coordinate(y_way, two, ends[:, [3]])
    high = np.minimum(high, scale.m + _END) if scale.bounded else high
    some = low < high
    return np.where(some, low, 0.0), np.where(some, high, 0.0)
