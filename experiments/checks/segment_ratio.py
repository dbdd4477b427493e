"""Do the arms' sizes fit the plan in every segment, and which dimension explains an imbalance best?

Each segment is tested against the planned shares: chi-square, or exact binomials where fewer than 5 units are expected
in an arm; Holm's correction runs over all segments of all dimensions. For a dimension the likelihood-ratio statistics
split exactly (Kullback 1959): the sum over its segments = the total's + that of "the arms' shares are alike in all
segments". The dimension with the least chance for the second part explains an imbalance best (Fabijan et al., KDD
2019, advise to look for the segment that carries it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from experiments.basis.distributions import TINY
from experiments.checks.health import BLOCKING_P, WARNING_P, p_text
from experiments.comparing.family_tests import step_down
from proofsheet.domain.result import HealthCheck
from proofsheet.errors import InputError

Array = NDArray[np.float64]
Counts = Mapping[str, Mapping[str, Mapping[str, int]]]

NOTABLE_DEVIATION = 0.002  # 50.1 % for 50 %: of a 10 % rate the missing units can move at most 2 % of it
_LEAST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment next to the plan: ``deviation`` is the largest |share / planned - 1|, met by ``arm``."""

    dimension: str
    level: str
    n: int
    p_value: float
    adjusted_p: float
    deviation: float
    arm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """How unlike the arms' shares are over a dimension's segments (contingency likelihood ratio).

    ``log_p`` is the natural logarithm of the chance, which never underflows; ``worst`` the segment farthest from the
    plan, and ``rest_p`` the p-value of the sample ratio of all other segments together.
    """

    name: str
    statistic: float
    df: int
    log_p: float
    worst: str
    rest_p: float


def share_test(counts: ArrayLike, weights: ArrayLike) -> tuple[Array, Array]:
    """p-values of "the sizes fit the shares", and the largest |share / planned - 1|.

    Args:
        counts: units of G arms ``(..., G)``.
        weights: planned shares in any unit ``(G,)``; arms of weight 0 are left out.

    Returns:
        Two arrays ``(...)``. Pearson's chi-square with (arms - 1) degrees of freedom; where an arm expects fewer than
        5 units, the smallest two-sided exact binomial p-value of an arm against the rest, times the number of arms
        (for two arms once, as both say the same). Without units p = 1 and the deviation is 0.

    Raises:
        InputError: fewer than two weights are positive, or something is negative or not finite.
    """
    table, plan = np.asarray(counts, dtype=float), np.asarray(weights, dtype=float)
    if not np.isfinite(plan).all() or (plan < 0).any() or (plan > 0).sum() < 2 or plan.shape != table.shape[-1:]:
        raise InputError(
            f"The planned weights {plan.tolist()} do not divide the traffic of {table.shape[-1:]} arms.",
            "Give one weight of 0 or more for each arm, at least two of them positive.",
        )
    if not np.isfinite(table).all() or (table < 0).any():
        raise InputError("The arm sizes hold a negative or missing count.", "Counts are 0 or more.")
    table, shares = table[..., plan > 0], plan[plan > 0] / plan.sum()
    total = table.sum(axis=-1)
    expected = np.where(total > 0, total, 1.0)[..., None] * shares
    gaps = np.where(total[..., None] > 0, table - expected, 0.0)
    chi = np.clip(special.chdtrc(len(shares) - 1, (gaps**2 / expected).sum(axis=-1)), TINY, 1.0)
    exact = _binomial_p(table, total[..., None], shares).min(axis=-1) * (1 if len(shares) == 2 else len(shares))
    small = expected.min(axis=-1) < _LEAST_EXPECTED
    return np.where(small, np.minimum(exact, 1.0), chi), np.abs(gaps / expected).max(axis=-1)


def segment_shares(counts: Counts, weights: Mapping[str, float]) -> tuple[tuple[Segment, ...], tuple[Dimension, ...]]:
    """All segments with their tests, and all dimensions with what they explain, in the order given.

    Args:
        counts: units by dimension, level and arm; within a dimension every unit is counted once.
        weights: planned weight by arm; arms of weight 0 are left out (``health.sample_ratio`` tells of strays).

    Raises:
        InputError: as ``share_test``.
    """
    arms = [arm for arm, weight in weights.items() if weight > 0]
    plan = np.array([weights[arm] for arm in arms])
    tables = {
        d: np.array([[float(c.get(a, 0)) for a in arms] for c in levels.values()]) for d, levels in counts.items()
    }
    tables = {d: table for d, table in tables.items() if table.size}
    if not tables:
        return (), ()
    whole = np.concatenate(list(tables.values()))
    p_values, deviations = share_test(whole, plan)
    adjusted = step_down(p_values, 1.0, alpha=WARNING_P, kept=0.0).adjusted_p  # Holm's
    names = [(d, level) for d in tables for level in counts[d]]
    farthest = np.abs(whole / np.maximum(whole.sum(axis=-1, keepdims=True), 1.0) * plan.sum() / plan - 1.0).argmax(-1)
    segments = tuple(
        Segment(
            dimension=d,
            level=level,
            n=int(whole[i].sum()),
            p_value=float(p_values[i]),
            adjusted_p=float(adjusted[i]),
            deviation=float(deviations[i]),
            arm=arms[int(farthest[i])],
        )
        for i, (d, level) in enumerate(names)
    )
    return segments, tuple(_dimension(d, list(counts[d]), table, plan) for d, table in tables.items())


def segment_ratio(
    counts: Counts, weights: Mapping[str, float], *, notable: float = NOTABLE_DEVIATION, steered: bool = False
) -> HealthCheck:
    """Do the arms' sizes fit the plan in every segment?

    Fails when some segment's p-value after Holm's correction is below 0.01 and its shares are off the plan by
    ``notable`` (relative) or more; blocks below 0.001 unless a platform steers delivery. Smaller deviations that are
    significant in huge samples pass, and the text says so. A failed check names the dimension that explains the
    imbalance best, and whether the other segments fit the plan without its worst one.

    Raises:
        InputError: as ``share_test``.
    """
    segments, dimensions = segment_shares(counts, weights)
    if not any(s.n for s in segments):
        text = "There are no segments to compare with the planned shares."
        return HealthCheck(name="segment_ratio", ok=None, message=text, severity="info")
    small = [s for s in segments if s.adjusted_p < WARNING_P and s.deviation < notable]
    off = sorted((s for s in segments if s.adjusted_p < WARNING_P and s.deviation >= notable), key=lambda s: s.p_value)
    least = min(s.adjusted_p for s in segments)
    if not off:
        text = f"The arms' sizes fit the plan in all {len(segments)} segments (corrected {p_text(least)})."
        if small:
            text = (
                f"In {len(small)} of {len(segments)} segments the arms' sizes are off the plan by more than chance, "
                f"but by less than {notable:.2%} of it (corrected {p_text(least)}): too little to matter."
            )
        return HealthCheck(name="segment_ratio", ok=True, message=text, p_value=least, severity="info")
    shown = "; ".join(_segment_text(s) for s in off[:3]) + (f"; and {len(off) - 3} more" if len(off) > 3 else "")
    text = (
        f"The arms' sizes do not fit the plan in {len(off)} of {len(segments)} segments ({shown}). "
        f"{_explanation(dimensions)}"
    )
    severity = "blocking" if off[0].adjusted_p < BLOCKING_P and not steered else "warning"
    return HealthCheck(name="segment_ratio", ok=False, message=text, p_value=off[0].adjusted_p, severity=severity)


def _segment_text(s: Segment) -> str:
    return f"{s.dimension} {s.level}: {s.arm} {s.deviation:.2%} off its share, n = {s.n:,}, {p_text(s.adjusted_p)}"


def _explanation(dimensions: Sequence[Dimension]) -> str:
    best = min(dimensions, key=lambda d: d.log_p)
    if best.log_p + np.log(len(dimensions)) >= np.log(WARNING_P):
        return "No dimension explains it: the deviation is alike in all segments, so look at the split itself."
    rest = (
        f"Without {best.worst} the rest fits the plan ({p_text(best.rest_p)})."
        if best.rest_p >= WARNING_P
        else f"Without {best.worst} the rest still does not fit ({p_text(best.rest_p)})."
    )
    return f"{best.name} explains it best. {rest}"


def _dimension(name: str, levels: Sequence[str], table: Array, plan: Array) -> Dimension:
    seen = table.sum(axis=-1) > 0
    kept = table[seen]
    total = kept.sum()
    rows, columns = kept.sum(axis=1, keepdims=True), kept.sum(axis=0, keepdims=True)
    df = max(0, len(kept) - 1) * max(0, int((columns > 0).sum()) - 1)
    statistic = 0.0
    if df:
        expected = rows * columns / total
        statistic = max(0.0, 2.0 * float(special.xlogy(kept, kept / np.where(expected > 0, expected, 1.0)).sum()))
    shares = plan / plan.sum()
    planned = table.sum(axis=1, keepdims=True) * shares
    worst = int(((table - planned) ** 2 / np.where(planned > 0, planned, 1.0)).sum(axis=1).argmax())
    rest = float(share_test(table.sum(axis=0) - table[worst], plan)[0])
    log_p = log_chi_square_above(statistic, df) if df else 0.0
    return Dimension(name=name, statistic=statistic, df=df, log_p=log_p, worst=levels[worst], rest_p=rest)


def log_chi_square_above(value: float, df: float) -> float:
    """``log P(X > value)`` for a chi-square, also where the chance itself is too small for a float.

    There by Legendre's continued fraction for the incomplete gamma function (Abramowitz and Stegun 6.5.31), which
    converges fast this far out.
    """
    chance = float(special.chdtrc(df, value))
    if chance > 1e-290:
        return float(np.log(chance))
    a, x = df / 2.0, value / 2.0
    fraction = 0.0
    for k in range(60, 0, -1):
        fraction = k * (k - a) / (x + 2.0 * k + 1.0 - a - fraction)
    return float(a * np.log(x) - x - special.gammaln(a) - np.log(x + 1.0 - a - fraction))


def _binomial_p(k: Array, n: Array, share: Array) -> Array:
    """Twice the smaller exact tail of each arm's count, at most 1."""
    below = np.where(k >= n, 1.0, special.betainc(np.maximum(n - k, 1e-9), k + 1.0, 1.0 - share))
    above = np.where(k <= 0, 1.0, special.betainc(np.maximum(k, 1e-9), n - k + 1.0, share))
    return np.clip(2.0 * np.minimum(below, above), TINY, 1.0)
