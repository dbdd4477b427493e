"""Sample ratio per segment: scipy, the exact split of the likelihood ratio, false alarms, named explanations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.checks.segment_ratio import log_chi_square_above, segment_ratio, segment_shares, share_test
from proofsheet.errors import InputError

Counts = dict[str, dict[str, dict[str, int]]]


def test_chi_square_agrees_with_scipy_for_many_experiments_at_once() -> None:
    rng = np.random.default_rng(1)
    counts = rng.multinomial(5_000, [0.5, 0.3, 0.2], size=20)
    p, deviation = share_test(counts, [5, 3, 2])
    theirs = [stats.chisquare(c, np.array([2_500, 1_500, 1_000])).pvalue for c in counts]
    assert p.tolist() == pytest.approx(theirs, rel=1e-10)
    shares = counts / 5_000 / np.array([0.5, 0.3, 0.2])
    assert deviation.tolist() == pytest.approx(np.abs(shares - 1).max(axis=1).tolist())


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 60), st.data(), st.floats(0.02, 0.2))
def test_small_segments_are_exact(n: int, data: st.DataObject, share: float) -> None:
    k = data.draw(st.integers(0, n))
    if n * share >= 5:
        return
    p, _ = share_test([k, n - k], [share, 1 - share])
    binomial = stats.binom(n, share)
    assert float(p) == pytest.approx(min(1.0, 2 * min(binomial.cdf(k), binomial.sf(k - 1))), rel=1e-9)


def test_exact_p_values_never_reject_more_often_than_their_level() -> None:
    k = np.arange(0, 13)
    table = np.array([(i, j, 12 - i - j) for i in k for j in k if i + j <= 12])
    p, _ = share_test(table, [1, 1, 1])
    chance = stats.multinomial(12, [1 / 3] * 3).pmf(table)
    for level in (0.01, 0.05, 0.2):
        assert chance[p < level].sum() <= level
    assert chance[p < 0.2].sum() > 0.02


def test_the_likelihood_ratio_splits_exactly() -> None:
    """Sum over segments = total + heterogeneity; the second also by scipy's G-test of independence."""
    rng = np.random.default_rng(2)
    levels = {f"l{i}": dict(zip("abc", map(int, rng.multinomial(900, [0.4, 0.3, 0.3])), strict=True)) for i in range(4)}
    weights = {"a": 4.0, "b": 3.0, "c": 3.0}
    table = np.array([[c[a] for a in "abc"] for c in levels.values()], dtype=float)

    def against_plan(row: np.ndarray) -> float:
        return float(2 * (row * np.log(row / (row.sum() * np.array([0.4, 0.3, 0.3])))).sum())

    (dimension,) = segment_shares({"d": levels}, weights)[1]
    whole = against_plan(table.sum(axis=0))
    assert dimension.statistic == pytest.approx(sum(map(against_plan, table)) - whole, rel=1e-9)
    theirs = stats.chi2_contingency(table, lambda_="log-likelihood")
    assert (dimension.statistic, dimension.df) == (pytest.approx(theirs.statistic), theirs.dof)
    assert np.exp(dimension.log_p) == pytest.approx(theirs.pvalue)


def test_log_tail_goes_on_where_the_chance_underflows() -> None:
    for value, df in ((50.0, 3), (900.0, 40)):
        assert log_chi_square_above(value, df) == pytest.approx(stats.chi2.logsf(value, df), rel=1e-9)
    # Two degrees of freedom are the exponential distribution, four its sum: closed forms at any size.
    assert log_chi_square_above(5_000.0, 2) == pytest.approx(-2_500.0, rel=1e-12)
    assert log_chi_square_above(5_000.0, 4) == pytest.approx(-2_500.0 + np.log(2_501.0), rel=1e-12)


def delivery(rng: np.random.Generator, n: int, lost: dict[str, float]) -> Counts:
    """Units of three systems × four countries; of arm b's units of a system, a share is lost."""
    counts: Counts = {"system": {}, "country": {}}
    for system in ("android", "ios", "web"):
        for country in ("de", "es", "fr", "it"):
            a, b = rng.multinomial(n, [0.5, 0.5])
            b = rng.binomial(b, 1 - lost.get(system, 0.0))
            for dimension, level in (("system", system), ("country", country)):
                old = counts[dimension].setdefault(level, {"a": 0, "b": 0})
                counts[dimension][level] = {"a": old["a"] + int(a), "b": old["b"] + int(b)}
    return counts


EVEN = {"a": 1.0, "b": 1.0}


def test_the_dimension_that_explains_the_imbalance_is_named() -> None:
    check = segment_ratio(delivery(np.random.default_rng(3), 10_000, {"web": 0.06}), EVEN)
    assert (check.ok, check.severity) == (False, "blocking")
    assert "system explains it best. Without web the rest fits the plan" in check.message
    assert segment_ratio(delivery(np.random.default_rng(3), 10_000, {"web": 0.06}), EVEN, steered=True).severity == (
        "warning"
    )


def test_a_loss_alike_everywhere_has_no_explanation() -> None:
    lost = dict.fromkeys(("android", "ios", "web"), 0.05)
    check = segment_ratio(delivery(np.random.default_rng(4), 10_000, lost), EVEN)
    assert check.ok is False
    assert "No dimension explains it" in check.message


def test_losses_that_cancel_in_the_total_are_found() -> None:
    counts: Counts = {"system": {"ios": {"a": 10_000, "b": 9_400}, "web": {"a": 9_400, "b": 10_000}}}
    assert share_test([19_400, 19_400], [1, 1])[0] == 1.0
    check = segment_ratio(counts, EVEN)
    assert check.ok is False
    assert "in 2 of 2 segments" in check.message


@pytest.mark.slow
def test_false_alarms_over_all_segments_stay_at_the_level() -> None:
    rng = np.random.default_rng(5)
    runs = 500
    counts = [delivery(rng, 2_000, {}) for _ in range(runs)]
    alarms = sum(segment_ratio(one, EVEN).ok is False for one in counts)
    assert alarms <= stats.binom.isf(0.001, runs, 0.01)
    least = [min(s.adjusted_p for s in segment_shares(one, EVEN)[0]) for one in counts]
    assert 0.02 < np.mean(np.array(least) < 0.05) < 0.05 + 3.5 * (0.05 * 0.95 / runs) ** 0.5


def test_a_tiny_deviation_in_a_huge_segment_is_told_but_passes() -> None:
    counts: Counts = {"system": {"web": {"a": 50_030_000, "b": 49_970_000}}}
    check = segment_ratio(counts, EVEN)
    assert check.ok is True
    assert check.p_value < 1e-6
    assert "too little to matter" in check.message
    assert segment_ratio(counts, EVEN, notable=0.0005).ok is False


def test_arms_of_weight_zero_and_empty_segments_do_not_count() -> None:
    counts: Counts = {"system": {"web": {"a": 3_000, "b": 1_000, "c": 7}, "tv": {}}, "empty": {}}
    segments, dimensions = segment_shares(counts, {"a": 3.0, "b": 1.0, "c": 0.0})
    assert [(s.level, s.n, s.p_value) for s in segments] == [("web", 4_000, 1.0), ("tv", 0, 1.0)]
    assert [(d.name, d.df, d.log_p) for d in dimensions] == [("system", 0, 0.0)]
    assert segment_ratio({}, EVEN).ok is None
    assert segment_ratio({"system": {"tv": {}}}, EVEN).ok is None


def test_bad_weights_and_counts_are_refused() -> None:
    with pytest.raises(InputError, match="do not divide"):
        share_test([1, 2], [1, 0])
    with pytest.raises(InputError, match="do not divide"):
        share_test([1, 2, 3], [1, 1])
    with pytest.raises(InputError, match="negative"):
        share_test([1, -2], [1, 1])
