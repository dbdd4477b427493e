"""Dunnett's test (1955) for many units: several arms against one control, whose deviation all comparisons share.

The comparisons' correlations are the products ``l_i l_j`` with ``l^2`` the control's share in the variance of a
difference, so that ``P(all inside c) = E[prod_i P(|l_i Z + sqrt(1 - l_i^2) E_i| < c | Z)]``: one integral over ``Z``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(96)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_ABOVE = _NODES > 0.0  # what lies inside two sides is the same at Z and at -Z


def chance_beyond(critical: ArrayLike, control_shares: ArrayLike, counts: ArrayLike = 1.0, *, sides: int = 2) -> Array:
    """The chance that any comparison is beyond the critical value, under no effect at all.

    Args:
        critical: shape (…).
        control_shares: of the comparisons that differ in it, shape (…, m), each 0-1; 0.5 with equal arms.
        counts: how many comparisons there are of each of the m kinds, shape (…, m); need not be whole.
        sides: 1 or 2.
    """
    c = np.asarray(critical, dtype=float)[..., None, None]
    load = np.sqrt(np.clip(np.asarray(control_shares, dtype=float), 0.0, 0.999))[..., None]
    rest = np.sqrt(1.0 - load**2)
    nodes, weights = (_NODES[_ABOVE], 2.0 * _WEIGHTS[_ABOVE]) if sides == 2 else (_NODES, _WEIGHTS)
    inside = special.ndtr((c + load * nodes) / rest)
    if sides == 2:
        inside = inside - special.ndtr((-c + load * nodes) / rest)
    number = np.asarray(counts, dtype=float)[..., None]
    all_inside = np.prod(inside if np.all(number == 1.0) else inside**number, axis=-2)
    return np.asarray(1.0 - np.sum(weights * all_inside, axis=-1))


def dunnett_critical(alpha: ArrayLike, control_shares: ArrayLike, counts: ArrayLike = 1.0, *, sides: int = 2) -> Array:
    """The critical value c with ``chance_beyond(c) = alpha``, by bisection to 1e-12.

    Args:
        alpha: the family's level, for both sides together where there are two, shape (…).
        control_shares, counts, sides: as in ``chance_beyond``.
    """
    level = np.asarray(alpha, dtype=float)
    each, _ = np.broadcast_arrays(np.asarray(counts, dtype=float), np.asarray(control_shares, dtype=float))
    level, number = np.broadcast_arrays(level, each.sum(axis=-1))
    low, high = -special.ndtri(level / sides), -special.ndtri(level / sides / number)
    for _ in range(50):
        middle = (low + high) / 2.0
        outside = chance_beyond(middle, control_shares, counts, sides=sides) > level
        low, high = np.where(outside, middle, low), np.where(outside, high, middle)
    return np.asarray(high)
