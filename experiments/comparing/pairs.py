"""Two estimates set against each other: the difference, its standard error and degrees of freedom, as arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from experiments.basis.tails import t_above, t_two_sided
from experiments.comparing.estimates import NO_VARIANCE, OK, Array, Codes, Estimate, Flags
from proofsheet.errors import InputError

ALTERNATIVES = ("two-sided", "greater", "less")
VARIANCES = ("welch", "pooled")
DISTRIBUTIONS = ("t", "normal")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """The difference of two estimates, and the control in units of its standard error; all fields in one shape.

    Where ``status`` is not OK the test's numbers are those of no difference: a statistic of 0.

    Attributes:
        effect: the difference, infinite where a value does not exist.
        lift: the effect over the size of the control's value, infinite where that is 0 or does not exist.
        error: the standard error of the effect, 1 where there is none.
        statistic, df: the effect over its error, and the degrees of freedom of that.
        base: the size of the control's value over the error.
        base_square: the control's variance over the squared error.
        base_part: minus the covariance of effect and control over the squared error, with the sign of the control.
        negative: where the control's value is below 0.
        status: OK, NO_DATA, TOO_FEW or NO_VARIANCE.
    """

    effect: Array
    lift: Array
    error: Array
    statistic: Array
    df: Array
    base: Array
    base_square: Array
    base_part: Array
    negative: Flags
    status: Codes

    @property
    def known(self) -> Flags:
        """Where there is a test."""
        return np.asarray(self.status == OK)

    def broadcast(self, shape: tuple[int, ...]) -> Pair:
        """The same in a larger shape."""
        return Pair(**{f.name: np.broadcast_to(getattr(self, f.name), shape) for f in fields(self)})

    def lifted(self, lift: ArrayLike) -> Array:
        """The statistic of "the lift is ``lift``": ``(effect - lift |control|)`` over the error of that."""
        r = np.asarray(lift, dtype=np.float64)
        spread = 1.0 + r * (2.0 * self.base_part + r * self.base_square)
        # The spread is a variance over another one: nothing below 0 but rounding.
        return np.asarray((self.statistic - r * self.base) / np.sqrt(np.maximum(spread, np.finfo(float).tiny)))


def set_against(
    arm: Estimate,
    control: Estimate,
    *,
    variances: str = "welch",
    distribution: str = "t",
    covariance: ArrayLike = 0.0,
) -> Pair:
    """Set arms against controls; everything broadcasts. See ``comparisons.compare_estimates`` for the formulas.

    Raises:
        InputError: an option is not known.
    """
    check_choice("kind of variances", variances, VARIANCES)
    check_choice("distribution", distribution, DISTRIBUTIONS)
    there = (arm.value < np.inf) & (control.value < np.inf)
    usable = (arm.status == OK) & (control.status == OK)
    v1, v0 = np.where(usable, arm.variance, 0.0), np.where(usable, control.variance, 0.0)
    df1, df0 = arm.df, control.df
    if variances == "pooled":
        v1, v0, df = _pooled(v1, v0, arm.n, control.n)
        df = np.where(np.isinf(df1) & np.isinf(df0), np.inf, df)
    else:
        df = _welch(v1, v0, df1, df0)
    shared = np.asarray(covariance, dtype=np.float64)
    square = np.maximum(v1 + v0 - 2.0 * shared, 0.0)
    known = usable & (square > 0.0)
    error = np.sqrt(np.where(known, square, 1.0))
    value, base = np.where(there, arm.value, 0.0), np.where(there, control.value, 0.0)
    effect = value - base
    status = np.where(usable, np.where(known, OK, NO_VARIANCE), _worse(arm.status, control.status))
    sign, size = np.where(base < 0.0, -1.0, 1.0), np.abs(base)
    with np.errstate(divide="ignore", over="ignore"):
        lift = np.where(size > 0.0, effect / np.where(size > 0.0, size, 1.0), np.copysign(np.inf, effect))
    pair = Pair(
        effect=np.where(there, effect, np.inf),
        lift=np.where(there, lift, np.inf),
        error=error,
        statistic=np.where(known, effect / error, 0.0),
        df=df if distribution == "t" else np.full(df.shape, np.inf),
        base=size / error,
        base_square=v0 / error**2,
        base_part=sign * (v0 - shared) / error**2,
        negative=base < 0.0,
        status=status.astype(np.int8),
    )
    return pair.broadcast(np.broadcast_shapes(status.shape, shared.shape, df.shape))


def tails(statistic: Array, df: Array, known: Flags, alternative: str) -> tuple[Array, Array]:
    """The p-value of a statistic, and the chance that the true one is above 0 on flat priors; 1 and 0.5 if unknown."""
    if alternative == "two-sided":
        p_value = t_two_sided(statistic, df)
        half = p_value / 2.0
        chance = np.where(statistic > 0.0, 1.0 - half, half)
    else:
        p_value = t_above(statistic if alternative == "greater" else -statistic, df)
        chance = 1.0 - p_value if alternative == "greater" else p_value
    return np.where(known, p_value, 1.0), np.where(known, chance, 0.5)


def check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise InputError unless the value is one of the choices."""
    if value not in choices:
        raise InputError(f"The {what} {value!r} is not known.", f"Choose one of: {', '.join(choices)}.")


def check_level(alpha: ArrayLike, below: float = 1.0) -> Array:
    """The level as an array.

    Raises:
        InputError: a level is not between 0 and ``below``.
    """
    level = np.asarray(alpha, dtype=np.float64)
    wrong = ~((level > 0.0) & (level < below))
    if bool(wrong.any()):
        raise InputError(
            f"The level alpha is {float(level[wrong][0])}; it must be between 0 and {below:g}.",
            "Give a share, such as 0.05 for 95 % confidence.",
        )
    return level


def _welch(v1: Array, v0: Array, df1: Array, df0: Array) -> Array:
    """Welch-Satterthwaite; without any variance as if both were equal."""
    total = v1 + v0
    none = total <= 0.0
    whole = np.where(none, 2.0, total)
    share1, share0 = np.where(none, 1.0, v1) / whole, np.where(none, 1.0, v0) / whole
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / (share1 * share1 / df1 + share0 * share0 / df0))


def _pooled(v1: Array, v0: Array, n1: Array, n0: Array) -> tuple[Array, Array, Array]:
    """The variances of both values when the variance of a unit is common, and the degrees of freedom."""
    df = np.maximum(n1 + n0 - 2.0, 1.0)
    common = ((n1 - 1.0) * n1 * v1 + (n0 - 1.0) * n0 * v0) / df
    return common / np.maximum(n1, 1.0), common / np.maximum(n0, 1.0), df


def _worse(first: Codes, second: Codes) -> Codes:
    """The graver of two reasons: no data before too few (their order among the codes)."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    return np.asarray(np.where(low > OK, low, high))
