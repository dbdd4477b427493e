"""Corrections over thousands of families at once: adjusted p-values, and the level of each simultaneous interval.

The same as ``multiplicity.adjust`` does for one family (Holm 1979; Benjamini and Hochberg 1995 with the intervals of
Benjamini and Yekutieli 2005; Bonferroni), by sorting all p-values together and running along each family in steps that
double, so that no digit of a tiny p-value is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.comparing.estimates import Array, Flags
from experiments.comparing.pairs import check_choice, check_level
from proofsheet.errors import InputError

CORRECTIONS = ("holm", "bonferroni", "bh", "none")

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Adjustments:
    """What a correction makes of each comparison: see ``multiplicity.Adjustment``."""

    p_value: Array
    alpha: Array
    rejected: Flags


def adjust_families(
    p_values: ArrayLike, families: ArrayLike, alpha: float = 0.05, correction: str = "holm"
) -> Adjustments:
    """Adjust p-values within their families, in the order given.

    Args:
        p_values: each in (0, 1].
        families: of the same length; comparisons with the same whole number (0 or more) are one family.
        alpha: the level of each family.
        correction: "holm", "bonferroni", "bh" or "none".

    Raises:
        InputError: the shapes differ, the correction is not known, or alpha is not between 0 and 1.
    """
    check_level(alpha)
    check_choice("correction", correction, CORRECTIONS)
    p, family = np.asarray(p_values, dtype=np.float64), np.asarray(families, dtype=np.intp)
    if p.ndim != 1 or p.shape != family.shape:
        raise InputError(
            f"There are {p.size} p-values and {family.size} families.", "Give each p-value the number of its family."
        )
    if correction == "none" or not p.size:
        return Adjustments(p.copy(), np.full(p.shape, alpha), p < alpha)
    sizes = np.bincount(family).astype(np.intp)
    size = sizes[family]
    level = alpha / size
    if correction == "bonferroni":
        adjusted = np.minimum(1.0, p * size)
        return Adjustments(adjusted, level, adjusted < alpha)
    order, rank = _by_family(p, family, sizes)
    if correction == "holm":
        steps = np.minimum(1.0, p[order] * (size[order] - rank))
        adjusted = _scattered(_running(steps, rank, np.maximum), order)
        return Adjustments(adjusted, level, adjusted < alpha)
    adjusted = _scattered(_step_up(p[order], size[order], rank), order)
    rejected = adjusted < alpha
    found = np.bincount(family[rejected], minlength=sizes.size)
    return Adjustments(adjusted, level * np.maximum(1, found)[family], rejected)


def false_discovery_p(p_values: ArrayLike) -> Array:
    """Benjamini-Hochberg's adjusted p-values over all comparisons of the last axis together, in the order given.

    ``min over j >= i of p_(j) m / j``: below q exactly where the share of false discoveries is kept at q.
    """
    p = np.asarray(p_values, dtype=np.float64)
    count = p.shape[-1]
    order = np.argsort(p, axis=-1)
    steps = np.take_along_axis(p, order, axis=-1) * (count / np.arange(1.0, count + 1.0))
    adjusted = np.empty_like(p)
    running = np.minimum(1.0, np.minimum.accumulate(steps[..., ::-1], axis=-1)[..., ::-1])
    np.put_along_axis(adjusted, order, running, axis=-1)
    return adjusted


def _step_up(p: Array, size: Index, rank: Index) -> Array:
    """Benjamini and Hochberg's steps, each family ascending: the running minimum from the largest down."""
    steps = np.minimum(1.0, p * size / (rank + 1.0))
    from_top = np.asarray(size - 1 - rank)[::-1]
    return np.maximum(p, _running(steps[::-1], from_top, np.minimum)[::-1])


def _by_family(p: Array, family: Index, sizes: Index) -> tuple[Index, Index]:
    """The order by family and p, and each one's rank in its family."""
    order = np.argsort(p)
    # Families that fit 16 bits are sorted by radix, in a fraction of the time.
    keys = family[order].astype(np.uint16) if sizes.size <= 65_536 else family[order]
    order = order[np.argsort(keys, kind="stable")]
    starts = np.cumsum(sizes) - sizes
    return order, np.arange(p.size) - starts[family[order]]


def _running(values: Array, rank: Index, combine: np.ufunc) -> Array:
    """The running maximum (or minimum) along each family: after each round it spans twice as many."""
    step, longest = 1, int(rank.max(initial=0))
    while step <= longest:
        inside = (rank[step:] >= step).nonzero()[0]
        reached = combine(values[inside + step], values[inside])
        values = values.copy()
        values[inside + step] = reached
        step *= 2
    return values


def _scattered(values: Array, order: Index) -> Array:
    result = np.empty_like(values)
    result[order] = values
    return result
