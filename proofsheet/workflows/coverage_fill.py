"""Fills the gaps of a report of coverage: the variants it proposes join the campaign's plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from proofsheet.domain.asset import Variant, VariantPlan
from proofsheet.domain.coverage import CoverageReport
from proofsheet.domain.money import Money
from proofsheet.errors import NotFoundError, StateError
from proofsheet.workflows.house import House
from proofsheet.workflows.plan import COMPOSE_SECONDS, SCENE_SECONDS, recipes_of, require_fitting


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A plan that covers more: what joined it, and what making that is expected to cost."""

    campaign: str
    plan: VariantPlan
    added: tuple[Variant, ...]
    scenes: int
    assets: int
    estimate: Money


def fill(house: House, report: CoverageReport) -> Filled:
    """Plan the variants that a report proposes beside those planned; assets made before are kept.

    Raises:
        NotFoundError: the campaign has no plan.
        StateError: the report proposes nothing.
        InputError: the brief has changed since, or words do not fit.
    """
    from generation.backend import open_backend
    from generation.plan import design_quality

    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, report.campaign)
        plan = reader.plan(campaign.slug)
        before = reader.recipes(campaign.slug)
    if plan is None:
        raise NotFoundError(f"The campaign {campaign.slug!r} has no plan.", "Run: proofsheet plan <brief.toml>")
    known = {variant.id for variant in plan.variants}
    added = tuple({one.id: one for gap in report.gaps for one in gap.variants if one.id not in known}.values())
    if not added:
        raise StateError(
            "No gap can be filled by planning another variant of this brief.",
            "The report says of each gap what to do: proofsheet coverage",
        )
    variants = (*plan.variants, *added)
    larger = replace(plan, variants=variants, quality=design_quality(campaign.brief.factors, variants))
    pinned = {"revision": before[0].scene.revision} if plan.model and before and before[0].scene.revision else {}
    recipes = recipes_of(larger, campaign, open_backend(plan.backend, plan.model, **{**plan.options, **pinned}))
    require_fitting(house, campaign, recipes)
    with house.warehouse.write() as writer:
        writer.save_plan(larger)
        writer.save_recipes(campaign.slug, recipes)
    made = {recipe.id for recipe in before}
    drawn = {recipe.scene.id for recipe in before}
    new = [recipe for recipe in recipes if recipe.id not in made]
    scenes = len({recipe.scene.id for recipe in new} - drawn)
    seconds = scenes * SCENE_SECONDS + len(new) * COMPOSE_SECONDS
    estimate = Money(house.compute_cost(float(seconds)), house.settings.currency)
    return Filled(campaign=campaign.slug, plan=larger, added=added, scenes=scenes, assets=len(new), estimate=estimate)
