"""Were the arms alike before the test? One joint test over all pre-period metrics, and the metrics that break it.

Under random assignment every arm has the same distribution before exposure, so the pooled covariance is the right one
for the null and no equality of variances has to be assumed beyond it. The joint statistic is Lawley's and Hotelling's
trace with McKeon's F approximation (McKeon 1974), which for two arms is Hotelling's exact T-squared (Hotelling 1931);
in large samples it is the chi-square test with ``metrics * (arms - 1)`` degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.checks.health import BLOCKING_P, WARNING_P, p_text
from proofsheet.domain.result import HealthCheck
from proofsheet.errors import InputError

Array = NDArray[np.float64]

NOTABLE_GAP = 0.005  # standard deviations: smaller gaps move an outcome by less than a test of ad creatives can see
_COLLINEAR = 1e-10  # eigenvalues of the correlation matrix below this are rounding
_ALIKE = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Tests of equal pre-period means, for one experiment or many (leading axes ``...``).

    Attributes:
        statistic: Lawley-Hotelling trace ``(...)``; infinite where a metric is constant within the arms and differs.
        p_value: joint p-value ``(...)``; 1 where ``enough`` is false.
        rank: how many independent metrics there are ``(...)``: constant and collinear ones do not count.
        enough: whether there are two arms and units enough for the test ``(...)``.
        single_p: each metric's F test over the arms, times the number of metrics that vary ``(..., k)`` (Bonferroni).
        gap: largest difference of two arms' means in pooled standard deviations ``(..., k)``.
    """

    statistic: Array
    p_value: Array
    rank: Array
    enough: NDArray[np.bool_]
    single_p: Array
    gap: Array


def compare_baselines(n: ArrayLike, means: ArrayLike, cross: ArrayLike) -> Balance:
    """Test whether all arms have the same means of k pre-period metrics.

    With ``H`` the scatter of the arms' means and ``E`` the scatter within arms, the statistic is ``tr(H E^-1)``. It is
    found from the eigenvalues of ``H`` relative to ``H + E``, on the space that ``H + E`` spans.

    Args:
        n: units of G arms ``(..., G)``; arms without units are left out.
        means: means ``(..., G, k)``.
        cross: sums of products of deviations from the arm's own means ``(..., G, k, k)``.

    Raises:
        InputError: the shapes do not fit each other, a count is negative, or a number is not finite.

    Assumes independent units and enough of them for the means to be nearly normal.
    """
    sizes, mean, scatter = (np.asarray(a, dtype=float) for a in (n, means, cross))
    _check_shapes(sizes, mean, scatter)
    mean = np.where(sizes[..., None] > 0, mean, 0.0)
    total = sizes.sum(axis=-1)
    grand = (sizes[..., None] * mean).sum(axis=-2) / np.maximum(total, 1.0)[..., None]
    deviation = np.where(sizes[..., None] > 0, mean - grand[..., None, :], 0.0)
    between = np.einsum("...g,...gi,...gj->...ij", sizes, deviation, deviation)
    within = np.where(sizes[..., None, None] > 0, scatter, 0.0).sum(axis=-3)
    arms = (sizes > 0).sum(axis=-1).astype(float)
    noise = total[..., None] * (_ALIKE * np.abs(mean).max(axis=-2, initial=0.0)) ** 2
    spread = _diagonal(within)
    spread = np.where(spread > noise, spread, 0.0)
    whole = np.where(_diagonal(between) > noise, _diagonal(between), 0.0) + spread
    statistic, rank = _trace(between, within, whole)
    free, q = total - arms, np.maximum(arms - 1.0, 1.0)
    enough = (arms >= 2) & (rank >= 1) & (free - rank - 1.0 > 2.0)
    joint = _trace_p(statistic, rank, q, np.where(enough, free, rank + 9.0))
    return Balance(
        statistic=statistic,
        p_value=np.where(enough, joint, 1.0),
        rank=rank,
        enough=enough,
        single_p=_single_p(whole, spread, q, np.maximum(free, 1.0), enough),
        gap=_gaps(mean, sizes, spread, np.maximum(free, 1.0), whole),
    )


def pre_period_balance(
    metrics: Sequence[str],
    arms: Sequence[str],
    n: ArrayLike,
    means: ArrayLike,
    cross: ArrayLike,
    *,
    notable: float = NOTABLE_GAP,
    steered: bool = False,
) -> HealthCheck:
    """Did the arms differ before the test began?

    Fails when the joint test is below 0.01 and some metric's gap between two arms is ``notable`` standard deviations
    or more; blocks below 0.001 unless a platform steers delivery. With so many units that a smaller gap is significant
    too the check passes and says so. Metrics whose own test, Bonferroni-corrected, is below 0.01 are named.

    Args:
        metrics, arms: names, in the order of the arrays.
        n, means, cross: as in ``compare_baselines``, of one experiment.

    Raises:
        InputError: as ``compare_baselines``, or the names do not fit the arrays.
    """
    found = compare_baselines(n, means, cross)
    sizes, mean = np.asarray(n, dtype=float), np.asarray(means, dtype=float)
    if mean.shape != (len(arms), len(metrics)):
        raise InputError(
            f"The means have the shape {mean.shape} for {len(arms)} arms and {len(metrics)} metrics.",
            "Give one row per arm and one column per metric.",
        )
    if not found.enough:
        text = "The arms cannot be compared before the test: there are too few units, or nothing varies."
        return HealthCheck(name="pre_period_balance", ok=None, message=text, severity="info")
    p_value, widest = float(found.p_value), float(found.gap.max())
    facts = f"{len(metrics)} metric(s) together, {p_text(p_value)}; largest gap {_gap_text(widest)}"
    if p_value >= WARNING_P:
        text = f"The arms were alike before the test ({facts})."
    elif widest < notable:
        text = (
            f"Before the test the arms differed by more than chance, but by less than {notable:g} standard deviations "
            f"({facts}): too little to matter."
        )
    else:
        text = (
            f"The arms differed before the test ({facts}). {_culprits(metrics, arms, sizes, mean, found)} Part of any "
            "difference in the outcome was there before: adjust for these metrics, and look for the fault in the split."
        )
        severity = "blocking" if p_value < BLOCKING_P and not steered else "warning"
        return HealthCheck(name="pre_period_balance", ok=False, message=text, p_value=p_value, severity=severity)
    return HealthCheck(name="pre_period_balance", ok=True, message=text, p_value=p_value, severity="info")


def _culprits(metrics: Sequence[str], arms: Sequence[str], sizes: Array, mean: Array, found: Balance) -> str:
    """The metrics that break the balance by themselves, the worst first, with the two arms farthest apart."""
    named = [int(j) for j in np.argsort(found.single_p, kind="stable") if found.single_p[j] < WARNING_P]
    if not named:
        return "No single metric stands out; together they do."
    seen = np.flatnonzero(sizes > 0)
    parts = []
    for j in named[:3]:
        high, low = seen[int(np.argmax(mean[seen, j]))], seen[int(np.argmin(mean[seen, j]))]
        parts.append(
            f"{metrics[j]}: {mean[high, j]:.4g} in {arms[high]} and {mean[low, j]:.4g} in {arms[low]} "
            f"({_gap_text(float(found.gap[j]))}, {p_text(float(found.single_p[j]))})"
        )
    more = f"; and {len(named) - 3} more" if len(named) > 3 else ""
    return f"{'; '.join(parts)}{more}."


def _gap_text(gap: float) -> str:
    return f"{gap:.3g} standard deviations" if np.isfinite(gap) else "beyond any spread within the arms"


def _trace(between: Array, within: Array, whole: Array) -> tuple[Array, Array]:
    """The sum of the roots of ``H`` relative to ``E``, and the rank, through the roots relative to ``H + E``."""
    with np.errstate(divide="ignore"):
        scale = np.where(whole > 0, 1.0 / np.sqrt(whole), 0.0)
    both = scale[..., :, None] * scale[..., None, :]
    values, vectors = np.linalg.eigh((between + within) * both)
    kept = values > _COLLINEAR
    basis = np.where(kept[..., None, :], vectors / np.sqrt(np.where(kept, values, 1.0))[..., None, :], 0.0)
    relative = np.swapaxes(basis, -1, -2) @ (between * both) @ basis
    roots = np.clip(np.linalg.eigvalsh(relative), 0.0, 1.0)
    apart = roots > 1.0 - _ALIKE
    terms = np.where(apart, np.inf, roots / np.where(apart, 1.0, 1.0 - roots))
    return terms.sum(axis=-1), kept.sum(axis=-1).astype(float)


def _trace_p(statistic: Array, p: Array, q: Array, free: Array) -> Array:
    """McKeon's F approximation to the tail of the Lawley-Hotelling trace; exact for one metric or two arms."""
    half = (free - p - 1.0) / 2.0
    inverse = 2.0 * (2.0 * half + 1.0) * (half - 1.0) / (p * q + 2.0 + 2.0 * half * (p + q + 1.0))  # 1 / (b - 1)
    df = 4.0 + (p * q + 2.0) * inverse
    size = np.maximum(p * q, 1.0)
    ratio = statistic * 2.0 * half / (df - 2.0) * df / size
    return np.clip(special.fdtrc(size, df, ratio), TINY, 1.0)


def _single_p(whole: Array, spread: Array, q: Array, free: Array, enough: NDArray[np.bool_]) -> Array:
    between = np.maximum(whole - spread, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(whole > 0, (between / q[..., None]) / (spread / free[..., None]), 0.0)
    varying = (whole > 0).sum(axis=-1, keepdims=True)
    tail = special.fdtrc(q[..., None], free[..., None], ratio)
    return np.where(enough[..., None] & (whole > 0), np.clip(tail * varying, TINY, 1.0), 1.0)


def _gaps(mean: Array, sizes: Array, spread: Array, free: Array, whole: Array) -> Array:
    seen = sizes[..., None] > 0
    most = np.where(seen, mean, -np.inf).max(axis=-2)
    least = np.where(seen, mean, np.inf).min(axis=-2)
    reach = np.where((whole > 0) & seen.any(axis=-2), most - least, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(reach > 0, reach / np.sqrt(spread / free[..., None]), 0.0)


def _diagonal(matrix: Array) -> Array:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _check_shapes(sizes: Array, mean: Array, scatter: Array) -> None:
    fits = mean.ndim >= 2 and mean.shape[:-1] == sizes.shape and scatter.shape == (*mean.shape, mean.shape[-1])
    if not fits or 0 in mean.shape[-2:]:
        raise InputError(
            f"Counts {sizes.shape}, means {mean.shape} and cross-moments {scatter.shape} do not fit each other.",
            "Give (..., arms), (..., arms, metrics) and (..., arms, metrics, metrics), with one metric at least.",
        )
    seen = sizes > 0
    if (sizes < 0).any() or not (np.isfinite(sizes).all() and np.isfinite(mean[seen]).all()):
        raise InputError("A count is negative or a mean is not finite.", "Leave out rows with missing values.")
    if not np.isfinite(scatter[seen]).all():
        raise InputError("A cross-moment is not finite.", "Leave out rows with missing or infinite values.")
