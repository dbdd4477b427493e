"""Comparisons of estimates: the test, the three intervals of the lift, one side and two, and margins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ttost_ind

from experiments.comparing.analysis import compare
from experiments.comparing.comparisons import Comparisons, compare_estimates
from experiments.comparing.estimates import (
    NO_DATA,
    NO_VARIANCE,
    OK,
    TOO_FEW,
    UNBOUNDED,
    ZERO_CONTROL,
    Estimate,
    mean,
    ratio,
    stack,
)
from experiments.comparing.lift_intervals import LIFT_INTERVALS
from experiments.comparing.margins import equivalence, non_inferiority
from experiments.comparing.pairs import ALTERNATIVES
from proofsheet.domain.experiment import Metric
from proofsheet.domain.result import Aggregates
from proofsheet.errors import InputError

SIDES = {"two-sided": "two-sided", "greater": "larger", "less": "smaller"}


def sample(seed: int, n: int, centre: float, spread: float) -> np.ndarray:
    return np.random.default_rng(seed).gamma(4.0, spread, n) + centre


def estimated(x: np.ndarray) -> Estimate:
    return mean(x.size, x.mean(), ((x - x.mean()) ** 2).sum())


ARM, CONTROL = sample(1, 60, 10.0, 1.5), sample(2, 45, 9.0, 0.8)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("variances", ["welch", "pooled"])
@pytest.mark.parametrize("distribution", ["t", "normal"])
def test_test_and_difference_agree_with_statsmodels(alternative: str, variances: str, distribution: str) -> None:
    found = compare_estimates(
        estimated(ARM), estimated(CONTROL), alternative=alternative, variances=variances, distribution=distribution
    )
    theirs = CompareMeans(DescrStatsW(ARM), DescrStatsW(CONTROL))
    usevar = {"welch": "unequal", "pooled": "pooled"}[variances]
    test, limits = (
        (theirs.ttest_ind, theirs.tconfint_diff) if distribution == "t" else (theirs.ztest_ind, theirs.zconfint_diff)
    )
    statistic, p_value, *df = test(alternative=SIDES[alternative], usevar=usevar)
    low, high = limits(alpha=0.05, alternative=SIDES[alternative], usevar=usevar)
    assert float(found.statistic) == pytest.approx(statistic, rel=1e-12)
    assert float(found.p_value) == pytest.approx(p_value, rel=1e-10)
    assert (float(found.effect_low), float(found.effect_high)) == pytest.approx((low, high), rel=1e-10)
    if df:
        assert float(found.df) == pytest.approx(df[0], rel=1e-12)


def test_welch_agrees_with_scipy() -> None:
    found, theirs = (
        compare_estimates(estimated(ARM), estimated(CONTROL)),
        stats.ttest_ind(ARM, CONTROL, equal_var=False),
    )
    interval = theirs.confidence_interval()
    assert float(found.p_value) == pytest.approx(theirs.pvalue, rel=1e-10)
    assert (float(found.effect_low), float(found.effect_high)) == pytest.approx(
        (interval.low, interval.high), rel=1e-10
    )


def test_everything_agrees_with_the_scalar_engine(mean: Metric, ratio: Metric) -> None:
    rng = np.random.default_rng(9)
    for metric in (mean, ratio):
        rows = [
            Aggregates(
                n=int(rng.integers(30, 3_000)),
                mean_x=float(rng.uniform(2, 4)),
                m2_x=float(rng.uniform(300, 900)),
                mean_y=float(rng.uniform(1, 2)),
                m2_y=float(rng.uniform(50, 90)),
                cxy=float(rng.uniform(0, 60)),
            )
            for _ in range(40)
        ]
        columns = stack(rows)
        if metric is mean:
            columns = {name: columns[name] for name in ("n", "mean_x", "m2_x")}
        found = all_against_first(columns)
        scalar = compare(metric, {str(i): row for i, row in enumerate(rows)}, "0", experiment="e", correction="none")
        for name in ("effect", "effect_low", "effect_high", "lift", "lift_low", "lift_high", "p_value"):
            assert getattr(found, name) == pytest.approx([getattr(row, name) for row in scalar], rel=1e-9), name
        assert found.chance == pytest.approx([row.chance_to_win for row in scalar], rel=1e-9)


def all_against_first(columns: dict[str, np.ndarray]) -> Comparisons:
    values = ratio(**columns) if "cxy" in columns else mean(**columns)
    return compare_estimates(values[1:], values[0])


def test_fieller_is_where_the_statistic_meets_its_critical_value() -> None:
    # By brute force: a scan of the lifts, and a root of the statistic on each side.
    a, b = estimated(ARM), estimated(CONTROL)
    found = compare_estimates(a, b)
    critical = stats.t.isf(0.025, float(found.df))

    def beyond(lift: float) -> float:
        gap = float(a.value) - (1 + lift) * float(b.value)
        return abs(gap) / np.sqrt(float(a.variance) + (1 + lift) ** 2 * float(b.variance)) - critical

    centre = float(found.lift)
    assert float(found.lift_low) == pytest.approx(brentq(beyond, centre - 1, centre, xtol=1e-14), rel=1e-10)
    assert float(found.lift_high) == pytest.approx(brentq(beyond, centre, centre + 1, xtol=1e-14), rel=1e-10)
    kept = [lift for lift in np.linspace(-1, 2, 3_001) if beyond(lift) <= 0]
    assert min(kept) == pytest.approx(float(found.lift_low), abs=0.0011)
    assert max(kept) == pytest.approx(float(found.lift_high), abs=0.0011)


def test_fieller_holds_a_covariance_of_the_estimates() -> None:
    # Paired values: the ratio's limits are those lifts at which a paired t test of x - (1 + r) y does not reject.
    rng = np.random.default_rng(4)
    y = rng.normal(10, 2, 400)
    x = 1.05 * y + rng.normal(0, 1.5, 400)
    both = np.cov(x, y)
    a, b = estimated(x), estimated(y)
    found = compare_estimates(a, b, covariance=both[0, 1] / 400, distribution="normal")
    assert float(found.effect_high - found.effect_low) == pytest.approx(
        2 * 1.959964 * (x - y).std(ddof=1) / 20, rel=1e-6
    )
    for limit in (found.lift_low, found.lift_high):
        gap = x - (1 + float(limit)) * y
        assert abs(gap.mean() / (gap.std(ddof=1) / 20)) == pytest.approx(1.959963984540054, rel=1e-9)


def test_delta_and_log_intervals_are_their_formulas() -> None:
    a, b = estimated(ARM), estimated(CONTROL)
    m1, m0, v1, v0 = (float(v) for v in (a.value, b.value, a.variance, b.variance))
    delta, log = (compare_estimates(a, b, lift_interval=name) for name in ("delta", "log"))
    critical = stats.t.isf(0.025, float(delta.df))
    reach = critical * np.sqrt(v1 / m0**2 + v0 * m1**2 / m0**4)
    assert (float(delta.lift_low), float(delta.lift_high)) == pytest.approx((m1 / m0 - 1 - reach, m1 / m0 - 1 + reach))
    reach = np.exp(critical * np.sqrt(v1 / m1**2 + v0 / m0**2))
    assert (float(log.lift_low), float(log.lift_high)) == pytest.approx((m1 / m0 / reach - 1, m1 / m0 * reach - 1))


def random_estimates(seed: int, count: int) -> tuple[Estimate, Estimate]:
    """Estimates of all sizes, many of them not clear of zero, without variance, or missing."""
    rng = np.random.default_rng(seed)

    def one(centre: np.ndarray) -> Estimate:
        n, size = rng.integers(0, 400, count), np.maximum(np.abs(centre), 1e-3)
        m2 = n * (size * 10 ** rng.uniform(-2, 1.5, count)) ** 2 * (rng.random(count) > 0.03)
        return mean(n, centre, m2)

    control = rng.normal(0, 1, count) * 10 ** rng.uniform(-3, 3, count) * (rng.random(count) > 0.02)
    return one(control * (1 + rng.normal(0, 0.5, count))), one(control)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("variances", ["welch", "pooled"])
def test_intervals_leave_out_zero_exactly_when_p_is_below_alpha(alternative: str, variances: str) -> None:
    arm, control = random_estimates(11, 100_000)
    for alpha in (0.05, 0.3, 1e-4):
        c = compare_estimates(arm, control, alpha=alpha, alternative=alternative, variances=variances)
        rejects = c.p_value < alpha
        assert np.array_equal((c.effect_low > 0) | (c.effect_high < 0), rejects)
        assert np.array_equal((c.lift_low > 0) | (c.lift_high < 0), rejects)
        assert 1_000 < rejects.sum() < 80_000


@pytest.mark.parametrize("lift_interval", LIFT_INTERVALS)
def test_nothing_is_ever_nan_or_a_made_up_number(lift_interval: str) -> None:
    arm, control = random_estimates(12, 30_000)
    c = compare_estimates(arm, control, lift_interval=lift_interval)
    for name in Comparisons.__dataclass_fields__:
        assert not np.isnan(getattr(c, name)).any(), name
    assert ((c.p_value > 0) & (c.p_value <= 1)).all()
    assert set(range(5)) <= set(c.status.tolist())
    unknown = np.isin(c.status, (NO_DATA, TOO_FEW, NO_VARIANCE))
    assert (c.p_value[unknown] == 1).all()
    assert np.isinf(c.lift_low[unknown]).all()
    assert np.isinf(c.lift[c.status == ZERO_CONTROL]).all()
    assert np.isfinite(c.lift_low[c.status == OK]).all()
    assert np.isfinite(c.lift_high[c.status == OK]).all()
    assert (np.isinf(c.lift_low) | np.isinf(c.lift_high))[c.status == UNBOUNDED].all()


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_without_a_test_p_is_one_and_the_chance_even(alternative: str) -> None:
    c = compare_estimates(mean([0, 1, 9], 3.0, 0.0), mean(9, 2.0, 0.0), alternative=alternative)
    assert c.status.tolist() == [NO_DATA, TOO_FEW, NO_VARIANCE]
    assert c.p_value.tolist() == [1.0] * 3
    assert c.chance.tolist() == [0.5] * 3


@pytest.mark.parametrize("lift_interval", LIFT_INTERVALS)
def test_values_with_the_other_sign_give_the_other_lift(lift_interval: str) -> None:
    a, b = estimated(ARM), estimated(CONTROL)
    turned = compare_estimates(estimated(-ARM), estimated(-CONTROL), lift_interval=lift_interval)
    plain = compare_estimates(a, b, lift_interval=lift_interval)
    assert float(plain.lift) > 0
    assert float(turned.lift) == pytest.approx(-float(plain.lift), rel=1e-12)
    limits = (-float(turned.lift_high), -float(turned.lift_low))
    assert limits == pytest.approx((float(plain.lift_low), float(plain.lift_high)), rel=1e-12)


def test_a_far_effect_keeps_a_small_p_value() -> None:
    arm, control = mean(5_000, 11.0, 5_000.0), mean(5_000, 10.0, 5_000.0)
    assert 0 < float(compare_estimates(arm, control).p_value) < 1e-300


def test_levels_may_differ_by_comparison() -> None:
    a, b = estimated(ARM), estimated(CONTROL)
    both = compare_estimates(a, b, alpha=np.array([0.05, 0.2]))
    assert both.lift_low[1] == pytest.approx(float(compare_estimates(a, b, alpha=0.2).lift_low))
    assert both.lift_low[1] > both.lift_low[0]


@pytest.mark.parametrize("variances", ["welch", "pooled"])
def test_absolute_equivalence_agrees_with_statsmodels(variances: str) -> None:
    p, lower, upper = ttost_ind(ARM, CONTROL, -0.5, 9.0, usevar={"welch": "unequal", "pooled": "pooled"}[variances])
    a, b = estimated(ARM), estimated(CONTROL)
    assert float(equivalence(a, b, -0.5, 9.0, relative=False, variances=variances)) == pytest.approx(p, rel=1e-10)
    options = {"relative": False, "variances": variances}
    assert float(non_inferiority(a, b, 0.5, **options)) == pytest.approx(lower[1], rel=1e-10)
    assert float(non_inferiority(a, b, 9.0, higher_is_better=False, **options)) == pytest.approx(upper[1], rel=1e-10)


def test_relative_margins_agree_with_a_scaled_control() -> None:
    # With a margin of 10 % the arm is tested against 0.9 times the control's values.
    scaled = CompareMeans(DescrStatsW(ARM), DescrStatsW(0.9 * CONTROL))
    _, p = scaled.ztest_ind(alternative="larger", usevar="unequal")
    found = non_inferiority(estimated(ARM), estimated(CONTROL), 0.1, distribution="normal")
    assert float(found) == pytest.approx(p, rel=1e-10)


@pytest.mark.parametrize("relative", [True, False])
def test_margin_tests_agree_with_the_intervals(relative: bool) -> None:
    rng = np.random.default_rng(15)
    control = mean(300, rng.uniform(5, 20, 20_000), rng.uniform(500, 3_000, 20_000))
    arm = mean(200, control.value * rng.uniform(0.8, 1.2, 20_000), rng.uniform(500, 3_000, 20_000))
    margin = 0.06 if relative else 0.7
    one, less = (compare_estimates(arm, control, alternative=side) for side in ("greater", "less"))
    wide = compare_estimates(arm, control, alpha=0.1)
    for c, name, side in ((one, "low", -margin), (less, "high", margin)):
        limit = getattr(c, f"lift_{name}" if relative else f"effect_{name}")
        p = non_inferiority(arm, control, margin, relative=relative, higher_is_better=name == "low")
        assert np.array_equal(p < 0.05, limit > side if name == "low" else limit < side)
    low, high = (wide.lift_low, wide.lift_high) if relative else (wide.effect_low, wide.effect_high)
    inside = (low > -margin) & (high < margin)
    assert np.array_equal(equivalence(arm, control, -margin, margin, relative=relative) < 0.05, inside)
    assert 100 < inside.sum() < 19_900


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"alpha": 0.0}, "alpha"),
        ({"alpha": 0.6, "alternative": "less"}, "alpha"),
        ({"alternative": "both"}, "alternative"),
        ({"variances": "equal"}, "variances"),
        ({"distribution": "z"}, "distribution"),
        ({"lift_interval": "wald"}, "interval of the lift"),
    ],
)
def test_unknown_options_are_refused(options: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        compare_estimates(estimated(ARM), estimated(CONTROL), **options)  # type: ignore[arg-type]


def test_margins_must_make_sense() -> None:
    with pytest.raises(InputError, match="margin"):
        non_inferiority(estimated(ARM), estimated(CONTROL), -0.1)
    with pytest.raises(InputError, match="margins"):
        equivalence(estimated(ARM), estimated(CONTROL), 0.1, -0.1)
