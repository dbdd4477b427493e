"""Two rates at the border of a null hypothesis that are nearest to those seen (restricted maximum likelihood).

All take the arm's and the control's rate, the control's units per unit of the arm, and the border: ``p1 - p0``, or the
factor ``p1 / p0``. With "no difference" each gives the pooled rate.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NEWTON_STEPS = 2


def difference_rates(arm: Array, base: Array, ratio: Array, border: Array) -> tuple[Array, Array]:
    """The rates with ``p1 - p0 = border`` nearest to the true ones; see ``nearest_rate``."""
    rate = nearest_rate(arm, base, np.ones_like(ratio), ratio, border)
    return np.clip(rate + border, 0.0, 1.0), rate


def nearest_rate(q1: Array, q0: Array, n1: Array, n0: Array, difference: Array) -> Array:
    """The control's rate ``p`` that minimises ``n1 KL(q1 | p + difference) + n0 KL(q0 | p)``.

    It is the restricted maximum-likelihood rate of Farrington and Manning (1990) for the expected counts: the middle
    root of a cubic in closed form, then Newton's steps for the digits that the closed form loses with rare events.
    """
    d = np.broadcast_to(difference, np.broadcast_shapes(np.shape(q1), np.shape(difference)))
    total = np.maximum(n1 + n0, 1e-300)
    # Divided by the total: p**3 + b p**2 + c p + e = 0, with weights and expected successes as shares.
    w1, w0 = n1 / total, n0 / total
    y1, y0 = w1 * q1, w0 * q0
    b = (w1 + 2.0 * w0) * d - 1.0 - (y1 + y0)
    c = (w0 * d - 1.0 - 2.0 * y0) * d + y1 + y0
    e = y0 * d * (1.0 - d)
    v = b**3 / 27.0 - b * c / 6.0 + e / 2.0
    u = np.copysign(np.sqrt(np.maximum(0.0, b * b / 9.0 - c / 3.0)), v)
    cosine = np.divide(v, u**3, out=np.zeros(v.shape), where=u != 0)
    p = 2.0 * u * np.cos((math.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3.0) - b / 3.0
    low, high = np.maximum(0.0, -d), np.minimum(1.0, 1.0 - d)
    p = np.clip(p, low, high)
    for _ in range(_NEWTON_STEPS):
        slope = (3.0 * p + 2.0 * b) * p + c
        step = np.divide(((p + b) * p + c) * p + e, slope, out=np.zeros(p.shape), where=slope != 0)
        p = np.clip(p - step, low, high)
    return np.asarray(p)


def ratio_rates(arm: Array, base: Array, ratio: Array, factor: Array) -> tuple[Array, Array]:
    """The rates with ``p1 = factor x p0`` nearest to the true ones (Koopman 1984: a quadratic)."""
    events = arm + ratio * base
    b = factor * (1.0 + ratio * base) + arm + ratio
    root = np.sqrt(np.maximum(b * b - 4.0 * factor * (1.0 + ratio) * events, 0.0))
    rate = 2.0 * events / (b + root)
    return np.minimum(factor * rate, 1.0), rate


def count_rates(arm: Array, base: Array, ratio: Array, border: Array, *, relative: bool) -> tuple[Array, Array]:
    """The rates of events at the border nearest to the true ones, for a margin on the ratio or on the difference."""
    events = arm + ratio * base
    if relative:
        rate = events / (1.0 + border + ratio)
        return (1.0 + border) * rate, rate
    # (1 + r) q^2 + ((1 + r) b - x) q - r base b = 0 for the control's rate q, with arm rate q + b.
    total = 1.0 + ratio
    b = total * border - events
    root = np.sqrt(np.maximum(b * b + 4.0 * total * ratio * base * border, 0.0))
    rate = np.maximum((root - b) / (2.0 * total), 0.0)
    return np.maximum(rate + border, 0.0), rate
