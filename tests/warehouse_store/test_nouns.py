"""Every noun comes back as it went in, and the latest is the latest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from proofsheet.domain.assessment import Grade, Judgement, Review, Score, Verdict
from proofsheet.domain.asset import CostEntry, Origin
from proofsheet.domain.experiment import Arm, ExperimentStatus
from proofsheet.domain.result import Analysis, Call, Decision, HealthCheck
from proofsheet.errors import InputError, NotFoundError, StateError
from warehouse.store import Warehouse


def fill(warehouse: Warehouse, nouns: SimpleNamespace) -> SimpleNamespace:
    """A campaign with a plan, its recipes, scenes and assets."""
    campaign = nouns.campaign()
    plan = nouns.plan(campaign)
    recipes = tuple(nouns.recipe(variant) for variant in plan.variants)
    assets = tuple(nouns.asset(recipe) for recipe in recipes)
    with warehouse.write() as writer:
        writer.save_campaign(campaign)
        writer.save_plan(plan)
        writer.save_recipes(campaign.slug, recipes)
        for recipe in recipes:
            writer.save_scene(nouns.scene(recipe), campaign.slug)
        writer.save_assets(assets)
    return SimpleNamespace(campaign=campaign, plan=plan, recipes=recipes, assets=assets)


def test_an_absent_warehouse_reads_as_empty_and_is_not_made(warehouse: Warehouse) -> None:
    assert not warehouse.exists()
    with warehouse.read() as reader:
        assert reader.campaigns() == ()
        assert reader.plan("x") is None
        assert reader.experiments() == ()
        assert reader.imports() == ()
        with pytest.raises(NotFoundError, match="no campaign 'x'"):
            reader.campaign("x")
    assert not warehouse.home.exists()


def test_nouns_come_back_equal(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    kept = fill(warehouse, nouns)
    with warehouse.read() as reader:
        assert reader.campaigns() == (kept.campaign,)
        assert reader.campaign("norda") == kept.campaign
        assert reader.plan("norda") == kept.plan
        assert reader.recipes("norda") == kept.recipes
        assert reader.assets("norda") == kept.assets
        assert reader.scenes("norda") == {recipe.scene.id: nouns.scene(recipe) for recipe in kept.recipes}
        assert reader.scene(kept.recipes[0].scene.id) == nouns.scene(kept.recipes[0])
        assert reader.scene("nothing") is None


def test_saving_again_makes_an_earlier_version_the_latest(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    first, second = nouns.campaign(), nouns.campaign(name="Renamed")
    for campaign in (first, second, first):
        with warehouse.write() as writer:
            writer.save_campaign(campaign)
            writer.save_plan(nouns.plan(campaign, seed=2 if campaign is second else 1))
    with warehouse.read() as reader:
        assert reader.campaigns() == (first,)
        assert reader.plan("norda") == nouns.plan(first)


def test_current_assets_are_those_the_latest_plan_asks_for_and_uploads(
    warehouse: Warehouse, nouns: SimpleNamespace
) -> None:
    kept = fill(warehouse, nouns)
    upload = nouns.asset(
        kept.recipes[0], id="upload1", origin=Origin.UPLOADED, variant_id="eeeeeeee", recipe=None, scene_id=None
    )
    smaller = nouns.plan(kept.campaign, count=2, seed=2)
    recipes = [nouns.recipe(kept.plan.variants[1]), nouns.recipe(kept.plan.variants[0], composer="2")]
    with warehouse.write() as writer:
        writer.save_assets([upload])
        writer.save_plan(smaller)
        writer.save_recipes("norda", recipes)
    with warehouse.read() as reader:
        # The first variant's asset is by an old composer: its recipe is missing now, so that it is made anew.
        assert [asset.id for asset in reader.assets("norda")] == [kept.assets[1].id, "upload1"]
        every = reader.assets("norda", current_only=False)
        assert {asset.id for asset in every} == {asset.id for asset in kept.assets} | {"upload1"}
        assert {recipe.id for recipe in reader.recipes("norda")} - {asset.id for asset in every} == {recipes[1].id}


def test_without_recipes_the_plan_s_variants_are_current(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    campaign = nouns.campaign()
    plan = nouns.plan(campaign, count=2)
    assets = [nouns.asset(nouns.recipe(variant)) for variant in nouns.plan(campaign, count=3).variants]
    with warehouse.write() as writer:
        writer.save_campaign(campaign)
        writer.save_plan(plan)
        writer.save_assets(assets)
        assert writer.assets("norda") == tuple(assets[:2])


def test_a_scene_is_shared_by_campaigns_with_the_same_recipe(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    kept = fill(warehouse, nouns)
    other = nouns.campaign("other")
    plan = nouns.plan(other)
    with warehouse.write() as writer:
        writer.save_campaign(other)
        writer.save_plan(plan)
        writer.save_recipes("other", [nouns.recipe(plan.variants[0], slug="other")])
        assert list(writer.scenes("other")) == [kept.recipes[0].scene.id]


def test_an_asset_is_found_by_a_prefix_that_fits_only_one(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    kept = fill(warehouse, nouns)
    twins = [nouns.asset(kept.recipes[0], id=name) for name in ("zz1", "zz1a", "zz2")]
    with warehouse.write() as writer:
        writer.save_assets(twins)
        assert writer.asset("zz2").id == "zz2"
        assert writer.asset("zz1").id == "zz1"
        with pytest.raises(InputError, match="several assets: zz1, zz1a, zz2"):
            writer.asset("zz")
        for nothing in ("nope", "", "%", "_"):
            with pytest.raises(NotFoundError):
                writer.asset(nothing)


def test_a_new_assessment_takes_the_place_of_the_old_by_criterion(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    kept = fill(warehouse, nouns)
    one, two = kept.assets[0].id, kept.assets[1].id

    def score(asset: str, criterion: str, value: float | None, scorer: str = "palette 1") -> Score:
        return Score(asset_id=asset, criterion=criterion, value=value, unit="dE", scorer=scorer)

    def verdict(asset: str, criterion: str, grade: Grade) -> Verdict:
        return Verdict(asset_id=asset, criterion=criterion, grade=grade, reason="because")

    with warehouse.write() as writer:
        writer.save_assessment(
            [score(one, "palette", 1.0), score(one, "contrast", 4.5), score(two, "palette", None)],
            [verdict(one, "palette", Grade.FAIL), verdict(two, "palette", Grade.PASS)],
        )
        writer.save_assessment([score(one, "palette", 2.0, "palette 2")], [verdict(one, "palette", Grade.PASS)])
    with warehouse.read() as reader:
        assert reader.scores("norda") == (
            score(one, "contrast", 4.5),
            score(two, "palette", None),
            score(one, "palette", 2.0, "palette 2"),
        )
        assert {(v.asset_id, v.grade) for v in reader.verdicts("norda")} == {(one, Grade.PASS), (two, Grade.PASS)}


def test_reviews_are_kept_and_the_latest_counts(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    kept = fill(warehouse, nouns)
    one = kept.assets[0].id
    earlier = Review(asset_id=one, judgement=Judgement.APPROVE, reason="", reviewer="ann", at=nouns.noon)
    # The clock of the second reviewer is behind: the order of saving decides.
    later = Review(
        asset_id=one, judgement=Judgement.REJECT, reason="dull", reviewer="bob", at=nouns.noon - timedelta(days=1)
    )
    with warehouse.write() as writer:
        writer.add_review(earlier)
        writer.add_review(later)
        with pytest.raises(NotFoundError):
            writer.add_review(replace(earlier, asset_id="nothing"))
    with warehouse.read() as reader:
        assert reader.reviews("norda") == (earlier, later)
        assert reader.latest_reviews("norda") == {one: later}


def test_the_ledger_books_a_key_once_and_is_exact(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    def entry(key: str, amount: str) -> CostEntry:
        return CostEntry(
            key=key,
            campaign="norda",
            what="scene",
            quantity=Decimal("1.125"),
            unit="second",
            unit_price=Decimal("0.00011111"),
            amount=Decimal(amount),
            currency="EUR",
            at=datetime(2026, 6, 1, 14, tzinfo=UTC),
        )

    tiny = "0.000000000000000000123"
    with warehouse.write() as writer:
        assert writer.add_costs([entry("a", "0.1"), entry("b", tiny), entry("a", "9")]) == 2
    with warehouse.write() as writer:
        assert writer.add_costs([entry("b", "1"), entry("c", "0.2")]) == 1
    with warehouse.read() as reader:
        assert reader.ledger("norda") == (entry("a", "0.1"), entry("b", tiny), entry("c", "0.2"))
        assert reader.ledger("other") == ()
        assert reader.cost_entry("b") == entry("b", tiny)
        assert reader.cost_entry("z") is None
        assert len(reader.ledger()) == 3


def test_a_running_experiment_is_frozen_but_for_status_and_times(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    draft = nouns.experiment()
    with warehouse.write() as writer:
        writer.save_experiment(draft)
        writer.save_experiment(replace(draft, name="better name"))
        running = replace(draft, status=ExperimentStatus.RUNNING, started_at=nouns.noon)
        writer.save_experiment(running)
        writer.save_experiment(running)
        with pytest.raises(StateError, match="frozen"):
            writer.save_experiment(replace(running, metrics=(nouns.cost_per_click,)))
        with pytest.raises(StateError, match="frozen"):
            writer.save_experiment(replace(running, arms=(*running.arms, Arm(name="C", variant_id="c", asset_ids=()))))
        with pytest.raises(StateError, match="cannot become DRAFT"):
            writer.save_experiment(replace(running, status=ExperimentStatus.DRAFT))
        decided = replace(running, status=ExperimentStatus.DECIDED, ended_at=nouns.noon)
        writer.save_experiment(decided)
        with pytest.raises(StateError):
            writer.save_experiment(running)
    with warehouse.read() as reader:
        assert reader.experiments("norda") == (decided,)
        assert reader.experiments("other") == ()
        assert reader.experiment("norda-1") == decided
        with pytest.raises(NotFoundError, match="Known: norda-1"):
            reader.experiment("norda-2")


def test_analyses_and_decisions_are_added(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    def analysis(day: int, version: str) -> Analysis:
        return Analysis(
            experiment="norda-1",
            at=nouns.noon + timedelta(days=day),
            source="platform report",
            health=(HealthCheck(name="both_arms", ok=None, message="–"),),
            results=(),
            data_version=version,
        )

    decision = Decision(
        experiment="norda-1",
        call=Call.SHIP,
        arm="B",
        rule="interval",
        reasons=("clear",),
        decided_by="ann",
        at=nouns.noon,
    )
    with warehouse.write() as writer:
        writer.save_experiment(nouns.experiment())
        for day, version in ((0, "v1"), (1, "v1"), (2, "v2")):
            writer.save_analysis(analysis(day, version))
        writer.add_decision(decision)
        with pytest.raises(NotFoundError):
            writer.add_decision(replace(decision, experiment="nothing"))
    with warehouse.read() as reader:
        assert reader.analyses("norda-1") == (analysis(0, "v1"), analysis(2, "v2"))
        assert reader.analysis("norda-1") == analysis(2, "v2")
        assert reader.analysis("nothing") is None
        assert reader.decisions("norda-1") == (decision,)


def test_recipes_need_a_plan_of_the_same_campaign(warehouse: Warehouse, nouns: SimpleNamespace) -> None:
    kept = fill(warehouse, nouns)
    with warehouse.write() as writer:
        with pytest.raises(StateError, match="no plan"):
            writer.save_recipes("other", kept.recipes)
        with pytest.raises(StateError, match="do not belong"):
            writer.save_recipes("norda", [replace(kept.recipes[0], campaign="other")])
        with pytest.raises(NotFoundError):
            writer.save_plan(replace(kept.plan, campaign="other"))
