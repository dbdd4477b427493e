"""Not worse than the control by a margin, and equivalent within margins: arrays in, arrays out.

The statistic moves the null from "no difference" to the margin. A relative margin is tested as Fieller's interval is
built, ``(arm - (1 + r) control)`` over the standard error of that, without dividing by the control. So a margin test
and the interval of ``comparisons`` agree: the one-sided limit at ``alpha`` is on the good side of the margin exactly
when ``p < alpha``, and the two-sided interval at ``2 alpha`` lies within both margins exactly when both tests reject
(Schuirmann 1987), as long as the control is clear of 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from experiments.comparing.estimates import Array, Estimate
from experiments.comparing.pairs import Pair, set_against, tails
from proofsheet.errors import InputError


def non_inferiority(
    arm: Estimate,
    control: Estimate,
    margin: ArrayLike,
    *,
    relative: bool = True,
    higher_is_better: bool = True,
    variances: str = "welch",
    distribution: str = "t",
    covariance: ArrayLike = 0.0,
) -> Array:
    """The p-value of "the arm is worse than the control by ``margin`` or more"; 1 where there is no test.

    A small one shows that the arm is not inferior. Everything broadcasts.

    Args:
        margin: the harm that is tolerated, 0 or more: relative to the size of the control's value, or absolute.
        higher_is_better: False for costs, where harm is a rise.

    Raises:
        InputError: a margin is negative or not finite, or an option is not known.
    """
    tolerated = _margin(margin)
    pair = set_against(arm, control, variances=variances, distribution=distribution, covariance=covariance)
    side = "greater" if higher_is_better else "less"
    return _margin_p(pair, -tolerated if higher_is_better else tolerated, relative, side)


def equivalence(
    arm: Estimate,
    control: Estimate,
    low: ArrayLike,
    high: ArrayLike,
    *,
    relative: bool = True,
    variances: str = "welch",
    distribution: str = "t",
    covariance: ArrayLike = 0.0,
) -> Array:
    """The p-value of "the effect is ``low`` or less, or ``high`` or more": the larger of two one-sided ones.

    1 where there is no test. Everything broadcasts. A small one shows equivalence within the margins.

    Args:
        low, high: the margins, such as -0.02 and 0.02, ``low < high``: lifts, or absolute effects.

    Raises:
        InputError: the margins are not finite or not in order, or an option is not known.
    """
    below, above = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if not bool(np.all(np.isfinite(below) & np.isfinite(above) & (below < above))):
        raise InputError(
            "The margins of equivalence are not finite, or the lower one is not below the upper one.",
            "Give two numbers such as -0.02 and 0.02.",
        )
    pair = set_against(arm, control, variances=variances, distribution=distribution, covariance=covariance)
    return np.maximum(_margin_p(pair, below, relative, "greater"), _margin_p(pair, above, relative, "less"))


def _margin_p(pair: Pair, margin: Array, relative: bool, side: str) -> Array:
    statistic = pair.lifted(margin) if relative else pair.statistic - margin / pair.error
    known = pair.known & (pair.base > 0.0) if relative else pair.known
    return tails(statistic, pair.df, known, side)[0]


def _margin(margin: ArrayLike) -> Array:
    tolerated = np.asarray(margin, dtype=np.float64)
    if not bool(np.all((tolerated >= 0.0) & (tolerated < np.inf))):
        raise InputError("A margin is negative or not finite.", "Give the harm tolerated as 0 or more, such as 0.02.")
    return tolerated
