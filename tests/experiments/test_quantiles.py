"""Quantiles against published examples, scipy's exact interval, cluster-robust regression and simulation; and counts
at thresholds against raw values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.linear_model import OLS

from experiments.adjusting.quantiles import (
    QuantileEstimates,
    cluster_effect,
    interval_ranks,
    quantile_contrasts,
    sample_quantiles,
    window_ranks,
)
from experiments.adjusting.threshold_counts import ThresholdCounts, geometric_thresholds
from proofsheet.domain.result import Status
from proofsheet.errors import InputError

Values = NDArray[np.float64]


@pytest.mark.parametrize(
    ("control", "arm", "published"),
    [
        (
            [32, 39, 26, 35, 43, 27, 40, 37, 34, 29],
            [36, 44, 47, 42, 49, 39, 46, 31, 33, 48],
            (34.5, 43, 8.5, 4.316291, 0.04022524, 16.95977),
        ),
        (
            [32.1, 39.8, 26.3, 35.0, 43.1, 27.0, 40.9, 37.4, 34.0, 29.2],
            [36.8, 44.0, 47.1, 42.7, 49.0, 39.6, 46.2, 31.6, 33.1, 48.4],
            (34.5, 43.35, 8.85, 4.494993, 0.0399751, 17.66002),
        ),
        (
            [70, 394, 43, 95, 62, 128, 2, 203, 81, 436, 85, 35, 156, 1, 3, 27, 63, 181, 184, 18],
            [102, 120, 78, 78, 417, 124, 86, 171, 176, 129, 230, 194, 100, 157, 306, 411, 164, 103, 193, 312],
            (75.5, 160.5, 85, 37.11502, 12.25589, 157.7441),
        ),
    ],
)
def test_published_differences_of_medians(control: list[float], arm: list[float], published: tuple[float, ...]) -> None:
    """The worked examples of ``ci.median2`` in the manual of the R package statpsych (Bonett and Price 2002)."""
    c = quantile_contrasts(sample_quantiles(arm, 0.5), sample_quantiles(control, 0.5))
    low, high = c.effect_limits(0.05)
    got = (c.control, c.arm, c.effect, np.sqrt(c.effect_variance), low, high)
    assert [float(v) for v in got] == pytest.approx(published, rel=2e-6)


@pytest.mark.parametrize("n", [10, 33, 100, 1_001, 40_000])
def test_the_ranks_at_the_median_are_those_of_price_and_bonett(n: int) -> None:
    """``c = round(n / 2 - sqrt(n))`` from either end, and z of the binomial's tail below c."""
    c = round(n / 2 - math.sqrt(n))
    lower, upper, span = window_ranks(n, 0.5)
    assert (float(lower), float(upper)) == (c, n + 1 - c)
    assert float(span) == pytest.approx(-2 * stats.norm.ppf(stats.binom.cdf(c - 1, n, 0.5)), rel=1e-9)


@pytest.mark.parametrize("level", [0.03, 0.25, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [1, 4, 30, 377, 5_000])
def test_the_exact_interval_is_scipys(n: int, level: float) -> None:
    x = np.random.default_rng(n).lognormal(size=n)
    for alpha in (0.05, 0.001):
        got = sample_quantiles(x, level, alpha=alpha)
        expected = stats.quantile_test(x, p=level).confidence_interval(1 - alpha)
        for ours, theirs in zip((got.low, got.high), expected, strict=True):
            assert float(ours) == theirs or (math.isinf(float(ours)) and math.isnan(theirs))


def test_the_exact_interval_holds_its_level_as_computed() -> None:
    """Coverage of the ranks is a binomial sum; with one rank less on either side it would fall short."""
    n, level = np.meshgrid([20, 100, 1_000, 10**7], [0.1, 0.5, 0.95], indexing="ij")
    first, last = interval_ranks(n, level, 0.05)
    assert bool(np.all(stats.binom.cdf(first - 1, n, level) <= 0.025))
    assert bool(np.all(stats.binom.cdf(first, n, level) > 0.025))
    assert bool(np.all(stats.binom.sf(last - 1, n, level) <= 0.025))
    assert bool(np.all(stats.binom.sf(last - 2, n, level) > 0.025))


def test_the_variance_is_that_of_the_density() -> None:
    """``v (1 - v) / (n f²)`` where the density is known, over 80 samples of 20,000; value as numpy's."""
    rng, levels, every = np.random.default_rng(1), np.array([[0.1, 0.5], [0.9, 0.95]]), []
    for _ in range(80):
        x = rng.lognormal(size=20_000)
        got = sample_quantiles(x, levels)
        np.testing.assert_array_equal(got.value, np.quantile(x, levels))
        every.append(got.variance)
    density = stats.lognorm.pdf(stats.lognorm.ppf(levels, 1), 1)
    np.testing.assert_allclose(np.mean(every, axis=0), levels * (1 - levels) / 20_000 / density**2, rtol=0.08)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "n"), [(0.5, 41), (0.9, 300), (0.99, 3_000)])
def test_differences_hold_their_level(level: float, n: int) -> None:
    """Log-normal arms, the second twice the first: 800 tests. In the thin tail the error is told a little large."""
    rng = np.random.default_rng(int(level * 100) + n)
    truth = float(stats.lognorm.ppf(level, 1))
    inside, lifts, errors, effects = [], [], [], []
    for _ in range(800):
        control, arm = (sample_quantiles(rng.lognormal(m, size=n), level) for m in (0.0, math.log(2)))
        c = quantile_contrasts(arm, control)
        (low, high), (least, most) = c.effect_limits(), c.lift_limits()
        inside.append(float(low) <= truth <= float(high))
        lifts.append(float(least) <= 1.0 <= float(most))
        errors.append(float(c.effect_variance))
        effects.append(float(c.effect))
    assert float(np.mean(inside)) == pytest.approx(0.95, abs=0.027)
    assert float(np.mean(lifts)) == pytest.approx(0.95, abs=0.027)
    if n >= 300:
        assert 0.94 < math.sqrt(np.mean(errors)) / np.std(effects) < 1.17


def clustered(rng: np.random.Generator, units: int) -> tuple[Values, NDArray[np.int64]]:
    """1 to 9 values a unit, which share a factor and of which heavy units have larger ones."""
    size = rng.integers(1, 10, units)
    unit = np.repeat(np.arange(units), size)
    return np.exp(rng.normal(size=units)[unit] + 0.5 * rng.normal(size=unit.size) + 0.05 * size[unit]), unit


def test_clusters_raise_the_variance_as_they_should() -> None:
    """The design effect by cluster-robust regression of the indicator on a constant (statsmodels)."""
    x, unit = clustered(np.random.default_rng(2), 400)
    got = sample_quantiles(x, [0.2, 0.5, 0.9], clusters=unit)
    for i in range(3):
        below = (x <= got.value[i]).astype(float)
        robust = OLS(below, np.ones(x.size)).fit(cov_type="cluster", cov_kwds={"groups": unit})
        share = below.mean()
        expected = float(robust.bse[0]) ** 2 / (share * (1 - share) / x.size)
        assert float(got.design_effect[i]) == pytest.approx(expected, rel=1e-9)
    plain = sample_quantiles(x, [0.2, 0.5, 0.9])
    np.testing.assert_allclose(got.variance, plain.variance * got.design_effect, rtol=1e-12)
    alone = sample_quantiles(x, 0.5, clusters=np.arange(x.size))
    assert float(alone.design_effect) == pytest.approx(x.size / (x.size - 1))


@pytest.mark.slow
@pytest.mark.parametrize("level", [0.5, 0.9])
def test_differences_with_clusters_hold_their_level(level: float) -> None:
    rng = np.random.default_rng(3)
    big, _ = clustered(rng, 200_000)
    truth = float(np.quantile(big, level))
    inside, naive, singles = [], [], []
    for _ in range(300):
        estimates = []
        for _ in range(2):
            x, unit = clustered(rng, 300)
            estimates.append((sample_quantiles(x, level, clusters=unit), sample_quantiles(x, level)))
        (arm, plain_arm), (control, plain) = estimates
        for kept, c in ((inside, quantile_contrasts(arm, control)), (naive, quantile_contrasts(plain_arm, plain))):
            low, high = c.effect_limits()
            kept.append(float(low) <= 0 <= float(high))
        singles.append(float(arm.low) <= truth <= float(arm.high))
    assert float(np.mean(inside)) == pytest.approx(0.95, abs=0.035)
    assert float(np.mean(singles)) == pytest.approx(0.95, abs=0.035)
    assert float(np.mean(naive)) < 0.8


def test_too_few_values_and_equal_values_are_named() -> None:
    for n in range(8):
        one = sample_quantiles(np.arange(float(n)), [0.5, 0.99])
        assert not one.usable.any() or n >= 3
        assert np.isfinite(one.value).all()
        assert bool(np.all(np.isinf(one.variance) == ~one.usable))
    few = sample_quantiles(np.arange(50.0), 0.99)
    c = quantile_contrasts(few, few)
    assert (float(c.p_value), bool(c.usable), c.at()) == (1.0, False, None)
    assert np.ravel(c.effect_limits()).tolist() == [-math.inf, math.inf]
    assert float(few.high) == math.inf
    same = sample_quantiles(np.ones(100), 0.5)
    contrast = quantile_contrasts(same, same).at()
    assert contrast is not None
    assert contrast.status is Status.NO_VARIANCE
    assert window_ranks(0, 0.5)[2] == 0


def test_from_counts_within_the_accuracy_stated() -> None:
    x = np.random.default_rng(4).lognormal(sigma=1.5, size=30_000)
    grid = geometric_thresholds(1e-4, 1e4, 0.01)
    assert bool(np.all(np.diff(grid) <= 0.01 * grid[1:] + 1e-12))
    counts = ThresholdCounts.from_values(x, grid)
    for level in (0.1, 0.5, 0.9, 0.999):
        raw, got = sample_quantiles(x, level), counts.quantiles(level)
        assert abs(float(got.value) - float(raw.value)) <= float(got.resolution) <= 0.0101 * float(got.value)
        if level < 0.99:  # with hundreds of values in a cell they lie evenly in it
            assert float(got.value) == pytest.approx(float(raw.value), rel=0.003)
        assert float(got.variance) == pytest.approx(float(raw.variance), rel=0.15)
        assert float(got.low) == pytest.approx(float(raw.low), rel=0.01)
        assert float(got.high) == pytest.approx(float(raw.high), rel=0.01)


@given(
    values=st.lists(st.floats(-50, 50), min_size=1, max_size=80),
    level=st.floats(0.02, 0.98),
    cuts=st.integers(0, 80),
)
@settings(max_examples=100, deadline=None)
def test_counts_merge_and_hold_the_quantile_in_its_cell(values: list[float], level: float, cuts: int) -> None:
    grid = np.linspace(-51, 51, 35)
    x = np.array(values)
    whole = ThresholdCounts.from_values(x, grid)
    parts = ThresholdCounts.from_values(x[:cuts], grid).merge(ThresholdCounts.from_values(x[cuts:], grid))
    np.testing.assert_array_equal(whole.below, parts.below)
    np.testing.assert_array_equal(whole.below, [(x <= t).sum() for t in grid])
    got = whole.quantiles(level)
    inverse = float(np.quantile(x, level, method="inverted_cdf"))
    assert abs(float(got.value) - inverse) <= float(got.resolution) * (1 + 1e-9)


def test_clustered_counts_merge_over_whole_units_and_agree_with_raw_values() -> None:
    x, unit = clustered(np.random.default_rng(5), 900)
    grid = np.concatenate([[0.0], geometric_thresholds(1e-3, 1e3, 0.01)])
    first = unit < 400
    whole = ThresholdCounts.from_values(x[first], grid, unit[first]).merge(
        ThresholdCounts.from_values(x[~first], grid, unit[~first])
    )
    for level in (0.25, 0.5, 0.95):
        raw, got = sample_quantiles(x, level, clusters=unit), whole.quantiles(level)
        assert float(got.design_effect) == pytest.approx(float(raw.design_effect), rel=0.02)
        assert float(got.variance) == pytest.approx(float(raw.variance), rel=0.2)
        assert (float(got.low), float(got.high)) == pytest.approx((float(raw.low), float(raw.high)), rel=0.015)


def test_a_stack_of_counts_is_each_of_them_and_what_lies_outside_the_grid_is_not_made_up() -> None:
    rng = np.random.default_rng(6)
    samples = [rng.exponential(size=n) for n in (400, 2, 0)] + [np.full(50, 30.0), np.full(50, 0.05)]
    grid = np.linspace(0.1, 8.0, 400)
    each = [ThresholdCounts.from_values(x, grid) for x in samples]
    n, below = (np.stack([getattr(c, name) for c in each]) for name in ("n", "below"))
    whole = ThresholdCounts(thresholds=grid, n=n, below=below).quantiles(0.5)
    for i, c in enumerate(each):
        one = c.quantiles(0.5)
        for name in ("value", "variance", "low", "high", "resolution", "usable"):
            assert getattr(whole, name)[i] == getattr(one, name)
    assert whole.usable.tolist() == [True, False, False, False, False]
    assert whole.variance[3:].tolist() == [math.inf, math.inf]
    assert (float(whole.value[3]), float(whole.low[3])) == (8.0, -math.inf)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sample_quantiles([1.0, 2.0], 1.0), "not between 0 and 1"),
        (lambda: sample_quantiles([1.0, 2.0], 0.5, alpha=0.0), "alpha is 0.0"),
        (lambda: sample_quantiles([1.0, math.nan], 0.5), "finite"),
        (lambda: sample_quantiles([1.0, 2.0], 0.5, clusters=[1]), "not as many"),
        (lambda: quantile_contrasts(sample_quantiles([1.0], 0.5), sample_quantiles([1.0], 0.6)), "different levels"),
        (lambda: geometric_thresholds(0.0, 1.0), "No thresholds"),
        (lambda: ThresholdCounts.from_values([1.0], [2.0, 1.0]), "do not increase"),
        (lambda: ThresholdCounts(thresholds=[1, 2], n=3, below=[2, 1]), "fall"),
        (lambda: ThresholdCounts(thresholds=[1, 2], n=3, below=[2, 4]), "exceed"),
        (lambda: ThresholdCounts(thresholds=[1, 2], n=3, below=[2]), "shape"),
        (
            lambda: ThresholdCounts.from_values([1], [1, 2]).merge(ThresholdCounts.from_values([1], [1, 3])),
            "thresholds of the two",
        ),
        (
            lambda: ThresholdCounts.from_values([1], [1, 2]).merge(ThresholdCounts.from_values([1], [1, 2], [7])),
            "clusters",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=words):
        call()


def test_the_design_effect_of_nothing_is_one() -> None:
    assert cluster_effect([0, 1, 5], [0, 3, 9], [0, 1, 9], [0, 1, 17], [0, 3, 17], [0, 9, 17]).tolist() == [1, 1, 1]
    assert isinstance(sample_quantiles([], 0.5), QuantileEstimates)
