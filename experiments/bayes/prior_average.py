"""A prior learned from few experiments: averaged over all that they leave open, instead of the likeliest one.

The likeliest spread of a handful of effects is often far too small, and a prior that takes it for the truth shrinks
winners too much and calls its intervals too sure. Here spread, mean and tails get priors of their own, and every
combination on a grid the weight that the past estimates give it (Bayesian averaging):

- spread ``t`` half-Cauchy with scale ``typical`` (Gelman, Bayesian Analysis 2006): weak, and open to the data;
- tails: Student's t with 1.3, 2, 3, 4, 6, 10 or 30 degrees of freedom or a normal, equally likely before;
- mean Normal(0, t): effects lean by no more than they spread.

Every one of these priors is a mixture of normals of different widths, and so is their average: one list of widths and
weights. With many experiments it becomes the likeliest prior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from experiments.bayes.effect_priors import MixturePrior
from experiments.bayes.prior_fits import fit_normal

Array = NDArray[np.float64]

TAILS = (1.3, 2.0, 3.0, 4.0, 6.0, 10.0, 30.0, math.inf)
_STEP = 0.1  # of the logarithm of a width
_MEANS = 31
_LEAST_WEIGHT = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AveragedPrior:
    """The prior, its mean with that mean's standard deviation, and the chance that its tails are heavy (df <= 6)."""

    prior: MixturePrior
    mean: float
    mean_error: float
    heavy_tails: float


def average_prior(x: Array, s: Array, typical: float, centre: float | None) -> AveragedPrior:
    """Average over spread, tails and mean.

    Args:
        x, s: finite estimates and positive errors; none at all give the average of the priors alone.
        typical: the size of a usual spread of true effects, in their unit.
        centre: the mean where it is known, else None.
    """
    means = _mean_nodes(x, s, centre)
    widths, spreads, tails, share = _families(x, s, typical)
    after = _weights(x, s, means, widths, share, spreads, typical)
    weight = after @ share  # of each mean with each width
    total = weight.sum(axis=0)
    kept = total > _LEAST_WEIGHT
    weight, total, widths = weight[:, kept], total[kept], widths[kept]
    mean_at = means @ weight / total
    apart = np.sum(weight * (means[:, None] - mean_at) ** 2, axis=0) / total
    mean = float(np.sum(after.sum(axis=1) * means))
    return AveragedPrior(
        prior=MixturePrior(mean=mean_at, sd=np.sqrt(widths**2 + apart), log_weight=np.log(total / total.sum())),
        mean=mean,
        mean_error=float(np.sqrt(np.sum(after.sum(axis=1) * (means - mean) ** 2))),
        heavy_tails=float(after.sum(axis=0)[tails <= 6.0].sum()),
    )


def _weights(x: Array, s: Array, means: Array, widths: Array, share: Array, spreads: Array, typical: float) -> Array:
    """The weight of each mean (rows) with each family of spread and tails, adding up to one."""
    before = np.log(spreads) - np.log1p((spreads / typical) ** 2)
    fit = np.empty((means.size, spreads.size))
    variance = s[:, None] ** 2 + widths**2
    for k, mean in enumerate(means):
        log_part = -(np.log(variance) + (x[:, None] - mean) ** 2 / variance) / 2.0
        top = log_part.max(axis=1, keepdims=True) if x.size else np.zeros((0, 1))
        fit[k] = np.sum(np.log(np.exp(log_part - top) @ share.T + 1e-300) + top, axis=0) + before
        if means.size > 1:
            fit[k] -= (mean / spreads) ** 2 / 2.0 + np.log(spreads)
    return np.asarray(np.exp(fit - special.logsumexp(fit)))


def _families(x: Array, s: Array, typical: float) -> tuple[Array, Array, Array, Array]:
    """Widths; spread and tails of every family of the grid; and the share of each width in each family."""
    low = math.log(min(typical * math.exp(-5.0), 0.05 * float(s.min(initial=math.inf))))
    high = math.log(max(typical * math.exp(3.0), 2.0 * float(np.abs(x).max(initial=0.0))))
    below, above = math.ceil(1.5 / _STEP), math.ceil(4.0 / _STEP)
    count = math.ceil((high - low) / _STEP) + 1
    log_width = low + _STEP * np.arange(-below, count + above)
    log_spread = log_width[below : below + count]
    rows = []
    for df in TAILS:
        if math.isinf(df):
            rows.append(np.eye(count, log_width.size, below))
            continue
        log_g = 2.0 * (log_spread[:, None] - log_width)
        log_share = df / 2.0 * (log_g - np.exp(log_g))
        rows.append(np.exp(log_share - special.logsumexp(log_share, axis=1, keepdims=True)))
    spreads = np.tile(np.exp(log_spread), len(TAILS))
    return np.exp(log_width), spreads, np.repeat(np.array(TAILS), count), np.concatenate(rows)


def _mean_nodes(x: Array, s: Array, centre: float | None) -> Array:
    """Means to average over: five standard errors to both sides of the normal fit's."""
    if centre is not None or not x.size:
        return np.array([centre or 0.0])
    fit = fit_normal(x, s, None)
    error = float(np.sum(1.0 / (s**2 + fit.spread**2))) ** -0.5
    return np.asarray(fit.mean + error * np.linspace(-5.0, 5.0, _MEANS))
