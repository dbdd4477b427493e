"""Corrections over thousands of families of any size at once: each as ``family_tests`` has it for one family."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.comparing.estimates import Array, Flags
from experiments.comparing.family_tests import FamilyTest, false_discovery, separate, step_down
from experiments.comparing.pairs import check_choice, check_level
from proofsheet.errors import InputError

CORRECTIONS = ("holm", "bonferroni", "bh", "none")


@dataclass(frozen=True, slots=True, eq=False)
class Adjustments:
    """What a correction makes of each comparison: see ``multiplicity.Adjustment``."""

    p_value: Array
    low_alpha: Array
    high_alpha: Array
    rejected: Flags


def adjust_families(
    p_values: ArrayLike,
    families: ArrayLike,
    alpha: float = 0.05,
    correction: str = "holm",
    effects: ArrayLike = 1.0,
) -> Adjustments:
    """Adjust p-values within their families, in the order given.

    Args:
        p_values: each in (0, 1].
        families: of the same length; comparisons with the same whole number (0 or more) are one family.
        alpha: the level of each family.
        correction: "holm", "bonferroni", "bh" or "none"; see ``multiplicity.adjust``.
        effects: estimates or their signs, for Holm's steps, which are taken in each direction; else all are alike.

    Raises:
        InputError: the shapes differ, the correction is not known, or alpha is not between 0 and 0.5.
    """
    check_level(alpha, below=0.5)
    check_choice("correction", correction, CORRECTIONS)
    p, family = np.asarray(p_values, dtype=np.float64), np.asarray(families, dtype=np.intp)
    if p.ndim != 1 or p.shape != family.shape:
        raise InputError(
            f"There are {p.size} p-values and {family.size} families.", "Give each p-value the number of its family."
        )
    sign = np.broadcast_to(np.asarray(effects, dtype=np.float64), p.shape)
    sizes = np.bincount(family).astype(np.intp)
    # Numbers that fit 16 bits are sorted by radix, in a fraction of the time.
    order = np.argsort(family.astype(np.uint16) if sizes.size <= 65_536 else family, kind="stable")
    starts = np.cumsum(sizes) - sizes
    found = Adjustments(np.empty(p.shape), np.empty(p.shape), np.empty(p.shape), np.zeros(p.shape, dtype=bool))
    for size in np.unique(sizes[sizes > 0]).tolist():  # families of one size are the rows of a matrix
        at = order[starts[sizes == size][:, None] + np.arange(size)]
        test = family_test(p[at], sign[at], alpha, correction)
        found.p_value[at], found.rejected[at] = test.adjusted_p, test.direction != 0
        found.low_alpha[at], found.high_alpha[at] = 2.0 * test.lower_tail, 2.0 * test.upper_tail
    return found


def family_test(p_values: Array, effects: Array, alpha: float, correction: str) -> FamilyTest:
    """One of ``CORRECTIONS`` over the last axis."""
    if correction == "holm":
        return step_down(p_values, effects, alpha=alpha)
    if correction == "bonferroni":
        return step_down(p_values, effects, alpha=alpha, kept=1.0)
    if correction == "bh":
        return false_discovery(p_values, effects, alpha=alpha)
    return separate(p_values, p_values, effects, alpha=alpha, level=alpha)
