"""A real warehouse with a small campaign, filled with nouns by hand: no other room is needed to look at the pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from dashboard.server import SCRIPT
from proofsheet.domain.assessment import Grade, Judgement, Review, Score, Verdict
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
from proofsheet.domain.campaign import (
    FACTORS,
    BrandKit,
    Brief,
    Campaign,
    Factor,
    Level,
    PaletteColour,
    Product,
)
from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus, Metric, MetricKind, Role, TestDesign
from proofsheet.domain.facts import Delivery, Reject
from proofsheet.domain.identity import bytes_id, content_id
from proofsheet.domain.money import Money
from proofsheet.domain.result import Analysis, ArmCost, Evidence, HealthCheck, Result, Status
from warehouse.records import ImportRecord
from warehouse.store import Warehouse

START = datetime(2026, 6, 1, tzinfo=UTC)
SLUG = "tea"
SIZES = {"meta_feed_portrait": (216, 270), "meta_story": (216, 384)}
CTR = Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")
COST_PER_CLICK = Metric(
    name="cost_per_click",
    kind=MetricKind.RATIO,
    numerator="spend",
    denominator="clicks",
    higher_is_better=False,
    role=Role.GUARDRAIL,
    margin=0.25,
)


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


def approve(store: Warehouse, assets: tuple[Asset, ...]) -> None:
    """Mia approves them."""
    with store.write() as writer:
        for asset in assets:
            writer.add_review(
                Review(asset_id=asset.id, judgement=Judgement.APPROVE, reason="", reviewer="mia", at=START)
            )


def make_experiment(assets: tuple[Asset, ...], status: ExperimentStatus = ExperimentStatus.DRAFT) -> Experiment:
    """The baseline against two variants."""
    ids = dict.fromkeys(a.variant_id for a in assets if a.origin is Origin.GENERATED)
    arms = [
        Arm(
            name=variant_id,
            variant_id=variant_id,
            asset_ids=tuple(a.id for a in assets if a.variant_id == variant_id),
            levels=next(a.levels for a in assets if a.variant_id == variant_id),
        )
        for variant_id in list(ids)[:2]
    ]
    upload = next(a for a in assets if a.origin is Origin.UPLOADED)
    control = Arm(name="baseline", variant_id=upload.variant_id, asset_ids=(upload.id,), is_control=True)
    return Experiment(
        id="tea-1",
        campaign=assets[0].campaign,
        name="Tea: 2 variants against baseline",
        hypothesis="A variant lifts the click-through rate.",
        unit="impression",
        arms=(control, *arms),
        metrics=(CTR, COST_PER_CLICK),
        design=TestDesign(
            baseline=0.012,
            minimum_lift=0.2,
            alpha=0.05,
            power=0.8,
            comparisons=2,
            n_per_arm=40_000,
            arms=3,
            daily_units=9000,
            days=14,
            spend=Decimal(900),
            currency="EUR",
        ),
        status=status,
        created_at=START,
        started_at=START if status is not ExperimentStatus.DRAFT else None,
        ended_at=START + timedelta(days=13) if status is ExperimentStatus.ENDED else None,
    )


def make_result(arm: str, n: int, lift: float, half: float, **more: object) -> Result:
    """A result of the shape the analysis gives."""
    base = Result(
        experiment="tea-1",
        metric="ctr",
        kind="proportion",
        role="primary",
        arm=arm,
        control="baseline",
        n_arm=n,
        n_control=n,
        value_arm=0.012 * (1 + lift),
        value_control=0.012,
        effect=0.012 * lift,
        effect_low=0.012 * (lift - half),
        effect_high=0.012 * (lift + half),
        lift=lift,
        lift_low=lift - half,
        lift_high=lift + half,
        p_value=0.001,
        adjusted_p=0.002,
        adjusted_lift_low=lift - 1.2 * half,
        adjusted_lift_high=lift + 1.2 * half,
        chance_to_win=0.995,
        confidence=0.95,
        method="by hand",
        correction="holm",
        status=Status.OK,
        evidence=Evidence.B,
        sum_x_arm=0.012 * (1 + lift) * n,
        sum_x_control=0.012 * n,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def make_analysis(experiment: Experiment, n: int) -> Analysis:
    """The first variant is 25 per cent up, the second shown neither way; one guardrail row each."""
    first, second = (arm.name for arm in experiment.arms[1:])
    guard = {
        "metric": "cost_per_click",
        "kind": "ratio",
        "role": "guardrail",
        "higher_is_better": False,
        "adjusted_lift_low": None,
        "adjusted_lift_high": None,
        "correction": "none",
    }
    costs = tuple(
        ArmCost(
            arm=arm.name,
            assets=1,
            approved=1,
            production=Decimal("0.4"),
            spend=Decimal(300),
            currency="EUR",
            impressions=n,
            clicks=600,
            conversions=Decimal(30),
            per_asset=Decimal("0.4"),
            per_approved_asset=Decimal("0.4"),
            per_click=Decimal("0.5"),
            per_conversion=Decimal(10),
        )
        for arm in experiment.arms
    )
    return Analysis(
        experiment=experiment.id,
        at=START + timedelta(days=14),
        source="platform report",
        health=(
            HealthCheck(name="sample_ratio", ok=True, message="The split is as planned.", p_value=0.4),
            HealthCheck(name="late_days", ok=None, message="The report has no late days.", severity="info"),
        ),
        results=(
            make_result(first, n, 0.25, 0.1),
            make_result(second, n, 0.02, 0.09),
            make_result(first, n, -0.2, 0.05, **guard),
            make_result(second, n, 0.2, 0.4, **guard),
        ),
        costs=costs,
        window_start="2026-06-01",
        window_end="2026-06-14",
        data_version=f"{experiment.id}:{n}",
    )


def deliveries(experiment: Experiment, days: int) -> list[Delivery]:
    """A report of the experiment: one row an arm and a day."""
    rows = []
    for number, arm in enumerate(experiment.arms):
        for day in range(days):
            rows.append(
                Delivery(
                    platform="meta",
                    account="",
                    campaign=experiment.campaign,
                    ad_group="",
                    ad=f"tea_{arm.variant_id}",
                    ad_id=str(number),
                    day=date(2026, 6, 1) + timedelta(days=day),
                    day_end=None,
                    placement="feed",
                    segment="",
                    impressions=3000,
                    clicks=36 + 4 * number,
                    link_clicks=None,
                    conversions=Decimal(2),
                    conversion_value=None,
                    spend=Decimal("21.5"),
                    currency="EUR",
                    asset_key=arm.variant_id,
                    line=2 + len(rows),
                )
            )
    return rows


def fill_report(store: Warehouse, folder: Path, experiment: Experiment, days: int = 10) -> ImportRecord:
    """Save a report by hand, with one row set aside."""
    raw = folder / "report.csv"
    raw.write_text("by hand\n", encoding="utf-8")
    rows = deliveries(experiment, days)
    sha256 = bytes_id(raw.read_bytes())
    record = ImportRecord(
        id=sha256[:16],
        file_name="report.csv",
        sha256=sha256,
        bytes=raw.stat().st_size,
        layout="meta",
        platform="meta",
        campaign=experiment.campaign,
        rows_in=len(rows) + 1,
        loaded=len(rows),
        set_aside=1,
        flagged=0,
        first_day=date(2026, 6, 1),
        last_day=date(2026, 6, days),
        currency="EUR",
        kind="delivery",
        totals={"clicks": "1200", "spend": "645.00"},
        imported_at=START + timedelta(days=days),
    )
    reject = Reject(line=99, column="Day", value="soon", reason="not a day", raw="…,soon,…")
    with store.write() as writer:
        writer.save_import(record, raw=raw, rejects=[reject], deliveries=rows)
    return record


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a warehouse that nobody has written to, told to the settings."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PROOFSHEET_HOME", str(folder))
    monkeypatch.setenv("PROOFSHEET_USER", "mia")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def store(home: Path) -> Warehouse:
    """The empty warehouse."""
    return Warehouse(home)


@pytest.fixture
def filled(store: Warehouse, tmp_path: Path) -> tuple[Warehouse, tuple[Asset, ...]]:
    """A warehouse with one campaign that nobody has reviewed."""
    return store, fill_campaign(store, tmp_path)


@pytest.fixture
def tested(store: Warehouse, tmp_path: Path) -> tuple[Warehouse, Experiment]:
    """A warehouse with everything: approved assets, a running test past its size, a report and an analysis."""
    assets = fill_campaign(store, tmp_path)
    approve(store, assets[:1] + assets[3:])
    experiment = make_experiment(assets)
    running = replace(experiment, status=ExperimentStatus.RUNNING, started_at=START)
    with store.write() as writer:
        writer.save_experiment(running)
    fill_report(store, tmp_path, running)
    with store.write() as writer:
        writer.save_analysis(make_analysis(running, 50_000))
    return store, running


@pytest.fixture
def open_page(home: Path) -> Callable[..., AppTest]:
    """Opens a page of the app by its address and parameters."""

    def opened(name: str = "home", **query: str) -> AppTest:
        app = AppTest.from_file(str(SCRIPT), default_timeout=30)
        if name != "home":
            app.run()
            app._page_hash = next(h for h, i in app._registered_pages.items() if i.get("url_pathname") == name)
            app.query_params.clear()
        for key, value in query.items():
            app.query_params[key] = value
        return app.run()

    return opened
