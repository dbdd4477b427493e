"""Simulated data of one arm, look by look, as sums: what a planned test would see, drawn from its assumptions.

Rates are drawn as counts (beta-binomial and gamma-Poisson where the units are over-dispersed), means and ratios as the
sums and cross-products of normal units (Bartlett 1933), so that a test of a million units costs as much as one of ten.
A covariate that takes away a share of the variance is drawn with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.planning.planned_rules import Array


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """Cumulative data of one arm: units ``(looks,)``, means ``(runs, looks, d)``, covariances ``(runs, looks, d, d)``.

    The first of the ``d`` variables is the outcome (or numerator), then comes the denominator of a ratio, then a
    covariate; covariances are those of one unit, None where only counts were drawn.
    """

    units: Array
    means: Array
    covariances: Array | None = None


def draw_rates(
    units: Array, rate: float, dispersion: float, runs: int, rng: np.random.Generator, *, binary: bool
) -> Looks:
    """Successes (or events) of a rate: independent between looks, over-dispersed within them."""
    steps = np.diff(units, prepend=0.0)
    size = (runs, len(steps))
    if binary:
        chance: Array | float = rate
        if dispersion > 1.0 and 0.0 < rate < 1.0:
            within = np.minimum((dispersion - 1.0) / np.maximum(steps - 1.0, 1.0), 0.999)
            weight = 1.0 / within - 1.0
            chance = rng.beta(rate * weight, (1.0 - rate) * weight, size)
        counts = rng.binomial(steps.astype(np.int64), chance, size)
    else:
        expected: Array = np.broadcast_to(steps * rate, size)
        if dispersion > 1.0 and rate > 0.0:
            expected = rng.gamma(steps * rate / (dispersion - 1.0), dispersion - 1.0, size)
        counts = rng.poisson(expected)
    return Looks(units, (np.cumsum(counts, axis=1) / units)[..., None])


def draw_strata(
    units: Array, rate: float, baseline: float, r_squared: float, runs: int, rng: np.random.Generator
) -> Looks:
    """Successes with a yes-or-no covariate, known before the test, that explains a share of the control's variance.

    A share ``baseline`` of the units has it; their rate is ``p + sqrt(R2) (1 - p)`` in the control, that of the others
    ``p - sqrt(R2) p``, which explains just ``R2``. In the arm both rates are changed by the same factor, up to 1.
    """
    root = np.sqrt(r_squared)
    high = min(1.0, (baseline + root * (1.0 - baseline)) * rate / baseline)
    low = min(1.0, max(0.0, (rate - baseline * high) / (1.0 - baseline)))
    steps = np.diff(units, prepend=0.0).astype(np.int64)
    having = rng.binomial(steps, baseline, (runs, len(steps)))
    both = np.cumsum(rng.binomial(having, high), axis=1) / units
    y = both + np.cumsum(rng.binomial(steps - having, low), axis=1) / units
    c = np.cumsum(having, axis=1) / units
    return Looks(units, np.stack([y, c], axis=-1), _covariances(y * (1 - y), c * (1 - c), both - y * c, units))


def draw_normal(
    units: Array, means: Array, covariance: Array, dispersion: float, runs: int, rng: np.random.Generator
) -> Looks:
    """Sums and cross-products of normal units with these means and this covariance."""
    d = len(means)
    root = np.linalg.cholesky(covariance + np.diag(np.diag(covariance)) * 1e-14)
    steps = np.diff(units, prepend=0.0)
    size = (runs, len(steps))
    sums = rng.standard_normal((*size, d)) * np.sqrt(steps * dispersion)[:, None]
    factor = np.zeros((*size, d, d))
    for i in range(d):
        factor[..., i, i] = np.sqrt(rng.chisquare(np.maximum(steps - 1.0 - i, 0.5), size))
        for j in range(i):
            factor[..., i, j] = rng.standard_normal(size)
    # About the true mean the cross-products add up from look to look.
    plain = rng.standard_normal((*size, d)) * np.sqrt(steps)[:, None] if dispersion != 1.0 else sums
    around = factor @ factor.swapaxes(-1, -2) + plain[..., :, None] * plain[..., None, :] / steps[:, None, None]
    total, centre = np.cumsum(around, axis=1), np.cumsum(plain, axis=1)
    n = units[:, None, None]
    within = (total - centre[..., :, None] * centre[..., None, :] / n) / np.maximum(n - 1.0, 1.0)
    return Looks(units, means + np.cumsum(sums, axis=1) @ root.T / units[:, None], root @ within @ root.T)


def _covariances(a: Array, b: Array, ab: Array, units: Array) -> Array:
    """Two by two, with ``n - 1``."""
    scale = units / np.maximum(units - 1.0, 1.0)
    return np.stack([np.stack([a, ab], axis=-1), np.stack([ab, b], axis=-1)], axis=-2) * scale[:, None, None]
