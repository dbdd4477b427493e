"""How likely a watched test stops at each look, for any drift, from the start or from where it is now.

By numerical integration (``stopped_walk``), not by simulation: at information fractions ``t_1 < ... < t_K`` the score
is a Brownian motion ``S(t) ~ N(drift t, t)``, and the test stops at the first look with ``|S| >= b_k sqrt(t_k)``.
"""

from __future__ import annotations

import numpy as np

from experiments.planning.planned_rules import Array, Numbers
from experiments.sequential.stopped_walk import SMALLEST_STEP, Walk
from proofsheet.errors import InputError

#: Limits further out than this many deviations are no looks, and larger drifts count as this one.
FAR = 30.0


def crossing_chances(
    fractions: Array,
    limits: Array,
    drifts: Numbers,
    *,
    sides: int = 2,
    upwards_only: bool = False,
    began: tuple[float, float] = (0.0, 0.0),
) -> Array:
    """The chance to cross for the first time at each look.

    Args:
        fractions: rising information fractions of the looks, after that of ``began``; the last is mostly 1.
        limits: critical values of the z statistic ``S / sqrt(t)``, one for each look; infinite for a look that cannot
            stop.
        drifts: expected z statistic at fraction 1, any shape; beyond 30 as 30.
        sides: 2, or 1 where there is no limit below.
        upwards_only: with 2 sides, the chance that the first crossing is upwards.
        began: fraction and score ``z sqrt(t)`` of a running test, from which the chances are counted.

    Returns:
        An array of the looks' length and the drifts' shape. The sum over looks is the power.

    Raises:
        InputError: the fractions do not rise, or lie too close together to be told apart.
    """
    times, cuts = np.asarray(fractions, dtype=float), np.asarray(limits, dtype=float)
    _check(times, began[0])
    mu = np.clip(np.asarray(drifts, dtype=float), -FAR, FAR)
    flat = mu.ravel()
    # The walk weighs every path by its drift from the very start: what came before today is taken out again.
    before = np.exp(flat * began[1] - flat**2 * began[0] / 2.0)
    walk = Walk(began[0], np.array([began[1]]), np.ones(1))
    chances = np.zeros((len(times), flat.size))
    looks = np.flatnonzero(cuts < FAR)
    counted = 1 if upwards_only else sides
    for position, look in enumerate(looks):
        time, cut = float(times[look]), float(cuts[look])
        chances[look] = walk.stop_chances(time, cut, counted, flat) / before
        if position + 1 < len(looks):
            walk = walk.after(time, cut, sides, float(times[looks[position + 1]]))
    return np.clip(chances, 0.0, 1.0).reshape(len(times), *mu.shape)


def _check(times: Array, start: float) -> None:
    """Raise InputError unless the fractions rise from the start, in steps, and end at 1 or before."""
    steps = np.diff(times, prepend=start)
    if times.ndim != 1 or not len(times) or not np.all(steps > 0.0) or times[-1] > 1.0 + 1e-9:
        raise InputError(
            f"The looks at fractions {times.tolist()[:8]} do not rise from {start:g} to 1.",
            "Give rising shares of the planned units, such as 0.25, 0.5, 0.75, 1.",
        )
    if np.any(np.diff(times) < SMALLEST_STEP * times[1:]):
        raise InputError(
            "The looks lie too close together to be told apart.", "Plan looks that add 0.2 % of the units or more each."
        )
