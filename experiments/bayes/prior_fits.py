"""Hyperparameters of priors by marginal likelihood: the numerical part of ``priors``.

Each past experiment gave an estimate ``x`` with standard error ``s`` of its own true effect. With the effects normal
``(m, t)`` the estimates are normal with variance ``s^2 + t^2``; with Student's effects they are mixtures of those over
the unknown precision ``g`` (see ``posterior``). The likelihood of the estimates, the effects integrated out, is what is
made greatest (empirical Bayes: Efron and Morris 1973; random effects by maximum likelihood: Hardy and Thompson 1996).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.bayes.effect_priors import LARGEST_DF, StudentPrior
from experiments.bayes.posterior import log_marginal, scale_nodes

Array = NDArray[np.float64]

_LEAST_DF = 1.05
_HALF_LOG_TWO_PI = math.log(2.0 * math.pi) / 2.0
_DIFFERENCE = 1e-4  # step of numerical second derivatives


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted prior: its numbers, their standard errors (None where the likelihood gives none), its log likelihood.

    ``df`` is infinite for a normal prior. ``at_zero``: the likelihood is greatest without any spread, and ``spread`` is
    what a penalty that keeps off zero makes of it.
    """

    mean: float
    spread: float
    df: float
    log_likelihood: float
    mean_error: float | None
    spread_error: float | None
    df_error: float | None
    at_zero: bool = False


def fit_normal(x: Array, s: Array, centre: float | None) -> Fit:
    """Mean and standard deviation of normal effects.

    The mean follows from the spread (the weighted mean), so that one number is searched for: on a grid, then ever
    more closely around its best. Where no spread is the likeliest, ``log t`` is added to the log likelihood: it keeps
    ``t`` off zero, by about one standard error, and matters little elsewhere (Chung, Rabe-Hesketh, Dorie, Gelman and
    Liu, Psychometrika 2013).

    Args:
        x, s: finite estimates and positive errors, of one experiment each.
        centre: the mean where it is known, else None.
    """
    reach = max(float(np.ptp(x)), float(s.max()))
    spread, best = _zoom(x, s, centre, reach, 0.0)
    at_zero = bool(best <= _profile(x, s, np.zeros(1), centre)[0][0] + 1e-9)
    if at_zero:
        spread, _ = _zoom(x, s, centre, reach, 1.0)
    value, mean = (float(a[0]) for a in _profile(x, s, np.array([spread]), centre))
    errors: tuple[float | None, float | None]
    if at_zero:
        errors = (float(np.sum(1.0 / (s**2 + spread**2))) ** -0.5 if centre is None else None), None
    else:
        errors = _normal_errors(x - mean, s, spread, centre is None)
    return Fit(
        mean=mean,
        spread=spread,
        df=math.inf,
        log_likelihood=value,
        mean_error=errors[0],
        spread_error=errors[1],
        df_error=None,
        at_zero=at_zero,
    )


def fit_student(x: Array, s: Array, centre: float | None, normal: Fit) -> Fit:
    """Centre, scale and degrees of freedom of Student's effects.

    Newton's method on centre, log scale and ``log(df - 1)``, with exact slopes and a step that is shortened until it
    gains, from the best of a few starts around the normal fit.

    Args:
        normal: the normal fit to the same estimates.
    """
    unit = normal.spread
    free = np.array([centre is None, True, True])
    starts = [
        np.array([(normal.mean if centre is None else centre) / unit, math.log(share), math.log(df - 1.0)])
        for df in (2.0, 4.0, 10.0, 50.0)
        for share in (0.25, 0.6, 1.0)
    ]
    point = max(starts, key=lambda p: _student_value(x, s, unit, p))
    value = _student_value(x, s, unit, point)
    for _ in range(60):
        slope, bend = _student_curve(x, s, unit, point)
        move = _newton_move(slope, bend, _inside(point, slope) & free)
        for shorter in 0.5 ** np.arange(12):
            trial = _bounded(point + shorter * move)
            gain = _student_value(x, s, unit, trial) - value
            if gain > 0.0:
                point, value = trial, value + gain
                break
        else:
            break
        if gain < 1e-10:
            break
    slope, bend = _student_curve(x, s, unit, point)
    errors = _errors_of(bend, _inside(point, slope) & free)
    centre_at, scale, df = point[0] * unit, unit * math.exp(point[1]), 1.0 + math.exp(point[2])
    return Fit(
        mean=float(centre_at),
        spread=float(scale),
        df=float(df),
        log_likelihood=value,
        mean_error=None if errors[0] is None else errors[0] * unit,
        spread_error=None if errors[1] is None else errors[1] * scale,
        df_error=None if errors[2] is None else errors[2] * (df - 1.0),
        at_zero=normal.at_zero,
    )


def _zoom(x: Array, s: Array, centre: float | None, reach: float, penalty: float) -> tuple[float, float]:
    """The spread with the greatest likelihood (plus ``penalty`` times its logarithm), and that value."""
    low, high = math.log(1e-4 * float(s.min())), math.log(2.0 * reach)
    best, value = low, -math.inf
    for _ in range(16):
        grid = np.linspace(low, high, 41)
        values = _profile(x, s, np.exp(grid), centre)[0] + penalty * grid
        k = int(np.argmax(values))
        best, value = float(grid[k]), float(values[k])
        step = (high - low) / 40.0
        low, high = best - 2.0 * step, best + 2.0 * step
    return math.exp(best), value


def _profile(x: Array, s: Array, spread: Array, centre: float | None) -> tuple[Array, Array]:
    """The log likelihood at each spread with the best mean, and that mean."""
    variance = s**2 + spread[:, None] ** 2
    weight = 1.0 / variance
    mean = np.sum(weight * x, axis=1) / np.sum(weight, axis=1) if centre is None else np.full(spread.shape, centre)
    square = (x - mean[:, None]) ** 2 * weight
    return -np.sum(np.log(variance) + square, axis=1) / 2.0 - len(x) * _HALF_LOG_TWO_PI, mean


def _normal_errors(r: Array, s: Array, t: float, mean_free: bool) -> tuple[float | None, float | None]:
    """Standard errors of mean and spread from the observed information."""
    v = s**2 + t * t
    bend = np.zeros((2, 2))
    bend[0, 0] = np.sum(1.0 / v)
    bend[0, 1] = bend[1, 0] = np.sum(2.0 * t * r / v**2)
    bend[1, 1] = -np.sum(r**2 / v**2 - 1.0 / v + t * t * (2.0 / v**2 - 4.0 * r**2 / v**3))
    errors = _errors_of(-bend, np.array([mean_free, True]))
    return errors[0], errors[1]


def _student_value(x: Array, s: Array, unit: float, point: Array) -> float:
    mean, scale, df = point[0] * unit, unit * math.exp(point[1]), 1.0 + math.exp(point[2])
    return float(np.sum(log_marginal(x, s, StudentPrior(mean=mean, scale=scale, df=min(df, LARGEST_DF)))))


def _student_slope(x: Array, s: Array, unit: float, point: Array) -> Array:
    """The slope of the log likelihood: averages over ``g``, with the shares that it has given each estimate."""
    mean, scale, df = point[0] * unit, unit * math.exp(point[1]), 1.0 + math.exp(point[2])
    r = x - mean
    node, log_share = scale_nodes(r / s, s / scale, np.full_like(x, df), np.ones(x.shape, dtype=bool))
    wide = scale**2 * np.exp(-node)
    variance = s[:, None] ** 2 + wide
    square = r[:, None] ** 2 / variance
    log_part = log_share - np.log(variance) / 2.0 - square / 2.0
    share = np.exp(log_part - special.logsumexp(log_part, axis=1, keepdims=True))
    by_df = (math.log(df / 2.0) + 1.0 - special.digamma(df / 2.0) + node - np.exp(node)) / 2.0
    return np.array(
        [
            np.sum(share * r[:, None] / variance) * unit,
            np.sum(share * (square - 1.0) * wide / variance),
            np.sum(share * by_df) * (df - 1.0),
        ]
    )


def _student_curve(x: Array, s: Array, unit: float, point: Array) -> tuple[Array, Array]:
    """Slope and second derivatives (differences of slopes) of the log likelihood."""
    bend = np.empty((3, 3))
    for k in range(3):
        step = np.zeros(3)
        step[k] = _DIFFERENCE
        ahead, back = (_student_slope(x, s, unit, point + sign * step) for sign in (1.0, -1.0))
        bend[k] = (ahead - back) / (2.0 * _DIFFERENCE)
    return _student_slope(x, s, unit, point), (bend + bend.T) / 2.0


def _newton_move(slope: Array, bend: Array, free: NDArray[np.bool_]) -> Array:
    """A step uphill: Newton's where the surface is bent downwards, else along the slope; at most 2 in each number."""
    move = np.zeros(3)
    part = -bend[np.ix_(free, free)]
    values, vectors = np.linalg.eigh(part)
    values = np.maximum(np.abs(values), 1e-6 * max(1.0, float(np.abs(values).max())))
    move[free] = vectors @ ((vectors.T @ slope[free]) / values)
    return np.asarray(move * min(1.0, 2.0 / max(float(np.abs(move).max()), 1e-300)))


def _bounded(point: Array) -> Array:
    return np.array([point[0], point[1], min(max(point[2], math.log(_LEAST_DF - 1.0)), math.log(LARGEST_DF - 1.0))])


def _inside(point: Array, slope: Array) -> NDArray[np.bool_]:
    """Which numbers may move: not the degrees of freedom at a bound that they press against."""
    stuck = (point[2] >= math.log(LARGEST_DF - 1.0) and slope[2] > 0) or (
        point[2] <= math.log(_LEAST_DF - 1.0) and slope[2] < 0
    )
    return np.array([True, True, not stuck])


def _errors_of(bend: Array, free: NDArray[np.bool_]) -> list[float | None]:
    """Standard errors from second derivatives; None for numbers held fast, or where there is no peak."""
    errors: list[float | None] = [None] * len(free)
    information = -bend[np.ix_(free, free)]
    if not np.all(np.linalg.eigvalsh(information) > 0):
        return errors
    variance = np.diag(np.linalg.inv(information))
    for k, value in zip(np.flatnonzero(free), variance, strict=True):
        errors[int(k)] = math.sqrt(value)
    return errors
