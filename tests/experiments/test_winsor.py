"""Winsorising against scipy, and what caps do to means, levels and effects."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.stats import mstats

from experiments.adjusting.adjustment import adjust_means
from experiments.adjusting.threshold_counts import ThresholdCounts, geometric_thresholds
from experiments.adjusting.winsor import Caps, capped_share, caps_from_counts, caps_from_values, winsorise
from experiments.basis.moments import Moments
from proofsheet.errors import InputError


def test_agrees_with_scipy_where_the_caps_are_its_order_statistics() -> None:
    x = np.random.default_rng(1).normal(size=101)  # 101 values: the 5 % and 95 % quantiles are the 6th from each end
    caps = caps_from_values([x], lower=0.05, upper=0.95)
    np.testing.assert_allclose(winsorise(x, caps), np.asarray(mstats.winsorize(x, limits=(5 / 101, 5 / 101))))
    assert capped_share(x, caps) == pytest.approx(10 / 101)
    np.testing.assert_allclose((caps.low, caps.high), np.quantile(x, [0.05, 0.95]))


def test_caps_come_from_all_arms_together() -> None:
    control, arm = np.arange(100.0), np.arange(100.0) * 3
    caps = caps_from_values([control, arm], upper=0.9)
    assert caps == Caps(high=float(np.quantile(np.concatenate([control, arm]), 0.9)))
    assert (capped_share(control, caps), capped_share(arm, caps)) == (0.0, 0.2)
    assert caps_from_values([arm, control], upper=0.9) == caps


def test_zeros_can_be_left_out_and_no_cap_is_no_cap() -> None:
    x = np.concatenate([np.zeros(990), np.arange(1.0, 11.0)])
    assert caps_from_values([x], upper=0.9).high == 0.0
    assert caps_from_values([x], upper=0.9, ignore_zeros=True).high == pytest.approx(9.1)
    assert caps_from_values([x], upper=1.0) == Caps()
    assert caps_from_values([[math.nan], []]) == Caps()
    assert np.isnan(winsorise([math.nan, 5.0], Caps(high=2.0))).tolist() == [True, False]
    assert capped_share([], Caps()) == 0.0


def test_caps_from_counts_are_those_of_the_values_to_the_cell() -> None:
    rng = np.random.default_rng(2)
    arms = [rng.lognormal(sigma=2, size=5_000), rng.lognormal(0.2, 2, size=7_000)]
    grid = geometric_thresholds(1e-4, 1e5, 0.005)
    counts = [ThresholdCounts.from_values(x, grid) for x in arms]
    raw, got = caps_from_values(arms, lower=0.01, upper=0.995), caps_from_counts(counts, lower=0.01, upper=0.995)
    assert (got.low, got.high) == pytest.approx((raw.low, raw.high), rel=0.006)
    assert caps_from_counts([ThresholdCounts.from_values([], grid)]) == Caps()
    assert caps_from_counts(counts, upper=1.0) == Caps()
    assert caps_from_counts([ThresholdCounts.from_values([9.0, 9.0], [1, 2])]).high == 2.0


@pytest.mark.slow
def test_the_level_holds_the_error_falls_and_the_bias_is_that_of_the_tail() -> None:
    """Heavy tails (log-normal, sigma 2), the arm's values 10 % up: 400 tests of 2 × 2,000 by one cap for both arms."""
    rng = np.random.default_rng(3)
    rejected, capped, raw = [], [], []
    for _ in range(400):
        x = rng.lognormal(sigma=2.0, size=(2, 2_000))
        y = x * np.array([1.0, 1.1])[:, None]
        same, caps = caps_from_values([*x], upper=0.99), caps_from_values([*y], upper=0.99)
        null = adjust_means(Moments.from_rows(winsorise(x, same)[..., None], ["x"]), "x", []).against(1, 0)
        rejected.append(float(null.p_value) < 0.05)
        for kept, values in ((capped, winsorise(y, caps)), (raw, y)):
            kept.append(float(adjust_means(Moments.from_rows(values[..., None], ["x"]), "x", []).against(1, 0).effect))
    assert float(np.mean(rejected)) == pytest.approx(0.05, abs=0.025)
    assert float(np.std(capped)) < 0.6 * float(np.std(raw))
    cap = math.log(stats.lognorm.ppf(0.99, 2.0, scale=1.05))  # about where the cap lies
    means = [
        math.exp(m + 2.0) * stats.norm.cdf((cap - m - 4.0) / 2.0) + math.exp(cap) * stats.norm.sf((cap - m) / 2.0)
        for m in (0.0, math.log(1.1))
    ]  # of the smaller of value and cap, in closed form
    assert float(np.mean(capped)) == pytest.approx(means[1] - means[0], abs=4 * float(np.std(capped)) / math.sqrt(400))
    assert means[1] - means[0] < 0.75 * 0.1 * math.exp(2.0)  # a quarter of the effect lives above the cap


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Caps(2.0, 1.0), "keep nothing"),
        (lambda: Caps(math.nan, 1.0), "keep nothing"),
        (lambda: caps_from_values([[1.0]], upper=1.1), "out of range"),
        (lambda: caps_from_values([[1.0]], lower=0.5, upper=0.5), "out of range"),
        (lambda: caps_from_counts([]), "not one for each arm"),
    ],
)
def test_what_are_no_caps_is_said(call: object, words: str) -> None:
    assert callable(call)
    with pytest.raises(InputError, match=words):
        call()
