"""Winsorising: values beyond a cap count as the cap, so that a few extremes do not decide a mean.

Caps are the same in all arms. Where they come from a quantile it is that of all arms' values together, fixed once: caps
of each arm's own would move with the effect and hide part of it. (Tukey 1962; Kohavi, Tang and Xu, Trustworthy Online
Controlled Experiments, 2020, chapter 18.)

**The bias.** The winsorised mean estimates the mean of capped values, not the mean: it is smaller for a long right
tail, and so is an effect that lives in that tail. A treatment that changes only the largest buyers can vanish. Look at
``capped_share`` by arm: shares that differ say that the tail itself moved. Money totals must come from raw values.

**In a warehouse.** Take the cap from all arms together (``quantile_cont(x, 0.999)``, or ``caps_from_counts`` on counts
at thresholds from one pass), write it down, and in the pass over rows aggregate ``least(greatest(x, low), high)`` in
place of x: count, mean and centred sums of products as for any column. The cap comes before the moments; from moments
alone nothing can be winsorised. In a running test keep one cap for all looks, such as last month's, or recompute
every look from raw values; do not merge days that were capped differently. A metric that sums several rows of a unit is
capped at the unit's sum, not row by row. With CUPED cap outcome and covariate each at its own caps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.adjusting.threshold_counts import ThresholdCounts
from proofsheet.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Caps:
    """What values are kept between; infinite where there is no cap.

    Raises:
        InputError: low is above high, or one is no number.
    """

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise InputError(f"The caps {self.low} and {self.high} keep nothing.", "Give a low cap below the high one.")


def winsorise(values: ArrayLike, caps: Caps) -> Array:
    """Values below ``low`` as ``low`` and above ``high`` as ``high``, of any shape; missing values stay missing."""
    return np.asarray(np.clip(np.asarray(values, dtype=float), caps.low, caps.high))


def capped_share(values: ArrayLike, caps: Caps) -> float:
    """The share of an arm's values beyond a cap, 0 where there are none; shares that differ speak of the tail."""
    x = np.asarray(values, dtype=float)
    return float(np.mean((x < caps.low) | (x > caps.high))) if x.size else 0.0


def caps_from_values(
    arms: Iterable[ArrayLike], *, upper: float = 0.999, lower: float = 0.0, ignore_zeros: bool = False
) -> Caps:
    """Caps at quantiles of all arms' values together.

    Args:
        arms: the values of every arm, the control's among them.
        upper, lower: quantile levels, 0 <= lower < upper <= 1; no cap at 1 and at 0.
        ignore_zeros: quantiles of the values other than 0, for metrics that are 0 for most units (without it a cap
            at the 99th percentile of a purchase that 1 % make is 0).

    The caps are linear between order statistics, and random, but common to the arms: under no effect the capped arms
    have one distribution, so the level holds. No finite value leaves both caps infinite.

    Raises:
        InputError: levels are out of range.
    """
    _check(lower, upper)
    flat = [np.asarray(arm, dtype=float).ravel() for arm in arms]
    values = np.concatenate(flat) if flat else np.zeros(0)
    values = values[np.isfinite(values) & ~(ignore_zeros & (values == 0.0))]
    if not values.size:
        return Caps()
    low = float(np.quantile(values, lower)) if lower > 0.0 else -math.inf
    high = float(np.quantile(values, upper)) if upper < 1.0 else math.inf
    return Caps(low, high)


def caps_from_counts(arms: Iterable[ThresholdCounts], *, upper: float = 0.999, lower: float = 0.0) -> Caps:
    """Caps at quantiles of all arms together, from counts at thresholds (exact to the width of their cell).

    Args:
        arms: one count for each arm, at the same thresholds.
        upper, lower: as in ``caps_from_values``. A quantile beyond the last threshold gives the last threshold, one
            before the first gives the first.

    Raises:
        InputError: levels are out of range, thresholds differ, or a count is a stack.
    """
    _check(lower, upper)
    counts = list(arms)
    if not counts or any(count.n.ndim for count in counts):
        raise InputError("The counts are not one for each arm.", "Give the counts of single samples.")
    whole = counts[0]
    for count in counts[1:]:
        whole = whole.merge(count)
    if whole.n == 0:
        return Caps()
    low = float(whole.quantiles(lower).value) if lower > 0.0 else -math.inf
    high = float(whole.quantiles(upper).value) if upper < 1.0 else math.inf
    return Caps(low, high)


def _check(lower: float, upper: float) -> None:
    if not 0.0 <= lower < upper <= 1.0:
        raise InputError(
            f"The cap levels {lower} and {upper} are out of range.", "Give 0 <= lower < upper <= 1, such as 0.999."
        )
