"""Several arms against one control: their effects share its error, and what one shows tells of the others.

The estimate of arm i is ``x_i = effect_i + own_i e_i - load_i c`` with independent standard normals ``e_i`` and ``c``,
the control's deviation. Where all arms look good at once the control was probably unlucky, and a winner among them
must shrink more than its own estimate says. Given ``c`` the arms are independent, each with the posterior of
``posterior``; ``c`` itself is standard normal times the chance of all estimates (normal again under a normal prior).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.bayes.effect_priors import FlatPrior, MixturePrior, NormalPrior, Prior, StudentPrior
from experiments.bayes.normal_mixture import NormalMixture, mixture
from experiments.bayes.posterior import NODES, log_marginal, posterior
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_CONTROL, _STEP = np.linspace(-6.5, 6.5, 41, retstep=True)
_PARTS = 2_000_000  # parts of mixtures at a time, for the memory's sake


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SharedPosterior:
    """Normal posteriors of effects that share a control: ``effect_i = mean_i + own_i Z_i + shared_i Z_0``.

    Arrays of shape (…, k); ``sd`` is that of the whole. ``own`` and ``shared`` are what ``best_arm.best_of_effects``
    takes.
    """

    mean: Array
    own: Array
    shared: Array
    known: Flags

    @property
    def sd(self) -> Array:
        """The standard deviation of each effect."""
        return np.hypot(self.own, self.shared)

    @property
    def each(self) -> NormalMixture:
        """The posterior of each effect by itself."""
        return mixture(0.0, self.mean[..., None], self.sd[..., None], self.known)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShrunkEffects:
    """Each effect by itself: posterior mean and standard deviation, and the chance above a threshold; one shape."""

    mean: Array
    sd: Array
    chance_above: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Winner:
    """The best-looking arm of each experiment, raw and shrunk; arrays of the shape before the arms.

    Args:
        arm: its place along the axis of arms.
        raw: its estimate; 0 where ``known`` is False (no arm could be estimated, and all else is the prior's).
        mean, sd, low, high, chance_above: of its posterior; the last is its chance to beat the control.
    """

    arm: NDArray[np.intp]
    raw: Array
    mean: Array
    sd: Array
    low: Array
    high: Array
    chance_above: Array
    known: Flags


def shared_posterior(
    effect: ArrayLike, own_error: ArrayLike, control_error: ArrayLike, prior: FlatPrior | NormalPrior | None = None
) -> SharedPosterior:
    """The joint posterior of all effects of one experiment under a normal (or flat) prior; closed.

    Args:
        effect: estimates, shape (…, k), one arm each along the last axis: differences, or lifts.
        own_error: standard errors of the arms' own part (that of the arm's value; over ``|control|`` for lifts).
        control_error: that of the control's part, broadcast with the effects (for lifts
            ``|arm| / control^2`` times the error of the control's value, nearly the same for all).
        prior: of each effect, independently; flat when not given.

    Returns:
        Where an own error is not positive and finite, or an effect not finite, that arm says nothing: ``known`` is
        False and its posterior is the prior.
    """
    x, own, load, known = _estimates(effect, own_error, control_error)
    centre, width = (0.0, np.inf) if prior is None or isinstance(prior, FlatPrior) else (prior.mean, prior.sd)
    m, tau = (np.broadcast_to(np.asarray(a, dtype=float), x.shape) for a in (centre, width))
    # The control's deviation: precision 1 before, and one more measurement of it by every arm.
    measure = np.where(known, load / np.hypot(own, tau), 0.0)
    precision = 1.0 + np.sum(measure**2, axis=-1, keepdims=True)
    surprise = np.where(known, measure / np.hypot(own, tau), 0.0) * (m - x)
    deviation = np.sum(surprise, axis=-1, keepdims=True) / precision
    ratio = own / tau
    keep = np.where(known, 1.0 / (1.0 + ratio**2), 0.0)
    return SharedPosterior(
        mean=np.where(known, m + keep * (x + load * deviation - m), m),
        own=np.where(known, own * np.sqrt(keep), tau),
        shared=keep * load / np.sqrt(precision),
        known=known,
    )


def each_posterior(
    effect: ArrayLike, own_error: ArrayLike, control_error: ArrayLike, prior: Prior | None = None
) -> NormalMixture:
    """The posterior of each effect, the others taken into account, under any prior; arguments as above.

    Under a Student or a mixture prior the control's deviation is summed over 41 nodes, and each effect is a mixture of
    some thousands of normals: meant for a page of results; for thousands of experiments there is ``shrunk_effects``.
    """
    if prior is None or isinstance(prior, FlatPrior | NormalPrior):
        return shared_posterior(effect, own_error, control_error, prior).each
    x, own, load, known = _estimates(effect, own_error, control_error)
    rows = (-1, x.shape[-1])
    local = _rows_of(prior, x.shape, slice(None))
    parts, log_weight = _given_control(
        x.reshape(rows), own.reshape(rows), load.reshape(rows), known.reshape(rows), local
    )
    flat = (*x.shape, -1)
    return mixture(
        (parts.log_weight + log_weight[:, None, :, None]).reshape(flat),
        parts.centre.reshape(flat),
        parts.spread.reshape(flat),
        known,
    )


def shrunk_effects(
    effect: ArrayLike,
    own_error: ArrayLike,
    control_error: ArrayLike,
    prior: Prior | None = None,
    threshold: ArrayLike = 0.0,
) -> ShrunkEffects:
    """Mean, deviation and chance above a threshold of each effect, the others taken into account, for any number.

    Arguments as for ``shared_posterior``; ``threshold`` broadcasts with the effects.
    """
    if prior is None or isinstance(prior, FlatPrior | NormalPrior):
        each = shared_posterior(effect, own_error, control_error, prior).each
        return ShrunkEffects(mean=each.mean, sd=each.sd, chance_above=each.chance_above(threshold))
    x, own, load, known = _estimates(effect, own_error, control_error)
    limit = np.broadcast_to(np.asarray(threshold, dtype=float), x.shape)
    rows = [a.reshape(-1, x.shape[-1]) for a in (x, own, load, limit)]
    known_rows = known.reshape(rows[0].shape)
    found = np.empty((3, *known_rows.shape))
    width = NODES if isinstance(prior, StudentPrior) else prior.log_weight.shape[-1]
    at_once = max(1, _PARTS // (x.shape[-1] * width * len(_CONTROL)))
    for start in range(0, len(known_rows), at_once):
        piece = slice(start, start + at_once)
        x_part, own_part, load_part, limit_part = (a[piece] for a in rows)
        local = _rows_of(prior, x.shape, piece)
        parts, log_weight = _given_control(x_part, own_part, load_part, known_rows[piece], local)
        share = np.exp(log_weight)[:, None, :]
        mean = np.sum(share * parts.mean, axis=-1)
        spread = np.sum(share * (parts.sd**2 + (parts.mean - mean[..., None]) ** 2), axis=-1)
        above = np.sum(share * parts.chance_above(limit_part[..., None]), axis=-1)
        found[:, piece] = mean, np.sqrt(spread), above
    mean, sd, above = (a.reshape(known.shape) for a in found)
    return ShrunkEffects(mean=mean, sd=sd, chance_above=np.clip(above, TINY, 1.0))


def shrunk_winner(
    effect: ArrayLike,
    own_error: ArrayLike,
    control_error: ArrayLike,
    prior: Prior | None = None,
    alpha: float = 0.05,
) -> Winner:
    """The arm with the best estimate and what is left of it once its being chosen is taken into account.

    Arguments as for ``shared_posterior``, with more being better; ``1 - alpha`` is the chance of the interval. Given
    the prior, the posterior of the chosen arm needs no further correction for the choice (Dawid 1994; Senn 2008).
    """
    x = np.asarray(effect, dtype=float)
    each = each_posterior(x, own_error, control_error, prior)
    raw = np.where(each.known, x, -np.inf)
    arm = np.argmax(raw, axis=-1)

    def chosen(values: Array, axes: int = 1) -> Array:
        index = np.expand_dims(arm, tuple(range(-axes, 0)))
        return np.take_along_axis(values, index, axis=-axes).squeeze(-axes)

    one = mixture(chosen(each.log_weight, 2), chosen(each.centre, 2), chosen(each.spread, 2), each.known.any(axis=-1))
    low, high = one.limits(alpha)
    return Winner(
        arm=arm,
        raw=np.where(one.known, chosen(np.broadcast_to(x, raw.shape)), 0.0),
        mean=one.mean,
        sd=one.sd,
        low=low,
        high=high,
        chance_above=one.chance_above(),
        known=one.known,
    )


def _given_control(
    x: Array, own: Array, load: Array, known: Flags, prior: StudentPrior | MixturePrior
) -> tuple[NormalMixture, Array]:
    """The effects' posteriors given each deviation of the control, shape (rows, k, nodes), and its log weights.

    Args:
        prior: as ``_rows_of`` gives it.
    """
    moved = x[..., None] + load[..., None] * _CONTROL
    fit = np.where(known[..., None], log_marginal(moved, own[..., None], prior), 0.0)
    log_weight = np.sum(fit, axis=-2) - _CONTROL**2 / 2.0
    log_weight = log_weight - special.logsumexp(log_weight, axis=-1, keepdims=True)
    return posterior(moved, np.where(known, own, np.inf)[..., None], prior), np.asarray(log_weight)


def _rows_of(prior: StudentPrior | MixturePrior, shape: tuple[int, ...], rows: slice) -> StudentPrior | MixturePrior:
    """The prior of some rows of arms, with one more axis for the nodes."""
    k = shape[-1]
    if isinstance(prior, StudentPrior):
        mean, scale, df = (
            np.broadcast_to(np.asarray(a, dtype=float), shape).reshape(-1, k)[rows, :, None]
            for a in (prior.mean, prior.scale, prior.df)
        )
        return StudentPrior(mean=mean, scale=scale, df=df)
    if prior.mean.ndim == 1 and prior.sd.ndim == 1:
        return prior
    parts = prior.log_weight.shape[-1]
    means, sds = (np.broadcast_to(a, (*shape, parts)).reshape(-1, k, 1, parts)[rows] for a in (prior.mean, prior.sd))
    return MixturePrior(mean=means, sd=sds, log_weight=prior.log_weight)


def _estimates(effect: ArrayLike, own_error: ArrayLike, control_error: ArrayLike) -> tuple[Array, Array, Array, Flags]:
    x, own, load = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (effect, own_error, control_error)))
    if x.ndim == 0:
        raise InputError("The effects have no axis of arms.", "Give the arms' effects along the last axis.")
    known = np.isfinite(x) & np.isfinite(own) & (own > 0) & np.isfinite(load)
    return np.where(known, x, 0.0), np.where(known, own, 1.0), np.where(known, load, 0.0), known
