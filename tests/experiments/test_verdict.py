"""The verdict: every rule of the table, on findings and on analyses, and records that never differ by a byte."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.comparing.analysis import compare
from experiments.deciding.findings import ArmFinding, Findings, GuardrailFinding, findings_of, settle
from experiments.deciding.metric_families import Guard
from experiments.deciding.verdict import RULES, Policy, reach_verdict
from experiments.deciding.verdict_record import digest, read_record, write_record
from experiments.planning.design import design_test
from proofsheet.domain.experiment import Metric, Role
from proofsheet.domain.result import Aggregates, Call, Evidence, HealthCheck, Result
from proofsheet.errors import InputError

BLOCK = HealthCheck(name="sample_ratio", ok=False, message="The arms' sizes do not fit the plan.", severity="blocking")
WARN = HealthCheck(name="novelty", ok=False, message="The lift wears off.", severity="warning")


def arm(name: str = "b", gain: float = 0.1, direction: int = 1, **more: object) -> ArmFinding:
    plain: dict[str, object] = {"n": 1_000, "lift": gain, "low": gain - 0.05, "high": gain + 0.05}
    return ArmFinding(arm=name, gain=gain, direction=direction, **{**plain, **more})  # type: ignore[arg-type]


def look(*arms: ArmFinding, **more: object) -> Findings:
    plain: dict[str, object] = {
        "experiment": "e",
        "metric": "ctr",
        "control": "control",
        "confidence": 0.95,
        "smallest": 1_000,
        "planned": 1_000,
        "ended": False,
    }
    return Findings(arms=arms, **{**plain, **more})  # type: ignore[arg-type]


def guard(state: Guard, margin: float = 0.02, metric: str = "cpa") -> tuple[GuardrailFinding, ...]:
    return (GuardrailFinding(metric=metric, state=state, margin=margin),)


HARM = {"guardrails": guard(Guard.HARMED)}
CASES = [
    ("blocked", Call.CONTINUE, look(arm(), health=(BLOCK,))),
    ("blocked", Call.INCONCLUSIVE, look(arm(), health=(BLOCK,), ended=True)),
    ("no_result", Call.CONTINUE, look(ArmFinding(arm="b", n=0, note="There is no data."))),
    ("no_result", Call.INCONCLUSIVE, look(ended=True)),
    ("all_out", Call.STOP, look(arm(gain=-0.1, direction=-1), arm("c", **HARM))),
    ("observational", Call.INCONCLUSIVE, look(arm(), evidence=Evidence.C)),
    ("ship", Call.SHIP, look(arm())),
    ("ship", Call.SHIP, look(arm(), smallest=10, planned=None, ended=True)),
    ("ship", Call.SHIP, look(arm(), smallest=10, sequential=True)),
    ("ship", Call.SHIP, look(arm(guardrails=guard(Guard.SAFE)))),
    ("ship", Call.SHIP, look(arm(guardrails=guard(Guard.OPEN, margin=0.0)))),
    ("guardrail_open", Call.CONTINUE, look(arm(guardrails=guard(Guard.OPEN)))),
    ("guardrail_open", Call.INCONCLUSIVE, look(arm(guardrails=guard(Guard.OPEN)), ended=True)),
    ("not_worth_waiting", Call.STOP, look(arm(direction=0), smallest=9, value_of_waiting=1.0, cost_of_waiting=2.0)),
    ("not_yet", Call.CONTINUE, look(arm(), smallest=999)),
    ("not_yet", Call.CONTINUE, look(arm(direction=0), planned=None, sequential=True)),
    ("not_yet", Call.CONTINUE, look(arm(), arm("c", **HARM), smallest=9, value_of_waiting=2.0, cost_of_waiting=1.0)),
    ("no_difference", Call.INCONCLUSIVE, look(arm(direction=0))),
    ("no_difference", Call.INCONCLUSIVE, look(arm(direction=0), arm("c", **HARM), smallest=9, ended=True)),
]


@pytest.mark.parametrize(("rule", "call", "findings"), CASES)
def test_every_rule_of_the_table(rule: str, call: Call, findings: Findings) -> None:
    verdict = reach_verdict(findings)
    assert (verdict.rule, verdict.call) == (rule, call)
    assert verdict.reasons
    assert all(reason.endswith((".", "?")) for reason in verdict.reasons)
    line = next(r for r in RULES if r.name == rule)
    assert call is (line.ended if findings.ended else line.running)
    assert (verdict.arm is not None) == (call is Call.SHIP)


def test_every_rule_has_a_case() -> None:
    assert {rule for rule, _, _ in CASES} == {rule.name for rule in RULES}


def test_a_fixed_test_is_never_decided_early_by_its_interval() -> None:
    assert reach_verdict(look(arm(), smallest=999)).call is Call.CONTINUE
    early = look(arm(), smallest=999, value_of_waiting=0.0, cost_of_waiting=1.0)
    assert reach_verdict(early).call is Call.STOP  # a winner by peeking does not ship


def test_the_loss_basis_ships_on_posteriors() -> None:
    policy = Policy(basis="loss", loss_tolerance=0.002, least_chance=0.9)
    good = arm(direction=0, expected_loss=0.001, chance_to_win=0.93)
    assert reach_verdict(look(good), policy).call is Call.SHIP
    assert reach_verdict(look(replace(good, expected_loss=0.003)), policy).call is Call.INCONCLUSIVE
    assert reach_verdict(look(replace(good, chance_to_win=0.8)), policy).call is Call.INCONCLUSIVE
    assert reach_verdict(look(replace(good, expected_loss=None)), policy).call is Call.INCONCLUSIVE
    waiting = look(good, smallest=10, value_of_waiting=5.0, cost_of_waiting=9.0, unit="EUR")
    assert reach_verdict(waiting, policy).call is Call.SHIP
    assert reach_verdict(replace(waiting, value_of_waiting=99.0), policy).call is Call.CONTINUE


def test_of_several_winners_the_least_expected_loss_ships() -> None:
    risky, sure = arm("risky", gain=0.2, expected_loss=0.01), arm("sure", gain=0.1, expected_loss=0.001)
    verdict = reach_verdict(look(risky, sure))
    assert verdict.arm == "sure"
    assert "Other arms that win: risky." in verdict.reasons
    assert reach_verdict(look(replace(risky, expected_loss=None), sure)).arm == "risky"
    assert reach_verdict(look(arm("z"), arm("a"))).arm == "a"  # a tie goes by the name


def test_a_winner_with_an_open_guardrail_yields_to_one_whose_guardrails_hold() -> None:
    verdict = reach_verdict(look(arm("fast", gain=0.3, guardrails=guard(Guard.OPEN)), arm("slow", gain=0.1)))
    assert (verdict.call, verdict.arm) == (Call.SHIP, "slow")


def test_reasons_are_plain_sentences_with_their_numbers() -> None:
    waiting = {"value_of_waiting": 12_345.6, "cost_of_waiting": 900.0, "unit": "EUR"}
    verdict = reach_verdict(look(arm(direction=0), arm("c", **HARM), smallest=400, **waiting))
    assert verdict.switch_off == ("c",)
    assert verdict.reasons == (
        "The planned size of 1,000 units per arm is not reached: the smallest arm has 400.",
        "c cannot ship: it harms cpa (margin 2%).",
        "Going on is expected to bring 12,345.6 EUR and to cost 900 EUR.",
    )
    best = arm(chance_to_win=0.987, expected_loss=0.0004)
    assert reach_verdict(look(best, health=(WARN,))).reasons == (
        "b on ctr: +10.0% against control (95% interval +5.0% to +15.0%, chance to win 98.7%, expected loss 0.04%, "
        "n = 1,000).",
        "The planned size of 1,000 units per arm is reached: the smallest arm has 1,000.",
        "Health checks with a warning: novelty.",
        "The lift of a chosen winner tends to be overstated; expect somewhat less.",
    )


def many_arms(rng: random.Random) -> Findings:
    arms = [
        arm(
            f"arm {i}",
            gain=rng.gauss(0, 0.2),
            direction=rng.choice((-1, 0, 1)),
            high=rng.choice((0.3, float("inf"))),
            chance_to_win=rng.random(),
            expected_loss=rng.choice((rng.random() / 100, 0.0)),
            guardrails=tuple(g for m in ("cpa", "bounce") for g in guard(rng.choice(list(Guard)), metric=m)),
        )
        for i in range(6)
    ]
    return look(*arms, health=(WARN, replace(WARN, name="late"), replace(WARN, p_value=0.002)), value_of_waiting=1 / 3)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_the_same_findings_in_any_order_give_the_same_bytes(seed: int) -> None:
    rng = random.Random(seed)
    findings = many_arms(rng)
    shuffled = replace(
        findings,
        arms=tuple(rng.sample([replace(a, guardrails=a.guardrails[::-1]) for a in findings.arms], 6)),
        health=tuple(rng.sample(findings.health, 3)),
    )
    record = write_record(reach_verdict(findings))
    assert write_record(reach_verdict(shuffled)) == record
    assert write_record(read_record(record)) == record
    assert digest(reach_verdict(shuffled)) == digest(read_record(record))


def test_rounding_in_the_last_bits_and_number_types_leave_no_trace() -> None:
    plain = look(arm(gain=0.1 + 0.2, low=-0.0, high=0.4, chance_to_win=1))
    assert plain.arms[0].gain != 0.3
    other = look(
        arm(gain=0.3, low=0.0, high=np.float64(0.4), chance_to_win=np.float64(1.0), n=np.int64(1_000)),
        smallest=np.int64(1_000),
        ended=np.bool_(False),
    )
    assert write_record(reach_verdict(plain)) == write_record(reach_verdict(other))
    whole, real = Policy(least_chance=1), Policy(least_chance=1.0)
    assert write_record(reach_verdict(plain, whole)) == write_record(reach_verdict(plain, real))


def test_the_record_is_plain_json_without_a_clock() -> None:
    record = write_record(reach_verdict(look(arm(high=float("inf"), guardrails=guard(Guard.SAFE)))))
    content = json.loads(record)
    assert list(content) == sorted(content)
    assert (content["call"], content["rule"], content["arm"]) == ("ship", "ship", "b")
    assert content["findings"]["arms"][0]["high"] == "inf"
    assert content["findings"]["arms"][0]["guardrails"][0]["state"] == "safe"
    assert record.endswith(b"}\n")
    assert record.count(b"\n") == 1
    assert not {"at", "time", "decided_by"} & set(content)


def test_a_changed_record_is_refused() -> None:
    record = write_record(reach_verdict(look(arm())))
    with pytest.raises(InputError, match="was changed"):
        read_record(record.replace(b'"call":"ship"', b'"call":"stop"'))
    with pytest.raises(InputError, match="not a record"):
        read_record(b"{}")
    with pytest.raises(InputError, match="not a record"):
        read_record(record.replace(b"verdict.1", b"verdict.9"))
    with pytest.raises(InputError, match="not a record"):
        read_record(b"nonsense")


def test_findings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InputError, match="given twice"):
        reach_verdict(look(arm(), arm()))
    with pytest.raises(InputError, match="guardrail of b"):
        reach_verdict(look(arm(guardrails=guard(Guard.SAFE) * 2)))
    with pytest.raises(InputError, match="NaN"):
        reach_verdict(look(arm(chance_to_win=float("nan"))))
    with pytest.raises(InputError, match="basis"):
        Policy(basis="mood")
    with pytest.raises(InputError, match="no policy"):
        Policy(least_chance=90.0)


def results(
    rng: np.random.Generator, metric: Metric, cost: Metric, binary: Callable[[int, int], Aggregates]
) -> list[Result]:
    """A primary metric and a guardrail of three arms."""
    n = int(rng.integers(1_000, 9_000))
    rates = {name: float(rng.uniform(0.08, 0.13)) for name in ("control", "b", "c", "d")}
    rows = compare(metric, {a: binary(n, int(rng.binomial(n, p))) for a, p in rates.items()}, "control", experiment="e")
    harm = {name: float(rng.uniform(0.1, 0.14)) for name in rates}
    guards = compare(cost, {a: binary(n, int(rng.binomial(n, p))) for a, p in harm.items()}, "control", experiment="e")
    return [*rows, *guards]


def test_random_analyses_are_decided_as_written_down_here(
    proportion: Metric, binary: Callable[[int, int], Aggregates]
) -> None:
    """The rules once more in plain words, on 300 random analyses with guardrails without a margin."""
    rng = np.random.default_rng(1)
    cost = replace(proportion, name="bounce", role=Role.GUARDRAIL, higher_is_better=False)
    design = design_test(baseline=0.1, minimum_lift=0.15, arms=4, daily_units=1_000)
    calls = set()
    for i in range(300):
        rows, ended = results(rng, proportion, cost, binary), bool(i % 2)
        rows = [replace(r, evidence=Evidence.C) for r in rows] if i % 10 == 0 else rows
        health = (BLOCK,) if i % 15 == 0 else (WARN,)
        verdict = reach_verdict(findings_of(rows, health, design, ended=ended))
        primary, guards = rows[:3], rows[3:]
        harmed = {r.arm for r in guards if (r.adjusted_p or 1.0) < 0.05 and (r.lift or 0.0) > 0}
        better = [r for r in primary if (r.adjusted_p or 1.0) < 0.05 and (r.lift or 0.0) > 0 and r.arm not in harmed]
        worse = {r.arm for r in primary if (r.adjusted_p or 1.0) < 0.05 and (r.lift or 0.0) < 0}
        done = ended or primary[0].n_arm >= design.n_per_arm
        wanted = Call.INCONCLUSIVE if done else Call.CONTINUE
        if health == (BLOCK,):
            wanted = Call.INCONCLUSIVE if ended else Call.CONTINUE
        elif {r.arm for r in primary} == harmed | worse:
            wanted = Call.STOP
        elif done and better and i % 10:
            wanted = Call.SHIP
        best = max(better, key=lambda r: r.lift or 0.0).arm if wanted is Call.SHIP else None
        assert (verdict.call, verdict.arm) == (wanted, best)
        calls.add(verdict.call)
    assert calls == set(Call)


def test_an_arm_that_harms_a_guardrail_is_switched_off_while_the_others_go_on(
    proportion: Metric, binary: Callable[[int, int], Aggregates]
) -> None:
    cost = replace(proportion, name="bounce", role=Role.GUARDRAIL, higher_is_better=False)
    design = design_test(baseline=0.1, minimum_lift=0.1, arms=3, daily_units=1_000)
    counts = {"c": binary(4_000, 400), "bad": binary(4_000, 400), "fine": binary(4_000, 410)}
    bounced = {"c": binary(4_000, 400), "bad": binary(4_000, 900), "fine": binary(4_000, 400)}
    rows = [*compare(proportion, counts, "c", experiment="e"), *compare(cost, bounced, "c", experiment="e")]
    verdict = reach_verdict(findings_of(rows, (), design, ended=False, margins={"bounce": 0.1}))
    assert (verdict.call, verdict.switch_off) == (Call.CONTINUE, ("bad",))
    assert any(reason.startswith("bad cannot ship: it harms bounce") for reason in verdict.reasons)
    both = {"c": binary(4_000, 400), "bad": binary(4_000, 900), "fine": binary(4_000, 900)}
    rows = [*compare(proportion, counts, "c", experiment="e"), *compare(cost, both, "c", experiment="e")]
    assert reach_verdict(findings_of(rows, (), design, ended=False, margins={"bounce": 0.1})).call is Call.STOP


def test_a_primary_metric_of_which_less_is_better_ships_the_lower_arm(
    proportion: Metric, binary: Callable[[int, int], Aggregates]
) -> None:
    metric = replace(proportion, higher_is_better=False)
    arms = {"c": binary(4_000, 400), "less": binary(4_000, 280), "more": binary(4_000, 600)}
    verdict = reach_verdict(findings_of(compare(metric, arms, "c", experiment="e"), (), None, ended=True))
    assert (verdict.call, verdict.arm) == (Call.SHIP, "less")


def test_a_margin_must_be_shown_to_hold(proportion: Metric, binary: Callable[[int, int], Aggregates]) -> None:
    cost = replace(proportion, name="bounce", role=Role.GUARDRAIL, higher_is_better=False)
    rows = compare(proportion, {"c": binary(9_000, 900), "b": binary(9_000, 1_200)}, "c", experiment="e")
    states = []
    for bounced, margin in ((900, 0.1), (980, 0.1), (1_100, 0.3), (1_400, 0.1)):
        guards = compare(cost, {"c": binary(9_000, 900), "b": binary(9_000, bounced)}, "c", experiment="e")
        found = findings_of([*rows, *guards], (), None, ended=True, margins={"bounce": margin})
        states.append((found.arms[0].guardrails[0].state, reach_verdict(found).rule))
    # The third is certainly worse than the control, and not certainly by more or less than its margin.
    open_ = (Guard.OPEN, "guardrail_open")
    assert states == [(Guard.SAFE, "ship"), open_, open_, (Guard.HARMED, "all_out")]


def test_findings_need_a_primary_metric_and_settle_once() -> None:
    with pytest.raises(InputError, match="primary"):
        findings_of([], (), None, ended=True)
    once = settle(many_arms(random.Random(1)))
    assert settle(once) == once


def test_reasons_say_how_an_interval_is_to_be_read_and_never_a_certainty_that_is_none() -> None:
    sure = arm(chance_to_win=0.99999)
    (reason, *_) = reach_verdict(look(sure, arm("c", direction=0), sequential=True)).reasons
    assert "95% interval over all arms +5.0% to +15.0%, valid at every look" in reason
    assert "chance to win above 99.9%" in reason
    (reason, *_) = reach_verdict(look(sure)).reasons
    assert "95% interval +5.0% to +15.0%, chance" in reason
    assert "below 0.1%" in reach_verdict(look(arm(direction=-1, gain=-0.1, chance_to_win=1e-9))).reasons[-1]


def test_the_page_of_decide_shows_the_rules_in_their_order() -> None:
    page = Path(__file__).parents[2] / "docs" / "decide.md"
    rows = [line.split("|")[1:-1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    told = [(name.strip(" `"), running.strip(), ended.strip()) for name, _, running, ended in rows]
    assert told == [(rule.name, rule.running.value, rule.ended.value) for rule in RULES]
