"""What a delta-method test of the lift finds: its deviation hangs on the lift seen; the power is no plain normal tail.

With the values seen ``m1`` and ``m0``, units ``n``, critical value ``c``, border ``l`` and shift ``s`` it finds
something when

    (m1 - m0 - l |m0| - s)^2 > c^2 / n (v1 + v0 m1^2 / m0^2),

where the variances of one unit may hang on the values too, as those of rates do. For a given ``m0`` this is a
quadratic in ``m1``, whose chance is normal; over ``m0`` it is integrated by Gauss-Hermite nodes. The usual formula,
which takes the deviation at the true lift, is off by 2 to 6 points of power for lifts of 10 to 30 %.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from experiments.planning.planned_rules import Array
from experiments.planning.planned_standing import LiftTest

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def lift_test_chances(test: LiftTest, units: Array, critical: Array) -> tuple[Array, Array]:
    """The chances to find a lift above the border, and below it.

    Args:
        test: values and variances, of any shapes.
        units: of the arm, above 0.
        critical: of the normal, or of t; infinite where nothing can be found.
    """
    n, cut = np.asarray(units, dtype=float)[..., None], np.asarray(critical, dtype=float)[..., None]
    (a, b, c), (d, e, f) = ([np.asarray(v)[..., None] for v in terms] for terms in test.variances)
    arm, base, border, shift = (v[..., None] for v in (test.arm, test.base, test.border, test.shift))
    seen = base + np.sqrt((d + e * base + f * base**2) / n) * _NODES
    seen = np.where(seen == 0.0, 1e-300, seen)
    spread = np.maximum(d + e * seen + f * seen**2, 0.0) / seen**2
    step = np.where(np.isfinite(cut), cut, 0.0) ** 2 / n
    # lead m1^2 - 2 middle m1 + rest > 0, with the arm's own variance among the terms.
    aim = seen + border * np.abs(seen) + shift
    lead, middle = 1.0 - step * (c + spread), aim + step * b / 2.0
    rest = aim**2 - step * a
    root = np.sqrt(np.maximum(middle**2 - lead * rest, 0.0))
    # The stable form of both roots; they change places where the leading term is negative.
    far = middle + np.copysign(root, middle)
    far = np.where(far == 0.0, 1e-300, far)
    first, second = far / np.where(lead == 0.0, 1e-300, lead), rest / far
    low, high = np.minimum(first, second), np.maximum(first, second)
    deviation = np.sqrt((a + b * arm + c * arm**2) / n)
    deviation = np.where(deviation > 0.0, deviation, 1e-300)
    above, below = special.ndtr((arm - high) / deviation), special.ndtr((low - arm) / deviation)
    # With a negative leading term only values between the roots are found: they lie below what is aimed at.
    between = np.maximum(special.ndtr((high - arm) / deviation) - below, 0.0)
    possible = np.isfinite(cut)
    up = np.where(possible & (lead > 0.0), above, 0.0)
    down = np.where(possible, np.where(lead > 0.0, below, between), 0.0)
    return np.sum(_WEIGHTS * up, axis=-1), np.sum(_WEIGHTS * down, axis=-1)
