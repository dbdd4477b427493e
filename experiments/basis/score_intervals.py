"""Score intervals for two binomial rates: they invert the pooled test, so test and intervals can never disagree.

Difference: Mee (1984), the Farrington-Manning restricted estimate. Ratio: Koopman (1984). At "no difference" both
score statistics equal the pooled z test (the square root of Pearson's chi-square), hence ``p < alpha`` exactly when
the interval of the difference leaves out 0 and the interval of the ratio leaves out 1. They hold their level with
rare events, where the Wald interval does not (Newcombe 1998; Gart and Nam 1988).
"""

from __future__ import annotations

import math
from collections.abc import Callable


def pooled_z(x1: float, n1: float, x0: float, n0: float) -> float:
    """The z value of "no difference" with the pooled rate; 0 when every unit has the same outcome."""
    pooled = (x1 + x0) / (n1 + n0)
    variance = pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n0)
    return (x1 / n1 - x0 / n0) / math.sqrt(variance) if variance > 0 else 0.0


def difference_limits(x1: float, n1: float, x0: float, n0: float, critical: float) -> tuple[float, float]:
    """Limits of ``p1 - p0`` at the two-sided critical value of the normal (Mee)."""
    estimate = x1 / n1 - x0 / n0

    def z(delta: float) -> float:
        q1, q0 = _restricted_rates(x1, n1, x0, n0, delta)
        variance = q1 * (1.0 - q1) / n1 + q0 * (1.0 - q0) / n0
        gap = estimate - delta
        if variance <= 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    reach = 1.5 * critical * math.sqrt(sum(x / n * (1.0 - x / n) / n for x, n in ((x1, n1), (x0, n0))))
    below, above = max(-1.0, estimate - reach), min(1.0, estimate + reach)
    below, above = below if z(below) > critical else -1.0, above if z(above) < -critical else 1.0
    low = solve(lambda d: z(d) - critical, below, estimate) if estimate > -1.0 else -1.0
    high = solve(lambda d: z(d) + critical, estimate, above) if estimate < 1.0 else 1.0
    return low, high


def ratio_limits(x1: float, n1: float, x0: float, n0: float, critical: float) -> tuple[float, float]:
    """Limits of ``p1 / p0`` (Koopman); ``x0`` must be positive. The lower limit is 0 when ``x1`` is 0."""
    p1, p0 = x1 / n1, x0 / n0

    def z(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        b = ratio * (n1 + x0) + x1 + n0
        root = math.sqrt(max(0.0, b * b - 4.0 * ratio * (n1 + n0) * (x1 + x0)))
        q0 = 2.0 * (x1 + x0) / (b + root)
        q1 = min(1.0, ratio * q0)
        variance = q1 * (1.0 - q1) / n1 + ratio * ratio * q0 * (1.0 - q0) / n0
        gap = p1 - ratio * p0
        if variance <= 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    spread = math.sqrt(1.0 / max(x1, 0.5) + 1.0 / x0)
    centre = math.log(max(x1, 0.5) / n1 / p0)
    low = math.exp(outwards(lambda r: z(r) - critical, centre, -critical * spread)) if x1 > 0 else 0.0
    start = math.log(p1 / p0) if x1 > 0 else centre - 40.0
    high = math.exp(outwards(lambda r: z(r) + critical, start, critical * spread if x1 > 0 else 40.0))
    return low, high


def solve(function: Callable[[float], float], low: float, high: float, *, steps: int = 300) -> float:
    """The root of a monotone function between two points with unlike signs.

    Bracketed secant with the Illinois rule on the function squeezed into (-1, 1), and a halving whenever three steps
    did not halve the bracket. When both ends have the same sign the end nearer to the root is given.
    """
    f_low, f_high = _squeeze(function(low)), _squeeze(function(high))
    if f_low == 0.0 or f_high == 0.0:
        return low if f_low == 0.0 else high
    if (f_low > 0) == (f_high > 0):
        return low if abs(f_low) < abs(f_high) else high
    side = 0
    checked = high - low
    for step in range(steps):
        middle = (low * f_high - high * f_low) / (f_high - f_low)
        if step % 3 == 2:
            if high - low > checked / 2.0:
                middle = (low + high) / 2.0
            checked = high - low
        if not low < middle < high:
            middle = (low + high) / 2.0
        value = _squeeze(function(middle))
        if abs(value) < 1e-12 or high - low <= 1e-13 * max(1e-6, abs(middle)):
            return middle
        if (value > 0) == (f_low > 0):
            low, f_low = middle, value
            f_high = f_high / 2.0 if side == 1 else f_high
            side = 1
        else:
            high, f_high = middle, value
            f_low = f_low / 2.0 if side == -1 else f_low
            side = -1
    return (low + high) / 2.0


def _squeeze(value: float) -> float:
    return math.copysign(1.0, value) if math.isinf(value) else value / (1.0 + abs(value))


def outwards(function: Callable[[float], float], start: float, step: float) -> float:
    """The root of a monotone function, looked for from ``start`` in the direction of ``step``, doubling it."""
    value = function(start)
    if value == 0.0:
        return start
    sign, near = value > 0, start
    for _ in range(60):
        far = near + step
        if (function(far) > 0) != sign:
            return solve(function, min(near, far), max(near, far))
        near, step = far, step * 2.0
        if abs(near) > 600.0:
            break
    return near


def _restricted_rates(x1: float, n1: float, x0: float, n0: float, delta: float) -> tuple[float, float]:
    """The most likely rates with ``p1 - p0 = delta`` (Farrington and Manning 1990: a cubic in closed form)."""
    total = n1 + n0
    # With p = p0 and p1 = p + delta the likelihood equation is a p^3 + b p^2 + c p + d = 0.
    a = total
    b = (n1 + 2.0 * n0) * delta - total - (x1 + x0)
    c = (n0 * delta - total - 2.0 * x0) * delta + x1 + x0
    d = x0 * delta * (1.0 - delta)
    v = b**3 / (27.0 * a**3) - b * c / (6.0 * a**2) + d / (2.0 * a)
    u_squared = max(0.0, b**2 / (9.0 * a**2) - c / (3.0 * a))
    u = math.copysign(math.sqrt(u_squared), v)
    ratio = v / u**3 if u else 0.0
    w = (math.pi + math.acos(max(-1.0, min(1.0, ratio)))) / 3.0
    p0 = 2.0 * u * math.cos(w) - b / (3.0 * a)
    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)
    p0 = min(max(p0, low), high)
    for _ in range(2):  # with rare events the closed form loses digits: Newton's steps bring them back
        slope = (3.0 * a * p0 + 2.0 * b) * p0 + c
        if slope:
            p0 = min(max(p0 - (((a * p0 + b) * p0 + c) * p0 + d) / slope, low), high)
    return min(1.0, max(0.0, p0 + delta)), p0
