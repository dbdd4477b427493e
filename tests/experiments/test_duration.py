"""Days, weeks and money, and plans as a whole."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.planning.design import design_test
from experiments.planning.duration import Traffic, affordable_units, days_for, price_of_unit, units_within, whole_weeks
from experiments.planning.planned_outcome import Mean, Proportion
from experiments.planning.planned_rules import Rules
from experiments.planning.planned_test import Limits
from experiments.planning.planner import Question, curve, plan_test, week_by_week
from experiments.planning.power import detectable_effect, power, power_curve
from experiments.planning.watching import Watch
from proofsheet.domain.identity import to_json
from proofsheet.errors import InputError

WORKDAYS = Traffic(daily=1000.0, weekdays=(1, 1, 1, 1, 1, 0.5, 0.25), first_weekday=4)
QUESTION = Question(
    outcome=Proportion(baseline=0.012),
    rules=Rules(comparisons=2),
    traffic=Traffic(daily=40_000.0),
    price=Decimal("0.0065"),
    currency="EUR",
)


@given(
    weights=st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=7, max_size=7).filter(any),
    first=st.integers(0, 6),
    units=st.floats(0.0, 1e6),
)
@settings(max_examples=60, deadline=None)
def test_days_are_the_first_with_enough_units(weights: list[float], first: int, units: float) -> None:
    traffic = Traffic(daily=700.0, weekdays=tuple(weights), first_weekday=first)
    days = int(days_for(traffic, units))
    if days == 0:
        assert units == pytest.approx(0.0, abs=1e-6)
        return
    assert units_within(traffic, days) >= units * (1 - 1e-9)
    assert days == 1 or units_within(traffic, days - 1) < units


def test_a_week_has_its_pattern_from_the_first_day_on() -> None:
    by_day = np.array([units_within(WORKDAYS, day) for day in range(1, 10)])
    assert by_day[6] == pytest.approx(7000.0)
    assert np.diff(by_day, prepend=0.0)[[0, 1, 2, 3, 7]] == pytest.approx(
        np.array([1.0, 0.5, 0.25, 1.0, 1.0]) * 7000 / 5.75
    )
    assert days_for(WORKDAYS, [0.0, 7000.0, 7001.0, math.inf]).tolist() == [0.0, 7.0, 8.0, math.inf]  # type: ignore[arg-type]
    assert days_for(Traffic(daily=100.0, weekdays=(1, 1, 1, 1, 1, 0, 0)), 1400.0) == 12.0
    assert whole_weeks([0.0, 1.0, 7.0, 8.0]).tolist() == [7.0, 7.0, 7.0, 14.0]  # type: ignore[arg-type]


def test_prices_and_budgets() -> None:
    assert price_of_unit(cpm=Decimal("6.50")) == Decimal("0.0065")
    assert price_of_unit(per_unit=Decimal("0.2")) == Decimal("0.2")
    assert price_of_unit() is None
    assert affordable_units(Decimal("3000"), Decimal("0.0065")) == 461_538


def test_a_plan_for_a_lift_agrees_with_the_older_design() -> None:
    plan = plan_test(QUESTION, 0.1)
    older = design_test(
        baseline=0.012,
        minimum_lift=0.1,
        arms=3,
        daily_units=40_000,
        cost_per_unit=Decimal("0.0065"),
        currency="EUR",
    )
    assert plan.needed is not None
    assert plan.needed.units_arm == plan.needed.units_control == older.n_per_arm
    assert plan.needed.whole_days == older.days
    assert plan.needed.whole_spend == older.spend
    assert plan.needed.spend == Decimal("0.0065") * plan.needed.units
    assert plan.needed.days == math.ceil(plan.needed.units / 40_000)
    assert (plan.arms, plan.lift, plan.available, plan.enough) == (3, 0.1, None, None)
    assert plan.effect == pytest.approx(0.0012)
    assert "164,241" in plan.summary[1]


def test_limits_leave_a_power_and_a_detectable_lift() -> None:
    plan = plan_test(QUESTION, 0.1, Limits(days=10, budget=Decimal("3000")))
    assert plan.limited_by == "days"
    assert plan.enough is False
    n = 400_000 / 3
    assert plan.power_available == pytest.approx(power(QUESTION.outcome, 0.1, n, QUESTION.rules))
    assert plan.detectable_lift == pytest.approx(detectable_effect(QUESTION.outcome, n, QUESTION.rules))
    assert any("not enough" in note for note in plan.notes)
    assert any("whole weeks" in note for note in plan.notes)
    money = plan_test(QUESTION, None, Limits(budget=Decimal("3000")))
    assert money.available is not None
    assert money.available.units <= 461_538
    assert money.available.spend is not None
    assert money.available.spend <= 3000
    assert (money.limited_by, money.lift, money.needed) == ("budget", None, None)
    rich = plan_test(QUESTION, 0.1, Limits(budget=Decimal("90000")))
    assert rich.enough is True


def test_unlike_arms_share_the_units() -> None:
    question = replace(QUESTION, rules=Rules(comparisons=3, control_ratio=1.7, correction="dunnett"))
    plan = plan_test(question, 0.1, Limits(units=1_000_000))
    assert plan.needed is not None
    assert plan.available is not None
    assert plan.needed.units_control == pytest.approx(1.7 * plan.needed.units_arm, abs=2)
    assert plan.needed.units == 3 * plan.needed.units_arm + plan.needed.units_control
    assert 999_990 < plan.available.units <= 1_000_000


def test_a_watched_plan_says_what_watching_costs() -> None:
    plan = plan_test(replace(QUESTION, watch=Watch(looks=20)), 0.1)
    once = plan_test(QUESTION, 0.1)
    part = plan.watched
    assert part is not None
    assert plan.needed is not None
    assert once.needed is not None
    assert part.inflation == pytest.approx(plan.needed.units_arm / once.needed.units_arm, rel=1e-4)
    assert part.tuning == 2 * plan.needed.units_arm
    assert part.expected_units < once.needed.units * 1.2 < plan.needed.units
    assert part.false_alarm < 0.025
    hybrid = plan_test(replace(QUESTION, watch=Watch(method="hybrid", looks=20)), None, Limits(days=14))
    assert hybrid.watched is not None
    assert hybrid.watched.tuning is None


def test_plans_without_an_answer_say_so() -> None:
    none = plan_test(replace(QUESTION, traffic=None), 0.0)
    assert none.needed is None
    assert "No number of units" in none.summary[1]
    tiny = plan_test(QUESTION, None, Limits(units=3))
    assert (tiny.detectable_effect, tiny.detectable_lift) == (None, None)
    assert "no effect" in tiny.summary[1]
    zero = Question(outcome=Mean(baseline=0.0, variance=4.0), rules=Rules(relative=False))
    assert plan_test(zero, 0.1).lift is None
    harm = plan_test(replace(QUESTION, rules=Rules(margin=0.05)), 0.0)
    assert "not worse by 5.00%" in harm.summary[0]


@pytest.mark.parametrize(
    ("question", "effect", "words"),
    [
        (replace(QUESTION, traffic=Traffic(daily=4000.0)), 0.1, "are long"),
        (replace(QUESTION, outcome=Proportion(baseline=0.0001)), 3.0, "events are expected"),
        (replace(QUESTION, rules=Rules(dispersion=1.8)), 0.1, "1.8 times"),
        (QUESTION, 0.1, "over-dispersion"),
        (replace(QUESTION, watch=Watch(looks=5)), 0.1, "Tune the interval"),
        (QUESTION, 10.0, "shares"),
    ],
)
def test_what_to_mind(question: Question, effect: float, words: str) -> None:
    assert any(words in note for note in plan_test(question, effect).notes)


def test_weeks_and_curves() -> None:
    rows = week_by_week(QUESTION, (1, 4))
    assert [(row.weeks, row.days, row.units) for row in rows] == [(1, 7, 280_000), (4, 28, 1_120_000)]
    assert rows[1].spend == Decimal("7280.0000")
    assert rows[1].detectable_lift == pytest.approx(detectable_effect(QUESTION.outcome, 1_120_000 / 3, QUESTION.rules))
    assert week_by_week(replace(QUESTION, traffic=None)) == ()
    assert curve(QUESTION, [0.0, 0.1], [1000.0]) == power_curve(QUESTION.outcome, [0.0, 0.1], [1000.0], QUESTION.rules)
    watched = curve(replace(QUESTION, watch=Watch(looks=6)), [0.0, 0.1], [1e5, 3e5])
    assert [point.units for point in watched] == [1e5, 1e5, 3e5, 3e5]
    assert watched[1].power < watched[3].power


def test_plans_are_the_same_bytes_each_time() -> None:
    question = replace(QUESTION, watch=Watch(method="pocock", looks=4))
    limits = Limits(budget=Decimal("3000"))
    assert to_json(plan_test(question, 0.1, limits)) == to_json(plan_test(question, 0.1, limits))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Traffic(daily=0.0),
        lambda: Traffic(daily=1.0, weekdays=(1.0,) * 6),
        lambda: Traffic(daily=1.0, weekdays=(0.0,) * 7),
        lambda: Traffic(daily=1.0, first_weekday=7),
        lambda: units_within(WORKDAYS, 0),
        lambda: price_of_unit(cpm=Decimal(1), per_unit=Decimal(1)),
        lambda: price_of_unit(cpm=Decimal(0)),
        lambda: affordable_units(Decimal(0), Decimal(1)),
        lambda: plan_test(QUESTION, None),
        lambda: plan_test(replace(QUESTION, traffic=None), 0.1, Limits(days=3)),
        lambda: plan_test(replace(QUESTION, price=None), 0.1, Limits(budget=Decimal(3))),
        lambda: plan_test(QUESTION, 0.1, Limits(units=0.0)),
        lambda: plan_test(replace(QUESTION, power=1.0), 0.1),
    ],
)
def test_what_cannot_be_planned_is_refused(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
