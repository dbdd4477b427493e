"""Nouns to keep: small, complete, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proofsheet.domain.asset import Asset, DesignQuality, Origin, Recipe, Scene, SceneRecipe, Variant, VariantPlan
from proofsheet.domain.campaign import BrandKit, Brief, Campaign, Factor, Level, PaletteColour, Product
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Metric, MetricKind, Role
from proofsheet.domain.facts import Delivery
from proofsheet.domain.identity import bytes_id
from proofsheet.domain.money import Money
from warehouse.records import ImportRecord
from warehouse.store import Warehouse

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "home", lease_timeout=10)


def make_campaign(slug: str = "norda", name: str = "Norda — Sommer ☀") -> Campaign:
    level = Level(name="one", texts={"en-US": "Wide awake", "de-DE": "Hellwach"}, params={"kind": "arch", "x": 0.5})
    brief = Brief(
        slug=slug,
        name=name,
        objective="conversions",
        product=Product(name="Norda", image=Path("product.png")),
        message="Cold brew",
        offer="",
        audience="commuters",
        placements=("feed", "story"),
        locales=("en-US",),
        factors=(Factor(name="scene", levels=(level,)),),
        budget=Money(Decimal("25.00"), "EUR"),
        start=date(2026, 6, 1),
    )
    brand = BrandKit(name="Norda", palette=(PaletteColour(name="Ink", hex="#102030"),), wordmark="NORDA")
    return Campaign(brief=brief, brand=brand)


def make_plan(campaign: Campaign, count: int = 3, seed: int = 1) -> VariantPlan:
    return VariantPlan(
        campaign=campaign.slug,
        campaign_id=campaign.id,
        variants=tuple(Variant(levels={"scene": f"s{number}"}) for number in range(count)),
        quality=DesignQuality(
            kind="full",
            runs=count,
            full_runs=count,
            d_efficiency=1.0,
            rank=1,
            parameters=1,
            aliases=(("a", "b", 0.25),),
            balance={"scene": {"s0": 1}},
        ),
        placements=campaign.brief.placements,
        backend="procedural",
        seed=seed,
    )


def make_recipe(variant: Variant, slug: str = "norda", placement: str = "feed", composer: str = "1") -> Recipe:
    scene = SceneRecipe(
        backend="procedural",
        model="",
        revision="1",
        prompt="arch",
        negative_prompt="",
        seed=7,
        steps=1,
        guidance=0.0,
        width=64,
        height=64,
        scene=variant.levels["scene"],
        style="plain",
        params={"kind": "arch", "stand_x": 0.5},
        palette=("#102030",),
    )
    return Recipe(
        campaign=slug,
        variant_id=variant.id,
        levels=variant.levels,
        scene=scene,
        placement=placement,
        layout="column",
        locale="en-US",
        headline="Wide awake",
        cta="Try it",
        product_sha256="0" * 64,
        brand_id="b",
        composer=composer,
    )


def make_scene(recipe: Recipe) -> Scene:
    return Scene(
        recipe=recipe.scene,
        sha256=bytes_id(recipe.scene.id.encode()),
        seconds=1.5,
        cost=Decimal("0.000167"),
        currency="EUR",
        drawn_at=NOON,
    )


def make_asset(recipe: Recipe, /, **changes: Any) -> Asset:
    values: dict[str, Any] = {
        "id": recipe.id,
        "campaign": recipe.campaign,
        "variant_id": recipe.variant_id,
        "placement": recipe.placement,
        "levels": recipe.levels,
        "locale": recipe.locale,
        "width": 64,
        "height": 64,
        "sha256": bytes_id(recipe.id.encode()),
        "media_type": "image/png",
        "origin": Origin.GENERATED,
        "scene_id": recipe.scene.id,
        "recipe": recipe,
        "composition": None,
        "label": "",
        "ai_made": False,
        "seconds": 0.25,
        "created_at": NOON,
    }
    return Asset(**(values | changes))


CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
COST_PER_CLICK = Metric(
    name="cost_per_click", kind=MetricKind.RATIO, numerator="spend", denominator="clicks", role=Role.SECONDARY
)


def make_experiment(**changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "id": "norda-1",
        "campaign": "norda",
        "name": "Norda",
        "hypothesis": "B is better",
        "unit": "impression",
        "arms": (
            Arm(name="A", variant_id="aaaaaaaa", asset_ids=("1",), is_control=True),
            Arm(name="B", variant_id="bbbbbbbb", asset_ids=("2",)),
        ),
        "metrics": (CTR,),
        "design": None,
        "status": ExperimentStatus.DRAFT,
        "created_at": NOON,
    }
    return Experiment(**(values | changes))


def make_delivery(**changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "platform": "meta",
        "account": "acc",
        "campaign": "Summer",
        "ad_group": "set 1",
        "ad": "norda_aaaaaaaa",
        "ad_id": "100",
        "day": date(2026, 6, 1),
        "day_end": None,
        "placement": "feed",
        "segment": "",
        "impressions": 1000,
        "clicks": 10,
        "link_clicks": None,
        "conversions": Decimal("2"),
        "conversion_value": None,
        "spend": Decimal("3.10"),
        "currency": "EUR",
        "asset_key": "aaaaaaaa",
        "line": 2,
    }
    return Delivery(**(values | changes))


@pytest.fixture
def nouns() -> SimpleNamespace:
    """The makers above, for tests that cannot import this file."""
    return SimpleNamespace(
        campaign=make_campaign,
        plan=make_plan,
        recipe=make_recipe,
        scene=make_scene,
        asset=make_asset,
        experiment=make_experiment,
        delivery=make_delivery,
        record=make_record,
        ctr=CTR,
        cost_per_click=COST_PER_CLICK,
        noon=NOON,
    )


@pytest.fixture
def raw_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / f"{bytes_id(text.encode())[:8]}.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def make_record(raw: Path, **changes: Any) -> ImportRecord:
    data = raw.read_bytes()
    values: dict[str, Any] = {
        "id": bytes_id(data)[:16],
        "file_name": raw.name,
        "sha256": bytes_id(data),
        "bytes": len(data),
        "layout": "meta",
        "platform": "meta",
        "campaign": None,
        "rows_in": 1,
        "loaded": 1,
        "set_aside": 0,
        "flagged": 0,
        "first_day": date(2026, 6, 1),
        "last_day": date(2026, 6, 1),
        "currency": "EUR",
        "kind": "delivery",
        "totals": {"impressions": "1000"},
        "imported_at": NOON,
    }
    return ImportRecord(**(values | changes))
