"""Families of metrics and arms: closed testing by hand, statsmodels, simultaneous coverage, gates."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from experiments.comparing.analysis import compare
from experiments.comparing.family_tests import false_discovery, step_down
from experiments.deciding.metric_families import Guard, guardrail_states, may_ship, metric_weights
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Aggregates
from proofsheet.errors import InputError

P = [0.001, 0.04, 0.012, 0.3, 0.02]


def two_sided(z: np.ndarray) -> np.ndarray:
    return np.asarray(2 * stats.norm.sf(np.abs(z)))


def test_the_primary_metric_gets_its_share() -> None:
    """Preferential Bonferroni with m = 3 metrics and k = 2 arms: gamma / k and (1 - gamma) / (k (m - 1))."""
    weights = metric_weights([True, False, False], 2, 0.7)
    assert weights.ravel().tolist() == pytest.approx([0.35] * 2 + [0.075] * 4)
    assert metric_weights([True, True, False], 1, 0.8).ravel().tolist() == pytest.approx([0.4, 0.4, 0.2])
    for kinds in ([True], [False, False], [True, True]):
        assert metric_weights(kinds, 3).sum() == pytest.approx(1.0)
        assert len(set(metric_weights(kinds, 3).ravel())) == 1
    with pytest.raises(InputError, match="cannot divide alpha"):
        metric_weights([True], 0)


@pytest.mark.parametrize(("kept", "theirs"), [(0.0, "holm"), (1.0, "bonferroni")])
def test_adjusted_p_agrees_with_statsmodels(kept: float, theirs: str) -> None:
    assert step_down(P, 1.0, kept=kept).adjusted_p.tolist() == pytest.approx(
        multipletests(P, method=theirs)[1].tolist()
    )
    assert false_discovery(P, 1.0).adjusted_p.tolist() == pytest.approx(multipletests(P, method="fdr_bh")[1].tolist())


def closed_test(tails: np.ndarray, weights: np.ndarray, alpha: float) -> np.ndarray:
    """Every intersection by weighted Bonferroni; a hypothesis is rejected when all that contain it are."""
    m = len(tails)
    rejected = np.ones(m, dtype=bool)
    for size in range(1, m + 1):
        for members in map(list, combinations(range(m), size)):
            if not (tails[members] < alpha * weights[members] / weights[members].sum()).any():
                rejected[members] = False
    return rejected


def test_weighted_holm_is_the_closed_test() -> None:
    rng = np.random.default_rng(1)
    for _ in range(150):
        z, weights = rng.normal(1.5, 2.0, 4), rng.dirichlet(np.ones(4))
        found = step_down(two_sided(z), z, weights=weights, kept=0.0)
        assert (found.direction == 1).tolist() == closed_test(stats.norm.sf(z), weights, 0.025).tolist()
        assert (found.direction == -1).tolist() == closed_test(stats.norm.cdf(z), weights, 0.025).tolist()


def test_many_experiments_at_once_are_the_same_as_one_by_one() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(1.0, 2.0, (50, 6))
    weights = metric_weights([True, False], 3).ravel()
    for test in (step_down(two_sided(z), z, weights=weights), false_discovery(two_sided(z), z)):
        assert test.adjusted_p.shape == (50, 6)
    together = step_down(two_sided(z), z, weights=weights)
    for i in (0, 17, 49):
        alone = step_down(two_sided(z[i]), z[i], weights=weights)
        assert alone.adjusted_p.tolist() == pytest.approx(together.adjusted_p[i].tolist(), rel=1e-12)
        assert alone.lower_tail.tolist() == pytest.approx(together.lower_tail[i].tolist(), rel=1e-12)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-6, 6).filter(lambda z: abs(z) > 1e-6), min_size=1, max_size=7),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_limits_leave_out_zero_exactly_when_decided(z: list[float], kept: float, alpha: float) -> None:
    values = np.array(z)
    weights = np.arange(1, len(z) + 1)
    for test in (
        step_down(two_sided(values), values, alpha=alpha, kept=kept, weights=weights),
        false_discovery(two_sided(values), values, alpha=alpha),
    ):
        low, high = test.limits(values, 1.0)
        assert ((low >= 0) | (high <= 0)).tolist() == (test.direction != 0).tolist()
        assert (test.adjusted_p < alpha).tolist() == (test.direction != 0).tolist()
        assert (low <= high).all()
        assert not np.isnan(low).any()


def test_one_comparison_is_the_usual_test_and_interval() -> None:
    for kept in (0.0, 0.5, 1.0):
        test = step_down([0.01], [2.0], kept=kept)
        low, high = test.limits([2.0], [0.7], [12.0])
        reach = stats.t.isf(0.025, 12) * 0.7
        assert (float(low[0]), float(high[0])) == pytest.approx((2.0 - reach, 2.0 + reach), rel=1e-9)
        assert float(test.adjusted_p[0]) == 0.01


TRUTHS = [(0, 0, 0, 0), (10, 0, 0, 0), (10, 10, 10, -0.5), (3, -3, 2, -2), (10, 10, 10, 0), (2.5, 2.5, 0, 0)]


@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("truth", TRUTHS)
def test_simultaneous_limits_hold_all_truths_at_once(kept: float, truth: tuple[float, ...]) -> None:
    rng = np.random.default_rng(3)
    true = np.array(truth, dtype=float)
    z = true + rng.standard_normal((20_000, 4)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(4)).T
    test = step_down(np.clip(two_sided(z), 1e-300, 1.0), z, weights=[0.4, 0.2, 0.2, 0.2], kept=kept)
    low, high = test.limits(z, 1.0)
    missed = ((low > true) | (high < true)).any(axis=1).mean()
    wrong = ((test.direction > 0) & (true <= 0)) | ((test.direction < 0) & (true >= 0))
    bound = 0.05 + 4 * (0.05 * 0.95 / 20_000) ** 0.5
    assert missed <= bound
    assert wrong.any(axis=1).mean() <= bound
    if kept == 1.0:
        assert missed > 0.03


def test_what_is_passed_on_finds_more_and_tells_less() -> None:
    rng = np.random.default_rng(4)
    z = rng.normal(3.0, 1.0, (20_000, 4))
    tests = [step_down(two_sided(z), z, kept=kept) for kept in (0.0, 0.5, 1.0)]
    power = [(t.direction > 0).mean() for t in tests]
    assert power[0] > power[1] + 0.02 > power[2] + 0.04
    lows = [t.limits(z, 1.0)[0] for t in tests]
    partly = (tests[0].direction > 0) & ~(tests[0].direction > 0).all(axis=1, keepdims=True)
    assert (lows[0][partly] == 0).all()
    assert (lows[1][partly & (z > 4)] > 0).all()


def test_false_coverage_and_false_discovery_stay_at_their_level() -> None:
    """Benjamini and Yekutieli: of the intervals of the found, a share alpha misses on average."""
    rng = np.random.default_rng(5)
    true = np.r_[np.zeros(70), np.full(30, 3.0)]
    z = rng.normal(true, 1.0, (3_000, 100))
    test = false_discovery(two_sided(z), z)
    found = test.direction != 0
    low, high = test.limits(z, 1.0)
    number = np.maximum(found.sum(axis=1), 1)
    missed = (found & ((low > true) | (high < true))).sum(axis=1) / number
    false = (found & (true == 0)).sum(axis=1) / number
    assert missed.mean() <= 0.05 + 3 * missed.std() / 3_000**0.5
    assert false.mean() == pytest.approx(0.05 * 0.7, abs=4 * false.std() / 3_000**0.5)


def test_weight_zero_is_never_decided() -> None:
    test = step_down([1e-12, 0.01], [1.0, 1.0], weights=[0.0, 1.0])
    assert test.direction.tolist() == [0, 1]
    low, high = test.limits([5.0, 1.0], 0.1)
    assert (low[0], high[0]) == (-np.inf, np.inf)


def test_limits_may_come_from_elsewhere() -> None:
    """Fieller's limits of the contrasts, drawn at the family's levels and cut."""
    test = step_down([0.0001, 0.2], [1.0, 1.0], kept=0.0)
    low, high = test.cut([0.4, -0.3], [0.9, 0.8])
    assert low.tolist() == [0.0, -0.3]
    assert high.tolist() == [0.9, 0.8]


def test_guardrails_are_safe_open_or_harmed() -> None:
    worst, best = [-0.01, -0.03, -0.09, -np.inf], [0.05, 0.01, -0.03, np.inf]
    states = guardrail_states(worst, best, 0.02)
    assert [Guard(s) for s in states.tolist()] == [Guard.SAFE, Guard.OPEN, Guard.HARMED, Guard.OPEN]
    assert may_ship([1, 1, 0], [[1, 1], [1, 0], [1, 1]]).tolist() == [True, False, False]
    assert may_ship([1], np.zeros((1, 0))).tolist() == [True]
    with pytest.raises(InputError, match="margin"):
        guardrail_states(0.0, 1.0, -0.1)
    with pytest.raises(InputError, match="missing"):
        guardrail_states(np.nan, 1.0, 0.1)


def test_a_harmful_arm_passes_the_gate_at_most_at_alpha_without_correction() -> None:
    """Five guardrails, one exactly at its margin and four far inside: the worst case of the union-intersection."""
    rng = np.random.default_rng(6)
    gain = np.array([-0.02, 0.05, 0.05, 0.05, 0.05]) + rng.normal(0.0, 0.01, (20_000, 5))
    critical, corrected = stats.norm.isf(0.05), stats.norm.isf(0.05 / 5)
    states = guardrail_states(gain - critical * 0.01, gain + corrected * 0.01, 0.02)
    passed = may_ship(np.ones(20_000), states).mean()
    assert passed == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 20_000) ** 0.5)
    edge = -0.02 + rng.normal(0.0, 0.01, (20_000, 5))
    states = guardrail_states(edge - critical * 0.01, edge + corrected * 0.01, 0.02)
    alarms = (states == Guard.HARMED).any(axis=1).mean()
    assert alarms == pytest.approx(1 - 0.99**5, abs=4 * (0.05 * 0.95 / 20_000) ** 0.5)


def test_the_states_agree_with_the_lift_limits_of_a_comparison() -> None:
    metric = Metric(name="m", kind=MetricKind.MEAN, numerator="m")
    arms = {
        "c": Aggregates(n=4_000, mean_x=10.0, m2_x=4_000 * 9.0),
        "t": Aggregates(n=4_000, mean_x=9.9, m2_x=4_000 * 9.0),
    }
    (r,) = compare(metric, arms, "c", experiment="e", confidence=0.9)
    for margin in (0.005, 0.02, 0.03):
        # Fieller's limit is beyond the margin exactly when arm - (1 - margin) control is clear of 0.
        error = (9.0 / 3_999) ** 0.5 * (1 + (1 - margin) ** 2) ** 0.5
        t = (9.9 - (1 - margin) * 10.0) / error
        shown = stats.t.sf(t, 7_998) < 0.05
        assert (guardrail_states(r.lift_low, r.lift_high, margin) == Guard.SAFE) == shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 0.1], 1.0), "p-value"),
        (([], 1.0), "p-value"),
        (([0.1], np.nan), "effect"),
    ],
)
def test_bad_families_are_refused(arguments: tuple[list[float], float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        step_down(*arguments)


def test_bad_options_are_refused() -> None:
    with pytest.raises(InputError, match="alpha"):
        step_down([0.1], 1.0, alpha=0.7)
    with pytest.raises(InputError, match="part kept"):
        step_down([0.1], 1.0, kept=2.0)
    with pytest.raises(InputError, match="weights"):
        step_down([0.1, 0.2], 1.0, weights=[0.0, 0.0])
    with pytest.raises(InputError, match="weights"):
        step_down([0.1, 0.2], 1.0, weights=[1.0])
