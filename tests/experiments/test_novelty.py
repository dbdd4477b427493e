"""Lifts that change: statsmodels' weighted regression, false alarms, power, the words used."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from experiments.checks.novelty import Drift, daily_log_lifts, novelty, trend_of_lifts
from proofsheet.errors import InputError


def daily(
    rng: np.random.Generator, runs: int, days: int, units: int, rate: float, lift: np.ndarray | float, spread: float = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Daily log-lifts of many tests; ``spread`` is a deviation of each arm's log rate from day to day."""
    factor = np.exp(rng.normal(0.0, spread, (2, runs, days))) if spread else np.ones((2, runs, days))
    arm = rng.binomial(units, rate * (1 + lift) * factor[0])
    control = rng.binomial(units, rate * factor[1])
    return daily_log_lifts(arm, np.full(arm.shape, units), control, np.full(arm.shape, units))


@pytest.mark.parametrize("weekdays", [False, True])
@pytest.mark.parametrize("scale", ["linear", "log"])
def test_trend_and_change_agree_with_statsmodels(weekdays: bool, scale: str) -> None:
    y, v = (a[0] for a in daily(np.random.default_rng(1), 1, 21, 800, 0.06, 0.1))
    v = v * np.linspace(0.5, 2.0, 21)
    names = [i % 7 for i in range(3, 24)]
    trend = trend_of_lifts(y, v, scale=scale, weekdays=names if weekdays else None)
    time = np.arange(21) / 20 if scale == "linear" else np.log1p(np.arange(21)) / np.log(21)
    level = np.eye(7)[names] if weekdays else np.ones((21, 1))
    line = sm.WLS(y, np.column_stack([time, level]), weights=1 / v).fit()
    assert float(trend.slope) == pytest.approx(line.params[0], rel=1e-9)
    assert float(trend.p_value) == pytest.approx(line.pvalues[0], rel=1e-9)
    assert float(trend.dispersion) == pytest.approx(line.scale, rel=1e-9)
    step = sm.WLS(y, np.column_stack([np.arange(21) >= 7, level]), weights=1 / v).fit()
    low, high = trend.change_limits(0.05)
    assert [float(low), float(high)] == pytest.approx(step.conf_int(0.05)[0].tolist(), rel=1e-8)
    assert trend.early_days == 7
    assert float(trend.early) == pytest.approx(np.average(y[:7], weights=1 / v[:7]))


def test_daily_lifts_and_their_variances_are_those_of_many_draws() -> None:
    rng = np.random.default_rng(2)
    y, v = daily(rng, 40_000, 2, 500, 0.08, 0.2)
    assert y.mean() == pytest.approx(np.log(1.2), abs=0.004)
    assert v.mean() == pytest.approx(y.var(), rel=0.03)


def test_the_weight_of_a_day_does_not_know_which_arm_was_lucky() -> None:
    rng = np.random.default_rng(12)
    y, v = daily(rng, 40_000, 2, 500, 0.04, 2.0)
    between = abs(np.corrcoef(y[:, 0] - y[:, 1], v[:, 0] - v[:, 1])[0, 1])
    assert between < 0.05
    # Variances from each arm's own counts of the day would.
    arm, control = rng.binomial(500, 0.12, (40_000, 2)) + 0.5, rng.binomial(500, 0.04, (40_000, 2)) + 0.5
    own, lift = 1 / arm + 1 / control, np.log(arm / control)
    assert abs(np.corrcoef(lift[:, 0] - lift[:, 1], own[:, 0] - own[:, 1])[0, 1]) > 0.5


@pytest.mark.parametrize(("days", "spread"), [(7, 0.0), (10, 0.2), (14, 0.0), (28, 0.2)])
def test_false_alarms_keep_their_level(days: int, spread: float) -> None:
    rng = np.random.default_rng(days)
    runs = 6_000
    y, v = daily(rng, runs, days, 600, 0.05, 0.1, spread)
    trend = trend_of_lifts(y, v, weekdays=[i % 7 for i in range(days)])
    assert trend.weekdays == (days >= 14)
    for level in (0.05, 0.01):
        rate = (trend.p_value < level).mean()
        assert rate == pytest.approx(level, abs=4 * (level * (1 - level) / runs) ** 0.5)
    low, high = trend.change_limits(0.05)
    assert ((low <= 0) & (high >= 0)).mean() == pytest.approx(0.95, abs=0.012)


def test_a_weekly_pattern_of_the_lift_is_no_trend() -> None:
    """Weekends only react: without levels for weekdays the scatter hides a real trend, with them it is found."""
    rng = np.random.default_rng(3)
    weekend = np.array([0, 0, 0, 0, 0, 0.4, 0.4] * 4)
    y, v = daily(rng, 1_500, 28, 3_000, 0.05, weekend - np.arange(28) * 0.008)
    named = [i % 7 for i in range(28)]
    aware = (trend_of_lifts(y, v, weekdays=named).p_value < 0.01).mean()
    blind = (trend_of_lifts(y, v).p_value < 0.01).mean()
    assert aware > blind + 0.2
    # And without a trend: the change from early to late weeks stays at zero.
    y, v = daily(rng, 1_500, 28, 3_000, 0.05, weekend)
    assert abs(trend_of_lifts(y, v, weekdays=named).change.mean()) < 0.01


def test_what_changes_fastest_at_first_is_found_better_on_the_log_scale() -> None:
    rng = np.random.default_rng(4)
    y, v = daily(rng, 2_000, 28, 4_000, 0.05, 0.03 + 0.15 * np.exp(-np.arange(28) / 4))
    log, linear = ((trend_of_lifts(y, v, scale=s).p_value < 0.05).mean() for s in ("log", "linear"))
    assert log > linear + 0.08
    assert log > 0.35


def test_people_seen_on_many_days_do_not_disturb_the_slope() -> None:
    """A factor shared by all days of a test (the same people) leaves the level of false alarms as it is."""
    rng = np.random.default_rng(5)
    y, v = daily(rng, 6_000, 14, 600, 0.05, 0.0)
    shared = rng.normal(0.0, 0.5, (6_000, 1))
    assert trend_of_lifts(y + shared, v).p_value == pytest.approx(trend_of_lifts(y, v).p_value, rel=1e-6)


def trend(lift: np.ndarray, **options: object) -> object:
    y, v = daily(np.random.default_rng(6), 1, len(lift), 40_000, 0.1, lift)
    return trend_of_lifts(y[0], v[0], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lift", "since", "drift", "word"),
    [
        (0.02 + 0.3 * np.exp(-np.arange(21) / 5), True, Drift.SHRINKING, "novelty"),
        (0.02 + 0.3 * np.exp(-np.arange(21) / 5), False, Drift.SHRINKING, "fades"),
        (-0.3 + np.arange(21) * 0.014, False, Drift.SHRINKING, "fades"),
        (np.arange(21) * 0.015, True, Drift.GROWING, "need days to react"),
        (0.15 - np.arange(21) * 0.015, True, Drift.TURNING, "opposite"),
    ],
)
def test_a_change_has_its_name(lift: np.ndarray, since: bool, drift: Drift, word: str) -> None:
    check, found = novelty(trend(lift), since_exposure=since, arm="b")  # type: ignore[arg-type]
    assert (check.ok, check.severity, found) == (False, "warning", drift)
    assert word in check.message
    assert "The lift of b" in check.message


def test_a_steady_lift_passes_and_a_tiny_change_is_told() -> None:
    check, drift = novelty(trend(np.full(21, 0.1)), since_exposure=True)  # type: ignore[arg-type]
    assert (check.ok, drift) == (True, Drift.STEADY)
    exact = trend_of_lifts(np.linspace(0.1, 0.108, 14), np.full(14, 1e-8))
    check, drift = novelty(exact, since_exposure=False)
    assert (check.ok, drift) == (True, Drift.STEADY)
    assert check.p_value < 0.001
    assert "too little to matter" in check.message


def test_too_few_days_cannot_tell() -> None:
    check, drift = novelty(trend(np.linspace(0.5, 0.0, 6)), since_exposure=True)  # type: ignore[arg-type]
    assert (check.ok, drift) == (None, Drift.CANNOT_TELL)
    assert "too few days" in check.message
    y, v = daily_log_lifts([9, 30, 0] * 5, [500] * 15, [8, 20, 1] * 5, [500, 500, 0] * 5)
    assert np.isinf(v).tolist() == [False, False, True] * 5
    some = trend_of_lifts(y, v)
    assert bool(some.enough)
    few = trend_of_lifts(y, np.where(np.arange(15) < 7, v, np.inf))
    assert not few.enough
    assert few.p_value == 1.0
    assert np.isinf(few.change_limits(0.05)).all()


def test_equal_days_give_no_false_alarm_by_rounding() -> None:
    same = trend_of_lifts(np.full(14, 0.1), np.full(14, 0.01))
    assert same.p_value == pytest.approx(1.0)
    assert np.isfinite(same.change_error)


def test_days_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="make no trend"):
        trend_of_lifts([0.1], [1.0])
    with pytest.raises(InputError, match="make no trend"):
        trend_of_lifts([0.1] * 14, [1.0] * 14, weekdays=[0, 1])
    with pytest.raises(InputError, match="not positive"):
        trend_of_lifts([0.1] * 7, [0.0] * 7)
    with pytest.raises(InputError, match="scale"):
        trend_of_lifts([0.1] * 7, [1.0] * 7, scale="cubic")
    with pytest.raises(InputError, match="negative"):
        daily_log_lifts([-1], [10], [1], [10])
