"""Platform counts: the cell model against statsmodels, exactness without noise, few counts, ratios by days."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.comparing.cell_model import comparable, fit_cells, fit_rates, jackknife_days, tabulate
from experiments.comparing.counts import compare_cells, compare_totals
from experiments.comparing.rate_contrast import RateContrast
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.domain.result import Cell, Evidence, Status
from proofsheet.errors import InputError


def cells_from(trials: np.ndarray, successes: np.ndarray, placements: int = 1) -> list[Cell]:
    """Arms ``a0, a1, ...`` in cells of consecutive days × placements."""
    return [
        Cell(
            arm=f"a{i}",
            cell=f"2026-06-{1 + c // placements:02d}|p{c % placements}|",
            trials=int(trials[i, c]),
            successes=float(successes[i, c]),
        )
        for i in range(trials.shape[0])
        for c in range(trials.shape[1])
    ]


def drawn(seed: int, arms: int = 4, columns: int = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    trials = rng.integers(1_000, 9_000, (arms, columns))
    rates = 0.01 * np.exp(0.1 * np.arange(arms)[:, None] + rng.normal(0, 0.3, columns))
    return trials, rng.poisson(trials * rates)


def test_rates_and_counting_errors_agree_with_a_poisson_regression() -> None:
    trials, successes = drawn(1)
    table = tabulate(cells_from(trials, successes, placements=2))
    arms, columns = trials.shape
    design = np.zeros((arms * columns, arms - 1 + columns))
    for i in range(arms):
        for c in range(columns):
            row = i * columns + c
            design[row, arms - 1 + c] = 1.0
            if i:
                design[row, i - 1] = 1.0
    glm = sm.GLM(
        successes.ravel().astype(float), design, family=sm.families.Poisson(), offset=np.log(trials.ravel())
    ).fit()
    fit = fit_cells(table)
    assert fit.log_rates[1:] == pytest.approx(glm.params[: arms - 1], abs=1e-8)
    # Binomial counting noise is smaller than Poisson's by about the rate of 1 %.
    assert np.sqrt(np.diag(fit.counting))[1:] == pytest.approx(glm.bse[: arms - 1], rel=0.02)


def test_equal_effects_in_unequal_mixes_are_found_exactly() -> None:
    """Simpson's trap: the arm is delivered mostly where clicks are rare; within each cell it is 20 % better."""
    trials = np.array([[9_000, 1_000, 9_000, 1_000], [1_000, 9_000, 1_000, 9_000]])
    level = np.array([0.05, 0.01, 0.04, 0.02])
    cells = [
        Cell(arm=f"a{i}", cell=f"d{c // 2}|p{c % 2}|", trials=int(trials[i, c]), successes=trials[i, c] * rate)
        for i, factor in enumerate((1.0, 1.2))
        for c, rate in enumerate(level * factor)
    ]
    (r,) = compare_cells(
        Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions"),
        cells,
        "a0",
        experiment="e",
    )
    assert r.lift == pytest.approx(0.2, rel=1e-9)
    assert r.value_arm / r.value_control - 1 == pytest.approx(r.lift)
    assert r.sum_x_arm / r.sum_y_arm < r.sum_x_control / r.sum_y_control
    assert "raw totals give -" in r.note


def test_intervals_widen_when_days_vary(click_rate: Metric) -> None:
    rng = np.random.default_rng(6)
    trials = np.full((3, 21), 20_000)
    steady = rng.binomial(trials, 0.02)
    restless = rng.binomial(trials, 0.02 * rng.gamma(25, 1 / 25, trials.shape))
    calm, wild = (
        compare_cells(click_rate, cells_from(trials, counts), "a0", experiment="e") for counts in (steady, restless)
    )
    assert calm[0].dispersion < 2.0
    assert wild[0].dispersion > 5.0
    assert wild[0].lift_high - wild[0].lift_low > 2 * (calm[0].lift_high - calm[0].lift_low)
    assert "beyond counting noise" in wild[0].note


def test_days_that_lift_all_arms_alike_cancel(click_rate: Metric) -> None:
    rng = np.random.default_rng(7)
    trials = np.full((3, 21), 20_000)
    shared = rng.gamma(10, 1 / 10, 21)
    results = compare_cells(click_rate, cells_from(trials, rng.binomial(trials, 0.02 * shared)), "a0", experiment="e")
    assert all(r.dispersion < 1.6 for r in results)


def test_jackknife_over_days_agrees_with_the_model_where_the_model_holds() -> None:
    rng = np.random.default_rng(8)
    trials = np.full((4, 60), 20_000)
    table = tabulate(cells_from_days(trials, rng.binomial(trials, 0.02 * rng.gamma(100, 0.01, trials.shape))))
    fit, by_day = fit_cells(table), jackknife_days(table)
    assert by_day is not None
    assert by_day[1] == 59
    assert np.sqrt(np.diag(by_day[0]))[1:] == pytest.approx(np.sqrt(np.diag(fit.covariance))[1:], rel=0.35)


def cells_from_days(trials: np.ndarray, successes: np.ndarray) -> list[Cell]:
    return [
        Cell(arm=f"a{i}", cell=f"day{c:03d}||", trials=int(trials[i, c]), successes=float(successes[i, c]))
        for i in range(trials.shape[0])
        for c in range(trials.shape[1])
    ]


def test_few_counts_are_compared_by_the_exact_binomial(click_rate: Metric) -> None:
    """With one cell: 6 of 15 counts where two thirds are expected, at mid-p."""
    (r,) = compare_cells(
        click_rate,
        [
            Cell(arm="c", cell="d|p|", trials=1_000, successes=9.0),
            Cell(arm="t", cell="d|p|", trials=2_000, successes=6.0),
        ],
        "c",
        experiment="e",
    )
    below = stats.binom.cdf(5, 15, 2 / 3) + stats.binom.pmf(6, 15, 2 / 3) / 2
    assert r.p_value == pytest.approx(2 * below, rel=1e-9)
    assert r.lift == pytest.approx((6 / 2_000) / (9 / 1_000) - 1, rel=1e-9)
    for limit, tail in ((r.lift_low, 0.975), (r.lift_high, 0.025)):
        share = 2 * (1 + limit) / (2 * (1 + limit) + 1)
        mid = stats.binom.cdf(5, 15, share) + stats.binom.pmf(6, 15, share) / 2
        assert mid == pytest.approx(tail, abs=1e-9)
    assert "exact" in r.method
    assert "Fewer than 10" in r.note


def test_the_sum_over_cells_is_worked_out_exactly() -> None:
    """Three cells with unlike mixes, against drawing them."""
    counts = ((1.0, 100.0, 4.0, 300.0), (3.0, 500.0, 2.0, 100.0), (0.0, 50.0, 6.0, 50.0))
    rng = np.random.default_rng(3)
    drawn = sum(rng.binomial(int(a + c), n / (n + m), 400_000) for a, n, c, m in counts)
    below = np.mean(drawn < 4) + np.mean(drawn == 4) / 2
    assert RateContrast(counts=counts, control=0.01).p_value == pytest.approx(2 * min(below, 1 - below), abs=0.004)


def test_exact_and_likelihood_ways_meet_where_one_hands_over_to_the_other() -> None:
    few = RateContrast(counts=((50.0, 1_000.0, 75.0, 1_000.0),), control=0.075)
    many = RateContrast(counts=((51.0, 1_000.0, 76.5, 1_000.0),), control=0.0765)
    assert "exact" in few.method
    assert "likelihood" in many.method
    assert few.lift_limits(0.05) == pytest.approx(many.lift_limits(0.05), abs=0.01)


def test_exact_limits_keep_their_level_with_few_counts() -> None:
    """Exact coverage over every pair of Poisson counts with 4 and 6 expected."""
    covered = 0.0
    for x in range(20):
        for y in range(1, 24):
            chance = stats.poisson.pmf(x, 4) * stats.poisson.pmf(y, 6) / stats.poisson.sf(0, 6)
            limits = RateContrast(counts=((float(x), 1e4, float(y), 1e4),), control=6e-4).lift_limits(0.05)
            assert limits is not None
            covered += chance * (limits[0] <= 4 / 6 - 1 <= limits[1])
    assert 0.935 < covered < 0.985


def test_an_arm_without_successes_has_an_upper_limit_and_a_control_without_has_no_lift(click_rate: Metric) -> None:
    trials, successes = drawn(3, arms=3)
    successes[2] = 0
    rows = compare_cells(click_rate, cells_from(trials, successes), "a0", experiment="e")
    assert (rows[1].lift, rows[1].lift_low) == (-1.0, -1.0)
    assert -1.0 < rows[1].lift_high < -0.9
    turned = compare_cells(click_rate, cells_from(trials, successes), "a2", experiment="e")
    assert {r.status for r in turned} == {Status.ZERO_CONTROL}
    assert all(r.p_value < 1e-6 for r in turned)


def test_arms_that_never_met_are_not_compared(click_rate: Metric) -> None:
    cells = [
        Cell(arm="c", cell="d1|p|", trials=1_000, successes=30.0),
        Cell(arm="t", cell="d2|p|", trials=1_000, successes=60.0),
    ]
    (r,) = compare_cells(click_rate, cells, "c", experiment="e")
    assert r.status is Status.NO_DATA
    assert "never delivered in the same cell" in r.note
    linked = [
        *cells,
        Cell(arm="m", cell="d1|p|", trials=10, successes=1.0),
        Cell(arm="m", cell="d2|p|", trials=10, successes=1.0),
    ]
    assert comparable(tabulate(linked)) == [0, 1, 2]


def test_one_day_says_that_its_interval_is_too_narrow(click_rate: Metric) -> None:
    cells = [Cell(arm=a, cell="d1||", trials=10_000, successes=x) for a, x in (("c", 100.0), ("t", 140.0))]
    (r,) = compare_cells(click_rate, cells, "c", experiment="e")
    assert "too narrow" in r.note
    assert r.lift == pytest.approx(0.4)


def test_cost_per_conversion_by_days(cost_per_conversion: Metric) -> None:
    rng = np.random.default_rng(9)
    conversions = np.stack([rng.poisson(40, 28), rng.poisson(50, 28)])
    spend = np.full((2, 28), 200.0)
    (r,) = compare_cells(cost_per_conversion, cells_from(conversions, spend), "a0", experiment="e")
    assert r.value_control == pytest.approx(spend[0].sum() / conversions[0].sum())
    assert r.lift == pytest.approx(conversions[0].sum() / conversions[1].sum() - 1)
    counting = math.sqrt(1 / conversions[0].sum() + 1 / conversions[1].sum())
    width = (math.log1p(r.lift_high) - math.log1p(r.lift_low)) / 2 / stats.t.ppf(0.975, 27)
    assert width == pytest.approx(counting, rel=0.35)
    assert r.chance_to_win > 0.9


def test_ratio_without_conversions_is_named(cost_per_conversion: Metric) -> None:
    conversions = np.array([[5, 3, 4, 6], [0, 0, 0, 0]])
    (r,) = compare_cells(cost_per_conversion, cells_from(conversions, np.ones((2, 4))), "a0", experiment="e")
    assert (r.status, r.lift) == (Status.NO_DATA, None)
    assert "zero" in r.note


def test_totals_of_a_proportion_are_the_pooled_test(proportion: Metric) -> None:
    (r,) = compare_totals(proportion, {"c": (44_700, 8_502), "t": (45_489, 8_279)}, "c", experiment="e")
    assert f"{r.p_value:.5f}" == "0.00155"
    assert r.evidence is Evidence.B


def test_totals_where_one_trial_can_succeed_twice() -> None:
    rate = Metric(name="purchases_per_click", kind=MetricKind.RATIO, numerator="purchases", denominator="clicks")
    (r,) = compare_totals(rate, {"c": (10, 12), "t": (10, 24)}, "c", experiment="e")
    above = stats.binom.sf(24, 36, 0.5) + stats.binom.pmf(24, 36, 0.5) / 2
    assert r.p_value == pytest.approx(2 * above, rel=1e-9)
    share = Metric(name="rate", kind=MetricKind.PROPORTION, numerator="purchases", denominator="clicks")
    with pytest.raises(InputError, match="12 successes in 10 trials"):
        compare_totals(share, {"c": (10, 12), "t": (10, 4)}, "c", experiment="e")
    mean = Metric(name="value", kind=MetricKind.MEAN, numerator="value")
    with pytest.raises(InputError, match="is a mean"):
        compare_totals(mean, {"c": (10, 2), "t": (10, 4)}, "c", experiment="e")


def test_the_newton_steps_solve_the_likelihood_equations() -> None:
    trials, successes = drawn(12, arms=7, columns=30)
    table = tabulate(cells_from(trials, successes, placements=2))
    rates = np.exp(fit_rates(table))[:, None] * table.trials
    expected = rates / rates.sum(axis=0) * table.successes.sum(axis=0)
    assert expected.sum(axis=1) == pytest.approx(table.successes.sum(axis=1), rel=1e-10)


def test_conversions_on_days_without_clicks_do_not_break_the_fit() -> None:
    rate = Metric(name="cvr", kind=MetricKind.PROPORTION, numerator="conversions", denominator="clicks")
    trials = np.array([[40, 0, 50, 60], [50, 0, 0, 70]])
    successes = np.array([[10, 2, 12, 14], [14, 0, 3, 20]])
    (r,) = compare_cells(rate, cells_from(trials, successes), "a0", experiment="e")
    assert r.status is Status.OK
    assert r.sum_x_arm == 37.0
    assert r.lift == pytest.approx((34 / 120) / (24 / 100) - 1, abs=0.05)


def test_successes_outside_the_common_cells_do_not_pass_for_a_comparison(click_rate: Metric) -> None:
    """All the arm's clicks fell on a day without the control; on the common day it had none."""
    cells = [
        Cell(arm="c", cell="d1||", trials=1_000, successes=30.0),
        Cell(arm="t", cell="d1||", trials=1_000, successes=0.0),
        Cell(arm="t", cell="d2||", trials=1_000, successes=50.0),
    ]
    (r,) = compare_cells(click_rate, cells, "c", experiment="e")
    assert r.lift == -1.0
    assert -1.0 < r.lift_high < -0.7


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 400), st.integers(0, 60)),
        min_size=2,
        max_size=30,
    ),
    st.sampled_from(["pooled", "by_day"]),
    st.sampled_from([MetricKind.PROPORTION, MetricKind.RATIO]),
)
def test_any_report_gives_named_rows_and_no_nan(
    rows: list[tuple[int, int, int, int]], variance: str, kind: MetricKind
) -> None:
    metric = Metric(name="m", kind=kind, numerator="x", denominator="y")
    cells = [Cell(arm=f"a{a}", cell=f"d{c % 3}|p{c}|", trials=n, successes=float(x)) for a, c, n, x in rows]
    cells += [Cell(arm=a, cell="d0|p0|", trials=0, successes=0.0) for a in ("a0", "a1")]
    for r in compare_cells(metric, cells, "a0", experiment="e", variance=variance):
        numbers = [r.effect, r.effect_low, r.effect_high, r.lift, r.lift_low, r.lift_high, r.p_value, r.chance_to_win]
        assert all(v is None or not math.isnan(v) for v in numbers)
        assert r.status is Status.OK or r.note
        if r.status is Status.OK:
            assert r.lift_low <= r.lift + 1e-9
            assert r.lift <= r.lift_high + 1e-9
            assert 0 < r.p_value <= 1
            if abs(r.p_value - 0.05) > 1e-6:
                assert (r.lift_low > 0 or r.lift_high < 0) == (r.p_value < 0.05)


@pytest.mark.parametrize(("trials", "successes"), [(-1, 0.0), (10, -2.0), (10, math.nan), (10, math.inf)])
def test_counts_that_are_none_are_refused(click_rate: Metric, trials: int, successes: float) -> None:
    cells = [
        Cell(arm="c", cell="d|p|", trials=10, successes=1.0),
        Cell(arm="t", cell="d|p|", trials=trials, successes=successes),
    ]
    with pytest.raises(InputError, match="'t' has the counts"):
        compare_cells(click_rate, cells, "c", experiment="e")
