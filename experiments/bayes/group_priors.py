"""Priors pooled over groups: campaigns, markets or metrics that are alike, but not the same.

Effects vary within a group around the group's mean, and group means around a common mean: ``x_ij = effect_ij + error``,
``effect_ij ~ Normal(m_j, t)``, ``m_j ~ Normal(m, w)``. A group with much data keeps its own mean, one with little
borrows the common one: partial pooling (Raudenbush and Bryk 1985). How much is decided by the spreads ``t`` and ``w``.
They are averaged over: every pair on a grid has the weight that the past estimates give it, effects and means
integrated out, times half-Cauchy priors of scale ``typical`` (Gelman 2006); the common mean has the prior
Normal(0, sqrt(t^2 + w^2)).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.bayes.effect_priors import MixturePrior
from experiments.bayes.priors import FEWEST, TYPICAL
from proofsheet.domain.result import Status
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Members = NDArray[np.intp]

_GRID = 33
_LEAST_WEIGHT = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMean:
    """A group's mean effect after pooling, with its standard deviation, and how many experiments it rests on."""

    mean: float
    sd: float
    experiments: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroupedPrior:
    """Priors for new effects in known groups and in a new one.

    Args:
        mean, mean_error: the common mean and its standard deviation.
        within, between: expected spreads ``t`` and ``w``.
        groups: pooled means by group.
        priors: for a new effect in each group; ``new_group`` for one in a group not seen before.
        status, reason: OK; NO_DATA or TOO_FEW when the priors rest mostly on the typical spread given.
    """

    mean: float
    mean_error: float
    within: float
    between: float
    groups: Mapping[Hashable, GroupMean]
    priors: Mapping[Hashable, MixturePrior]
    new_group: MixturePrior
    experiments: int
    status: Status
    reason: str

    def prior_for(self, group: Hashable) -> MixturePrior:
        """The prior of a new effect in this group; that of a new group when it was not seen before."""
        return self.priors.get(group, self.new_group)


@dataclass(frozen=True, slots=True, eq=False)
class _Pooled:
    """For one spread within and several between, one row each: log likelihood, common mean, and groups' means."""

    log_likelihood: Array
    mean: Array
    mean_variance: Array
    group_mean: Array
    group_variance: Array


def learn_group_priors(
    effects: ArrayLike, errors: ArrayLike, groups: Sequence[Hashable], *, typical: float = TYPICAL
) -> GroupedPrior:
    """Learn both spreads, the common mean and the groups' means.

    Args:
        effects, errors: one-dimensional; those that are not finite, or whose error is not above 0, are left out.
        groups: the group of each.
        typical: a usual spread of true effects in their unit; 0.1 for lifts.

    Raises:
        InputError: the lengths differ, or ``typical`` is not above 0.
    """
    x, s = np.asarray(effects, dtype=float), np.asarray(errors, dtype=float)
    if x.ndim != 1 or x.shape != s.shape or len(groups) != x.size:
        raise InputError(
            f"There are {x.size} effects, {s.size} errors and {len(groups)} groups.", "Give one of each per experiment."
        )
    if not (math.isfinite(typical) and typical > 0):
        raise InputError(f"The typical spread {typical} is not above 0.", "Give a usual size of effects, such as 0.1.")
    keep = np.isfinite(x) & np.isfinite(s) & (s > 0)
    place: dict[Hashable, int] = {}
    member = np.array(
        [place.setdefault(g, len(place)) for g, kept in zip(groups, keep, strict=True) if kept], dtype=np.intp
    )
    x, s = x[keep], s[keep]
    within, between, weight, pooled = _averaged(x, s, member, len(place), typical)
    kept = weight > _LEAST_WEIGHT * weight.max()
    within, between, weight = within[kept], between[kept], weight[kept] / weight[kept].sum()
    mean, variance = pooled.mean[kept], pooled.mean_variance[kept]
    group_mean, group_variance = pooled.group_mean[kept], pooled.group_variance[kept]
    log_weight = np.log(weight)
    counts = np.bincount(member, minlength=len(place))
    means = {g: _moments(weight, group_mean[:, k], group_variance[:, k]) for g, k in place.items()}
    common = _moments(weight, mean, variance)
    few = x.size < FEWEST
    return GroupedPrior(
        mean=common[0],
        mean_error=common[1],
        within=float(weight @ within),
        between=float(weight @ between),
        groups=MappingProxyType(
            {g: GroupMean(mean=m, sd=sd, experiments=int(counts[place[g]])) for g, (m, sd) in means.items()}
        ),
        priors=MappingProxyType(
            {
                g: MixturePrior(
                    mean=group_mean[:, k], sd=np.sqrt(within**2 + group_variance[:, k]), log_weight=log_weight
                )
                for g, k in place.items()
            }
        ),
        new_group=MixturePrior(mean=mean, sd=np.sqrt(within**2 + between**2 + variance), log_weight=log_weight),
        experiments=int(x.size),
        status=Status.NO_DATA if not x.size else Status.TOO_FEW if few else Status.OK,
        reason=(
            f"{x.size} past experiments say little: the priors rest mostly on a typical spread of effects of "
            f"{typical:g}."
            if few
            else ""
        ),
    )


def pooled_log_likelihood(x: Array, s: Array, member: Members, groups: int, within: float, between: Array) -> Array:
    """The log likelihood of the estimates for one spread within and several between, all means integrated out."""
    return _pool(x, s, member, groups, within, between).log_likelihood


def _averaged(x: Array, s: Array, member: Members, groups: int, typical: float) -> tuple[Array, Array, Array, _Pooled]:
    """Spreads of the grid, one row a pair, their weights, and what follows from each pair; a second grid is closer."""
    low = math.log(min(typical * math.exp(-4.0), 0.1 * float(s.min(initial=math.inf))))
    high = math.log(max(typical * math.exp(2.5), 2.0 * float(np.abs(x).max(initial=0.0))))
    ends = [(low, high), (low, high)]
    for _ in range(2):
        log_within, log_between = (np.linspace(*pair, _GRID) for pair in ends)
        within, between = np.repeat(np.exp(log_within), _GRID), np.tile(np.exp(log_between), _GRID)
        rows = [_pool(x, s, member, groups, float(t), np.exp(log_between)) for t in np.exp(log_within)]
        pooled = _Pooled(*(np.concatenate([getattr(r, name) for r in rows]) for name in _Pooled.__slots__))
        before = sum(np.log(a) - np.log1p((a / typical) ** 2) for a in (within, between))
        log_weight = pooled.log_likelihood + before
        weight = np.exp(log_weight - special.logsumexp(log_weight))
        table = weight.reshape(_GRID, _GRID)
        ends = [_closer(log_within, table.sum(axis=1)), _closer(log_between, table.sum(axis=0))]
    return within, between, weight, pooled


def _closer(log_spread: Array, weight: Array) -> tuple[float, float]:
    """Between which spreads the weight lies, but for a millionth of its greatest."""
    heavy = np.flatnonzero(weight > 1e-6 * weight.max())
    return float(log_spread[max(heavy[0] - 1, 0)]), float(log_spread[min(heavy[-1] + 1, weight.size - 1)])


def _pool(x: Array, s: Array, member: Members, groups: int, within: float, between: Array) -> _Pooled:
    """A group's estimates have the covariance ``diag(s^2 + t^2) + w^2``, whose inverse and determinant are closed."""
    variance = s**2 + within**2
    total = np.bincount(member, 1.0 / variance, minlength=groups)
    own = np.bincount(member, x / variance, minlength=groups) / total
    square = float(np.sum((x - own[member]) ** 2 / variance))
    grown = 1.0 + between[:, None] ** 2 * total
    share = total / grown
    loose = within**2 + between**2  # of the common mean, before
    precision = np.sum(share, axis=1) + 1.0 / loose
    mean = np.sum(share * own, axis=1) / precision
    apart = np.sum(share * own**2, axis=1) - precision * mean**2
    logs = np.sum(np.log(variance)) + np.sum(np.log(grown), axis=1) + np.log(loose * precision)
    pull = 1.0 / grown  # the common mean's share in a group's
    return _Pooled(
        log_likelihood=-(logs + square + apart + x.size * math.log(2.0 * math.pi)) / 2.0,
        mean=mean,
        mean_variance=1.0 / precision,
        group_mean=own + pull * (mean[:, None] - own),
        group_variance=between[:, None] ** 2 * pull + pull**2 / precision[:, None],
    )


def _moments(weight: Array, mean: Array, variance: Array) -> tuple[float, float]:
    """Mean and standard deviation over the grid."""
    centre = float(weight @ mean)
    return centre, math.sqrt(float(weight @ (variance + (mean - centre) ** 2)))
