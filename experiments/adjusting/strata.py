"""Post-stratification: means, proportions and ratios over segments, weighted by the segments' population shares.

Within an arm the value is ``sum_h W_h mean_ah`` over strata ``h``. Given how many units of each arm fell into each
stratum, its variance is ``sum_h W_h^2 s_ah^2 / n_ah`` (Miratrix, Sekhon and Yu, JRSS B 2013, who show that the
conditional variance is the one to estimate, and that the loss against blocking beforehand is of order 1/n²).

Where the shares are the sample's own, they vary as well: the values of arms a and b covary by
``sum_h W_h (mean_ah - value_a)(mean_bh - value_b) / N``. In the difference what remains of it is the variance of the
effect between strata over N; without it the interval speaks of the units in the test only. Shares known from elsewhere
(a census, all customers) add nothing.

A ratio is that of the two stratified sums, with the delta method within strata: Cochran's combined ratio estimate
(Sampling Techniques, 1977, §6.11). A proportion is the mean of zeros and ones.

Strata too small: a stratum in which some arm has fewer than ``least`` units is put together with all other such strata
into one, the rest. If the rest is still too small it joins the smallest stratum that is not (the first of equals). The
rule looks at counts only, never at outcomes, so no bias comes of it. With a single stratum left the estimates are the
plain ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.adjusting.arm_estimates import AdjustedContrast, ArmEstimates, MeanContrasts, ratio_gradient
from experiments.basis.moments import Moments
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StratifiedArms:
    """Post-stratified values of all arms, and which strata were too small to stand alone.

    Args:
        estimates: values with their covariance, shape (…, A).
        merged: strata put together with others, shape (…, H).
    """

    estimates: ArmEstimates
    merged: Flags

    def against(self, arm: int, control: int) -> MeanContrasts:
        """One arm against the control, in every experiment of the stack."""
        return self.estimates.against(arm, control)

    def contrast(self, arm: int, control: int, index: Any = ()) -> AdjustedContrast | None:
        """One experiment's contrast for result rows, with what was saved and merged in its note."""
        contrasts = self.against(arm, control)
        saved = float(contrasts.variance_saved[index])
        note = f"Stratifying took {saved:.1%} off the variance of the difference."
        return contrasts.at(index, note=" ".join(part for part in (note, self.note(index)) if part))

    def note(self, index: Any = ()) -> str:
        """How many strata were too small in an experiment; empty when none was."""
        count = int(self.merged[index].sum())
        return f"{count} of {self.merged.shape[-1]} strata were too small and were put together." if count else ""


def stratify_means(arms: Moments, outcome: str, shares: ArrayLike | None = None, *, least: int = 5) -> StratifiedArms:
    """Means (or proportions) of all arms over strata.

    Args:
        arms: moments by arm and stratum, stack shape (…, A, H) with arms and strata last.
        shares: the population's share of each stratum, shape (H,) or (…, H), in any unit (they are divided by their
            sum). None takes the share among all units of the experiment.
        least: units that a stratum needs in every arm to stand alone, 2 or more.

    Returns:
        Arms with fewer than two units are not usable; nothing is NaN.

    Raises:
        InputError: a column is not known, shares are negative or all zero, ``least`` is below 2, or there are no axes
            of arms and strata.
    """
    return _stratify(arms, (outcome,), shares, least)


def stratify_ratios(
    arms: Moments, numerator: str, denominator: str, shares: ArrayLike | None = None, *, least: int = 5
) -> StratifiedArms:
    """Ratios of stratified sums; see ``stratify_means``. An arm with a denominator of zero is not usable."""
    return _stratify(arms, (numerator, denominator), shares, least)


def _stratify(arms: Moments, outcomes: Sequence[str], shares: ArrayLike | None, least: int) -> StratifiedArms:
    _check(arms, least)
    columns = arms.pick(outcomes)
    weights = _shares(columns, shares)
    strata, weights, merged = _merge_small(columns, weights, least)
    n, means = strata.n, strata.mean
    w = weights[..., None, :]
    value = (w[..., None] * means).sum(axis=-2)
    whole = columns.total()
    plain = whole.cross / (np.maximum(whole.n - 1.0, 1.0) * np.maximum(whole.n, 1.0))[..., None, None]
    usable = ((n >= 2) | (w == 0)).all(axis=-1) & (whole.n >= 2)
    gradient = plain_gradient = np.ones_like(value)
    result = value[..., 0]
    if len(outcomes) == 2:
        result, gradient, exists = ratio_gradient(value)
        _, plain_gradient, plain_exists = ratio_gradient(whole.mean)
        usable = usable & exists & plain_exists
    linear = np.einsum("...ai,...ahij,...aj->...ah", gradient, strata.cross, gradient)
    linear = np.where(linear > _noise(strata, gradient), linear, 0.0)
    parts = w**2 * linear / (np.maximum(n - 1.0, 1.0) * np.maximum(n, 1.0))
    own = parts.sum(axis=-1)
    eye = np.eye(own.shape[-1])
    covariance = own[..., None, :] * eye
    if shares is None:
        apart = np.einsum("...ai,...ahi->...ah", gradient, means - value[..., None, :])
        total = np.maximum(n.sum(axis=(-1, -2)), 1.0)
        covariance = covariance + np.einsum("...h,...ah,...bh->...ab", weights, apart, apart) / total[..., None, None]
    kind = "means" if len(outcomes) == 1 else "ratios"
    estimates = ArmEstimates(
        value=result,
        covariance=np.where((eye > 0) & ~usable[..., None], np.inf, covariance),
        own_variance=own,
        df=_df(parts, n),
        plain_variance=np.einsum("...ai,...aij,...aj->...a", plain_gradient, plain, plain_gradient),
        usable=usable,
        method=f"Welch t on post-stratified {kind}, Fieller interval",
    )
    return StratifiedArms(estimates=estimates, merged=merged)


def _shares(columns: Moments, shares: ArrayLike | None) -> Array:
    """Shares that add up to one; those of the sample where none are given."""
    n = columns.n.sum(axis=-2)
    given = n if shares is None else np.asarray(shares, dtype=float)
    if shares is not None:
        fits = given.ndim >= 1 and given.shape[-1] == n.shape[-1]
        if not fits or not np.all(np.isfinite(given) & (given >= 0)) or not np.all(given.sum(axis=-1) > 0):
            raise InputError(
                f"The shares {given.tolist()} are not shares of {n.shape[-1]} strata.",
                "Give one number of 0 or more for each stratum, not all zero.",
            )
    total = given.sum(axis=-1, keepdims=True)
    return np.asarray(np.broadcast_to(given / np.where(total > 0, total, 1.0), n.shape))


def _merge_small(columns: Moments, weights: Array, least: int) -> tuple[Moments, Array, Flags]:
    """Strata with the small ones put together in one more at the end, their weights, and which were merged.

    A stratum put together with others stays in its place without units and without weight.
    """
    n = columns.n
    small = np.asarray((n < least).any(axis=-2))
    rest = _keep(columns, small[..., None, :]).total()
    rest_weight = np.where(small, weights, 0.0).sum(axis=-1)
    needed = (rest_weight > 0) | (rest.n.sum(axis=-1) > 0)
    lacking = np.asarray(needed & (rest.n < least).any(axis=-1) & ~small.all(axis=-1))
    size = np.where(small, np.inf, n.sum(axis=-2))
    host = (np.arange(small.shape[-1]) == size.argmin(axis=-1)[..., None]) & lacking[..., None]
    alone = ~small & ~host
    joined = _keep(columns, host[..., None, :]).total().merge(rest)
    kept = _keep(columns, alone[..., None, :])
    n, mean, cross, low = (
        np.concatenate([getattr(kept, name), np.expand_dims(getattr(joined, name), n.ndim - 1)], axis=n.ndim - 1)
        for name in ("n", "mean", "cross", "mean_rest")
    )
    strata = Moments(names=columns.names, n=n, mean=mean, cross=cross, mean_rest=low)
    kept_weights = np.where(alone, weights, 0.0)
    last_weight = rest_weight + np.where(host, weights, 0.0).sum(axis=-1)
    present = (columns.n.sum(axis=-2) > 0) | (weights > 0)
    together = (small & present) | host
    merged = np.where(together.sum(axis=-1, keepdims=True) > 1, together, False)
    return strata, np.concatenate([kept_weights, last_weight[..., None]], axis=-1), merged


def _keep(moments: Moments, where: Flags) -> Moments:
    """The same stack with other samples emptied."""
    parts = {name: getattr(moments, name) for name in ("mean", "cross", "mean_rest")}
    return Moments(names=moments.names, n=np.where(where, moments.n, 0.0), **parts)


def _noise(strata: Moments, gradient: Array) -> Array:
    """Sums of squares at or below which values of a stratum are all alike, or in one ratio, but for rounding."""
    size = (np.abs(strata.mean) * np.abs(gradient)[..., None, :]).sum(axis=-1)
    parts = np.einsum("...ai,...ahii->...ah", gradient**2, strata.cross)
    return np.asarray(strata.n * (size * 1e-12) ** 2 + 1e-13 * parts)


def _df(parts: Array, n: Array) -> Array:
    """Degrees of freedom of a sum of variances (Satterthwaite), over strata."""
    rest = np.maximum(n - 1.0, 1.0)
    total = np.asarray(parts.sum(axis=-1))
    plain = np.maximum(n.sum(axis=-1) - 1.0, 1.0)
    below = (parts**2 / rest).sum(axis=-1)
    return np.asarray(np.where(below > 0, total**2 / np.where(below > 0, below, 1.0), plain))


def _check(arms: Moments, least: int) -> None:
    if arms.n.ndim < 2 or arms.n.shape[-2] < 2 or arms.n.shape[-1] < 1:
        raise InputError(
            f"The stack has the shape {arms.n.shape}.", "Give arms and strata as its last two axes, two arms or more."
        )
    if least < 2:
        raise InputError(f"The least size of a stratum is {least}.", "Two units or more are needed for a variance.")
