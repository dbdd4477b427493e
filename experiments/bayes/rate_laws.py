"""Beta and gamma distributions of a rate, exact for counts from 0 to 1e9.

Both are written around their peak in a coordinate in which they are nearly normal and their logarithm is concave:
``u = log(p / (1 - p))`` for a beta (peak ``log(a / b)``, precision ``a b / (a + b)``), ``u = log(rate)``
for a gamma (peak ``log(shape / rate)``, precision ``shape``). The height at the peak comes from Stirling's series
and the fall from it is a deviance (Loader, "Fast and accurate computation of binomial probabilities", 2000): nothing
cancels, however large the counts.

A point is given as ``(t, rest)`` with ``rest = 1 - t``, so that rates near one keep their digits too; a gamma needs
no ``rest``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_LARGEST = 700.0  # beyond which exp(u) is not a float
_HALF_LOG_TWO_PI = math.log(2.0 * math.pi) / 2.0


class RateLaw(Protocol):
    """What the comparisons ask of a distribution of a rate; all arrays broadcast with the parameters."""

    @property
    def peak(self) -> Array:
        """Where the density in ``u`` is greatest."""
        ...

    @property
    def precision(self) -> Array:
        """The curvature of the log density in ``u`` at its peak: one over the variance, nearly."""
        ...

    @property
    def fewest(self) -> Array:
        """The smallest parameter: the events, or what is missing to all trials."""
        ...

    @property
    def mean(self) -> Array:
        """The expected rate."""
        ...

    @property
    def sd(self) -> Array:
        """The standard deviation of the rate."""
        ...

    @property
    def unit(self) -> Array:
        """How much of the density in ``u`` a partial expectation takes (see ``excess``)."""
        ...

    def take(self, rows: Rows) -> Self:
        """Some of the distributions by flat index, as a column: nodes go along the rows."""
        ...

    def point(self, u: Array) -> tuple[Array, Array]:
        """``t`` and ``1 - t`` at a coordinate."""
        ...

    def coordinate(self, t: Array, rest: Array) -> Array:
        """The coordinate of a point."""
        ...

    def beyond(self, u: Array) -> Array:
        """``t / mean - 1`` at a coordinate, with all its digits near the mean."""
        ...

    def deviance(self, u: Array) -> Array:
        """By how much the log density in ``u`` is below that of the peak."""
        ...

    def log_height(self) -> Array:
        """The log density in ``u`` at the peak."""
        ...

    def below(self, t: Array, rest: Array) -> Array:
        """``P(rate < t)``."""
        ...

    def above(self, t: Array, rest: Array) -> Array:
        """``P(rate > t)``."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class BetaLaw:
    """Beta distributions with parameters ``a`` and ``b``, arrays of one shape, above 0."""

    a: Array
    b: Array

    @property
    def peak(self) -> Array:
        return np.log(self.a) - np.log(self.b)

    @property
    def precision(self) -> Array:
        return self.a * (self.b / (self.a + self.b))

    @property
    def fewest(self) -> Array:
        return np.minimum(self.a, self.b)

    @property
    def mean(self) -> Array:
        return self.a / (self.a + self.b)

    @property
    def sd(self) -> Array:
        total = self.a + self.b
        return np.sqrt(self.mean * (self.b / total) / (total + 1.0))

    @property
    def unit(self) -> Array:
        return 1.0 / (self.a + self.b)

    def take(self, rows: Rows) -> BetaLaw:
        return BetaLaw(self.a.ravel()[rows, None], self.b.ravel()[rows, None])

    def point(self, u: Array) -> tuple[Array, Array]:
        return np.asarray(special.expit(u)), np.asarray(special.expit(-u))

    def coordinate(self, t: Array, rest: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(np.clip(np.log(t) - np.log(rest), -_LARGEST, _LARGEST))

    def _grown(self, u: Array) -> tuple[Array, Array, Array]:
        """Odds over those of the mean: the logarithm, less one; and ``(1 - mean) / (1 - t)``."""
        v = np.clip(u - self.peak, -_LARGEST, _LARGEST)
        return v, np.expm1(v), self.b / (self.a + self.b) + self.mean * np.exp(v)

    def beyond(self, u: Array) -> Array:
        _, grown, shrunk = self._grown(u)
        return np.asarray(grown * (self.b / (self.a + self.b)) / shrunk)

    def deviance(self, u: Array) -> Array:
        v, grown, shrunk = self._grown(u)
        log_rest = -np.log(shrunk)
        more = grown * (self.b / (self.a + self.b)) / shrunk
        less = -more * (self.a / self.b)
        return -(self.a * _log_gap(more, v + log_rest) + self.b * _log_gap(less, log_rest))

    def log_height(self) -> Array:
        total = self.a + self.b
        stirling = _stirling(total) - _stirling(self.a) - _stirling(self.b)
        return (np.log(self.a) + np.log(self.b / total)) / 2.0 - _HALF_LOG_TWO_PI + stirling

    def below(self, t: Array, rest: Array) -> Array:
        return _beta_below(self.a, self.b, t, rest)

    def above(self, t: Array, rest: Array) -> Array:
        return _beta_below(self.b, self.a, rest, t)


@dataclass(frozen=True, slots=True, eq=False)
class GammaLaw:
    """Gamma distributions with ``shape`` and ``rate`` (one over the scale), arrays of one shape, above 0."""

    shape: Array
    rate: Array

    @property
    def peak(self) -> Array:
        return np.log(self.shape) - np.log(self.rate)

    @property
    def precision(self) -> Array:
        return self.shape

    @property
    def fewest(self) -> Array:
        return self.shape

    @property
    def mean(self) -> Array:
        return self.shape / self.rate

    @property
    def sd(self) -> Array:
        return np.sqrt(self.shape) / self.rate

    @property
    def unit(self) -> Array:
        return 1.0 / self.rate

    def take(self, rows: Rows) -> GammaLaw:
        return GammaLaw(self.shape.ravel()[rows, None], self.rate.ravel()[rows, None])

    def point(self, u: Array) -> tuple[Array, Array]:
        t = np.exp(np.clip(u, -_LARGEST, _LARGEST))
        return t, np.ones_like(t)

    def coordinate(self, t: Array, rest: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.asarray(np.clip(np.log(t), -_LARGEST, _LARGEST))

    def beyond(self, u: Array) -> Array:
        return np.asarray(np.expm1(np.clip(u - self.peak, -_LARGEST, _LARGEST)))

    def deviance(self, u: Array) -> Array:
        v = np.clip(u - self.peak, -_LARGEST, _LARGEST)
        return -self.shape * _log_gap(np.expm1(v), v)

    def log_height(self) -> Array:
        return np.log(self.shape) / 2.0 - _HALF_LOG_TWO_PI - _stirling(self.shape)

    def below(self, t: Array, rest: Array) -> Array:
        return np.asarray(special.gammainc(self.shape, self.rate * t))

    def above(self, t: Array, rest: Array) -> Array:
        return np.asarray(special.gammaincc(self.shape, self.rate * t))


def density(law: RateLaw, u: Array) -> Array:
    """The density in ``u``."""
    return np.exp(law.log_height() - law.deviance(u))


def signed_root(law: RateLaw, u: Array) -> Array:
    """``sign(u - peak) sqrt(2 deviance)``: nearly a standard normal score."""
    return np.copysign(np.sqrt(2.0 * np.maximum(law.deviance(u), 0.0)), u - law.peak)


def excess(law: RateLaw, u: Array, below: Array, above: Array, *, upper: bool) -> Array:
    """``E[max(rate - t, 0)]`` at ``t(u)`` (``upper``), or ``E[max(t - rate, 0)]``.

    ``(mean - t) P(rate > t) + unit f(u)`` with ``f`` the density in ``u``: by parts, for both families.

    Args:
        below, above: the law's chances below and above ``t``.
    """
    gap = law.mean * law.beyond(u)
    first = -gap * above if upper else gap * below
    return np.maximum(first + law.unit * density(law, u), 0.0)


def reach(law: RateLaw, drop: Array) -> tuple[Array, Array]:
    """The two coordinates at which the log density lies ``drop`` below its peak, about (outside, if anything)."""
    guess = np.sqrt(2.0 * drop / law.precision)
    ends = []
    for side in (-1.0, 1.0):
        far = guess.copy()
        for _ in range(60):
            short = law.deviance(law.peak + side * far) < drop
            if not short.any():
                break
            far = np.where(short, np.minimum(2.0 * far, _LARGEST), far)
            if np.all(far[short] >= _LARGEST):
                break
        near = np.zeros_like(far)
        for _ in range(30):
            middle = (near + far) / 2.0
            short = law.deviance(law.peak + side * middle) < drop
            near, far = np.where(short, middle, near), np.where(short, far, middle)
        ends.append(law.peak + side * far)
    return ends[0], ends[1]


def _beta_below(a: Array, b: Array, t: Array, rest: Array) -> Array:
    """The incomplete beta function; from its complement where ``t`` is so near to one that ``rest`` alone tells."""
    below = np.asarray(special.betainc(a, b, t), dtype=np.float64)
    near = np.broadcast_to(rest < 1e-4, below.shape)
    if near.any():
        first, second, short = (np.broadcast_to(v, below.shape)[near] for v in (a, b, rest))
        above = special.betainc(second, first, short)
        below = below.copy()
        below[near] = np.where(above < 0.9, 1.0 - above, below[near])
    return below


def _log_gap(x: Array, log1p_x: Array) -> Array:
    """``log(1 + x) - x``, by the series of the inverse hyperbolic tangent where the two nearly agree."""
    small = np.abs(x) < 0.2
    r = np.where(small, x / (2.0 + x), 0.0)
    y = r * r
    series = np.zeros_like(y)
    for k in range(21, 1, -2):
        series = (series + 1.0 / k) * y
    return np.where(small, r * (2.0 * series - x), log1p_x - x)


def _stirling(x: Array) -> Array:
    """What Stirling's formula leaves out of ``log Gamma(x)``: ``1 / (12 x) - 1 / (360 x^3) + …``."""
    with np.errstate(over="ignore"):
        big = np.maximum(x, 15.0)
        y = 1.0 / (big * big)
    series = (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y / 1188.0)))) / big
    low = np.minimum(x, 15.0)
    exact = special.gammaln(low) - ((low - 0.5) * np.log(low) - low + _HALF_LOG_TWO_PI)
    return np.where(x > 15.0, series, exact)
