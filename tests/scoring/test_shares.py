"""Corrected shares against closed forms and simulation; bands and verdicts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from statsmodels.stats.proportion import proportion_confint

from proofsheet.errors import InputError
from scoring.coverage.labelled import double_sampled_shares
from scoring.coverage.shares import corrected_shares, wilson
from scoring.coverage.targets import Coverage, bands_of, distance, judge, normalised_entropy, whole

Counts = NDArray[np.float64]


def drawn(
    rng: np.random.Generator, share: float, n: int, sensitivity: float, specificity: float, labels: int, runs: int
) -> tuple[Counts, Counts]:
    """Counts of two perceived values and of labels in equal halves, ``runs`` of each."""
    half = labels // 2
    seen = rng.binomial(n, share * sensitivity + (1 - share) * (1 - specificity), runs)
    right, also = rng.binomial(half, sensitivity, runs), rng.binomial(half, specificity, runs)
    rows = np.stack([np.stack([right, half - right], -1), np.stack([half - also, also], -1)], -2)
    return np.stack([seen, n - seen], -1).astype(float), rows.astype(float)


def test_two_values_are_rogan_and_gladens() -> None:
    found = corrected_shares([58, 142], [[90, 10], [15, 85]])
    assert found.share[0] == pytest.approx((58 / 200 - 0.15) / (0.90 + 0.85 - 1), abs=1e-6)
    assert found.naive[0] == 0.29
    assert found.low[0] < found.share[0] < found.high[0]
    assert found.low[0] == pytest.approx(1 - found.high[1], abs=1e-6)


def test_a_classifier_that_is_always_right_leaves_the_score_interval() -> None:
    found = corrected_shares([37, 163], [[10**7, 0], [0, 10**7]])
    low, high = proportion_confint(37, 200, method="wilson")
    # The test's skewness is allowed for, which moves Wilson's ends by less than a hundredth.
    assert found.share[0] == pytest.approx(0.185, abs=1e-6)
    assert found.low[0] == pytest.approx(low, abs=0.01)
    assert found.high[0] == pytest.approx(high, abs=0.01)


def test_shares_of_many_values_are_the_most_likely() -> None:
    chances = np.array([[0.8, 0.15, 0.05], [0.1, 0.85, 0.05], [0.2, 0.1, 0.7]])
    counts = np.array([60.0, 25.0, 15.0])

    def unlikely(free: Counts) -> float:
        weights = np.exp(np.append(free, 0.0))
        return -float(counts @ np.log(weights / weights.sum() @ chances))

    other = np.exp(np.append(minimize(unlikely, np.zeros(2), tol=1e-12).x, 0.0))
    found = corrected_shares(counts, 1000 * chances)
    assert found.share == pytest.approx(other / other.sum(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "n", "sensitivity", "specificity"),
    [(0.02, 50, 0.9, 0.9), (0.05, 200, 0.8, 0.8), (0.1, 200, 0.99, 0.8), (0.2, 50, 0.8, 0.95), (0.5, 100, 0.9, 0.85)],
)
def test_intervals_cover_and_errors_halve(share: float, n: int, sensitivity: float, specificity: float) -> None:
    counts, rows = drawn(np.random.default_rng(5), share, n, sensitivity, specificity, 200, 1_000)
    found = corrected_shares(counts, rows)
    covered = ((found.low[:, 0] <= share) & (share <= found.high[:, 0])).mean()
    assert 0.93 <= covered <= 0.97
    naive_bias = found.naive[:, 0].mean() - share
    if abs(naive_bias) >= 0.05:
        assert abs(found.share[:, 0].mean() - share) <= 0.5 * abs(naive_bias)


def test_three_values_are_covered_too() -> None:
    rng = np.random.default_rng(8)
    chances = np.array([[0.9, 0.06, 0.04], [0.1, 0.8, 0.1], [0.02, 0.08, 0.9]])
    shares, runs = np.array([0.6, 0.3, 0.1]), 500
    counts = rng.multinomial(150, shares @ chances, runs).astype(float)
    rows = np.stack([rng.multinomial(100, row, runs) for row in chances], 1).astype(float)
    found = corrected_shares(counts, rows)
    covered = ((found.low <= shares) & (shares <= found.high)).mean(0)
    assert ((covered > 0.93) & (covered < 0.975)).all()


def test_what_is_out_of_its_band_is_seldom_called_met() -> None:
    counts, rows = drawn(np.random.default_rng(6), 0.61, 1_000, 0.95, 0.95, 1_000, 400)
    found, bands = corrected_shares(counts, rows), bands_of(["a", "b"], {"a": 0.5}, 0.1)
    called = [
        whole(judge(*share) for share in zip(lows, highs, bands, strict=True))
        for lows, highs in zip(found.low, found.high, strict=True)
    ]
    assert called.count(Coverage.MET) / len(called) <= 0.05


@settings(max_examples=40)
@given(st.lists(st.integers(0, 60), min_size=3, max_size=3), st.lists(st.integers(0, 30), min_size=9, max_size=9))
def test_any_counts_give_shares_within_their_intervals(counts: list[int], labels: list[int]) -> None:
    found = corrected_shares(np.array(counts), np.array(labels).reshape(3, 3))
    assert found.share.sum() == pytest.approx(1.0)
    assert ((found.low >= 0) & (found.low <= found.share) & (found.share <= found.high) & (found.high <= 1)).all()


@pytest.mark.parametrize(
    "rows", [[[50, 50], [50, 50]], [[0, 0], [10, 90]]], ids=["tells nothing apart", "one value never labelled"]
)
def test_where_nothing_can_be_known_anything_may_be(rows: list[list[int]]) -> None:
    found = corrected_shares([30, 70], rows)
    assert found.low.tolist() == [0, 0]
    assert found.high.tolist() == [1, 1]


def test_wilson() -> None:
    for k, n in ((0, 8), (3, 20), (20, 20)):
        assert wilson(k, n) == pytest.approx(proportion_confint(k, n, method="wilson"), abs=1e-12)
    # Nothing seen in 8, 20, 50: published one-sided limits of 32, 16 and 7.1 % (Wilson's are near).
    assert wilson(0, 50)[1] == pytest.approx(0.0714, abs=5e-4)


def test_labels_of_the_same_set_correct_whatever_the_classifier_is() -> None:
    rng, hits, naive = np.random.default_rng(9), 0, []
    for _ in range(400):
        true = rng.random(400) < 0.2
        seen = np.where(true, rng.random(400) < 0.8, rng.random(400) < 0.25)
        rows = [[np.sum((true == t) & (seen == s), where=np.arange(400) < 80) for s in (1, 0)] for t in (1, 0)]
        found = double_sampled_shares([seen.sum(), 400 - seen.sum()], rows)
        hits += bool(found.low[0] <= 0.2 <= found.high[0])
        naive.append(found.naive[0] - 0.2)
    assert 0.93 <= hits / 400 <= 0.98
    assert np.mean(naive) > 0.1


def test_labels_alone_are_a_plain_sample() -> None:
    found = double_sampled_shares([60, 40], [[18, 2], [6, 14]])
    assert found.share[0] == pytest.approx(0.6 * 18 / 24 + 0.4 * 2 / 16)
    # All pictures labelled: the shares are those of the labels.
    whole = double_sampled_shares([60, 40], [[50, 5], [10, 35]])
    assert whole.share[0] == pytest.approx(0.55)


def test_few_labels_of_a_value_are_taken_with_the_others() -> None:
    found = double_sampled_shares([90, 6, 4], [[20, 1, 0], [2, 3, 1], [0, 0, 1]])
    assert found.share.sum() == pytest.approx(1.0)
    assert double_sampled_shares([90, 10], [[20, 0], [4, 1]]).share.sum() == pytest.approx(1.0)


def test_bands() -> None:
    bands = bands_of(["a", "b", "c"], {"a": 0.5}, 0.05)
    assert [band.target for band in bands] == [0.5, 0.25, 0.25]
    assert (bands[0].least, bands[0].most) == pytest.approx((0.45, 0.55))
    with pytest.raises(InputError, match=r"add up to 1\.2"):
        bands_of(["a", "b"], {"a": 0.6, "b": 0.6})
    with pytest.raises(InputError, match="no value of this axis"):
        bands_of(["a", "b"], {"x": 0.6})


def test_verdicts() -> None:
    bands = bands_of(["a", "b"], {})
    rows = [[10**6, 0], [0, 10**6]]

    def verdicts(counts: list[int]) -> list[Coverage]:
        found = corrected_shares(counts, rows)
        return [judge(*share) for share in zip(found.low, found.high, bands, strict=True)]

    assert whole(verdicts([500, 500])) is Coverage.MET
    assert whole(verdicts([10, 10])) is Coverage.UNKNOWN
    assert verdicts([95, 5]) == [Coverage.NOT_MET, Coverage.NOT_MET]
    assert distance(corrected_shares([95, 5], rows).share, bands) == pytest.approx(0.45, abs=1e-6)


def test_an_axis_is_met_where_each_value_is() -> None:
    assert whole([Coverage.MET, Coverage.MET]) is Coverage.MET
    assert whole([Coverage.MET, Coverage.UNKNOWN]) is Coverage.UNKNOWN
    assert whole([Coverage.UNKNOWN, Coverage.NOT_MET]) is Coverage.NOT_MET
    assert whole([]) is None


def test_entropy() -> None:
    assert normalised_entropy(np.array([0.25] * 4)) == pytest.approx(1.0)
    assert normalised_entropy(np.array([1.0, 0.0])) == 0.0
    assert normalised_entropy(np.array([0.9, 0.1])) == pytest.approx(-(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1)))


def test_unfit_counts_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        corrected_shares([1, 2, 3], [[1, 0], [0, 1]])
    with pytest.raises(InputError, match="negative"):
        corrected_shares([1, -2], [[1, 0], [0, 1]])
    with pytest.raises(InputError, match="more of some value"):
        double_sampled_shares([5, 5], [[6, 0], [0, 1]])
    with pytest.raises(InputError, match="No picture is labelled"):
        double_sampled_shares([5, 5], [[0, 0], [0, 0]])
