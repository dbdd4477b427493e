"""A small campaign by hand: plan, pictures, costs, verdicts, and nobody has reviewed it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from PIL import Image, ImageDraw

from proofsheet.domain.assessment import Grade, Score, Verdict
from proofsheet.domain.asset import (
    Asset,
    Box,
    Composition,
    CostEntry,
    DesignQuality,
    Origin,
    Recipe,
    SceneRecipe,
    TextRun,
    Variant,
    VariantPlan,
)
from proofsheet.domain.campaign import FACTORS, BrandKit, Brief, Campaign, Factor, Level, PaletteColour, Product
from proofsheet.domain.identity import content_id
from proofsheet.domain.money import Money
from warehouse.store import Warehouse

START = datetime(2026, 6, 1, tzinfo=UTC)
SLUG = "tea"
SIZES = {"meta_feed_portrait": (216, 270), "meta_story": (216, 384)}


def png(size: tuple[int, int], colour: tuple[int, int, int], word: str) -> bytes:
    """A small picture with a word on it."""
    picture = Image.new("RGB", size, colour)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((size[0] * 0.35, size[1] * 0.45, size[0] * 0.65, size[1] * 0.9), fill=(240, 236, 220))
    pen.text((14, 20), word, fill=(255, 255, 255))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def make_campaign(folder: Path, slug: str = SLUG) -> Campaign:
    """Two scenes by two headlines, two placements."""
    picture = folder / "product.png"
    picture.write_bytes(png((120, 200), (200, 120, 40), "tea"))
    varied = {
        "scene": (Level(name="arch", prompt="an arch"), Level(name="table", prompt="a table")),
        "headline": (
            Level(name="slow", texts={"en-US": "Slow brewed."}),
            Level(name="bright", texts={"en-US": "Wide awake."}),
        ),
    }
    factors = tuple(Factor(name=name, levels=varied.get(name, (Level(name="one"),))) for name in FACTORS)
    brief = Brief(
        slug=slug,
        name="Tea in summer",
        objective="conversions",
        product=Product(name="Cold tea", image=picture),
        message="Cold brewed tea with *nothing* added",
        offer="Two for one",
        audience="commuters",
        placements=tuple(SIZES),
        locales=("en-US",),
        factors=factors,
        must=("product in front",),
        budget=Money(Decimal(25), "EUR"),
        media_budget=Money(Decimal(900), "EUR"),
        daily_impressions=9000,
        baseline_rate=0.012,
        minimum_lift=0.2,
    )
    palette = (
        PaletteColour(name="Leaf", hex="#2f6b4f", role="primary"),
        PaletteColour(name="Paper", hex="#f6f1e4", role="paper"),
    )
    return Campaign(brief=brief, brand=BrandKit(name="Leaf & Co", palette=palette, wordmark="LEAF"))


def variants() -> tuple[Variant, ...]:
    """The full factorial of the two varied factors."""
    rest = dict.fromkeys(FACTORS, "one")
    return tuple(
        Variant(levels=rest | {"scene": scene, "headline": headline, "locale": "en-US"})
        for scene in ("arch", "table")
        for headline in ("slow", "bright")
    )


def make_recipe(campaign: Campaign, variant: Variant, placement: str) -> Recipe:
    """A recipe as the planner would write it."""
    scene = SceneRecipe(
        backend="procedural",
        model="",
        revision="1",
        prompt=f"{variant.levels['scene']}, morning light",
        negative_prompt="people",
        seed=7,
        steps=0,
        guidance=0.0,
        width=216,
        height=270,
        scene=variant.levels["scene"],
        style="one",
    )
    return Recipe(
        campaign=campaign.slug,
        variant_id=variant.id,
        levels=variant.levels,
        scene=scene,
        placement=placement,
        layout="column",
        locale="en-US",
        headline="Slow brewed.",
        cta="Try it",
        product_sha256="0" * 64,
        brand_id="brand",
        composer="1",
    )


def make_asset(store: Warehouse, recipe: Recipe, number: int) -> Asset:
    """An asset with its picture in the warehouse."""
    width, height = SIZES[recipe.placement]
    data = png((width, height), (40 + 40 * number % 180, 70, 140 - 12 * number), recipe.variant_id)
    text = TextRun(
        role="headline",
        text=recipe.headline,
        lines=(recipe.headline,),
        box=Box(left=14, top=16, right=150, bottom=40),
        size=14,
        ink="#ffffff",
        font="manrope",
    )
    composition = Composition(
        width=width,
        height=height,
        product=Box(left=75, top=120, right=140, bottom=240),
        logo=Box(left=14, top=height - 30, right=60, bottom=height - 12),
        button=None,
        texts=(text,),
        safe=Box(left=0, top=10, right=width, bottom=height - 10),
    )
    return Asset(
        id=recipe.id,
        campaign=recipe.campaign,
        variant_id=recipe.variant_id,
        placement=recipe.placement,
        levels=recipe.levels,
        locale="en-US",
        width=width,
        height=height,
        sha256=store.pictures.put(data),
        media_type="image/png",
        origin=Origin.GENERATED,
        scene_id=recipe.scene.id,
        recipe=recipe,
        composition=composition,
        label="",
        ai_made=False,
        seconds=0.5,
        created_at=START + timedelta(minutes=number),
    )


def make_upload(store: Warehouse, slug: str) -> Asset:
    """The human-made baseline."""
    return Asset(
        id=content_id([slug, "baseline"]),
        campaign=slug,
        variant_id=content_id({"upload": "baseline"}, length=8),
        placement="meta_feed_portrait",
        levels={},
        locale="en-US",
        width=216,
        height=270,
        sha256=store.pictures.put(png((216, 270), (120, 120, 120), "baseline")),
        media_type="image/png",
        origin=Origin.UPLOADED,
        scene_id=None,
        recipe=None,
        composition=None,
        label="baseline",
        ai_made=False,
        seconds=0.0,
        created_at=START,
    )


def entry(slug: str, what: str, identity: str, amount: str, **more: object) -> CostEntry:
    """A ledger line: one second of work for the amount given."""
    return CostEntry(
        key=f"{what}:{identity}",
        campaign=slug,
        what=what,
        quantity=Decimal(1),
        unit="second",
        unit_price=Decimal(amount),
        amount=Decimal(amount),
        currency="EUR",
        source="by hand",
        at=START,
        **more,  # type: ignore[arg-type]
    )


def fill_campaign(store: Warehouse, folder: Path, slug: str = SLUG) -> tuple[Asset, ...]:
    """Campaign, plan, assets, costs and verdicts: three of the nine fail or want a look, none is reviewed."""
    campaign = make_campaign(folder, slug)
    quality = DesignQuality(
        kind="full",
        runs=4,
        full_runs=4,
        d_efficiency=1.0,
        rank=3,
        parameters=3,
        balance={"scene": {"arch": 2, "table": 2}, "headline": {"slow": 2, "bright": 2}},
    )
    plan = VariantPlan(
        campaign=slug,
        campaign_id=campaign.id,
        variants=variants(),
        quality=quality,
        placements=tuple(SIZES),
        backend="procedural",
    )
    recipes = [make_recipe(campaign, variant, placement) for variant in plan.variants for placement in SIZES]
    assets = [make_asset(store, recipe, number) for number, recipe in enumerate(recipes)]
    assets.append(make_upload(store, slug))
    costs = [entry(slug, "compose", a.id, "0.01", asset_id=a.id) for a in assets]
    costs += [entry(slug, "scene", s, "0.20", scene_id=s) for s in sorted({a.scene_id for a in assets if a.scene_id})]
    grades = {1: Grade.REVIEW, 2: Grade.FAIL, 5: Grade.REVIEW}
    verdicts = [
        Verdict(
            asset_id=asset.id,
            criterion="contrast",
            grade=grades.get(number, Grade.PASS),
            reason=f"The headline has a contrast of {3 + number / 10:.1f}.",
            remedy="Choose a darker ink.",
        )
        for number, asset in enumerate(assets)
    ]
    scores = [Score(asset_id=a.id, criterion="contrast", value=3.5, unit="ratio", scorer="contrast/1") for a in assets]
    with store.write() as writer:
        writer.save_campaign(campaign)
        writer.save_plan(plan)
        writer.save_recipes(slug, recipes)
        writer.save_assets(assets)
        writer.add_costs(costs)
        writer.save_assessment(scores, verdicts)
    return tuple(assets)
