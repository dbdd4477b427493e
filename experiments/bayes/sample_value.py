"""What more data are worth before a choice: perfect information, a planned sample, and waiting for it.

A further sample changes the choice only where it turns the order of the arms. Before it is taken, a normal posterior's
next mean is itself normal around the present one, with variance ``sd^4 / (sd^2 + e^2)`` for a sample with standard
error ``e`` (the part of the uncertainty that the sample takes away). Hence

- expected value of sample information ``E[max next mean] - max mean`` (Raiffa and Schlaifer 1961);
- the same for one arm sampled alone: the knowledge gradient (Gupta and Miescke 1996; Frazier, Powell and Dayanik 2008);
- waiting: the gain on all who come after, less what the test costs those in it (Chick and Gans, Management Science
  2009; Feit and Berman, "Test & Roll", Marketing Science 2019).

All values are per unit, in the unit of the effect, unless numbers of units are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.bayes.best_arm import best_of_normals
from experiments.bayes.normal_mixture import NormalMixture, unit_excess
from proofsheet.errors import InputError

Array = NDArray[np.float64]

_STEPS = 80


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waiting:
    """What waiting for a further sample brings and takes, in the unit of the effect times units (times ``worth``).

    Args:
        gain: expected on the later units, for choosing better.
        price: expected loss on the units of the sample, who do not all get the arm that looks best now, and its cost.
    """

    gain: Array
    price: Array

    @property
    def net(self) -> Array:
        """Gain less price; waiting pays where it is above zero."""
        return self.gain - self.price


def value_of_certainty(posterior: NormalMixture) -> Array:
    """Expected value of perfect information on arm against control: the loss of the better choice, per unit."""
    return np.minimum(posterior.loss_of_arm(), posterior.loss_of_control())


def value_of_sample(posterior: NormalMixture, further_error: ArrayLike) -> Array:
    """Expected value of a further sample on arm against control: ``E[max(0, next mean)] - max(0, mean)``.

    For a normal posterior ``s u(-|mean| / s)`` with ``s`` the deviation of the next mean and ``u`` the unit normal
    loss. For mixtures: the next mean rises with the next estimate, so there is one estimate at which the choice
    turns, found by halving; beyond it the integral is closed.

    Args:
        posterior: of the effect, before the sample.
        further_error: standard error of the estimate from the further sample alone, broadcast with the posterior;
            0 for perfect information, infinite for none.
    """
    e = _errors(further_error)
    mean, e = np.broadcast_arrays(posterior.mean, e)
    if posterior.centre.shape[-1] == 1:
        s = spread_of_next_mean(posterior.sd, e)
        with np.errstate(invalid="ignore"):
            value = s * unit_excess(-np.abs(mean) / np.where(s > 0, s, 1.0))
        return np.where(s > 0, value, 0.0)
    finite = np.isfinite(e)
    value = np.where(finite, _mixture_value(posterior, np.where(finite, e, 1.0)), 0.0)
    return np.where(finite & np.isinf(posterior.spread).any(axis=-1), np.inf, value)


def value_of_samples(mean: ArrayLike, sd: ArrayLike, further_error: ArrayLike) -> Array:
    """Expected value of sampling all arms at once, ``E[max next mean] - max mean``, for independent normal posteriors.

    Args:
        mean, sd: posteriors of the arms' values (the control among them), shape (…, k).
        further_error: standard error of each arm's further sample; infinite for an arm that gets none.

    Returns:
        Shape (…).
    """
    m, s, e = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(sd, dtype=float), _errors(further_error))
    spread = spread_of_next_mean(s, e)
    value = best_of_normals(m, spread).value_of_certainty
    return np.where(np.any(spread > 0, axis=-1), value, 0.0)


def knowledge_gradient(mean: ArrayLike, sd: ArrayLike, further_error: ArrayLike) -> Array:
    """Expected value of sampling one arm alone, for each arm: ``s_i u(-|mean_i - best other mean| / s_i)``; exact.

    Arguments as for ``value_of_samples``.

    Returns:
        Shape (…, k): the arm with the greatest value is the one to sample next.
    """
    m, s, e = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(sd, dtype=float), _errors(further_error))
    if m.ndim == 0 or m.shape[-1] < 2:
        raise InputError("There are fewer than 2 arms to choose from.", "Give arms along the last axis.")
    first = np.argmax(m, axis=-1)[..., None]
    others = m.copy()
    np.put_along_axis(others, first, -np.inf, axis=-1)
    rival = np.where(np.arange(m.shape[-1]) == first, others.max(axis=-1, keepdims=True), m.max(axis=-1, keepdims=True))
    spread = spread_of_next_mean(s, e)
    value = spread * unit_excess(-np.abs(m - rival) / np.where(spread > 0, spread, 1.0))
    return np.where(spread > 0, value, 0.0)


def value_of_waiting(
    mean: ArrayLike,
    sd: ArrayLike,
    further_error: ArrayLike,
    *,
    share: ArrayLike,
    further_units: ArrayLike,
    later_units: ArrayLike,
    worth: float = 1.0,
    cost: float = 0.0,
) -> Waiting:
    """Whether to choose now or after a further sample; independent normal posteriors of the arms' values.

    Choosing now gives every unit the arm of the best mean. Waiting gives the ``further_units`` their planned arms and
    the ``later_units`` the arm that is best then: ``gain = worth later E``, with ``E`` as in ``value_of_samples``, and
    ``price = worth further sum share_i (max mean - mean_i) + cost``.

    Args:
        mean, sd, further_error: shape (…, k), the values per unit.
        share: of the further units that each arm gets, shape (…, k), adding up to 1.
        further_units, later_units: in the sample, and after it, shape (…).
        worth: money (or whatever is counted) per unit of the value.
        cost: of running on, in the same money.

    Raises:
        InputError: shares do not add up to 1, numbers of units are negative.
    """
    shares = np.asarray(share, dtype=float)
    if np.any(shares < 0) or not np.allclose(shares.sum(axis=-1), 1.0, atol=1e-6):
        raise InputError(f"The shares {shares} of the arms do not add up to 1.", "Give one share for every arm.")
    further, later = np.asarray(further_units, dtype=float), np.asarray(later_units, dtype=float)
    if np.any(further < 0) or np.any(later < 0):
        raise InputError("A number of units is negative.", "Give the units still to come, 0 or more.")
    m = np.asarray(mean, dtype=float)
    behind = np.sum(shares * (m.max(axis=-1, keepdims=True) - m), axis=-1)
    gain = worth * later * value_of_samples(m, sd, further_error)
    return Waiting(gain=np.asarray(gain), price=np.asarray(worth * further * behind + cost))


def spread_of_next_mean(sd: ArrayLike, further_error: ArrayLike) -> Array:
    """The standard deviation, seen from now, of the posterior mean after a further sample: ``sd^2 / sqrt(sd^2 + e^2)``.

    With ``sd`` infinite it is infinite.
    """
    s, e = np.broadcast_arrays(np.asarray(sd, dtype=float), np.asarray(further_error, dtype=float))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1.0 / np.hypot(1.0, e / s)
    return np.where((s > 0) & ~np.isposinf(e), s * np.where(np.isinf(s), 1.0, share), 0.0)


def _mixture_value(posterior: NormalMixture, e: Array) -> Array:
    """``E[max(0, next mean)] - max(0, mean)`` where the effect is a mixture of normals."""
    flip = np.where(posterior.mean > 0, -1.0, 1.0)[..., None]  # the value is that of turning the choice
    weight, centre = posterior.log_weight, flip * posterior.centre
    spread = np.where(np.isinf(posterior.spread), 1.0, posterior.spread)
    total = np.hypot(spread, e[..., None])  # of the next estimate
    gain = (spread / total) ** 2

    def mean_at(y: Array) -> Array:
        """The sign of the next mean after the estimate ``y``."""
        z = (y[..., None] - centre) / total
        log_part = weight - z * z / 2.0 - np.log(total)
        part = np.exp(log_part - log_part.max(axis=-1, keepdims=True))
        return np.asarray(np.sum(part * (centre + gain * (y[..., None] - centre)), axis=-1))

    # Where one part's next mean is zero: the whole turns between the least and the greatest of these.
    with np.errstate(divide="ignore", over="ignore"):
        turns = centre - centre / gain
    low, high = turns.min(axis=-1), turns.max(axis=-1)
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        rises = mean_at(middle) < 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    z = (centre - high[..., None]) / total
    bell = np.exp(-z * z / 2.0) / np.sqrt(2.0 * np.pi)
    parts = np.exp(weight) * (centre * special.ndtr(z) + gain * total * bell)
    return np.asarray(np.maximum(np.sum(parts, axis=-1), 0.0))


def _errors(further_error: ArrayLike) -> Array:
    e = np.asarray(further_error, dtype=float)
    if not np.all(e >= 0):
        raise InputError("A standard error of the further sample is negative or missing.", "Give 0 or more.")
    return e
