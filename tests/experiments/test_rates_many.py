"""Two count rates: score limits and exact mid-p against scipy, statsmodels, and proportions in the limit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.rates import test_poisson_2indep

from experiments.comparing import rates_many, score_many
from proofsheet.errors import InputError

test_poisson_2indep.__test__ = False  # type: ignore[attr-defined]  # a function of statsmodels, not a test
Z = 1.959963984540054


def pairs(seed: int, count: int, most: float) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    means = rng.uniform(0, most, (2, count))
    e1 = 10 ** rng.uniform(-2, 4, count)
    return (
        rng.poisson(means[0]).astype(float),
        e1,
        rng.poisson(means[1]).astype(float),
        e1 * 10 ** rng.uniform(-1, 1, count),
    )


def test_score_test_agrees_with_statsmodels() -> None:
    for x1, e1, x0, e0 in [(60, 51477.5, 30, 54308.7), (41, 28010, 15, 19017), (3, 10, 9, 12)]:
        theirs = test_poisson_2indep(x1, e1, x0, e0, method="score", compare="diff")
        assert float(rates_many.pooled_rate_z(x1, e1, x0, e0)) == pytest.approx(theirs.statistic, rel=1e-10)


def test_mid_p_agrees_with_statsmodels_and_scipy() -> None:
    # Ng and Tang (2005) study these counts; the conditional mid-p is theirs in statsmodels, too.
    for x1, e1, x0, e0 in [(60, 51477.5, 30, 54308.7), (41, 28010, 15, 19017), (3, 10, 9, 12), (0, 5, 4, 9)]:
        theirs = test_poisson_2indep(x1, e1, x0, e0, method="cond-midp", compare="ratio", alternative="larger").pvalue
        assert float(rates_many.mid_p(x1, e1, x0, e0, alternative="greater")) == pytest.approx(theirs, rel=1e-9)
        share, total = e1 / (e1 + e0), x1 + x0
        own = stats.binom.pmf(x1, total, share)
        above = stats.binom.sf(x1, total, share) + own / 2
        below = stats.binom.cdf(x1, total, share) - own / 2
        assert float(rates_many.mid_p(x1, e1, x0, e0)) == pytest.approx(2 * min(above, below), rel=1e-9)


def test_score_limits_are_those_of_rare_proportions() -> None:
    x1, e1, x0, e0 = pairs(3, 300, 12.0)
    units = 1e9 * np.maximum(1.0, 1.0 / np.minimum(e1, e0))
    for critical in (0.6, Z, 4.0):
        low, high = rates_many.rate_difference_limits(x1, e1, x0, e0, critical)
        other_low, other_high = score_many.difference_limits(x1, e1 * units, x0, e0 * units, critical)
        size = np.abs(low) + np.abs(high)
        assert np.max(np.abs(low - other_low * units) / size) < 1e-7
        assert np.max(np.abs(high - other_high * units) / size) < 1e-7
        low, high = rates_many.rate_ratio_limits(x1, e1, x0, e0, critical)
        other_low, other_high = score_many.ratio_limits(x1, e1 * units, x0, e0 * units, critical)
        some = (x1 > 0) & (x0 > 0)
        assert np.allclose(low[some], other_low[some], rtol=1e-7, atol=0.0)
        assert np.allclose(high[some], other_high[some], rtol=1e-7, atol=0.0)


def test_limits_leave_out_no_difference_exactly_when_the_test_rejects() -> None:
    for most in (3.0, 40.0, 5_000.0):
        counts = pairs(int(most), 3_000, most)
        rejects = np.abs(rates_many.pooled_rate_z(*counts)) > Z
        for limits, null in ((rates_many.rate_difference_limits, 0.0), (rates_many.rate_ratio_limits, 1.0)):
            low, high = limits(*counts, Z)
            assert np.array_equal((low > null) | (high < null), rejects)
        low, high = rates_many.mid_p_ratio_limits(*counts, 0.025)
        assert np.array_equal((low > 1) | (high < 1), rates_many.mid_p(*counts) < 0.05)


def test_exact_limits_have_the_tail_that_was_asked_for() -> None:
    counts = pairs(9, 500, 15.0)
    low, high = rates_many.mid_p_ratio_limits(*counts, 0.01)
    some, finite = low > 0, np.isfinite(high)
    at_low = rates_many.mid_p(*counts, alternative="greater", ratio=np.where(some, low, 1.0))
    at_high = rates_many.mid_p(*counts, alternative="less", ratio=np.where(finite, high, 1.0))
    assert np.allclose(at_low[some], 0.01, rtol=1e-9, atol=0.0)
    assert np.allclose(at_high[finite], 0.01, rtol=1e-9, atol=0.0)
    assert np.array_equal(some, counts[0] > 0)
    assert np.array_equal(finite, counts[2] > 0)


def test_nothing_counted_says_nothing() -> None:
    assert float(rates_many.mid_p(0, 10, 0, 10)) == 1.0
    assert float(rates_many.pooled_rate_z(0, 10, 0, 10)) == 0.0
    for limits in (rates_many.rate_ratio_limits(0, 1, 0, 1, Z), rates_many.mid_p_ratio_limits(0, 1, 0, 1, 0.025)):
        assert [float(limit) for limit in limits] == [0.0, np.inf]
    # No event at all still bounds the difference: d = c^2 / e.
    low, high = rates_many.rate_difference_limits(0, 50, 0, 20, Z)
    assert (float(low), float(high)) == pytest.approx((-(Z**2) / 20, Z**2 / 50))


@pytest.mark.parametrize("counts", [(-1, 1, 1, 1), (1, float("inf"), 1, 1), (1, 1, float("nan"), 1)])
def test_impossible_counts_are_refused(counts: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="negative or not finite"):
        rates_many.mid_p(*counts)
