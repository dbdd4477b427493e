"""Two rates at the border of a null hypothesis that are nearest to those seen (restricted maximum likelihood).

All take the arm's and the control's rate, the control's units per unit of the arm, and the border: ``p1 - p0``, or the
factor ``p1 / p0``. With "no difference" each gives the pooled rate.
"""

from __future__ import annotations

import numpy as np

from experiments.planned_rules import Array


def difference_rates(arm: Array, base: Array, ratio: Array, border: Array) -> tuple[Array, Array]:
    """The rates with ``p1 - p0 = border`` nearest to the true ones (Farrington and Manning 1990, in closed form)."""
    total = 1.0 + ratio
    # With p = p0 and p1 = p + border the likelihood equation is total p^3 + b p^2 + c p + d = 0.
    b = (1.0 + 2.0 * ratio) * border - total - (arm + ratio * base)
    c = (ratio * border - total - 2.0 * ratio * base) * border + arm + ratio * base
    d = ratio * base * border * (1.0 - border)
    v = b**3 / (27.0 * total**3) - b * c / (6.0 * total**2) + d / (2.0 * total)
    u = np.copysign(np.sqrt(np.maximum(b**2 / (9.0 * total**2) - c / (3.0 * total), 0.0)), v)
    cube = u**3
    turn = np.where(cube == 0.0, 0.0, v / np.where(cube == 0.0, 1.0, cube))
    w = (np.pi + np.arccos(np.clip(turn, -1.0, 1.0))) / 3.0
    rate = 2.0 * u * np.cos(w) - b / (3.0 * total)
    rate = np.clip(rate, np.maximum(0.0, -border), np.minimum(1.0, 1.0 - border))
    return np.clip(rate + border, 0.0, 1.0), rate


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
