"""Fixed inputs on which other libraries were asked in an environment of their own; numpy is all that is needed."""

from __future__ import annotations

import numpy as np

#: Units, mean and variance of a unit.
CONTROL = (4_000, 10.0, 25.0)
ARM = (4_100, 10.3, 27.0)
#: Units; means of x and y; variances of x and y; covariance.
RATIO_CONTROL = (5_000, 4.0, 2.0, 9.0, 1.5, 2.2)
RATIO_ARM = (5_200, 4.2, 2.05, 9.5, 1.6, 2.3)
PRIOR_SD = 0.3
SHARES = ((44_700, 45_489), (1.0, 1.0))
P_VALUES = (0.001, 0.04, 0.012, 0.3, 0.02)


def rows(shift: int = 0) -> list[np.ndarray]:
    """Two arms of 800 units with the columns y, z, x, w, made without a random generator."""
    arms = []
    for arm in (0, 1):
        i = np.arange(800) + shift * arm
        x, w, e = (i * 7919 % 1009) / 100.0, 1.0 + i * 31 % 7, (i * (104729 + 2 * arm) % 997) / 997.0 - 0.5
        z = w + i * 13 % 5 + arm * (i % 3 == 0)
        arms.append(np.column_stack([2.0 * x + 6.0 * e + 0.5 * arm + z, z, x, w]))
    return arms
