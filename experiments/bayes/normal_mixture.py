"""Mixtures of normals: what is known of an effect, as a sum of normal curves.

A normal posterior is a mixture of one, a posterior under a Student-t prior a mixture of many (see ``posterior``), and
so are their predictive distributions. Every question has an answer in closed form for each part, so that one code
serves all: chances are sums of normal tails, losses sums of normal losses, and only a quantile has to be searched for.
Chances are summed as logarithms: a small one is never lost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.bayes.quantile_search import Rows, find_quantiles
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROOT_TWO_PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NormalMixture:
    """One distribution for each element of a shape (…), made of k normals along one more axis.

    Args:
        log_weight: logarithms of the weights, shape (…, k); they add up to one.
        centre, spread: mean and standard deviation of each part, shape (…, k). A spread may be infinite: then
            nothing is known.
        mean, sd: of the whole, shape (…).
        known: where data had a say; elsewhere the distribution is that of the prior alone.
    """

    log_weight: Array
    centre: Array
    spread: Array
    mean: Array
    sd: Array
    known: Flags

    def negated(self) -> NormalMixture:
        """The distribution of the effect with its sign turned: for a metric of which less is better."""
        return NormalMixture(
            log_weight=self.log_weight,
            centre=-self.centre,
            spread=self.spread,
            mean=-self.mean,
            sd=self.sd,
            known=self.known,
        )

    def log_chance_above(self, threshold: ArrayLike = 0.0) -> Array:
        """``log P(effect > threshold)``; the threshold broadcasts with (…)."""
        gap = self.centre - np.asarray(threshold, dtype=float)[..., None]
        parts = self.log_weight + special.log_ndtr(gap / self.spread)
        return np.asarray(special.logsumexp(parts, axis=-1))

    def chance_above(self, threshold: ArrayLike = 0.0) -> Array:
        """``P(effect > threshold)``, in [TINY, 1]; with a threshold of zero the chance to win."""
        return np.asarray(np.clip(np.exp(self.log_chance_above(threshold)), TINY, 1.0))

    def chance_below(self, threshold: ArrayLike = 0.0) -> Array:
        """``P(effect < threshold)``, in [TINY, 1]; small ones keep their digits."""
        return self.negated().chance_above(-np.asarray(threshold, dtype=float))

    def expected_excess(self, threshold: ArrayLike = 0.0) -> Array:
        """``E[max(effect - threshold, 0)]``, in the unit of the effect; infinite where the spread is."""
        gap = self.centre - np.asarray(threshold, dtype=float)[..., None]
        return np.asarray(np.sum(np.exp(self.log_weight) * self.spread * unit_excess(gap / self.spread), axis=-1))

    def loss_of_arm(self) -> Array:
        """The expected loss of choosing the arm: ``E[max(-effect, 0)]``, what is lost where the arm is worse."""
        return self.negated().expected_excess()

    def loss_of_control(self) -> Array:
        """The expected loss of keeping the control: ``E[max(effect, 0)]``, what is missed where the arm is better."""
        return self.expected_excess()

    def risk(self, margin: ArrayLike = 0.0) -> Array:
        """The chance that the arm is worse than the control by more than ``margin`` (0 or more)."""
        return self.chance_below(-np.abs(np.asarray(margin, dtype=float)))

    def density(self, value: ArrayLike) -> Array:
        """The probability density at a value, per unit of the effect."""
        z = (np.asarray(value, dtype=float)[..., None] - self.centre) / self.spread
        return np.asarray(np.sum(np.exp(self.log_weight - z * z / 2.0) / self.spread, axis=-1) / _ROOT_TWO_PI)

    def limits(self, alpha: float = 0.05) -> tuple[Array, Array]:
        """The equal-tailed interval that holds the effect with chance ``1 - alpha``.

        Raises:
            InputError: alpha is not between 0 and 1.
        """
        if not 0.0 < alpha < 1.0:
            raise InputError(f"The level {alpha} is not between 0 and 1.", "Give a share, such as 0.05 for 95 %.")
        return self.quantile(alpha / 2.0), -self.negated().quantile(alpha / 2.0)

    def quantile(self, share: float) -> Array:
        """The value below which the effect lies with chance ``share``, within 1e-12 of the spread.

        Raises:
            InputError: the share is not between 0 and 1.
        """
        if not 0.0 < share < 1.0:
            raise InputError(f"The share {share} is not between 0 and 1.", "Give a share, such as 0.025.")
        if share > 0.5:
            return -self.negated().quantile(1.0 - share)
        z = float(special.ndtri(share))
        parts = self.centre + z * self.spread if z else self.centre  # an infinite spread times 0 is no number
        low, high = parts.min(axis=-1), parts.max(axis=-1)
        if self.centre.shape[-1] == 1:
            return np.asarray(low)
        k = self.centre.shape[-1]
        weight, centre, spread = (np.reshape(a, (-1, k)) for a in (np.exp(self.log_weight), self.centre, self.spread))

        def evaluate(rows: Rows, value: Array) -> tuple[Array, Array]:
            parts = (value[:, None] - centre[rows]) / spread[rows]
            bell = weight[rows] * np.exp(-parts * parts / 2.0) / spread[rows]
            return np.sum(weight[rows] * special.ndtr(parts), axis=-1), np.sum(bell, axis=-1) / _ROOT_TWO_PI

        heaviest = np.argmax(weight, axis=-1)[:, None]
        start = np.sum(weight * (centre + z * np.where(np.isfinite(spread), spread, 0.0)), axis=-1)
        found = find_quantiles(
            evaluate,
            np.full(start.shape, z),
            low.ravel(),
            high.ravel(),
            start,
            np.take_along_axis(spread, heaviest, axis=-1)[:, 0],
        )
        return found.reshape(low.shape)


def mixture(log_weight: ArrayLike, centre: ArrayLike, spread: ArrayLike, known: ArrayLike = True) -> NormalMixture:
    """A mixture of normals with the mean and the standard deviation that follow from its parts.

    Args:
        log_weight, centre, spread: shape (…, k) after broadcasting; the weights need not add up to one.
        known: shape (…).
    """
    weights, centres, spreads = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (log_weight, centre, spread)))
    weights = weights - special.logsumexp(weights, axis=-1, keepdims=True)
    share = np.exp(weights)
    mean = np.sum(share * centres, axis=-1)
    variance = np.sum(share * (spreads**2 + (centres - mean[..., None]) ** 2), axis=-1)
    return NormalMixture(
        log_weight=weights,
        centre=centres,
        spread=spreads,
        mean=np.asarray(mean),
        sd=np.sqrt(variance),
        known=np.broadcast_to(np.asarray(known, dtype=bool), mean.shape),
    )


def unit_excess(z: ArrayLike) -> Array:
    """``E[max(Z + z, 0)] = phi(z) + z Phi(z)`` for a standard normal Z: the loss of a normal choice in its deviations.

    Far below zero the terms cancel, but for a relative error of ``z^2`` roundings only: 1e-12 where it underflows.
    """
    z = np.asarray(z, dtype=float)
    return np.asarray(np.maximum(np.exp(-z * z / 2.0) / _ROOT_TWO_PI + z * special.ndtr(z), 0.0))
