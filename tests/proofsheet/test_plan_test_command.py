"""The command plan-test: what it answers, shows and refuses; nothing is stored."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from experiments.planning.planned_outcome import Mean, Proportion, Ratio
from experiments.planning.planned_rules import Rules
from experiments.planning.power import sample_size
from proofsheet.cli import main
from proofsheet.errors import InputError
from proofsheet.workflows.plan_test import PlanRequest, plan_test


@dataclass
class Ran:
    """One run of the program."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer."""
        return json.loads(self.out)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], Ran]:
    """Run ``proofsheet plan-test`` with these words, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def go(words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["proofsheet", "plan-test", *words.split("|")])
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main()
        assert list(tmp_path.iterdir()) == []
        return Ran(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    return go


Run = Callable[[str], Ran]


def test_a_click_rate_with_traffic_and_money(run: Run) -> None:
    words = "--baseline|0.012|--lift|0.1|--daily|40000|--arms|3|--cpm|6.50|--currency|eur"
    shown = run(words)
    assert shown.code == 0
    assert "It takes 164,241 units in each arm, 492,723 in all, 3,202.70 EUR" in shown.out
    assert "Week by week" in shown.out
    answer = run(f"{words}|--json")
    plan = answer.json["plan"]
    assert (plan["needed"]["units_arm"], plan["needed"]["whole_days"], plan["arms"]) == (164_241, 14, 3)
    assert plan["needed"]["whole_spend"] == "3640"
    assert [row["weeks"] for row in answer.json["weeks"]] == [1, 2, 3, 4, 6, 8]
    assert answer.out == run(f"{words}|--json").out


def test_the_kinds_agree_with_the_engine(run: Run) -> None:
    cases = [
        ("--kind|mean|--mean|4.2|--sd|11|--lift|0.05", Mean(baseline=4.2, variance=121.0), 0.05, Rules()),
        ("--mean|4.2|--sd|11|--effect|0.2", Mean(baseline=4.2, variance=121.0), 0.2, Rules(relative=False)),
        (
            "--kind|ratio|--numerator-mean|3|--numerator-sd|3|--denominator-mean|2|--denominator-sd|1.5"
            "|--correlation|0.5|--lift|0.05",
            Ratio(mean_x=3.0, mean_y=2.0, variance_x=9.0, variance_y=2.25, covariance=2.25),
            0.05,
            Rules(),
        ),
        ("--kind|ratio|--mean|1.5|--sd|2|--lift|0.1", Mean(baseline=1.5, variance=4.0), 0.1, Rules()),
        ("--baseline|0.05|--margin|0.1|--alpha|0.1", Proportion(baseline=0.05), 0.0, Rules(margin=0.1, alpha=0.1)),
        (
            "--baseline|0.05|--lift|-0.1|--lower|--sides|1|--r2|0.2|--dispersion|1.5",
            Proportion(baseline=0.05),
            -0.1,
            Rules(sides=1, r_squared=0.2, dispersion=1.5),
        ),
    ]
    for words, outcome, effect, rules in cases:
        plan = run(f"{words}|--json").json["plan"]
        assert plan["needed"]["units_arm"] == -(-float(sample_size(outcome, effect, rules)) // 1)
    # 2 (1.959964 + 0.841621)^2 0.41 / 0.02^2
    count = run("--kind|count|--baseline|0.4|--lift|0.05|--json").json["plan"]
    assert (count["kind"], count["needed"]["units_arm"]) == ("count", 16_091)


def test_what_a_budget_can_find(run: Run) -> None:
    plan = run("--baseline|0.012|--budget|3000 EUR|--cpm|6.50|--json").json["plan"]
    assert plan["available"]["units"] == 461_538
    assert (plan["limited_by"], plan["currency"], plan["needed"]) == ("budget", "EUR", None)
    assert 0.07 < plan["detectable_lift"] < 0.09
    lower = run("--baseline|0.012|--budget|3000|--cpm|6.50|--lower|--json").json["plan"]
    assert -0.09 < lower["detectable_lift"] < -0.07


def test_tiny_lifts_are_not_shown_as_none(run: Run) -> None:
    shown = run("--baseline|0.3|--lift|0.000012|--curve").out
    assert "a lift of +0.0012%" in shown
    assert shown.count("+0.00%") == 1  # the curve's row of no lift at all


def test_watching(run: Run) -> None:
    watched = run("--baseline|0.05|--lift|0.1|--daily|9000|--sequential|--json").json["plan"]
    assert watched["watched"]["method"] == "always-valid"
    # One look a day.
    assert watched["watched"]["looks"] == watched["needed"]["days"]
    assert watched["watched"]["tuning"] == 2 * watched["needed"]["units_arm"]
    tuned = run("--baseline|0.05|--lift|0.1|--sequential|--tuning|5000|--looks|10|--json").json["plan"]
    assert (tuned["watched"]["tuning"], tuned["watched"]["looks"]) == (5000.0, 10)
    grouped = run("--baseline|0.05|--lift|0.1|--watch|obrien-fleming|--looks|5")
    assert "O'Brien and Fleming's limits, 5 looks" in grouped.out


def test_the_curve_and_the_check(run: Run) -> None:
    shown = run("--baseline|0.05|--lift|0.2|--curve|--check|--runs|1000")
    assert "█" in shown.out
    assert "+20.00%" in shown.out
    assert "Checked by 1,000 simulated tests (seed 1)" in shown.out
    answer = run("--baseline|0.05|--lift|0.2|--curve|--check|--runs|1000|--seed|3|--json")
    assert answer.out == run("--baseline|0.05|--lift|0.2|--curve|--check|--runs|1000|--seed|3|--json").out
    check = answer.json["check"]
    assert check["agrees"] is True
    assert check["formula"] == pytest.approx(0.8, abs=0.001)
    assert check["simulated"] == pytest.approx(0.8, abs=0.05)
    assert check["false_alarm_formula"] == pytest.approx(0.05)
    assert len(answer.json["curve"]) == 63
    margin = run("--baseline|0.05|--margin|0.1|--check|--runs|1000|--json").json["check"]
    assert margin["false_alarm_formula"] == pytest.approx(0.025)
    assert margin["agrees"] is True


def test_two_weeks_are_taken_without_a_lift(run: Run) -> None:
    answer = run("--baseline|0.05|--daily|5000|--json").json
    assert answer["plan"]["available"]["days"] == 14
    assert any("two weeks" in note for note in answer["notes"])


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("--baseline|0.012", "--lift"),
        ("--lift|0.1", "--baseline"),
        ("--baseline|1.2|--lift|0.1", "between 0 and 1"),
        ("--kind|mean|--mean|4.2|--lift|0.1", "--sd"),
        ("--mean|3|--sd|-1|--lift|0.1", "--sd is -1"),
        ("--kind|ratio|--lift|0.1", "--numerator-mean"),
        ("--kind|ratio|--numerator-mean|1|--lift|0.1", "--denominator-sd"),
        ("--kind|median|--lift|0.1", "proportion, mean"),
        ("--baseline|0.1|--lift|0.1|--effect|0.01", "relative"),
        ("--baseline|0.1|--lift|0.1|--budget|3000", "--cpm"),
        ("--baseline|0.1|--lift|0.1|--days|7", "--daily"),
        ("--baseline|0.1|--lift|0.1|--budget|lots|--cpm|5", "3000"),
        ("--baseline|0.1|--lift|0.1|--budget|30 EUR|--cpm|5 USD", "EUR, USD"),
        ("--baseline|0.1|--lift|0.1|--cpm|5|--unit-price|1", "one of them"),
        ("--baseline|0.1|--lift|0.1|--looks|5", "--watch"),
        ("--baseline|0.1|--lift|0.1|--watch|peek", "always-valid"),
        ("--baseline|0.1|--lift|0.1|--weekdays|1,1,1,1,1,1,1", "units a day"),
        ("--baseline|0.1|--lift|0.1|--daily|10|--weekdays|1,x", "seven"),
        ("--baseline|0.1|--lift|0.1|--daily|10|--weekdays|1,1", "seven"),
        ("--baseline|0.5|--lift|1.5", "between 0 and 1"),
        ("--baseline|0.1|--lift|0.1|--correction|holm", "bonferroni"),
    ],
)
def test_errors_say_what_to_do(run: Run, words: str, names: str) -> None:
    ended = run(words)
    assert ended.code == 2
    assert names in ended.err
    assert "Traceback" not in ended.err


def test_a_tiny_effect_takes_ages_and_no_memory(run: Run) -> None:
    ended = run("--baseline|0.02|--lift|1e-9|--daily|100|--cpm|5")
    assert ended.code == 0
    assert "days" in ended.out


def test_the_workflow_refuses_a_lone_arm() -> None:
    with pytest.raises(InputError):
        plan_test(PlanRequest(baseline=0.1, lift=0.1, arms=1))
