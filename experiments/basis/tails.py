"""Tails and quantiles of the normal and of Student's t for whole arrays, fast at many degrees of freedom.

``scipy.special`` computes Student's t through the incomplete beta function, at some 70 times the cost of the normal.
From ``LARGE`` degrees of freedom on, t is turned into a normal score first (Hill 1970, CACM algorithm 395), which is
as exact: relative errors of a tail stay below 1e-11 within the range used. As in ``distributions``, small tails are
computed as small numbers and floored at ``TINY``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY

Array = NDArray[np.float64]

LARGE = 200.0
_RUNS = 256


def normal_above(z: ArrayLike) -> Array:
    """``P(Z > z)`` for a standard normal, in (0, 1]."""
    return np.asarray(np.maximum(special.ndtr(-np.asarray(z, dtype=np.float64)), TINY))


def normal_two_sided(z: ArrayLike) -> Array:
    """``P(|Z| > |z|)`` for a standard normal, in (0, 1]."""
    return np.clip(2.0 * special.ndtr(-np.abs(np.asarray(z, dtype=np.float64))), TINY, 1.0)


def normal_critical(tail: ArrayLike) -> Array:
    """The value with ``P(Z > value) = tail``."""
    level = np.asarray(tail, dtype=np.float64)
    if level.ndim != 1 or level.size < _RUNS:
        return -np.asarray(special.ndtri(level))
    # Families have one level: each run of equal levels is looked up once.
    starts = np.concatenate(([0], (level[1:] != level[:-1]).nonzero()[0] + 1))
    return -np.repeat(special.ndtri(level[starts]), np.diff(starts, append=level.size))


def t_above(t: ArrayLike, df: ArrayLike) -> Array:
    """``P(T > t)`` for Student's t, in (0, 1]; the normal's where ``df`` is infinite. Arguments broadcast."""
    return np.asarray(np.maximum(_t_tail(t, df), TINY))


def t_two_sided(t: ArrayLike, df: ArrayLike) -> Array:
    """``P(|T| > |t|)`` for Student's t, in (0, 1]; the normal's where ``df`` is infinite. Arguments broadcast."""
    return np.clip(2.0 * _t_tail(np.abs(np.asarray(t, dtype=np.float64)), df), TINY, 1.0)


def _t_tail(t: ArrayLike, df: ArrayLike) -> Array:
    t, df = np.broadcast_arrays(np.asarray(t, dtype=np.float64), np.asarray(df, dtype=np.float64))
    square = t * t
    tail = np.array(special.ndtr(-np.copysign(np.sqrt(_normal_square(square, df)), t)))
    near = ~((df >= LARGE) & (square <= df / 3.0))
    if near.any():
        tail[near] = special.stdtr(df[near], -t[near])
    return tail


def t_critical(tail: ArrayLike, df: ArrayLike) -> Array:
    """The value with ``P(T > value) = tail``; the normal's where ``df`` is infinite. Arguments broadcast."""
    z = normal_critical(tail)
    z, df = np.broadcast_arrays(z, np.asarray(df, dtype=np.float64))
    finite = np.where(np.isinf(df), LARGE, df)
    scale, base = _hill(finite)
    # Hill's score, turned round: the correction is so small that two rounds settle it.
    square = z * z
    log_square = square
    for _ in range(2):
        log_square = square / _correction(log_square, base) ** 2
    value = np.where(np.isinf(df), z, np.copysign(np.sqrt(finite * np.expm1(log_square / scale)), z))
    near = ~((df >= LARGE) & (value * value <= df / 3.0))
    if near.any():
        value[near] = -special.stdtrit(df[near], np.broadcast_to(np.asarray(tail, dtype=np.float64), df.shape)[near])
    return value


def _normal_square(square: Array, df: Array) -> Array:
    """The square of the normal score with the tail that t has: Hill's expansion in ``log(1 + t^2 / df)``."""
    infinite = np.isinf(df)
    if infinite.all():
        return square
    finite = np.where(infinite, LARGE, df)
    scale, base = _hill(finite)
    log_square = scale * np.log1p(square / finite)
    return np.where(infinite, square, log_square * _correction(log_square, base) ** 2)


def _hill(df: Array) -> tuple[Array, Array]:
    scale = df - 0.5
    return scale, 48.0 * scale * scale


def _correction(y: Array, base: Array) -> Array:
    tail = (((-0.4 * y - 3.3) * y - 24.0) * y - 85.5) / (0.8 * y * y + 100.0 + base)
    return 1.0 + (tail + y + 3.0) / base
