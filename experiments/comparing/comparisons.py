"""An arm against the control, for whole arrays of estimates at once.

One p-value per comparison, from "no absolute difference". The interval of the difference and Fieller's interval of the
lift rest on the same statistic, so that each leaves out 0 exactly when ``p < alpha``, with one side as with two.

What does not exist is infinite, never NaN or a made-up 0: an unknown value or lift is infinite, unknown limits are
minus and plus infinity, an unknown p-value is 1; ``status`` says why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from experiments.basis.tails import t_critical
from experiments.comparing.estimates import UNBOUNDED, ZERO_CONTROL, Array, Codes, Estimate
from experiments.comparing.lift_intervals import lift_limits
from experiments.comparing.pairs import ALTERNATIVES, check_choice, check_level, set_against, tails


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparisons:
    """Arms against their controls, all fields in one shape.

    Attributes:
        effect, effect_low, effect_high: the arm's value minus the control's, with limits.
        lift, lift_low, lift_high: the effect relative to the size of the control's value, with limits.
        statistic, df: the effect over its standard error (0 where there is none), and its degrees of freedom.
        p_value: for no difference; of one side where one was asked for.
        chance: that the arm's value is the greater, on flat priors: ``P(T < statistic)``; 0.5 where unknown.
        status: codes of ``estimates.STATUSES``. With ZERO_CONTROL and UNBOUNDED effect and p-value stand.
    """

    effect: Array
    effect_low: Array
    effect_high: Array
    lift: Array
    lift_low: Array
    lift_high: Array
    statistic: Array
    df: Array
    p_value: Array
    chance: Array
    status: Codes


def compare_estimates(
    arm: Estimate,
    control: Estimate,
    *,
    alpha: ArrayLike = 0.05,
    alternative: str = "two-sided",
    variances: str = "welch",
    distribution: str = "t",
    lift_interval: str = "fieller",
    covariance: ArrayLike = 0.0,
) -> Comparisons:
    """Compare arms with controls; everything broadcasts.

    ``T = (arm - control) / sqrt(v1 + v0 - 2 covariance)``; with "welch" the degrees of freedom are
    Welch-Satterthwaite's ``(v1 + v0)^2 / (v1^2 / df1 + v0^2 / df0)``. With "pooled" the variance of a unit is taken as
    common, ``s^2 = ((n1 - 1) n1 v1 + (n0 - 1) n0 v0) / (n1 + n0 - 2)``, with ``n1 + n0 - 2`` degrees of freedom. With
    one side ("greater": the arm's value is the greater) the limits on the other are infinite.

    Args:
        alpha: 1 - confidence; an array where comparisons have their own, as after a correction.
        alternative: "two-sided", "greater" or "less".
        variances: "welch" or "pooled".
        distribution: "t", or "normal" whatever the degrees of freedom.
        lift_interval: "fieller" always agrees with the test, "delta" and "log" nearly (see ``lift_intervals``).
        covariance: of the two estimates, where they share something.

    Returns:
        NO_DATA or TOO_FEW from the estimates; NO_VARIANCE where the standard error is 0 (p is 1, limits infinite);
        ZERO_CONTROL where the control's value is 0 (no lift); UNBOUNDED where the lift has no finite limit on a side
        that was asked for.

    Raises:
        InputError: an alpha is not between 0 and 1 (0.5 with one side), or an option is not known.
    """
    check_choice("alternative", alternative, ALTERNATIVES)
    two_sided = alternative == "two-sided"
    level = check_level(alpha, 1.0 if two_sided else 0.5)
    pair = set_against(arm, control, variances=variances, distribution=distribution, covariance=covariance)
    critical = t_critical(level / 2.0 if two_sided else level, pair.df)
    pair = pair.broadcast(critical.shape)
    known = pair.known
    reach = critical * pair.error
    below, above = (known & (alternative != side) for side in ("less", "greater"))
    lift_low, lift_high = lift_limits(pair, critical, lift_interval)
    lift_low, lift_high = np.where(below, lift_low, -np.inf), np.where(above, lift_high, np.inf)
    open_ = (below & np.isinf(lift_low)) | (above & np.isinf(lift_high))
    zero = known & (pair.base == 0.0)
    p_value, chance = tails(pair.statistic, pair.df, known, alternative)
    return Comparisons(
        effect=pair.effect,
        effect_low=np.where(below, pair.effect - reach, -np.inf),
        effect_high=np.where(above, pair.effect + reach, np.inf),
        lift=pair.lift,
        lift_low=lift_low,
        lift_high=lift_high,
        statistic=pair.statistic,
        df=pair.df,
        p_value=p_value,
        chance=chance,
        status=np.where(zero, ZERO_CONTROL, np.where(open_, UNBOUNDED, pair.status)).astype(np.int8),
    )
