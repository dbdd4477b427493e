"""Combinations of a plan that nothing serves, and what is proposed for values that are shown too rarely."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from proofsheet.domain.asset import Variant
from proofsheet.domain.campaign import FACTORS, Brief, Factor, Level, Product
from proofsheet.domain.coverage import AxisCoverage, CoverageGoal
from scoring.coverage.axes import load_axes
from scoring.coverage.confusion import Confused
from scoring.coverage.report import cover_axis
from scoring.coverage.scenarios import asked_of, cells_of, scenario_factors, scenario_gaps, share_gaps

AGES = load_axes()["age_group"]
EXAMPLE = 'prompt = "… {} …"'


def brief_of(**varied: tuple[Level, ...]) -> Brief:
    """A brief that varies these factors."""
    return Brief(
        slug="tea",
        name="Tea",
        objective="clicks",
        product=Product(name="Tea", image=Path("tea.png")),
        message="",
        offer="",
        audience="",
        placements=("square",),
        locales=("en-US",),
        factors=tuple(Factor(name=name, levels=varied.get(name, (Level(name="one"),))) for name in FACTORS),
    )


OLD, YOUNG = Level(name="old", prompt="an elderly woman"), Level(name="young", prompt="a child")
ARCH, SAND = Level(name="arch", prompt="an arch"), Level(name="sand", prompt="sand")
BOTH = brief_of(audience=(YOUNG, OLD), scene=(ARCH, SAND))


def variant_of(brief: Brief, **levels: str) -> Variant:
    return Variant(levels={factor.name: factor.levels[0].name for factor in brief.factors} | levels)


def young_only(count: int = 60) -> AxisCoverage:
    """A report of pictures that all show children, where half should show older adults."""
    goal = CoverageGoal(axis="age_group", targets={"older": 0.5})
    sure = Confused(AGES.names, 1_000 * np.eye(4))
    places = np.zeros(count, dtype=np.intp)
    return cover_axis(AGES, places, known=AGES.names[:3], confused=sure, goal=goal)


def test_a_scenario_is_what_the_brief_varies_of_it() -> None:
    assert scenario_factors(BOTH) == ("audience", "scene")
    words = brief_of(headline=(Level(name="a"), Level(name="b")))
    assert scenario_factors(words) == ()
    assert cells_of(words, (), (), set(), {}) == ()


def test_cells_that_nothing_serves_are_told_by_kind() -> None:
    planned = [variant_of(BOTH), variant_of(BOTH, scene="sand")]
    cells = cells_of(BOTH, planned, (), set(), {})
    outside, unmade = scenario_gaps(BOTH, cells)
    assert outside.what == "2 combinations (old × arch, old × sand) are not in the plan."
    assert [one.levels["audience"] for one in outside.variants] == ["old", "old"]
    assert unmade.what == "2 combinations (young × arch, young × sand) are planned and not made yet."
    assert not unmade.variants


def test_variants_are_proposed_that_ask_for_what_is_rare() -> None:
    planned = [variant_of(BOTH, audience="old")]
    (gap,) = share_gaps(AGES, young_only(), BOTH, planned, EXAMPLE)
    assert "older adult is shown by 0% of pictures, 50% are asked for" in gap.what
    assert gap.remedy == "About 60 more pictures of it are needed."
    assert [(one.levels["audience"], one.levels["scene"]) for one in gap.variants] == [("old", "sand")]


@pytest.mark.parametrize(
    ("audience", "said"),
    [((YOUNG, OLD), "every combination that asks for it is planned"), ((YOUNG,), 'prompt = "… older …"')],
)
def test_where_no_variant_helps_words_do(audience: tuple[Level, ...], said: str) -> None:
    brief = brief_of(audience=audience)
    planned = [variant_of(brief, audience=level.name) for level in audience]
    (gap,) = share_gaps(AGES, young_only(), brief, planned, EXAMPLE)
    assert said in gap.remedy
    assert not gap.variants


def test_what_is_not_shown_to_be_rare_is_no_gap() -> None:
    assert share_gaps(AGES, young_only(2), BOTH, (), EXAMPLE) == ()


def test_requested_against_perceived_leaves_out_what_nobody_asked() -> None:
    requested, perceived = ["older", "child", "unclear", "older"], ["child", "child", "adult", "unclear"]
    found = [(one.requested, one.perceived, one.count) for one in asked_of(AGES, requested, perceived)]
    assert found == [("child", "child", 1), ("older", "child", 1), ("older", "unclear", 1)]
