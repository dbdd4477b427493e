"""What a brief may ask of its pictures together, and how it is told what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from generation.briefs import load_campaign
from generation.identity import campaign_id
from proofsheet.domain.campaign import Campaign
from proofsheet.domain.coverage import CoverageGoal
from proofsheet.domain.identity import canonical, content_id, to_json
from proofsheet.domain.plain import from_json
from proofsheet.errors import InputError

Write = Callable[..., Path]
AXES = {"age_group": ("child", "adult", "older", "unclear"), "season": ("summer", "winter", "unclear")}


def asked(write: Write, text: str) -> Path:
    """The brief with coverage asked for at its end."""
    path = write()
    path.write_text(path.read_text("utf-8") + text, "utf-8")
    return path


def test_goals_are_read(write: Write) -> None:
    text = (
        '[[coverage]]\naxis = "age_group"\ntargets = { child = 0.2, older = 0.3 }\ntolerance = 0.05\n'
        '[[coverage]]\naxis = "season"\n'
    )
    campaign = load_campaign(asked(write, text), axes=AXES)
    assert campaign.brief.coverage == (
        CoverageGoal(axis="age_group", targets={"child": 0.2, "older": 0.3}, tolerance=0.05),
        CoverageGoal(axis="season", targets={}, tolerance=0.10),
    )
    assert from_json(Campaign, to_json(campaign)) == campaign


def test_without_goals_nothing_changes(write: Write) -> None:
    path = write()
    campaign = load_campaign(path, axes=AXES)
    assert campaign.brief.coverage == ()
    content = canonical(campaign)
    assert content["brief"].pop("coverage") == []
    assert campaign.id == content_id(content), "ids of campaigns made before are kept"
    before = campaign_id(campaign)
    asked(write, '[[coverage]]\naxis = "season"\n')
    goal = load_campaign(path, axes=AXES)
    assert (goal.id != campaign.id, campaign_id(goal) != before) == (True, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('axis = "age_grop"', "coverage[1].axis: got 'age_grop', which is not an axis of coverage. Did you mean"),
        ("tolerance = 0.1", "coverage[1]: axis is missing"),
        ('axis = "age_group"\ntargets = { elder = 0.2 }', "targets.elder: this is no value of the axis. Did you mean"),
        ('axis = "age_group"\ntargets = { older = 20 }', "got 20, which is not between 0 and 1"),
        ('axis = "age_group"\ntargets = { older = "many" }', "got 'many', a text, where"),
        ('axis = "age_group"\ntargets = { child = 0.7, older = 0.6 }', "targets: the shares add up to 1.3, not to 1"),
        ('axis = "season"\ntargets = { summer = 0.3, winter = 0.3, unclear = 0.3 }', "add up to 0.9, not to 1"),
        ('axis = "season"\ntolerance = 0', "coverage[1].tolerance: got 0, which is not between 0.01 and 0.5"),
        ('axis = "season"\ntarget = 1', "coverage[1].target: this key is not known here. Did you mean 'targets'"),
        ('axis = "season"\n[[coverage]]\naxis = "season"', "coverage[2].axis: 'season' stands twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(write: Write, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_campaign(asked(write, f"[[coverage]]\n{text}\n"), axes=AXES)
    assert said in caught.value.message
    assert "line " in caught.value.message


def test_a_section_in_place_of_a_list_is_told(write: Write) -> None:
    with pytest.raises(InputError, match=r"Begin each with \[\[coverage\]\]"):
        load_campaign(asked(write, '[coverage]\naxis = "season"\n'), axes=AXES)
