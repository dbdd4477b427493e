"""generate: draw each distinct scene once, compose every asset from scenes; interrupt and resume at any moment."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from proofsheet.domain.asset import Asset, Composition, CostEntry, Origin, Recipe, Scene, SceneRecipe, VariantPlan
from proofsheet.domain.campaign import BrandKit, Campaign, Placement, Product
from proofsheet.domain.money import Money
from proofsheet.errors import InputError, NotFoundError, StateError
from proofsheet.workflows.house import House, Progress, now, quiet

if TYPE_CHECKING:
    from generation.backend import ImageBackend, Rendering
    from generation.compose import Composer


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What was made now and what was there already; ``notes`` are what the backend remarked on the scenes it drew."""

    scenes_drawn: int
    scenes_reused: int
    assets_composed: int
    assets_reused: int
    cost: Money
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One asset to compose: everything a worker process needs, as plain values."""

    recipe: Recipe
    placement: Placement
    brand: BrandKit
    product: Product
    scene_png: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A composed asset's bytes and geometry, as a worker hands them back."""

    png: bytes
    composition: Composition
    width: int
    height: int
    seconds: float


def generate(house: House, slug: str | None = None, *, progress: Progress = quiet) -> Generated:
    """Make every scene and asset of the latest plan that is not there yet.

    Each finished piece is kept by its own transaction, picture bytes first: a process killed at any point leaves
    whole pieces only, and the next run makes the rest. A scene or asset is paid for once, by its recipe's id.

    Raises:
        NotFoundError: the campaign is not planned yet, or a picture of the brand kit is gone.
        BusyError: another process is generating this campaign.
        InputError: the budget is in another currency than the ledger.
        StateError: the brief's budget does not cover the next scene; what is made stays.
    """
    started = time.perf_counter()
    with house.warehouse.read() as reader:
        name = house.campaign(reader, slug).slug
    with house.alone(f"generate-{name}", "generating this campaign"):
        return _generate(house, name, progress, started)


def _generate(house: House, slug: str, progress: Progress, started: float) -> Generated:
    from generation.backend import open_backend, remarks
    from generation.recipes import distinct_scenes

    with house.warehouse.read() as reader:
        campaign = house.campaign(reader, slug)
        laid_out = reader.plan(campaign.slug)
        recipes = reader.recipes(campaign.slug)
        has = house.warehouse.pictures.has
        known_assets = {asset.id for asset in reader.assets(campaign.slug) if has(asset.sha256)}
        known_scenes = {key for key, scene in reader.scenes(campaign.slug).items() if has(scene.sha256)}
    if laid_out is None or not recipes:
        raise NotFoundError(f"The campaign {campaign.slug!r} has no plan.", "Run: proofsheet plan <brief.toml>")
    todo = [recipe for recipe in recipes if recipe.id not in known_assets]
    missing = [scene for scene in distinct_scenes(todo) if scene.id not in known_scenes]
    cost = Decimal(0)
    notes: tuple[str, ...] = ()
    if missing:
        _same_currency(house, campaign)
        drawing = open_backend(laid_out.backend, laid_out.model, **_pinned(laid_out, missing[0]))
        notes = remarks(drawing, missing)
        cost += _draw_all(house, campaign, drawing, missing, progress)
    cost += _compose_all(house, campaign, laid_out, todo, progress)
    return Generated(
        scenes_drawn=len(missing),
        scenes_reused=len({recipe.scene.id for recipe in recipes}) - len(missing),
        assets_composed=len(todo),
        assets_reused=len(recipes) - len(todo),
        cost=Money(cost, house.settings.currency),
        seconds=time.perf_counter() - started,
        notes=notes,
    )


def _pinned(laid_out: VariantPlan, scene: SceneRecipe) -> dict[str, str | int | float]:
    """The plan's own options, with the model's revision as it was planned."""
    pinned = {"revision": scene.revision} if laid_out.model and scene.revision else {}
    return {**laid_out.options, **pinned}


def _draw_all(
    house: House, campaign: Campaign, drawing: ImageBackend, missing: Sequence[SceneRecipe], progress: Progress
) -> Decimal:
    spent = Decimal(0)
    progress("Drawing scenes", 0, len(missing))
    if drawing.parallel:
        jobs = ((drawing.name, scene) for scene in missing)
        renderings = house.executor.map(draw_one, jobs)
    else:
        renderings = drawing.draw(missing)
    for done in range(1, len(missing) + 1):
        _within_budget(house, campaign)
        rendering = next(renderings)
        spent += _keep_scene(house, campaign, rendering)
        progress("Drawing scenes", done, len(missing))
    return spent


def draw_one(job: tuple[str, SceneRecipe]) -> Rendering:
    """Draw one scene by a backend that needs no model; runs in any process."""
    from generation.backend import open_backend

    backend, recipe = job
    return next(iter(open_backend(backend).draw([recipe])))


def _same_currency(house: House, campaign: Campaign) -> None:
    budget = campaign.brief.budget
    if budget is not None and budget.currency != house.settings.currency:
        raise InputError(
            f"The budget of {budget} cannot be kept: what is made here is booked in {house.settings.currency}.",
            f"Write plan.budget in {house.settings.currency}, or set the setting currency to {budget.currency}.",
        )


def _within_budget(house: House, campaign: Campaign) -> None:
    budget = campaign.brief.budget
    if budget is None:
        return
    with house.warehouse.read() as reader:
        ledger = reader.ledger(campaign.slug)
    making = (one for one in ledger if one.what in ("scene", "compose") and one.currency == budget.currency)
    spent = sum((entry.amount for entry in making), Decimal(0))
    if spent >= budget.amount:
        raise StateError(
            f"The budget of {budget} for making {campaign.slug!r} is spent ({Money(spent, budget.currency)}).",
            "What is made is kept. Raise plan.budget in the brief and plan again, or go on with what there is.",
        )


def _keep_scene(house: House, campaign: Campaign, rendering: Rendering) -> Decimal:
    from generation.pictures import encode_master

    recipe = rendering.recipe
    sha256 = house.warehouse.pictures.put(encode_master(rendering.image))
    cost = house.compute_cost(rendering.seconds)
    scene = Scene(
        recipe=recipe,
        sha256=sha256,
        seconds=round(rendering.seconds, 3),
        cost=cost,
        currency=house.settings.currency,
        drawn_at=now(),
        notes=rendering.notes,
    )
    entry = _compute_entry(house, campaign.slug, "scene", recipe.id, rendering.seconds, cost)
    with house.warehouse.write() as writer:
        writer.save_scene(scene, campaign.slug)
        writer.add_costs([entry])
    return cost


def _compute_entry(house: House, campaign: str, what: str, identity: str, seconds: float, cost: Decimal) -> CostEntry:
    return CostEntry(
        key=f"{what}:{identity}",
        campaign=campaign,
        what=what,
        quantity=Decimal(str(round(seconds, 3))),
        unit="second",
        unit_price=(house.settings.compute_price_per_hour / 3600).quantize(Decimal("0.00000001")),
        amount=cost,
        currency=house.settings.currency,
        asset_id=identity if what == "compose" else None,
        scene_id=identity if what == "scene" else None,
        source="setting compute_price_per_hour",
        at=now(),
    )


def _compose_all(
    house: House, campaign: Campaign, laid_out: VariantPlan, todo: Sequence[Recipe], progress: Progress
) -> Decimal:
    from generation.backend import open_backend
    from generation.placements import load_placements

    if not todo:
        return Decimal(0)
    ai_made = open_backend(laid_out.backend, laid_out.model, **_pinned(laid_out, todo[0].scene)).ai_made
    placements = load_placements()
    spent = Decimal(0)
    progress("Composing assets", 0, len(todo))
    jobs = _jobs(house, campaign, placements, todo)
    for done, (recipe, made) in enumerate(zip(todo, house.executor.map(compose_one, jobs), strict=True), start=1):
        spent += _keep_asset(house, campaign, recipe, made, ai_made=ai_made)
        progress("Composing assets", done, len(todo))
    return spent


def _jobs(house: House, campaign: Campaign, placements: dict[str, Placement], todo: Sequence[Recipe]) -> Iterator[Job]:
    with house.warehouse.read() as reader:
        hashes = {key: scene.sha256 for key, scene in reader.scenes(campaign.slug).items()}
    for recipe in todo:
        yield Job(
            recipe=recipe,
            placement=placements[recipe.placement],
            brand=campaign.brand,
            product=campaign.brief.product,
            scene_png=house.warehouse.pictures.get(hashes[recipe.scene.id]),
        )


_composers: dict[tuple[BrandKit, Product], Composer] = {}


def compose_one(job: Job) -> Made:
    """Compose one asset; runs in any process, and keeps the decoded product and logo between calls."""
    from PIL import Image

    from generation.compose import Composer
    from generation.pictures import encode_master

    started = time.perf_counter()
    key = (job.brand, job.product)
    if key not in _composers:
        _composers.clear()
        _composers[key] = Composer(job.brand, job.product)
    scene = Image.open(io.BytesIO(job.scene_png)).convert("RGB")
    composed = _composers[key].compose(scene, job.recipe, job.placement)
    return Made(
        png=encode_master(composed.image),
        composition=composed.composition,
        width=composed.image.width,
        height=composed.image.height,
        seconds=time.perf_counter() - started,
    )


def _keep_asset(house: House, campaign: Campaign, recipe: Recipe, made: Made, *, ai_made: bool) -> Decimal:
    sha256 = house.warehouse.pictures.put(made.png)
    cost = house.compute_cost(made.seconds)
    asset = Asset(
        id=recipe.id,
        campaign=campaign.slug,
        variant_id=recipe.variant_id,
        placement=recipe.placement,
        levels=recipe.levels,
        locale=recipe.locale,
        width=made.width,
        height=made.height,
        sha256=sha256,
        media_type="image/png",
        origin=Origin.GENERATED,
        scene_id=recipe.scene.id,
        recipe=recipe,
        composition=made.composition,
        label="",
        ai_made=ai_made,
        seconds=round(made.seconds, 3),
        created_at=now(),
    )
    entry = _compute_entry(house, campaign.slug, "compose", recipe.id, made.seconds, cost)
    with house.warehouse.write() as writer:
        writer.save_assets([asset])
        writer.add_costs([entry])
    return cost
