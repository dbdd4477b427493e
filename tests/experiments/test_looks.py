"""Rows read at one of many looks: their levels, that p-values and intervals agree, and the error of 28 looks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.comparing.analysis import compare
from experiments.comparing.counts import compare_cells
from experiments.comparing.readings import EARLY, OneLook
from experiments.sequential.hybrid import hybrid_multiplier, hybrid_test
from experiments.sequential.looks import Looks, final_level, progress_of
from proofsheet.domain.experiment import Metric
from proofsheet.domain.result import Aggregates, Cell, Result, Status, Validity
from proofsheet.errors import InputError

Binary = Callable[[int, int], Aggregates]
LOOKS = 28


def looks(progress: float, *, final: bool = False, **more: float) -> Looks:
    return Looks(progress={"b": progress, "d": progress}, final=final, **more)


@pytest.mark.parametrize(("progress", "final"), [(0.1, False), (0.6, False), (0.4, True), (1.0, True), (1.3, True)])
def test_levels_and_p_values_are_those_of_the_hybrid_test(progress: float, final: bool) -> None:
    """Oracle: the normal hybrid test itself, whose own tests go against integration and simulation."""
    z, reading = 2.3, looks(progress, final=final)
    whole = hybrid_test(z, 1.0, progress, 1.0, final=final)
    assert reading.p_value("b", 2.0 * stats.norm.sf(z)) == pytest.approx(float(whole.p_value), rel=1e-9)
    reach = float(hybrid_multiplier(progress, 1.0, final=final))
    assert reading.level("b", 0.05) == pytest.approx(2.0 * stats.norm.sf(reach), rel=1e-9)


def test_the_final_look_costs_little_and_the_share_of_the_looks_before_is_chosen() -> None:
    assert float(final_level(0.05, 1.0)) == pytest.approx(2.0 * stats.norm.sf(1.989), rel=2e-3)
    assert np.all(np.diff(final_level(0.05, np.array([0.1, 0.5, 1.0, 2.0]))) < 0)
    # All of alpha for looking: the mixture sequence of arXiv:2103.06476, in closed form.
    k = -2.0 * math.log(0.05) + math.log1p(-2.0 * math.log(0.05))
    reach = math.sqrt((1.0 + k) / k * (math.log1p(k) - 2.0 * math.log(0.05)))
    assert looks(1.0, monitor_share=1.0).level("b", 0.05) == pytest.approx(2.0 * stats.norm.sf(reach), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    p=st.floats(1e-12, 1.0),
    alpha=st.floats(1e-5, 0.4),
    progress=st.floats(0.01, 3.0),
    final=st.booleans(),
)
def test_a_p_value_is_below_alpha_exactly_when_the_interval_at_its_level_leaves_out_zero(
    p: float, alpha: float, progress: float, final: bool
) -> None:
    reading = looks(progress, final=final)
    level = reading.level("b", alpha)
    assert reading.p_value("b", level) == pytest.approx(alpha, rel=1e-6)
    if abs(p / level - 1.0) > 1e-6:
        assert (reading.p_value("b", p) < alpha) == (p < level)
    assert reading.p_value("b", p) >= p * 0.999
    assert reading.level("b", alpha / 2.0) < level


@pytest.mark.parametrize("final", [False, True])
def test_every_row_agrees_with_itself_also_after_correction(
    proportion: Metric, mean: Metric, binary: Binary, final: bool
) -> None:
    rng = np.random.default_rng(3)
    crossed = 0
    for _ in range(50):
        n, rate = int(rng.integers(60, 3_000)), float(rng.uniform(0.05, 0.4))
        arms = {
            name: binary(n, int(rng.binomial(n, rate + shift)))
            for name, shift in zip("cbd", (0, 0.06, -0.03), strict=True)
        }
        reading = looks(float(rng.uniform(0.05, 1.2)), final=final)
        for metric in (proportion, mean):
            for row in compare(metric, arms, "c", experiment="e", reading=reading):
                assert row.p_value is not None
                assert row.adjusted_p is not None
                if row.lift_low is not None and row.lift_high is not None:
                    assert (row.lift_low > 0 or row.lift_high < 0) == (row.p_value < 0.05)
                    crossed += row.p_value < 0.05
                if row.effect_low is not None and row.effect_high is not None:
                    assert (row.effect_low > 0 or row.effect_high < 0) == (row.p_value < 0.05)
                if row.adjusted_lift_low is not None and row.adjusted_lift_high is not None:
                    outside = row.adjusted_lift_low > 0 or row.adjusted_lift_high < 0
                    assert outside == (row.adjusted_p < 0.05)
    assert 10 < crossed < 180


def test_rows_say_how_they_are_read_and_estimates_stay(proportion: Metric, binary: Binary) -> None:
    arms = {"c": binary(4_000, 400), "b": binary(4_000, 500)}
    (plain,) = compare(proportion, arms, "c", experiment="e")
    (one,) = compare(proportion, arms, "c", experiment="e", reading=OneLook())
    (running,) = compare(proportion, arms, "c", experiment="e", reading=looks(0.4))
    (last,) = compare(proportion, arms, "c", experiment="e", reading=looks(1.0, final=True))
    assert (plain.validity, one.validity, running.validity, last.validity) == (
        Validity.FIXED, Validity.FIXED, Validity.ALWAYS, Validity.FIXED,
    )  # fmt: skip
    assert (one.lift_low, one.lift_high, one.p_value) == (plain.lift_low, plain.lift_high, plain.p_value)
    assert (running.lift, running.effect, running.chance_to_win) == (plain.lift, plain.effect, plain.chance_to_win)
    widths = [(r.lift_high or 0.0) - (r.lift_low or 0.0) for r in (plain, last, running)]
    assert widths == sorted(widths)
    assert 1.01 < widths[1] / widths[0] < 1.02
    # The standard error of a lift by the delta method.
    delta = math.sqrt((1 - 0.125) / 500 + (1 - 0.1) / 400) * 1.25
    assert last.lift_error == pytest.approx(delta, rel=0.01)
    assert plain.lift_error is None


def test_what_is_degenerate_has_a_status_and_no_invented_limits(
    proportion: Metric, mean: Metric, binary: Binary
) -> None:
    same = Aggregates(n=50, mean_x=2.0, m2_x=0.0)
    for reading in (looks(0.0), looks(0.0, final=True), looks(1e-9), Looks(progress={}, final=False)):
        for arms in (
            {"c": binary(50, 5), "b": binary(50, 9)},
            {"c": binary(50, 0), "b": binary(50, 9)},
            {"c": binary(0, 0), "b": binary(50, 9)},
            {"c": binary(1, 1), "b": binary(1, 0)},
        ):
            (row,) = compare(proportion, arms, "c", experiment="e", reading=reading)
            assert not any(isinstance(v, float) and not math.isfinite(v) for v in _values(row))
        (row,) = compare(mean, {"c": same, "b": same}, "c", experiment="e", reading=reading)
        assert row.status is Status.NO_VARIANCE
    (early,) = compare(proportion, {"c": binary(50, 5), "b": binary(50, 9)}, "c", experiment="e", reading=looks(1e-9))
    assert (early.status, early.note, early.lift_low, early.p_value) == (Status.UNBOUNDED, EARLY, None, 1.0)


def _values(row: Result) -> list[object]:
    return [getattr(row, name) for name in row.__dataclass_fields__]


def test_holm_stands_in_for_dunnett_where_rows_hold_at_every_look(proportion: Metric, binary: Binary) -> None:
    arms = {"c": binary(900, 90), "b": binary(900, 120), "d": binary(900, 100)}
    running = compare(proportion, arms, "c", experiment="e", correction="dunnett", reading=looks(0.4))
    last = compare(proportion, arms, "c", experiment="e", correction="dunnett", reading=looks(1.0, final=True))
    assert {r.correction for r in running} == {"holm"}
    assert {r.correction for r in last} == {"dunnett"}


def test_progress_is_ruled_by_the_smaller_arm() -> None:
    assert progress_of([500, 1_000, 0, 10], [500, 1_000, 5, 1e9], 1_000.0) == pytest.approx([0.5, 1.0, 0.0, 0.02])
    with pytest.raises(InputError, match="planned size"):
        progress_of(1, 1, 0.0)
    with pytest.raises(InputError, match="share"):
        looks(0.1, monitor_share=0.0)


def daily(day: int) -> Looks:
    """The reading of a day of a test that is planned to end on the last one."""
    return looks((day + 1) / LOOKS, final=day + 1 == LOOKS)


def test_28_looks_at_units_keep_the_error_and_fixed_intervals_do_not(proportion: Metric, binary: Binary) -> None:
    """A/A tests of two arms against a control, 60 units per arm and day, corrected for two comparisons."""
    rng, tests = np.random.default_rng(11), 6_000
    x = rng.binomial(60, 0.1, (tests, 3, LOOKS)).cumsum(axis=-1)
    n = 60.0 * np.arange(1, LOOKS + 1)
    pooled = (x[:, 1:] + x[:, :1]) / (2.0 * n)
    error = np.sqrt(np.maximum(pooled * (1.0 - pooled), 1e-12) * 2.0 / n)
    p = 2.0 * stats.norm.sf(np.abs(x[:, 1:] - x[:, :1]) / n / error).min(axis=1)
    levels = np.array([daily(day).level("b", 0.025) for day in range(LOOKS)])
    # The rows of the engine say the same as these numbers, look by look.
    for test in (0, *np.flatnonzero((p < levels).any(axis=-1))[:3]):
        for day in (2, 13, 26, 27):
            arms = {name: binary(int(n[day]), int(x[test, i, day])) for i, name in enumerate("cbd")}
            rows = compare(proportion, arms, "c", experiment="e", reading=daily(day))
            assert any((r.adjusted_p or 1.0) < 0.05 for r in rows) == (p[test, day] < levels[day])
    assert (p < levels).any(axis=-1).mean() <= 0.055
    assert (p < 0.025).any(axis=-1).mean() > 0.15


def report(rng: np.random.Generator) -> list[list[Cell]]:
    """28 days of a platform's report of two arms without a difference, whose rate swings from day to day by 10 %."""
    days = []
    for day in range(LOOKS):
        rate = 0.02 * math.exp(0.1 * rng.normal())
        own = [rate * math.exp(0.05 * rng.normal()) for _ in "cb"]
        name = f"2026-06-{day + 1:02d}|feed|"
        clicks = [float(rng.binomial(3_000, one)) for one in own]
        days.append([Cell(arm=a, cell=name, trials=3_000, successes=x) for a, x in zip("cb", clicks, strict=True)])
    return days


@pytest.mark.slow
def test_looks_at_a_platforms_report_keep_the_error_and_fixed_intervals_do_not(click_rate: Metric) -> None:
    rng, tests, kept, fixed = np.random.default_rng(12), 100, 0, 0
    for test in range(tests):
        days, so_far, p = report(rng), list[Cell](), dict[int, float]()
        for day in range(LOOKS):
            so_far += days[day]
            if day % 3 == 0:
                (row,) = compare_cells(click_rate, so_far, "c", experiment="e")
                p[day] = row.p_value or 1.0
                if test == 0:
                    (read,) = compare_cells(click_rate, so_far, "c", experiment="e", reading=daily(day))
                    assert read.p_value == pytest.approx(daily(day).p_value("b", p[day]), rel=1e-9)
        kept += any(daily(day).p_value("b", value) < 0.05 for day, value in p.items())
        fixed += any(value < 0.05 for value in p.values())
    assert kept <= 0.055 * tests
    assert fixed > 0.1 * tests
