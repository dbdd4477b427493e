"""A running experiment on users, looked at before and at its planned size, and decided: the verbs, without pictures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from experiments.bayes.beliefs import Beliefs
from experiments.deciding.verdict_record import read_record
from proofsheet import analyze_table
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Metric, MetricKind, Role, TestDesign
from proofsheet.domain.identity import to_json
from proofsheet.domain.plain import from_json
from proofsheet.domain.result import Analysis, Call, Decision, Evidence, Result, Validity
from proofsheet.errors import InputError
from proofsheet.settings import load_settings
from proofsheet.workflows.analyze import analyze
from proofsheet.workflows.beliefs import beliefs_of, learned_prior, prior_words, waiting_words
from proofsheet.workflows.decide import decide, propose
from proofsheet.workflows.house import House, open_house
from proofsheet.workflows.ingest import ingest

START = datetime(2026, 6, 1, tzinfo=UTC)
SIGNUP = Metric(name="signup", kind=MetricKind.PROPORTION, numerator="signup")
BOUNCE = Metric(
    name="bounce",
    kind=MetricKind.PROPORTION,
    numerator="bounce",
    higher_is_better=False,
    role=Role.GUARDRAIL,
    margin=0.3,
)
DESIGN = TestDesign(
    baseline=0.2,
    minimum_lift=0.3,
    alpha=0.05,
    power=0.8,
    comparisons=1,
    n_per_arm=1_000,
    arms=2,
    daily_units=200,
    days=10,
)
Users = dict[str, tuple[int, int, int]]  # by arm: users, signups, bounces


@pytest.fixture
def house(tmp_path: Path) -> House:
    return open_house(load_settings(home=tmp_path / "home"))


def launched(house: House, design: TestDesign | None = DESIGN, *metrics: Metric) -> Experiment:
    """A running test of one arm against a control."""
    experiment = Experiment(
        id="site-1",
        campaign="site",
        name="Site",
        hypothesis="More sign up.",
        unit="user",
        arms=(
            Arm(name="old", variant_id="old", asset_ids=(), is_control=True),
            Arm(name="new", variant_id="new", asset_ids=()),
        ),
        metrics=metrics or (SIGNUP, BOUNCE),
        design=design,
        status=ExperimentStatus.RUNNING,
        started_at=START,
    )
    with house.warehouse.write() as writer:
        writer.save_experiment(experiment)
    return experiment


def seen(house: House, folder: Path, day: int, users: Users) -> None:
    """A day's events: exposures, and what the first so many users of an arm did."""
    lines = ["experiment,unit,arm,timestamp,event,value"]
    for arm, (n, signups, bounces) in users.items():
        for user in range(n):
            who, moment = f"site-1,{arm}{day}-{user},{arm}", f"2026-06-{day:02d}T10:00:00Z"
            lines.append(f"{who},{moment},exposure,")
            lines += [f"{who},{moment.replace('T10', 'T11')},signup,1"] * (user < signups)
            lines += [f"{who},{moment.replace('T10', 'T12')},bounce,1"] * (user >= n - bounces)
    file = folder / f"events-{day}.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ingest(house, file)


def end(house: House, experiment: Experiment) -> None:
    with house.warehouse.write() as writer:
        writer.save_experiment(replace(experiment, status=ExperimentStatus.ENDED, ended_at=START))


def primary(found: Analysis) -> Result:
    return next(row for row in found.results if row.metric == "signup")


def test_a_running_test_is_read_at_any_time_and_at_its_planned_size_once(house: House, tmp_path: Path) -> None:
    launched(house)
    seen(house, tmp_path, 2, {"old": (300, 60, 30), "new": (300, 78, 30)})
    early = analyze(house)
    row = primary(early)
    assert (row.validity, row.n_arm) == (Validity.ALWAYS, 300)
    assert "hold at any time" in early.reading
    assert "1,000 users per arm; the smallest arm has 300 (30%)" in early.reading
    plain = primary(analyze(house, intervals="fixed"))
    whole = primary(analyze(house, intervals="always-valid"))
    assert plain.validity is Validity.FIXED
    assert plain.p_value is not None
    assert row.p_value is not None
    assert plain.p_value < 0.1 < row.p_value
    assert whole.p_value is not None
    assert whole.p_value < row.p_value  # all of alpha is spent on looking
    assert analyze(house) == analyze(house)
    seen(house, tmp_path, 3, {"old": (700, 140, 70), "new": (700, 170, 70)})
    done = analyze(house)
    assert primary(done).validity is Validity.FIXED
    assert "planned size of 1,000 users per arm is reached" in done.reading
    plain = primary(analyze(house, intervals="fixed"))
    last = primary(done)
    assert last.lift_low is not None
    assert plain.lift_low is not None
    assert 0 < plain.lift_low - last.lift_low < 0.01
    assert last.expected_loss is not None
    assert last.lift_error is not None
    with pytest.raises(InputError, match="auto, fixed, always-valid"):
        analyze(house, intervals="wide")


@pytest.mark.parametrize("design", [DESIGN, None])
def test_a_file_of_the_same_users_is_read_as_the_launched_experiment_is(
    house: House, tmp_path: Path, design: TestDesign | None
) -> None:
    launched(house, design)
    users = {"old": (300, 60, 30), "new": (320, 90, 30)}
    seen(house, tmp_path, 2, users)
    kept = {row.metric: row for row in analyze(house, intervals="always-valid").results}
    lines = ["user,arm,signup,bounce"]
    for arm, (n, signups, bounces) in users.items():
        lines += [f"{arm}{user},{arm},{user < signups:d},{user >= n - bounces:d}" for user in range(n)]
    file = tmp_path / "users.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = analyze_table(
        file,
        arm="arm",
        control="old",
        unit="user",
        metrics=(SIGNUP, BOUNCE),
        randomised=True,
        intervals="always-valid",
        planned=design.n_per_arm if design else None,
    )
    for row in found.analyses[0].results:
        launched_row = replace(kept[row.metric], experiment=row.experiment, expected_loss=None)
        for name in row.__dataclass_fields__:
            value, other = getattr(row, name), getattr(launched_row, name)
            assert value == (pytest.approx(other, rel=1e-12) if isinstance(other, float) else other), name


def test_past_its_planned_size_a_test_is_read_at_any_time_again_until_it_ends(house: House, tmp_path: Path) -> None:
    experiment = launched(house)
    seen(house, tmp_path, 2, {"old": (1_200, 240, 120), "new": (1_200, 290, 120)})
    past = analyze(house)
    assert primary(past).validity is Validity.ALWAYS
    assert "1,000 users per arm is passed by 20%" in past.reading
    end(house, experiment)
    assert primary(analyze(house)).validity is Validity.FIXED


def test_what_past_experiments_came_to_is_expected_of_the_next(house: House, tmp_path: Path) -> None:
    experiment = launched(house)
    seen(house, tmp_path, 2, {"old": (1_000, 200, 100), "new": (1_000, 240, 100)})
    found = analyze(house)
    measured = primary(found).lift

    def expected() -> Beliefs:
        with house.warehouse.read() as reader:
            beliefs = beliefs_of(reader, found)
        assert beliefs is not None
        return beliefs

    alone = expected()
    assert measured is not None
    assert alone.prior.experiments == 0
    assert 0 < alone.arms[0].lift < measured
    with house.warehouse.write() as writer:
        for number in range(12):  # past tests in which nothing made much of a difference
            past = replace(experiment, id=f"past-{number}", status=ExperimentStatus.ENDED)
            row = replace(primary(found), experiment=past.id, lift=0.004 * (-1) ** number, lift_error=0.005)
            graded = replace(row, evidence=Evidence.C if number == 11 else Evidence.B)
            writer.save_experiment(past)
            writer.save_analysis(replace(found, experiment=past.id, results=(graded,), data_version=str(number)))
    taught = expected()
    assert taught.prior.experiments == 11  # observational ones teach nothing
    assert 0 < taught.arms[0].lift < alone.arms[0].lift / 3
    assert "11 arms of past experiments" in prior_words(taught.prior)


def test_analyze_shows_what_to_expect(house: House, tmp_path: Path, program: Callable[..., Any]) -> None:
    launched(house)
    seen(house, tmp_path, 2, {"old": (1_000, 200, 100), "new": (1_000, 240, 100)})
    shown = program("analyze", home=tmp_path / "home").out
    assert "What to expect" in shown
    assert "A winner tends to look better than it is" in shown


def test_a_further_week_is_weighed_while_a_test_runs(house: House, tmp_path: Path) -> None:
    experiment = launched(house)
    seen(house, tmp_path, 2, {"old": (1_000, 200, 100), "new": (1_000, 240, 100)})
    found = replace(analyze(house), window_start="2026-06-01", window_end="2026-06-02")
    with house.warehouse.read() as reader:
        prior = learned_prior(reader)
    assert waiting_words(experiment, found, prior).startswith("A further 7 days are expected to bring")
    assert waiting_words(replace(experiment, status=ExperimentStatus.ENDED), found, prior) == ""
    assert waiting_words(experiment, replace(found, window_start=""), prior) == ""


def test_an_end_before_the_planned_size_is_said_and_changes_the_reading(house: House, tmp_path: Path) -> None:
    experiment = launched(house)
    seen(house, tmp_path, 2, {"old": (300, 60, 30), "new": (300, 78, 30)})
    running = analyze(house)
    end(house, experiment)
    ended = analyze(house)
    assert (primary(running).validity, primary(ended).validity) == (Validity.ALWAYS, Validity.FIXED)
    assert "ended at 30% of its planned size" in ended.reading


def test_without_a_planned_size_it_is_always_valid_until_the_end(house: House, tmp_path: Path) -> None:
    experiment = launched(house, None)
    seen(house, tmp_path, 2, {"old": (300, 60, 30), "new": (300, 78, 30)})
    running = analyze(house)
    assert primary(running).validity is Validity.ALWAYS
    assert "5,000 users per arm, a default" in running.reading
    end(house, experiment)
    ended = analyze(house)
    assert primary(ended) == replace(primary(analyze(house, intervals="fixed")))
    assert "was not sized before launch" in ended.reading


def test_an_early_clear_winner_ships_and_stays_as_it_was_read(house: House, tmp_path: Path) -> None:
    launched(house)
    seen(house, tmp_path, 2, {"old": (400, 80, 60), "new": (400, 160, 40)})
    analysis = analyze(house)
    verdict = propose(house)
    assert (verdict.call, verdict.arm, verdict.rule) == (Call.SHIP, "new", "ship")
    assert verdict.findings.sequential
    assert "expected loss" in verdict.reasons[0]
    decision = decide(house)
    assert (decision.call, decision.arm, decision.rule) == (Call.SHIP, "new", "ship")
    assert read_record(decision.verdict.encode()) == verdict
    assert from_json(Analysis, decision.analysis) == replace(analysis, at=None)
    assert analyze(house) == analysis  # decided: not read anew by other rules
    assert decide(house) == decision


def test_a_guardrail_with_a_margin_must_be_shown_to_hold(house: House, tmp_path: Path) -> None:
    launched(house)
    seen(house, tmp_path, 2, {"old": (400, 80, 40), "new": (400, 160, 42)})
    verdict = propose(house)
    assert (verdict.call, verdict.rule) == (Call.CONTINUE, "guardrail_open")
    assert any("bounce" in reason for reason in verdict.reasons)


def test_an_arm_that_harms_is_switched_off_and_all_harmed_stops(house: House, tmp_path: Path) -> None:
    launched(house)
    seen(house, tmp_path, 2, {"old": (400, 80, 20), "new": (400, 160, 160)})
    verdict = propose(house)
    assert (verdict.call, verdict.rule) == (Call.STOP, "all_out")
    assert any("it harms bounce (margin 30%)" in reason for reason in verdict.reasons)


def test_nothing_measured_yet_goes_on(house: House) -> None:
    launched(house)
    verdict = propose(house)
    assert verdict.call is Call.CONTINUE
    assert verdict.reasons
    assert decide(house).call is Call.CONTINUE


def test_decisions_and_results_of_earlier_versions_are_still_read(house: House, tmp_path: Path) -> None:
    launched(house)
    seen(house, tmp_path, 2, {"old": (400, 80, 60), "new": (400, 160, 40)})
    decision = decide(house)
    kept = json.loads(to_json(decision))
    del kept["verdict"]
    before = from_json(Decision, json.dumps(kept | {"rule": "Ship the arm with the best lift, and so on."}))
    assert before.verdict == ""
    rows = json.loads(kept["analysis"])["results"]
    for row in rows:
        for name in ("validity", "lift_error", "expected_loss"):
            del row[name]
    old = from_json(Result, json.dumps(rows[0]))
    assert (old.validity, old.lift_error, old.expected_loss) == (Validity.FIXED, None, None)


def test_the_command_line_shows_how_to_read_it(program: Callable[..., Any], house: House, tmp_path: Path) -> None:
    launched(house)
    seen(house, tmp_path, 2, {"old": (400, 80, 60), "new": (400, 160, 40)})
    home = tmp_path / "home"
    shown = program("analyze", home=home).out
    assert "95% intervals, valid at every look" in shown
    assert "expected loss" in " ".join(shown.split())
    assert "95% intervals, fixed" in program("analyze", "--intervals", "fixed", home=home).out
    assert "--intervals" in program("analyze", "--intervals", "wide", home=home, expect=2).err
    assert "guardrail_open" in program("decide", "--rules", home=home).out
    proposed = program("decide", "--propose", "--json", home=home).json
    assert (proposed["call"], proposed["rule"], proposed["schema"]) == ("ship", "ship", "proofsheet.verdict.1")
    assert "Rule: ship: An arm wins in time" in program("decide", home=home).out
    assert "--planned belong to --data" in program("analyze", "--planned", "900", home=home, expect=2).err
