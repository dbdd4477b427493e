"""The chance that a running test passes its critical value at the planned end, for a true effect or for a belief.

With information fraction ``t`` (variance of the estimate at the planned end over that of today), z statistic ``z`` and
score ``S = z sqrt(t)``, the statistic at the end is ``N(S + theta (1 - t), 1 - t)`` for a true drift ``theta``, its
expected value at the end. Its chance to pass is the conditional power (Lan and Wittes 1988; Jennison and Turnbull 2000,
chapter 10); averaged over a posterior of the drift it is the predictive power (Spiegelhalter, Freedman and Blackburn
1986).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from experiments.planning.planned_rules import Array, Numbers, inside
from proofsheet.errors import InputError


def conditional_power(
    z: Numbers, fraction: Numbers, drift: Numbers, critical: Numbers, *, two_sided: bool = True
) -> Array:
    """The chance that the statistic passes the critical value at the planned end, for a true drift.

    Args:
        z: today's statistic.
        fraction: today's share of the planned information, from 0; from 1 on the answer is 0 or 1.
        drift: the expected statistic at the planned end.
        two_sided: whether a deviation below counts too.

    Returns:
        Chances of the broadcast shape.
    """
    t, today, theta, cut = (np.asarray(v, dtype=float) for v in (fraction, z, drift, critical))
    _check_fraction(t)
    rest = np.maximum(1.0 - t, 0.0)
    centre = today * np.sqrt(np.minimum(t, 1.0)) + theta * rest
    return _beyond(centre, rest, today, cut, two_sided)


def predictive_power(
    z: Numbers,
    fraction: Numbers,
    critical: Numbers,
    *,
    prior_mean: Numbers = 0.0,
    prior_sd: Numbers = np.inf,
    two_sided: bool = True,
) -> Array:
    """The conditional power averaged over what is believed of the drift today.

    Args:
        z, fraction, critical, two_sided: as for ``conditional_power``.
        prior_mean, prior_sd: the normal prior of the drift; infinite for a flat one.

    Returns:
        Chances of the broadcast shape. With a flat prior and no data yet: the limit, 1 with two sides and 1/2 with one.

    Raises:
        InputError: a prior deviation that is not above 0, or a fraction below 0.
    """
    t, today, cut, m = (np.asarray(v, dtype=float) for v in (fraction, z, critical, prior_mean))
    _check_fraction(t)
    mean, variance = drift_posterior(today, np.minimum(t, 1.0), m, np.asarray(prior_sd, dtype=float))
    rest = np.maximum(1.0 - t, 0.0)
    centre = today * np.sqrt(np.minimum(t, 1.0)) + mean * rest
    return _beyond(centre, rest + rest**2 * variance, today, cut, two_sided)


def drift_posterior(z: Array, t: Array, mean: Array, deviation: Array) -> tuple[Array, Array]:
    """Mean and variance of the drift after today's score; the prior's where there is no data."""
    inside("The prior's deviation", np.where(np.isinf(deviation), 1.0, deviation), 0.0, np.inf, "Give one above 0.")
    precision = 1.0 / deviation**2
    total = t + precision
    nothing = total <= 0.0
    centre = (z * np.sqrt(t) + mean * precision) / np.where(nothing, 1.0, total)
    return np.where(nothing, 0.0, centre), np.where(nothing, np.inf, 1.0 / np.where(nothing, 1.0, total))


def information_until(z: float, error: float, gap: float, critical: float, power: float) -> float | None:
    """How many times today's information is still needed until the conditional power for a gap is reached.

    With today's estimate ``g`` and information ``I``, and ``x I`` more, the chance is
    ``Phi((g I + gap x I - c sqrt(I (1 + x))) / sqrt(x I))``. None where no length is enough.
    """
    if z >= critical:
        return 0.0
    if gap <= 0.0:
        return None
    reach, root = float(special.ndtri(power)), 1.0 / error

    def short(x: float) -> bool:
        return z + gap * root * x - critical * math.sqrt(1.0 + x) < reach * math.sqrt(x)

    low, high = 0.0, 1e-6
    while short(high) and high < 1e12:
        low, high = high, high * 2.0
    if short(high):
        return None
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if short(middle) else (low, middle)
    return high


def _beyond(centre: Array, variance: Array, today: Array, cut: Array, two_sided: bool) -> Array:
    done = variance <= 0.0
    deviation = np.sqrt(np.where(done, 1.0, variance))
    infinite = np.isinf(deviation)
    safe = np.where(infinite, 1.0, deviation)
    near = np.where(infinite, 0.5, special.ndtr((centre - cut) / safe))
    far = np.where(infinite, 0.5, special.ndtr((-centre - cut) / safe)) if two_sided else 0.0
    over = (np.abs(today) if two_sided else today) >= cut
    return np.asarray(np.where(done, over.astype(float), np.minimum(near + far, 1.0)))[()]


def _check_fraction(t: Array) -> None:
    if not np.all(t >= 0.0):
        raise InputError("An information fraction is below 0.", "Give today's units over the planned ones.")
