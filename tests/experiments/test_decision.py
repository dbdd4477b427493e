"""The rule, case by case, on results computed from counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from experiments.comparing.counts import compare_totals
from experiments.deciding.decision import PEEKING, RULE, decide
from experiments.planning.design import design_test
from proofsheet.domain.experiment import Metric, MetricKind, Role
from proofsheet.domain.result import Call, Evidence, HealthCheck, Result

CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
REFUNDS = Metric(
    name="refunds",
    kind=MetricKind.PROPORTION,
    numerator="refunds",
    denominator="impressions",
    higher_is_better=False,
    role=Role.GUARDRAIL,
)
DESIGN = design_test(baseline=0.02, minimum_lift=0.1, arms=3, daily_units=10_000)
N = DESIGN.n_per_arm + 1_000
BLOCKED = HealthCheck(name="sample_ratio", ok=False, message="The split is broken.", severity="blocking")


def rows(rates: Mapping[str, float], n: int = N, metric: Metric = CTR) -> tuple[Result, ...]:
    return compare_totals(metric, {a: (n, round(n * r)) for a, r in rates.items()}, "control", experiment="e")


def test_ships_the_best_of_those_that_are_better() -> None:
    p = decide(rows({"control": 0.02, "good": 0.024, "best": 0.026}), [], DESIGN, ended=True)
    assert (p.call, p.arm, p.rule) == (Call.SHIP, "best", RULE)
    assert "+30.0%" in p.reasons[0]
    assert any("good" in reason for reason in p.reasons)


def test_ships_at_the_planned_size_though_still_running() -> None:
    results = rows({"control": 0.02, "good": 0.024, "same": 0.02})
    assert decide(results, [], DESIGN, ended=False).call is Call.SHIP


def test_continues_below_the_planned_size_even_with_a_difference() -> None:
    p = decide(rows({"control": 0.02, "good": 0.03, "same": 0.02}, n=DESIGN.n_per_arm // 2), [], DESIGN, ended=False)
    assert (p.call, p.arm) == (Call.CONTINUE, None)
    assert PEEKING in p.reasons


def test_a_blocking_check_withholds_everything() -> None:
    results = rows({"control": 0.02, "best": 0.03})
    assert decide(results, [BLOCKED], DESIGN, ended=False).call is Call.CONTINUE
    p = decide(results, [BLOCKED], DESIGN, ended=True)
    assert (p.call, p.reasons) == (Call.INCONCLUSIVE, ("The split is broken.",))


def test_no_difference_is_inconclusive_at_the_end() -> None:
    p = decide(rows({"control": 0.02, "a": 0.0201, "b": 0.0199}), [], DESIGN, ended=True)
    assert p.call is Call.INCONCLUSIVE
    assert "a on ctr" in p.reasons[-1]


def test_all_worse_stops_even_early() -> None:
    p = decide(rows({"control": 0.02, "a": 0.01, "b": 0.012}, n=DESIGN.n_per_arm // 2), [], DESIGN, ended=False)
    assert (p.call, p.arm) == (Call.STOP, None)


def test_observational_evidence_never_ships() -> None:
    results = [replace(r, evidence=Evidence.C) for r in rows({"control": 0.02, "best": 0.03})]
    p = decide(results, [], DESIGN, ended=True)
    assert (p.call, p.arm) == (Call.INCONCLUSIVE, None)
    assert not any("winner" in reason for reason in p.reasons)


@pytest.mark.parametrize(("margin", "call", "arm"), [(0.1, Call.INCONCLUSIVE, None), (3.0, Call.SHIP, "best")])
def test_an_arm_that_harms_a_guardrail_beyond_its_margin_cannot_ship(
    margin: float, call: Call, arm: str | None
) -> None:
    results = [
        *rows({"control": 0.02, "best": 0.03, "same": 0.02}),
        *rows({"control": 0.01, "best": 0.02, "same": 0.01}, metric=REFUNDS),
    ]
    p = decide(results, [], DESIGN, ended=True, margins={"refunds": margin})
    assert (p.call, p.arm) == (call, arm)
    assert any("Guardrail harmed" in reason for reason in p.reasons) == (margin < 1)


def test_one_harmed_arm_does_not_stop_the_others_before_the_planned_size() -> None:
    half = DESIGN.n_per_arm // 2
    results = [
        *rows({"control": 0.02, "bad": 0.02, "fine": 0.021}, n=half),
        *rows({"control": 0.01, "bad": 0.05, "fine": 0.01}, metric=REFUNDS, n=half),
    ]
    p = decide(results, [], DESIGN, ended=False, margins={"refunds": 0.1})
    assert p.call is Call.CONTINUE
    assert any("Switch bad off" in reason for reason in p.reasons)


def test_every_arm_harmful_or_worse_stops() -> None:
    results = [
        *rows({"control": 0.02, "bad": 0.03, "worse": 0.01}),
        *rows({"control": 0.01, "bad": 0.05, "worse": 0.01}, metric=REFUNDS),
    ]
    assert decide(results, [], DESIGN, ended=False, margins={"refunds": 0.1}).call is Call.STOP


def test_the_next_arm_ships_when_the_best_harms_a_guardrail() -> None:
    results = [
        *rows({"control": 0.02, "best": 0.03, "second": 0.025}),
        *rows({"control": 0.01, "best": 0.02, "second": 0.01}, metric=REFUNDS),
    ]
    p = decide(results, [], DESIGN, ended=True, margins={"refunds": 0.1})
    assert (p.call, p.arm) == (Call.SHIP, "second")
    assert any("Guardrail harmed" in reason for reason in p.reasons)


def test_a_lower_primary_ships_the_lower_arm() -> None:
    metric = replace(REFUNDS, role=Role.PRIMARY)
    p = decide(rows({"control": 0.02, "less": 0.012, "more": 0.03}, metric=metric), [], DESIGN, ended=True)
    assert (p.call, p.arm) == (Call.SHIP, "less")


def test_nothing_measured_is_said_so() -> None:
    empty = compare_totals(CTR, {"control": (0, 0), "a": (0, 0)}, "control", experiment="e")
    assert decide(empty, [], DESIGN, ended=True).call is Call.INCONCLUSIVE
    assert decide((), [], None, ended=False).call is Call.CONTINUE
