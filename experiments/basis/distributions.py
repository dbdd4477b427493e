"""Quantiles and tails of the distributions in use, on ``scipy.special`` alone.

Small tails are computed as small numbers (never ``1 - cdf``). A tail too small for a float is given as ``TINY``, the
smallest normal float, never as a made-up zero: read a value of ``TINY`` as "below 2.3e-308".
"""

from __future__ import annotations

import math
import sys

import numpy as np
from scipy import special

TINY = sys.float_info.min


def normal_critical(alpha: float) -> float:
    """The two-sided critical value of the normal: ``P(|Z| > value) = alpha``."""
    return -float(special.ndtri(alpha / 2.0))


def normal_two_sided(z: float) -> float:
    """``P(|Z| > |z|)`` for a standard normal, in (0, 1]."""
    return min(1.0, max(TINY, 2.0 * float(special.ndtr(-abs(z)))))


def normal_below(z: float) -> float:
    """``P(Z < z)`` for a standard normal, in (0, 1]."""
    return max(TINY, float(special.ndtr(z)))


def t_critical(alpha: float, df: float) -> float:
    """The two-sided critical value of Student's t; the normal's where ``df`` is infinite."""
    if math.isinf(df):
        return normal_critical(alpha)
    return -float(special.stdtrit(df, alpha / 2.0))


def t_two_sided(t: float, df: float) -> float:
    """``P(|T| > |t|)`` for Student's t with ``df`` degrees of freedom, in (0, 1]."""
    if math.isinf(df):
        return normal_two_sided(t)
    return min(1.0, max(TINY, 2.0 * float(special.stdtr(df, -abs(t)))))


def t_below(t: float, df: float) -> float:
    """``P(T < t)`` for Student's t, in (0, 1]."""
    if math.isinf(df):
        return normal_below(t)
    return max(TINY, float(special.stdtr(df, t)))


def chi_square_above(value: float, df: float) -> float:
    """``P(X > value)`` for a chi-square with ``df`` degrees of freedom, in (0, 1]."""
    return min(1.0, max(TINY, float(special.chdtrc(df, value))))


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def beta_chance_greater(successes: float, trials: float, other_successes: float, other_trials: float) -> float:
    """``P(p > q)`` for two rates with independent uniform priors, by exact conjugacy and one numerical integral.

    ``p`` is Beta(successes + 1, trials - successes + 1) and ``q`` likewise. The integral of the density of ``p``
    times the distribution function of ``q`` runs over 24 panels of Gauss-Legendre between the far tails of both.
    When ``p`` is the larger, the opposite chance is integrated, so that the small one keeps its digits.
    """
    first = (successes + 1.0, trials - successes + 1.0)
    second = (other_successes + 1.0, other_trials - other_successes + 1.0)
    if first[0] / sum(first) > second[0] / sum(second):
        return 1.0 - _beta_chance(second, first)
    return _beta_chance(first, second)


def _beta_chance(first: tuple[float, float], second: tuple[float, float]) -> float:
    """``P(X > Y)`` for two Beta variables of which X has the smaller mean."""
    reaches = (_beta_reach(*first), _beta_reach(*second))
    low, high = min(reach[0] for reach in reaches), max(reach[1] for reach in reaches)
    edges = np.linspace(low, high, 25)
    half = np.diff(edges)[:, None] / 2.0
    x = edges[:-1, None] + half * (1.0 + _NODES)
    log_density = special.xlogy(first[0] - 1.0, x) + special.xlog1py(first[1] - 1.0, -x) - float(special.betaln(*first))
    chance = float(np.sum(np.exp(log_density) * special.betainc(*second, x) * _WEIGHTS * half))
    return min(1.0, max(TINY, chance))


def _beta_reach(a: float, b: float) -> tuple[float, float]:
    """Where a Beta variable lies but for less than 1e-12; ten deviations are enough when it is nearly normal."""
    if min(a, b) < 100.0:
        return float(special.betaincinv(a, b, 1e-14)), float(special.betaincinv(a, b, 1.0 - 1e-14))
    mean = a / (a + b)
    reach = 10.0 * math.sqrt(mean * (1.0 - mean) / (a + b + 1.0))
    return max(0.0, mean - reach), min(1.0, mean + reach)
