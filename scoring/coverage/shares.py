"""Shares of a set's values, corrected for the errors of the classifier that perceived them.

A classifier that is right nine times in ten sees people on one empty beach in ten. The shares it counts are off by
that much whatever the number of pictures, and an interval around them holds a wrong number. Where it has been measured
how often it takes which value for which, the true shares follow; the interval then allows for both the pictures and
the labels being few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from proofsheet.errors import InputError

Floats = NDArray[np.float64]

_STEPS = 16  # values tried at once between an interval's middle and its furthest end
_ROUNDS_OF_ENDS = 4  # of these, each within a step of the one before
_ROUNDS = 400  # of the most likely shares
_EXTRA = 0.1  # labels of every kind that are thought to be there, where chances seem to be 0 or 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shares:
    """Shares of K values, arrays (..., K).

    Attributes:
        share: the most likely shares; they add up to 1.
        low: where the interval of each begins.
        high: where it ends.
        naive: the shares as perceived, taking the classifier to be right.
        naive_low: where Wilson's interval of the naive share begins.
        naive_high: where it ends.
        n: pictures (...).
    """

    share: Floats
    low: Floats
    high: Floats
    naive: Floats
    naive_low: Floats
    naive_high: Floats
    n: Floats


def corrected_shares(perceived: ArrayLike, confusion: ArrayLike, *, confidence: float = 0.95) -> Shares:
    """Shares of the true values from counts of the perceived ones.

    With M the chances of perceiving o where t is true, the perceived chances are q = Mᵀπ. The shares are the most
    likely ones among those that are none below 0 (expectation maximisation). The interval of a share holds every value
    v that a test does not refuse: the distance of the unbounded estimate (Mᵀ)⁻¹q from v, in standard errors at v of the
    multinomial counts and of the measured M (Fieller, 1954, for two values), ordered by the likelihood ratio within 0
    and 1 (Feldman and Cousins, 1998), so that it neither is empty nor too sure near 0 and 1. For two values this is
    Rogan and Gladen's correction (1978) with a score interval.

    Args:
        perceived: counts (..., K) of pictures by perceived value.
        confusion: counts (..., K, K) of labelled pictures, by true value (rows) and perceived value (columns).
        confidence: of each interval, on its own.

    Raises:
        InputError: the counts do not fit each other, are negative or not finite, or the confidence is not a share.
    """
    counts, labelled = np.asarray(perceived, dtype=np.float64), np.asarray(confusion, dtype=np.float64)
    check_counts(counts, labelled, confidence)
    n, seen = counts.sum(-1), labelled.sum(-1)
    chances = _divided(labelled, seen[..., None], 1.0 / counts.shape[-1])
    naive = _divided(counts, n[..., None], 1.0 / counts.shape[-1])
    naive_low, naive_high = wilson(counts, n[..., None], confidence)
    share = most_likely(counts, chances)
    low, high = _limits(_Question(counts=counts, labelled=labelled, chances=chances, share=share), 1.0 - confidence)
    return Shares(share=share, low=low, high=high, naive=naive, naive_low=naive_low, naive_high=naive_high, n=n)


def wilson(counts: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson's score interval (1927) of binomial shares; 0 to 1 where there is nothing."""
    k, m = np.asarray(counts, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z2 = float(ndtri(0.5 + confidence / 2.0)) ** 2
    middle = k + z2 / 2.0
    half = np.sqrt(z2 * (_divided(k * (m - k), m, 0.0) + z2 / 4.0))
    low, high = (middle - half) / (m + z2), (middle + half) / (m + z2)
    return np.where(k <= 0.0, 0.0, low), np.where(k >= m, 1.0, high)


def most_likely(counts: Floats, chances: Floats) -> Floats:
    """The shares (..., K) under which the counts of perceived values are most likely, none below 0."""
    share = np.full(np.broadcast_shapes(counts.shape, chances.shape[:-1]), 1.0 / counts.shape[-1])
    n = np.maximum(counts.sum(-1, keepdims=True), 1.0)
    empty = counts.sum(-1, keepdims=True) <= 0.0
    for _ in range(_ROUNDS):
        perceived = np.einsum("...t,...to->...o", share, chances)
        weight = _divided(counts, perceived, 0.0)
        new = share * np.einsum("...to,...o->...t", chances, weight) / n
        new = np.where(empty, share, new / np.maximum(new.sum(-1, keepdims=True), 1e-300))
        done = float(np.abs(new - share).max(initial=0.0)) < 1e-10
        share = new
        if done:
            break
    return share


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Question:
    """What the intervals are drawn from, broadcast over leading axes."""

    counts: Floats
    labelled: Floats
    chances: Floats
    share: Floats


def _limits(asked: _Question, alpha: float) -> tuple[Floats, Floats]:
    """The ends (..., K) of the intervals."""
    size = asked.counts.shape[-1]
    rows, usable = _inverse(asked.chances)
    n = asked.counts.sum(-1)
    usable = usable & (n > 0.0) & (asked.labelled.sum(-1) > 0.0).all(-1)
    naive = _divided(asked.counts, n[..., None], 1.0 / size)
    free = np.einsum("...to,...o->...t", rows, naive)  # may lie below 0 or above 1
    ends = []
    for k in range(size):
        p_at = _Test(asked, rows[..., k, :], free[..., k], k)
        low, high = _ends(p_at, alpha)
        ends.append((np.where(usable, low, 0.0), np.where(usable, high, 1.0)))
    low, high = (np.stack([pair[side] for pair in ends], axis=-1) for side in (0, 1))
    return np.minimum(low, asked.share), np.maximum(high, asked.share)


def _inverse(chances: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """(Mᵀ)⁻¹ (..., K, K), and where it exists: where the classifier tells the values apart at all."""
    turned = np.swapaxes(chances, -1, -2)
    usable = np.linalg.cond(turned) < 1e6
    safe = np.where(usable[..., None, None], turned, np.eye(chances.shape[-1]))
    return np.linalg.inv(safe), usable


class _Test:
    """The p-value of "the share of value k is v"."""

    def __init__(self, asked: _Question, weights: Floats, free: Floats, k: int) -> None:
        self.asked, self.weights, self.free, self.k = asked, weights, free, k
        seen = asked.labelled.sum(-1)
        self._labels = np.maximum(seen, 1.0)
        self._n = np.maximum(asked.counts.sum(-1), 1.0)
        # Chances of 0 and 1 are not known to be so.
        self._wide = (asked.labelled + _EXTRA) / (seen[..., None] + _EXTRA * asked.counts.shape[-1])

    def __call__(self, v: Floats) -> Floats:
        """p-values of v, an array whose last axes are the question's leading ones."""
        share = self._shares_at(v)
        error, skew = self._error(share, self.free - v)
        z, below, above = (self.free - v) / error, v / error, (1.0 - v) / error
        near = np.minimum(np.abs(z), 3.0 / np.maximum(np.abs(skew), 1e-9))
        z = z - skew * (near**2 - 1.0) / 6.0
        ratio = z**2
        ratio = np.where(z < -below, np.maximum(-2.0 * z * below - below**2, 0.0), ratio)
        ratio = np.where(z > above, np.maximum(2.0 * z * above - above**2, 0.0), ratio)
        root = np.sqrt(ratio)
        with np.errstate(divide="ignore", invalid="ignore"):
            last = np.where(root <= above, root, (ratio + above**2) / (2.0 * above))
            first = np.where(root <= below, -root, -(ratio + below**2) / (2.0 * below))
        last = np.where((above <= 0.0) & (root > above), np.inf, last)
        first = np.where((below <= 0.0) & (root > below), -np.inf, first)
        p: Floats = ndtr(-last) + ndtr(first)
        return p

    def _shares_at(self, v: Floats) -> Floats:
        """The shares with v for value k, the others in proportion."""
        share = self.asked.share
        others = np.arange(share.shape[-1]) != self.k
        rest = share * others
        left = rest.sum(-1, keepdims=True)
        scaled = np.where(left > 1e-9, _divided(rest, left, 0.0), others / (share.shape[-1] - 1.0))
        at = scaled * (1.0 - v)[..., None]
        at[..., self.k] = v
        return at

    def _error(self, share: Floats, distance: Floats) -> tuple[Floats, Floats]:
        """Standard error and skewness of the estimate, with the chances that are likely where it is v."""
        weights, chances = self.weights, self._wide
        turned = weights[..., None, :]
        for last in (False, False, True):
            perceived = np.einsum("...t,...to->...o", share, chances)
            of_labels = share**2 * _spread(chances, turned) / self._labels
            variance = np.maximum(_spread(perceived, weights) / self._n + of_labels.sum(-1), 1e-300)
            if last:
                break
            # What the counts say beyond v is laid to the labels' error as far as that has a part in the spread.
            pull = (share / self._labels) * (distance / variance)[..., None]
            leaning = chances * (turned - (chances * turned).sum(-1, keepdims=True))
            moved = np.clip(self._wide + pull[..., None] * leaning, 1e-6, None)
            chances = moved / moved.sum(-1, keepdims=True)
        third = _third(perceived, weights) / self._n**2
        third = third - (share**3 * _third(chances, turned) / self._labels**2).sum(-1)
        error = np.sqrt(variance)
        return error, third / error**3


def _ends(p_at: _Test, alpha: float) -> tuple[Floats, Floats]:
    """The outermost values that are not refused, on both sides of the estimate."""
    point = np.clip(p_at.free, 0.0, 1.0)
    outer = np.stack([np.zeros_like(point), np.ones_like(point)])
    inner = np.stack([point, point])
    part = (np.arange(_STEPS + 1) / _STEPS).reshape(-1, *[1] * outer.ndim)
    for _ in range(_ROUNDS_OF_ENDS):
        values = outer + part * (inner - outer)  # (steps, 2, ...)
        held = p_at(values) >= alpha
        held[-1] = True
        first = held.argmax(0)[None]
        outer = np.take_along_axis(values, np.maximum(first - 1, 0), 0)[0]
        inner = np.take_along_axis(values, first, 0)[0]
    return inner[0], inner[1]


def _spread(chances: Floats, weights: Floats) -> Floats:
    """Variance of a weighted sum of one multinomial draw."""
    first = (chances * weights).sum(-1)
    spread: Floats = np.maximum((chances * weights**2).sum(-1) - first**2, 0.0)
    return spread


def _third(chances: Floats, weights: Floats) -> Floats:
    """Third central moment of a weighted sum of one multinomial draw."""
    first = (chances * weights).sum(-1)
    third: Floats = (chances * (weights - first[..., None]) ** 3).sum(-1)
    return third


def _divided(top: Floats, bottom: Floats, otherwise: float) -> Floats:
    top, bottom = np.broadcast_arrays(top, bottom)
    found: Floats = np.divide(top, bottom, out=np.full(top.shape, otherwise), where=bottom > 0.0)
    return found


def check_counts(counts: Floats, labelled: Floats, confidence: float) -> None:
    """Refuse counts (..., K) and labels (..., K, K) that do not fit each other, and what is no confidence.

    Raises:
        InputError: naming what is wrong.
    """
    if not 0.5 < confidence < 1.0:
        raise InputError(f"The confidence {confidence} is not between 0.5 and 1.", "Give a share, such as 0.95.")
    size = counts.shape[-1] if counts.ndim else 0
    if size < 2 or labelled.shape[-2:] != (size, size):
        raise InputError(
            f"Counts of shape {counts.shape} and labels of shape {labelled.shape} do not fit each other.",
            "Give a count for each value, and labels by true and perceived value.",
        )
    for what, array in (("perceived", counts), ("labelled", labelled)):
        if not (np.isfinite(array) & (array >= 0.0)).all():
            raise InputError(f"A count of {what} pictures is negative or no number.", "Give counts of 0 or more.")
