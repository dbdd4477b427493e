"""Limits of the lift by three methods, as arrays. The lift is ``(arm - control) / |control|``.

In units of the effect's standard error, with ``t`` the test's statistic, ``k`` the size of the control's value, ``w``
its variance, and ``u`` minus the covariance of effect and control (``u = w`` for independent estimates, and the sign
of ``u`` turned where the control is negative), the statistic of "the lift is r" is

    T(r) = (t - r k) / sqrt(1 + 2 r u + r^2 w).
"""

from __future__ import annotations

import numpy as np

from experiments.comparing.estimates import Array
from experiments.comparing.pairs import Pair, check_choice

Limits = tuple[Array, Array]

LIFT_INTERVALS = ("fieller", "delta", "log")


def lift_limits(pair: Pair, critical: Array, method: str = "fieller") -> tuple[Array, Array]:
    """Limits of the lift at the (positive) critical value of the statistic, in the shape of both.

    "fieller": all r with ``|T(r)| <= critical`` (Fieller 1954); see ``fieller``.
    "delta": ``lift +- critical sqrt(1 + 2 lift u + lift^2 w) / k``.
    "log": the ratio of the values times ``exp(+- critical s)``, where both have one sign, with
    ``s^2 = v1 / arm^2 + v0 / control^2 - 2 cov / (arm control)``.
    The latter two are minus and plus infinity where they do not exist, and can differ from the test on whether 0 is
    inside.

    Raises:
        InputError: the method is not known.
    """
    check_choice("interval of the lift", method, LIFT_INTERVALS)
    with np.errstate(all="ignore"):
        return {"fieller": _fieller, "delta": _delta, "log": _log}[method](pair, critical)


def _fieller(pair: Pair, critical: Array) -> tuple[Array, Array]:
    return fieller(pair.statistic, pair.base, pair.base_square, pair.base_part, critical)


def fieller(statistic: Array, base: Array, base_square: Array, base_part: Array, critical: Array) -> Limits:
    """Fieller's limits: the roots of ``r^2 (k^2 - c^2 w) - 2 r (t k + c^2 u) + t^2 - c^2 = 0``.

    Bounded while the control is clear of 0 (``k^2 > c^2 w``). Otherwise the lifts that are not refuted reach to
    infinity. They are all numbers when the effect is not clear of 0 either. When it is, the signs of effect and lift
    are known, and what is left on that side is a ray from the root nearer to 0. So the limits leave out 0 exactly when
    ``|t| > c``, in every case. Where the control is 0 and does not vary, a clear effect gives a limit at infinity.
    """
    t, k, w, u = np.broadcast_arrays(statistic, base, base_square, base_part)
    square = critical * critical
    a = k * k - square * w
    b = t * k + square * u
    # The discriminant b^2 - a (t^2 - c^2), with what cancels taken out.
    root = critical * np.sqrt(np.maximum(k * k + t * (2.0 * k * u + t * w) - square * (w - u * u), 0.0))
    far = b + np.copysign(root, b)
    # Solved for the lift itself, not for the ratio: nothing cancels when the effect is small.
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(a == 0.0, np.inf, far / a)
        second = np.where(far == 0.0, np.inf, (t - critical) * (t + critical) / far)
    ray = np.minimum(np.abs(first), np.abs(second))
    bounded, clear = a > 0.0, np.abs(t) > critical
    low = np.where(bounded, np.minimum(first, second), np.where(clear & (t > 0.0), ray, -np.inf))
    high = np.where(bounded, np.maximum(first, second), np.where(clear & (t < 0.0), -ray, np.inf))
    return low, high


def _delta(pair: Pair, critical: Array) -> tuple[Array, Array]:
    k, lift = pair.base, pair.statistic / pair.base
    reach = critical * np.sqrt(1.0 + lift * (2.0 * pair.base_part + lift * pair.base_square)) / k
    exists = k > 0.0
    return np.where(exists, lift - reach, -np.inf), np.where(exists, lift + reach, np.inf)


def _log(pair: Pair, critical: Array) -> tuple[Array, Array]:
    # With the signs of both values turned, a negative control's lift is minus that of the sizes.
    sign = np.where(pair.negative, -1.0, 1.0)
    t, k, w, u = sign * pair.statistic, pair.base, pair.base_square, sign * pair.base_part
    arm = t + k
    square = (1.0 + w - 2.0 * u) / (arm * arm) + w / (k * k) - 2.0 * (w - u) / (arm * k)
    reach = critical * np.sqrt(np.maximum(square, 0.0))
    log_ratio = np.log1p(t / k)
    first, second = sign * np.expm1(log_ratio - reach), sign * np.expm1(log_ratio + reach)
    exists = (k > 0.0) & (arm > 0.0)
    return np.where(exists, np.minimum(first, second), -np.inf), np.where(exists, np.maximum(first, second), np.inf)
