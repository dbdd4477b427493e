"""The rule for small counts: which method is taken, that test and intervals agree, and the coverage that follows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from experiments.comparing import rates_many, score_many
from experiments.comparing.analysis import compare
from experiments.comparing.comparisons import Comparisons
from experiments.comparing.estimates import NO_DATA, OK, ZERO_CONTROL
from experiments.comparing.pairs import ALTERNATIVES
from experiments.comparing.small_counts import (
    METHODS,
    MID_P,
    MIETTINEN_NURMINEN,
    RATE_MID_P,
    RATE_SCORE,
    SCORE,
    compare_proportions,
    compare_rates,
    proportion_method,
    rate_method,
)
from proofsheet.domain.experiment import Metric
from proofsheet.domain.result import Aggregates
from proofsheet.errors import InputError


def pairs(seed: int, count: int) -> tuple[np.ndarray, ...]:
    """Counts of all sizes, of rare, even and nearly sure events, some arms empty."""
    rng = np.random.default_rng(seed)
    n1, n0 = (np.floor(10 ** rng.uniform(-0.1, 4, count)) for _ in range(2))
    rate = rng.beta(0.3, 2, count)
    rate = np.where(rng.random(count) < 0.2, 1 - rate, rate)
    other = np.clip(rate * rng.lognormal(0, 0.8, count), 0, 1)
    return rng.binomial(n1.astype(int), other).astype(float), n1, rng.binomial(n0.astype(int), rate).astype(float), n0


@pytest.mark.parametrize(
    ("counts", "method"),
    [
        ((30, 1_000, 25, 1_000), SCORE),
        ((5, 1_000, 5, 1_000), SCORE),
        ((5, 1_000, 4, 1_000), MID_P),
        ((995, 1_000, 997, 1_000), MID_P),
        ((1, 50, 20, 5_000), MID_P),
        ((40, 99, 25, 1_000), MIETTINEN_NURMINEN),
        ((3, 8, 5, 8), MIETTINEN_NURMINEN),
        ((0, 300, 0, 300), MID_P),
    ],
)
def test_the_method_follows_the_counts(counts: tuple[int, ...], method: int) -> None:
    assert proportion_method(*counts) == method
    assert compare_proportions(*counts)[1] == method
    assert METHODS[method]


def test_the_method_of_rates_follows_expected_counts_and_dispersion() -> None:
    assert rate_method([5, 4, 60], 10, [5, 5, 1], [10, 10, 200]).tolist() == [RATE_SCORE, RATE_MID_P, RATE_MID_P]
    assert compare_rates(2, 10, 3, 10)[1] == RATE_MID_P
    assert compare_rates(2, 10, 3, 10, dispersion=1.5)[1] == RATE_SCORE


def test_many_counts_give_the_scalar_engine_and_statsmodels(proportion: Metric) -> None:
    counts = (612, 10_000, 500, 9_000)
    found, method = compare_proportions(*counts)
    arms = {
        name: Aggregates(n=n, mean_x=x / n, m2_x=x * (1 - x / n))
        for name, x, n in (("a", *counts[:2]), ("c", *counts[2:]))
    }
    (row,) = compare(proportion, arms, "c", experiment="e")
    assert method == SCORE
    for name in ("effect", "effect_low", "effect_high", "lift", "lift_low", "lift_high", "p_value"):
        assert float(getattr(found, name)) == pytest.approx(getattr(row, name), rel=1e-9), name
    z, p = proportions_ztest(counts[::2], counts[1::2])
    assert (float(found.statistic), float(found.p_value)) == pytest.approx((z, p), rel=1e-10)


def test_few_events_give_the_exact_test_and_its_ratio() -> None:
    found, _ = compare_proportions(7, 2_000, 1, 2_000)
    assert float(found.p_value) == pytest.approx(
        2 * (stats.binom.sf(7, 8, 0.5) + stats.binom.pmf(7, 8, 0.5) / 2), rel=1e-10
    )
    low, high = rates_many.mid_p_ratio_limits(7, 2_000, 1, 2_000, 0.025)
    assert (float(found.lift_low), float(found.lift_high)) == pytest.approx(
        (float(low) - 1, float(high) - 1), rel=1e-12
    )
    # The limits of the difference are Mee's where they do not contradict the exact test.
    mee = score_many.difference_limits(7, 2_000, 1, 2_000, 1.959963984540054)
    assert float(found.effect_high) == pytest.approx(float(mee[1]), rel=1e-12)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_intervals_leave_out_zero_exactly_when_p_is_below_alpha(alternative: str) -> None:
    x1, n1, x0, n0 = pairs(3, 40_000)
    for alpha in (0.049, 0.0011):
        everything = (
            compare_proportions(x1, n1, x0, n0, alpha=alpha, alternative=alternative),
            compare_rates(x1, n1, x0, 0.37 * n0, alpha=alpha, alternative=alternative),
            compare_rates(x1, n1, x0, 0.37 * n0, alpha=alpha, alternative=alternative, dispersion=1.7),
        )
        for c, methods in everything:
            rejects = c.p_value < alpha
            assert np.array_equal((c.effect_low > 0) | (c.effect_high < 0), rejects)
            assert np.array_equal((c.lift_low > 0) | (c.lift_high < 0), rejects)
            assert rejects.sum() > 100
            assert np.unique(methods).size > 1 or (methods == RATE_SCORE).all()


def test_nothing_is_ever_nan_or_a_made_up_number() -> None:
    x1, n1, x0, n0 = pairs(4, 20_000)
    for c in (compare_proportions(x1, n1, x0, n0)[0], compare_rates(x1, n1, x0, n0)[0]):
        for name in Comparisons.__dataclass_fields__:
            assert not np.isnan(getattr(c, name)).any(), name
        assert ((c.p_value > 0) & (c.p_value <= 1)).all()
        empty = (n1 == 0) | (n0 == 0)
        assert np.array_equal(c.status == NO_DATA, empty)
        assert np.array_equal(c.status == ZERO_CONTROL, ~empty & (x0 == 0))
        assert (c.p_value[empty] == 1).all()
        assert np.isinf(c.effect_low[empty]).all()
        assert np.isinf(c.lift_high[c.status == ZERO_CONTROL]).all()
        ok = c.status == OK
        assert ((c.lift_low <= c.lift) & (c.lift <= c.lift_high))[ok].all()
        assert ((c.effect_low <= c.effect) & (c.effect <= c.effect_high))[ok].all()


def coverage(n1: int, n0: int, base: float, lift: float) -> tuple[float, float, float]:
    """By enumeration: the chances that the limits of difference and lift hold the truth, and that p is below 5 %."""
    x1, x0 = np.meshgrid(np.arange(n1 + 1.0), np.arange(n0 + 1.0), indexing="ij")
    weights = np.outer(
        stats.binom.pmf(np.arange(n1 + 1), n1, base * (1 + lift)), stats.binom.pmf(np.arange(n0 + 1), n0, base)
    )
    some = weights > 1e-11
    weights = weights[some] / weights[some].sum()
    c, _ = compare_proportions(x1[some], n1, x0[some], n0)
    effect = (c.effect_low <= base * lift + 1e-12) & (c.effect_high >= base * lift - 1e-12)
    relative = (c.lift_low <= lift + 1e-12) & (c.lift_high >= lift - 1e-12)
    return float(weights @ effect), float(weights @ relative), float(weights @ (c.p_value < 0.05))


@pytest.mark.parametrize("lift", [-0.4, 0.0, 0.2, 0.6])
def test_coverage_at_300_per_arm_with_a_baseline_of_5_percent(lift: float) -> None:
    effect, relative, rejects = coverage(300, 300, 0.05, lift)
    assert min(effect, relative) >= 0.942
    if not lift:
        assert rejects <= 0.055


@pytest.mark.parametrize(("n1", "n0", "base"), [(50, 5_000, 0.003), (30, 300, 0.01), (10, 1_000, 0.02), (50, 50, 0.1)])
def test_unequal_arms_with_few_events_keep_their_level(n1: int, n0: int, base: float) -> None:
    # The score test alone rejects in up to 9.6 % of such tests.
    assert coverage(n1, n0, base, 0.0)[2] <= 0.055


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="alpha"):
        compare_proportions(1, 10, 1, 10, alpha=1.0)
    with pytest.raises(InputError, match="alternative"):
        compare_rates(1, 10, 1, 10, alternative="larger")
    with pytest.raises(InputError, match="dispersion"):
        compare_rates(1, 10, 1, 10, dispersion=0.0)
    with pytest.raises(InputError, match="between 0 and"):
        compare_proportions(11, 10, 1, 10)
