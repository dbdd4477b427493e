"""Which method for which counts, in one place: two proportions, or two count rates, as arrays.

The rule. With few expected events the score test's size depends on the split of the arms: one event among 50 units
against 5,000 would be "significant", and that happens in 10 % of tests without an effect. So where the rarer outcome
is expected fewer than ``EXPECTED_BELOW`` times in the smaller arm, and is rare (at most ``RARE_BELOW`` of all units),
the test is exact, given the total, at mid-p. Else it is the score test, in arms of fewer than ``UNITS_BELOW`` units
with the factor N/(N-1) of Miettinen and Nurminen. ``benchmarks/fixed_horizon.py`` enumerates the coverage that follows.

Whatever is chosen, test and intervals agree: each leaves out 0 exactly when ``p < alpha``. Where the exact test and the
score limits of the difference disagree about 0, the limit in question is set at 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from experiments.basis.tails import normal_critical
from experiments.comparing import rates_many, score_many
from experiments.comparing.comparisons import Comparisons
from experiments.comparing.estimates import NO_DATA, OK, ZERO_CONTROL, Array, Codes
from experiments.comparing.pairs import ALTERNATIVES, check_choice, check_level, tails
from proofsheet.errors import InputError

EXPECTED_BELOW = 5.0
RARE_BELOW = 0.1
UNITS_BELOW = 100.0

SCORE, MIETTINEN_NURMINEN, MID_P, RATE_SCORE, RATE_MID_P = range(5)
METHODS = (
    "score: pooled z, Mee and Koopman intervals",
    "score with the factor N/(N-1): Miettinen and Nurminen",
    "exact given the total, mid-p",
    "score of counts: given the total",
    "exact counts given the total, mid-p",
)


def proportion_method(x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike) -> Codes:
    """The method for two proportions: SCORE, MIETTINEN_NURMINEN or MID_P."""
    x1, n1, x0, n0 = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (x1, n1, x0, n0)))
    units, smaller = n1 + n0, np.minimum(n1, n0)
    rarer = np.minimum(x1 + x0, units - x1 - x0)
    few = (rarer * smaller < EXPECTED_BELOW * units) & (rarer <= RARE_BELOW * units)
    return np.where(few, MID_P, np.where(smaller < UNITS_BELOW, MIETTINEN_NURMINEN, SCORE)).astype(np.int8)


def rate_method(x1: ArrayLike, e1: ArrayLike, x0: ArrayLike, e0: ArrayLike) -> Codes:
    """The method for two count rates: RATE_SCORE or RATE_MID_P."""
    x1, e1, x0, e0 = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (x1, e1, x0, e0)))
    few = (x1 + x0) * np.minimum(e1, e0) < EXPECTED_BELOW * (e1 + e0)
    return np.where(few, RATE_MID_P, RATE_SCORE).astype(np.int8)


def compare_proportions(
    x1: ArrayLike,
    n1: ArrayLike,
    x0: ArrayLike,
    n0: ArrayLike,
    *,
    alpha: ArrayLike = 0.05,
    alternative: str = "two-sided",
    effect_limits: bool = True,
) -> tuple[Comparisons, Codes]:
    """Compare proportions by the method that their counts ask for; everything broadcasts.

    Args:
        x1, n1, x0, n0: events and units of the arm and of the control.
        alpha: 1 - confidence.
        alternative: "two-sided", "greater" (the arm's is the greater) or "less"; limits of one side end at infinity.
        effect_limits: whether the limits of the difference are wanted (they take the most time); else they are
            infinite.

    Returns:
        The comparisons, with the pooled z as ``statistic``, and the codes of ``METHODS``. NO_DATA where an arm is
        empty; ZERO_CONTROL where the control has no event: the lift is infinite, its lower limit stands.

    Raises:
        InputError: a count is negative, not finite or above the units, an alpha is not between 0 and 1 (0.5 with one
            side), or the alternative is not known.
    """
    x1, n1, x0, n0, tail = _prepared(x1, n1, x0, n0, alpha, alternative)
    codes = proportion_method(x1, n1, x0, n0)
    widening = proportion_widening(n1, n0, codes)
    z = score_many.pooled_z(x1, n1, x0, n0) / widening
    low, high = np.full(z.shape, -np.inf), np.full(z.shape, np.inf)
    if effect_limits:
        low, high = score_many.difference_limits(x1, n1, x0, n0, normal_critical(tail) * widening)
    p_value, chance = tails(z, np.full(z.shape, np.inf), (n1 > 0) & (n0 > 0), alternative)
    some = codes == MID_P
    if some.any():
        above, below = _rarer_tails(x1[some], n1[some], x0[some], n0[some])
        p_value[some], chance[some] = _from_tails(above, below, alternative)
        if effect_limits:
            low[some], high[some] = _agreeing(low[some], high[some], 0.0, above, below, tail[some])
    ratio = proportion_ratio_limits(x1, n1, x0, n0, tail, codes)
    return _assembled((x1, n1, x0, n0), (low, high), ratio, z, p_value, chance, alternative), codes


def compare_rates(
    x1: ArrayLike,
    e1: ArrayLike,
    x0: ArrayLike,
    e0: ArrayLike,
    *,
    alpha: ArrayLike = 0.05,
    alternative: str = "two-sided",
    dispersion: ArrayLike = 1.0,
) -> tuple[Comparisons, Codes]:
    """Compare count rates by the method that their counts ask for; everything broadcasts.

    Args:
        x1, e1, x0, e0: whole counts and exposures of the arm and of the control.
        dispersion: by how many times the variance exceeds that of counting alone; where it is not 1 the score method
            is taken, with its z over the square root of the dispersion.

    Other arguments, results and errors as for ``compare_proportions``; InputError also where a dispersion is not
    positive.
    """
    factor = np.asarray(dispersion, dtype=np.float64)
    if not bool(np.all((factor > 0) & (factor < np.inf))):
        raise InputError("A dispersion is not a positive number.", "Give 1 for plain counting, more for restless data.")
    x1, e1, x0, e0, tail, factor = np.broadcast_arrays(*_prepared(x1, e1, x0, e0, alpha, alternative), factor)
    codes = np.where(factor == 1.0, rate_method(x1, e1, x0, e0), RATE_SCORE).astype(np.int8)
    widening = np.sqrt(factor)
    z = rates_many.pooled_rate_z(x1, e1, x0, e0) / widening
    critical = normal_critical(tail) * widening
    low, high = rates_many.rate_difference_limits(x1, e1, x0, e0, critical)
    ratio_low, ratio_high = rates_many.rate_ratio_limits(x1, e1, x0, e0, critical)
    p_value, chance = tails(z, np.full(z.shape, np.inf), (e1 > 0) & (e0 > 0), alternative)
    some = codes == RATE_MID_P
    if some.any():
        counts = (x1[some], e1[some], x0[some], e0[some])
        above, below = (rates_many.mid_p(*counts, alternative=side) for side in ("greater", "less"))
        p_value[some], chance[some] = _from_tails(above, below, alternative)
        low[some], high[some] = _agreeing(low[some], high[some], 0.0, above, below, tail[some])
        ratio_low[some], ratio_high[some] = rates_many.mid_p_ratio_limits(*counts, tail[some])
    ratio = (ratio_low, ratio_high)
    return _assembled((x1, e1, x0, e0), (low, high), ratio, z, p_value, chance, alternative), codes


def proportion_widening(n1: Array, n0: Array, codes: Codes) -> Array:
    """The factor of a critical value of the normal: ``sqrt(N / (N - 1))`` for Miettinen and Nurminen, else 1."""
    some = codes == MIETTINEN_NURMINEN
    if not some.any():
        return np.ones(())
    units = np.maximum(n1 + n0, 2.0)
    return np.where(some, np.sqrt(units / (units - 1.0)), 1.0)


def proportion_ratio_limits(x1: Array, n1: Array, x0: Array, n0: Array, tail: Array, codes: Codes) -> score_many.Limits:
    """Limits of the ratio of proportions with ``tail`` left on each side, by the methods named, in one shape."""
    critical = normal_critical(tail) * proportion_widening(n1, n0, codes)
    low, high = score_many.ratio_limits(x1, n1, x0, n0, critical)
    some = codes == MID_P
    if some.any():
        counts = (x1[some], n1[some], x0[some], n0[some])
        exact = rates_many.mid_p_ratio_limits(*counts, tail[some])
        events = counts[0] + counts[2] <= (counts[1] + counts[3]) / 2.0
        if not events.all():
            # Where the other outcome is the rare one, Koopman's limits stand, and the exact test has the say about 1.
            score = _agreeing(low[some], high[some], 1.0, *_rarer_tails(*counts), tail[some])
            exact = (np.where(events, exact[0], score[0]), np.where(events, exact[1], score[1]))
        low[some], high[some] = exact
    return low, high


def _assembled(
    counts: tuple[Array, Array, Array, Array],
    difference: score_many.Limits,
    ratio: score_many.Limits,
    z: Array,
    p_value: Array,
    chance: Array,
    alternative: str,
) -> Comparisons:
    x1, n1, x0, n0 = counts
    there = (n1 > 0) & (n0 > 0)
    empty = not there.all()
    value, base = (x1 / np.where(there, n1, 1.0), x0 / np.where(there, n0, 1.0)) if empty else (x1 / n1, x0 / n0)
    effect, zero = value - base, base <= 0.0
    lift = np.where(zero, np.inf, effect / np.where(zero, 1.0, base))
    status = np.where(zero, np.int8(ZERO_CONTROL), np.int8(OK))
    low, high, lift_low, lift_high = (*difference, ratio[0] - 1.0, ratio[1] - 1.0)
    if empty:
        effect, lift, high, lift_high = (np.where(there, a, np.inf) for a in (effect, lift, high, lift_high))
        low, lift_low = (np.where(there, a, -np.inf) for a in (low, lift_low))
        status = np.where(there, status, np.int8(NO_DATA))
    if alternative == "less":
        low = lift_low = np.full(z.shape, -np.inf)
    elif alternative == "greater":
        high = lift_high = np.full(z.shape, np.inf)
    return Comparisons(
        effect=effect,
        effect_low=low,
        effect_high=high,
        lift=lift,
        lift_low=lift_low,
        lift_high=lift_high,
        statistic=z,
        df=np.broadcast_to(np.inf, z.shape),
        p_value=p_value,
        chance=chance,
        status=status,
    )


def _agreeing(low: Array, high: Array, null: float, above: Array, below: Array, tail: Array) -> score_many.Limits:
    """Limits that leave out the null exactly where a test's tail is too small: moved to it, or to just beside it."""
    beside = np.finfo(float).tiny if null == 0.0 else np.finfo(float).eps
    low = np.where(above < tail, np.maximum(low, null + beside), np.minimum(low, null))
    return low, np.where(below < tail, np.minimum(high, null - beside), np.maximum(high, null))


def _rarer_tails(x1: Array, n1: Array, x0: Array, n0: Array) -> tuple[Array, Array]:
    """The mid-p of "the arm's is the greater" and of "the less", on whichever outcome is the rarer."""
    events = x1 + x0 <= (n1 + n0) / 2.0
    rare1, rare0 = np.where(events, x1, n1 - x1), np.where(events, x0, n0 - x0)
    first, second = (rates_many.mid_p(rare1, n1, rare0, n0, alternative=side) for side in ("greater", "less"))
    return np.where(events, first, second), np.where(events, second, first)


def _from_tails(above: Array, below: Array, alternative: str) -> tuple[Array, Array]:
    """The p-value, and the chance that the arm's is the greater."""
    p_value = {"two-sided": np.minimum(1.0, 2.0 * np.minimum(above, below)), "greater": above, "less": below}
    return p_value[alternative], np.where(above < below, 1.0 - above, below)


def _prepared(
    x1: ArrayLike, n1: ArrayLike, x0: ArrayLike, n0: ArrayLike, alpha: ArrayLike, alternative: str
) -> list[Array]:
    check_choice("alternative", alternative, ALTERNATIVES)
    two_sided = alternative == "two-sided"
    level = check_level(alpha, 1.0 if two_sided else 0.5)
    values = (np.asarray(a, dtype=np.float64) for a in (x1, n1, x0, n0))
    return list(np.broadcast_arrays(*values, level / 2.0 if two_sided else level))
