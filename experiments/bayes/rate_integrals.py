"""Chances and losses between two independent rates: one integral over the narrower distribution (see ``conjugate``)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.bayes.rate_laws import RateLaw, Rows, density, excess, reach, signed_root

Array = NDArray[np.float64]

DROP = 38.0  # exp(-38) is below the rounding of a float
# Nodes of the trapezoidal rule by the smallest parameter: with few events a distribution is far from normal.
NODES = ((50.0, np.inf, 40), (8.0, 50.0, 64), (1.0, 8.0, 192), (0.0, 1.0, 256))
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def integrals(narrow: RateLaw, wide: RateLaw, rows: Rows) -> tuple[Array, Array, Array, Array]:
    """``P(N > W)``, ``P(N < W)``, ``E[max(W - N, 0)]`` and ``E[max(N - W, 0)]`` of some rows."""
    out = np.zeros((4, rows.size))
    fewest = np.minimum(narrow.fewest, wide.fewest).ravel()[rows]
    for least, most, nodes in NODES:
        chosen = np.flatnonzero((fewest >= least) & (fewest < most))
        if not chosen.size:
            continue
        n, w = narrow.take(rows[chosen]), wide.take(rows[chosen])
        for rising in (True, False):
            low, high = _window(n, w, rising)
            step = (high - low) / (nodes - 1)
            u = low + step * np.arange(nodes)
            t, rest = w.point(u)
            chance = w.below(t, rest) if rising else w.above(t, rest)
            weight = density(n, u) * step
            loss = excess(w, u, chance, chance, upper=not rising)
            out[0 if rising else 1, chosen] = np.sum(weight * chance, axis=-1)
            out[3 if rising else 2, chosen] = np.sum(weight * loss, axis=-1)
    return out[0], out[1], out[2], out[3]


def _window(narrow: RateLaw, wide: RateLaw, rising: bool) -> tuple[Array, Array]:
    """Where the density of ``narrow`` times the chance of ``wide`` matters, one column a row.

    The logarithm of the product is concave, and is taken here with the chance from its signed root, which is close.
    """
    side = 1.0 if rising else -1.0

    def height(u: Array) -> Array:
        return np.asarray(special.log_ndtr(side * signed_root(wide, u)) - narrow.deviance(u))

    near = narrow.peak
    far = np.maximum(near, wide.peak) if rising else np.minimum(near, wide.peak)
    for _ in range(20):
        first, second = far - _GOLDEN * (far - near), near + _GOLDEN * (far - near)
        better = height(first) > height(second)
        near, far = np.where(better, near, first), np.where(better, second, far)
    top = (near + far) / 2.0
    floor = height(top) - DROP
    ends = []
    for outer in reach(narrow, np.minimum(-floor, 1e12)):
        inner = top
        for _ in range(20):
            middle = (inner + outer) / 2.0
            inside = height(middle) > floor
            inner, outer = np.where(inside, middle, inner), np.where(inside, outer, middle)
        ends.append(outer)
    return ends[0], ends[1]
