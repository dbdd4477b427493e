"""Plans: which variants, how good, and the same every time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from generation.briefs import load_campaign
from generation.plan import design_quality, plan_table, plan_variants
from proofsheet.domain.asset import Variant, VariantPlan
from proofsheet.domain.campaign import Campaign, Factor, Level
from proofsheet.domain.identity import to_json
from proofsheet.domain.plain import from_json
from proofsheet.errors import InputError

Write = Callable[..., Path]


def with_levels(campaign: Campaign, most: int, **counts: int) -> Campaign:
    factors = tuple(
        Factor(name=factor.name, levels=tuple(Level(name=f"l{at}") for at in range(counts.get(factor.name, 1))))
        for factor in campaign.brief.factors
    )
    return replace(campaign, brief=replace(campaign.brief, factors=factors, max_variants=most))


@pytest.fixture
def campaign(write: Write) -> Campaign:
    return load_campaign(write())


def test_all_combinations_are_taken_when_they_fit(campaign: Campaign) -> None:
    plan = plan_variants(with_levels(campaign, 12, scene=3, headline=2, cta=2))
    assert plan.quality.kind == "full"
    assert plan.quality.runs == plan.quality.full_runs == len({variant.id for variant in plan.variants}) == 12
    assert plan.quality.d_efficiency == 1.0
    assert plan.quality.aliases == ()
    assert plan.quality.balance["scene"] == {"l0": 4, "l1": 4, "l2": 4}
    assert "style" not in plan.quality.balance


def test_a_fraction_is_balanced_and_says_what_is_aliased(campaign: Campaign) -> None:
    plan = plan_variants(with_levels(campaign, 4, scene=2, headline=2, cta=2))
    assert (plan.quality.kind, plan.quality.runs, plan.quality.rank, plan.quality.parameters) == ("fraction", 4, 4, 4)
    assert plan.quality.d_efficiency == pytest.approx(1.0)
    assert plan.quality.aliases == (
        ("cta", "scene × headline", 1.0),
        ("headline", "scene × cta", 1.0),
        ("scene", "headline × cta", 1.0),
    )


def test_too_few_variants_are_said_honestly(campaign: Campaign) -> None:
    quality = plan_variants(with_levels(campaign, 3, scene=3, headline=3, cta=2)).quality
    assert quality.rank == 3 < quality.parameters == 6
    assert quality.d_efficiency == 0.0
    assert any(" × " not in other for _, other, _ in quality.aliases)


def test_the_reference_variant_is_always_there(campaign: Campaign) -> None:
    for most in (1, 2, 5, 11):
        plan = plan_variants(with_levels(campaign, most, scene=3, style=2, headline=3, cta=2))
        assert all(level == "l0" for level in plan.variants[0].levels.values())
        assert len(plan.variants) == most


def test_the_same_brief_gives_the_same_plan_and_survives_json(campaign: Campaign) -> None:
    first, second = plan_variants(campaign), plan_variants(campaign)
    assert first == second
    assert from_json(VariantPlan, to_json(first)) == first
    other = replace(campaign, brief=replace(campaign.brief, seed=12))
    assert plan_variants(other).campaign_id != first.campaign_id


def test_one_variant_when_nothing_varies(campaign: Campaign) -> None:
    plan = plan_variants(with_levels(campaign, 12))
    assert (plan.quality.kind, plan.quality.runs, plan.quality.parameters) == ("full", 1, 1)
    assert plan_table(plan) == [{"variant": plan.variants[0].id, **plan.variants[0].levels}]


def test_the_table_shows_what_varies(campaign: Campaign) -> None:
    rows = plan_table(plan_variants(campaign))
    assert len(rows) == 6
    assert list(rows[0]) == ["variant", "scene", "headline", "locale"]
    assert rows[0]["scene"] == "arch"


def test_a_million_combinations_are_refused(campaign: Campaign) -> None:
    huge = with_levels(campaign, 12, scene=20, style=20, layout=6, headline=20, cta=20, audience=2)
    with pytest.raises(InputError, match=r"1,920,000 combinations \(scene 20, style 20"):
        plan_variants(huge)


def test_quality_refuses_levels_the_brief_does_not_have(campaign: Campaign) -> None:
    levels = {factor.name: factor.levels[0].name for factor in campaign.brief.factors}
    with pytest.raises(InputError, match="has scene 'gone'"):
        design_quality(campaign.brief.factors, [Variant(levels={**levels, "scene": "gone"})])


@pytest.mark.timeout(120)
def test_a_large_full_factorial_is_orthogonal_without_being_worked_out(campaign: Campaign) -> None:
    quality = plan_variants(with_levels(campaign, 5000, headline=2500, cta=2)).quality
    assert (quality.kind, quality.d_efficiency, quality.rank, quality.parameters) == ("full", 1.0, 2501, 2501)
    assert quality.aliases == ()


def test_too_many_levels_for_a_fraction_are_refused(campaign: Campaign) -> None:
    with pytest.raises(InputError, match=r"headline 400, cta 3\) to choose 12 variants"):
        plan_variants(with_levels(campaign, 12, headline=400, cta=3))
