"""Checks over the days of a test, and how all checks are ordered, gathered and graded."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from experiments.checks.crossing import crossed_units
from experiments.checks.delays import DelayTable
from experiments.checks.health import by_severity, evidence_grade, gather_open
from experiments.checks.late_data import late_data, settled
from experiments.checks.novelty import LiftTrend
from experiments.checks.over_days import (
    lifts_over_days,
    ratio_by_day,
    trends_by_day,
    trends_by_exposure_day,
    trends_since_exposure,
)
from proofsheet.domain.result import Evidence, HealthCheck

FIRST = date(2026, 6, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def visits(seed: int, *, arms: int = 2, lift: float = 0.0, fade: float = 0.0, units: int = 4_000) -> DelayTable:
    """People who come again at rates of their own, unlike from person to person."""
    rng, days = np.random.default_rng(seed), 16
    exposed, arm = rng.integers(0, days, units), rng.integers(0, arms, units)
    since = np.arange(days)
    effect = 1.0 + np.where(arm > 0, lift, 0.0)[:, None] * np.exp(-fade * since)
    active = rng.random((units, days)) < np.minimum(rng.gamma(0.5, 0.2, units)[:, None] * effect, 1.0)
    counts, exposures = np.zeros((arms, days, days)), np.zeros((arms, days))
    np.add.at(exposures, (arm, exposed), 1.0)
    for delay in since:
        seen = (exposed + delay < days) & active[:, delay]
        np.add.at(counts, (arm[seen], exposed[seen], delay), 1.0)
    names = tuple("abcd"[:arms])
    return DelayTable(
        arms=names, days=tuple(map(day, range(days))), as_of=day(days - 1), counts=counts, exposures=exposures
    )


def test_people_who_come_again_are_no_novelty() -> None:
    """5 % of 150 fall below 0.05; 15 or more have a chance of 0.8 %. Other people on later days would give 18."""
    found = [
        lifts_over_days(trends_since_exposure(visits(seed, lift=0.3), "a"), since_exposure=True).p_value
        for seed in range(150)
    ]
    assert sum(p is not None and p < 0.05 for p in found) < 15
    assert None not in found


def test_a_lift_that_wears_off_is_found_in_the_arms_that_have_it() -> None:
    table = visits(1, arms=3, lift=1.5, fade=0.5, units=9_000)
    check = lifts_over_days(trends_since_exposure(table, "a"), since_exposure=True)
    assert (check.name, check.ok, check.severity) == ("novelty", False, "warning")
    assert "wears off" in check.message
    assert check.message.endswith("1 more of 2 arms change.")


def test_days_of_exposure_are_compared_after_equally_long() -> None:
    """With an arm that converts later the raw counts of young days would show a falling lift."""
    days, slow = 21, np.array([0.25, 0.25, 0.25, 0.25])
    exposures = np.full((2, days), 10_000.0)
    counts = np.zeros((2, days, days))
    for d in range(days):
        for delay in range(min(4, days - d)):
            counts[0, d, delay] = 1_000.0 * slow[delay]
            counts[1, d, delay] = 1_000.0 * (0.4, 0.3, 0.2, 0.1)[delay]
    table = DelayTable(
        arms=("a", "b"),
        days=tuple(day(i) for i in range(days)),
        as_of=day(days - 1),
        counts=counts,
        exposures=exposures,
    )
    trend = trends_by_exposure_day(table, "a")["b"]
    assert float(trend.slope) == pytest.approx(0.0, abs=1e-9)
    assert float(trend.early) == pytest.approx(float(trend.late)) == pytest.approx(0.0, abs=1e-9)
    raw = {(arm, day(d)): float(counts[i, d].sum()) for i, arm in enumerate("ab") for d in range(days)}
    shown = dict.fromkeys(raw, 10_000.0)
    assert abs(float(trends_by_day(raw, shown, "a")["b"].slope)) > 0.01


def test_too_few_days_or_no_control_give_no_trend() -> None:
    few = {(arm, day(d)): 100.0 for arm in "ab" for d in range(6)}
    assert trends_by_day(few, dict.fromkeys(few, 1_000.0), "a") == {}
    assert trends_by_day({}, {}, "a") == {}
    assert trends_by_day(few, few, "z") == {}
    check = lifts_over_days({}, since_exposure=False)
    assert (check.name, check.ok) == ("lift_by_day", None)


def test_the_ratio_is_that_of_all_looks_only_while_the_test_runs() -> None:
    units = {(arm, day(d)): n for d in range(5) for arm, n in (("a", 300), ("b", 340))}
    weights = {"a": 1.0, "b": 1.0}
    once = ratio_by_day(units, weights, running=False)
    assert once.p_value == pytest.approx(stats.chisquare([1500, 1700]).pvalue)
    looks = ratio_by_day(units, weights, running=True)
    assert looks.name == once.name == "sample_ratio"
    assert looks.p_value is not None
    assert once.p_value is not None
    assert looks.p_value > once.p_value
    assert "a 46.88% for 50.00%" in looks.message
    single = {key: n for key, n in units.items() if key[1] == FIRST}
    assert ratio_by_day(single, weights, running=True).p_value == pytest.approx(stats.chisquare([300, 340]).pvalue)
    broken = {key: n * (2 if key[0] == "b" and key[1] > day(1) else 1) for key, n in units.items()}
    assert "since 2026-06-03" in ratio_by_day(broken, weights, running=True).message
    stray = ratio_by_day(units | {("c", day(1)): 3}, {**weights, "c": 0.0}, running=True)
    assert (stray.ok, stray.severity) == (False, "blocking")


def trend(early: float, late: float, error: float) -> LiftTrend:
    one = {name: np.array(0.0) for name in ("slope", "change_error", "dispersion")}
    return LiftTrend(
        **one, p_value=np.array(1e-6), change=np.array(late - early), df=np.array(9.0), early=np.array(early),
        late=np.array(late), early_error=np.array(error), late_error=np.array(error), enough=np.array(True),
        early_days=7, weekdays=False,
    )  # fmt: skip


def test_a_lift_turns_only_where_both_sides_are_sure() -> None:
    turned = lifts_over_days({"b": trend(0.2, -0.05, 0.01)}, since_exposure=False)
    assert "turns into its opposite" in turned.message
    unsure = lifts_over_days({"b": trend(0.2, -0.05, 0.05)}, since_exposure=False)
    assert "fades over the calendar" in unsure.message


def check(name: str, ok: bool | None, severity: str = "info") -> HealthCheck:
    return HealthCheck(name=name, ok=ok, message=f"About {name}.", severity=severity)


def test_checks_stand_by_severity_and_open_ones_in_one_line() -> None:
    checks = [
        check("fine", True), check("maturity", None), check("size", False), check("late", False, "warning"),
        check("novelty", None), check("ratio", False, "blocking"), check("other", None, "warning"),
    ]  # fmt: skip
    gathered = by_severity(gather_open(checks, {"maturity": "what is in", "novelty": "what wears off"}))
    assert [one.name for one in gathered] == ["ratio", "late", "size", "other", "not_checked", "fine"]
    assert gathered[4].message == ("Cannot be told yet: what is in (About maturity); what wears off (About novelty).")
    assert gather_open(checks, {}) == tuple(checks)


@pytest.mark.parametrize("name", ["sample_ratio", "segment_ratio", "pre_period_balance", "crossed_units"])
def test_checks_of_the_split_lower_the_grade(name: str) -> None:
    assert evidence_grade([check(name, False, "warning")], randomised=True) is Evidence.B
    assert evidence_grade([check(name, False, "blocking")], randomised=True) is Evidence.C
    assert evidence_grade([check(name, False, "warning")], randomised=False) is Evidence.B
    assert evidence_grade([check(name, True), check(name, None)], randomised=True) is Evidence.A


@pytest.mark.parametrize(
    "name", ["maturity", "delay_difference", "late_data", "novelty", "lift_by_day", "missing_days", "enough_data"]
)
def test_checks_of_the_outcomes_leave_the_grade(name: str) -> None:
    assert evidence_grade([check(name, False, "warning")], randomised=True) is Evidence.A
    assert evidence_grade([check(name, False, "warning")], randomised=False) is Evidence.B


def test_units_that_are_left_out_have_no_bound_of_dilution() -> None:
    sets = {("a",): 900, ("b",): 900, ("a", "b"): 40}
    kept, left_out = crossed_units(sets), crossed_units(sets, left_out=True)
    assert "the observed one" in kept.message
    assert "the observed one" not in left_out.message
    assert "They are left out. Who crosses is no random choice" in left_out.message
    assert (left_out.ok, left_out.severity) == (kept.ok, kept.severity) == (False, "warning")


def test_the_last_day_of_the_earlier_snapshot_is_not_held_against_it() -> None:
    before = {("a", day(0)): 10.0, ("a", day(1)): 4.0, ("b", day(1)): 1.0}
    after = {("a", day(0)): 10.0, ("a", day(1)): 10.0, ("b", day(1)): 9.0, ("a", day(2)): 8.0}
    assert settled(before, after) == ({("a", day(0)): 10.0}, {("a", day(0)): 10.0})
    assert late_data(*settled(before, after)).ok is True
    assert late_data(*settled({("a", day(0)): 1.0}, after)).ok is None
    few = late_data({("a", day(0)): 10_000.0}, {("a", day(0)): 9_995.0})
    assert few.ok is True
    assert "5 were taken back" in few.message
