"""Verdicts: grades at their limits, words filled in, and a rule table that is checked when read."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofsheet.domain.assessment import Action, Grade, Verdict
from proofsheet.domain.asset import Box
from proofsheet.errors import InputError
from scoring.assess import overall
from scoring.verdict import load_rules, ranked

RULES = load_rules()


def test_limits_belong_to_the_better_grade() -> None:
    rule = RULES["contrast_small"]
    graded = [rule.grade(value) for value in (4.5, 4.499, 4.0, 3.999)]
    assert graded == [Grade.PASS, Grade.REVIEW, Grade.REVIEW, Grade.FAIL]
    low = RULES["spec_bytes"]
    assert [low.grade(value) for value in (100.0, 100.001)] == [Grade.PASS, Grade.FAIL]


@pytest.mark.parametrize("name", sorted(RULES.rules))
def test_every_rule_has_a_source_and_a_remedy(name: str) -> None:
    rule = RULES[name]
    assert rule.source.endswith((".", "100."))
    assert rule.remedy
    assert all(rule.reasons[grade] for grade in (Grade.PASS, rule.worst))
    failing = rule.reasons[rule.worst]
    assert {field for _, field, _, _ in string.Formatter().parse(failing) if field} or name == "blank"


@given(st.sampled_from(sorted(RULES.rules)), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_a_better_value_never_gets_a_worse_grade(name: str, one: float, other: float) -> None:
    rule = RULES[name]
    better, worse = (max(one, other), min(one, other)) if rule.better == "high" else (min(one, other), max(one, other))
    assert rule.grade(better).severity <= rule.grade(worse).severity


def test_a_pass_has_no_remedy_and_a_failure_has_one() -> None:
    facts = {"role": "headline", "shade": "lighten", "opposite": "lighter"}
    assert RULES["contrast_small"].judge("a", 7.0, **facts).remedy == ""
    failed = RULES["contrast_small"].judge("a", 2.04, **facts)
    assert "2.0:1" in failed.reason
    assert "4.5:1" in failed.reason
    assert failed.remedy == "Move the headline to calmer ground, lighten the ground behind it or use lighter ink."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[x", "cannot be read"),
        ("[x]\ncriterion = 'x'\n", "lacks better, good, pass, remedy"),
        ("[x]\ncriterion='x'\nbetter='more'\ngood=1\npass='p'\nfail='f'\nremedy='r'\n", "must be high or low"),
        ("[x]\ncriterion='x'\nbetter='low'\ngood=1\npass='p'\nremedy='r'\n", "lacks the reason for REVIEW"),
        ("[x]\ncriterion='x'\nbetter='low'\ngood=1\npass='{p'\nfail='f'\nremedy='r'\n", "no template"),
        (
            "[x]\ncriterion='x'\nbetter='low'\ngood=1\npass='p'\nfail='f'\nremedy='r'\ncolour=1\n",
            "unknown keys: colour",
        ),
        (
            "[x]\ncriterion='x'\nbetter='low'\ngood=1\npass='p'\nfail='f'\nremedy='r'\naction='pray'\n",
            "action = 'pray'; it must be one of re-layout",
        ),
    ],
)
def test_a_broken_rule_table_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        load_rules(path)


def test_overall_is_the_worst() -> None:
    def verdict(grade: Grade) -> Verdict:
        return Verdict(asset_id="a", criterion="c", grade=grade, reason="r")

    assert overall([verdict(Grade.PASS), verdict(Grade.FAIL), verdict(Grade.REVIEW)]) is Grade.FAIL
    assert overall([verdict(Grade.PASS), verdict(Grade.REVIEW)]) is Grade.REVIEW
    assert overall([verdict(Grade.PASS)]) is Grade.PASS
    assert overall([]) is Grade.REVIEW


def test_reasons_are_ranked_by_gravity_and_then_in_the_order_of_mending() -> None:
    def verdict(criterion: str, grade: Grade, action: str) -> Verdict:
        return Verdict(asset_id="a", criterion=criterion, grade=grade, reason="r", action=action)

    given_in = [
        verdict("size", Grade.FAIL, Action.EXPORT),
        verdict("contrast", Grade.REVIEW, Action.RE_COLOUR),
        verdict("blank", Grade.PASS, ""),
        verdict("overlap", Grade.FAIL, Action.RE_LAYOUT),
        verdict("claim", Grade.REVIEW, ""),
        verdict("wording", Grade.FAIL, Action.RE_WORD),
    ]
    assert [one.criterion for one in ranked(given_in)] == ["wording", "overlap", "size", "contrast", "claim"]


def test_evidence_and_action_come_with_what_does_not_pass() -> None:
    box = Box(left=1, top=2, right=3, bottom=4)
    facts = {"role": "headline", "shade": "lighten", "opposite": "lighter", "boxes": [box], "colours": ["#ffffff"]}
    failed = RULES["contrast_small"].judge("a", 2.0, **facts)
    assert (failed.boxes, failed.colours, failed.action) == ((box,), ("#ffffff",), Action.RE_COLOUR)
    passed = RULES["contrast_small"].judge("a", 9.0, **facts)
    assert (passed.boxes, passed.colours, passed.action) == ((), (), "")
