"""Group-sequential tests: a planned number of looks, bounds by error spending, at whatever information is reached.

Each bound is where the chance to stop first at this look, without an effect, is what a spending function (Lan and
DeMets, Biometrika 1983) allows it between this look's information fraction and the last one's. Looks may fall
anywhere as long as when they fall does not depend on the results seen. Jennison and Turnbull, "Group Sequential
Methods with Applications to Clinical Trials" (2000), is the source of the rest.

For a few looks this is narrower than an always-valid sequence; to look at any time use ``asymptotic`` or
``hybrid``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from experiments.basis.distributions import TINY
from experiments.basis.score_intervals import solve
from experiments.sequential.asymptotic import Array, check_alpha, check_alternative
from experiments.sequential.stopped_walk import SMALLEST_STEP, first_stops, spending_bounds
from proofsheet.errors import InputError

SPENDING = ("obrien_fleming", "pocock", "power")
_LEVELS = (1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.2, 0.4)


@dataclass(frozen=True, slots=True)
class Spending:
    """How the error is spent over the information: by name; ``exponent`` is that of "power".

    Raises:
        InputError: a name that is not known, or an exponent that is not positive.
    """

    name: str = "obrien_fleming"
    exponent: float = 3.0

    def __post_init__(self) -> None:
        if self.name not in SPENDING:
            raise InputError(
                f"The spending function {self.name!r} is not known.", f"Choose one of: {', '.join(SPENDING)}."
            )
        if not 0.0 < self.exponent < math.inf:
            raise InputError(f"The exponent {self.exponent} is not positive.", "Give a number such as 3.")

    def up_to(self, fraction: ArrayLike, alpha: float) -> Array:
        """The error one side may have spent up to an information fraction; ``alpha``, all of it, from 1 on.

        "obrien_fleming": ``2 - 2 Phi(z / sqrt(t))`` with ``P(|Z| > z) = alpha``; "pocock":
        ``alpha ln(1 + (e - 1) t)``; "power": ``alpha t**exponent`` (Kim and DeMets, Biometrika 1987).
        """
        t = np.clip(np.asarray(fraction, dtype=float), 0.0, 1.0)
        if self.name == "pocock":
            return np.asarray(alpha * np.log1p((math.e - 1.0) * t))
        if self.name == "power":
            return np.asarray(alpha * t**self.exponent)
        root = np.sqrt(np.maximum(t, TINY))
        return np.where(t > 0, 2.0 * special.ndtr(float(special.ndtri(alpha / 2.0)) / root), 0.0)


OBRIEN_FLEMING = Spending("obrien_fleming")
POCOCK = Spending("pocock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """What a test does at a drift: ``stop_chances`` at each look, their sum, and the mean fraction at its end."""

    stop_chances: Array
    power: float
    expected_fraction: float


def boundaries(
    fractions: ArrayLike,
    alpha: float = 0.05,
    *,
    spending: Spending = OBRIEN_FLEMING,
    alternative: str = "two-sided",
) -> Array:
    """The critical values of z at every look; two sides spend half of ``alpha`` each.

    Args:
        fractions: information fractions ``(..., looks)``, never falling: units so far over units planned. A bound rests
            on the looks up to its own alone, so those to come need not be known. The last may exceed 1.

    Returns:
        Array of the same shape: stop where ``|z|`` (or z for "greater", -z for "less") reaches it. Infinite where a
        look has nothing to spend: after one that reached 1, or when it adds less than 0.2 % to the information. Equal
        rows are computed once.

    Raises:
        InputError: an error rate outside (0, 0.5), an alternative that is not known, or fractions that are not
            positive or fall.
    """
    check_alpha(alpha)
    sides, looks = _sides(alternative), _fractions(fractions)
    rows, places = np.unique(looks.reshape(-1, looks.shape[-1]), axis=0, return_inverse=True)
    found = np.array([_bounds(tuple(row.tolist()), alpha, spending, sides) for row in rows])
    return np.asarray(found[places.reshape(-1)].reshape(looks.shape))


def fixed_form_boundaries(
    fractions: ArrayLike, alpha: float = 0.05, *, shape: float = 0.5, alternative: str = "two-sided"
) -> Array:
    """Bounds ``c * t**(shape - 1/2)`` for looks that are all known beforehand (Wang and Tsiatis, Biometrics 1987).

    ``shape`` 1/2 is Pocock's test (the same bound at all looks), 0 that of O'Brien and Fleming, others lie between.

    Raises:
        InputError: as ``boundaries``, or looks closer than 0.2 % of the information.
    """
    check_alpha(alpha)
    sides, t = _sides(alternative), _looks_of_one(fractions)
    form = (t / t[-1]) ** (shape - 0.5)

    def excess(c: float) -> float:
        return math.log(max(TINY, float(first_stops(t, c * form, sides, np.zeros(1)).sum()))) - math.log(alpha)

    # Bonferroni's critical value at the lowest bound is more than enough.
    most = -float(special.ndtri(alpha / (sides * len(t)))) / float(form.min())
    return np.asarray(solve(excess, 0.1, most) * form)


def conduct(fractions: ArrayLike, bounds: ArrayLike, drift: float, *, alternative: str = "two-sided") -> Conduct:
    """Stopping chances, power and expected size of a test with these bounds at a drift.

    Args:
        fractions, bounds: of one test ``(looks,)``; a bound may be infinite.
        drift: the mean of z at fraction 1: effect over its standard error at the planned end. 0 gives the error.

    Raises:
        InputError: as ``boundaries``, bounds that are not positive, or looks closer than 0.2 % of the information.
    """
    sides, t = _sides(alternative), _looks_of_one(fractions)
    signed = -drift if alternative == "less" else drift
    chances = first_stops(t, _bounds_of_one(bounds, t), sides, np.array([signed]))[0]
    power = float(chances.sum())
    expected = float(chances @ t) + max(0.0, 1.0 - power) * float(t[-1])
    return Conduct(stop_chances=chances, power=power, expected_fraction=expected)


def drift_for_power(
    fractions: ArrayLike, bounds: ArrayLike, power: float = 0.8, *, alternative: str = "two-sided"
) -> float:
    """The size of the drift at which the test has the power.

    The square of its ratio to a fixed test's, ``z(alpha) + z(power)``, is the factor by which the test's planned size
    exceeds the fixed one's.

    Raises:
        InputError: as ``conduct``, or a power that is not between 0.5 and 1.
    """
    if not 0.5 <= power < 1.0:
        raise InputError(f"The power {power} is not between 0.5 and 1.", "Give a share, such as 0.8.")
    sides, t = _sides(alternative), _looks_of_one(fractions)
    checked = _bounds_of_one(bounds, t)
    return solve(lambda drift: float(first_stops(t, checked, sides, np.array([drift])).sum()) - power, 0.0, 12.0)


def repeated_limits(
    effect: ArrayLike, error: ArrayLike, bounds: ArrayLike, *, alternative: str = "two-sided"
) -> tuple[Array, Array]:
    """Repeated confidence intervals, ``effect ± bound * error`` (Jennison and Turnbull 1989): valid at all looks.

    Returns:
        Two arrays of the broadcast shape; infinite where the bound is, or the error is zero or not finite.
    """
    check_alternative(alternative)
    centre, error = np.asarray(effect, dtype=float), np.asarray(error, dtype=float)
    usable = np.isfinite(centre) & np.isfinite(error) & (error > 0)
    reach = np.where(usable, np.asarray(bounds, dtype=float), np.inf) * np.where(usable, error, 1.0)
    centre = np.where(usable, centre, 0.0)
    low = np.where(alternative == "less", -np.inf, centre - reach)
    return low, np.where(alternative == "greater", np.inf, centre + reach)


def repeated_p_value(
    z: ArrayLike,
    fractions: ArrayLike,
    alpha: float = 0.05,
    *,
    spending: Spending = OBRIEN_FLEMING,
    alternative: str = "two-sided",
) -> Array:
    """At each look the least error rate at which the plan would stop there (Jennison and Turnbull 2000, section 9.3).

    Read from the bounds at a series of error rates, in logarithms. ``alpha`` is among them, so that the value is below
    it exactly when z is beyond the bound and ``repeated_limits`` leave out 0.

    Args:
        z: ``(..., looks)``.
        fractions: of one test ``(looks,)``.

    Returns:
        Array of the shape of z, in (0, 1], within 1 % of the exact value under 0.4; 1 where a look has nothing to
        spend or z is missing.

    Raises:
        InputError: as ``boundaries``.
    """
    check_alpha(alpha)
    sides, t = _sides(alternative), _fractions(fractions)
    if t.ndim != 1:
        raise InputError(f"The fractions have {t.ndim} axes.", "Give the looks of one test.")
    values = np.asarray(z, dtype=float)
    away = np.abs(values) if sides == 2 else np.where(alternative == "greater", values, -values)
    away = np.where(np.isnan(away), -np.inf, away)
    levels = np.array(sorted({*_LEVELS, alpha}))
    bounds = np.array([_bounds(tuple(t.tolist()), level, spending, sides) for level in levels])
    away = np.broadcast_to(away, np.broadcast_shapes(values.shape, t.shape))
    out = np.ones(away.shape)
    for k in range(len(t)):
        spends = np.isfinite(bounds[:, k])
        if spends.sum() > 1:
            tails, logs = special.log_ndtr(-bounds[spends, k]), np.log(levels[spends])
            out[..., k] = _on_line(special.log_ndtr(-away[..., k]), tails, logs, 0.0 if sides == 1 else -math.log(2.0))
    return out


def _on_line(tail: Array, tails: Array, logs: Array, last: float) -> Array:
    """The level at a log tail: straight between the nodes, along the first stretch below, to (last, 1) above."""
    slope = (logs[1] - logs[0]) / (tails[1] - tails[0])
    inside = np.interp(tail, np.append(tails, last), np.append(logs, 0.0))
    log_level = np.where(tail < tails[0], logs[0] + slope * (tail - tails[0]), inside)
    return np.asarray(np.clip(np.exp(log_level), TINY, 1.0))


@lru_cache(maxsize=4096)
def _bounds(fractions: tuple[float, ...], alpha: float, spending: Spending, sides: int) -> tuple[float, ...]:
    t = np.array(fractions)
    return tuple(spending_bounds(t, sides * spending.up_to(t, alpha / sides), sides).tolist())


def _sides(alternative: str) -> int:
    check_alternative(alternative)
    return 2 if alternative == "two-sided" else 1


def _fractions(fractions: ArrayLike) -> Array:
    t = np.atleast_1d(np.asarray(fractions, dtype=float))
    if not (np.isfinite(t).all() and (t > 0).all() and (np.diff(t, axis=-1) >= 0).all()):
        raise InputError(
            f"The information fractions {t.tolist()} do not rise from look to look.",
            "Give units so far over units planned, look by look, such as 0.25, 0.5, 0.75, 1.",
        )
    return t


def _looks_of_one(fractions: ArrayLike) -> Array:
    t = _fractions(fractions)
    if t.ndim != 1 or (np.diff(t) < SMALLEST_STEP * t[1:]).any():
        raise InputError(
            f"The information fractions {t.tolist()} are not those of one test, or two looks are too close.",
            "Give a list for one test in which each look adds 0.2 % or more.",
        )
    return t


def _bounds_of_one(bounds: ArrayLike, fractions: Array) -> Array:
    b = np.asarray(bounds, dtype=float)
    if b.shape != fractions.shape or not (b > 0).all():
        raise InputError(f"The bounds {b.tolist()} do not fit the looks.", "Give one positive bound for each look.")
    return b
