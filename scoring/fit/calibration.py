"""From a score to the share of reviewers who approve pictures of that score, learnt from reviews, with its error.

A score has no scale of its own: whether 60 is much is for the people to say who approve and reject. From their reviews
follows, for any score, the chance to be approved, so that of pictures with ".8" they approve 80 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Fewer reviews, or fewer of either kind, say too little.
MIN_REVIEWS, MIN_OF_A_KIND = 50, 10
#: From so many reviews on the shape of the curve is left to them, where that foretells the others better.
ISOTONIC_FROM = 200
_KNOTS = 65
_RESAMPLES = 200
_FOLDS = 5
_MOST_BINS, _LEAST_IN_BIN = 10, 15
_SLOPE = 2.5  # standard deviation that a slope of the standardised score is thought to have: weak
_SEED = 20260101


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """How well chances foretold reviews that they were not learnt from; the bins hold equally many.

    ``foretold`` and ``approved`` are shares (bins,), ``count`` reviews (bins,). ``error`` is the expected calibration
    error: the mean distance of the two, weighted by count. ``by_chance`` is what perfect chances would show, as a bin's
    share is off by luck; only what goes beyond it is a fault.
    """

    foretold: tuple[float, ...]
    approved: tuple[float, ...]
    count: tuple[int, ...]
    error: float
    by_chance: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """A curve from score to the share of reviewers who approve, by knots; flat beyond the scores that were reviewed.

    ``method`` is "logistic" or "isotonic"; ``low`` and ``high`` bound the curve's 95 % interval at the knots.
    """

    method: str
    reviews: int
    approved: int
    knots: Floats
    curve: Floats
    low: Floats
    high: Floats
    reliability: Reliability

    def share(self, values: Floats) -> Floats:
        """The share (0–1) of reviewers who approve pictures of these scores (n,)."""
        return np.asarray(np.interp(values, self.knots, self.curve), dtype=np.float64)

    def interval(self, values: Floats) -> tuple[Floats, Floats]:
        """Where the 95 % interval of that share begins and ends, each (n,)."""
        ends = (np.interp(values, self.knots, end) for end in (self.low, self.high))
        low, high = (np.asarray(end, dtype=np.float64) for end in ends)
        return low, high


def lacking(approved: ArrayLike) -> str:
    """What is missing to calibrate by these reviews (n,) of True and False, in words; "" where nothing is."""
    labels = np.asarray(approved, dtype=bool)
    yes, no = int(labels.sum()), int((~labels).sum())
    kinds = ((yes, "approvals"), (no, "rejections"))
    parts = [f"{MIN_REVIEWS - labels.size} more reviews"] if labels.size < MIN_REVIEWS else []
    parts += [f"{MIN_OF_A_KIND - count} more {kind}" for count, kind in kinds if count < MIN_OF_A_KIND]
    return " and ".join(parts)


def calibrate(values: ArrayLike, approved: ArrayLike) -> Calibration | None:
    """Learn the curve from reviewed scores (n,) and what was decided (n,); None where ``lacking`` names something.

    Below ``ISOTONIC_FROM`` reviews a logistic curve of the score (Platt, 1999), with a weak prior on its slope; from
    then on the isotonic curve, any that never falls (Zadrozny and Elkan, 2002), where in five-fold cross-validation it
    has the smaller log loss: with few labels it fits their luck (Niculescu-Mizil and Caruana, 2005). Either is the mean
    over bootstrap resamples, which smooths the steps; their middle 95 % are the interval.
    """
    scores, labels = np.asarray(values, dtype=np.float64), np.asarray(approved, dtype=bool)
    if lacking(labels):
        return None
    order = np.argsort(scores, kind="stable")
    scores, labels = scores[order], labels[order].astype(np.float64)
    methods: dict[str, _Fit] = {"logistic": _logistic}
    if len(scores) >= ISOTONIC_FROM:
        methods["isotonic"] = _isotonic
    foretold = {name: _cross_validated(scores, labels, fit) for name, fit in methods.items()}
    method = min(foretold, key=lambda name: log_loss(foretold[name], labels))
    knots = np.unique(np.quantile(scores, np.linspace(0.0, 1.0, _KNOTS)))
    curves = _resampled(scores, labels, knots, methods[method], _RESAMPLES)
    low, high = np.quantile(curves, (0.025, 0.975), axis=0)
    return Calibration(
        method=method,
        reviews=len(scores),
        approved=int(labels.sum()),
        knots=knots,
        curve=curves.mean(axis=0),
        low=low,
        high=high,
        reliability=reliability(foretold[method], labels),
    )


def reliability(foretold: ArrayLike, approved: ArrayLike) -> Reliability:
    """Compare chances (n,) with what came (n,), in at most ten bins of equally many."""
    chances, labels = np.asarray(foretold, dtype=np.float64), np.asarray(approved, dtype=np.float64)
    order = np.argsort(chances, kind="stable")
    bins = np.array_split(order, max(1, min(_MOST_BINS, len(order) // _LEAST_IN_BIN)))
    count = np.array([len(one) for one in bins])
    said = np.array([chances[one].mean() for one in bins])
    came = np.array([labels[one].mean() for one in bins])
    spread = np.array([np.sqrt((chances[one] * (1.0 - chances[one])).sum()) / len(one) for one in bins])
    return Reliability(
        foretold=tuple(said.tolist()),
        approved=tuple(came.tolist()),
        count=tuple(count.tolist()),
        error=float((np.abs(said - came) * count).sum() / count.sum()),
        by_chance=float((np.sqrt(2.0 / np.pi) * spread * count).sum() / count.sum()),
    )


def log_loss(foretold: Floats, approved: Floats) -> float:
    """The mean negative log likelihood of what came, with chances kept from 0 and 1 by 1 in 1,000."""
    kept = np.clip(foretold, 0.001, 0.999)
    return float(-(approved * np.log(kept) + (1.0 - approved) * np.log(1.0 - kept)).mean())


_Fit = Callable[[Floats, Floats, Floats, Floats], Floats]


def _resampled(scores: Floats, labels: Floats, at: Floats, fit: _Fit, times: int) -> Floats:
    """Curves (times, len(at)) of bootstrap resamples, each as counts of how often a review is in it."""
    rng = np.random.default_rng(_SEED)
    counts = rng.multinomial(len(scores), np.full(len(scores), 1.0 / len(scores)), size=times).astype(np.float64)
    return fit(scores, labels, counts, at)


def _cross_validated(scores: Floats, labels: Floats, fit: _Fit) -> Floats:
    """For each review the chance from curves learnt without its fold; every fold has all heights of score."""
    fold = np.arange(len(scores)) % _FOLDS
    foretold = np.empty(len(scores))
    for one in range(_FOLDS):
        rest = fold != one
        curves = _resampled(scores[rest], labels[rest], scores[~rest], fit, _RESAMPLES // 8)
        foretold[~rest] = curves.mean(axis=0)
    return foretold


def _logistic(scores: Floats, labels: Floats, counts: Floats, at: Floats) -> Floats:
    """Logistic curves at ``at`` (resamples, len(at)), all resamples' Newton steps at once."""
    middle, spread = scores.mean(), max(float(scores.std()), 1e-12)
    x = (scores - middle) / spread
    level, slope = np.zeros(len(counts)), np.zeros(len(counts))
    for _ in range(12):
        chance = _sigmoid(level[:, None] + slope[:, None] * x)
        left = counts * (labels - chance)
        weight = counts * chance * (1.0 - chance)
        g0, g1 = left.sum(axis=1), left @ x - slope / _SLOPE**2
        h00 = weight.sum(axis=1) + 1e-6
        h01, h11 = weight @ x, weight @ (x * x) + 1.0 / _SLOPE**2
        size = h00 * h11 - h01**2
        level = level + np.clip((h11 * g0 - h01 * g1) / size, -2.0, 2.0)
        slope = slope + np.clip((h00 * g1 - h01 * g0) / size, -2.0, 2.0)
    slope = np.maximum(slope, 0.0)  # a higher score is never a reason to reject
    flat = np.log((counts @ labels + 0.5) / (counts @ (1.0 - labels) + 0.5))
    level = np.where(slope > 0.0, level, flat)
    return _sigmoid(level[:, None] + slope[:, None] * ((at - middle) / spread))


def _isotonic(scores: Floats, labels: Floats, counts: Floats, at: Floats) -> Floats:
    """Isotonic curves at ``at`` (resamples, len(at)): level within a block, straight lines from one to the next."""
    return np.stack([_isotonic_one(scores, labels, count, at) for count in counts])


def _isotonic_one(scores: Floats, labels: Floats, count: Floats, at: Floats) -> Floats:
    from scipy.optimize import isotonic_regression

    unique, place = np.unique(scores, return_inverse=True)
    weight = np.bincount(place, count)
    seen = weight > 0
    share = np.bincount(place, count * labels)[seen] / weight[seen]
    found = isotonic_regression(share, weights=weight[seen])
    blocks = found.blocks[:-1]
    sizes = np.add.reduceat(weight[seen], blocks)
    heights = np.add.reduceat(weight[seen] * share, blocks)
    # half an approval and half a rejection more keep a block of few from 0 and 1; then again none may fall
    lifted = isotonic_regression((heights + 0.5) / (sizes + 1.0), weights=sizes).x
    steps = np.repeat(lifted, np.diff(found.blocks))
    return np.asarray(np.interp(at, unique[seen], steps), dtype=np.float64)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))), dtype=np.float64)
