"""Unit-level comparisons against published numbers, scipy and statsmodels."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from experiments.basis import score_intervals
from experiments.basis.distributions import TINY, beta_chance_greater, normal_critical, normal_two_sided, t_two_sided
from experiments.basis.moments import Moments as CrossMoments
from experiments.comparing.analysis import compare
from experiments.comparing.contrasts import MeanContrast, ProportionContrast
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Aggregates, Status
from proofsheet.errors import InputError

Binary = Callable[[int, int], Aggregates]
Moments = Callable[..., Aggregates]


def test_published_retention_after_seven_days(proportion: Metric, binary: Binary) -> None:
    """The game test known as Cookie Cats: 18.200 % against 19.020 %."""
    (r,) = compare(
        proportion, {"gate_30": binary(44_700, 8_502), "gate_40": binary(45_489, 8_279)}, "gate_30", experiment="e"
    )
    assert (f"{r.value_arm:.5f}", f"{r.value_control:.5f}") == ("0.18200", "0.19020")
    assert [f"{100 * v:.4f}" for v in (r.effect, r.effect_low, r.effect_high)] == ["-0.8201", "-1.3282", "-0.3121"]
    assert f"{100 * r.lift:.3f}" == "-4.312"
    assert f"{r.p_value:.5f}" == "0.00155"
    assert f"{r.chance_to_win:.5f}" == "0.00078"
    assert r.status is Status.OK
    assert "pooled z" in r.method


def test_published_retention_after_one_day(proportion: Metric, binary: Binary) -> None:
    (r,) = compare(
        proportion, {"gate_30": binary(44_700, 20_034), "gate_40": binary(45_489, 20_119)}, "gate_30", experiment="e"
    )
    assert [f"{100 * v:.4f}" for v in (r.effect, r.effect_low, r.effect_high)] == ["-0.5905", "-1.2392", "0.0582"]
    assert f"{r.p_value:.4f}" == "0.0744"


def test_wald_option_gives_the_textbook_interval(proportion: Metric, binary: Binary) -> None:
    arms = {"c": binary(44_700, 8_502), "t": binary(45_489, 8_279)}
    (r,) = compare(proportion, arms, "c", experiment="e", method="wald")
    low, high = confint_proportions_2indep(8_279, 45_489, 8_502, 44_700, compare="diff", method="wald")
    assert (r.effect_low, r.effect_high) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize(("x1", "n1", "x0", "n0"), [(3, 100, 9, 110), (8_279, 45_489, 8_502, 44_700), (49, 50, 40, 60)])
def test_score_test_and_ratio_interval_agree_with_statsmodels(x1: int, n1: int, x0: int, n0: int) -> None:
    c = ProportionContrast(successes=x1, trials=n1, control_successes=x0, control_trials=n0)
    assert c.p_value == pytest.approx(proportions_ztest([x1, x0], [n1, n0])[1], rel=1e-9)
    low, high = confint_proportions_2indep(x1, n1, x0, n0, compare="ratio", method="score", correction=False)
    assert c.lift_limits(0.05) == pytest.approx((low - 1, high - 1), rel=1e-5)


def test_score_interval_for_a_difference_is_where_the_restricted_likelihood_says() -> None:
    """The limits by brute force: maximise the likelihood under the restriction on a fine grid."""
    x1, n1, x0, n0 = 7, 80, 3, 100
    for limit in score_intervals.difference_limits(x1, n1, x0, n0, normal_critical(0.05)):
        p0 = np.linspace(max(0.0, -limit) + 1e-9, min(1.0, 1.0 - limit) - 1e-9, 200_001)
        p1 = p0 + limit
        likelihood = stats.binom.logpmf(x1, n1, p1) + stats.binom.logpmf(x0, n0, p0)
        best = int(np.argmax(likelihood))
        variance = p1[best] * (1 - p1[best]) / n1 + p0[best] * (1 - p0[best]) / n0
        assert abs(x1 / n1 - x0 / n0 - limit) / math.sqrt(variance) == pytest.approx(1.959964, abs=1e-4)


def test_score_intervals_keep_their_level_with_rare_events() -> None:
    """Exact coverage, summed over every outcome, where about three successes are expected in each arm."""
    n, p1, p0 = 300, 0.012, 0.008
    c = normal_critical(0.05)
    covered = wald = 0.0
    for x1 in range(20):
        for x0 in range(20):
            chance = stats.binom.pmf(x1, n, p1) * stats.binom.pmf(x0, n, p0)
            low, high = score_intervals.difference_limits(x1, n, x0, n, c)
            covered += chance * (low <= p1 - p0 <= high)
            reach = c * math.sqrt(x1 / n * (1 - x1 / n) / n + x0 / n * (1 - x0 / n) / n)
            wald += chance * (abs(x1 / n - x0 / n - (p1 - p0)) <= reach)
    assert 0.94 < covered < 0.99
    assert covered > wald


def test_beta_chance_agrees_with_adaptive_integration() -> None:
    x1, n1, x0, n0 = 12, 200, 7, 180
    expected, _ = integrate.quad(
        lambda p: stats.beta.pdf(p, x1 + 1, n1 - x1 + 1) * stats.beta.cdf(p, x0 + 1, n0 - x0 + 1), 0, 1
    )
    assert beta_chance_greater(x1, n1, x0, n0) == pytest.approx(expected, rel=1e-9)
    assert beta_chance_greater(x1, n1, x0, n0) + beta_chance_greater(x0, n0, x1, n1) == pytest.approx(1.0, abs=1e-12)


def test_tails_stay_small_numbers_and_never_become_zero() -> None:
    assert normal_two_sided(10.0) == pytest.approx(2 * stats.norm.sf(10.0), rel=1e-12)
    assert t_two_sided(12.0, 7.5) == pytest.approx(2 * stats.t.sf(12.0, 7.5), rel=1e-9)
    assert normal_two_sided(153.6) == TINY > 0.0


def test_mean_agrees_with_scipy_welch(mean: Metric, moments: Moments) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.lognormal(1.0, 1.0, 60), rng.lognormal(1.2, 0.6, 45)
    (r,) = compare(mean, {"c": moments(a), "t": moments(b)}, "c", experiment="e")
    other = stats.ttest_ind(b, a, equal_var=False)
    interval = other.confidence_interval(0.95)
    assert r.p_value == pytest.approx(other.pvalue, rel=1e-9)
    assert (r.effect_low, r.effect_high) == pytest.approx((interval.low, interval.high), rel=1e-9)


def test_fieller_limits_are_the_ratios_that_the_t_test_keeps() -> None:
    c = MeanContrast(arm=5.5, control=4.0, arm_variance=0.4, control_variance=0.3, df=20.0, method="")
    for lift in c.lift_limits(0.05) or ():
        rho = 1 + lift
        t = (5.5 - rho * 4.0) / math.sqrt(0.4 + rho**2 * 0.3)
        assert 2 * stats.t.sf(abs(t), 20) == pytest.approx(0.05, rel=1e-9)


def test_ratio_agrees_with_a_regression_free_delta_method(ratio: Metric, moments: Moments) -> None:
    rng = np.random.default_rng(5)
    visits = [rng.poisson(3, 500) + 1.0 for _ in range(2)]
    value = [v * rng.gamma(2.0, 1.0, 500) for v in visits]
    (r,) = compare(ratio, {"c": moments(value[0], visits[0]), "t": moments(value[1], visits[1])}, "c", experiment="e")
    estimates = [v.sum() / n.sum() for v, n in zip(value, visits, strict=True)]
    variances = [
        np.var((v - e * n) / n.mean(), ddof=1) / len(v) for v, n, e in zip(value, visits, estimates, strict=True)
    ]
    z = (estimates[1] - estimates[0]) / math.sqrt(sum(variances))
    assert r.effect == pytest.approx(estimates[1] - estimates[0])
    assert r.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=0.01)


def test_large_offsets_and_shards_change_nothing(mean: Metric, moments: Moments) -> None:
    rng = np.random.default_rng(8)
    a, b = rng.normal(0, 3, 400), rng.normal(1, 3, 400)
    (plain,) = compare(mean, {"c": moments(a), "t": moments(b)}, "c", experiment="e")
    (moved,) = compare(mean, {"c": moments(a + 1e9), "t": moments(b + 1e9)}, "c", experiment="e")
    shards = moments(b[:150]).merge(moments(b[150:]))
    (merged,) = compare(mean, {"c": moments(a), "t": shards}, "c", experiment="e")
    assert moved.p_value == pytest.approx(plain.p_value, rel=1e-5)
    assert merged.p_value == pytest.approx(plain.p_value, rel=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e9])
def test_days_merge_to_the_whole_test_far_from_zero(mean: Metric, offset: float) -> None:
    """Every number of the row from 40 shards against that of the whole and of the unmoved data, to 1e-10."""
    rng = np.random.default_rng(9)
    arms = {"c": rng.normal(0, 3, 400) + offset, "t": rng.normal(1, 3, 400) + offset}

    def of(values: np.ndarray) -> Aggregates:
        return CrossMoments.from_rows(values[:, None], ["x"]).to_aggregates("x")

    whole = {name: of(values) for name, values in arms.items()}
    shards = {name: reduce(Aggregates.merge, map(of, np.array_split(values, 40))) for name, values in arms.items()}
    (one,) = compare(mean, whole, "c", experiment="e")
    (merged,) = compare(mean, shards, "c", experiment="e")
    names = ["effect", "effect_low", "effect_high", "p_value", *(["lift", "lift_low", "lift_high"] if offset else [])]
    for name in names:
        assert getattr(merged, name) == pytest.approx(getattr(one, name), rel=1e-10, abs=0), name
    near = stats.ttest_ind(arms["t"] - offset, arms["c"] - offset, equal_var=False)
    assert merged.p_value == pytest.approx(near.pvalue, rel=1e-10)
    assert merged.effect_low == pytest.approx(near.confidence_interval().low, rel=1e-10)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 5_000), st.integers(1, 5_000), st.floats(0, 1), st.floats(0, 1), st.sampled_from([0.2, 0.05, 0.001])
)
def test_limits_leave_out_zero_exactly_when_p_is_below_alpha(
    n1: int, n0: int, share1: float, share0: float, alpha: float
) -> None:
    c = ProportionContrast(
        successes=round(share1 * n1), trials=n1, control_successes=round(share0 * n0), control_trials=n0
    )
    if abs(c.p_value - alpha) < 1e-9:
        return
    low, high = c.effect_limits(alpha)
    assert (low > 0 or high < 0) == (c.p_value < alpha)
    assert low <= c.effect + 1e-12
    assert high >= c.effect - 1e-12
    limits = c.lift_limits(alpha)
    assert (limits is None) == (c.control_successes == 0)
    if limits is not None:
        assert (limits[0] > 1e-12 or limits[1] < -1e-12) == (c.p_value < alpha)


@settings(max_examples=300, deadline=None)
@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1e-3, 10), st.floats(1e-3, 10), st.floats(2, 500))
def test_fieller_and_t_test_never_disagree(arm: float, control: float, v1: float, v0: float, df: float) -> None:
    c = MeanContrast(arm=arm, control=control, arm_variance=v1, control_variance=v0, df=df, method="")
    limits, effect = c.lift_limits(0.05), c.effect_limits(0.05)
    assert effect is not None
    if c.p_value is None or abs(c.p_value - 0.05) < 1e-9:
        return
    assert (effect[0] > 0 or effect[1] < 0) == (c.p_value < 0.05)
    if limits is not None and c.lift is not None:
        assert (limits[0] > 0 or limits[1] < 0) == (c.p_value < 0.05)
        assert limits[0] - 1e-9 <= c.lift <= limits[1] + 1e-9


def test_lift_has_the_sign_of_the_effect_below_zero(mean: Metric, moments: Moments) -> None:
    rng = np.random.default_rng(2)
    losses, smaller = rng.normal(-10, 1, 200), rng.normal(-8, 1, 200)
    (r,) = compare(mean, {"c": moments(losses), "t": moments(smaller)}, "c", experiment="e")
    assert r.lift == pytest.approx(0.2, abs=0.03)
    assert 0 < r.lift_low < r.lift < r.lift_high


def test_unbounded_lift_is_named_and_its_effect_still_given(mean: Metric, moments: Moments) -> None:
    rng = np.random.default_rng(4)
    (r,) = compare(
        mean, {"c": moments(rng.normal(0.05, 1, 50)), "t": moments(rng.normal(1, 1, 50))}, "c", experiment="e"
    )
    assert r.status is Status.UNBOUNDED
    assert (r.lift_low, r.lift_high) == (None, None)
    assert r.effect_low is not None
    assert "no limits" in r.note


def test_degenerate_cases_are_named(proportion: Metric, mean: Metric, binary: Binary, moments: Moments) -> None:
    rows = compare(
        proportion,
        {"c": binary(100, 0), "zero": binary(100, 0), "some": binary(100, 9), "empty": binary(0, 0)},
        "c",
        experiment="e",
    )
    assert [r.status for r in rows] == [Status.ZERO_CONTROL, Status.ZERO_CONTROL, Status.NO_DATA]
    assert rows[0].p_value == 1.0
    assert rows[1].lift is None
    assert rows[1].effect_low is not None
    assert rows[1].effect_low > 0
    assert rows[2].p_value is None
    same = compare(mean, {"c": moments([0.1] * 9), "t": moments([0.1] * 9)}, "c", experiment="e")
    assert (same[0].status, same[0].p_value) == (Status.NO_VARIANCE, None)
    one = compare(mean, {"c": moments([1.0, 2.0]), "t": moments([3.0])}, "c", experiment="e")
    assert one[0].status is Status.TOO_FEW


def test_lower_is_better_turns_the_chance_round(binary: Binary) -> None:
    metric = Metric(name="refunds", kind=MetricKind.PROPORTION, numerator="refund", higher_is_better=False)
    (r,) = compare(metric, {"c": binary(1_000, 100), "t": binary(1_000, 60)}, "c", experiment="e")
    assert r.chance_to_win is not None
    assert r.chance_to_win > 0.99


def test_refusals_name_the_value_and_the_remedy(proportion: Metric, binary: Binary, moments: Moments) -> None:
    arms = {"c": binary(10, 2), "t": binary(10, 3)}
    with pytest.raises(InputError, match="'x' is not among the arms"):
        compare(proportion, arms, "x", experiment="e")
    with pytest.raises(InputError, match="Only one arm"):
        compare(proportion, {"c": binary(10, 2)}, "c", experiment="e")
    with pytest.raises(InputError, match="other than 0 and 1"):
        compare(proportion, {"c": binary(10, 2), "t": moments([0.0, 2.0, 1.0])}, "c", experiment="e")
    with pytest.raises(InputError, match="not finite"):
        compare(proportion, {"c": binary(10, 2), "t": Aggregates(n=3, mean_x=math.nan, m2_x=0.0)}, "c", experiment="e")
    with pytest.raises(InputError, match="'median'"):
        compare(proportion, arms, "c", experiment="e", correction="median")
    with pytest.raises(InputError, match="95"):
        compare(proportion, arms, "c", experiment="e", confidence=95)
