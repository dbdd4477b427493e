"""Health checks: the published sample ratio, planned weights, small samples, balance, days, grades."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from scipy import stats

from experiments.checks.health import (
    both_arms,
    delivery_balance,
    enough_data,
    evidence_grade,
    late_days,
    missing_days,
    sample_ratio,
)
from experiments.planning.design import design_test
from proofsheet.domain.result import Cell, Evidence
from proofsheet.errors import InputError


def test_published_sample_ratio_is_a_warning() -> None:
    check = sample_ratio({"gate_30": 44_700, "gate_40": 45_489}, {"gate_30": 1.0, "gate_40": 1.0})
    assert f"{check.p_value:.5f}" == "0.00861"
    assert (check.ok, check.severity) == (False, "warning")
    assert "6.90" in check.message


def test_planned_weights_are_respected_and_weight_zero_does_not_count() -> None:
    observed, weights = {"a": 3_000, "b": 1_000, "c": 0}, {"a": 3.0, "b": 1.0, "c": 0.0}
    check = sample_ratio(observed, weights)
    assert (check.ok, check.p_value) == (True, pytest.approx(1.0))
    skewed = sample_ratio({"a": 3_060, "b": 940, "c": 0}, weights)
    assert skewed.p_value == pytest.approx(stats.chisquare([3_060, 940], [3_000, 1_000]).pvalue)


def test_units_in_an_arm_without_traffic_block() -> None:
    check = sample_ratio({"a": 100, "b": 100, "c": 4}, {"a": 1.0, "b": 1.0, "c": 0.0})
    assert (check.ok, check.severity) == (False, "blocking")


def test_a_broken_split_blocks_unless_a_platform_steers() -> None:
    observed, weights = {"a": 5_000, "b": 5_600}, {"a": 1.0, "b": 1.0}
    assert sample_ratio(observed, weights).severity == "blocking"
    steered = sample_ratio(observed, weights, steered=True)
    assert (steered.ok, steered.severity) == (False, "warning")


def test_many_arms_are_told_by_the_two_farthest_from_the_plan() -> None:
    sizes = {f"a{i}": 100_000 for i in range(12)} | {"low": 80_000, "high": 130_000}
    message = sample_ratio(sizes, dict.fromkeys(sizes, 1.0), steered=True).message
    assert "farthest of 14 arms: high 9.22% for 7.14%, low 5.67%" in message
    assert "p < 1e-12" in message


def test_small_samples_are_exact() -> None:
    check = sample_ratio({"a": 0, "b": 8}, {"a": 1.0, "b": 1.0})
    assert check.p_value == pytest.approx(stats.binomtest(0, 8).pvalue)
    uneven = sample_ratio({"a": 3, "b": 4}, {"a": 9.0, "b": 1.0})
    assert uneven.p_value == pytest.approx(stats.binomtest(3, 7, 0.9).pvalue)
    three = sample_ratio({"a": 1, "b": 2, "c": 9}, {"a": 1.0, "b": 1.0, "c": 1.0})
    exact = exact_multinomial(12, (1, 2, 9))
    assert three.p_value == pytest.approx(exact, rel=0.15)


def exact_multinomial(total: int, seen: tuple[int, int, int]) -> float:
    """The chance of a chi-square at least as large, summed over every outcome of three equal arms."""

    def distance(counts: tuple[int, int, int]) -> float:
        return sum((c - total / 3) ** 2 for c in counts)

    outcomes = [(i, j, total - i - j) for i in range(total + 1) for j in range(total + 1 - i)]
    chance = stats.multinomial(total, [1 / 3] * 3)
    return float(sum(chance.pmf(o) for o in outcomes if distance(o) >= distance(seen) - 1e-9))


def test_weights_that_divide_nothing_are_refused() -> None:
    with pytest.raises(InputError, match="do not divide"):
        sample_ratio({"a": 1}, {"a": 0.0})


def mix(arm: str, feed: int, story: int) -> list[Cell]:
    return [
        Cell(arm=arm, cell=f"2026-06-0{day}|{name}|", trials=n, successes=0.0)
        for day in (1, 2)
        for name, n in (("feed", feed), ("story", story))
    ]


def test_delivery_balance_sees_different_mixes_and_is_quiet_on_small_ones() -> None:
    apart = delivery_balance([*mix("a", 90_000, 10_000), *mix("b", 40_000, 60_000)])
    assert (apart.ok, apart.severity) == (False, "warning")
    near = delivery_balance([*mix("a", 500_000, 500_000), *mix("b", 504_000, 496_000)])
    assert near.ok is True
    assert near.p_value < 0.001
    assert delivery_balance([*mix("a", 10, 0), *mix("b", 10, 0)]).ok is None


def test_arms_without_data() -> None:
    assert both_arms({"c": 10, "t": 10}, ["c", "t"], "c").ok is True
    assert both_arms({"c": 10, "t": 10}, ["c", "t", "u"], "c").severity == "warning"
    assert both_arms({"t": 10, "u": 1}, ["c", "t", "u"], "c").severity == "blocking"
    assert both_arms({"c": 10}, ["c", "t", "u"], "c").severity == "blocking"


def test_size_against_the_design() -> None:
    design = design_test(baseline=0.02, minimum_lift=0.2, arms=2, daily_units=10_000)
    assert enough_data({"a": design.n_per_arm, "b": design.n_per_arm}, design).ok is True
    short = enough_data({"a": design.n_per_arm, "b": design.n_per_arm // 2}, design)
    assert short.ok is False
    assert "50%" in short.message
    assert enough_data({"a": 1}, None).ok is None


def test_days_missing_and_late() -> None:
    start = date(2026, 6, 1)
    week = [start + timedelta(days=i) for i in range(7)]
    assert missing_days({"a": week, "b": week}, start, week[-1]).ok is True
    gap = missing_days({"a": week, "b": week[2:]}, start, week[-1])
    assert gap.ok is False
    assert "b: 2 from 2026-06-01" in gap.message
    assert late_days(week, date(2026, 6, 8), lag_days=3).ok is False
    assert late_days(week, date(2026, 6, 10), lag_days=3).ok is True


def test_grades() -> None:
    good = sample_ratio({"a": 500, "b": 500}, {"a": 1.0, "b": 1.0})
    bad = sample_ratio({"a": 500, "b": 900}, {"a": 1.0, "b": 1.0}, steered=True)
    apart = delivery_balance([*mix("a", 90_000, 10_000), *mix("b", 40_000, 60_000)])
    assert evidence_grade([good], randomised=True) is Evidence.A
    assert evidence_grade([bad], randomised=True) is Evidence.B
    assert evidence_grade([bad], randomised=False) is Evidence.B
    assert evidence_grade([bad, apart], randomised=False) is Evidence.C
