"""Always-valid inference for zeros and ones that is exact at any sample size, even with a handful of conversions.

Three sequences, by what they need:

- ``rate_sequence``: one rate, from units and successes at each look (Robbins' beta-binomial mixture).
- ``success_lift``: two arms, from the successes alone. With units split at random by planned shares the arm of every
  success is a draw of its own, whatever the base rate does over time (Lindon and Malek, NeurIPS 2022). Best for rare
  successes; where more than a third succeed it wastes what the failures tell.
- ``difference_sequence``: two arms, from units and successes at each look, whatever the split (Turner, Ly and
  Grünwald, Journal of Statistical Planning and Inference 2024; Turner and Grünwald, Statistics & Probability Letters
  2023). The base rate may change from look to look; the difference must not.

Each is a nonnegative process whose mean is at most 1 under its null hypothesis, so by Ville's inequality it reaches
``1 / alpha`` at any look with chance ``alpha`` at most. Nothing rests on large samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.null_rates import nearest_rate
from experiments.sequential.asymptotic import Array, check_alpha, tuning_ratio
from proofsheet.errors import InputError

Mask = NDArray[np.bool_]

JEFFREYS = (0.5, 0.5)
_HALVINGS = 60
_COARSE = 24


def rate_log_e(successes: ArrayLike, n: ArrayLike, rate: ArrayLike, prior: tuple[float, float] = JEFFREYS) -> Array:
    """Log e-value against "the rate is ``rate``": the likelihood under a Beta prior over that of the rate.

    ``ln B(a + x, b + n - x) - ln B(a, b) - x ln(p) - (n - x) ln(1 - p)``. The units need not be alike, but each must
    succeed with chance ``rate`` under the hypothesis whatever came before.

    Args:
        successes, n: totals so far at every look; broadcast with ``rate``.
        prior: the Beta prior (a, b), chosen beforehand; any is valid, one near the true rate is sharper.

    Returns:
        Array of the broadcast shape; infinite where the rate has become impossible, 0 without units.

    Raises:
        InputError: counts that are negative, missing, or of more successes than units; a prior that is not positive.
    """
    x, total = _counts(successes, n)
    a, b = _prior(prior)
    p = np.asarray(rate, dtype=float)
    return np.asarray(
        special.betaln(a + x, b + total - x)
        - special.betaln(a, b)
        - special.xlogy(x, p)
        - special.xlog1py(total - x, -p)
    )


def rate_sequence(
    successes: ArrayLike, n: ArrayLike, *, alpha: float = 0.05, prior: tuple[float, float] = JEFFREYS
) -> tuple[Array, Array]:
    """Limits of one rate that hold at all looks together: all rates whose e-value is below ``1 / alpha``.

    Returns:
        Two arrays of the broadcast shape, within [0, 1]; 0 and 1 without units.

    Raises:
        InputError: as ``rate_log_e``, or an error rate outside (0, 0.5).
    """
    check_alpha(alpha)
    x, total = _counts(successes, n)
    a, b = _prior(prior)
    centre = np.divide(x, total, out=np.full(x.shape, 0.5), where=total > 0)
    mixture = special.betaln(a + x, b + total - x) - special.betaln(a, b) + math.log(alpha)

    def rejects(rate: Array) -> Mask:
        likelihood = special.xlogy(x, rate) + special.xlog1py(total - x, -rate)
        return np.asarray(mixture >= likelihood)

    # With no success 0 is inside, with nothing else 1 is.
    return bisect(rejects, np.zeros(x.shape), centre), bisect(rejects, np.ones(x.shape), centre)


def success_lift(
    successes: ArrayLike,
    control_successes: ArrayLike,
    *,
    share: float = 0.5,
    alpha: float = 0.05,
    tuning_successes: float = 100.0,
) -> tuple[Array, Array, Array]:
    """Limits of the lift and the log e-value against "no lift", from the successes of two arms alone.

    When a share ``w`` of the units goes to the arm, a success comes from it with chance ``w r / (w r + 1 - w)``, where
    ``r`` is the ratio of the rates; ``rate_sequence`` of that chance is turned into limits of ``r - 1``. The rates may
    rise and fall over time as long as their ratio stays.

    Args:
        successes, control_successes: totals so far at every look.
        share: the planned share of the arm in the units of the two.
        tuning_successes: successes of both arms at which the limits shall be narrowest; the prior is a Beta around
            ``share`` of the strength ``tuning_successes / tuning_ratio``.

    Returns:
        Lower and upper limits of the lift (-1 and infinity without successes) and the log e-value of no lift.

    Raises:
        InputError: negative or missing counts, an error rate outside (0, 0.5), a share outside (0, 1), or a tuning
            number that is not positive.
    """
    if not 0.0 < share < 1.0:
        raise InputError(f"The share {share} of the arm is not between 0 and 1.", "Give a share, such as 0.5.")
    strength = tuning_successes / tuning_ratio(alpha)
    prior = (strength * share, strength * (1.0 - share))
    arm, control = np.asarray(successes, dtype=float), np.asarray(control_successes, dtype=float)
    low, high = rate_sequence(arm, arm + control, alpha=alpha, prior=prior)
    odds = share / (1.0 - share)
    with np.errstate(divide="ignore"):
        limits = low / (1.0 - low) / odds - 1.0, high / (1.0 - high) / odds - 1.0
    return *limits, rate_log_e(arm, arm + control, share, prior)


def difference_log_e(
    successes: ArrayLike,
    n: ArrayLike,
    control_successes: ArrayLike,
    control_n: ArrayLike,
    difference: ArrayLike = 0.0,
    *,
    prior: float = 0.18,
) -> Array:
    """Log e-value of every look against "the arm's rate is the control's plus ``difference``".

    Each look is a block. Its factor is the likelihood under the two rates learned from the looks before (posterior
    means of Beta(prior, prior)) over that under the nearest rates, in Kullback-Leibler divergence with the block's
    sizes, which lie ``difference`` apart. The factor has mean 1 at most for all rates that far apart, and the product
    grows fastest where the learned rates are right. The first look teaches and brings no evidence against 0, so look
    often: by day, not once.

    Args:
        successes, n, control_successes, control_n: totals so far ``(..., looks)``, never falling. How many units a
            look brings must not depend on their outcomes.
        difference: broadcast against the counts without their last axis.
        prior: strength of the prior; 0.18 is what the authors found to do well everywhere.

    Returns:
        Array ``(..., looks)``.

    Raises:
        InputError: counts that are negative, missing, falling, or of more successes than units.
    """
    blocks, learned = _blocks(successes, n, control_successes, control_n, prior)
    return np.asarray(np.cumsum(_block_log_e(blocks, learned, np.asarray(difference, dtype=float)[..., None]), axis=-1))


def difference_sequence(
    successes: ArrayLike,
    n: ArrayLike,
    control_successes: ArrayLike,
    control_n: ArrayLike,
    *,
    alpha: float = 0.05,
    prior: float = 0.18,
) -> tuple[Array, Array]:
    """Limits at the last look of the difference of two rates: the differences no look has refused so far.

    The outermost differences kept are looked for on a grid from both ends inwards and refined by halving.

    Args:
        successes, n, control_successes, control_n: as in ``difference_log_e``.

    Returns:
        Two arrays ``(...)`` within [-1, 1]: they hold at all looks together, and are already the intersection of the
        intervals of all looks. Where no difference is kept (a difference that changed) both are the estimate.

    Raises:
        InputError: as ``difference_log_e``, or an error rate outside (0, 0.5).
    """
    check_alpha(alpha)
    blocks, learned = _blocks(successes, n, control_successes, control_n, prior)
    x1, n1, x0, n0 = (part.sum(axis=-1) for part in blocks)
    centre = x1 / np.maximum(n1, 1.0) - x0 / np.maximum(n0, 1.0)

    def rejects(difference: Array) -> Mask:
        reached = np.cumsum(_block_log_e(blocks, learned, difference[..., None]), axis=-1).max(axis=-1)
        return np.asarray(reached >= -math.log(alpha))

    limits = []
    for end in (-1.0, 1.0):
        outside, inside = np.full(centre.shape, end), centre
        searching = rejects(outside)
        for step in np.linspace(1.0, 0.0, _COARSE + 1)[1:] ** 2:
            point = centre + (end - centre) * step
            kept = ~rejects(point)
            inside = np.where(searching & kept, point, inside)
            outside = np.where(searching & ~kept, point, outside)
            searching = searching & ~kept
        limits.append(bisect(rejects, outside, inside))
    return limits[0], limits[1]


def bisect(rejects: Callable[[Array], Mask], outside: Array, inside: Array) -> Array:
    """The edge of what is kept between a point outside and one inside; the outer point where that is kept too."""
    whole = ~rejects(outside)
    far, near = outside, inside
    for _ in range(_HALVINGS):
        middle = (far + near) / 2.0
        beyond = rejects(middle)
        far, near = np.where(beyond, middle, far), np.where(beyond, near, middle)
    return np.where(whole, outside, far)


def _counts(successes: ArrayLike, n: ArrayLike) -> tuple[Array, Array]:
    x, total = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(n, dtype=float))
    if not (np.isfinite(total).all() and (x >= 0).all() and (x <= total).all()):
        raise InputError(
            "The counts hold a negative or missing number, or more successes than units.",
            "Give units and successes of 0 or more, successes at most as many as units.",
        )
    return x, total


def _prior(prior: tuple[float, float]) -> tuple[float, float]:
    if not all(0.0 < part < math.inf for part in prior):
        raise InputError(f"The prior {prior} is not positive.", "Give two positive numbers, such as (0.5, 0.5).")
    return prior


Blocks = tuple[Array, Array, Array, Array]


def _blocks(
    successes: ArrayLike, n: ArrayLike, control_successes: ArrayLike, control_n: ArrayLike, prior: float
) -> tuple[Blocks, tuple[Array, Array]]:
    """What every look adds (x1, n1, x0, n0), and the rates of both arms learned before it."""
    _prior((prior, prior))
    totals = np.broadcast_arrays(*_counts(successes, n), *_counts(control_successes, control_n))
    x1, n1, x0, n0 = (np.diff(np.atleast_1d(t), axis=-1, prepend=0.0) for t in totals)
    for x, size in ((x1, n1), (x0, n0)):
        if (x < 0).any() or (x > size).any():
            raise InputError(
                "The counts fall from one look to the next, or a look brings more successes than units.",
                "Give totals so far, look by look in order of time.",
            )
    learned = tuple(
        (np.cumsum(x, axis=-1) - x + prior) / (np.cumsum(size, axis=-1) - size + 2.0 * prior)
        for x, size in ((x1, n1), (x0, n0))
    )
    return (x1, n1, x0, n0), (learned[0], learned[1])


def _block_log_e(blocks: Blocks, learned: tuple[Array, Array], difference: Array) -> Array:
    """The logarithm of every block's factor."""
    x1, n1, x0, n0 = blocks
    q1, q0 = learned
    nearest = nearest_rate(q1, q0, n1, n0, difference)
    return np.asarray(
        _log_likelihood(x1, n1, q1)
        + _log_likelihood(x0, n0, q0)
        - _log_likelihood(x1, n1, np.clip(nearest + difference, 0.0, 1.0))
        - _log_likelihood(x0, n0, nearest)
    )


def _log_likelihood(x: Array, n: Array, rate: Array) -> Array:
    return np.asarray(special.xlogy(x, rate) + special.xlog1py(n - x, -rate))
