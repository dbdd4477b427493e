"""Intervals and p-values that stay valid however often one looks: mixture sequences for an effect and its error.

A running estimate with standard error ``s`` behaves like Brownian motion whose information is ``1 / s**2``. Averaging
the likelihood ratio against "no effect" over a normal prior on the effect with variance ``v`` gives, with
``z = effect / s`` and the mixture ratio ``k = v / s**2``, the e-value
``E = (1 + k)**-0.5 * exp(z**2 * k / (2 * (1 + k)))``. Its mean is 1 without an effect at every look, so that it ever
reaches ``1 / alpha`` with chance ``alpha`` at most (Ville). The always-valid p-value is ``1 / E`` and the interval its
inversion: they can never disagree.

Two ways to choose ``k``, two methods: by the number of units at which the interval shall be narrowest (asymptotic
confidence sequences: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv:2103.06476), or by the variance of
effects one expects (mSPRT: Johari, Koomen, Pekelis and Walsh, Operations Research 2022). Both need estimates that
are nearly normal at the first look; for small counts see ``proportion_sequences`` and ``bounded_sequences``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.comparing.pairs import ALTERNATIVES, check_choice
from proofsheet.errors import InputError

Array = NDArray[np.float64]

_NEWTON_STEPS = 8
_LARGEST_Z = 1e150  # whose square is still a float


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialTest:
    """Limits, p-value and log e-value of every look, all of the broadcast shape.

    Where nothing can be said (no units, an error that is zero or not finite) the limits are infinite, the p-value is
    1 and the log e-value 0. A one-sided test has one infinite limit. ``p_value < alpha`` exactly when 0 is outside.
    """

    low: Array
    high: Array
    p_value: Array
    log_e: Array


def check_alpha(alpha: float) -> None:
    """Refuse an error rate that is not between 0 and 0.5.

    Raises:
        InputError: naming the value.
    """
    if not 0.0 < alpha < 0.5:
        raise InputError(f"The error rate {alpha} is not between 0 and 0.5.", "Give a share, such as 0.05 for 5 %.")


def check_alternative(alternative: str) -> None:
    """Refuse an alternative that is not known.

    Raises:
        InputError: naming the choices.
    """
    check_choice("alternative", alternative, ALTERNATIVES)


def tuning_ratio(alpha: float, alternative: str = "two-sided") -> float:
    """The mixture ratio at which the multiplier of a given number of units is least.

    ``k = -2 ln(a) + ln(1 - 2 ln(a))`` with ``a = alpha``, or ``2 * alpha`` for one side. This closed form stands for
    the exact ``k = -1 - W(-a**2 / e)`` on the lower branch of Lambert's W (arXiv:2103.06476, section 2.3): the width
    is within 0.01 % of the least, and the same as that of the platforms that use it.
    """
    check_alpha(alpha)
    check_alternative(alternative)
    level = alpha if alternative == "two-sided" else 2.0 * alpha
    return -2.0 * math.log(level) + math.log1p(-2.0 * math.log(level))


def log_e_value(z: ArrayLike, ratio: ArrayLike, alternative: str = "two-sided") -> Array:
    """The logarithm of the normal-mixture e-value against "no effect".

    Two sides: ``k z**2 / (2 (1 + k)) - ln(1 + k) / 2``. One side, with the prior folded to the side of the
    alternative (Robbins 1970): ``ln 2 + x**2 / 2 + ln Phi(x) - ln(1 + k) / 2`` with ``x = z sqrt(k / (1 + k))`` (``-z``
    for "less"); it is also valid against every effect on the other side.

    Args:
        z: effect over standard error.
        ratio: the mixture ratio ``k``, prior variance over squared standard error.

    Returns:
        Array of the broadcast shape; 0 (no evidence) where ``z`` or ``k`` is not finite or ``k`` is not positive.
    """
    check_alternative(alternative)
    z, k = np.broadcast_arrays(np.asarray(z, dtype=float), np.asarray(ratio, dtype=float))
    usable = np.isfinite(z) & np.isfinite(k) & (k > 0)
    z, k = np.where(usable, z, 0.0), np.where(usable, k, 0.0)
    half = np.log1p(k) / 2.0
    if alternative == "two-sided":
        return np.asarray(z * z * (k / (1.0 + k)) / 2.0 - half)
    x = np.where(alternative == "greater", z, -z) * np.sqrt(k / (1.0 + k))
    return np.where(usable, _log_folded(x) - half, 0.0)


def p_from_log_e(log_e: ArrayLike) -> Array:
    """``min(1, 1 / E)``, never below ``TINY``."""
    return np.asarray(np.clip(np.exp(-np.maximum(np.asarray(log_e, dtype=float), 0.0)), TINY, 1.0))


def multiplier(ratio: ArrayLike, alpha: float = 0.05, alternative: str = "two-sided") -> Array:
    """How many standard errors the limits lie from the estimate: where the e-value is ``1 / alpha``.

    Two sides: ``sqrt((1 + k) / k * (ln(1 + k) - 2 ln(alpha)))``. One side: ``x sqrt((1 + k) / k)`` with
    ``2 exp(x**2 / 2) Phi(x) = sqrt(1 + k) / alpha``, by Newton's method from the closed bound
    ``x**2 = 2 ln(1 + sqrt(1 + k) / (2 alpha))`` of Howard et al. (Annals of Statistics 2021), which is wider.

    Returns:
        Array of the shape of ``ratio``; infinite where it is not positive and finite.
    """
    check_alpha(alpha)
    check_alternative(alternative)
    k = np.asarray(ratio, dtype=float)
    usable = np.isfinite(k) & (k > 0)
    k = np.where(usable, k, 1.0)
    if alternative == "two-sided":
        squared = np.log1p(k) - 2.0 * math.log(alpha)
    else:
        target = np.log1p(k) / 2.0 - math.log(alpha)
        x = np.sqrt(2.0 * np.logaddexp(0.0, target - math.log(2.0)))
        # The function is convex and rising and the start lies to the right of the root: every step stays there.
        for _ in range(_NEWTON_STEPS):
            slope = x + np.exp(-x * x / 2.0 - special.log_ndtr(x)) / math.sqrt(2.0 * math.pi)
            x = x - (_log_folded(x) - target) / slope
        squared = x * x
    return np.where(usable, np.sqrt(squared * ((1.0 + k) / k)), np.inf)


def mixture_test(
    effect: ArrayLike, error: ArrayLike, ratio: ArrayLike, *, alpha: float = 0.05, alternative: str = "two-sided"
) -> SequentialTest:
    """The test and interval of a mixture ratio; the other methods choose the ratio and call this.

    Args:
        effect: the estimate, absolute or relative.
        error: its standard error.
        ratio: the mixture ratio ``k``; at least one of the three carries the shape.
    """
    effect, error = np.asarray(effect, dtype=float), np.asarray(error, dtype=float)
    usable = np.isfinite(effect) & np.isfinite(error) & (error > 0)
    safe = np.where(usable, error, 1.0)
    k = np.asarray(ratio, dtype=float)
    centre = np.where(usable, effect, 0.0)
    log_e = log_e_value(np.clip(centre / safe, -_LARGEST_Z, _LARGEST_Z), np.where(usable, k, 0.0), alternative)
    reach = np.where(usable, multiplier(k, alpha, alternative), np.inf) * safe
    return SequentialTest(
        low=np.where(alternative == "less", -np.inf, centre - reach),
        high=np.where(alternative == "greater", np.inf, centre + reach),
        p_value=p_from_log_e(log_e),
        log_e=log_e,
    )


def asymptotic_ratio(n: ArrayLike, tuning_n: ArrayLike, alpha: float, alternative: str = "two-sided") -> Array:
    """The mixture ratio of an asymptotic confidence sequence: ``tuning_ratio * n / tuning_n``; 0 without units."""
    tuning = np.asarray(tuning_n, dtype=float)
    if not (np.isfinite(tuning) & (tuning > 0)).all():
        raise InputError(
            f"The tuning size {np.min(tuning)} is not a positive number of units.",
            "Give the number of units of both arms at which the interval shall be narrowest, such as 5000.",
        )
    units = np.asarray(n, dtype=float)
    return np.asarray(np.where(units > 0, units, 0.0) / tuning * tuning_ratio(alpha, alternative))


def asymptotic_test(
    effect: ArrayLike,
    error: ArrayLike,
    n: ArrayLike,
    *,
    tuning_n: ArrayLike = 5000.0,
    alpha: float = 0.05,
    alternative: str = "two-sided",
) -> SequentialTest:
    """An asymptotic confidence sequence (arXiv:2103.06476v7, equations 9, 134 and 155).

    ``effect ± error * multiplier(k)`` with ``k = n / tuning_n * tuning_ratio``. Valid at all looks together as the
    number of units grows; the effect may drift slowly, then the interval holds its running mean.

    Args:
        effect: difference or lift; a lift comes with the standard error of the delta method, which is skewed while the
            control has few conversions: Fieller's or a score interval at ``equivalent_alpha`` is then better.
        error: its standard error.
        n: units of both arms together (more exactly: anything proportional to the information).
        tuning_n: the ``n`` at which the interval is narrowest next to a fixed one. The validity does not rest on it.
        alpha: error rate over all looks.

    Returns:
        Arrays of the broadcast shape.

    Raises:
        InputError: an error rate outside (0, 0.5), an unknown alternative, a tuning size that is not positive.
    """
    ratio = asymptotic_ratio(n, tuning_n, alpha, alternative)
    return mixture_test(effect, error, ratio, alpha=alpha, alternative=alternative)


def msprt(
    effect: ArrayLike,
    error: ArrayLike,
    *,
    mixing_variance: ArrayLike,
    alpha: float = 0.05,
    alternative: str = "two-sided",
) -> SequentialTest:
    """The mixture sequential probability ratio test (Johari et al. 2022): ``k = mixing_variance / error**2``.

    Args:
        mixing_variance: the variance of effects one expects, in the squared unit of ``effect`` (absolute or lift),
            chosen before the data are seen: 0.05**2 expects lifts around 5 %.

    Raises:
        InputError: as ``asymptotic_test``, or a mixing variance that is not positive and finite.
    """
    variance, error = np.asarray(mixing_variance, dtype=float), np.asarray(error, dtype=float)
    if not (np.isfinite(variance) & (variance > 0)).all():
        raise InputError(
            f"The mixing variance {np.min(variance)} is not positive.",
            "Give the variance of the effects you expect, such as 0.05**2 for lifts around 5 %.",
        )
    safe = np.where(np.isfinite(error) & (error > 0), error, np.inf)
    ratio = np.minimum(np.sqrt(variance) / safe, _LARGEST_Z) ** 2
    return mixture_test(effect, error, ratio, alpha=alpha, alternative=alternative)


def equivalent_alpha(reach: ArrayLike) -> Array:
    """The two-sided level at which a normal critical value equals the multiplier; 0 where that is infinite.

    A fixed interval drawn at this level (Fieller's of a lift, a score interval) is the always-valid one of its own
    statistic, so effect and lift go on saying the same.
    """
    return 2.0 * special.ndtr(-np.asarray(reach, dtype=float))


def running_p(p_value: ArrayLike, axis: int = -1) -> Array:
    """The least p-value up to every look: also valid, as the guarantee holds for all looks together."""
    return np.minimum.accumulate(np.asarray(p_value, dtype=float), axis=axis)


def running_limits(low: ArrayLike, high: ArrayLike, axis: int = -1) -> tuple[Array, Array]:
    """What all intervals up to every look have in common: as valid as they, and never wider than before.

    Where they have nothing in common the lower limit given exceeds the upper one: the effect has drifted, or an
    assumption fails. That is a finding, so it is not hidden.
    """
    lowest = np.maximum.accumulate(np.asarray(low, dtype=float), axis=axis)
    return lowest, np.minimum.accumulate(np.asarray(high, dtype=float), axis=axis)


def _log_folded(x: Array) -> Array:
    """``ln(2 exp(x**2 / 2) Phi(x))``, in full digits on both sides."""
    below = np.minimum(x, 0.0)
    scaled = np.maximum(special.erfcx(-below / math.sqrt(2.0)), TINY)
    return np.where(x < 0, np.log(scaled), math.log(2.0) + x * x / 2.0 + special.log_ndtr(np.maximum(x, 0.0)))
